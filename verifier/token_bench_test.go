package verifier_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"heartmark/verifier"
)

// BenchmarkVerifyToken verifies whole tokens with warm caches and every check, beside a bare Ed25519 check in the same run:
// a presentation of an SD-JWT VC has two signatures, a vc+jwt one.
func BenchmarkVerifyToken(b *testing.B) {
	w := newWorld(b)
	v, held := w.verifier(b), w.held(b)
	key := w.key(acme + "#key-1")
	signature := ed25519.Sign(key, []byte("x"))
	const rounds = 2_000
	start := time.Now()
	for range rounds {
		if !ed25519.Verify(key.Public().(ed25519.PublicKey), []byte("x"), signature) {
			b.Fatal("a good signature is refused")
		}
	}
	bare := time.Since(start) / rounds
	for name, in := range map[string]verifier.Input{
		"dc+sd-jwt": {Data: []byte(w.shown(b, held, "/social_awareness/level")), Challenge: "c-1", Domain: "shop.example"},
		"vc+jwt":    {Data: []byte(w.vcJWT(b, nil))},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if r, err := v.Verify(b.Context(), in); err != nil || r.Verdict != verifier.Valid {
					b.Fatal(r.Verdict, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(bare), "x-bare")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
		})
	}
}
