package dataintegrity_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"math/rand/v2"
	"testing"

	"heartmark/internal/proof/dataintegrity"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// sameAnswer fails when the check by tables and the standard library differ.
func sameAnswer(t *testing.T, what string, key ed25519.PublicKey, data, signature []byte) (valid bool) {
	t.Helper()
	want := ed25519.Verify(key, data, signature)
	got, _ := dataintegrity.ExpandedVerify(key, data, signature)
	if got != want {
		t.Errorf("%s: key %x, data %x, signature %x: by tables %v, by the standard library %v", what, key, data, signature, got, want)
	}
	return want
}

// strangePoints are the encodings at which implementations part: the points of small order, with either sign, and every
// encoding whose y is not below the field's prime.
func strangePoints() [][]byte {
	var points [][]byte
	for _, t := range curve.EIGHT_TORSION {
		points = append(points, compress(t))
	}
	for i := range byte(19) {
		p := bytes.Repeat([]byte{0xFF}, 32)
		p[0], p[31] = 0xED+i, 0x7F
		points = append(points, p)
	}
	for _, small := range []byte{0, 1, 2, 3} {
		p := make([]byte, 32)
		p[0] = small
		points = append(points, p)
	}
	for _, p := range points[:len(points):len(points)] {
		other := bytes.Clone(p)
		other[31] ^= 0x80
		points = append(points, other)
	}
	return points
}

func compress(p *curve.EdwardsPoint) []byte {
	var c curve.CompressedEdwardsY
	c.SetEdwardsPoint(p)
	return bytes.Clone(c[:])
}

// strangeScalars are encodings of S: small ones, those around the order of the group, and beyond.
func strangeScalars() [][]byte {
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	var list [][]byte
	for _, first := range []byte{0, 1, 2} {
		s := make([]byte, 32)
		s[0] = first
		list = append(list, s)
	}
	for _, first := range []byte{0xec, 0xed, 0xee} {
		s := bytes.Clone(order)
		s[0] = first
		list = append(list, s)
	}
	for _, last := range []byte{0x1f, 0x20, 0x7f, 0x80, 0xff} {
		list = append(list, append(bytes.Repeat([]byte{0xff}, 31), last))
	}
	return list
}

// The check by tables answers as the standard library for keys and signatures made of strange points: which of them
// verify depends on the message, so that each is tried with several.
func TestSEC_042_TablesAnswerAsTheStandardLibraryOnStrangePoints(t *testing.T) {
	t.Parallel()
	points, scalars := strangePoints(), strangeScalars()
	valid, all := 0, 0
	for _, a := range points {
		for _, r := range points {
			for _, s := range scalars {
				for m := range byte(3) {
					all++
					if sameAnswer(t, "strange points", a, []byte{m}, append(bytes.Clone(r), s...)) {
						valid++
					}
				}
			}
		}
	}
	if valid == 0 || valid == all {
		t.Errorf("%d of %d verify", valid, all)
	}
	t.Logf("%d of %d verify", valid, all)
}

// Keys and nonces with a part of small order: the equation with cofactor would take all of them, the one without only some.
func TestTablesAnswerAsTheStandardLibraryOnMixedPoints(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	valid, all := 0, 0
	for range 20 {
		a, r := randomScalar(t, random), randomScalar(t, random)
		for i, torsionA := range curve.EIGHT_TORSION {
			for j, torsionR := range curve.EIGHT_TORSION {
				all++
				message := fmt.Appendf(nil, "%d %d %d", i, j, random.Uint64())
				key, encodedR := compress(plus(a, torsionA)), compress(plus(r, torsionR))
				digest := sha512.Sum512(bytes.Join([][]byte{encodedR, key, message}, nil))
				k, err := scalar.NewFromBytesModOrderWide(digest[:])
				if err != nil {
					t.Fatal(err)
				}
				s := scalar.New().Add(scalar.New().Mul(k, a), r)
				encodedS := make([]byte, 32)
				if err := s.ToBytes(encodedS); err != nil {
					t.Fatal(err)
				}
				if sameAnswer(t, "mixed points", key, message, append(encodedR, encodedS...)) {
					valid++
				}
			}
		}
	}
	if valid == 0 || valid == all {
		t.Errorf("%d of %d verify", valid, all)
	}
	t.Logf("%d of %d verify", valid, all)
}

func randomScalar(t testing.TB, random *rand.Rand) *scalar.Scalar {
	t.Helper()
	wide := make([]byte, 64)
	for i := range wide {
		wide[i] = byte(random.Uint32())
	}
	s, err := scalar.NewFromBytesModOrderWide(wide)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plus(s *scalar.Scalar, torsion *curve.EdwardsPoint) *curve.EdwardsPoint {
	p := curve.NewEdwardsPoint().MulBasepoint(curve.ED25519_BASEPOINT_TABLE, s)
	return p.Add(p, torsion)
}

// FuzzEd25519 compares the check by tables with the standard library: on the input as it is, and on a signature made by
// the key of seed and changed where flip says.
func FuzzEd25519(f *testing.F) {
	for i, p := range strangePoints() {
		f.Add(p, append(bytes.Clone(p), strangeScalars()[i%11]...), []byte("m"), uint16(i))
	}
	f.Fuzz(func(t *testing.T, key, signature, data []byte, flip uint16) {
		if len(key) != ed25519.PublicKeySize {
			return
		}
		sameAnswer(t, "as it is", key, data, signature)
		private := ed25519.NewKeyFromSeed(key)
		public, good := private.Public().(ed25519.PublicKey), ed25519.Sign(private, data)
		if !sameAnswer(t, "sound", public, data, good) {
			t.Fatal("a sound signature does not verify")
		}
		good[int(flip>>3)%len(good)] ^= 1 << (flip & 7)
		if sameAnswer(t, "changed", public, data, good) {
			t.Fatal("a changed signature verifies")
		}
		if len(signature) == ed25519.SignatureSize {
			sameAnswer(t, "another's", public, data, signature)
		}
	})
}

// The number of keys kept is bounded, and a signature that does not verify leaves none behind.
func TestExpandedKeysAreBounded(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	doc := map[string]any{"@context": []any{dataintegrity.ContextV2}, "type": []any{"VerifiableCredential"}, "issuer": "did:example:a", "credentialSubject": map[string]any{"id": "did:example:b"}}
	for i := range dataintegrity.MaxExpanded + 20 {
		key := ed25519.NewKeyFromSeed(fmt.Appendf(nil, "%032d", i))
		signed := sign(t, p, doc, assertion(""), key)
		proof := firstProof(t, signed)
		if err := p.Check(signed, proof, testKey(1).Public()); err == nil {
			t.Fatal("a proof verifies by another key")
		}
		if i == 0 && p.ExpandedCount() != 0 {
			t.Fatal("a key that signed nothing is kept")
		}
		for range 2 {
			if err := p.Check(signed, proof, key.Public()); err != nil {
				t.Fatal(err)
			}
		}
		signed["issuer"] = "did:example:c"
		if err := p.Check(signed, proof, key.Public()); err == nil {
			t.Fatal("a changed document verifies by a key that is kept")
		}
	}
	if n := p.ExpandedCount(); n != dataintegrity.MaxExpanded {
		t.Errorf("%d keys are kept, want %d", n, dataintegrity.MaxExpanded)
	}
	standard := newProcessor(t).WithStandardEd25519()
	signed := sign(t, p, doc, assertion(""), testKey(1))
	for range 2 {
		if err := standard.Check(signed, firstProof(t, signed), testKey(1).Public()); err != nil {
			t.Errorf("with the standard library alone: %v", err)
		}
	}
}
