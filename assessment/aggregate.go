package assessment

import "math"

// Constants of assessment.md section 6.
const (
	conversationICC = 0.2  // r: how alike the items of one conversation are
	priorStrength   = 2.0  // k
	minSpread       = 0.35 // of s1 - s0, to report a facet
	minFacetInfo    = 2.0  // n' from which a facet counts
	minShares       = 0.6  // of a dimension's facets, to report it
	defaultRateSE   = 0.03
)

// rates are the error rates of one facet by language (0 en, 1 zh).
type rates struct {
	s1, s0, se1, se0 [2]float64
	known            [2]bool
	mean             float64 // mu: the reference mean
}

// ratesOf reads the error rates that the model states for a facet.
func ratesOf(info ModelInfo, code string) rates {
	r := rates{mean: 0.5}
	if mu, ok := info.ReferenceMeans[code]; ok && mu > 0 && mu < 1 {
		r.mean = mu
	}
	for l, lang := range [2]string{"en", "zh"} {
		v, ok := info.ErrorRates[code][lang]
		if !ok || !sane(v[0]) || !sane(v[1]) || v[0] <= v[1] {
			continue
		}
		r.known[l] = true
		r.s1[l], r.s0[l] = v[0], v[1]
		r.se1[l], r.se0[l] = defaultRateSE, defaultRateSE
		if se, ok := info.ErrorRateSE[code][lang]; ok && sane(se[0]) && sane(se[1]) {
			r.se1[l], r.se0[l] = se[0], se[1]
		}
	}
	return r
}

func sane(x float64) bool { return !math.IsNaN(x) && x >= 0 && x <= 1 }

// sums are the sufficient statistics of one facet's items.
type sums struct {
	count   float64
	wy, w2  float64
	w       [2]float64 // by language
	cluster float64    // clusters that have items
}

func (s *sums) add(o *sums) {
	s.count += o.count
	s.wy += o.wy
	s.w2 += o.w2
	s.w[0] += o.w[0]
	s.w[1] += o.w[1]
	s.cluster += o.cluster
}

// facetEstimate is what the items say about one facet.
type facetEstimate struct {
	n, info    float64 // effective number, information left after error correction
	p          float64 // corrected proportion
	mean       float64 // posterior mean
	a, b       float64 // posterior Beta
	s1, s0     float64
	items      int
	reportable bool // s1 - s0 is wide enough
	counts     bool // and n' is enough to enter the dimension
}

// estimate is steps 1 to 3 of section 6. shift moves s1 and s0 by so many standard errors.
func estimate(s *sums, r *rates, shift1, shift0 float64) facetEstimate {
	w := s.w[0] + s.w[1]
	e := facetEstimate{items: int(s.count), a: priorStrength * r.mean, b: priorStrength * (1 - r.mean), mean: r.mean}
	if w <= 0 || s.w2 <= 0 {
		return e
	}
	for l := range 2 {
		share := s.w[l] / w
		e.s1 += share * clamp01(r.s1[l]+shift1*r.se1[l])
		e.s0 += share * clamp01(r.s0[l]+shift0*r.se0[l])
	}
	m := s.count / math.Max(s.cluster, 1)
	e.n = w * w / s.w2 / (1 + (m-1)*conversationICC)
	spread := e.s1 - e.s0
	if spread < 0.05 {
		return e
	}
	e.reportable = spread >= minSpread
	e.info = e.n * spread * spread
	e.p = clamp01((s.wy/w - e.s0) / spread)
	e.a += e.info * e.p
	e.b += e.info * (1 - e.p)
	e.mean = e.a / (e.a + e.b)
	e.counts = e.reportable && e.info >= minFacetInfo
	return e
}

// block is one conversation part or one prompt: the unit of the bootstrap.
type block struct {
	facets [5]sums // by place in the dimension
}

// summary is the sufficient statistics of one dimension.
type summary struct {
	facets        []facet
	total         [5]sums
	blocks        []block
	opportunities int
	conversations int
	counterparts  int
	days          int
	sceneKinds    int
	scene         [5]float64 // weight from assessment scenes, by place in the dimension
	noRates       bool       // some items had to be left out for want of error rates
}

// summarise reduces weighted items to sums by block. Civility rides along with every message, so it counts for no
// minimum.
func summarise(facets []facet, items []item, rate map[facet]*rates) summary {
	s := summary{facets: facets}
	place := map[facet]int{}
	for i, f := range facets {
		place[f] = i
	}
	index := map[uint32]int{}
	counted := map[uint32]bool{}
	turns, people, days, scenes := map[int32]bool{}, map[uint32]bool{}, map[uint16]bool{}, map[uint8]bool{}
	for i := range items {
		it := &items[i]
		if !rate[it.facet].known[it.lang] {
			s.noRates = s.noRates || rate[it.facet].known[1-it.lang]
			continue
		}
		b, ok := index[it.cluster]
		if !ok {
			b = len(s.blocks)
			index[it.cluster] = b
			s.blocks = append(s.blocks, block{})
		}
		f := &s.blocks[b].facets[place[it.facet]]
		f.count++
		f.wy += it.w * it.y
		f.w2 += it.w * it.w
		f.w[it.lang] += it.w
		f.cluster = 1
		if it.assessment {
			s.scene[place[it.facet]] += it.w
		}
		if it.facet == sk5 {
			continue
		}
		turns[it.turn] = true
		counted[it.cluster] = true
		days[it.day] = true
		scenes[it.scene] = true
		if it.counterpart != noCounterpart && !it.assessment {
			people[it.counterpart] = true
		}
	}
	for b := range s.blocks {
		for f := range facets {
			s.total[f].add(&s.blocks[b].facets[f])
		}
	}
	s.opportunities, s.counterparts, s.days, s.sceneKinds = len(turns), len(people), len(days), len(scenes)
	s.conversations = len(counted)
	return s
}

// estimateAll is the point estimate of each facet.
func (s *summary) estimateAll(rate map[facet]*rates) []facetEstimate {
	out := make([]facetEstimate, len(s.facets))
	for i, f := range s.facets {
		out[i] = estimate(&s.total[i], rate[f], 0, 0)
	}
	return out
}

// combine is step 4: shares of the facets that count, their sum, and theta with its effective number and information.
type combined struct {
	shares         []float64 // renormalised; 0 for a facet that does not count
	present        float64
	theta, n, info float64
	reported       bool
}

func combine(table *[facetCount]facetInfo, facets []facet, est []facetEstimate) combined {
	c := combined{shares: make([]float64, len(facets))}
	for i, f := range facets {
		if est[i].counts {
			c.present += table[f].share
		}
	}
	if c.present == 0 {
		return c
	}
	for i, f := range facets {
		if !est[i].counts {
			continue
		}
		c.shares[i] = table[f].share / c.present
		c.theta += c.shares[i] * est[i].mean
		c.n += c.shares[i] * est[i].n
		c.info += c.shares[i] * est[i].info
	}
	c.reported = c.present >= minShares-1e-9
	return c
}

// mix is how much of the score rests on free chat and on assessment scenes, facet by facet in the shares of the score.
func (s *summary) mix(c combined) (free, scene float64) {
	for i := range s.facets {
		w := s.total[i].w[0] + s.total[i].w[1]
		if w > 0 && c.shares[i] > 0 {
			scene += c.shares[i] * s.scene[i] / w
			free += c.shares[i] * (1 - s.scene[i]/w)
		}
	}
	return free, scene
}
