package registry

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest name in runes.
const maxName = 100

// nameFlags checks a grant's name and DID and returns the flags of the record. It returns ErrConfusable for a name that
// mixes scripts or has characters that cannot be seen, and for one that looks like another entity's unless the grant
// accepts that.
func (r *Registry) nameFlags(ctx context.Context, g Grant) ([]string, error) {
	if err := checkName(g.Name); err != nil {
		return nil, named("/name", err)
	}
	var flags []string
	if strings.Contains(strings.ToLower(g.Entity), "xn--") {
		flags = append(flags, FlagPunycode)
	}
	similar, err := r.similarName(ctx, g.Entity, g.Name)
	if err != nil {
		return nil, err
	}
	if similar != "" {
		if !g.AcceptSimilarName {
			return nil, refuse("/name", "a name that does not look like that of "+similar, ErrConfusable)
		}
		flags = append(flags, FlagSimilarName)
	}
	return flags, nil
}

// similarName returns another entity whose name looks like name, or "".
func (r *Registry) similarName(ctx context.Context, entity, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	want := skeleton(name)
	for after := ""; ; {
		entities, err := r.c.Store.Entities(ctx, after, maxPage)
		if err != nil {
			return "", err
		}
		for _, other := range entities {
			if other == entity {
				continue
			}
			records, err := r.c.Store.Authorities(ctx, other)
			if err != nil {
				return "", err
			}
			for _, rec := range records {
				if rec.Name != "" && skeleton(rec.Name) == want {
					return other, nil
				}
			}
		}
		if len(entities) < maxPage {
			return "", nil
		}
		after = entities[len(entities)-1]
	}
}

// checkName refuses what cannot be seen and words that mix scripts which look alike. Chinese beside Latin is usual and
// allowed.
func checkName(name string) error {
	if n := len([]rune(name)); n > maxName {
		return fmt.Errorf("name of %d characters: %w", n, ErrInvalid)
	}
	if name != strings.TrimSpace(name) || name != norm.NFC.String(name) {
		return fmt.Errorf("name with space around it or not in Unicode form C: %w", ErrInvalid)
	}
	for _, c := range name {
		if c != ' ' && !unicode.IsGraphic(c) || unicode.Is(unicode.Cf, c) || c != ' ' && unicode.IsSpace(c) || unicode.Is(unicode.Co, c) {
			return fmt.Errorf("name has the character %U: %w", c, ErrConfusable)
		}
	}
	for _, word := range strings.FieldsFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsMark(c) }) {
		if alike := lookalikeScripts(word); alike > 1 {
			return fmt.Errorf("word %q mixes scripts: %w", word, ErrConfusable)
		}
	}
	return nil
}

// lookalikeScripts counts the scripts of a word among those whose letters look like each other's.
func lookalikeScripts(word string) int {
	n := 0
	scripts := []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic}
	for _, script := range scripts {
		if strings.ContainsFunc(word, func(c rune) bool { return unicode.Is(script, c) }) {
			n++
		}
	}
	return n
}

// lookalike maps lower-case letters and digits to the Latin letter that they look like.
func lookalike(c rune) rune {
	const (
		from = "аеорсухіјѕһԁԛԝьвкмнтαονρτυκιβχγ01|!5$8"
		to   = "aeopcyxijshdqwbbkmhtaovptukibxyolllssb"
	)
	if i := strings.IndexRune(from, c); i >= 0 {
		return rune(to[len([]rune(from[:i]))])
	}
	return c
}

// skeleton returns a form in which names that look alike are equal.
func skeleton(name string) string {
	decomposed := norm.NFKD.String(strings.ToLower(name))
	out := strings.Map(func(c rune) rune {
		if unicode.IsMark(c) || unicode.IsSpace(c) || unicode.IsPunct(c) && c != '!' {
			return -1
		}
		return lookalike(c)
	}, decomposed)
	// i and l are one stroke in many fonts, and rn is m.
	return strings.NewReplacer("rn", "m", "vv", "w", "i", "l").Replace(out)
}

var (
	mailAddress = regexp.MustCompile(`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+`)
	phoneNumber = regexp.MustCompile(`(^|[^\p{L}\p{N}.:/-])\+?[0-9]{2,4}[ -]?[0-9]{3,4}[ -][0-9]{4}($|[^\p{N}])`)
	idNumber    = regexp.MustCompile(
		`(^|[^\p{L}\p{N}])[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]($|[^\p{L}\p{N}])`)
)

// checkPersonal refuses a text with a mail address, a telephone number or a Chinese identity number in it.
func checkPersonal(text string) error {
	switch {
	case mailAddress.MatchString(text):
		return fmt.Errorf("text has a mail address: %w", ErrPersonalData)
	case phoneNumber.MatchString(text), strings.Contains(strings.ToLower(text), "tel:+"):
		return fmt.Errorf("text has a telephone number: %w", ErrPersonalData)
	case idNumber.MatchString(text):
		return fmt.Errorf("text has an identity number: %w", ErrPersonalData)
	}
	return nil
}
