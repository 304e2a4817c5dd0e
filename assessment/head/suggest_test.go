package head_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"heartmark/assessment/head"
	"heartmark/assessment/model"
)

// drawn is a model of drawn weights; equal seeds give equal models.
func drawn(kind model.Kind, width, hidden, outputs int, seed uint64) *head.Model {
	draw := rand.New(rand.NewPCG(seed, 9))
	normal := func(n int) []float32 {
		if n == 0 {
			return nil
		}
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(draw.NormFloat64() / 4)
		}
		return out
	}
	inner := width
	if hidden > 0 {
		inner = hidden
	}
	n := &head.Network{
		Width: width, Hidden: hidden, Outputs: outputs, Mean: normal(width), Scale: normal(width),
		W1: normal(hidden * width), B1: normal(hidden), W2: normal(outputs * inner), B2: normal(outputs),
	}
	for i, s := range n.Scale {
		n.Scale[i] = float32(math.Abs(float64(s))) + 0.5
	}
	m := &head.Model{
		Name: "tone", Kind: kind, Encoder: head.EncoderRef{ID: "dei-m1", SHA256: sha('a'), Width: width}, DataSHA256: sha('b'),
		Calibration: head.Uncalibrated(kind, outputs), Created: created, Network: n,
	}
	for k := range outputs {
		m.Labels = append(m.Labels, "label "+string(rune('a'+k)))
	}
	for k := range m.Calibration.Scale {
		m.Calibration.Scale[k] = 0.7 + draw.Float64()
		m.Calibration.Shift[k] = draw.NormFloat64()
	}
	return m
}

func sha(c byte) string {
	s := make([]byte, 64)
	for i := range s {
		s[i] = c
	}
	return string(s)
}

func TestSuggestSpreads(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(1, 1))
	m := drawn(model.Softmax, 12, 0, 3, 1)
	// Ten different texts, each with nine near copies.
	var vectors [][]float32
	for range 10 {
		base := make([]float32, 12)
		for d := range base {
			base[d] = float32(draw.NormFloat64())
		}
		for range 10 {
			v := append([]float32(nil), base...)
			v[draw.IntN(12)] += 0.001
			vectors = append(vectors, v)
		}
	}
	found, err := head.Suggest(m, head.Candidates{Vectors: vectors}, 30)
	if err != nil || len(found) != 10 {
		t.Fatalf("%d suggestions, %v; want one of each of the ten", len(found), err)
	}
	seen := map[int]bool{}
	for _, s := range found {
		if seen[s.Row/10] {
			t.Errorf("row %d is a near copy of one that was named", s.Row)
		}
		seen[s.Row/10] = true
		if !(s.Entropy >= 0 && s.Entropy <= 1 && s.Margin >= 0 && s.Margin <= 1) || s.Distance < 0 || s.Distance > 2 {
			t.Errorf("suggestion %+v", s)
		}
	}
	again, err := head.Suggest(m, head.Candidates{Vectors: vectors}, 30)
	if err != nil || !reflect.DeepEqual(again, found) {
		t.Error("the second call names others")
	}
	// What is labelled already is not named.
	known := head.Candidates{Vectors: vectors, Known: [][]float32{vectors[3], vectors[47]}}
	if found, err = head.Suggest(m, known, 30); err != nil || len(found) != 8 {
		t.Errorf("%d suggestions beside two labelled texts, %v; want 8", len(found), err)
	}
}

func TestSuggestPrefersTheUncertain(t *testing.T) {
	t.Parallel()
	m := drawn(model.Sigmoid, 30, 0, 1, 2)
	m.Calibration = head.Uncalibrated(model.Sigmoid, 1)
	draw := rand.New(rand.NewPCG(2, 2))
	vectors := make([][]float32, 600)
	mean := 0.0
	for i := range vectors {
		vectors[i] = make([]float32, 30)
		for d := range vectors[i] {
			vectors[i][d] = float32(2 * draw.NormFloat64())
		}
	}
	all, err := head.Suggest(m, head.Candidates{Vectors: vectors}, len(vectors))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		mean += s.Entropy / float64(len(all))
	}
	few, err := head.Suggest(m, head.Candidates{Vectors: vectors}, 20)
	if err != nil || len(few) != 20 {
		t.Fatal(len(few), err)
	}
	named := 0.0
	for _, s := range few {
		named += s.Entropy / 20
	}
	if named < mean+0.1 {
		t.Errorf("mean entropy of the named %.2f, of all %.2f", named, mean)
	}
	if _, err := head.Suggest(m, head.Candidates{Vectors: [][]float32{{1}}}, 1); !errors.Is(err, head.ErrWeights) {
		t.Errorf("vector of another width: %v, want ErrWeights", err)
	}
	if none, err := head.Suggest(m, head.Candidates{}, 5); err != nil || len(none) != 0 {
		t.Errorf("no candidates: %v, %v", none, err)
	}
	// The same words are named once, however far their vectors lie apart.
	texts := []string{"Where is it?", "where is it", "WHERE IS IT!!", "Thank you"}
	if found, err := head.Suggest(m, head.Candidates{Vectors: vectors[:4], Texts: texts}, 4); err != nil || len(found) != 2 {
		t.Errorf("%d of two different texts are named, %v", len(found), err)
	}
	if _, err := head.Suggest(m, head.Candidates{Vectors: vectors[:4], Texts: texts[:2]}, 4); !errors.Is(err, head.ErrData) {
		t.Errorf("two texts for four vectors: %v, want ErrData", err)
	}
	if _, err := head.Suggest(m, head.Candidates{}, -1); err == nil {
		t.Error("-1 suggestions are taken")
	}
}
