package baseline_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"heartmark/assessment/evaluate/baseline"
)

func TestFitSVMAgainstReference(t *testing.T) {
	t.Parallel()
	x := dense()
	y := threeClasses(x)
	exact := baseline.Options{C: 0.1, Tolerance: 1e-9, MaxIterations: 100000}
	balanced := exact
	balanced.Balanced = true
	for _, c := range []struct {
		name    string
		y       []int
		classes int
		o       baseline.Options
		want    []float64
	}{
		{"binary", oneClass(y, 1), 2, exact, []float64{-2.96733509, 0.30167156, -1.31651002, -0.81811626}},
		{"binary balanced", oneClass(y, 1), 2, balanced, []float64{-3.04274616, 0.48000577, -1.00127993, -0.67697391}},
		{"three classes", y, 3, exact, []float64{-0.19085928, -2.96733509, 0.43702664, -0.39291827, 0.30167156, -0.73040285}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := baseline.FitSVM(x, c.y, c.classes, c.o)
			var got []float64
			for i := 0; len(got) < len(c.want); i++ {
				d := m.Decision(x[i])
				if c.classes == 2 {
					if d[0] != -d[1] {
						t.Errorf("Decision = %v, want opposite margins", d)
					}
					d = d[1:]
				}
				got = append(got, d...)
			}
			near(t, "margins", got, c.want, 1e-5)
		})
	}
}

// TestFitSVMOptimality checks the KKT conditions where they can be seen from outside: with the squared hinge each α is
// 2C max(0, 1-margin), and w must be the sum of α y x. Shrinking that loses a row breaks this.
func TestFitSVMOptimality(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 3))
	x, y := make([][]float32, 400), make([]int, 400)
	for i := range x { // nearly parted and correlated: rows leave early that must come back
		y[i] = i % 3
		common := random.NormFloat64()
		for range 20 {
			x[i] = append(x[i], float32(common+random.NormFloat64()))
		}
		x[i][y[i]] += 2
	}
	const c = 5
	m := baseline.FitSVM(x, y, 3, baseline.Options{C: c, Tolerance: 1e-8, MaxIterations: 100000, Seed: 5})
	for class := range 3 {
		w := m.Weights(class)
		sum := make([]float64, len(w))
		atBound := 0
		for i, row := range x {
			sign := float64(2*oneClass(y, class)[i] - 1)
			alpha := 2 * c * math.Max(0, 1-sign*m.Decision(row)[class])
			if alpha == 0 {
				atBound++
			}
			for f, v := range m.Standardised(row) {
				sum[f] += alpha * sign * float64(v)
			}
			sum[len(w)-1] += alpha * sign
		}
		if atBound == 0 || atBound == len(x) {
			t.Errorf("class %d: %d of %d rows at the bound; the case tests nothing", class, atBound, len(x))
		}
		near(t, "w", w, sum, 1e-4)
	}
}

func TestFitSVMSeparable(t *testing.T) {
	t.Parallel()
	var x [][]float32
	var y []int
	for i := range 40 {
		row := []float32{float32(i%4) / 100, 1000 + float32(mixed(i, 2, 11)), 7} // tiny, shifted, constant
		x, y = append(x, row), append(y, i%4/2)
	}
	m := baseline.FitSVM(x, y, 2, baseline.Options{C: 1})
	for i, row := range x {
		if got := m.Predict(row); got != y[i] {
			t.Errorf("Predict(%v) = %d, want %d", row, got, y[i])
		}
	}
	if got := baseline.FitSVM(nil, nil, 3, baseline.Options{}).Decision([]float32{1}); !reflect.DeepEqual(got, []float64{0, 0, 0}) {
		t.Errorf("Decision of no rows = %v, want zeros", got)
	}
}

func TestFitSVMDeterminism(t *testing.T) {
	t.Parallel()
	x := dense()
	y := threeClasses(x)
	fit := func(seed uint64, workers int) *baseline.DenseLinear {
		return baseline.FitSVM(x, y, 3, baseline.Options{C: 1, Seed: seed, Workers: workers, MaxIterations: 3})
	}
	if !reflect.DeepEqual(fit(1, 1), fit(1, 3)) {
		t.Error("three workers give another model than one")
	}
	if reflect.DeepEqual(fit(1, 1), fit(2, 1)) {
		t.Error("the seed has no influence on an unfinished fit")
	}
}
