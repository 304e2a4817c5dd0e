package head

import (
	"context"
	"math"
	"math/rand/v2"
)

// pass walks over rows with one network; it belongs to one trial.
type pass struct {
	s                                  *trainer
	net, gradients                     mlp[float32]
	g                                  []float32 // what gradients lies in
	l2                                 float64
	hidden, mask, back, logits, deltas []float32
}

func newPass(s *trainer, net mlp[float32], l2 float64) *pass {
	p := &pass{s: s, net: net, l2: l2, g: make([]float32, size(net.width, net.hidden, net.outputs))}
	p.gradients = newMLP(net.width, net.hidden, net.outputs, p.g)
	p.hidden, p.back = make([]float32, net.hidden), make([]float32, net.hidden)
	p.logits, p.deltas = make([]float32, net.outputs), make([]float32, net.outputs)
	if s.options.Dropout > 0 && net.hidden > 0 {
		p.mask = make([]float32, net.hidden)
	}
	return p
}

// epoch goes over the training rows once and returns their mean loss.
func (p *pass) epoch(ctx context.Context, order []int, step *adam, w []float32, draw *rand.Rand) (float64, error) {
	total := 0.0
	for start := 0; start < len(order); start += p.s.options.Batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		batch := order[start:min(start+p.s.options.Batch, len(order))]
		clear(p.g)
		for _, j := range batch {
			total += p.row(j, draw)
		}
		p.scale(float32(1 / float64(len(batch))))
		step.update(w, p.g)
	}
	return total / float64(len(order)), nil
}

// row adds the gradients of one training row.
func (p *pass) row(j int, draw *rand.Rand) float64 {
	z, t, i := p.s.train.row(j, p.s.width), p.s.targets, p.s.train.at[j]
	p.net.forward(z, p.hidden, p.logits)
	if p.mask != nil {
		keep := 1 - p.s.options.Dropout
		for u := range p.mask {
			p.mask[u] = 0
			if draw.Float64() < keep {
				p.mask[u] = float32(1 / keep)
			}
			p.hidden[u] *= p.mask[u]
		}
		for k := range p.logits {
			p.logits[k] = p.net.b2[k] + dot(p.net.w2[k*p.net.hidden:(k+1)*p.net.hidden], p.hidden)
		}
	}
	loss := lossOf(t.Kind, p.logits, t.class(i), t.Has[i], p.s.weights, p.deltas)
	p.net.backward(p.gradients, z, p.hidden, p.mask, p.deltas, p.back)
	return loss
}

// scale makes means of the summed gradients and adds those of the weight decay, l2/2 times the squared weights.
func (p *pass) scale(by float32) {
	for i := range p.g {
		p.g[i] *= by
	}
	axpy(p.gradients.w1, float32(p.l2), p.net.w1)
	axpy(p.gradients.w2, float32(p.l2), p.net.w2)
}

// loss is the mean loss over a set, without dropout and weight decay.
func (p *pass) loss(over set) float64 {
	t, total := p.s.targets, 0.0
	for j, i := range over.at {
		p.net.forward(over.row(j, p.s.width), p.hidden, p.logits)
		total += lossOf(t.Kind, p.logits, t.class(i), t.Has[i], p.s.weights, p.deltas)
	}
	return total / float64(len(over.at))
}

// class is the class of a row; 0 for sigmoid heads, which do not read it.
func (t Targets) class(i int) int {
	if t.Class == nil {
		return 0
	}
	return t.Class[i]
}

// adam is the optimiser of Kingma and Ba 2015 with its usual decay rates.
type adam struct {
	rate         float64
	first, other []float32 // running means of gradients and of their squares
	steps        int
}

func newAdam(n int, rate float64) *adam {
	return &adam{rate: rate, first: make([]float32, n), other: make([]float32, n)}
}

func (a *adam) update(w, g []float32) {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	a.steps++
	n := float64(a.steps)
	// Both corrections of the start are put into the step size.
	rate := float32(a.rate * math.Sqrt(1-math.Pow(beta2, n)) / (1 - math.Pow(beta1, n)))
	g, m, v := g[:len(w)], a.first[:len(w)], a.other[:len(w)]
	for i := range w {
		m[i] += (1 - beta1) * (g[i] - m[i])
		v[i] += (1 - beta2) * (g[i]*g[i] - v[i])
		w[i] -= rate * m[i] / (float32(math.Sqrt(float64(v[i]))) + epsilon)
	}
}
