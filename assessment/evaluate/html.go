package evaluate

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"

	"heartmark/assessment/evaluate/metric"
)

//go:embed evaluation.gohtml
var evaluationPage string

// WriteHTML writes the evaluation as one self-contained page: no script, nothing remote; every plot stands beside a table
// with the same numbers.
func (e *Evaluation) WriteHTML(w io.Writer) error {
	t, err := template.New("evaluation").Funcs(template.FuncMap{
		"number": number, "optional": optional, "interval": interval, "verdict": verdictWord, "short": short,
		"heat": heat, "reliability": reliability, "threshold": threshold, "percent": func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
	}).Parse(evaluationPage)
	if err != nil {
		return fmt.Errorf("evaluation page: %w", err)
	}
	if err := t.Execute(w, e.page()); err != nil {
		return fmt.Errorf("evaluation page: %w", err)
	}
	return nil
}

// threshold is that of a label as text; the lines of the means have none.
func threshold(r HeadReport, label string) string {
	cut, ok := r.Thresholds[label]
	if !ok {
		return ""
	}
	return number(cut)
}

// page is what the template shows.
type page struct {
	E       *Evaluation
	Suites  []pageSuite
	Bars    template.HTML
	NotMet  []metric.Measure
	Seconds float64
}

type pageSuite struct {
	Name     string
	Compared bool // shows the classical models
	Measures []metric.Measure
}

func (e *Evaluation) page() page {
	p := page{E: e}
	for _, name := range Suites() {
		s := pageSuite{Name: name, Compared: name == metric.SuiteHeads}
		for _, m := range e.Measures {
			if m.Suite == name {
				s.Measures = append(s.Measures, m)
			}
		}
		if len(s.Measures) > 0 {
			p.Suites = append(p.Suites, s)
		}
		if s.Compared {
			p.Bars = bars(slices.DeleteFunc(slices.Clone(s.Measures), func(m metric.Measure) bool { return m.Gate == nil }))
		}
	}
	for _, m := range e.Measures {
		if !m.Met() {
			p.NotMet = append(p.NotMet, m)
		}
	}
	for _, s := range e.Stages {
		p.Seconds += s.Seconds
	}
	return p
}
