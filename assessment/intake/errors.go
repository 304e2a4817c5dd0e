package intake

import (
	"errors"

	"heartmark/schemas"
)

// Sentinels of this package.
var (
	// ErrNotFound: no such receipt, batch or subject in this tenant.
	ErrNotFound = errors.New("not found")
	// ErrForbiddenPurpose: a purpose that no consent can cover (G4).
	ErrForbiddenPurpose = errors.New("forbidden purpose")
	// ErrUnfree: an employer or a school stands behind it and no voluntary purpose of the person's own is documented (G3).
	ErrUnfree = errors.New("consent is presumed unfree")
	// ErrConsentText: the consent text that the receipt names is not one of ours.
	ErrConsentText = errors.New("unknown consent text")
	// ErrConfirmation: the subject's signature does not hold, or says something else.
	ErrConfirmation = errors.New("confirmation does not hold")
	// ErrNotLive: the receipt was withdrawn, has ended, has not begun, or lacks a purpose. Ask the subject.
	ErrNotLive = errors.New("consent is not live")
	// ErrRestricted: the subject restricted the processing or objected to it.
	ErrRestricted = errors.New("processing is restricted")
	// ErrNothing: none of the lines is the subject's own.
	ErrNothing = errors.New("nothing by the subject")
	// ErrOffset: the bytes do not follow what is there. Read the batch and go on at its offset.
	ErrOffset = errors.New("wrong offset")
	// ErrState: the batch is not in a state in which this can be done.
	ErrState = errors.New("batch is in another state")
	// ErrTooLong: an upload is longer than MaxUpload.
	ErrTooLong = errors.New("upload is too long")
	// ErrDigest: the content is not what its digest says.
	ErrDigest = errors.New("content digest does not match")
	// ErrSignature: the batch lacks the signature that the tenant demands, or has one that does not hold. Nothing was stored.
	ErrSignature = errors.New("evidence signature does not hold")
	// ErrKeyReuse: the idempotency key was used for another request.
	ErrKeyReuse = errors.New("idempotency key was used for another request")
	// ErrQuota: the tenant has as many batches waiting as it may. Answer 429 with Retry-After.
	ErrQuota = errors.New("too many batches are waiting")
	// ErrStopped: the operator stopped scoring. Answer 503 with Retry-After.
	ErrStopped = errors.New("scoring is stopped")
)

// field is a faulty value of a request.
func field(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}
