package baseline

import (
	"math"
	"slices"
	"strings"
)

// Doc is one text to classify and the last turn before it ("" for none).
type Doc struct{ Text, Context string }

// TFIDFOptions shape the vocabulary; a zero field takes the default in its comment.
type TFIDFOptions struct {
	Words        int // longest run of words; 2
	Characters   int // longest run of characters inside a word or Chinese clause; 4
	ContextWords int // longest run of words of the context; 1
	MinDocuments int // a term in fewer documents is dropped; 2
	MaxFeatures  int // the most frequent terms that are kept, ties by their bytes; no bound
}

func (o TFIDFOptions) withDefaults() TFIDFOptions {
	o.Words = orDefault(o.Words, 2)
	o.Characters = orDefault(o.Characters, 4)
	o.ContextWords = orDefault(o.ContextWords, 1)
	o.MinDocuments = orDefault(o.MinDocuments, 2)
	return o
}

// TFIDF turns texts into sparse vectors over a vocabulary that was fitted once. Safe for use by several goroutines.
type TFIDF struct {
	options TFIDFOptions
	index   map[string]uint32 // term to its rank in byte order
	idf     []float64         // by rank
	blocks  []uint8           // by rank: the block's byte
}

// FitTFIDF makes the vocabulary of docs: every term that MinDocuments of them hold, numbered in byte order, so that the
// order of docs has no influence, with the smoothed inverse document frequency ln((1+n)/(1+df)) + 1.
func FitTFIDF(docs []Doc, o TFIDFOptions) *TFIDF {
	t := &TFIDF{options: o.withDefaults()}
	ids := make(map[string]uint32)
	var frequency, last []uint32 // by id: documents that hold the term, the latest of them (1-based)
	for i, d := range docs {
		at := uint32(i + 1)
		t.each(d, nil, func(term []byte) {
			id, known := ids[string(term)]
			if !known {
				id = uint32(len(frequency))
				ids[string(term)] = id
				frequency, last = append(frequency, 0), append(last, 0)
			}
			if last[id] != at {
				last[id] = at
				frequency[id]++
			}
		})
	}
	t.keep(ids, frequency, len(docs))
	return t
}

// keep picks the terms that stay and numbers them.
func (t *TFIDF) keep(ids map[string]uint32, frequency []uint32, docs int) {
	var terms []string
	for term, id := range ids {
		if int(frequency[id]) >= t.options.MinDocuments {
			terms = append(terms, term)
		}
	}
	if most := t.options.MaxFeatures; most > 0 && len(terms) > most {
		slices.SortFunc(terms, func(a, b string) int {
			if fa, fb := frequency[ids[a]], frequency[ids[b]]; fa != fb {
				return int(fb) - int(fa)
			}
			return strings.Compare(a, b)
		})
		terms = slices.Clip(terms[:most])
	}
	slices.Sort(terms)
	t.index = make(map[string]uint32, len(terms))
	t.idf = make([]float64, len(terms))
	t.blocks = make([]uint8, len(terms))
	for rank, term := range terms {
		t.index[term] = uint32(rank)
		t.idf[rank] = math.Log(float64(1+docs)/float64(1+frequency[ids[term]])) + 1
		t.blocks[rank] = term[0]
	}
}

// each calls emit with every term of d, repeats included; emit must not keep the bytes. It returns the buffer for reuse.
func (t *TFIDF) each(d Doc, buf []byte, emit func([]byte)) []byte {
	text := fold(d.Text)
	buf = eachWordGram(text, blockWords, t.options.Words, buf, emit)
	buf = eachCharacterGram(text, t.options.Characters, buf, emit)
	if d.Context != "" {
		buf = eachWordGram(fold(d.Context), blockContext, t.options.ContextWords, buf, emit)
	}
	return buf
}

// Features is the number of terms; indices of Vectors are below it.
func (t *TFIDF) Features() int { return len(t.idf) }

// Vectors returns one vector a document: (1 + ln tf) idf for each known term, each block (characters, words, context)
// brought to the same length, since a text has ten times more runs of characters than words, and the whole to length 1.
// A document without any known term gives the empty vector.
func (t *TFIDF) Vectors(docs []Doc) []Sparse {
	out := make([]Sparse, len(docs))
	counts := make([]uint32, t.Features())
	var touched []uint32
	var buf []byte
	for i, d := range docs {
		touched = touched[:0]
		buf = t.each(d, buf, func(term []byte) {
			rank, known := t.index[string(term)]
			if !known {
				return
			}
			if counts[rank] == 0 {
				touched = append(touched, rank)
			}
			counts[rank]++
		})
		slices.Sort(touched)
		out[i] = t.vector(touched, counts)
		for _, rank := range touched {
			counts[rank] = 0
		}
	}
	return out
}

func (t *TFIDF) vector(touched, counts []uint32) Sparse {
	s := Sparse{Index: slices.Clone(touched), Value: make([]float32, len(touched))}
	weights := make([]float64, len(touched))
	var squares [256]float64 // by block
	for j, rank := range touched {
		weights[j] = (1 + math.Log(float64(counts[rank]))) * t.idf[rank]
		squares[t.blocks[rank]] += weights[j] * weights[j]
	}
	blocks := 0.0
	for _, q := range squares {
		if q > 0 {
			blocks++
		}
	}
	for j, rank := range touched {
		s.Value[j] = float32(weights[j] / math.Sqrt(squares[t.blocks[rank]]*blocks))
	}
	return s
}
