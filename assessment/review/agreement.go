package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"heartmark/assessment"

	"github.com/prometheus/client_golang/prometheus"
)

// Rating is what one rater said of one unit.
type Rating struct{ Unit, Rater, Label string }

// Kappa is Cohen's kappa of two raters over the units that both rated: agreement beyond what their own habits would give by
// chance. ok is false without common units, and where chance alone gives full agreement, since kappa is then undefined.
func Kappa(ratings []Rating, a, b string) (kappa float64, units int, ok bool) {
	of := map[string]map[string]string{a: {}, b: {}}
	for _, r := range ratings {
		if labels, known := of[r.Rater]; known {
			labels[r.Unit] = r.Label
		}
	}
	same, countA, countB := 0, map[string]int{}, map[string]int{}
	for unit, label := range of[a] {
		other, both := of[b][unit]
		if !both {
			continue
		}
		units++
		countA[label]++
		countB[other]++
		if label == other {
			same++
		}
	}
	if units == 0 || a == b {
		return 0, 0, false
	}
	n, chance := float64(units), 0.0
	for label, k := range countA {
		chance += float64(k) / n * float64(countB[label]) / n
	}
	if chance >= 1 {
		return 0, units, false
	}
	return (float64(same)/n - chance) / (1 - chance), units, true
}

// Alpha is Krippendorff's alpha for nominal labels over all raters; units with fewer than two ratings count for nothing. ok is
// false where fewer than two units are left or all labels are the same, since alpha is then undefined.
func Alpha(ratings []Rating) (alpha float64, units int, ok bool) {
	byUnit := map[string]map[string]string{}
	for _, r := range ratings {
		if byUnit[r.Unit] == nil {
			byUnit[r.Unit] = map[string]string{}
		}
		byUnit[r.Unit][r.Rater] = r.Label
	}
	total, differ := 0.0, 0.0
	counts := map[string]float64{}
	for _, unit := range slices.Sorted(maps.Keys(byUnit)) { // sums of floats in one order: the same ratings, the same number
		labels := byUnit[unit]
		m := float64(len(labels))
		if m < 2 {
			continue
		}
		units++
		in := map[string]float64{}
		for _, l := range labels {
			in[l]++
		}
		for _, l := range slices.Sorted(maps.Keys(in)) {
			counts[l] += in[l]
			differ += in[l] * (m - in[l]) / (m - 1)
		}
		total += m
	}
	expected := 0.0
	for _, l := range slices.Sorted(maps.Keys(counts)) {
		expected += counts[l] * (total - counts[l])
	}
	if units < 2 || expected == 0 {
		return 0, units, false
	}
	return 1 - (total-1)*differ/expected, units, true
}

// Pair is the agreement of two reviewers.
type Pair struct {
	A, B  string
	Units int
	Kappa *float64 // nil where it is undefined
}

// Work is how one reviewer works (G9: speed and agreement are watched).
type Work struct {
	Reviewer string
	Decided  int
	Released int // verdicts
	Refused  int
	// Median is the middle time from taking a case to deciding it.
	Median time.Duration
}

// Agreement is how far reviewers agree: on levels (a unit is a dimension of a report) and on passages (a unit is a marked passage).
type Agreement struct {
	Levels, Passages Measure
	Reviewers        []Work
}

// Measure is agreement over one kind of unit.
type Measure struct {
	Units int // that two or more rated
	Alpha *float64
	Pairs []Pair
}

// Agreement measures all decided cases of a tenant that are still there.
func (s *Service) Agreement(ctx context.Context, tenant string) (Agreement, error) {
	var levels, passages []Rating
	times := map[string][]time.Duration{}
	work := map[string]*Work{}
	err := s.decided(ctx, tenant, func(c Case) error {
		if work[c.Reviewer] == nil {
			work[c.Reviewer] = &Work{Reviewer: c.Reviewer}
		}
		w := work[c.Reviewer]
		w.Decided++
		times[c.Reviewer] = append(times[c.Reviewer], c.Decided.Sub(c.Taken))
		for d, v := range c.Verdicts {
			levels = append(levels, Rating{c.Report + " " + string(d), c.Reviewer, v})
			if v == Release {
				w.Released++
			} else {
				w.Refused++
			}
		}
		for _, m := range c.Words.Marks {
			passages = append(passages, Rating{c.Report + " " + m.Message + " " + m.Facet, c.Reviewer, m.Label})
		}
		return nil
	})
	if err != nil {
		return Agreement{}, err
	}
	out := Agreement{Levels: measure(levels), Passages: measure(passages)}
	for _, id := range slices.Sorted(maps.Keys(work)) {
		slices.Sort(times[id])
		work[id].Median = times[id][len(times[id])/2]
		out.Reviewers = append(out.Reviewers, *work[id])
	}
	return out, nil
}

func measure(ratings []Rating) Measure {
	out := Measure{}
	alpha, units, ok := Alpha(ratings)
	if out.Units = units; ok {
		out.Alpha = &alpha
	}
	var raters []string
	for _, r := range ratings {
		if !slices.Contains(raters, r.Rater) {
			raters = append(raters, r.Rater)
		}
	}
	slices.Sort(raters)
	for i, a := range raters {
		for _, b := range raters[i+1:] {
			kappa, units, ok := Kappa(ratings, a, b)
			if units == 0 {
				continue
			}
			p := Pair{A: a, B: b, Units: units}
			if ok {
				p.Kappa = &kappa
			}
			out.Pairs = append(out.Pairs, p)
		}
	}
	return out
}

// decided calls fn for each decided case of a tenant, with its words.
func (s *Service) decided(ctx context.Context, tenant string, fn func(Case) error) error {
	for cursor := ""; ; {
		page, next, err := s.c.Store.Cases(ctx, tenant, StateDecided, cursor, sweepPage)
		if err != nil {
			return fmt.Errorf("decided cases: %w", err)
		}
		for _, head := range page {
			c, err := s.c.Store.Case(ctx, tenant, head.ID)
			if errors.Is(err, ErrNotFound) {
				continue // it went meanwhile
			}
			if err != nil {
				return fmt.Errorf("case: %w", err)
			}
			if err := fn(c); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// Labelled is a passage with what people said of it, for research.
type Labelled struct {
	Report  string       `json:"report"`
	Message string       `json:"message"`
	Facet   string       `json:"facet"`
	Quote   string       `json:"quote"`
	Model   string       `json:"model"`     // that read it
	Read    string       `json:"direction"` // "+" or "-": how the model read it
	Labels  []GivenLabel `json:"labels"`
}

// GivenLabel is one person's label; By is a reviewer's id or "subject".
type GivenLabel struct {
	By    string `json:"by"`
	Label string `json:"label"`
}

// purposeResearch is the purpose without which nothing becomes labelled data (G2, G23).
const purposeResearch = "research"

// Labelled returns the marked passages of subjects who agreed to research, in a fixed order. A withdrawal takes report, cases and so
// their passages away.
func (s *Service) Labelled(ctx context.Context, tenant string) ([]Labelled, error) {
	found := map[string]*Labelled{}
	err := s.decided(ctx, tenant, func(c Case) error {
		if len(c.Words.Marks)+len(c.Words.Feedback) == 0 {
			return nil
		}
		r, err := s.report(ctx, tenant, c.Report)
		if errors.Is(err, ErrNotFound) || (err == nil && !slices.Contains(r.Provenance.Purposes, purposeResearch)) {
			return nil
		}
		if err != nil {
			return err
		}
		collect(found, r, c.Words.Marks, c.Reviewer)
		collect(found, r, c.Words.Feedback, "subject")
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Labelled, 0, len(found))
	for _, key := range slices.Sorted(maps.Keys(found)) {
		slices.SortFunc(found[key].Labels, func(a, b GivenLabel) int { return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Label, b.Label)) })
		out = append(out, *found[key])
	}
	return out, nil
}

func collect(found map[string]*Labelled, r assessment.Report, marks []Mark, by string) {
	for _, m := range marks {
		e, ok := passage(r, m)
		if !ok {
			continue // it was taken out of the report since
		}
		key := r.ID + "\x00" + m.Message + "\x00" + m.Facet
		if found[key] == nil {
			found[key] = &Labelled{Report: r.ID, Message: m.Message, Facet: m.Facet, Quote: e.Quote, Model: r.Model.ID, Read: e.Direction}
		}
		found[key].Labels = append(found[key].Labels, GivenLabel{by, m.Label})
	}
}

// metrics are what is counted.
type metrics struct{ overdue prometheus.Gauge }

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{overdue: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "heartmark_review_overdue_cases", Help: "Contests that are not answered within their fourteen days.",
	})}
	if err := r.Register(m.overdue); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return m, nil
}
