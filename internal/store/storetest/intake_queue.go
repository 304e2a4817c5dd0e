package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/intake"
)

func claim(t testing.TB, s intake.Store, after string, second int) string {
	t.Helper()
	b, ok, err := s.Claim(t.Context(), after, at(second))
	must(t, err)
	if ok && b.State != intake.StateScoring {
		t.Errorf("claimed batch is %s", b.State)
	}
	return b.ID
}

func scoredBatch(b intake.Batch) intake.Completion {
	return intake.Completion{
		Tenant: b.Tenant, Batch: b.ID, Sealer: plainSealer{}, At: at(30), Keep: at(30).Add(intake.KeepReports),
		Report: assessment.Report{ID: "r-" + b.ID, Subject: "u", Items: []assessment.Item{{Facet: "SO1", Day: "2026-01-10"}}},
	}
}

func (e intakeSuite) enqueue(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	queued(t, s, "acme", "b1", 1)
	try := func(id string, second, quota int, change func(*intake.Batch)) (intake.Batch, bool, error) {
		t.Helper()
		b := newBatch("acme", "c-acme", id)
		_, _, err := s.CreateBatch(ctx, b, intake.Key{})
		must(t, err)
		b.State, b.Queued = intake.StateQueued, at(second)
		if change != nil {
			change(&b)
		}
		return s.Enqueue(ctx, b, quota)
	}
	if got, created, err := try("twin", 2, 100, func(b *intake.Batch) { b.Digest = "digest-b1" }); err != nil || created || got.ID != "b1" {
		t.Errorf("the same digest = %s, %v, %v", got.ID, created, err)
	}
	if _, _, err := try("full", 2, 1, nil); !errors.Is(err, intake.ErrQuota) {
		t.Errorf("over the quota: %v", err)
	}
	if _, _, err := try("late", 0, 100, func(b *intake.Batch) { b.Queued = at(0).Add(24 * time.Hour) }); !errors.Is(err, intake.ErrNotLive) {
		t.Errorf("after the end: %v", err)
	}
	if _, _, err := try("foreign", 2, 100, func(b *intake.Batch) { b.Consent = "none" }); !errors.Is(err, intake.ErrNotFound) {
		t.Errorf("no receipt: %v", err)
	}
	must(t, s.SetRestriction(ctx, "acme", "ref", intake.Restriction{Kind: intake.Restricted, At: at(2)}))
	if _, _, err := try("restricted", 3, 100, nil); !errors.Is(err, intake.ErrRestricted) {
		t.Errorf("restricted: %v", err)
	}
	must(t, s.SetRestriction(ctx, "acme", "ref", intake.Restriction{}))
	_, err := s.Withdraw(ctx, "acme", "c-acme", at(3), "")
	must(t, err)
	if _, _, err := try("withdrawn", 4, 100, nil); !errors.Is(err, intake.ErrNotLive) {
		t.Errorf("withdrawn: %v", err)
	}
	if waiting, oldest, err := s.Depth(ctx, 10); err != nil || waiting != 1 || !oldest.Equal(at(1)) {
		t.Errorf("Depth = %d, %v, %v", waiting, oldest, err)
	}
}

func (e intakeSuite) turns(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	for n, place := range []string{"acme/1", "acme/2", "acme/3", "beta/4", "longer-name/5", "beta/6"} {
		tenant, id, _ := strings.Cut(place, "/")
		queued(t, s, tenant, id, n)
	}
	last, order := "", []string(nil)
	for range 7 {
		b, ok, err := s.Claim(ctx, last, at(20))
		must(t, err)
		if !ok {
			break
		}
		last, order = b.Tenant, append(order, b.ID)
	}
	if got := strings.Join(order, " "); got != "1 4 5 2 6 3" {
		t.Errorf("order %s, want 1 4 5 2 6 3", got)
	}
	must(t, s.Release(ctx, "acme", "2", at(40)))
	if got := claim(t, s, "", 39); got != "" {
		t.Errorf("claimed %s before its time", got)
	}
	s = e.reopen(t, e.s).Intake
	if claimed, err := s.Claimed(ctx, 100); err != nil || len(claimed) != 5 {
		t.Errorf("Claimed = %d, %v", len(claimed), err)
	}
	if got := claim(t, s, "acme", 40); got != "2" {
		t.Errorf("claimed %q, want 2", got)
	}
	if err := s.Release(ctx, "acme", "none", at(0)); !errors.Is(err, intake.ErrNotFound) {
		t.Errorf("Release of nothing: %v", err)
	}
	must(t, s.Release(ctx, "acme", "2", at(0)))
	if err := s.Release(ctx, "acme", "2", at(0)); !errors.Is(err, intake.ErrState) {
		t.Errorf("Release twice: %v", err)
	}
}

func (e intakeSuite) crowd(t *testing.T) {
	s := e.s.Intake
	for n := range 20 {
		queued(t, s, "acme", fmt.Sprintf("b%02d", n), n)
	}
	var seen sync.Map
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				b, ok, err := s.Claim(t.Context(), "", at(59))
				if err != nil {
					t.Errorf("Claim: %v", err)
				}
				if !ok {
					return
				}
				if _, twice := seen.LoadOrStore(b.ID, true); twice {
					t.Errorf("%s was claimed twice", b.ID)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	seen.Range(func(any, any) bool { n++; return true })
	if n != 20 {
		t.Errorf("%d batches were claimed, want 20", n)
	}
}

func (e intakeSuite) completion(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	b := queued(t, s, "acme", "b1", 1)
	if err := s.Complete(ctx, scoredBatch(b)); !errors.Is(err, intake.ErrState) {
		t.Errorf("Complete of what is not claimed: %v", err)
	}
	claim(t, s, "", 5)
	must(t, s.SetRestriction(ctx, "acme", "ref", intake.Restriction{Kind: intake.Restricted}))
	if err := s.Complete(ctx, scoredBatch(b)); !errors.Is(err, intake.ErrRestricted) {
		t.Errorf("Complete while restricted: %v", err)
	}
	must(t, s.SetRestriction(ctx, "acme", "ref", intake.Restriction{}))
	if _, err := e.s.Reports.Report(ctx, "acme", "r-b1"); !errors.Is(err, assessment.ErrNotFound) {
		t.Errorf("a refused completion stored the report: %v", err)
	}
	must(t, s.Complete(ctx, scoredBatch(b)))
	if err := s.Complete(ctx, scoredBatch(b)); !errors.Is(err, intake.ErrState) {
		t.Errorf("Complete twice: %v", err)
	}
	again := e.reopen(t, e.s)
	s = again.Intake
	if got, err := s.Batch(ctx, "acme", "b1"); err != nil || got.State != intake.StateDone || got.Report != "r-b1" || !got.DestroyedAt.IsZero() {
		t.Errorf("Batch = %+v, %v", got, err)
	}
	if items, err := again.Reports.Items(ctx, "acme", "r-b1"); err != nil || len(items) != 1 {
		t.Errorf("Items = %v, %v", items, err)
	}
	if left, err := s.Unshredded(ctx, 10); err != nil || len(left) != 1 {
		t.Errorf("Unshredded = %d, %v", len(left), err)
	}
	must(t, s.Shred(ctx, intake.End{Tenant: "acme", Batch: "b1", State: intake.StateDestroyed, At: at(31)}))
	if got, err := s.Batch(ctx, "acme", "b1"); err != nil || got.State != intake.StateDone || !got.DestroyedAt.Equal(at(31)) {
		t.Errorf("Batch after Shred = %+v, %v", got, err)
	}
	_, err := s.Part(ctx, "acme", "b1", 0)
	gone(t, "Part after Shred", err)
	owned, err := s.SubjectReports(ctx, "acme", "ref", "", 10)
	if err != nil || len(owned) != 1 || owned[0] != (intake.Owned{Report: "r-b1", Consent: "c-acme", Batch: "b1"}) {
		t.Errorf("SubjectReports = %v, %v", owned, err)
	}
}

// race lets withdrawals and completions meet: where the receipt was withdrawn first there is no report, and the other way
// round the withdrawal finds it.
func (e intakeSuite) race(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	var stored, refused atomic.Int32
	var wg sync.WaitGroup
	for n := range 20 {
		tenant, id := fmt.Sprintf("t%02d", n), fmt.Sprintf("b%02d", n)
		b := queued(t, s, tenant, id, 1)
		if _, ok, err := s.Claim(ctx, tenant+"-", at(5)); err != nil || !ok {
			t.Fatal(ok, err)
		}
		wg.Go(func() {
			switch err := s.Complete(ctx, scoredBatch(b)); {
			case err == nil:
				stored.Add(1)
			case errors.Is(err, intake.ErrNotLive):
				refused.Add(1)
			default:
				t.Errorf("Complete: %v", err)
			}
		})
		wg.Go(func() {
			if _, err := s.Withdraw(ctx, tenant, "c-"+tenant, at(6), ""); err != nil {
				t.Errorf("Withdraw: %v", err)
			}
		})
	}
	wg.Wait()
	for n := range 20 {
		tenant, id := fmt.Sprintf("t%02d", n), fmt.Sprintf("b%02d", n)
		b, err := s.Batch(ctx, tenant, id)
		must(t, err)
		_, err = e.s.Reports.Report(ctx, tenant, "r-"+id)
		if (b.State == intake.StateDone) != (err == nil) {
			t.Errorf("batch %s is %s and its report %v", id, b.State, err)
		}
	}
	if stored.Load()+refused.Load() != 20 {
		t.Errorf("%d stored, %d refused", stored.Load(), refused.Load())
	}
}
