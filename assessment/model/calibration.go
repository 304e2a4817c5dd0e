package model

import "math"

// anyLanguage is the calibration of texts whose language has none of its own.
const anyLanguage = "*"

// curve turns logits into values, label by label: scale times logit plus shift, then the function of the head's kind.
// For softmax heads all scales are one (1 / temperature).
type curve struct {
	Scale []float64 `json:"scale"`
	Shift []float64 `json:"shift"`
}

// Calibrate turns the logits of one text into calibrated values in label order: probabilities for sigmoid and softmax
// heads, numbers in [-1, 1] for value heads. lang is the language of the text ("en", "zh"). Values are rounded to six
// decimals, so that reports do not depend on the last bits of a processor's exponential.
func (m *Manifest) Calibrate(h Head, lang string, logits []float32) []float64 {
	c, ok := m.calibration[h.Name][lang]
	if !ok {
		c = m.calibration[h.Name][anyLanguage]
	}
	out := make([]float64, len(logits))
	switch h.Kind {
	case Value:
		for i, z := range logits {
			out[i] = max(-1, min(1, c.Scale[i]*math.Tanh(float64(z))+c.Shift[i]))
		}
	case Sigmoid:
		for i, z := range logits {
			out[i] = 1 / (1 + math.Exp(-(c.Scale[i]*float64(z) + c.Shift[i])))
		}
	default:
		softmax(out, logits, c)
	}
	for i, v := range out {
		out[i] = math.Round(v*1e6) / 1e6
	}
	return out
}

func softmax(out []float64, logits []float32, c curve) {
	top := math.Inf(-1)
	for i, z := range logits {
		out[i] = c.Scale[i]*float64(z) + c.Shift[i]
		top = max(top, out[i])
	}
	sum := 0.0
	for i, z := range out {
		out[i] = math.Exp(z - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
}
