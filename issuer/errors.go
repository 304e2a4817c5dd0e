package issuer

import "errors"

// Errors that callers tell apart. Each says who should do what.
var (
	// ErrInvalid is returned for a request that cannot be read as one; a *schemas.FieldError in it names the member.
	ErrInvalid = errors.New("invalid request")
	// ErrNotFound is returned for a credential, report, configuration or issuer that the tenant does not have.
	ErrNotFound = errors.New("not found")
	// ErrNothingToIssue is returned when the report states no level that the configuration can certify. The subject
	// needs more evidence.
	ErrNothingToIssue = errors.New("nothing to issue")
	// ErrNoConsent is returned when the subject did not agree to the credential, or to an automated decision under
	// review on request.
	ErrNoConsent = errors.New("no consent")
	// ErrReviewNeeded is returned when the configuration wants a review before issuing and the report had none.
	ErrReviewNeeded = errors.New("review needed before issuing")
	// ErrNotAuthorised is returned when no authority lets the issuer issue this achievement.
	ErrNotAuthorised = errors.New("issuer has no authority for this")
	// ErrConflict is returned when the idempotency key was used with another request.
	ErrConflict = errors.New("idempotency key was used with another request")
	// ErrInProgress is returned when the same request is being worked on. Ask again with the same idempotency key.
	ErrInProgress = errors.New("request is in progress")
	// ErrPermit is returned for a permit that was used, has expired, or was not made by this issuer.
	ErrPermit = errors.New("permit is not usable")
	// ErrRevoked is returned when a revoked credential is to be suspended or reinstated: revocation is final.
	ErrRevoked = errors.New("credential is revoked")
	// ErrListFull is returned when no index is left and no new list could be opened.
	ErrListFull = errors.New("status list is full")
	// ErrIntent is returned by a Store when an intent is not in the state that the step needs.
	ErrIntent = errors.New("intent is in another state")
)
