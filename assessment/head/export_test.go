package head

import "heartmark/assessment/model"

// GradientCheck returns, for one row of a network with float64 weights, the gradient of the loss by each weight as
// backward computes it and as differences of the loss give it.
func GradientCheck(kind model.Kind, width, hidden, outputs int, weights, z []float64, mask []float64, class int, has []bool, classWeights []float64) (got, want []float64) {
	loss := func(w []float64) (float64, mlp[float64], []float64, []float64) {
		m := newMLP(width, hidden, outputs, w)
		h, logits, delta := make([]float64, hidden), make([]float64, outputs), make([]float64, outputs)
		m.forward(z, h, logits)
		if mask != nil {
			for j := range h {
				h[j] *= mask[j]
			}
			for k := range logits {
				logits[k] = m.b2[k] + dot(m.w2[k*hidden:(k+1)*hidden], h)
			}
		}
		return lossOf(kind, logits, class, has, classWeights, delta), m, h, delta
	}
	_, m, h, delta := loss(weights)
	got = make([]float64, len(weights))
	m.backward(newMLP(width, hidden, outputs, got), z, h, mask, delta, make([]float64, hidden))
	const step = 1e-6
	for i := range weights {
		kept := weights[i]
		weights[i] = kept + step
		up, _, _, _ := loss(weights)
		weights[i] = kept - step
		down, _, _, _ := loss(weights)
		weights[i] = kept
		want = append(want, (up-down)/(2*step))
	}
	return got, want
}

// Size is the number of weights of a network.
func Size(width, hidden, outputs int) int { return size(width, hidden, outputs) }
