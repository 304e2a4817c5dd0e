package rollout

import (
	"time"

	"heartmark/assessment"
)

// PSI is the stability index of two sets of values in [0, 1], as the drift watch makes it of one label.
func PSI(reference, live []float64) float64 {
	var a, b histogram
	for _, v := range reference {
		a.add(v, 0)
	}
	for _, v := range live {
		b.add(v, 0)
	}
	return psiOf(&a, &b)
}

// WeekOf is the name of the window that a day lies in.
func WeekOf(day time.Time) string { return weekOf(day) }

// HashInput is the key that samples and remembers an input.
func HashInput(in assessment.ClassifierInput) [32]byte { return inputKey(in) }
