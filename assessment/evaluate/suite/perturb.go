package suite

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// perturbation is one way in which people write the same thing differently.
type perturbation struct {
	name string
	// change rewrites a text of a language ("en" or "zh"). It returns the text as it is where there is nothing to change.
	change func(rng *rand.Rand, lang, s string) string
	moved  float64 // largest mean |change of P| (assessment design, section 10)
	flips  float64 // largest share of flipped labels
	// needsEmoji is set for what does nothing to a text without emoji.
	needsEmoji bool
}

// perturbations are those of the assessment design, section 10, "Robustness".
func perturbations() []perturbation {
	const moved, flips = 0.05, 0.03
	return []perturbation{
		{"typo", typo, moved, 0.08, false},
		{"case", letterCase, moved, flips, false},
		{"emoji added", addEmoji, moved, flips, false},
		{"emoji removed", removeEmoji, moved, flips, true},
		{"look-alikes", lookAlikes, 0.08, 0.10, false},
		{"extra spaces", extraSpaces, moved, flips, false},
		{"elongation", elongate, moved, flips, false},
		{"traditional Chinese", traditional, moved, flips, false},
	}
}

const (
	wordsATypo    = 8  // one word in eight
	charsATypo    = 13 // of Chinese: eight words of 1.6 characters
	wordsALook    = 4
	charsALook    = 8
	charsASpace   = 8
	longestDrawl  = 5 // further letters of a drawn-out vowel
	shortestDrawl = 2
)

// some draws one in every of n things, at least one, in rising order.
func some(rng *rand.Rand, from []int, n, every int) []int {
	count := min(len(from), max(1, (n+every/2)/every))
	picked := slices.Clone(from)
	rng.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	picked = picked[:count]
	slices.Sort(picked)
	return picked
}

// inWords rewrites one word in every, of those that fit.
func inWords(rng *rand.Rand, s string, every int, fits func(string) bool, change func(string) string) string {
	words := strings.Split(s, " ")
	var able []int
	total := 0
	for i, w := range words {
		if w == "" {
			continue
		}
		total++
		if fits(w) {
			able = append(able, i)
		}
	}
	for _, i := range some(rng, able, total, every) {
		words[i] = change(words[i])
	}
	return strings.Join(words, " ")
}

// inCharacters rewrites one Chinese character in every, of those that fit.
func inCharacters(rng *rand.Rand, s string, every int, fits func(rune) bool, change func(rune) string) string {
	runes := []rune(s)
	var able []int
	total := 0
	for i, r := range runes {
		if unicode.Is(unicode.Han, r) {
			total++
			if fits(r) {
				able = append(able, i)
			}
		}
	}
	picked := some(rng, able, total, every)
	var b strings.Builder
	for i, r := range runes {
		if _, here := slices.BinarySearch(picked, i); here {
			b.WriteString(change(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain reports whether a word is ASCII letters, with punctuation around them, of at least n letters.
func plain(word string, n int) bool {
	letters := 0
	for _, r := range word {
		switch {
		case r > unicode.MaxASCII, r == '<', r == '@', r == '/':
			return false
		case unicode.IsLetter(r):
			letters++
		}
	}
	return letters >= n
}

// typo slips on the keyboard in one word in eight: a neighbouring key, a letter dropped, doubled or swapped with the next.
// In Chinese an input method offers a homophone, or a key is hit twice.
func typo(rng *rand.Rand, lang, s string) string {
	if lang == "zh" {
		same := pairsOf(homophones)
		changed := inCharacters(rng, s, charsATypo, func(r rune) bool { return same[r] != 0 }, func(r rune) string { return string(same[r]) })
		if changed != s {
			return changed
		}
		return inCharacters(rng, s, charsATypo, func(rune) bool { return true }, func(r rune) string { return string([]rune{r, r}) })
	}
	return inWords(rng, s, wordsATypo, func(w string) bool { return plain(w, 3) }, func(w string) string { return slip(rng, w) })
}

// slip makes one typing error in a word, not at its first letter.
func slip(rng *rand.Rand, word string) string {
	letters := []byte(word)
	var at []int
	for i := 1; i < len(letters); i++ {
		if isLetter(letters[i]) && isLetter(letters[i-1]) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return word
	}
	i := at[rng.IntN(len(at))]
	switch rng.IntN(4) {
	case 0:
		near := neighbours(letters[i] | 0x20)
		letters[i] = near[rng.IntN(len(near))]
	case 1:
		return string(slices.Delete(letters, i, i+1))
	case 2:
		return string(slices.Insert(letters, i, letters[i]))
	default:
		letters[i-1], letters[i] = letters[i], letters[i-1]
	}
	return string(letters)
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// neighbours are the keys beside a letter on a keyboard.
func neighbours(letter byte) string {
	for _, row := range []string{"qwertyuiop", "asdfghjkl", "zxcvbnm"} {
		if i := strings.IndexByte(row, letter); i >= 0 {
			return row[max(0, i-1):i] + row[i+1:min(len(row), i+2)]
		}
	}
	return string(letter)
}

// letterCase writes all in capitals, all small, or every word with a capital. Chinese has no case.
func letterCase(rng *rand.Rand, lang, s string) string {
	if lang == "zh" {
		return s
	}
	forms := []string{strings.ToUpper(s), strings.ToLower(s), inWords(rng, s, 1, func(string) bool { return true }, capital)}
	forms = slices.DeleteFunc(forms, func(f string) bool { return f == s })
	if len(forms) == 0 {
		return s
	}
	return forms[rng.IntN(len(forms))]
}

func capital(word string) string {
	r, size := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(r)) + word[size:]
}

// addEmoji puts an emoji without a mood of its own before or behind the text.
func addEmoji(rng *rand.Rand, _, s string) string {
	neutral := []string{"🌿", "📎", "🔹", "🍃", "📌", "🪴", "🗒️", "🧭", "🔸", "🪵"}
	e := neutral[rng.IntN(len(neutral))]
	if rng.IntN(3) == 0 {
		return e + " " + s
	}
	return s + " " + e
}

// removeEmoji takes the emoji out. Texts without, and those that are nothing else, stay.
func removeEmoji(_ *rand.Rand, _, s string) string {
	if !strings.ContainsFunc(s, isEmoji) {
		return s
	}
	without := strings.Map(func(r rune) rune {
		if isEmoji(r) || r == '\ufe0f' || r == '\u200d' {
			return -1
		}
		return r
	}, s)
	if !strings.ContainsFunc(without, unicode.IsLetter) {
		return s
	}
	return strings.TrimSpace(without)
}

// isEmoji covers the pictures and their skin tones; digits and typographic signs are text.
func isEmoji(r rune) bool {
	return r >= 0x1f300 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf || r >= 0x1f1e6 && r <= 0x1f1ff
}

// lookAlikes writes one word in four with a letter of another script, or with a digit or sign in its place; in Chinese one
// character in eight as one that is drawn nearly the same, as scanned and disguised text has them.
func lookAlikes(rng *rand.Rand, lang, s string) string {
	if lang == "zh" {
		alike := pairsOf(alikeCharacters)
		return inCharacters(rng, s, charsALook, func(r rune) bool { return alike[r] != 0 }, func(r rune) string { return string(alike[r]) })
	}
	foreign, signs := pairsOf(alikeLetters), pairsOf(alikeSigns)
	return inWords(rng, s, wordsALook, func(w string) bool { return plain(w, 3) }, func(w string) string {
		table := foreign
		if rng.IntN(3) == 0 {
			table = signs
		}
		runes := []rune(w)
		var at []int
		for i, r := range runes {
			if table[r] != 0 {
				at = append(at, i)
			}
		}
		if len(at) > 0 {
			i := at[rng.IntN(len(at))]
			runes[i] = table[runes[i]]
		}
		return string(runes)
	})
}

// extraSpaces widens one gap in three, and sets off one Chinese character in eight.
func extraSpaces(rng *rand.Rand, lang, s string) string {
	if lang == "zh" {
		return inCharacters(rng, s, charsASpace, func(rune) bool { return true }, func(r rune) string { return string(r) + " " })
	}
	words := strings.Split(s, " ")
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", 1+rng.IntN(3)/2*(1+rng.IntN(2))))
		}
		b.WriteString(w)
	}
	return " " + b.String() + "  "
}

// elongate draws out the last vowel of one word in eight; in Chinese a particle, or the last character.
func elongate(rng *rand.Rand, lang, s string) string {
	more := shortestDrawl + rng.IntN(longestDrawl-shortestDrawl+1)
	if lang == "zh" {
		drawl := func(r rune) string { return strings.Repeat(string(r), 1+more) }
		if strings.ContainsAny(s, particles) {
			return inCharacters(rng, s, charsATypo, func(r rune) bool { return strings.ContainsRune(particles, r) }, drawl)
		}
		last := strings.LastIndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
		if last < 0 {
			return s
		}
		r, size := utf8.DecodeRuneInString(s[last:])
		return s[:last] + drawl(r) + s[last+size:]
	}
	const vowels = "aeiouAEIOU"
	return inWords(rng, s, wordsATypo, func(w string) bool { return plain(w, 2) && strings.ContainsAny(w, vowels) }, func(w string) string {
		i := strings.LastIndexAny(w, vowels)
		return w[:i] + strings.Repeat(w[i:i+1], 1+more) + w[i+1:]
	})
}

// traditional writes simplified Chinese in traditional characters.
func traditional(_ *rand.Rand, lang, s string) string {
	if lang != "zh" {
		return s
	}
	table := pairsOf(simplifiedTraditional)
	return strings.Map(func(r rune) rune {
		if to := table[r]; to != 0 {
			return to
		}
		return r
	}, s)
}

// pairsOf reads "ab cd" as a to b and c to d.
func pairsOf(list string) map[rune]rune {
	table := map[rune]rune{}
	for _, pair := range strings.Fields(list) {
		r := []rune(pair)
		table[r[0]] = r[1]
	}
	return table
}
