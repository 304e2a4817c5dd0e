package evaluate

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"heartmark/assessment/evaluate/metric"
)

// WriteText writes the summary that the command prints: every measure by suite, with its interval, the classical models,
// the gate and whether it is met; then the classification report of every head.
func (e *Evaluation) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "model %s %s on %s, sets of %d files, seed %d, %s\n", e.Model.ID, short(e.Model.SHA256), e.Model.Runtime, len(e.Data), e.Seed, e.Date)
	if e.Rows > 0 {
		fmt.Fprintf(&b, "quick run: at most %d rows a head, set and language; the intervals are wide\n", e.Rows)
	}
	for _, name := range Suites() {
		e.writeSuite(&b, name)
	}
	for _, r := range e.Reports {
		writeReport(&b, r)
	}
	for _, n := range e.Notes {
		fmt.Fprintf(&b, "\nnote: %s", n)
	}
	fmt.Fprintf(&b, "\n\ngates: %d met, %d not met", e.Gates.Met, e.Gates.NotMet)
	if e.Gates.Missing > 0 {
		fmt.Fprintf(&b, ", %d of these not measured", e.Gates.Missing)
	}
	b.WriteString("\n")
	for _, m := range e.Measures {
		if !m.Met() {
			fmt.Fprintf(&b, "  not met: %s: %s\n", m.Name(), outcome(m))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}

// outcome tells value and gate of a measure in a few words.
func outcome(m metric.Measure) string {
	if m.Missing {
		return fmt.Sprintf("not measured (%s), gate %s", m.Note, m.Gate)
	}
	return fmt.Sprintf("%s, gate %s", number(m.Value), m.Gate)
}

// number writes a value with as many digits as it carries.
func number(v float64) string {
	switch a := max(v, -v); {
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

func optional(v *float64) string {
	if v == nil {
		return "-"
	}
	return number(*v)
}

func interval(m metric.Measure) string {
	if m.Interval == nil || m.Missing {
		return "-"
	}
	return number(m.Interval[0]) + "–" + number(m.Interval[1])
}

// verdictWord is the last column of a measure: met, NOT MET, or nothing where there is no gate.
func verdictWord(m metric.Measure) string {
	switch {
	case m.Gate == nil:
		return ""
	case m.Met():
		return "met"
	case m.Missing:
		return "NOT MEASURED"
	default:
		return "NOT MET"
	}
}

func (e *Evaluation) writeSuite(b *strings.Builder, name string) {
	if !slices.ContainsFunc(e.Measures, func(m metric.Measure) bool { return m.Suite == name }) {
		return
	}
	fmt.Fprintf(b, "\n%s\n", name)
	t := tabwriter.NewWriter(b, 2, 8, 2, ' ', 0)
	compared := name == metric.SuiteHeads
	header := "  head\tset\tlang\tmetric\trows\tvalue\t90 %"
	if compared {
		header += "\tfloor\tSVM\tforest"
	}
	fmt.Fprintln(t, header+"\tgate\t")
	for _, m := range e.Measures {
		if m.Suite != name {
			continue
		}
		value := number(m.Value)
		if m.Missing {
			value = "-"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%d\t%s\t%s", m.Head, m.Set, m.Lang, m.Metric, m.Rows, value, interval(m))
		if compared {
			fmt.Fprintf(t, "\t%s\t%s\t%s", optional(m.Floor), optional(m.SVM), optional(m.Forest))
		}
		gate := ""
		if m.Gate != nil {
			gate = m.Gate.String()
		}
		fmt.Fprintf(t, "\t%s\t%s\n", gate, verdictWord(m))
	}
	_ = t.Flush() // into a strings.Builder, which cannot fail
}

func writeReport(b *strings.Builder, r HeadReport) {
	fmt.Fprintf(b, "\n%s on %s %s, %d rows (%s)\n", r.Head, r.Set, r.Lang, r.Rows, r.Metric)
	t := tabwriter.NewWriter(b, 2, 8, 2, ' ', 0)
	fmt.Fprintln(t, "  label\tprecision\trecall\tF1\tsupport\t")
	for _, c := range r.Classes {
		fmt.Fprintf(t, "  %s\t%.3f\t%.3f\t%.3f\t%d\t\n", c.Label, c.Precision, c.Recall, c.F1, c.Support)
	}
	_ = t.Flush() // into a strings.Builder, which cannot fail
}
