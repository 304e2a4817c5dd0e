package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/intake"
)

// IntakeStores are an intake store and the store of the reports that it completes.
type IntakeStores struct {
	Intake  intake.Store
	Reports assessment.Store
}

// Intake checks an intake.Store. open returns an empty one; reopen, if not nil, closes it and opens what it left behind.
func Intake(t *testing.T, open func(t *testing.T) IntakeStores, reopen func(t *testing.T, s IntakeStores) IntakeStores) {
	if reopen == nil {
		reopen = func(_ *testing.T, s IntakeStores) IntakeStores { return s }
	}
	tests := map[string]func(e intakeSuite, t *testing.T){
		"receipts":                       intakeSuite.receipts,
		"idempotency keys":               intakeSuite.keys,
		"pieces":                         intakeSuite.pieces,
		"what may be queued":             intakeSuite.enqueue,
		"tenants in turn":                intakeSuite.turns,
		"many claim at once":             intakeSuite.crowd,
		"completion is one unit":         intakeSuite.completion,
		"withdrawal against completion":  intakeSuite.race,
		"rights and ends of storage":     intakeSuite.rights,
		"writes lost, or stored unheard": intakeSuite.faults,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(intakeSuite{open(t), reopen}, t) })
	}
}

// intakeSuite is a store under test.
type intakeSuite struct {
	s      IntakeStores
	reopen func(t *testing.T, s IntakeStores) IntakeStores
}

// plainSealer seals nothing; the suite looks at places, not at secrets.
type plainSealer struct{}

func (plainSealer) Seal(_ context.Context, _, _, _ string, plain []byte) ([]byte, error) {
	return plain, nil
}

func (plainSealer) Open(_ context.Context, _, _, _ string, sealed []byte) ([]byte, error) {
	return sealed, nil
}

// PlainSealer returns a sealer that seals nothing, for stores that the suite opens.
func PlainSealer() assessment.Sealer { return plainSealer{} }

func newConsent(tenant, id string) intake.Consent {
	return intake.Consent{
		ID: id, Tenant: tenant, Ref: "ref", Platform: "p", Purposes: []string{"process", "score"}, From: at(0), Until: at(0).Add(24 * time.Hour),
		Terms: "digest", Proof: "proof-" + id, Given: at(0), Sealed: []byte{1},
	}
}

func newBatch(tenant, consent, id string) intake.Batch {
	return intake.Batch{
		ID: id, Tenant: tenant, Ref: "ref", Consent: consent, State: intake.StateReceived, Digest: "digest-" + id,
		Received: at(0), Deadline: at(0).Add(intake.KeepText),
	}
}

// queued stores a receipt and a batch and queues it at a second.
func queued(t testing.TB, s intake.Store, tenant, id string, second int) intake.Batch {
	t.Helper()
	_, _, err := s.PutConsent(t.Context(), newConsent(tenant, "c-"+tenant), intake.Key{})
	must(t, err)
	b, created, err := s.CreateBatch(t.Context(), newBatch(tenant, "c-"+tenant, id), intake.Key{})
	if err != nil || !created {
		t.Fatalf("CreateBatch = %v, %v", created, err)
	}
	must(t, s.PutPart(t.Context(), tenant, id, 0, []byte("sealed")))
	b.State, b.Parts, b.Queued = intake.StateQueued, 1, at(second)
	b, created, err = s.Enqueue(t.Context(), b, 100)
	if err != nil || !created {
		t.Fatalf("Enqueue = %v, %v", created, err)
	}
	return b
}

func gone(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, intake.ErrNotFound) {
		t.Errorf("%s: %v, want ErrNotFound", what, err)
	}
}

func (e intakeSuite) receipts(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	for n := range 5 {
		if _, created, err := s.PutConsent(ctx, newConsent("acme", fmt.Sprint("c", n)), intake.Key{}); err != nil || !created {
			t.Fatalf("PutConsent = %v, %v", created, err)
		}
	}
	twin := newConsent("acme", "twin")
	twin.Proof = "proof-c1"
	if got, created, err := s.PutConsent(ctx, twin, intake.Key{}); err != nil || created || got.ID != "c1" {
		t.Errorf("the same proof = %s, %v, %v", got.ID, created, err)
	}
	if _, created, err := s.PutConsent(ctx, newConsent("beta", "c1"), intake.Key{}); err != nil || !created {
		t.Errorf("another tenant's = %v, %v", created, err)
	}
	first, err := s.Consents(ctx, "acme", "ref", "", 3)
	must(t, err)
	rest, err := s.Consents(ctx, "acme", "ref", first[2].ID, 3)
	must(t, err)
	var ids []string
	for _, c := range append(first, rest...) {
		ids = append(ids, c.ID)
	}
	if got := strings.Join(ids, " "); got != "c0 c1 c2 c3 c4" {
		t.Errorf("Consents = %s", got)
	}
	got, err := s.Withdraw(ctx, "acme", "c1", at(5), intake.WhyWithdrawn)
	if err != nil || !got.Withdrawn.Equal(at(5)) {
		t.Errorf("Withdraw = %+v, %v", got, err)
	}
	got, err = s.Withdraw(ctx, "acme", "c1", at(9), intake.WhyErased)
	if err != nil || !got.Withdrawn.Equal(at(5)) || got.Why != intake.WhyErased {
		t.Errorf("Withdraw again = %+v, %v", got, err)
	}
	must(t, s.Strip(ctx, "acme", "c1"))
	s = e.reopen(t, e.s).Intake
	if got, err = s.Consent(ctx, "acme", "c1"); err != nil || len(got.Sealed) != 0 || got.Terms != "" || got.Live(at(6)) {
		t.Errorf("Consent = %+v, %v", got, err)
	}
	if erasures, err := s.Erasures(ctx, 10); err != nil || len(erasures) != 1 || erasures[0] != (intake.Erasure{Kind: intake.EraseConsent, Tenant: "acme", ID: "c1"}) {
		t.Errorf("Erasures = %v, %v", erasures, err)
	}
	_, err = s.Consent(ctx, "acme", "none")
	gone(t, "Consent", err)
	_, err = s.Withdraw(ctx, "beta", "c2", at(1), "")
	gone(t, "Withdraw", err)
}

func (e intakeSuite) keys(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	key := intake.Key{Name: "n", Request: "q", Until: at(50)}
	c := newConsent("acme", "c1")
	_, _, err := s.PutConsent(ctx, c, key)
	must(t, err)
	c.ID, c.Proof = "c2", ""
	if got, created, err := s.PutConsent(ctx, c, key); err != nil || created || got.ID != "c1" {
		t.Errorf("again = %s, %v, %v", got.ID, created, err)
	}
	other := key
	other.Request = "other"
	if _, _, err := s.PutConsent(ctx, c, other); !errors.Is(err, intake.ErrKeyReuse) {
		t.Errorf("another request: %v", err)
	}
	key.Name = "b"
	_, _, err = s.CreateBatch(ctx, newBatch("acme", "c1", "b1"), key)
	must(t, err)
	if got, created, err := s.CreateBatch(ctx, newBatch("acme", "c1", "b2"), key); err != nil || created || got.ID != "b1" {
		t.Errorf("CreateBatch again = %s, %v, %v", got.ID, created, err)
	}
	must(t, s.Shred(ctx, intake.End{Tenant: "acme", Batch: "b1", State: intake.StateDestroyed, Reason: intake.WhyExpired, At: at(9)}))
	if got, created, err := s.CreateBatch(ctx, newBatch("acme", "c1", "b3"), key); err != nil || !created || got.ID != "b3" {
		t.Errorf("the key of a destroyed batch = %s, %v, %v", got.ID, created, err)
	}
	must(t, s.Settle(ctx, intake.Due{At: at(50), Kind: intake.DueKey, Tenant: "acme", ID: "b"}))
	if _, created, err := s.CreateBatch(ctx, newBatch("acme", "c1", "b4"), key); err != nil || !created {
		t.Errorf("a forgotten key = %v, %v", created, err)
	}
}

func (e intakeSuite) pieces(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	_, _, err := s.CreateBatch(ctx, newBatch("acme", "c", "b"), intake.Key{})
	must(t, err)
	for n := range 300 {
		b, err := s.AddPiece(ctx, "acme", "b", int64(n)*10, 10, []byte(fmt.Sprint(n)))
		if err != nil || b.Offset != int64(n+1)*10 || b.Pieces != n+1 {
			t.Fatalf("AddPiece = %d, %d, %v", b.Offset, b.Pieces, err)
		}
	}
	for _, offset := range []int64{0, 2999, 3001} {
		if _, err := s.AddPiece(ctx, "acme", "b", offset, 1, nil); !errors.Is(err, intake.ErrOffset) {
			t.Errorf("AddPiece at %d: %v, want ErrOffset", offset, err)
		}
	}
	s = e.reopen(t, e.s).Intake
	if data, err := s.Piece(ctx, "acme", "b", 299); err != nil || string(data) != "299" {
		t.Errorf("Piece = %q, %v", data, err)
	}
	_, err = s.Piece(ctx, "beta", "b", 0)
	gone(t, "Piece of another tenant", err)
	must(t, s.Shred(ctx, intake.End{Tenant: "acme", Batch: "b", State: intake.StateRefused, Reason: intake.WhyLines, At: at(2), Bad: 3}))
	must(t, s.Shred(ctx, intake.End{Tenant: "acme", Batch: "b", State: intake.StateDestroyed, Reason: intake.WhyExpired, At: at(3)}))
	if b, err := s.Batch(ctx, "acme", "b"); err != nil || b.State != intake.StateRefused || b.Bad != 3 || !b.DestroyedAt.Equal(at(2)) {
		t.Errorf("Batch = %+v, %v", b, err)
	}
	_, err = s.Piece(ctx, "acme", "b", 0)
	gone(t, "Piece after Shred", err)
	if _, err := s.AddPiece(ctx, "acme", "b", 0, 1, nil); !errors.Is(err, intake.ErrState) {
		t.Errorf("AddPiece after Shred: %v", err)
	}
	if err := s.PutPart(ctx, "acme", "b", 0, nil); !errors.Is(err, intake.ErrState) {
		t.Errorf("PutPart after Shred: %v", err)
	}
}

func (e intakeSuite) rights(t *testing.T) {
	s, ctx := e.s.Intake, t.Context()
	b := queued(t, s, "acme", "b1", 1)
	claim(t, s, "", 5)
	must(t, s.Complete(ctx, scoredBatch(b)))
	changed := scoredBatch(b).Report
	changed.Items, changed.Version = nil, 2
	must(t, s.ReplaceReport(ctx, intake.Replacement{
		Tenant: "acme", Owned: intake.Owned{Report: "r-b1", Consent: "c-acme", Batch: "b1"}, Report: changed, Sealer: plainSealer{},
	}))
	if r, err := e.s.Reports.Report(ctx, "acme", "r-b1"); err != nil || r.Version != 2 {
		t.Errorf("report = %+v, %v", r, err)
	}
	if items, err := e.s.Reports.Items(ctx, "acme", "r-b1"); err != nil || len(items) != 0 {
		t.Errorf("items = %v, %v", items, err)
	}
	gone(t, "ReplaceReport of nothing", s.ReplaceReport(ctx, intake.Replacement{Tenant: "acme", Owned: intake.Owned{Report: "x"}, Sealer: plainSealer{}}))
	due, err := s.Due(ctx, at(0).Add(intake.KeepText), 10)
	if err != nil || len(due) != 1 || due[0].Kind != intake.DueText || due[0].ID != "b1" {
		t.Errorf("Due = %v, %v", due, err)
	}
	all, err := s.Due(ctx, at(0).Add(10*365*24*time.Hour), 10)
	must(t, err)
	var kinds []string
	for _, d := range all {
		kinds = append(kinds, d.Kind)
		must(t, s.Settle(ctx, d))
	}
	if got := strings.Join(kinds, " "); got != "text batch report consent" {
		t.Errorf("ends of storage: %s", got)
	}
	_, err = s.Batch(ctx, "acme", "b1")
	gone(t, "Batch", err)
	_, err = s.Consent(ctx, "acme", "c-acme")
	gone(t, "Consent", err)
	must(t, e.s.Reports.Erase(ctx, "acme", "r-b1"))
	if owned, err := s.SubjectReports(ctx, "acme", "ref", "", 10); err != nil || len(owned) != 0 {
		t.Errorf("SubjectReports after Erase = %v, %v", owned, err)
	}
	mark := intake.Erasure{Kind: intake.EraseSubject, Tenant: "acme", ID: "ref"}
	must(t, s.Mark(ctx, mark))
	must(t, s.Mark(ctx, mark))
	if open, err := s.Erasures(ctx, 10); err != nil || len(open) != 1 || open[0] != mark {
		t.Errorf("Erasures = %v, %v", open, err)
	}
	must(t, s.Erased(ctx, mark))
	must(t, s.Erased(ctx, mark))
	must(t, s.SetControl(ctx, intake.Control{Stopped: true, By: "k"}))
	if c, err := e.reopen(t, e.s).Intake.Control(ctx); err != nil || !c.Stopped || c.By != "k" {
		t.Errorf("Control = %+v, %v", c, err)
	}
}

// faults breaks the writes of the main path in both ways: a second try has the same outcome as a first one.
func (e intakeSuite) faults(t *testing.T) {
	for n, fault := range []Fault{Lost, StoredButFailed} {
		f, ctx, tenant := NewFaultyIntake(e.s.Intake), t.Context(), fmt.Sprint("t", n)
		twice := func(what string, allowed error, do func() error) {
			t.Helper()
			f.FailWrite(0, fault)
			if err := do(); !errors.Is(err, ErrFault) {
				t.Errorf("%s, %s: %v, want the fault", fault, what, err)
			}
			if err := do(); err != nil && (allowed == nil || fault == Lost || !errors.Is(err, allowed)) {
				t.Errorf("%s, %s again: %v", fault, what, err)
			}
		}
		twice("PutConsent", nil, func() error { _, _, err := f.PutConsent(ctx, newConsent(tenant, "c"), intake.Key{}); return err })
		key := intake.Key{Name: "n", Request: "q", Until: at(50)}
		b := newBatch(tenant, "c", "b")
		twice("CreateBatch", nil, func() error { _, _, err := f.CreateBatch(ctx, b, key); return err })
		twice("AddPiece", intake.ErrOffset, func() error { _, err := f.AddPiece(ctx, tenant, "b", 0, 4, []byte("x")); return err })
		b.State, b.Queued = intake.StateQueued, at(1)
		twice("Enqueue", intake.ErrState, func() error { _, _, err := f.Enqueue(ctx, b, 10); return err })
		twice("Claim", nil, func() error { _, _, err := f.Claim(ctx, "", at(5)); return err })
		twice("Complete", intake.ErrState, func() error { return f.Complete(ctx, scoredBatch(b)) })
		twice("Shred", nil, func() error {
			return f.Shred(ctx, intake.End{Tenant: tenant, Batch: "b", State: intake.StateDestroyed, At: at(9)})
		})
		twice("Withdraw", nil, func() error { _, err := f.Withdraw(ctx, tenant, "c", at(9), ""); return err })
		if got, err := f.Batch(ctx, tenant, "b"); err != nil || got.State != intake.StateDone || got.Attempts != 1 || got.DestroyedAt.IsZero() {
			t.Errorf("%s: Batch = %+v, %v", fault, got, err)
		}
	}
}
