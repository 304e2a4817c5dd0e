package assessment

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	posteriorDraws = 4000
	bootstrapDraws = 400
)

// draws are samples of a dimension's theta by two ways; both are kept, and what is said rests on the more careful one.
type draws struct {
	posterior []float64 // from the facets' Beta distributions
	bootstrap []float64 // conversations resampled, error rates drawn
}

// drawTheta is step 5 of section 6.
func drawTheta(s *summary, est []facetEstimate, c combined, rate map[facet]*rates, seed, stream uint64) draws {
	rng := rand.New(rand.NewPCG(seed, stream))
	d := draws{posterior: make([]float64, posteriorDraws), bootstrap: make([]float64, bootstrapDraws)}
	for k := range d.posterior {
		for i, share := range c.shares {
			if share > 0 {
				d.posterior[k] += share * betaDraw(rng, est[i].a, est[i].b)
			}
		}
	}
	for k := range d.bootstrap {
		var total [5]sums
		for range s.blocks {
			b := &s.blocks[rng.IntN(len(s.blocks))]
			for i := range s.facets {
				if b.facets[i].count > 0 {
					total[i].add(&b.facets[i])
				}
			}
		}
		for i, share := range c.shares {
			shift1, shift0 := rng.NormFloat64(), rng.NormFloat64()
			if share > 0 {
				e := estimate(&total[i], rate[s.facets[i]], shift1, shift0)
				d.bootstrap[k] += share * e.mean
			}
		}
	}
	return d
}

// interval90 is the wider of the two 90 % intervals.
func (d draws) interval90() (low, high float64) {
	low, high = quantiles(d.posterior)
	if l, h := quantiles(d.bootstrap); h-l > high-low {
		return l, h
	}
	return low, high
}

// reaches is the probability that theta is at or above cut, by the more careful of the two ways.
func (d draws) reaches(cut float64) float64 {
	return math.Min(shareAbove(d.posterior, cut), shareAbove(d.bootstrap, cut))
}

// shareAbove is the share of draws at or above cut, over one draw more than there are: a finite number of draws never makes
// a certainty.
func shareAbove(x []float64, cut float64) float64 {
	n := 0
	for _, v := range x {
		if v >= cut {
			n++
		}
	}
	return float64(n) / float64(len(x)+1)
}

func quantiles(x []float64) (low, high float64) {
	s := slices.Clone(x)
	slices.Sort(s)
	at := func(q float64) float64 {
		pos := q * float64(len(s)-1)
		i := int(pos)
		if i+1 >= len(s) {
			return s[len(s)-1]
		}
		return s[i] + (pos-float64(i))*(s[i+1]-s[i])
	}
	return at(0.05), at(0.95)
}

// meanDraws averages the draws of several dimensions, which are independent given their items.
func meanDraws(all []draws) draws {
	m := draws{posterior: make([]float64, posteriorDraws), bootstrap: make([]float64, bootstrapDraws)}
	for _, d := range all {
		for k := range m.posterior {
			m.posterior[k] += d.posterior[k] / float64(len(all))
		}
		for k := range m.bootstrap {
			m.bootstrap[k] += d.bootstrap[k] / float64(len(all))
		}
	}
	return m
}

// betaDraw draws from Beta(a, b) by two gamma draws.
func betaDraw(rng *rand.Rand, a, b float64) float64 {
	x, y := gammaDraw(rng, a), gammaDraw(rng, b)
	if x+y == 0 {
		return 0.5
	}
	return x / (x + y)
}

// gammaDraw draws from Gamma(shape, 1) by the method of Marsaglia and Tsang; a shape below 1 is raised and brought back.
func gammaDraw(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		u := 1 - rng.Float64() // (0, 1]
		return gammaDraw(rng, shape+1) * math.Pow(u, 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := 1 - rng.Float64()
		if math.Log(u) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
