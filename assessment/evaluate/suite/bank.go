package suite

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/metric"
)

// splits is how many ways the pools are halved. People are spread over all of them and both directions, so that a bias is
// the method's and not that of one unlucky half.
const splits = 4

// minCell is how many rows of each kind a facet needs in a half.
const minCell = 12

// cell names rows of one facet that do or do not show the skill, in one half of one split.
type cell struct {
	facet       string
	good        bool
	split, half int
}

// bank holds the items of one language by cell.
type bank struct {
	lang  string
	cells map[cell][]assessment.Item
}

// newBank sorts the items of labelled answers into halves by the hash of their id, so that error rates are never estimated
// on the rows that opportunities are drawn from.
func newBank(rows []scored, lang string) bank {
	b := bank{lang, map[cell][]assessment.Item{}}
	for i := range rows {
		r := &rows[i]
		if r.lang != lang {
			continue
		}
		for facet, good := range r.good {
			it, ok := r.item(facet)
			if !ok || it.Language != lang || it.Weight <= 0 {
				continue
			}
			for split := range splits {
				c := cell{facet, good, split, halfOf(r.id, split)}
				b.cells[c] = append(b.cells[c], it)
			}
		}
	}
	return b
}

// halfOf is 0 or 1. What follows a slash in an id tells versions of one row apart, which stay together.
func halfOf(id string, split int) int {
	base, _, _ := strings.Cut(id, "/")
	h := hashOf(fmt.Sprintf("%d %s", split, base))
	return int((h ^ h>>32) & 1)
}

// drawable reports whether a facet has rows enough of both kinds in every half.
func (b bank) drawable(facet string) bool {
	for split := range splits {
		for half := range 2 {
			for _, good := range []bool{true, false} {
				if len(b.cells[cell{facet, good, split, half}]) < minCell {
					return false
				}
			}
		}
	}
	return true
}

// rows is the number of rows of a facet, both halves together.
func (b bank) rows(facet string, good bool) int {
	return len(b.cells[cell{facet, good, 0, 0}]) + len(b.cells[cell{facet, good, 0, 1}])
}

// rates are the error rates of the drawable facets in one half, with doubled errors (design.md §9.21), as a model would
// state them.
func (b bank) rates(info assessment.ModelInfo, split, half int) assessment.ModelInfo {
	info.ErrorRates, info.ErrorRateSE = map[string]map[string][2]float64{}, map[string]map[string][2]float64{}
	seen := map[string]bool{}
	for c := range b.cells {
		if seen[c.facet] || !b.drawable(c.facet) {
			continue
		}
		seen[c.facet] = true
		s1, se1 := meanOf(b.cells[cell{c.facet, true, split, half}])
		s0, se0 := meanOf(b.cells[cell{c.facet, false, split, half}])
		info.ErrorRates[c.facet] = map[string][2]float64{b.lang: {s1, s0}}
		info.ErrorRateSE[c.facet] = map[string][2]float64{b.lang: {2*se1 + 1e-4, 2*se0 + 1e-4}}
	}
	return info
}

// meanOf is the mean outcome and its standard error.
func meanOf(items []assessment.Item) (mean, se float64) {
	values := make([]float64, len(items))
	for i, it := range items {
		values[i] = it.Outcome
	}
	if len(values) < 2 {
		return metric.Mean(values), 0
	}
	return metric.Mean(values), metric.Deviation(values) / math.Sqrt(float64(len(values)))
}

func (b bank) draw(rng *rand.Rand, c cell) assessment.Item {
	items := b.cells[c]
	return items[rng.IntN(len(items))]
}
