package baseline

import "math"

// FitLogistic fits L2-regularised logistic regression: ½‖w‖² + C Σ weight(y) loss, the intercepts free. Two classes are
// one binary model; more are a softmax over all classes or, with OneVsRest, one binary model each. A class without rows
// is allowed and gets a probability near 0. No rows give a model that finds all classes equally likely.
func FitLogistic(x []Sparse, y []int, classes int, o Options) *Linear {
	check(len(x), y, classes)
	o.C = orDefault(o.C, 8)
	o.MaxIterations = orDefault(o.MaxIterations, 100)
	o.Tolerance = orDefault(o.Tolerance, 1e-3)
	switch {
	case classes == 2:
		p := newLogistic(newDesign(x, 1), y, balance(y, 2, o.Balanced), o.C)
		return newLinear(binary, p.design, p.fit(o))
	case o.OneVsRest:
		return fitOneVsRest(x, y, classes, o)
	default:
		p := newLogistic(newDesign(x, classes), y, balance(y, classes, o.Balanced), o.C)
		return newLinear(softmax, p.design, p.fit(o))
	}
}

func fitOneVsRest(x []Sparse, y []int, classes int, o Options) *Linear {
	d := newDesign(x, classes)
	all := make([]float64, d.size())
	inParallel(classes, o.Workers, func(class int) {
		mine := against(y, class)
		one := d
		one.k = 1
		for i, w := range newLogistic(one, mine, balance(mine, 2, o.Balanced), o.C).fit(o) {
			all[i*classes+class] = w
		}
	})
	return newLinear(oneVsRest, d, all)
}

// logistic is the objective; with one output it is the binary one with the logit of class 1.
type logistic struct {
	design
	y       []int
	loss    []float64 // by row: C times the weight of its class
	w       []float64 // the point of the last value
	p       []float64 // [rows, k]: probabilities there
	scratch []float64 // [rows, k]
}

func newLogistic(d design, y []int, classWeights []float64, c float64) *logistic {
	l := &logistic{design: d, y: y, loss: make([]float64, len(y)), w: make([]float64, d.size())}
	l.p, l.scratch = make([]float64, len(y)*d.k), make([]float64, len(y)*d.k)
	for i, label := range y {
		l.loss[i] = c * classWeights[label]
	}
	return l
}

func (l *logistic) fit(o Options) []float64 {
	w := make([]float64, l.size())
	minimise(l, w, o.MaxIterations, o.Tolerance)
	return w
}

// penalised are the parameters that the L2 term sees: all but the intercepts.
func (l *logistic) penalised(v []float64) []float64 { return v[:l.features*l.k] }

func (l *logistic) value(w []float64) float64 {
	copy(l.w, w)
	l.forward(w, l.p)
	sum := 0.0
	for i, label := range l.y {
		s := l.p[i*l.k : (i+1)*l.k]
		if l.k == 1 {
			sum += l.loss[i] * binaryLoss(s, label)
		} else {
			sum += l.loss[i] * softmaxLoss(s, label)
		}
	}
	own := l.penalised(w)
	return dot(own, own)/2 + sum
}

// binaryLoss returns the loss at the logit s[0] and puts the probability of class 1 in its place.
func binaryLoss(s []float64, label int) float64 {
	z := s[0]
	s[0] = sigmoid(z)
	if label == 1 {
		z = -z
	}
	return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z)))
}

// softmaxLoss returns the loss at the logits s and puts the probabilities in their place.
func softmaxLoss(s []float64, label int) float64 {
	at := s[label]
	return softmaxInPlace(s) - at
}

// softmaxInPlace turns logits into probabilities and returns the logarithm of the sum of their exponentials.
func softmaxInPlace(s []float64) float64 {
	top := math.Inf(-1)
	for _, z := range s {
		top = max(top, z)
	}
	sum := 0.0
	for c, z := range s {
		s[c] = math.Exp(z - top)
		sum += s[c]
	}
	for c := range s {
		s[c] /= sum
	}
	return top + math.Log(sum)
}

func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

func (l *logistic) gradient(g []float64) {
	for i, label := range l.y {
		p, r := l.p[i*l.k:(i+1)*l.k], l.scratch[i*l.k:(i+1)*l.k]
		for c := range p {
			r[c] = l.loss[i] * p[c]
		}
		if l.k > 1 {
			r[label] -= l.loss[i]
		} else if label == 1 {
			r[0] -= l.loss[i]
		}
	}
	clear(g)
	copy(l.penalised(g), l.penalised(l.w))
	l.backward(l.scratch, g)
}

func (l *logistic) curvature(v, hv []float64) {
	l.forward(v, l.scratch)
	for i := range l.y {
		p, s := l.p[i*l.k:(i+1)*l.k], l.scratch[i*l.k:(i+1)*l.k]
		if l.k == 1 {
			s[0] *= l.loss[i] * p[0] * (1 - p[0])
			continue
		}
		mean := dot(p, s)
		for c := range s {
			s[c] = l.loss[i] * p[c] * (s[c] - mean)
		}
	}
	clear(hv)
	copy(l.penalised(hv), l.penalised(v))
	l.backward(l.scratch, hv)
}

func (l *logistic) diagonal(d []float64) {
	for i := range l.y {
		for c := i * l.k; c < (i+1)*l.k; c++ {
			l.scratch[c] = l.loss[i] * l.p[c] * (1 - l.p[c])
		}
	}
	clear(d)
	own := l.penalised(d)
	for i := range own {
		own[i] = 1
	}
	l.backwardSquares(l.scratch, d)
}
