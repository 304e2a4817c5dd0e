package sdjwt_test

import (
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/internal/testkit"
	"heartmark/schemas"

	"gopkg.in/yaml.v3"
)

// settings are what the reference implementation made a set of vectors with.
type settings struct {
	Identifiers struct{ Issuer, Verifier string }
	KeySettings struct {
		IssuerKeys []map[string]string `yaml:"issuer_keys"`
	} `yaml:"key_settings"`
	Nonce string `yaml:"key_binding_nonce"`
}

func (s settings) issuerKey(t *testing.T) crypto.PublicKey {
	t.Helper()
	key := map[string]any{}
	for _, name := range []string{"kty", "crv", "x", "y"} {
		key[name] = s.KeySettings.IssuerKeys[0][name]
	}
	pub, err := keys.ParseJWK(marshal(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return pub
}

func readSettings(t *testing.T, dir string) settings {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "settings.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var s settings
	if err := yaml.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// readToken reads NAME.txt in the compact form, or NAME.json, which is a JSON string of the flattened form.
func readToken(t *testing.T, name string) (sdjwt.Token, error) {
	t.Helper()
	if data, err := os.ReadFile(name + ".txt"); err == nil {
		return sdjwt.Parse(string(data))
	}
	data, err := os.ReadFile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := schemas.ParseJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	return sdjwt.ParseJSON([]byte(text.(string)))
}

func readObject(t *testing.T, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return object(t, string(data))
}

// TestVectors verifies what the reference implementation issued and presented, and compares what comes out.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"vectors/sd-jwt-spec-examples", "vectors/sd-jwt-python"} {
		t.Run(filepath.Base(set), func(t *testing.T) {
			t.Parallel()
			dir := testkit.Shared(t, set)
			s := readSettings(t, dir)
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, e := range entries {
				folder := filepath.Join(dir, e.Name())
				if _, err := os.Stat(filepath.Join(folder, "verified_contents.json")); err != nil {
					continue // settings, and a case that has its specification only
				}
				n++
				t.Run(e.Name(), func(t *testing.T) { vector(t, folder, s) })
			}
			if n == 0 {
				t.Fatal("no vectors")
			}
		})
	}
}

func vector(t *testing.T, folder string, s settings) {
	t.Helper()
	issued, err := readToken(t, filepath.Join(folder, "sd_jwt_issuance"))
	if filepath.Base(folder) == "header_mod" {
		// Its kid is a number; RFC 7515, 4.1.4 wants a string.
		if !errors.Is(err, jose.ErrMalformed) {
			t.Errorf("a kid that is a number: %v, want ErrMalformed", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := issued.Verify(s.issuerKey(t)); err != nil {
		t.Fatalf("issued: %v", err)
	}
	if want := readObject(t, filepath.Join(folder, "sd_jwt_payload.json")); !reflect.DeepEqual(issued.Payload, want) {
		t.Errorf("payload = %s, want %s", marshal(t, issued.Payload), marshal(t, want))
	}
	for name, value := range readObject(t, filepath.Join(folder, "user_claims.json")) {
		if !reflect.DeepEqual(issued.Claims[name], value) {
			t.Errorf("claim %s = %s, want %s", name, marshal(t, issued.Claims[name]), marshal(t, value))
		}
	}
	shown, err := readToken(t, filepath.Join(folder, "sd_jwt_presentation"))
	if err != nil {
		t.Fatal(err)
	}
	if err := shown.Verify(s.issuerKey(t)); err != nil {
		t.Fatalf("shown: %v", err)
	}
	if want := readObject(t, filepath.Join(folder, "verified_contents.json")); !reflect.DeepEqual(shown.Claims, want) {
		t.Errorf("verified = %s, want %s", marshal(t, shown.Claims), marshal(t, want))
	}
	// The same choice out of the issued token gives the same disclosures.
	var pointers []string
	for _, d := range shown.Disclosures {
		for _, held := range issued.Disclosures {
			if held.Salt == d.Salt {
				pointers = append(pointers, held.Pointer)
			}
		}
	}
	again, err := issued.Present(pointers...)
	if err != nil {
		t.Fatal(err)
	}
	if token := mustParse(t, again); !reflect.DeepEqual(token.Claims, shown.Claims) {
		t.Errorf("presented = %s, want %s", marshal(t, token.Claims), marshal(t, shown.Claims))
	}
	if !shown.HasBinding() {
		return
	}
	said := readObject(t, filepath.Join(folder, "kb_jwt_payload.json"))
	b, err := shown.VerifyBinding()
	if err != nil {
		t.Fatal(err)
	}
	if b.Nonce != said["nonce"] || b.Audience != said["aud"] {
		t.Errorf("binding = %+v, want %v", b, said)
	}
	expected := sdjwt.Expected{Audience: s.Identifiers.Verifier, Nonce: s.Nonce, Now: b.IssuedAt.Add(time.Minute), MaxAge: 5 * time.Minute}
	if err := b.Check(expected); err != nil {
		t.Errorf("binding: %v", err)
	}
}
