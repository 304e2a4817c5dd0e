package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"heartmark/schemas"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Errors of this package.
var (
	// ErrMalformed is returned for what is no compact JWS in its one accepted spelling. Nothing was verified.
	ErrMalformed = errors.New("malformed token")
	// ErrAlgorithm is returned when the header's algorithm is not allowed or is not the key's.
	ErrAlgorithm = errors.New("algorithm is not allowed here")
	// ErrSignature is returned when the signature does not verify with the key.
	ErrSignature = errors.New("signature does not verify")
)

// Algorithms of this package, as alg names them.
const (
	EdDSA = "EdDSA"
	ES256 = "ES256"
	ES384 = "ES384"
)

// Limits of one token.
const (
	MaxTokenBytes  = 256 << 10
	MaxHeaderBytes = 8 << 10
	maxKid         = 4 << 10 // a did:jwk names a whole key
	maxAttestation = 6 << 10 // fits the header
)

// Header is the protected header of a token. Everything in it is a claim of the sender.
type Header struct {
	Alg, Typ, Cty, Kid string
	// JWK is the key that the header brings along, nil where there is none. It gives no trust by itself.
	JWK json.RawMessage
	// HasX5C tells that there is a certificate chain.
	HasX5C bool
	// KeyAttestation is the member key_attestation of OpenID4VCI 1.0, D.1, "" where there is none.
	KeyAttestation string
}

// Token is a parsed token that nobody has verified yet.
type Token struct {
	Header  Header
	Payload []byte
	compact string
	sigLen  int
}

// Parse reads a compact JWS: exactly three parts of canonical base64url, a strict JSON object as header, one of the
// algorithms of this package, no crit, no b64, no URL to fetch a key from. All errors wrap ErrMalformed or
// ErrAlgorithm.
func Parse(compact string) (Token, error) { return ParseUpTo(compact, MaxTokenBytes) }

// ParseUpTo is Parse for a kind of token that has a size limit of its own, in bytes: a status list.
func ParseUpTo(compact string, maxBytes int) (Token, error) {
	if len(compact) > maxBytes {
		return Token{}, fmt.Errorf("%d bytes: %w", len(compact), ErrMalformed)
	}
	// Count before splitting: a flood of separators must not allocate.
	if strings.Count(compact, ".") != 2 {
		return Token{}, fmt.Errorf("expected three parts: %w", ErrMalformed)
	}
	parts := strings.Split(compact, ".")
	if len(parts[0]) > base64.RawURLEncoding.EncodedLen(MaxHeaderBytes) {
		return Token{}, fmt.Errorf("header too long: %w", ErrMalformed)
	}
	var raw [3][]byte
	for i, part := range parts {
		b, err := decodePart(part)
		if err != nil {
			return Token{}, fmt.Errorf("part %d: %w", i+1, err)
		}
		raw[i] = b
	}
	header, err := parseHeader(raw[0])
	if err != nil {
		return Token{}, fmt.Errorf("header: %w", err)
	}
	return Token{Header: header, Payload: raw[1], compact: compact, sigLen: len(raw[2])}, nil
}

// Claims reads the payload as a strict JSON object.
func (t Token) Claims() (map[string]any, error) {
	claims, err := schemas.ParseObject(t.Payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w: %w", ErrMalformed, err)
	}
	return claims, nil
}

// Verify checks the signature with pub. The algorithm is the key's own; a header that names another gives
// ErrAlgorithm, a signature of the wrong length or value ErrSignature.
func (t Token) Verify(pub crypto.PublicKey) error {
	alg, sigLen, err := forKey(pub)
	if err != nil {
		return err
	}
	if t.Header.Alg != alg.String() {
		return fmt.Errorf("header says %s, the key is for %s: %w", t.Header.Alg, alg, ErrAlgorithm)
	}
	if t.sigLen != sigLen {
		return fmt.Errorf("signature of %d bytes: %w", t.sigLen, ErrSignature)
	}
	if _, err := jws.Verify([]byte(t.compact), jws.WithKey(alg, pub), jws.WithCompact()); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// Algorithm returns the algorithm of a public key, and ErrAlgorithm for a key of another kind than this package takes.
func Algorithm(pub crypto.PublicKey) (string, error) {
	alg, _, err := forKey(pub)
	return alg.String(), err
}

func forKey(pub crypto.PublicKey) (jwa.SignatureAlgorithm, int, error) {
	switch k := pub.(type) {
	case ed25519.PublicKey:
		// A key of another length makes the library panic.
		if len(k) == ed25519.PublicKeySize {
			return jwa.EdDSA, ed25519.SignatureSize, nil
		}
	case *ecdsa.PublicKey:
		if k == nil {
			break
		}
		switch k.Curve {
		case elliptic.P256():
			return jwa.ES256, 64, nil
		case elliptic.P384():
			return jwa.ES384, 96, nil
		}
	}
	return "", 0, fmt.Errorf("key of type %T: %w", pub, ErrAlgorithm)
}

// decodePart decodes canonical base64url: no padding, no line breaks, unused bits zero, not empty.
func decodePart(s string) ([]byte, error) {
	// The standard decoder skips CR and LF.
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("not base64url: %w", ErrMalformed)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("not base64url: %w", ErrMalformed)
	}
	return b, nil
}

// known are the header members whose odd-case twins are refused.
func known() []string {
	return []string{"alg", "typ", "cty", "kid", "jwk", "x5c", "crit", "b64", "zip", "jku", "x5u", "x5t", "x5t#S256", "enc", "key_attestation"}
}

func parseHeader(raw []byte) (Header, error) {
	m, err := schemas.ParseObject(raw)
	if err != nil {
		return Header{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for name := range m {
		lower := strings.ToLower(name)
		if name != lower && name != "x5t#S256" && slices.ContainsFunc(known(), func(k string) bool { return strings.EqualFold(k, name) }) {
			return Header{}, fmt.Errorf("member %q: %w", name, ErrMalformed)
		}
		switch name {
		case "crit", "b64", "zip", "enc", "jku", "x5u":
			return Header{}, fmt.Errorf("member %q is not taken: %w", name, ErrMalformed)
		}
	}
	var h Header
	for name, into := range map[string]*string{"alg": &h.Alg, "typ": &h.Typ, "cty": &h.Cty, "kid": &h.Kid} {
		v, ok := m[name]
		if !ok {
			continue
		}
		s, isString := v.(string)
		if !isString || s == "" || len(s) > maxKid || strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
			return Header{}, fmt.Errorf("member %q: %w", name, ErrMalformed)
		}
		*into = s
	}
	if !slices.Contains([]string{EdDSA, ES256, ES384}, h.Alg) {
		return Header{}, fmt.Errorf("alg %q: %w", h.Alg, ErrAlgorithm)
	}
	_, h.HasX5C = m["x5c"]
	if v, ok := m["key_attestation"]; ok {
		if h.KeyAttestation, ok = v.(string); !ok || h.KeyAttestation == "" || len(h.KeyAttestation) > maxAttestation {
			return Header{}, fmt.Errorf("member key_attestation: %w", ErrMalformed)
		}
	}
	if v, ok := m["jwk"]; ok {
		key, isObject := v.(map[string]any)
		if !isObject {
			return Header{}, fmt.Errorf("member jwk: %w", ErrMalformed)
		}
		if h.JWK, err = schemas.Marshal(key); err != nil {
			return Header{}, fmt.Errorf("member jwk: %w: %w", ErrMalformed, err)
		}
	}
	return h, nil
}
