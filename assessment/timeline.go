package assessment

import "slices"

// maxPeriods bounds how finely a timeline is cut: that many at most.
const maxPeriods = 24

// Period is one point of a dimension's timeline. Each rests on at least the evidence that a score needs; weeks with less
// are joined with the next ones.
type Period struct {
	From          string     `json:"from"` // first and last day with evidence
	To            string     `json:"to"`
	Score         float64    `json:"score"`
	Interval90    [2]float64 `json:"interval90"`
	Opportunities int        `json:"opportunities"`
}

// timeline cuts the items of one dimension into periods. Fewer than two say nothing about time and give nil.
func (r *run) timeline(d int, rate map[facet]*rates) []Period {
	weeks := r.weeks(d)
	var out []Period
	for start := 0; start < len(weeks); {
		end := start + 1
		p, ok := r.period(d, slices.Concat(weeks[start:end]...), rate, uint64(len(out)))
		for !ok && end < len(weeks) {
			end++
			p, ok = r.period(d, slices.Concat(weeks[start:end]...), rate, uint64(len(out)))
		}
		switch {
		case ok:
			out = append(out, p)
		case len(out) > 0: // what is left at the end is too little: it joins the period before
			last := len(out) - 1
			first := slices.IndexFunc(weeks, func(w []item) bool { return r.turns[w[0].turn].day >= out[last].From })
			if p, ok := r.period(d, slices.Concat(weeks[first:]...), rate, uint64(last)); ok {
				out[last] = p
			}
		}
		start = end
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// weeks are the items of a dimension by week from its first day, or by as many weeks at once as keep the periods few.
func (r *run) weeks(d int) [][]item {
	var items []item
	for i := range r.items {
		if slices.Contains(dimensionFacets()[d], r.items[i].facet) {
			items = append(items, r.items[i])
		}
	}
	if len(items) == 0 {
		return nil
	}
	slices.SortStableFunc(items, func(a, b item) int { return int(a.day) - int(b.day) })
	first := items[0].day
	days := int(items[len(items)-1].day-first) + 1
	width := uint16(7 * ((days-1)/(7*maxPeriods) + 1))
	var out [][]item
	for start := 0; start < len(items); {
		end, bin := start, (items[start].day-first)/width
		for end < len(items) && (items[end].day-first)/width == bin {
			end++
		}
		out = append(out, items[start:end])
		start = end
	}
	return out
}

// period scores some items by themselves; ok is false where they are less than a score needs.
func (r *run) period(d int, items []item, rate map[facet]*rates, stream uint64) (p Period, ok bool) {
	weigh(items, rate)
	s := summarise(dimensionFacets()[d], items, rate)
	est := s.estimateAll(rate)
	c := combine(&r.a.facets, s.facets, est)
	if !c.reported || len(showMinimum().missing("", &s, c.info)) > 0 {
		return Period{}, false
	}
	low, high := drawTheta(&s, est, c, rate, r.a.cfg.Seed, 16*(stream+1)+uint64(d)).interval90()
	low, high = min(low, c.theta), max(high, c.theta)
	return Period{
		From: r.turns[items[0].turn].day, To: r.turns[items[len(items)-1].turn].day, Score: round(100*c.theta, 1),
		Interval90: [2]float64{round(100*low, 1), round(100*high, 1)}, Opportunities: s.opportunities,
	}, true
}
