package text

import (
	"strings"
	"unicode"
)

// minRepeat is how many letters or ideographs a sentence must have for a second one to be dropped: "No. No." stays.
const minRepeat = 4

// dropRepeats keeps the first of sentences that say the same within one message. A phrase sent four times says what it
// says once, and the classifier must not read it as four times as much.
func dropRepeats(s string) string {
	sentences := Sentences(s)
	if len(sentences) < 2 {
		return s
	}
	seen := make(map[string]bool, len(sentences))
	var b strings.Builder
	for _, sentence := range sentences {
		key := SentenceKey(sentence)
		if letters := len([]rune(key)); letters >= minRepeat {
			if seen[key] {
				continue
			}
			seen[key] = true
		}
		b.WriteString(sentence)
	}
	return b.String()
}

// Sentences cuts s after marks that end a sentence, English or Chinese, and after line breaks; the pieces joined are s.
func Sentences(s string) []string {
	var out []string
	from, ended := 0, false
	for i, r := range s {
		end := strings.ContainsRune(".!?。！？\n;；~…", r)
		if ended && !end && !unicode.IsSpace(r) {
			out = append(out, s[from:i])
			from, ended = i, false
		}
		ended = ended || end
	}
	return append(out, s[from:])
}

// SentenceKey is a sentence without case, spaces and signs: equal for sentences that say the same words.
func SentenceKey(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
