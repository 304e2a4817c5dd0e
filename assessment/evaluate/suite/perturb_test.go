package suite_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"heartmark/assessment/evaluate/suite"
	"heartmark/assessment/text"
)

const (
	englishLine = "I am so sorry to hear that, how are you holding up today after such a long and lonely week?"
	chineseLine = "听到这个消息我真的很难过，你现在还好吗？说说看发生了什么事，我们一起想想办法吧。"
)

func change(t *testing.T, name, lang, s string, seed uint64) string {
	t.Helper()
	for _, p := range suite.Perturbations() {
		if p.Name == name {
			return p.Change(rand.New(rand.NewPCG(seed, 2)), lang, s)
		}
	}
	t.Fatalf("no perturbation %q", name)
	return ""
}

// differing counts the places at which two lists differ.
func differing[T comparable](a, b []T) int {
	n := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// cutRuns keeps one of each run of a character.
func cutRuns(s string) string { return string(slices.Compact([]rune(s))) }

func TestPerturbations(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		got := func(name, lang, s string) string {
			first, again := change(t, name, lang, s, seed), change(t, name, lang, s, seed)
			if first != again {
				t.Errorf("%s: not the same twice: %q and %q", name, first, again)
			}
			if first == s {
				t.Errorf("%s leaves %q as it is", name, s)
			}
			return first
		}
		fields := strings.Fields(englishLine)
		if s := got("typo", "en", englishLine); len(strings.Fields(s)) != len(fields) || differing(strings.Fields(s), fields) > 3 {
			t.Errorf("typo: %q: want at most 3 of %d words changed", s, len(fields))
		}
		if s := got("typo", "zh", chineseLine); differing([]rune(s), []rune(chineseLine)) > 3 || len([]rune(s)) != len([]rune(chineseLine)) {
			t.Errorf("typo: %q: want at most 3 characters changed", s)
		}
		if s := got("case", "en", englishLine); !strings.EqualFold(s, englishLine) {
			t.Errorf("case: %q", s)
		}
		if s := change(t, "emoji removed", "en", got("emoji added", "en", englishLine), seed); s != englishLine {
			t.Errorf("emoji added and removed: %q", s)
		}
		if s := got("look-alikes", "en", englishLine); len([]rune(s)) != len([]rune(englishLine)) || differing(strings.Fields(s), fields) > 5 {
			t.Errorf("look-alikes: %q: want one letter in at most 5 of %d words changed", s, len(fields))
		}
		got("look-alikes", "zh", chineseLine)
		if s := got("extra spaces", "en", englishLine); !slices.Equal(strings.Fields(s), fields) {
			t.Errorf("extra spaces: %q", s)
		}
		if s := got("extra spaces", "zh", chineseLine); strings.ReplaceAll(s, " ", "") != chineseLine {
			t.Errorf("extra spaces: %q", s)
		}
		for lang, line := range map[string]string{"en": englishLine, "zh": chineseLine} {
			if s := got("elongation", lang, line); cutRuns(s) != cutRuns(line) || len(s) <= len(line) {
				t.Errorf("elongation: %q", s)
			}
		}
		if s := got("traditional Chinese", "zh", chineseLine); text.Clean(s).Text != text.Clean(chineseLine).Text {
			t.Errorf("traditional Chinese: %q reads %q, want %q", s, text.Clean(s).Text, text.Clean(chineseLine).Text)
		}
	}
}

func TestPerturbationsLeaveWhatTheyCannotChange(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"case": chineseLine, "traditional Chinese": "人口", "emoji removed": "🙂🙂", "typo": "<URL> https://a.b/c ok", "look-alikes": "123 456",
	} {
		lang := "en"
		if name == "case" || name == "traditional Chinese" {
			lang = "zh"
		}
		if got := change(t, name, lang, s, 1); got != s {
			t.Errorf("%s of %q: %q, want no change", name, s, got)
		}
	}
}

// The table is not the one of the product: what it writes must be read as the same word all the same.
func TestTraditionalCharactersAreRead(t *testing.T) {
	t.Parallel()
	pairs := suite.TraditionalPairs()
	if len(pairs) < 300 {
		t.Fatalf("%d pairs, want the characters of everyday talk", len(pairs))
	}
	for simple, full := range pairs {
		if simple == '着' {
			continue // 著 is a simplified character too; it stays as it is, and talk is read with it
		}
		if got := text.Clean(string(full)).Text; got != string(simple) {
			t.Errorf("%c is read as %s, want %c", full, got, simple)
		}
	}
}
