package text

import (
	"strings"
	"sync"
	"unicode"
)

// pairTable reads "ab cd" as a to b, c to d, once and on first use.
func pairTable(list string) func() map[rune]rune {
	return sync.OnceValue(func() map[rune]rune {
		table := make(map[rune]rune)
		for _, pair := range strings.Fields(list) {
			r := []rune(pair)
			table[r[0]] = r[1]
		}
		return table
	})
}

// latinLookAlikes are Cyrillic and Greek letters that are drawn like a Latin one.
var latinLookAlikes = pairTable("аa вb сc ԁd еe ёe ғf һh нh іi їi јj кk ӏl мm пn оo рp ԛq гr ѕs тt цu ѵv шw ԝw хx уy АA ВB СC ЕE НH " +
	"ІI ЈJ КK МM ОO РP ЅS ТT УY ХX ԜW ԚQ αa βb εe ηn ιi κk νv οo ρp τt υu χx ωw γy ΑA ΒB ΕE ΖZ ΗH ΙI ΚK " +
	"ΜM ΝN ΟO ΡP ΤT ΥY ΧX ıi ɡg ɑa ʟl ɪi ")

// cyrillicLookAlikes go the other way, for words that are mostly Cyrillic.
var cyrillicLookAlikes = pairTable("aа cс eе oо pр xх yу kк iі sѕ jј AА BВ CС EЕ HН KК MМ OО PР TТ XХ YУ ")

// foldLookAlikes rewrites words that mix Latin with Cyrillic or Greek letters into the majority script of the text
// (Latin on a tie). Words of one script stay as they are.
func foldLookAlikes(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		_, known := latinLookAlikes()[r]
		return known
	}) {
		return s
	}
	runes := []rune(s)
	latin, other := countLatin(runes)
	table := latinLookAlikes()
	if other > latin {
		table = cyrillicLookAlikes()
	}
	for start := 0; start < len(runes); {
		if !unicode.IsLetter(runes[start]) {
			start++
			continue
		}
		end := start + 1
		for end < len(runes) && unicode.In(runes[end], unicode.L, unicode.M) {
			end++
		}
		latin, other := countLatin(runes[start:end])
		for i := start; i < end; i++ {
			_, odd := latinLookAlikes()[runes[i]]
			odd = odd && unicode.Is(unicode.Latin, runes[i]) // such as the dotless i
			if to, known := table[runes[i]]; known && (latin > 0 && other > 0 || odd) {
				runes[i] = to
			}
		}
		start = end
	}
	return string(runes)
}

func countLatin(runes []rune) (latin, other int) {
	for _, r := range runes {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.In(r, unicode.Cyrillic, unicode.Greek):
			other++
		}
	}
	return latin, other
}

// leetLetters are the digits and signs that stand for letters in disguised words.
var leetLetters = pairTable("0o 1i 3e 4a 5s 7t 8b @a $s !i +t ")

// foldDisguises reads leetspeak and spaced-out letters as words: "1d10t" and "i d i o t" become "idiot", "傻*逼" becomes
// "傻逼". It is used for the second view of the hostility heads only, since it also joins letters that were meant apart.
func foldDisguises(s string) string {
	return joinSpaced(foldLeet(s))
}

func foldLeet(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { _, known := leetLetters()[r]; return known }) {
		return s
	}
	fields := strings.Split(s, " ")
	for i, field := range fields {
		if disguised(field) {
			fields[i] = strings.Map(func(r rune) rune {
				if to, known := leetLetters()[r]; known {
					return to
				}
				return r
			}, strings.TrimRight(field, "!.?,"))
		}
	}
	return strings.Join(fields, " ")
}

// disguised tells whether a word has a digit or sign in the place of a letter: one before a letter, in a word that is
// not a plain number with a unit ("12th", "3x").
func disguised(word string) bool {
	letters, inner := 0, 0
	runes := []rune(strings.TrimRight(word, "!.?,"))
	for i, r := range runes {
		if r > unicode.MaxASCII {
			return false
		}
		if unicode.IsLetter(r) {
			letters++
			continue
		}
		_, known := leetLetters()[r]
		if !known && r != '*' && r != '\'' {
			return false
		}
		if known && i < len(runes)-1 && unicode.IsLetter(runes[i+1]) && (i > 0 || len(runes) > 3) {
			inner++
		}
	}
	return letters >= 2 && inner > 0 && !unicode.IsDigit(runes[0]) || letters >= 2 && inner > 1
}

// joinSpaced joins runs of three or more single letters, and of two or more single ideographs, that stand apart by one
// space or sign.
func joinSpaced(s string) string {
	runes := []rune(s)
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(runes); {
		end, letters := spacedRun(runes, i)
		if end == i {
			b.WriteRune(runes[i])
			i++
			continue
		}
		for _, r := range letters {
			b.WriteRune(r)
		}
		i = end
	}
	return b.String()
}

// spacedRun returns the end of the spaced-out word at i and its letters, or i itself when there is none.
func spacedRun(runes []rune, i int) (int, []rune) {
	if i > 0 && wordRune(runes[i-1]) && !unicode.Is(unicode.Han, runes[i]) {
		return i, nil
	}
	han := unicode.Is(unicode.Han, runes[i])
	if !han && !unicode.IsLetter(runes[i]) {
		return i, nil
	}
	letters := []rune{runes[i]}
	end := i + 1
	for end+1 < len(runes) && separator(runes[end], han) && unicode.IsLetter(runes[end+1]) &&
		unicode.Is(unicode.Han, runes[end+1]) == han {
		if after := end + 2; !han && after < len(runes) && wordRune(runes[after]) {
			break
		}
		letters = append(letters, runes[end+1])
		end += 2
	}
	if len(letters) < 3 && (!han || len(letters) != 2) {
		return i, nil
	}
	return end, letters
}

func separator(r rune, han bool) bool {
	if han {
		return strings.ContainsRune("*._-·/|", r)
	}
	return strings.ContainsRune(" *._-·/|", r)
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
