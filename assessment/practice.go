package assessment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"heartmark/assessment/evidence"
	"heartmark/assessment/text"
)

// Exchange is a line of somebody else's in a practice scenario, and a person's answer to it.
type Exchange struct {
	Facet   string // that the scenario is for, SA1 … SK5
	Message string
	Answer  string
	Lang    string // of the message, "en" or "zh"
}

// Seen says how clearly an answer shows a side of a skill.
type Seen string

// How clearly. Between the two bounds the classifier does not tell, and the person is told so.
const (
	SeenShown  Seen = "shown"
	SeenPartly Seen = "partly"
	SeenMissed Seen = "missed"

	seenFrom    = 0.6
	missedUntil = 0.25
)

// PractiseStatus says whether an answer could be read.
type PractiseStatus string

// The statuses. Only PractiseRead comes with observations.
const (
	PractiseRead     PractiseStatus = "read"
	PractiseShort    PractiseStatus = "short"    // too little to say anything
	PractiseLanguage PractiseStatus = "language" // neither English nor Chinese
	PractiseBeside   PractiseStatus = "beside"   // it does not answer the message
	PractiseCare     PractiseStatus = "care"     // it speaks of harm to oneself or others: help comes before feedback
	PractiseUnknown  PractiseStatus = "unknown"  // the model cannot judge these sides
)

// Observation is one side of a skill in one answer.
type Observation struct {
	Facet string
	Seen  Seen
}

// Practised is what one answer shows. It is feedback on a text, never a score of a person: it has no number, and nothing
// of it is kept.
type Practised struct {
	Status PractiseStatus
	// Observations are the sides that could be judged, that of the scenario's own facet first.
	Observations []Observation
	// Own tells that the scenario's own facet, or the one that stands for it, is among them.
	Own bool
}

// Bounds of an answer, in characters.
const (
	MaxAnswer = 2000
	minAnswer = 8 // letters; an ideograph counts twice
)

// practiceSides are the facets that one answer can show in a scenario for a facet, its own first. SA3, SM4 and SK4 follow
// from several messages elsewhere; in a scenario the situation stands for the earlier ones, and the sides that a single
// answer can show stand for them.
func practiceSides(f facet) []facet {
	switch f {
	case sa1, sa3:
		return []facet{sa1, sa2}
	case sa2:
		return []facet{sa2, sa1}
	case sm1, sm4:
		return []facet{sm1, sm2}
	case sm2:
		return []facet{sm2, sm1}
	case sm3:
		return []facet{sm3, sm1}
	case so1:
		return []facet{so1, so2}
	case so2:
		return []facet{so2, so1, so3}
	case so3:
		return []facet{so3, so2}
	case sk1:
		return []facet{sk1, so3}
	case sk2:
		return []facet{sk2, sm1}
	case sk3:
		return []facet{sk3, sm1}
	case sk4:
		return []facet{so2, so3}
	case sk5:
		return []facet{sk5, so3}
	default:
		return nil
	}
}

// Practise reads one answer with the classifier, by the same gates' outcomes and error rates as an assessment does. It
// returns an error that wraps ErrClassifier where the classifier fails, and panics for a facet that does not exist.
func Practise(ctx context.Context, c Classifier, x Exchange) (Practised, error) {
	table := facetTable()
	own := slices.IndexFunc(table[:], func(f facetInfo) bool { return f.code == x.Facet })
	if own < 0 {
		panic("assessment: practice of unknown facet " + x.Facet)
	}
	lang, _ := text.Language(x.Answer)
	switch {
	case evidence.NeedsCare(x.Answer):
		return Practised{Status: PractiseCare}, nil
	case letters(x.Answer) < minAnswer || utf8.RuneCountInString(x.Answer) > MaxAnswer:
		return Practised{Status: PractiseShort}, nil
	case lang != "en" && lang != "zh":
		return Practised{Status: PractiseLanguage}, nil
	}
	r, err := readExchange(ctx, c, x, lang)
	if err != nil {
		return Practised{}, err
	}
	if r.besides(&r.turns[1]) {
		return Practised{Status: PractiseBeside}, nil
	}
	out := Practised{Status: PractiseRead}
	for n, f := range practiceSides(facet(own)) {
		if seen, ok := r.seen(f, table[f], lang); ok {
			out.Own = out.Own || n == 0
			out.Observations = append(out.Observations, Observation{Facet: table[f].code, Seen: seen})
		}
	}
	if len(out.Observations) == 0 {
		out.Status = PractiseUnknown
	}
	return out, nil
}

// readExchange makes the two turns of an exchange and classifies them.
func readExchange(ctx context.Context, c Classifier, x Exchange, lang string) (*run, error) {
	info := c.Info()
	r := &run{a: &Assessor{cfg: Config{Classifier: c}, facets: facetTable()}, info: info, heads: newHeadSet(info)}
	r.turns = []turn{
		{actor: "other", text: x.Message, said: x.Message, lang: x.Lang},
		{actor: "self", self: true, text: x.Answer, said: x.Answer, lang: lang, context: []int{0}},
	}
	answer := &r.turns[1]
	err := r.send(ctx, []request{
		{turn: 0, input: ClassifierInput{Text: x.Message, Lang: x.Lang}},
		{turn: 1, input: ClassifierInput{Text: x.Answer, Lang: lang}},
		{turn: 1, pair: true, input: r.pairInput(answer, x.Answer)},
	})
	if err != nil {
		return nil, fmt.Errorf("practice: %w", err)
	}
	return r, nil
}

// turnedAgainst is from where an answer that goes against the other is not praised for a side: a rhetorical question ("why
// not simply do as I said?") reads as interest to the heads that look for it, and open anger can be free of insults.
const turnedAgainst = 0.5

// turnsAgainst is the probability that an answer rejects, orders about, mocks, insults, is angry, or passes over the other. To
// name one's anger is a skill of its own, and whether the other is passed over matters where a feeling asks for an answer.
func (r *run) turnsAgainst(f facet, t *turn) float64 {
	p, a := &t.pair, &t.alone
	against := max(p.act[actIrony]+p.act[actCommand]+p.act[actDisagree], p.ctxEscalate, p.ctxInsult, hostile(p.hostility))
	if f != sa1 && f != sa2 {
		against = max(against, a.emotion[emAnger]+a.emotion[emDisgust])
	}
	if f == so2 || f == sk1 {
		against = max(against, p.ctxIgnore-ignoredSlack)
	}
	return against
}

// ignoredSlack is subtracted from the probability that the context is passed over: that head calls many a short answer so.
const ignoredSlack = 0.3

// seen puts the outcome of a facet between the means of truly unskilful and truly skilful answers. It is false where the
// model has no such heads, or its error rates lie too close together to tell the two apart.
func (r *run) seen(f facet, info facetInfo, lang string) (Seen, bool) {
	rate, known := r.info.ErrorRates[info.code][lang]
	if !known || rate[0]-rate[1] < minSpread || !r.heads.has(info.heads...) {
		return "", false
	}
	t := &r.turns[1]
	y := r.outcome(f, gateDistress, t, &t.alone, &t.pair, &r.turns[0])
	p := clamp01((y - rate[1]) / math.Max(rate[0]-rate[1], minSpread))
	switch {
	case p >= seenFrom && r.turnsAgainst(f, t) < turnedAgainst:
		return SeenShown, true
	case p <= missedUntil:
		return SeenMissed, true
	}
	return SeenPartly, true
}
