package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

// judgeLines measures every line and reports the classes of each.
func (r *runner) judgeLines(studies []*study) {
	all := lines()
	for n, l := range all {
		at := slices.IndexFunc(studies, func(s *study) bool { return s.head == l.head && s.set == l.set })
		r.judgeLine(l, studies[at])
		r.step("judging")(n+1, len(all))
	}
}

func (r *runner) judgeLine(l line, s *study) {
	m := metric.Measure{
		Suite: metric.SuiteHeads, Head: l.head, Set: l.set, Lang: l.lang, Metric: l.metric, Gate: l.bound(), Literature: l.literature, Note: l.note,
	}
	m.Floor, m.SVM, m.Forest = s.beside(l, s.floor), s.beside(l, s.svm), s.beside(l, s.forest)
	if !r.Baselines && l.floor != 0 {
		m.Floor = &l.floor
	}
	for _, row := range s.test {
		m.Rows += b2i(l.has(row))
	}
	if s.m1 == nil || m.Rows == 0 {
		m.Missing, m.Note = true, "the model has no head "+l.head
		if s.m1 != nil {
			m.Note = "no rows"
		}
		r.add(m)
		return
	}
	v := judge(l, s, s.m1)
	m.Rows = len(v.at)
	m.Value, m.Interval = v.measure(r.Seed)
	r.add(m)
	if report, ok := v.report(l, s); ok {
		r.out.Reports = append(r.out.Reports, report)
	}
}

// beside is the line's metric for a classical model; nil where it was not fitted or its metric is not defined.
func (s *study) beside(l line, by *scored) *float64 {
	if by == nil {
		return nil
	}
	v := judge(l, s, by)
	if len(v.at) == 0 {
		return nil
	}
	value := v.score(v.all())
	if math.IsNaN(value) {
		return nil
	}
	return &value
}

// report is the classification report of a line; ok is false for lines that judge no classes.
func (v verdict) report(l line, s *study) (out HeadReport, ok bool) {
	out = HeadReport{Head: l.head, Set: l.set, Lang: l.lang, Metric: l.metric, Rows: len(v.at)}
	switch v.how {
	case byValue:
		return out, false
	case byLabels:
		out.Classes = metric.MultiLabelReport(v.wantSets, v.gotSets, v.labels)
	default:
		out.Classes = metric.Report(v.want, v.got, v.labels)
		out.Confusion = &Confusion{Labels: v.labels, Counts: metric.Confusion(v.want, v.got, len(v.labels))}
	}
	if v.cuts != nil {
		out.Thresholds = make(map[string]float64, len(v.labels))
		for at, label := range v.labels {
			out.Thresholds[label] = round(v.cuts[at], 4)
		}
	}
	return out, true
}

// hatecheck adds accuracy by functionality and by target, read both ways, and the gate on the worst functionality without
// hate; beside it, without a gate, the worst one where any hostility counts as hate.
func (r *runner) hatecheck(studies []*study) {
	at := slices.IndexFunc(studies, func(s *study) bool { return s.set == dataset.SetHateCheck })
	s := studies[at]
	for _, lang := range []string{english, chinese} {
		least := metric.Measure{
			Suite: metric.SuiteHeads, Head: assessment.HeadHostility, Set: dataset.SetHateCheck, Lang: lang,
			Metric: "lowest " + accuracyHate + ", of a functionality without hate", Gate: metric.Floor(leastFunctionality),
		}
		if s.m1 == nil {
			least.Missing, least.Note = true, "the model has no head "+s.head
			r.add(least)
			continue
		}
		hate := judge(line{head: s.head, set: s.set, lang: lang, how: byHate}, s, s.m1)
		hostile := judge(line{head: s.head, set: s.set, lang: lang, how: byHostileShare}, s, s.m1)
		parts := s.parts(hate, hostile, "functionality")
		r.add(lowest(least, parts, func(p part) int { return p.right }))
		least.Metric, least.Gate = "lowest "+accuracyHostile+", of a functionality without hate", nil
		r.add(lowest(least, parts, func(p part) int { return p.rightHostile }))
		r.out.Tables = append(r.out.Tables, partTable("HateCheck "+lang+" by functionality (nh: not hateful)", "functionality", parts))
		r.out.Tables = append(r.out.Tables, partTable("HateCheck "+lang+" by target", "target", s.parts(hate, hostile, "target")))
	}
}

// lowest fills in the worst functionality without hate, named in the note.
func lowest(m metric.Measure, parts []part, right func(part) int) metric.Measure {
	m.Value = math.Inf(1) // no such row: not measured
	for _, p := range parts {
		if share := p.share(right(p)); strings.HasSuffix(p.name, "_nh") && share < m.Value {
			m.Value, m.Rows, m.Note = share, p.rows, p.name
		}
	}
	return m
}

// part is the rows that bear one value of a tag.
type part struct {
	name         string
	rows, truly  int // truly: hateful
	right, found int // read as: the most probable level is severe
	rightHostile int // read as: hostile at all
	foundHostile int
}

func (p part) share(of int) float64 { return float64(of) / float64(p.rows) }

// parts counts two verdicts on the same rows by a tag.
func (s *study) parts(hate, hostile verdict, tag string) []part {
	var out []part
	for k, i := range hate.at {
		name := cmp.Or(s.test[i].Tags[tag], "none")
		at := slices.IndexFunc(out, func(p part) bool { return p.name == name })
		if at < 0 {
			at = len(out)
			out = append(out, part{name: name})
		}
		p := &out[at]
		p.rows++
		p.truly += hate.want[k]
		p.right += b2i(hate.want[k] == hate.got[k])
		p.found += hate.got[k]
		p.rightHostile += b2i(hostile.want[k] == hostile.got[k])
		p.foundHostile += hostile.got[k]
	}
	slices.SortFunc(out, func(a, b part) int { return strings.Compare(a.name, b.name) })
	return out
}

func partTable(title, what string, parts []part) suite.Table {
	t := suite.Table{Title: title, Columns: []string{
		what, "rows", "truly hateful", "accuracy: severe most probable", "found severe", "accuracy: hostile at all", "found hostile",
	}}
	for _, p := range parts {
		t.Rows = append(t.Rows, []string{
			p.name, fmt.Sprint(p.rows), fmt.Sprint(p.truly), fmt.Sprintf("%.3f", p.share(p.right)), fmt.Sprint(p.found),
			fmt.Sprintf("%.3f", p.share(p.rightHostile)), fmt.Sprint(p.foundHostile),
		})
	}
	return t
}
