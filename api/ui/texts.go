package ui

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"heartmark/schemas"
)

//go:embed locale/en.json locale/zh.json
var localeFiles embed.FS

// words are the texts of one language by key.
type words struct {
	lang string
	text map[string]string
}

func loadWords(lang string) (words, error) {
	data, err := localeFiles.ReadFile("locale/" + lang + ".json")
	if err != nil {
		return words{}, fmt.Errorf("page texts: %w", err)
	}
	w := words{lang: lang}
	if err := json.Unmarshal(data, &w.text); err != nil {
		return words{}, fmt.Errorf("page texts %s: %w", lang, err)
	}
	return w, nil
}

// get returns the text of key; templates fail on a key that does not exist.
func (w words) get(key string) (string, error) {
	text, ok := w.text[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, w.lang)
	}
	return text, nil
}

// or returns the text of key, and that of other where there is none.
func (w words) or(key, other string) string {
	if text, ok := w.text[key]; ok {
		return text
	}
	return w.text[other]
}

// has reports whether there is a text.
func (w words) has(key string) bool { _, ok := w.text[key]; return ok }

// day writes a date as people of the language read it, in UTC.
func (w words) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if w.lang == schemas.LanguageChinese {
		return t.UTC().Format("2006年1月2日")
	}
	return t.UTC().Format("2 January 2006")
}

// instant writes a date with the time of day, in UTC.
func (w words) instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.day(t) + t.UTC().Format(" 15:04 UTC")
}

// period writes "from – until"; an open end has its own word.
func (w words) period(from, until time.Time) string {
	end := w.text["registry.open"]
	if !until.IsZero() {
		end = w.day(until)
	}
	return w.day(from) + " – " + end
}

// clip shortens a stranger's text and drops characters that steer how the rest is shown.
func clip(s string, longest int) string {
	return clipLines(strings.ReplaceAll(s, "\n", " "), longest)
}

// clipLines is clip for text of several lines.
func clipLines(s string, longest int) string {
	var b strings.Builder
	left := longest
	for _, r := range s {
		switch {
		case r != '\n' && r < ' ' || r == 0x7f, r >= 0x80 && r < 0xa0, // controls
			r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069, r == 0xfeff: // invisible, direction
			continue
		}
		if left--; left < 0 {
			return b.String() + "…"
		}
		b.WriteRune(r)
	}
	return b.String()
}
