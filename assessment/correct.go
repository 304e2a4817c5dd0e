package assessment

import (
	"slices"

	"heartmark/schemas"
)

// Remove takes one message of the subject out of a report that was made, by its id and by its keyed hash in Items (assessment
// design 11: a delete after scoring removes its items and the report's version goes up). A dimension that loses an item or a quote
// is withheld with ReasonCorrected, with all its quotes, until the subject is assessed again: no number stands on what is gone. It
// returns how many items and quotes went; where none did, nothing changes.
func (r *Report) Remove(message, hash string) (items, quotes int) {
	hit := map[schemas.Dimension]bool{}
	before := len(r.Items)
	r.Items = slices.DeleteFunc(r.Items, func(it Item) bool {
		gone := slices.Contains(it.Messages, hash)
		if d, ok := dimensionOf(it.Facet); gone && ok {
			hit[d] = true
		}
		return gone
	})
	for _, d := range schemas.Dimensions() {
		if slices.ContainsFunc(r.Dimensions[d].Evidence, func(e Evidence) bool { return e.Message == message }) {
			hit[d] = true
		}
	}
	for d := range hit {
		quotes += len(r.Dimensions[d].Evidence)
		r.Dimensions[d] = unscored(StatusWithheld, reason(ReasonCorrected, 0, 0))
	}
	if len(hit) > 0 {
		r.Overall = Overall{Status: StatusPartial}
		r.Version = max(r.Version, 1) + 1
	}
	return before - len(r.Items), quotes
}

// dimensionOf is the dimension that a facet's code belongs to.
func dimensionOf(code string) (schemas.Dimension, bool) {
	table := facetTable()
	for i, facets := range dimensionFacets() {
		for _, f := range facets {
			if table[f].code == code {
				return schemas.Dimensions()[i], true
			}
		}
	}
	return "", false
}
