package evidence

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Masks that stand for what was scrubbed.
const (
	maskURL    = "<URL>"
	maskEmail  = "<EMAIL>"
	maskPhone  = "<PHONE>"
	maskHandle = "<HANDLE>"
	maskCard   = "<CARD>"
	maskID     = "<ID>"
	maskIP     = "<IP>"
	maskGeo    = "<GEO>"
	maskName   = "<NAME>"
)

var (
	reURL    = regexp.MustCompile(`(?i)\b(?:https?|ftp)://[^\s<>"'，。！？）】]+|\bwww\.[^\s<>"'，。！？）】]+`)
	reEmail  = regexp.MustCompile(`[\pL\pN._%+\-]+(?:@|＠)[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+`)
	reHandle = regexp.MustCompile(`(^|[^\pL\pN_])[@＠][\pL\pN_][\pL\pN_.\-]{0,63}`)
	reDigits = regexp.MustCompile(`\d[\d \-]{10,28}\d`)
	reID     = regexp.MustCompile(`\d{17}[\dXx]`)
	reIPv4   = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}`)
	reIPv6   = regexp.MustCompile(`(?i)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}`)
	reGeo    = regexp.MustCompile(`[-+]?\d{1,3}\.\d{3,}(?:\s*°)?(?:\s*[NSns]\b)?\s*[,，]\s*[-+]?\d{1,3}\.\d{3,}(?:\s*°)?(?:\s*[EWew]\b)?`)
	rePhone  = regexp.MustCompile(`(?:\+|00)?\(?\d[\d\-\s().]{5,18}\d`)
)

// Scrubber masks contact data, numbers that identify, coordinates and names. The zero value knows no names.
type Scrubber struct {
	latin  map[string]bool // names of one to four words; lower case when matched without regard to case
	han    map[string]bool
	maxHan int
}

// NewScrubber returns a Scrubber that also masks the names of roster. Latin names match as whole words: full names in
// any case, single short words only as spelt, so that a person called Will does not take the verb out of every text.
func NewScrubber(roster []string) *Scrubber {
	s := &Scrubber{latin: map[string]bool{}, han: map[string]bool{}}
	for _, name := range roster {
		name = strings.Join(strings.Fields(name), " ")
		if !hasLetter(name) {
			continue
		}
		if hasHan(name) {
			if n := utf8.RuneCountInString(name); n >= 2 && n <= 12 {
				s.han[name] = true
				s.maxHan = max(s.maxHan, n)
			}
			continue
		}
		words := strings.Split(name, " ")
		if len(name) < 3 || len(words) > 4 {
			continue
		}
		if len(words) > 1 {
			s.latin[strings.ToLower(name)] = true
		}
		for _, w := range words {
			if len(w) >= 3 {
				s.latin[w] = true
				if len(w) >= 6 {
					s.latin[strings.ToLower(w)] = true
				}
			}
		}
	}
	return s
}

func hasLetter(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// Scrub returns text with every match replaced by its mask.
func (s *Scrubber) Scrub(text string) string {
	if strings.ContainsAny(text, "0123456789@＠:.") {
		text = scrubPatterns(text)
	}
	if s == nil || len(s.latin)+len(s.han) == 0 {
		return text
	}
	return s.names(text)
}

// scrubPatterns goes from the most to the least specific, so that a card number is not half masked as a telephone.
func scrubPatterns(text string) string {
	// The cheap look first: most messages hold none of this.
	if strings.Contains(text, "://") || strings.Contains(strings.ToLower(text), "www.") {
		text = reURL.ReplaceAllString(text, maskURL)
	}
	if strings.ContainsAny(text, "@＠") {
		text = reEmail.ReplaceAllString(text, maskEmail)
		text = reHandle.ReplaceAllString(text, "${1}"+maskHandle)
	}
	if strings.Count(text, ":") > 1 {
		text = reIPv6.ReplaceAllStringFunc(text, maskIfIP)
	}
	if !strings.ContainsAny(text, "0123456789") {
		return text
	}
	text = reGeo.ReplaceAllString(text, maskGeo)
	text = reIPv4.ReplaceAllStringFunc(text, maskIfIP)
	text = reID.ReplaceAllStringFunc(text, func(m string) string {
		if chineseID(m) {
			return maskID
		}
		return m
	})
	text = reDigits.ReplaceAllStringFunc(text, func(m string) string {
		if d := onlyDigits(m); len(d) >= 12 && len(d) <= 19 && luhn(d) {
			return maskCard
		}
		return m
	})
	return rePhone.ReplaceAllStringFunc(text, func(m string) string {
		if isPhone(m) {
			return maskPhone
		}
		return m
	})
}

func maskIfIP(m string) string {
	if _, err := netip.ParseAddr(m); err != nil {
		return m
	}
	return maskIP
}

// dates and amounts look like telephone numbers; these shapes are left alone.
var reDate = regexp.MustCompile(`^(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|^\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d$`)

func isPhone(m string) bool {
	d := onlyDigits(m)
	if len(d) < 7 || len(d) > 15 || reDate.MatchString(m) {
		return false
	}
	if strings.HasPrefix(m, "+") || strings.ContainsAny(m, "-()") {
		return true
	}
	return len(d) >= 10 || len(d) == 8 && strings.Contains(m, " ") || len(d) == 7 && strings.Contains(m, " ")
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// luhn checks the check digit of ISO/IEC 7812-1, annex B.
func luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// chineseID checks an 18-digit citizen number (GB 11643): birth date and check digit (ISO 7064, MOD 11-2).
func chineseID(s string) bool {
	month, day := s[10:12], s[12:14]
	if s[6:8] < "18" || s[6:8] > "20" || month < "01" || month > "12" || day < "01" || day > "31" {
		return false
	}
	sum, weight := 0, 1
	for i := 17; i >= 0; i-- {
		n := 10
		if c := s[i]; c >= '0' && c <= '9' {
			n = int(c - '0')
		}
		sum += n * weight
		weight = weight * 2 % 11
	}
	return sum%11 == 1
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// names masks roster names in one pass.
func (s *Scrubber) names(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if n := s.hanAt(text[i:]); n > 0 {
			b.WriteString(maskName)
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if !isWordRune(r) || unicode.Is(unicode.Han, r) {
			b.WriteString(text[i : i+size])
			i += size
			continue
		}
		if n := s.latinAt(text[i:]); n > 0 {
			b.WriteString(maskName)
			i += n
			continue
		}
		n := wordLen(text[i:])
		b.WriteString(text[i : i+n])
		i += n
	}
	return b.String()
}

func (s *Scrubber) hanAt(text string) int {
	best, count := 0, 0
	for i, r := range text {
		if count >= s.maxHan {
			break
		}
		count++
		end := i + utf8.RuneLen(r)
		if r == utf8.RuneError {
			end = i + 1
		}
		if count >= 2 && s.han[text[:min(end, len(text))]] {
			best = min(end, len(text))
		}
	}
	return best
}

// wordLen is the length of the word at the start of text; at least 1.
func wordLen(text string) int {
	for i, r := range text {
		if !isWordRune(r) || unicode.Is(unicode.Han, r) {
			return max(i, 1)
		}
	}
	return len(text)
}

// latinAt returns the length of the longest roster name of up to four words at the start of text.
func (s *Scrubber) latinAt(text string) int {
	best, end := 0, 0
	for range 4 {
		n := wordLen(text[end:])
		end += n
		if candidate := text[:end]; s.latin[candidate] || s.latin[strings.ToLower(candidate)] {
			best = end
		}
		if end >= len(text) || text[end] != ' ' {
			break
		}
		end++
		if end >= len(text) {
			break
		}
		if r, _ := utf8.DecodeRuneInString(text[end:]); !isWordRune(r) || unicode.Is(unicode.Han, r) {
			break
		}
	}
	return best
}
