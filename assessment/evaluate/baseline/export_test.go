package baseline

import "slices"

// Terms lists the vocabulary by rank.
func (t *TFIDF) Terms() []string {
	out := make([]string, len(t.index))
	for term, rank := range t.index {
		out[rank] = term
	}
	return out
}

// EachTerm calls emit with every term that the default options take from d.
func EachTerm(d Doc, emit func(string)) {
	t := &TFIDF{options: TFIDFOptions{}.withDefaults()}
	t.each(d, nil, func(b []byte) { emit(string(b)) })
}

// Objective opens the logistic objective: its value at w, its gradient there, and its Hessian times v.
func Objective(x []Sparse, y []int, classes int, c float64) (size int, at func(w, v []float64) (value float64, g, hv, diagonal []float64)) {
	k := classes
	if classes == 2 {
		k = 1
	}
	l := newLogistic(newDesign(x, k), y, balance(y, classes, true), c)
	return l.size(), func(w, v []float64) (float64, []float64, []float64, []float64) {
		value := l.value(w)
		g, hv, d := make([]float64, len(w)), make([]float64, len(w)), make([]float64, len(w))
		l.gradient(g)
		l.curvature(v, hv)
		l.diagonal(d)
		return value, g, hv, d
	}
}

// Weights returns the weights of one output, the bias last, and Standardised the row that they multiply.
func (m *DenseLinear) Weights(output int) []float64 { return slices.Clone(m.weights[output]) }

func (m *DenseLinear) Standardised(x []float32) []float32 { return m.scale.one(x, nil) }

// Cuts and BinOf open the binning.
func Cuts(values []float32) []float32     { return cutsOf(slices.Clone(values)) }
func BinOf(cuts []float32, v float32) int { return binOf(cuts, v) }
