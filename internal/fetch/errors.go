package fetch

import (
	"errors"
	"log/slog"
)

// ErrUnavailable is wrapped by every error of Get and Post. Tell people this much and no more: which of the reasons below
// it was would turn the service into a scanner of its own network.
var ErrUnavailable = errors.New("resource could not be fetched")

// The reasons, for callers that act on them and for logs; each comes together with ErrUnavailable.
var (
	// ErrBlocked says that the address is not one that may be called: scheme, user information, port, name or range.
	ErrBlocked = errors.New("address not allowed")
	// ErrTooLarge says that headers or opened content went past their cap.
	ErrTooLarge = errors.New("answer too large")
	// ErrTimeout says that the time for the whole exchange was spent.
	ErrTimeout = errors.New("time spent")
	// ErrStatus says that the answer was not 200; a redirect counts as that.
	ErrStatus = errors.New("unexpected status")
	// ErrContent says that media type, content encoding or its bytes were not as asked.
	ErrContent = errors.New("unexpected content")
	// ErrConnect says that name resolution, connection, TLS or the exchange failed.
	ErrConnect = errors.New("connection failed")
)

// Error is what Get and Post return. Its text never varies; the reason is found with errors.Is, the cause in logs.
type Error struct {
	Reason error // one of the sentinels of this package
	Cause  error // for logs of the operator only; may be nil
	Status int   // status of an answer that was not 200, else 0
}

// Error returns the same text for every reason.
func (e *Error) Error() string { return ErrUnavailable.Error() }

// Unwrap makes errors.Is find ErrUnavailable and the reason.
func (e *Error) Unwrap() []error { return []error{ErrUnavailable, e.Reason} }

// LogValue gives operators the reason and the cause.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("reason", e.Reason.Error())}
	if e.Cause != nil {
		attrs = append(attrs, slog.String("cause", e.Cause.Error()))
	}
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	return slog.GroupValue(attrs...)
}

func fault(reason, cause error) *Error { return &Error{Reason: reason, Cause: cause} }
