package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"heartmark/assessment/intake"
	"heartmark/issuer"
)

// ErrFault is the error of a write that was made to fail.
var ErrFault = errors.New("storetest: write failed on purpose")

// Fault is a way in which a write fails.
type Fault int

// The two ways.
const (
	Lost            Fault = iota // nothing was written
	StoredButFailed              // everything was written, and the answer was lost
)

// String names the fault.
func (f Fault) String() string {
	if f == Lost {
		return "lost"
	}
	return "stored but failed"
}

// faults counts writes and makes one of them fail.
type faults struct {
	mu     sync.Mutex // guards the fields below
	left   int        // writes before the one that fails; negative: none fails
	fault  Fault
	failed bool
}

// FailWrite makes the nth write from now on fail, 0 being the next.
func (f *faults) FailWrite(nth int, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.fault, f.failed = nth, fault, false
}

// Failed reports whether the write that was to fail has been reached.
func (f *faults) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *faults) write(do func() error) error {
	f.mu.Lock()
	hit := f.left == 0
	if f.left >= 0 {
		f.left--
	}
	f.failed = f.failed || hit
	fault := f.fault
	f.mu.Unlock()
	if hit && fault == Lost {
		return ErrFault
	}
	err := do()
	if hit {
		return errors.Join(ErrFault, err)
	}
	return err
}

// FaultyIssuer is an issuer.Store over another one, of which one write fails.
type FaultyIssuer struct {
	issuer.Store
	faults
}

// NewFaultyIssuer returns a store that does what s does until FailWrite is called.
func NewFaultyIssuer(s issuer.Store) *FaultyIssuer {
	return &FaultyIssuer{Store: s, faults: faults{left: -1}}
}

// Reserve implements issuer.Store.
func (f *FaultyIssuer) Reserve(ctx context.Context, in issuer.Intent, fresh issuer.Group) (out issuer.Intent, found bool, err error) {
	err = f.write(func() (err error) {
		out, found, err = f.Store.Reserve(ctx, in, fresh)
		return err
	})
	return out, found, err
}

// Begin implements issuer.Store.
func (f *FaultyIssuer) Begin(ctx context.Context, b issuer.Beginning) error {
	return f.write(func() error { return f.Store.Begin(ctx, b) })
}

// Complete implements issuer.Store.
func (f *FaultyIssuer) Complete(ctx context.Context, c issuer.Completion) error {
	return f.write(func() error { return f.Store.Complete(ctx, c) })
}

// CloseIntent implements issuer.Store.
func (f *FaultyIssuer) CloseIntent(ctx context.Context, c issuer.Closing) error {
	return f.write(func() error { return f.Store.CloseIntent(ctx, c) })
}

// ChangeStatus implements issuer.Store.
func (f *FaultyIssuer) ChangeStatus(ctx context.Context, c issuer.StatusChange) (rec issuer.Record, changed bool, err error) {
	err = f.write(func() (err error) {
		rec, changed, err = f.Store.ChangeStatus(ctx, c)
		return err
	})
	return rec, changed, err
}

// StartEpoch implements issuer.Store.
func (f *FaultyIssuer) StartEpoch(ctx context.Context, audit issuer.AuditEvent) error {
	return f.write(func() error { return f.Store.StartEpoch(ctx, audit) })
}

// Sent implements issuer.Store.
func (f *FaultyIssuer) Sent(ctx context.Context, events []issuer.OutboxEvent) error {
	return f.write(func() error { return f.Store.Sent(ctx, events) })
}

// AppendAudit implements issuer.Store.
func (f *FaultyIssuer) AppendAudit(ctx context.Context, e issuer.AuditEvent) error {
	return f.write(func() error { return f.Store.AppendAudit(ctx, e) })
}

var _ issuer.Store = (*FaultyIssuer)(nil)

// FaultyIntake is an intake.Store over another one, of which one write fails.
type FaultyIntake struct {
	intake.Store
	faults
}

// NewFaultyIntake returns a store that does what s does until FailWrite is called.
func NewFaultyIntake(s intake.Store) *FaultyIntake {
	return &FaultyIntake{Store: s, faults: faults{left: -1}}
}

var _ intake.Store = (*FaultyIntake)(nil)

// PutConsent implements intake.ConsentStore.
func (f *FaultyIntake) PutConsent(ctx context.Context, c intake.Consent, key intake.Key) (stored intake.Consent, created bool, err error) {
	err = f.write(func() error { stored, created, err = f.Store.PutConsent(ctx, c, key); return err })
	return stored, created, err
}

// Withdraw implements intake.ConsentStore.
func (f *FaultyIntake) Withdraw(ctx context.Context, tenant, id string, at time.Time, why string) (c intake.Consent, err error) {
	err = f.write(func() error { c, err = f.Store.Withdraw(ctx, tenant, id, at, why); return err })
	return c, err
}

// CreateBatch implements intake.BatchStore.
func (f *FaultyIntake) CreateBatch(ctx context.Context, b intake.Batch, key intake.Key) (stored intake.Batch, created bool, err error) {
	err = f.write(func() error { stored, created, err = f.Store.CreateBatch(ctx, b, key); return err })
	return stored, created, err
}

// AddPiece implements intake.BatchStore.
func (f *FaultyIntake) AddPiece(ctx context.Context, tenant, id string, offset, n int64, sealed []byte) (b intake.Batch, err error) {
	err = f.write(func() error { b, err = f.Store.AddPiece(ctx, tenant, id, offset, n, sealed); return err })
	return b, err
}

// Enqueue implements intake.QueueStore.
func (f *FaultyIntake) Enqueue(ctx context.Context, b intake.Batch, quota int) (stored intake.Batch, created bool, err error) {
	err = f.write(func() error { stored, created, err = f.Store.Enqueue(ctx, b, quota); return err })
	return stored, created, err
}

// Claim implements intake.QueueStore.
func (f *FaultyIntake) Claim(ctx context.Context, after string, now time.Time) (b intake.Batch, ok bool, err error) {
	err = f.write(func() error { b, ok, err = f.Store.Claim(ctx, after, now); return err })
	return b, ok, err
}

// Complete implements intake.QueueStore.
func (f *FaultyIntake) Complete(ctx context.Context, c intake.Completion) error {
	return f.write(func() error { return f.Store.Complete(ctx, c) })
}

// Shred implements intake.QueueStore.
func (f *FaultyIntake) Shred(ctx context.Context, end intake.End) error {
	return f.write(func() error { return f.Store.Shred(ctx, end) })
}
