package app

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/internal/login"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"
)

// defaultBatch is how many keys one credential request may bring.
const defaultBatch = 10

// openWallets joins the wallet protocol to the issuer, the keys and the configuration.
func (a *App) openWallets(ctx context.Context, o Options) error {
	nonces, err := a.secret(ctx, "oid4vci nonces")
	if err != nil {
		return err
	}
	requests, err := a.secret(ctx, "oid4vci request encryption")
	if err != nil {
		return err
	}
	wallets, err := walletDemands(a.Config.Wallets)
	if err != nil {
		return exitWith(ExitUsage, err)
	}
	provider, err := a.loginProvider()
	if err != nil {
		return exitWith(ExitUsage, err)
	}
	batch := a.Config.Wallets.Batch
	if batch == 0 {
		batch = defaultBatch
	}
	a.OID4VCI, err = oid4vci.New(oid4vci.Config{
		Origin: a.Config.Origin, Store: a.Store, Tenant: a.walletTenant, Issue: a.issueForWallet, Ready: a.readyToIssue,
		Batch: batch, Wallets: wallets, Login: provider, CheckProof: walletProofs{a.Processor}, SignMetadata: a.metadataSigner,
		Audit: a.auditWallets, NonceKey: nonces, EncryptionKey: requests, Now: a.now, Log: a.log, Crash: o.Crash,
	})
	return err
}

// walletDemands reads what is asked of wallets, with the keys of the attesters.
func walletDemands(c config.Wallets) (oid4vci.Wallets, error) {
	demand := func(text string) oid4vci.Demand {
		if text == "optional" {
			text = ""
		}
		return oid4vci.Demand(text)
	}
	w := oid4vci.Wallets{
		Attestation: demand(c.Attestation), DPoP: demand(c.DPoP), KeyAttestation: demand(c.KeyAttestation),
		KeyStorage: c.KeyStorage, UserAuthentication: c.UserAuthentication,
	}
	for _, client := range c.Clients {
		w.Clients = append(w.Clients, oid4vci.Client{ID: client.ID, RedirectURIs: client.RedirectURIs})
	}
	for _, attester := range c.Attesters {
		trusted, err := keySet(attester.KeysFile)
		if err != nil {
			return oid4vci.Wallets{}, fmt.Errorf("wallets.attesters: %s: %w", attester.Issuer, err)
		}
		w.Attesters = append(w.Attesters, oid4vci.Attester{Issuer: attester.Issuer, Keys: trusted})
	}
	return w, nil
}

// keySet reads the public keys of a JSON Web Key Set (RFC 7517, 5).
func keySet(path string) ([]crypto.PublicKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set, err := schemas.ParseObject(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	list, _ := set["keys"].([]any)
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no keys", path)
	}
	var out []crypto.PublicKey
	for n, item := range list {
		raw, err := schemas.Marshal(item)
		if err != nil {
			return nil, fmt.Errorf("%s: key %d: %w", path, n, err)
		}
		key, err := keys.ParseJWK(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: key %d: %w", path, n, err)
		}
		out = append(out, key)
	}
	return out, nil
}

// loginProvider is the configured provider, nil for none.
func (a *App) loginProvider() (oid4vci.Login, error) {
	c := a.Config.Login
	if c.Issuer == "" {
		return nil, nil
	}
	secret, err := os.ReadFile(c.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("login.secret_file: %w", err)
	}
	provider, err := login.New(login.Config{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: strings.TrimSpace(string(secret)),
		RedirectURL: a.Config.Origin + "/login/callback", Fetch: a.fetch, Now: a.now,
	})
	if err != nil {
		return nil, err
	}
	return holderLogin{provider}, nil
}

// holderLogin signs holders of offers in at the provider.
type holderLogin struct{ provider *login.Provider }

var _ oid4vci.Login = holderLogin{}

// URL implements oid4vci.Login.
func (l holderLogin) URL(ctx context.Context, r oid4vci.LoginRequest) (string, error) {
	return l.provider.URL(ctx, r.State, r.Nonce, r.Verifier)
}

// Subject implements oid4vci.Login.
func (l holderLogin) Subject(ctx context.Context, code string, r oid4vci.LoginRequest) (string, error) {
	subject, err := l.provider.Subject(ctx, code, r.Nonce, r.Verifier)
	if errors.Is(err, login.ErrRefused) {
		err = fmt.Errorf("%w: %w", oid4vci.ErrLogin, err)
	}
	return subject, err
}

// walletProofs checks key proofs of type di_vp.
type walletProofs struct{ processor *dataintegrity.Processor }

var _ oid4vci.ProofChecker = walletProofs{}

// Suites implements oid4vci.ProofChecker.
func (walletProofs) Suites() []string {
	return []string{dataintegrity.EdDSARDFC2022, dataintegrity.ECDSARDFC2019}
}

// one returns the one proof of a document.
func (walletProofs) one(doc map[string]any) (map[string]any, dataintegrity.Proof, error) {
	proofs, err := dataintegrity.Proofs(doc)
	if err != nil {
		return nil, dataintegrity.Proof{}, err
	}
	if len(proofs) != 1 {
		return nil, dataintegrity.Proof{}, fmt.Errorf("%d proofs", len(proofs))
	}
	proof, err := dataintegrity.ParseProof(proofs[0])
	return proofs[0], proof, err
}

// Read implements oid4vci.ProofChecker.
func (w walletProofs) Read(doc map[string]any) (oid4vci.ClaimedProof, error) {
	_, p, err := w.one(doc)
	if err != nil {
		return oid4vci.ClaimedProof{}, err
	}
	if !slices.Contains(w.Suites(), p.Cryptosuite) || len(p.PreviousProof) > 0 {
		return oid4vci.ClaimedProof{}, fmt.Errorf("suite %s", p.Cryptosuite)
	}
	return oid4vci.ClaimedProof{
		VerificationMethod: p.VerificationMethod, Purpose: p.Purpose, Challenge: p.Challenge, Domain: p.Domain, Created: p.Created, Expires: p.Expires,
	}, nil
}

// Check implements oid4vci.ProofChecker.
func (w walletProofs) Check(doc map[string]any, key crypto.PublicKey) error {
	proof, _, err := w.one(doc)
	if err != nil {
		return err
	}
	return w.processor.Check(doc, proof, key)
}

// metadataSigner is the key that signs a tenant's issuer metadata.
func (a *App) metadataSigner(ctx context.Context, tenant string) (oid4vci.MetadataSigner, error) {
	handle, err := a.Keys.SignerFor(ctx, tenant, keys.KindMetadata)
	if err != nil {
		return oid4vci.MetadataSigner{}, err
	}
	return oid4vci.MetadataSigner{Signer: handle, Kid: handle.VerificationMethod()}, nil
}

// auditWallets writes acts on offers, and misuse of them, to the audit trail.
func (a *App) auditWallets(ctx context.Context, e oid4vci.AuditEvent) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: e.At, Event: string(e.Event), Tenant: e.Tenant, Actor: issuer.Actor(ctx), Object: e.Offer, Detail: e.Detail,
	})
}

// logo is the address of a tenant's logo, that of the installation where it has none of its own.
func (a *App) logo(t schemas.Tenant) string {
	if t.Logo != "" {
		return t.Logo
	}
	return a.Config.Origin + "/static/logo.svg"
}

// walletTenant describes a tenant to wallets.
func (a *App) walletTenant(ctx context.Context, id string) (oid4vci.Tenant, error) {
	record, err := a.tenant(ctx, id)
	if err != nil {
		return oid4vci.Tenant{}, err
	}
	return oid4vci.Tenant{Name: record.Name, Names: record.Names, Logo: a.logo(record), Configurations: walletConfigurations(a.Issuer.Configurations())}, nil
}

// issueForWallet issues what a wallet has earned by its proofs. The forms that one holder takes of a configuration out of one
// offer are of one act, whichever comes first (design section 9.8).
func (a *App) issueForWallet(ctx context.Context, r oid4vci.IssueRequest) (oid4vci.Issued, error) {
	configuration, form, siblings := formOf(a.Issuer.Configurations(), r.Configuration)
	request := issuer.Request{
		Tenant: r.Tenant, Configuration: configuration, ReportID: r.ReportID, HolderID: r.HolderID,
		IdempotencyKey: r.Key(r.Configuration), Language: r.Language,
	}
	for _, sibling := range siblings {
		earlier := request
		earlier.IdempotencyKey = r.Key(sibling)
		began, err := a.Issuer.Began(ctx, earlier)
		if err != nil {
			return oid4vci.Issued{}, err
		}
		if began {
			request = earlier
			break
		}
	}
	issued, err := a.Issuer.Issue(issuer.WithActor(ctx, "wallet"), request)
	if err != nil {
		return oid4vci.Issued{}, err
	}
	return oid4vci.Issued{ID: string(issued.ID), Format: issued.Forms[form].Format, Credential: issued.Forms[form].Credential}, nil
}

// readyToIssue tells whether a credential could be issued now, so that an offer is not made in vain.
func (a *App) readyToIssue(ctx context.Context, tenant, configuration, report string) error {
	configuration, _, _ = formOf(a.Issuer.Configurations(), configuration)
	return a.Issuer.Ready(ctx, tenant, configuration, report)
}
