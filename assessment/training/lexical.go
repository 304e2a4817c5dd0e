package training

import (
	"math"
	"strings"
	"unicode"

	"heartmark/assessment/text"
)

// BM25 parameters as usual in the literature (S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework", 2009).
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// terms cuts a text into words of letters and digits in lower case, without function words, and runs of ideographs into
// pairs (a single one stands alone). Each term comes with its count.
func terms(s string) map[string]int {
	out := map[string]int{}
	var word, han []rune
	flush := func() {
		if w := string(word); len(word) > 0 && !functionWord(w) {
			out[stem(w)]++
		}
		if len(han) == 1 {
			out[string(han)]++
		}
		for i := 0; i+1 < len(han); i++ {
			out[string(han[i:i+2])]++
		}
		word, han = word[:0], han[:0]
	}
	wasHan := false
	for _, r := range strings.ToLower(text.Clean(s).Text) {
		isHan := unicode.Is(unicode.Han, r)
		isWord := !isHan && (unicode.IsLetter(r) || unicode.IsDigit(r))
		if isHan != wasHan || (!isHan && !isWord) {
			flush()
		}
		switch {
		case isHan:
			han = append(han, r)
		case isWord:
			word = append(word, r)
		}
		wasHan = isHan
	}
	flush()
	return out
}

// stem takes the commonest endings off an English word: "orders" and "ordered" meet "order".
func stem(w string) string {
	for _, ending := range []string{"ing", "ed", "es", "s"} {
		if cut, ok := strings.CutSuffix(w, ending); ok && len(cut) >= 4 && !strings.HasSuffix(cut, "s") {
			return cut
		}
	}
	return w
}

// functionWord reports whether w carries no topic.
func functionWord(w string) bool {
	switch w {
	case "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from", "get",
		"had", "has", "have", "hello", "hi", "how", "i", "if", "in", "is", "it", "its", "just", "m", "me", "my", "no", "not", "of", "on", "or", "our",
		"please", "s", "so", "t", "that", "the", "there", "this", "to", "up", "was", "we", "what", "when", "where", "which", "will",
		"with", "would", "you", "your":
		return true
	}
	return false
}

// lexicon is an inverted index with BM25 scores.
type lexicon struct {
	postings map[string][]posting
	lengths  []float64
	mean     float64   // of lengths
	self     []float64 // score of each entry against itself
}

type posting struct {
	entry int32
	count float64
}

func newLexicon(entries []map[string]int) *lexicon {
	x := &lexicon{postings: map[string][]posting{}, lengths: make([]float64, len(entries)), self: make([]float64, len(entries))}
	for e, bag := range entries {
		for term, n := range bag {
			x.postings[term] = append(x.postings[term], posting{int32(e), float64(n)})
			x.lengths[e] += float64(n)
		}
		x.mean += x.lengths[e] / float64(len(entries))
	}
	for e, bag := range entries {
		for term, n := range bag {
			x.self[e] += x.idf(term) * x.saturation(float64(n), e)
		}
	}
	return x
}

// idf is the inverse document frequency of Lucene's BM25, never negative; that of a term in no entry is the largest.
func (x *lexicon) idf(term string) float64 {
	n, df := float64(len(x.lengths)), float64(len(x.postings[term]))
	return math.Log(1 + (n-df+0.5)/(df+0.5))
}

func (x *lexicon) saturation(count float64, entry int) float64 {
	return count * (bm25K1 + 1) / (count + bm25K1*(1-bm25B+bm25B*x.lengths[entry]/math.Max(x.mean, 1)))
}

// scores returns BM25 of every entry that shares a term with the query, over the root of the query's and the entry's best
// possible scores: 0 to 1, 1 for the entry's own words. BM25 alone has no fixed range, so no threshold could be set on it.
func (x *lexicon) scores(query map[string]int) map[int32]float64 {
	raw, best := map[int32]float64{}, 0.0
	for term := range query {
		idf := x.idf(term)
		best += idf
		for _, p := range x.postings[term] {
			raw[p.entry] += idf * x.saturation(p.count, int(p.entry))
		}
	}
	for e, score := range raw {
		raw[e] = math.Min(1, score/math.Sqrt(math.Max(best*x.self[e], 1e-9)))
	}
	return raw
}
