package assessment

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Part is one part of a whole, as the plots of the evidence mix show it: shares sum to 1.
type Part struct {
	Code  string
	Share float64
}

// FacetParts are the parts that the counted evidence of each facet has in a dimension, in the order of their codes.
func FacetParts(facets map[string]FacetReport) []Part {
	return partsOf(slices.Sorted(maps.Keys(facets)), func(code string) float64 { return facets[code].N })
}

// SceneParts are the parts of the kinds of scene, the largest first.
func SceneParts(scenes map[string]int) []Part {
	codes := slices.SortedFunc(maps.Keys(scenes), func(a, b string) int { return cmp.Or(scenes[b]-scenes[a], strings.Compare(a, b)) })
	return partsOf(codes, func(code string) float64 { return float64(scenes[code]) })
}

func partsOf(codes []string, amount func(string) float64) []Part {
	total := 0.0
	for _, c := range codes {
		total += amount(c)
	}
	var out []Part
	for _, c := range codes {
		if a := amount(c); a > 0 {
			out = append(out, Part{c, a / total})
		}
	}
	return out
}

func sharesBar(facets map[string]FacetReport, t map[string]string) (template.HTML, string) {
	return stack(FacetParts(facets), t, "facet_", t["shares_label"])
}

func scenesBar(scenes map[string]int, t map[string]string) (template.HTML, string) {
	return stack(SceneParts(scenes), t, "scene_", t["scenes_label"])
}

// stack draws parts of a whole in one bar, and tells the same in words.
func stack(parts []Part, t map[string]string, prefix, label string) (template.HTML, string) {
	if len(parts) < 2 { // one part is the whole: nothing to show
		return "", ""
	}
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = fmt.Sprintf("%s %.0f %%", cmp.Or(t[prefix+p.Code], p.Code), 100*p.Share)
	}
	text := fmt.Sprintf(label, strings.Join(words, ", "))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 600 30" role="img" aria-label="%s" class="mix">`, template.HTMLEscapeString(text))
	x := 0.0
	for i, p := range parts {
		width := 600 * p.Share
		fmt.Fprintf(&b, `<rect class="s%d" x="%.1f" y="3" width="%.1f" height="24"/>`, i%8+1, x, width)
		if label := cmp.Or(t[prefix+p.Code], p.Code); width > 7*float64(displayWidth(label)) {
			fmt.Fprintf(&b, `<text x="%.1f" y="19" text-anchor="middle">%s</text>`, x+width/2, template.HTMLEscapeString(label))
		}
		x += width
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()), text //nolint:gosec // numbers, and texts escaped above
}

// displayWidth counts an ideograph as two letters.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0x2e80 {
			n++
		}
	}
	return n
}

// track draws a facet's mean as a filled rail. The number stands beside it.
func track(mean float64) template.HTML {
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers
		`<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" class="track"><rect class="rail" width="100" height="8"/><rect class="fill" width="%.1f" height="8"/></svg>`,
		100*clamp01(mean)))
}

// timePlot draws the periods as steps with their bands over the cuts, and tells the same in words.
func timePlot(periods []Period, t map[string]string) (template.HTML, []string) {
	if len(periods) < 2 {
		return "", nil
	}
	const left, right, top, height = 34.0, 590.0, 8.0, 130.0
	first, last := dayOf(periods[0].From), dayOf(periods[len(periods)-1].To)
	span := math.Max(last-first, 1)
	x := func(day string) float64 { return left + (right-left)*(dayOf(day)-first)/span }
	y := func(v float64) float64 { return top + height*(1-math.Min(math.Max(v, 0), 100)/100) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 600 164" role="img" aria-label="%s" class="time">`, template.HTMLEscapeString(t["time_label"]))
	for _, v := range append([]float64{0, 100}, 100*cuts()[0], 100*cuts()[1], 100*cuts()[2]) {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%.0f</text>`, left, y(v), right, y(v), left-5, y(v)+4, v)
	}
	var words, line []string
	for _, p := range periods {
		x1, x2 := x(p.From), math.Max(x(p.To), x(p.From)+6)
		fmt.Fprintf(&b, `<rect class="period" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3"/>`, x1, y(p.Interval90[1]), x2-x1, y(p.Interval90[0])-y(p.Interval90[1]))
		fmt.Fprintf(&b, `<line class="step" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, x1, y(p.Score), x2, y(p.Score))
		line = append(line, fmt.Sprintf("%.1f,%.1f %.1f,%.1f", x1, y(p.Score), x2, y(p.Score)))
		words = append(words, fmt.Sprintf(t["time_item"], p.From, p.To, p.Score, p.Interval90[0], p.Interval90[1], p.Opportunities))
	}
	fmt.Fprintf(&b, `<polyline class="link" points="%s"/>`, strings.Join(line, " "))
	fmt.Fprintf(&b, `<text x="%.1f" y="156">%s</text><text x="%.1f" y="156" text-anchor="end">%s</text></svg>`, left,
		template.HTMLEscapeString(periods[0].From), right, template.HTMLEscapeString(periods[len(periods)-1].To))
	return template.HTML(b.String()), words //nolint:gosec // numbers, and texts escaped above
}

func dayOf(day string) float64 {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return float64(t.Unix() / 86400)
}
