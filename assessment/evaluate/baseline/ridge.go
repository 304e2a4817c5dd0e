package baseline

import "fmt"

// FitRidge fits ridge regression: ½‖w‖² + C ½ Σ (w·x + b - y)², the intercept free, by conjugate gradients on the normal
// equations. Use [Linear.Value] of the result.
func FitRidge(x []Sparse, y []float64, o Options) *Linear {
	if len(x) != len(y) {
		panic(fmt.Sprintf("baseline: %d rows and %d targets", len(x), len(y)))
	}
	o.C = orDefault(o.C, 8)
	r := &ridge{design: newDesign(x, 1), c: o.C, scratch: make([]float64, len(y))}
	lim := limits{steps: orDefault(o.MaxIterations, 1000), tolerance: orDefault(o.Tolerance, 1e-6)}
	right, scale, w := make([]float64, r.size()), make([]float64, r.size()), make([]float64, r.size())
	for i, target := range y {
		r.scratch[i] = o.C * target
	}
	r.backward(r.scratch, right)
	for i := range r.scratch {
		r.scratch[i] = o.C
	}
	for f := range r.features {
		scale[f] = 1
	}
	r.backwardSquares(r.scratch, scale)
	newConjugate(len(w)).solve(r.apply, right, scale, w, lim)
	return newLinear(identity, r.design, w)
}

type ridge struct {
	design
	c       float64
	scratch []float64 // [rows]
}

// apply sets out to (C XᵀX + I) v, where the identity leaves the intercept out.
func (r *ridge) apply(v, out []float64) {
	r.forward(v, r.scratch)
	for i := range r.scratch {
		r.scratch[i] *= r.c
	}
	clear(out)
	copy(out[:r.features], v)
	r.backward(r.scratch, out)
}
