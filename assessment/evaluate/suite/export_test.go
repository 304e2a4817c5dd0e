package suite

import (
	"context"
	"math/rand/v2"
	"strconv"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/text"
	"heartmark/schemas"
)

// Doors for the tests.
var (
	Named = named
	Cohen = cohen
)

// Sentence is kind.sentence.
func Sentence(lang, frame, member string) string { return kind{lang: lang}.sentence(frame, member) }

// SmallTalk is one person's share in a talk of that person alone.
func SmallTalk(id, name string, strategies [][]string) float64 {
	d := dataset.Dialogue{ID: id}
	for _, s := range strategies {
		d.Turns = append(d.Turns, dataset.Turn{Speaker: name, Text: "x", Strategies: s})
	}
	return smallTalk([]dataset.Dialogue{d})[id+"\x00"+name]
}

// Perturbation is a perturbation as tests see it.
type Perturbation struct {
	Name   string
	Change func(rng *rand.Rand, lang, s string) string
}

// Perturbations are all of them.
func Perturbations() []Perturbation {
	var out []Perturbation
	for _, p := range perturbations() {
		out = append(out, Perturbation{p.name, p.change})
	}
	return out
}

// Statistics of the suites.
var (
	LabelOf = labelOf
	ShiftOf = shiftOf
	Partial = partial
)

// HeadMoves are by head how far the P of its label moves between two texts in no context, and whether the label flips.
func HeadMoves(ctx context.Context, e Env, before, after string) (move map[string]float64, flipped map[string]bool, err error) {
	e = e.prepared()
	s, err := shiftsOf(ctx, e, []answer{{text: before, lang: text.English}}, []answer{{text: after, lang: text.English}})
	move, flipped = map[string]float64{}, map[string]bool{}
	for _, h := range s.heads {
		move[h.name], flipped[h.name] = h.move, h.flip == 1
	}
	return move, flipped, err
}

// Padded is how many own lines a log of talks gains from a padding, and how many of all own lines are its.
func Padded(name string, talks int) (added int, share float64) {
	s := scriptOf(text.English)
	var log []entry
	for i := range talks {
		said := s.talk[i%len(s.talk)]
		log = append(log, entry{place{}, answer{lang: s.lang, before: []line{{text: said[0]}}, text: said[1]}})
	}
	own := func(log []entry) int {
		n := 0
		for _, x := range log {
			n++
			for _, l := range append(append([]line{}, x.before...), x.after...) {
				n += int(truthOf(l.self))
			}
		}
		return n
	}
	for _, p := range paddings() {
		if p.name == name {
			before := own(log)
			after := own(p.pad(rand.New(rand.NewPCG(1, 2)), s, log))
			if own(log) != before {
				panic("suite: the honest log was changed")
			}
			return after - before, float64(after-before) / float64(after)
		}
	}
	panic("suite: no padding " + name)
}

// SimulateKnown runs the simulated people over made-up rows whose outcomes have the given means.
func SimulateKnown(ctx context.Context, e Env, s1, s0 float64) (Outcome, error) {
	e = e.prepared()
	var rows []scored
	rng := rand.New(rand.NewPCG(3, 4))
	for _, lang := range languages() {
		for _, d := range schemas.Dimensions() {
			for _, f := range facetsOf(d) {
				for i := range 400 {
					mean := s0
					if i%2 == 0 {
						mean = s1
					}
					rows = append(rows, scored{
						answer: answer{id: lang + f + strconv.Itoa(i), lang: lang, good: map[string]bool{f: i%2 == 0}},
						items:  []assessment.Item{{Facet: f, Language: lang, Weight: 1, Outcome: min(max(mean+0.1*rng.NormFloat64(), 0), 1)}},
					})
				}
			}
		}
	}
	return simulate(ctx, e, rows)
}

// TraditionalPairs are the pairs of the table of traditional characters.
func TraditionalPairs() map[rune]rune { return pairsOf(simplifiedTraditional) }
