package registry

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// accreditationLife is how long after it was made an accreditation credential holds. It has no status list: who relies on
// one asks for it again within a day.
const accreditationLife = 24 * time.Hour

// Accreditation is the credential of one authority with those above it.
type Accreditation struct {
	Credential map[string]any
	// Chain leads from the granting body's own accreditation to the one by the registry; empty where the registry granted.
	Chain []map[string]any
}

// Accreditations returns a credential (VC Data Model 2.0) for each authority of an entity that is in force at the time
// (zero: now), signed with the registry's statement key; only those about resource where it is set. It returns ErrNotFound
// for an entity without authorities, and no credential as of a time more than a day ahead, for which nothing can be said.
//
// A credential holds while its version of the authority does: one that is asked for as of a time before a suspension or
// withdrawal ends with it, whenever it is made.
//
// A credential says who accredited whom for what, and points at its parent. A reader walks the chain to the registry that
// it trusts (trust.CheckAccreditation).
func (r *Registry) Accreditations(ctx context.Context, entity, resource string, at time.Time) ([]Accreditation, error) {
	records, err := r.c.Store.Authorities(ctx, entity)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("entity %s: %w", entity, ErrNotFound)
	}
	now := r.now()
	if at.IsZero() {
		at = now
	}
	out := []Accreditation{}
	if !at.Before(now.Add(accreditationLife)) {
		return out, nil
	}
	for _, versions := range trust.ByID(records) {
		if resource != "" && versions[0].Resource != resource {
			continue
		}
		line, err := r.lineage(ctx, versions, at)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			continue // not in force
		}
		var a Accreditation
		for i := range line {
			credential, err := r.accreditation(ctx, line[i:], now)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				a.Credential = credential
			} else {
				a.Chain = append(a.Chain, credential)
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// accreditation makes the credential of the first authority of a line; the second is its parent.
func (r *Registry) accreditation(ctx context.Context, line []Authority, now time.Time) (map[string]any, error) {
	a := line[0]
	from, until, err := r.standing(ctx, a)
	if err != nil {
		return nil, err
	}
	if end := now.Add(accreditationLife); until.IsZero() || until.After(end) {
		until = end
	}
	kind, extra := "VerifiableAccreditation", ""
	switch a.Action {
	case ActionIssue:
		extra = "VerifiableAccreditationToAttest"
	case ActionEndorse:
		extra = "VerifiableAccreditationToAccredit"
	case ActionRecognize:
		extra = "VerifiableRecognition"
	}
	types := []any{schemas.TypeVerifiableCredential, kind}
	if extra != "" {
		types = append(types, extra)
	}
	about := map[string]any{"accreditedType": a.Resource}
	if len(a.Levels) > 0 {
		levels := make([]any, len(a.Levels))
		for i, level := range a.Levels {
			levels[i] = strconv.Itoa(int(level))
		}
		about["accreditedLevel"] = levels
	}
	terms := map[string]any{"type": "AccreditationPolicy"}
	if a.Framework != "" {
		terms["framework"] = a.Framework
	}
	if len(line) > 1 {
		terms["parentAccreditation"] = r.accreditationURL(line[1])
	}
	doc := map[string]any{
		"@context":          []any{schemas.ContextV2, r.c.Origin + schemas.ContextRegistryPath},
		"id":                r.accreditationURL(a),
		"type":              types,
		"issuer":            r.did,
		"validFrom":         schemas.FormatTime(from),
		"validUntil":        schemas.FormatTime(until),
		"credentialSubject": map[string]any{"id": a.Entity, "accreditationAction": a.Action, "accreditedBy": a.Authority, "accreditedFor": about},
		"termsOfUse":        terms,
	}
	signer, method, err := r.c.Signers.StatementSigner(ctx, r.did)
	if err != nil {
		return nil, fmt.Errorf("statement key: %w", err)
	}
	// Like an answer (SignAnswer), what is signed here was asked for by anybody and leaves no line in the journal.
	return r.c.Securer.Secure(ctx, doc, method, now, signer)
}

// standing is the time in which a version decides about its authority: within the authority's own, from when the version
// took effect until another did; zero is no end.
func (r *Registry) standing(ctx context.Context, a Authority) (from, until time.Time, err error) {
	from, until = a.ValidFrom, a.ValidUntil
	if a.Since.After(from) {
		from = a.Since
	}
	versions, err := r.c.Store.AuthorityByID(ctx, a.ID)
	if err != nil {
		return from, until, err
	}
	for _, v := range versions {
		if v.Version > a.Version && (until.IsZero() || v.Since.Before(until)) {
			until = v.Since
		}
	}
	return from, until, nil
}

// accreditationURL names the version of an authority that a credential states: its history is read there.
func (r *Registry) accreditationURL(a Authority) string {
	return fmt.Sprintf("%s/registry/v1/authorities/%s/history#%d", r.c.Origin, a.ID, a.Version)
}
