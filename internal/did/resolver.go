package did

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"heartmark/internal/fetch"
)

// How long an answer is kept (security.md §3).
const (
	KeyCache      = 5 * time.Minute
	NegativeCache = 10 * time.Second
)

// sourceStore says that the document is what this installation publishes.
const sourceStore = "store"

// Fetcher gets public documents; *fetch.Client is one.
type Fetcher interface {
	Get(ctx context.Context, url string, l fetch.Limits) (fetch.Response, error)
}

// LocalSource answers for the DIDs that this installation publishes itself.
type LocalSource interface {
	// DIDDocument returns the current document of id; false means that id is not one of ours.
	DIDDocument(ctx context.Context, id string) ([]byte, bool, error)
}

// Config holds what a resolver needs. Now is required; without Fetch nothing is fetched, without Local nothing is ours.
type Config struct {
	Fetch Fetcher
	Local LocalSource
	// DevOrigins may be named by did:web without TLS, exactly as scheme://host:port. The fetcher must allow them as well.
	DevOrigins []string
	Now        func() time.Time
}

// Resolver turns DIDs into documents. It may be used by many goroutines at once.
type Resolver struct {
	fetch  Fetcher
	local  LocalSource
	dev    []string
	now    func() time.Time
	known  cache // by DID: fetched and derived documents, and failures to fetch
	parsed cache // by digest: local documents, whose bytes are read from the store each time
}

// New returns a resolver for c.
func New(c Config) (*Resolver, error) {
	if c.Now == nil {
		return nil, errors.New("did: configuration without a clock")
	}
	return &Resolver{fetch: c.Fetch, local: c.Local, dev: append([]string(nil), c.DevOrigins...), now: c.Now}, nil
}

// Resolve returns the document of id. It returns ErrInvalid, ErrNotFound, ErrMethodNotSupported or ErrUnavailable; a
// failure to fetch is repeated from memory for NegativeCache, a document for KeyCache.
func (r *Resolver) Resolve(ctx context.Context, id string) (Document, error) {
	return r.resolve(ctx, id, true)
}

// ResolveOffline is Resolve without the network: ErrOffline where the document is neither derived, ours nor cached.
func (r *Resolver) ResolveOffline(ctx context.Context, id string) (Document, error) {
	return r.resolve(ctx, id, false)
}

func (r *Resolver) resolve(ctx context.Context, id string, network bool) (Document, error) {
	d, err := Parse(id)
	if err != nil {
		return Document{}, err
	}
	switch d.Method {
	case "key":
		return r.derive(d, resolveKey)
	case "jwk":
		return r.derive(d, resolveJWK)
	case "web":
		return r.web(ctx, id, network)
	}
	return Document{}, fmt.Errorf("did:%s: %w", d.Method, ErrMethodNotSupported)
}

// derive expands a DID that is its own document; the same DID always gives the same, so that keeping it is only a saving.
func (r *Resolver) derive(d DID, expand func(DID) (Document, error)) (Document, error) {
	now := r.now()
	if e, ok := r.known.get(d.String(), now); ok && e.err == nil {
		return e.doc, nil
	}
	doc, err := expand(d)
	if err != nil {
		return Document{}, err
	}
	doc.FetchedAt, doc.ExpiresAt = now.UTC(), now.Add(KeyCache).UTC()
	r.known.put(d.String(), entry{doc: doc, until: doc.ExpiresAt, since: now})
	return doc, nil
}

func (r *Resolver) web(ctx context.Context, id string, network bool) (Document, error) {
	address, err := WebURL(id, r.dev)
	if err != nil {
		return Document{}, err
	}
	if r.local != nil {
		raw, ours, err := r.local.DIDDocument(ctx, id)
		if err != nil {
			return Document{}, fmt.Errorf("did:web: own store: %w: %w", ErrUnavailable, err)
		}
		if ours {
			return r.own(id, raw)
		}
	}
	now := r.now()
	if e, ok := r.known.get(id, now); ok {
		e.doc.FromCache = true
		return e.doc, e.err
	}
	if !network || r.fetch == nil {
		return Document{}, ErrOffline
	}
	doc, err := readWeb(ctx, r.fetch, id, address)
	if err != nil {
		if ctx.Err() == nil { // a caller that gave up says nothing about the host
			r.known.put(id, entry{err: err, since: now, until: now.Add(NegativeCache)})
		}
		return Document{}, err
	}
	doc.ExpiresAt = now.Add(KeyCache).UTC()
	r.known.put(id, entry{doc: doc, since: now, until: doc.ExpiresAt})
	return doc, nil
}

// own parses what this installation publishes: the bytes are read each time, so that a revoked key is gone at once, and
// only the parsing is saved.
func (r *Resolver) own(id string, raw []byte) (Document, error) {
	now := r.now()
	sum := sha256.Sum256(raw)
	key := id + "\n" + string(sum[:])
	if e, ok := r.parsed.get(key, now); ok {
		e.doc.FetchedAt, e.doc.ExpiresAt = now.UTC(), now.UTC()
		return e.doc, e.err
	}
	doc, err := ParseDocument(id, raw)
	if err != nil {
		return Document{}, err
	}
	doc.Source, doc.FetchedAt, doc.ExpiresAt = sourceStore, now.UTC(), now.UTC()
	r.parsed.put(key, entry{doc: doc, since: now, until: now.Add(KeyCache)})
	return doc, nil
}
