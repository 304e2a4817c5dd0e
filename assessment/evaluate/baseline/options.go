package baseline

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
)

// Options of the linear models; a zero field takes the default in its comment.
type Options struct {
	C             float64 // weight of the loss against ½‖w‖²; 8 for texts (logistic, ridge), 0.001 for standardised vectors (SVM)
	MaxIterations int     // Newton steps (100), conjugate gradients (1,000), passes over the rows (SVM, 1,000)
	Tolerance     float64 // gradient against the gradient at zero (1e-3; ridge 1e-6); largest violation of the KKT conditions (SVM, 0.01)
	Balanced      bool    // each class weighs the same whatever its number of rows
	OneVsRest     bool    // logistic: one binary model a class in place of the softmax
	Seed          uint64  // order of the rows (SVM)
	Workers       int     // classes fitted at once where each has its own model; 1. The result does not depend on it
}

func orDefault[T cmp.Ordered](value, otherwise T) T {
	var zero T
	if value <= zero {
		return otherwise
	}
	return value
}

// SelectC returns the value of grid with the highest score, the smallest of equal ones; score fits with C on the training
// part and judges on the dev part. An empty grid stands for [Grid].
func SelectC(grid []float64, score func(c float64) float64) float64 {
	if len(grid) == 0 {
		grid = Grid()
	}
	best, chosen := score(grid[0]), grid[0]
	for _, c := range grid[1:] {
		if s := score(c); s > best || (s == best && c < chosen) {
			best, chosen = s, c
		}
	}
	return chosen
}

// Grid is the small grid of C for texts; vectors of a frozen encoder want it a thousand times smaller.
func Grid() []float64 { return []float64{1, 3, 8, 24} }

// check panics unless every row has a label in [0, classes).
func check(rows int, y []int, classes int) {
	if rows != len(y) {
		panic(fmt.Sprintf("baseline: %d rows and %d labels", rows, len(y)))
	}
	for i, label := range y {
		if label < 0 || label >= classes {
			panic(fmt.Sprintf("baseline: label %d of row %d is outside [0, %d)", label, i, classes))
		}
	}
}

// balance returns the weight of each class: 1, or rows / (classes present * rows of the class).
func balance(y []int, classes int, balanced bool) []float64 {
	weights := make([]float64, classes)
	counts := make([]int, classes)
	present := 0
	for _, label := range y {
		if counts[label] == 0 {
			present++
		}
		counts[label]++
	}
	for c, n := range counts {
		weights[c] = 1
		if balanced && n > 0 {
			weights[c] = float64(len(y)) / float64(present*n)
		}
	}
	return weights
}

// against is y seen from one class: 1 for it, 0 for the rest.
func against(y []int, class int) []int {
	out := make([]int, len(y))
	for i, label := range y {
		if label == class {
			out[i] = 1
		}
	}
	return out
}

// inParallel calls do for 0 to n-1 on at most workers goroutines and waits for all; do writes to its own place only.
func inParallel(n, workers int, do func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, max(workers, 1)) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}
