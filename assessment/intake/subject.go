package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
)

// Acts that a subject signs for, as claim act of a statement of type TypSubject.
const ActExport = "export"

// Export is everything that is held about a subject.
type Export struct {
	Subject     string
	At          time.Time
	Restriction Restriction
	Receipts    []Receipt
	Batches     []Batch
	Reports     []HeldReport
	// Full tells that the subject's own key asked: reports are whole. Otherwise a platform reads what it may read anyway.
	Full bool
}

// HeldReport is a report with its items.
type HeldReport struct {
	Report  assessment.Report
	Consent string
	Batch   string
	Full    bool
	Items   []assessment.Item
}

// Export returns everything that is held about a subject (GDPR Art. 15, 20). Scores, intervals, quotes and items are in it where
// proof, a statement of type TypSubject with act export and sub the subject's id, is by the key that confirmed one of the
// receipts, or where the report's receipt has the class report (design.md §9.19).
func (s *Service) Export(ctx context.Context, c Caller, subject, proof string) (Export, error) {
	if err := s.journal(ctx, c, AuditSubjectExported, s.c.Sealer.Ref(c.Tenant, subject), "", ""); err != nil {
		return Export{}, err
	}
	ref := s.c.Sealer.Ref(c.Tenant, subject)
	out := Export{Subject: subject, At: s.c.Now()}
	consents, err := s.consentsOf(ctx, c.Tenant, ref)
	if err != nil {
		return Export{}, err
	}
	for _, consent := range consents {
		r, err := s.receipt(ctx, consent)
		if err != nil {
			return Export{}, err
		}
		out.Receipts = append(out.Receipts, r)
	}
	if out.Restriction, err = s.c.Store.Restriction(ctx, c.Tenant, ref); err != nil {
		return Export{}, fmt.Errorf("restriction: %w", err)
	}
	if out.Full, err = s.ownProof(ctx, out.Receipts, subject, proof); err != nil {
		return Export{}, err
	}
	for _, r := range out.Receipts {
		batches, err := s.batchesOf(ctx, c.Tenant, r.ID)
		if err != nil {
			return Export{}, err
		}
		out.Batches = append(out.Batches, batches...)
	}
	if out.Reports, err = s.heldReports(ctx, c.Tenant, ref, out.Full); err != nil {
		return Export{}, err
	}
	if len(out.Receipts) == 0 && len(out.Reports) == 0 && out.Restriction.Kind == "" {
		return Export{}, fmt.Errorf("subject: %w", ErrNotFound)
	}
	return out, nil
}

// ownProof reports whether the subject's own key asks. A proof that does not hold is an error, never less of an answer.
func (s *Service) ownProof(ctx context.Context, receipts []Receipt, subject, proof string) (bool, error) {
	if proof == "" {
		return false, nil
	}
	holder, err := s.statement(ctx, proof, TypSubject, map[string]string{"act": ActExport, "sub": subject})
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(receipts, func(r Receipt) bool { return r.Holder == holder }) {
		return false, fmt.Errorf("this key confirmed none of the receipts: %w", ErrConfirmation)
	}
	return true, nil
}

func (s *Service) heldReports(ctx context.Context, tenant, ref string, full bool) ([]HeldReport, error) {
	owned, err := s.reportsOf(ctx, tenant, ref)
	if err != nil {
		return nil, err
	}
	out := make([]HeldReport, 0, len(owned))
	for _, o := range owned {
		r, err := s.c.Reports.Report(ctx, tenant, o.Report)
		if errors.Is(err, assessment.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		held := HeldReport{Report: r, Consent: o.Consent, Batch: o.Batch, Full: full || slices.Contains(r.Provenance.Purposes, evidence.ClassReport)}
		if !held.Full {
			held.Report = r.PlatformView()
		} else if held.Items, err = s.c.Reports.Items(ctx, tenant, o.Report); err != nil {
			return nil, fmt.Errorf("items: %w", err)
		}
		out = append(out, held)
	}
	return out, nil
}

// Erased tells what an erasure did.
type Erased struct {
	At                         time.Time
	Receipts, Batches, Reports int
}

// Erase destroys the subject's keys and all that rests on the receipts: reports, items, waiting text. Receipts stay as
// withdrawn, without subject and text, as proof that there was a consent and that it ended; revocation bits of status lists
// stay, since they name nobody. A crash in between is completed by Recover and Sweep; erasing again succeeds.
func (s *Service) Erase(ctx context.Context, c Caller, subject string) (Erased, error) {
	ref := s.c.Sealer.Ref(c.Tenant, subject)
	if err := s.journal(ctx, c, AuditSubjectErased, ref, "", ""); err != nil {
		return Erased{}, err
	}
	if err := s.c.Store.Mark(ctx, Erasure{EraseSubject, c.Tenant, ref}); err != nil {
		return Erased{}, fmt.Errorf("erase: %w", err)
	}
	return s.eraseSubject(ctx, c.Tenant, ref)
}

func (s *Service) eraseSubject(ctx context.Context, tenant, ref string) (Erased, error) {
	s.erasing.Lock()
	defer s.erasing.Unlock()
	out := Erased{At: s.c.Now()}
	held, err := s.reportsOf(ctx, tenant, ref)
	if err != nil {
		return out, err
	}
	out.Reports = len(held)
	receipts, err := s.consentsOf(ctx, tenant, ref)
	if err != nil {
		return out, err
	}
	for _, r := range receipts {
		batches, err := s.batchesOf(ctx, tenant, r.ID)
		if err != nil {
			return out, err
		}
		out.Batches += len(batches)
		if _, err := s.withdraw(ctx, tenant, r.ID, WhyErased); err != nil {
			return out, err
		}
		if err := s.c.Store.Strip(ctx, tenant, r.ID); err != nil {
			return out, fmt.Errorf("strip receipt: %w", err)
		}
		out.Receipts++
	}
	s.c.Crash("assess.mid_erase")
	if err := s.eraseReports(ctx, tenant, ref, func(Owned) bool { return true }); err != nil {
		return out, err
	}
	if err := s.c.Vault.DestroyRing(ctx, tenant, ref); err != nil {
		return out, fmt.Errorf("destroy keys: %w", err)
	}
	if err := s.c.Store.SetRestriction(ctx, tenant, ref, Restriction{}); err != nil {
		return out, fmt.Errorf("restriction: %w", err)
	}
	return out, s.c.Store.Erased(ctx, Erasure{EraseSubject, tenant, ref})
}

// eraseConsent erases what rests on a receipt: keys first, then text, reports and items.
func (s *Service) eraseConsent(ctx context.Context, c Consent, why string) error {
	batches, err := s.batchesOf(ctx, c.Tenant, c.ID)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if !b.DestroyedAt.IsZero() {
			continue
		}
		if err := s.destroy(ctx, b, StateDestroyed, why); err != nil {
			return err
		}
	}
	if err := s.c.Vault.Destroy(ctx, c.Tenant, c.Ref, keyReports+c.ID); err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	if err := s.eraseReports(ctx, c.Tenant, c.Ref, func(o Owned) bool { return o.Consent == c.ID }); err != nil {
		return err
	}
	if err := s.c.Store.Erased(ctx, Erasure{EraseConsent, c.Tenant, c.ID}); err != nil {
		return fmt.Errorf("erasure: %w", err)
	}
	return nil
}

func (s *Service) eraseReports(ctx context.Context, tenant, ref string, fits func(Owned) bool) error {
	owned, err := s.reportsOf(ctx, tenant, ref)
	if err != nil {
		return err
	}
	for _, o := range owned {
		if !fits(o) {
			continue
		}
		if err := s.c.Reports.Erase(ctx, tenant, o.Report); err != nil {
			return fmt.Errorf("erase report: %w", err)
		}
	}
	return nil
}

// Restrict sets or, with kind "", lifts a restriction (GDPR Art. 18) or an objection (Art. 21). From its return on nothing of
// the subject is scored; an objection also destroys the text that waits.
func (s *Service) Restrict(ctx context.Context, c Caller, subject, kind string) (Restriction, error) {
	if kind != "" && kind != Restricted && kind != Objected {
		return Restriction{}, field("/kind", "restriction, objection, or an empty text to lift either")
	}
	ref := s.c.Sealer.Ref(c.Tenant, subject)
	if err := s.journal(ctx, c, AuditSubjectRestrict, ref, "", kind); err != nil {
		return Restriction{}, err
	}
	r := Restriction{}
	if kind != "" {
		r = Restriction{Kind: kind, At: s.c.Now()}
	}
	if err := s.c.Store.SetRestriction(ctx, c.Tenant, ref, r); err != nil {
		return Restriction{}, fmt.Errorf("restrict: %w", err)
	}
	if kind != "" {
		s.interrupt(func(b Batch) bool { return b.Tenant == c.Tenant && b.Ref == ref })
	}
	if kind != Objected {
		return r, nil
	}
	return r, s.destroyWaiting(ctx, c.Tenant, ref)
}

func (s *Service) destroyWaiting(ctx context.Context, tenant, ref string) error {
	receipts, err := s.consentsOf(ctx, tenant, ref)
	if err != nil {
		return err
	}
	for _, r := range receipts {
		batches, err := s.batchesOf(ctx, tenant, r.ID)
		if err != nil {
			return err
		}
		for _, b := range batches {
			if b.DestroyedAt.IsZero() {
				if err := s.destroy(ctx, b, StateDestroyed, WhyObjection); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Corrected tells what a correction did.
type Corrected struct{ Reports, Items, Quotes int }

// Correct takes one message of the subject out (GDPR Art. 16, 17): its quotes and the items that rest on it, in every report. A
// dimension that loses an item is withheld until the subject is assessed again, so that no number stands on what is gone.
// ErrNotFound says that nothing rests on it.
func (s *Service) Correct(ctx context.Context, c Caller, subject, event string) (Corrected, error) {
	ref := s.c.Sealer.Ref(c.Tenant, subject)
	if err := s.journal(ctx, c, AuditSubjectCorrected, ref, "", ""); err != nil {
		return Corrected{}, err
	}
	owned, err := s.reportsOf(ctx, c.Tenant, ref)
	if err != nil {
		return Corrected{}, fmt.Errorf("reports: %w", err)
	}
	out := Corrected{}
	for _, o := range owned {
		r, err := s.c.Reports.Report(ctx, c.Tenant, o.Report)
		if err != nil {
			return out, fmt.Errorf("report: %w", err)
		}
		if r.Items, err = s.c.Reports.Items(ctx, c.Tenant, o.Report); err != nil {
			return out, fmt.Errorf("items: %w", err)
		}
		items, quotes := r.Remove(event, s.messageHash(event))
		if items+quotes == 0 {
			continue
		}
		if err := s.c.Store.ReplaceReport(ctx, Replacement{Tenant: c.Tenant, Owned: o, Report: r, Sealer: s.c.Sealer.Under(ref, o.Consent)}); err != nil {
			return out, fmt.Errorf("replace report: %w", err)
		}
		out.Reports, out.Items, out.Quotes = out.Reports+1, out.Items+items, out.Quotes+quotes
	}
	if out.Reports == 0 {
		return out, fmt.Errorf("event: %w", ErrNotFound)
	}
	return out, nil
}

// messageHash is the keyed hash of a message as stored items have it.
func (s *Service) messageHash(id string) string {
	m := hmac.New(sha256.New, s.c.ItemKey)
	m.Write([]byte("message\x00" + id))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// all reads a list page by page.
func all[T any](page func(cursor string, limit int) ([]T, error), id func(T) string) ([]T, error) {
	var out []T
	for cursor := ""; ; {
		found, err := page(cursor, pageSize)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
		if len(found) < pageSize {
			return out, nil
		}
		cursor = id(found[len(found)-1])
	}
}

func (s *Service) consentsOf(ctx context.Context, tenant, ref string) ([]Consent, error) {
	out, err := all(func(cursor string, limit int) ([]Consent, error) {
		return s.c.Store.Consents(ctx, tenant, ref, cursor, limit)
	},
		func(c Consent) string { return c.ID })
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	return out, nil
}

func (s *Service) batchesOf(ctx context.Context, tenant, consent string) ([]Batch, error) {
	out, err := all(func(cursor string, limit int) ([]Batch, error) {
		return s.c.Store.BatchesOf(ctx, tenant, consent, cursor, limit)
	},
		func(b Batch) string { return b.ID })
	if err != nil {
		return nil, fmt.Errorf("batches: %w", err)
	}
	return out, nil
}

func (s *Service) reportsOf(ctx context.Context, tenant, ref string) ([]Owned, error) {
	out, err := all(func(cursor string, limit int) ([]Owned, error) {
		return s.c.Store.SubjectReports(ctx, tenant, ref, cursor, limit)
	},
		func(o Owned) string { return o.Report })
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	return out, nil
}
