package problem

import (
	"errors"
	"time"
)

// What the HTTP edge itself refuses. Handlers return these, wrapped with what they know.
var (
	// ErrUnauthenticated: no API key or access token, or one that is not ours. Answered 401 with WWW-Authenticate.
	ErrUnauthenticated = errors.New("no valid key")
	// ErrForbidden: the key is good and lacks the scope that the route asks for.
	ErrForbidden = errors.New("key lacks the scope")
	// ErrNotFound: no such route, page or object, or an object of another tenant.
	ErrNotFound = errors.New("not found")
	// ErrMethod: the address exists and does not take this method.
	ErrMethod = errors.New("method not allowed")
	// ErrNotAcceptable: none of the media types in Accept can be sent.
	ErrNotAcceptable = errors.New("not acceptable")
	// ErrCrossSite: a form came from a page of another site.
	ErrCrossSite = errors.New("form of another site")
	// ErrMediaType: the body has a media type that the route does not read.
	ErrMediaType = errors.New("unsupported media type")
	// ErrTooLarge: the body is longer than the route's limit.
	ErrTooLarge = errors.New("body too large")
	// ErrRate: the caller asked too often. Answered 429 with Retry-After.
	ErrRate = errors.New("too many requests")
	// ErrBusy: the process has no room for this work now. Answered 503 with Retry-After.
	ErrBusy = errors.New("busy")
	// ErrUnavailable: a part that this needs is not there now, such as the classifier.
	ErrUnavailable = errors.New("part not available")
	// ErrTimeout: the route's time limit ran out.
	ErrTimeout = errors.New("time limit")
	// ErrQuery: a query parameter is unknown, repeated or out of its range.
	ErrQuery = errors.New("bad query")
	// ErrIdempotencyKey: the Idempotency-Key header is longer than 128 characters or not printable ASCII.
	ErrIdempotencyKey = errors.New("bad idempotency key")
	// ErrIdempotencyReuse: the key was used before with another body.
	ErrIdempotencyReuse = errors.New("idempotency key used with another body")
	// ErrIdempotencyRunning: the first request with the key has not ended yet.
	ErrIdempotencyRunning = errors.New("idempotency key in use")
	// ErrConsent: what was asked for lies outside the subject's consent.
	ErrConsent = errors.New("outside the consent")
)

// retry carries how long a client should wait.
type retry struct {
	error
	after time.Duration
}

func (r retry) Unwrap() error { return r.error }

// RetryAfter wraps err with the time after which the same request may succeed.
func RetryAfter(err error, after time.Duration) error { return retry{err, after} }

// typed carries a problem type that a specification has for this very case.
type typed struct {
	error
	problemType string
}

func (t typed) Unwrap() error { return t.error }

// Typed wraps err with a problem type that a specification has for this very case.
func Typed(err error, problemType string) error { return typed{err, problemType} }

// challenge carries the value of WWW-Authenticate.
type challenge struct {
	error
	value string
}

func (c challenge) Unwrap() error { return c.error }

// Challenge wraps err with the value that WWW-Authenticate gets.
func Challenge(err error, value string) error { return challenge{err, value} }
