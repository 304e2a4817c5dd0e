package onnx

import (
	"cmp"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/text"
)

// MaxBatch is the most rows of one run.
const MaxBatch = 32

// buckets are the lengths that rows are padded to. A bucket's batch holds at most tokensPerRun tokens, so that a run has
// about the same length whatever the bucket. The last holds the longest pair form.
func buckets() []int { return []int{16, 32, 64, 128, 200} }

const tokensPerRun = 2048

// row is one sequence of tokens and the input that it belongs to.
type row struct {
	input  int
	folded bool // the second view, for the hostility head alone
	ids    []int64
}

// batch is a list of rows of one bucket.
type batch struct {
	length int
	rows   []row
}

type encoder struct {
	tokens     *text.Tokenizer
	maxContext int
	maxMessage int
}

// rows makes the sequences of one input: the model view, and the view without disguises where it differs.
func (e encoder) rows(index int, in assessment.ClassifierInput) []row {
	view := text.Clean(in.Text)
	turns := make([]text.Turn, 0, len(in.Context))
	for _, t := range in.Context {
		turns = append(turns, text.Turn{Self: t.Self, Text: text.Clean(t.Text).Text})
	}
	out := []row{{input: index, ids: e.tokens.EncodePair(turns, view.Text, e.maxContext, e.maxMessage)}}
	if view.Folded != view.Text {
		out = append(out, row{
			input: index, folded: true,
			ids: e.tokens.EncodePair(turns, view.Folded, e.maxContext, e.maxMessage),
		})
	}
	return out
}

// batches sorts the rows into batches of one bucket. The order is that of the inputs, so equal calls make equal batches.
func batches(rows []row) []batch {
	sizes := buckets()
	open := make([]batch, len(sizes))
	var done []batch
	for _, r := range rows {
		at, _ := slices.BinarySearch(sizes, len(r.ids))
		at = min(at, len(sizes)-1)
		b := &open[at]
		b.length = sizes[at]
		b.rows = append(b.rows, r)
		if len(b.rows) == min(MaxBatch, tokensPerRun/b.length) {
			done = append(done, *b)
			*b = batch{}
		}
	}
	for _, b := range open {
		if len(b.rows) > 0 {
			done = append(done, b)
		}
	}
	// the longest first: the workers then finish at about the same time
	slices.SortStableFunc(done, func(a, b batch) int {
		return cmp.Compare(b.length*len(b.rows), a.length*len(a.rows))
	})
	return done
}

// tensors lays the rows of a batch out as input_ids and attention_mask.
func (b batch) tensors() (ids, mask []int64) {
	ids, mask = make([]int64, len(b.rows)*b.length), make([]int64, len(b.rows)*b.length)
	for i, r := range b.rows {
		at := i * b.length
		for j := range b.length {
			if j < len(r.ids) {
				ids[at+j], mask[at+j] = r.ids[j], 1
			} else {
				ids[at+j] = text.IDPad
			}
		}
	}
	return ids, mask
}

// headHostility is the head that also reads the view without disguises.
const headHostility = assessment.HeadHostility

// merge writes the scores of one row into those of its input. Of the two views of a text the one that is more likely
// hostile counts: the lower first label ("none").
func merge(into assessment.Scores, r row, heads []model.Head, values [][]float64) {
	for i, h := range heads {
		if !r.folded {
			if kept, ok := into[h.Name]; !ok || h.Name != headHostility || values[i][0] < kept[0] {
				into[h.Name] = values[i]
			}
			continue
		}
		if h.Name != headHostility {
			continue
		}
		if kept, ok := into[h.Name]; !ok || values[i][0] < kept[0] {
			into[h.Name] = values[i]
		}
	}
}
