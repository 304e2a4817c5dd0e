package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/issuer"
	"heartmark/schemas"
	"heartmark/verifier/oid4vp"
	"heartmark/verifier/policies"

	jsonldcontext "heartmark/schemas/context"

	"github.com/spf13/cobra"
)

// openPresentations makes what asks wallets. A certificate that is configured must be that of our request key and name our
// host: a service that could not stand by its name does not start (security case SEC-136).
func (a *App) openPresentations(ctx context.Context, _ Options) error {
	loader, err := jsonldcontext.New()
	if err != nil {
		return err
	}
	identity := &requestIdentity{app: a}
	if err := identity.loadCertificate(ctx); err != nil {
		return exitWith(ExitUnavailable, err)
	}
	a.Presentations, err = oid4vp.New(oid4vp.Config{
		Origin: a.Config.Origin, Store: a.Store, Verifier: a.Verifier, Contexts: loader, Client: identity.client, Sealer: a.Keys,
		Journal: a.auditPresentation, Now: a.now, Log: a.log,
	})
	return err
}

// auditPresentation writes what is asked of wallets, and what came, to the audit trail before it happens.
func (a *App) auditPresentation(ctx context.Context, e oid4vp.Event) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{At: e.At, Event: e.Name, Tenant: e.Tenant, Actor: "verifier", Object: e.Object, Detail: e.Detail})
}

// requestIdentity is who asks wallets: a tenant or the installation by its DID, the installation by its certificate.
type requestIdentity struct {
	app *App
	mu  sync.Mutex // held while a key is made, so that two first requests make one

	host  string
	chain []string // certificates in standard base64, the leaf first; empty where none is configured
	leaf  *x509.Certificate
	key   schemas.KeyID
}

func (r *requestIdentity) client(ctx context.Context, tenant, prefix string) (oid4vp.Client, error) {
	name := ""
	if tenant != "" {
		record, err := r.app.tenant(ctx, tenant)
		if err != nil {
			return oid4vp.Client{}, err
		}
		name = record.Name
	}
	if prefix == oid4vp.PrefixX509 {
		return r.certified(ctx, name)
	}
	signer, err := r.signer(ctx, tenant)
	if err != nil {
		return oid4vp.Client{}, fmt.Errorf("request key: %w", err)
	}
	return oid4vp.Client{
		ID: oid4vp.PrefixDID + ":" + did.FromOrigin(r.app.Config.Origin, tenant), Signer: signer, Kid: signer.VerificationMethod(), Name: name,
	}, nil
}

// signer returns the active request key of a tenant, ES256 since every wallet reads that; it is made and published on first
// use and when the one before has come to its end.
func (r *requestIdentity) signer(ctx context.Context, tenant string) (keys.Handle, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	signer, err := r.app.Keys.SignerFor(ctx, tenant, keys.KindRequestObject)
	if !errors.Is(err, keys.ErrNotFound) {
		return signer, err
	}
	info, err := r.app.Keys.Create(ctx, tenant, keys.KindRequestObject, keys.AlgES256)
	if err != nil {
		return nil, err
	}
	if err := r.app.registerKey(ctx, tenant, info); err != nil {
		return nil, err
	}
	return r.app.Keys.SignerFor(ctx, tenant, keys.KindRequestObject)
}

// certified asks in the name of the host that the certificate names.
func (r *requestIdentity) certified(ctx context.Context, name string) (oid4vp.Client, error) {
	if r.leaf == nil || !r.app.now().Before(r.leaf.NotAfter) {
		return oid4vp.Client{}, fmt.Errorf("no certificate is configured, or it has ended: %w", oid4vp.ErrState)
	}
	signer, err := r.app.Keys.Signer(ctx, r.key)
	if err != nil {
		return oid4vp.Client{}, err
	}
	return oid4vp.Client{ID: oid4vp.PrefixX509 + ":" + r.host, Signer: signer, X5C: r.chain, Name: name}, nil
}

// maxChain is how many certificates a chain may have (security.md, 3).
const maxChain = 5

func (r *requestIdentity) loadCertificate(ctx context.Context) error {
	path := r.app.Config.Presentation.Certificate
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("presentation.certificate: %w", err)
	}
	origin, err := url.Parse(r.app.Config.Origin)
	if err != nil {
		return err
	}
	r.host = origin.Hostname()
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil || len(r.chain) == maxChain {
			return fmt.Errorf("presentation.certificate: %s: not 1 to %d certificates in PEM, the leaf first", path, maxChain)
		}
		if r.leaf == nil {
			r.leaf = certificate
		}
		r.chain = append(r.chain, base64.StdEncoding.EncodeToString(certificate.Raw))
	}
	return r.checkLeaf(ctx, path)
}

func (r *requestIdentity) checkLeaf(ctx context.Context, path string) error {
	now := r.app.now()
	switch {
	case r.leaf == nil:
		return fmt.Errorf("presentation.certificate: %s holds no certificate in PEM", path)
	case r.leaf.VerifyHostname(r.host) != nil:
		return fmt.Errorf("presentation.certificate: %s is not for %s, the host of the origin", path, r.host)
	case now.Before(r.leaf.NotBefore) || !now.Before(r.leaf.NotAfter):
		return fmt.Errorf("presentation.certificate: %s is good from %s to %s, which is not now", path,
			schemas.FormatTime(r.leaf.NotBefore), schemas.FormatTime(r.leaf.NotAfter))
	}
	infos, err := r.app.Keys.List(ctx, "")
	if err != nil {
		return err
	}
	for _, info := range infos {
		if info.Kind != keys.KindRequestObject || info.Status != keys.StatusActive {
			continue
		}
		public, err := keys.ParseMultibase(info.PublicKeyMultibase)
		if own, ok := public.(*ecdsa.PublicKey); err == nil && ok && own.Equal(r.leaf.PublicKey) {
			r.key = info.ID
			return nil
		}
	}
	return fmt.Errorf("presentation.certificate: %s is of another key than the installation's request key; make a request for one with `heartmark keys csr`", path)
}

// csrCommand makes the request for the certificate that x509_san_dns needs. The key stays where it is.
func csrCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "csr", Short: "Print a certificate request (PKCS#10) for the key that signs requests to wallets, and the origin's host", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				origin, err := url.Parse(a.Config.Origin)
				if err != nil {
					return err
				}
				signer, err := (&requestIdentity{app: a}).signer(ctx, "")
				if err != nil {
					return err
				}
				der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
					Subject: pkix.Name{CommonName: origin.Hostname()}, DNSNames: []string{origin.Hostname()}, SignatureAlgorithm: x509.ECDSAWithSHA256,
				}, signer)
				if err != nil {
					return fmt.Errorf("certificate request: %w", err)
				}
				text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
				return c.answer(map[string]any{"request": text, "verificationMethod": signer.VerificationMethod()}, text)
			})
		},
	}
}

// auditPolicy writes a policy's new version to the audit trail before it stands.
func (a *App) auditPolicy(ctx context.Context, s policies.Stored) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: s.CreatedAt, Event: "policy.put", Tenant: s.Tenant, Actor: s.CreatedBy, Object: s.Name, Detail: "version " + strconv.Itoa(s.Version),
	})
}
