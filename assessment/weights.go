package assessment

import (
	"math"
	"time"
)

// Caps of assessment.md section 5, and the fade of old evidence.
const (
	capCounterpart = 0.20 // assessment.md says 0.30, which leaves a friend who plays along too much
	capDay         = 0.40
	capCivility    = 0.20
	// certWindowDays is the certification window, counted back from the last day: inside it nothing fades.
	certWindowDays = 180
	halfLifeDays   = 90
	// maxInfluence is how far one counterpart may move a facet, on the scale of scores, beyond what chance explains.
	maxInfluence = 0.02
	// influenceCounterparts is from how many counterparts one can be held against the others.
	influenceCounterparts = 5
	// influenceChance is how many standard errors of a counterpart's mean count as chance: an honest person has many
	// counterparts and four dimensions, and must hardly ever be touched.
	influenceChance = 3
)

// dayNumber counts days since 1970; a report spans far less than the 179 years that fit.
func dayNumber(day string) uint16 {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return uint16(t.Unix() / 86400)
}

// weigh applies the fade, the caps and the bound on one counterpart's influence to the items of one dimension, in place.
func weigh(items []item, rate map[facet]*rates) {
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
	boundInfluence(items, rate)
}

// moments are the weighted sums of some outcomes.
type moments struct {
	w, wy, wyy, w2, count float64
	clusters              map[uint32]bool
}

func (m *moments) add(it *item) {
	if m.clusters == nil {
		m.clusters = map[uint32]bool{}
	}
	m.clusters[it.cluster] = true
	m.count++
	m.w += it.w
	m.wy += it.w * it.y
	m.wyy += it.w * it.y * it.y
	m.w2 += it.w * it.w
}

// boundInfluence scales down the items with a counterpart with whom the person did much better, or much worse, than with
// all others: two accounts that stage talks for each other, or one that baits, move a score little. A difference that chance
// explains stays.
func boundInfluence(items []item, rate map[facet]*rates) {
	type key struct {
		facet       facet
		counterpart uint32
	}
	whole, spread := map[facet]*moments{}, map[facet]float64{}
	parts := map[key]*moments{}
	people := map[facet]int{}
	for i := range items {
		it := &items[i]
		if whole[it.facet] == nil {
			whole[it.facet] = &moments{}
		}
		whole[it.facet].add(it)
		r := rate[it.facet]
		spread[it.facet] += it.w * (r.s1[it.lang] - r.s0[it.lang])
		if it.assessment || it.counterpart == noCounterpart {
			continue
		}
		k := key{it.facet, it.counterpart}
		if parts[k] == nil {
			parts[k] = &moments{}
			people[it.facet]++
		}
		parts[k].add(it)
	}
	for i := range items {
		it := &items[i]
		m := parts[key{it.facet, it.counterpart}]
		if m == nil || it.assessment || people[it.facet] < influenceCounterparts {
			continue
		}
		all := whole[it.facet]
		it.w *= m.allowed(all, maxInfluence*spread[it.facet]/all.w)
	}
}

// allowed is the factor on the weights of m, a part of all, with which it moves the mean of all by no more than limit and
// chance.
func (m *moments) allowed(all *moments, limit float64) float64 {
	rest := all.w - m.w
	if rest <= 0 || m.w <= 0 {
		return 1
	}
	gap := math.Abs(m.wy/m.w - (all.wy-m.wy)/rest)
	mean := all.wy / all.w
	sd := math.Sqrt(math.Max(all.wyy/all.w-mean*mean, 0))
	share := m.w / all.w
	alike := 1 + (m.count/float64(len(m.clusters))-1)*conversationICC // the items of one conversation say less than as many others
	limit += share * influenceChance * sd * math.Sqrt(m.w2*alike) / m.w
	if share*gap <= limit {
		return 1
	}
	share = limit / gap
	return share / (1 - share) * rest / m.w
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
