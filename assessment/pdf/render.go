package pdf

import (
	"io"
	"time"

	"heartmark/assessment"
	"heartmark/schemas"
)

// The kinds of text.
func body() style  { return style{size: 10, colour: ink, gap: 1.5} }
func small() style { return style{size: 8.8, colour: soft, gap: 1.5} }
func head(level int) style {
	return [...]style{
		{size: 20, colour: ink, bold: true, gap: 1}, {size: 14, colour: ink, bold: true, gap: 1.5}, {size: 9.5, colour: soft, bold: true, gap: 0.8},
	}[level-1]
}

// Render writes the report as a PDF: A4, no scripts, no links but text. The same report and options give the same bytes.
func Render(w io.Writer, r assessment.Report, o assessment.HTMLOptions) error {
	p := assessment.NewPage(r, o)
	made, err := time.Parse(time.DateOnly, r.Window.To)
	if err != nil { // nothing was scored: any fixed day will do
		made = time.Unix(0, 0).UTC()
	}
	s, err := newSheet(p.T["title"], p.Lang, p.T["brand"]+" · "+p.T["title"], made)
	if err != nil {
		return err
	}
	s.opening(p)
	s.heading(p.T["dimensions"])
	for i, d := range schemas.Dimensions() {
		s.dimension(p, p.Dims[i], r.Dimensions[d])
	}
	if p.Plan != nil {
		s.plan(p)
	}
	s.basis(p)
	return s.write(w)
}

// heading begins a part; it keeps some room for what follows.
func (s *sheet) heading(text string) {
	s.y += 4
	s.room(30)
	s.text(text, head(2))
}

// subheading keeps height for what stands below it.
func (s *sheet) subheading(text string, height float64) {
	s.y++
	s.room(height)
	s.text(text, head(3))
}

func (s *sheet) rule() {
	s.y += 2
	s.draw(line, 0.3)
	s.pdf.Line(marginX, s.y, marginX+inner, s.y)
	s.y += 3
}

func (s *sheet) list(items []string, st style) {
	st.indent += 4
	st.gap = 0.8
	for _, item := range items {
		s.room(st.size * point * 1.55)
		s.fill(teal)
		s.pdf.Circle(marginX+st.indent-2.4, s.y+st.size*point*0.8, 0.5, "F")
		s.text(item, st)
	}
	s.y++
}

func (s *sheet) table(rows [][2]string) {
	for _, row := range rows {
		s.room(6)
		top := s.y
		s.label(marginX, top+3.6, -1, row[0], style{size: 8.8, colour: soft})
		s.text(row[1], style{size: 8.8, colour: ink, indent: 58, gap: 0.4})
		s.y = max(s.y, top+5.2) // an empty value takes a line too
	}
	s.y++
}

// opening is the title, the care text where there is cause, and the four dimensions at a glance.
func (s *sheet) opening(p assessment.Page) {
	s.text(p.T["brand"]+" · "+p.T["kicker"], style{size: 9, colour: rose, bold: true, gap: 1})
	s.text(p.T["title"], head(1))
	s.text(p.T["lead"], style{size: 10.5, colour: soft, gap: 1.5})
	who := p.T["for"] + " " + p.R.Subject
	if p.R.Window.From != "" {
		who += " · " + p.R.Window.From + " – " + p.R.Window.To
	}
	s.text(who, small())
	if p.Help != "" {
		s.framed(p.T["help_head"], p.Help)
	}
	s.rule()
	s.text(p.T["at_glance"], head(2))
	top := s.y
	s.radar(p, marginX+48, top+34, 36)
	s.y = top + 2
	const column = 104.0
	if o := p.Overall; o != nil {
		s.text(o.Score, style{size: 26, colour: rose, bold: true, indent: column})
		s.text(p.T["overall"]+" · "+p.T["range"]+" "+o.Range, style{size: 8.8, colour: soft, indent: column, gap: 1})
		if o.Level != "" {
			s.text(o.Level, style{size: 10.5, colour: teal, bold: true, indent: column})
			s.text(o.Rubric, style{size: 8.8, colour: soft, indent: column, gap: 1})
		}
	}
	s.text(p.Summary, style{size: 9.5, colour: ink, indent: column, gap: 1.5})
	for _, words := range p.RadarText {
		s.text(words, style{size: 8.8, colour: soft, indent: column, gap: 0.5})
	}
	s.y = max(s.y, top+72) + 2
	s.text(p.T["radar_read"]+" "+p.T["range_tip"], small())
}

func (s *sheet) framed(title, text string) {
	st := style{size: 10, colour: ink, indent: 4, gap: 2}
	height := s.height([]span{{text: title}}, st) + s.height([]span{{text: text}}, st) + 5
	s.room(height)
	s.fill(blush)
	s.pdf.RoundedRect(marginX, s.y, inner, height, 2, "1234", "F")
	s.y += 3
	s.text(title, style{size: 11, colour: rose, bold: true, indent: 4, gap: 1})
	s.text(text, st)
	s.y += 2
}

// dimension is one dimension: score, level, sides, change over time, passages, what is missing.
func (s *sheet) dimension(p assessment.Page, d assessment.PageDimension, rep assessment.DimensionReport) {
	s.rule()
	s.room(52)
	level := d.Level
	switch {
	case !d.Scored:
		level = d.Status
	case level == "":
		level = p.T["no_level"]
	}
	s.label(marginX+inner, s.y+4.6, 1, level, style{size: 10.5, colour: teal, bold: true})
	s.text(d.Name, style{size: 12.5, colour: ink, bold: true})
	s.text(d.About, small())
	if !d.Scored {
		s.subheading(p.T["d_missing"], 22)
		s.list(d.Reasons, body())
		s.text(p.T["d_missing_ok"], small())
		s.facts(d)
		return
	}
	s.bar(p, rep)
	s.text(d.BarText, small())
	s.rubric(p, d)
	s.list(d.Reasons, small())
	s.subheading(p.T["d_sides"], 22)
	s.facets(p, d)
	if d.SharesText != "" {
		s.subheading(p.T["d_shares"], 22)
		s.stack(assessment.FacetParts(rep.Facets), p.T, "facet_")
		s.text(d.SharesText, small())
	}
	if len(d.TimeText) == 0 {
		s.text(p.T["time_none"], small())
	} else {
		s.subheading(p.T["d_time"], 56)
		s.timeline(rep.Timeline)
		s.text(p.T["time_read"], small())
		s.list(d.TimeText, small())
	}
	s.quotes(p.T["d_for"], d.For, mist, teal)
	s.quotes(p.T["d_against"], d.Against, blush, rose)
	if len(d.For)+len(d.Against) > 0 {
		s.text(p.T["d_marks"], small())
	}
	if len(d.CertReasons) > 0 {
		s.subheading(p.T["d_nocert"], 22)
		s.list(d.CertReasons, small())
	}
	s.facts(d)
}

func (s *sheet) rubric(p assessment.Page, d assessment.PageDimension) {
	if d.Rubric != "" {
		s.text(d.Rubric, body())
	}
	if d.Next != "" {
		s.text(p.T["d_next"]+" "+d.NextLevel+": "+d.Next, small())
	}
	if d.Certifiable != "" {
		s.text("✓ "+d.Certifiable, style{size: 9.5, colour: teal, gap: 1.5})
	}
}

func (s *sheet) facts(d assessment.PageDimension) {
	words := d.Facts
	if d.Mix != "" {
		words += " · " + d.Mix
	}
	if words != "" {
		s.text(words, small())
	}
}

// quotes are the subject's own passages, each in a box of its own.
func (s *sheet) quotes(title string, quotes []assessment.PageQuote, paper, mark colour) {
	if len(quotes) == 0 {
		return
	}
	if title != "" {
		s.subheading(title, 22)
	}
	for _, q := range quotes {
		var spans []span
		for _, part := range q.Parts {
			sp := span{text: part.Text, deep: part.Deep}
			if part.Mark {
				sp.mark = &mark
			}
			spans = append(spans, sp)
		}
		words := style{size: 9.5, colour: ink, indent: 4}
		source := style{size: 8, colour: soft, indent: 4}
		note := []span{{text: q.Facet + " · " + q.Message}}
		height := s.height(spans, words) + s.height(note, source) + 4
		s.room(height + 1.5)
		s.fill(paper)
		s.pdf.RoundedRect(marginX, s.y, inner, height, 2, "1234", "F")
		s.y += 2
		s.spans(spans, words)
		s.spans(note, source)
		s.y += 3.5
	}
}

// plan is what to practise.
func (s *sheet) plan(p assessment.Page) {
	s.heading(p.T["p_head"])
	if len(p.Plan.Modules) == 0 {
		s.text(p.T["p_none"], body())
	}
	for _, m := range p.Plan.Modules {
		s.rule()
		s.room(40)
		s.text(m.Title, style{size: 12, colour: ink, bold: true})
		s.text(m.Facet+" · "+m.Chosen, small())
		s.text(m.Goal, body())
		s.text(m.Why, small())
		s.subheading(p.T["p_tasks"], 22)
		s.list(m.Exercises, body())
		for _, sc := range m.Scenarios {
			s.subheading(p.T["p_scene"]+" · "+sc.Scene, 22)
			s.text(sc.Situation, small())
			s.quotes("", []assessment.PageQuote{{Facet: p.T["p_skilful"], Message: sc.Skilful, Parts: []assessment.QuotePart{{Text: sc.Message}}}}, mist, teal)
		}
		s.subheading(p.T["p_check"], 22)
		s.text(m.Check, body())
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{p.T["p_since"], p.Plan.Progress}, {p.T["p_strong"], p.Plan.Strong}} {
		if len(part.lines) > 0 {
			s.subheading(part.title, 22)
			s.list(part.lines, body())
		}
	}
	if len(p.Plan.Missing) > 0 {
		s.subheading(p.T["p_missing"], 22)
		s.table(p.Plan.Missing)
	}
}

// basis is what the report rests on, its limits, how to contest, and the method.
func (s *sheet) basis(p assessment.Page) {
	s.heading(p.T["evidence"])
	s.table(p.Facts)
	if p.ScenesText != "" {
		s.subheading(p.T["scenes_head"], 22)
		s.stack(assessment.SceneParts(p.R.Quality.Scenes), p.T, "scene_")
		s.text(p.ScenesText, small())
	}
	if len(p.Dropped) > 0 {
		s.subheading(p.T["left_out"], 22)
		s.table(p.Dropped)
	}
	s.heading(p.T["limits_head"])
	for _, c := range p.Caveats {
		s.text(c, style{size: 10, colour: gold, gap: 1.5})
	}
	s.list(p.Limits, body())
	s.heading(p.T["contest_head"])
	for _, words := range p.Contest {
		s.text(words, body())
	}
	if p.ContestURL != "" {
		s.text(p.ContestURL, body())
	}
	s.heading(p.T["method_head"])
	s.text(p.T["method"], body())
	s.table(p.Method)
	s.text(p.T["footer"], small())
}
