package jose_test

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"heartmark/internal/proof/jose"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
)

func TestDecrypt(t *testing.T) {
	t.Parallel()
	key, err := jose.NewEncryptionKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := jose.NewEncryptionKey()
	if err != nil {
		t.Fatal(err)
	}
	seal := func(enc jwa.ContentEncryptionAlgorithm, kid string) string {
		headers := jwe.NewHeaders()
		_ = headers.Set("kid", kid)
		out, err := jwe.Encrypt([]byte("text"), jwe.WithKey(jwa.ECDH_ES, &key.PublicKey), jwe.WithContentEncryption(enc), jwe.WithProtectedHeaders(headers))
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for _, enc := range jose.ContentEncryptions() {
		plain, err := jose.Decrypt(seal(jwa.ContentEncryptionAlgorithm(enc), "k"), named(key, "k"))
		if err != nil || string(plain) != "text" {
			t.Errorf("%s: %q, %v", enc, plain, err)
		}
	}
	good := seal(jwa.A128GCM, "k")
	parts := strings.Split(good, ".")
	header := func(text string) string {
		return strings.Join(append([]string{base64.RawURLEncoding.EncodeToString([]byte(text))}, parts[1:]...), ".")
	}
	for name, compact := range map[string]string{
		"empty": "", "four parts": strings.Join(parts[:4], "."), "six parts": good + ".x", "padded": good + "=", "an encrypted key": parts[0] + ".AAAA." + strings.Join(parts[2:], "."),
		"another kid": seal(jwa.A128GCM, "other"), "another enc": seal(jwa.A256CBC_HS512, "k"), "no JSON": header("x"),
		"dir": header(`{"alg":"dir","enc":"A128GCM","kid":"k"}`), "a password": header(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","kid":"k","p2c":1000000000,"p2s":"AA"}`),
		"a key by URL":          header(`{"alg":"ECDH-ES","enc":"A128GCM","kid":"k","jku":"https://a.example"}`),
		"alg twice":             header(`{"alg":"ECDH-ES","alg":"dir","enc":"A128GCM","kid":"k"}`),
		"no epk":                header(`{"alg":"ECDH-ES","enc":"A128GCM","kid":"k"}`),
		"a point off the curve": header(`{"alg":"ECDH-ES","enc":"A128GCM","kid":"k","epk":{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}}`),
	} {
		if plain, err := jose.Decrypt(compact, named(key, "k")); !errors.Is(err, jose.ErrDecrypt) || plain != nil {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
	if _, err := jose.Decrypt(good, named(other, "k")); !errors.Is(err, jose.ErrDecrypt) {
		t.Errorf("another key: %v", err)
	}
	for i := range good {
		changed := []byte(good)
		changed[i] ^= 1
		if _, err := jose.Decrypt(string(changed), named(key, "k")); !errors.Is(err, jose.ErrDecrypt) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

// named opens with one key by one name.
func named(key *ecdsa.PrivateKey, name string) func(string) (*ecdsa.PrivateKey, bool) {
	return func(kid string) (*ecdsa.PrivateKey, bool) { return key, kid == name }
}
