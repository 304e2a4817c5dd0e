package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// Types of the service entries of the installation's DID document. TRQP 2.0 fixes none.
const (
	serviceTRQP      = "TRQP"
	serviceFramework = "GovernanceFramework"
)

// DIDDocument returns the DID document of this installation or of one of its tenants, and a strong entity tag for it,
// with quotes. Retired keys stay in it, so that what they signed can be verified; a revoked one stays without a purpose,
// and says when it was revoked. It returns ErrNotFound for a DID that is not served here or has no keys.
func (r *Registry) DIDDocument(ctx context.Context, id string) (document []byte, etag string, err error) {
	if !r.hosts(id) {
		return nil, "", fmt.Errorf("DID %s: %w", id, ErrNotFound)
	}
	all, err := r.c.Store.Keys(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if document, err = r.buildDocument(id, all); err != nil {
		return nil, "", err
	}
	return document, `"` + sha256Hex(document) + `"`, nil
}

// DIDState is a DID of this installation as of a time.
type DIDState struct {
	Document []byte
	// Created is when its first key was recorded, Updated when its newest statement by then was.
	Created, Updated time.Time
	// Deactivated says that every key was revoked.
	Deactivated bool
}

// DIDAt returns a DID of this installation with the document as it was published at the time (zero: now): from the key
// statements that were recorded by then. It returns ErrNotFound like DIDDocument.
func (r *Registry) DIDAt(ctx context.Context, id string, at time.Time) (DIDState, error) {
	if !r.hosts(id) {
		return DIDState{}, fmt.Errorf("DID %s: %w", id, ErrNotFound)
	}
	all, err := r.c.Store.Keys(ctx, id)
	if err != nil {
		return DIDState{}, err
	}
	if !at.IsZero() {
		all = slices.DeleteFunc(all, func(k Key) bool { return k.Recorded.After(at) })
	}
	s := DIDState{Deactivated: true}
	if s.Document, err = r.buildDocument(id, all); err != nil {
		return DIDState{}, err
	}
	for _, k := range all {
		if s.Created.IsZero() || k.Recorded.Before(s.Created) {
			s.Created = k.Recorded
		}
		if k.Recorded.After(s.Updated) {
			s.Updated = k.Recorded
		}
	}
	for _, k := range trust.CurrentKeys(all) {
		if _, published := purposesOf(k); published && k.Status != KeyRevoked {
			s.Deactivated = false
		}
	}
	return s, nil
}

func (r *Registry) buildDocument(id string, all []Key) ([]byte, error) {
	var methods []did.PublishedMethod
	revoked := map[string]string{}
	for _, k := range trust.CurrentKeys(all) {
		purposes, listed := purposesOf(k)
		if !listed {
			continue
		}
		published := []did.PublishedMethod{{ID: k.Method, PublicKeyMultibase: k.PublicKeyMultibase, Purposes: purposes}}
		if k.Kind == KindCredential || k.Kind == KindStatusList {
			twin, err := jsonWebKey(k, purposes)
			if err != nil {
				return nil, err
			}
			published = append(published, twin)
		}
		if k.Status == KeyRevoked {
			for _, m := range published {
				revoked[m.ID] = schemas.FormatTime(k.Since)
			}
		}
		methods = append(methods, published...)
	}
	if len(methods) == 0 {
		return nil, fmt.Errorf("DID %s has no keys: %w", id, ErrNotFound)
	}
	doc := did.BuildDocument(id, methods)
	if list, ok := doc["verificationMethod"].([]any); ok {
		for _, m := range list {
			entry, ok := m.(map[string]any)
			if !ok {
				continue
			}
			if at := revoked[fmt.Sprint(entry["id"])]; at != "" {
				// Controlled Identifiers 1.0, 2.2: the time since which the method must not be used.
				entry["revoked"] = at
			}
		}
	}
	if id == r.did {
		doc["service"] = []any{
			map[string]any{"id": id + "#trqp", "type": serviceTRQP, "serviceEndpoint": r.c.Origin + "/trqp"},
			map[string]any{"id": id + "#framework", "type": serviceFramework, "serviceEndpoint": r.c.FrameworkURL},
		}
	}
	document, err := schemas.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("DID document of %s: %w", id, err)
	}
	return document, nil
}

// jsonWebKey is the second entry of a key that secures tokens (VC-JOSE-COSE 1.0, 4: a method of type JsonWebKey).
func jsonWebKey(k Key, purposes []string) (did.PublishedMethod, error) {
	pub, err := keys.ParseMultibase(k.PublicKeyMultibase)
	if err != nil {
		return did.PublishedMethod{}, fmt.Errorf("key %s: %w", k.Method, err)
	}
	raw, err := keys.MarshalJWK(pub)
	if err != nil {
		return did.PublishedMethod{}, fmt.Errorf("key %s: %w", k.Method, err)
	}
	jwk, err := schemas.ParseObject(raw)
	return did.PublishedMethod{ID: trust.JWKMethod(k.Method), PublicKeyJWK: jwk, Purposes: purposes}, err
}

// purposesOf returns the relationships of a key, and false for one that no DID document lists.
func purposesOf(k Key) (purposes []string, published bool) {
	switch k.Kind {
	case KindCredential, KindStatusList, KindStatement:
		purposes = []string{"assertionMethod"}
	case KindRequest:
		purposes = []string{"authentication"}
	case KindSnapshot, KindMetadata:
		// Listed to be found; it signs no credential and no presentation.
	default:
		return nil, false
	}
	if k.Status == KeyRevoked {
		purposes = nil
	}
	return purposes, true
}
