// Package browser is the verifier as a visitor's browser runs it: it judges a credential with a signed snapshot of the
// registry and renders the verdict in words, on the visitor's own device. cmd/heartmark-wasm binds it to the page's script;
// it fetches nothing itself. Start at New, then Load, then Check.
//
// It has no second reader of DIDs beside ours (package did), and nothing else that the command line would not do.
package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"strconv"
	"time"

	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/offline"
)

// ErrNotLoaded is returned by Check before Load has succeeded.
var ErrNotLoaded = errors.New("no registry snapshot is loaded")

// Checker judges credentials. It is used by one caller at a time.
type Checker struct {
	now      func() time.Time
	words    words.Words
	result   *template.Template
	bundle   *offline.Bundle
	verifier *verifier.Verifier
}

// New returns a checker that speaks lang.
func New(lang string, now func() time.Time) (*Checker, error) {
	w, err := verdict.Load(lang)
	if err != nil {
		return nil, err
	}
	t, err := verdict.Parse(template.New("browser").Funcs(template.FuncMap{"t": w.Get}).Option("missingkey=error"))
	if err != nil {
		return nil, err
	}
	return &Checker{now: now, words: w, result: t}, nil
}

// Load takes a registry's signed snapshot, checked with the keys of the DIDs in trusted (did:key or did:jwk). It returns
// offline.ErrSnapshot or offline.ErrTrust; the snapshot that was loaded before then stays in use.
func (c *Checker) Load(snapshot []byte, trusted []string) error {
	if len(snapshot) == 0 {
		return fmt.Errorf("it is empty: %w", offline.ErrSnapshot)
	}
	b, err := offline.Open(snapshot, trusted, c.now)
	if err != nil {
		return err
	}
	v, err := b.Verifier()
	if err != nil {
		return err
	}
	c.bundle, c.verifier = b, v
	return nil
}

// Answer is what the page shows.
type Answer struct {
	// HTML is the rendered verdict or fault, safe to put into the page.
	HTML string
	// Verdict is that of the result, "" where the input could not be read.
	Verdict string
	// Heading is the verdict in a word, for the page's title.
	Heading string
	// Millis is how long the verification took, without rendering.
	Millis float64
}

// Check judges data. stale says that the snapshot could not be loaded anew, which the answer then tells.
func (c *Checker) Check(ctx context.Context, data []byte, stale bool) (Answer, error) {
	if c.verifier == nil {
		return Answer{}, ErrNotLoaded
	}
	start := c.now()
	r, err := c.verifier.Verify(ctx, verifier.Input{Data: bytes.TrimSpace(data), Policy: offline.Policy})
	took := c.now().Sub(start)
	var show verdict.Answer
	switch {
	case errors.Is(err, verifier.ErrUnreadable):
		show.Fault = c.unreadable(err)
	case err != nil:
		return Answer{}, err
	default:
		show.Verdict = verdict.New(c.words, r)
		show.Verdict.Place = c.place(stale)
	}
	var buf bytes.Buffer
	if err := c.result.ExecuteTemplate(&buf, "result", show); err != nil {
		return Answer{}, fmt.Errorf("render: %w", err)
	}
	out := Answer{HTML: buf.String(), Millis: float64(took.Microseconds()) / 1000}
	if show.Verdict != nil {
		out.Verdict, out.Heading = show.Verdict.Verdict, show.Verdict.Heading
	}
	return out, nil
}

func (c *Checker) unreadable(err error) *verdict.Fault {
	f := &verdict.Fault{
		Title: c.words.Text("verdict.unreadable"), Detail: c.words.Text("verdict.unreadable.detail"), Action: c.words.Text("verdict.unreadable.action"),
	}
	if field, ok := errors.AsType[*schemas.FieldError](err); ok {
		f.Fields = []verdict.Field{{
			Pointer: words.Clip(field.Pointer, verdict.LongestID), Detail: words.Clip(field.Expected, verdict.LongestID),
		}}
	}
	return f
}

// place says where the check was made and how old what it rests on is.
func (c *Checker) place(stale bool) string {
	b := c.bundle.Basis()
	key := "verdict.place.browser"
	if stale {
		key = "verdict.place.stale"
	}
	return c.words.Fill(key, "time", c.words.Instant(b.Created), "age", c.age(b.AgeSeconds))
}

func (c *Checker) age(seconds int64) string {
	const minute, hour, day = 60, 3600, 86400
	unit, n := "minutes", seconds/minute
	switch {
	case seconds < minute:
		return c.words.Text("verdict.age.now")
	case seconds >= 2*day:
		unit, n = "days", seconds/day
	case seconds >= 2*hour:
		unit, n = "hours", seconds/hour
	}
	return c.words.Fill("verdict.age."+unit, "n", strconv.FormatInt(n, 10))
}

// Included reports whether leaf stands in the log as proof says: nil, or an error that wraps inclusion.ErrCheckpoint or
// inclusion.ErrProof. proof is a schemas.LogProof in JSON; keys are the log's verifier keys.
func Included(leaf, proof []byte, keys ...string) error {
	var p schemas.LogProof
	if err := schemas.Decode(proof, &p); err != nil {
		return fmt.Errorf("%w: %w", err, inclusion.ErrProof)
	}
	return inclusion.Verify(leaf, p, keys...)
}
