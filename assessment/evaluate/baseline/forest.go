package baseline

import "math"

// ForestOptions shape a random forest; a zero field takes the default in its comment.
type ForestOptions struct {
	Trees    int    // 200
	MinLeaf  int    // rows a leaf holds at least; 1
	MaxDepth int    // no bound
	Features int    // features tried at a node; the square root of their number
	Balanced bool   // each class weighs the same whatever its number of rows
	Seed     uint64 // of the draws of rows and features
	Workers  int    // trees grown at once; 1. The result does not depend on it
}

// Forest is a random forest for classification. Safe for use by several goroutines.
type Forest struct {
	classes int
	trees   []tree
	votes   [][]float32 // by training row: the class shares of the trees that had not drawn it; nil where all had
	right   float64
}

// FitForest grows a random forest (Breiman 2001): each tree on a bootstrap sample of the rows, each node split by Gini
// impurity on the best of a few random features. Features are cut into at most 256 bins at their quantiles before, so that
// no node sorts. The vectors are of one width; a value that is not a number counts as large. No rows give a forest that
// finds all classes equally likely.
func FitForest(x [][]float32, y []int, classes int, o ForestOptions) *Forest {
	check(len(x), y, classes)
	f := &Forest{classes: classes}
	if len(x) == 0 {
		return f
	}
	o.Trees = orDefault(o.Trees, 200)
	o.MinLeaf = orDefault(o.MinLeaf, 1)
	o.MaxDepth = max(o.MaxDepth, 0)
	o.Workers = min(orDefault(o.Workers, 1), o.Trees)
	o.Features = min(orDefault(o.Features, max(int(math.Sqrt(float64(len(x[0])))), 1)), len(x[0]))
	b := newBinned(x, o.Seed, o.Workers)
	f.trees = make([]tree, o.Trees)
	drawn := make([][]uint64, o.Trees)
	share := (o.Trees + o.Workers - 1) / o.Workers
	inParallel(o.Workers, o.Workers, func(worker int) {
		g := newGrower(b, y, classes, o)
		for t := worker * share; t < min((worker+1)*share, o.Trees); t++ {
			f.trees[t], drawn[t] = g.grow(uint64(t))
		}
	})
	f.outOfBag(b, y, drawn, o.Workers)
	return f
}

// outOfBag lets every row be judged by the trees that had not drawn it, tree after tree, so that the sums do not depend on
// who grew them.
func (f *Forest) outOfBag(b binned, y []int, drawn [][]uint64, workers int) {
	f.votes = make([][]float32, len(y))
	inParallel(len(y), workers, func(row int) {
		var sum []float32
		for t := range f.trees {
			if drawn[t][row/64]&(1<<(row%64)) != 0 {
				continue
			}
			if sum == nil {
				sum = make([]float32, f.classes)
			}
			for c, s := range f.trees[t].leafOfRow(b.columns, row, f.classes) {
				sum[c] += s
			}
		}
		f.votes[row] = toShares(sum)
	})
	judged, right := 0, 0
	for row, v := range f.votes {
		if v == nil {
			continue
		}
		judged++
		if top(v) == y[row] {
			right++
		}
	}
	f.right = math.NaN()
	if judged > 0 {
		f.right = float64(right) / float64(judged)
	}
}

// OutOfBag returns the share of training rows that the trees which had not drawn them get right, an estimate of the
// accuracy on new rows of the same kind; NaN when every tree had drawn every row.
func (f *Forest) OutOfBag() float64 { return f.right }

// OutOfBagVotes returns, for each training row, the vote shares of the trees that had not drawn it, or nil where there is
// no such tree; thresholds can be set on them without a dev part. The caller must not change them.
func (f *Forest) OutOfBagVotes() [][]float32 { return f.votes }

// Probabilities returns the vote share of each class: the mean, over the trees, of the class shares in the leaf of x.
func (f *Forest) Probabilities(x []float32) []float64 {
	out := make([]float64, f.classes)
	for t := range f.trees {
		for c, s := range f.trees[t].leaf(x, f.classes) {
			out[c] += float64(s)
		}
	}
	for c := range out {
		if len(f.trees) == 0 {
			out[c] = 1 / float64(f.classes)
		} else {
			out[c] /= float64(len(f.trees))
		}
	}
	return out
}

// Predict returns the class with the largest vote share, the first of equal ones.
func (f *Forest) Predict(x []float32) int { return largest(f.Probabilities(x)) }

func toShares(sum []float32) []float32 {
	var all float32
	for _, s := range sum {
		all += s
	}
	for c := range sum {
		sum[c] /= all
	}
	return sum
}

func top(v []float32) int {
	best := 0
	for c := range v {
		if v[c] > v[best] {
			best = c
		}
	}
	return best
}
