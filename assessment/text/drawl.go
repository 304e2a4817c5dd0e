package text

import (
	_ "embed"
	"strings"
	"sync"
)

// doubledTable has the English words with a doubled letter, one a line, as assessment/model/train/tables.py counts them.
//
//go:embed tables/doubled.txt
var doubledTable string

var doubled = sync.OnceValue(func() map[string]bool {
	words := make(map[string]bool, 2200)
	for word := range strings.Lines(doubledTable) {
		words[strings.TrimSuffix(word, "\n")] = true
	}
	return words
})

// drawl is the least run of one small Latin letter that no spelling has.
const drawl = 3

// straighten spells drawn-out words of small Latin letters as they are spelt elsewhere: sooo is so, goood is good.
func straighten(s string) string {
	if !drawnOut(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		end := i
		for end < len(s) && smallLetter(s[end]) {
			end++
		}
		if end == i {
			b.WriteByte(s[i])
			i++
			continue
		}
		b.WriteString(spelling(s[i:end]))
		i = end
	}
	return b.String()
}

// spelling writes each run of three letters or more once, or one of them twice where that is a word. A word of one letter
// alone keeps two.
func spelling(word string) string {
	if !drawnOut(word) {
		return word
	}
	once := make([]byte, 0, len(word))
	var drawn []int // places in once
	for i := 0; i < len(word); {
		end := i
		for end < len(word) && word[end] == word[i] {
			end++
		}
		switch {
		case end-i == len(word):
			return word[:2]
		case end-i >= drawl:
			drawn = append(drawn, len(once))
			once = append(once, word[i])
		default:
			once = append(once, word[i:end]...)
		}
		i = end
	}
	for _, at := range drawn {
		if twice := string(once[:at+1]) + string(once[at:]); doubled()[twice] {
			return twice
		}
	}
	return string(once)
}

func drawnOut(s string) bool {
	run := 1
	for i := 1; i < len(s); i++ {
		if s[i] != s[i-1] || !smallLetter(s[i]) {
			run = 1
			continue
		}
		if run++; run == drawl {
			return true
		}
	}
	return false
}

func smallLetter(b byte) bool { return 'a' <= b && b <= 'z' }
