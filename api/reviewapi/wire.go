package reviewapi

import (
	"time"

	"heartmark/assessment"
	"heartmark/assessment/review"
	"heartmark/schemas"
)

// OpenRequest puts a report into the queue.
type OpenRequest struct {
	Report string `json:"report"`
}

// CaseHead is a case as lists show it: no text.
type CaseHead struct {
	ID         string                       `json:"id"`
	Report     string                       `json:"report"`
	Kind       string                       `json:"kind"`
	Why        []string                     `json:"why"`
	Dimensions []schemas.Dimension          `json:"dimensions"`
	State      string                       `json:"state"`
	Reviewer   string                       `json:"reviewer,omitempty"`
	Opened     time.Time                    `json:"opened"`
	Due        *time.Time                   `json:"due,omitempty"`
	Decided    *time.Time                   `json:"decided,omitempty"`
	Verdicts   map[schemas.Dimension]string `json:"verdicts,omitempty"`
}

// CasePage is one page of GET /v1/reviews.
type CasePage struct {
	Items []CaseHead `json:"items"`
	Next  string     `json:"next,omitempty"`
}

// CaseAnswer is a case for the reviewer who has it, with the whole report.
type CaseAnswer struct {
	Case      CaseHead          `json:"case"`
	Statement string            `json:"statement,omitempty"` // of the subject who contests
	Own       bool              `json:"own"`                 // filed by the subject's own key
	Feedback  []review.Mark     `json:"feedback"`            // by the subject
	Report    assessment.Report `json:"report"`
}

// DecisionRequest is a decision with the reviewer's signature.
type DecisionRequest struct {
	Verdicts  map[schemas.Dimension]string `json:"verdicts"`
	Reason    string                       `json:"reason"`
	Marks     []review.Mark                `json:"marks,omitempty"`
	Signature string                       `json:"signature"`
}

// ContestRequest is an objection.
type ContestRequest struct {
	Dimensions []schemas.Dimension `json:"dimensions,omitempty"` // none reads as all that are scored
	Statement  string              `json:"statement"`
}

// FeedbackRequest marks passages.
type FeedbackRequest struct {
	Marks []review.Mark `json:"marks"`
}

// SubjectCase is a case as its subject reads it.
type SubjectCase struct {
	CaseHead
	Statement string        `json:"statement,omitempty"`
	Feedback  []review.Mark `json:"feedback,omitempty"`
	Reason    string        `json:"reason,omitempty"`
}

// SubjectCases are all cases of a report.
type SubjectCases struct {
	Items []SubjectCase `json:"items"`
}

// StandingAnswer says whether a report may be issued from.
type StandingAnswer struct {
	State    string              `json:"state"`
	Waiting  []schemas.Dimension `json:"waiting"`
	Released []schemas.Dimension `json:"released"`
	Refused  []schemas.Dimension `json:"refused"`
}

// ReviewerRequest appoints a reviewer.
type ReviewerRequest struct {
	Name  string `json:"name"`
	Key   string `json:"key"` // id of the API key
	DID   string `json:"did"`
	Ended bool   `json:"ended,omitempty"`
}

// ReviewerAnswer is a reviewer.
type ReviewerAnswer struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Key   string    `json:"key"`
	DID   string    `json:"did"`
	Ended bool      `json:"ended"`
	Added time.Time `json:"added"`
}

// ReviewerList are the reviewers of a tenant.
type ReviewerList struct {
	Items []ReviewerAnswer `json:"items"`
}

// AgreementAnswer is how far reviewers agree.
type AgreementAnswer struct {
	Levels    AgreementMeasure `json:"levels"`
	Passages  AgreementMeasure `json:"passages"`
	Reviewers []ReviewerWork   `json:"reviewers"`
}

// AgreementMeasure is agreement over one kind of unit.
type AgreementMeasure struct {
	Units int             `json:"units"` // that two or more rated
	Alpha *float64        `json:"alpha"` // Krippendorff's; null where it is undefined
	Pairs []AgreementPair `json:"pairs"`
}

// AgreementPair is the agreement of two reviewers.
type AgreementPair struct {
	A     string   `json:"a"`
	B     string   `json:"b"`
	Units int      `json:"units"`
	Kappa *float64 `json:"kappa"` // Cohen's; null where it is undefined
}

// ReviewerWork is how one reviewer works.
type ReviewerWork struct {
	Reviewer      string  `json:"reviewer"`
	Decided       int     `json:"decided"`
	Released      int     `json:"released"`
	Refused       int     `json:"refused"`
	MedianSeconds float64 `json:"median_seconds"`
}

// LabelledList are marked passages of subjects who agreed to research.
type LabelledList struct {
	Items []review.Labelled `json:"items"`
}

func head(c review.Case) CaseHead {
	h := CaseHead{
		ID: c.ID, Report: c.Report, Kind: c.Kind, Why: c.Why, Dimensions: list(c.Dimensions), State: c.State, Reviewer: c.Reviewer,
		Opened: c.Opened, Verdicts: c.Verdicts,
	}
	if !c.Due.IsZero() {
		h.Due = &c.Due
	}
	if !c.Decided.IsZero() {
		h.Decided = &c.Decided
	}
	return h
}

// list is never null on the wire.
func list[T any](in []T) []T { return append([]T{}, in...) }

func agreement(m review.Measure) AgreementMeasure {
	out := AgreementMeasure{Units: m.Units, Alpha: m.Alpha, Pairs: []AgreementPair{}}
	for _, p := range m.Pairs {
		out.Pairs = append(out.Pairs, AgreementPair{A: p.A, B: p.B, Units: p.Units, Kappa: p.Kappa})
	}
	return out
}
