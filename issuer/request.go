package issuer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"heartmark/schemas"
)

// Request asks for one credential for one holder key.
type Request struct {
	Tenant        string
	Configuration string
	ReportID      string
	// HolderID is the holder's DID. The caller has proof that the holder controls it.
	HolderID string
	// IdempotencyKey makes the request repeatable: the same key and the same request give the same credential. It may
	// be "": then each call is a new request.
	IdempotencyKey string
	// Language is that of the credential's texts; "" means English.
	Language string
	// Audience says for whom the credential is meant; it must lie within what the subject agreed to. Empty means all of
	// that.
	Audience []string
	// NoSources leaves out platforms and batch digests, at the holder's wish.
	NoSources bool
}

// Purposes in a consent receipt that bear on issuing.
const (
	consentIssue     = "issue"
	consentAutomated = "automated"
)

const (
	maxID       = 256
	maxHolder   = 2048
	maxAudience = 20
)

// invalid returns ErrInvalid with the member at fault.
func invalid(pointer, expected string) error {
	return fmt.Errorf("%w: %w", ErrInvalid, &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed})
}

// check refuses what cannot be a request, before anything is looked up.
func (r *Request) check() error {
	if r.Tenant != "" && !plain(r.Tenant, maxID) {
		return invalid("/tenant", "a tenant's name")
	}
	if !plain(r.Configuration, maxID) {
		return invalid("/configuration", "the id of a credential configuration")
	}
	if !plain(r.ReportID, maxID) {
		return invalid("/report", "the id of a report")
	}
	if !isDID(r.HolderID) {
		return invalid("/subject/id", "a DID")
	}
	if r.IdempotencyKey != "" && !plain(r.IdempotencyKey, maxID) {
		return invalid("/idempotency_key", "up to 256 printable characters")
	}
	if r.Language == "" {
		r.Language = schemas.LanguageEnglish
	}
	lang, ok := schemas.ParseLanguage(r.Language)
	if !ok {
		return invalid("/language", "a tag of English or Chinese")
	}
	r.Language = lang
	if len(r.Audience) > maxAudience {
		return invalid("/audience", "at most 20 entries")
	}
	for i, a := range r.Audience {
		if !plain(a, maxID) {
			return invalid(fmt.Sprintf("/audience/%d", i), "up to 256 printable characters")
		}
	}
	return nil
}

// plain reports whether s is printable, not empty and not too long.
func plain(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// isDID reports whether s is a DID (DID Core 1.0, 3.1), not a DID URL.
func isDID(s string) bool {
	rest, ok := strings.CutPrefix(s, "did:")
	if !ok || len(s) > maxHolder {
		return false
	}
	method, id, ok := strings.Cut(rest, ":")
	if !ok || method == "" || id == "" || strings.HasSuffix(id, ":") {
		return false
	}
	if strings.ContainsFunc(method, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == ':':
		case c == '%' && i+2 < len(id) && isHex(id[i+1]) && isHex(id[i+2]):
		default:
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f'
}

// digest is the SHA-256 of all that decides what is issued, in hex.
func (r *Request) digest() string {
	data, err := json.Marshal(struct {
		V, Tenant, Configuration, Report, Holder, Language string
		Audience                                           []string
		NoSources                                          bool
	}{"heartmark/request/v1", r.Tenant, r.Configuration, r.ReportID, r.HolderID, r.Language, r.Audience, r.NoSources})
	if err != nil {
		panic("issuer: request has no JSON form: " + err.Error())
	}
	return hexDigest(data)
}

// key is the SHA-256 of the idempotency key in hex, "" for none.
func (r *Request) key() string {
	if r.IdempotencyKey == "" {
		return ""
	}
	return hexDigest([]byte("heartmark/idempotency/v1\x00" + r.IdempotencyKey))
}

func hexDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// holderRef is the digest that stands for the holder in an intent.
func (r *Request) holderRef() string {
	return hexDigest([]byte("heartmark/holder/v1\x00" + r.Tenant + "\x00" + r.HolderID))
}

// period is the validity of what is prepared at the instant at.
func (c Configuration) period(at time.Time) (from, until time.Time) {
	from = at.UTC().Truncate(time.Second)
	return from, from.Add(c.Validity)
}
