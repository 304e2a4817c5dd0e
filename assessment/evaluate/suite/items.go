package suite

import (
	"context"
	"errors"
	"maps"
	"slices"

	"heartmark/assessment"
	"heartmark/schemas"
)

// scored is an answer with the items that the product made of it.
type scored struct {
	answer
	items []assessment.Item
}

// item returns the answer's item of a facet.
func (s *scored) item(facet string) (assessment.Item, bool) {
	for _, it := range s.items {
		if it.Facet == facet {
			return it, true
		}
	}
	return assessment.Item{}, false
}

// score has the product assess every answer as all that its writer ever wrote, so that no answer is a near copy of another
// person's. An answer whose situation the product does not see, or that it does not score, has no items.
func score(ctx context.Context, e Env, answers []answer) ([]scored, error) {
	if err := warm(ctx, e, answers); err != nil {
		return nil, err
	}
	out := make([]scored, len(answers))
	faults := make([]error, len(answers))
	parallel(len(answers), func(i int) {
		var t transcript
		t.talk(place{conversation: "talk", counterpart: "other"}, answers[i])
		r, err := t.assess(ctx, e)
		out[i], faults[i] = scored{answers[i], r.Items}, err
	})
	return out, errors.Join(faults...)
}

// warm classifies the texts of all answers in full batches; the assessments after it read the memory.
func warm(ctx context.Context, e Env, answers []answer) error {
	const most = 8000 // days that fit before the limits of the product
	for part := range slices.Chunk(answers, most) {
		var t transcript
		for i, a := range part {
			t.talk(place{day: i, conversation: a.id, counterpart: "other"}, a)
		}
		if _, err := t.assess(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// civil is the facet that every message to others has. It counts for no minimum and no opportunity.
const civil = "SK5"

// facetsOf are the codes of the facets of a dimension.
func facetsOf(d schemas.Dimension) []string {
	var out []string
	for _, f := range assessment.Facets(d) {
		out = append(out, f.Code)
	}
	return out
}

// replyScore is the score of a single reply on a dimension, in [0, 1]: shares times outcomes, facets that the reply gave no
// item for at the reference mean of a half. Outcomes are not corrected for the error rates: one outcome below s0 is cut to
// 0 then, and two poor replies could not be told apart.
func replyScore(items []assessment.Item, d schemas.Dimension) float64 {
	const reference = 0.5
	sum := 0.0
	for _, f := range assessment.Facets(d) {
		y := reference
		for _, it := range items {
			if it.Facet == f.Code && it.Weight > 0 {
				y = it.Outcome
			}
		}
		sum += f.Share * y
	}
	return sum
}

// gained is the weight of the items, those of civility left out, and how many they are.
func gained(items []assessment.Item) (weight float64, count int) {
	for _, it := range items {
		if it.Facet != civil {
			weight += it.Weight
			count++
		}
	}
	return weight, count
}

// scoresOf are the scores of a report by dimension, for the dimensions that are scored.
func scoresOf(r assessment.Report) map[schemas.Dimension]float64 {
	out := map[schemas.Dimension]float64{}
	for name, d := range r.Dimensions {
		if d.Score != nil {
			out[name] = *d.Score
		}
	}
	return out
}

// dimensions of scores, in the fixed order.
func dimensionsOf[T any](m map[schemas.Dimension]T) []schemas.Dimension {
	known := schemas.Dimensions()
	return slices.SortedFunc(maps.Keys(m), func(a, b schemas.Dimension) int {
		return slices.Index(known[:], a) - slices.Index(known[:], b)
	})
}

// posterior is what items say without minimums (assessment.Posterior). All items count as answers of their own.
func posterior(info assessment.ModelInfo, d schemas.Dimension, items []assessment.Item, seed uint64) assessment.Posterior {
	_, p := assessment.Aggregate(info, d, func(yield func([]assessment.Item) bool) {
		for i := range items {
			if !yield(items[i : i+1]) {
				return
			}
		}
	}, seed)
	return p
}
