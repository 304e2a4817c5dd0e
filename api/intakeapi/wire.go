package intakeapi

import (
	"time"

	"heartmark/api/reviewapi"
	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/assessment/training"
)

// ConsentRequest is the body of POST /v1/consents: the terms, and how the subject confirmed them.
type ConsentRequest struct {
	Terms        intake.Terms `json:"terms"`
	Confirmation Confirmation `json:"confirmation"`
}

// Confirmation is a JWS by the subject's own key, or the platform's word for the subject's account.
type Confirmation struct {
	JWS     string `json:"jws,omitempty"`
	Account bool   `json:"account,omitempty"`
}

// ConsentAnswer is a receipt.
type ConsentAnswer struct {
	ID          string         `json:"id"`
	State       string         `json:"state"`             // pending, live, ended, withdrawn, erased
	Subject     string         `json:"subject,omitempty"` // absent after erasure
	Platform    string         `json:"platform"`
	Purposes    []string       `json:"purposes"`
	DataClasses []string       `json:"data_classes"`
	From        time.Time      `json:"from"`
	Until       time.Time      `json:"until"`
	Text        intake.TextRef `json:"text"`
	Setting     string         `json:"setting,omitempty"`
	Confirmed   string         `json:"confirmed"` // key or account
	Holder      string         `json:"holder,omitempty"`
	JWS         string         `json:"jws,omitempty"`       // the confirmation itself
	Voluntary   string         `json:"voluntary,omitempty"` // the person's own purpose
	TermsDigest string         `json:"terms_digest,omitempty"`
	GivenAt     time.Time      `json:"given_at"`
	WithdrawnAt time.Time      `json:"withdrawn_at,omitzero"`
}

// ConsentPage is one page of GET /v1/consents.
type ConsentPage struct {
	Items []ConsentAnswer `json:"items"`
	Next  string          `json:"next,omitempty"`
}

// ConsentText is a text that a person reads before agreeing.
type ConsentText struct {
	Version  string `json:"version"`
	Language string `json:"language"`
	Digest   string `json:"digest"`
	Markdown string `json:"markdown"`
}

// ConsentTexts answers GET /v1/consents/texts.
type ConsentTexts struct {
	Items []ConsentText `json:"items"`
}

// BatchAnswer is the state of an evidence batch.
type BatchAnswer struct {
	ID          string         `json:"id"`
	State       string         `json:"state"`
	Reason      string         `json:"reason,omitempty"`
	Consent     string         `json:"consent"`
	Digest      string         `json:"digest,omitempty"`
	Format      string         `json:"format"`
	Offset      int64          `json:"offset"` // bytes of an upload so far
	Lines       int            `json:"lines"`
	Counts      map[string]int `json:"counts,omitempty"`
	Quarantine  *Quarantine    `json:"quarantine,omitempty"`
	Signed      string         `json:"signed,omitempty"` // verification method
	Report      string         `json:"report,omitempty"` // id, for /v1/assessments/{id}
	ReceivedAt  time.Time      `json:"received_at"`
	QueuedAt    time.Time      `json:"queued_at,omitzero"`
	DoneAt      time.Time      `json:"done_at,omitzero"`
	DestroyedAt time.Time      `json:"destroyed_at,omitzero"`
}

// Quarantine names the lines that were left out, or for which an upload was refused: places and codes.
type Quarantine struct {
	Total int              `json:"total"`
	Items []evidence.Issue `json:"items"`
}

// FinishRequest is the body of POST /v1/evidence/{id}/finish; {} where nothing is signed.
type FinishRequest struct {
	// ContentDigest is the Content-Digest of the whole upload, as its pieces were sent.
	ContentDigest string `json:"content_digest,omitempty"`
	// JWS is a detached JWS over it.
	JWS string `json:"jws,omitempty"`
}

// SubjectExport is everything that is held about a subject.
type SubjectExport struct {
	Schema      string                  `json:"schema"` // heartmark-subject/1
	Subject     string                  `json:"subject"`
	At          time.Time               `json:"at"`
	View        string                  `json:"view"` // full where the subject's own key asked, else platform
	Restriction *RestrictionAnswer      `json:"restriction,omitempty"`
	Consents    []ConsentAnswer         `json:"consents"`
	Batches     []BatchAnswer           `json:"batches"`
	Reports     []SubjectReport         `json:"reports"`
	Practice    *training.Held          `json:"practice,omitempty"` // the plan where the view is full
	Cases       []reviewapi.SubjectCase `json:"cases,omitempty"`
}

// SubjectReport is one report in an export.
type SubjectReport struct {
	ID      string            `json:"id"`
	View    string            `json:"view"` // full or platform
	Consent string            `json:"consent,omitempty"`
	Batch   string            `json:"batch,omitempty"`
	Report  assessment.Report `json:"report"`
	Items   []assessment.Item `json:"items,omitempty"`
}

// ErasureAnswer answers DELETE /v1/subjects/{id}.
type ErasureAnswer struct {
	ErasedAt time.Time `json:"erased_at"`
	Consents int       `json:"consents"`
	Batches  int       `json:"batches"`
	Reports  int       `json:"reports"`
}

// RestrictionRequest is the body of PUT /v1/subjects/{id}/restriction.
type RestrictionRequest struct {
	Kind string `json:"kind"` // restriction, objection, or "" to lift either
}

// RestrictionAnswer is a restriction in force; kind is empty where there is none.
type RestrictionAnswer struct {
	Kind string    `json:"kind"`
	At   time.Time `json:"at,omitzero"`
}

// CorrectionAnswer answers DELETE /v1/subjects/{id}/events/{event}.
type CorrectionAnswer struct {
	Reports int `json:"reports"`
	Items   int `json:"items"`
	Quotes  int `json:"quotes"`
}

// ScoringRequest is the body of PUT /v1/scoring.
type ScoringRequest struct {
	Stopped bool `json:"stopped"`
	// Accept lets evidence queue up while scoring is stopped.
	Accept bool   `json:"accept,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// ScoringAnswer is the operator's switch.
type ScoringAnswer struct {
	Stopped bool      `json:"stopped"`
	Accept  bool      `json:"accept"`
	Reason  string    `json:"reason,omitempty"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
}
