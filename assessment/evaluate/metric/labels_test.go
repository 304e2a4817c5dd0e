package metric_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"heartmark/assessment/evaluate/metric"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// Three classes, ten rows, counted by hand: class 0 hit 3 of 4 with 5 answers, class 1 hit 2 of 3 with 3, class 2 hit 1 of 3
// with 2.
func handMade() (want, got []int) {
	return []int{0, 0, 0, 0, 1, 1, 1, 2, 2, 2}, []int{0, 0, 0, 1, 1, 1, 2, 0, 0, 2}
}

func TestClassMeasures(t *testing.T) {
	t.Parallel()
	want, got := handMade()
	f1 := []float64{2 * 3. / (4 + 5), 2 * 2. / (3 + 3), 2 * 1. / (3 + 2)}
	if v := metric.MacroF1(want, got, 3); !near(v, (f1[0]+f1[1]+f1[2])/3) {
		t.Errorf("MacroF1 = %v, want the mean of %v", v, f1)
	}
	if v := metric.MacroF1(want, got, 5); !near(v, (f1[0]+f1[1]+f1[2])/3) {
		t.Errorf("MacroF1 with two classes that never occur = %v, want the same", v)
	}
	if v := metric.WeightedF1(want, got, 3); !near(v, (4*f1[0]+3*f1[1]+3*f1[2])/10) {
		t.Errorf("WeightedF1 = %v", v)
	}
	if v := metric.Accuracy(want, got); !near(v, 0.6) {
		t.Errorf("Accuracy = %v, want 0.6", v)
	}
	confusion := metric.Confusion(want, got, 3)
	for i, row := range [][]int{{3, 1, 0}, {0, 2, 1}, {2, 0, 1}} {
		if !slices.Equal(confusion[i], row) {
			t.Errorf("Confusion row %d = %v, want %v", i, confusion[i], row)
		}
	}
	report := metric.Report(want, got, []string{"a", "b", "c"})
	if first := (metric.ClassReport{Label: "a", Precision: 0.6, Recall: 0.75, F1: f1[0], Support: 4}); report[0] != first {
		t.Errorf("Report of a = %+v, want %+v", report[0], first)
	}
	macro, weighted := report[3], report[4]
	if macro.Label != metric.LabelMacro || !near(macro.F1, metric.MacroF1(want, got, 3)) || macro.Support != 10 || !near(macro.Precision, (0.6+2./3+0.5)/3) {
		t.Errorf("macro line = %+v", macro)
	}
	if weighted.Label != metric.LabelWeighted || !near(weighted.F1, metric.WeightedF1(want, got, 3)) || !near(weighted.Recall, 0.6) {
		t.Errorf("weighted line = %+v", weighted)
	}
}

func TestLabelsOutsideAreNeverRight(t *testing.T) {
	t.Parallel()
	if v := metric.MacroF1([]int{0, -1}, []int{0, -1}, 1); !near(v, 1) {
		t.Errorf("MacroF1 = %v, want 1: the second row has no class", v)
	}
	if v := metric.MacroF1(nil, nil, 3); v != 0 {
		t.Errorf("MacroF1 of no rows = %v, want 0", v)
	}
}

func TestMultiLabelF1(t *testing.T) {
	t.Parallel()
	want := [][]bool{{true, false, false}, {true, true, false}, {false, true, false}, {false, false, false}}
	got := [][]bool{{true, true, false}, {true, false, false}, {false, true, false}, {true, false, false}}
	macro, each := metric.MultiLabelF1(want, got)
	if !near(each[0], 0.8) || !near(each[1], 0.5) || each[2] != 0 || !near(macro, 1.3/3) {
		t.Errorf("MultiLabelF1 = %v, %v, want 1.3/3 of 0.8, 0.5 and 0 for the label that never occurs", macro, each)
	}
	report := metric.MultiLabelReport(want, got, []string{"a", "b", "c"})
	if !near(report[0].Precision, 2./3) || report[0].Recall != 1 || report[1].Support != 2 {
		t.Errorf("MultiLabelReport = %+v", report)
	}
}

func TestThreshold(t *testing.T) {
	t.Parallel()
	positive := []bool{true, true, false, false, false}
	score := []float64{0.35, 0.3, 0.25, 0.1, 0.05}
	if cut := metric.Threshold(positive, score, metric.Grid(0.05, 0.95, 19), 1); !near(cut, 0.3) {
		t.Errorf("Threshold = %v, want 0.3, the first cut that parts them", cut)
	}
	if cut := metric.Threshold([]bool{false, false}, []float64{0.1, 0.2}, metric.Grid(0.05, 0.95, 19), 1); !math.IsNaN(cut) {
		t.Errorf("Threshold without a positive = %v, want NaN", cut)
	}
}

// On few rows the threshold is nearer to that of many rows of the same kind than the best cut on the few is.
func TestThresholdOfFewRows(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 5))
	draw := func(n int) (positive []bool, score []float64) {
		for range n {
			yes := rng.Float64() < 0.15
			center := 0.3
			if yes {
				center = 0.55
			}
			positive, score = append(positive, yes), append(score, center+0.15*rng.NormFloat64())
		}
		return positive, score
	}
	grid := metric.Grid(0.04, 0.9, 44)
	positive, score := draw(20000)
	want := metric.Threshold(positive, score, grid, 1)
	steady, single := 0.0, 0.0
	for i := range 60 {
		positive, score = draw(60)
		cut, ok := metric.BestCut(positive, score, grid)
		if !ok {
			continue
		}
		single += math.Abs(cut - want)
		steady += math.Abs(metric.Threshold(positive, score, grid, uint64(i)) - want)
	}
	if steady >= single {
		t.Errorf("mean distance %.3f, of the best cut %.3f", steady/60, single/60)
	}
}

// A rare class whose values never are the largest, though they are larger where it is true.
func starved() (want []int, score [][]float64) {
	for i := range 200 {
		class, p := 0, 0.10+0.001*float64(i%50)
		if i%10 == 0 {
			class, p = 1, 0.30+0.001*float64(i%50)
		}
		want, score = append(want, class), append(score, []float64{1 - p, p})
	}
	return want, score
}

func TestDivisors(t *testing.T) {
	t.Parallel()
	want, score := starved()
	plain := metric.MacroF1(want, metric.DividedAll(score, []float64{1, 1}), 2)
	divisors := metric.Divisors(want, score, 2, 10)
	tuned := metric.MacroF1(want, metric.DividedAll(score, divisors), 2)
	if plain > 0.5 || tuned != 1 {
		t.Errorf("macro-F1 with divisors %v = %v, without %v; want 1 and under 0.5", divisors, tuned, plain)
	}
	if again := metric.Divisors(want, score, 2, 10); !slices.Equal(again, divisors) {
		t.Errorf("Divisors = %v at the second call, %v at the first", again, divisors)
	}
	if few := metric.Divisors(want, score, 2, 1000); !slices.Equal(few, []float64{1, 1}) {
		t.Errorf("Divisors of classes with too few rows = %v, want 1", few)
	}
	if one := metric.Divisors([]int{0, 0}, [][]float64{{0.4}, {0.6}}, 1, 1); !slices.Equal(one, []float64{1}) {
		t.Errorf("Divisors of one class = %v, want 1", one)
	}
}

func TestDividedTakesTheFirstOfEquals(t *testing.T) {
	t.Parallel()
	if at := metric.Divided([]float64{0.2, 0.4, 0.4}, []float64{1, 2, 1}); at != 2 {
		t.Errorf("Divided = %d, want 2", at)
	}
	if at := metric.Divided([]float64{0.2, 0.4}, []float64{1, 2}); at != 0 {
		t.Errorf("Divided of equals = %d, want 0", at)
	}
	if at := metric.Divided(nil, nil); at != -1 {
		t.Errorf("Divided of nothing = %d, want -1", at)
	}
}
