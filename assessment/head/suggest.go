package head

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode"

	"heartmark/assessment/model"
)

// Candidates is what Suggest chooses from.
type Candidates struct {
	Vectors [][]float32 // of the unlabelled rows
	Texts   []string    // of the same rows; nil: near duplicates are told by their vectors only
	// Known are vectors of labelled rows: what lies near them teaches little. May be empty; of more than maxKnown every
	// so manieth is looked at.
	Known [][]float32
}

// Suggestion is one row that is worth a label.
type Suggestion struct {
	Row           int       // place among the candidates
	Probabilities []float64 // as the head sees it now, in label order
	Entropy       float64   // 0 sure to 1 wholly unsure
	Margin        float64   // softmax: between the two likeliest labels; sigmoid: least distance from a threshold
	Distance      float64   // cosine distance from the nearest row that is labelled or was suggested before; 0 to 2
}

const (
	maxKnown = 2000
	// poolFactor times the wanted number of rows, the most uncertain ones, are weighed by distance too.
	poolFactor = 20
	minPool    = 400
	// sameVector is the cosine distance under which two texts are near duplicates, of which one is enough; sameText the
	// share of pairs of letters from which they are.
	sameVector = 0.01
	sameText   = 0.85
)

// Suggest names up to n candidates to label next: greedily the one with the largest product of its uncertainty and its
// distance from all that is labelled or named already (k-center weighted by entropy). Near duplicates of a named row, by
// letters or by vector, are not named: it names fewer where nothing else is left. The first is named first.
func Suggest(h *Model, c Candidates, n int) ([]Suggestion, error) {
	if n < 0 {
		return nil, fmt.Errorf("%d suggestions: want 0 or more", n)
	}
	if c.Texts != nil && len(c.Texts) != len(c.Vectors) {
		return nil, fmt.Errorf("%w: %d texts for %d vectors", ErrData, len(c.Texts), len(c.Vectors))
	}
	scored := make([]Suggestion, len(c.Vectors))
	for i, v := range c.Vectors {
		if len(v) != h.Network.Width || notFinite(v) >= 0 {
			return nil, fmt.Errorf("%w: vector %d", ErrWeights, i)
		}
		p := h.Calibration.Probabilities(h.Kind, h.Network.Forward(v))
		scored[i] = Suggestion{Row: i, Probabilities: p, Entropy: entropy(h.Kind, p), Margin: h.margin(p), Distance: 2}
	}
	pool := uncertain(scored, max(minPool, poolFactor*n))
	directions := make([][]float32, len(pool))
	for i, s := range pool {
		directions[i] = h.direction(c.Vectors[s.Row])
	}
	stride := max(1, (len(c.Known)+maxKnown-1)/maxKnown)
	for k := 0; k < len(c.Known); k += stride {
		approach(pool, directions, h.direction(c.Known[k]))
	}
	var out []Suggestion
	copies := newCopies(c.Texts, pool)
	for len(out) < n {
		best := -1
		for i, s := range pool {
			if s.Distance >= sameVector && !copies.named(i) && (best < 0 || s.Entropy*s.Distance > pool[best].Entropy*pool[best].Distance) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		out = append(out, pool[best])
		approach(pool, directions, directions[best])
		copies.name(best)
	}
	return out, nil
}

// approach shortens the distances of the pool by one more row that is taken.
func approach(pool []Suggestion, directions [][]float32, taken []float32) {
	for i := range pool {
		pool[i].Distance = min(pool[i].Distance, max(0, 1-float64(dot(directions[i], taken))))
	}
}

// copies tells which of the pool are near duplicates, by their letters, of what was named.
type copies struct {
	pairs []map[[2]rune]bool // of each row of the pool; nil without texts
	taken []bool
}

func newCopies(texts []string, pool []Suggestion) *copies {
	c := &copies{taken: make([]bool, len(pool))}
	if texts == nil {
		return c
	}
	for _, s := range pool {
		c.pairs = append(c.pairs, pairsOf(texts[s.Row]))
	}
	return c
}

func (c *copies) named(i int) bool { return c.taken[i] }

func (c *copies) name(i int) {
	c.taken[i] = true
	if c.pairs == nil {
		return
	}
	for j := range c.taken {
		if !c.taken[j] && alike(c.pairs[i], c.pairs[j]) {
			c.taken[j] = true
		}
	}
}

// pairsOf are the pairs of neighbouring letters and digits of a text, whatever their case and what stands between.
func pairsOf(s string) map[[2]rune]bool {
	out := make(map[[2]rune]bool)
	last := rune(0)
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			r = unicode.ToLower(r)
			out[[2]rune{last, r}] = true
			last = r
		}
	}
	return out
}

// alike compares by Dice's coefficient.
func alike(a, b map[[2]rune]bool) bool {
	common := 0
	for p := range a {
		if b[p] {
			common++
		}
	}
	return len(a)+len(b) > 0 && 2*float64(common) >= sameText*float64(len(a)+len(b))
}

// direction is the vector from the mean of the training rows, at length one.
func (m *Model) direction(vector []float32) []float32 {
	z := make([]float32, m.Network.Width)
	for d := range z {
		z[d] = vector[d] - m.Network.Mean[d]
	}
	if length := math.Sqrt(float64(dot(z, z))); length > 0 {
		for i := range z {
			z[i] = float32(float64(z[i]) / length)
		}
	}
	return z
}

// uncertain keeps the n with the largest entropy, in their order; of equals the first.
func uncertain(s []Suggestion, n int) []Suggestion {
	if len(s) <= n {
		return s
	}
	order := byEntropy(s)
	keep := make([]bool, len(s))
	for _, i := range order[:n] {
		keep[i] = true
	}
	out := make([]Suggestion, 0, n)
	for i, k := range keep {
		if k {
			out = append(out, s[i])
		}
	}
	return out
}

// entropy is 1 where nothing is known: over the labels for softmax, their mean for sigmoid.
func entropy(kind model.Kind, p []float64) float64 {
	part := func(q float64) float64 {
		if q <= 0 {
			return 0
		}
		return -q * math.Log(q)
	}
	sum := 0.0
	for _, q := range p {
		sum += part(q)
		if kind == model.Sigmoid {
			sum += part(1 - q)
		}
	}
	if kind == model.Sigmoid {
		return sum / (float64(len(p)) * math.Ln2)
	}
	return sum / math.Log(float64(len(p)))
}

func (m *Model) margin(p []float64) float64 {
	if m.Kind == model.Sigmoid {
		least := 1.0
		for k, q := range p {
			least = min(least, math.Abs(q-m.Calibration.Threshold[k]))
		}
		return least
	}
	first, second := 0.0, 0.0
	for _, q := range p {
		if q > first {
			first, second = q, first
		} else {
			second = max(second, q)
		}
	}
	return first - second
}

// byEntropy are the places of s, the most uncertain first.
func byEntropy(s []Suggestion) []int {
	order := make([]int, len(s))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s[b].Entropy, s[a].Entropy) })
	return order
}
