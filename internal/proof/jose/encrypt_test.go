package jose_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
)

func recipient(t *testing.T) (*ecdsa.PrivateKey, map[string]any) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := keys.MarshalJWK(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	m["alg"], m["kid"] = jose.ECDHES, "e1"
	return key, m
}

func parseRecipient(t *testing.T, m map[string]any) (jose.Recipient, error) {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return jose.ParseRecipient(raw)
}

func opener(key *ecdsa.PrivateKey) func(string) (*ecdsa.PrivateKey, bool) {
	return func(kid string) (*ecdsa.PrivateKey, bool) { return key, kid == "e1" }
}

func TestEncryptDecrypt(t *testing.T) {
	t.Parallel()
	key, m := recipient(t)
	r, err := parseRecipient(t, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, enc := range jose.ContentEncryptions() {
		compact, err := jose.Encrypt([]byte(`{"a":1}`), r, enc)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := jose.Decrypt(compact, opener(key))
		if err != nil || string(plain) != `{"a":1}` {
			t.Errorf("%s: %q, %v", enc, plain, err)
		}
		other, _ := recipient(t)
		if _, err := jose.Decrypt(compact, opener(other)); !errors.Is(err, jose.ErrDecrypt) {
			t.Errorf("%s with another key: %v", enc, err)
		}
	}
	if _, err := jose.Encrypt([]byte("x"), r, "A128CBC-HS256"); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("another enc: %v", err)
	}
}

func TestDecryptRefuses(t *testing.T) {
	t.Parallel()
	key, m := recipient(t)
	r, err := parseRecipient(t, m)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jose.Encrypt([]byte(`{}`), r, "A256GCM")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(compact, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(h map[string]any)) string {
		var h map[string]any
		if err := json.Unmarshal(header, &h); err != nil {
			t.Fatal(err)
		}
		change(h)
		raw, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(append([]string{b64(string(raw))}, parts[1:]...), ".")
	}
	for name, token := range map[string]string{
		"empty": "", "four parts": strings.Join(parts[:4], "."), "an encrypted key": parts[0] + ".AAAA." + strings.Join(parts[2:], "."),
		"tag cut": compact[:len(compact)-2], "line break": compact + "\n", "padding": compact + "=",
		"no kid":          with(func(h map[string]any) { delete(h, "kid") }),
		"other kid":       with(func(h map[string]any) { h["kid"] = "e2" }),
		"zip":             with(func(h map[string]any) { h["zip"] = "DEF" }),
		"crit":            with(func(h map[string]any) { h["crit"] = []string{"x"} }),
		"dir":             with(func(h map[string]any) { h["alg"] = "dir" }),
		"RSA1_5":          with(func(h map[string]any) { h["alg"] = "RSA1_5" }),
		"PBES2":           with(func(h map[string]any) { h["alg"] = "PBES2-HS256+A128KW" }),
		"key wrap":        with(func(h map[string]any) { h["alg"] = "ECDH-ES+A128KW" }),
		"other enc":       with(func(h map[string]any) { h["enc"] = "A128CBC-HS256" }),
		"no epk":          with(func(h map[string]any) { delete(h, "epk") }),
		"epk off curve":   with(func(h map[string]any) { h["epk"].(map[string]any)["y"] = b64(strings.Repeat("\x01", 32)) }),
		"epk other curve": with(func(h map[string]any) { h["epk"].(map[string]any)["crv"] = "P-384" }),
		"epk private":     with(func(h map[string]any) { h["epk"].(map[string]any)["d"] = "AA" }),
	} {
		if _, err := jose.Decrypt(token, opener(key)); !errors.Is(err, jose.ErrDecrypt) || err.Error() != jose.ErrDecrypt.Error() {
			t.Errorf("%s: %v, want %v and no more", name, err, jose.ErrDecrypt)
		}
	}
}

func TestParseRecipientRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(m map[string]any){
		"no alg":      func(m map[string]any) { delete(m, "alg") },
		"other alg":   func(m map[string]any) { m["alg"] = "ECDH-ES+A256KW" },
		"other curve": func(m map[string]any) { m["crv"] = "P-384" },
		"OKP":         func(m map[string]any) { m["kty"] = "OKP" },
		"private":     func(m map[string]any) { m["d"] = "AA" },
		"for signing": func(m map[string]any) { m["use"] = "sig" },
		"key_ops":     func(m map[string]any) { m["key_ops"] = []string{"verify"} },
		"off curve":   func(m map[string]any) { m["y"] = b64(strings.Repeat("\x01", 32)) },
		"short x":     func(m map[string]any) { m["x"] = "AAAA" },
		"padded x":    func(m map[string]any) { m["x"] = m["x"].(string) + "=" },
		"kid number":  func(m map[string]any) { m["kid"] = 7 },
	} {
		_, m := recipient(t)
		change(m)
		if _, err := parseRecipient(t, m); !errors.Is(err, jose.ErrMalformed) && !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecrypt: nothing opens that was not made for the key.
func FuzzDecrypt(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	compact, err := jose.Encrypt([]byte(`{}`), jose.Recipient{Key: &key.PublicKey, Kid: "e1"}, "A128GCM")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(compact)
	f.Add("....")
	f.Fuzz(func(t *testing.T, token string) {
		plain, err := jose.Decrypt(token, opener(key))
		if err == nil && (token != compact || string(plain) != `{}`) {
			t.Errorf("%q opened to %q", token, plain)
		}
	})
}
