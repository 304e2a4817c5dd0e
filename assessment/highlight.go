package assessment

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"heartmark/schemas"
)

// Bounds of the word highlights: at most this many quotes a dimension, words a quote, and marks a quote.
const (
	highlightQuotes = 3
	highlightUnits  = 16
	highlightMarks  = 3
	minEffect       = 0.02
)

// probe is one quote with one unit left out.
type probe struct {
	dimension, evidence int
	unit                [2]int // code points of the quote
}

// highlight weighs the words of the strongest quotes by leaving each out once and asking the classifier again.
func (r *run) highlight(ctx context.Context, out *Report) error {
	var probes []probe
	var alone, pair []request
	for d, name := range schemas.Dimensions() {
		for e := range min(highlightQuotes, len(out.Dimensions[name].Evidence)) {
			it := &r.shown[d][e]
			if it.facet == sa2 || it.facet == sm4 || it.facet == sk4 {
				continue // these rest on a phrase or on what came after, not on single words
			}
			t := &r.turns[it.turn]
			if quote := out.Dimensions[name].Evidence[e].Quote; quote != t.text || quote != t.said {
				continue // a shortened quote cannot be set against the whole
			}
			runes := []rune(out.Dimensions[name].Evidence[e].Quote)
			for _, u := range units(runes) {
				text := strings.TrimSpace(string(runes[:u[0]]) + string(runes[u[1]:]))
				if !strings.ContainsFunc(text, unicode.IsLetter) {
					continue
				}
				probes = append(probes, probe{d, e, u})
				alone = append(alone, request{input: ClassifierInput{Text: text, Lang: t.lang}})
				pair = append(pair, request{input: r.pairInput(t, text)})
			}
		}
	}
	effects, err := r.probe(ctx, probes, alone, pair)
	if err != nil {
		return err
	}
	for d, name := range schemas.Dimensions() {
		for e := range out.Dimensions[name].Evidence {
			ev := &out.Dimensions[name].Evidence[e]
			var marks []Highlight
			for i, p := range probes {
				if p.dimension != d || p.evidence != e {
					continue
				}
				effect := effects[i]
				if ev.Direction == "-" {
					effect = -effect
				}
				if effect >= minEffect {
					marks = append(marks, Highlight{p.unit[0], p.unit[1], round(effect, 2)})
				}
			}
			slices.SortStableFunc(marks, func(a, b Highlight) int { return cmp.Compare(b.Weight, a.Weight) })
			marks = marks[:min(highlightMarks, len(marks))]
			slices.SortFunc(marks, func(a, b Highlight) int { return cmp.Compare(a.Start, b.Start) })
			ev.Highlights = append(ev.Highlights, marks...)
		}
	}
	return nil
}

// probe returns how much the outcome falls when each unit is left out.
func (r *run) probe(ctx context.Context, probes []probe, alone, pair []request) ([]float64, error) {
	effects := make([]float64, len(probes))
	for start := 0; start < len(probes); start += r.a.cfg.MaxBatch {
		end := min(start+r.a.cfg.MaxBatch, len(probes))
		var in []ClassifierInput
		var which []int // alone is even, pair is odd
		for i := start; i < end; i++ {
			f := r.shown[probes[i].dimension][probes[i].evidence].facet
			if readsAlone(f) {
				in, which = append(in, alone[i].input), append(which, 2*i)
			}
			if f != sa1 {
				in, which = append(in, pair[i].input), append(which, 2*i+1)
			}
		}
		scores, err := r.a.cfg.Classifier.Classify(ctx, in)
		if err != nil || len(scores) != len(in) {
			return nil, cmp.Or(err, ErrClassifier)
		}
		answers := map[int]Scores{}
		for k, w := range which {
			answers[w] = scores[k]
		}
		for i := start; i < end; i++ {
			effects[i] = r.effect(&r.shown[probes[i].dimension][probes[i].evidence], answers[2*i], answers[2*i+1])
		}
	}
	return effects, nil
}

// readsAlone reports whether the facet's outcome reads the message alone.
func readsAlone(f facet) bool {
	switch f {
	case sa1, sm1, sm2, so1, so2, so3, sk2, sk3, sk5:
		return true
	default:
	}
	return false
}

func (r *run) effect(it *item, alone, pair Scores) float64 {
	t := &r.turns[it.turn]
	a, p := t.alone, t.pair
	// A senseless answer to a probe must not touch the report's numbers: read it into a head set of its own.
	heads := newHeadSet(r.info)
	if alone != nil {
		a = heads.readAlone(alone)
	}
	if pair != nil {
		p = r.readPair(heads, pair, &a, t.pair.withContext)
	}
	if len(heads.faulty) > 0 {
		return 0
	}
	var trigger *turn
	if it.trigger >= 0 {
		trigger = &r.turns[it.trigger]
	}
	now, without := r.outcome(it.facet, it.gate, t, &t.alone, &t.pair, trigger), r.outcome(it.facet, it.gate, t, &a, &p, trigger)
	if math.IsNaN(without) {
		return 0
	}
	return now - without
}

// units cuts a quote into words: runs of letters, and pairs of Han characters. Long quotes are cut into fewer, longer
// units.
func units(runes []rune) [][2]int {
	var out [][2]int
	for i := 0; i < len(runes); {
		j := i
		switch {
		case unicode.Is(unicode.Han, runes[i]):
			for j < len(runes) && j < i+2 && unicode.Is(unicode.Han, runes[j]) {
				j++
			}
		case unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]):
			for j < len(runes) && !unicode.Is(unicode.Han, runes[j]) &&
				(unicode.IsLetter(runes[j]) || unicode.IsDigit(runes[j]) || runes[j] == '\'' || runes[j] == '’') {
				j++
			}
		default:
			i++
			continue
		}
		out = append(out, [2]int{i, j})
		i = j
	}
	if len(out) <= highlightUnits {
		return out
	}
	merged := make([][2]int, 0, highlightUnits)
	for k := range highlightUnits {
		first, last := k*len(out)/highlightUnits, (k+1)*len(out)/highlightUnits-1
		merged = append(merged, [2]int{out[first][0], out[last][1]})
	}
	return merged
}
