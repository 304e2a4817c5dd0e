package oid4vci_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"heartmark/issuer/oid4vci"
)

func didJWK(t *testing.T, h holder) string {
	t.Helper()
	raw, err := json.Marshal(h.jwk(t))
	if err != nil {
		t.Fatal(err)
	}
	return "did:jwk:" + base64.RawURLEncoding.EncodeToString(raw)
}

func TestHolderIDs(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T) holder{"Ed25519": newHolder, "P-256": p256Holder} {
		h := make(t)
		odd := h.jwk(t)
		odd["kid"], odd["use"] = "my key", "sig"
		for kind, c := range map[string]struct {
			header map[string]any
			want   string
		}{
			"did:key":            {map[string]any{"kid": h.kid()}, h.did},
			"did:jwk":            {map[string]any{"kid": didJWK(t, h) + "#0"}, didJWK(t, h)},
			"jwk":                {map[string]any{"jwk": h.jwk(t)}, didJWK(t, h)},
			"jwk with trimmings": {map[string]any{"jwk": odd}, didJWK(t, h)},
		} {
			w := newWorld(t, nil)
			c.header["typ"] = "openid4vci-proof+jwt"
			_, err := w.Credential(t.Context(), "acme", bearer(w.token(t)), request(signProof(t, h, c.header, w.claims(w.nonce(t)))))
			if err != nil {
				t.Errorf("%s as %s: %v", name, kind, err)
				continue
			}
			for _, r := range w.issued {
				if r.HolderID != c.want {
					t.Errorf("%s as %s: holder %s, want %s", name, kind, r.HolderID, c.want)
				}
			}
		}
	}
}

func TestSEC_108_109_ProofRefused(t *testing.T) {
	t.Parallel()
	type parts struct {
		header, claims map[string]any
		holder         holder
	}
	cases := map[string]func(t *testing.T, w *world, p *parts){
		"no typ":                  func(_ *testing.T, _ *world, p *parts) { delete(p.header, "typ") },
		"typ JWT":                 func(_ *testing.T, _ *world, p *parts) { p.header["typ"] = "JWT" },
		"typ of a key binding":    func(_ *testing.T, _ *world, p *parts) { p.header["typ"] = "kb+jwt" },
		"typ in capitals":         func(_ *testing.T, _ *world, p *parts) { p.header["typ"] = "OPENID4VCI-PROOF+JWT" },
		"no key":                  func(_ *testing.T, _ *world, p *parts) { delete(p.header, "kid") },
		"kid and jwk":             func(t *testing.T, _ *world, p *parts) { p.header["jwk"] = p.holder.jwk(t) },
		"x5c":                     func(_ *testing.T, _ *world, p *parts) { p.header["x5c"] = []string{"MIIB"} },
		"kid without fragment":    func(_ *testing.T, _ *world, p *parts) { p.header["kid"] = p.holder.did },
		"kid with other fragment": func(_ *testing.T, _ *world, p *parts) { p.header["kid"] = p.holder.did + "#key-1" },
		"kid of did:web":          func(_ *testing.T, _ *world, p *parts) { p.header["kid"] = "did:web:victim.example#k1" },
		"kid a plain name":        func(_ *testing.T, _ *world, p *parts) { p.header["kid"] = "../../outside" },
		"kid of another key":      func(t *testing.T, _ *world, p *parts) { p.header["kid"] = newHolder(t).kid() },
		"did:jwk fragment 1":      func(t *testing.T, _ *world, p *parts) { p.header["kid"] = didJWK(t, p.holder) + "#1" },
		"did:jwk broken":          func(_ *testing.T, _ *world, p *parts) { p.header["kid"] = "did:jwk:e30#0" },
		"private jwk": func(t *testing.T, _ *world, p *parts) {
			delete(p.header, "kid")
			jwk := p.holder.jwk(t)
			jwk["d"] = strings.Repeat("A", 43)
			p.header["jwk"] = jwk
		},
		"jwk of another key": func(t *testing.T, _ *world, p *parts) {
			delete(p.header, "kid")
			p.header["jwk"] = newHolder(t).jwk(t)
		},
		"algorithm not offered": func(t *testing.T, _ *world, p *parts) {
			key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			p.holder = holderOf(t, key)
			p.header["kid"] = p.holder.kid()
		},
		"no aud":              func(_ *testing.T, _ *world, p *parts) { delete(p.claims, "aud") },
		"aud empty list":      func(_ *testing.T, _ *world, p *parts) { p.claims["aud"] = []string{} },
		"aud other":           func(_ *testing.T, _ *world, p *parts) { p.claims["aud"] = origin },
		"aud with slash":      func(_ *testing.T, _ *world, p *parts) { p.claims["aud"] = issuerID + "/" },
		"aud in capitals":     func(_ *testing.T, _ *world, p *parts) { p.claims["aud"] = strings.ToUpper(issuerID) },
		"aud of other tenant": func(_ *testing.T, _ *world, p *parts) { p.claims["aud"] = origin + "/oid4vci/other" },
		"no iat":              func(_ *testing.T, _ *world, p *parts) { delete(p.claims, "iat") },
		"iat a text":          func(_ *testing.T, _ *world, p *parts) { p.claims["iat"] = "1767949200" },
		"iat a fraction":      func(_ *testing.T, _ *world, p *parts) { p.claims["iat"] = 1767949200.5 },
		"iat negative":        func(_ *testing.T, _ *world, p *parts) { p.claims["iat"] = -1 },
		"iat far ahead":       func(_ *testing.T, w *world, p *parts) { p.claims["iat"] = w.clock.Now().Unix() + 61 },
		"iat long past":       func(_ *testing.T, w *world, p *parts) { p.claims["iat"] = w.clock.Now().Unix() - 3601 },
		"exp passed":          func(_ *testing.T, w *world, p *parts) { p.claims["exp"] = w.clock.Now().Unix() - 61 },
		"nbf ahead":           func(_ *testing.T, w *world, p *parts) { p.claims["nbf"] = w.clock.Now().Unix() + 61 },
		"iss of a victim":     func(_ *testing.T, _ *world, p *parts) { p.claims["iss"] = "did:web:victim.example" },
		"iss of itself":       func(_ *testing.T, _ *world, p *parts) { p.claims["iss"] = p.holder.did },
		"sub of a victim":     func(_ *testing.T, _ *world, p *parts) { p.claims["sub"] = "did:web:victim.example" },
		"no nonce":            func(_ *testing.T, _ *world, p *parts) { delete(p.claims, "nonce") },
		"nonce a number":      func(_ *testing.T, _ *world, p *parts) { p.claims["nonce"] = 7 },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			tok, nonce := w.token(t), w.nonce(t)
			h := newHolder(t)
			p := parts{map[string]any{"typ": "openid4vci-proof+jwt", "kid": h.kid()}, w.claims(nonce), h}
			change(t, w, &p)
			_, err := w.Credential(t.Context(), "acme", bearer(tok), request(signProof(t, p.holder, p.header, p.claims)))
			wantCode(t, name, err, oid4vci.CodeInvalidProof)
			if w.count() != 0 {
				t.Error("something was issued")
			}
			// The session stays usable, and so does the nonce: nothing was taken.
			if _, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, nonce))); err != nil {
				t.Errorf("a good proof afterwards: %v", err)
			}
		})
	}
}

func TestProofTextRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok := w.token(t)
	good := w.proof(t, newHolder(t), w.nonce(t))
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	cut := strings.Split(good, ".")
	for name, in := range map[string]string{
		"empty": "", "dots": strings.Repeat(".", 1<<20), "too long": good + strings.Repeat("A", 20<<10), "two parts": cut[0] + "." + cut[1],
		"unsigned":        b64(`{"alg":"none","typ":"openid4vci-proof+jwt"}`) + "." + cut[1] + ".",
		"MAC":             b64(`{"alg":"HS256","typ":"openid4vci-proof+jwt"}`) + "." + cut[1] + "." + cut[2],
		"signature off":   cut[0] + "." + cut[1] + "." + flip(cut[2]),
		"claims twice":    cut[0] + "." + b64(`{"aud":"`+issuerID+`","aud":"x"}`) + "." + cut[2],
		"payload changed": cut[0] + "." + b64(`{}`) + "." + cut[2],
	} {
		_, err := w.Credential(t.Context(), "acme", bearer(tok), request(in))
		wantCode(t, name, err, oid4vci.CodeInvalidProof)
	}
}
