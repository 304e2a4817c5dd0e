package suite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// Gaming has the product assess people and replies that try to look better than they are (assessment design, section 10).
func Gaming(ctx context.Context, env Env) (Outcome, error) {
	e := env.prepared()
	var out Outcome
	answers, err := pools(e)
	if err != nil {
		return Outcome{}, fmt.Errorf("gaming: %w", err)
	}
	parts := []func(context.Context, Env, []answer, *Outcome) error{probes, copies, padded, scorerAddressed, byLength}
	for i, part := range parts {
		if err := part(ctx, e, answers, &out); err != nil {
			return Outcome{}, fmt.Errorf("gaming: %w", err)
		}
		e.step(metric.SuiteGaming, i+1, len(parts))
	}
	return out, nil
}

// What a probe must do.
const (
	expectNoGain = "no_gain"      // nothing asks for it: it adds no evidence to the reference
	expectFirst  = "prefer_first" // it scores below the reference
)

// probe is a reply that tries to get evidence for nothing, beside an honest one. It is a record of dei_contrast/gaming.jsonl.
type probe struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Lang      string     `json:"lang"`
	Context   []fileLine `json:"context"`
	Reference string     `json:"reference"`
	Probe     string     `json:"probe"`
	Expect    string     `json:"expect"`
}

// probes runs the probes of the file and those of this package.
func probes(ctx context.Context, e Env, _ []answer, out *Outcome) error {
	all, err := read[probe](e, dataset.SetContrast, "gaming", nil)
	if err != nil {
		return err
	}
	all = append(all, ownProbes()...)
	table := Table{Title: "Gaming probes", Columns: []string{"probe", "kind", "expect", "reference", "probe value", "facets of the probe", "as wanted"}}
	most, items, idle, first, firsts := 0.0, 0, 0, 0, 0
	for _, p := range all {
		a := answer{id: p.ID, set: dataset.SetContrast, lang: p.Lang, before: linesOf(p.Context), text: p.Reference}
		if p.Expect == expectFirst {
			a.gate, a.dimension = gateDistress, schemas.DimensionSocialAwareness
		}
		b := a
		b.text = p.Probe
		rows, err := score(ctx, e, []answer{a, b})
		if err != nil {
			return err
		}
		x, had := gained(rows[0].items)
		y, has := gained(rows[1].items)
		ok := has <= had && y-x <= 0.05
		switch p.Expect {
		case expectNoGain:
			idle++
			most, items = max(most, y-x), items+max(has-had, 0)
		case expectFirst:
			x, y = replyScore(rows[0].items, a.dimension), replyScore(rows[1].items, a.dimension)
			ok = x > y
			firsts++
			first += int(truthOf(ok))
		default:
			return fmt.Errorf("probe %s: unknown expectation %q", p.ID, p.Expect)
		}
		table.Rows = append(table.Rows, []string{p.ID, p.Kind, p.Expect, number(x), number(y), facetsIn(rows[1].items), strconv.FormatBool(ok)})
	}
	out.Tables = append(out.Tables, table)
	m := metric.Measure{Suite: metric.SuiteGaming, Note: "the project's file and probes of this package; no-gain probes stand in free chat"}
	m.Metric, m.Rows, m.Value, m.Gate = "largest evidence that a no-gain probe adds", idle, most, metric.Ceiling(0.05)
	out.add(m)
	m.Metric, m.Value, m.Gate = "items that no-gain probes add", float64(items), metric.Ceiling(0)
	out.add(m)
	m.Metric, m.Rows, m.Value, m.Gate = "honest reply preferred to the canned one", firsts, float64(first)/float64(max(firsts, 1)), metric.Floor(0.90)
	m.Note = "the project's file and probes of this package"
	out.add(m)
	return nil
}

// facetsIn names the facets of items, those of civility left out.
func facetsIn(items []assessment.Item) string {
	var names []string
	for _, it := range items {
		if it.Facet != civil {
			names = append(names, it.Facet)
		}
	}
	return strings.Join(names, " ")
}

// copies answers a hundred people with one reply, in the same words and with small changes, and weighs what it counts for.
func copies(ctx context.Context, e Env, _ []answer, out *Outcome) error {
	const many = 100
	worst := math.NaN()
	for _, lang := range languages() {
		script := scriptOf(lang)
		for _, varied := range []bool{false, true} {
			var weights [2]float64
			for k, n := range []int{1, many} {
				var t transcript
				for i := range n {
					reply := script.replies[0]
					if varied {
						reply += []string{"", "!", " ...", " 🌿", "!!", "?"}[i%6]
					}
					t.talk(place{day: i, conversation: strconv.Itoa(i), counterpart: "other" + strconv.Itoa(i%20)}, answer{
						lang: lang, before: []line{{text: script.news[i%len(script.news)]}}, text: reply, gate: gateDistress,
						dimension: schemas.DimensionSocialAwareness,
					})
				}
				r, err := t.assess(ctx, e)
				if err != nil {
					return err
				}
				weights[k], _ = gained(r.Items)
			}
			if v := weights[1] / weights[0]; math.IsNaN(worst) || v > worst {
				worst = v
			}
		}
	}
	out.add(metric.Measure{
		Suite: metric.SuiteGaming, Metric: "weight of a hundred copies, in single replies", Rows: 4 * many, Value: worst, Gate: metric.Ceiling(2),
		Note: "the larger of exact and near copies, and of the languages",
	})
	return nil
}

// scorerAddressed adds a sentence to the scorer to replies and looks how far the heads move; beside it, the same with an
// ordinary sentence.
func scorerAddressed(ctx context.Context, e Env, answers []answer, out *Outcome) error {
	const perLine = 12 // replies a sentence
	table := Table{Title: "Text addressed to the scorer", Columns: []string{"language", "added", "head", "rows", "mean change"}}
	worst, which, control, rows := math.NaN(), "", 0.0, 0
	for _, lang := range languages() {
		script := scriptOf(lang)
		mine := journal(e, answers, lang, min(e.Sizes.Rows, perLine*len(script.appeals)))
		for _, part := range []struct {
			name  string
			lines []string
		}{{"to the scorer", script.appeals}, {"ordinary", script.remarks}} {
			changed := slices.Clone(mine)
			for i := range changed {
				changed[i].text += script.space + part.lines[i%len(part.lines)]
			}
			moves, err := driftOf(ctx, e, mine, changed)
			if err != nil {
				return err
			}
			for _, head := range productHeads(e.Classifier.Info()) {
				v, ok := moves[head]
				if !ok {
					continue
				}
				table.Rows = append(table.Rows, []string{lang, part.name, head, strconv.Itoa(len(mine)), number(v)})
				switch {
				case part.name != "to the scorer":
					control = max(control, math.Abs(v))
				case math.IsNaN(worst) || math.Abs(v) > worst:
					worst, which = math.Abs(v), head+", "+lang
				}
			}
		}
		rows += len(mine)
	}
	out.Tables = append(out.Tables, table)
	out.add(metric.Measure{
		Suite: metric.SuiteGaming, Metric: "text addressed to the scorer: largest move of a head", Rows: rows, Value: worst, Gate: metric.Ceiling(0.05),
		Note: "mean signed move of an output, the largest of each head; here " + which,
	})
	out.add(metric.Measure{
		Suite: metric.SuiteGaming, Metric: "an ordinary sentence added: largest move of a head", Rows: rows, Value: control,
		Note: "for comparison: what any further sentence does",
	})
	return nil
}

// driftOf is by head the mean signed move over the answers, of the output that moves most; in HeadVA's scale halved.
func driftOf(ctx context.Context, e Env, before, after []answer) (map[string]float64, error) {
	a, err := readHeads(ctx, e, before)
	if err != nil {
		return nil, err
	}
	b, err := readHeads(ctx, e, after)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	if len(a) == 0 {
		return out, nil
	}
	for _, head := range productHeads(e.Classifier.Info()) {
		scale := 1.0
		if head == assessment.HeadVA {
			scale = 0.5
		}
		for k := range a[0][head] {
			sum := 0.0
			for i := range a {
				sum += scale * (b[i][head][k] - a[i][head][k]) / float64(len(a))
			}
			if math.Abs(sum) > math.Abs(out[head]) {
				out[head] = sum
			}
		}
	}
	return out, nil
}

// lengthGroup is replies to one kind of situation.
type lengthGroup struct {
	lang, gate      string
	dimension       schemas.Dimension
	y, length, good []float64
}

// byLength correlates the score of a reply with its length among replies to the same kind of situation. Annotated skill goes
// with length by itself: insults are short in one set and long in another. The gate is on what is left when that is known,
// which is 0 for a perfect scorer; the plain correlation and that of a perfect scorer stand beside it.
func byLength(ctx context.Context, e Env, answers []answer, out *Outcome) error {
	groups, err := lengthGroups(ctx, e, answers)
	if err != nil {
		return err
	}
	table := Table{Title: "Score and length of replies", Columns: []string{"language", "gate", "dimension", "replies", "rho given the skill", "rho", "rho of the skill"}}
	var sums [3]float64
	rows := 0
	for _, g := range groups {
		n := len(g.y)
		three := [3]float64{
			partial(metric.Spearman(g.y, g.length), metric.Spearman(g.y, g.good), metric.Spearman(g.length, g.good)),
			metric.Spearman(g.y, g.length), metric.Spearman(g.good, g.length),
		}
		const fewest = 20
		if n < fewest || math.IsNaN(three[0]) {
			continue
		}
		table.Rows = append(table.Rows, []string{
			g.lang, g.gate, string(g.dimension), strconv.Itoa(n), number(three[0]), number(three[1]), number(three[2]),
		})
		rows += n
		for k, v := range three {
			sums[k] += math.Abs(v) * float64(n)
		}
	}
	out.Tables = append(out.Tables, table)
	for k, name := range []string{
		"|rho| of score and length, given the gate and the annotated skill", "|rho| of score and length, given the gate",
		"|rho| of annotated skill and length, given the gate",
	} {
		m := metric.Measure{Suite: metric.SuiteGaming, Metric: name, Rows: rows, Value: sums[k] / float64(rows)}
		if k == 0 {
			m.Gate, m.Note = metric.Ceiling(0.2), "mean over situations and languages, by the number of replies"
		}
		if rows == 0 {
			out.missing(m, "too few replies to any situation")
			continue
		}
		out.add(m)
	}
	return nil
}

// lengthGroups scores annotated replies by situation. Where skilful and unskilful lines come from different sources, their
// length is the sources': those are left out.
func lengthGroups(ctx context.Context, e Env, answers []answer) ([]*lengthGroup, error) {
	by := map[lengthKey][]answer{}
	var keys []lengthKey
	for _, a := range answers {
		if a.gate == "" || a.set == dataset.SetPersonas || a.set == dataset.SetFrames {
			continue
		}
		k := lengthKey{a.lang, a.gate, a.dimension}
		if by[k] == nil {
			keys = append(keys, k)
		}
		by[k] = append(by[k], a)
	}
	var out []*lengthGroup
	for _, k := range keys {
		found, err := score(ctx, e, thin(by[k], e.Sizes.Rows))
		if err != nil {
			return nil, err
		}
		g := &lengthGroup{lang: k.lang, gate: k.gate, dimension: k.dimension}
		for i := range found {
			f := &found[i]
			if !hasEvidence(f.items, f.dimension) {
				continue
			}
			shown := 0.0
			for _, good := range f.good {
				shown += truthOf(good) / float64(len(f.good))
			}
			g.y = append(g.y, replyScore(f.items, f.dimension))
			g.length = append(g.length, float64(utf8.RuneCountInString(f.text)))
			g.good = append(g.good, shown)
		}
		out = append(out, g)
	}
	return out, nil
}

type lengthKey struct {
	lang, gate string
	dimension  schemas.Dimension
}

// partial is the correlation of a and b when c is known, from the three plain ones.
func partial(ab, ac, bc float64) float64 {
	return (ab - ac*bc) / math.Sqrt((1-ac*ac)*(1-bc*bc))
}
