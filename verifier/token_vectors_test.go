package verifier_test

import (
	"context"
	"crypto"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/testkit"
	"heartmark/schemas"
	"heartmark/verifier"
)

// suiteKeys answers for the one issuer of the W3C suite, whose tokens name its keys by thumbprint.
type suiteKeys map[string]crypto.PublicKey

func (s suiteKeys) Key(_ context.Context, q verifier.KeyQuery) (verifier.Key, error) {
	key, found := s[q.Method]
	if !found {
		return verifier.Key{}, verifier.ErrKeyNotFound
	}
	return verifier.Key{Public: key}, nil
}

// suiteContexts adds the examples context that the suite's credentials name.
type suiteContexts struct {
	verifier.ContextSource
	examples []byte
}

func (s suiteContexts) Document(url string) ([]byte, error) {
	if url == "https://www.w3.org/ns/credentials/examples/v2" {
		return s.examples, nil
	}
	return s.ContextSource.Document(url)
}

// TestVCJOSEVectors reads the inputs of the W3C test suite for VC-JOSE. None is valid as a whole: their schema is not at
// hand, and their iat is a date where RFC 7519 wants a number. What is compared is the signature and the token's form.
func TestVCJOSEVectors(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/vc-jose-cose")
	examples, err := os.ReadFile(filepath.Join(testkit.Shared(t, "vectors/contexts"), "credentials-examples-v2.jsonld"))
	if err != nil {
		t.Fatal(err)
	}
	held := suiteKeys{}
	for _, name := range []string{"vm-ed25519", "vm-p256", "vm-p384"} {
		data, err := os.ReadFile(filepath.Join(dir, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var method struct {
			Controller   string          `json:"controller"`
			PublicKeyJwk json.RawMessage `json:"publicKeyJwk"`
		}
		if err := json.Unmarshal(data, &method); err != nil {
			t.Fatal(err)
		}
		key, err := keys.ParseJWK(method.PublicKeyJwk)
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := schemas.ParseObject(method.PublicKeyJwk)
		if err != nil {
			t.Fatal(err)
		}
		held[method.Controller+"#"+jwk["kid"].(string)] = key
	}
	w := newWorld(t)
	cfg := w.config(verifier.Policy{Name: "trustless", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{
		verifier.CheckAuthority: verifier.Omit, verifier.CheckKeyInterval: verifier.Omit,
	}})
	cfg.Keys, cfg.Contexts = held, suiteContexts{w.contexts, examples}
	cfg.Now = func() time.Time { return time.Date(2024, 12, 16, 1, 0, 0, 0, time.UTC) }
	v, err := verifier.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]string{
		"credential-jose-minimal":            "proof_ok",
		"credential-issuer-match-signed":     "proof_ok",
		"credential-jose-bad-signature":      "proof_invalid",
		"credential-jose-vc-vp-claims":       "model_token_claim",
		"credential-jose-bad-media-type":     "parse_kind",
		"credential-jose-unknown-extensions": "proof_algorithm", // ES512 is not on the list
		"presentation-jose-multiple":         "proof_ok",
		"presentation-jose-bad-credential":   "inner_invalid",
		"presentation-jose-bad-media-type":   "parse_kind",
		"credential-sdjwt-selective":         "period_malformed", // its iat is a date in words, where JWT has a number
	} {
		data, err := os.ReadFile(filepath.Join(dir, name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		r, _ := v.Verify(t.Context(), verifier.Input{Data: []byte(strings.TrimSuffix(string(data), "\n")), Policy: "trustless"})
		found := false
		for _, c := range r.Checks {
			found = found || c.Code == code
		}
		if !found || r.Verdict == verifier.Valid {
			t.Errorf("%s: %s, want not valid, with %s\n%s", name, r.Verdict, code, dump(r))
		}
	}
}
