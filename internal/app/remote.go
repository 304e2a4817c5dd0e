package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/registry"
	jsonldcontext "heartmark/schemas/context"
	"heartmark/schemas/jsonschema"
	"heartmark/schemas/trust"
	"heartmark/verifier"
)

// maxExport is the largest registry snapshot that is taken from a server.
const maxExport = 64 << 20

// remoteVerifier verifies against a running registry at origin, with no data folder: authorities, keys and DID documents
// come from the registry's signed snapshot, status lists are fetched when they are needed.
func remoteVerifier(ctx context.Context, origin string, now func() time.Time) (*verifier.Verifier, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return nil, exitWith(ExitUsage, fmt.Errorf("--registry: %q is not an origin such as https://dei.example", origin))
	}
	origin = u.Scheme + "://" + u.Host
	var development []string
	if u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1") {
		development = []string{origin}
	}
	client, err := fetch.New(fetch.Config{Now: now, AllowLoopbackOrigins: development})
	if err != nil {
		return nil, err
	}
	snapshot, err := fetchSnapshot(ctx, client, origin, development, now)
	if err != nil {
		return nil, exitWith(ExitUnavailable, fmt.Errorf("registry %s: %w", origin, err))
	}
	resolver, err := did.New(did.Config{Fetch: client, Local: snapshotDocuments{snapshot}, DevOrigins: development, Now: now})
	if err != nil {
		return nil, err
	}
	loader, err := jsonldcontext.New()
	if err != nil {
		return nil, err
	}
	validator, err := jsonschema.New()
	if err != nil {
		return nil, err
	}
	return verifier.New(verifier.Config{
		Keys: keyResolver{resolver}, Proofs: dataintegrity.New(loader), Contexts: loader,
		Status: remoteLists{client}, Authority: snapshotAuthorities{snapshot}, Intervals: snapshotIntervals{snapshot},
		Schemas: validator, Log: logSource{now: now, keys: func() []string { _, keys := snapshot.Checkpoint(); return keys }},
		Now: now, ProblemBase: origin + "/problems/",
	})
}

// fetchSnapshot gets the snapshot and checks it with the key that the registry's own DID document lists for it.
func fetchSnapshot(ctx context.Context, client *fetch.Client, origin string, development []string, now func() time.Time) (*trust.Snapshot, error) {
	answer, err := client.Get(ctx, origin+"/registry/v1/export", fetch.Limits{MaxBytes: maxExport})
	if err != nil {
		return nil, err
	}
	resolver, err := did.New(did.Config{Fetch: client, DevOrigins: development, Now: now})
	if err != nil {
		return nil, err
	}
	document, err := resolver.Resolve(ctx, did.FromOrigin(origin, ""))
	if err != nil {
		return nil, err
	}
	for _, method := range document.Methods {
		if method.Revoked {
			continue
		}
		snapshot, err := trust.Open(answer.Body, method.Key)
		if err == nil && snapshot.KeyID() == method.ID && snapshot.Registry() == document.ID {
			if now().After(snapshot.Expires()) {
				return nil, errors.New("its snapshot has expired")
			}
			return snapshot, nil
		}
	}
	return nil, errors.New("its snapshot is not signed with a key of its DID document")
}

type snapshotDocuments struct{ snapshot *trust.Snapshot }

var _ did.LocalSource = snapshotDocuments{}

// DIDDocument implements did.LocalSource.
func (s snapshotDocuments) DIDDocument(_ context.Context, id string) ([]byte, bool, error) {
	document, ok := s.snapshot.DIDDocument(id)
	return document, ok, nil
}

type snapshotAuthorities struct{ snapshot *trust.Snapshot }

var _ verifier.AuthoritySource = snapshotAuthorities{}

// Authority implements verifier.AuthoritySource.
func (s snapshotAuthorities) Authority(_ context.Context, q verifier.AuthorityQuery) (verifier.AuthorityAnswer, error) {
	answer, err := authorityFor(q, func(rq registry.AuthorityQuery) (registry.AuthorityAnswer, error) {
		return s.snapshot.Authority(rq), nil
	})
	answer.Evidence = s.evidence()
	return answer, err
}

func (s snapshotAuthorities) evidence() verifier.Evidence {
	return verifier.Evidence{
		Source: s.snapshot.Origin() + "/registry/v1/export", FetchedAt: s.snapshot.Created(), ExpiresAt: s.snapshot.Expires(),
	}
}

type snapshotIntervals struct{ snapshot *trust.Snapshot }

var _ verifier.KeyIntervalSource = snapshotIntervals{}

// KeyIntervals implements verifier.KeyIntervalSource.
func (s snapshotIntervals) KeyIntervals(_ context.Context, id string) ([]verifier.KeyInterval, verifier.Evidence, error) {
	return keyIntervals(s.snapshot.KeyIntervals(id, time.Time{})), snapshotAuthorities(s).evidence(), nil
}

type remoteLists struct{ client *fetch.Client }

var _ verifier.StatusSource = remoteLists{}

// StatusList implements verifier.StatusSource.
func (r remoteLists) StatusList(ctx context.Context, url string) (verifier.StatusDocument, error) {
	return fetchList(ctx, r.client, url)
}
