package sdjwt

import (
	"fmt"
	"strings"
)

// Present returns the token with the chosen disclosures alone, without key binding. Each pointer is that of a disclosure
// in t.Claims; the disclosures in which it lies come with it, those that lie in it do not. It returns ErrPointer for a
// pointer that is none of a disclosure.
func (t Token) Present(pointers ...string) (string, error) {
	at := make(map[string]int, len(t.Disclosures))
	for i, d := range t.Disclosures {
		at[d.Pointer] = i
	}
	chosen := make([]bool, len(t.Disclosures))
	for _, p := range pointers {
		i, found := at[p]
		if !found {
			return "", fmt.Errorf("%q: %w", p, ErrPointer)
		}
		for ; i >= 0; i = t.Disclosures[i].parent {
			chosen[i] = true
		}
	}
	var b strings.Builder
	issuerSigned, _, _ := strings.Cut(t.presented, "~")
	b.WriteString(issuerSigned)
	b.WriteByte('~')
	for i, d := range t.Disclosures {
		if chosen[i] {
			b.WriteString(d.encoded)
			b.WriteByte('~')
		}
	}
	return b.String(), nil
}
