package rdfc

import (
	"strings"
	"testing"
)

// appendPlainly is appendQuoted as the Recommendation says it, byte by byte.
func appendPlainly(value string) string {
	var b strings.Builder
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strings.ContainsRune("\b\t\n\f\r", r):
			b.WriteByte('\\')
			b.WriteByte("btn-fr"[r-'\b'])
		case r < 0x20 || r == 0x7F:
			b.WriteString("\\u00" + string(upperHex[r>>4]) + string(upperHex[r&0xF]))
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

func TestAppendQuotedAtEveryPlace(t *testing.T) {
	t.Parallel()
	specials := []string{"ä", "\u0080", "\u00ff", "评", "😀"}
	for c := range 0x80 {
		specials = append(specials, string(rune(c)))
	}
	for _, special := range specials {
		for length := range 19 {
			for at := range length + 1 {
				value := strings.Repeat("a", at) + special + strings.Repeat("~", length-at)
				if got, want := string(appendQuoted(nil, value)), appendPlainly(value); got != want {
					t.Fatalf("appendQuoted(%q) = %s, want %s", value, got, want)
				}
				value += special
				if got, want := string(appendQuoted(nil, value)), appendPlainly(value); got != want {
					t.Fatalf("appendQuoted(%q) = %s, want %s", value, got, want)
				}
			}
		}
	}
}
