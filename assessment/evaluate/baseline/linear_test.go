package baseline_test

import (
	"math"
	"reflect"
	"testing"

	"heartmark/assessment/evaluate/baseline"
)

func TestFitLogisticAgainstReference(t *testing.T) {
	t.Parallel()
	x := dense()
	y := threeClasses(x)
	exact := baseline.Options{C: 2, Tolerance: 1e-8}
	balanced, each := exact, exact
	balanced.Balanced, each.OneVsRest = true, true
	binary := func(s baseline.Sparse, m *baseline.Linear) []float64 { return m.Decision(s)[1:] }
	for _, c := range []struct {
		name    string
		y       []int
		classes int
		o       baseline.Options
		ask     func(baseline.Sparse, *baseline.Linear) []float64
		want    []float64
	}{
		{"binary", oneClass(y, 1), 2, exact, binary, []float64{-1.84611879, 0.03524884, -1.41715559, -1.34212619}},
		{"binary balanced", oneClass(y, 1), 2, balanced, binary, []float64{-1.49967631, 0.46323749, -0.96117733, -0.91449397}},
		{"softmax", y, 3, exact, probabilities, []float64{0.52693884, 0.13274136, 0.34031980, 0.35331206, 0.56374424, 0.08294369}},
		{"softmax balanced", y, 3, balanced, probabilities, []float64{0.23216365, 0.09393313, 0.67390322, 0.28017803, 0.52306748, 0.19675450}},
		{"one against rest", y, 3, each, decision, []float64{-0.02273759, -1.84611879, -0.89037928, -0.46109280, 0.03524884, -2.35002724}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := baseline.FitLogistic(sparse(x), c.y, c.classes, c.o)
			var got []float64
			for _, s := range sparse(x) {
				if len(got) < len(c.want) {
					got = append(got, c.ask(s, m)...)
				}
			}
			near(t, "first rows", got, c.want, 2e-5)
		})
	}
}

func probabilities(s baseline.Sparse, m *baseline.Linear) []float64 { return m.Probabilities(s) }

func decision(s baseline.Sparse, m *baseline.Linear) []float64 { return m.Decision(s) }

func TestFitRidgeAgainstReference(t *testing.T) {
	t.Parallel()
	x := dense()
	// conjugate directions end after as many steps as there are parameters (13), a little more in float64
	m := baseline.FitRidge(sparse(x), targets(x), baseline.Options{C: 2, Tolerance: 1e-12, MaxIterations: 16})
	var got []float64
	for _, s := range sparse(x)[:4] {
		got = append(got, m.Value(s))
	}
	near(t, "first rows", got, []float64{0.18983450, 0.35712633, 0.21074606, 0.39479845}, 1e-6)
}

// TestObjectiveDerivatives checks gradient, Hessian product and diagonal against finite differences of the value.
func TestObjectiveDerivatives(t *testing.T) {
	t.Parallel()
	x := dense()
	y := threeClasses(x)
	for _, c := range []struct {
		name    string
		y       []int
		classes int
	}{{"binary", oneClass(y, 2), 2}, {"softmax", y, 3}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			size, at := baseline.Objective(sparse(x), c.y, c.classes, 1.5)
			w, v := make([]float64, size), make([]float64, size)
			for i := range w {
				w[i], v[i] = float64(mixed(i, 3, 83))/83-0.5, float64(mixed(i, 5, 89))/89-0.5
			}
			_, g, hv, diagonal := at(w, v)
			const h = 1e-5
			numeric, curved, bend := make([]float64, size), make([]float64, size), make([]float64, size)
			shifted := func(direction func(i int) float64, sign float64) []float64 {
				out := make([]float64, size)
				for i := range out {
					out[i] = w[i] + sign*h*direction(i)
				}
				return out
			}
			for i := range w {
				unit := func(j int) float64 {
					if i == j {
						return 1
					}
					return 0
				}
				up, gUp, _, _ := at(shifted(unit, 1), v)
				down, gDown, _, _ := at(shifted(unit, -1), v)
				numeric[i], bend[i] = (up-down)/(2*h), (gUp[i]-gDown[i])/(2*h)
			}
			_, gUp, _, _ := at(shifted(func(i int) float64 { return v[i] }, 1), v)
			_, gDown, _, _ := at(shifted(func(i int) float64 { return v[i] }, -1), v)
			for i := range curved {
				curved[i] = (gUp[i] - gDown[i]) / (2 * h)
			}
			near(t, "gradient", g, numeric, 1e-6)
			near(t, "Hessian product", hv, curved, 1e-6)
			near(t, "diagonal", diagonal, bend, 1e-6)
		})
	}
}

// TestFitLogisticSeparable checks that rows parted by one feature are all right and that probabilities are ones.
func TestFitLogisticSeparable(t *testing.T) {
	t.Parallel()
	var x []baseline.Sparse
	var y []int
	for i := range 30 {
		x = append(x, baseline.Sparse{Index: []uint32{uint32(i % 3), uint32(3 + i%5)}, Value: []float32{1, 0.5}})
		y = append(y, i%3)
	}
	for _, o := range []baseline.Options{{}, {OneVsRest: true, Workers: 2}, {Balanced: true}} {
		m := baseline.FitLogistic(x, y, 3, o)
		for i, row := range x {
			if got := m.Predict(row); got != y[i] {
				t.Errorf("%+v: Predict(row %d) = %d, want %d", o, i, got, y[i])
			}
			sum := 0.0
			for _, p := range m.Probabilities(row) {
				sum += p
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Errorf("%+v: probabilities of row %d sum to %v", o, i, sum)
			}
		}
	}
}

func TestFitLogisticBorders(t *testing.T) {
	t.Parallel()
	one := baseline.Sparse{Index: []uint32{0}, Value: []float32{1}}
	unseen := baseline.Sparse{Index: []uint32{0, 9}, Value: []float32{1, 50}}
	t.Run("no rows", func(t *testing.T) {
		t.Parallel()
		near(t, "Probabilities", baseline.FitLogistic(nil, nil, 4, baseline.Options{}).Probabilities(one), []float64{0.25, 0.25, 0.25, 0.25}, 0)
	})
	t.Run("a class without rows", func(t *testing.T) {
		t.Parallel()
		m := baseline.FitLogistic([]baseline.Sparse{one, {}, one, {}}, []int{0, 2, 0, 2}, 3, baseline.Options{})
		p := m.Probabilities(one)
		if m.Predict(one) != 0 || m.Predict(baseline.Sparse{}) != 2 || !(p[1] < 0.05) {
			t.Errorf("Probabilities = %v, want class 0 first and nearly nothing for class 1", p)
		}
	})
	t.Run("one class only", func(t *testing.T) {
		t.Parallel()
		if p := baseline.FitLogistic([]baseline.Sparse{one, {}}, []int{1, 1}, 2, baseline.Options{}).Probabilities(one); !(p[1] > 0.9) {
			t.Errorf("Probabilities = %v, want nearly 1 for class 1", p)
		}
	})
	t.Run("a feature that no row had", func(t *testing.T) {
		t.Parallel()
		m := baseline.FitLogistic([]baseline.Sparse{one, {}}, []int{1, 0}, 2, baseline.Options{})
		if a, b := m.Decision(one), m.Decision(unseen); !reflect.DeepEqual(a, b) {
			t.Errorf("Decision = %v with an unseen feature, want %v", b, a)
		}
	})
	for name, fit := range map[string]func(){
		"label too large": func() { baseline.FitLogistic([]baseline.Sparse{one}, []int{2}, 2, baseline.Options{}) },
		"label negative":  func() { baseline.FitSVM([][]float32{{1}}, []int{-1}, 2, baseline.Options{}) },
		"labels missing":  func() { baseline.FitForest([][]float32{{1}}, nil, 2, baseline.ForestOptions{}) },
		"targets missing": func() { baseline.FitRidge([]baseline.Sparse{one}, nil, baseline.Options{}) },
		"no probabilities": func() {
			baseline.FitRidge([]baseline.Sparse{one}, []float64{1}, baseline.Options{}).Probabilities(one)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			fit()
		})
	}
}

func TestFitLogisticWorkers(t *testing.T) {
	t.Parallel()
	x := dense()
	o := baseline.Options{OneVsRest: true, Workers: 1}
	one := baseline.FitLogistic(sparse(x), threeClasses(x), 3, o)
	o.Workers = 3
	if three := baseline.FitLogistic(sparse(x), threeClasses(x), 3, o); !reflect.DeepEqual(one, three) {
		t.Error("three workers give another model than one")
	}
}

func TestSelectC(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		grid  []float64
		score func(float64) float64
		want  float64
	}{
		{"best", []float64{1, 2, 4}, func(c float64) float64 { return -math.Abs(c - 2) }, 2},
		{"smallest of equals", []float64{4, 2, 8}, func(float64) float64 { return 0.5 }, 2},
		{"own grid", nil, func(c float64) float64 { return c }, 24},
	} {
		if got := baseline.SelectC(c.grid, c.score); got != c.want {
			t.Errorf("%s: SelectC(%v) = %v, want %v", c.name, c.grid, got, c.want)
		}
	}
}
