package issuer

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"heartmark/schemas"
)

// Revoke ends a credential for good. It is durable on return and in the lists at their next publication. Revoking a
// revoked credential changes nothing. ErrNotFound when the tenant has no such credential.
func (i *Issuer) Revoke(ctx context.Context, tenant string, id schemas.CredentialID, reason string) error {
	return i.change(ctx, tenant, id, StatusRevoked, AuditRevoke, reason)
}

// Suspend takes a credential's validity away until Reinstate. It returns ErrRevoked for a revoked one, and ErrInvalid for
// one that has no entry in a suspension list.
func (i *Issuer) Suspend(ctx context.Context, tenant string, id schemas.CredentialID, reason string) error {
	return i.change(ctx, tenant, id, StatusSuspended, AuditSuspend, reason)
}

// Reinstate ends a suspension. It returns ErrRevoked for a revoked credential.
func (i *Issuer) Reinstate(ctx context.Context, tenant string, id schemas.CredentialID, reason string) error {
	return i.change(ctx, tenant, id, StatusValid, AuditReinstate, reason)
}

const maxReason = 500

func (i *Issuer) change(ctx context.Context, tenant string, id schemas.CredentialID, to Status, event, reason string) error {
	if reason != "" && !plain(reason, maxReason) {
		return invalid("/reason", "up to 500 printable characters")
	}
	rec, err := i.c.Store.Record(ctx, tenant, id)
	if err != nil {
		return fmt.Errorf("credential %s: %w", id, err)
	}
	if to == StatusSuspended && !slices.Contains(rec.Purposes, schemas.PurposeSuspension) {
		return invalid("/status", "revocation: the credential names no suspension list")
	}
	now := i.now()
	c := StatusChange{
		Tenant: tenant, ID: id, To: to, Reason: reason, At: now,
		Audit:  AuditEvent{At: now, Event: event, Tenant: tenant, Actor: actor(ctx), Object: string(id), Detail: reason},
		Outbox: OutboxEvent{Kind: OutboxStatus, Tenant: tenant, Credential: id, Group: rec.Group, At: now},
	}
	if err := i.journal(ctx, c.Audit); err != nil {
		return err
	}
	i.crash(pointRevokeBeforeCommit)
	_, changed, err := i.c.Store.ChangeStatus(ctx, c)
	if err != nil {
		return fmt.Errorf("set credential %s %s: %w", id, to, err)
	}
	i.crash(pointRevokeAfterCommit)
	if changed {
		i.wakeUp()
		i.log.InfoContext(ctx, "credential status changed", slog.String("tenant", tenant), slog.String("status", string(to)))
	}
	return nil
}

// Get returns a credential of the tenant with its present status, or ErrNotFound.
func (i *Issuer) Get(ctx context.Context, tenant string, id schemas.CredentialID) (Issued, error) {
	rec, err := i.c.Store.Record(ctx, tenant, id)
	if err != nil {
		return Issued{}, fmt.Errorf("credential %s: %w", id, err)
	}
	credential, err := i.c.Sealer.Open(ctx, tenant, sealKind, string(id), rec.Sealed)
	if err != nil {
		return Issued{}, fmt.Errorf("credential %s: %w", id, err)
	}
	if hexDigest(credential) != rec.Digest {
		return Issued{}, fmt.Errorf("credential %s differs from its digest", id)
	}
	forms, err := rec.splitForms(credential)
	if err != nil {
		return Issued{}, err
	}
	issued := rec.issued(forms)
	if rec.LogIndex != nil {
		// No proof yet is no fault: the log integrates in batches.
		if proof, err := i.c.Publisher.Proof(ctx, *rec.LogIndex); err == nil {
			issued.Log = &proof
		}
	}
	return issued, nil
}

// maxPage bounds a page of List.
const maxPage = 500

// List returns a page of the tenant's credentials, the earliest issued first, without the credentials themselves. cursor
// is "" for the first page and then what the last call gave as next, which is "" at the end. limit is at most 500.
func (i *Issuer) List(ctx context.Context, tenant, cursor string, limit int) (page []Issued, next string, err error) {
	if limit < 1 || limit > maxPage {
		limit = maxPage
	}
	records, next, err := i.c.Store.Records(ctx, tenant, cursor, limit)
	if err != nil {
		return nil, "", fmt.Errorf("list credentials: %w", err)
	}
	for _, rec := range records {
		page = append(page, rec.issued(nil))
	}
	return page, next, nil
}
