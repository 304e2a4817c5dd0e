package rollout_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/rollout"
)

func TestPSI(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	normal := func(n int, mean, sd float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = min(max(mean+sd*rng.NormFloat64(), 0), 1)
		}
		return out
	}
	constant := func(n int, v float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = v
		}
		return out
	}
	reference := normal(5000, 0.5, 0.15)
	for name, c := range map[string]struct {
		reference, live []float64
		low, high       float64
	}{
		"the same values":             {reference, reference, 0, 1e-9},
		"the same distribution":       {reference, normal(1000, 0.5, 0.15), 0, 0.05},
		"a shift of a third":          {reference, normal(1000, 0.55, 0.15), 0.05, 0.2},
		"a shift of a deviation":      {reference, normal(1000, 0.65, 0.15), 0.5, 3},
		"twice as wide":               {reference, normal(1000, 0.5, 0.3), 0.3, 3},
		"constants that agree":        {constant(900, 0.1), constant(300, 0.1), 0, 0.01},
		"constants that do not":       {constant(900, 0.1), constant(300, 0.9), 1, 100},
		"rare and still rare":         {append(constant(990, 0.02), constant(10, 0.9)...), append(constant(495, 0.02), constant(5, 0.9)...), 0, 0.01},
		"rare and common now":         {append(constant(990, 0.02), constant(10, 0.9)...), append(constant(300, 0.02), constant(200, 0.9)...), 0.2, 100},
		"nothing to compare with yet": {nil, nil, 0, 1e-9},
	} {
		if got := rollout.PSI(c.reference, c.live); got < c.low || got > c.high {
			t.Errorf("%s: PSI = %.4f, want %v to %v", name, got, c.low, c.high)
		}
	}
}

func TestWeekOf(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2026-05-04": "2026-05-04", "2026-05-10": "2026-05-04", "2026-05-11": "2026-05-11", "2027-01-01": "2026-12-28",
	} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := rollout.WeekOf(at); got != want {
			t.Errorf("WeekOf(%s) = %s, want %s", day, got, want)
		}
	}
}

func TestHashInputTellsInputsApart(t *testing.T) {
	t.Parallel()
	turn := func(self bool, text string) assessment.Turn { return assessment.Turn{Self: self, Text: text} }
	seen := map[[32]byte]int{}
	for n, in := range []assessment.ClassifierInput{
		{Text: "a"},
		{Text: "a", Lang: "en"},
		{Lang: "a"},
		{Text: "a", Context: []assessment.Turn{}},
		{Text: "a", Context: []assessment.Turn{turn(false, "b")}},
		{Text: "a", Context: []assessment.Turn{turn(true, "b")}},
		{Text: "a", Context: []assessment.Turn{turn(false, "b"), turn(false, "c")}},
		{Text: "a", Context: []assessment.Turn{turn(false, "bc")}},
		{Text: "b", Context: []assessment.Turn{turn(false, "a")}},
	} {
		key := rollout.HashInput(in)
		if other, same := seen[key]; same {
			t.Errorf("inputs %d and %d have one key", other, n)
		}
		seen[key] = n
	}
}
