package training_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/assessment/training"
	"heartmark/schemas"
)

// realEncoder opens the built-in model.
func realEncoder(t testing.TB) *onnx.Classifier {
	t.Helper()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	c, err := onnx.Open(onnx.Config{Model: m, Provider: "cpu"})
	if errors.Is(err, onnx.ErrLibraryMissing) {
		t.Skip("ONNX Runtime:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// topicEncoder gives a text a vector by the hash of its longest word, so that texts with the same one are alike.
type topicEncoder struct {
	width int
	fail  error
}

func (e topicEncoder) Width() int { return e.width }

func (e topicEncoder) Vectors(_ context.Context, in []assessment.ClassifierInput) ([][]float32, error) {
	out := make([][]float32, len(in))
	for i, one := range in {
		longest := ""
		for w := range strings.FieldsSeq(strings.ToLower(one.Text)) {
			if len(w) > len(longest) {
				longest = w
			}
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(longest))
		random := rand.New(rand.NewPCG(h.Sum64(), 1))
		out[i] = make([]float32, e.width)
		for k := range out[i] {
			out[i][k] = float32(random.NormFloat64())
		}
	}
	return out, e.fail
}

func index(t testing.TB, e assessment.Encoder, answers []training.Answer) *training.Index {
	t.Helper()
	stored, err := training.Encode(t.Context(), e, answers)
	if err != nil {
		t.Fatal(err)
	}
	return training.NewIndex(e, stored)
}

func suggest(t testing.TB, x *training.Index, q training.Query) []training.Suggestion {
	t.Helper()
	got, err := x.Suggest(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestSuggestFinds counts how often the fitting answer comes first, and holds that nothing is suggested beside the point.
func TestSuggestFinds(t *testing.T) {
	t.Parallel()
	t.Run("words and vectors", func(t *testing.T) { finds(t, realEncoder(t), 17) })
	t.Run("words alone", func(t *testing.T) { finds(t, nil, 14) })
}

// finds asks all messages; least is how many of the 20 that have an answer must find it.
func finds(t *testing.T, e assessment.Encoder, least int) {
	x, first := index(t, e, approved()), 0
	for _, q := range slices.Sorted(maps.Keys(asked())) {
		want, got := asked()[q], suggest(t, x, training.Query{Message: q})
		switch {
		case len(got) == 0:
		case got[0].Answer.ID != want:
			t.Errorf("%q gives %s with %v, want %q", q, got[0].Answer.ID, got[0].Score, want)
		default:
			first++
		}
	}
	if first < least {
		t.Errorf("the fitting answer first for %d of 20 messages, want %d", first, least)
	}
}

func TestSuggestOptions(t *testing.T) {
	t.Parallel()
	x := index(t, nil, approved())
	parcel := "My parcel has not arrived, and the last one arrived damaged."
	all := suggest(t, x, training.Query{Message: parcel})
	if len(all) < 2 || all[0].Score < all[1].Score || all[0].Meaning != nil || len(all[0].Shared) == 0 || !strings.Contains(all[0].Why.EN, all[0].Shared[0]) {
		t.Fatalf("Suggest = %+v", all)
	}
	if got := suggest(t, x, training.Query{Message: parcel, K: 1}); len(got) != 1 {
		t.Errorf("K of 1 gives %d", len(got))
	}
	if got := suggest(t, x, training.Query{Message: parcel, Tags: []string{"delivery", "quality"}}); len(got) != 1 || got[0].Answer.ID != "broken" {
		t.Errorf("by tags: %+v", got)
	}
	if got := suggest(t, x, training.Query{Message: "我的快递还没到"}); len(got) == 0 || got[0].Answer.Lang != "zh" {
		t.Errorf("a Chinese message: %+v", got)
	}
	for _, q := range []training.Query{{Message: parcel, Lang: "zh"}, {Message: ""}, {Message: " \x00\xff"}, {Message: "!!!"}, {Message: strings.Repeat("the and of ", 500)}} {
		if got := suggest(t, x, q); len(got) != 0 {
			t.Errorf("Suggest(%.20q) = %+v, want nothing", q.Message, got)
		}
	}
	if got := suggest(t, index(t, nil, nil), training.Query{Message: parcel}); got == nil || len(got) != 0 {
		t.Errorf("no answers: %+v", got)
	}
}

// TestSuggestProperties: an answer's own question finds it first with a full score, scores lie in [0, 1] and fall, and the
// order in which answers are listed changes no score.
func TestSuggestProperties(t *testing.T) {
	t.Parallel()
	e := topicEncoder{width: 32}
	answers := approved()
	x := index(t, e, answers)
	slices.Reverse(answers)
	turned := index(t, e, answers)
	for _, a := range answers {
		got := suggest(t, x, training.Query{Message: a.Question, Lang: a.Lang, K: 10})
		if len(got) == 0 || got[0].Answer.ID != a.ID || *got[0].Meaning < 0.99 {
			t.Errorf("%s by its own question: %+v", a.ID, got)
		}
		for i, s := range got {
			if s.Score < 0 || s.Score > 1 || s.Words < 0 || s.Words > 1 || i > 0 && s.Score > got[i-1].Score {
				t.Errorf("%s: suggestion %d of %+v", a.ID, i, got)
			}
		}
		again := suggest(t, turned, training.Query{Message: a.Question, Lang: a.Lang, K: 10})
		if len(again) != len(got) || again[0].Answer.ID != got[0].Answer.ID {
			t.Errorf("%s: another order of answers changes what is found", a.ID)
		}
	}
}

func TestEncoderFaultsAndForeignVectors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := training.Encode(t.Context(), topicEncoder{8, broken}, approved()); !errors.Is(err, broken) {
		t.Errorf("Encode: %v", err)
	}
	stored, err := training.Encode(t.Context(), topicEncoder{width: 8}, approved())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := training.NewIndex(topicEncoder{8, broken}, stored).Suggest(t.Context(), training.Query{Message: "my parcel"}); !errors.Is(err, broken) {
		t.Errorf("Suggest: %v", err)
	}
	// Vectors of another width or encoder must not be mixed with those of this one.
	got := suggest(t, training.NewIndex(topicEncoder{width: 16}, stored), training.Query{Message: "Where is my parcel?"})
	if len(got) == 0 || got[0].Meaning != nil {
		t.Errorf("with foreign vectors: %+v", got)
	}
	few := suggest(t, index(t, topicEncoder{width: 8}, approved()[:7]), training.Query{Message: "Where is my parcel?"})
	if len(few) == 0 || few[0].Meaning != nil {
		t.Errorf("with seven answers: %+v", few)
	}
	if got := suggest(t, index(t, topicEncoder{}, approved()), training.Query{Message: "Where is my parcel?"}); len(got) == 0 || got[0].Meaning != nil {
		t.Errorf("with an encoder without vectors: %+v", got)
	}
}

func TestReadAnswers(t *testing.T) {
	t.Parallel()
	line := func(id, lang, question, answer, tags string) string {
		return fmt.Sprintf(`{"id":%q,"lang":%q,"question":%q,"answer":%q,"tags":[%s]}`, id, lang, question, answer, tags)
	}
	good := line("a", "en", "q", "a", `"x"`)
	got, err := training.ReadAnswers(strings.NewReader(good + "\n\n" + `{"id":"b","lang":"zh","question":"问","answer":"答"}`))
	if err != nil || len(got) != 2 || got[0].Tags[0] != "x" || got[1].Answer != "答" {
		t.Fatalf("ReadAnswers = %+v, %v", got, err)
	}
	long := strings.Repeat("字", 4001)
	for name, tc := range map[string]struct {
		text, pointer string
		line          int
	}{
		"not JSON":       {good + "\n{", "", 2},
		"no id":          {line("", "en", "q", "a", ""), "/id", 1},
		"id twice":       {good + "\n\n" + good, "/id", 3},
		"language":       {line("a", "fr", "q", "a", ""), "/lang", 1},
		"no question":    {line("a", "en", "", "a", ""), "/question", 1},
		"long answer":    {line("a", "en", "q", long, ""), "/answer", 1},
		"empty tag":      {line("a", "en", "q", "a", `""`), "/tags", 1},
		"many tags":      {line("a", "en", "q", "a", strings.Repeat(`"x",`, 16)+`"x"`), "/tags", 1},
		"unknown member": {`{"id":"a","lang":"en","question":"q","answer":"a","secret":1}`, "/secret", 1},
		"number":         {`{"id":1,"lang":"en","question":"q","answer":"a"}`, "/id", 1},
		"line too long":  {good + "\n" + line("b", "en", strings.Repeat("a", 70_000), "a", ""), "", 2},
	} {
		_, err := training.ReadAnswers(strings.NewReader(tc.text))
		at, ok := errors.AsType[*training.LineError](err)
		field, _ := errors.AsType[*schemas.FieldError](err)
		if !ok || at.Line != tc.line || field == nil || field.Pointer != tc.pointer || !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("%s: %v, want line %d, %q", name, err, tc.line, tc.pointer)
		}
	}
	var many strings.Builder
	for n := range training.MaxAnswers + 1 {
		many.WriteString(line(fmt.Sprint(n), "en", "q", "a", "") + "\n")
	}
	if _, err := training.ReadAnswers(strings.NewReader(many.String())); !errors.Is(err, training.ErrTooManyAnswers) {
		t.Errorf("too many: %v", err)
	}
}

// FuzzReadAnswers: what is read keeps within the bounds and reads again to the same after it was written.
func FuzzReadAnswers(f *testing.F) {
	f.Add(`{"id":"a","lang":"en","question":"q","answer":"a","tags":["x"]}` + "\n")
	f.Add("\n{}\n")
	f.Fuzz(func(t *testing.T, in string) {
		answers, err := training.ReadAnswers(strings.NewReader(in))
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for _, a := range answers {
			if ids[a.ID] || a.ID == "" || a.Lang != "en" && a.Lang != "zh" {
				t.Errorf("answer %+v of %q", a, in)
			}
			ids[a.ID] = true
		}
		for _, s := range suggest(t, index(t, nil, answers), training.Query{Message: in}) {
			if s.Score < 0 || s.Score > 1 {
				t.Errorf("score %v", s.Score)
			}
		}
	})
}

// BenchmarkSuggest is one message against ten thousand answers. The encoder's own time is measured in assessment/onnx.
func BenchmarkSuggest(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	words := make([]string, 3000)
	for i := range words {
		words[i] = fmt.Sprintf("w%c%c%d", 'a'+random.IntN(26), 'a'+random.IntN(26), i)
	}
	answers := make([]training.Answer, training.MaxAnswers)
	for i := range answers {
		var q []string
		for range 12 {
			q = append(q, words[int(float64(len(words))*random.Float64()*random.Float64())])
		}
		answers[i] = training.Answer{ID: fmt.Sprint(i), Lang: "en", Question: strings.Join(q, " "), Answer: "a"}
	}
	x := index(b, topicEncoder{width: 384}, answers)
	b.ResetTimer()
	for i := range b.N {
		if _, err := x.Suggest(b.Context(), training.Query{Message: answers[i%len(answers)].Question, Lang: "en"}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
