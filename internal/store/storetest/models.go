package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"heartmark/assessment/rollout"
)

// Models checks a rollout.Store. open returns an empty one; reopen, if not nil, closes it and opens what it left behind.
func Models(t *testing.T, open func(t *testing.T) rollout.Store, reopen func(t *testing.T, s rollout.Store) rollout.Store) {
	if reopen == nil {
		reopen = func(_ *testing.T, s rollout.Store) rollout.Store { return s }
	}
	t.Run("transitions are appended in order", func(t *testing.T) { modelTransitions(t, open, reopen) })
	t.Run("one of many appends", func(t *testing.T) { modelRace(t, open(t)) })
	t.Run("documents", func(t *testing.T) { modelDocuments(t, open, reopen) })
	t.Run("counts from many sides", func(t *testing.T) { modelCounts(t, open(t)) })
	t.Run("faults", func(t *testing.T) { modelFaults(t, open, reopen) })
}

func transition(seq uint64, act rollout.Act) rollout.Transition {
	return rollout.Transition{
		Seq: seq, At: at(int(seq)), Actor: "operator", Act: act, Model: "aa", From: rollout.StateShadow, To: rollout.StateCurrent, Reason: "because",
		Details: &rollout.Model{Digest: "aa", ID: "m", Version: "1", Heads: []string{"x"}}, Grounds: &rollout.Grounds{Shadowed: 7, Unmet: []string{"link"}}, Scale: "v1",
	}
}

func modelTransitions(t *testing.T, open func(t *testing.T) rollout.Store, reopen func(t *testing.T, s rollout.Store) rollout.Store) {
	s, ctx := open(t), t.Context()
	if all, err := s.Transitions(ctx); err != nil || len(all) != 0 {
		t.Errorf("Transitions of an empty store = %v, %v", all, err)
	}
	for name, ts := range map[string][]rollout.Transition{
		"begins with 2": {transition(2, rollout.ActPromote)}, "begins with 0": {transition(0, rollout.ActPromote)},
		"leaves one out": {transition(1, rollout.ActPromote), transition(3, rollout.ActPromote)},
		"one twice":      {transition(1, rollout.ActPromote), transition(1, rollout.ActPromote)},
	} {
		if err := s.Append(ctx, ts); !errors.Is(err, rollout.ErrStale) {
			t.Errorf("%s: Append = %v, want ErrStale", name, err)
		}
	}
	if all, _ := s.Transitions(ctx); len(all) != 0 {
		t.Errorf("refused transitions left %d behind", len(all))
	}
	must(t, s.Append(ctx, []rollout.Transition{transition(1, rollout.ActPromote), transition(2, rollout.ActRollback)}))
	must(t, s.Append(ctx, []rollout.Transition{transition(3, rollout.ActShadow)}))
	for _, seq := range []uint64{1, 3, 5} {
		if err := s.Append(ctx, []rollout.Transition{transition(seq, rollout.ActRemove)}); !errors.Is(err, rollout.ErrStale) {
			t.Errorf("Append of %d after 3 = %v, want ErrStale", seq, err)
		}
	}
	for n := uint64(4); n <= 300; n++ { // more than one byte of numbers
		must(t, s.Append(ctx, []rollout.Transition{transition(n, rollout.ActShadow)}))
	}
	s = reopen(t, s)
	all, err := s.Transitions(ctx)
	if err != nil || len(all) != 300 {
		t.Fatalf("Transitions = %d, %v, want 300", len(all), err)
	}
	for n, got := range all {
		want := transition(uint64(n+1), got.Act)
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Fatalf("transition %d = %s, want %s", n+1, a, b)
		}
	}
	if all[1].Act != rollout.ActRollback || all[0].Act != rollout.ActPromote {
		t.Errorf("acts %s, %s", all[0].Act, all[1].Act)
	}
}

func modelRace(t *testing.T, s rollout.Store) {
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			switch err := s.Append(t.Context(), []rollout.Transition{transition(1, rollout.ActPromote), transition(2, rollout.ActPromote)}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, rollout.ErrStale):
				t.Errorf("Append: %v", err)
			}
		})
	}
	wg.Wait()
	if all, err := s.Transitions(t.Context()); won.Load() != 1 || err != nil || len(all) != 2 {
		t.Errorf("%d appended the same numbers, %d transitions are there, %v; want 1 and 2", won.Load(), len(all), err)
	}
}

func modelDocuments(t *testing.T, open func(t *testing.T) rollout.Store, reopen func(t *testing.T, s rollout.Store) rollout.Store) {
	s, ctx := open(t), t.Context()
	key := rollout.DocumentKey{Kind: rollout.KindWindow, Model: "aa", Name: "2026-05-04"}
	if _, err := s.Document(ctx, key); !errors.Is(err, rollout.ErrNotFound) {
		t.Errorf("Document that is not there: %v, want ErrNotFound", err)
	}
	set := func(key rollout.DocumentKey, data string) {
		t.Helper()
		must(t, s.UpdateDocument(ctx, key, func([]byte) ([]byte, error) { return []byte(data), nil }))
	}
	wrong := errors.New("wrong")
	err := s.UpdateDocument(ctx, key, func(old []byte) ([]byte, error) {
		if old != nil {
			t.Errorf("change of nothing got %q", old)
		}
		return []byte("x"), wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("UpdateDocument: %v, want its own error", err)
	}
	if _, err := s.Document(ctx, key); !errors.Is(err, rollout.ErrNotFound) {
		t.Errorf("a failed change left something: %v", err)
	}
	must(t, s.UpdateDocument(ctx, key, func([]byte) ([]byte, error) { return nil, nil })) // removing nothing
	set(key, "one")
	for _, other := range []rollout.DocumentKey{
		{Kind: rollout.KindWindow, Model: "aa", Name: "2026-04-27"},
		{Kind: rollout.KindWindow, Model: "aa", Name: "2026-05-11"},
		{Kind: rollout.KindWindow, Model: "a", Name: "a2026"},
		{Kind: rollout.KindWindow, Model: "aab", Name: "x"},
		{Kind: rollout.KindReference, Model: "aa", Name: ""},
		{Kind: rollout.KindLink, Model: "aa", Name: "bb"},
	} {
		set(other, other.Name)
	}
	s = reopen(t, s)
	if data, err := s.Document(ctx, key); err != nil || string(data) != "one" {
		t.Errorf("Document = %q, %v", data, err)
	}
	names := func(limit int) string {
		t.Helper()
		keys, err := s.Documents(ctx, rollout.KindWindow, "aa", limit)
		must(t, err)
		var out []string
		for _, k := range keys {
			if k.Kind != rollout.KindWindow || k.Model != "aa" {
				t.Errorf("Documents returned %+v", k)
			}
			out = append(out, k.Name)
		}
		return strings.Join(out, " ")
	}
	if got, want := names(10), "2026-04-27 2026-05-04 2026-05-11"; got != want {
		t.Errorf("Documents = %q, want %q", got, want)
	}
	if got, want := names(2), "2026-04-27 2026-05-04"; got != want {
		t.Errorf("Documents with limit 2 = %q, want %q", got, want)
	}
	must(t, s.UpdateDocument(ctx, key, func([]byte) ([]byte, error) { return nil, nil }))
	if _, err := s.Document(ctx, key); !errors.Is(err, rollout.ErrNotFound) {
		t.Errorf("Document after its removal: %v, want ErrNotFound", err)
	}
	if got, want := names(10), "2026-04-27 2026-05-11"; got != want {
		t.Errorf("Documents after a removal = %q, want %q", got, want)
	}
}

func modelCounts(t *testing.T, s rollout.Store) {
	key := rollout.DocumentKey{Kind: rollout.KindComparison, Model: "aa", Name: "bb"}
	const workers, rounds = 16, 20
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				if err := addOne(t.Context(), s, key); err != nil {
					t.Errorf("UpdateDocument: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if data, err := s.Document(t.Context(), key); err != nil || string(data) != fmt.Sprint(workers*rounds) {
		t.Errorf("count %s, %v, want %d", data, err, workers*rounds)
	}
}

func addOne(ctx context.Context, s rollout.Store, key rollout.DocumentKey) error {
	return s.UpdateDocument(ctx, key, func(old []byte) ([]byte, error) {
		n := 0
		if old != nil {
			var err error
			if n, err = strconv.Atoi(string(old)); err != nil {
				return nil, err
			}
		}
		return strconv.AppendInt(nil, int64(n+1), 10), nil
	})
}

// modelFaults breaks each write in both ways: what is there afterwards is all of it or nothing.
func modelFaults(t *testing.T, open func(t *testing.T) rollout.Store, reopen func(t *testing.T, s rollout.Store) rollout.Store) {
	for _, fault := range []Fault{Lost, StoredButFailed} {
		f, ctx := NewFaultyModels(open(t)), t.Context()
		key := rollout.DocumentKey{Kind: rollout.KindLink, Model: "aa", Name: "bb"}
		f.FailWrite(0, fault)
		if err := f.Append(ctx, []rollout.Transition{transition(1, rollout.ActPromote), transition(2, rollout.ActPromote)}); !errors.Is(err, ErrFault) {
			t.Errorf("%s: Append = %v, want the fault", fault, err)
		}
		f.FailWrite(0, fault)
		if err := addOne(ctx, f, key); !errors.Is(err, ErrFault) {
			t.Errorf("%s: UpdateDocument = %v, want the fault", fault, err)
		}
		s := reopen(t, f.Store)
		all, err := s.Transitions(ctx)
		must(t, err)
		_, err = s.Document(ctx, key)
		if want := map[Fault]int{Lost: 0, StoredButFailed: 2}[fault]; len(all) != want || (err == nil) != (want > 0) {
			t.Errorf("%s: %d transitions and document %v, want %d", fault, len(all), err, want)
		}
		// Who tries again either does it now or is told that it is done.
		err = s.Append(ctx, []rollout.Transition{transition(1, rollout.ActPromote), transition(2, rollout.ActPromote)})
		if (fault == Lost) != (err == nil) || err != nil && !errors.Is(err, rollout.ErrStale) {
			t.Errorf("%s: Append again = %v", fault, err)
		}
	}
}

// FaultyModels is a rollout.Store over another one, of which one write fails.
type FaultyModels struct {
	rollout.Store
	faults
}

// NewFaultyModels returns a store that does what s does until FailWrite is called.
func NewFaultyModels(s rollout.Store) *FaultyModels {
	return &FaultyModels{Store: s, faults: faults{left: -1}}
}

var _ rollout.Store = (*FaultyModels)(nil)

// Append implements rollout.Store.
func (f *FaultyModels) Append(ctx context.Context, transitions []rollout.Transition) error {
	return f.write(func() error { return f.Store.Append(ctx, transitions) })
}

// UpdateDocument implements rollout.Store.
func (f *FaultyModels) UpdateDocument(ctx context.Context, key rollout.DocumentKey, change func(old []byte) ([]byte, error)) error {
	return f.write(func() error { return f.Store.UpdateDocument(ctx, key, change) })
}
