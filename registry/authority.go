package registry

import (
	"context"
	"slices"
	"time"

	"heartmark/schemas"
)

// Status of an authority.
type Status string

// The values of Status. Withdrawn is for good.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Withdrawn Status = "withdrawn"
)

// Actions that an authority may cover.
const (
	ActionIssue     = "issue"
	ActionVerify    = "verify"
	ActionAssess    = "assess"
	ActionEndorse   = "endorse"
	ActionRecognize = "recognize"
	ActionStatus    = "status"
)

// Actions returns the vocabulary of actions.
func Actions() []string {
	return []string{ActionIssue, ActionVerify, ActionAssess, ActionEndorse, ActionRecognize, ActionStatus}
}

// Authority is one version of the statement that an entity may do something. A change makes a new version; the status of
// a version holds from Since on, until a later version's Since.
type Authority struct {
	ID      string `json:"id"`
	Version uint64 `json:"version"`
	// Entity is the DID that may act; Authority the DID that says so; Resource an achievement id, a vct URL or a type.
	Entity    string `json:"entity"`
	Name      string `json:"name,omitempty"`
	Authority string `json:"authority"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	// Levels are the levels that may be stated; none means all.
	Levels    []schemas.Level `json:"levels,omitempty"`
	Framework string          `json:"framework,omitempty"`
	// ValidFrom is inclusive, ValidUntil exclusive; a zero ValidUntil has no end.
	ValidFrom  time.Time `json:"validFrom"`
	ValidUntil time.Time `json:"validUntil,omitzero"`
	Status     Status    `json:"status"`
	Since      time.Time `json:"since"`
	Reason     string    `json:"reason,omitempty"`
	Recorded   time.Time `json:"recorded"`
	// ControlMethod is the verification method that proved control of Entity when the authority was granted.
	ControlMethod string `json:"controlMethod,omitempty"`
	// Flags are what a reader should know, such as FlagSimilarName.
	Flags []string `json:"flags,omitempty"`
	// Leaf is the SHA-256 of the log entry in hex; Log its place, once it is there. Neither is part of the statement.
	Leaf string  `json:"leaf,omitempty"`
	Log  *uint64 `json:"logIndex,omitempty"`
}

// FlagSimilarName marks a name that looks like another entity's and that an operator accepted all the same.
const FlagSimilarName = "similar-name"

// FlagPunycode marks a DID whose host is an internationalised name in its ASCII form.
const FlagPunycode = "punycode-host"

// entry is what the log says of a version: everything but its place in the log.
func (a Authority) entry() (Pending, error) {
	a.Leaf, a.Log = "", nil
	return entry(schemas.LogAuthority, a.Entity, a, a.Recorded)
}

// AuthorityQuery asks whether an entity may do something, as of a time.
type AuthorityQuery struct {
	Entity string
	// Authority is whose word is asked for; empty is this registry's.
	Authority string
	Action    string
	Resource  string
	// Level narrows the question to one level; 0 asks for any.
	Level schemas.Level
	// Time is the instant asked about; zero is now.
	Time time.Time
}

// State is what is known of an authority at one instant.
type State string

// The states, from yes to no.
const (
	StateInForce       State = "in_force"
	StateSuspended     State = "suspended"
	StateWithdrawn     State = "withdrawn"
	StateOutsidePeriod State = "outside_period" // granted, but not yet or no longer then
	StateNotAuthorised State = "not_authorised" // the entity is known, not for this
	StateUnknown       State = "unknown"        // the entity has no authority of any kind here
)

// AuthorityAnswer is the answer as of the time asked for and as of now. An issuer whose authority is gone now may have
// had it when it issued: a reader decides what that means to it.
type AuthorityAnswer struct {
	// Authorized is true where State is StateInForce.
	Authorized bool
	State      State
	StateNow   State
	Asked      time.Time
	Evaluated  time.Time
	// Record is the version that decided State, nil where there is none.
	Record *Authority
	// Which of the four ids of the question are known here at all (TRQP answers 404 where one is not).
	KnownEntity, KnownAuthority, KnownAction, KnownResource bool
}

// Authority answers q. No answer is an error: an error means that the store could not be asked.
func (r *Registry) Authority(ctx context.Context, q AuthorityQuery) (AuthorityAnswer, error) {
	records, err := r.c.Store.Authorities(ctx, q.Entity)
	if err != nil {
		return AuthorityAnswer{}, err
	}
	if q.Authority == "" {
		q.Authority = r.did
	}
	answer := decide(records, q, r.now())
	answer.KnownAuthority = answer.KnownAuthority || q.Authority == r.did
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

// decide answers q from all versions of an entity's authorities. It is the one rule, on line and off.
func decide(records []Authority, q AuthorityQuery, now time.Time) AuthorityAnswer {
	asked := q.Time.UTC()
	if q.Time.IsZero() {
		asked = now
	}
	a := AuthorityAnswer{
		State: StateUnknown, StateNow: StateUnknown, Asked: asked, Evaluated: now,
		KnownEntity: len(records) > 0, KnownAction: slices.Contains(Actions(), q.Action),
	}
	if len(records) > 0 {
		a.State, a.StateNow = StateNotAuthorised, StateNotAuthorised
	}
	for _, versions := range byID(records) {
		first := versions[0]
		a.KnownAuthority = a.KnownAuthority || first.Authority == q.Authority
		if first.Authority != q.Authority || first.Action != q.Action || first.Resource != q.Resource {
			continue
		}
		if q.Level != 0 && len(first.Levels) > 0 && !slices.Contains(first.Levels, q.Level) {
			continue
		}
		if state, version := stateAt(versions, asked); rank(state) < rank(a.State) || a.Record == nil {
			a.State, a.Record = state, &version
		}
		if state, _ := stateAt(versions, now); rank(state) < rank(a.StateNow) {
			a.StateNow = state
		}
	}
	a.Authorized = a.State == StateInForce
	return a
}

// byID groups versions by authority, each group in the order of version.
func byID(records []Authority) [][]Authority {
	var out [][]Authority
	places := map[string]int{}
	for _, rec := range records {
		place, ok := places[rec.ID]
		if !ok {
			place = len(out)
			places[rec.ID] = place
			out = append(out, nil)
		}
		out[place] = append(out[place], rec)
	}
	for _, versions := range out {
		slices.SortFunc(versions, func(a, b Authority) int { return int(a.Version) - int(b.Version) })
	}
	return out
}

// stateAt returns the state of one authority at an instant and the version that says so. The last version that had taken
// effect by then counts, so that a withdrawal recorded late and effective early holds from when it took effect.
func stateAt(versions []Authority, at time.Time) (State, Authority) {
	current := versions[0]
	for _, v := range versions[1:] {
		if !v.Since.After(at) {
			current = v
		}
	}
	switch {
	case current.Status == Withdrawn:
		return StateWithdrawn, current
	case at.Before(current.ValidFrom), !current.ValidUntil.IsZero() && !at.Before(current.ValidUntil):
		return StateOutsidePeriod, current
	case current.Status == Suspended:
		return StateSuspended, current
	}
	return StateInForce, current
}

// rank orders states, the best for the entity first: one authority in force is enough.
func rank(s State) int {
	return slices.Index([]State{StateInForce, StateSuspended, StateWithdrawn, StateOutsidePeriod, StateNotAuthorised, StateUnknown}, s)
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
	for _, versions := range byID(records) {
		if _, v := stateAt(versions, at); !versions[0].Recorded.After(at) || !v.ValidFrom.After(at) {
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

// Issuers returns up to limit entities (200 at most) after the DID after, with their authorities of now; action and
// resource, where set, leave only entities with such an authority in force. next is "" at the end; a page may be short.
func (r *Registry) Issuers(ctx context.Context, action, resource, after string, limit int) (page []Issuer, next string, err error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	entities, err := r.c.Store.Entities(ctx, after, limit)
	if err != nil {
		return nil, "", err
	}
	if len(entities) == limit {
		next = entities[limit-1]
	}
	now := r.now()
	for _, entity := range entities {
		records, err := r.c.Store.Authorities(ctx, entity)
		if err != nil {
			return nil, "", err
		}
		issuer := Issuer{DID: entity}
		match := action == "" && resource == ""
		for _, versions := range byID(records) {
			state, v := stateAt(versions, now)
			issuer.Authorities = append(issuer.Authorities, v)
			issuer.Name = v.Name
			if state == StateInForce && (action == "" || v.Action == action) && (resource == "" || v.Resource == resource) {
				match = true
			}
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
