package schemas

import (
	"net/url"
	"regexp"
	"strings"
)

// urlForm is a scheme and something after it, with the characters that RFC 3986 allows.
var urlForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+$`)

// IsURL reports whether s is an absolute URL as VC Data Model 2.0 uses the word: http(s) with a host, a DID, a URN, or
// any other scheme with a body, in the characters of RFC 3986.
func IsURL(s string) bool {
	if len(s) > 4096 || !urlForm.MatchString(s) {
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
