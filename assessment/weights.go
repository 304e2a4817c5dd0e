package assessment

import (
	"math"
	"time"
)

// Caps of assessment.md section 5, and the fade of old evidence.
const (
	capCounterpart = 0.30
	capDay         = 0.40
	capCivility    = 0.20
	// certWindowDays is the certification window, counted back from the last day: inside it nothing fades.
	certWindowDays = 180
	halfLifeDays   = 90
)

// dayNumber counts days since 1970; a report spans far less than the 179 years that fit.
func dayNumber(day string) uint16 {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return uint16(t.Unix() / 86400)
}

// weigh applies the fade and the caps to the items of one dimension, in place.
func weigh(items []item) {
	last := uint16(0)
	for i := range items {
		last = max(last, items[i].day)
	}
	civility, rest := 0.0, 0.0
	for i := range items {
		if age := int(last) - int(items[i].day); age > certWindowDays {
			items[i].w *= math.Pow(0.5, float64(age-certWindowDays)/halfLifeDays)
		}
		if items[i].facet == sk5 {
			civility += items[i].w
		} else {
			rest += items[i].w
		}
	}
	if limit := rest * capCivility / (1 - capCivility); civility > limit {
		for i := range items {
			if items[i].facet == sk5 {
				items[i].w *= limit / civility
			}
		}
	}
	capGroups(items, capDay, func(it *item) (uint32, bool) { return uint32(it.day), true })
	// A prompt of an assessment scene is the same for everyone: no person stands behind it who could collude.
	capGroups(items, capCounterpart, func(it *item) (uint32, bool) {
		return it.counterpart, !it.assessment && it.counterpart != noCounterpart
	})
}

// capGroups scales down the groups that hold more than share of the whole weight. With enough groups the cap holds for
// the weights that remain; with fewer it can only hold against the weights before.
func capGroups(items []item, share float64, group func(*item) (uint32, bool)) {
	sums := map[uint32]float64{}
	order := []uint32{}
	free := 0.0
	for i := range items {
		g, ok := group(&items[i])
		if !ok {
			free += items[i].w
			continue
		}
		if _, seen := sums[g]; !seen {
			order = append(order, g)
		}
		sums[g] += items[i].w
	}
	total := free
	for _, g := range order {
		total += sums[g]
	}
	if total == 0 {
		return
	}
	limit := total * share
	if float64(len(order)) >= 1/share || free > 0 {
		// Find T with T = free + sum of min(sum, share T): from above, each step keeps T too large or right.
		for range 200 {
			next := free
			for _, g := range order {
				next += math.Min(sums[g], share*total)
			}
			if total-next < 1e-9*total {
				break
			}
			total = next
		}
		limit = total * share
	}
	for i := range items {
		if g, ok := group(&items[i]); ok && sums[g] > limit {
			items[i].w *= limit / sums[g]
		}
	}
}
