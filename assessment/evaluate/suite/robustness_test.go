package suite_test

import (
	"math"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

func TestShiftOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		head    string
		a, b    []float64
		move    float64
		flipped bool
	}{
		"same":                       {assessment.HeadAct, []float64{0.7, 0.3}, []float64{0.7, 0.3}, 0, false},
		"P of the first label":       {assessment.HeadAct, []float64{0.7, 0.2, 0.1}, []float64{0.6, 0.1, 0.3}, 0.1, false},
		"other label":                {assessment.HeadAct, []float64{0.6, 0.4}, []float64{0.3, 0.7}, 0.3, true},
		"one output across a half":   {assessment.HeadDistress, []float64{0.45}, []float64{0.55}, 0.1, true},
		"one output below a half":    {assessment.HeadDistress, []float64{0.05}, []float64{0.45}, 0.4, false},
		"labels together, none":      {assessment.HeadEmotion, []float64{0.3, 0.2}, []float64{0.1, 0.4}, 0.2, false},
		"labels together, one falls": {assessment.HeadEmotion, []float64{0.6, 0.2}, []float64{0.4, 0.2}, 0.2, true},
		"values":                     {assessment.HeadVA, []float64{-0.5, 0.2}, []float64{0.5, 0.2}, 0.25, false},
	} {
		move, flipped := suite.ShiftOf(c.head, c.a, c.b)
		if math.Abs(move-c.move) > 1e-12 || flipped != c.flipped {
			t.Errorf("%s: moved %g, flipped %t; want %g, %t", name, move, flipped, c.move, c.flipped)
		}
	}
}

func TestHeadMovesOfKnownWords(t *testing.T) {
	t.Parallel()
	move, flipped, err := suite.HeadMoves(t.Context(), suite.Env{Classifier: words{}}, "You idiot.", "You 1diot.")
	if err != nil {
		t.Fatal(err)
	}
	if m := move[assessment.HeadHostility]; math.Abs(m-0.96) > 1e-9 || !flipped[assessment.HeadHostility] {
		t.Errorf("hostility moved %g, flipped %t; want 0.97 to 0.01", m, flipped[assessment.HeadHostility])
	}
	if m := move[assessment.HeadCtxInsult]; math.Abs(m-0.8) > 1e-9 {
		t.Errorf("ctx_insult moved %g, want 0.8", m)
	}
	for head, m := range move {
		switch head {
		case assessment.HeadHostility, assessment.HeadCtxInsult, assessment.HeadCtxEscalate:
		default:
			if m != 0 || flipped[head] {
				t.Errorf("%s moved %g, want 0", head, m)
			}
		}
	}
}

func TestRobustnessReal(t *testing.T) {
	e := real(t)
	e.Sizes = few()
	o, err := suite.Robustness(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	show(t, o, metric.SuiteRobustness)
	if m := find(t, o, "robustness en extra spaces: mean change of P"); m.Value > 1e-6 {
		t.Errorf("extra spaces change P by %g: the model view folds them", m.Value)
	}
	if m := find(t, o, "robustness en typo: mean change of P"); m.Value <= 0 {
		t.Error("typos change nothing: they do not reach the model")
	}
}
