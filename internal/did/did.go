package did

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Errors that Resolve, Parse and Document.Method return.
var (
	// ErrInvalid says that a DID or its document is malformed or contradicts itself (DID resolution: invalidDid).
	ErrInvalid = errors.New("invalid DID or DID document")
	// ErrNotFound says that there is no document for the DID (notFound).
	ErrNotFound = errors.New("DID not found")
	// ErrMethodNotSupported says that the DID's method is none of key, jwk and web (methodNotSupported).
	ErrMethodNotSupported = errors.New("DID method not supported")
	// ErrUnavailable says that the document could not be fetched now; ask again later.
	ErrUnavailable = errors.New("DID document unavailable")
	// ErrOffline says that an answer would have needed the network and the caller did not allow it.
	ErrOffline = errors.New("DID document is not at hand and the network was not allowed")
	// ErrMethodNotFound says that the document has no such verification method with a usable key.
	ErrMethodNotFound = errors.New("verification method not found")
	// ErrPurpose says that the method is not listed for the purpose asked for.
	ErrPurpose = errors.New("verification method is not listed for this purpose")
	// ErrController says that the method belongs to another DID than the document.
	ErrController = errors.New("verification method is controlled by another DID")
)

// maxDID bounds a DID in bytes.
const maxDID = 2048

// DID is a parsed identifier. String gives back exactly what was parsed.
type DID struct {
	Method string // "web", "key", "jwk", …
	ID     string // method-specific part
}

// String returns the DID as it was written.
func (d DID) String() string { return "did:" + d.Method + ":" + d.ID }

// Parse reads a DID by the grammar of DID Core 1.0, 3.1: no path, query or fragment, no surrounding space.
func Parse(s string) (DID, error) {
	if len(s) > maxDID {
		return DID{}, fmt.Errorf("DID of %d bytes: %w", len(s), ErrInvalid)
	}
	rest, ok := strings.CutPrefix(s, "did:")
	if !ok {
		return DID{}, fmt.Errorf("no DID scheme: %w", ErrInvalid)
	}
	method, id, ok := strings.Cut(rest, ":")
	if !ok || method == "" || id == "" || strings.HasSuffix(id, ":") {
		return DID{}, fmt.Errorf("DID is incomplete: %w", ErrInvalid)
	}
	for i := range len(method) {
		if b := method[i]; (b < 'a' || b > 'z') && (b < '0' || b > '9') {
			return DID{}, fmt.Errorf("DID method name is malformed: %w", ErrInvalid)
		}
	}
	for i := 0; i < len(id); i++ {
		switch b := id[i]; {
		case idChar(b), b == ':':
		case b == '%' && i+2 < len(id) && hexDigit(id[i+1]) && hexDigit(id[i+2]):
			i += 2
		default:
			return DID{}, fmt.Errorf("DID holds a character that is not allowed: %w", ErrInvalid)
		}
	}
	return DID{Method: method, ID: id}, nil
}

// SplitURL cuts a DID URL into its DID and its fragment; path and query are refused, since no method here gives them a
// meaning for keys.
func SplitURL(s string) (id, fragment string, err error) {
	base, fragment, ok := strings.Cut(s, "#")
	if !ok || fragment == "" || len(fragment) > maxDID {
		return "", "", fmt.Errorf("DID URL has no fragment: %w", ErrInvalid)
	}
	for i := range len(fragment) {
		if b := fragment[i]; !idChar(b) && !strings.ContainsRune("~!$&'()*+,;=:@/?", rune(b)) {
			return "", "", fmt.Errorf("DID URL fragment is malformed: %w", ErrInvalid)
		}
	}
	d, err := Parse(base)
	if err != nil {
		return "", "", err
	}
	return d.String(), fragment, nil
}

func idChar(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '.' || b == '-' || b == '_'
}

func hexDigit(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'F' || b >= 'a' && b <= 'f'
}

// WebURL returns where the document of a did:web lies (did:web method, "Read"): https, or http for exactly the origins in
// devOrigins. It is stricter than the method: lower-case host names only, no addresses but development origins, a port
// only as %3A and only 443 or above 1023, path segments of plain characters, nothing else escaped.
func WebURL(id string, devOrigins []string) (string, error) {
	d, err := Parse(id)
	if err != nil {
		return "", err
	}
	if d.Method != "web" {
		return "", fmt.Errorf("did:%s is not did:web: %w", d.Method, ErrInvalid)
	}
	parts := strings.Split(d.ID, ":")
	authority, scheme, err := webAuthority(parts[0], devOrigins)
	if err != nil {
		return "", err
	}
	if len(parts) == 1 {
		return scheme + "://" + authority + "/.well-known/did.json", nil
	}
	for _, p := range parts[1:] {
		if p == "" || strings.Trim(p, ".") == "" || strings.Contains(p, "%") {
			return "", fmt.Errorf("did:web path segment is malformed: %w", ErrInvalid)
		}
	}
	return scheme + "://" + authority + "/" + strings.Join(parts[1:], "/") + "/did.json", nil
}

func webAuthority(part string, devOrigins []string) (authority, scheme string, err error) {
	host, port, hasPort := strings.Cut(part, "%3A")
	authority = host
	if hasPort {
		n, err := strconv.Atoi(port)
		if err != nil || strconv.Itoa(n) != port || n < 1 || n > 65535 {
			return "", "", fmt.Errorf("did:web port is malformed: %w", ErrInvalid)
		}
		authority = host + ":" + port
	}
	for _, o := range devOrigins {
		if s, a, ok := strings.Cut(o, "://"); ok && a == authority {
			return authority, s, nil
		}
	}
	if hasPort {
		if n, _ := strconv.Atoi(port); n < 1024 && n != 443 { // parsed above
			return "", "", fmt.Errorf("did:web port %s is not for the web: %w", port, ErrInvalid)
		}
	}
	if err := webHost(host); err != nil {
		return "", "", err
	}
	return authority, "https", nil
}

func webHost(host string) error {
	labels := strings.Split(host, ".")
	if len(host) > 253 || len(labels) < 2 || strings.Contains(host, "%") || host != strings.ToLower(host) {
		return fmt.Errorf("did:web host is not a full lower-case name: %w", ErrInvalid)
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Contains(l, "_") || l[0] == '-' || l[len(l)-1] == '-' {
			return fmt.Errorf("did:web host is malformed: %w", ErrInvalid)
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' {
		return fmt.Errorf("did:web host is an address: %w", ErrInvalid)
	}
	return nil
}

// FromOrigin returns the did:web of an installation at origin (scheme://host[:port]), or of one of its tenants:
// did:web:localhost%3A8080, did:web:registry.example:acme. It is empty when origin or tenant cannot be one.
func FromOrigin(origin, tenant string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil && strings.Contains(u.Hostname(), ":") {
		return "" // brackets have no place in a DID
	}
	id := "did:web:" + strings.ReplaceAll(u.Host, ":", "%3A")
	if tenant != "" {
		id += ":" + tenant
	}
	if _, err := WebURL(id, []string{u.Scheme + "://" + u.Host}); err != nil {
		return ""
	}
	return id
}
