package problem

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/assessment/evidence"
	"heartmark/assessment/training"
	"heartmark/schemas"
)

//go:embed locale/en.json locale/zh.json
var locales embed.FS

// MediaType is the media type of a problem document (RFC 9457, 3).
const MediaType = "application/problem+json"

// maxFields bounds how many faulty fields one document lists.
const maxFields = 50

// Text is what a person reads about one problem.
type Text struct {
	Title  string `json:"title"`
	Detail string `json:"detail"` // what it means
	Action string `json:"action"` // what to do
}

// Field names one faulty value of the request.
type Field struct {
	Pointer string `json:"pointer"`        // RFC 6901, from the root of the request body; of its line where Line is set
	Line    int    `json:"line,omitempty"` // 1-based, in bodies of lines
	Type    string `json:"type"`
	Detail  string `json:"detail"`
}

// Document is a problem document of RFC 9457 with the members code and errors beside the standard ones.
type Document struct {
	Type     string  `json:"type"`
	Title    string  `json:"title"`
	Status   int     `json:"status"`
	Detail   string  `json:"detail"`
	Instance string  `json:"instance,omitempty"`
	Code     string  `json:"code"`
	Errors   []Field `json:"errors,omitempty"`
}

// texts are the words of one language.
type texts struct {
	Problems map[string]Text   `json:"problems"`
	Fields   map[string]string `json:"fields"`   // frames for faulty fields
	Expected map[string]string `json:"expected"` // translations of what parsers say was expected
}

// Catalog answers errors. It is safe for concurrent use.
type Catalog struct {
	origin string
	table  []Entry
	byLang map[string]texts
}

// New reads the built-in texts. origin is the installation's public origin, without a slash at its end; our own problem
// types lie below it. It fails when a code of the table has no text in one of the languages.
func New(origin string) (*Catalog, error) {
	c := &Catalog{origin: origin, table: Table(), byLang: map[string]texts{}}
	for _, lang := range schemas.Languages() {
		data, err := locales.ReadFile("locale/" + lang + ".json")
		if err != nil {
			return nil, fmt.Errorf("problem texts: %w", err)
		}
		var t texts
		if err := json.Unmarshal(data, &t); err != nil {
			return nil, fmt.Errorf("problem texts %s: %w", lang, err)
		}
		for _, code := range c.Codes() {
			if text := t.Problems[code]; text.Title == "" || text.Detail == "" || text.Action == "" {
				return nil, fmt.Errorf("problem texts %s: %q is incomplete", lang, code)
			}
		}
		c.byLang[lang] = t
	}
	return c, nil
}

// Codes returns every code once, in the order of the table.
func (c *Catalog) Codes() []string {
	var codes []string
	for _, e := range append(c.table, Entry{Code: internalCode}) {
		if !slices.Contains(codes, e.Code) {
			codes = append(codes, e.Code)
		}
	}
	return codes
}

// Text returns the words for code in lang, and false for a code that is not in the table.
func (c *Catalog) Text(lang, code string) (Text, bool) {
	t, ok := c.words(lang).Problems[code]
	return t, ok
}

func (c *Catalog) words(lang string) texts {
	if t, ok := c.byLang[lang]; ok {
		return t
	}
	return c.byLang[schemas.LanguageEnglish]
}

// Lookup returns the first line of the table that err wraps, and the line for 500 where none does.
func (c *Catalog) Lookup(err error) Entry {
	for _, e := range c.table {
		if errors.Is(err, e.Err) {
			return e
		}
	}
	return Entry{Status: http.StatusInternalServerError, Code: internalCode}
}

// Document returns the problem document for err. instance is the request's id.
func (c *Catalog) Document(err error, lang, instance string) Document {
	e := c.Lookup(err)
	text := c.words(lang).Problems[e.Code]
	d := Document{Type: c.typeOf(e), Title: text.Title, Status: e.Status, Detail: text.Detail + spaceIn(lang) + text.Action, Code: e.Code}
	if known, ok := errors.AsType[typed](err); ok {
		d.Type = known.problemType
	}
	if instance != "" {
		d.Instance = "urn:request:" + instance
	}
	if e.Status < http.StatusInternalServerError {
		d.Errors = c.fields(err, lang)
	}
	return d
}

// Status returns the HTTP status of code, 500 for one that is not in the table.
func (c *Catalog) Status(code string) int {
	for _, e := range c.table {
		if e.Code == code {
			return e.Status
		}
	}
	return http.StatusInternalServerError
}

// Type returns the URL of the problem type with the given code.
func (c *Catalog) Type(code string) string {
	for _, e := range c.table {
		if e.Code == code {
			return c.typeOf(e)
		}
	}
	return c.typeOf(Entry{Code: code})
}

func (c *Catalog) typeOf(e Entry) string {
	if e.Type != "" {
		return e.Type
	}
	return c.origin + "/problems/" + e.Code
}

// fields lists the faulty values that err names.
func (c *Catalog) fields(err error, lang string) []Field {
	words := c.words(lang)
	var out []Field
	if refused, ok := errors.AsType[*evidence.RefusedError](err); ok {
		for _, issue := range refused.Issues.List[:min(len(refused.Issues.List), maxFields)] {
			out = append(out, c.line(issue, words))
		}
	}
	line := 0
	if at, ok := errors.AsType[*training.LineError](err); ok {
		line = at.Line
	}
	for _, fe := range fieldErrors(err, nil) {
		entry := c.Lookup(fe)
		if entry.Status >= http.StatusInternalServerError {
			entry = c.Lookup(schemas.ErrMalformed)
		}
		out = append(out, Field{Pointer: fe.Pointer, Line: line, Type: c.typeOf(entry), Detail: expected(fe.Expected, words)})
		if len(out) == maxFields {
			break
		}
	}
	return out
}

// line names one bad line of evidence.
func (c *Catalog) line(issue evidence.Issue, words texts) Field {
	pointer := issue.Field
	if pointer != "" && !strings.HasPrefix(pointer, "/") {
		pointer = "/" + pointer
	}
	return Field{Pointer: pointer, Line: issue.Line, Type: typeMalformed, Detail: expected(issue.Expected, words)}
}

// expected says what would have been right, in the language of words where it is known there.
func expected(what string, words texts) string {
	if what == "" {
		return words.Fields["bad"]
	}
	if translated, ok := words.Expected[what]; ok {
		what = translated
	}
	return strings.ReplaceAll(words.Fields["expected"], "{expected}", what)
}

// fieldErrors collects the field errors in the tree of err, outermost first.
func fieldErrors(err error, found []*schemas.FieldError) []*schemas.FieldError {
	switch e := err.(type) { //nolint:errorlint // walks the tree itself, to find all and not only the first
	case nil:
		return found
	case *schemas.FieldError:
		return append(found, e)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = fieldErrors(inner, found)
		}
		return found
	case interface{ Unwrap() error }:
		return fieldErrors(e.Unwrap(), found)
	}
	return found
}

// Write answers err as a problem document and returns the status it sent.
func (c *Catalog) Write(w http.ResponseWriter, err error, lang, instance string) int {
	d := c.Document(err, lang, instance)
	c.headers(w, err, d.Status)
	w.Header().Set("Content-Language", lang)
	w.Header().Add("Vary", "Accept-Language")
	writeJSON(w, MediaType, d.Status, d)
	return d.Status
}

// Headers sets the headers that an answer to err carries in any form and returns its status; the caller writes the body.
func (c *Catalog) Headers(w http.ResponseWriter, err error) int {
	status := c.Lookup(err).Status
	c.headers(w, err, status)
	return status
}

// headers sets what every answer to err carries, in either dialect.
func (c *Catalog) headers(w http.ResponseWriter, err error, status int) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	var r retry
	if errors.As(err, &r) {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(r.after.Seconds())))))
	} else if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int((5 * time.Second).Seconds())))
	}
	var ch challenge
	if errors.As(err, &ch) {
		h.Set("WWW-Authenticate", ch.value)
	} else if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="heartmark"`)
	}
}

func writeJSON(w http.ResponseWriter, mediaType string, status int, v any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the client may be gone; there is nobody left to tell
}

// spaceIn is what separates two sentences: Chinese sets none.
func spaceIn(lang string) string {
	if lang == schemas.LanguageChinese {
		return ""
	}
	return " "
}
