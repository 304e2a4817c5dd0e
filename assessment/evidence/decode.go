package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"heartmark/schemas"
)

// raw is one event as read, before resolution.
type raw struct {
	line                        int
	kind, id, platform, actor   string
	ts                          time.Time
	conversation, text, replyTo string
	to                          []string
	lang, channel               string
	scene                       Scene
	role, prompt                string
	flags                       []string
	target, symbol, policy      string
	purposes                    []string
	adult                       bool
	expires                     time.Time
	unknown                     int
	name                        string // display name of the actor, from exports
}

// fields reads members of one object and remembers the first fault.
type fields struct {
	m     map[string]any
	seen  int
	issue *Issue
	base  string
}

func (f *fields) fail(name, code, expected string) {
	if f.issue == nil {
		f.issue = &Issue{Field: f.base + "/" + name, Code: code, Expected: expected}
	}
}

// str reads a string of min to max characters; an absent one is a fault only when min > 0.
func (f *fields) str(name string, minLen, maxLen int) string {
	v, ok := f.m[name]
	if !ok {
		if minLen > 0 {
			f.fail(name, CodeMissing, fmt.Sprintf("a string of %d to %d characters", minLen, maxLen))
		}
		return ""
	}
	f.seen++
	s, ok := v.(string)
	if !ok {
		f.fail(name, CodeType, "a string")
		return ""
	}
	n := utf8.RuneCountInString(s)
	if n < minLen {
		f.fail(name, CodeValue, fmt.Sprintf("a string of %d to %d characters", minLen, maxLen))
	}
	if n > maxLen {
		f.fail(name, CodeTooLong, fmt.Sprintf("at most %d characters", maxLen))
	}
	return s
}

func (f *fields) enum(name string, allowed ...string) string {
	s := f.str(name, 0, 64)
	if s != "" && !slices.Contains(allowed, s) {
		f.fail(name, CodeValue, "one of "+strings.Join(allowed, ", "))
	}
	return s
}

func (f *fields) list(name string, maxItems, maxLen int) []string {
	v, ok := f.m[name]
	if !ok {
		return nil
	}
	f.seen++
	items, ok := v.([]any)
	if !ok || len(items) > maxItems {
		f.fail(name, CodeType, fmt.Sprintf("a list of at most %d strings", maxItems))
		return nil
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := item.(string)
		if !ok || s == "" || utf8.RuneCountInString(s) > maxLen {
			f.fail(name, CodeType, fmt.Sprintf("strings of 1 to %d characters", maxLen))
			return nil
		}
		out = append(out, s)
	}
	return out
}

func (f *fields) enums(name string, allowed ...string) []string {
	out := f.list(name, len(allowed), 64)
	for _, s := range out {
		if !slices.Contains(allowed, s) {
			f.fail(name, CodeValue, "any of "+strings.Join(allowed, ", "))
		}
	}
	return out
}

const tsExpected = "a time of RFC 3339 with offset, such as 2026-03-01T09:00:00Z"

func (f *fields) time(name string, required bool) time.Time {
	v, ok := f.m[name]
	if !ok {
		if required {
			f.fail(name, CodeMissing, tsExpected)
		}
		return time.Time{}
	}
	f.seen++
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		f.fail(name, CodeTime, tsExpected)
		return time.Time{}
	}
	return t.UTC()
}

var (
	sceneKinds = []string{"social", "work", "class", "game", "event", "support", "market", "assessment", "other"}
	roles      = []string{"member", "host", "moderator", "trainer", "npc", "bot"}
	purposes   = []string{"process", "score", "issue", "automated", "research", "report"}
	flagNames  = []string{"pasted", "macro", "translated", "quoted", "in_character"}
)

// decodeLine reads one line of the project's own format. The issue names the field; it has no line number yet.
func decodeLine(line []byte) (raw, *Issue) {
	m, err := schemas.ParseObject(line)
	if err != nil {
		return raw{}, parseIssue(err)
	}
	f := &fields{m: m}
	var e raw
	v, ok := m["v"]
	switch n, isNumber := v.(json.Number); {
	case !ok:
		f.fail("v", CodeMissing, "the number 1")
	case !isNumber || n != "1":
		f.fail("v", CodeVersion, "the number 1")
	}
	f.seen++
	e.kind = f.str("type", 1, 64)
	e.id = f.str("id", 1, 128)
	e.ts = f.time("ts", true)
	e.platform = f.str("platform", 1, 64)
	e.actor = f.str("actor", 1, 128)
	e.lang = f.str("lang", 0, 35)
	switch e.kind {
	case TypeMessage:
		f.message(&e)
	case TypeReaction:
		e.target = f.str("target", 1, 128)
		e.symbol = f.str("symbol", 1, 64)
	case TypeEdit:
		e.target = f.str("target", 1, 128)
		e.text = f.text()
	case TypeDelete:
		e.target = f.str("target", 1, 128)
	case TypeConsent:
		f.consent(&e)
	case TypeWithdraw:
	default:
		f.fail("type", CodeUnknownType, "one of message, reaction, edit, delete, consent, withdraw")
	}
	e.unknown = len(m) - f.seen
	return e, f.issue
}

func parseIssue(err error) *Issue {
	issue := &Issue{Code: CodeMalformed, Expected: "one JSON object"}
	var fe *schemas.FieldError
	if errors.As(err, &fe) {
		issue.Field = fe.Pointer
		if fe.Expected != "" {
			issue.Expected = fe.Expected
		}
	}
	return issue
}

func (f *fields) text() string {
	if _, ok := f.m["text"]; !ok {
		f.fail("text", CodeMissing, "a string of at most 8000 characters")
		return ""
	}
	return f.str("text", 0, 8000)
}

func (f *fields) message(e *raw) {
	e.conversation = f.str("conversation", 1, 256)
	e.text = f.text()
	e.replyTo = f.str("reply_to", 0, 128)
	e.to = f.list("to", 64, 128)
	e.channel = f.enum("channel", "text", "voice_transcript")
	e.role = f.enum("role", roles...)
	e.prompt = f.str("prompt", 0, 64)
	e.flags = f.enums("flags", flagNames...)
	v, ok := f.m["scene"]
	if !ok {
		return
	}
	f.seen++
	m, ok := v.(map[string]any)
	if !ok {
		f.fail("scene", CodeType, "an object with id and kind")
		return
	}
	s := &fields{m: m, base: "/scene"}
	e.scene.ID = s.str("id", 1, 128)
	if _, ok := m["kind"]; !ok {
		s.fail("kind", CodeMissing, "one of "+strings.Join(sceneKinds, ", "))
	}
	e.scene.Kind = s.enum("kind", sceneKinds...)
	if f.issue == nil {
		f.issue = s.issue
	}
}

func (f *fields) consent(e *raw) {
	e.purposes = f.enums("purposes", purposes...)
	if len(e.purposes) == 0 {
		f.fail("purposes", CodeMissing, "a list of what the actor agreed to")
	}
	v, ok := f.m["adult"]
	if ok {
		f.seen++
	}
	adult, isBool := v.(bool)
	switch {
	case !ok || isBool && !adult:
		f.fail("adult", CodeUnderage, "true: the actor's word to be 18 or older")
	case !isBool:
		f.fail("adult", CodeType, "true")
	}
	e.adult = adult
	e.policy = f.str("policy", 1, 64)
	e.expires = f.time("expires", true)
}
