package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxRun is the longest run of one character that the model view keeps. Of a Latin letter no word has three: see straighten.
const MaxRun = 3

// Cleaned is the model view of one text.
type Cleaned struct {
	// Text is the model view; empty when nothing but quotes, white space or invisible characters was there.
	Text string
	// Folded is Text with leetspeak and spaced-out letters read as words, and with what is said to the scorer. It equals Text for almost every message. The
	// hostility heads read both and the higher value counts.
	Folded string
	// Repaired tells that broken UTF-8 or control characters were replaced or dropped.
	Repaired bool
	// RepairedShare is the share of code points that Repaired is about. Over 0.1 a message is not scored.
	RepairedShare float64
	// Quoted tells that a quoted block was removed.
	Quoted bool
	// Wordless tells that Text has no letter and no ideograph: punctuation, digits, emoji or a placeholder alone.
	Wordless bool
}

// Clean makes the model view of s. It accepts any bytes.
func Clean(s string) Cleaned {
	s, broken := repair(s)
	var c Cleaned
	total := utf8.RuneCountInString(s)
	s = norm.NFKC.String(s)
	s, controls := dropInvisible(s)
	if broken += controls; broken > 0 && total > 0 {
		c.Repaired = true
		c.RepairedShare = min(1, float64(broken)/float64(total))
	}
	s, c.Quoted = dropQuotes(s)
	s = foldLookAlikes(s)
	s = simplify(s)
	c.Wordless = wordless(s) // placeholders are known by their capitals
	s = joinIdeographs(strings.Map(unicode.ToLower, s))
	s = strings.TrimSpace(dropRepeats(cutRuns(s)))
	c.Text = strings.TrimSpace(dropAppeals(s))
	c.Folded = foldDisguises(s) // an insult does not hide behind a word to the scorer
	return c
}

// repair replaces every broken byte by U+FFFD and counts them.
func repair(s string) (string, int) {
	if utf8.ValidString(s) {
		return s, 0
	}
	var b strings.Builder
	broken := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			broken++
		}
		b.WriteRune(r)
		i += size
	}
	return b.String(), broken
}

// dropInvisible removes control, format, private-use, surrogate and unassigned code points. Tab and line feed stay, so
// do the emoji selector and the joiner between two symbols. Only control characters count as repairs: format characters
// are part of ordinary typing in many scripts.
func dropInvisible(s string) (string, int) {
	clean := true
	for _, r := range s {
		if !visible(r) {
			clean = false
			break
		}
	}
	if clean {
		return s, 0
	}
	runes := []rune(s)
	var b strings.Builder
	b.Grow(len(s))
	controls := 0
	for i, r := range runes {
		switch {
		case r == joiner:
			if i > 0 && i < len(runes)-1 && unicode.In(runes[i-1], unicode.S, unicode.M) && runes[i+1] > 0x2100 {
				b.WriteRune(r)
			}
		case visible(r):
			b.WriteRune(r)
		case r < 0x20 && r != '\r' || r == 0x7f:
			controls++
		}
	}
	return b.String(), controls
}

const (
	joiner        = '\u200d'
	emojiSelector = '\ufe0f'
)

func visible(r rune) bool {
	if r < 0x7f {
		return r >= 0x20 || r == '\t' || r == '\n'
	}
	if r == joiner {
		return false // decided with its neighbours
	}
	return r == emojiSelector || unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

// dropQuotes removes what the message quotes: lines that begin with "> " or ">>", everything after ">>> ", and the
// corner-bracket block over a dashed line that Chinese messengers write above a reply.
func dropQuotes(s string) (string, bool) {
	if strings.HasPrefix(s, "「") {
		if _, reply, found := strings.Cut(s, "」\n"); found {
			line, rest, _ := strings.Cut(reply, "\n")
			if len(line) >= 5 && strings.Trim(line, "- —") == "" {
				return rest, true
			}
		}
	}
	if !strings.Contains(s, ">") {
		return s, false
	}
	lines := strings.Split(s, "\n")
	kept := lines[:0]
	quoted := false
	for _, line := range lines {
		start := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(start, ">>> ") {
			quoted = true
			break
		}
		if strings.HasPrefix(start, "> ") || strings.HasPrefix(start, ">>") || start == ">" {
			quoted = true
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n"), quoted
}

// cutRuns cuts runs of one character to what a reader needs: !!!!!! is !!!, and sooooo is so.
func cutRuns(s string) string {
	run := 0
	var last rune = -1
	return strings.Map(func(r rune) rune {
		if r != last {
			last, run = r, 0
		}
		run++
		if run > MaxRun {
			return -1
		}
		return r
	}, straighten(s))
}

// spacedIdeographs is how many ideographs, each apart from the next by one space, are read as spaced out. Fewer are words
// or clauses of one character.
const spacedIdeographs = 4

// joinIdeographs takes the spaces out of ideographs that are spaced out one by one.
func joinIdeographs(s string) string {
	runes := []rune(s)
	if strings.Count(s, " ") < spacedIdeographs-1 {
		return s
	}
	out := runes[:0]
	for i := 0; i < len(runes); {
		end := i
		for ideograph(runes, end) && (end == i || runes[end-1] == ' ') {
			end += 2
		}
		if (end-i)/2 < spacedIdeographs {
			out = append(out, runes[i])
			i++
			continue
		}
		for ; i < end; i += 2 {
			out = append(out, runes[i])
		}
		i-- // the space or character after the last one stays
	}
	return string(out)
}

// ideograph tells whether runes[i] is one of the common block.
func ideograph(runes []rune, i int) bool {
	return i < len(runes) && runes[i] >= 0x4e00 && runes[i] <= 0x9fff
}

// wordless tells whether s says nothing in words. A placeholder such as <URL> does not count as a word.
func wordless(s string) bool {
	inside := false
	for i, r := range s {
		switch {
		case r == '<':
			if end := strings.IndexByte(s[i:], '>'); end > 1 && s[i+1:i+end] == strings.ToUpper(s[i+1:i+end]) {
				inside = true
			}
		case inside:
			inside = r != '>'
		case unicode.IsLetter(r):
			return false
		}
	}
	return true
}
