package evidence

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinels. ErrRefused is wrapped by every refusal of a whole batch; the others say why.
var (
	ErrRefused = errors.New("evidence refused")
	// ErrBadLines: lines could not be read; the Issues name each.
	ErrBadLines = errors.New("bad lines")
	// ErrNoConsent: no live receipt covers the batch. Ask the subject, or name --subject and --consent.
	ErrNoConsent = errors.New("no live consent")
	// ErrUnderage: the subject did not say to be 18 or older.
	ErrUnderage = errors.New("no word that the subject is 18 or older")
	// ErrWithdrawn: the subject took the consent back.
	ErrWithdrawn = errors.New("consent was withdrawn")
	// ErrFormat: the format is unknown or could not be recognised. Name it with --format.
	ErrFormat = errors.New("format not recognised")
	// ErrTooLarge: over the configured bounds. Split the file by conversation.
	ErrTooLarge = errors.New("evidence too large")
)

// Issue codes.
const (
	CodeMalformed     = "malformed"
	CodeMissing       = "missing"
	CodeType          = "type"
	CodeValue         = "value"
	CodeTooLong       = "too_long"
	CodeUnknownType   = "unknown_type"
	CodeVersion       = "version"
	CodeTime          = "time"
	CodeIDConflict    = "id_conflict"
	CodeScene         = "scene_refused"
	CodeUnderage      = "underage"
	CodeUnknownTarget = "unknown_target"
)

// Issue names one bad line.
type Issue struct {
	Line     int    `json:"line"` // 1-based; in a JSON export the number of the message
	Field    string `json:"field,omitempty"`
	Code     string `json:"code"`
	Expected string `json:"expected"`
}

// String says the issue in one line.
func (i Issue) String() string {
	field := i.Field
	if field == "" {
		field = "line"
	}
	return fmt.Sprintf("line %d: %s: %s: expected %s", i.Line, field, i.Code, i.Expected)
}

// maxListed bounds the issues that are kept in memory; Total counts all of them.
const maxListed = 1000

// Issues is what was wrong with the input: the quarantine list of a run that skips.
type Issues struct {
	List  []Issue `json:"list"`
	Total int     `json:"total"`
	Lines int     `json:"lines"` // lines that held an event, good or bad
}

func (s *Issues) add(i Issue) {
	s.Total++
	if len(s.List) < maxListed {
		s.List = append(s.List, i)
	}
}

// RefusedError tells why nothing of the batch was taken.
type RefusedError struct {
	Reason error // one of the sentinels
	Detail string
	Issues Issues
}

// Error says the reason and names the first bad lines.
func (e *RefusedError) Error() string {
	var b strings.Builder
	b.WriteString(e.Reason.Error())
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	for i, issue := range e.Issues.List {
		if i == 5 {
			fmt.Fprintf(&b, "; and %d more", e.Issues.Total-i)
			break
		}
		b.WriteString("; ")
		b.WriteString(issue.String())
	}
	return b.String()
}

// Unwrap gives ErrRefused and the reason.
func (e *RefusedError) Unwrap() []error { return []error{ErrRefused, e.Reason} }

func refuse(reason error, detail string, issues Issues) error {
	return &RefusedError{Reason: reason, Detail: detail, Issues: issues}
}
