package baseline

import "math"

// problem is a convex, twice differentiable function. gradient, curvature and diagonal speak of the point of the last
// call of value, and set their argument.
type problem interface {
	value(w []float64) float64
	gradient(g []float64)
	curvature(v, hv []float64) // Hessian times v
	diagonal(d []float64)
}

// minimise moves w, which starts at zero, to the minimum by truncated Newton steps with backtracking. It stops when the
// gradient's length is at most tolerance times the first one.
func minimise(p problem, w []float64, steps int, tolerance float64) {
	n := len(w)
	g, d, next, scale := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	solver := newConjugate(n)
	value := p.value(w)
	p.gradient(g)
	first := length(g)
	for range steps {
		size := length(g)
		if size <= tolerance*first || size == 0 {
			return
		}
		p.diagonal(scale)
		// An inexact direction far from the minimum, a sharper one near it: superlinear convergence at little cost.
		solver.solve(p.curvature, g, scale, d, limits{steps: 200, tolerance: min(0.1, math.Sqrt(size/first))})
		slope := -dot(g, d) // d solves H d = g; the step is -d
		var ok bool
		if value, ok = backtrack(p, w, d, next, value, slope); !ok {
			return // the value no longer falls in float64
		}
		copy(w, next)
		p.gradient(g)
	}
}

// backtrack halves the step along -d until the value falls by enough (Armijo), and leaves the new point in next.
func backtrack(p problem, w, d, next []float64, value, slope float64) (float64, bool) {
	for step, tries := 1.0, 0; tries < 30; step, tries = step/2, tries+1 {
		for i := range w {
			next[i] = w[i] - step*d[i]
		}
		if v := p.value(next); v < value+1e-4*step*slope {
			return v, true
		}
	}
	return value, false
}

type limits struct {
	steps     int
	tolerance float64 // of the residual's length against the right side's
}

// conjugate solves symmetric positive linear systems by conjugate gradients with a diagonal preconditioner.
type conjugate struct{ residual, scaled, direction, image []float64 }

func newConjugate(n int) *conjugate {
	return &conjugate{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
}

// solve sets x, starting from zero, to the solution of A x = b; apply sets its second argument to A times the first.
func (c *conjugate) solve(apply func(v, av []float64), b, diagonal, x []float64, lim limits) {
	clear(x)
	copy(c.residual, b)
	goal := lim.tolerance * length(b)
	c.precondition(diagonal)
	copy(c.direction, c.scaled)
	rz := dot(c.residual, c.scaled)
	for range lim.steps {
		if length(c.residual) <= goal {
			return
		}
		apply(c.direction, c.image)
		bend := dot(c.direction, c.image)
		if bend <= 0 { // flat: a direction along which the function does not change, such as a shift of all intercepts
			return
		}
		step := rz / bend
		for i, p := range c.direction {
			x[i] += step * p
			c.residual[i] -= step * c.image[i]
		}
		c.precondition(diagonal)
		following := dot(c.residual, c.scaled)
		ratio := following / rz
		rz = following
		for i, z := range c.scaled {
			c.direction[i] = z + ratio*c.direction[i]
		}
	}
}

func (c *conjugate) precondition(diagonal []float64) {
	for i, r := range c.residual {
		if d := diagonal[i]; d > 0 {
			r /= d
		}
		c.scaled[i] = r
	}
}
