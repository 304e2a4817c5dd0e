package training

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/text"
	"heartmark/schemas"
)

// Settings of retrieval.
const (
	// DefaultSuggestions and MaxSuggestions bound how many answers are suggested.
	DefaultSuggestions = 3
	MaxSuggestions     = 10
	// suggestFrom is the score under which an answer is not suggested: nothing is better than something beside the point. It
	// and meaningWeight are start values, set on a shop's 19 answers and 25 messages in both languages (retrieve_test.go).
	suggestFrom = 0.22
	// meaningWeight is the weight of the vectors in the score; the words have the rest. The encoder was trained to judge
	// tone, so two messages of one mood lie close whatever they are about: words weigh more.
	meaningWeight = 0.4
	// centreFrom is from how many answers of a language on vectors are used. Vectors of one encoder all point much the same
	// way, so their mean is taken off first; over fewer answers it says nothing, and any two texts would look alike.
	centreFrom = 8
	// maxWords is how many shared words an explanation names.
	maxWords = 5
)

// Suggestion is an approved answer for the person who writes to choose, change or leave. Nothing sends it.
type Suggestion struct {
	Answer  Answer   `json:"answer"`
	Score   float64  `json:"score"`   // 0 to 1
	Meaning *float64 `json:"meaning"` // similarity of the vectors, 0 to 1; nil where words alone decided
	Words   float64  `json:"words"`   // BM25, 0 to 1
	Shared  []string `json:"shared"`  // words in common, the most telling first
	Why     Text     `json:"why"`
}

// Query asks for suggestions.
type Query struct {
	Message string   // what the customer wrote
	Lang    string   // of the answer; "" takes the message's own, English where that is neither
	Tags    []string // only answers with all of these
	K       int      // 0: DefaultSuggestions
}

// Index finds answers. It is read-only after NewIndex and safe for concurrent use.
type Index struct {
	encoder assessment.Encoder // nil: words only
	byLang  map[string]*shelf
}

// shelf holds the answers of one language.
type shelf struct {
	answers []Answer
	bags    []map[string]int
	words   *lexicon
	width   int
	matrix  []float32 // answer by width: centred unit vectors; empty without an encoder
	centre  []float32
}

// encoderName says what made a vector.
func encoderName(e assessment.Encoder) string {
	name := "encoder"
	if c, ok := e.(assessment.Classifier); ok {
		name = c.Info().SHA256
	}
	return fmt.Sprintf("%s/%d", name, e.Width())
}

// vectorless reports whether there is no encoder to use.
func vectorless(e assessment.Encoder) bool { return e == nil || e.Width() == 0 }

// Encode gives each answer the vector of its question. Without an encoder the answers come back without vectors.
func Encode(ctx context.Context, e assessment.Encoder, answers []Answer) ([]StoredAnswer, error) {
	out := make([]StoredAnswer, len(answers))
	for i, a := range answers {
		out[i].Answer = a
	}
	if vectorless(e) {
		return out, nil
	}
	const chunk = 256
	for start := 0; start < len(out); start += chunk {
		part := out[start:min(start+chunk, len(out))]
		in := make([]assessment.ClassifierInput, len(part))
		for i, a := range part {
			in[i] = assessment.ClassifierInput{Text: a.Question, Lang: a.Lang}
		}
		vectors, err := e.Vectors(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("vectors of answers: %w", err)
		}
		for i, v := range vectors {
			part[i].Vector, part[i].Model = v, encoderName(e)
		}
	}
	return out, nil
}

// NewIndex builds an index. A language with fewer than eight answers, or with an answer that lacks a vector of e, is searched
// by words alone, which Suggestion.Meaning shows.
func NewIndex(e assessment.Encoder, answers []StoredAnswer) *Index {
	x := &Index{byLang: map[string]*shelf{}}
	if !vectorless(e) {
		x.encoder = e
	}
	for _, lang := range schemas.Languages() {
		var own []StoredAnswer
		for _, a := range answers {
			if a.Lang == lang {
				own = append(own, a)
			}
		}
		x.byLang[lang] = newShelf(x.encoder, own)
	}
	return x
}

func newShelf(e assessment.Encoder, answers []StoredAnswer) *shelf {
	s := &shelf{}
	for _, a := range answers {
		s.answers = append(s.answers, a.Answer)
		s.bags = append(s.bags, terms(a.Question+" "+strings.Join(a.Tags, " ")))
	}
	s.words = newLexicon(s.bags)
	if e == nil || len(answers) < centreFrom {
		return s
	}
	name := encoderName(e)
	if slices.ContainsFunc(answers, func(a StoredAnswer) bool { return a.Model != name || len(a.Vector) != e.Width() }) {
		return s
	}
	s.width = e.Width()
	s.centre = meanOf(answers, s.width)
	s.matrix = make([]float32, len(answers)*s.width)
	for i, a := range answers {
		s.unit(s.matrix[i*s.width:(i+1)*s.width], a.Vector)
	}
	return s
}

// meanOf is the mean of the unit vectors.
func meanOf(answers []StoredAnswer, width int) []float32 {
	centre := make([]float32, width)
	for _, a := range answers {
		scale := 1 / (length(a.Vector) * float32(len(answers)))
		for k, v := range a.Vector {
			centre[k] += v * scale
		}
	}
	return centre
}

// unit writes v, scaled to one, less the centre, scaled to one again.
func (s *shelf) unit(to, v []float32) {
	scale := 1 / length(v)
	for k := range to {
		to[k] = v[k]*scale - s.centre[k]
	}
	scale = 1 / length(to)
	for k := range to {
		to[k] *= scale
	}
}

func length(v []float32) float32 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return float32(math.Max(math.Sqrt(sum), 1e-9))
}

// Suggest returns the best answers with scores and reasons, the best first, and none where nothing reaches the threshold.
func (x *Index) Suggest(ctx context.Context, q Query) ([]Suggestion, error) {
	s := x.byLang[q.language()]
	if len(s.answers) == 0 {
		return []Suggestion{}, nil
	}
	query := terms(q.Message)
	words := s.words.scores(query)
	meaning, err := x.meaning(ctx, s, q)
	if err != nil {
		return nil, err
	}
	found := s.rank(words, meaning, q)
	out := make([]Suggestion, len(found))
	for i, f := range found {
		out[i] = s.suggestion(f, query)
	}
	return out, nil
}

func (q Query) language() string {
	if q.Lang != "" {
		return q.Lang
	}
	if lang, _ := text.Language(q.Message); lang == text.Chinese {
		return schemas.LanguageChinese
	}
	return schemas.LanguageEnglish
}

// meaning is the cosine of each answer with the message, negative ones as 0; nil where there are no vectors.
func (x *Index) meaning(ctx context.Context, s *shelf, q Query) ([]float32, error) {
	if len(s.matrix) == 0 || strings.TrimSpace(q.Message) == "" {
		return nil, nil
	}
	vectors, err := x.encoder.Vectors(ctx, []assessment.ClassifierInput{{Text: q.Message, Lang: q.language()}})
	if err != nil {
		return nil, fmt.Errorf("vector of the message: %w", err)
	}
	query := make([]float32, s.width)
	s.unit(query, vectors[0])
	out := make([]float32, len(s.answers))
	for i := range out {
		out[i] = max(0, dot(s.matrix[i*s.width:(i+1)*s.width], query))
	}
	return out, nil
}

// dot adds up in four lanes, which lets the processor run them beside each other.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// hit is an answer that may be suggested.
type hit struct {
	entry   int
	score   float64
	words   float64
	meaning *float64
}

func (s *shelf) rank(words map[int32]float64, meaning []float32, q Query) []hit {
	var hits []hit
	for i, a := range s.answers {
		h := hit{entry: i, words: words[int32(i)]}
		h.score = h.words
		if meaning != nil {
			m := float64(meaning[i])
			h.meaning, h.score = &m, meaningWeight*m+(1-meaningWeight)*h.words
		}
		if h.score >= suggestFrom && hasAll(a.Tags, q.Tags) {
			hits = append(hits, h)
		}
	}
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.entry, b.entry)) })
	k := q.K
	if k == 0 {
		k = DefaultSuggestions
	}
	return hits[:min(k, MaxSuggestions, len(hits))]
}

func hasAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(t string) bool { return !slices.Contains(have, t) })
}

func (s *shelf) suggestion(h hit, query map[string]int) Suggestion {
	out := Suggestion{Answer: s.answers[h.entry], Score: round(h.score), Words: round(h.words), Shared: s.shared(h.entry, query)}
	if h.meaning != nil {
		m := round(*h.meaning)
		out.Meaning = &m
	}
	out.Why = whySuggested(out)
	return out
}

// shared lists the words of the query in the entry, the rarest first.
func (s *shelf) shared(entry int, query map[string]int) []string {
	out := []string{}
	for _, term := range slices.Sorted(maps.Keys(query)) {
		if s.bags[entry][term] > 0 {
			out = append(out, term)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(s.words.idf(b), s.words.idf(a)) })
	return out[:min(maxWords, len(out))]
}

func whySuggested(s Suggestion) Text {
	shared := Text{"No words in common.", "没有相同的词。"}
	if len(s.Shared) > 0 {
		shared = both("Words in common: %s.", "相同的词：%s。", func(lang string) []any {
			if lang == schemas.LanguageChinese {
				return []any{strings.Join(s.Shared, "、")}
			}
			return []any{strings.Join(s.Shared, ", ")}
		})
	}
	if s.Meaning == nil {
		return shared
	}
	meaning := both(" Likeness in meaning: %d of 100.", "语义相近程度：%d/100。", func(string) []any { return []any{int(math.Round(100 * *s.Meaning))} })
	return Text{EN: shared.EN + meaning.EN, ZH: shared.ZH + meaning.ZH}
}
