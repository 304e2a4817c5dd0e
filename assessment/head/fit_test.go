package head_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"heartmark/assessment/head"
	"heartmark/assessment/model"
)

func TestGradients(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(7, 7))
	normal := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = draw.NormFloat64()
		}
		return out
	}
	for _, kind := range []model.Kind{model.Softmax, model.Sigmoid} {
		for _, hidden := range []int{0, 6} {
			for _, masked := range []bool{false, true} {
				var mask []float64
				if masked && hidden > 0 {
					mask = []float64{2, 0, 2, 2, 0, 2}
				}
				const width, outputs = 9, 4
				got, want := head.GradientCheck(kind, width, hidden, outputs, normal(head.Size(width, hidden, outputs)), normal(width),
					mask, 2, []bool{true, false, true, false}, []float64{1, 2, 0.5, 3})
				for i := range want {
					if math.Abs(got[i]-want[i]) > 1e-6*(1+math.Abs(want[i])) {
						t.Errorf("%s, %d hidden, mask %v: gradient %d is %g, differences say %g", kind, hidden, masked, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// cloud draws vectors of labels around centres; noise of 1 leaves them apart, of 8 hardly.
func cloud(n, width, labels int, noise float64, seed uint64) ([][]float32, []head.Row) {
	draw := rand.New(rand.NewPCG(seed, 1))
	centres := make([][]float64, labels)
	for k := range centres {
		centres[k] = make([]float64, width)
		for d := range centres[k] {
			centres[k][d] = draw.NormFloat64()
		}
	}
	vectors, rows := make([][]float32, n), make([]head.Row, n)
	for i := range vectors {
		k := i % labels
		vectors[i] = make([]float32, width)
		for d := range vectors[i] {
			vectors[i][d] = float32(100 + 3*(centres[k][d]+noise*draw.NormFloat64())) // far from standardised
		}
		rows[i] = head.Row{Line: i + 1, Text: fmt.Sprintf("text %d", i), Labels: []string{string(rune('a' + k))}}
	}
	return vectors, rows
}

func partsOf(t *testing.T, rows []head.Row, targets head.Targets) head.Parts {
	t.Helper()
	parts, err := head.Split(rows, targets, head.SplitOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func fit(t *testing.T, vectors [][]float32, targets head.Targets, parts head.Parts, o head.FitOptions) (*head.Network, head.Training) {
	t.Helper()
	n, training, err := head.Fit(t.Context(), vectors, targets, parts, o)
	if err != nil {
		t.Fatal(err)
	}
	return n, training
}

func right(n *head.Network, vectors [][]float32, targets head.Targets, at []int) float64 {
	hit := 0
	for _, i := range at {
		logits := n.Forward(vectors[i])
		best := 0
		for k := range logits {
			if logits[k] > logits[best] {
				best = k
			}
		}
		if best == targets.Class[i] {
			hit++
		}
	}
	return float64(hit) / float64(len(at))
}

func TestFitIsDeterministic(t *testing.T) {
	t.Parallel()
	vectors, rows := cloud(300, 20, 3, 2, 1)
	targets := label(t, rows, "")
	parts := partsOf(t, rows, targets)
	o := head.FitOptions{Hidden: 8, Dropout: 0.2, Seed: 5, Workers: 1, Balanced: true}
	first, training := fit(t, vectors, targets, parts, o)
	o.Workers = 4
	second, again := fit(t, vectors, targets, parts, o)
	if !reflect.DeepEqual(first, second) || !reflect.DeepEqual(training, again) {
		t.Error("one and four workers give other weights")
	}
	o.Seed = 6
	if third, _ := fit(t, vectors, targets, parts, o); reflect.DeepEqual(first, third) {
		t.Error("another seed gives the same weights")
	}
}

func TestFitLearns(t *testing.T) {
	t.Parallel()
	vectors, rows := cloud(600, 30, 4, 1, 2)
	targets := label(t, rows, "")
	parts := partsOf(t, rows, targets)
	for _, hidden := range []int{0, 16} {
		n, _ := fit(t, vectors, targets, parts, head.FitOptions{Hidden: hidden, Seed: 1})
		if share := right(n, vectors, targets, parts.Test); share < 0.95 {
			t.Errorf("%d hidden units: %.2f of the test rows are right, want 0.95", hidden, share)
		}
	}
}

// A hidden layer learns what no linear head can: labels that lie crosswise.
func TestHiddenUnitsLearnCrosswiseLabels(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(3, 3))
	vectors, rows := make([][]float32, 600), make([]head.Row, 600)
	for i := range vectors {
		x, y := draw.NormFloat64(), draw.NormFloat64()
		vectors[i] = []float32{float32(x), float32(y)}
		rows[i] = head.Row{Text: fmt.Sprint(i), Labels: []string{map[bool]string{true: "same", false: "other"}[x*y > 0]}}
	}
	targets := label(t, rows, "")
	parts := partsOf(t, rows, targets)
	o := head.FitOptions{Seed: 1, L2: []float64{1e-4}, Rate: 0.01, Epochs: 200, Patience: 30}
	linear, _ := fit(t, vectors, targets, parts, o)
	o.Hidden = 16
	curved, _ := fit(t, vectors, targets, parts, o)
	if a, b := right(linear, vectors, targets, parts.Test), right(curved, vectors, targets, parts.Test); a > 0.7 || b < 0.9 {
		t.Errorf("linear %.2f, with hidden units %.2f right; want at most 0.7 and at least 0.9", a, b)
	}
}

func TestFitStopsEarlyAndKeepsTheBest(t *testing.T) {
	t.Parallel()
	vectors, rows := cloud(150, 200, 2, 8, 4) // more dimensions than rows: it learns the training rows by heart
	targets := label(t, rows, "")
	parts := partsOf(t, rows, targets)
	n, training := fit(t, vectors, targets, parts, head.FitOptions{Hidden: 16, L2: []float64{0, 1}, Epochs: 200, Patience: 3, Seed: 1, Rate: 0.01})
	for _, trial := range training.Trials {
		if len(trial.ValidationLoss) != trial.Epochs || len(trial.TrainLoss) != trial.Epochs {
			t.Fatalf("%d epochs, %d losses", trial.Epochs, len(trial.ValidationLoss))
		}
		for e, loss := range trial.ValidationLoss {
			if loss < trial.ValidationLoss[trial.Best-1] {
				t.Errorf("decay %g: epoch %d has a lower loss than the kept %d", trial.L2, e+1, trial.Best)
			}
		}
		if trial.L2 == 0 && (trial.Epochs == 200 || trial.Epochs != trial.Best+3) {
			t.Errorf("decay 0: %d epochs, best %d, patience 3", trial.Epochs, trial.Best)
		}
	}
	best := training.Trials[training.Chosen]
	for _, trial := range training.Trials {
		if trial.ValidationLoss[trial.Best-1] < best.ValidationLoss[best.Best-1] {
			t.Errorf("decay %g was chosen over %g, which has a lower loss", best.L2, trial.L2)
		}
	}
	// The weights that are kept are those of the best epoch: they give its loss.
	sum := 0.0
	for _, i := range parts.Validation {
		logits, total := n.Forward(vectors[i]), 0.0
		for _, z := range logits {
			total += math.Exp(float64(z))
		}
		sum += math.Log(total) - float64(logits[targets.Class[i]])
	}
	if loss, want := sum/float64(len(parts.Validation)), best.ValidationLoss[best.Best-1]; math.Abs(loss-want) > 1e-4 {
		t.Errorf("the kept weights have validation loss %g, the report says %g", loss, want)
	}
}

func TestClassWeightsFindRareLabels(t *testing.T) {
	t.Parallel()
	vectors, rows := cloud(800, 10, 2, 1.6, 5)
	var x [][]float32
	var kept []head.Row
	for i, r := range rows {
		if r.Labels[0] == "a" || i%40 == 1 {
			x, kept = append(x, vectors[i]), append(kept, r)
		}
	}
	targets := label(t, kept, "")
	parts := partsOf(t, kept, targets)
	recall := func(balanced bool) float64 {
		n, _ := fit(t, x, targets, parts, head.FitOptions{Seed: 1, Balanced: balanced})
		hit, all := 0.0, 0.0
		for i := range kept {
			if targets.Class[i] == 1 {
				all++
				if z := n.Forward(x[i]); z[1] > z[0] {
					hit++
				}
			}
		}
		return hit / all
	}
	if plain, weighed := recall(false), recall(true); weighed < plain {
		t.Errorf("recall of the rare label: %.2f weighed, %.2f plain", weighed, plain)
	}
}

func TestFitRefuses(t *testing.T) {
	t.Parallel()
	vectors, rows := cloud(60, 4, 2, 1, 6)
	targets := label(t, rows, "")
	parts := partsOf(t, rows, targets)
	try := func(x [][]float32, o head.FitOptions) error {
		_, _, err := head.Fit(t.Context(), x, targets, parts, o)
		return err
	}
	for _, o := range []head.FitOptions{{Hidden: -1}, {Epochs: -1}, {Rate: 2}, {Dropout: 1}, {L2: []float64{-1}}, {L2: []float64{math.NaN()}}, {L2: []float64{}}, {Batch: -1}} {
		if try(vectors, o) == nil {
			t.Errorf("options %+v are taken", o)
		}
	}
	if err := try(vectors[:10], head.FitOptions{}); !errors.Is(err, head.ErrData) {
		t.Errorf("too few vectors: %v, want ErrData", err)
	}
	bent := append([][]float32{{1, 2}}, vectors[1:]...)
	if err := try(bent, head.FitOptions{}); !errors.Is(err, head.ErrData) {
		t.Errorf("vectors of two widths: %v, want ErrData", err)
	}
	broken := append([][]float32{{1, 2, 3, float32(math.NaN())}}, vectors[1:]...)
	if err := try(broken, head.FitOptions{}); !errors.Is(err, head.ErrWeights) {
		t.Errorf("a vector with NaN: %v, want ErrWeights", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := head.Fit(ctx, vectors, targets, parts, head.FitOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v, want Canceled", err)
	}
	// A dimension that never varies in training does not blow up a new text.
	for i := range vectors {
		vectors[i][0] = 7
	}
	n, _ := fit(t, vectors, targets, parts, head.FitOptions{})
	if z := n.Forward([]float32{1e6, 100, 100, 100}); math.Abs(float64(z[0])) > 100 {
		t.Errorf("logits %v for a value where training had one only", z)
	}
}
