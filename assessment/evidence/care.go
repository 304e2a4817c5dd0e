package evidence

import (
	"regexp"
	"strings"
)

// care matches words of self-harm or of a threat to life. A hit only takes the message out of scoring and quoting and
// puts the help text before the subject; it never lowers a score, so it may err on the side of matching.
var care = regexp.MustCompile(`(?i)\b(kill(ing)? (myself|yourself|you|him|her|them)|suicid(e|al)|end (my|your) (own )?life|` +
	`(want|going|ready) to die|better off dead|self[- ]harm(ing)?|(cut|hurt)(ting)? myself|` +
	`take my own life|don'?t want to (live|be alive)( any ?more)?|no reason to live)\b|` +
	`不想活|自杀|自殺|自残|自殘|轻生|輕生|结束(自己的)?生命|結束(自己的)?生命|活不下去|想死(?:[^你您]|$)|杀了(你|他|她|我自己)|殺了(你|他|她|我自己)|弄死(你|他|她)`)

// needsCare reports whether text matches care, after a cheap look for the words that any match holds.
func needsCare(text string) bool {
	lower := strings.ToLower(text)
	for _, word := range []string{"kill", "suicid", "life", "die", "dead", "harm", "myself", "live", "活", "杀", "殺", "残", "殘", "轻", "輕", "生命", "死"} {
		if strings.Contains(lower, word) {
			return care.MatchString(text)
		}
	}
	return false
}

// NeedsCare reports whether a text speaks of harm to oneself or to others, so that whoever wrote it is shown where help is
// before anything else. It may err on the side of saying so.
func NeedsCare(text string) bool { return needsCare(text) }
