package schemas

import (
	"errors"
	"strconv"
	"strings"
)

// ErrMalformed is wrapped by every error about input that cannot be read: not JSON, JSON that two parsers could read
// apart, a value of the wrong kind, a date outside its grammar. Answer 400; asking again does not help.
var ErrMalformed = errors.New("malformed")

// FieldError says which value of a document is at fault.
type FieldError struct {
	Pointer  string // RFC 6901 pointer to the value, "" for the whole document
	Expected string // what would have been right, as a noun phrase: "a string"; may be empty
	Err      error  // the cause; wraps ErrMalformed when the value could not be read
}

// Error tells the pointer, what was expected and the cause.
func (e *FieldError) Error() string {
	var b strings.Builder
	if e.Pointer == "" {
		b.WriteString("document")
	} else {
		b.WriteString(e.Pointer)
	}
	if e.Expected != "" {
		b.WriteString(": expected ")
		b.WriteString(e.Expected)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// malformed wraps ErrMalformed with the reason.
type malformed string

func (m malformed) Error() string        { return string(m) }
func (m malformed) Is(target error) bool { return target == ErrMalformed }

// step is one token of a JSON Pointer: a member name, or an index when index >= 0.
type step struct {
	name  string
	index int
}

// pointer spells path as a JSON Pointer (RFC 6901).
func pointer(path []step) string {
	var b strings.Builder
	for _, s := range path {
		b.WriteByte('/')
		if s.index >= 0 {
			b.WriteString(strconv.Itoa(s.index))
			continue
		}
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(s.name))
	}
	return b.String()
}
