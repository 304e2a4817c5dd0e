package metric

import (
	"math"
	"math/rand/v2"
)

// Resamples is the usual number of draws of a bootstrap interval.
const Resamples = 400

// Bootstrap draws the rows with replacement resamples times and returns the 5th and 95th percentile of score, a 90 %
// interval. score gets the places of the drawn rows, in a slice that is used again; draws on which it answers NaN (such
// as a sample of one class) are left out. The interval is {NaN, NaN} where no draw gave a number.
func Bootstrap(rows, resamples int, seed uint64, score func(at []int) float64) [2]float64 {
	pick := rand.New(rand.NewPCG(seed, bootstrapStream))
	at := make([]int, rows)
	values := make([]float64, 0, resamples)
	for range resamples {
		for i := range at {
			at[i] = pick.IntN(rows)
		}
		if v := score(at); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return [2]float64{Quantile(values, 0.05), Quantile(values, 0.95)}
}

// BootstrapGroups is Bootstrap over whole groups, such as conversations or people, whose rows resemble each other:
// groups are drawn with replacement and score gets all their rows. groups holds the places of the rows of each group.
func BootstrapGroups(groups [][]int, resamples int, seed uint64, score func(at []int) float64) [2]float64 {
	var rows []int
	return Bootstrap(len(groups), resamples, seed, func(at []int) float64 {
		rows = rows[:0]
		for _, g := range at {
			rows = append(rows, groups[g]...)
		}
		return score(rows)
	})
}

// bootstrapStream is the second half of the generator's seed.
const bootstrapStream = 0x6d65747269637321

// Take returns the values at the given places: what a bootstrap's score function needs.
func Take[T any](values []T, at []int) []T {
	out := make([]T, len(at))
	for i, j := range at {
		out[i] = values[j]
	}
	return out
}
