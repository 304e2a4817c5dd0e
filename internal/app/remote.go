package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/schemas/trust"
	"heartmark/verifier"
	"heartmark/verifier/offline"
)

// maxExport is the largest registry snapshot that is taken from a server.
const maxExport = 64 << 20

// remoteVerifier verifies against a running registry at origin, with no data folder: authorities, keys and DID documents
// come from the registry's signed snapshot, status lists are fetched when they are needed.
func remoteVerifier(ctx context.Context, origin string, now func() time.Time) (*verifier.Verifier, error) {
	at, err := openRegistryAt(origin, now)
	if err != nil {
		return nil, fmt.Errorf("--registry: %w", err)
	}
	snapshot, err := at.snapshot(ctx, now)
	if err != nil {
		return nil, err
	}
	bundle, err := offline.FromSnapshot(snapshot, now)
	if err != nil {
		return nil, exitWith(ExitUnavailable, fmt.Errorf("registry %s: %w", at.origin, err))
	}
	settings, err := bundle.Config()
	if err != nil {
		return nil, err
	}
	resolver, err := did.New(did.Config{Fetch: at.client, Local: bundle.Documents(), DevOrigins: at.development, Now: now})
	if err != nil {
		return nil, err
	}
	settings.Keys, settings.Status = keyResolver{resolver}, remoteLists{at.client}
	settings.Log = snapshotLog(snapshot, now)
	return verifier.New(settings)
}

// snapshotLog checks inclusion proofs with the log's keys that the snapshot names.
func snapshotLog(s *trust.Snapshot, now func() time.Time) logSource {
	_, keys := s.Checkpoint()
	return logSource{now: now, keys: func() []string { return keys }}
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

type remoteLists struct{ client *fetch.Client }

var _ verifier.StatusSource = remoteLists{}

// StatusList implements verifier.StatusSource.
func (r remoteLists) StatusList(ctx context.Context, url string) (verifier.StatusDocument, error) {
	return fetchList(ctx, r.client, url)
}
