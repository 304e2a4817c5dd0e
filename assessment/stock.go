package assessment

import (
	"strings"

	"heartmark/assessment/text"
)

// stock is the sentences that a person has used so far. A phrase that somebody says to everybody shows nothing the second
// time, however warm it is: what is new in a message is scored, and a message of stock phrases alone weighs as a copy does.
type stock map[uint64]int // uses by hash of the sentence

// minStock is the letters from which a sentence counts as a phrase of its own; an ideograph counts twice. Shorter ones
// ("ok", "thanks") are the small change of talk.
const minStock = 8

// take returns what of a message is new, and counts its sentences as used. Where nothing is new it returns the whole
// message and how often the least used of its sentences was used before; else uses is 0.
func (s stock) take(message string) (said string, uses int) {
	var fresh []string
	least := 0
	keys := map[uint64]bool{}
	for _, sentence := range text.Sentences(message) {
		words := text.SentenceKey(sentence)
		if letters(words) < minStock {
			fresh = append(fresh, sentence)
			continue
		}
		key := hashRunes([]rune(words))
		keys[key] = true
		if used := s[key]; used == 0 {
			fresh = append(fresh, sentence)
		} else if least == 0 || used < least {
			least = used
		}
	}
	for key := range keys {
		s[key]++
	}
	if least == 0 {
		return message, 0
	}
	said = strings.TrimSpace(strings.Join(fresh, ""))
	if letters(text.SentenceKey(said)) < minStock {
		return message, least
	}
	return said, 0
}
