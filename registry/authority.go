package registry

import (
	"context"
	"slices"
	"time"

	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// The statements and the rule by which they answer are those of package trust, which off-line readers share.
type (
	// Authority is one version of the statement that an entity may do something.
	Authority = trust.Authority
	// Status is what a version says of its authority.
	Status = trust.Status
	// AuthorityQuery asks whether an entity may do something, as of a time.
	AuthorityQuery = trust.AuthorityQuery
	// AuthorityAnswer is the answer as of the time asked for and as of now.
	AuthorityAnswer = trust.AuthorityAnswer
	// State is what is known of an authority at one instant.
	State = trust.State
)

// The values of Status. Withdrawn is for good.
const (
	Active    = trust.Active
	Suspended = trust.Suspended
	Withdrawn = trust.Withdrawn
)

// Actions that an authority may cover.
const (
	ActionIssue     = trust.ActionIssue
	ActionVerify    = trust.ActionVerify
	ActionAssess    = trust.ActionAssess
	ActionEndorse   = trust.ActionEndorse
	ActionRecognize = trust.ActionRecognize
	ActionStatus    = trust.ActionStatus
)

// Actions returns the vocabulary of actions.
func Actions() []string { return trust.Actions() }

// The states, from yes to no.
const (
	StateInForce       = trust.StateInForce
	StateSuspended     = trust.StateSuspended
	StateWithdrawn     = trust.StateWithdrawn
	StateOutsidePeriod = trust.StateOutsidePeriod
	StateNotAuthorised = trust.StateNotAuthorised
	StateUnknown       = trust.StateUnknown
)

// What a reader should know of an authority.
const (
	FlagSimilarName = trust.FlagSimilarName
	FlagPunycode    = trust.FlagPunycode
)

// authorityEntry is what the log says of a version: everything but its place in the log.
func authorityEntry(a Authority) (Pending, error) {
	a.Leaf, a.Log = "", nil
	return entry(schemas.LogAuthority, a.Entity, a, a.Recorded)
}

func (r *Registry) records(ctx context.Context) trust.Records {
	return func(entity string) ([]Authority, error) { return r.c.Store.Authorities(ctx, entity) }
}

// lineage is trust.Lineage by the records of this registry.
func (r *Registry) lineage(ctx context.Context, versions []Authority, at time.Time) ([]Authority, error) {
	return trust.Lineage(r.did, r.records(ctx), versions, at)
}

// Backed reports whether the bodies above an authority all accredit now, so that it counts where it is in force itself.
func (r *Registry) Backed(ctx context.Context, a Authority) (bool, error) {
	a.Status, a.ValidFrom, a.ValidUntil = Active, time.Time{}, time.Time{}
	line, err := r.lineage(ctx, []Authority{a}, r.now())
	return len(line) > 0, err
}

// Authority answers q. No answer is an error: an error means that the store could not be asked.
func (r *Registry) Authority(ctx context.Context, q AuthorityQuery) (AuthorityAnswer, error) {
	answer, err := trust.Decide(r.did, r.records(ctx), q, r.now())
	if err != nil {
		return AuthorityAnswer{}, err
	}
	if answer.KnownResource, err = r.c.Store.HasResource(ctx, q.Resource); err != nil {
		return AuthorityAnswer{}, err
	}
	if answer.Record != nil {
		if answer.Record.Log, err = r.logIndex(ctx, answer.Record.Leaf); err != nil {
			return AuthorityAnswer{}, err
		}
	}
	return answer, nil
}

// AuthoritiesOf returns the authorities of an entity as they stood at the time (zero: now), one version each, with their
// places in the log. It returns ErrNotFound for an entity without any.
func (r *Registry) AuthoritiesOf(ctx context.Context, entity string, at time.Time) ([]Authority, error) {
	records, err := r.c.Store.Authorities(ctx, entity)
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		at = r.now()
	}
	var out []Authority
	for _, versions := range trust.ByID(records) {
		if _, v := trust.StateAt(versions, at); standsAt(versions, v, at) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, ErrNotFound
	}
	return r.withLog(ctx, out)
}

// AuthorityHistory returns every version of one authority, the first one first, or ErrNotFound.
func (r *Registry) AuthorityHistory(ctx context.Context, id string) ([]Authority, error) {
	versions, err := r.c.Store.AuthorityByID(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.withLog(ctx, versions)
}

// Issuer is an entity with what it may do now.
type Issuer struct {
	DID         string      `json:"did"`
	Name        string      `json:"name,omitempty"`
	Authorities []Authority `json:"authorities"`
}

// maxPage bounds a page of anything.
const maxPage = 200

// IssuerQuery asks for a page of entities.
type IssuerQuery struct {
	// Action and Resource, where set, leave only entities with such an authority in force, the bodies above it included, by
	// Authority's word where set.
	Action, Resource, Authority string
	// Level, where set, leaves of these only authorities that cover it.
	Level schemas.Level
	// Time is the instant asked about; zero is now.
	Time time.Time
	// After is the DID after which the page begins; Limit is 200 at most.
	After string
	Limit int
}

// Issuers returns a page of entities with their authorities as of the query's time. next is "" at the end; a page may be
// short.
func (r *Registry) Issuers(ctx context.Context, q IssuerQuery) (page []Issuer, next string, err error) {
	if q.Limit <= 0 || q.Limit > maxPage {
		q.Limit = maxPage
	}
	if q.Time.IsZero() {
		q.Time = r.now()
	}
	entities, err := r.c.Store.Entities(ctx, q.After, q.Limit)
	if err != nil {
		return nil, "", err
	}
	if len(entities) == q.Limit {
		next = entities[q.Limit-1]
	}
	for _, entity := range entities {
		records, err := r.c.Store.Authorities(ctx, entity)
		if err != nil {
			return nil, "", err
		}
		issuer, match, err := r.issuerAt(ctx, entity, records, q)
		if err != nil {
			return nil, "", err
		}
		if !match {
			continue
		}
		if issuer.Authorities, err = r.withLog(ctx, issuer.Authorities); err != nil {
			return nil, "", err
		}
		page = append(page, issuer)
	}
	return page, next, nil
}

// issuerAt is an entity as of the query's time, and whether the query asks for it.
func (r *Registry) issuerAt(ctx context.Context, entity string, records []Authority, q IssuerQuery) (issuer Issuer, match bool, err error) {
	issuer.DID = entity
	match = q.Action == "" && q.Resource == "" && q.Authority == ""
	for _, versions := range trust.ByID(records) {
		_, v := trust.StateAt(versions, q.Time)
		if !standsAt(versions, v, q.Time) {
			continue
		}
		issuer.Authorities = append(issuer.Authorities, v)
		issuer.Name = v.Name
		if match || !q.names(v) {
			continue
		}
		line, err := r.lineage(ctx, versions, q.Time)
		if err != nil {
			return issuer, false, err
		}
		match = len(line) > 0
	}
	return issuer, match && len(issuer.Authorities) > 0, nil
}

// names reports whether an authority is one that the query asks for.
func (q IssuerQuery) names(a Authority) bool {
	return (q.Action == "" || a.Action == q.Action) && (q.Resource == "" || a.Resource == q.Resource) &&
		(q.Authority == "" || a.Authority == q.Authority) && (q.Level == 0 || len(a.Levels) == 0 || slices.Contains(a.Levels, q.Level))
}

// standsAt reports whether an authority is to be shown as of a time: recorded or in its period by then.
func standsAt(versions []Authority, v Authority, at time.Time) bool {
	return !versions[0].Recorded.After(at) || !v.ValidFrom.After(at)
}

// Resources returns up to limit resources (200 at most) that some authority names, after after.
func (r *Registry) Resources(ctx context.Context, after string, limit int) ([]string, error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	return r.c.Store.Resources(ctx, after, limit)
}

// withLog fills in where the versions stand in the log.
func (r *Registry) withLog(ctx context.Context, in []Authority) ([]Authority, error) {
	leaves := make([]string, len(in))
	for i, a := range in {
		leaves[i] = a.Leaf
	}
	logged, err := r.c.Store.Logged(ctx, leaves)
	if err != nil {
		return nil, err
	}
	for i := range in {
		if index, ok := logged[in[i].Leaf]; ok {
			in[i].Log = &index
		}
	}
	return in, nil
}
