package problem

import (
	"context"
	"net/http"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/assessment/live"
	"heartmark/assessment/review"
	"heartmark/assessment/training"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/registry/webhooks"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/bulk"
	"heartmark/verifier/oid4vp"
	"heartmark/verifier/policies"
)

// Problem types that a specification owns. All others are <origin>/problems/<code>.
const (
	typeParsing   = "https://www.w3.org/TR/vc-data-model#PARSING_ERROR"
	typeMalformed = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"
)

// Entry is one line of the table.
type Entry struct {
	// Err is the sentinel that errors.Is looks for.
	Err    error
	Status int
	// Code is the stable name: the text key, the last part of our own problem type, the document's code member.
	Code string
	// Type is set where a specification names the problem.
	Type string
	// OAuth is the error code on routes that speak OAuth; empty gives invalid_request for 4xx, server_error for 5xx.
	OAuth string
}

// internalCode is the code of whatever is not in the table.
const internalCode = "internal"

// Table returns the lines in the order in which they are tried: the first whose sentinel an error wraps answers it.
func Table() []Entry {
	return slices.Concat(edgeEntries(), trainingEntries(), partEntries())
}

func edgeEntries() []Entry {
	return []Entry{
		{Err: ErrUnauthenticated, Status: http.StatusUnauthorized, Code: "unauthenticated", OAuth: "invalid_token"},
		{Err: ErrForbidden, Status: http.StatusForbidden, Code: "forbidden", OAuth: "insufficient_scope"},
		{Err: ErrCrossSite, Status: http.StatusForbidden, Code: "cross-site"},
		{Err: ErrMethod, Status: http.StatusMethodNotAllowed, Code: "method-not-allowed"},
		{Err: ErrNotAcceptable, Status: http.StatusNotAcceptable, Code: "not-acceptable"},
		{Err: ErrMediaType, Status: http.StatusUnsupportedMediaType, Code: "unsupported-media-type"},
		{Err: ErrTooLarge, Status: http.StatusRequestEntityTooLarge, Code: "too-large"},
		{Err: ErrRate, Status: http.StatusTooManyRequests, Code: "too-many-requests", OAuth: "temporarily_unavailable"},
		{Err: ErrBusy, Status: http.StatusServiceUnavailable, Code: "busy", OAuth: "temporarily_unavailable"},
		{Err: ErrUnavailable, Status: http.StatusServiceUnavailable, Code: "unavailable", OAuth: "temporarily_unavailable"},
		{Err: ErrTimeout, Status: http.StatusServiceUnavailable, Code: "timeout", OAuth: "temporarily_unavailable"},
		{Err: context.DeadlineExceeded, Status: http.StatusServiceUnavailable, Code: "timeout", OAuth: "temporarily_unavailable"},
		{Err: context.Canceled, Status: http.StatusServiceUnavailable, Code: "timeout", OAuth: "temporarily_unavailable"},
		{Err: ErrQuery, Status: http.StatusBadRequest, Code: "bad-query"},
		{Err: ErrIdempotencyKey, Status: http.StatusBadRequest, Code: "idempotency-key"},
		{Err: ErrIdempotencyReuse, Status: http.StatusConflict, Code: "idempotency-reuse"},
		{Err: ErrIdempotencyRunning, Status: http.StatusConflict, Code: "idempotency-running"},
		{Err: ErrConsent, Status: http.StatusForbidden, Code: "consent"},
		{Err: ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
	}
}

func trainingEntries() []Entry {
	return []Entry{
		{Err: training.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: training.ErrStale, Status: http.StatusServiceUnavailable, Code: "busy"},
		{Err: training.ErrSubjects, Status: http.StatusBadRequest, Code: "malformed", Type: typeMalformed},
		{Err: training.ErrNoReports, Status: http.StatusBadRequest, Code: "malformed", Type: typeMalformed},
		{Err: training.ErrTooManyAnswers, Status: http.StatusRequestEntityTooLarge, Code: "too-large"},
	}
}

// partEntries are the sentinels of the parts below the edge. What wraps another stands before it.
func partEntries() []Entry {
	return slices.Concat(verifierEntries(), issuerEntries(), registryEntries(), intakeEntries(), assessmentEntries(), []Entry{
		{Err: schemas.ErrNothingToState, Status: http.StatusUnprocessableEntity, Code: "nothing-to-issue"},
		{Err: schemas.ErrUnknownMember, Status: http.StatusBadRequest, Code: "unknown-member", Type: typeMalformed},
		{Err: schemas.ErrMalformed, Status: http.StatusBadRequest, Code: "malformed", Type: typeMalformed},
	})
}

func verifierEntries() []Entry {
	return []Entry{
		{Err: verifier.ErrUnreadable, Status: http.StatusBadRequest, Code: "unreadable", Type: typeParsing},
		{Err: verifier.ErrMediaType, Status: http.StatusUnsupportedMediaType, Code: "unsupported-media-type"},
		{Err: verifier.ErrUnknownPolicy, Status: http.StatusBadRequest, Code: "unknown-policy"},
		{Err: oid4vp.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: oid4vp.ErrResponseCode, Status: http.StatusForbidden, Code: "response-code"},
		{Err: oid4vp.ErrNotAllowed, Status: http.StatusForbidden, Code: "template-only"},
		{Err: bulk.ErrFormat, Status: http.StatusBadRequest, Code: "bulk-format"},
		{Err: bulk.ErrTooMany, Status: http.StatusRequestEntityTooLarge, Code: "too-large"},
		{Err: policies.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: policies.ErrReserved, Status: http.StatusConflict, Code: "policy-name"},
		{Err: policies.ErrTooMany, Status: http.StatusConflict, Code: "policy-limit"},
		{Err: policies.ErrVersion, Status: http.StatusServiceUnavailable, Code: "busy"},
		{Err: oid4vp.ErrState, Status: http.StatusConflict, Code: "presentation-state"},
	}
}

func issuerEntries() []Entry {
	return []Entry{
		{Err: issuer.ErrInvalid, Status: http.StatusBadRequest, Code: "malformed", Type: typeMalformed},
		{Err: issuer.ErrNotFound, Status: http.StatusNotFound, Code: "not-found", OAuth: oid4vci.CodeInvalidRequest},
		{Err: issuer.ErrNothingToIssue, Status: http.StatusUnprocessableEntity, Code: "nothing-to-issue", OAuth: oid4vci.CodeDenied},
		{Err: issuer.ErrNoConsent, Status: http.StatusForbidden, Code: "consent", OAuth: oid4vci.CodeDenied},
		{Err: issuer.ErrReviewNeeded, Status: http.StatusConflict, Code: "review-needed", OAuth: oid4vci.CodeDenied},
		{Err: issuer.ErrNotAuthorised, Status: http.StatusForbidden, Code: "not-authorised", OAuth: oid4vci.CodeDenied},
		{Err: issuer.ErrConflict, Status: http.StatusConflict, Code: "idempotency-reuse", OAuth: oid4vci.CodeDenied},
		{Err: issuer.ErrInProgress, Status: http.StatusConflict, Code: "idempotency-running", OAuth: oid4vci.CodeTemporarilyUnavailable},
		{Err: issuer.ErrPermit, Status: http.StatusConflict, Code: "permit"},
		{Err: issuer.ErrRevoked, Status: http.StatusConflict, Code: "revoked", OAuth: oid4vci.CodeDenied},
		{Err: issuer.ErrListFull, Status: http.StatusServiceUnavailable, Code: "busy", OAuth: oid4vci.CodeTemporarilyUnavailable},
		{Err: issuer.ErrIntent, Status: http.StatusConflict, Code: "idempotency-running", OAuth: oid4vci.CodeTemporarilyUnavailable},
		{Err: oid4vci.ErrNotFound, Status: http.StatusNotFound, Code: "not-found", OAuth: oid4vci.CodeInvalidRequest},
		{Err: oid4vci.ErrNoOffer, Status: http.StatusNotFound, Code: "not-found", OAuth: oid4vci.CodeInvalidRequest},
		{Err: oid4vci.ErrDecided, Status: http.StatusConflict, Code: "offer-decided"},
		{Err: oid4vci.ErrLogin, Status: http.StatusForbidden, Code: "login", OAuth: oid4vci.CodeAccessDenied},
		{Err: oid4vci.ErrLoginAway, Status: http.StatusServiceUnavailable, Code: "unavailable", OAuth: oid4vci.CodeTemporarilyUnavailable},
		{Err: oid4vci.ErrUsed, Status: http.StatusBadRequest, Code: "malformed", OAuth: oid4vci.CodeInvalidNonce, Type: typeMalformed},
	}
}

func registryEntries() []Entry {
	return []Entry{
		{Err: registry.ErrNotFound, Status: http.StatusNotFound, Code: "not-found", OAuth: "not_found"},
		{Err: registry.ErrConflict, Status: http.StatusConflict, Code: "published"},
		{Err: registry.ErrForbidden, Status: http.StatusForbidden, Code: "forbidden"},
		{Err: registry.ErrProof, Status: http.StatusBadRequest, Code: "control-proof"},
		{Err: registry.ErrConfusable, Status: http.StatusBadRequest, Code: "confusable-name"},
		{Err: registry.ErrPersonalData, Status: http.StatusBadRequest, Code: "personal-data"},
		{Err: registry.ErrLimits, Status: http.StatusBadRequest, Code: "schema-limits"},
		{Err: registry.ErrOverlap, Status: http.StatusConflict, Code: "authority-overlap"},
		{Err: registry.ErrWider, Status: http.StatusConflict, Code: "authority-wider"},
		{Err: registry.ErrFinal, Status: http.StatusConflict, Code: "final"},
		{Err: registry.ErrStale, Status: http.StatusServiceUnavailable, Code: "busy"},
		{Err: registry.ErrRollback, Status: http.StatusServiceUnavailable, Code: "unavailable"},
		{Err: registry.ErrUnavailable, Status: http.StatusServiceUnavailable, Code: "unavailable"},
		{Err: registry.ErrInvalid, Status: http.StatusBadRequest, Code: "malformed", Type: typeMalformed},
		{Err: webhooks.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: webhooks.ErrStale, Status: http.StatusServiceUnavailable, Code: "busy"},
		{Err: webhooks.ErrTarget, Status: http.StatusBadRequest, Code: "webhook-address"},
		{Err: webhooks.ErrTooMany, Status: http.StatusConflict, Code: "too-many-webhooks"},
		{Err: translog.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: translog.ErrClosed, Status: http.StatusServiceUnavailable, Code: "unavailable"},
		{Err: translog.ErrTooLarge, Status: http.StatusBadRequest, Code: "malformed", Type: typeMalformed},
	}
}

func intakeEntries() []Entry {
	return []Entry{
		{Err: live.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: live.ErrForbiddenUse, Status: http.StatusForbidden, Code: "forbidden-purpose"},
		{Err: live.ErrConsent, Status: http.StatusForbidden, Code: "consent-not-live"},
		{Err: live.ErrBusy, Status: http.StatusServiceUnavailable, Code: "busy"},
		{Err: live.ErrFull, Status: http.StatusTooManyRequests, Code: "too-many-feeds"},
		{Err: live.ErrLanguage, Status: http.StatusUnprocessableEntity, Code: "language"},
		{Err: review.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: review.ErrNothing, Status: http.StatusConflict, Code: "nothing-to-review"},
		{Err: review.ErrStale, Status: http.StatusConflict, Code: "review-state"},
		{Err: review.ErrState, Status: http.StatusConflict, Code: "review-state"},
		{Err: review.ErrReviewer, Status: http.StatusForbidden, Code: "not-reviewer"},
		{Err: review.ErrConflict, Status: http.StatusForbidden, Code: "another-reviewer"},
		{Err: review.ErrSignature, Status: http.StatusForbidden, Code: "review-signature"},
		{Err: intake.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: intake.ErrForbiddenPurpose, Status: http.StatusForbidden, Code: "forbidden-purpose"},
		{Err: intake.ErrUnfree, Status: http.StatusForbidden, Code: "unfree-consent"},
		{Err: intake.ErrConsentText, Status: http.StatusBadRequest, Code: "consent-text"},
		{Err: intake.ErrConfirmation, Status: http.StatusForbidden, Code: "consent-confirmation"},
		{Err: intake.ErrNotLive, Status: http.StatusForbidden, Code: "consent-not-live"},
		{Err: intake.ErrRestricted, Status: http.StatusForbidden, Code: "processing-restricted"},
		{Err: intake.ErrNothing, Status: http.StatusBadRequest, Code: "no-own-messages"},
		{Err: intake.ErrOffset, Status: http.StatusConflict, Code: "upload-offset"},
		{Err: intake.ErrState, Status: http.StatusConflict, Code: "batch-state"},
		{Err: intake.ErrTooLong, Status: http.StatusRequestEntityTooLarge, Code: "too-large"},
		{Err: intake.ErrDigest, Status: http.StatusBadRequest, Code: "content-digest"},
		{Err: intake.ErrSignature, Status: http.StatusForbidden, Code: "evidence-signature"},
		{Err: intake.ErrKeyReuse, Status: http.StatusConflict, Code: "idempotency-reuse"},
		{Err: intake.ErrQuota, Status: http.StatusTooManyRequests, Code: "evidence-quota"},
		{Err: intake.ErrStopped, Status: http.StatusServiceUnavailable, Code: "scoring-stopped"},
		{Err: intake.ErrBusy, Status: http.StatusServiceUnavailable, Code: "busy"},
	}
}

func assessmentEntries() []Entry {
	return []Entry{
		{Err: evidence.ErrNoConsent, Status: http.StatusForbidden, Code: "consent"},
		{Err: evidence.ErrWithdrawn, Status: http.StatusForbidden, Code: "consent"},
		{Err: evidence.ErrUnderage, Status: http.StatusForbidden, Code: "underage"},
		{Err: evidence.ErrTooLarge, Status: http.StatusRequestEntityTooLarge, Code: "too-large"},
		{Err: evidence.ErrFormat, Status: http.StatusBadRequest, Code: "evidence-format"},
		{Err: evidence.ErrBadLines, Status: http.StatusBadRequest, Code: "evidence-lines"},
		{Err: evidence.ErrRefused, Status: http.StatusBadRequest, Code: "evidence-refused"},
		{Err: assessment.ErrNoConsentToIssue, Status: http.StatusForbidden, Code: "consent"},
		{Err: assessment.ErrNotFound, Status: http.StatusNotFound, Code: "not-found"},
		{Err: assessment.ErrConflict, Status: http.StatusConflict, Code: "report-exists"},
		{Err: assessment.ErrClassifier, Status: http.StatusServiceUnavailable, Code: "unavailable"},
	}
}
