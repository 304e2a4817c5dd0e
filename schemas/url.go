package schemas

import (
	"net/url"
	"strings"
)

// urlForm is a scheme and something after it, with the characters that RFC 3986 allows.
func urlForm(s string) bool {
	scheme := strings.IndexByte(s, ':')
	if scheme <= 0 || scheme+1 == len(s) || !isLetter(s[0]) {
		return false
	}
	for i := 1; i < scheme; i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '+' && c != '.' && c != '-' {
			return false
		}
	}
	for i := scheme + 1; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte("-._~:/?#[]@!$&'()*+,;=%", c) < 0 {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// IsURL reports whether s is an absolute URL as VC Data Model 2.0 uses the word: http(s) with a host, a DID, a URN, or
// any other scheme with a body, in the characters of RFC 3986.
func IsURL(s string) bool {
	if len(s) > 4096 || !urlForm(s) {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != "" && u.Opaque == ""
	case "did":
		parts := strings.SplitN(s, ":", 3)
		return len(parts) == 3 && parts[1] != "" && parts[2] != ""
	case "urn":
		nid, nss, ok := strings.Cut(u.Opaque, ":")
		return ok && nid != "" && nss != ""
	}
	return true
}

// escapePointer writes a member name as a step of a JSON Pointer (RFC 6901, section 3).
func escapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
