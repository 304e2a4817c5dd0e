package pdf

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"heartmark/assessment"
	"heartmark/schemas"

	"codeberg.org/go-pdf/fpdf"
)

// radar draws the four dimensions with their ranges around (cx, cy).
func (s *sheet) radar(p assessment.Page, cx, cy, radius float64) {
	place := func(k int, v float64) fpdf.PointType {
		angle := -3*math.Pi/4 + float64(k)*math.Pi/2
		return fpdf.PointType{X: cx + radius*v/100*math.Cos(angle), Y: cy + radius*v/100*math.Sin(angle)}
	}
	square := func(values [4]float64, how string) {
		points := make([]fpdf.PointType, 4)
		for k, v := range values {
			points[k] = place(k, v)
		}
		s.pdf.Polygon(points, how)
	}
	cuts := assessment.Cuts()
	s.draw(line, 0.25)
	for _, v := range append([]float64{100}, cuts[:]...) {
		square([4]float64{v, v, v, v}, "D")
	}
	var middle [4]float64
	all := true
	for k, d := range schemas.Dimensions() {
		end := place(k, 100)
		s.draw(line, 0.25)
		s.pdf.Line(cx, cy, end.X, end.Y)
		if rep := p.R.Dimensions[d]; rep.Status == assessment.StatusScored {
			middle[k] = *rep.Score
		} else {
			all = false
		}
	}
	if all {
		s.pdf.SetAlpha(0.15, "Normal")
		s.fill(rose)
		square(middle, "F")
		s.pdf.SetAlpha(1, "Normal")
		s.draw(rose, 0.5)
		square(middle, "D")
	}
	for k, d := range schemas.Dimensions() {
		s.spoke(p.R.Dimensions[d], func(v float64) fpdf.PointType { return place(k, v) })
		at := place(k, 100)
		at.Y += [4]float64{-3, -3, 6, 6}[k]
		s.label(at.X, at.Y, 0, d.Name(p.Lang), style{size: 9, colour: ink, bold: true})
	}
}

// spoke draws one dimension's score and range on its axis, or an open dot where there is none.
func (s *sheet) spoke(rep assessment.DimensionReport, place func(v float64) fpdf.PointType) {
	if rep.Status != assessment.StatusScored {
		end := place(100)
		s.draw(soft, 0.3)
		s.pdf.Circle(end.X, end.Y, 1.2, "D")
		return
	}
	low, high, at := place(rep.Interval90[0]), place(rep.Interval90[1]), place(*rep.Score)
	s.pdf.SetAlpha(0.35, "Normal")
	s.draw(rose, 2)
	s.pdf.SetLineCapStyle("round")
	s.pdf.Line(low.X, low.Y, high.X, high.Y)
	s.pdf.SetAlpha(1, "Normal")
	s.fill(rose)
	s.pdf.Circle(at.X, at.Y, 1.2, "F")
}

// bar draws a score with its interval over the levels.
func (s *sheet) bar(p assessment.Page, rep assessment.DimensionReport) {
	s.room(22)
	x := func(v float64) float64 { return marginX + inner*math.Min(math.Max(v, 0), 100)/100 }
	cuts := assessment.Cuts()
	edges := []float64{0, cuts[0], cuts[1], cuts[2], 100}
	top := s.y + 6
	for i, l := range schemas.Levels() {
		s.fill(levelColours()[i])
		s.pdf.Rect(x(edges[i])+0.2, top, x(edges[i+1])-x(edges[i])-0.4, 5, "F")
		s.label((x(edges[i])+x(edges[i+1]))/2, top+9.5, 0, l.Name(p.Lang), style{size: 8, colour: soft})
	}
	for _, c := range cuts {
		s.label(x(c), top+9.5, 0, fmt.Sprintf("%.0f", c), style{size: 7, colour: soft})
	}
	s.draw(rose, 0.7)
	s.pdf.Line(x(rep.Interval90[0]), top+2.5, x(rep.Interval90[1]), top+2.5)
	for _, v := range rep.Interval90 {
		s.pdf.Line(x(v), top+0.8, x(v), top+4.2)
	}
	s.fill(rose)
	s.pdf.Circle(x(*rep.Score), top+2.5, 1.8, "F")
	s.label(x(*rep.Score), top-1.6, 0, fmt.Sprintf("%.0f", *rep.Score), style{size: 11, colour: rose, bold: true})
	s.y = top + 13
}

// facets draws each side of a dimension as a rail.
func (s *sheet) facets(p assessment.Page, d assessment.PageDimension) {
	for _, f := range d.Facets {
		s.room(6)
		colour, name := ink, f.Name
		if f.Thin {
			colour, name = soft, name+" ("+p.T["d_thin"]+")"
		}
		s.label(marginX, s.y+3.6, -1, name, style{size: 9, colour: colour})
		from, width := marginX+78, inner-78-12
		s.fill(levelColours()[0])
		s.pdf.Rect(from, s.y+1.6, width, 1.9, "F")
		s.fill(teal)
		s.pdf.Rect(from, s.y+1.6, width*float64(f.Percent)/100, 1.9, "F")
		s.label(marginX+inner, s.y+3.6, 1, fmt.Sprint(f.Percent), style{size: 9, colour: colour, bold: true})
		s.y += 5.6
	}
	s.y += 1.5
}

// stack draws parts of a whole in one bar.
func (s *sheet) stack(parts []assessment.Part, names map[string]string, prefix string) {
	s.room(9)
	x, fills := marginX, partColours()
	for i, part := range parts {
		width := inner * part.Share
		s.fill(fills[i%len(fills)])
		s.pdf.Rect(x, s.y, math.Max(width-0.4, 0.1), 6, "F")
		name := cmp.Or(names[prefix+part.Code], part.Code)
		s.set(style{size: 8})
		if s.pdf.GetStringWidth(s.font.fit(name)) < width-2 {
			s.label(x+width/2, s.y+4.2, 0, name, style{size: 8, colour: ink})
		}
		x += width
	}
	s.y += 8
}

// timeline draws the periods as steps with their bands.
func (s *sheet) timeline(periods []assessment.Period) {
	const tall = 34.0
	s.room(tall + 9)
	left, width := marginX+8, inner-8
	day := func(text string) float64 {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return 0
		}
		return float64(t.Unix() / 86400)
	}
	first := day(periods[0].From)
	span := math.Max(day(periods[len(periods)-1].To)-first, 1)
	x := func(text string) float64 { return left + width*(day(text)-first)/span }
	top := s.y + 1
	y := func(v float64) float64 { return top + tall*(1-v/100) }
	cuts := assessment.Cuts()
	for _, v := range append([]float64{0, 100}, cuts[:]...) {
		s.draw(line, 0.2)
		s.pdf.Line(left, y(v), left+width, y(v))
		s.label(left-1.5, y(v)+1, 1, fmt.Sprintf("%.0f", v), style{size: 7, colour: soft})
	}
	for _, p := range periods {
		from := x(p.From)
		to := math.Max(x(p.To), from+1.5)
		s.pdf.SetAlpha(0.18, "Normal")
		s.fill(rose)
		s.pdf.Rect(from, y(p.Interval90[1]), to-from, y(p.Interval90[0])-y(p.Interval90[1]), "F")
		s.pdf.SetAlpha(1, "Normal")
		s.draw(rose, 0.7)
		s.pdf.Line(from, y(p.Score), to, y(p.Score))
	}
	s.label(left, top+tall+4, -1, periods[0].From, style{size: 7.5, colour: soft})
	s.label(left+width, top+tall+4, 1, periods[len(periods)-1].To, style{size: 7.5, colour: soft})
	s.y = top + tall + 7
}
