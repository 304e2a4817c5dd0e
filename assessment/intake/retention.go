package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// How long what is stored. docs/retention.md is made from these; a test compares.
const (
	day = 24 * time.Hour
	// KeepText is how long the text of a submission or an upload lives at most (G8).
	KeepText = day
	// textLife ends a little earlier, so that the job, which runs every minute, is done by then.
	textLife = KeepText - 2*housekeeping
	// KeepReports is how long a report and its items live after they were made (13 months, G8).
	KeepReports = 396 * day
	// KeepBatches is how long the record of a batch lives: as long as the report that rests on it.
	KeepBatches = KeepReports
	// KeepReceipts is how long a receipt is kept, as proof of consent, after it has ended.
	KeepReceipts = 3 * 365 * day
	// KeepKeys is how long an idempotency key is remembered.
	KeepKeys = 7 * day
)

// Retention is one line of the retention table (G21).
type Retention struct {
	What string
	Kept time.Duration
	From string
	How  string // how it is protected, and how it goes
}

// RetentionTable lists everything about a person that this package keeps.
func RetentionTable() []Retention {
	return []Retention{
		{
			"text of a submission: scrubbed lines, without times and actor ids", KeepText, "at most after intake; until the score is final",
			"sealed under a key of its own; the key is destroyed first, then the ciphertext",
		},
		{"text of an upload in pieces", KeepText, "at most after it was begun; until it is finished", "sealed under the batch's own key, destroyed in the same order"},
		{"report: levels, intervals, the subject's own scrubbed quotes", KeepReports, "after scoring, or until withdrawal, erasure or correction", "sealed under the subject's key for the receipt; the key is destroyed at withdrawal and erasure"},
		{"items: facet, outcome, weight, day, keyed hashes; no text", KeepReports, "as the report", "sealed likewise"},
		{"cases of review: statements, reasons and marks; verdicts", KeepReports, "as the report", "words sealed under the report's key; state and verdicts plain; removed with the report"},
		{"record of a batch: state, counts, digest, places of bad lines; no text", KeepBatches, "after intake", "plain, under a keyed hash of the subject"},
		{"consent receipt: purposes, classes, period, text version, how it was confirmed", KeepReceipts, "after its end", "plain, under a keyed hash of the subject; the subject's id and signature are sealed under the subject's key and go with erasure"},
		{"idempotency keys: hashes", KeepKeys, "after the request", "hashed"},
	}
}

// RetentionDocument is docs/retention.md.
func RetentionDocument() string {
	var b strings.Builder
	b.WriteString("# What is kept, and how long\n\n" +
		"Made from `assessment/intake/retention.go`; a test compares. The job that ends storage runs every minute and at each start.\n" +
		"Revocation bits of status lists are public, name nobody, and stay.\n\n" +
		"| What | Longest | Counted | Protected and destroyed |\n|---|---|---|---|\n")
	for _, r := range RetentionTable() {
		_, _ = fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.What, days(r.Kept), r.From, r.How)
	}
	return b.String()
}

func days(d time.Duration) string {
	if d == day {
		return "24 hours"
	}
	return fmt.Sprintf("%d days", d/day)
}

// pageSize is how much of a list is handled at once.
const pageSize = 100

// Sweep ends the storage of what is due, and finishes destructions and erasures that were interrupted. It may be repeated and
// interrupted at will.
func (s *Service) Sweep(ctx context.Context) error {
	return errors.Join(s.finishShreds(ctx), s.finishErasures(ctx), s.endDue(ctx))
}

func (s *Service) finishShreds(ctx context.Context) error {
	left, err := s.c.Store.Unshredded(ctx, pageSize)
	if err != nil {
		return fmt.Errorf("unshredded: %w", err)
	}
	for _, b := range left {
		if err := s.destroy(ctx, b, StateDestroyed, whyScored); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) finishErasures(ctx context.Context) error {
	open, err := s.c.Store.Erasures(ctx, pageSize)
	if err != nil {
		return fmt.Errorf("erasures: %w", err)
	}
	for _, e := range open {
		if err := s.resume(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) resume(ctx context.Context, e Erasure) error {
	if e.Kind == EraseSubject {
		_, err := s.eraseSubject(ctx, e.Tenant, e.ID)
		return err
	}
	consent, err := s.c.Store.Consent(ctx, e.Tenant, e.ID)
	if errors.Is(err, ErrNotFound) {
		return s.c.Store.Erased(ctx, e)
	}
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	return s.eraseConsent(ctx, consent, consent.Why)
}

func (s *Service) endDue(ctx context.Context) error {
	for ctx.Err() == nil {
		due, err := s.c.Store.Due(ctx, s.c.Now(), pageSize)
		if err != nil {
			return fmt.Errorf("due: %w", err)
		}
		var faults []error
		for _, d := range due { // one that fails keeps nobody else's text
			faults = append(faults, s.end(ctx, d))
		}
		if err := errors.Join(faults...); err != nil || len(due) < pageSize {
			return err
		}
	}
	return ctx.Err()
}

// end handles one thing that is due.
func (s *Service) end(ctx context.Context, d Due) error {
	switch d.Kind {
	case DueText:
		b, err := s.c.Store.Batch(ctx, d.Tenant, d.ID)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return fmt.Errorf("due batch: %w", err)
		}
		if !b.DestroyedAt.IsZero() {
			break
		}
		s.interrupt(func(running Batch) bool { return running.Tenant == b.Tenant && running.ID == b.ID })
		if err := s.destroy(ctx, b, StateDestroyed, WhyExpired); err != nil {
			return err
		}
	case DueReport:
		if err := s.c.Reports.Erase(ctx, d.Tenant, d.ID); err != nil {
			return fmt.Errorf("due report: %w", err)
		}
	}
	if err := s.c.Store.Settle(ctx, d); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}
