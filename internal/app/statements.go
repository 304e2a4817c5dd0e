package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"heartmark/api/verifierapi"
	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/issuer"
	"heartmark/verifier"
	"heartmark/verifier/bulk"
	"heartmark/verifier/receipt"
)

// statements signs what a tenant says of its verifications, with the key of its credentials.
type statements struct{ app *App }

var _ verifierapi.Statements = statements{}

// Known implements verifierapi.Statements.
func (s statements) Known(ctx context.Context, tenant string) error {
	_, err := s.app.tenant(ctx, tenant)
	return err
}

// Receipt implements verifierapi.Statements.
func (s statements) Receipt(ctx context.Context, tenant string, r verifier.Result) (string, error) {
	record, err := s.app.tenant(ctx, tenant)
	if err != nil {
		return "", err
	}
	// A tenant that was made before there were receipts gets the authority for them now.
	if err := s.app.ensureAuthority(ctx, record); err != nil {
		return "", fmt.Errorf("authority for receipts: %w", err)
	}
	credential, err := receipt.Credential(r, "urn:uuid:"+s.app.newID(), did.FromOrigin(s.app.Config.Origin, tenant))
	if err != nil {
		return "", err
	}
	return s.sign(ctx, tenant, receipt.MediaType, "receipt.sign", credential)
}

// typeReport is typ of a signed summary.
const typeReport = "heartmark-bulk-report+jwt"

// Report implements verifierapi.Statements.
func (s statements) Report(ctx context.Context, tenant string, summary bulk.Summary) (string, error) {
	return s.sign(ctx, tenant, typeReport, "bulk.sign", struct {
		Issuer string `json:"iss"`
		Issued int64  `json:"iat"`
		bulk.Summary
	}{did.FromOrigin(s.app.Config.Origin, tenant), s.app.now().Unix(), summary})
}

// sign signs a statement after it stands in the audit trail.
func (s statements) sign(ctx context.Context, tenant, typ, event string, statement any) (string, error) {
	signer, err := s.app.Keys.SignerFor(ctx, tenant, keys.KindCredential)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(statement)
	if err != nil {
		return "", fmt.Errorf("%s: %w", event, err)
	}
	digest := sha256.Sum256(payload)
	err = s.app.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: s.app.now(), Event: event, Tenant: tenant, Actor: "verifier", Digest: hex.EncodeToString(digest[:]), KeyID: signer.KeyID(),
	})
	if err != nil {
		return "", fmt.Errorf("audit %s: %w", event, err)
	}
	return jose.Sign(map[string]any{"typ": typ, "kid": signer.VerificationMethod()}, payload, signer)
}

// Statements signs what tenants say of their verifications.
func (a *App) Statements() verifierapi.Statements { return statements{a} }
