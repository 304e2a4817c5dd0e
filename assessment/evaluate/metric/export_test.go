package metric

// BestCut exposes the best cut on the rows themselves.
func BestCut(positive []bool, score, grid []float64) (float64, bool) {
	at := make([]int, len(positive))
	for i := range at {
		at[i] = i
	}
	return bestCut(positive, score, grid, at)
}
