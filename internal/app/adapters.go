package app

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"
	"time"

	"heartmark/api/registryapi"
	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/issuer"
	"heartmark/registry"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/sources"
)

// The parts meet here: each declares what it needs in its own words, and the types below give it that from another part.

// securer makes the proofs of the issuer and of the registry.
type securer struct{ processor *dataintegrity.Processor }

// issuerSecurer secures credentials.
type issuerSecurer struct{ securer }

var _ issuer.Securer = issuerSecurer{}

// Secure implements issuer.Securer.
func (s issuerSecurer) Secure(doc map[string]any, p issuer.Proof, signer crypto.Signer) (map[string]any, error) {
	return s.processor.Sign(doc, dataintegrity.ProofOptions{
		VerificationMethod: p.VerificationMethod, Purpose: did.AssertionMethod, Created: p.Created, Cryptosuite: p.Cryptosuite,
		Mandatory: p.Mandatory,
	}, signer)
}

// listSecurer secures status lists.
type listSecurer struct{ securer }

var _ registry.Securer = listSecurer{}

// Secure implements registry.Securer.
func (s listSecurer) Secure(_ context.Context, doc map[string]any, method string, created time.Time, signer crypto.Signer) (map[string]any, error) {
	return s.processor.Sign(doc, dataintegrity.ProofOptions{
		VerificationMethod: method, Purpose: did.AssertionMethod, Created: created, Cryptosuite: dataintegrity.EdDSARDFC2022,
	}, signer)
}

// signers finds the active key for each job. A tenant's keys are its own; those of the installation stand under "".
type signers struct {
	keys *keys.Service
	base string // DID of the installation
}

var (
	_ issuer.SignerSource = signers{}
	_ registry.Signers    = signers{}
)

// CredentialSigner implements issuer.SignerSource.
func (s signers) CredentialSigner(ctx context.Context, tenant, algorithm string) (issuer.Signer, error) {
	return s.keys.SignerWith(ctx, tenant, keys.KindCredential, algorithm)
}

// ListSigner implements registry.Signers.
func (s signers) ListSigner(ctx context.Context, issuerDID string) (crypto.Signer, string, error) {
	tenant, ok := tenantOf(s.base, issuerDID)
	if !ok {
		return nil, "", fmt.Errorf("list key of %s: %w", issuerDID, registry.ErrNotFound)
	}
	return s.signer(ctx, tenant, keys.KindStatusList)
}

// StatementSigner implements registry.Signers.
func (s signers) StatementSigner(ctx context.Context, owner string) (crypto.Signer, string, error) {
	tenant, ok := tenantOf(s.base, owner)
	if !ok {
		return nil, "", fmt.Errorf("statement key of %s: %w", owner, registry.ErrNotFound)
	}
	return s.signer(ctx, tenant, keys.KindStatement)
}

// SnapshotSigner implements registry.Signers.
func (s signers) SnapshotSigner(ctx context.Context) (crypto.Signer, string, error) {
	return s.signer(ctx, "", keys.KindSnapshot)
}

func (s signers) signer(ctx context.Context, tenant string, kind keys.Kind) (crypto.Signer, string, error) {
	h, err := s.keys.SignerFor(ctx, tenant, kind)
	if err != nil {
		return nil, "", err
	}
	return h, h.VerificationMethod(), nil
}

// tenantOf returns the tenant whose DID id is, below the installation's DID.
func tenantOf(base, id string) (string, bool) {
	if id == base {
		return "", true
	}
	tenant, ok := strings.CutPrefix(id, base+":")
	return tenant, ok && schemas.CheckTenantName(tenant) == nil
}

// authorityChecker lets the issuer ask the registry before it signs.
type authorityChecker struct{ registry *registry.Registry }

var _ issuer.AuthorityChecker = authorityChecker{}

// MayIssue implements issuer.AuthorityChecker: every level that will be stated must be covered.
func (a authorityChecker) MayIssue(ctx context.Context, q issuer.AuthorityQuery) error {
	for _, claim := range q.Levels {
		answer, err := a.registry.Authority(ctx, registry.AuthorityQuery{
			Entity: q.Issuer, Action: registry.ActionIssue, Resource: q.Resource, Level: claim.Level, Time: q.At,
		})
		if err != nil {
			return err
		}
		if !answer.Authorized {
			return fmt.Errorf("%s for %s: %s: %w", q.Issuer, q.Resource, answer.State, issuer.ErrNotAuthorised)
		}
	}
	return nil
}

// statusBits lets the registry read the bits that the issuer owns. The issuer is made after the registry, which it needs
// too, and joined by Build.
type statusBits struct {
	issuer *issuer.Issuer
	origin string
}

var _ registry.StatusSource = (*statusBits)(nil)

// Groups implements registry.StatusSource.
func (s *statusBits) Groups(ctx context.Context) ([]registry.List, error) {
	var out []registry.List
	for after := schemas.ListGroup(""); ; {
		page, err := s.issuer.Groups(ctx, after, 200)
		if err != nil {
			return nil, err
		}
		for _, g := range page {
			out = append(out, registry.List{Group: g.ID, Issuer: did.FromOrigin(s.origin, g.Tenant), Purposes: g.Purposes})
		}
		if len(page) < 200 {
			return out, nil
		}
		after = page[len(page)-1].ID
	}
}

// ListState implements registry.StatusSource.
func (s *statusBits) ListState(ctx context.Context, group schemas.ListGroup, purpose string) (uint64, []byte, int, error) {
	version, bits, err := s.issuer.ListState(ctx, group, purpose)
	if errors.Is(err, issuer.ErrNotFound) {
		err = fmt.Errorf("%w: %w", registry.ErrNotFound, err)
	}
	return version, bits, 1, err
}

// logPublisher puts the issuer's commitments into the registry's log.
type logPublisher struct{ registry *registry.Registry }

var _ issuer.Publisher = logPublisher{}

// Publish implements issuer.Publisher.
func (p logPublisher) Publish(ctx context.Context, e schemas.LogEntry) (uint64, error) {
	return p.registry.Append(ctx, e)
}

// Proof implements issuer.Publisher.
func (p logPublisher) Proof(ctx context.Context, index uint64) (schemas.LogProof, error) {
	return p.registry.Proof(ctx, index)
}

// localDocuments answers for the DIDs of this installation from the registry's own store. The registry is made after the
// resolver, which it needs for proofs of control, and joined by Build.
type localDocuments struct {
	registry *registry.Registry
	base     string
}

var _ did.LocalSource = (*localDocuments)(nil)

// DIDDocument implements did.LocalSource.
func (l *localDocuments) DIDDocument(ctx context.Context, id string) ([]byte, bool, error) {
	if _, ours := tenantOf(l.base, id); !ours {
		return nil, false, nil
	}
	document, _, err := l.registry.DIDDocument(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, true, fmt.Errorf("%s: %w", id, did.ErrNotFound)
	}
	return document, true, err
}

// keyResolver answers the verifier and the registry's control proofs from DID documents.
type keyResolver struct{ resolver *did.Resolver }

var (
	_ verifier.KeyResolver = keyResolver{}
	_ registry.ControlKeys = keyResolver{}
)

// Key implements verifier.KeyResolver.
func (k keyResolver) Key(ctx context.Context, q verifier.KeyQuery) (verifier.Key, error) {
	return sources.Keys{Resolver: k.resolver}.Key(ctx, q)
}

// ControlKey implements registry.ControlKeys.
func (k keyResolver) ControlKey(ctx context.Context, id, method string) (crypto.PublicKey, error) {
	document, err := k.resolver.Resolve(ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := document.Method(method, did.AssertionMethod)
	if err != nil {
		return nil, err
	}
	return m.Key, nil
}

// recordedDIDs resolves for anybody: DIDs that are their own document, those served here, and those that the registry
// records. It fetches nothing for a DID that a stranger names.
type recordedDIDs struct{ app *App }

var _ registryapi.Resolver = recordedDIDs{}

// Resolve implements registryapi.Resolver.
func (d recordedDIDs) Resolve(ctx context.Context, id string) (did.Document, error) {
	document, err := d.app.Resolver.ResolveOffline(ctx, id)
	if !errors.Is(err, did.ErrOffline) {
		return document, err
	}
	if _, err := d.app.Registry.AuthoritiesOf(ctx, id, time.Time{}); err != nil {
		if errors.Is(err, registry.ErrNotFound) {
			return did.Document{}, fmt.Errorf("%s is not recorded here: %w", id, did.ErrNotFound)
		}
		return did.Document{}, err
	}
	return d.app.Resolver.Resolve(ctx, id)
}

// authorities answers the verifier from the registry.
type authorities struct{ registry *registry.Registry }

var _ verifier.AuthoritySource = authorities{}

// Authority implements verifier.AuthoritySource.
func (a authorities) Authority(ctx context.Context, q verifier.AuthorityQuery) (verifier.AuthorityAnswer, error) {
	return sources.Authority(q, func(rq registry.AuthorityQuery) (registry.AuthorityAnswer, error) {
		return a.registry.Authority(ctx, rq)
	})
}

// intervals answers the verifier with the life of keys.
type intervals struct {
	registry *registry.Registry
	now      func() time.Time
}

var _ verifier.KeyIntervalSource = intervals{}

// KeyIntervals implements verifier.KeyIntervalSource.
func (i intervals) KeyIntervals(ctx context.Context, id string) ([]verifier.KeyInterval, verifier.Evidence, error) {
	found, err := i.registry.KeyIntervals(ctx, id, time.Time{})
	return sources.Intervals(found), verifier.Evidence{Source: "registry", FetchedAt: i.now()}, err
}

// statusSource gives the verifier status lists: our own from the store, others through the guarded client.
type statusSource struct {
	registry *registry.Registry
	fetch    *fetch.Client
	origin   string
	now      func() time.Time
}

var _ verifier.StatusSource = statusSource{}

// maxStatusList is the size of a packed status list credential (security section 3).
const maxStatusList = 2 << 20

// StatusList implements verifier.StatusSource.
func (s statusSource) StatusList(ctx context.Context, url string) (verifier.StatusDocument, error) {
	if group, purpose, ours := listOf(s.origin, url); ours {
		data, version, err := s.registry.StatusList(ctx, group, purpose, time.Time{})
		return verifier.StatusDocument{
			Data: data, Local: true, Version: version, Evidence: verifier.Evidence{Source: "store", FetchedAt: s.now()},
		}, err
	}
	return fetchList(ctx, s.fetch, url)
}

func fetchList(ctx context.Context, client *fetch.Client, url string) (verifier.StatusDocument, error) {
	answer, err := client.Get(ctx, url, fetch.Limits{
		MaxBytes: maxStatusList, Accept: []string{"application/vc", "application/vc+ld+json", "application/ld+json", "application/json", "application/statuslist+jwt", "application/vc+jwt"},
	})
	if err != nil {
		return verifier.StatusDocument{}, err
	}
	return verifier.StatusDocument{Data: answer.Body, Evidence: verifier.Evidence{
		Source: url, FetchedAt: answer.FetchedAt, ExpiresAt: answer.FetchedAt.Add(answer.MaxAge),
	}}, nil
}

// listOf reads group and purpose from the address of one of our lists.
func listOf(origin, url string) (group schemas.ListGroup, purpose string, ours bool) {
	rest, ours := strings.CutPrefix(url, origin+"/status/")
	name, purpose, cut := strings.Cut(rest, "/")
	return schemas.ListGroup(name), purpose, ours && cut
}

// logSource checks inclusion proofs against our own log's keys.
type logSource struct {
	keys func() []string // verifier keys in note form
	now  func() time.Time
}

var _ verifier.LogSource = logSource{}

// VerifyInclusion implements verifier.LogSource.
func (l logSource) VerifyInclusion(_ context.Context, leaf []byte, proof schemas.LogProof) (verifier.Evidence, error) {
	if err := inclusion.Verify(leaf, proof, l.keys()...); err != nil {
		return verifier.Evidence{}, fmt.Errorf("%w: %w", verifier.ErrLogMismatch, err)
	}
	return verifier.Evidence{Source: "log", FetchedAt: l.now()}, nil
}
