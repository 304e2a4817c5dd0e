package issuer_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"heartmark/issuer"
	"heartmark/schemas"
)

func (w *world) issue(t testing.TB) issuer.Issued {
	t.Helper()
	got, err := w.iss.Issue(t.Context(), request(""))
	if err != nil {
		t.Fatalf("Issue: %v", err)
	}
	return got
}

func TestSEC_082_RevocationIsFinal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	got := w.issue(t)
	ctx := issuer.WithActor(t.Context(), "operator-1")
	suspended := func() bool {
		_, bits, err := w.iss.ListState(t.Context(), got.Group, schemas.PurposeSuspension)
		if err != nil {
			t.Fatal(err)
		}
		return bit(bits, got.Index)
	}
	version := func() uint64 {
		v, _, err := w.iss.ListState(t.Context(), got.Group, schemas.PurposeRevocation)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	steps := []struct {
		name                string
		do                  func(context.Context, string, schemas.CredentialID, string) error
		want                error
		status              issuer.Status
		suspended, revoked  bool
		revocationListMoves bool
	}{
		{"reinstate a valid one", w.iss.Reinstate, nil, issuer.StatusValid, false, false, false},
		{"suspend", w.iss.Suspend, nil, issuer.StatusSuspended, true, false, false},
		{"suspend again", w.iss.Suspend, nil, issuer.StatusSuspended, true, false, false},
		{"reinstate", w.iss.Reinstate, nil, issuer.StatusValid, false, false, false},
		{"suspend once more", w.iss.Suspend, nil, issuer.StatusSuspended, true, false, false},
		{"revoke", w.iss.Revoke, nil, issuer.StatusRevoked, true, true, true},
		{"revoke again", w.iss.Revoke, nil, issuer.StatusRevoked, true, true, false},
		{"reinstate a revoked one", w.iss.Reinstate, issuer.ErrRevoked, issuer.StatusRevoked, true, true, false},
		{"suspend a revoked one", w.iss.Suspend, issuer.ErrRevoked, issuer.StatusRevoked, true, true, false},
	}
	for _, s := range steps {
		before := version()
		if err := s.do(ctx, "acme", got.ID, "a reason"); !errors.Is(err, s.want) {
			t.Fatalf("%s: %v, want %v", s.name, err, s.want)
		}
		now, err := w.iss.Get(t.Context(), "acme", got.ID)
		if err != nil || now.Status != s.status || suspended() != s.suspended || w.revoked(got.Group, got.Index) != s.revoked {
			t.Errorf("%s: status %s, suspended %v, revoked %v, %v; want %s, %v, %v",
				s.name, now.Status, suspended(), w.revoked(got.Group, got.Index), err, s.status, s.suspended, s.revoked)
		}
		if moved := version() > before; moved != s.revocationListMoves {
			t.Errorf("%s: version of the revocation list rose: %v, want %v", s.name, moved, s.revocationListMoves)
		}
	}
	if n := w.audits(issuer.AuditRevoke); n != 1 {
		t.Errorf("%d audit entries of the revocation, want 1", n)
	}
	if err := w.iss.Revoke(t.Context(), "beta", got.ID, ""); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("Revoke by another tenant: %v, want ErrNotFound", err)
	}
	if err := w.iss.Revoke(t.Context(), "acme", got.ID, "line\nbreak"); !errors.Is(err, issuer.ErrInvalid) {
		t.Errorf("Revoke with a bad reason: %v, want ErrInvalid", err)
	}
}

func TestSEC_079_ConcurrentRevocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	const n, workers = 400, 64
	ids := make(chan issuer.Issued, n)
	var indexes []uint64
	var group schemas.ListGroup
	for range n {
		got := w.issue(t)
		ids <- got
		indexes, group = append(indexes, got.Index), got.Group
	}
	close(ids)
	kept := w.issue(t)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for got := range ids {
				if err := w.iss.Revoke(t.Context(), "acme", got.ID, ""); err != nil {
					t.Errorf("Revoke: %v", err)
				}
			}
		})
	}
	wg.Wait()
	_, bits, err := w.iss.ListState(t.Context(), group, schemas.PurposeRevocation)
	if err != nil {
		t.Fatal(err)
	}
	set := 0
	for i := range uint64(len(bits) * 8) {
		if bit(bits, i) {
			set++
		}
	}
	for _, index := range indexes {
		if !bit(bits, index) {
			t.Errorf("index %d is not set", index)
		}
	}
	if set != n || bit(bits, kept.Index) {
		t.Errorf("%d bits are set, want %d and not index %d", set, n, kept.Index)
	}
}

func TestSEC_080_IndexesAreDistinct(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	const workers, each = 20, 40
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				got, err := w.iss.Issue(t.Context(), request(""))
				if err != nil {
					t.Errorf("Issue: %v", err)
					return
				}
				mu.Lock()
				seen[fmt.Sprintf("%s/%d", got.Group, got.Index)] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != workers*each {
		t.Errorf("%d distinct indexes for %d credentials", len(seen), workers*each)
	}
	groups, err := w.iss.Groups(t.Context(), "", 10)
	if err != nil || len(groups) != 1 || groups[0].Size != issuer.MinListSize || groups[0].Tenant != "acme" {
		t.Errorf("Groups = %+v, %v; want one of full size", groups, err)
	}
}

func TestNewEpochOpensNewLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, true)
	before := w.issue(t)
	if err := w.iss.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := w.issue(t)
	if before.Group == after.Group {
		t.Error("the list of the old epoch goes on")
	}
	w.restart()
	if again := w.issue(t); again.Group != after.Group {
		t.Errorf("after a restart group %s, want %s", again.Group, after.Group)
	}
	if err := w.iss.Revoke(t.Context(), "acme", before.ID, ""); err != nil || !w.revoked(before.Group, before.Index) {
		t.Errorf("Revoke of a credential of the old epoch: %v", err)
	}
}

func TestOutboxKeepsWhatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	out := errors.New("log is out")
	w.log.fail = out
	got := w.issue(t)
	if err := w.iss.Revoke(t.Context(), "acme", got.ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.iss.DrainOutbox(t.Context()); !errors.Is(err, out) {
		t.Errorf("DrainOutbox: %v, want the log's error", err)
	}
	events, err := w.db.Outbox(t.Context(), 10)
	if err != nil || len(events) != 1 || events[0].Kind != issuer.OutboxIssued {
		t.Errorf("outbox holds %+v, %v; want the commitment alone", events, err)
	}
	w.log.fail = nil
	if err := w.iss.DrainOutbox(t.Context()); err != nil || len(w.log.entries) != 1 {
		t.Errorf("DrainOutbox: %v, %d entries", err, len(w.log.entries))
	}
}

func TestRunSendsWithoutBeingAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	told := make(chan []schemas.ListGroup, 8)
	w.conf = func(c *issuer.Config) { c.Lists = listsFunc(func(g []schemas.ListGroup) { told <- g }) }
	w.open()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.iss.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	got := w.issue(t)
	if err := w.iss.Revoke(t.Context(), "acme", got.ID, ""); err != nil {
		t.Fatal(err)
	}
	if groups := <-told; len(groups) != 1 || groups[0] != got.Group {
		t.Errorf("told of %v, want %s", groups, got.Group)
	}
	cancel()
	wg.Wait()
}

type listsFunc func([]schemas.ListGroup)

func (f listsFunc) ListsChanged(_ context.Context, groups []schemas.ListGroup) error {
	f(groups)
	return nil
}
