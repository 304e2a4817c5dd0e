package issuer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/internal/store/storetest"
	"heartmark/issuer"
	"heartmark/schemas"
)

// ledger is what the caller knows: what was acknowledged to it.
type ledger struct {
	issued  map[string]issuer.Issued // by idempotency key
	revoked map[schemas.CredentialID]bool
}

func newLedger() *ledger {
	return &ledger{issued: map[string]issuer.Issued{}, revoked: map[schemas.CredentialID]bool{}}
}

// checkInvariants checks I1 to I6 of security section 8, after Recover. lost counts signatures that a crash kept from
// being made although their audit entry stands.
func (w *world) checkInvariants(l *ledger, lost int) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.iss.DrainOutbox(ctx); err != nil {
		w.t.Fatalf("DrainOutbox: %v", err)
	}
	acknowledged := map[schemas.CredentialID]bool{}
	for key, want := range l.issued {
		// I1: found, the same bytes, verifies.
		got, err := w.iss.Get(ctx, "acme", want.ID)
		if err != nil || !bytes.Equal(got.Credential, want.Credential) || got.Index != want.Index || got.Group != want.Group {
			w.t.Fatalf("acknowledged credential %s: %v, or it changed", want.ID, err)
		}
		if err := w.verify(got.Credential); err != nil {
			w.t.Fatalf("acknowledged credential %s: %v", want.ID, err)
		}
		if got.LogIndex == nil {
			w.t.Fatalf("acknowledged credential %s has no place in the log", want.ID)
		}
		// I4: the idempotency key stays used.
		again, err := w.iss.Issue(ctx, request(key))
		if err != nil || again.ID != want.ID {
			w.t.Fatalf("asked again under %q: %s, %v; want %s", key, again.ID, err, want.ID)
		}
		// I2: in the list, and so it stays.
		if l.revoked[want.ID] && !w.revoked(want.Group, want.Index) {
			w.t.Fatalf("acknowledged revocation of %s is lost", want.ID)
		}
		acknowledged[want.ID] = true
	}
	// I3: no index twice, over everything that was ever signed.
	seen := map[string]schemas.CredentialID{}
	for _, s := range w.signed {
		place := fmt.Sprintf("%s/%d", s.group, s.index)
		if other, twice := seen[place]; twice {
			w.t.Fatalf("index %s was given to %s and %s", place, other, s.id)
		}
		seen[place] = s.id
		// What was signed and is not stored is revoked.
		if _, err := w.iss.Get(ctx, "acme", s.id); errors.Is(err, issuer.ErrNotFound) && !w.revoked(s.group, s.index) {
			w.t.Fatalf("credential %s was signed, is not stored and not revoked", s.id)
		}
	}
	// I5: each signature has its audit entry.
	if got, want := w.audits(issuer.AuditSign), len(w.signed)+lost; got != want {
		w.t.Fatalf("%d audit entries for %d signatures and %d that were prevented", got, len(w.signed), lost)
	}
	// I6: nothing is open, and the consistency check finds nothing.
	report, err := w.iss.Fsck(ctx)
	if err != nil || len(report.Problems) > 0 || report.OpenIntents > 0 || report.Signatures != len(w.signed)+lost {
		w.t.Fatalf("Fsck = %+v, %v", report, err)
	}
}

func TestSEC_210_EachCrashPoint(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		report issuer.RecoveryReport
		stored bool // asking again gives what was stored
		lost   int
	}{
		"issue.after_reserve":        {issuer.RecoveryReport{Closed: 1}, false, 0},
		"issue.after_intent_commit":  {issuer.RecoveryReport{Closed: 1}, false, 0},
		"issue.before_sign":          {issuer.RecoveryReport{Revoked: 1}, false, 1},
		"issue.after_sign":           {issuer.RecoveryReport{Revoked: 1}, false, 0},
		"issue.before_record_commit": {issuer.RecoveryReport{Revoked: 1}, false, 0},
		"issue.after_record_commit":  {issuer.RecoveryReport{}, true, 0},
		"issue.before_reply":         {issuer.RecoveryReport{}, true, 0},
	}
	for _, point := range issuer.CrashPoints() {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w, l := newWorld(t, true), newLedger()
			for n := range 3 {
				key := fmt.Sprint("before ", n)
				got, err := w.iss.Issue(t.Context(), request(key))
				if err != nil {
					t.Fatal(err)
				}
				l.issued[key] = got
			}
			victim := l.issued["before 1"]
			w.crashAt = point
			crashed := survive(func() {
				got, err := w.iss.Issue(t.Context(), request("at"))
				if err != nil {
					t.Errorf("Issue: %v", err)
				}
				l.issued["at"] = got
				if err := w.iss.Revoke(t.Context(), "acme", victim.ID, ""); err != nil {
					t.Errorf("Revoke: %v", err)
				}
				l.revoked[victim.ID] = true
				if err := w.iss.DrainOutbox(t.Context()); err != nil {
					t.Errorf("DrainOutbox: %v", err)
				}
			})
			if !crashed {
				t.Fatalf("point %s was not reached", point)
			}
			signed := len(w.signed)
			report := w.restart()
			if c, issuing := want[point]; issuing {
				if report != c.report {
					t.Errorf("Recover = %+v, want %+v", report, c.report)
				}
				got, err := w.iss.Issue(t.Context(), request("at"))
				if err != nil {
					t.Fatalf("Issue after the restart: %v", err)
				}
				if stored := len(w.signed) == signed; stored != c.stored {
					t.Errorf("asking again took the stored one: %v, want %v", stored, c.stored)
				}
				l.issued["at"] = got
			} else if report != (issuer.RecoveryReport{}) {
				t.Errorf("Recover = %+v, want nothing", report)
			}
			if strings.HasPrefix(point, "revoke.") {
				if err := w.iss.Revoke(t.Context(), "acme", victim.ID, ""); err != nil {
					t.Fatalf("Revoke after the restart: %v", err)
				}
				l.revoked[victim.ID] = true
			}
			w.checkInvariants(l, want[point].lost)
			if report := w.restart(); report != (issuer.RecoveryReport{}) {
				t.Errorf("second Recover = %+v, want nothing", report)
			}
		})
	}
}

// Random sequences of acts, with a crash at a random point now and then, and the invariants after each.
func TestRandomCrashes(t *testing.T) {
	t.Parallel()
	rounds := 25
	if testing.Short() {
		rounds = 8
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	w, l := newWorld(t, true), newLedger()
	lost := 0
	points := issuer.CrashPoints()
	for round := range rounds {
		w.crashAt = points[rng.IntN(len(points))]
		at := w.crashAt
		crashed := survive(func() {
			for step := range 1 + rng.IntN(12) {
				w.act(rng, l, fmt.Sprintf("%d-%d", round, step))
			}
		})
		if crashed && at == "issue.before_sign" {
			lost++
		}
		w.restart()
		w.checkInvariants(l, lost)
	}
}

// act does one random thing and writes down what was acknowledged.
func (w *world) act(rng *rand.Rand, l *ledger, key string) {
	ctx := w.t.Context()
	w.clock.Advance(time.Duration(rng.IntN(2000)) * time.Millisecond)
	known := make([]string, 0, len(l.issued))
	for k := range l.issued {
		known = append(known, k)
	}
	slices.Sort(known)
	switch n := rng.IntN(10); {
	case n < 5 || len(known) == 0:
		got, err := w.iss.Issue(ctx, request(key))
		if err != nil {
			w.t.Fatalf("Issue: %v", err)
		}
		l.issued[key] = got
	case n < 7:
		id := l.issued[known[rng.IntN(len(known))]].ID
		if err := w.iss.Revoke(ctx, "acme", id, ""); err != nil {
			w.t.Fatalf("Revoke: %v", err)
		}
		l.revoked[id] = true
	case n < 8:
		id := l.issued[known[rng.IntN(len(known))]].ID
		if err := w.iss.Suspend(ctx, "acme", id, ""); err != nil && !errors.Is(err, issuer.ErrRevoked) {
			w.t.Fatalf("Suspend: %v", err)
		}
	case n < 9:
		if _, err := w.iss.Prepare(ctx, request(key)); err != nil { // a permit that nobody uses
			w.t.Fatalf("Prepare: %v", err)
		}
	default:
		if err := w.iss.DrainOutbox(ctx); err != nil {
			w.t.Fatalf("DrainOutbox: %v", err)
		}
	}
}

// Each write fails in two ways: lost, and stored but reported as failed. The caller asks again until it has its answer,
// as a client would; nothing may be issued twice, lost, or acknowledged falsely (SEC-087, SEC-204).
func TestSEC_204_WritesOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, mode := range []storetest.Fault{storetest.Lost, storetest.StoredButFailed} {
		for nth := range 8 {
			t.Run(fmt.Sprintf("%v write %d", mode, nth), func(t *testing.T) {
				t.Parallel()
				w, l := newWorld(t, true), newLedger()
				var faulty *storetest.FaultyIssuer
				w.wrap = func(s issuer.Store) issuer.Store {
					faulty = storetest.NewFaultyIssuer(s)
					return faulty
				}
				w.restart()
				faulty.FailWrite(nth, mode)
				ctx := t.Context()
				for _, key := range []string{"a", "b"} {
					l.issued[key] = insist(t, func() (issuer.Issued, error) { return w.iss.Issue(ctx, request(key)) })
				}
				id := l.issued["a"].ID
				insist(t, func() (struct{}, error) { return struct{}{}, w.iss.Revoke(ctx, "acme", id, "") })
				l.revoked[id] = true
				insist(t, func() (struct{}, error) { return struct{}{}, w.iss.DrainOutbox(ctx) })
				if !faulty.Failed() {
					t.Skipf("these acts make fewer than %d writes", nth+1)
				}
				lost := w.audits(issuer.AuditSign) - len(w.signed)
				w.restart()
				if lost < 0 || lost > 1 {
					t.Errorf("%d audit entries for %d signatures", w.audits(issuer.AuditSign), len(w.signed))
				}
				w.checkInvariants(l, lost)
			})
		}
	}
}

// insist asks again until there is an answer.
func insist[T any](t *testing.T, f func() (T, error)) T {
	t.Helper()
	var err error
	for range 5 {
		var out T
		if out, err = f(); err == nil {
			return out
		}
		if !errors.Is(err, storetest.ErrFault) && !errors.Is(err, issuer.ErrInProgress) {
			t.Fatalf("error of another kind: %v", err)
		}
	}
	t.Fatalf("no answer: %v", err)
	panic("unreachable")
}

// The consistency check finds what was done to the store behind the issuer's back.
func TestFsckFindsDamage(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(w *world, got issuer.Issued) error{
		"bit set behind our back": func(w *world, got issuer.Issued) error {
			in, _, err := w.db.Reserve(w.t.Context(), issuer.Intent{ID: "x", Tenant: "acme", State: issuer.StatePrepared}, issuer.Group{})
			if err != nil {
				return err
			}
			if err := w.db.Begin(w.t.Context(), issuer.Beginning{IntentID: in.ID}); err != nil {
				return err
			}
			return w.db.CloseIntent(w.t.Context(), issuer.Closing{IntentID: in.ID, From: issuer.StateSigning})
		},
		"signature without credential": func(w *world, _ issuer.Issued) error {
			return w.db.AppendAudit(w.t.Context(), issuer.AuditEvent{At: start, Event: issuer.AuditSign})
		},
		"sealed by another key": func(w *world, got issuer.Issued) error {
			in, _, err := w.db.Reserve(w.t.Context(), issuer.Intent{ID: "x", Tenant: "acme", State: issuer.StatePrepared}, issuer.Group{})
			if err != nil {
				return err
			}
			return errors.Join(w.db.Begin(w.t.Context(), issuer.Beginning{IntentID: in.ID, Audit: []issuer.AuditEvent{{Event: issuer.AuditSign}}}),
				w.db.Complete(w.t.Context(), issuer.Completion{
					IntentID: in.ID, Audit: []issuer.AuditEvent{{Event: issuer.AuditSigned}},
					Record: issuer.Record{Tenant: "acme", Group: in.Group, Index: in.Index, Sealed: []byte("x"), Status: issuer.StatusValid},
				}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, false)
			got := w.issue(t)
			if report, err := w.iss.Fsck(t.Context()); err != nil || len(report.Problems) > 0 || report.Credentials != 1 {
				t.Fatalf("Fsck of a sound store = %+v, %v", report, err)
			}
			if err := harm(w, got); err != nil {
				t.Fatal(err)
			}
			if report, err := w.iss.Fsck(t.Context()); err != nil || len(report.Problems) == 0 {
				t.Errorf("Fsck = %+v, %v; want a problem", report, err)
			}
		})
	}
}

// A failed signature closes its intent and revokes the index, and the request can be made again.
func TestFailedSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	p, err := w.iss.Prepare(t.Context(), request("k1"))
	if err != nil {
		t.Fatal(err)
	}
	infos, err := w.keys.List(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.keys.Retire(t.Context(), infos[0].ID, w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.iss.Sign(t.Context(), p); err == nil {
		t.Fatal("signed with a retired key")
	}
	if open, err := w.db.OpenIntents(t.Context(), "", 10); err != nil || len(open) > 0 {
		t.Errorf("open intents: %+v, %v", open, err)
	}
	// The fake key source makes the next key.
	if got, err := w.iss.Issue(t.Context(), request("k1")); err != nil || got.ID == p.CredentialID() {
		t.Errorf("Issue with the next key = %s, %v; want a new credential", got.ID, err)
	}
}

// A caller that goes away after the signature does not take the record with it.
func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	w.conf = func(c *issuer.Config) {
		c.Crash = func(point string) {
			if point == "issue.after_sign" {
				cancel()
			}
		}
	}
	w.open()
	got, err := w.iss.Issue(ctx, request("k1"))
	if err != nil {
		t.Fatalf("Issue: %v", err)
	}
	if _, err := w.iss.Get(t.Context(), "acme", got.ID); err != nil {
		t.Errorf("Get: %v", err)
	}
}
