package intake_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
)

const cryptoHash0 = crypto.Hash(0)

// absent searches every byte of the data folder, store, logs and vault, for words.
func (w *world) absent(words ...string) {
	w.t.Helper()
	for _, word := range words {
		if w.present(word) {
			w.t.Errorf("%q stands in the data folder", word)
		}
	}
}

// present reports whether a word stands in any file of the data folder.
func (w *world) present(word string) bool {
	w.t.Helper()
	files, found := 0, false
	err := filepath.WalkDir(filepath.Join(w.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		found = found || bytes.Contains(data, []byte(word))
		return err
	})
	if err != nil || files == 0 {
		w.t.Fatalf("searched %d files: %v", files, err)
	}
	return found
}

func (w *world) keyFiles() int {
	w.t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(w.dir, "data", "vault"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestSEC_182_TextIsNeverInClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "subject-in-person"))
	b := w.mustSubmit(receipt.ID, lines("subject-in-person", 1))
	w.absent(secretWord, "subject-in-person", "neighbour-nine", "dog passed away")
	before := w.keyFiles()
	w.drain()
	// The key of the text went, that of the report came.
	if after := w.keyFiles(); after != before || w.batch(b.ID).DestroyedAt.IsZero() {
		t.Errorf("%d key files before the score, %d after", before, after)
	}
	w.absent(secretWord, "subject-in-person")
}

func TestSEC_181_Withdrawal(t *testing.T) {
	t.Parallel()
	t.Run("before scoring", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		receipt := w.give(newPerson(t, "u7"))
		b := w.mustSubmit(receipt.ID, lines("u7", 1))
		withdraw(w, receipt.ID)
		w.drain()
		if got := w.batch(b.ID); got.State != intake.StateDestroyed || got.Reason != intake.WhyWithdrawn || len(w.assessor.calls) != 0 {
			t.Errorf("batch = %+v, %d calls", got, len(w.assessor.calls))
		}
		_, _, err := w.submit(receipt.ID, lines("u7", 2))
		wantErr(t, "Submit", err, intake.ErrNotLive)
	})
	t.Run("while scoring", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		receipt := w.give(newPerson(t, "u7"))
		b := w.mustSubmit(receipt.ID, lines("u7", 1))
		stopped := false
		w.assessor.hook = func(ctx context.Context, _ evidence.Batch) {
			withdraw(w, receipt.ID)
			stopped = ctx.Err() != nil
		}
		w.drain()
		if got := w.batch(b.ID); !stopped || got.State != intake.StateDestroyed || got.Report != "" {
			t.Errorf("stopped %v, batch = %+v", stopped, got)
		}
	})
	t.Run("between score and store", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		receipt := w.give(newPerson(t, "u7"))
		b := w.mustSubmit(receipt.ID, lines("u7", 1))
		report := ""
		w.onCrashPoint("assess.after_score", func() {
			report = "urn:uuid:" + strings.TrimPrefix(b.Digest, "sha256:")[:32]
			withdraw(w, receipt.ID)
		})
		w.drain()
		if _, err := w.reports.Report(t.Context(), "acme", report); !errors.Is(err, assessment.ErrNotFound) || report == "" {
			t.Errorf("a report was stored after the withdrawal: %v", err)
		}
		if n := w.keyFiles(); n != 1 { // that of the receipt
			t.Errorf("%d key files are left, want 1", n)
		}
	})
	t.Run("after the score", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		p := newPerson(t, "u7")
		receipt, other := w.give(p), w.give(p, func(x *intake.Terms) { x.Purposes = append(x.Purposes, "issue") })
		b, kept := w.mustSubmit(receipt.ID, lines("u7", 1)), w.mustSubmit(other.ID, lines("u7", 1))
		w.drain()
		report := w.batch(b.ID).Report
		withdraw(w, receipt.ID)
		if _, err := w.reports.Report(t.Context(), "acme", report); !errors.Is(err, assessment.ErrNotFound) {
			t.Errorf("the report is still there: %v", err)
		}
		if _, err := w.reports.Report(t.Context(), "acme", w.batch(kept.ID).Report); err != nil {
			t.Errorf("what rests on another receipt went too: %v", err)
		}
	})
}

func withdraw(w *world, id string) {
	w.t.Helper()
	if _, err := w.service.Withdraw(context.WithoutCancel(w.t.Context()), acme, id); err != nil {
		w.t.Errorf("Withdraw: %v", err)
	}
}

func TestEndedReceiptScoresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"), func(x *intake.Terms) { x.Until = start.Add(time.Hour).Format(time.RFC3339) })
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	w.clock.Advance(time.Hour)
	w.drain()
	if got := w.batch(b.ID); got.State != intake.StateDestroyed || got.Reason != intake.WhyNotLive {
		t.Errorf("batch = %+v", got)
	}
}

func TestTextEndsAfterADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	upload, _, err := w.service.Begin(t.Context(), acme, intake.Params{Consent: receipt.ID})
	if err != nil {
		t.Fatal(err)
	}
	// The job runs every minute, so it begins early enough to be done within the day.
	w.clock.Advance(intake.KeepText - 2*time.Minute - time.Second)
	if err := w.service.Sweep(t.Context()); err != nil || w.batch(b.ID).State != intake.StateQueued {
		t.Fatalf("before its time: %s, %v", w.batch(b.ID).State, err)
	}
	w.clock.Advance(time.Second)
	if err := w.service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{b.ID, upload.ID} {
		if got := w.batch(id); got.State != intake.StateDestroyed || got.Reason != intake.WhyExpired {
			t.Errorf("batch = %+v", got)
		}
	}
	w.drain()
	if len(w.assessor.calls) != 0 {
		t.Error("scored after its text was destroyed")
	}
	if n := w.keyFiles(); n != 1 {
		t.Errorf("%d key files, want that of the receipt", n)
	}
}

func TestFairnessBetweenTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tenant := range []string{"acme", "beta", "longer-name"} {
		caller := intake.Caller{Tenant: tenant}
		receipt, _, err := w.service.Give(t.Context(), caller, intake.GiveRequest{Terms: w.terms(tenant), Account: true})
		if err != nil {
			t.Fatal(err)
		}
		for n := range map[string]int{"acme": 6, "beta": 2, "longer-name": 2}[tenant] {
			w.clock.Advance(time.Second)
			_, _, err := w.service.Submit(t.Context(), caller, intake.Submission{Params: intake.Params{Consent: receipt.ID}, Body: strings.NewReader(lines(tenant, n))})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	w.drain()
	want := strings.Fields("acme beta longer-name acme beta longer-name acme acme acme acme")
	if !slices.Equal(w.assessor.tenants, want) {
		t.Errorf("order %v, want %v", w.assessor.tenants, want)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.MaxQueued = 2
	receipt := w.give(newPerson(t, "u7"))
	w.mustSubmit(receipt.ID, lines("u7", 1))
	w.mustSubmit(receipt.ID, lines("u7", 2))
	key := func(r *intake.Submission) { r.IdempotencyKey = "3" }
	_, _, err := w.submit(receipt.ID, lines("u7", 3), key)
	wantErr(t, "third", err, intake.ErrQuota)
	w.drain()
	if _, created, err := w.submit(receipt.ID, lines("u7", 3), key); err != nil || !created {
		t.Errorf("after the queue is empty, the same key: %v, %v", created, err)
	}
}

func TestKillSwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	set := func(c intake.Control) {
		t.Helper()
		if _, err := w.service.SetControl(t.Context(), intake.Caller{Actor: "operator"}, c); err != nil {
			t.Fatal(err)
		}
	}
	w.assessor.hook = func(context.Context, evidence.Batch) { set(intake.Control{Stopped: true, Reason: "drill"}) }
	w.drain()
	if got := w.batch(b.ID); got.State != intake.StateQueued || w.audited(intake.AuditControl) != 1 {
		t.Errorf("what was being scored: %+v", got)
	}
	w.restart()
	w.drain()
	if got := w.batch(b.ID); got.State != intake.StateQueued {
		t.Errorf("scored while stopped: %+v", got)
	}
	_, _, err := w.submit(receipt.ID, lines("u7", 2))
	wantErr(t, "intake while stopped", err, intake.ErrStopped)
	set(intake.Control{Stopped: true, Accept: true})
	second := w.mustSubmit(receipt.ID, lines("u7", 2))
	w.assessor.hook = nil
	set(intake.Control{})
	w.drain()
	for _, id := range []string{b.ID, second.ID} {
		if got := w.batch(id); got.State != intake.StateDone {
			t.Errorf("after it goes on: %+v", got)
		}
	}
}

func TestFaultsAreTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	step := func() error { _, err := w.service.Step(t.Context()); return err }
	w.assessor.unavailable = true
	for range 8 { // an absent model never costs a batch
		if err := step(); err == nil {
			t.Error("no error while the model is away")
		}
		if found, _ := w.service.Step(t.Context()); found {
			t.Error("tried again at once")
		}
		w.clock.Advance(10 * time.Minute)
	}
	if got := w.batch(b.ID); got.State != intake.StateQueued {
		t.Fatalf("batch = %+v", got)
	}
	w.assessor.unavailable = false
	w.drain()
	if got := w.batch(b.ID); got.State != intake.StateDone {
		t.Fatalf("batch = %+v", got)
	}
	second := w.mustSubmit(receipt.ID, lines("u7", 2))
	w.assessor.hook = func(context.Context, evidence.Batch) { panic("text of a person") }
	for range 5 {
		if err := step(); err == nil || strings.Contains(err.Error(), "text of a person") {
			t.Errorf("step = %v", err)
		}
		w.clock.Advance(10 * time.Minute)
	}
	if got := w.batch(second.ID); got.State != intake.StateRefused || got.Reason != intake.WhyFailed || got.DestroyedAt.IsZero() {
		t.Errorf("batch = %+v", got)
	}
}

// onCrashPoint runs fn when a point is passed for the first time.
func (w *world) onCrashPoint(point string, fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at == nil {
		w.at = map[string]func(){}
	}
	w.at[point] = fn
}

// A kill at each point: what is there afterwards is scored once, and its text goes.
func TestSEC_210_EachCrashPointOfAssessment(t *testing.T) {
	t.Parallel()
	for _, point := range intake.CrashPoints() {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := newPerson(t, "u7")
			receipt, other := w.give(p), w.give(newPerson(t, "u8"))
			before := w.mustSubmit(receipt.ID, lines("u7", 1))
			w.drain()
			w.crashAt = point
			crashed := survive(func() {
				if _, _, err := w.submit(receipt.ID, lines("u7", 2)); err != nil {
					t.Errorf("Submit: %v", err)
				}
				w.drain()
				withdraw(w, other.ID)
				if _, err := w.service.Erase(t.Context(), acme, "u8"); err != nil {
					t.Errorf("Erase: %v", err)
				}
			})
			if !crashed {
				t.Fatal("the point was not reached")
			}
			w.restart()
			w.drain()
			// Asked again, as a client that got no answer does.
			b, _, err := w.submit(receipt.ID, lines("u7", 2))
			if err != nil {
				t.Fatal(err)
			}
			w.drain()
			w.clock.Advance(intake.KeepText) // what no client asks for again
			if err := w.service.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.invariants(before.ID, w.batch(b.ID).ID)
		})
	}
}

// invariants: every batch named is done with a report that can be read; every batch has lost its text; nothing is open.
func (w *world) invariants(done ...string) {
	w.t.Helper()
	ctx := w.t.Context()
	for _, id := range done {
		b := w.batch(id)
		if b.State != intake.StateDone {
			w.t.Errorf("batch %s is %s", id, b.State)
			continue
		}
		if _, err := w.reports.Report(ctx, "acme", b.Report); err != nil {
			w.t.Errorf("report of batch %s: %v", id, err)
		}
		if n := w.assessor.calls[b.Digest]; n < 1 || n > 2 {
			w.t.Errorf("batch %s was scored %d times", id, n)
		}
	}
	receipts := 0
	for _, subject := range []string{"u7", "u8"} {
		list, err := w.service.Receipts(ctx, "acme", subject, "", 100)
		if err != nil {
			w.t.Error(err)
		}
		for _, r := range list {
			receipts++
			batches, err := w.store.BatchesOf(ctx, "acme", r.ID, "", 100)
			if err != nil {
				w.t.Error(err)
			}
			for _, b := range batches {
				if b.DestroyedAt.IsZero() {
					w.t.Errorf("batch %s (%s) still has its text", b.ID, b.State)
				}
			}
		}
	}
	if receipts == 0 {
		w.t.Error("no receipts")
	}
	open, err := w.store.Erasures(ctx, 10)
	left, err2 := w.store.Unshredded(ctx, 10)
	claimed, err3 := w.store.Claimed(ctx, 10)
	waiting, _, err4 := w.store.Depth(ctx, 10)
	if err := errors.Join(err, err2, err3, err4); err != nil || len(open)+len(left)+len(claimed)+waiting != 0 {
		w.t.Errorf("open: %d erasures, %d texts, %d claims, %d waiting, %v", len(open), len(left), len(claimed), waiting, err)
	}
	w.absent(secretWord)
}

// A batch that was scored and stored is never scored again, whatever point of its destruction is hit.
func TestNoScoreTwiceAfterItIsStored(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"assess.before_shred", "assess.after_key_destroyed"} {
		w := newWorld(t)
		receipt := w.give(newPerson(t, "u7"))
		b := w.mustSubmit(receipt.ID, lines("u7", 1))
		w.crashAt = point
		if !survive(w.drain) {
			t.Fatalf("%s was not reached", point)
		}
		w.restart()
		w.drain()
		if got := w.batch(b.ID); w.assessor.calls[b.Digest] != 1 || got.State != intake.StateDone || got.DestroyedAt.IsZero() {
			t.Errorf("%s: scored %d times, %+v", point, w.assessor.calls[b.Digest], got)
		}
	}
}

func TestRunScoresAndStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.workers = 3
		w.restart()
		receipt := w.give(newPerson(t, "u7"))
		var ids []string
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := w.service.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		for n := range 7 {
			ids = append(ids, w.mustSubmit(receipt.ID, lines("u7", n)).ID)
		}
		time.Sleep(3 * time.Second) // of the bubble's clock
		for _, id := range ids {
			if got := w.batch(id); got.State != intake.StateDone {
				t.Errorf("batch = %+v", got)
			}
		}
		w.clock.Advance(time.Hour)
		time.Sleep(2 * time.Minute)
		stop()
		running.Wait()
		if got := w.gauge("heartmark_intake_queue_batches"); got != 0 {
			t.Errorf("queue = %v", got)
		}
	})
}

func (w *world) gauge(name string) float64 {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	w.t.Fatalf("no metric %s", name)
	return 0
}
