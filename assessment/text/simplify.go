package text

import (
	_ "embed"
	"strings"
	"sync"
)

// t2sTable has one pair a line: a traditional character and the simplified one for it. It is made from the character
// dictionary of OpenCC (Apache-2.0, see NOTICE) by assessment/model/train/tables.py.
//
//go:embed tables/t2s.txt
var t2sTable string

// simplified reads the table once; the map is never written afterwards.
var simplified = sync.OnceValue(func() map[rune]rune {
	pairs := make(map[rune]rune, 4200)
	for line := range strings.Lines(t2sTable) {
		runes := []rune(strings.TrimSuffix(line, "\n"))
		if len(runes) == 2 {
			pairs[runes[0]] = runes[1]
		}
	}
	return pairs
})

// simplify maps traditional Chinese characters to simplified ones, one by one.
func simplify(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	pairs := simplified()
	return strings.Map(func(r rune) rune {
		if to, known := pairs[r]; known {
			return to
		}
		return r
	}, s)
}
