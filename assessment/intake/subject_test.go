package intake_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

// Erasure proved: after it no byte of the folder holds a word of the subject, and no key that would open one.
func TestErasureLeavesNoWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newPerson(t, "subject-in-person")
	receipt := w.give(p)
	scored := w.mustSubmit(receipt.ID, lines(p.id, 1))
	w.drain()
	upload, _, err := w.service.Begin(t.Context(), acme, intake.Params{Consent: receipt.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Append(t.Context(), acme, upload.ID, 0, strings.NewReader(lines(p.id, 3))); err != nil {
		t.Fatal(err)
	}
	// A report that came without a receipt of ours lies under the subject's key too.
	if err := w.reports.SaveReport(t.Context(), "acme", assessment.Report{
		ID: "direct", Subject: p.id, Items: []assessment.Item{{Facet: "SO1", Day: "2026-03-01"}},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{schemas.DimensionSocialAwareness: {Evidence: []assessment.Evidence{{Quote: secretWord}}}},
	}); err != nil {
		t.Fatal(err)
	}
	other := w.give(newPerson(t, "another"))
	kept := w.mustSubmit(other.ID, lines("another", 4))
	w.drain()
	waiting := w.mustSubmit(receipt.ID, lines(p.id, 2))
	report := w.batch(scored.ID).Report
	done, err := w.service.Erase(t.Context(), acme, p.id)
	if err != nil || done.Receipts != 1 || done.Batches != 3 || done.Reports != 2 {
		t.Fatalf("Erase = %+v, %v", done, err)
	}
	for _, id := range []string{report, "direct"} {
		if _, err := w.reports.Report(t.Context(), "acme", id); !errors.Is(err, assessment.ErrNotFound) {
			t.Errorf("report %s: %v", id, err)
		}
		if _, err := w.reports.Items(t.Context(), "acme", id); !errors.Is(err, assessment.ErrNotFound) {
			t.Errorf("items of %s: %v", id, err)
		}
	}
	for _, id := range []string{waiting.ID, upload.ID} {
		if b := w.batch(id); b.DestroyedAt.IsZero() || strings.Contains(fmt.Sprint(b), p.id) {
			t.Errorf("batch = %+v", b)
		}
	}
	got, err := w.service.Receipt(t.Context(), "acme", receipt.ID)
	if err != nil || got.State(start) != "erased" || got.Subject != "" || got.Holder != "" || got.Terms != "" || len(got.Sealed) != 0 {
		t.Errorf("receipt = %+v, %v", got, err)
	}
	if n := w.keyFiles(); n != 2 { // receipt and report of the other one
		t.Errorf("%d key files are left, want 2", n)
	}
	if _, err := w.reports.Report(t.Context(), "acme", w.batch(kept.ID).Report); err != nil {
		t.Errorf("another subject's report: %v", err)
	}
	if !w.present("plaza") { // what is kept in clear is found by the same search
		t.Error("the search finds nothing at all")
	}
	w.absent(secretWord, p.id, p.did, "dog passed away")
	if err := w.db.GC(t.Context()); err != nil {
		t.Error(err)
	}
	w.restart()
	w.absent(secretWord, p.id, p.did, "dog passed away")
	if again, err := w.service.Erase(t.Context(), acme, p.id); err != nil || again.Reports != 0 {
		t.Errorf("Erase again = %+v, %v", again, err)
	}
	_, err = w.service.Export(t.Context(), acme, "nobody", "")
	wantErr(t, "Export of nobody", err, intake.ErrNotFound)
	if w.audited(intake.AuditSubjectErased) != 2 {
		t.Error("erasures are not in the audit trail")
	}
}

func TestExportIsWhole(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newPerson(t, "u7")
	var last intake.Receipt
	for n := range 3 {
		last = w.give(p, func(x *intake.Terms) { x.Until = schemas.FormatTime(start.Add(time.Duration(n+1) * time.Hour)) })
		w.mustSubmit(last.ID, lines("u7", n))
	}
	w.drain()
	full := func(p person) string {
		return p.sign(t, intake.TypSubject, w.clock.Now(), map[string]any{"act": "export", "sub": "u7"})
	}
	got, err := w.service.Export(t.Context(), acme, "u7", full(p))
	if err != nil || !got.Full || len(got.Receipts) != 3 || len(got.Batches) != 3 || len(got.Reports) != 3 {
		t.Fatalf("Export = %d receipts, %d batches, %d reports, %v", len(got.Receipts), len(got.Batches), len(got.Reports), err)
	}
	for _, r := range got.Reports {
		if !r.Full || len(r.Items) != 1 || len(r.Report.Dimensions[schemas.DimensionSocialSkills].Evidence) != 1 {
			t.Errorf("report = %+v", r)
		}
	}
	platform, err := w.service.Export(t.Context(), acme, "u7", "")
	if err != nil || platform.Full || platform.Reports[0].Items != nil || len(platform.Reports[0].Report.Dimensions[schemas.DimensionSocialSkills].Evidence) != 0 {
		t.Errorf("platform's export = %+v, %v", platform, err)
	}
	_, err = w.service.Export(t.Context(), acme, "u7", full(newPerson(t, "u8")))
	wantErr(t, "a stranger's proof", err, intake.ErrConfirmation)
	w.clock.Advance(11 * time.Minute)
	_, err = w.service.Export(t.Context(), acme, "u7", p.sign(t, intake.TypSubject, start, map[string]any{"act": "export", "sub": "u7"}))
	wantErr(t, "an old proof", err, intake.ErrConfirmation)
}

func TestRestrictionAndObjection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	first := w.mustSubmit(receipt.ID, lines("u7", 1))
	restrict := func(kind string) {
		t.Helper()
		if _, err := w.service.Restrict(context.WithoutCancel(t.Context()), acme, "u7", kind); err != nil {
			t.Fatal(err)
		}
	}
	w.assessor.hook = func(context.Context, evidence.Batch) { restrict(intake.Restricted) } // while it is scored
	w.drain()
	w.assessor.hook = nil
	if b := w.batch(first.ID); b.State != intake.StateQueued || b.Report != "" {
		t.Errorf("restricted: %+v", b)
	}
	_, _, err := w.submit(receipt.ID, lines("u7", 2))
	wantErr(t, "Submit", err, intake.ErrRestricted)
	restrict("")
	w.clock.Advance(time.Minute)
	w.drain()
	if b := w.batch(first.ID); b.State != intake.StateDone {
		t.Errorf("lifted: %+v", b)
	}
	second := w.mustSubmit(receipt.ID, lines("u7", 2))
	restrict(intake.Objected)
	if b := w.batch(second.ID); b.State != intake.StateDestroyed || b.Reason != intake.WhyObjection {
		t.Errorf("objection: %+v", b)
	}
	if b := w.batch(first.ID); b.State != intake.StateDone {
		t.Errorf("what was scored before: %+v", b)
	}
}

func TestCorrection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	w.drain()
	id := w.batch(b.ID).Report
	_, err := w.service.Correct(t.Context(), acme, "u7", "m1-0") // not the subject's
	wantErr(t, "another's message", err, intake.ErrNotFound)
	_, err = w.service.Correct(t.Context(), acme, "u8", "m1-1")
	wantErr(t, "another subject", err, intake.ErrNotFound)
	done, err := w.service.Correct(t.Context(), acme, "u7", "m1-1")
	if err != nil || done != (intake.Corrected{Reports: 1, Items: 1, Quotes: 1}) {
		t.Fatalf("Correct = %+v, %v", done, err)
	}
	w.restart()
	r, err := w.reports.Report(t.Context(), "acme", id)
	d := r.Dimensions[schemas.DimensionSocialSkills]
	if err != nil || r.Version != 2 || d.Status != assessment.StatusWithheld || d.Score != nil || len(d.Evidence) != 0 || d.Reasons[0].Code != assessment.ReasonCorrected {
		t.Errorf("report = %+v, %v", r, err)
	}
	if r.Dimensions[schemas.DimensionSelfAwareness].Status != assessment.StatusScored {
		t.Error("another dimension was touched")
	}
	if items, err := w.reports.Items(t.Context(), "acme", id); err != nil || len(items) != 0 {
		t.Errorf("items = %v, %v", items, err)
	}
	_, err = w.service.Correct(t.Context(), acme, "u7", "m1-1")
	wantErr(t, "again", err, intake.ErrNotFound)
	if _, err := w.service.Withdraw(t.Context(), acme, receipt.ID); err != nil { // the corrected report is still listed
		t.Fatal(err)
	}
	if _, err := w.reports.Report(t.Context(), "acme", id); !errors.Is(err, assessment.ErrNotFound) {
		t.Errorf("after withdrawal: %v", err)
	}
}

func TestStorageEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	w.drain()
	report := w.batch(b.ID).Report
	sweep := func(d time.Duration) {
		t.Helper()
		w.clock.Advance(d)
		if err := w.service.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep(intake.KeepReports - time.Second)
	if _, err := w.reports.Report(t.Context(), "acme", report); err != nil {
		t.Errorf("before its end: %v", err)
	}
	sweep(time.Second)
	if _, err := w.reports.Report(t.Context(), "acme", report); !errors.Is(err, assessment.ErrNotFound) {
		t.Errorf("report after 13 months: %v", err)
	}
	_, err := w.service.Batch(t.Context(), "acme", b.ID)
	wantErr(t, "batch after 13 months", err, intake.ErrNotFound)
	if _, err := w.service.Receipt(t.Context(), "acme", receipt.ID); err != nil {
		t.Errorf("receipt: %v", err)
	}
	sweep(intake.KeepReceipts)
	_, err = w.service.Receipt(t.Context(), "acme", receipt.ID)
	wantErr(t, "receipt three years after its end", err, intake.ErrNotFound)
}

var update = flag.Bool("update", false, "write generated documents")

func TestRetentionDocument(t *testing.T) {
	t.Parallel()
	path := filepath.Join(testkit.Root(t), "docs", "retention.md")
	want := intake.RetentionDocument()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("docs/retention.md is not what the constants say (%v): go test ./assessment/intake -run RetentionDocument -update", err)
	}
	if intake.KeepText > 24*time.Hour || intake.KeepReports > 396*24*time.Hour {
		t.Error("G8: text at most 24 hours, items and reports at most 13 months")
	}
}
