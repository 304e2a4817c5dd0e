package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"heartmark/schemas"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
)

// ErrDecrypt is returned for every encrypted answer that does not open, whatever the reason: who sends such answers learns
// nothing from how they fail.
var ErrDecrypt = errors.New("encrypted answer does not open")

// AlgECDHES is the one key agreement that encrypted answers may use (security rule R2).
const AlgECDHES = "ECDH-ES"

// ContentEncryptions returns the content encryptions that encrypted answers may use, the preferred one first.
func ContentEncryptions() []string { return []string{"A256GCM", "A128GCM"} }

// MaxEncryptedBytes bounds an encrypted answer.
const MaxEncryptedBytes = 8 << 20

// NewEncryptionKey makes a key to which one answer is encrypted.
func NewEncryptionKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// Decrypt opens a compact JWE (RFC 7516) that was encrypted to key by ECDH-ES with one of ContentEncryptions. The header must
// name kid, and nothing that would change how it is read: no zip, no crit, no keys by URL, no password-based work. Every failure
// is ErrDecrypt.
func Decrypt(compact string, key *ecdsa.PrivateKey, kid string) ([]byte, error) {
	if len(compact) > MaxEncryptedBytes || strings.Count(compact, ".") != 4 {
		return nil, fmt.Errorf("form: %w", ErrDecrypt)
	}
	parts := strings.Split(compact, ".")
	if len(parts[0]) > base64.RawURLEncoding.EncodedLen(MaxHeaderBytes) || parts[1] != "" {
		return nil, fmt.Errorf("form: %w", ErrDecrypt)
	}
	for i, part := range parts {
		if i == 1 {
			continue
		}
		if _, err := decodePart(part); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, ErrDecrypt)
		}
	}
	raw, err := decodePart(parts[0])
	if err != nil {
		return nil, fmt.Errorf("header: %w", ErrDecrypt)
	}
	if err := checkEncryption(raw, kid); err != nil {
		return nil, err
	}
	plain, err := jwe.Decrypt([]byte(compact), jwe.WithKey(jwa.ECDH_ES, key))
	if err != nil {
		return nil, fmt.Errorf("content: %w", ErrDecrypt)
	}
	return plain, nil
}

func checkEncryption(raw []byte, kid string) error {
	header, err := schemas.ParseObject(raw)
	if err != nil {
		return fmt.Errorf("header: %w", ErrDecrypt)
	}
	for name := range header {
		if !slices.Contains([]string{"alg", "enc", "kid", "epk", "apu", "apv", "typ", "cty"}, name) {
			return fmt.Errorf("header has %.20q: %w", name, ErrDecrypt)
		}
	}
	enc, _ := header["enc"].(string)
	if header["alg"] != AlgECDHES || header["kid"] != kid || !slices.Contains(ContentEncryptions(), enc) {
		return fmt.Errorf("header: %w", ErrDecrypt)
	}
	return nil
}
