package issuer_test

import (
	"crypto/rand"
	"math"
	"testing"

	"heartmark/issuer"
)

func permutation(t testing.TB, n uint64) *issuer.Permutation {
	t.Helper()
	key := make([]byte, issuer.PermutationKeySize)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	p, err := issuer.NewPermutation(key, n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPermutationIsBijection(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{2, 3, 4, 5, 7, 8, 9, 100, 1000, 1 << 12, 1<<12 + 1, 131071, issuer.MinListSize} {
		p := permutation(t, n)
		seen := make([]bool, n)
		for i := range n {
			v := p.At(i)
			if v >= n || seen[v] {
				t.Fatalf("n %d: At(%d) = %d, outside or twice", n, i, v)
			}
			seen[v] = true
		}
	}
}

func TestPermutationDependsOnKey(t *testing.T) {
	t.Parallel()
	a, b := permutation(t, issuer.MinListSize), permutation(t, issuer.MinListSize)
	same := 0
	for i := range uint64(1000) {
		if a.At(i) == b.At(i) {
			same++
		}
	}
	if same > 10 {
		t.Errorf("two keys agree on %d of 1000 positions", same)
	}
}

// Rank correlation of time and index (SEC-084), over several keys: none of them may reach 0.05.
func TestSEC_084_IndexOrderTellsNothing(t *testing.T) {
	t.Parallel()
	const n = 5000
	for range 5 {
		p := permutation(t, issuer.MinListSize)
		var sum float64
		for i := range uint64(n) {
			// Spearman's rho with the ranks of both sides scaled to -1..1; the index is uniform, so it is its own rank.
			x := 2*float64(i)/float64(n-1) - 1
			y := 2*float64(p.At(i))/float64(issuer.MinListSize-1) - 1
			sum += x * y
		}
		if rho := 3 * sum / n; math.Abs(rho) >= 0.05 {
			t.Errorf("correlation %.3f, want under 0.05", rho)
		}
	}
}

func TestPermutationBounds(t *testing.T) {
	t.Parallel()
	key := make([]byte, issuer.PermutationKeySize)
	for _, n := range []uint64{0, 1, 1<<40 + 1} {
		if _, err := issuer.NewPermutation(key, n); err == nil {
			t.Errorf("NewPermutation of %d succeeded", n)
		}
	}
	if _, err := issuer.NewPermutation(key[1:], 10); err == nil {
		t.Error("NewPermutation with a short key succeeded")
	}
}

func BenchmarkPermutation(b *testing.B) {
	p := permutation(b, issuer.MinListSize)
	var i uint64
	for b.Loop() {
		p.At(i % issuer.MinListSize)
		i++
	}
}
