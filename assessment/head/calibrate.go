package head

import (
	"fmt"
	"math"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/model"
)

// Calibration turns logits into probabilities: Scale times logit plus Shift, then softmax, or the logistic function label
// by label. For softmax heads all scales are one over the temperature and all shifts 0.
type Calibration struct {
	Scale []float64 `json:"scale"`
	Shift []float64 `json:"shift"`
	// Threshold is, by label, the probability from which a label of a sigmoid head holds; nil for softmax heads.
	Threshold []float64 `json:"threshold,omitempty"`
}

// Uncalibrated leaves logits as they are, with thresholds of a half.
func Uncalibrated(kind model.Kind, labels int) Calibration {
	c := Calibration{Scale: make([]float64, labels), Shift: make([]float64, labels)}
	for k := range c.Scale {
		c.Scale[k] = 1
	}
	if kind == model.Sigmoid {
		c.Threshold = make([]float64, labels)
		for k := range c.Threshold {
			c.Threshold[k] = 0.5
		}
	}
	return c
}

// minForThreshold is how many rows with and without a label are needed to choose its threshold by F1; else it is a half.
const minForThreshold = 20

// thresholdSeed fixes the resamples by which a threshold is chosen: the same rows give the same threshold.
const thresholdSeed = 1

// Calibrate fits a temperature (softmax: Guo et al. 2017) or, by label, Platt's curve (sigmoid: Platt 1999, with his
// smoothed targets) to the logits of the rows at the given places, which must not be rows that were trained on. Thresholds
// of sigmoid labels are those with the best F1 there.
func Calibrate(logits [][]float32, t Targets, at []int) Calibration {
	c := Uncalibrated(t.Kind, len(t.Labels))
	if t.Kind == model.Softmax {
		temperature := fitTemperature(logits, t, at)
		for k := range c.Scale {
			c.Scale[k] = 1 / temperature
		}
		return c
	}
	grid := metric.Grid(0.05, 0.95, 91)
	for k := range t.Labels {
		x, yes, positive := make([]float64, len(at)), make([]bool, len(at)), 0
		for j, i := range at {
			x[j], yes[j] = float64(logits[i][k]), t.Has[i][k]
			if yes[j] {
				positive++
			}
		}
		c.Scale[k], c.Shift[k] = fitPlatt(x, yes, positive)
		if positive < minForThreshold || len(at)-positive < minForThreshold {
			continue
		}
		for j := range x {
			x[j] = logistic(c.Scale[k]*x[j] + c.Shift[k])
		}
		c.Threshold[k] = metric.Threshold(yes, x, grid, thresholdSeed)
	}
	return c
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// fitTemperature finds the temperature with the least cross-entropy by golden section over its logarithm. Every label
// counts as if one more row had it, as in Platt's smoothing: few rows without an error must not make the head sure.
func fitTemperature(logits [][]float32, t Targets, at []int) float64 {
	rest := 1 / float64(len(at)+len(t.Labels))
	loss := func(log float64) float64 {
		by, sum := math.Exp(-log), 0.0
		for _, i := range at {
			top, total := math.Inf(-1), 0.0
			for _, z := range logits[i] {
				top = max(top, float64(z)*by)
			}
			for _, z := range logits[i] {
				total += math.Exp(float64(z)*by - top)
			}
			sum += math.Log(total) + top
			for k, z := range logits[i] {
				share := rest
				if k == t.Class[i] {
					share *= float64(len(at) + 1)
				}
				sum -= share * float64(z) * by
			}
		}
		return sum
	}
	const golden = 0.6180339887498949
	low, high := math.Log(0.05), math.Log(20.0)
	a, b := high-golden*(high-low), low+golden*(high-low)
	fa, fb := loss(a), loss(b)
	for high-low > 1e-6 {
		if fa <= fb {
			high, b, fb = b, a, fa
			a = high - golden*(high-low)
			fa = loss(a)
		} else {
			low, a, fa = a, b, fb
			b = low + golden*(high-low)
			fb = loss(b)
		}
	}
	return math.Exp((low + high) / 2)
}

// fitPlatt fits p = 1/(1+exp(-(scale x + shift))) by Newton's method with step halving. A curve that would fall with the
// logit (a label that was not learned) is made flat.
func fitPlatt(x []float64, yes []bool, positive int) (scale, shift float64) {
	high := (float64(positive) + 1) / (float64(positive) + 2)
	low := 1 / (float64(len(x)-positive) + 2)
	target := func(i int) float64 {
		if yes[i] {
			return high
		}
		return low
	}
	loss := func(a, b float64) float64 {
		sum := 1e-6 * a * a // keeps the curve finite where the rows are parted without error
		for i := range x {
			z := a*x[i] + b
			sum += max(z, 0) - z*target(i) + math.Log1p(math.Exp(-math.Abs(z)))
		}
		return sum
	}
	scale, shift = 1, 0
	best := loss(scale, shift)
	for range 100 {
		ga, gb, haa, hab, hbb := 2e-6*scale, 0.0, 1e-6, 0.0, 1e-9
		for i := range x {
			p := logistic(scale*x[i] + shift)
			d, w := p-target(i), p*(1-p)
			ga += d * x[i]
			gb += d
			haa += w * x[i] * x[i]
			hab += w * x[i]
			hbb += w
		}
		det := haa*hbb - hab*hab
		if det < 1e-18 {
			break
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		step, better := 1.0, false
		for ; step > 1e-8 && !better; step /= 2 {
			if next := loss(scale-step*da, shift-step*db); next < best-1e-12 {
				scale, shift, best, better = scale-step*da, shift-step*db, next, true
			}
		}
		if !better {
			break
		}
	}
	if scale <= 0 {
		prior := (float64(positive)*high + float64(len(x)-positive)*low) / float64(len(x))
		return 0, math.Log(prior / (1 - prior))
	}
	return scale, shift
}

// Probabilities are the calibrated values of one text in label order, rounded to six decimals.
func (c Calibration) Probabilities(kind model.Kind, logits []float32) []float64 {
	out := make([]float64, len(logits))
	top := math.Inf(-1)
	for k, z := range logits {
		out[k] = c.Scale[k]*float64(z) + c.Shift[k]
		top = max(top, out[k])
	}
	sum := 0.0
	for k, z := range out {
		if kind == model.Sigmoid {
			out[k] = logistic(z)
			continue
		}
		out[k] = math.Exp(z - top)
		sum += out[k]
	}
	for k := range out {
		if kind == model.Softmax {
			out[k] /= sum
		}
		out[k] = math.Round(out[k]*1e6) / 1e6
	}
	return out
}

// Holds says which labels hold: the likeliest one of a softmax head, those at or over their threshold of a sigmoid head.
func (c Calibration) Holds(kind model.Kind, probabilities []float64) []bool {
	out := make([]bool, len(probabilities))
	if kind == model.Softmax {
		out[metric.Argmax(probabilities)] = true
		return out
	}
	for k, p := range probabilities {
		out[k] = p >= c.Threshold[k]
	}
	return out
}

// check holds the shapes and values. The error wraps ErrManifest.
func (c Calibration) check(kind model.Kind, labels int) error {
	thresholds := 0
	if kind == model.Sigmoid {
		thresholds = labels
	}
	if len(c.Scale) != labels || len(c.Shift) != labels || len(c.Threshold) != thresholds {
		return fmt.Errorf("%w: calibration of %d scales, %d shifts and %d thresholds for %d labels", ErrManifest,
			len(c.Scale), len(c.Shift), len(c.Threshold), labels)
	}
	for k := range labels {
		if math.IsNaN(c.Scale[k]+c.Shift[k]) || math.IsInf(c.Scale[k]+c.Shift[k], 0) || c.Scale[k] < 0 {
			return fmt.Errorf("%w: calibration of label %d", ErrManifest, k)
		}
		if thresholds > 0 && !(c.Threshold[k] >= 0 && c.Threshold[k] <= 1) {
			return fmt.Errorf("%w: threshold of label %d", ErrManifest, k)
		}
	}
	return nil
}
