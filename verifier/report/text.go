package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"heartmark/schemas"
	"heartmark/verifier"
)

//go:embed locale/*.json
var locales embed.FS

// Languages returns the languages that a Printer writes.
func Languages() []string { return []string{"en", "zh"} }

// texts are the sentences of one language by key.
type texts map[string]string

func load(language string) (texts, error) {
	data, err := locales.ReadFile("locale/" + language + ".json")
	if err != nil {
		return nil, fmt.Errorf("language %q is none of %s", language, strings.Join(Languages(), ", "))
	}
	var t texts
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("texts in %s: %w", language, err)
	}
	return t, nil
}

// Language returns the language asked for, or else that of the environment (LC_ALL, LC_MESSAGES, LANG, the first that is
// set): zh where it begins so, else en.
func Language(asked string, environ []string) string {
	if asked != "" {
		return asked
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		for _, pair := range environ {
			if value, ok := strings.CutPrefix(pair, name+"="); ok && value != "" {
				if strings.HasPrefix(value, "zh") {
					return "zh"
				}
				return "en"
			}
		}
	}
	return "en"
}

// fill puts values into the places of a text, given as name and value in turn. What comes from a document is made
// printable.
func (t texts) fill(key string, pairs ...string) string {
	places := make([]string, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		places[i], places[i+1] = "{"+pairs[i]+"}", Printable(pairs[i+1])
	}
	return strings.NewReplacer(places...).Replace(t[key])
}

// first returns the first text that there is.
func (t texts) first(keys ...string) string {
	for _, key := range keys {
		if text, ok := t[key]; ok {
			return text
		}
	}
	return ""
}

// sentence says how a check came out: in the words of its code, or of its outcome where the code has none of its own.
// Particulars of the case follow in brackets.
func (t texts) sentence(c verifier.Check, details map[string]string) string {
	outcome := string(c.Outcome)
	if c.Outcome == verifier.Skipped || c.Outcome == verifier.NotApplicable {
		outcome = "none"
	}
	keys := []string{"code." + c.Code}
	// Not done is not "there is none": the two families of codes that every check has come with words of their own.
	for _, family := range []string{"_not_checked", "_by_policy"} {
		if strings.HasSuffix(c.Code, family) {
			keys = append(keys, "check"+family)
		}
	}
	out := t.first(append(keys, "check."+string(c.ID)+"."+outcome, "check.other."+outcome)...)
	if particulars, more := strings.CutPrefix(c.Detail, details[c.Code]+": "); more {
		out += " (" + Printable(particulars) + ")"
	}
	return out
}

// name is what a check is called.
func (t texts) name(c verifier.Check) string {
	out := t.first("check."+string(c.ID), "check.other")
	if c.About != "" {
		out += " (" + Printable(c.About) + ")"
	}
	return out
}

// age says a duration in its two largest units.
func (t texts) age(d time.Duration) string {
	minutes := int64(d / time.Minute)
	if minutes < 1 {
		return t["age.now"]
	}
	var parts []string
	for _, unit := range []struct {
		key     string
		minutes int64
	}{{"age.d", 24 * 60}, {"age.h", 60}, {"age.min", 1}} {
		if n := minutes / unit.minutes; n > 0 && len(parts) < 2 {
			parts = append(parts, t.fill(unit.key, "n", fmt.Sprint(n)))
			minutes -= n * unit.minutes
		}
	}
	return strings.Join(parts, " ")
}

// Printable keeps a stranger's text from moving the cursor or adding lines that look like ours.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func formatTime(at time.Time) string { return schemas.FormatTime(at) }
