package training

import (
	"fmt"
	"slices"

	"heartmark/assessment"
)

// idleLimit is after how many windows without reliable change a module is dropped or changed (assessment design, section 9).
const idleLimit = 2

// PlanOver makes the plan of the first report and carries it through the others, by window. It returns ErrSubjects and
// ErrNoReports.
func (b *Bank) PlanOver(reports []assessment.Report) (Plan, error) {
	sorted, err := inOrder(reports)
	if err != nil {
		return Plan{}, err
	}
	plan := b.Plan(sorted[0])
	for _, r := range sorted[1:] {
		if plan, err = b.Replan(plan, r); err != nil {
			return Plan{}, err
		}
	}
	return plan, nil
}

// Replan carries a plan on to a later report. A module whose facet still has a gap stays, with its start and baseline, so
// that practice is not cut short; one that has seen two comparable windows without reliable improvement is retired for
// good, and another module of its facet or another facet takes its place. A report that the plan has counted changes
// nothing. It returns ErrSubjects.
func (b *Bank) Replan(old Plan, r assessment.Report) (Plan, error) {
	return b.replan(old, r, func(c []Choice) []Choice { return c })
}

// replan lets order sort the candidates for the free places.
func (b *Bank) replan(old Plan, r assessment.Report, order func([]Choice) []Choice) (Plan, error) {
	if old.Subject != r.Subject {
		return Plan{}, fmt.Errorf("plan of %q, report of %q: %w", old.Subject, r.Subject, ErrSubjects)
	}
	if slices.Contains(old.Seen, reportKey(r)) {
		return old, nil
	}
	tired := map[ModuleID]bool{}
	for _, t := range old.Retired {
		tired[t.Module] = true
	}
	var going, ended []Choice
	for _, c := range old.Modules {
		if c = advance(c, r); c.Idle >= idleLimit {
			tired[c.Module] = true
			ended = append(ended, c)
		} else {
			going = append(going, c)
		}
	}
	candidates := b.candidates(r, tired)
	p := b.frame(r)
	p.Modules = pick(stay(going, candidates, r), order(candidates))
	p.Revision, p.Seen = old.Revision, append(slices.Clone(old.Seen), reportKey(r))
	p.Retired = append(p.Retired, old.Retired...)
	for _, c := range ended {
		p.Retired = append(p.Retired, b.retire(c, p, r))
	}
	return p, nil
}

// stay returns the modules that go on: their figures are those of the new report, their count goes on. Where the dimension
// has no score this time nothing is known against them.
func stay(going, candidates []Choice, r assessment.Report) []Choice {
	var out []Choice
	for _, c := range going {
		if !scored(r.Dimensions[c.Dimension]) {
			out = append(out, c)
			continue
		}
		if i := slices.IndexFunc(candidates, func(n Choice) bool { return n.Module == c.Module }); i >= 0 {
			next := candidates[i]
			next.Since, next.Baseline, next.Idle, next.By = c.Since, c.Baseline, c.Idle, c.By
			out = append(out, next)
		}
	}
	return out
}

// advance counts a window for a module. A reliable improvement starts the count anew from the better figure; a window that
// cannot be compared counts for nothing.
func advance(c Choice, r assessment.Report) Choice {
	now := figureOf(r, c.Dimension)
	if c.Baseline == nil {
		c.Baseline = now
		return c
	}
	switch Compare(c.Dimension, c.Baseline, now).Verdict {
	case Improved:
		c.Baseline, c.Idle = now, 0
	case NoChange, Declined:
		c.Idle++
	case NotEnough, Incomparable:
	}
	return c
}

func (b *Bank) retire(c Choice, p Plan, r assessment.Report) Retired {
	out := Retired{Module: c.Module, On: r.Window.To}
	for _, n := range p.Modules {
		if n.Facet == c.Facet {
			out.For = n.Module
		}
	}
	m, _ := b.Module(c.Module)
	out.Why = whyRetired(m, out.For, c.Facet)
	return out
}
