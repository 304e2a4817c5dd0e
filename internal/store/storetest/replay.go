package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ReplayStore keeps answers for repeated requests; api.Replays says the same.
type ReplayStore interface {
	ClaimReplay(ctx context.Context, name string, digest [32]byte, now, until time.Time) (taken bool, other [32]byte, answer []byte, err error)
	KeepReplay(ctx context.Context, name string, digest [32]byte, answer []byte, until time.Time) error
	DropReplay(ctx context.Context, name string, digest [32]byte) error
	DeleteReplays(ctx context.Context, before time.Time, limit int) (int, error)
}

// Replays checks a store of answers. open returns an empty one; reopen, if not nil, closes it and opens what it left behind.
func Replays(t *testing.T, open func(t *testing.T) ReplayStore, reopen func(t *testing.T, s ReplayStore) ReplayStore) {
	if reopen == nil {
		reopen = func(_ *testing.T, s ReplayStore) ReplayStore { return s }
	}
	one, two := [32]byte{1}, [32]byte{2}
	claim := func(t *testing.T, s ReplayStore, name string, digest [32]byte, now, until int) (bool, [32]byte, string) {
		t.Helper()
		taken, other, answer, err := s.ClaimReplay(t.Context(), name, digest, at(now), at(until))
		must(t, err)
		return taken, other, string(answer)
	}
	t.Run("an answer is kept", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		if taken, _, _ := claim(t, s, "acme k", one, 0, 5); taken {
			t.Fatal("a free name is taken")
		}
		s = reopen(t, s)
		if taken, other, answer := claim(t, s, "acme k", two, 1, 6); !taken || other != one || answer != "" {
			t.Errorf("while it runs: %v %v %q", taken, other, answer)
		}
		must(t, s.KeepReplay(ctx, "acme k", two, []byte("wrong"), at(60)))
		must(t, s.DropReplay(ctx, "acme k", two))
		must(t, s.KeepReplay(ctx, "acme k", one, []byte("answer"), at(60)))
		must(t, s.KeepReplay(ctx, "acme k", one, []byte("second"), at(90)))
		must(t, s.DropReplay(ctx, "acme k", one))
		s = reopen(t, s)
		if taken, other, answer := claim(t, s, "acme k", one, 59, 65); !taken || other != one || answer != "answer" {
			t.Errorf("kept: %v %v %q", taken, other, answer)
		}
		if taken, _, _ := claim(t, s, "acme", one, 1, 6); taken {
			t.Error("another name is taken")
		}
		if taken, _, _ := claim(t, s, "acme k", two, 60, 65); taken {
			t.Error("taken after its end")
		}
	})
	t.Run("a request that gave nothing, or never ended, frees its name", func(t *testing.T) {
		s := open(t)
		claim(t, s, "a", one, 0, 5)
		must(t, s.DropReplay(t.Context(), "a", one))
		if taken, _, _ := claim(t, s, "a", two, 1, 6); taken {
			t.Error("taken after it was dropped")
		}
		claim(t, s, "b", one, 0, 5)
		s = reopen(t, s)
		if taken, _, _ := claim(t, s, "b", two, 5, 10); taken {
			t.Error("taken after the claim ended")
		}
		must(t, s.KeepReplay(t.Context(), "b", one, []byte("late"), at(60)))
		if _, other, answer := claim(t, s, "b", two, 6, 10); other != two || answer != "" {
			t.Errorf("the answer of a request that lost its name was kept: %v %q", other, answer)
		}
	})
	t.Run("one of many claims", func(t *testing.T) {
		s := open(t)
		var won atomic.Int32
		var wg sync.WaitGroup
		for n := range 32 {
			wg.Go(func() {
				taken, _, _, err := s.ClaimReplay(t.Context(), "a", [32]byte{byte(n)}, at(0), at(5))
				if err != nil {
					t.Errorf("ClaimReplay: %v", err)
				} else if !taken {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d claimed one name, want 1", won.Load())
		}
	})
	t.Run("what is past is deleted", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		for n, name := range []string{"a", "b", "c"} {
			claim(t, s, name, one, 0, 10+n)
		}
		must(t, s.KeepReplay(ctx, "a", one, []byte("kept"), at(60)))
		if n, err := s.DeleteReplays(ctx, at(30), 1); err != nil || n != 1 {
			t.Errorf("DeleteReplays with limit 1 = %d, %v", n, err)
		}
		if n, err := s.DeleteReplays(ctx, at(30), 100); err != nil || n != 1 {
			t.Errorf("DeleteReplays = %d, %v; want the one that is left", n, err)
		}
		if taken, _, answer := claim(t, s, "a", one, 31, 40); !taken || answer != "kept" {
			t.Errorf("the kept one: %v %q", taken, answer)
		}
	})
}
