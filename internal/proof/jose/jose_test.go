package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"heartmark/internal/proof/jose"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// opaque hides a private key behind the interface, as a handle on stored keys does.
type opaque struct{ s crypto.Signer }

func (o opaque) Public() crypto.PublicKey { return o.s.Public() }
func (o opaque) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return o.s.Sign(r, digest, opts)
}

func signers(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{jose.EdDSA: ed, jose.ES256: p256, jose.ES384: p384}
}

func TestSignParseVerify(t *testing.T) {
	t.Parallel()
	for alg, signer := range signers(t) {
		for _, s := range []crypto.Signer{signer, opaque{signer}} {
			compact, err := jose.Sign(map[string]any{"typ": "test+jwt", "kid": "did:web:a#1"}, []byte(`{"a":1}`), s)
			if err != nil {
				t.Fatalf("%s: Sign = %v", alg, err)
			}
			token, err := jose.Parse(compact)
			if err != nil {
				t.Fatalf("%s: Parse = %v", alg, err)
			}
			if token.Header.Alg != alg || token.Header.Typ != "test+jwt" || token.Header.Kid != "did:web:a#1" {
				t.Errorf("%s: header %+v", alg, token.Header)
			}
			if claims, err := token.Claims(); err != nil || claims["a"] != json.Number("1") {
				t.Errorf("%s: claims %v, %v", alg, claims, err)
			}
			if err := token.Verify(s.Public()); err != nil {
				t.Errorf("%s: Verify = %v", alg, err)
			}
			for other, wrong := range signers(t) {
				want := jose.ErrAlgorithm
				if other == alg {
					want = jose.ErrSignature
				}
				if err := token.Verify(wrong.Public()); !errors.Is(err, want) {
					t.Errorf("%s with a %s key: %v, want %v", alg, other, err, want)
				}
			}
			if err := changed(t, compact).Verify(s.Public()); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("%s: changed payload: %v, want ErrSignature", alg, err)
			}
		}
	}
}

func changed(t *testing.T, compact string) jose.Token {
	t.Helper()
	parts := strings.Split(compact, ".")
	parts[1] = b64(`{"a":2}`)
	token, err := jose.Parse(strings.Join(parts, "."))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := b64(`{"alg":"EdDSA","typ":"t"}`)
	body, sig := b64(`{}`), b64(strings.Repeat("s", 64))
	cases := map[string]string{
		"empty":                   "",
		"two parts":               good + "." + body,
		"four parts":              good + "." + body + "." + sig + "." + sig,
		"five parts, a JWE":       strings.Repeat("YQ.", 4) + "YQ",
		"dots":                    strings.Repeat(".", 1<<20),
		"too long":                good + "." + strings.Repeat("YQ", 200<<10) + "." + sig,
		"header too long":         b64(`{"alg":"EdDSA","x":"`+strings.Repeat("x", 9<<10)+`"}`) + "." + body + "." + sig,
		"empty signature":         good + "." + body + ".",
		"empty payload":           good + ".." + sig,
		"padding":                 good + "." + body + "." + sig + "=",
		"standard alphabet":       good + ".ab+/." + sig,
		"space":                   good + ". " + body + "." + sig,
		"line break":              good + "." + body + "." + sig + "\n",
		"line break inside":       good + "." + body[:2] + "\r\n" + body[2:] + "." + sig,
		"unused bits":             good + ".YR." + sig,
		"general JSON":            `{"payload":"e30","signatures":[]}`,
		"header not JSON":         b64(`alg`) + "." + body + "." + sig,
		"header an array":         b64(`[]`) + "." + body + "." + sig,
		"alg twice":               b64(`{"alg":"EdDSA","alg":"none"}`) + "." + body + "." + sig,
		"alg in two cases":        b64(`{"alg":"EdDSA","Alg":"none"}`) + "." + body + "." + sig,
		"jwk in capitals":         b64(`{"alg":"EdDSA","JWK":{}}`) + "." + body + "." + sig,
		"alg missing":             b64(`{"typ":"t"}`) + "." + body + "." + sig,
		"alg a number":            b64(`{"alg":1}`) + "." + body + "." + sig,
		"alg empty":               b64(`{"alg":""}`) + "." + body + "." + sig,
		"none":                    b64(`{"alg":"none"}`) + "." + body + "." + sig,
		"None":                    b64(`{"alg":"None"}`) + "." + body + "." + sig,
		"nOnE":                    b64(`{"alg":"nOnE"}`) + "." + body + "." + sig,
		"HS256":                   b64(`{"alg":"HS256"}`) + "." + body + "." + sig,
		"RS256":                   b64(`{"alg":"RS256"}`) + "." + body + "." + sig,
		"ES256K":                  b64(`{"alg":"ES256K"}`) + "." + body + "." + sig,
		"crit unknown":            b64(`{"alg":"EdDSA","crit":["x"],"x":1}`) + "." + body + "." + sig,
		"crit empty":              b64(`{"alg":"EdDSA","crit":[]}`) + "." + body + "." + sig,
		"crit alg":                b64(`{"alg":"EdDSA","crit":["alg"]}`) + "." + body + "." + sig,
		"crit text":               b64(`{"alg":"EdDSA","crit":"x"}`) + "." + body + "." + sig,
		"b64":                     b64(`{"alg":"EdDSA","b64":false}`) + "." + body + "." + sig,
		"zip":                     b64(`{"alg":"EdDSA","zip":"DEF"}`) + "." + body + "." + sig,
		"jku":                     b64(`{"alg":"EdDSA","jku":"https://canary.example"}`) + "." + body + "." + sig,
		"x5u":                     b64(`{"alg":"EdDSA","x5u":"https://canary.example"}`) + "." + body + "." + sig,
		"kid a number":            b64(`{"alg":"EdDSA","kid":1}`) + "." + body + "." + sig,
		"kid empty":               b64(`{"alg":"EdDSA","kid":""}`) + "." + body + "." + sig,
		"kid with NUL":            b64(`{"alg":"EdDSA","kid":"a\u0000"}`) + "." + body + "." + sig,
		"kid with CR LF":          b64(`{"alg":"EdDSA","kid":"a\r\nb"}`) + "." + body + "." + sig,
		"kid too long":            b64(`{"alg":"EdDSA","kid":"`+strings.Repeat("k", 5<<10)+`"}`) + "." + body + "." + sig,
		"jwk a string":            b64(`{"alg":"EdDSA","jwk":"x"}`) + "." + body + "." + sig,
		"header after byte order": b64("\ufeff"+`{"alg":"EdDSA"}`) + "." + body + "." + sig,
		"header with trailing":    b64(`{"alg":"EdDSA"}{}`) + "." + body + "." + sig,
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := jose.Parse(in); !errors.Is(err, jose.ErrMalformed) && !errors.Is(err, jose.ErrAlgorithm) {
				t.Errorf("Parse(%.60q) = %v, want it refused", in, err)
			}
		})
	}
}

func TestVerifyRefusesDegenerateSignatures(t *testing.T) {
	t.Parallel()
	key := signers(t)[jose.ES256].(*ecdsa.PrivateKey)
	n := key.Curve.Params().N
	join := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	one, zero := big.NewInt(1), new(big.Int)
	digest := sha256.Sum256([]byte(b64(`{"alg":"ES256"}`) + "." + b64(`{}`)))
	der, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	for name, sig := range map[string][]byte{
		"both zero": join(zero, zero), "r zero": join(zero, one), "s is n": join(one, n), "DER": der,
		"63 bytes": make([]byte, 63), "65 bytes": make([]byte, 65), "96 bytes": make([]byte, 96),
	} {
		token, err := jose.Parse(b64(`{"alg":"ES256"}`) + "." + b64(`{}`) + "." + b64(string(sig)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := token.Verify(&key.PublicKey); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
}

// The public key's bytes as a MAC key: the algorithm never gets as far as a key.
func TestVerifyTakesNoMAC(t *testing.T) {
	t.Parallel()
	pub := signers(t)[jose.EdDSA].Public().(ed25519.PublicKey)
	signed := b64(`{"alg":"HS256"}`) + "." + b64(`{}`)
	mac := hmac.New(sha256.New, pub)
	mac.Write([]byte(signed))
	if _, err := jose.Parse(signed + "." + b64(string(mac.Sum(nil)))); !errors.Is(err, jose.ErrAlgorithm) {
		t.Errorf("Parse = %v, want ErrAlgorithm", err)
	}
}

func TestVerifyRefusesOtherKeys(t *testing.T) {
	t.Parallel()
	compact, err := jose.Sign(nil, []byte(`{}`), signers(t)[jose.EdDSA])
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.PublicKey{
		"RSA": &weak.PublicKey, "P-224": &p224.PublicKey, "nil": nil, "nil ECDSA": (*ecdsa.PublicKey)(nil),
		"short Ed25519": ed25519.PublicKey(make([]byte, 31)), "bytes": make([]byte, 32),
	} {
		if err := token.Verify(key); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("%s: %v, want ErrAlgorithm", name, err)
		}
	}
}

func TestSignRefusesAHeaderWithAlg(t *testing.T) {
	t.Parallel()
	for _, h := range []map[string]any{{"alg": "none"}, {"alg": "EdDSA"}} {
		if _, err := jose.Sign(h, []byte(`{}`), signers(t)[jose.EdDSA]); !errors.Is(err, jose.ErrAlgorithm) {
			t.Errorf("Sign(%v) = %v, want ErrAlgorithm", h, err)
		}
	}
}

// FuzzParse: whatever parses has its three parts spelt in the one way, and verifies with no key that did not sign it.
func FuzzParse(f *testing.F) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	compact, err := jose.Sign(map[string]any{"typ": "t", "kid": "k"}, []byte(`{"a":1}`), priv)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(compact)
	f.Add(b64(`{"alg":"ES256","jwk":{}}`) + "." + b64(`{}`) + "." + b64("s"))
	f.Fuzz(func(t *testing.T, in string) {
		token, err := jose.Parse(in)
		if err != nil {
			return
		}
		parts := strings.Split(in, ".")
		if base64.RawURLEncoding.EncodeToString(token.Payload) != parts[1] {
			t.Errorf("payload of %q has another spelling", in)
		}
		if in != compact && token.Verify(pub) == nil {
			t.Errorf("%q verifies and nobody signed it", in)
		}
	})
}
