package rollout_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/rollout"
	"heartmark/schemas"
)

func TestFitLinear(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var truth []float64
	for range 500 {
		truth = append(truth, 10+80*rng.Float64())
	}
	scores := func(slope, intercept, noise float64) []float64 {
		out := make([]float64, len(truth))
		for i, x := range truth {
			out[i] = slope*x + intercept + noise*rng.NormFloat64()
		}
		return out
	}
	for name, c := range map[string]struct{ slope, intercept, noise, tolerance float64 }{
		"itself":           {1, 0, 0, 0},
		"a shift":          {1, 6, 0, 1e-6},
		"a stretch":        {0.8, 0, 0, 1e-6},
		"both":             {1.2, -9, 0, 1e-6},
		"both, with noise": {0.9, 7, 4, 0.05},
	} {
		// new → old is the line that is looked for: the new scores are truth, the old ones its image.
		fit, ok := rollout.FitLinear(truth, scores(c.slope, c.intercept, c.noise), 1)
		if !ok || !near(fit.Slope, c.slope, c.tolerance) || !near(fit.Intercept, c.intercept, 60*c.tolerance) {
			t.Errorf("%s: FitLinear = %+v, %v, want slope %v, intercept %v", name, fit, ok, c.slope, c.intercept)
		}
		if c.noise == 0 && (fit.SE > 1e-6 || fit.SlopeSE > 1e-6) {
			t.Errorf("%s: standard error %v of an exact line, want 0", name, fit.SE)
		}
		if c.noise > 0 {
			// Standard deviation of the noise over the root of 500 people is 0.18 at the mean; more at the cuts.
			if fit.SE < 0.1 || fit.SE > 0.8 {
				t.Errorf("%s: standard error %v, want about 0.2 to 0.5", name, fit.SE)
			}
			again, _ := rollout.FitLinear(truth, scores(c.slope, c.intercept, c.noise), 1)
			if math.Abs(again.Slope*60+again.Intercept-fit.Slope*60-fit.Intercept) > 6*fit.SE {
				t.Errorf("%s: drawn anew the linked score moves by more than six standard errors", name)
			}
		}
	}
	for name, c := range map[string][2][]float64{
		"no people": {nil, nil}, "one": {{1}, {2}}, "other people": {{1, 2}, {1, 2, 3}}, "no spread": {{5, 5, 5}, {1, 2, 3}},
	} {
		if fit, ok := rollout.FitLinear(c[0], c[1], 1); ok {
			t.Errorf("%s: FitLinear = %+v, want none", name, fit)
		}
	}
}

func TestLinkOfAModelWithItself(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	link, err := rollout.LinkModels(t.Context(), rollout.Scored{"new", f}, rollout.Scored{"old", f}, moment(), rollout.LinkOptions{People: people(t)})
	if err != nil {
		t.Fatal(err)
	}
	if !link.Identity() || len(link.Dimensions) != 4 {
		t.Fatalf("link with itself: %+v, want the identity in four dimensions", link)
	}
	for d, x := range link.Dimensions {
		if x.Slope != 1 || x.Intercept != 0 || x.SE != 0 || x.Shift != 0 || x.New[1] < 5 {
			t.Errorf("%s: %+v, want slope 1, intercept 0, no error, and people who differ", d, x)
		}
	}
	// Several thousand answers are asked for, a few hundred different ones exist.
	if f.rows > 2*8000 {
		t.Errorf("%d rows went to the classifier: answers are not remembered", f.rows)
	}
}

// people is the number of anchor people of a test: fewer where every step is slow.
func people(t *testing.T) int {
	t.Helper()
	if testing.Short() {
		return 8
	}
	return 60
}

// A model that is less sure of warmth gives lower scores; linking says by how much and in which dimensions.
func TestLinkFindsAShift(t *testing.T) {
	t.Parallel()
	old, fresh := newFake(t), newFake(t)
	fresh.bend = func(head string, v []float64) {
		neutral := map[string]int{assessment.HeadAct: len(v) - 1, assessment.HeadER: 0, assessment.HeadEX: 0}
		to, ok := neutral[head]
		if !ok {
			return
		}
		for i := range v { // a quarter of every act and of every reaction passes unnoticed
			if i != to {
				v[to] += 0.25 * v[i]
				v[i] *= 0.75
			}
		}
	}
	link, err := rollout.LinkModels(t.Context(), rollout.Scored{"new", fresh}, rollout.Scored{"old", old}, moment(), rollout.LinkOptions{People: people(t)})
	if err != nil {
		t.Fatal(err)
	}
	if link.Identity() {
		t.Errorf("link = %+v, want another than the identity", link)
	}
	moved, kept := link.Dimensions[schemas.DimensionSocialSkills], link.Dimensions[schemas.DimensionSelfAwareness]
	if moved.Slope < 1.05 || moved.Shift >= 0 || moved.SE <= 0 || moved.Correlation < 0.8 {
		t.Errorf("social skills: %+v, want lower new scores that lie closer together and go with the old ones", moved)
	}
	if kept.Shift != 0 || kept.Slope != 1 {
		t.Errorf("self-awareness: %+v, want no change: none of its heads was bent", kept)
	}
	score, sem, ok := link.OldScale(schemas.DimensionSocialSkills, 50, 3)
	if want := moved.Slope*50 + moved.Intercept; !ok || !near(score, want, 1e-9) || sem < 3*moved.Slope {
		t.Errorf("OldScale(50 ± 3) = %v ± %v, %v, want %v and a larger error", score, sem, ok, want)
	}
	if _, _, ok := link.OldScale("nonsense", 50, 3); ok {
		t.Error("OldScale of a dimension that is not linked")
	}
}

func TestLinkFaults(t *testing.T) {
	t.Parallel()
	f, broken := newFake(t), newFake(t)
	broken.fail = errBroken
	if _, err := rollout.LinkModels(t.Context(), rollout.Scored{"new", broken}, rollout.Scored{"old", f}, moment(), rollout.LinkOptions{People: 3}); err == nil {
		t.Error("a model without answers was linked")
	}
	blind := newFake(t)
	blind.bend = func(head string, v []float64) {
		if head == assessment.HeadAct { // everybody gets the same
			for i := range v {
				v[i] = 1 / float64(len(v))
			}
		}
	}
	link, err := rollout.LinkModels(t.Context(), rollout.Scored{"new", blind}, rollout.Scored{"old", f}, moment(), rollout.LinkOptions{People: 8})
	if err != nil || link.Identity() {
		t.Errorf("a model that cannot tell people apart is linked as the identity: %+v, %v", link, err)
	}
}

// The anchor set is fixed: every model is linked on the same people, today and later.
func TestAnchors(t *testing.T) {
	t.Parallel()
	a, err := rollout.NewAnchors()
	if err != nil {
		t.Fatal(err)
	}
	if want := "1-"; a.Version()[:2] != want {
		t.Errorf("version %q, want it to begin with %q", a.Version(), want)
	}
	digests := map[string]bool{}
	for n := range 20 {
		first, err := a.Person(n)
		if err != nil {
			t.Fatal(err)
		}
		again, err := a.Person(n)
		if err != nil {
			t.Fatal(err)
		}
		for subject, digest := range first.Digests {
			if again.Digests[subject] != digest {
				t.Errorf("person %d comes out otherwise the second time", n)
			}
			digests[digest] = true
		}
	}
	if len(digests) != 20 {
		t.Errorf("20 people have %d different batches", len(digests))
	}
}
