package intake

import (
	"context"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
)

// Store keeps receipts, batches, the queue and what is due. Any number of callers may use it at once; what it returns nil
// for is durable. Each call is one atomic unit. Missing objects, also those of another tenant, give ErrNotFound. Nothing that
// a person wrote comes to it in clear.
type Store interface {
	ConsentStore
	BatchStore
	QueueStore
	RightsStore
}

// ConsentStore keeps receipts.
type ConsentStore interface {
	// PutConsent stores a new receipt. Where the tenant has one with the same proof, or under the same key, it stores nothing
	// and returns that one with created false; the same key over another request gives ErrKeyReuse.
	PutConsent(ctx context.Context, c Consent, key Key) (stored Consent, created bool, err error)
	Consent(ctx context.Context, tenant, id string) (Consent, error)
	// Consents lists a subject's receipts in the order of their ids after cursor, at most limit.
	Consents(ctx context.Context, tenant, ref, cursor string, limit int) ([]Consent, error)
	// Withdraw marks a receipt as withdrawn and notes, in the same unit, that what rests on it is to be erased. A second
	// withdrawal changes nothing but notes that again, and that the subject was erased where why says so.
	Withdraw(ctx context.Context, tenant, id string, at time.Time, why string) (Consent, error)
	// Strip takes the sealed part, and with it the subject, out of a receipt.
	Strip(ctx context.Context, tenant, id string) error
}

// BatchStore keeps records of batches and the sealed pieces of their text.
type BatchStore interface {
	// CreateBatch stores a new record in state received. Keys are as with PutConsent, but one whose batch was destroyed is
	// free again.
	CreateBatch(ctx context.Context, b Batch, key Key) (stored Batch, created bool, err error)
	Batch(ctx context.Context, tenant, id string) (Batch, error)
	// BatchesOf lists the batches under a receipt in the order of their ids after cursor, at most limit.
	BatchesOf(ctx context.Context, tenant, consent, cursor string, limit int) ([]Batch, error)
	// AddPiece appends a sealed piece of n bytes of content to an upload in state received. Another offset than the
	// batch's gives ErrOffset, another state ErrState.
	AddPiece(ctx context.Context, tenant, id string, offset, n int64, sealed []byte) (Batch, error)
	// PutPart stores part number of a sealed submission, of a batch in state received (ErrState).
	PutPart(ctx context.Context, tenant, id string, number int, sealed []byte) error
	// Piece and Part return what AddPiece and PutPart stored.
	Piece(ctx context.Context, tenant, id string, number int) ([]byte, error)
	Part(ctx context.Context, tenant, id string, number int) ([]byte, error)
}

// QueueStore moves batches through their states.
type QueueStore interface {
	// Enqueue moves a batch from received to queued. The receipt must be live at b.Queued (ErrNotLive), the subject not
	// restricted (ErrRestricted), and fewer than quota batches of the tenant waiting (ErrQuota). Where the receipt has a batch of the
	// same digest, that one is returned with created false, and the caller discards its own.
	Enqueue(ctx context.Context, b Batch, quota int) (stored Batch, created bool, err error)
	// Claim moves the oldest batch that may be scored at now of the first tenant after the given one, around in a ring, to
	// scoring. ok is false when there is none.
	Claim(ctx context.Context, after string, now time.Time) (b Batch, ok bool, err error)
	// Release moves a batch from scoring back to queued, not to be claimed before a time.
	Release(ctx context.Context, tenant, id string, notBefore time.Time) error
	// Claimed lists batches in state scoring.
	Claimed(ctx context.Context, limit int) ([]Batch, error)
	// Complete stores the report and moves the batch from scoring to done, in one unit that first looks at the receipt
	// (ErrNotLive) and at the subject (ErrRestricted). A batch in another state gives ErrState and stores nothing.
	Complete(ctx context.Context, c Completion) error
	// Shred removes pieces and parts and writes how the batch ended; one that is done stays done. The key was destroyed
	// before. Shredding again changes nothing.
	Shred(ctx context.Context, end End) error
	// Unshredded lists batches that are done or refused and still have text.
	Unshredded(ctx context.Context, limit int) ([]Batch, error)
	// Depth counts what waits, up to limit, and tells since when the oldest does (zero: none).
	Depth(ctx context.Context, limit int) (waiting int, oldest time.Time, err error)
	// Control and SetControl are the operator's switch.
	Control(ctx context.Context) (Control, error)
	SetControl(ctx context.Context, c Control) error
}

// RightsStore serves the subject's rights and the ends of storage.
type RightsStore interface {
	// Restriction returns a subject's restriction, the zero value when there is none; SetRestriction sets or lifts it.
	Restriction(ctx context.Context, tenant, ref string) (Restriction, error)
	SetRestriction(ctx context.Context, tenant, ref string, r Restriction) error
	// SubjectReports lists the reports of a subject in the order of their ids after cursor, at most limit.
	SubjectReports(ctx context.Context, tenant, ref, cursor string, limit int) ([]Owned, error)
	// ReplaceReport stores a changed report, and the items that are left, in place of the one with its id.
	ReplaceReport(ctx context.Context, r Replacement) error
	// Mark notes that a subject is to be erased; Erasures lists what is to be erased, receipts and subjects; Erased ends one.
	Mark(ctx context.Context, e Erasure) error
	Erasures(ctx context.Context, limit int) ([]Erasure, error)
	Erased(ctx context.Context, e Erasure) error
	// Due lists what has reached the end of its storage, the earliest first; Settle removes the entry and, for a receipt, a
	// batch or an idempotency key, the record.
	Due(ctx context.Context, now time.Time, limit int) ([]Due, error)
	Settle(ctx context.Context, d Due) error
}

// Key makes a request idempotent, durably. Name is the SHA-256 of the caller's key, "" where there is none; Request that of
// the request.
type Key struct {
	Name, Request string
	Until         time.Time
}

// States of a batch.
const (
	StateReceived  = "received" // an upload that is not finished
	StateQueued    = "queued"
	StateScoring   = "scoring"
	StateDone      = "done"      // the report is stored; DestroyedAt tells when the text went
	StateRefused   = "refused"   // what was uploaded was no evidence; the text is gone
	StateDestroyed = "destroyed" // the text went without a score
)

// Why a batch ended without a score.
const (
	WhyWithdrawn  = "withdrawn"
	WhyErased     = "erased"
	WhyExpired    = "expired" // 24 hours after intake
	WhyCancelled  = "cancelled"
	WhyObjection  = "objection"
	WhyNotLive    = "consent_not_live"
	WhyFailed     = "failed" // scoring failed again and again
	WhyLines      = "evidence_lines"
	WhyFormat     = "evidence_format"
	WhyDuplicate  = "duplicate"
	WhyUnassessed = "evidence_refused"
)

// Batch is the record of an evidence batch: identifiers, counts and digests, never text. Digest stays after the text is gone.
type Batch struct {
	ID      string `json:"id"`
	Tenant  string `json:"tenant"`
	Ref     string `json:"ref"` // of the subject
	Consent string `json:"consent"`
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
	Format  string `json:"format"`
	OnError string `json:"on_error"`
	Dates   string `json:"dates,omitempty"`
	Gzip    bool   `json:"gzip,omitempty"`
	Digest  string `json:"digest,omitempty"` // design.md §9.4

	Offset int64 `json:"offset"` // bytes of an upload so far
	Pieces int   `json:"pieces"`
	Parts  int   `json:"parts"`

	Counts map[string]int   `json:"counts,omitempty"`
	Lines  int              `json:"lines"`
	Bad    int              `json:"bad"`
	Issues []evidence.Issue `json:"issues,omitempty"` // the quarantine list: places and codes
	Signed string           `json:"signed,omitempty"` // verification method of the platform's signature

	Report   string `json:"report,omitempty"`
	Attempts int    `json:"attempts"`

	Received    time.Time `json:"received"`
	Deadline    time.Time `json:"deadline"` // when the text is destroyed at the latest
	Queued      time.Time `json:"queued,omitzero"`
	NotBefore   time.Time `json:"not_before,omitzero"`
	Done        time.Time `json:"done,omitzero"`
	DestroyedAt time.Time `json:"destroyed_at,omitzero"`
}

// Completion is the step from scoring to done.
type Completion struct {
	Tenant, Batch string
	Report        assessment.Report
	Sealer        assessment.Sealer // under the subject's key
	At            time.Time
	Keep          time.Time // when report and items go
}

// End is how a batch's text goes.
type End struct {
	Tenant, Batch string
	State         string // StateRefused or StateDestroyed; a batch that is done stays done
	Reason        string
	At            time.Time
	// What was wrong with the lines of a refused upload.
	Lines, Bad int
	Issues     []evidence.Issue
}

// Control is the operator's switch.
type Control struct {
	Stopped bool `json:"stopped"`
	// Accept lets evidence queue up while scoring is stopped; otherwise intake answers 503.
	Accept bool      `json:"accept,omitempty"`
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// Kinds of restriction.
const (
	Restricted = "restriction" // GDPR Art. 18: what is held stays and is not processed
	Objected   = "objection"   // Art. 21: what waits is destroyed too
)

// Restriction is what a subject set. The zero value is none.
type Restriction struct {
	Kind string    `json:"kind"`
	At   time.Time `json:"at"`
}

// Owned is a report with the receipt and the batch that it rests on, "" for one that came without.
type Owned struct{ Report, Consent, Batch string }

// Replacement is a report that was changed.
type Replacement struct {
	Tenant string
	Owned  Owned
	Report assessment.Report
	Sealer assessment.Sealer // under the subject's key
}

// Erasure is something to be erased: all that rests on a receipt, or a subject.
type Erasure struct{ Kind, Tenant, ID string }

// Kinds of Erasure.
const (
	EraseConsent = "consent" // ID is the receipt's
	EraseSubject = "subject" // ID is the subject's reference
)

// Due is something that has reached the end of its storage.
type Due struct {
	At               time.Time
	Kind, Tenant, ID string
}

// Kinds of Due.
const (
	DueText    = "text"    // of a batch
	DueReport  = "report"  // with its items
	DueBatch   = "batch"   // the record
	DueConsent = "consent" // the receipt
	DueKey     = "key"     // an idempotency key
)
