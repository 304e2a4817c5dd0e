package evaluate_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evaluate"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/internal/testkit"
)

// oracle answers what the annotators of the sets answered, or, wrong, another label.
type oracle struct {
	labels map[string][]string
	gold   map[string]dataset.Target // by head and text with its context; by head and text alone
	wrong  bool
}

var _ assessment.Classifier = oracle{}

func newOracle(t *testing.T, f *dataset.Folder) oracle {
	t.Helper()
	o := oracle{labels: map[string][]string{
		assessment.HeadHostility: {"none", "mild", "strong", "severe"}, assessment.HeadPoliteness: {"impolite", "neutral", "polite"},
		assessment.HeadVA: {"valence", "arousal"}, dataset.HeadEmpathic: {"concern", "distress"},
	}, gold: map[string]dataset.Target{}}
	for _, task := range dataset.Tasks() {
		head, _, _ := strings.Cut(task, "/")
		for _, split := range []string{dataset.Dev, dataset.Test} {
			rows, err := f.Rows(task, split)
			if err != nil {
				continue // sets of one file
			}
			for _, row := range rows {
				gold := row.Gold[head]
				for _, context := range [][]assessment.Turn{row.Context, nil} {
					o.gold[question(head, assessment.ClassifierInput{Text: row.Text, Context: context})] = gold
				}
				for _, label := range gold.Labels {
					if !slices.Contains(o.labels[head], label) {
						o.labels[head] = append(o.labels[head], label)
					}
				}
			}
		}
	}
	return o
}

func question(head string, in assessment.ClassifierInput) string {
	return fmt.Sprintf("%s %q %v", head, in.Text, in.Context)
}

func (o oracle) Info() assessment.ModelInfo {
	return assessment.ModelInfo{ID: "oracle", SHA256: "0123456789abcdef", Runtime: "test", Scale: "v0", Labels: o.labels}
}

// several tells heads whose labels may be true together, or of which there is one.
func (o oracle) several(head string) bool {
	return len(o.labels[head]) == 1 || slices.Contains([]string{
		assessment.HeadEmotion, dataset.HeadEmotion27, dataset.HeadNegotiation, dataset.HeadStrategies,
	}, head)
}

func (o oracle) Classify(_ context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	out := make([]assessment.Scores, len(in))
	for i := range in {
		out[i] = make(assessment.Scores)
		for head, labels := range o.labels {
			gold := o.gold[question(head, in[i])]
			values := make([]float64, len(labels))
			switch {
			case gold.Values != nil:
				copy(values, gold.Values)
				if o.wrong {
					values[0], values[1] = -values[0], -values[1]
				}
			case o.several(head):
				for k, label := range labels {
					values[k] = 0.02
					if slices.Contains(gold.Labels, label) != o.wrong {
						values[k] = 0.98
					}
				}
			case len(gold.Labels) > 0: // one label: the last of those that may be right
				k := slices.Index(labels, gold.Labels[len(gold.Labels)-1])
				if o.wrong {
					k = wrongFor(k, len(labels))
				}
				values[k] = 1
			}
			out[i][head] = values
		}
	}
	return out, nil
}

// wrongFor is far from the truth where labels have an order: none for any level, the last level for none.
func wrongFor(k, labels int) int {
	if k == 0 {
		return labels - 1
	}
	return 0
}

func evaluated(t *testing.T, f *dataset.Folder, c assessment.Classifier, rows int) *evaluate.Evaluation {
	t.Helper()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e, err := evaluate.Run(t.Context(), evaluate.Config{
		Classifier: c, Folder: f, Rows: rows, Suites: []string{metric.SuiteHeads, metric.SuiteCalibration},
		Now: func() time.Time { clock = clock.Add(time.Second); return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Who answers as the annotators did must meet every gate of the heads, and who never does none: a line that read the wrong
// column, row or label would show here. A head that is not there is not measured, and its gates are not met.
func TestOracle(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("reads all sets")
	}
	f, err := dataset.Open(testkit.Shared(t, "data"))
	if err != nil {
		t.Fatal(err)
	}
	o := newOracle(t, f)
	t.Run("right", func(t *testing.T) { testRight(t, evaluated(t, f, o, 150)) })
	t.Run("lacks a head", func(t *testing.T) {
		lacking := o
		lacking.labels = maps.Clone(o.labels)
		delete(lacking.labels, dataset.HeadSentiment)
		testLacking(t, evaluated(t, f, lacking, 40))
	})
	t.Run("wrong", func(t *testing.T) {
		o.wrong = true
		testWrong(t, evaluated(t, f, o, 150))
	})
}

func testRight(t *testing.T, e *evaluate.Evaluation) {
	if len(e.Measures) < 60 || len(e.Reports) < 30 {
		t.Fatalf("%d measures, %d reports: lines are missing", len(e.Measures), len(e.Reports))
	}
	for _, m := range e.Measures {
		if m.Suite != metric.SuiteHeads {
			continue
		}
		// A few texts stand in a set twice, with other labels, and a few labels do not occur in so few rows.
		if m.Missing || m.Value < 0.85 || !m.Met() {
			t.Errorf("%s: %v over %d rows (missing %v: %s)", m.Name(), m.Value, m.Rows, m.Missing, m.Note)
		}
	}
}

func testWrong(t *testing.T, e *evaluate.Evaluation) {
	for _, m := range e.Measures {
		if m.Suite == metric.SuiteHeads && m.Gate != nil && m.Met() {
			t.Errorf("%s: %v meets %v", m.Name(), m.Value, m.Gate)
		}
	}
	if e.Met() || e.Gates.NotMet == 0 || e.Gates.Missing != 0 {
		t.Errorf("gates %+v", e.Gates)
	}
}

func testLacking(t *testing.T, e *evaluate.Evaluation) {
	seen := 0
	for _, m := range e.Measures {
		if m.Head != dataset.HeadSentiment {
			continue
		}
		seen++
		if !m.Missing || m.Met() || m.Note == "" {
			t.Errorf("%s = %+v, want missing and not met", m.Name(), m)
		}
	}
	if seen < 2 || e.Gates.Missing != seen {
		t.Errorf("%d measures of a head that is not there, gates %+v", seen, e.Gates)
	}
}
