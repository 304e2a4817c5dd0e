package suite_test

import (
	"math"
	"testing"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

const twoProbes = `{"id":"g1","kind":"canned_irrelevant","lang":"en","context":[{"speaker":"A","text":"Which way to the harbour?"}],"reference":"Left at the mill.","probe":"I feel your pain.","expect":"no_gain"}
{"id":"g2","kind":"canned_repeat","lang":"en","context":[{"speaker":"A","text":"My old dog died last week."}],"reference":"So sorry, friend.","probe":"All good. All good. All good.","expect":"prefer_first"}
`

func TestGamingFindsWhatIsGained(t *testing.T) {
	const (
		evidence = "gaming largest evidence that a no-gain probe adds"
		items    = "gaming items that no-gain probes add"
	)
	for name, c := range map[string]struct {
		classifier words
		gains      bool
	}{
		"a classifier that takes canned warmth for a feeling": {words{}, true},
		"a classifier that hears nothing":                     {words{deaf: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := suite.Gaming(t.Context(), known(t, c.classifier, "", twoProbes))
			if err != nil {
				t.Fatal(err)
			}
			more, count := find(t, o, evidence), find(t, o, items)
			if c.gains != (more.Value > 0.5) || c.gains == more.Met() || c.gains == count.Met() {
				t.Errorf("evidence %g, items %g, met %t and %t; want a gain: %t", more.Value, count.Value, more.Met(), count.Met(), c.gains)
			}
			if copies := find(t, o, "gaming weight of a hundred copies, in single replies"); copies.Value < 1 || !copies.Met() {
				t.Errorf("a hundred copies weigh %g, want 1 to 2", copies.Value)
			}
			for _, without := range []string{"gaming gain from self-praise, points", "gaming |rho| of score and length, given the gate and the annotated skill"} {
				if m := find(t, o, without); !m.Missing || m.Met() {
					t.Errorf("%s without any annotated reply: %+v, want it missing and not met", without, m)
				}
			}
		})
	}
}

func TestPaddingsAddWhatTheySay(t *testing.T) {
	t.Parallel()
	if added, share := suite.Padded("60 % canned empathy in random places", 50); added != 75 || math.Abs(share-0.6) > 1e-12 {
		t.Errorf("canned empathy adds %d lines to 50, a share of %g; want 75 and 0.6", added, share)
	}
	if added, _ := suite.Padded("self-praise", 50); added != 40 {
		t.Errorf("self-praise adds %d lines, want 40", added)
	}
	if added, _ := suite.Padded("two colluding accounts", 50); added != 40 {
		t.Errorf("colluding accounts add %d lines, want 40", added)
	}
}

func TestPartial(t *testing.T) {
	t.Parallel()
	// Two that go together only because both follow a third.
	if got := suite.Partial(0.42, 0.6, 0.7); math.Abs(got) > 1e-12 {
		t.Errorf("partial(0.42, 0.6, 0.7) = %g, want 0", got)
	}
	if got := suite.Partial(0.5, 0, 0); got != 0.5 {
		t.Errorf("partial(0.5, 0, 0) = %g, want 0.5", got)
	}
}

func TestGamingReal(t *testing.T) {
	e := real(t)
	e.Sizes = few()
	o, err := suite.Gaming(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	show(t, o, metric.SuiteGaming)
	if m := find(t, o, "gaming weight of a hundred copies, in single replies"); m.Missing || !m.Met() || m.Value < 1 {
		t.Errorf("a hundred copies: %+v", m)
	}
	if m := find(t, o, "gaming honest reply preferred to the canned one"); m.Rows < 18 || m.Value < 0.8 {
		t.Errorf("honest replies preferred in %.2f of %d", m.Value, m.Rows)
	}
}
