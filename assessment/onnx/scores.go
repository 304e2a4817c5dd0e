//go:build cgo

package onnx

import (
	"context"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/text"
)

// second is the view without disguises of one input: its logits count for the hostility head alone.
type second struct {
	input  int
	logits []float32
}

func (c *Classifier) classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	s := c.newSender(wantHeads, 2*len(in))
	logits := make([]float32, len(in)*c.stride)
	langs := make([]string, len(in))
	var seconds []second
	var spent time.Duration
	for i, input := range in {
		started := s.now()
		if langs[i] = input.Lang; input.Lang == "" {
			langs[i], _ = text.Language(input.Text)
		}
		ids, folded := c.encoder.encode(input)
		spent += s.now().Sub(started)
		r := row{out: logits[i*c.stride : (i+1)*c.stride], ids: ids, lang: languageOf(langs[i])}
		if err := s.add(ctx, r); err != nil {
			return nil, err
		}
		if folded == nil || c.hostility == nil {
			continue
		}
		r.out, r.ids, r.uncounted = make([]float32, c.stride), folded, true
		seconds = append(seconds, second{i, r.out})
		if err := s.add(ctx, r); err != nil {
			return nil, err
		}
	}
	if c.timed {
		c.metrics.tokenise.Observe(spent.Seconds())
	}
	s.flush()
	if err := s.call.wait(ctx); err != nil {
		return nil, err
	}
	return c.scores(langs, logits, seconds), nil
}

// scores calibrates the logits. Of the two views of a text the one that is more likely hostile counts: the lower first
// label ("none").
func (c *Classifier) scores(langs []string, logits []float32, seconds []second) []assessment.Scores {
	out := make([]assessment.Scores, len(langs))
	for i, lang := range langs {
		out[i] = make(assessment.Scores, len(c.heads))
		for _, h := range c.heads {
			out[i][h.Name] = c.cfg.Model.Calibrate(h, lang, logits[:len(h.Labels)])
			logits = logits[len(h.Labels):]
		}
	}
	for _, v := range seconds {
		h := *c.hostility
		values := c.cfg.Model.Calibrate(h, langs[v.input], v.logits[c.hostilityAt:c.hostilityAt+len(h.Labels)])
		if values[0] < out[v.input][h.Name][0] {
			out[v.input][h.Name] = values
		}
	}
	return out
}

func (c *Classifier) vectors(ctx context.Context, in []assessment.ClassifierInput) ([][]float32, error) {
	s := c.newSender(wantVectors, len(in))
	out := make([][]float32, len(in))
	for i, input := range in {
		out[i] = make([]float32, c.width)
		ids, _ := c.encoder.encode(input)
		if err := s.add(ctx, row{out: out[i], ids: ids, uncounted: true}); err != nil {
			return nil, err
		}
	}
	s.flush()
	if err := s.call.wait(ctx); err != nil {
		return nil, err
	}
	return out, nil
}
