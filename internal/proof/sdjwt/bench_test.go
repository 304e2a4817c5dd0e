package sdjwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"heartmark/internal/proof/sdjwt"
)

// benchToken is a token like a DEI credential: 5 claims of 3 members, all disclosable, padded.
func benchToken(b *testing.B, key *ecdsa.PrivateKey) (claims map[string]any, o sdjwt.Options) {
	b.Helper()
	claims = map[string]any{"iss": "did:web:registry.example:acme", "cnf": map[string]any{"jwk": jwkOf(b, key.Public())}}
	o.Pad = map[string]int{"": 5}
	for i := range 5 {
		name := fmt.Sprintf("dimension_%d", i)
		claims[name] = map[string]any{"level": 3, "confidence": "0.93", "level_at_least": map[string]any{"2": true, "3": true}}
		for _, below := range []string{"", "/level", "/confidence", "/level_at_least", "/level_at_least/2", "/level_at_least/3"} {
			o.Disclosable = append(o.Disclosable, "/"+name+below)
		}
		o.Pad["/"+name+"/level_at_least"] = 3
	}
	return claims, o
}

// BenchmarkVerify checks a presentation of 30 disclosures with key binding, two signatures in all, beside two bare ES256
// checks in the same run.
func BenchmarkVerify(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	claims, o := benchToken(b, key)
	compact, err := sdjwt.Issue(claims, o, key)
	if err != nil {
		b.Fatal(err)
	}
	bound, err := sdjwt.Bind(compact, sdjwt.Binding{Audience: "a", Nonce: "n", IssuedAt: noon}, key)
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for b.Loop() {
		token, err := sdjwt.Parse(bound)
		if err != nil {
			b.Fatal(err)
		}
		if err := token.Verify(&key.PublicKey); err != nil {
			b.Fatal(err)
		}
		if _, err := token.VerifyBinding(); err != nil {
			b.Fatal(err)
		}
	}
	each := time.Since(start) / time.Duration(b.N)
	b.ReportMetric(float64(each)/float64(bare(b, key, 2)), "x-bare")
	b.ReportMetric(float64(len(bound)), "token-bytes")
}

// BenchmarkIssue makes the token of BenchmarkVerify, checks included.
func BenchmarkIssue(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	claims, o := benchToken(b, key)
	for b.Loop() {
		if _, err := sdjwt.Issue(claims, o, key); err != nil {
			b.Fatal(err)
		}
	}
}

// bare is the time of n raw signature checks.
func bare(b *testing.B, key *ecdsa.PrivateKey, n int) time.Duration {
	b.Helper()
	digest := sha256.Sum256([]byte("x"))
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	const rounds = 500
	start := time.Now()
	for range rounds {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
			b.Fatal("a good signature is refused")
		}
	}
	return time.Since(start) * time.Duration(n) / rounds
}
