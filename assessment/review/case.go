package review

import (
	"errors"
	"slices"
	"time"

	"heartmark/schemas"
)

// Sentinels of this package.
var (
	// ErrNotFound: no such case, reviewer or passage in this tenant, or it went with its report.
	ErrNotFound = errors.New("not found")
	// ErrStale is returned by Store.Update when the case was changed meanwhile. Read it again.
	ErrStale = errors.New("case was changed meanwhile")
	// ErrState: the case is not in a state in which this can be done.
	ErrState = errors.New("case is in another state")
	// ErrReviewer: the caller is no reviewer here, or not the one who has the case.
	ErrReviewer = errors.New("not the reviewer of this case")
	// ErrConflict: this reviewer worked on the report before, or is its subject: another one must read it.
	ErrConflict = errors.New("another reviewer is needed")
	// ErrSignature: the verdict is not signed by the reviewer's own key.
	ErrSignature = errors.New("verdict is not signed by the reviewer")
	// ErrNothing: no dimension of the report waits for a reviewer, or can be contested.
	ErrNothing = errors.New("nothing to review")
)

// Kinds of case.
const (
	KindRelease  = "release"  // may these levels be stated?
	KindContest  = "contest"  // the subject does not agree
	KindSecond   = "second"   // a second, independent reading, for agreement alone
	KindFeedback = "feedback" // the subject marked passages
)

// States of a case.
const (
	StateWaiting = "waiting"
	StateTaken   = "taken"
	StateDecided = "decided"
)

// States returns every state.
func States() []string { return []string{StateWaiting, StateTaken, StateDecided} }

// Why a case was opened.
const (
	WhyPolicy    = "policy"    // the tenant's policy is before-issue
	WhyBorder    = "border"    // near a border between levels, or possibly gamed
	WhyContested = "contested" // by the subject
	WhySample    = "sample"    // drawn for a second reading
	WhyFeedback  = "feedback"  // the subject marked passages
)

// Verdicts on a dimension.
const (
	Release = "release" // the level may be stated
	Refuse  = "refuse"  // it may not
)

// Effects that a case still has to have on credentials.
const (
	EffectSuspend = "suspend"
	EffectRestore = "restore"
	EffectRevoke  = "revoke"
)

// ContestTime is how long an answer to a contest may take (G11).
const ContestTime = 14 * 24 * time.Hour

// Case is one question to a reviewer about one report.
type Case struct {
	ID         string                       `json:"id"`
	Tenant     string                       `json:"tenant"`
	Report     string                       `json:"report"`
	Kind       string                       `json:"kind"`
	Dimensions []schemas.Dimension          `json:"dimensions"`
	Why        []string                     `json:"why"`
	State      string                       `json:"state"`
	Reviewer   string                       `json:"reviewer,omitempty"`
	Verdicts   map[schemas.Dimension]string `json:"verdicts,omitempty"`
	Signed     string                       `json:"signed,omitempty"` // DID of the key that signed the verdicts
	Effect     string                       `json:"effect,omitempty"` // that is still to be had
	Opened     time.Time                    `json:"opened"`
	Due        time.Time                    `json:"due,omitzero"`
	Taken      time.Time                    `json:"taken,omitzero"`
	Decided    time.Time                    `json:"decided,omitzero"`
	Revision   uint64                       `json:"-"` // set by the store
	Words      Words                        `json:"-"`
}

// Words are what people wrote in a case. A store seals them.
type Words struct {
	Statement string `json:"statement,omitempty"` // of the subject who contests
	Own       bool   `json:"own,omitempty"`       // filed by the subject's own key; else the platform vouches for it
	Feedback  []Mark `json:"feedback,omitempty"`  // by the subject
	Marks     []Mark `json:"marks,omitempty"`     // by the reviewer
	Reason    string `json:"reason,omitempty"`
	Signature string `json:"signature,omitempty"` // compact JWS over the verdicts
}

// Labels of a mark.
const (
	Agree    = "agree"
	Disagree = "disagree"
	Context  = "missing_context"
)

// Labels returns every label of a mark.
func Labels() []string { return []string{Agree, Disagree, Context} }

// Mark says what somebody thinks of one passage of a report.
type Mark struct {
	Message string `json:"message"`
	Facet   string `json:"facet"`
	Label   string `json:"label"`
	Note    string `json:"note,omitempty"`
}

// Reviewer is a person who may read cases of a tenant.
type Reviewer struct {
	ID     string    `json:"id"`
	Tenant string    `json:"tenant"`
	Name   string    `json:"name"`
	Key    string    `json:"key"` // id of the API key that this person uses
	DID    string    `json:"did"` // did:key or did:jwk that signs this person's verdicts
	Ended  bool      `json:"ended,omitempty"`
	Added  time.Time `json:"added"`
}

// Standing is what reviewers and the subject have made of a report.
type Standing struct {
	Released, Refused []schemas.Dimension
	// Contested: the subject contests it and no reviewer has decided yet. Nothing may be issued from it.
	Contested bool
}

// standing is that of a report with these cases: the latest verdict on a dimension counts.
func standing(cases []Case) Standing {
	slices.SortStableFunc(cases, func(a, b Case) int { return a.Decided.Compare(b.Decided) })
	last := map[schemas.Dimension]string{}
	out := Standing{}
	for _, c := range cases {
		if c.Kind == KindContest && c.State != StateDecided {
			out.Contested = true
		}
		if c.State == StateDecided && (c.Kind == KindRelease || c.Kind == KindContest) {
			for d, v := range c.Verdicts {
				last[d] = v
			}
		}
	}
	for _, d := range schemas.ResultDimensions() {
		switch last[d] {
		case Release:
			out.Released = append(out.Released, d)
		case Refuse:
			out.Refused = append(out.Refused, d)
		}
	}
	return out
}
