package training

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"heartmark/schemas"
)

// Bounds of approved answers.
const (
	MaxAnswers      = 10_000 // a tenant
	maxAnswerLine   = 64 << 10
	maxAnswerID     = 128  // characters
	maxQuestionText = 2000 // characters
	maxAnswerText   = 4000 // characters
	maxTags         = 16
	maxTagText      = 64 // characters
)

// ErrTooManyAnswers is returned for more than MaxAnswers lines.
var ErrTooManyAnswers = fmt.Errorf("more than %d answers", MaxAnswers)

// Answer is a tenant's own approved answer to a kind of question.
type Answer struct {
	ID       string   `json:"id"`
	Lang     string   `json:"lang"` // "en" or "zh"
	Question string   `json:"question"`
	Answer   string   `json:"answer"`
	Tags     []string `json:"tags,omitempty"`
}

// StoredAnswer is an answer with the vector of its question, so that an encoder reads each question once.
type StoredAnswer struct {
	Answer
	Vector []float32 `json:"vector,omitempty"`
	// Model names the encoder and width that made Vector; another one makes it worthless.
	Model string `json:"model,omitempty"`
}

// LineError says in which line of a body of lines a fault is.
type LineError struct {
	Line int // 1-based
	Err  error
}

// Error tells the line and the cause.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap gives the cause.
func (e *LineError) Unwrap() error { return e.Err }

// ReadAnswers reads approved answers as JSON Lines with the members id, lang, question, answer and tags. It is strict: the
// first bad line refuses the whole, with a *LineError around a *schemas.FieldError. Empty lines are passed over.
func ReadAnswers(in io.Reader) ([]Answer, error) {
	var out []Answer
	seen := map[string]bool{}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), maxAnswerLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var a Answer
		err := schemas.Decode(lines.Bytes(), &a)
		if err == nil {
			err = a.validate(seen)
		}
		if err != nil {
			return nil, &LineError{n, err}
		}
		if len(out) == MaxAnswers {
			return nil, ErrTooManyAnswers
		}
		seen[a.ID] = true
		out = append(out, a)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, &LineError{n + 1, &schemas.FieldError{Expected: "a line of at most 64 KiB", Err: schemas.ErrMalformed}}
	} else if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	return out, nil
}

func (a Answer) validate(seen map[string]bool) error {
	within := func(s string, most int) bool {
		n := utf8.RuneCountInString(s)
		return n >= 1 && n <= most
	}
	fault := func(pointer, expected string) error {
		return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
	}
	switch {
	case !within(a.ID, maxAnswerID):
		return fault("/id", "a string of 1 to 128 characters")
	case seen[a.ID]:
		return fault("/id", "each id once")
	case !slices.Contains(schemas.Languages(), a.Lang):
		return fault("/lang", "en or zh")
	case !within(a.Question, maxQuestionText):
		return fault("/question", "a string of 1 to 2000 characters")
	case !within(a.Answer, maxAnswerText):
		return fault("/answer", "a string of 1 to 4000 characters")
	case len(a.Tags) > maxTags || slices.ContainsFunc(a.Tags, func(t string) bool { return !within(t, maxTagText) }):
		return fault("/tags", "at most 16 tags of 1 to 64 characters")
	}
	return nil
}
