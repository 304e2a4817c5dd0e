package baseline

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// most is the number of bins a feature is cut into; a bin's number fits a byte.
const most = 256

// sampled is how many rows are looked at to place the cuts of a feature.
const sampled = 4096

// binned are the training rows with each feature cut at quantiles, column by column, so that the rows of one feature lie
// beside each other. A value v is in the first bin b with v <= cuts[b], and in the last bin when there is none.
type binned struct {
	cuts    [][]float32 // by feature, ascending
	columns [][]uint8   // by feature, by row
}

func newBinned(x [][]float32, seed uint64, workers int) binned {
	if len(x) == 0 {
		return binned{}
	}
	some := rand.New(rand.NewPCG(seed, math.MaxUint64)).Perm(len(x))
	some = some[:min(len(some), sampled)]
	wide := len(x[0])
	b := binned{cuts: make([][]float32, wide), columns: make([][]uint8, wide)}
	inParallel(wide, workers, func(f int) {
		values := make([]float32, 0, len(some))
		for _, i := range some {
			values = append(values, x[i][f])
		}
		b.cuts[f] = cutsOf(values)
		column := make([]uint8, len(x))
		for i, row := range x {
			column[i] = uint8(binOf(b.cuts[f], row[f]))
		}
		b.columns[f] = column
	})
	return b
}

// cutsOf returns at most 255 cuts between values, which it sorts: halfway between neighbours, at each change of value
// when there are few, else at the quantiles.
func cutsOf(values []float32) []float32 {
	slices.Sort(values)
	distinct := slices.Compact(slices.Clone(values))
	var cuts []float32
	if len(distinct) <= most {
		for i := 1; i < len(distinct); i++ {
			cuts = append(cuts, between(distinct[i-1], distinct[i]))
		}
		return cuts
	}
	for q := 1; q < most; q++ {
		at := q * len(values) / most
		low, high := values[at-1], values[at]
		if low == high {
			continue // inside a run of one value: the run's end is cut by a later quantile or not at all
		}
		cuts = append(cuts, between(low, high))
	}
	return cuts
}

// between is a value in [low, high).
func between(low, high float32) float32 {
	if middle := low + (high-low)/2; middle < high {
		return middle
	}
	return low
}

func binOf(cuts []float32, v float32) int {
	return sort.Search(len(cuts), func(i int) bool { return v <= cuts[i] })
}
