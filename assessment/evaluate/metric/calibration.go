package metric

// Bin is one bar of a reliability diagram: the rows whose confidence lies in [Low, High).
type Bin struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Rows       int     `json:"rows"`
	Confidence float64 `json:"confidence"` // mean; 0 without rows
	Right      float64 `json:"right"`      // share that was right; 0 without rows
}

// ECE is the expected calibration error over equal bins of [0, 1]: the mean gap between confidence and the share that is
// right, weighted by rows. The last bin takes 1 in. It is 0 for no rows.
func ECE(confidence []float64, right []bool, bins int) (float64, []Bin) {
	mustMatch(len(confidence), len(right))
	out := make([]Bin, bins)
	for b := range out {
		out[b].Low, out[b].High = float64(b)/float64(bins), float64(b+1)/float64(bins)
	}
	for i, c := range confidence {
		b := &out[max(0, min(bins-1, int(c*float64(bins))))]
		b.Rows++
		b.Confidence += c
		if right[i] {
			b.Right++
		}
	}
	sum := 0.0
	for i := range out {
		b := &out[i]
		if b.Rows == 0 {
			continue
		}
		b.Confidence /= float64(b.Rows)
		b.Right /= float64(b.Rows)
		gap := b.Confidence - b.Right
		sum += max(gap, -gap) * float64(b.Rows)
	}
	if len(confidence) == 0 {
		return 0, out
	}
	return sum / float64(len(confidence)), out
}
