package suite_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/suite"
)

// few makes the suites small enough for a unit test.
func few() suite.Sizes {
	return suite.Sizes{Pool: 30, People: 32, Ranked: 20, Rows: 8, Identity: 80, Dialogues: 8, Chats: 4, Series: 4, Equal: 12, Timed: 32, Events: 5000}
}

func TestFairnessReal(t *testing.T) {
	e := real(t)
	e.Sizes = few()
	o, err := suite.Fairness(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	show(t, o, "fairness")
	if m := find(t, o, "fairness zh largest change of an outcome by scene kind"); m.Value != 0 || m.Rows == 0 {
		t.Errorf("outcomes change by %g with the kind of the scene over %d items, want none", m.Value, m.Rows)
	}
}

func TestValidityReal(t *testing.T) {
	e := real(t)
	e.Sizes = few()
	o, err := suite.Validity(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	show(t, o, "validity")
	if m := find(t, o, "validity casino en rho of social_skills with being liked"); m.Rows < 10 || math.Abs(m.Value) > 1 {
		t.Errorf("being liked: %+v", m)
	}
}

func TestSpeedReal(t *testing.T) {
	e := real(t)
	e.Sizes, e.StartUp = few(), time.Second
	o, err := suite.Speed(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	show(t, o, "speed")
	if m := find(t, o, "speed messages a second in batch"); m.Value <= 0 || m.Rows < 10 {
		t.Errorf("throughput: %+v", m)
	}
	if m := find(t, o, "speed start-up, seconds"); m.Missing || m.Value != 1 {
		t.Errorf("start-up: %+v, want 1 s as given", m)
	}
}

// tilted answers as another classifier, with every value moved by a little.
type tilted struct {
	assessment.Classifier
	by float64
}

func (c tilted) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	scores, err := c.Classifier.Classify(ctx, in)
	out := make([]assessment.Scores, len(scores))
	for i, s := range scores {
		out[i] = assessment.Scores{}
		for head, values := range s {
			moved := make([]float64, len(values))
			for k, v := range values {
				moved[k] = v + c.by
			}
			out[i][head] = moved
		}
	}
	return out, err
}

func TestEquivalenceReal(t *testing.T) {
	e := real(t)
	e.Sizes = few()
	for name, c := range map[string]struct {
		other   assessment.Classifier
		largest float64
		missing bool
	}{
		"itself":     {e.Classifier, 0, false},
		"moved":      {tilted{e.Classifier, 0.25}, 0.25, false},
		"no other":   {nil, 0, true},
		"moved down": {tilted{e.Classifier, -0.25}, 0.25, false},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := suite.Equivalence(t.Context(), e, c.other)
			if err != nil {
				t.Fatal(err)
			}
			same := find(t, o, "equivalence share of equal labels, mean over heads")
			if same.Missing != c.missing {
				t.Fatalf("share of equal labels: missing %t, want %t", same.Missing, c.missing)
			}
			if c.missing {
				return
			}
			if largest := find(t, o, "equivalence largest difference of values").Value; math.Abs(largest-c.largest) > 1e-9 {
				t.Errorf("largest difference %g, want %g", largest, c.largest)
			}
			if c.largest == 0 && same.Value != 1 || c.largest > 0 && same.Value > 0.999 {
				t.Errorf("equal labels %g with values moved by %g", same.Value, c.largest)
			}
			if c.largest == 0 && !same.Met() {
				t.Error("a model is not equivalent to itself")
			}
		})
	}
}

func TestSentencesOfIdentitySwap(t *testing.T) {
	for name, c := range map[string]struct{ lang, frame, member, want string }{
		"vowel":     {"en", "we watched a {x} film", "American", "we watched an American film"},
		"consonant": {"en", "we watched a {x} film", "Turkish", "we watched a Turkish film"},
		"chinese":   {"zh", "我的新邻居是{x}", "日本人", "我的新邻居是日本人"},
	} {
		if got := suite.Sentence(c.lang, c.frame, c.member); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := strings.Join(suite.Named("en", "Hug black and gay people, not blackboards"), " "); got != "black gay" {
		t.Errorf("named groups %q, want black gay", got)
	}
}

func TestCohen(t *testing.T) {
	if d := suite.Cohen([]float64{3, 4, 5}, []float64{1, 2, 3}); math.Abs(d-2) > 1e-12 {
		t.Errorf("d = %g, want 2: means differ by 2, both deviations are 1", d)
	}
	if d := suite.Cohen([]float64{1}, []float64{1, 2}); d != 0 {
		t.Errorf("d of one value = %g, want 0", d)
	}
}

func TestSmallTalkIsCountedByPerson(t *testing.T) {
	got := suite.SmallTalk("talk", "1", [][]string{{"small-talk"}, {"self-need"}, nil, {"small-talk", "elicit-pref"}})
	if math.Abs(got-2.0/3) > 1e-12 {
		t.Errorf("share %g, want 2/3: turns without labels do not count", got)
	}
}
