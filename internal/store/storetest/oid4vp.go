package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/verifier/oid4vp"
)

// Presentations is the contract of oid4vp.Store. open gives an empty store; reopen closes one and opens the same data.
func Presentations(t *testing.T, open func(t *testing.T) oid4vp.Store, reopen func(t *testing.T, s oid4vp.Store) oid4vp.Store) {
	start := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	session := func(n int) oid4vp.Session {
		return oid4vp.Session{
			ID: fmt.Sprint("s", n), Request: fmt.Sprint("r", n), Tenant: "acme", Flow: oid4vp.CrossDevice, State: oid4vp.StatePending,
			Nonce: "n", Query: []byte(`{"credentials":[]}`), SealedKey: []byte{1, 2}, CreatedAt: at(0), ExpiresAt: at(5), PurgeAt: at(15 + n),
		}
	}
	t.Run("what is put can be found by both ids, after a restart too", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		must(t, s.PutSession(ctx, session(1)))
		s = reopen(t, s)
		byID, err := s.SessionByID(ctx, "s1")
		must(t, err)
		byRequest, err := s.SessionByRequest(ctx, "r1")
		must(t, err)
		want := session(1)
		for _, got := range []oid4vp.Session{byID, byRequest} {
			if got.ID != want.ID || got.Request != want.Request || got.Tenant != want.Tenant || string(got.Query) != string(want.Query) ||
				string(got.SealedKey) != string(want.SealedKey) || !got.PurgeAt.Equal(want.PurgeAt) {
				t.Errorf("found %+v, want %+v", got, want)
			}
		}
	})
	t.Run("an id and a request are taken once", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		must(t, s.PutSession(ctx, session(1)))
		sameRequest, sameID := session(2), session(3)
		sameRequest.Request, sameID.ID = "r1", "s1"
		for _, twin := range []oid4vp.Session{sameRequest, sameID} {
			if err := s.PutSession(ctx, twin); !errors.Is(err, oid4vp.ErrExists) {
				t.Errorf("PutSession %s %s: %v, want ErrExists", twin.ID, twin.Request, err)
			}
		}
		for _, id := range []string{"s2", "s3"} {
			if _, err := s.SessionByID(ctx, id); !errors.Is(err, oid4vp.ErrNotFound) {
				t.Errorf("SessionByID %s after a refused put: %v, want ErrNotFound", id, err)
			}
		}
	})
	t.Run("unknown ids", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		if _, err := s.SessionByID(ctx, "none"); !errors.Is(err, oid4vp.ErrNotFound) {
			t.Errorf("SessionByID: %v", err)
		}
		if _, err := s.SessionByRequest(ctx, "none"); !errors.Is(err, oid4vp.ErrNotFound) {
			t.Errorf("SessionByRequest: %v", err)
		}
		err := s.UpdateSession(ctx, "none", func(*oid4vp.Session) error { t.Error("change was called"); return nil })
		if !errors.Is(err, oid4vp.ErrNotFound) {
			t.Errorf("UpdateSession: %v", err)
		}
	})
	t.Run("SEC-125: one of many ends a session", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		must(t, s.PutSession(ctx, session(1)))
		late := errors.New("too late")
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				err := s.UpdateSession(ctx, "s1", func(o *oid4vp.Session) error {
					if o.State != oid4vp.StatePending {
						return late
					}
					o.State = oid4vp.StateReceived
					return nil
				})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, late) {
					t.Errorf("UpdateSession: %v", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d ended one session, want 1", won.Load())
		}
	})
	t.Run("a refused change writes nothing, and what finds a session stays", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		must(t, s.PutSession(ctx, session(1)))
		no := errors.New("no")
		if err := s.UpdateSession(ctx, "s1", func(o *oid4vp.Session) error { o.Nonce = "x"; return no }); !errors.Is(err, no) {
			t.Errorf("UpdateSession: %v", err)
		}
		must(t, s.UpdateSession(ctx, "s1", func(o *oid4vp.Session) error { o.ID, o.Request, o.PurgeAt = "a", "b", at(99); return nil }))
		got, err := s.SessionByRequest(ctx, "r1")
		if err != nil || got.ID != "s1" || got.Nonce != "n" || !got.PurgeAt.Equal(session(1).PurgeAt) {
			t.Errorf("found %+v, %v", got, err)
		}
	})
	t.Run("what is past is deleted whole", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		for n := range 4 {
			must(t, s.PutSession(ctx, session(n)))
		}
		s = reopen(t, s)
		for _, step := range []struct{ limit, want int }{{2, 2}, {100, 1}, {100, 0}} {
			if n, err := s.DeleteSessions(ctx, at(18), step.limit); err != nil || n != step.want {
				t.Errorf("DeleteSessions with limit %d = %d, %v; want %d", step.limit, n, err, step.want)
			}
		}
		for n := range 4 {
			_, byID := s.SessionByID(ctx, fmt.Sprint("s", n))
			_, byRequest := s.SessionByRequest(ctx, fmt.Sprint("r", n))
			if left := n == 3; (byID == nil) != left || (byRequest == nil) != left {
				t.Errorf("session %d: %v, %v; want it there: %v", n, byID, byRequest, left)
			}
		}
		must(t, s.PutSession(ctx, session(0))) // its ids are free again
	})
}
