package evaluate

import (
	"fmt"
	"html/template"
	"strings"

	"heartmark/assessment/evaluate/metric"
)

// svg is a drawing that grows line by line. Its texts are escaped where they are added.
type svg struct{ strings.Builder }

func newSVG(width, height float64, class, label string) *svg {
	var s svg
	fmt.Fprintf(&s, `<svg viewBox="0 0 %.0f %.0f" role="img" class="%s" aria-label="%s">`, width, height, class, template.HTMLEscapeString(label))
	return &s
}

func (s *svg) add(format string, args ...any) { fmt.Fprintf(s, format, args...) }

func (s *svg) text(x, y float64, anchor, class, value string) {
	s.add(`<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, template.HTMLEscapeString(value))
}

func (s *svg) html() template.HTML {
	s.add(`</svg>`)
	return template.HTML(s.String()) //nolint:gosec // every text in it was escaped, all else are numbers and constants
}

// bars draws each measure as a bar with its interval, and the classical models and the gate as marks on it.
func bars(measures []metric.Measure) template.HTML {
	if len(measures) == 0 {
		return ""
	}
	const left, width, step, top = 300.0, 520.0, 26.0, 30.0
	height := top + step*float64(len(measures)) + 8
	s := newSVG(left+width+60, height, "bars", "The model on each head and set, beside the classical models and the gate; the table below has the numbers")
	at := func(v float64) float64 { return left + width*max(0, min(1, v)) }
	for _, v := range metric.Grid(0, 1, 6) {
		s.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, at(v), at(v), top-8, height-8)
		s.text(at(v), top-14, "middle", "tick", fmt.Sprintf("%.1f", v))
	}
	for i, m := range measures {
		y := top + step*float64(i)
		name := m.Head + " · " + m.Set
		if m.Lang != "" {
			name += " · " + m.Lang
		}
		s.text(left-8, y+14, "end", "name", name)
		if m.Missing {
			s.text(left+6, y+14, "start", "name", "not measured")
		} else {
			class := "bar"
			if !m.Met() {
				class = "bar short"
			}
			s.add(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="14"><title>%s %s</title></rect>`, class, left, y+3, at(m.Value)-left, template.HTMLEscapeString(name), number(m.Value))
			if m.Interval != nil {
				s.add(`<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, at(m.Interval[0]), at(m.Interval[1]), y+10, y+10)
			}
			s.text(left+width+8, y+14, "start", "name", number(m.Value))
		}
		s.marks(m, y, at)
	}
	return s.html()
}

// marks puts the gate as a line across the bar, the floor as a circle, the support vector machine as a square and the
// forest as a triangle.
func (s *svg) marks(m metric.Measure, y float64, at func(float64) float64) {
	if m.Gate != nil {
		s.add(`<line class="gate" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, at(m.Gate.Bound), at(m.Gate.Bound), y, y+20)
	}
	if m.Floor != nil {
		s.add(`<circle class="floor" cx="%.1f" cy="%.1f" r="4"/>`, at(*m.Floor), y+10)
	}
	if m.SVM != nil {
		s.add(`<rect class="svm" x="%.1f" y="%.1f" width="7" height="7"/>`, at(*m.SVM)-3.5, y+6.5)
	}
	if m.Forest != nil {
		x := at(*m.Forest)
		s.add(`<path class="forest" d="M%.1f %.1f l4.5 8 h-9 z"/>`, x, y+5)
	}
}

// reliability draws how often the model was right at each confidence; bars on the diagonal are what it says.
func reliability(d Diagram) template.HTML {
	const size, left, top = 180.0, 34.0, 10.0
	s := newSVG(left+size+10, top+size+30, "reliability", fmt.Sprintf("Reliability of %s %s %s: expected calibration error %.3f", d.Head, d.Set, d.Lang, d.ECE))
	x := func(v float64) float64 { return left + size*v }
	y := func(v float64) float64 { return top + size*(1-v) }
	s.add(`<rect class="frame" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, left, top, size, size)
	for _, b := range d.Bins {
		if b.Rows == 0 {
			continue
		}
		s.add(`<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%d rows, confidence %.2f, right %.2f</title></rect>`,
			x(b.Low)+0.5, y(b.Right), size*(b.High-b.Low)-1, size*b.Right, b.Rows, b.Confidence, b.Right)
		s.add(`<circle class="dot" cx="%.1f" cy="%.1f" r="2"/>`, x(b.Confidence), y(b.Right))
	}
	s.add(`<line class="diagonal" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x(0), y(0), x(1), y(1))
	for _, v := range []float64{0, 0.5, 1} {
		s.text(x(v), top+size+14, "middle", "tick", fmt.Sprintf("%.1f", v))
		s.text(left-4, y(v)+4, "end", "tick", fmt.Sprintf("%.1f", v))
	}
	s.text(left+size/2, top+size+27, "middle", "tick", "confidence")
	return s.html()
}

// heat draws a confusion matrix, each row shaded by its shares.
func heat(c Confusion) template.HTML {
	const cell, left, top = 26.0, 150.0, 120.0
	n := float64(len(c.Labels))
	s := newSVG(left+cell*n+10, top+cell*n+10, "heat", "Confusion matrix: rows are true labels, columns are answers; the table below has the numbers")
	for i, row := range c.Counts {
		sum := 0
		for _, count := range row {
			sum += count
		}
		for k, count := range row {
			share := 0.0
			if sum > 0 {
				share = float64(count) / float64(sum)
			}
			x, y := left+cell*float64(k), top+cell*float64(i)
			s.add(`<rect class="cell" x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill-opacity="%.2f"><title>%s as %s: %d</title></rect>`,
				x, y, cell-1, cell-1, 0.04+0.96*share, template.HTMLEscapeString(c.Labels[i]), template.HTMLEscapeString(c.Labels[k]), count)
			if count > 0 {
				class := "count"
				if share > 0.5 {
					class = "count inverse"
				}
				s.text(x+cell/2-0.5, y+cell/2+3, "middle", class, fmt.Sprint(count))
			}
		}
		s.text(left-6, top+cell*float64(i)+cell/2+4, "end", "name", c.Labels[i])
		x := left + cell*float64(i) + cell/2 + 4
		s.add(`<text transform="translate(%.1f %.1f) rotate(-55)" class="name">%s</text>`, x, top-6, template.HTMLEscapeString(c.Labels[i]))
	}
	return s.html()
}
