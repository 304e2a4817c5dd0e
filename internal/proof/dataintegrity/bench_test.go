package dataintegrity_test

import (
	"crypto/ed25519"
	"testing"

	"heartmark/internal/proof/dataintegrity"
)

func BenchmarkRawEd25519Sign(b *testing.B) {
	key, data := testKey(1), make([]byte, 64)
	for b.Loop() {
		ed25519.Sign(key, data)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}

func BenchmarkRawEd25519Verify(b *testing.B) {
	key, data := testKey(1), make([]byte, 64)
	signature := ed25519.Sign(key, data)
	public := key.Public().(ed25519.PublicKey)
	for b.Loop() {
		ed25519.Verify(public, data, signature)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}

func BenchmarkSign(b *testing.B) {
	for _, suite := range []string{dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022} {
		b.Run(suite, func(b *testing.B) {
			p, doc, key := newProcessor(b), sample(b), testKey(1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Sign(doc, assertion(suite), key); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
		})
	}
}

// BenchmarkSmall is BenchmarkSign and BenchmarkCheck for a credential of one dimension.
func BenchmarkSmall(b *testing.B) {
	p, key := newProcessor(b), testKey(1)
	doc := small(b)
	signed := sign(b, p, doc, assertion(""), key)
	proof, public := firstProof(b, signed), key.Public()
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Sign(doc, assertion(""), key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Check(signed, proof, public); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, suite := range []string{dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022} {
		b.Run(suite, func(b *testing.B) {
			p, key := newProcessor(b), testKey(1)
			doc := sign(b, p, sample(b), assertion(suite), key)
			proof, public := firstProof(b, doc), key.Public()
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Check(doc, proof, public); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
		})
	}
}
