// Package words holds the texts that people read on pages, in English and Chinese, by key: a folder a language, a file a
// page, so that two who work on two pages meet in no file. Start at Load. It also writes dates as each language does, and
// cuts a stranger's text down to what may be shown.
package words

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"heartmark/schemas"
)

// Words are the texts of one language by key.
type Words struct {
	// Lang is the language, as schemas.Languages names it.
	Lang string
	text map[string]string
}

// Load reads every file <lang>/*.json of the catalogues. A key that stands twice is an error: one would hide the other.
func Load(lang string, catalogues ...fs.FS) (Words, error) {
	w := Words{Lang: lang, text: map[string]string{}}
	for _, c := range catalogues {
		names, err := fs.Glob(c, lang+"/*.json")
		if err != nil || len(names) == 0 {
			return Words{}, fmt.Errorf("page texts: no file %s/*.json", lang)
		}
		for _, name := range names {
			if err := w.read(c, name); err != nil {
				return Words{}, fmt.Errorf("page texts %s: %w", name, err)
			}
		}
	}
	return w, nil
}

func (w Words) read(c fs.FS, name string) error {
	data, err := fs.ReadFile(c, name)
	if err != nil {
		return err
	}
	var texts map[string]string
	if err := schemas.Decode(data, &texts); err != nil {
		return err
	}
	for key, text := range texts {
		if _, twice := w.text[key]; twice {
			return fmt.Errorf("key %q stands twice", key)
		}
		w.text[key] = text
	}
	return nil
}

// Keys are all keys, in order.
func (w Words) Keys() []string { return slices.Sorted(maps.Keys(w.text)) }

// Get returns the text of key; templates fail on a key that does not exist.
func (w Words) Get(key string) (string, error) {
	text, ok := w.text[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, w.Lang)
	}
	return text, nil
}

// Text returns the text of key, "" where there is none. A test holds that every key in the code exists.
func (w Words) Text(key string) string { return w.text[key] }

// Fill returns the text of key with {name} replaced; pairs are name and value, in turn.
func (w Words) Fill(key string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(w.text[key])
}

// Or returns the text of key, and that of other where there is none.
func (w Words) Or(key, other string) string {
	if text, ok := w.text[key]; ok {
		return text
	}
	return w.text[other]
}

// Has reports whether there is a text.
func (w Words) Has(key string) bool { _, ok := w.text[key]; return ok }

// Day writes a date as people of the language read it, in UTC.
func (w Words) Day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if w.Lang == schemas.LanguageChinese {
		return t.UTC().Format("2006年1月2日")
	}
	return t.UTC().Format("2 January 2006")
}

// Instant writes a date with the time of day, in UTC.
func (w Words) Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return w.Day(t) + t.UTC().Format(" 15:04 UTC")
}

// Clip shortens a stranger's text and drops characters that steer how the rest is shown.
func Clip(s string, longest int) string {
	return ClipLines(strings.ReplaceAll(s, "\n", " "), longest)
}

// ClipLines is Clip for text of several lines.
func ClipLines(s string, longest int) string {
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

// Weekday is the short name of a day of the week.
func (w Words) Weekday(d time.Weekday) string {
	if w.Lang == schemas.LanguageChinese {
		return []string{"日", "一", "二", "三", "四", "五", "六"}[d]
	}
	return d.String()[:2]
}
