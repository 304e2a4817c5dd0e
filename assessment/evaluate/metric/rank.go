package metric

import (
	"cmp"
	"math"
	"slices"
)

// AUC is the chance that a positive row has a higher score than a negative one, ties counted half. It is NaN without
// rows of both kinds.
func AUC(positive []bool, score []float64) float64 {
	mustMatch(len(positive), len(score))
	at := ranks(score)
	sum, n := 0.0, 0.0
	for i, yes := range positive {
		if yes {
			sum += at[i]
			n++
		}
	}
	rest := float64(len(positive)) - n
	if n == 0 || rest == 0 {
		return math.NaN()
	}
	return (sum - n*(n+1)/2) / (n * rest)
}

// ranks are 1-based places in rising order; equal values share the mean of their places.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	out := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}

// Pearson is the linear correlation, NaN where one side does not vary or there are fewer than two rows.
func Pearson(a, b []float64) float64 {
	mustMatch(len(a), len(b))
	ma, mb := Mean(a), Mean(b)
	var ab, aa, bb float64
	for i := range a {
		da, db := a[i]-ma, b[i]-mb
		ab += da * db
		aa += da * da
		bb += db * db
	}
	if len(a) < 2 || aa == 0 || bb == 0 {
		return math.NaN()
	}
	return ab / math.Sqrt(aa*bb)
}

// Spearman is the correlation of the ranks, equal values sharing the mean of their places.
func Spearman(a, b []float64) float64 {
	mustMatch(len(a), len(b))
	return Pearson(ranks(a), ranks(b))
}

// Mean of the values; NaN of none.
func Mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Deviation is the sample standard deviation (n-1); NaN of fewer than two values.
func Deviation(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	mean, sum := Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}

// Quantile is the q-quantile, q in [0, 1], linear between neighbours; NaN of none. It leaves values as they are.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	if low >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}
