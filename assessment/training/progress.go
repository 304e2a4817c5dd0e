package training

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"heartmark/assessment"
	"heartmark/schemas"
)

// Errors of following a subject over reports.
var (
	// ErrSubjects is returned when reports, or a plan and a report, are of different subjects. Nothing is compared.
	ErrSubjects = errors.New("reports are of different subjects")
	// ErrNoReports is returned when there is no report to go by.
	ErrNoReports = errors.New("no report")
)

// reliableIndex is the reliable change index that a change must exceed: 90 % two-sided (assessment design, section 6).
const reliableIndex = 1.64

// Figure is a dimension's score in one window.
type Figure struct {
	Score float64           `json:"score"` // 0 to 100
	SEM   float64           `json:"sem"`   // points
	Scale string            `json:"scale"`
	Win   assessment.Window `json:"window"`
}

// figureOf returns the figure of d in r, nil where it is not scored.
func figureOf(r assessment.Report, d schemas.Dimension) *Figure {
	rep := r.Dimensions[d]
	if !scored(rep) {
		return nil
	}
	return &Figure{Score: *rep.Score, SEM: *rep.SEM, Scale: r.Model.Scale, Win: r.Window}
}

// Verdict says what became of a dimension between two windows.
type Verdict string

// The verdicts.
const (
	Improved     Verdict = "improved"           // reliably, at 90 %
	Declined     Verdict = "declined"           // reliably, at 90 %
	NoChange     Verdict = "no_reliable_change" // the difference lies within its error
	NotEnough    Verdict = "not_enough"         // one of the windows has no score
	Incomparable Verdict = "not_comparable"     // another scale, or windows that overlap: part of the text is the same
)

// Change compares two windows of one dimension. Difference, Error and Index are 0 unless both are scored and comparable.
type Change struct {
	Dimension  schemas.Dimension `json:"dimension"`
	From       *Figure           `json:"from"`
	To         *Figure           `json:"to"`
	Difference float64           `json:"difference"` // points
	Error      float64           `json:"error"`      // standard error of the difference, points
	Index      float64           `json:"index"`      // difference over error
	Verdict    Verdict           `json:"verdict"`
	Text       Text              `json:"text"`
}

// Compare applies the reliable change index of Jacobson and Truax (1991): the difference over the standard error of the
// difference, the root of the sum of the squared standard errors (root 2 SEM where both are equal). A change is reliable
// beyond 1.64.
func Compare(d schemas.Dimension, from, to *Figure) Change {
	c := Change{Dimension: d, From: from, To: to}
	switch {
	case from == nil || to == nil:
		c.Verdict = NotEnough
	case from.Scale != to.Scale || to.Win.From == "" || to.Win.From <= from.Win.To:
		c.Verdict = Incomparable
	default:
		c.Difference = round(to.Score - from.Score)
		c.Error = round(math.Hypot(from.SEM, to.SEM))
		if c.Error > 0 {
			c.Index = round(c.Difference / c.Error)
		}
		switch {
		case c.Index > reliableIndex:
			c.Verdict = Improved
		case c.Index < -reliableIndex:
			c.Verdict = Declined
		default:
			c.Verdict = NoChange
		}
	}
	c.Text = changeText(c)
	return c
}

func changeText(c Change) Text {
	name := func(lang string) []any { return []any{c.Dimension.Name(lang)} }
	switch c.Verdict {
	case Improved:
		return both("%s: better than before, beyond what chance explains.", "%s：比之前提高了，超出偶然波动的范围。", name)
	case Declined:
		return both("%s: lower than before, beyond what chance explains. A hard time or other company can do that, too.", "%s：比之前低，超出偶然波动的范围。处境艰难或聊天对象不同，也可能造成这样的变化。", name)
	case NoChange:
		return both("%s: no reliable change; the difference lies within the error.", "%s：没有可靠的变化，差异在误差范围内。", name)
	case Incomparable:
		return both("%s: not comparable, since the windows overlap or the scale changed.", "%s：无法比较，两个时间段有重叠，或量表已更换。", name)
	case NotEnough:
	}
	return both("%s: too little evidence in one of the two windows to compare.", "%s：其中一个时间段数据不足，无法比较。", name)
}

// Progress is what changed between the windows of one subject.
type Progress struct {
	Subject string              `json:"subject"`
	Windows []assessment.Window `json:"windows"`
	Steps   [][]Change          `json:"steps"`   // from one window to the next, by dimension
	Overall []Change            `json:"overall"` // from the first to the last scored window; empty with fewer than two reports
}

// Follow compares, for each dimension, each window with the one before and the last scored one with the first. Reports may
// come in any order; the last day of their windows sorts them. It returns ErrSubjects and ErrNoReports.
func Follow(reports []assessment.Report) (Progress, error) {
	sorted, err := inOrder(reports)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Subject: sorted[0].Subject, Windows: []assessment.Window{}, Steps: [][]Change{}, Overall: []Change{}}
	for i, r := range sorted {
		p.Windows = append(p.Windows, r.Window)
		if i == 0 {
			continue
		}
		var step []Change
		for _, d := range schemas.Dimensions() {
			step = append(step, Compare(d, figureOf(sorted[i-1], d), figureOf(r, d)))
		}
		p.Steps = append(p.Steps, step)
	}
	if len(sorted) > 1 {
		for _, d := range schemas.Dimensions() {
			p.Overall = append(p.Overall, firstToLast(sorted, d))
		}
	}
	return p, nil
}

func firstToLast(sorted []assessment.Report, d schemas.Dimension) Change {
	var figures []*Figure
	for _, r := range sorted {
		if f := figureOf(r, d); f != nil {
			figures = append(figures, f)
		}
	}
	switch len(figures) {
	case 0:
		return Compare(d, nil, nil)
	case 1:
		return Compare(d, figures[0], nil)
	}
	return Compare(d, figures[0], figures[len(figures)-1])
}

// inOrder sorts reports by window and holds that they are of one subject.
func inOrder(reports []assessment.Report) ([]assessment.Report, error) {
	if len(reports) == 0 {
		return nil, ErrNoReports
	}
	sorted := slices.Clone(reports)
	slices.SortStableFunc(sorted, func(a, b assessment.Report) int {
		return cmp.Or(cmp.Compare(a.Window.To, b.Window.To), cmp.Compare(a.Window.From, b.Window.From), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range sorted {
		if r.Subject != sorted[0].Subject {
			return nil, fmt.Errorf("%q and %q: %w", sorted[0].Subject, r.Subject, ErrSubjects)
		}
	}
	return sorted, nil
}
