package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/live"
	"heartmark/assessment/text"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

// wording stands for the model: a text that contains a word has that value.
type wording struct {
	seen  atomic.Int64
	fail  atomic.Bool
	block chan struct{} // nil: never
}

func (*wording) Info() assessment.ModelInfo {
	return assessment.ModelInfo{Labels: map[string][]string{
		assessment.HeadHostility: {"none", "mild", "strong", "severe"}, assessment.HeadEmotion: {"joy", "anger"}, assessment.HeadVA: {"valence"},
		assessment.HeadAct: {"comfort", "question"}, assessment.HeadDistress: {"yes"}, assessment.HeadCtxIgnore: {"yes"}, assessment.HeadRelevance: {"yes"},
		assessment.HeadSelfNaming: {"yes"},
	}}
}

func (w *wording) Classify(_ context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	if w.block != nil {
		<-w.block
	}
	if w.fail.Load() {
		return nil, errors.New("down")
	}
	has := func(s, word string) float64 {
		if strings.Contains(s, word) {
			return 0.9
		}
		return 0.1
	}
	out := make([]assessment.Scores, len(in))
	for i, x := range in {
		w.seen.Add(1)
		h := has(x.Text, "idiot")
		out[i] = assessment.Scores{
			assessment.HeadHostility: {1 - h, h, 0, 0}, assessment.HeadEmotion: {has(x.Text, "happy"), has(x.Text, "angry")}, assessment.HeadVA: {0},
			assessment.HeadAct: {has(x.Text, "sorry"), has(x.Text, "how are")}, assessment.HeadDistress: {has(x.Text, "died")},
			assessment.HeadCtxIgnore: {has(x.Text, "whatever")}, assessment.HeadRelevance: {1 - has(x.Text, "banana")}, assessment.HeadSelfNaming: {has(x.Text, "I feel")},
		}
	}
	return out, nil
}

type world struct {
	*live.Service
	model  *wording
	events []live.Event
	lived  bool // of the receipt
}

// inTime runs a test with a service whose loop runs, in bubble time.
func inTime(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		test(t, w)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{model: &wording{}, lived: true}
	n := 0
	var err error
	w.Service, err = live.New(live.Config{
		Classifier: w.model, Language: text.Language, Scrub: func(s string) string { return strings.ReplaceAll(s, "Lisa", "<NAME>") },
		Consent: func(_ context.Context, _, receipt string) (bool, error) { return w.lived && receipt == "c1", nil },
		Journal: func(_ context.Context, e live.Event) error { w.events = append(w.events, e); return nil },
		Now:     time.Now, NewID: func() string { n++; return fmt.Sprint("f", n) }, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var acme = live.Caller{Tenant: "acme", Actor: "k"}

func settings(rules ...live.Rule) live.Settings {
	return live.Settings{Kind: "support", Purpose: "service_quality", Window: 60, Rules: rules}
}

func open(t *testing.T, w *world, s live.Settings) *live.Feed {
	t.Helper()
	f, err := w.Open(t.Context(), acme, s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// say lets authors write the same thing.
func say(t *testing.T, f *live.Feed, authors int, words string) {
	t.Helper()
	var out []live.Message
	for a := range authors {
		out = append(out, live.Message{Author: fmt.Sprint("person-", a), Text: words})
	}
	added, err := f.Add(t.Context(), out)
	if err != nil || added.Taken != authors {
		t.Fatalf("Add = %+v, %v", added, err)
	}
}

// next waits for the next update.
func next(t *testing.T, ch <-chan live.Update) live.Update {
	t.Helper()
	u, ok := <-ch
	if !ok {
		t.Fatal("the feed ended")
	}
	return u
}

// Groups under ten are never shown, one loud author counts once, and staff is not read.
func TestGroupsOnly(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, w *world) {
		f := open(t, w, settings())
		_, updates, stop, err := f.Follow(0)
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		say(t, f, 9, "this is fine for me")
		for range 30 { // many lines by the ninth author make no tenth
			if _, err := f.Add(t.Context(), []live.Message{{Author: "person-8", Text: "you idiot"}}); err != nil {
				t.Fatal(err)
			}
		}
		before := w.model.seen.Load()
		synctest.Wait()
		seen := w.model.seen.Load()
		staff, err := f.Add(t.Context(), []live.Message{{Author: "s1", Text: "you idiot", Role: "staff"}, {Author: "b", Text: "hello there", Role: "bot"}, {Author: "p", Text: "Здравствуйте, как дела"}})
		if err != nil || staff.Taken != 0 || staff.Dropped != 3 {
			t.Errorf("Add of staff = %+v, %v", staff, err)
		}
		if u := next(t, updates); u.Window == nil || u.Window.Shown || u.Window.Measures != nil || u.Window.Authors != 0 {
			t.Errorf("a window of nine authors = %+v", u.Window)
		}
		if w.model.seen.Load() != seen || seen < before {
			t.Error("lines by staff were read")
		}
		say(t, f, 9, "this is fine for me")
		for range 30 {
			if _, err := f.Add(t.Context(), []live.Message{{Author: "loud", Text: "you idiot"}}); err != nil {
				t.Fatal(err)
			}
		}
		u := next(t, updates)
		// Nine at 0.1 and one at 0.9, each counted once: 0.18.
		if u.Window == nil || !u.Window.Shown || u.Window.Authors != 10 || u.Window.Messages != 39 || u.Window.Measures["hostile"] != 0.18 {
			t.Errorf("a window of ten authors = %+v", u.Window)
		}
		data, err := json.Marshal(u)
		if err != nil || strings.Contains(string(data), "person") || strings.Contains(string(data), "idiot") {
			t.Errorf("an update names people or words: %s, %v", data, err)
		}
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, w *world) {
		f := open(t, w, settings(
			live.Rule{Name: "angry", Measure: "anger", When: live.Above, Bound: 0.5, Windows: 2, Cooldown: 180},
			live.Rule{Name: "mood-falls", Measure: "joy", When: live.Fall, Bound: 0.5, Windows: 2},
		))
		_, updates, stop, err := f.Follow(0)
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		var got []string
		for _, words := range []string{"so happy today", "so happy today", "I am angry now", "I am angry now", "I am angry now", "I am angry now", "I am angry now", "I am angry now"} {
			say(t, f, 10, words)
			for {
				u := next(t, updates)
				if u.Alert == nil {
					got = append(got, "w")
					break
				}
				got = append(got, u.Alert.Rule)
			}
		}
		synctest.Wait()
		for len(updates) > 0 {
			if u := <-updates; u.Alert != nil {
				got = append(got, u.Alert.Rule)
			}
		}
		// An alert follows its window: joy falls in the third, anger holds for two in the fourth, and again after three minutes.
		if want := "w w w mood-falls w angry w w w angry w"; strings.Join(got, " ") != want {
			t.Errorf("updates = %v, want %s", got, want)
		}
		past, _, stop2, err := f.Follow(4)
		if err != nil || len(past) == 0 || past[0].Number != 5 {
			t.Errorf("Follow(4) = %+v, %v", past, err)
		}
		stop2()
	})
}

// SEC-183: work, class and forbidden purposes are refused, and the refusal is in the trail.
func TestSEC_183_ForbiddenFeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tc := range map[string]struct {
		change func(*live.Settings)
		want   error
	}{
		"work":                 {func(s *live.Settings) { s.Kind = "work" }, live.ErrForbiddenUse},
		"text as a purpose":    {func(s *live.Settings) { s.Kind, s.Purpose = "work", "what Lisa wrote" }, live.ErrForbiddenUse},
		"class":                {func(s *live.Settings) { s.Kind = "class" }, live.ErrForbiddenUse},
		"monitoring":           {func(s *live.Settings) { s.Purpose = "employee_monitoring" }, live.ErrForbiddenUse},
		"social scoring":       {func(s *live.Settings) { s.Purpose = "social_scoring" }, live.ErrForbiddenUse},
		"an unknown purpose":   {func(s *live.Settings) { s.Purpose = "curiosity" }, schemas.ErrMalformed},
		"groups of nine":       {func(s *live.Settings) { s.Group = 9 }, schemas.ErrMalformed},
		"a window of a second": {func(s *live.Settings) { s.Window = 1 }, schemas.ErrMalformed},
		"an unknown measure":   {func(s *live.Settings) { s.Rules = []live.Rule{{Name: "a", Measure: "x", When: "above", Windows: 1}} }, schemas.ErrMalformed},
		"a rule twice": {func(s *live.Settings) {
			r := live.Rule{Name: "a", Measure: "joy", When: "above", Windows: 1}
			s.Rules = []live.Rule{r, r}
		}, schemas.ErrMalformed},
	} {
		s := settings()
		tc.change(&s)
		before := len(w.events)
		if _, err := w.Open(t.Context(), acme, s); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if recorded := len(w.events) > before; recorded != errors.Is(tc.want, live.ErrForbiddenUse) {
			t.Errorf("%s: recorded %v", name, recorded)
		}
		if n := len(w.events); n > before && strings.Contains(w.events[n-1].Detail, "Lisa") {
			t.Errorf("%s: the audit trail holds a caller's text: %q", name, w.events[n-1].Detail)
		}
	}
}

func TestFeedsEnd(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, w *world) {
		f := open(t, w, settings())
		if _, err := w.Feed("other", f.ID); !errors.Is(err, live.ErrNotFound) {
			t.Errorf("another tenant's feed: %v", err)
		}
		_, updates, _, err := f.Follow(0)
		if err != nil {
			t.Fatal(err)
		}
		w.Close("other", f.ID)
		w.Close("acme", f.ID)
		w.Close("acme", f.ID)
		if _, ok := <-updates; ok {
			t.Error("a closed feed sends")
		}
		if _, err := f.Add(t.Context(), []live.Message{{Author: "a", Text: "hello there"}}); !errors.Is(err, live.ErrNotFound) {
			t.Errorf("Add to a closed feed: %v", err)
		}
		idle := open(t, w, settings())
		time.Sleep(time.Hour + 2*time.Second) // bubble time
		if _, err := w.Feed("acme", idle.ID); !errors.Is(err, live.ErrNotFound) {
			t.Errorf("a feed that nobody used for an hour: %v", err)
		}
		for range live.MaxFeeds {
			open(t, w, settings())
		}
		if _, err := w.Open(t.Context(), acme, settings()); !errors.Is(err, live.ErrFull) {
			t.Errorf("one feed too many: %v", err)
		}
	})
}

// Nothing is scored: what is sent waits up to a bound, then the sender must.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := open(t, w, settings())
	lines := make([]live.Message, 400)
	for i := range lines {
		lines[i] = live.Message{Author: "a", Text: "hello there"}
	}
	if added, err := f.Add(t.Context(), lines); err != nil || added.Taken != 400 {
		t.Fatalf("Add = %+v, %v", added, err)
	}
	if added, err := f.Add(t.Context(), lines); !errors.Is(err, live.ErrBusy) || added.Taken != 0 {
		t.Errorf("Add over the bound = %+v, %v", added, err)
	}
}

// A reader that does not keep up is cut off, and goes on after its last number.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, w *world) {
		f := open(t, w, settings())
		_, slow, _, err := f.Follow(0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Minute) // bubble time: a hundred windows, nobody reads
		last := uint64(0)
		for u := range slow { // ends: it was cut off
			last = u.Number
		}
		past, _, stop, err := f.Follow(last)
		if err != nil || len(past) == 0 || past[0].Number != last+1 {
			t.Errorf("Follow(%d) = %d updates, %v", last, len(past), err)
		}
		stop()
	})
}

func TestPractise(t *testing.T) {
	t.Parallel()
	inTime(t, func(t *testing.T, w *world) {
		other := []live.Turn{{Text: "my dog died today"}}
		for _, tc := range []struct {
			line live.Line
			want string
			err  error
		}{
			{live.Line{Text: "I'm sorry, how are you holding up?", Context: other}, "supports asks", nil},
			{live.Line{Text: "whatever, you idiot", Context: other}, "sounds_hostile passes_over_distress", nil},
			{live.Line{Text: "banana for everybody", Context: other}, "does_not_answer", nil},
			{live.Line{Text: "whatever then"}, "", nil}, // nothing was passed over
			{live.Line{Text: "I feel alone today"}, "names_own_feeling", nil},
			{live.Line{Text: "  "}, "", schemas.ErrMalformed},
			{live.Line{Text: "Здравствуйте, как дела"}, "", live.ErrLanguage},
			{live.Line{Text: strings.Repeat("a", 2001)}, "", schemas.ErrMalformed},
		} {
			r, err := w.Practise(t.Context(), "acme", "c1", tc.line)
			if got := strings.Join(r.Hints, " "); got != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("Practise(%q) = %q, %v, want %q, %v", tc.line.Text, got, err, tc.want, tc.err)
			}
		}
		for code := range live.Hints() {
			if h := live.Hints()[code]; h.EN == "" || h.ZH == "" {
				t.Errorf("hint %s lacks a language", code)
			}
		}
		w.lived = false // the receipt was withdrawn
		if _, err := w.Practise(t.Context(), "acme", "c1", live.Line{Text: "hello there"}); !errors.Is(err, live.ErrConsent) {
			t.Errorf("Practise after withdrawal: %v", err)
		}
		w.lived = true
		w.model.fail.Store(true)
		if _, err := w.Practise(t.Context(), "acme", "c1", live.Line{Text: "hello there"}); !errors.Is(err, assessment.ErrClassifier) {
			t.Errorf("Practise without a model: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.Practise(ctx, "acme", "c1", live.Line{Text: "hello there"}); err == nil {
			t.Error("Practise of one who has gone gave an answer")
		}
	})
}
