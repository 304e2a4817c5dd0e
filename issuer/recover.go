package issuer

import (
	"context"
	"errors"
	"fmt"

	"heartmark/schemas"
)

// RecoveryReport counts what Recover found.
type RecoveryReport struct {
	// Closed intents had not been signed; their index is spent.
	Closed int
	// Revoked intents may have been signed without being stored; their index is revoked.
	Revoked int
	// Completed intents had their credential stored.
	Completed int
}

// recoverPage is how many open intents are looked at in one go.
const recoverPage = 500

// Recover settles the intents that an earlier process left open (security section 8). Call it before serving. It may run
// at any time: intents that this process works on are left alone, so one process at a time may issue from a store. It is
// repeatable.
func (i *Issuer) Recover(ctx context.Context) (RecoveryReport, error) {
	var report RecoveryReport
	after := ""
	for {
		open, err := i.c.Store.OpenIntents(ctx, after, recoverPage)
		if err != nil {
			return report, fmt.Errorf("read open intents: %w", err)
		}
		for _, in := range open {
			after = in.ID
			if i.busy(in.ID, in.State) {
				continue
			}
			state, err := i.settle(ctx, in)
			if errors.Is(err, ErrInProgress) {
				continue
			}
			if err != nil {
				return report, err
			}
			switch {
			case state == StateIssued:
				report.Completed++
			case in.State == StateSigning:
				report.Revoked++
			default:
				report.Closed++
			}
		}
		if len(open) < recoverPage {
			break
		}
	}
	i.wakeUp()
	return report, nil
}

// settle ends an open intent and returns the state it has then. ErrInProgress says that someone works on it after all.
func (i *Issuer) settle(ctx context.Context, in Intent) (string, error) {
	now := i.now()
	c := Closing{
		IntentID: in.ID, From: in.State, Reason: "not signed", At: now,
		Audit: AuditEvent{
			At: now, Event: AuditClosed, Tenant: in.Tenant, Actor: actor(ctx), Object: string(in.Credential), Intent: in.ID,
			Detail: "not signed",
		},
	}
	if in.State == StateSigning {
		c.Reason = "signed without record"
		c.Audit.Event, c.Audit.KeyID, c.Audit.Detail = AuditRevoke, in.SigningKey, c.Reason
		c.Audit.Signatures = in.Signatures
		c.Outbox = OutboxEvent{Kind: OutboxStatus, Tenant: in.Tenant, Group: in.Group, At: now}
	}
	if err := i.journal(ctx, c.Audit); err != nil {
		return "", err
	}
	err := i.c.Store.CloseIntent(ctx, c)
	if errors.Is(err, ErrIntent) {
		_, err := i.c.Store.Record(ctx, in.Tenant, in.Credential)
		if errors.Is(err, ErrNotFound) {
			return "", fmt.Errorf("intent %s moved on: %w", in.ID, ErrInProgress)
		}
		if err != nil {
			return "", fmt.Errorf("intent %s: %w", in.ID, err)
		}
		return StateIssued, nil // the write that looked lost was not
	}
	if err != nil {
		return "", fmt.Errorf("close intent %s: %w", in.ID, err)
	}
	i.wakeUp()
	return StateClosed, nil
}

// NewEpoch opens new lists for everything that is issued from now on. Call it after restoring a copy of the data: an
// index that the lost data had handed out is then never handed out again.
func (i *Issuer) NewEpoch(ctx context.Context) error {
	e := AuditEvent{At: i.now(), Event: AuditEpoch, Actor: actor(ctx)}
	if err := i.journal(ctx, e); err != nil {
		return err
	}
	if err := i.c.Store.StartEpoch(ctx, e); err != nil {
		return fmt.Errorf("start index epoch: %w", err)
	}
	return nil
}

// ListState returns the bits and the version of a status list, for the one who publishes it.
func (i *Issuer) ListState(ctx context.Context, group schemas.ListGroup, purpose string) (version uint64, bits []byte, err error) {
	return i.c.Store.ListState(ctx, group, purpose)
}

// Groups returns up to limit list groups of all tenants after the group after, in the order of their names.
func (i *Issuer) Groups(ctx context.Context, after schemas.ListGroup, limit int) ([]Group, error) {
	return i.c.Store.Groups(ctx, after, limit)
}
