package suite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

const (
	peopleALanguage = 4  // whose scores are compared
	logALanguage    = 80 // replies of each: what a certificate needs
)

// Robustness writes the same replies in another way and compares heads, labels and person scores (assessment design,
// section 10). Only the scored person's own words change; what others say stays.
func Robustness(ctx context.Context, env Env) (Outcome, error) {
	e := env.prepared()
	var out Outcome
	answers, err := pools(e)
	if err != nil {
		return Outcome{}, fmt.Errorf("robustness: %w", err)
	}
	out.note("Robustness: the P that is compared is the one of the label that the head gives the unchanged text; of a value head the values, on a scale of 0 to 1. Labels: the largest of labels that exclude each other, otherwise the largest if it reaches 0.5. Heads read a reply alone or in its context as the product does.")
	out.note("Robustness: person scores are those that the product reports for %d people a language with %d annotated replies each, every one of which is changed.", peopleALanguage, logALanguage)
	table := Table{Title: "Robustness by head", Columns: []string{"change", "language", "head", "rows", "mean change of P", "labels flipped"}}
	all := perturbations()
	for i, p := range all {
		if err := p.heads(ctx, e, answers, &out, &table); err != nil {
			return Outcome{}, fmt.Errorf("robustness: %s: %w", p.name, err)
		}
		if err := p.scores(ctx, e, answers, &out); err != nil {
			return Outcome{}, fmt.Errorf("robustness: %s: %w", p.name, err)
		}
		e.step(metric.SuiteRobustness, i+1, len(all))
	}
	out.Tables = append(out.Tables, table)
	return out, nil
}

// heads compares the heads on every reply that the change reaches.
func (p perturbation) heads(ctx context.Context, e Env, answers []answer, out *Outcome, table *Table) error {
	var moves, flips []float64
	var parts []metric.Measure
	for _, lang := range languages() {
		rows := journal(e, answers, lang, e.Sizes.Rows)
		if p.needsEmoji {
			var err error
			if rows, err = withEmoji(e, lang); err != nil {
				return err
			}
		}
		before, after := p.apply(e, lang, rows)
		if len(before) == 0 {
			continue
		}
		s, err := shiftsOf(ctx, e, before, after)
		if err != nil {
			return err
		}
		for _, h := range s.heads {
			table.Rows = append(table.Rows, []string{p.name, lang, h.name, strconv.Itoa(len(before)), number(h.move), number(h.flip)})
		}
		m := metric.Measure{Suite: metric.SuiteRobustness, Lang: lang, Rows: len(before)}
		m.Metric, m.Value = p.name+": mean change of P", metric.Mean(s.moves)
		parts = append(parts, m)
		m.Metric, m.Value = p.name+": labels flipped", metric.Mean(s.flips)
		parts = append(parts, m)
		moves, flips = append(moves, s.moves...), append(flips, s.flips...)
	}
	m := metric.Measure{Suite: metric.SuiteRobustness, Rows: len(moves)}
	m.Metric, m.Value, m.Gate, m.Interval = p.name+": mean change of P", metric.Mean(moves), metric.Ceiling(p.moved), meanInterval(moves, e.Seed)
	out.add(m)
	m.Metric, m.Value, m.Gate, m.Interval = p.name+": labels flipped", metric.Mean(flips), metric.Ceiling(p.flips), meanInterval(flips, e.Seed)
	out.add(m)
	for _, part := range parts {
		out.add(part)
	}
	return nil
}

// apply rewrites answers and returns those that changed, before and after.
func (p perturbation) apply(e Env, lang string, answers []answer) (before, after []answer) {
	for _, a := range answers {
		if b := p.rewrite(e, lang, a); b.text != a.text {
			before, after = append(before, a), append(after, b)
		}
	}
	return before, after
}

// rewrite changes one answer, always in the same way.
func (p perturbation) rewrite(e Env, lang string, a answer) answer {
	a.text = p.change(e.random(p.name+"\x00"+a.text), lang, a.text)
	return a
}

// withEmoji are test messages of any set that have emoji to take away; the pools of replies hardly have any.
func withEmoji(e Env, lang string) ([]answer, error) {
	has := func(s string) bool { return removeEmoji(nil, lang, s) != s }
	var out []answer
	for _, set := range []string{dataset.SetGoemotions, dataset.SetXED, dataset.SetCOLD} {
		rows, err := read(e, set, dataset.Test, func(m dataset.Message[struct{}]) bool { return strings.HasPrefix(m.Lang, lang) && has(m.Text) })
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, answer{id: r.ID, set: set, lang: lang, before: contextOf(r.Context), text: r.Text})
		}
	}
	if lang == "en" {
		talks, err := read[dataset.Dialogue](e, dataset.SetCasino, dataset.Test, nil)
		if err != nil {
			return nil, err
		}
		for _, d := range talks {
			for i, t := range d.Turns {
				if t.Deal == nil && has(t.Text) {
					out = append(out, answer{id: d.ID + "#" + strconv.Itoa(i), set: dataset.SetCasino, lang: lang, before: speakers(d.Turns, i), text: t.Text})
				}
			}
		}
	}
	return thin(out, e.Sizes.Rows), nil
}

// journal draws different replies of a language, the dimensions in turn and in each the skilful and the unskilful in turn.
// Every second stands in free chat, where the product's gates decide.
func journal(e Env, answers []answer, lang string, size int) []answer {
	type kind struct {
		dimension schemas.Dimension
		good      bool
	}
	by, met := map[kind][]answer{}, map[string]bool{}
	for _, a := range answers {
		if a.lang != lang || a.gate == "" || met[a.text] {
			continue
		}
		met[a.text] = true
		good := true
		for _, v := range a.good {
			good = good && v
		}
		k := kind{a.dimension, good}
		by[k] = append(by[k], a)
	}
	rng := e.random("journal " + lang)
	var order []kind
	for _, d := range schemas.Dimensions() {
		for _, good := range []bool{true, false} {
			k := kind{d, good}
			rng.Shuffle(len(by[k]), func(i, j int) { by[k][i], by[k][j] = by[k][j], by[k][i] })
			order = append(order, k)
		}
	}
	var out []answer
	for round := 0; len(out) < size; round++ {
		taken := len(out)
		for _, k := range order {
			if round < len(by[k]) && len(out) < size {
				a := by[k][round]
				if round%2 == 1 {
					a = a.free()
				}
				out = append(out, a)
			}
		}
		if len(out) == taken {
			break
		}
	}
	return out
}

// keep writes the answers down as one person's log: every answer a talk of its own, over 20 days and 8 people.
func keep(t *transcript, answers []answer) {
	for i, a := range answers {
		t.talk(place{day: i % 20, conversation: "talk" + strconv.Itoa(i), counterpart: "other" + strconv.Itoa(i%8)}, a)
	}
}

// scores compares the scores of whole people, as the product reports them.
func (p perturbation) scores(ctx context.Context, e Env, answers []answer, out *Outcome) error {
	if p.needsEmoji {
		return nil // the same as adding them: the pools hardly have emoji
	}
	worst, largest, rows := math.NaN(), 0.0, 0
	for _, lang := range languages() {
		people := drawLogs(e, answers, lang)
		changed := make([][]answer, len(people))
		reached := false
		for i, log := range people {
			for _, a := range log {
				b := p.rewrite(e, lang, a)
				reached = reached || a.text != b.text
				changed[i] = append(changed[i], b)
			}
		}
		if !reached {
			continue
		}
		before, err := scoresOfLogs(ctx, e, people)
		if err != nil {
			return err
		}
		after, err := scoresOfLogs(ctx, e, changed)
		if err != nil {
			return err
		}
		moves := movesOf(before, after)
		for _, d := range dimensionsOf(moves) {
			for i, v := range moves[d] {
				moves[d][i] = math.Abs(v)
			}
			rows += len(moves[d])
			largest = max(largest, slices.Max(moves[d]))
			if mean := metric.Mean(moves[d]); math.IsNaN(worst) || mean > worst {
				worst = mean
			}
		}
	}
	m := metric.Measure{Suite: metric.SuiteRobustness, Rows: rows}
	m.Metric, m.Value, m.Gate = p.name+": move of person scores, points", worst, metric.Ceiling(2)
	m.Note = "mean over people, of the dimension and language that moves most"
	if rows == 0 {
		out.missing(m, "the product scores no dimension of these people")
		return nil
	}
	out.add(m)
	m.Metric, m.Value, m.Gate, m.Note = p.name+": largest move of one person's score, points", largest, nil, ""
	out.add(m)
	return nil
}

// drawLogs gives people each a part of the replies that the heads are compared on.
func drawLogs(e Env, answers []answer, lang string) [][]answer {
	all := journal(e, answers, lang, e.Sizes.Rows)
	out := make([][]answer, peopleALanguage)
	for i := range out {
		log := slices.Clone(all)
		e.random("log "+lang+strconv.Itoa(i)).Shuffle(len(log), func(a, b int) { log[a], log[b] = log[b], log[a] })
		out[i] = log[:min(len(log), logALanguage)]
	}
	return out
}

// scoresOfLogs are the scores of the people with these logs, as the product reports them.
func scoresOfLogs(ctx context.Context, e Env, logs [][]answer) ([]map[schemas.Dimension]float64, error) {
	out := make([]map[schemas.Dimension]float64, len(logs))
	err := reports(ctx, e, len(logs), func(i int, t *transcript) { keep(t, logs[i]) }, out)
	return out, err
}

// movesOf are the differences of the scores that stand in both.
func movesOf(before, after []map[schemas.Dimension]float64) map[schemas.Dimension][]float64 {
	out := map[schemas.Dimension][]float64{}
	for i := range before {
		for d, was := range before[i] {
			if is, ok := after[i][d]; ok {
				out[d] = append(out[d], is-was)
			}
		}
	}
	return out
}

// input is the pair form of an answer.
func (a answer) input() assessment.ClassifierInput {
	in := assessment.ClassifierInput{Text: a.text, Lang: a.lang}
	for _, l := range a.before {
		in.Context = append(in.Context, assessment.Turn{Self: l.self, Text: l.text})
	}
	return in
}
