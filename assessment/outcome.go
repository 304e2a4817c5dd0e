package assessment

import (
	"iter"
	"slices"

	"heartmark/schemas"
)

// Posterior is what items say of a dimension before any minimum of evidence is asked. It is for evaluation: nobody is
// told such a number, since it exists even for a person of whom nearly nothing is known.
type Posterior struct {
	Mean float64 // in [0, 1]: shares times posterior means of the facets that can be reported; without items, the reference mean
	Info float64 // n' of those facets, in the same shares
	// Answers is how many answers had an item of the dimension other than civility.
	Answers int
}

// Aggregate makes the result of one dimension from items as Report.Items holds them, each element of answers being the
// items of one answered message. It is the second half of Assess (weights, caps, error correction, interval, levels) and
// gives the same numbers for the same items; only quotes are missing. Items of other dimensions and unknown facets are
// passed over. The error rates are those of info. answers is read once; an element is not kept.
func Aggregate(info ModelInfo, d schemas.Dimension, answers iter.Seq[[]Item], seed uint64) (DimensionReport, Posterior) {
	k := dimensionIndex(d)
	if k < 0 {
		return unscored(StatusUnavailable), Posterior{}
	}
	if seed == 0 {
		seed = 1
	}
	r := &run{a: &Assessor{cfg: Config{Seed: seed}, facets: facetTable()}, info: info, heads: newHeadSet(info)}
	facets := dimensionFacets()[k]
	items := r.restore(facets, answers)
	rate := map[facet]*rates{}
	for _, f := range facets {
		x := ratesOf(info, r.a.facets[f].code)
		rate[f] = &x
	}
	plain := summarise(facets, items, rate)
	posterior := r.posterior(&plain, rate)
	weigh(items, rate)
	s := summarise(facets, items, rate)
	return r.dimension(k, &s, items, rate).report, posterior
}

// restore reads kept items back. Day numbers are looked up once a day.
func (r *run) restore(facets []facet, answers iter.Seq[[]Item]) []item {
	byCode := map[string]facet{}
	for _, f := range facets {
		byCode[r.a.facets[f].code] = f
	}
	days := map[string]uint16{}
	var items []item
	turn := int32(0)
	for answer := range answers {
		for i := range answer {
			k := &answer[i]
			f, ok := byCode[k.Facet]
			if !ok {
				continue
			}
			day, ok := days[k.Day]
			if !ok {
				day = dayNumber(k.Day)
				days[k.Day] = day
			}
			it := item{
				facet: f, turn: turn, trigger: -1, y: k.Outcome, w: k.Weight, day: day, assessment: k.Assessment,
				cluster: r.names.number("conversation\x00" + k.Conversation), counterpart: noCounterpart,
				scene: uint8(slices.Index(sceneOrder(), k.Scene) + 1),
			}
			if k.Language == "zh" {
				it.lang = 1
			}
			if k.Counterpart != "" {
				it.counterpart = r.names.number("counterpart\x00" + k.Counterpart)
			}
			items = append(items, it)
		}
		turn++
	}
	return items
}

// posterior is step 4 without its minimums, over items without caps and fade.
func (r *run) posterior(s *summary, rate map[facet]*rates) Posterior {
	p := Posterior{Answers: s.opportunities}
	shares, without := 0.0, 0.0
	for i, f := range s.facets {
		share := r.a.facets[f].share
		e := estimate(&s.total[i], rate[f], 0, 0)
		without += share * rate[f].mean
		// A facet without items stands at its reference mean if its rates allow it to be reported at all.
		if e.reportable || e.items == 0 && wideEnough(rate[f]) {
			shares += share
			p.Mean += share * e.mean
			p.Info += share * e.info
		}
	}
	if shares == 0 {
		p.Mean = without
		return p
	}
	p.Mean, p.Info = p.Mean/shares, p.Info/shares
	return p
}

// wideEnough reports whether the rates of either language let a facet be reported.
func wideEnough(r *rates) bool {
	return r.known[0] && r.s1[0]-r.s0[0] >= minSpread || r.known[1] && r.s1[1]-r.s0[1] >= minSpread
}
