package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"heartmark/schemas"
)

// Issued is an issued credential.
type Issued struct {
	ID            schemas.CredentialID
	Configuration string
	// Format and Credential are those of the first form.
	Format     string
	Credential json.RawMessage
	// Forms are all forms of the credential, as they were first given; none where credentials were not asked for.
	Forms []IssuedForm
	// Log proves that its commitment is in the log, at place LogIndex. Both are nil while it is on its way; Log alone is
	// nil while the log has no proof yet.
	Log      *schemas.LogProof
	LogIndex *uint64
	Group    schemas.ListGroup
	Index    uint64

	Status   Status
	StatusAt time.Time
	Reason   string
	IssuedAt time.Time
	// ValidFrom and ValidUntil are the texts in the credential.
	ValidFrom, ValidUntil string
	SigningKey            schemas.KeyID
}

// Issue prepares and signs. Calls with the same idempotency key wait for each other; the second gets what the first got.
func (i *Issuer) Issue(ctx context.Context, r Request) (Issued, error) {
	if r.IdempotencyKey != "" {
		unlock, err := i.keys.lock(ctx, r.Tenant+"\x00"+r.IdempotencyKey)
		if err != nil {
			return Issued{}, err
		}
		defer unlock()
	}
	p, err := i.Prepare(ctx, r)
	if err != nil {
		return Issued{}, err
	}
	return i.Sign(ctx, p)
}

// Sign uses the permit up and returns the credential, stored durably. When it fails after the key may have been used, the
// intent stays open: asking again under the idempotency key, or Recover, settles it.
func (i *Issuer) Sign(ctx context.Context, permit Permit) (Issued, error) {
	p := permit.p
	if p == nil || p.owner != i || !p.used.CompareAndSwap(false, true) {
		return Issued{}, ErrPermit
	}
	if p.done != nil {
		return *p.done, nil
	}
	defer i.leave(p.intent.ID)
	now := i.now()
	if age := now.Sub(p.at); age > permitLife || age < 0 {
		return Issued{}, fmt.Errorf("made %s ago: %w", age.Round(time.Second), ErrPermit)
	}
	if err := i.begin(ctx, p, now); err != nil {
		return Issued{}, err
	}
	// From here on the outcome is written whoever waits for it: a caller that went away must not leave a signature
	// without its record.
	ctx = context.WithoutCancel(ctx)
	i.crash(pointBeforeSign)
	forms, err := i.signForms(p, now)
	i.crash(pointAfterSign)
	if err != nil {
		return Issued{}, i.giveUp(ctx, p, err)
	}
	rec, err := i.record(ctx, p, forms, now)
	if err != nil {
		return Issued{}, i.giveUp(ctx, p, err)
	}
	i.crash(pointBeforeRecordCommit)
	if err := i.complete(ctx, p, rec); err != nil {
		return Issued{}, err
	}
	i.crash(pointAfterRecordCommit)
	i.wakeUp()
	i.log.InfoContext(ctx, "credential issued", slog.String("tenant", rec.Tenant), slog.String("configuration", rec.Configuration))
	issued := rec.issued(forms)
	i.crash(pointBeforeReply)
	return issued, nil
}

// signForms makes all forms, one signature each.
func (i *Issuer) signForms(p *permit, now time.Time) ([]IssuedForm, error) {
	out := make([]IssuedForm, 0, len(p.forms))
	for _, f := range p.forms {
		credential, err := i.secure(p.document, f, now)
		if err != nil {
			return nil, err
		}
		out = append(out, IssuedForm{
			SignedForm: SignedForm{Form: f.form, SigningKey: f.signer.KeyID(), Digest: hexDigest(credential)}, Credential: credential,
		})
	}
	return out, nil
}

// begin writes the audit entries, one for each signature, and marks the intent. No audit, no signature.
func (i *Issuer) begin(ctx context.Context, p *permit, now time.Time) error {
	events := make([]AuditEvent, len(p.forms))
	for n, f := range p.forms {
		events[n] = AuditEvent{
			At: now, Event: AuditSign, Tenant: p.intent.Tenant, Actor: actor(ctx), Object: string(p.intent.Credential),
			Intent: p.intent.ID, KeyID: f.signer.KeyID(), KeyKind: "credential", Digest: f.template, Detail: f.form.Format,
		}
		if err := i.journal(ctx, events[n]); err != nil {
			return err
		}
	}
	err := i.c.Store.Begin(ctx, Beginning{
		IntentID: p.intent.ID, SigningKey: p.forms[0].signer.KeyID(), Template: p.template(), At: now, Audit: events,
	})
	if errors.Is(err, ErrIntent) {
		return fmt.Errorf("%w: %w", ErrInProgress, err)
	}
	if err != nil {
		return fmt.Errorf("write what will be signed: %w", err)
	}
	return nil
}

func (i *Issuer) record(ctx context.Context, p *permit, forms []IssuedForm, now time.Time) (Record, error) {
	credential, err := joinForms(forms)
	if err != nil {
		return Record{}, fmt.Errorf("encode credential: %w", err)
	}
	signed := make([]SignedForm, len(forms))
	for n, f := range forms {
		signed[n] = f.SignedForm
	}
	sealed, err := i.c.Sealer.Seal(ctx, p.intent.Tenant, sealKind, string(p.intent.Credential), credential)
	if err != nil {
		return Record{}, fmt.Errorf("seal credential: %w", err)
	}
	from, until := p.conf.period(p.intent.CreatedAt)
	return Record{
		ID: p.intent.Credential, Tenant: p.intent.Tenant, IntentID: p.intent.ID, Configuration: p.conf.ID, Format: signed[0].Format,
		Forms: signed, Issuer: p.issuer.ID, Group: p.intent.Group, Index: p.intent.Index, Purposes: p.conf.purposes(), SigningKey: signed[0].SigningKey,
		ValidFrom: schemas.FormatTime(from), ValidUntil: schemas.FormatTime(until), IssuedAt: now,
		Digest: hexDigest(credential), Sealed: sealed, Status: StatusValid, StatusAt: now,
	}, nil
}

// sealKind is the kind under which credentials are sealed.
const sealKind = "credential"

// complete stores the record. A write whose outcome is unknown is repeated: repeating one that happened changes nothing.
func (i *Issuer) complete(ctx context.Context, p *permit, rec Record) error {
	c := Completion{
		IntentID: p.intent.ID, Record: rec,
		Outbox: OutboxEvent{
			Kind: OutboxIssued, Tenant: rec.Tenant, Credential: rec.ID, Group: rec.Group, At: rec.IssuedAt,
			Commitment: schemas.IssuedCommitment(rec.ID, rec.Issuer, rec.ValidFrom, rec.ValidUntil, rec.Group, rec.Index),
		},
	}
	for _, f := range rec.Forms {
		e := AuditEvent{
			At: rec.IssuedAt, Event: AuditSigned, Tenant: rec.Tenant, Actor: actor(ctx), Object: string(rec.ID),
			Intent: p.intent.ID, KeyID: f.SigningKey, KeyKind: "credential", Digest: f.Digest, Detail: f.Format,
		}
		if err := i.journal(ctx, e); err != nil {
			return err
		}
		c.Audit = append(c.Audit, e)
	}
	const tries = 3
	var err error
	for range tries {
		if err = i.c.Store.Complete(ctx, c); err == nil || errors.Is(err, ErrIntent) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("store credential %s: %w", rec.ID, err)
	}
	return nil
}

// giveUp closes an intent after a failed signature and returns cause. The index is revoked: a signature may exist.
func (i *Issuer) giveUp(ctx context.Context, p *permit, cause error) error {
	in := p.intent
	in.State, in.Signatures = StateSigning, len(p.forms)
	if _, err := i.settle(ctx, in); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

// issued is the record with its forms, of which there may be none.
func (r Record) issued(forms []IssuedForm) Issued {
	var first json.RawMessage
	if len(forms) > 0 {
		first = forms[0].Credential
	}
	return Issued{
		ID: r.ID, Configuration: r.Configuration, Format: r.Format, Credential: first, Forms: forms, LogIndex: r.LogIndex,
		Group: r.Group, Index: r.Index, Status: r.Status, StatusAt: r.StatusAt, Reason: r.Reason, IssuedAt: r.IssuedAt,
		ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, SigningKey: r.SigningKey,
	}
}
