package issuer_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"sync/atomic"
	"testing"

	"heartmark/internal/store/badger"
)

// BenchmarkIssue shows what an issuance costs beside the raw signature: in memory (the work itself), and on disk with
// each commit flushed, one caller and many. The securer here signs plain JSON, so canonicalisation is not in it.
func BenchmarkIssue(b *testing.B) {
	b.Run("raw-ed25519", func(b *testing.B) {
		_, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		message := make([]byte, 64)
		for b.Loop() {
			ed25519.Sign(priv, message)
		}
	})
	for _, c := range []struct {
		name   string
		onDisk bool
	}{{"memory", false}, {"disk", true}} {
		b.Run(c.name, func(b *testing.B) {
			w := benchWorld(b, c.onDisk)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.iss.Issue(b.Context(), request("")); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
		})
		b.Run(c.name+"-32-callers", func(b *testing.B) {
			w := benchWorld(b, c.onDisk)
			b.SetParallelism(16)
			var failed atomic.Bool
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := w.iss.Issue(b.Context(), request("")); err != nil {
						failed.Store(true)
					}
				}
			})
			if failed.Load() {
				b.Fatal("an issuance failed")
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
		})
	}
}

func benchWorld(b *testing.B, onDisk bool) *world {
	b.Helper()
	w := newWorld(b, onDisk)
	if onDisk {
		if err := w.db.Close(); err != nil {
			b.Fatal(err)
		}
		var err error
		if w.db, err = badger.Open(badger.Config{Dir: w.dir}); err != nil { // flushed, as in production
			b.Fatal(err)
		}
		w.reuse = true
		w.open()
	}
	if _, err := w.CredentialSigner(b.Context(), "acme", "EdDSA"); err != nil {
		b.Fatal(err)
	}
	return w
}
