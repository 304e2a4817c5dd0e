package app

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/store/badger"
	"heartmark/issuer"
	"heartmark/registry"
	"heartmark/schemas"
	"heartmark/verifier/receipt"
)

// system is the actor of what the installation does by itself, operator of what its command line does.
var (
	system   = registry.Actor{ID: "system", Role: registry.RoleSystem}
	operator = registry.Actor{ID: "operator", Role: registry.RoleOperator}
)

// CreateTenant makes an organisation ready to issue: its record, its keys, their entries in the registry, and the
// authority for every DEI achievement, granted by this registry after a proof of control by the tenant's own key.
// Repeating it completes what an interrupted call left.
func (a *App) CreateTenant(ctx context.Context, t schemas.Tenant) error {
	if err := schemas.CheckTenantName(t.ID); err != nil {
		return exitWith(ExitUsage, fmt.Errorf("tenant %q: %w", t.ID, err))
	}
	t.CreatedAt = a.now()
	err := a.Store.CreateTenant(ctx, t)
	if errors.Is(err, badger.ErrTenantExists) {
		t, err = a.Store.Tenant(ctx, t.ID) // what it was made with stands
	}
	if err != nil {
		return err
	}
	if err := a.ensureTenantKeys(ctx, t.ID); err != nil {
		return err
	}
	return a.ensureAuthority(ctx, t)
}

// ensureTenantKeys makes the keys that a tenant lacks: one each for its lists, its statements and the metadata that wallets
// read, and one for each algorithm of a form that is issued. EdDSA is always among them; the proof of control is made with it.
func (a *App) ensureTenantKeys(ctx context.Context, tenant string) error {
	for _, kind := range []keys.Kind{keys.KindStatusList, keys.KindStatement, keys.KindMetadata} {
		if err := a.ensureKey(ctx, tenant, kind, keys.AlgEdDSA); err != nil {
			return fmt.Errorf("tenant %s: %w", tenant, err)
		}
	}
	for _, alg := range keys.Algorithms() {
		if alg != keys.AlgEdDSA && !slices.Contains(a.Issuer.Algorithms(), alg) {
			continue
		}
		if err := a.ensureKey(ctx, tenant, keys.KindCredential, alg); err != nil {
			return fmt.Errorf("tenant %s: %w", tenant, err)
		}
	}
	return nil
}

// ensureKey makes the key of a kind and algorithm where there is none and records it in the registry. Credentials and proofs
// carry whole seconds, so its interval, and that of an authority, begins with the second: what is issued at once lies inside.
func (a *App) ensureKey(ctx context.Context, tenant string, kind keys.Kind, alg string) error {
	infos, err := a.Keys.List(ctx, tenant)
	if err != nil {
		return err
	}
	found := false
	for _, info := range infos { // several, where a rotation was interrupted
		if info.Kind != kind || info.Algorithm != alg || info.Status != keys.StatusActive {
			continue
		}
		found = true
		if err := a.registerKey(ctx, tenant, info); err != nil {
			return err
		}
	}
	if found {
		return nil
	}
	info, err := a.Keys.Create(ctx, tenant, kind, alg)
	if err != nil {
		return fmt.Errorf("create %s key: %w", kind, err)
	}
	return a.registerKey(ctx, tenant, info)
}

func (a *App) registerKey(ctx context.Context, tenant string, info keys.Info) error {
	err := a.Registry.RegisterKey(ctx, system, registry.NewKey{
		DID: did.FromOrigin(a.Config.Origin, tenant), Method: info.VerificationMethod, Kind: string(info.Kind),
		PublicKeyMultibase: info.PublicKeyMultibase, From: info.From.Truncate(time.Second), Until: info.Until,
	})
	if err != nil {
		return fmt.Errorf("register %s key: %w", info.Kind, err)
	}
	return nil
}

// RotateKey makes a tenant's new key of a kind and algorithm, records it, and retires the one that signed until now: in the
// registry first, so that a crash between leaves no key that signs beyond its recorded interval.
func (a *App) RotateKey(ctx context.Context, tenant string, kind keys.Kind, alg string) (keys.Info, error) {
	rotated := []keys.Kind{keys.KindCredential, keys.KindStatusList, keys.KindMetadata, keys.KindStatement}
	if !slices.Contains(rotated, kind) || tenant == "" && kind != keys.KindStatement {
		return keys.Info{}, exitWith(ExitUsage, fmt.Errorf("--kind: %q is none of %v; the installation itself, without --tenant, has %s alone", kind, rotated, keys.KindStatement))
	}
	if !slices.Contains(keys.Algorithms(), alg) || (kind != keys.KindCredential && alg != keys.AlgEdDSA) {
		return keys.Info{}, exitWith(ExitUsage, fmt.Errorf("--alg: %q is none of %v; lists and statements are signed with %s", alg, keys.Algorithms(), keys.AlgEdDSA))
	}
	if tenant != "" {
		if _, err := a.tenant(ctx, tenant); err != nil {
			return keys.Info{}, exitWith(ExitData, err)
		}
	}
	before, err := a.Keys.List(ctx, tenant)
	if err != nil {
		return keys.Info{}, err
	}
	fresh, err := a.Keys.Create(ctx, tenant, kind, alg)
	if err != nil {
		return keys.Info{}, err
	}
	if err := a.registerKey(ctx, tenant, fresh); err != nil {
		return keys.Info{}, err
	}
	// The end is the next whole second: what was signed in this one carries it without a fraction.
	end := a.now().Truncate(time.Second).Add(time.Second)
	for _, old := range before { // several, where an earlier rotation was interrupted
		if old.Kind != kind || old.Algorithm != alg || old.Status != keys.StatusActive {
			continue
		}
		if err := a.registerKey(ctx, tenant, old); err != nil {
			return keys.Info{}, err
		}
		if err := a.Registry.RetireKey(ctx, operator, old.VerificationMethod, end); err != nil {
			return keys.Info{}, err
		}
		if err := a.Keys.Retire(ctx, old.ID, a.now()); err != nil {
			return keys.Info{}, err
		}
	}
	return fresh, nil
}

// RevokeKey marks a key as not to be trusted since a time: it signs nothing any more, and what it signed counts only where
// the log shows that it was before then.
func (a *App) RevokeKey(ctx context.Context, id schemas.KeyID, since time.Time, reason string) error {
	if since.After(a.now()) {
		return fmt.Errorf("%s lies in the future: a key is revoked now or since a past time", schemas.FormatTime(since))
	}
	records, err := a.Store.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range append(records, schemas.Tenant{}) { // the last one: the installation's own keys
		infos, err := a.Keys.List(ctx, tenant.ID)
		if err != nil {
			return err
		}
		for _, info := range infos {
			if info.ID != id {
				continue
			}
			if info.Kind == keys.KindLog {
				return fmt.Errorf("key %s is the log's: it names the log and is not revoked", id)
			}
			// The public record first: it checks the reason, and it is what verifiers go by. A repetition completes both.
			if err := a.Registry.RevokeKey(ctx, operator, info.VerificationMethod, since, reason); err != nil {
				return err
			}
			return a.Keys.Revoke(ctx, id, since, reason)
		}
	}
	return fmt.Errorf("key %s: %w", id, keys.ErrNotFound)
}

// ensureAuthority grants the tenant the authority to issue each DEI achievement, and receipts of verifications, that it does
// not have yet.
func (a *App) ensureAuthority(ctx context.Context, t schemas.Tenant) error {
	id := did.FromOrigin(a.Config.Origin, t.ID)
	var missing []string
	resources := []string{receipt.Type}
	for _, code := range schemas.AchievementCodes() {
		resources = append(resources, schemas.AchievementID(a.Config.Origin, code))
	}
	for _, resource := range resources {
		answer, err := a.Registry.Authority(ctx, registry.AuthorityQuery{Entity: id, Action: registry.ActionIssue, Resource: resource})
		if err != nil {
			return err
		}
		if answer.Record == nil {
			missing = append(missing, resource)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	control, err := a.ownControl(ctx, t.ID)
	if err != nil {
		return err
	}
	_, err = a.Registry.GrantAuthority(ctx, operator, registry.Grant{
		Entity: id, Name: t.Name, Action: registry.ActionIssue, Resources: missing,
		Framework: a.Config.Origin + "/registry/v1/framework", ValidFrom: a.now().Truncate(time.Second),
		Control: control,
	})
	return err
}

// ownControl proves control of the DID of a tenant, whose keys are kept here.
func (a *App) ownControl(ctx context.Context, tenant string) (registry.ControlProof, error) {
	challenge, err := a.Registry.Challenge(ctx, did.FromOrigin(a.Config.Origin, tenant))
	if err != nil {
		return registry.ControlProof{}, err
	}
	signer, err := a.Keys.SignerWith(ctx, tenant, keys.KindCredential, keys.AlgEdDSA)
	if err != nil {
		return registry.ControlProof{}, err
	}
	signature, err := signer.Sign(rand.Reader, challenge.Message(), crypto.Hash(0))
	if err != nil {
		return registry.ControlProof{}, err
	}
	return registry.ControlProof{Challenge: challenge, Method: signer.VerificationMethod(), Signature: signature}, nil
}

// tenants tells the issuer who its tenants are.
type tenants struct{ app *App }

var _ issuer.IssuerSource = tenants{}

// Issuer implements issuer.IssuerSource.
func (t tenants) Issuer(ctx context.Context, tenant string) (schemas.IssuerProfile, error) {
	record, err := t.app.tenant(ctx, tenant)
	if err != nil {
		return schemas.IssuerProfile{}, err
	}
	return schemas.IssuerProfile{ID: did.FromOrigin(t.app.Config.Origin, tenant), Name: record.Name, URL: record.URL}, nil
}

// tenant returns an enabled tenant, or issuer.ErrNotFound.
func (a *App) tenant(ctx context.Context, id string) (schemas.Tenant, error) {
	record, err := a.Store.Tenant(ctx, id)
	if errors.Is(err, badger.ErrNoTenant) || (err == nil && record.Disabled) {
		return schemas.Tenant{}, fmt.Errorf("tenant %s: %w", id, issuer.ErrNotFound)
	}
	return record, err
}

// auditKey writes the life of keys to the audit trail before it changes.
func (a *App) auditKey(ctx context.Context, e keys.Event) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: e.At, Event: e.Name, Tenant: e.Tenant, Actor: "system", KeyID: e.KeyID, KeyKind: string(e.Kind), Detail: e.Reason,
	})
}

// auditRegistry writes changes and signatures of the registry to the audit trail before they happen.
func (a *App) auditRegistry(ctx context.Context, e registry.AuditEvent) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: e.At, Event: e.Event, Actor: e.Actor, Object: e.Object, Detail: e.Method, Digest: e.Digest,
	})
}

// secret returns 32 random bytes that this installation keeps under a name, sealed, and makes them on first use.
func (a *App) secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	sealed, err := a.Keys.Seal(ctx, "", "secret", name, fresh)
	if err != nil {
		return nil, err
	}
	if sealed, err = a.Store.Once(ctx, name, sealed); err != nil {
		return nil, err
	}
	return a.Keys.Open(ctx, "", "secret", name, sealed)
}
