package metric

import "math"

// divisorSteps are the divisors that Divisors tries, half an octave apart: from an eighth to eight.
func divisorSteps() []float64 {
	out := make([]float64, 0, 13)
	for half := -6; half <= 6; half++ {
		out = append(out, math.Exp2(float64(half)/2))
	}
	return out
}

const (
	// divisorPasses bounds the rounds over all classes; two or three are usual.
	divisorPasses = 10
	// divisorGain is what a step must add to macro-F1: less is noise of the development rows.
	divisorGain = 1e-3
)

// Divisors finds one divisor a class such that the class with the largest score / divisor gives the best macro-F1, by
// coordinate ascent over a small grid. Where classes are of very different size the largest calibrated probability hardly
// ever names a rare one; the divisors undo that. score is [rows][classes], not negative; classes with fewer than fewest
// rows in want keep 1. It is meant for development rows, as Threshold is, and depends on nothing but its arguments.
func Divisors(want []int, score [][]float64, classes, fewest int) []float64 {
	mustMatch(len(want), len(score))
	out := make([]float64, classes)
	have := make([]int, classes)
	for k := range out {
		out[k] = 1
	}
	for _, w := range want {
		if w >= 0 && w < classes {
			have[w]++
		}
	}
	best := MacroF1(want, DividedAll(score, out), classes)
	for range divisorPasses {
		before := best
		for k := range classes {
			if have[k] >= fewest {
				out[k], best = betterDivisor(want, score, out, k, best)
			}
		}
		if best == before {
			break
		}
	}
	return out
}

// betterDivisor tries every step for class k while the other divisors stand, and answers the best one and its macro-F1;
// the present one where none is better by divisorGain.
func betterDivisor(want []int, score [][]float64, divisors []float64, k int, best float64) (divisor, f1 float64) {
	rival, got := make([]int, len(score)), make([]int, len(score))
	rest := make([]float64, len(divisors))
	copy(rest, divisors)
	rest[k] = math.Inf(1) // out of the race
	for i, values := range score {
		rival[i] = Divided(values, rest)
	}
	divisor, f1 = divisors[k], best
	for _, step := range divisorSteps() {
		for i, values := range score {
			got[i] = rival[i]
			if values[k]/step > values[rival[i]]/divisors[rival[i]] {
				got[i] = k
			}
		}
		if v := MacroF1(want, got, len(divisors)); v > f1 && v >= best+divisorGain {
			divisor, f1 = step, v
		}
	}
	return divisor, f1
}

// Divided is the place of the largest value / divisor, the first of equals; -1 for none.
func Divided(values, divisors []float64) int {
	best := -1
	for i, v := range values {
		if best < 0 || v/divisors[i] > values[best]/divisors[best] {
			best = i
		}
	}
	return best
}

// DividedAll is Divided of every row.
func DividedAll(score [][]float64, divisors []float64) []int {
	out := make([]int, len(score))
	for i, values := range score {
		out[i] = Divided(values, divisors)
	}
	return out
}
