package suite

import (
	"context"
	"math"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/metric"
)

// shifts are what happens to the heads when texts are written in another way.
type shifts struct {
	heads        []headShift
	moves, flips []float64 // by row, means over heads
}

// headShift is one head's part, means over the rows.
type headShift struct {
	name       string
	move, flip float64
	labelled   bool // false: the head has values, not labels
}

// readAlone reports whether the product reads a head from the message alone; the others see its context.
func readAlone(info assessment.ModelInfo, head string) bool {
	switch head {
	case assessment.HeadEmotion, assessment.HeadVA, assessment.HeadPoliteness, assessment.HeadSelfNaming, assessment.HeadDistress,
		assessment.HeadRealization:
		return true
	case assessment.HeadHostility:
		return !info.HostilityReadsContext
	default:
		return false
	}
}

// productHeads are the heads that the product reads and the model has.
func productHeads(info assessment.ModelInfo) []string {
	return slices.DeleteFunc(assessment.Heads(), func(h string) bool { _, has := info.Labels[h]; return !has })
}

// readHeads gives the product's heads of each answer, every head in the form in which the product reads it.
func readHeads(ctx context.Context, e Env, answers []answer) ([]assessment.Scores, error) {
	in := make([]assessment.ClassifierInput, 0, 2*len(answers))
	for _, a := range answers {
		in = append(in, assessment.ClassifierInput{Text: a.text, Lang: a.lang}, a.input())
	}
	scores, err := classify(ctx, e.Classifier, in)
	if err != nil {
		return nil, err
	}
	info := e.Classifier.Info()
	out := make([]assessment.Scores, len(answers))
	for i := range answers {
		out[i] = assessment.Scores{}
		for _, h := range productHeads(info) {
			if readAlone(info, h) {
				out[i][h] = scores[2*i][h]
			} else {
				out[i][h] = scores[2*i+1][h]
			}
		}
	}
	return out, nil
}

// shiftsOf compares the heads on the same answers written in two ways.
func shiftsOf(ctx context.Context, e Env, before, after []answer) (shifts, error) {
	a, err := readHeads(ctx, e, before)
	if err != nil {
		return shifts{}, err
	}
	b, err := readHeads(ctx, e, after)
	if err != nil {
		return shifts{}, err
	}
	s := shifts{moves: make([]float64, len(a)), flips: make([]float64, len(a))}
	labelled := 0
	heads := productHeads(e.Classifier.Info())
	for _, h := range heads {
		one := headShift{name: h, labelled: h != assessment.HeadVA}
		if one.labelled {
			labelled++
		}
		for i := range a {
			move, flipped := shiftOf(h, a[i][h], b[i][h])
			one.move += move / float64(len(a))
			one.flip += truthOf(flipped) / float64(len(a))
			s.moves[i] += move / float64(len(heads))
			s.flips[i] += truthOf(flipped)
		}
		s.heads = append(s.heads, one)
	}
	for i := range s.flips {
		s.flips[i] /= float64(max(labelled, 1))
	}
	return s, nil
}

// shiftOf is how far the P of the label of a moved, and whether b has another label. The values of HeadVA, which lie in
// [-1, 1], count half and have no label.
func shiftOf(head string, a, b []float64) (move float64, flipped bool) {
	if len(a) == 0 || len(a) != len(b) {
		return math.NaN(), false
	}
	if head == assessment.HeadVA {
		for k := range a {
			move += math.Abs(a[k]-b[k]) / 2 / float64(len(a))
		}
		return move, false
	}
	k := metric.Argmax(a)
	return math.Abs(a[k] - b[k]), labelOf(head, a) != labelOf(head, b)
}

// labelOf is the place of the label that a head gives; -1 where labels do not exclude each other and none reaches a half.
func labelOf(head string, p []float64) int {
	k := metric.Argmax(p)
	if (head == assessment.HeadEmotion || len(p) == 1) && p[k] < 0.5 {
		return -1
	}
	return k
}

// meanInterval is the 90 % bootstrap interval of a mean; nil of fewer than two values.
func meanInterval(values []float64, seed uint64) *[2]float64 {
	if len(values) < 2 {
		return nil
	}
	interval := metric.Bootstrap(len(values), metric.Resamples, seed, func(at []int) float64 { return metric.Mean(metric.Take(values, at)) })
	return &interval
}
