package assessment

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"
)

// Bounds of the explanation.
const (
	evidencePerSide      = 2 // strongest items for, and against, each facet
	evidencePerDimension = 8
	maxQuote             = 280 // code points
)

// candidate is an item that may be shown as evidence.
type candidate struct {
	it           *item
	contribution float64
}

// explain picks the evidence of one scored dimension. A contribution is how far the item moves the score away from an
// answer that is neither good nor bad.
func (r *run) explain(d int, s *summary, items []item, res *result, rate map[facet]*rates) {
	var chosen []candidate
	for k, f := range s.facets {
		if res.c.shares[k] == 0 || f == sk5 || f == sa3 || f == sm4 { // civility is everywhere; variety and recovery show in no single message
			continue
		}
		chosen = append(chosen, strongest(items, f, &res.est[k], res.c.shares[k], s.total[k].w[0]+s.total[k].w[1], rate[f])...)
	}
	slices.SortStableFunc(chosen, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(math.Abs(b.contribution), math.Abs(a.contribution)), cmp.Compare(a.it.turn, b.it.turn), cmp.Compare(a.it.facet, b.it.facet))
	})
	seen := map[int32]bool{}
	for _, c := range chosen {
		t := &r.turns[c.it.turn]
		if seen[c.it.turn] || len(res.report.Evidence) == evidencePerDimension || t.care {
			continue
		}
		seen[c.it.turn] = true
		e := Evidence{
			Message: t.id, Quote: cutQuote(t.text), Facet: r.a.facets[c.it.facet].code, Direction: "+",
			Contribution: round(c.contribution, 4), Highlights: []Highlight{},
		}
		if c.contribution < 0 {
			e.Direction = "-"
		}
		r.shown[d] = append(r.shown[d], *c.it)
		res.report.Evidence = append(res.report.Evidence, e)
	}
}

// strongest returns the facet's items with the largest contributions of either sign.
func strongest(items []item, f facet, e *facetEstimate, share, weight float64, rate *rates) []candidate {
	var plus, minus []candidate
	for i := range items {
		it := &items[i]
		if it.facet != f || !rate.known[it.lang] || weight == 0 {
			continue
		}
		s1, s0 := rate.s1[it.lang], rate.s0[it.lang]
		p := clamp01((it.y - s0) / math.Max(s1-s0, minSpread))
		c := candidate{it, share * e.info / (priorStrength + e.info) * it.w / weight * (p - 0.5)}
		switch {
		case c.contribution > 0:
			plus = append(plus, c)
		case c.contribution < 0:
			minus = append(minus, c)
		}
	}
	order := func(a, b candidate) int {
		return cmp.Or(cmp.Compare(math.Abs(b.contribution), math.Abs(a.contribution)), cmp.Compare(b.it.y*sign(b.contribution), a.it.y*sign(a.contribution)),
			cmp.Compare(a.it.turn, b.it.turn))
	}
	slices.SortFunc(plus, order)
	slices.SortFunc(minus, order)
	return append(plus[:min(evidencePerSide, len(plus))], minus[:min(evidencePerSide, len(minus))]...)
}

func sign(x float64) float64 {
	if x < 0 {
		return -1
	}
	return 1
}

func cutQuote(s string) string {
	if utf8.RuneCountInString(s) <= maxQuote {
		return s
	}
	return string([]rune(s)[:maxQuote-1]) + "…"
}
