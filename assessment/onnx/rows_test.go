package onnx

import (
	"slices"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/model"
)

func TestBatchesKeepOrderAndLimits(t *testing.T) {
	t.Parallel()
	var rows []row
	for i := range 500 {
		rows = append(rows, row{input: i, ids: make([]int64, 2+(i*7)%198)})
	}
	seen := make([]bool, len(rows))
	for _, b := range batches(rows) {
		if len(b.rows) > MaxBatch || len(b.rows)*b.length > max(tokensPerRun, b.length) {
			t.Errorf("batch of %d rows of length %d", len(b.rows), b.length)
		}
		if !slices.IsSortedFunc(b.rows, func(a, b row) int { return a.input - b.input }) {
			t.Error("rows of a batch are not in the order of the inputs")
		}
		for _, r := range b.rows {
			if len(r.ids) > b.length || seen[r.input] {
				t.Errorf("row %d of %d ids in bucket %d, seen %v", r.input, len(r.ids), b.length, seen[r.input])
			}
			seen[r.input] = true
		}
		ids, mask := b.tensors()
		if len(ids) != len(b.rows)*b.length || len(mask) != len(ids) {
			t.Errorf("tensors of %d and %d values for %d rows of %d", len(ids), len(mask), len(b.rows), b.length)
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Errorf("row %d is in no batch", i)
	}
}

func TestMergeTakesTheMoreHostileView(t *testing.T) {
	t.Parallel()
	heads := []model.Head{{Name: assessment.HeadHostility}, {Name: assessment.HeadDistress}}
	for _, order := range [][]bool{{false, true}, {true, false}} {
		got := assessment.Scores{}
		for _, folded := range order {
			values := [][]float64{{0.9, 0.1}, {0.2}}
			if folded {
				values = [][]float64{{0.3, 0.7}, {0.8}}
			}
			merge(got, row{folded: folded}, heads, values)
		}
		if got[assessment.HeadHostility][0] != 0.3 || got[assessment.HeadDistress][0] != 0.2 {
			t.Errorf("merge = %v, want hostility of the second view and distress of the first", got)
		}
	}
}
