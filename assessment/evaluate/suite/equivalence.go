package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/model"
)

// compared are the labelled tasks on which two forms of a model are set side by side.
func compared() []string {
	return []string{
		"er/" + dataset.SetEpitome, "ip/" + dataset.SetEpitome, "ex/" + dataset.SetEpitome, "hostility/" + dataset.SetCOLD,
		"hostility/" + dataset.SetConvAbuse, "act/" + dataset.SetCPED, "politeness/" + dataset.SetPoliteness,
	}
}

// Equivalence compares the classifier under test with another form of the same model: its fp32 export, or the same file on
// another provider (assessment design, section 10). other is nil where there is none.
func Equivalence(ctx context.Context, env Env, other assessment.Classifier) (Outcome, error) {
	e := env.prepared()
	var out Outcome
	exported(&out)
	if other == nil {
		for _, m := range []metric.Measure{lossOfF1(0), sameLabel(0)} {
			out.missing(m, "no second form of the model was given")
		}
		return out, nil
	}
	if err := e.sideBySide(ctx, other, &out); err != nil {
		return Outcome{}, fmt.Errorf("equivalence: %w", err)
	}
	return out, nil
}

func lossOfF1(rows int) metric.Measure {
	return metric.Measure{
		Suite: metric.SuiteEquivalence, Metric: "macro-F1 that the small form loses, mean over tasks", Rows: rows, Gate: metric.Ceiling(0.01),
	}
}

func sameLabel(rows int) metric.Measure {
	return metric.Measure{
		Suite: metric.SuiteEquivalence, Metric: "share of equal labels, mean over heads", Rows: rows, Gate: metric.Floor(0.985),
		Note: "heads whose labels exclude each other: the first label; others: all labels at 0.5",
	}
}

// exported reads how far the exports are from the model that was trained, as the export itself measured it.
func exported(out *Outcome) {
	m := metric.Measure{
		Suite: metric.SuiteEquivalence, Metric: "largest difference of logits, PyTorch against ONNX fp32", Gate: metric.Ceiling(1e-3),
		Note: "measured by the export",
	}
	var report struct {
		Settings struct {
			Equivalence struct {
				Rows int                    `json:"rows"`
				FP32 *struct{ Max float64 } `json:"fp32"`
			} `json:"equivalence"`
		} `json:"settings"`
	}
	data, err := fs.ReadFile(model.Embedded(), model.FileReport)
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err != nil || report.Settings.Equivalence.FP32 == nil {
		out.missing(m, "the training report of this model does not say")
		return
	}
	m.Rows, m.Value = report.Settings.Equivalence.Rows, report.Settings.Equivalence.FP32.Max
	out.add(m)
}

// pairOfScores are the answers of both forms to the rows of one task.
type pairOfScores struct {
	rows []dataset.Row
	a, b []assessment.Scores
}

func (e Env) sideBySide(ctx context.Context, other assessment.Classifier, out *Outcome) error {
	tasks := map[string]pairOfScores{}
	for _, task := range compared() {
		rows, err := e.Folder.Rows(task, dataset.Test)
		if err != nil {
			return err
		}
		p := pairOfScores{rows: thin(rows, e.Sizes.Equal)}
		in := make([]assessment.ClassifierInput, len(p.rows))
		for i, r := range p.rows {
			in[i] = assessment.ClassifierInput{Text: r.Text, Lang: r.Lang, Context: r.Context}
		}
		if p.a, err = classify(ctx, e.Classifier, in); err != nil {
			return err
		}
		if p.b, err = classify(ctx, other, in); err != nil {
			return err
		}
		tasks[task] = p
	}
	e.loses(tasks, out)
	e.labels(tasks, out)
	e.apartBy(tasks, other, out)
	return nil
}

// loses compares macro-F1 on the labels.
func (e Env) loses(tasks map[string]pairOfScores, out *Outcome) {
	table := Table{Title: "macro-F1 of both forms", Columns: []string{"task", "rows", "under test", "other form", "difference"}}
	var losses []float64
	rows := 0
	for _, task := range slices.Sorted(maps.Keys(tasks)) {
		p := tasks[task]
		head, _, _ := strings.Cut(task, "/")
		labels := e.Classifier.Info().Labels[head]
		var want, a, b []int
		for i, r := range p.rows {
			want = append(want, judged(head, labels, r.Gold[head].Labels))
			a, b = append(a, answered(head, p.a[i][head])), append(b, answered(head, p.b[i][head]))
		}
		x, y := metric.MacroF1(want, a, len(labels)), metric.MacroF1(want, b, len(labels))
		losses, rows = append(losses, y-x), rows+len(want)
		table.Rows = append(table.Rows, []string{task, fmt.Sprint(len(want)), number(x), number(y), number(y - x)})
	}
	m := lossOfF1(rows)
	m.Value = metric.Mean(losses)
	out.add(m)
	out.Tables = append(out.Tables, table)
}

// judged is the place of the true label; hostility is judged as hostile or not, since sets do not grade it alike.
func judged(head string, labels, gold []string) int {
	if head == assessment.HeadHostility {
		if slices.Contains(gold, "none") {
			return 0
		}
		return 1
	}
	return slices.Index(labels, gold[0])
}

func answered(head string, values []float64) int {
	if head != assessment.HeadHostility {
		return metric.Argmax(values)
	}
	if values[0] >= 0.5 {
		return 0
	}
	return 1
}

// labels compares the labels that each head gives.
func (e Env) labels(tasks map[string]pairOfScores, out *Outcome) {
	table := Table{Title: "Equal labels of both forms", Columns: []string{"head", "answers", "equal"}}
	var shares []float64
	rows := 0
	heads := e.Classifier.Info().Labels
	for _, head := range slices.Sorted(maps.Keys(heads)) {
		same, all := 0, 0
		for _, p := range tasks {
			for i := range p.a {
				a, b := p.a[i][head], p.b[i][head]
				if len(a) == 0 || len(a) != len(b) || head == assessment.HeadVA || head == dataset.HeadEmpathic {
					continue
				}
				all++
				if alike(a, b) {
					same++
				}
			}
		}
		if all == 0 {
			continue
		}
		shares, rows = append(shares, float64(same)/float64(all)), rows+all
		table.Rows = append(table.Rows, []string{head, fmt.Sprint(all), number(float64(same) / float64(all))})
	}
	m := sameLabel(rows)
	m.Value = metric.Mean(shares)
	out.add(m)
	out.Tables = append(out.Tables, table)
}

// alike reports whether two answers of one head mean the same.
func alike(a, b []float64) bool {
	if exclusive(a) {
		return metric.Argmax(a) == metric.Argmax(b)
	}
	for i := range a {
		if (a[i] >= 0.5) != (b[i] >= 0.5) {
			return false
		}
	}
	return true
}

// exclusive reports whether the labels of a head exclude each other: their values sum to one.
func exclusive(values []float64) bool {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return len(values) > 1 && math.Abs(sum-1) < 1e-6
}

// apartBy is the largest and the mean difference of values. It has a gate where the two differ by the provider only.
func (e Env) apartBy(tasks map[string]pairOfScores, other assessment.Classifier, out *Outcome) {
	largest, sum, n := 0.0, 0.0, 0
	for _, p := range tasks {
		for i := range p.a {
			for head, values := range p.a[i] {
				for k := range values {
					gap := math.Abs(values[k] - p.b[i][head][k])
					largest, sum, n = max(largest, gap), sum+gap, n+1
				}
			}
		}
	}
	m := metric.Measure{
		Suite: metric.SuiteEquivalence, Metric: "largest difference of values", Rows: n, Value: largest,
		Note: fmt.Sprintf("%s against %s; mean %.4f", e.Classifier.Info().Runtime, other.Info().Runtime, sum/float64(max(n, 1))),
	}
	switch gpu := e.Classifier.Info().Runtime; {
	case strings.HasSuffix(gpu, "fp16"):
		m.Gate = metric.Ceiling(0.01)
	case strings.HasPrefix(gpu, "cuda"):
		m.Gate = metric.Ceiling(0.002)
	default:
		m.Note += "; the gate is for a GPU against a CPU, and no GPU runs here"
	}
	out.add(m)
}
