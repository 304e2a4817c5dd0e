package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"heartmark/assessment"
)

// Line is a message of the person who practises, with the turns before it.
type Line struct {
	Text    string `json:"text"`
	Context []Turn `json:"context,omitempty"` // oldest first
}

// Turn is one turn before a line.
type Turn struct {
	Self bool   `json:"self,omitempty"`
	Text string `json:"text"`
}

// Reading is what the wording of one line does, as the model reads it. It is no score of a person.
type Reading struct {
	Signals map[string]float64 `json:"signals"` // probabilities, two decimals
	Hints   []string           `json:"hints"`   // codes of Hints
}

// Hint codes, in the order in which they are given.
const (
	HintHostile  = "sounds_hostile"
	HintIgnores  = "passes_over_distress"
	HintOffTopic = "does_not_answer"
	HintWarm     = "supports"
	HintAsks     = "asks"
	HintNames    = "names_own_feeling"
)

// HintText is a hint in words.
type HintText struct{ EN, ZH string }

// Hints are the hints in words.
func Hints() map[string]HintText {
	return map[string]HintText{
		HintHostile:  {"This may read as an attack. Say what you want instead of what the other is.", "这句话可能被理解为攻击。可以说说你希望怎样，而不是评价对方。"},
		HintIgnores:  {"The other said something that hurts, and the reply passes over it.", "对方说了一件难过的事，而回复没有回应它。"},
		HintOffTopic: {"The reply does not seem to answer what was said.", "回复似乎没有回应对方所说的内容。"},
		HintWarm:     {"This gives the other something: comfort, an offer, thanks or praise.", "这句话给了对方支持：安慰、帮助、感谢或赞赏。"},
		HintAsks:     {"You ask, and so the other can go on.", "你提出了问题，对方可以继续说下去。"},
		HintNames:    {"You name a feeling of your own.", "你说出了自己的感受。"},
	}
}

// clear is the probability from which a signal counts, as with gates.
const clear = 0.6

// Practise reads one line of a subject under their receipt. It waits for its turn; ErrBusy where too many wait. Nothing is kept.
func (s *Service) Practise(ctx context.Context, tenant, receipt string, l Line) (Reading, error) {
	ok, err := s.c.Consent(ctx, tenant, receipt)
	if err != nil {
		return Reading{}, fmt.Errorf("consent: %w", err)
	}
	if !ok {
		return Reading{}, ErrConsent
	}
	in, err := s.input(l.Text)
	if err != nil {
		return Reading{}, err
	}
	if len(l.Context) > maxContext {
		return Reading{}, field("/context", fmt.Sprintf("at most %d turns", maxContext))
	}
	last := ""
	for i, t := range l.Context {
		if utf8.RuneCountInString(t.Text) > maxText || !utf8.ValidString(t.Text) {
			return Reading{}, field(fmt.Sprintf("/context/%d/text", i), fmt.Sprintf("at most %d characters", maxText))
		}
		text := s.c.Scrub(t.Text)
		in.Context = append(in.Context, assessment.Turn{Self: t.Self, Text: text})
		if !t.Self {
			last = text
		}
	}
	alone := in
	alone.Context = nil
	wanted := []assessment.ClassifierInput{alone, in}
	if other, err := s.input(last); err == nil {
		wanted = append(wanted, other)
	}
	scores, err := s.scored(ctx, wanted)
	if err != nil {
		return Reading{}, err
	}
	return s.reading(scores, len(in.Context) > 0), nil
}

// scored has to three inputs scored and waits for them.
func (s *Service) scored(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	type answer struct {
		at     int
		scores assessment.Scores
		err    error
	}
	answers := make(chan answer, len(in))
	for i := range in {
		if !s.offer(&job{ctx: ctx, input: in[i], done: func(scores assessment.Scores, err error) { answers <- answer{i, scores, err} }}) {
			return nil, ErrBusy
		}
	}
	out := make([]assessment.Scores, len(in))
	for range in {
		select {
		case a := <-answers:
			if a.err != nil {
				return nil, errors.Join(assessment.ErrClassifier, a.err)
			}
			out[a.at] = a.scores
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// reading turns scores of the line alone, of the pair, and of the other's last turn into signals and hints.
func (s *Service) reading(scores []assessment.Scores, answers bool) Reading {
	alone, pair := scores[0], scores[1]
	act := func(label string) float64 { return s.probability(pair, assessment.HeadAct, label) }
	r := Reading{Signals: map[string]float64{}, Hints: []string{}}
	set := func(name string, p float64, hint string, when bool) {
		if math.IsNaN(p) || math.IsInf(p, 0) {
			return
		}
		r.Signals[name] = math.Round(100*p) / 100
		if p >= clear && when && hint != "" {
			r.Hints = append(r.Hints, hint)
		}
	}
	distress := 0.0
	if len(scores) > 2 {
		distress = s.probability(scores[2], assessment.HeadDistress, "")
		set("other_distress", distress, "", false)
	}
	set("hostile", s.hostile(alone), HintHostile, true)
	if answers {
		set("passes_over", s.probability(pair, assessment.HeadCtxIgnore, ""), HintIgnores, distress >= clear)
		set("off_topic", 1-s.probability(pair, assessment.HeadRelevance, ""), HintOffTopic, true)
	}
	set("supports", min(1, act("comfort")+act("offer_or_coordinate")+act("thanks")+act("praise")), HintWarm, true)
	set("asks", act("question"), HintAsks, true)
	set("names_own_feeling", s.probability(alone, assessment.HeadSelfNaming, ""), HintNames, true)
	return r
}
