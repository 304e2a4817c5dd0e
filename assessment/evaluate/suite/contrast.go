package suite

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// fileLine is a line of the context in the project's own files.
type fileLine struct {
	Speaker string `json:"speaker"`
	Text    string `json:"text"`
}

// contrastPair is a record of dei_contrast/pairs.jsonl: two replies to one context, of which the first shows the dimension
// better.
type contrastPair struct {
	ID        string            `json:"id"`
	Lang      string            `json:"lang"`
	Dimension schemas.Dimension `json:"dimension"`
	Context   []fileLine        `json:"context"`
	Better    string            `json:"better"`
	Worse     string            `json:"worse"`
	Longer    string            `json:"longer"` // which of the two is longer: "better" or "worse"
}

// linesOf are the context as lines; several speakers are told apart.
func linesOf(context []fileLine) []line {
	who := map[string]string{}
	for _, l := range context {
		if who[l.Speaker] == "" {
			who[l.Speaker] = strconv.Itoa(len(who) + 1)
		}
	}
	out := make([]line, 0, len(context))
	for _, l := range context {
		one := line{text: l.Text}
		if len(who) > 1 {
			one.who = who[l.Speaker]
		}
		out = append(out, one)
	}
	return out
}

// gateOf is the situation that a pair is about. It follows from the dimension that the pair was written for; only whether
// somebody shares good or bad news is read from the context, as the product does.
func (p contrastPair) gateOf(ctx context.Context, e Env) (string, error) {
	switch {
	case p.Dimension == schemas.DimensionSelfAwareness:
		return gateAsked, nil
	case p.Dimension == schemas.DimensionSelfManagement:
		return gateProvoked, nil
	case p.Dimension == schemas.DimensionSocialSkills && len(p.Context) > 1:
		return gateConflict, nil
	}
	scores, err := classify(ctx, e.Classifier, []assessment.ClassifierInput{{Text: p.Context[len(p.Context)-1].Text, Lang: p.Lang}})
	if err != nil {
		return "", err
	}
	joy := slices.Index(e.Classifier.Info().Labels[assessment.HeadEmotion], "joy")
	emotion, distress := scores[0][assessment.HeadEmotion], scores[0][assessment.HeadDistress]
	if joy >= 0 && joy < len(emotion) && len(distress) > 0 && emotion[joy] > distress[0] {
		return gateJoy, nil
	}
	return gateDistress, nil
}

// answers are the better and the worse reply to the same context, in a scene with the gate; "" is free chat.
func (p contrastPair) answers(gate string) [2]answer {
	a := answer{
		id: p.ID + "/better", set: dataset.SetContrast, lang: p.Lang, before: linesOf(p.Context), text: p.Better,
		gate: gate, dimension: p.Dimension,
	}
	b := a
	b.id, b.text = p.ID+"/worse", p.Worse
	return [2]answer{a, b}
}

// Contrast scores two replies to the same words and counts how often the better one comes out higher on the dimension that
// it was written for (assessment design, section 10). The situation is given, as in an assessment scene: the replies are
// what is compared. Free chat, where the product's gates have to see the situation first, is reported beside it.
func Contrast(ctx context.Context, env Env) (Outcome, error) {
	e := env.prepared()
	var out Outcome
	pairs, err := read[contrastPair](e, dataset.SetContrast, "pairs", func(p contrastPair) bool { return len(p.Context) > 0 })
	if err != nil {
		return Outcome{}, fmt.Errorf("contrast: %w", err)
	}
	out.note("Contrast: the score of a reply is the sum of the shares of the dimension's facets times their outcomes; a facet that the reply gives no item for stands at one half. Equal scores count as a miss.")
	for _, free := range []bool{false, true} {
		compared, err := comparePairs(ctx, e, pairs, free)
		if err != nil {
			return Outcome{}, fmt.Errorf("contrast: %w", err)
		}
		if free {
			out.freeContrast(compared)
		} else {
			out.contrast(compared, e.Seed)
		}
	}
	e.step(metric.SuiteContrast, len(pairs), len(pairs))
	return out, nil
}

// comparison is a pair with the scores of both replies.
type comparison struct {
	contrastPair
	better, worse float64
	seen          bool // either reply gave an item of the dimension
}

func (c comparison) right() bool { return c.better > c.worse }

func comparePairs(ctx context.Context, e Env, pairs []contrastPair, free bool) ([]comparison, error) {
	answers := make([]answer, 0, 2*len(pairs))
	for _, p := range pairs {
		gate := ""
		if !free {
			var err error
			if gate, err = p.gateOf(ctx, e); err != nil {
				return nil, err
			}
		}
		two := p.answers(gate)
		answers = append(answers, two[:]...)
	}
	rows, err := score(ctx, e, answers)
	if err != nil {
		return nil, err
	}
	out := make([]comparison, len(pairs))
	for i, p := range pairs {
		b, w := rows[2*i].items, rows[2*i+1].items
		out[i] = comparison{contrastPair: p, better: replyScore(b, p.Dimension), worse: replyScore(w, p.Dimension)}
		out[i].seen = hasEvidence(b, p.Dimension) || hasEvidence(w, p.Dimension)
	}
	return out, nil
}

// contrast adds the gated measures and the list of missed pairs.
func (o *Outcome) contrast(all []comparison, seed uint64) {
	share := func(name string, gate *metric.Gate, keep func(comparison) bool) metric.Measure {
		var right []float64
		for _, c := range all {
			if keep(c) {
				right = append(right, truthOf(c.right()))
			}
		}
		return metric.Measure{
			Suite: metric.SuiteContrast, Set: dataset.SetContrast, Metric: name, Gate: gate, Rows: len(right), Value: metric.Mean(right),
			Interval: meanInterval(right, seed),
		}
	}
	const name = "better reply scores higher"
	o.add(share(name, metric.Floor(0.85), func(comparison) bool { return true }))
	o.add(share(name+" where the worse is longer", metric.Floor(0.80), func(c comparison) bool { return c.Longer == "worse" }))
	for _, lang := range languages() {
		m := share(name, metric.Floor(0.75), func(c comparison) bool { return c.Lang == lang })
		m.Lang = lang
		o.add(m)
	}
	for _, d := range schemas.Dimensions() {
		m := share(name, nil, func(c comparison) bool { return c.Dimension == d })
		m.Head = string(d)
		o.add(m)
	}
	missed := Table{Title: "Contrast pairs that are missed", Columns: []string{"pair", "language", "dimension", "longer", "better", "worse"}}
	for _, c := range all {
		if !c.right() {
			missed.Rows = append(missed.Rows, []string{c.ID, c.Lang, string(c.Dimension), c.Longer, number(c.better), number(c.worse)})
		}
	}
	o.Tables = append(o.Tables, missed)
}

// freeContrast adds what free chat says, for information.
func (o *Outcome) freeContrast(all []comparison) {
	var seen, right []float64
	for _, c := range all {
		seen = append(seen, truthOf(c.seen))
		if c.seen {
			right = append(right, truthOf(c.right()))
		}
	}
	m := metric.Measure{Suite: metric.SuiteContrast, Set: dataset.SetContrast}
	m.Metric, m.Rows, m.Value = "free chat: the situation is seen", len(seen), metric.Mean(seen)
	o.add(m)
	m.Metric, m.Rows, m.Value = "free chat: better reply scores higher where the situation is seen", len(right), metric.Mean(right)
	o.add(m)
}

// hasEvidence reports whether there is an item of the dimension other than civility.
func hasEvidence(items []assessment.Item, d schemas.Dimension) bool {
	return slices.ContainsFunc(items, func(it assessment.Item) bool {
		return it.Facet != civil && slices.Contains(facetsOf(d), it.Facet)
	})
}

func truthOf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
