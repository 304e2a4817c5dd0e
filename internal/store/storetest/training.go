package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/schemas"
)

// Training checks a training.Store. open returns an empty one; reopen, if not nil, closes it and opens what it left behind.
func Training(t *testing.T, open func(t *testing.T) training.Store, reopen func(t *testing.T, s training.Store) training.Store) {
	if reopen == nil {
		reopen = func(_ *testing.T, s training.Store) training.Store { return s }
	}
	t.Run("plans", func(t *testing.T) { trainingPlans(t, open, reopen) })
	t.Run("completions", func(t *testing.T) { trainingCompletions(t, open, reopen) })
	t.Run("traces and tallies", func(t *testing.T) { trainingTraces(t, open, reopen) })
	t.Run("tallies from many sides", func(t *testing.T) { trainingRace(t, open(t)) })
	t.Run("erasure", func(t *testing.T) { trainingErasure(t, open, reopen) })
	t.Run("faults", func(t *testing.T) { trainingFaults(t, open, reopen) })
}

func plan(subject string) training.Plan {
	return training.Plan{
		Schema: training.PlanSchema, Subject: subject, Window: assessment.Window{From: "2026-01-01", To: "2026-02-01"},
		Modules: []training.Choice{{
			Module: "so1-read-it", Facet: "SO1", Dimension: schemas.DimensionSocialAwareness, Towards: "proficient", By: training.ByRules,
			Figures: &training.Figures{Gap: 1.5, Share: 0.4, Room: 1, Priority: 0.6}, Why: training.Text{EN: "because", ZH: "因为"}, Since: "2026-02-01",
			Baseline: &training.Figure{Score: 51.5, SEM: 5, Scale: "v0"},
		}},
		Missing: []training.Advice{}, Retired: []training.Retired{}, Scenes: []string{"game"}, Strong: []schemas.Dimension{}, Seen: []string{"r1"},
	}
}

func trainingPlans(t *testing.T, open func(t *testing.T) training.Store, reopen func(t *testing.T, s training.Store) training.Store) {
	s, ctx := open(t), t.Context()
	if _, err := s.Plan(ctx, "t1", "u1"); !errors.Is(err, training.ErrNotFound) {
		t.Errorf("Plan before any: %v, want ErrNotFound", err)
	}
	p := plan("u1")
	p.Revision = 1
	if err := s.SavePlan(ctx, "t1", p); !errors.Is(err, training.ErrStale) {
		t.Errorf("SavePlan of a revision that is not there: %v, want ErrStale", err)
	}
	p.Revision = 0
	must(t, s.SavePlan(ctx, "t1", p))
	if err := s.SavePlan(ctx, "t1", p); !errors.Is(err, training.ErrStale) {
		t.Errorf("SavePlan over another one: %v, want ErrStale", err)
	}
	s = reopen(t, s)
	got, err := s.Plan(ctx, "t1", "u1")
	p.Revision = 1
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("Plan = %+v, %v, want %+v", got, err, p)
	}
	got.Seen = append(got.Seen, "r2")
	must(t, s.SavePlan(ctx, "t1", got))
	if again, err := s.Plan(ctx, "t1", "u1"); err != nil || again.Revision != 2 || len(again.Seen) != 2 {
		t.Errorf("Plan after a second save = %+v, %v", again, err)
	}
	for _, place := range [][2]string{{"t2", "u1"}, {"t1", "u"}, {"t1u", "1"}, {"", "u1"}} {
		if _, err := s.Plan(ctx, place[0], place[1]); !errors.Is(err, training.ErrNotFound) {
			t.Errorf("Plan of %q: %v, want ErrNotFound", place, err)
		}
	}
}

func practised(second int, grade training.Grade) training.Completion {
	return training.Completion{Exercise: "so1-read-it-1", At: at(second), Grade: grade}
}

func trainingCompletions(t *testing.T, open func(t *testing.T) training.Store, reopen func(t *testing.T, s training.Store) training.Store) {
	s, ctx := open(t), t.Context()
	for _, second := range []int{30, 10, 20} {
		must(t, s.AddCompletion(ctx, "t1", "u1", practised(second, 3)))
	}
	must(t, s.AddCompletion(ctx, "t1", "u1", practised(20, 5)))
	must(t, s.AddCompletion(ctx, "t1", "u2", practised(1, 0)))
	s = reopen(t, s)
	got, err := s.Completions(ctx, "t1", "u1")
	want := []training.Completion{practised(10, 3), practised(20, 5), practised(30, 3)}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Completions = %+v, %v, want %+v", got, err, want)
	}
	if got, err := s.Completions(ctx, "t2", "u1"); err != nil || len(got) != 0 {
		t.Errorf("Completions of another tenant = %+v, %v", got, err)
	}
}

// mark adds a mark to a trace, as a subject does who practised.
func mark(useful bool) func(training.Trace) training.Trace {
	return func(tr training.Trace) training.Trace {
		tr.Offered, tr.Done = true, true
		return tr.WithMark(training.Mark{Exercise: "so1-read-it-1", Useful: useful, At: at(1)})
	}
}

func trainingTraces(t *testing.T, open func(t *testing.T) training.Store, reopen func(t *testing.T, s training.Store) training.Store) {
	s, ctx := open(t), t.Context()
	must(t, s.UpdateTrace(ctx, "t1", "u1", "so1-read-it", mark(true)))
	must(t, s.UpdateTrace(ctx, "t1", "u1", "so1-read-it", mark(false))) // in place of the first
	must(t, s.UpdateTrace(ctx, "t1", "u2", "so1-read-it", mark(true)))
	must(t, s.UpdateTrace(ctx, "t1", "u2", "sm1-pause", func(tr training.Trace) training.Trace { tr.Offered = true; return tr }))
	must(t, s.UpdateTrace(ctx, "t2", "u1", "so1-read-it", mark(true)))
	s = reopen(t, s)
	got, err := s.Tallies(ctx, "t1")
	want := training.Tallies{"so1-read-it": {Offered: 2, Done: 2, Marks: 2, Useful: 1}, "sm1-pause": {Offered: 1}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Tallies = %+v, %v, want %+v", got, err, want)
	}
	must(t, s.UpdateTrace(ctx, "t1", "u1", "so1-read-it", func(tr training.Trace) training.Trace {
		if len(tr.Marks) != 1 || tr.Marks[0].Useful {
			t.Errorf("trace %+v, want the second mark alone", tr)
		}
		return tr
	}))
}

func trainingRace(t *testing.T, s training.Store) {
	const subjects, rounds = 8, 6
	var wg sync.WaitGroup
	for n := range subjects * 2 {
		wg.Go(func() {
			for k := range rounds {
				if err := s.UpdateTrace(t.Context(), "t1", fmt.Sprint("u", n/2), "sm1-pause", mark(k%2 == 1)); err != nil {
					t.Errorf("UpdateTrace: %v", err)
				}
			}
		})
	}
	wg.Wait()
	got, err := s.Tallies(t.Context(), "t1")
	if tally := got["sm1-pause"]; err != nil || tally.Marks != subjects || tally.Done != subjects || tally.Useful > subjects {
		t.Errorf("tally %+v, %v, want each of %d subjects once", tally, err, subjects)
	}
}

func trainingErasure(t *testing.T, open func(t *testing.T) training.Store, reopen func(t *testing.T, s training.Store) training.Store) {
	s, ctx := open(t), t.Context()
	for _, subject := range []string{"u1", "u2"} {
		must(t, s.SavePlan(ctx, "t1", plan(subject)))
		must(t, s.AddCompletion(ctx, "t1", subject, practised(1, 4)))
		must(t, s.UpdateTrace(ctx, "t1", subject, "so1-read-it", mark(true)))
	}
	must(t, s.EraseSubject(ctx, "t1", "u1"))
	must(t, s.EraseSubject(ctx, "t1", "u1"))
	must(t, s.EraseSubject(ctx, "t1", "nobody"))
	s = reopen(t, s)
	if _, err := s.Plan(ctx, "t1", "u1"); !errors.Is(err, training.ErrNotFound) {
		t.Errorf("plan after erasure: %v", err)
	}
	if left, err := s.Completions(ctx, "t1", "u1"); err != nil || len(left) != 0 {
		t.Errorf("completions after erasure: %v, %v", left, err)
	}
	got, err := s.Tallies(ctx, "t1")
	if want := (training.Tallies{"so1-read-it": {Offered: 1, Done: 1, Marks: 1, Useful: 1}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("tallies after erasure %+v, %v, want %+v", got, err, want)
	}
	if _, err := s.Plan(ctx, "t1", "u2"); err != nil {
		t.Errorf("plan of another subject after erasure: %v", err)
	}
	must(t, s.EraseSubject(ctx, "t1", "u2"))
	if got, err := s.Tallies(ctx, "t1"); err != nil || len(got) != 0 {
		t.Errorf("tallies with nobody left: %v, %v", got, err)
	}
}

// trainingFaults breaks each write in both ways: what is there afterwards is all of it or nothing, and a second try ends
// where one good write would have.
func trainingFaults(t *testing.T, open func(t *testing.T) training.Store, reopen func(t *testing.T, s training.Store) training.Store) {
	for _, fault := range []Fault{Lost, StoredButFailed} {
		f, ctx := NewFaultyTraining(open(t)), t.Context()
		for name, write := range map[string]func() error{
			"SavePlan":      func() error { return f.SavePlan(ctx, "t1", plan("u1")) },
			"AddCompletion": func() error { return f.AddCompletion(ctx, "t1", "u1", practised(1, 4)) },
			"UpdateTrace":   func() error { return f.UpdateTrace(ctx, "t1", "u1", "so1-read-it", mark(true)) },
		} {
			f.FailWrite(0, fault)
			if err := write(); !errors.Is(err, ErrFault) {
				t.Errorf("%s: %s = %v, want the fault", fault, name, err)
			}
			err := write()
			if stale := name == "SavePlan" && fault == StoredButFailed; (err != nil) != stale || stale && !errors.Is(err, training.ErrStale) {
				t.Errorf("%s: %s again = %v", fault, name, err)
			}
		}
		s := reopen(t, f.Store)
		done, err := s.Completions(ctx, "t1", "u1")
		must(t, err)
		tallies, err := s.Tallies(ctx, "t1")
		must(t, err)
		if p, err := s.Plan(ctx, "t1", "u1"); err != nil || p.Revision != 1 || len(done) != 1 || tallies["so1-read-it"].Marks != 1 {
			t.Errorf("%s: plan %d %v, %d completions, tallies %+v", fault, p.Revision, err, len(done), tallies)
		}
	}
}

// FaultyTraining is a training.Store over another one, of which one write fails.
type FaultyTraining struct {
	training.Store
	faults
}

// NewFaultyTraining returns a store that does what s does until FailWrite is called.
func NewFaultyTraining(s training.Store) *FaultyTraining {
	return &FaultyTraining{Store: s, faults: faults{left: -1}}
}

var _ training.Store = (*FaultyTraining)(nil)

// SavePlan implements training.Store.
func (f *FaultyTraining) SavePlan(ctx context.Context, tenant string, p training.Plan) error {
	return f.write(func() error { return f.Store.SavePlan(ctx, tenant, p) })
}

// AddCompletion implements training.Store.
func (f *FaultyTraining) AddCompletion(ctx context.Context, tenant, subject string, c training.Completion) error {
	return f.write(func() error { return f.Store.AddCompletion(ctx, tenant, subject, c) })
}

// UpdateTrace implements training.Store.
func (f *FaultyTraining) UpdateTrace(ctx context.Context, tenant, subject string, m training.ModuleID, change func(training.Trace) training.Trace) error {
	return f.write(func() error { return f.Store.UpdateTrace(ctx, tenant, subject, m, change) })
}

// Answers checks a training.AnswerStore. open returns an empty one; reopen, if not nil, closes it and opens what it left.
func Answers(t *testing.T, open func(t *testing.T) training.AnswerStore, reopen func(t *testing.T, s training.AnswerStore) training.AnswerStore) {
	if reopen == nil {
		reopen = func(_ *testing.T, s training.AnswerStore) training.AnswerStore { return s }
	}
	t.Run("replaced as a whole", func(t *testing.T) { answersReplaced(t, open, reopen) })
	t.Run("writers and readers at once", func(t *testing.T) { answersRace(t, open(t)) })
}

func storedAnswers(name string, n int) []training.StoredAnswer {
	out := make([]training.StoredAnswer, n)
	for i := range out {
		out[i] = training.StoredAnswer{
			Answer: training.Answer{ID: fmt.Sprint(name, i), Lang: "en", Question: "q", Answer: "a", Tags: []string{name}},
			Vector: []float32{float32(i), 0.5}, Model: "m/2",
		}
	}
	return out
}

func answersReplaced(t *testing.T, open func(t *testing.T) training.AnswerStore, reopen func(t *testing.T, s training.AnswerStore) training.AnswerStore) {
	s, ctx := open(t), t.Context()
	if got, revision, err := s.Answers(ctx, "t1"); err != nil || len(got) != 0 || revision != 0 {
		t.Errorf("Answers of an empty store = %v, %d, %v", got, revision, err)
	}
	last := uint64(0)
	for round, n := range []int{250, 3, 101, 0} {
		want := storedAnswers(fmt.Sprint("r", round, "-"), n)
		revision, err := s.ReplaceAnswers(ctx, "t1", want)
		if err != nil || revision <= last {
			t.Fatalf("ReplaceAnswers = %d after %d, %v", revision, last, err)
		}
		last = revision
		s = reopen(t, s)
		got, read, err := s.Answers(ctx, "t1")
		if err != nil || read != revision || len(got) != n || n > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("round %d: Answers = %d of %d, revision %d of %d, %v", round, len(got), n, read, revision, err)
		}
		if now, err := s.AnswerRevision(ctx, "t1"); err != nil || now != revision {
			t.Errorf("AnswerRevision = %d, %v, want %d", now, err, revision)
		}
	}
	if got, _, err := s.Answers(ctx, "t2"); err != nil || len(got) != 0 {
		t.Errorf("Answers of another tenant = %v, %v", got, err)
	}
}

// answersRace holds that a reader never sees a mixture.
func answersRace(t *testing.T, s training.AnswerStore) {
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for k := range 3 {
				if _, err := s.ReplaceAnswers(t.Context(), "t1", storedAnswers(fmt.Sprint("w", w, k, "-"), 120+w)); err != nil {
					t.Errorf("ReplaceAnswers: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range 10 {
				got, _, err := s.Answers(t.Context(), "t1")
				if err != nil {
					t.Errorf("Answers: %v", err)
					return
				}
				for _, a := range got {
					if a.Tags[0] != got[0].Tags[0] {
						t.Errorf("answers of %s and %s in one read", a.Tags[0], got[0].Tags[0])
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
