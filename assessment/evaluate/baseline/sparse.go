package baseline

import "math"

// Sparse is a vector by its entries that are not zero: Value[j] stands at Index[j]; Index ascends.
type Sparse struct {
	Index []uint32
	Value []float32
}

// width is one more than the largest index of rows.
func width(rows []Sparse) int {
	most := 0
	for _, r := range rows {
		if n := len(r.Index); n > 0 {
			most = max(most, int(r.Index[n-1])+1)
		}
	}
	return most
}

// design is the matrix of a fit: rows, a constant 1 after the last feature for the intercept, and k outputs. A parameter
// vector holds (features+1)*k numbers, the outputs of one feature beside each other.
type design struct {
	rows     []Sparse
	features int
	k        int
}

func newDesign(rows []Sparse, k int) design { return design{rows: rows, features: width(rows), k: k} }

func (d design) size() int { return (d.features + 1) * d.k }

// forward sets scores, [rows, k], to the product of the matrix with v.
func (d design) forward(v, scores []float64) {
	k := d.k
	bias := v[d.features*k:]
	for i, r := range d.rows {
		s := scores[i*k : (i+1)*k]
		copy(s, bias)
		if k == 1 {
			sum := s[0]
			for j, f := range r.Index {
				sum += float64(r.Value[j]) * v[f]
			}
			s[0] = sum
			continue
		}
		for j, f := range r.Index {
			x := float64(r.Value[j])
			for c, w := range v[int(f)*k : (int(f)+1)*k] {
				s[c] += x * w
			}
		}
	}
}

// backward adds the transposed matrix times residual, [rows, k], to out.
func (d design) backward(residual, out []float64) {
	k := d.k
	bias := out[d.features*k:]
	for i, r := range d.rows {
		s := residual[i*k : (i+1)*k]
		for c, e := range s {
			bias[c] += e
		}
		if k == 1 {
			e := s[0]
			for j, f := range r.Index {
				out[f] += float64(r.Value[j]) * e
			}
			continue
		}
		for j, f := range r.Index {
			x := float64(r.Value[j])
			o := out[int(f)*k : (int(f)+1)*k]
			for c, e := range s {
				o[c] += x * e
			}
		}
	}
}

// backwardSquares adds the transposed matrix of squares times curvature, [rows, k], to out: the diagonal of a Hessian.
func (d design) backwardSquares(curvature, out []float64) {
	k := d.k
	for i, r := range d.rows {
		s := curvature[i*k : (i+1)*k]
		for c, e := range s {
			out[d.features*k+c] += e
		}
		for j, f := range r.Index {
			x := float64(r.Value[j])
			for c, e := range s {
				out[int(f)*k+c] += x * x * e
			}
		}
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

func length(a []float64) float64 { return math.Sqrt(dot(a, a)) }
