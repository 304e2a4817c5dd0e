package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"heartmark/schemas"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// maxJWK bounds the text of a JWK in bytes.
const maxJWK = 4096

// ParseJWK reads a public key from a JSON Web Key: OKP with Ed25519 (RFC 8037), EC with P-256 or P-384 (RFC 7518, 6.2).
// Private members give ErrPrivateKey; a wrong length, a point off its curve, an odd spelling of base64url, an alg, use or
// key_ops that does not fit signing gives ErrBadKey. Other members are ignored, as RFC 7517 section 4 demands.
func ParseJWK(raw json.RawMessage) (crypto.PublicKey, error) {
	if len(raw) > maxJWK {
		return nil, fmt.Errorf("JWK of %d bytes: %w", len(raw), ErrBadKey)
	}
	obj, err := schemas.ParseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("JWK: %w: %w", ErrBadKey, err)
	}
	// Before anything else: no code below may see a private member.
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, found := obj[name]; found {
			return nil, fmt.Errorf("JWK member %q: %w", name, ErrPrivateKey)
		}
	}
	alg, err := checkMembers(obj)
	if err != nil {
		return nil, err
	}
	// The library takes an Ed25519 x of any length and panics when it verifies, so lengths were checked above; it also
	// reads points without telling those off the curve apart, so the key is checked again below.
	key, err := jwk.ParseKey(raw)
	if err != nil {
		return nil, fmt.Errorf("JWK: %w: %w", ErrBadKey, err)
	}
	var pub crypto.PublicKey
	switch alg {
	case jwa.EdDSA:
		var k ed25519.PublicKey
		err = key.Raw(&k)
		pub = k
	default:
		var k ecdsa.PublicKey
		err = key.Raw(&k)
		pub = &k
	}
	if err != nil {
		return nil, fmt.Errorf("JWK: %w: %w", ErrBadKey, err)
	}
	if err := CheckPublic(pub); err != nil {
		return nil, fmt.Errorf("JWK: %w", err)
	}
	return pub, nil
}

// CheckJWK reports whether raw is a public key that ParseJWK takes.
func CheckJWK(raw json.RawMessage) error {
	_, err := ParseJWK(raw)
	return err
}

// MarshalJWK returns the JWK of a public key with its required members alone, in the order of RFC 7638: the bytes whose
// SHA-256 is the thumbprint.
func MarshalJWK(pub crypto.PublicKey) (json.RawMessage, error) {
	if err := CheckPublic(pub); err != nil {
		return nil, err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	switch k := pub.(type) {
	case ed25519.PublicKey:
		return json.RawMessage(`{"crv":"Ed25519","kty":"OKP","x":"` + b64(k) + `"}`), nil
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 0x04, then x and y of one size
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadKey, err)
		}
		size := len(point) / 2
		x, y := point[1:1+size], point[1+size:]
		return json.RawMessage(`{"crv":"` + k.Curve.Params().Name + `","kty":"EC","x":"` + b64(x) + `","y":"` + b64(y) + `"}`), nil
	}
	return nil, fmt.Errorf("key of type %T: %w", pub, ErrBadKey)
}

// checkMembers checks kty, crv, the coordinates' spelling and length, and that alg, use and key_ops fit.
func checkMembers(obj map[string]any) (jwa.SignatureAlgorithm, error) {
	var alg jwa.SignatureAlgorithm
	size := 32
	coordinates := []string{"x", "y"}
	switch kty, crv := obj["kty"], obj["crv"]; {
	case kty == "OKP" && crv == "Ed25519":
		alg, coordinates = jwa.EdDSA, []string{"x"}
	case kty == "EC" && crv == "P-256":
		alg = jwa.ES256
	case kty == "EC" && crv == "P-384":
		alg, size = jwa.ES384, 48
	default:
		return "", fmt.Errorf("JWK of kty %v and crv %v: %w", kty, crv, ErrBadKey)
	}
	for _, name := range coordinates {
		text, ok := obj[name].(string)
		if !ok {
			return "", fmt.Errorf("JWK member %q: expected a text: %w", name, ErrBadKey)
		}
		raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || len(raw) != size || base64.RawURLEncoding.EncodeToString(raw) != text {
			return "", fmt.Errorf("JWK member %q: expected %d bytes in base64url: %w", name, size, ErrBadKey)
		}
	}
	if v, found := obj["alg"]; found && v != string(alg) && (alg != jwa.EdDSA || v != "Ed25519") {
		return "", fmt.Errorf("JWK alg %v does not fit the key: %w", v, ErrBadKey)
	}
	if v, found := obj["use"]; found && v != "sig" {
		return "", fmt.Errorf("JWK use %v is not signing: %w", v, ErrBadKey)
	}
	if v, found := obj["key_ops"]; found {
		ops, ok := v.([]any)
		if !ok || !slices.Contains(ops, any("verify")) {
			return "", fmt.Errorf("JWK key_ops %v is not verifying: %w", v, ErrBadKey)
		}
	}
	return alg, nil
}
