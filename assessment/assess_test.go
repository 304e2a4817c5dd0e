package assessment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/schemas"
)

func TestRichBatch(t *testing.T) {
	t.Parallel()
	b := rich(0.7).read(t)
	r := assess(t, &fakeClassifier{rows: rows()}, b)
	certified := 0
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if rep.Status != assessment.StatusScored || rep.Level == nil || len(rep.Evidence) == 0 {
			t.Errorf("%s: %+v, want scored with level and evidence", d, rep)
			continue
		}
		if *rep.Score < rep.Interval90[0] || *rep.Score > rep.Interval90[1] {
			t.Errorf("%s: score %v outside %v", d, *rep.Score, *rep.Interval90)
		}
		if rep.Certifiable != nil {
			certified++
		}
	}
	if certified < 2 || r.Overall.Status != assessment.StatusScored || r.Overall.Score == nil {
		t.Errorf("%d certifiable, overall %+v", certified, r.Overall)
	}
	for _, it := range r.Items {
		if strings.Contains(it.Conversation+it.Counterpart, "f1") && len(it.Conversation) != 32 {
			t.Errorf("item %+v names somebody", it)
		}
	}
	if len(r.Caveats) != 2 || r.Caveats[0] != assessment.CaveatProvisionalScale || r.Caveats[1] != assessment.CaveatProvisionalRates {
		t.Errorf("caveats %v", r.Caveats)
	}
}

func TestSameBytes(t *testing.T) {
	t.Parallel()
	b := rich(0.7).read(t)
	var last []byte
	for _, batch := range []int{1, 7, 256} {
		a, err := assessment.New(assessment.Config{Classifier: &fakeClassifier{rows: rows()}, Language: scriptLanguage, MaxBatch: batch})
		if err != nil {
			t.Fatal(err)
		}
		reports, err := a.Assess(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		j, err := reports[0].JSON()
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && !bytes.Equal(last, j) {
			t.Errorf("batches of %d gave other bytes", batch)
		}
		last = j
	}
}

// The documented form: these names, in this order.
func TestReportForm(t *testing.T) {
	t.Parallel()
	j, err := assess(t, &fakeClassifier{rows: rows()}, rich(0.7).read(t)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, name := range []string{
		`"schema":"dei-assessment/1"`, `"subject"`, `"platforms"`, `"window":{"from"`, `"to"`, `"model":{"id"`, `"sha256"`, `"runtime"`, `"scale"`,
		`"dimensions"`, `"self_awareness":{"status"`, `"score"`, `"interval90"`, `"sem"`, `"level"`, `"certifiable"`, `"p_level":{"developing"`, `"proficient"`, `"advanced"`,
		`"opportunities"`, `"effective"`, `"conversations"`, `"counterparts"`, `"days"`, `"share_present"`, `"facets":{"SA1":{"mean"`, `"n"`, `"info"`,
		`"evidence":[{"message"`, `"quote"`, `"facet"`, `"direction"`, `"contribution"`, `"highlights":[[`, `"reasons"`,
		`"self_management"`, `"social_awareness"`, `"social_skills"`, `"overall":{"status"`, `"quality":{"messages"`, `"scored"`, `"languages":{"en"`, `"dropped"`, `"near_copies"`, `"caveats"`,
	} {
		i := strings.Index(string(j[at:]), name)
		if i < 0 {
			t.Fatalf("report lacks %s after byte %d: %s", name, at, j[at:min(len(j), at+200)])
		}
		at += i
	}
}

func TestThinEvidence(t *testing.T) {
	t.Parallel()
	s := newScript()
	s.say("r1", "f1", "My dog passed away this morning.")
	s.say("r1", "u7", "I'm so sorry. How are you holding up?")
	r := assess(t, &fakeClassifier{rows: rows()}, s.read(t))
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if rep.Status != assessment.StatusInsufficient || rep.Score != nil || rep.Level != nil || rep.PLevel != nil || len(rep.Reasons) == 0 {
			t.Errorf("%s: %+v, want insufficient evidence without a number", d, rep)
		}
		for _, why := range rep.Reasons {
			if why.EN == "" || why.ZH == "" || strings.Contains(why.EN+why.ZH, "{") {
				t.Errorf("%s: reason %+v", d, why)
			}
		}
	}
	if r.Overall.Status != assessment.StatusPartial || r.Overall.Score != nil {
		t.Errorf("overall %+v", r.Overall)
	}
	if a, err := assessment.Attestation(r, assessment.AttestationOptions{}); err != nil || len(a.Levels) != 0 {
		t.Errorf("Attestation = %+v, %v, want no level", a.Levels, err)
	}
}

func TestModelFaults(t *testing.T) {
	t.Parallel()
	b := rich(0.7).read(t)
	social := []schemas.Dimension{schemas.DimensionSocialAwareness}
	for name, c := range map[string]struct {
		classifier *fakeClassifier
		gone       []schemas.Dimension
	}{
		"error":           {&fakeClassifier{fail: errors.New("no device")}, schemas.Dimensions()},
		"not a number":    {&fakeClassifier{spoil: func(s assessment.Scores) { s[assessment.HeadIP][1] = math.NaN() }}, social},
		"over one":        {&fakeClassifier{spoil: func(s assessment.Scores) { s[assessment.HeadCtxIgnore][0] = 1.5 }}, social},
		"negative":        {&fakeClassifier{spoil: func(s assessment.Scores) { s[assessment.HeadER][0] = -0.5 }}, social},
		"infinite":        {&fakeClassifier{spoil: func(s assessment.Scores) { s[assessment.HeadEmotion][0] = math.Inf(1) }}, schemas.Dimensions()},
		"too short":       {&fakeClassifier{spoil: func(s assessment.Scores) { s[assessment.HeadEX] = s[assessment.HeadEX][:1] }}, social},
		"head left out":   {&fakeClassifier{spoil: func(s assessment.Scores) { delete(s, assessment.HeadIP) }}, social},
		"head undeclared": {&fakeClassifier{info: func(i *assessment.ModelInfo) { delete(i.Labels, assessment.HeadDistress) }}, social},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.classifier.rows = rows()
			r := assess(t, c.classifier, b)
			for _, d := range c.gone {
				rep := r.Dimensions[d]
				if rep.Status != assessment.StatusUnavailable || rep.Score != nil || rep.Level != nil || len(rep.Facets) != 0 || len(rep.Evidence) != 0 {
					t.Errorf("%s: %+v, want unavailable", d, rep)
				}
			}
			if j, err := r.JSON(); err != nil || bytes.Contains(j, []byte("NaN")) {
				t.Errorf("JSON: %v", err)
			}
		})
	}
}

// Nothing but the day may come from time stamps: faster or slower replies change no byte.
func TestReplyTimeIsNotUsed(t *testing.T) {
	t.Parallel()
	text := rich(0.7).b.String()
	stamp := regexp.MustCompile(`:(\d\d)Z"`)
	quick := stamp.ReplaceAllString(text, `:59Z"`)
	if quick == text {
		t.Fatal("the times did not change")
	}
	read := func(in string) []byte {
		o := evidence.Options{NewSalt: func() [16]byte { return [16]byte{1} }}
		b, _, err := evidence.Read(strings.NewReader(in), o)
		if err != nil {
			t.Fatal(err)
		}
		j, _ := assess(t, &fakeClassifier{rows: rows()}, b).JSON()
		return j
	}
	if !bytes.Equal(read(text), read(quick)) {
		t.Error("other seconds gave another report")
	}
}

func TestSilenceIsNotScored(t *testing.T) {
	t.Parallel()
	s := rich(0.7)
	want := len(assess(t, &fakeClassifier{rows: rows()}, s.read(t)).Items)
	for range 30 {
		s.say("quiet", "f1", "My dog passed away this morning. You idiot.")
	}
	if got := len(assess(t, &fakeClassifier{rows: rows()}, s.read(t)).Items); got != want {
		t.Errorf("unanswered messages made %d items", got-want)
	}
}

func TestOtherLanguage(t *testing.T) {
	t.Parallel()
	s := rich(0.7)
	for k := range 260 {
		s.say("fr", "u7", "bonjour tout le monde"+filler(5000+k))
	}
	r := assess(t, &fakeClassifier{rows: rows()}, s.read(t))
	for _, d := range schemas.Dimensions() {
		if rep := r.Dimensions[d]; rep.Status != assessment.StatusInsufficient || rep.Reasons[0].Code != assessment.ReasonLanguage {
			t.Errorf("%s: %s %+v, want language_coverage", d, rep.Status, rep.Reasons)
		}
	}
}

func TestCopiedText(t *testing.T) {
	t.Parallel()
	counts := assessment.CopyCount(append(repeat("I'm so sorry to hear that, how are you holding up?", 100), "Something entirely different is written here."))
	weight := 0.0
	for _, k := range counts[:100] {
		weight += 1 / float64((1+k)*(1+k))
	}
	if weight > 2 || counts[99] != 99 || counts[100] != 0 {
		t.Errorf("100 copies weigh %.2f, counts %v", weight, counts[95:])
	}
	near := assessment.CopyCount([]string{"I'm so sorry to hear that, how are you holding up?", "i'm so sorry to hear that - how are you holding up??", "I am quite cross with all of you today"})
	if near[1] != 1 || near[2] != 0 {
		t.Errorf("near copies %v", near)
	}
	s := newScript()
	for k := range 40 {
		s.say("r"+filler(k), "f1", "My dog passed away this morning."+filler(k))
		s.say("r"+filler(k), "u7", "I'm so sorry. How are you holding up?")
	}
	r := assess(t, &fakeClassifier{rows: rows()}, s.read(t))
	if rep := r.Dimensions[schemas.DimensionSocialAwareness]; rep.Status != assessment.StatusWithheld || rep.Reasons[0].Code != assessment.ReasonCopied {
		t.Errorf("one sentence 40 times: %s %v", rep.Status, rep.Reasons)
	}
}

func repeat(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

func TestCarePath(t *testing.T) {
	t.Parallel()
	s := rich(0.7)
	s.say("dark", "f1", "How are you feeling?")
	s.say("dark", "u7", "I feel disappointed, I want to die.")
	r := assess(t, &fakeClassifier{rows: rows()}, s.read(t))
	j, _ := r.JSON()
	if bytes.Contains(j, []byte("want to die")) {
		t.Error("a message of the care path is quoted")
	}
	if r.Caveats[len(r.Caveats)-1] != assessment.CaveatCarePath {
		t.Errorf("caveats %v", r.Caveats)
	}
	view, _ := r.PlatformView().JSON()
	if bytes.Contains(view, []byte("care_path")) || bytes.Contains(view, []byte("quote")) || bytes.Contains(view, []byte(`"score":7`)) {
		t.Errorf("the platform's view tells too much: %s", view)
	}
	var page bytes.Buffer
	if err := assessment.RenderPage(&page, r, assessment.HTMLOptions{Lang: "en", HelpText: "Call 000."}); err != nil || !strings.Contains(page.String(), "Call 000.") {
		t.Errorf("help text is missing: %v", err)
	}
}

func TestOneCounterpartAndOneDay(t *testing.T) {
	t.Parallel()
	var honest, colluding []assessment.SimItem
	for k := range 100 {
		it := assessment.SimItem{Facet: "SO1", Y: 0.3, W: 1, Cluster: uint32(k), Counterpart: uint32(k % 10), Day: uint16(20000 + k%20)}
		honest = append(honest, it)
	}
	colluding = append(colluding, honest...)
	for k := range 900 {
		colluding = append(colluding, assessment.SimItem{Facet: "SO1", Y: 0.9, W: 1, Cluster: uint32(1000 + k), Counterpart: 99, Day: uint16(20000 + k%20)})
	}
	for _, f := range []string{"SO2", "SO3"} {
		for k := range 100 {
			x := honest[k]
			x.Facet = f
			honest, colluding = append(honest, x), append(colluding, x)
		}
	}
	plain := assessment.Simulate(simInfo(), schemas.DimensionSocialAwareness, honest, 1)
	capped := assessment.Simulate(simInfo(), schemas.DimensionSocialAwareness, colluding, 1)
	// Nine hundred perfect answers to one friend hardly move what a hundred to ten others say.
	if gain := *capped.Score - *plain.Score; gain > 3 {
		t.Errorf("one friend moved the score by %.1f", gain)
	}
}

// A counterpart who differs as chance lets ten differ weighs in full, and so does everybody when there are few of them.
func TestOneCounterpartWithinChance(t *testing.T) {
	t.Parallel()
	for _, people := range []int{3, 10} {
		var items []assessment.SimItem
		for k := range 120 {
			for _, f := range []string{"SO1", "SO2", "SO3"} {
				y := 0.2 + 0.6*float64(k*7%10)/9
				if people == 3 && k%people == 0 {
					y = 0.95
				}
				items = append(items, assessment.SimItem{Facet: f, Y: y, W: 1, Cluster: uint32(k), Counterpart: uint32(k / 2 % people), Day: uint16(20000 + k%20)})
			}
		}
		rep := assessment.Simulate(simInfo(), schemas.DimensionSocialAwareness, items, 1)
		if rep.Effective < 118 {
			t.Errorf("%d counterparts: 120 equal items weigh as %.1f", people, rep.Effective)
		}
	}
}

func TestStockPhrases(t *testing.T) {
	t.Parallel()
	said, uses := assessment.StockTake([]string{
		"I am always here for you. Your exam was hard, what went wrong?",
		"I am always here for you! Did the doctor call?",
		"ok. I am always here for you.",
		"ok. ok. Thanks!",
		"我会一直陪着你。你奶奶现在怎么样了？",
		"我会一直陪着你。",
	})
	wantSaid := []string{
		"I am always here for you. Your exam was hard, what went wrong?", "Did the doctor call?", "ok. I am always here for you.", "ok. ok. Thanks!",
		"我会一直陪着你。你奶奶现在怎么样了？", "我会一直陪着你。",
	}
	wantUses := []int{0, 0, 2, 0, 0, 1}
	for i := range said {
		if said[i] != wantSaid[i] || uses[i] != wantUses[i] {
			t.Errorf("message %d: %q used %d, want %q used %d", i, said[i], uses[i], wantSaid[i], wantUses[i])
		}
	}
}

// An insult that is used again and again is a stock phrase and counts all the same.
func TestRepeatedInsultCounts(t *testing.T) {
	t.Parallel()
	labels := append(rows(), labelled{"utter fool", assessment.HeadHostility, "strong"})
	uncivil := func(s *script) (n int) {
		for _, it := range assess(t, &fakeClassifier{rows: labels}, s.read(t)).Items {
			if it.Facet == "SK5" && it.Outcome < 0.2 {
				n++
			}
		}
		return n
	}
	s := rich(0.7)
	before := uncivil(s)
	for k := range 4 {
		s.say("idle"+filler(k), "f1", "The map opens at nine."+filler(k))
		s.say("idle"+filler(k), "u7", "You are an utter fool. The vendor sells rope and lamps"+filler(k))
	}
	if more := uncivil(s) - before; more != 4 {
		t.Errorf("%d messages more are uncivil, want the four with the insult", more)
	}
}

// Warmth to others in idle talk is no episode of one's own feelings, and opens nothing.
func TestWarmthOpensNoEpisode(t *testing.T) {
	t.Parallel()
	labels := append(rows(), labelled{"proud of all of you", assessment.HeadEmotion, "pride_admiration"}, labelled{"proud of all of you", assessment.HeadAct, "praise"})
	s := rich(0.7)
	before := assess(t, &fakeClassifier{rows: labels}, s.read(t))
	for k := range 6 {
		s.say("idle"+filler(k), "f1", "The map opens at nine."+filler(k))
		s.say("idle"+filler(k), "u7", "So proud of all of you"+filler(k))
	}
	after := assess(t, &fakeClassifier{rows: labels}, s.read(t))
	count := func(r assessment.Report) (n int) {
		for _, it := range r.Items {
			if it.Facet == "SA1" {
				n++
			}
		}
		return n
	}
	if a, b := count(before), count(after); a == 0 || a != b {
		t.Errorf("SA1 items %d before and %d after", a, b)
	}
}

func TestAssessRefuses(t *testing.T) {
	t.Parallel()
	a, err := assessment.New(assessment.Config{Classifier: &fakeClassifier{}})
	if err != nil {
		t.Fatal(err)
	}
	receipt := evidence.Receipt{Subject: "u", Purposes: []string{"process", "score"}, Adult: true}
	young, silent := receipt, receipt
	young.Adult = false
	silent.Purposes = []string{"process"}
	for name, c := range map[string]struct {
		batch evidence.Batch
		want  error
	}{
		"no receipt": {evidence.Batch{}, evidence.ErrNoConsent},
		"underage":   {evidence.Batch{Receipts: []evidence.Receipt{young}}, evidence.ErrUnderage},
		"no scoring": {evidence.Batch{Receipts: []evidence.Receipt{silent}}, evidence.ErrNoConsent},
	} {
		if _, err := a.Assess(t.Context(), c.batch); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := assessment.New(assessment.Config{}); err == nil {
		t.Error("New without a classifier must fail")
	}
}

func TestPrompts(t *testing.T) {
	t.Parallel()
	bank, err := assessment.Prompts()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "zh"} {
		count := map[schemas.Dimension]int{}
		for _, p := range bank.All(lang) {
			count[p.Dimension]++
			if p.Difficulty < 1 || p.Difficulty > 3 || !strings.HasPrefix(p.ID, lang+"-") {
				t.Errorf("prompt %+v", p)
			}
		}
		for _, d := range schemas.Dimensions() {
			if count[d] != 10 {
				t.Errorf("%s has %d prompts for %s, want 10", lang, count[d], d)
			}
		}
	}
}

// A prompt that is not in the bank, or not sent by an npc of an assessment scene, opens no gate of its own.
func TestUnknownPrompt(t *testing.T) {
	t.Parallel()
	s := newScript()
	for k := range 30 {
		s.prompt("lab"+filler(k), "not-in-the-bank", "你现在感觉怎么样？", "我有点失落。"+filler(k))
	}
	if r := assess(t, &fakeClassifier{rows: rows()}, s.read(t)); len(r.Items) != 0 {
		t.Errorf("%d items from unknown prompts", len(r.Items))
	}
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	r := assess(t, &fakeClassifier{rows: rows()}, rich(0.7).read(t))
	b, err := assessment.EncodeReport(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := assessment.DecodeReport(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := assessment.EncodeReport(back)
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("stored form changes: %v", err)
	}
	if back.ID != r.ID || len(back.Provenance.BatchDigests) != 1 || !json.Valid(b) {
		t.Errorf("provenance %+v", back.Provenance)
	}
}

// A prompt is retired for a person who has answered it three times.
func TestPromptIsRetired(t *testing.T) {
	t.Parallel()
	s := newScript()
	for k := range 8 {
		s.prompt("lab"+filler(k), "zh-sm-01", "你到底会不会玩啊？", "我们一起看看哪里可以改吧。"+filler(k))
	}
	composure := 0
	for _, it := range assess(t, &fakeClassifier{rows: rows()}, s.read(t)).Items {
		if it.Facet == "SM1" {
			composure++
		}
	}
	if composure != 3 {
		t.Errorf("one prompt eight times gave %d items, want 3", composure)
	}
}

func TestTwoSubjects(t *testing.T) {
	t.Parallel()
	s := newScript()
	s.line(map[string]any{"type": "consent", "actor": "f1", "purposes": []string{"process", "score"}, "adult": true, "policy": "2026-01", "expires": "2026-12-31T00:00:00Z"})
	s.say("r1", "f1", "My dog passed away this morning.")
	s.say("r1", "u7", "I'm so sorry. How are you holding up?")
	a, err := assessment.New(assessment.Config{Classifier: &fakeClassifier{rows: rows()}})
	if err != nil {
		t.Fatal(err)
	}
	b := s.read(t)
	reports, err := a.Assess(t.Context(), b)
	if err != nil || len(reports) != 2 {
		t.Fatalf("Assess: %d reports, %v", len(reports), err)
	}
	one, two := reports[0], reports[1]
	if one.Subject != "f1" || two.Subject != "u7" || one.ID == two.ID || one.Quality.Messages != 1 || two.Quality.Messages != 1 {
		t.Errorf("reports %s %s, ids %s %s", one.Subject, two.Subject, one.ID, two.ID)
	}
	if one.Provenance.BatchDigests[0] == two.Provenance.BatchDigests[0] {
		t.Error("two subjects, one digest")
	}
}
