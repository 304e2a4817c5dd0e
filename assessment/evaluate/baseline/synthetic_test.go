package baseline_test

import (
	"math"
	"testing"

	"heartmark/assessment/evaluate/baseline"
)

// The rows below follow from integer arithmetic alone, so that scikit-learn 1.9.1, run outside the project, saw the same
// ones; the expected numbers in the tests are its own, at tolerances of 1e-10 and below.
const (
	rows     = 60
	features = 12
)

func mixed(i, j, modulus int) int { return (i*i*37 + j*101 + i*j*59 + i*13 + j*j*7) % modulus }

func dense() [][]float32 {
	x := make([][]float32, rows)
	for i := range x {
		x[i] = make([]float32, features)
		for j := range x[i] {
			if mixed(i, j, 5) < 2 {
				x[i][j] = float32(float64(mixed(i, j, 97))/97 - 0.25)
			}
		}
	}
	return x
}

func sparse(x [][]float32) []baseline.Sparse {
	out := make([]baseline.Sparse, len(x))
	for i, row := range x {
		for j, v := range row {
			if v != 0 {
				out[i].Index, out[i].Value = append(out[i].Index, uint32(j)), append(out[i].Value, v)
			}
		}
	}
	return out
}

// threeClasses has 30, 23 and 7 rows.
func threeClasses(x [][]float32) []int {
	y := make([]int, len(x))
	for i, row := range x {
		if float64(row[0])+float64(row[1])-float64(row[2]) > 0.1 {
			y[i]++
		}
		if float64(row[3])+float64(row[4]) > 0.3 {
			y[i]++
		}
		if i%7 == 0 {
			y[i]++
		}
		y[i] %= 3
	}
	return y
}

// oneClass is 1 for the given class and 0 for the rest.
func oneClass(y []int, class int) []int {
	out := make([]int, len(y))
	for i, c := range y {
		if c == class {
			out[i] = 1
		}
	}
	return out
}

func targets(x [][]float32) []float64 {
	t := make([]float64, len(x))
	for i, row := range x {
		t[i] = 2*float64(row[0]) - float64(row[5]) + 0.5*float64(row[7]) + float64(i%5)/10
	}
	return t
}

// near fails unless got and want agree within the tolerance.
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Errorf("%s = %.8f, want %.8f", what, got, want)
			return
		}
	}
}
