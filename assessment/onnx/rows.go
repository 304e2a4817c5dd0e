package onnx

import (
	"slices"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/text"
)

// MaxBatch is the most rows of one run.
const MaxBatch = 32

// buckets are the lengths that rows are padded to. The last holds the longest pair form.
func buckets() []int { return []int{16, 32, 64, 128, 200} }

// tokensPerRun bounds a batch, so that a run has about the same length whatever the bucket.
const tokensPerRun = 2048

// capacity is the most rows of one run of a bucket.
func capacity(length int) int { return min(MaxBatch, tokensPerRun/length) }

// bucketOf is the smallest bucket that holds n tokens.
func bucketOf(n int) int {
	sizes := buckets()
	at, _ := slices.BinarySearch(sizes, n)
	return min(at, len(sizes)-1)
}

// want is what a row is run for. Rows of different wants never share a batch: a run computes for all its rows alike.
type want int

const (
	wantHeads   want = iota // the logits of the heads
	wantVectors             // the frozen vector
	wants       = 2
)

// row is one sequence of tokens on its way through the queue.
type row struct {
	call      *call
	out       []float32 // room for the outputs of this row, owned by the call, written once by the worker that runs it
	ids       []int64
	lang      language
	uncounted bool // not a message of its own: the second view of a text, a vector, a warm-up
	order     uint64
	queued    time.Time
}

// language is a row's language, as metrics tell languages apart.
type language int

const (
	languageOther language = iota
	languageEnglish
	languageChinese
	languages = 3
)

func languageOf(lang string) language {
	switch lang {
	case text.English:
		return languageEnglish
	case text.Chinese:
		return languageChinese
	}
	return languageOther
}

func (l language) String() string {
	return [languages]string{text.Other, text.English, text.Chinese}[l]
}

type encoder struct {
	tokens     *text.Tokenizer
	maxContext int
	maxMessage int
}

// encode makes the sequences of one input: the model view, and for the hostility head the view without disguises where
// it differs (else nil).
func (e encoder) encode(in assessment.ClassifierInput) (ids, folded []int64) {
	view := text.Clean(in.Text)
	turns := make([]text.Turn, 0, len(in.Context))
	for _, t := range in.Context {
		turns = append(turns, text.Turn{Self: t.Self, Text: text.Clean(t.Text).Text})
	}
	ids = e.tokens.EncodePair(turns, view.Text, e.maxContext, e.maxMessage)
	if view.Folded != view.Text {
		folded = e.tokens.EncodePair(turns, view.Folded, e.maxContext, e.maxMessage)
	}
	return ids, folded
}

// fill lays rows out as input_ids and attention_mask, [rows, length] each, padded at the end.
func fill(ids, mask []int64, rows []row, length int) {
	for i, r := range rows {
		at := i * length
		for j := range length {
			if j < len(r.ids) {
				ids[at+j], mask[at+j] = r.ids[j], 1
			} else {
				ids[at+j], mask[at+j] = text.IDPad, 0
			}
		}
	}
}
