package baseline

type link int

const (
	binary link = iota
	softmax
	oneVsRest
	identity // ridge regression
)

// Linear is a linear model on sparse vectors. Safe for use by several goroutines.
type Linear struct {
	link      link
	features  int
	k         int
	weights   []float64 // [features, k]
	intercept []float64 // [k]
}

func newLinear(l link, d design, w []float64) *Linear {
	return &Linear{link: l, features: d.features, k: d.k, weights: w[:d.features*d.k], intercept: w[d.features*d.k:]}
}

// Decision returns one logit a class ([0, f] for two classes), or the one value of ridge regression. An index that no
// row of the fit had counts nothing.
func (m *Linear) Decision(x Sparse) []float64 {
	out := make([]float64, m.k, max(m.k, 2))
	copy(out, m.intercept)
	for j, f := range x.Index {
		if int(f) >= m.features {
			break
		}
		for c, w := range m.weights[int(f)*m.k : (int(f)+1)*m.k] {
			out[c] += float64(x.Value[j]) * w
		}
	}
	if m.link == binary {
		return append(out[:0], 0, out[0])
	}
	return out
}

// Probabilities returns the probability of each class; those of a one-against-rest model are its sigmoids divided by
// their sum. It panics on ridge regression, which has none.
func (m *Linear) Probabilities(x Sparse) []float64 {
	p := m.Decision(x)
	switch m.link {
	case binary, softmax:
		softmaxInPlace(p)
	case oneVsRest:
		sum := 0.0
		for c, z := range p {
			p[c] = sigmoid(z)
			sum += p[c]
		}
		for c := range p {
			if sum > 0 {
				p[c] /= sum
			} else { // every class is ruled out beyond what float64 tells apart
				p[c] = 1 / float64(len(p))
			}
		}
	case identity:
		panic("baseline: ridge regression has no probabilities")
	}
	return p
}

// Predict returns the class with the highest logit, the first of equal ones.
func (m *Linear) Predict(x Sparse) int { return largest(m.Decision(x)) }

// Value returns what ridge regression predicts, in the unit of its targets; of a classifier it is the logit of the last
// class.
func (m *Linear) Value(x Sparse) float64 {
	d := m.Decision(x)
	return d[len(d)-1]
}

func largest(s []float64) int {
	best := 0
	for c, v := range s {
		if v > s[best] {
			best = c
		}
	}
	return best
}
