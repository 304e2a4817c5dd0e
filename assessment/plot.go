package assessment

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"heartmark/schemas"
)

// radar draws the four dimensions as a radar plot with the 90 % band, and tells the same in words.
func radar(r Report, lang string, t map[string]string) (template.HTML, []string) {
	const cx, cy, radius = 220.0, 168.0, 178.0
	var b strings.Builder
	var words []string
	point := func(k int, v float64) (x, y float64) {
		angle := -3*math.Pi/4 + float64(k)*math.Pi/2 // the axes point to the corners, where labels find room
		return cx + radius*v/100*math.Cos(angle), cy + radius*v/100*math.Sin(angle)
	}
	polygon := func(values [4]float64) string {
		var pts []string
		for k, v := range values {
			x, y := point(k, v)
			pts = append(pts, fmt.Sprintf("%.1f,%.1f", x, y))
		}
		return strings.Join(pts, " ")
	}
	fmt.Fprintf(&b, `<svg viewBox="0 0 440 336" role="img" aria-label="%s" class="radar">`, template.HTMLEscapeString(t["radar_label"]))
	for _, ring := range []float64{100, 78, 60, 40} {
		fmt.Fprintf(&b, `<polygon class="ring" points="%s"/>`, polygon([4]float64{ring, ring, ring, ring}))
	}
	for k := range 4 {
		x, y := point(k, 100)
		fmt.Fprintf(&b, `<line class="axis" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, cx, cy, x, y)
	}
	for i, l := range []schemas.Level{schemas.LevelDeveloping, schemas.LevelProficient, schemas.LevelAdvanced} {
		_, y := point(0, 100*cuts()[i])
		fmt.Fprintf(&b, `<text class="ringname" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, cx, y-5, template.HTMLEscapeString(l.Name(lang)))
	}
	var mid [4]float64
	all := true
	for k, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if rep.Status != StatusScored {
			all = false
			words = append(words, fmt.Sprintf(t["radar_none"], d.Name(lang), t["status_"+rep.Status]))
			continue
		}
		mid[k] = *rep.Score
		words = append(words, fmt.Sprintf(t["radar_item"], d.Name(lang), *rep.Score, rep.Interval90[0], rep.Interval90[1]))
	}
	if all {
		fmt.Fprintf(&b, `<polygon class="area" points="%s"/>`, polygon(mid))
	}
	below := [4]float64{-14, -14, 25, 25}
	for k, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		x, y := point(k, 100)
		label := d.Name(lang)
		class := "dim"
		if rep.Status == StatusScored {
			x1, y1 := point(k, rep.Interval90[0])
			x2, y2 := point(k, rep.Interval90[1])
			px, py := point(k, *rep.Score)
			fmt.Fprintf(&b, `<line class="band" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/><circle class="dot" cx="%.1f" cy="%.1f" r="5"/>`, x1, y1, x2, y2, px, py)
		} else {
			class = "dim none"
			fmt.Fprintf(&b, `<circle class="open" cx="%.1f" cy="%.1f" r="5"/>`, x, y)
		}
		fmt.Fprintf(&b, `<text class="%s" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, class, x, y+below[k], template.HTMLEscapeString(label))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()), words //nolint:gosec // numbers, and texts escaped above
}

// bar draws one dimension's score with its interval and the cuts between levels, and tells the same in words.
func bar(rep DimensionReport, lang string, t map[string]string) (template.HTML, string) {
	const left, width = 10.0, 580.0
	x := func(v float64) float64 { return left + width*math.Min(math.Max(v, 0), 100)/100 }
	edges := []float64{0, 100 * cuts()[0], 100 * cuts()[1], 100 * cuts()[2], 100}
	text := fmt.Sprintf(t["bar_text"], *rep.Score, rep.Interval90[0], rep.Interval90[1], edges[1], edges[2], edges[3])
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 600 76" role="img" aria-label="%s" class="bar">`, template.HTMLEscapeString(text))
	for i, l := range schemas.Levels() {
		fmt.Fprintf(&b, `<rect class="lv lv%d" x="%.1f" y="24" width="%.1f" height="18"/>`, i+1, x(edges[i])+0.75, x(edges[i+1])-x(edges[i])-1.5)
		fmt.Fprintf(&b, `<text class="lvname" x="%.1f" y="62" text-anchor="middle">%s</text>`, (x(edges[i])+x(edges[i+1]))/2, template.HTMLEscapeString(l.Name(lang)))
	}
	for _, c := range edges[1:4] {
		fmt.Fprintf(&b, `<text class="cut" x="%.1f" y="74" text-anchor="middle">%.0f</text>`, x(c), c)
	}
	fmt.Fprintf(&b, `<line class="whisk" x1="%.1f" y1="33" x2="%.1f" y2="33"/>`, x(rep.Interval90[0]), x(rep.Interval90[1]))
	for _, v := range rep.Interval90 {
		fmt.Fprintf(&b, `<line class="whisk" x1="%.1f" y1="26" x2="%.1f" y2="40"/>`, x(v), x(v))
	}
	fmt.Fprintf(&b, `<circle class="dot" cx="%.1f" cy="33" r="7"/><text class="val" x="%.1f" y="16" text-anchor="middle">%.0f</text></svg>`, x(*rep.Score), x(*rep.Score), *rep.Score)
	return template.HTML(b.String()), text //nolint:gosec // numbers, and texts escaped above
}
