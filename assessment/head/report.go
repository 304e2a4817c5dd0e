package head

import (
	"fmt"
	"slices"
	"strings"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/model"
)

// eceBins is the number of bins of calibration errors (assessment design, section 10).
const eceBins = 15

// Report is how a head did on rows that it was not trained on.
type Report struct {
	Rows    int                  `json:"rows"`
	Classes []metric.ClassReport `json:"classes"` // by label, then macro and weighted
	MacroF1 float64              `json:"macro_f1"`
	// Interval90 is the 90 % bootstrap interval of MacroF1; rows of one group are drawn together.
	Interval90 [2]float64 `json:"interval90"`
	// Accuracy is the share of rows whose labels are all right.
	Accuracy float64 `json:"accuracy"`
	// Majority is the macro-F1 of the answer that training rows have most often: the floor.
	Majority float64 `json:"majority_macro_f1"`
	// Confusion counts rows: true label by line, answered label by column; softmax heads only.
	Confusion [][]int `json:"confusion,omitempty"`
	// Binary counts, by label, the right and wrong answers; sigmoid heads only.
	Binary []Binary `json:"binary,omitempty"`
	// ECEBefore and ECEAfter are the calibration errors (15 bins) of the raw and of the calibrated probabilities: of the
	// likeliest label for softmax heads, of all labels for sigmoid heads.
	ECEBefore float64      `json:"ece_before"`
	ECEAfter  float64      `json:"ece_after"`
	Bins      []metric.Bin `json:"reliability"` // of the calibrated probabilities
	// Languages are the rows by language, as given or detected.
	Languages map[string]LanguageReport `json:"languages"`
}

// Binary are the counts of one label.
type Binary struct {
	Label string `json:"label"`
	Hit   int    `json:"true_positive"`
	False int    `json:"false_positive"`
	Miss  int    `json:"false_negative"`
	Rest  int    `json:"true_negative"`
}

// LanguageReport is how a head did on the rows of one language.
type LanguageReport struct {
	Rows    int     `json:"rows"`
	MacroF1 float64 `json:"macro_f1"`
}

// Measured is what Measure reads.
type Measured struct {
	Rows        []Row
	Targets     Targets
	Logits      [][]float32 // of all rows
	Calibration Calibration
	Train, At   []int // places of the training rows and of those to measure
	Seed        uint64
}

// Measure reports on the rows at m.At.
func Measure(m Measured) Report {
	t := m.Targets
	r := Report{Rows: len(m.At), Languages: map[string]LanguageReport{}}
	want, got := make([][]bool, len(m.At)), make([][]bool, len(m.At))
	for j, i := range m.At {
		want[j] = t.Has[i]
		got[j] = m.Calibration.Holds(t.Kind, m.Calibration.Probabilities(t.Kind, m.Logits[i]))
	}
	r.Classes = t.report(want, got)
	r.MacroF1 = t.macro(want, got)
	r.Interval90 = metric.BootstrapGroups(m.groups(), metric.Resamples, m.Seed, func(at []int) float64 {
		return t.macro(metric.Take(want, at), metric.Take(got, at))
	})
	hit := 0
	for j := range want {
		if slices.Equal(want[j], got[j]) {
			hit++
		}
	}
	if len(want) > 0 {
		r.Accuracy = float64(hit) / float64(len(want))
	}
	r.Majority = t.majority(m.Train, want)
	if t.Kind == model.Softmax {
		r.Confusion = metric.Confusion(t.classes(want), t.classes(got), len(t.Labels))
	} else {
		r.Binary = t.binary(want, got)
	}
	r.ECEBefore, _ = m.ece(Uncalibrated(t.Kind, len(t.Labels)))
	r.ECEAfter, r.Bins = m.ece(m.Calibration)
	byLanguage := make(map[string][]int)
	for j, i := range m.At {
		lang := m.Rows[i].language()
		byLanguage[lang] = append(byLanguage[lang], j)
	}
	for lang, at := range byLanguage {
		r.Languages[lang] = LanguageReport{Rows: len(at), MacroF1: t.macro(metric.Take(want, at), metric.Take(got, at))}
	}
	return r
}

// groups are the places in m.At of the rows of each group; a row without group is one of its own.
func (m Measured) groups() [][]int {
	var out [][]int
	at := make(map[string]int)
	for j, i := range m.At {
		name := m.Rows[i].Group
		n, ok := at[name]
		if !ok || name == "" {
			n = len(out)
			at[name] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], j)
	}
	return out
}

// ece is the calibration error under c.
func (m Measured) ece(c Calibration) (float64, []metric.Bin) {
	var confidence []float64
	var right []bool
	for _, i := range m.At {
		p := c.Probabilities(m.Targets.Kind, m.Logits[i])
		if m.Targets.Kind == model.Softmax {
			best := metric.Argmax(p)
			confidence, right = append(confidence, p[best]), append(right, m.Targets.Has[i][best])
			continue
		}
		confidence, right = append(confidence, p...), append(right, m.Targets.Has[i]...)
	}
	return metric.ECE(confidence, right, eceBins)
}

// classes are the places of the one label of each row.
func (t Targets) classes(has [][]bool) []int {
	out := make([]int, len(has))
	for i, h := range has {
		out[i] = slices.Index(h, true)
	}
	return out
}

func (t Targets) report(want, got [][]bool) []metric.ClassReport {
	if t.Kind == model.Softmax {
		return metric.Report(t.classes(want), t.classes(got), t.Labels)
	}
	return metric.MultiLabelReport(want, got, t.Labels)
}

// macro is the mean F1 of the labels; for sigmoid heads those count too that never occur.
func (t Targets) macro(want, got [][]bool) float64 {
	if t.Kind == model.Softmax {
		return metric.MacroF1(t.classes(want), t.classes(got), len(t.Labels))
	}
	macro, _ := metric.MultiLabelF1(want, got)
	return macro
}

// majority is the macro-F1 of always answering the commonest label of the training rows, or, for sigmoid heads, each label
// that at least half of them have.
func (t Targets) majority(train []int, want [][]bool) float64 {
	counts := t.counts(train)
	answer := make([]bool, len(t.Labels))
	best := 0
	for k, l := range t.Labels {
		answer[k] = t.Kind == model.Sigmoid && 2*counts[l] >= len(train)
		if counts[l] > counts[t.Labels[best]] {
			best = k
		}
	}
	if t.Kind == model.Softmax {
		answer[best] = true
	}
	got := make([][]bool, len(want))
	for i := range got {
		got[i] = answer
	}
	return t.macro(want, got)
}

func (t Targets) binary(want, got [][]bool) []Binary {
	out := make([]Binary, len(t.Labels))
	for k, l := range t.Labels {
		b := &out[k]
		b.Label = l
		for i := range want {
			switch {
			case want[i][k] && got[i][k]:
				b.Hit++
			case got[i][k]:
				b.False++
			case want[i][k]:
				b.Miss++
			default:
				b.Rest++
			}
		}
	}
	return out
}

// String is the report for a terminal.
func (r Report) String() string {
	var b strings.Builder
	width := len(metric.LabelWeighted)
	for _, c := range r.Classes {
		width = max(width, len([]rune(c.Label)))
	}
	fmt.Fprintf(&b, "%-*s  precision  recall      F1  support\n", width, "")
	for _, c := range r.Classes {
		fmt.Fprintf(&b, "%-*s  %9.3f  %6.3f  %6.3f  %7d\n", width, c.Label, c.Precision, c.Recall, c.F1, c.Support)
	}
	fmt.Fprintf(&b, "macro-F1 %.3f, 90 %% interval %.3f to %.3f; always the commonest answer: %.3f; all labels right: %.3f\n",
		r.MacroF1, r.Interval90[0], r.Interval90[1], r.Majority, r.Accuracy)
	fmt.Fprintf(&b, "calibration error (15 bins): %.3f raw, %.3f calibrated\n", r.ECEBefore, r.ECEAfter)
	if r.Confusion != nil {
		b.WriteString("confusion, true label by line, answer by column:\n")
		for k, line := range r.Confusion {
			fmt.Fprintf(&b, "%-*s ", width, r.Classes[k].Label)
			for _, n := range line {
				fmt.Fprintf(&b, " %6d", n)
			}
			b.WriteByte('\n')
		}
	}
	for _, c := range r.Binary {
		fmt.Fprintf(&b, "%-*s  %d found, %d missed, %d false, %d rightly left out\n", width, c.Label, c.Hit, c.Miss, c.False, c.Rest)
	}
	for _, lang := range slices.Sorted(keysOf(r.Languages)) {
		fmt.Fprintf(&b, "language %s: %d rows, macro-F1 %.3f\n", lang, r.Languages[lang].Rows, r.Languages[lang].MacroF1)
	}
	return b.String()
}
