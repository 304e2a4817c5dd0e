package head

import (
	"fmt"
	"math"
)

// Bounds of a head's shape.
const (
	maxWidth  = 1 << 14
	maxHidden = 4096
)

// Network is a linear layer, or one hidden layer of rectified units and a linear one, over standardised vectors:
// z = (x - Mean) * Scale; logits = W2 relu(W1 z + B1) + B2, or W2 z + B2 without hidden units. It is immutable and safe
// for concurrent use.
type Network struct {
	Width, Hidden, Outputs int // Hidden 0: linear
	Mean, Scale            []float32
	W1                     []float32 // [Hidden, Width], row by row
	B1                     []float32
	W2                     []float32 // [Outputs, Hidden], or [Outputs, Width]
	B2                     []float32
}

// Forward answers the logits of one vector of Width values, as ONNX Runtime does up to rounding.
func (n *Network) Forward(vector []float32) []float32 {
	z := make([]float32, n.Width)
	standardise(z, vector, n.Mean, n.Scale)
	m := mlp[float32]{width: n.Width, hidden: n.Hidden, outputs: n.Outputs, w1: n.W1, b1: n.B1, w2: n.W2, b2: n.B2}
	logits, hidden := make([]float32, n.Outputs), make([]float32, n.Hidden)
	m.forward(z, hidden, logits)
	return logits
}

func standardise(z, vector, mean, scale []float32) {
	for i, x := range vector[:len(z)] {
		z[i] = (x - mean[i]) * scale[i]
	}
}

// Parameters is the number of trained weights.
func (n *Network) Parameters() int { return len(n.W1) + len(n.B1) + len(n.W2) + len(n.B2) }

// check holds shapes and values. The error wraps ErrGraph or ErrWeights.
func (n *Network) check() error {
	inner := n.Width
	if n.Hidden > 0 {
		inner = n.Hidden
	}
	if n.Width < 1 || n.Width > maxWidth || n.Hidden < 0 || n.Hidden > maxHidden || n.Outputs < 1 || n.Outputs > MaxLabels {
		return fmt.Errorf("%w: %d inputs, %d hidden units, %d outputs", ErrGraph, n.Width, n.Hidden, n.Outputs)
	}
	for _, p := range []struct {
		name   string
		values []float32
		want   int
	}{
		{"mean", n.Mean, n.Width},
		{"scale", n.Scale, n.Width},
		{"w1", n.W1, n.Hidden * n.Width},
		{"b1", n.B1, n.Hidden},
		{"w2", n.W2, n.Outputs * inner},
		{"b2", n.B2, n.Outputs},
	} {
		if len(p.values) != p.want {
			return fmt.Errorf("%w: %s has %d values, want %d", ErrGraph, p.name, len(p.values), p.want)
		}
		if i := notFinite(p.values); i >= 0 {
			return fmt.Errorf("%w: %s at %d", ErrWeights, p.name, i)
		}
	}
	return nil
}

// notFinite is the place of the first value that is no finite number; -1 for none.
func notFinite(values []float32) int {
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return i
		}
	}
	return -1
}

// real are the numbers that an mlp computes with: float32 to train, float64 to check its gradients.
type real interface{ float32 | float64 }

// mlp is the network over standardised vectors. Its weights lie in one slice of parameters.
type mlp[F real] struct {
	width, hidden, outputs int
	w1, b1, w2, b2         []F
}

// newMLP lays the weights out in parameters, which holds size(width, hidden, outputs) values.
func newMLP[F real](width, hidden, outputs int, parameters []F) mlp[F] {
	m := mlp[F]{width: width, hidden: hidden, outputs: outputs}
	cut := func(n int) []F {
		part := parameters[:n:n]
		parameters = parameters[n:]
		return part
	}
	m.w1, m.b1 = cut(hidden*width), cut(hidden)
	m.w2, m.b2 = cut(outputs*m.inner()), cut(outputs)
	return m
}

func size(width, hidden, outputs int) int {
	if hidden == 0 {
		return outputs*width + outputs
	}
	return hidden*width + hidden + outputs*hidden + outputs
}

func (m mlp[F]) inner() int {
	if m.hidden > 0 {
		return m.hidden
	}
	return m.width
}

// forward computes hidden units (after the rectifier) and logits of one standardised vector.
func (m mlp[F]) forward(z, hidden, logits []F) {
	in := z
	if m.hidden > 0 {
		for j := range hidden {
			hidden[j] = max(0, m.b1[j]+dot(m.w1[j*m.width:(j+1)*m.width], z))
		}
		in = hidden
	}
	for k := range logits {
		logits[k] = m.b2[k] + dot(m.w2[k*len(in):(k+1)*len(in)], in)
	}
}

// backward adds the gradients of one vector to g, whose shape is m's. delta is the gradient by the logits; mask, where it
// is not nil, holds the factors that dropout put on the hidden units; back is room for the hidden units.
func (m mlp[F]) backward(g mlp[F], z, hidden, mask, delta, back []F) {
	in := z
	if m.hidden > 0 {
		in = hidden
	}
	for k, d := range delta {
		g.b2[k] += d
		axpy(g.w2[k*len(in):(k+1)*len(in)], d, in)
	}
	if m.hidden == 0 {
		return
	}
	clear(back)
	for k, d := range delta {
		axpy(back, d, m.w2[k*m.hidden:(k+1)*m.hidden])
	}
	for j, d := range back {
		if hidden[j] <= 0 {
			continue // the rectifier, or dropout, closed it
		}
		if mask != nil {
			d *= mask[j]
		}
		g.b1[j] += d
		axpy(g.w1[j*m.width:(j+1)*m.width], d, z)
	}
}

// dot sums in four lanes: the order is fixed, so sums are the same each time.
func dot[F real](a, b []F) F {
	b = b[:len(a)]
	var s0, s1, s2, s3 F
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// axpy adds d times x to y.
func axpy[F real](y []F, d F, x []F) {
	x = x[:len(y)]
	for i := range y {
		y[i] += d * x[i]
	}
}
