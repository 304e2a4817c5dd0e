package app

import (
	"context"
	"crypto"
	"fmt"
	"path/filepath"

	"heartmark/assessment"
	"heartmark/assessment/intake"
	"heartmark/assessment/training"
	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/issuer"
)

// openIntake opens the vault and makes the sealer that reports lie under. The service itself needs the classifier and is made by
// newIntake.
func (a *App) openIntake(ctx context.Context, _ Options) error {
	dir := filepath.Join(a.Config.DataDir, "vault")
	vault, err := keys.OpenVault(dir, a.Keys)
	if err != nil {
		return exitWith(ExitUnavailable, err)
	}
	key, err := a.secret(ctx, "subject references")
	if err != nil {
		return err
	}
	a.vault = intakeVault{vault}
	a.sealer = intake.NewSealer(a.vault, key, a.Keys)
	return nil
}

// newIntake makes the intake over an assessor, which is nil where the classifier is not available.
func (a *App) newIntake(ctx context.Context, assessor intake.Assessor) (*intake.Service, error) {
	itemKey, err := a.secret(ctx, itemHashes)
	if err != nil {
		return nil, err
	}
	return intake.New(intake.Config{
		Audience: a.DID(), Store: a.Store.Intake(a.sealer), Reports: a.reports(), Vault: a.vault, Sealer: a.sealer,
		Keys: signerKeys{a.Resolver}, Assessor: assessor, ItemKey: itemKey, Policy: a.evidencePolicy, Journal: a.auditIntake,
		Now: a.now, NewID: a.newID, Log: a.log, Metrics: a.metrics, Workers: a.Config.Assessment.Workers, Crash: a.crash,
	})
}

// itemHashes names the secret that keys the hashes in stored items.
const itemHashes = "item hashes"

// evidencePolicy is what a tenant asks of its own evidence. Its did:web here may sign it too.
func (a *App) evidencePolicy(ctx context.Context, tenant string) (intake.Policy, error) {
	record, err := a.tenant(ctx, tenant)
	if err != nil {
		return intake.Policy{}, err
	}
	p := intake.Policy{DIDs: []string{did.FromOrigin(a.Config.Origin, tenant)}, Signed: record.Evidence.Signed, MaxQueued: record.Evidence.MaxQueued}
	if record.Evidence.DID != "" {
		p.DIDs = append(p.DIDs, record.Evidence.DID)
	}
	return p, nil
}

// rights is the intake whose erasure also ends what practice keeps of a subject.
type rights struct {
	*intake.Service
	practice *training.Trainer
}

// Erase erases the plan and its history first: it is found by the subject's own id, which the intake forgets.
func (r rights) Erase(ctx context.Context, c intake.Caller, subject string) (intake.Erased, error) {
	if err := r.practice.Erase(ctx, c.Tenant, subject); err != nil {
		return intake.Erased{}, fmt.Errorf("erase plan: %w", err)
	}
	return r.Service.Erase(ctx, c, subject)
}

// auditIntake writes what is done with consents, evidence and subjects to the audit trail before it happens.
func (a *App) auditIntake(ctx context.Context, e intake.Event) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: e.At, Event: e.Event, Tenant: e.Tenant, Actor: e.Actor, Object: e.Object, Digest: e.Digest, Detail: e.Detail,
	})
}

// intakeVault gives the intake the key service's vault.
type intakeVault struct{ vault *keys.Vault }

var _ intake.Vault = intakeVault{}

func vaultKey(p intake.Place) keys.KeyRef {
	return keys.KeyRef{Tenant: p.Tenant, Ring: p.Ring, Name: p.Name}
}

// Seal implements intake.Vault.
func (v intakeVault) Seal(ctx context.Context, at intake.Place, plaintext []byte) ([]byte, error) {
	return v.vault.Seal(ctx, vaultKey(at), at.Kind, at.ID, plaintext)
}

// Open implements intake.Vault.
func (v intakeVault) Open(ctx context.Context, at intake.Place, sealed []byte) ([]byte, error) {
	return v.vault.Open(ctx, vaultKey(at), at.Kind, at.ID, sealed)
}

// Destroy implements intake.Vault.
func (v intakeVault) Destroy(ctx context.Context, tenant, ring, name string) error {
	return v.vault.Destroy(ctx, keys.KeyRef{Tenant: tenant, Ring: ring, Name: name})
}

// DestroyRing implements intake.Vault.
func (v intakeVault) DestroyRing(ctx context.Context, tenant, ring string) error {
	return v.vault.DestroyRing(ctx, tenant, ring)
}

// signerKeys finds the keys of those who sign consents and evidence.
type signerKeys struct{ resolver *did.Resolver }

var _ intake.KeyResolver = signerKeys{}

// HolderKey implements intake.KeyResolver.
func (s signerKeys) HolderKey(ctx context.Context, id, method string) (crypto.PublicKey, error) {
	document, err := s.resolver.ResolveOffline(ctx, id)
	if err != nil {
		return nil, err
	}
	return usableKey(document, method, did.Authentication)
}

// PlatformKey implements intake.KeyResolver.
func (s signerKeys) PlatformKey(ctx context.Context, id, method string) (crypto.PublicKey, error) {
	document, err := s.resolver.Resolve(ctx, id)
	if err != nil {
		return nil, err
	}
	return usableKey(document, method, did.AssertionMethod)
}

func usableKey(document did.Document, method, purpose string) (crypto.PublicKey, error) {
	m, err := document.Method(method, purpose)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", document.ID, err)
	}
	return m.Key, nil
}

// reports is the store of reports and items, each sealed under the key of its subject.
func (a *App) reports() assessment.Store { return a.Store.Assessments(a.sealer) }
