package baseline

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The first byte of a term says which block of the vector it belongs to; terms are sorted, so that blocks are contiguous.
const (
	blockCharacters = 'c'
	blockWords      = 'w'
	blockContext    = 'x'
)

// fold is the one view of a text that terms are made of: NFKC, lower case, broken UTF-8 replaced.
func fold(text string) []rune {
	return []rune(strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(text, "\uFFFD"))))
}

// wordRune reports whether r joins with its neighbours to a word. Chinese has no spaces between words, so each Han
// character stands alone, and so does each Japanese kana; marks stay with the letter before them.
func wordRune(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == '_') && !alone(r)
}

func alone(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// words splits folded text into words (runs of letters and digits, apostrophes inside them kept), single Han characters
// and single signs; punctuation and emoji carry feeling, so they are words of their own. The slices share text.
func words(text []rune) [][]rune {
	var out [][]rune
	for i := 0; i < len(text); {
		switch r := text[i]; {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			i++
		case wordRune(r):
			end := i + 1
			for end < len(text) && (wordRune(text[end]) || apostrophe(text, end)) {
				end++
			}
			out = append(out, text[i:end])
			i = end
		default:
			out = append(out, text[i:i+1])
			i++
		}
	}
	return out
}

// apostrophe reports whether text[at] is an apostrophe between two word characters, as in don't.
func apostrophe(text []rune, at int) bool {
	return (text[at] == '\'' || text[at] == '’') && at+1 < len(text) && wordRune(text[at+1])
}

// eachWordGram calls emit with every run of 1 to most words as a term of block; emit must not keep the bytes.
func eachWordGram(text []rune, block byte, most int, buf []byte, emit func([]byte)) []byte {
	all := words(text)
	for i := range all {
		buf = append(buf[:0], block)
		for n := 0; n < most && i+n < len(all); n++ {
			if n > 0 {
				buf = append(buf, ' ')
			}
			for _, r := range all[i+n] {
				if r == '’' {
					r = '\''
				}
				buf = utf8.AppendRune(buf, r)
			}
			emit(buf)
		}
	}
	return buf
}

// eachCharacterGram calls emit with every run of 1 to most characters that stays between two spaces; a space at either
// end marks the border of the word. A Chinese clause is one such run, so its n-grams do the work of words.
func eachCharacterGram(text []rune, most int, buf []byte, emit func([]byte)) []byte {
	for i := 0; i < len(text); {
		if unicode.IsSpace(text[i]) {
			i++
			continue
		}
		end := i
		for end < len(text) && !unicode.IsSpace(text[end]) {
			end++
		}
		buf = eachGramOf(text[i:end], most, buf, emit)
		i = end
	}
	return buf
}

// eachGramOf calls emit with the n-grams of one run, with the border marks at the positions -1 and len(run).
func eachGramOf(run []rune, most int, buf []byte, emit func([]byte)) []byte {
	for start := -1; start < len(run); start++ {
		buf = append(buf[:0], blockCharacters)
		for at := start; at < start+most && at <= len(run); at++ {
			if at < 0 || at == len(run) {
				buf = append(buf, ' ')
			} else {
				buf = utf8.AppendRune(buf, run[at])
			}
			if len(buf) > 2 || buf[len(buf)-1] != ' ' { // the border alone says nothing
				emit(buf)
			}
		}
	}
	return buf
}
