package head

import (
	"math"

	"heartmark/assessment/model"
)

// maxWeight caps class weights (assessment design, section 4 "Training").
const maxWeight = 5

// classWeights make up for rare labels: by label, the weight of its positive rows, capped, 1 for the mean label of
// softmax heads and for balanced sigmoid labels. Without balance all are 1.
func classWeights(t Targets, at []int, balanced bool) []float64 {
	out := make([]float64, len(t.Labels))
	counts := t.counts(at)
	for k, l := range t.Labels {
		n := float64(counts[l])
		switch {
		case !balanced || n == 0:
			out[k] = 1
		case t.Kind == model.Softmax:
			out[k] = min(maxWeight, float64(len(at))/(float64(len(t.Labels))*n))
		default:
			out[k] = max(1, min(maxWeight, (float64(len(at))-n)/n))
		}
	}
	return out
}

// lossOf returns the loss of one row and writes its gradient by the logits to delta: cross-entropy over the labels for
// softmax heads, the mean of the binary cross-entropies for sigmoid heads, each weighted by label.
func lossOf[F real](kind model.Kind, logits []F, class int, has []bool, weights []float64, delta []F) float64 {
	if kind == model.Softmax {
		top := logits[0]
		for _, z := range logits {
			top = max(top, z)
		}
		sum := 0.0
		for _, z := range logits {
			sum += math.Exp(float64(z - top))
		}
		w := weights[class]
		for k, z := range logits {
			p := math.Exp(float64(z-top)) / sum
			if k == class {
				p--
			}
			delta[k] = F(w * p)
		}
		return w * (math.Log(sum) - float64(logits[class]-top))
	}
	loss, n := 0.0, float64(len(logits))
	for k, z := range logits {
		x := float64(z)
		p := 1 / (1 + math.Exp(-x))
		// log(1 + e^-|x|) is exact where the plain form overflows.
		soft := math.Log1p(math.Exp(-math.Abs(x)))
		if has[k] {
			loss += weights[k] * (max(-x, 0) + soft) / n
			delta[k] = F(weights[k] * (p - 1) / n)
		} else {
			loss += (max(x, 0) + soft) / n
			delta[k] = F(p / n)
		}
	}
	return loss
}
