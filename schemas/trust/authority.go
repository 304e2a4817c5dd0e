package trust

import (
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

// AuthorityQuery asks whether an entity may do something, as of a time.
type AuthorityQuery struct {
	Entity string
	// Authority is whose word is asked for; empty is the registry's own.
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

// Records gives every version of every authority of an entity; none is an answer.
type Records func(entity string) ([]Authority, error)

// maxChain is the longest chain of accreditations that is walked, which also ends a circle.
const maxChain = 5

// Decide answers q by the records of the registry root. It is the one rule, on line and off.
//
// The registry's own word counts by itself. The word of another authority counts while a chain leads from it to the root:
// each body accredited by the next (ActionEndorse) for the same resource, at the same instant. A question for the root's
// word (or for none) is answered by what it granted and by what bodies under it granted; a question for another's word by
// that one's grants alone.
func Decide(root string, records Records, q AuthorityQuery, now time.Time) (AuthorityAnswer, error) {
	found, err := records(q.Entity)
	if err != nil {
		return AuthorityAnswer{}, err
	}
	if q.Authority == "" {
		q.Authority = root
	}
	asked := q.Time.UTC()
	if q.Time.IsZero() {
		asked = now
	}
	a := AuthorityAnswer{
		State: StateUnknown, StateNow: StateUnknown, Asked: asked, Evaluated: now,
		KnownEntity: len(found) > 0, KnownAction: slices.Contains(Actions(), q.Action), KnownAuthority: q.Authority == root,
	}
	if len(found) > 0 {
		a.State, a.StateNow = StateNotAuthorised, StateNotAuthorised
	}
	c := chain{root: root, records: records}
	for _, versions := range ByID(found) {
		first := versions[0]
		a.KnownAuthority = a.KnownAuthority || first.Authority == q.Authority
		if !first.covers(q) || q.Authority != root && first.Authority != q.Authority {
			continue
		}
		state, version, err := c.state(versions, asked, 0)
		if err != nil {
			return AuthorityAnswer{}, err
		}
		if rank(state) < rank(a.State) || a.Record == nil {
			a.State, a.Record = state, &version
		}
		if state, _, err = c.state(versions, now, 0); err != nil {
			return AuthorityAnswer{}, err
		}
		if rank(state) < rank(a.StateNow) {
			a.StateNow = state
		}
	}
	a.Authorized = a.State == StateInForce
	return a, nil
}

// covers reports whether the authority is about what is asked, whoever granted it.
func (a Authority) covers(q AuthorityQuery) bool {
	return a.Action == q.Action && a.Resource == q.Resource &&
		(q.Level == 0 || len(a.Levels) == 0 || slices.Contains(a.Levels, q.Level))
}

// accredits reports whether an authority lets its entity grant what below states: the resource and no more levels.
func (a Authority) accredits(below Authority) bool {
	return a.Action == ActionEndorse && a.Resource == below.Resource && within(below.Levels, a.Levels)
}

// chain walks from an authority to the root.
type chain struct {
	root    string
	records Records
}

// state is StateAt, and what is known of the granting body at that instant where that is worse.
func (c chain) state(versions []Authority, at time.Time, depth int) (State, Authority, error) {
	state, version := StateAt(versions, at)
	if version.Authority == c.root {
		return state, version, nil
	}
	if depth == maxChain {
		return StateNotAuthorised, version, nil
	}
	parents, err := c.records(version.Authority)
	if err != nil {
		return state, version, err
	}
	best := StateNotAuthorised
	for _, parent := range ByID(parents) {
		if !parent[0].accredits(version) {
			continue
		}
		s, _, err := c.state(parent, at, depth+1)
		if err != nil {
			return state, version, err
		}
		if rank(s) < rank(best) {
			best = s
		}
	}
	if rank(best) > rank(state) {
		state = best
	}
	return state, version, nil
}

// ByID groups versions by authority, each group in the order of version.
func ByID(records []Authority) [][]Authority {
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

// StateAt returns the state of one authority at an instant and the version that says so. The last version that had taken
// effect by then counts, so that a withdrawal recorded late and effective early holds from when it took effect.
func StateAt(versions []Authority, at time.Time) (State, Authority) {
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
