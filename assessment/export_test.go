package assessment

import "heartmark/schemas"

// SimItem is an item as tests write it.
type SimItem struct {
	Facet       string
	Y, W        float64
	Cluster     uint32
	Counterpart uint32
	Day         uint16
	Assessment  bool
}

// Simulate runs weights, aggregation and levels over items of one dimension, as measure does.
func Simulate(info ModelInfo, d schemas.Dimension, in []SimItem, seed uint64) DimensionReport {
	r := &run{a: &Assessor{cfg: Config{Seed: seed, NoHighlights: true}, facets: facetTable()}, info: info, heads: newHeadSet(info)}
	r.turns = make([]turn, len(in))
	r.stats.eligible = 0
	items := make([]item, len(in))
	code := map[string]facet{}
	for f := range facetCount {
		code[r.a.facets[f].code] = f
	}
	for i, x := range in {
		items[i] = item{facet: code[x.Facet], y: x.Y, w: x.W, cluster: x.Cluster, counterpart: x.Counterpart, day: x.Day, turn: int32(i), assessment: x.Assessment, scene: 1}
		if x.Assessment {
			items[i].scene = 8
		}
	}
	rate := map[facet]*rates{}
	for f := range facetCount {
		x := ratesOf(info, r.a.facets[f].code)
		rate[f] = &x
	}
	weigh(items, rate)
	k := dimensionIndex(d)
	s := summarise(dimensionFacets()[k], items, rate)
	return r.dimension(k, &s, items, rate).report
}

// CopyCount exposes the near-copy index.
func CopyCount(texts []string) []int {
	c := newCopyIndex()
	out := make([]int, len(texts))
	for i, t := range texts {
		out[i] = c.add(t)
	}
	return out
}

// StockTake exposes what is scored of a person's messages, and how often the stock of each was used before.
func StockTake(messages []string) (said []string, uses []int) {
	phrases := stock{}
	for _, m := range messages {
		text, n := phrases.take(m)
		said, uses = append(said, text), append(uses, n)
	}
	return said, uses
}

// KnownLabels are the labels that a complete classifier has.
func KnownLabels() map[string][]string { return knownLabels() }
