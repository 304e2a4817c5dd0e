package training_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/internal/store/badger"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

// plainSealer binds what it keeps to its place and hides nothing.
type plainSealer struct{}

func (plainSealer) Seal(_ context.Context, tenant, kind, id string, plain []byte) ([]byte, error) {
	return append([]byte(tenant+"|"+kind+"|"+id+"|"), plain...), nil
}

func (plainSealer) Open(_ context.Context, tenant, kind, id string, sealed []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(tenant+"|"+kind+"|"+id+"|"))
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return plain, nil
}

func openStore(t *testing.T) *badger.TrainingStore {
	t.Helper()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db.Training(plainSealer{})
}

func newTrainer(t *testing.T) (*training.Trainer, *badger.TrainingStore, *testkit.Clock) {
	t.Helper()
	store, clock := openStore(t), testkit.NewClock(day(0))
	tr, err := training.New(training.Config{Bank: load(t), Store: store, Now: clock.Now, Random: func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }})
	if err != nil {
		t.Fatal(err)
	}
	return tr, store, clock
}

func TestTrainer(t *testing.T) {
	t.Parallel()
	tr, store, clock := newTrainer(t)
	ctx := t.Context()
	at := func(month int, score float64) assessment.Report {
		return report(month, map[schemas.Dimension]dim{so: {score: score, sem: 5, facets: map[string]float64{"SO1": score / 100, "SO2": score / 100}}}, nil)
	}
	if _, err := tr.Current(ctx, "t", "u7"); !errors.Is(err, training.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	if _, err := tr.Complete(ctx, "t", "u7", training.Completion{Exercise: "so1-read-it-1", Grade: 4}); !errors.Is(err, training.ErrNotFound) {
		t.Errorf("completion without a plan: %v", err)
	}
	p, err := tr.Plan(ctx, "t", []assessment.Report{at(2, 45)})
	if err != nil || len(p.Modules) != 2 || p.Revision != 1 {
		t.Fatalf("Plan = %+v, %v", p, err)
	}
	again, err := tr.Plan(ctx, "t", []assessment.Report{at(2, 45)})
	if err != nil || again.Revision != 1 {
		t.Errorf("the same report again: revision %d, %v", again.Revision, err)
	}
	s, err := tr.Session(ctx, "t", "u7")
	if err != nil || len(s.Due) == 0 || s.Next == nil || s.Next.Card.Exercise != "so1-read-it-1" {
		t.Fatalf("Session = %+v, %v", s, err)
	}
	card, err := tr.Complete(ctx, "t", "u7", training.Completion{Exercise: "so1-read-it-1", Grade: 4})
	if err != nil || !card.Due.Equal(day(1)) {
		t.Errorf("Complete = %+v, %v", card, err)
	}
	if err := tr.Mark(ctx, "t", "u7", training.Mark{Exercise: "so1-read-it-1", Useful: true, Rating: 5}); err != nil {
		t.Error(err)
	}
	if err := tr.Mark(ctx, "t", "u7", training.Mark{Exercise: "none"}); !errors.Is(err, schemas.ErrMalformed) {
		t.Errorf("mark of nothing: %v", err)
	}
	if s, err = tr.Session(ctx, "t", "u7"); err != nil || s.Next == nil || s.Next.Card.Exercise == "so1-read-it-1" {
		t.Errorf("session after a completion: %+v, %v", s, err)
	}
	clock.Advance(24 * time.Hour)
	if p, err = tr.Plan(ctx, "t", []assessment.Report{at(4, 46), at(3, 47)}); err != nil || len(p.Retired) != 2 || p.Revision != 2 {
		t.Errorf("after two idle windows: %+v, %v", p, err)
	}
	tallies, err := store.Tallies(ctx, "t")
	if got := tallies["so1-read-it"]; err != nil || got != (training.Tally{Offered: 1, Done: 1, Marks: 1, Useful: 1}) || tallies["so2-answer-the-feeling"].Offered != 1 {
		t.Errorf("tallies %+v, %v", tallies, err)
	}
	if err := tr.Erase(ctx, "t", "u7"); err != nil {
		t.Error(err)
	}
	if left, err := store.Tallies(ctx, "t"); err != nil || len(left) != 0 {
		t.Errorf("after erasure: %+v, %v", left, err)
	}
	if _, err := training.New(training.Config{}); err == nil {
		t.Error("New without anything succeeded")
	}
}

func TestLibrary(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l, err := training.NewLibrary(openStore(t), topicEncoder{width: 8})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(tenant string) []training.Suggestion {
		t.Helper()
		got, err := l.Suggest(ctx, tenant, training.Query{Message: "I forgot my password and cannot log in."})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := ask("t"); len(got) != 0 {
		t.Errorf("without answers: %+v", got)
	}
	if err := l.Replace(ctx, "t", approved()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // built, then from memory
		if got := ask("t"); len(got) == 0 || got[0].Answer.ID != "password" || got[0].Meaning == nil {
			t.Errorf("Suggest = %+v", got)
		}
	}
	if got := ask("other"); len(got) != 0 {
		t.Errorf("another tenant's answers: %+v", got)
	}
	if all, err := l.Answers(ctx, "t"); err != nil || len(all) != len(approved()) {
		t.Errorf("Answers: %d, %v", len(all), err)
	}
	if err := l.Replace(ctx, "t", nil); err != nil {
		t.Fatal(err)
	}
	if got := ask("t"); len(got) != 0 {
		t.Errorf("after they were taken away: %+v", got)
	}
	if err := l.Replace(ctx, "t", make([]training.Answer, training.MaxAnswers+1)); !errors.Is(err, training.ErrTooManyAnswers) {
		t.Errorf("too many: %v", err)
	}
	if _, err := training.NewLibrary(nil, nil); err == nil {
		t.Error("NewLibrary without a store succeeded")
	}
}
