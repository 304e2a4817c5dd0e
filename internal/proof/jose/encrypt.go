package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"heartmark/schemas"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
)

// ErrDecrypt is returned for whatever does not decrypt. All causes look alike, so that nothing can be learnt by trying.
var ErrDecrypt = errors.New("token does not decrypt")

// ECDHES is the one key agreement of encrypted tokens (RFC 7518, 4.6), in its direct form, over P-256.
const ECDHES = "ECDH-ES"

// ContentEncryptions are the values of enc that this package takes and makes (RFC 7518, 5.3), the preferred one first.
func ContentEncryptions() []string { return []string{"A256GCM", "A128GCM"} }

// MaxEncryptedBytes bounds an encrypted token.
const MaxEncryptedBytes = 8 << 20

// Recipient is for whom a token is encrypted.
type Recipient struct {
	Key *ecdsa.PublicKey
	// Kid is echoed in the header where it is not empty.
	Kid string
}

// ParseRecipient reads the JWK of a recipient: an EC key on P-256 with alg ECDH-ES, for encryption, without private
// members. Errors wrap ErrMalformed or ErrAlgorithm.
func ParseRecipient(raw json.RawMessage) (Recipient, error) {
	m, err := schemas.ParseObject(raw)
	if err != nil {
		return Recipient{}, fmt.Errorf("JWK: %w: %w", ErrMalformed, err)
	}
	if m["alg"] != ECDHES || m["kty"] != "EC" || m["crv"] != "P-256" {
		return Recipient{}, fmt.Errorf("JWK: expected kty EC, crv P-256 and alg %s: %w", ECDHES, ErrAlgorithm)
	}
	if _, private := m["d"]; private {
		return Recipient{}, fmt.Errorf("JWK with a private member: %w", ErrMalformed)
	}
	if use, present := m["use"]; present && use != "enc" {
		return Recipient{}, fmt.Errorf("JWK: use is not enc: %w", ErrMalformed)
	}
	if ops, present := m["key_ops"]; present {
		list, _ := ops.([]any)
		if len(list) == 0 || slices.ContainsFunc(list, func(op any) bool { return op != "deriveKey" && op != "deriveBits" }) {
			return Recipient{}, fmt.Errorf("JWK: key_ops do not fit key agreement: %w", ErrMalformed)
		}
	}
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		text, _ := m[name].(string)
		part, err := decodePart(text)
		if err != nil || len(part) != 32 {
			return Recipient{}, fmt.Errorf("JWK member %s: %w", name, ErrMalformed)
		}
		point = append(point, part...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point) // refuses points off the curve
	if err != nil {
		return Recipient{}, fmt.Errorf("JWK: %w: %w", ErrMalformed, err)
	}
	kid, ok := m["kid"].(string)
	if _, present := m["kid"]; present && (!ok || kid == "" || len(kid) > 512) {
		return Recipient{}, fmt.Errorf("JWK member kid: %w", ErrMalformed)
	}
	return Recipient{Key: key, Kid: kid}, nil
}

// NewEncryptionKey makes a key for a Recipient.
func NewEncryptionKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// Encrypt returns the compact JWE of payload for r, with ECDH-ES and one of ContentEncryptions.
func Encrypt(payload []byte, r Recipient, enc string) (string, error) {
	if !slices.Contains(ContentEncryptions(), enc) {
		return "", fmt.Errorf("enc %q: %w", enc, ErrAlgorithm)
	}
	headers := jwe.NewHeaders()
	if r.Kid != "" {
		if err := headers.Set(jwe.KeyIDKey, r.Kid); err != nil {
			return "", fmt.Errorf("header: %w", err)
		}
	}
	out, err := jwe.Encrypt(payload, jwe.WithKey(jwa.ECDH_ES, r.Key), jwe.WithContentEncryption(jwa.ContentEncryptionAlgorithm(enc)),
		jwe.WithProtectedHeaders(headers), jwe.WithCompact())
	if err != nil {
		return "", fmt.Errorf("encrypt: %w", err)
	}
	return string(out), nil
}

// Decrypt opens a compact JWE. key gives the private key that a key id names, or false. Anything but ECDH-ES with one of
// ContentEncryptions, a key id that key knows, and an ephemeral key on P-256 gives ErrDecrypt, and so do zip and crit.
func Decrypt(compact string, key func(kid string) (*ecdsa.PrivateKey, bool)) ([]byte, error) {
	if len(compact) > MaxEncryptedBytes || strings.Count(compact, ".") != 4 {
		return nil, ErrDecrypt
	}
	parts := strings.Split(compact, ".")
	if len(parts[0]) > base64.RawURLEncoding.EncodedLen(MaxHeaderBytes) || parts[1] != "" {
		return nil, ErrDecrypt
	}
	for _, n := range []int{0, 2, 3, 4} {
		if _, err := decodePart(parts[n]); err != nil && (n != 3 || parts[n] != "") {
			return nil, ErrDecrypt
		}
	}
	raw, err := decodePart(parts[0])
	if err != nil {
		return nil, ErrDecrypt
	}
	kid, ok := encryptedHeader(raw)
	if !ok {
		return nil, ErrDecrypt
	}
	private, ok := key(kid)
	if !ok {
		return nil, ErrDecrypt
	}
	payload, err := jwe.Decrypt([]byte(compact), jwe.WithKey(jwa.ECDH_ES, private))
	if err != nil {
		return nil, ErrDecrypt
	}
	return payload, nil
}

// encryptedHeader checks the protected header of a JWE and returns its key id.
func encryptedHeader(raw []byte) (kid string, ok bool) {
	m, err := schemas.ParseObject(raw)
	if err != nil {
		return "", false
	}
	for name := range m {
		if !slices.Contains([]string{"alg", "enc", "kid", "epk", "typ", "cty", "apu", "apv"}, name) {
			return "", false
		}
	}
	enc, _ := m["enc"].(string)
	if m["alg"] != ECDHES || !slices.Contains(ContentEncryptions(), enc) {
		return "", false
	}
	ephemeral, isObject := m["epk"].(map[string]any)
	if !isObject {
		return "", false
	}
	// The same rules as for any recipient's key; alg does not stand in an epk.
	ephemeral["alg"] = ECDHES
	key, err := schemas.Marshal(ephemeral)
	if err != nil {
		return "", false
	}
	if _, err := ParseRecipient(key); err != nil {
		return "", false
	}
	kid, isText := m["kid"].(string)
	return kid, isText && kid != ""
}
