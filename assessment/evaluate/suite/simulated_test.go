package suite_test

import (
	"strings"
	"testing"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

// Outcomes that tell skill apart well must meet the design's gates; those that tell nothing must leave them unmet.
func TestSimulatedPeopleOfKnownOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s1, s0  float64
		missing bool
	}{
		"clear": {0.9, 0.1, false},
		"blind": {0.5, 0.5, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := suite.Env{Classifier: words{}, Seed: 1, Sizes: suite.Sizes{People: 64, Ranked: 60}}
			o, err := suite.SimulateKnown(t.Context(), e, c.s1, c.s0)
			if err != nil {
				t.Fatal(err)
			}
			show(t, o, metric.SuiteSimulated)
			for _, m := range o.Measures {
				if m.Missing != c.missing || c.missing && m.Met() {
					t.Errorf("%s: missing %t, met %t", m.Name(), m.Missing, m.Met())
				}
				sure := strings.Contains(m.Metric, "|bias|") || strings.Contains(m.Metric, "abstain") || strings.Contains(m.Metric, "Spearman")
				if !c.missing && sure && !m.Met() {
					t.Errorf("%s: %g, want %v", m.Name(), m.Value, m.Gate)
				}
			}
		})
	}
}

func TestSimulatedReal(t *testing.T) {
	e := real(t)
	e.Sizes = few()
	o, err := suite.Simulated(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	show(t, o, metric.SuiteSimulated)
	for _, m := range o.Measures {
		if strings.Contains(m.Metric, "abstain") && !m.Missing && m.Value != 1 {
			t.Errorf("%s: %g, want that nobody is scored at half the minimum", m.Name(), m.Value)
		}
	}
}
