package assessment_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
)

// labelled is one row of the fake classifier: a text that contains Phrase has these outputs.
type labelled struct {
	phrase string
	head   string
	label  string
}

// fakeClassifier labels texts by rows. It stands for the model in tests of the maths around it, and nowhere else.
type fakeClassifier struct {
	rows   []labelled
	spoil  func(assessment.Scores) // breaks answers
	fail   error
	calls  int
	inputs int
	info   func(*assessment.ModelInfo)
}

func (f *fakeClassifier) Info() assessment.ModelInfo {
	info := assessment.ModelInfo{
		ID: "fake", SHA256: strings.Repeat("ab", 32), Runtime: "test", Scale: "v0-provisional", Labels: map[string][]string{},
		ErrorRates: map[string]map[string][2]float64{},
	}
	for head, labels := range assessment.KnownLabels() {
		info.Labels[head] = labels
		if labels == nil {
			info.Labels[head] = []string{"yes"}
		}
	}
	for _, facet := range []string{"SA1", "SA2", "SA3", "SM1", "SM2", "SM3", "SM4", "SO1", "SO2", "SO3", "SK1", "SK2", "SK3", "SK4", "SK5"} {
		info.ErrorRates[facet] = map[string][2]float64{"en": {0.85, 0.15}, "zh": {0.85, 0.15}}
	}
	if f.info != nil {
		f.info(&info)
	}
	return info
}

func (f *fakeClassifier) Classify(_ context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	f.calls++
	f.inputs += len(in)
	if f.fail != nil {
		return nil, f.fail
	}
	info := f.Info()
	out := make([]assessment.Scores, len(in))
	for i, x := range in {
		s := assessment.Scores{}
		for head, labels := range info.Labels {
			v := make([]float64, len(labels))
			switch head {
			case assessment.HeadER, assessment.HeadIP, assessment.HeadEX, assessment.HeadHostility:
				v[0] = 0.95
				spread(v, 0, 0.05)
			case assessment.HeadPoliteness:
				v[1] = 0.9
				spread(v, 1, 0.1)
			case assessment.HeadAct:
				v[len(v)-1] = 0.8
				spread(v, len(v)-1, 0.2)
			case assessment.HeadEmotion:
				v[len(v)-1] = 0.9
			case assessment.HeadRelevance:
				v[0] = 0.9
			default:
				for k := range v {
					v[k] = 0.05
				}
			}
			s[head] = v
		}
		for _, row := range f.rows {
			if strings.Contains(strings.ToLower(x.Text), row.phrase) {
				f.set(s, info, row)
			}
		}
		if f.spoil != nil {
			f.spoil(s)
		}
		out[i] = s
	}
	return out, nil
}

func spread(v []float64, skip int, rest float64) {
	for k := range v {
		if k != skip {
			v[k] = rest / float64(len(v)-1)
		}
	}
}

func (f *fakeClassifier) set(s assessment.Scores, info assessment.ModelInfo, row labelled) {
	labels := info.Labels[row.head]
	v := s[row.head]
	switch row.head {
	case assessment.HeadVA:
		v[0] = map[string]float64{"up": 0.6, "down": -0.6}[row.label]
		return
	case assessment.HeadEmotion:
		v[len(v)-1] = 0.08
		for k, l := range labels {
			if l == row.label {
				v[k] = 0.92
			}
		}
		return
	}
	if len(labels) == 1 {
		v[0] = map[string]float64{"yes": 0.93, "no": 0.04}[row.label]
		return
	}
	for k, l := range labels {
		v[k] = 0.08 / float64(len(labels)-1)
		if l == row.label {
			v[k] = 0.92
		}
	}
}

// rows are the labelled phrases of the conversations below.
func rows() []labelled {
	var out []labelled
	for _, x := range []struct{ phrase, labels string }{
		{"dog passed away", "emotion=sadness distress=yes va=down"},
		{"everything went wrong", "emotion=sadness distress=yes va=down"},
		{"一个人吃饭", "emotion=sadness distress=yes va=down"},
		{"got the job", "emotion=joy va=up"},
		{"you idiot", "hostility=strong emotion=anger va=down"},
		{"蠢透了", "hostility=strong emotion=anger va=down"},
		{"sorry", "er=strong act=comfort politeness=polite"},
		{"难过", "er=strong act=comfort ip=strong"},
		{"holding up", "ex=strong"},
		{"sounds really hard", "ip=strong act=comfort er=weak emotion=sadness"},
		{"congratulations", "emotion=joy act=praise politeness=polite va=up ip=weak"},
		{"let us look at it together", "act=offer_or_coordinate politeness=polite reappraisal=yes"},
		{"一起看看", "act=offer_or_coordinate politeness=polite reappraisal=yes"},
		{"i feel disappointed", "self_naming=yes emotion=sadness reappraisal=yes"},
		{"i feel relieved", "self_naming=yes emotion=relief_calm"},
		{"我有点失落", "self_naming=yes emotion=sadness"},
		{"thank you, that helps", "emotion=gratitude va=up"},
		{"whatever", "politeness=impolite act=irony_or_undervalue hostility=mild ctx_ignore=yes relevance=yes"},
		{"shut up", "hostility=severe politeness=impolite ctx_escalate=yes act=command"},
	} {
		for _, l := range strings.Fields(x.labels) {
			head, label, _ := strings.Cut(l, "=")
			out = append(out, labelled{x.phrase, head, label})
		}
	}
	return out
}

// scriptLanguage detects the language by script; French stands for the others.
func scriptLanguage(s string) (string, float64) {
	if strings.Contains(s, "bonjour") {
		return "fr", 0.95
	}
	for _, c := range s {
		if unicode.Is(unicode.Han, c) {
			return "zh", 0.99
		}
	}
	return "en", 0.99
}

// script writes a batch as JSON Lines.
type script struct {
	b   strings.Builder
	n   int
	now time.Time
}

func newScript() *script {
	s := &script{now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	s.line(map[string]any{"type": "consent", "actor": "u7", "purposes": []string{"process", "score", "issue", "automated"}, "adult": true, "policy": "2026-01", "expires": "2026-12-31T00:00:00Z"})
	return s
}

func (s *script) line(m map[string]any) string {
	s.n++
	s.now = s.now.Add(20 * time.Second)
	id := fmt.Sprintf("m%04d", s.n)
	m["v"], m["id"], m["ts"], m["platform"] = 1, id, s.now.Format(time.RFC3339), "plaza-vr"
	line, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	s.b.Write(line)
	s.b.WriteByte('\n')
	return id
}

func (s *script) say(conversation, actor, text string) string {
	return s.line(map[string]any{"type": "message", "conversation": conversation, "actor": actor, "text": text, "scene": map[string]string{"id": "lobby", "kind": "social"}})
}

func (s *script) prompt(conversation, id, text, answer string) {
	scene := map[string]string{"id": "lab", "kind": "assessment"}
	s.line(map[string]any{"type": "message", "conversation": conversation, "actor": "npc1", "role": "npc", "prompt": id, "text": text, "scene": scene})
	s.line(map[string]any{"type": "message", "conversation": conversation, "actor": "u7", "text": answer, "scene": scene})
}

// rich is a batch that can certify: many days, people and scenes, in both languages. skilled 1 always does the better
// thing, 0 never.
func rich(skilled float64) *script {
	s := newScript()
	good := func(k int, better, worse string) string {
		if math.Mod(float64(k)*0.618, 1) < skilled {
			return better
		}
		return worse
	}
	serial := 0
	for k := range 60 {
		s.now = time.Date(2026, 1, 5+k%40, 9+k%8, 0, 0, 0, time.UTC).Add(time.Duration(k) * time.Minute)
		conv, friend := fmt.Sprintf("r%d", k), fmt.Sprintf("f%d", k%8)
		next := func() string { serial++; return filler(serial) }
		s.say(conv, friend, "My dog passed away this morning."+next())
		s.say(conv, "u7", good(k, "I'm so sorry, that sounds really hard. How are you holding up?", "whatever, it is late")+next())
		s.say(conv, friend, good(k, "thank you, that helps", "ok")+next())
		conv += "b"
		s.say(conv, friend, "You idiot, you broke the whole round."+next())
		s.say(conv, "u7", good(k+1, "I see why you are cross, let us look at it together.", "shut up yourself")+next())
		s.say(conv, friend, "fine."+next())
		conv += "c"
		s.say(conv, friend, "How are you feeling after the match?"+next())
		s.say(conv, "u7", good(k+2, "I feel disappointed because we trained so long for it.", "do not ask me")+next())
		lang := [2]string{"zh", "en"}[k/10%2] // the same prompt counts three times at most
		s.prompt(fmt.Sprintf("lab%d", k), fmt.Sprintf("%s-so-%02d", lang, k%7+1), "我搬来三个月了，每天中午还是一个人吃饭。", good(k, "听起来你真的很难过，想聊聊吗？", "哦")+next())
		s.prompt(fmt.Sprintf("lab%dm", k), fmt.Sprintf("%s-sm-%02d", lang, k%7+1), "你这主意蠢透了！", good(k+3, "我们一起看看哪里可以改吧。", "shut up 你才蠢")+next())
		s.prompt(fmt.Sprintf("lab%da", k), fmt.Sprintf("%s-sa-%02d", lang, k%10+1), "你现在感觉怎么样？", good(k+4, "我有点失落，因为我准备了很久。", "没感觉，别问")+next())
	}
	return s
}

// filler is a tail that makes no two texts near copies.
func filler(n int) string {
	rng := rand.New(rand.NewPCG(uint64(n), 9))
	var b strings.Builder
	for range 14 {
		b.WriteByte(' ')
		for range 3 {
			b.WriteByte("bdfgklmnprstvz"[rng.IntN(14)])
			b.WriteByte("aeiou"[rng.IntN(5)])
		}
	}
	return b.String()
}

func (s *script) read(t testing.TB) evidence.Batch {
	t.Helper()
	b, issues, err := evidence.Read(strings.NewReader(s.b.String()), evidence.Options{
		Now: func() time.Time { return time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC) }, NewSalt: func() [16]byte { return [16]byte{1} },
	})
	if err != nil {
		t.Fatalf("Read: %v (%v)", err, issues)
	}
	return b
}

func assess(t testing.TB, c *fakeClassifier, b evidence.Batch) assessment.Report {
	t.Helper()
	a, err := assessment.New(assessment.Config{Classifier: c, Language: scriptLanguage})
	if err != nil {
		t.Fatal(err)
	}
	reports, err := a.Assess(t.Context(), b)
	if err != nil {
		t.Fatalf("Assess: %v", err)
	}
	if len(reports) != 1 {
		t.Fatalf("Assess gave %d reports, want 1", len(reports))
	}
	return reports[0]
}
