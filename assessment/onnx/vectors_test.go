//go:build cgo

package onnx_test

import (
	"math"
	"slices"
	"sync"
	"testing"
)

// The vectors are those of the graph, alone or among others, and two texts of one meaning lie nearer than two of two.
func TestVectors(t *testing.T) {
	c := open(t, nil)
	in := conversation(6)
	together, err := c.Vectors(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range together {
		if len(v) != c.Width() || len(v) == 0 {
			t.Fatalf("input %d: vector of %d values, want %d", i, len(v), c.Width())
		}
		for _, x := range v {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				t.Fatalf("input %d: value %v", i, x)
			}
		}
	}
	var callers sync.WaitGroup
	for i := range in[:16] {
		callers.Go(func() {
			alone, err := c.Vectors(t.Context(), in[i:i+1])
			if err != nil {
				t.Error(err)
				return
			}
			if !slices.Equal(alone[0], together[i]) {
				t.Errorf("input %d: another vector alone than together", i)
			}
		})
	}
	callers.Wait()
	same, err := c.Vectors(t.Context(), conversation(1)[:4])
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(same[0], same[2]) || slices.Equal(same[0], same[1]) {
		t.Error("different inputs have equal vectors")
	}
}
