package metric_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"heartmark/assessment/evaluate/metric"
)

func TestAUC(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		positive []bool
		score    []float64
		want     float64
	}{
		{"all in order", []bool{false, false, true}, []float64{1, 2, 3}, 1},
		{"all reversed", []bool{true, false, false}, []float64{1, 2, 3}, 0},
		{"one tie of two pairs", []bool{true, false, false}, []float64{2, 2, 1}, 0.75},
		{"no difference", []bool{true, false, true}, []float64{5, 5, 5}, 0.5},
		{"one kind only", []bool{true, true}, []float64{1, 2}, math.NaN()},
	} {
		if got := metric.AUC(test.positive, test.score); !near(got, test.want) && !(math.IsNaN(got) && math.IsNaN(test.want)) {
			t.Errorf("%s: AUC = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestCorrelations(t *testing.T) {
	t.Parallel()
	a, b := []float64{1, 2, 3, 4, 5}, []float64{2, 1, 4, 3, 5}
	if got := metric.Pearson(a, b); !near(got, 0.8) {
		t.Errorf("Pearson = %v, want 0.8", got)
	}
	if got := metric.Spearman([]float64{1, 2, 3, 40, 500}, b); !near(got, 0.8) {
		t.Errorf("Spearman = %v, want 0.8: only the order counts", got)
	}
	if got := metric.Spearman([]float64{1, 1, 2}, []float64{1, 2, 3}); !near(got, math.Sqrt(3)/2) {
		t.Errorf("Spearman with a tie = %v, want %v", got, math.Sqrt(3)/2)
	}
	if got := metric.Pearson(a, []float64{1, 1, 1, 1, 1}); !math.IsNaN(got) {
		t.Errorf("Pearson with a constant = %v, want NaN", got)
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	values := []float64{4, 1, 3, 2}
	if m, d := metric.Mean(values), metric.Deviation(values); m != 2.5 || !near(d, math.Sqrt(5./3)) {
		t.Errorf("Mean, Deviation = %v, %v", m, d)
	}
	for q, want := range map[float64]float64{0: 1, 1: 4, 0.5: 2.5, 0.1: 1.3} {
		if got := metric.Quantile(values, q); !near(got, want) {
			t.Errorf("Quantile %v = %v, want %v", q, got, want)
		}
	}
	if values[0] != 4 {
		t.Error("Quantile sorted what it was given")
	}
}

func TestECE(t *testing.T) {
	t.Parallel()
	confidence := []float64{0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 1}
	right := []bool{true, false, false, false, true, true, false}
	ece, bins := metric.ECE(confidence, right, 2)
	want := 4./7*math.Abs(0.1-0.25) + 3./7*math.Abs(2.8/3-2./3)
	if !near(ece, want) || bins[0].Rows != 4 || bins[1].Rows != 3 || !near(bins[1].Right, 2./3) {
		t.Errorf("ECE = %v, %+v, want %v", ece, bins, want)
	}
	if ece, _ := metric.ECE(nil, nil, 15); ece != 0 {
		t.Errorf("ECE of nothing = %v", ece)
	}
}

// Of a perfectly calibrated source the error must go to zero.
func TestECEOfCalibratedSource(t *testing.T) {
	t.Parallel()
	pick := rand.New(rand.NewPCG(3, 4))
	confidence, right := make([]float64, 40_000), make([]bool, 40_000)
	for i := range confidence {
		confidence[i] = pick.Float64()
		right[i] = pick.Float64() < confidence[i]
	}
	if ece, _ := metric.ECE(confidence, right, 15); ece > 0.02 {
		t.Errorf("ECE = %v, want under 0.02", ece)
	}
}

// The interval must cover the truth about nine times out of ten, and be the same for the same seed.
func TestBootstrapCovers(t *testing.T) {
	t.Parallel()
	covered := 0
	const trials = 200
	for trial := range trials {
		pick := rand.New(rand.NewPCG(uint64(trial), 1))
		values := make([]float64, 60)
		for i := range values {
			values[i] = pick.NormFloat64()
		}
		mean := func(at []int) float64 { return metric.Mean(metric.Take(values, at)) }
		interval := metric.Bootstrap(len(values), 200, 7, mean)
		if interval != metric.Bootstrap(len(values), 200, 7, mean) {
			t.Fatal("the same seed gives another interval")
		}
		if interval[0] <= 0 && 0 <= interval[1] {
			covered++
		}
	}
	if share := float64(covered) / trials; share < 0.82 || share > 0.96 {
		t.Errorf("a 90 %% interval covers the truth in %v of the trials", share)
	}
}

// Rows that are copies of one another carry no information: drawn by group the interval is as wide as without copies.
func TestBootstrapGroups(t *testing.T) {
	t.Parallel()
	pick := rand.New(rand.NewPCG(5, 6))
	var values []float64
	var groups [][]int
	for range 40 {
		v := pick.NormFloat64()
		var g []int
		for range 5 {
			g = append(g, len(values))
			values = append(values, v)
		}
		groups = append(groups, g)
	}
	mean := func(at []int) float64 { return metric.Mean(metric.Take(values, at)) }
	alone, together := metric.Bootstrap(len(values), 400, 1, mean), metric.BootstrapGroups(groups, 400, 1, mean)
	if ratio := (together[1] - together[0]) / (alone[1] - alone[0]); ratio < 1.7 || ratio > 2.9 {
		t.Errorf("interval by groups is %v times as wide, want about the root of 5", ratio)
	}
	if none := metric.Bootstrap(3, 10, 1, func([]int) float64 { return math.NaN() }); !math.IsNaN(none[0]) {
		t.Errorf("interval of an undefined score = %v, want NaN", none)
	}
}
