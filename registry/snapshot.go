package registry

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"heartmark/registry/translog/inclusion"
	"heartmark/schemas/trust"
)

const (
	// snapshotEvery is how long a snapshot is handed out before the next is made.
	snapshotEvery = time.Minute
	// maxSnapshotLists bounds the lists in a snapshot.
	maxSnapshotLists = 10_000
)

// Snapshot returns the whole registry, signed with the snapshot key, for those who verify without a network:
// trust.Open reads it. It is made at most once a minute.
func (r *Registry) Snapshot(ctx context.Context) ([]byte, error) {
	r.export.Lock()
	defer r.export.Unlock()
	now := r.now()
	if age := now.Sub(r.cachedAt); r.cached != nil && age >= 0 && age < snapshotEvery {
		return r.cached, nil
	}
	body, err := r.contents(ctx, now)
	if err != nil {
		return nil, err
	}
	payload, message, err := body.Encode()
	if err != nil {
		return nil, err
	}
	signer, method, err := r.c.Signers.SnapshotSigner(ctx)
	if err != nil {
		return nil, fmt.Errorf("snapshot key: %w", err)
	}
	audit := AuditEvent{At: now, Event: AuditSnapshot, Object: r.did, Method: method, Digest: sha256Hex(payload)}
	if err := r.journal(ctx, audit); err != nil {
		return nil, err
	}
	signature, err := crypto.SignMessage(signer, rand.Reader, message, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("sign snapshot: %w", err)
	}
	out, err := trust.Seal(payload, method, signature)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w: %w", ErrLimits, err)
	}
	r.cached, r.cachedAt = out, now
	return out, nil
}

func (r *Registry) contents(ctx context.Context, now time.Time) (trust.Contents, error) {
	body := trust.Contents{
		Format: trust.Format, Registry: r.did, Origin: r.c.Origin, Created: now, Expires: now.Add(trust.SnapshotLife),
		Documents: map[string]string{}, StatusLists: map[string]string{},
	}
	checkpoint, err := r.c.Log.Checkpoint(ctx)
	if err != nil {
		return body, fmt.Errorf("log checkpoint: %w", err)
	}
	parsed, err := inclusion.ParseCheckpoint(checkpoint, r.c.Log.VerifierKeys()...)
	if err != nil {
		return body, err
	}
	body.Sequence = parsed.Size
	body.Log = trust.LogHead{Checkpoint: string(checkpoint), VerifierKeys: r.c.Log.VerifierKeys()}
	for _, add := range []func(context.Context, *trust.Contents) error{r.addAuthorities, r.addKeys, r.addArtefacts, r.addLists} {
		if err := add(ctx, &body); err != nil {
			return body, fmt.Errorf("snapshot: %w", err)
		}
	}
	return body, nil
}

// pages calls add with each page of names until one is short.
func pages(list func(after string, limit int) ([]string, error), add func(name string) error) error {
	for after := ""; ; {
		page, err := list(after, maxPage)
		if err != nil {
			return err
		}
		for _, name := range page {
			if err := add(name); err != nil {
				return err
			}
		}
		if len(page) < maxPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

func (r *Registry) addAuthorities(ctx context.Context, b *trust.Contents) error {
	list := func(after string, limit int) ([]string, error) { return r.c.Store.Entities(ctx, after, limit) }
	return pages(list, func(entity string) error {
		records, err := r.c.Store.Authorities(ctx, entity)
		if err != nil {
			return err
		}
		records, err = r.withLog(ctx, records)
		b.Authorities = append(b.Authorities, records...)
		return err
	})
}

func (r *Registry) addKeys(ctx context.Context, b *trust.Contents) error {
	list := func(after string, limit int) ([]string, error) { return r.c.Store.KeyDIDs(ctx, after, limit) }
	return pages(list, func(id string) error {
		all, err := r.c.Store.Keys(ctx, id)
		if err != nil {
			return err
		}
		b.Keys = append(b.Keys, all...)
		document, err := r.buildDocument(id, all)
		if err == nil {
			b.Documents[id] = string(document)
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	})
}

func (r *Registry) addArtefacts(ctx context.Context, b *trust.Contents) error {
	for _, kind := range Kinds() {
		list := func(after string, limit int) ([]string, error) {
			page, err := r.Artefacts(ctx, kind, after, limit)
			names := make([]string, len(page))
			for i, a := range page {
				names[i] = a.Name
			}
			if err == nil && kind == KindSchemas {
				err = r.withBytes(ctx, page)
			}
			b.Artefacts = append(b.Artefacts, page...)
			return names, err
		}
		if err := pages(list, func(string) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// withBytes fills in the bytes of schemas: verifying needs them, and a credential pins them by digest.
func (r *Registry) withBytes(ctx context.Context, page []Artefact) error {
	for i, a := range page {
		whole, err := r.c.Store.Artefact(ctx, a.Kind, a.Name)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", a.Kind, a.Name, err)
		}
		page[i].Data = whole.Data
	}
	return nil
}

func (r *Registry) addLists(ctx context.Context, b *trust.Contents) error {
	groups, err := r.c.Lists.Groups(ctx)
	if err != nil {
		return err
	}
	for _, l := range groups {
		for _, purpose := range l.published() {
			document, _, err := r.StatusList(ctx, l.Group, purpose, time.Time{})
			if err != nil {
				return fmt.Errorf("list %s/%s: %w", l.Group, purpose, err)
			}
			if len(b.StatusLists) == maxSnapshotLists {
				return fmt.Errorf("more than %d lists: %w", maxSnapshotLists, ErrLimits)
			}
			b.StatusLists[r.ListURL(l.Group, purpose)] = string(document)
		}
	}
	return nil
}
