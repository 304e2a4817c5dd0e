package issuer

import (
	"context"
	"time"

	"heartmark/schemas"
)

// Store is all that the issuer keeps. An engine implements it natively and passes storetest.Issuer.
//
// All methods may be called at once. Each method that writes is one atomic unit, durable on return. An error of a write
// leaves open whether it happened; every write can be repeated, and a repetition of what happened changes nothing.
type Store interface {
	IntentStore
	RecordStore
	StatusStore
	OutboxStore
	AuditStore
}

// IntentStore keeps what will be signed.
type IntentStore interface {
	// Reserve writes a new intent in StatePrepared. It takes the next position of the tenant's current list group and
	// sets in.Group and in.Index from it; when there is no group or its usable part is spent, fresh becomes the current
	// one. A position once taken is never given again, whatever becomes of the intent. When in.Key is not "" and the
	// tenant has an intent under it, that one is returned with found set, and nothing is written.
	Reserve(ctx context.Context, in Intent, fresh Group) (out Intent, found bool, err error)
	// IntentByKey returns the tenant's intent under an idempotency key, or ErrNotFound.
	IntentByKey(ctx context.Context, tenant, key string) (Intent, error)
	// Begin turns an intent from StatePrepared to StateSigning and appends the audit events. It returns ErrIntent when
	// the intent is in another state, so that of many callers one signs.
	Begin(ctx context.Context, b Beginning) error
	// Complete turns an intent from StateSigning to StateIssued and stores the record, audit events and outbox event
	// with it. Completing again with the same digest succeeds and changes nothing. ErrIntent otherwise.
	Complete(ctx context.Context, c Completion) error
	// CloseIntent ends an intent in the open state c.From that will not be issued, appends the audit event, and frees its
	// idempotency key. The index stays taken. From StateSigning the index's revocation bit is set and c.Outbox added.
	// Closing a closed intent changes nothing; ErrIntent for any other state.
	CloseIntent(ctx context.Context, c Closing) error
	// OpenIntents returns up to limit intents in StatePrepared or StateSigning, in the order of their ids, after the id
	// after ("" for the first).
	OpenIntents(ctx context.Context, after string, limit int) ([]Intent, error)
}

// RecordStore reads what was issued. The tenant is part of every look-up: another tenant's credential is ErrNotFound.
type RecordStore interface {
	// Record returns the record of a credential, or ErrNotFound.
	Record(ctx context.Context, tenant string, id schemas.CredentialID) (Record, error)
	// Records returns up to limit records, the earliest issued first, after the place cursor ("" for the first), and the
	// place of the next page, "" at the end. Sealed is left out.
	Records(ctx context.Context, tenant, cursor string, limit int) (records []Record, next string, err error)
}

// StatusStore changes and reads status lists.
type StatusStore interface {
	// ChangeStatus sets the record's status, the bits in the lists of its group under their next versions, appends the
	// audit event and the outbox event. It returns the record as it is then. Where the credential has the status already,
	// changed is false and nothing is written. A revoked credential gives ErrRevoked for any other status.
	ChangeStatus(ctx context.Context, c StatusChange) (rec Record, changed bool, err error)
	// ListState returns a list's bits and version. The version rises with each change of a bit. ErrNotFound for a group
	// or purpose that is not there. Bit i is bit 7-(i mod 8) of byte i/8, as in a Bitstring Status List.
	ListState(ctx context.Context, group schemas.ListGroup, purpose string) (version uint64, bits []byte, err error)
	// Groups returns up to limit groups of all tenants after the group after, in the order of their names.
	Groups(ctx context.Context, after schemas.ListGroup, limit int) ([]Group, error)
	// StartEpoch makes every current group a past one, so that no index is taken from a group that another copy of the
	// data may have taken from too. `heartmark registry restored` calls it.
	StartEpoch(ctx context.Context, audit AuditEvent) error
}

// OutboxStore hands out what is to be sent.
type OutboxStore interface {
	// Outbox returns up to limit events, the oldest first.
	Outbox(ctx context.Context, limit int) ([]OutboxEvent, error)
	// Sent removes events and, where an event has LogIndex, writes it into the record of its credential.
	Sent(ctx context.Context, events []OutboxEvent) error
}

// AuditStore appends to the audit trail and reads it.
type AuditStore interface {
	// AppendAudit writes an event that belongs to no other write.
	AppendAudit(ctx context.Context, e AuditEvent) error
	// Audit returns up to limit events in the order of their time after the place cursor ("" for the first), and the
	// place of the next page, "" at the end.
	Audit(ctx context.Context, cursor string, limit int) (events []AuditEvent, next string, err error)
}

// States of an intent.
const (
	StatePrepared = "prepared" // index taken, nothing signed
	StateSigning  = "signing"  // a signature may exist
	StateIssued   = "issued"   // credential stored
	StateClosed   = "closed"   // given up; the index is spent
)

// Intent says what will be signed before it is.
type Intent struct {
	ID            string `json:"id"`
	Tenant        string `json:"tenant"`
	Configuration string `json:"configuration"`
	// Holder is a digest of the holder's id: who it is stands in the sealed credential only.
	Holder string `json:"holder"`
	// Key is the SHA-256 of the idempotency key in hex, "" when there is none; Request that of the request without it.
	Key     string `json:"key,omitempty"`
	Request string `json:"request"`

	Credential schemas.CredentialID `json:"credential"`
	Group      schemas.ListGroup    `json:"group"`
	Index      uint64               `json:"index"`

	State string `json:"state"`
	// SigningKey (of the first form), Signatures (how many forms) and Template (SHA-256 of the unsecured credential in hex)
	// are known from StateSigning on; Digest (of the secured one) from StateIssued on. 0 signatures mean 1.
	SigningKey schemas.KeyID `json:"signing_key,omitempty"`
	Signatures int           `json:"signatures,omitempty"`
	Template   string        `json:"template,omitempty"`
	Digest     string        `json:"digest,omitempty"`
	Reason     string        `json:"reason,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Beginning is the step from prepared to signing.
type Beginning struct {
	IntentID   string
	SigningKey schemas.KeyID
	Template   string
	At         time.Time
	Audit      []AuditEvent // one for each signature; their number becomes the intent's Signatures
}

// Completion is the step from signing to issued.
type Completion struct {
	IntentID string
	Record   Record
	Audit    []AuditEvent // one for each signature
	Outbox   OutboxEvent
}

// Closing is the end of an intent that is given up.
type Closing struct {
	IntentID string
	// From is the state that the intent is in: StatePrepared or StateSigning.
	From   string
	Reason string
	At     time.Time
	Audit  AuditEvent
	Outbox OutboxEvent
}

// Status of a credential.
type Status string

// The values of Status.
const (
	StatusValid     Status = "valid"
	StatusSuspended Status = "suspended"
	StatusRevoked   Status = "revoked"
)

// Record is an issued credential.
type Record struct {
	ID            schemas.CredentialID `json:"id"`
	Tenant        string               `json:"tenant"`
	IntentID      string               `json:"intent"`
	Configuration string               `json:"configuration"`
	Format        string               `json:"format"` // of the first form
	// Forms are all forms of the credential in the configuration's order. Records of the time before there were several
	// have none.
	Forms  []SignedForm      `json:"forms,omitempty"`
	Issuer string            `json:"issuer"`
	Group  schemas.ListGroup `json:"group"`
	Index  uint64            `json:"index"`
	// Purposes are those for which the credential has a status entry.
	Purposes   []string      `json:"purposes"`
	SigningKey schemas.KeyID `json:"signing_key"` // of the first form
	// ValidFrom and ValidUntil are the texts in the credential.
	ValidFrom  string    `json:"valid_from"`
	ValidUntil string    `json:"valid_until"`
	IssuedAt   time.Time `json:"issued_at"`
	// Digest is the SHA-256 of the credential's bytes in hex; Sealed holds the bytes, sealed under the tenant's data key.
	// The bytes of several forms are those of a JSON array of them.
	Digest string `json:"digest"`
	Sealed []byte `json:"sealed,omitempty"`

	Status   Status    `json:"status"`
	StatusAt time.Time `json:"status_at"`
	Reason   string    `json:"reason,omitempty"`
	// LogIndex is the place of the commitment in the log, nil while it was not sent.
	LogIndex *uint64 `json:"log_index,omitempty"`
}

// StatusChange asks for a credential's new status.
type StatusChange struct {
	Tenant string
	ID     schemas.CredentialID
	To     Status
	Reason string
	At     time.Time
	Audit  AuditEvent
	Outbox OutboxEvent // the store fills in Group
}

// Group is a group of status lists that share one index space.
type Group struct {
	ID     schemas.ListGroup `json:"id"`
	Tenant string            `json:"tenant"`
	// Size is the number of entries of each list; Usable how many of them are handed out, so that some stay decoys.
	Size   uint64 `json:"size"`
	Usable uint64 `json:"usable"`
	// Permutation is the key of the order in which indexes are taken.
	Permutation []byte    `json:"permutation"`
	Purposes    []string  `json:"purposes"`
	Epoch       uint64    `json:"epoch"` // set by the store
	CreatedAt   time.Time `json:"created_at"`
}

// Kinds of outbox events.
const (
	OutboxIssued = "issued" // a commitment for the log
	OutboxStatus = "status" // a list that changed
)

// OutboxEvent is something to be sent after the commit that it came with.
type OutboxEvent struct {
	// Place is set by the store.
	Place      string               `json:"-"`
	Kind       string               `json:"kind"`
	Tenant     string               `json:"tenant"`
	Credential schemas.CredentialID `json:"credential,omitempty"`
	Group      schemas.ListGroup    `json:"group"`
	// Commitment is that of schemas.IssuedCommitment, for OutboxIssued.
	Commitment [32]byte  `json:"commitment,omitzero"`
	At         time.Time `json:"at"`
	// LogIndex is set by the one who sent the event.
	LogIndex *uint64 `json:"-"`
}

// Audit events: the closed list of what this package writes down.
const (
	AuditSign      = "issue.sign"     // about to sign; one for each signature
	AuditSigned    = "issue.signed"   // signed and stored
	AuditClosed    = "issue.closed"   // an intent was given up; its index is spent
	AuditRevoke    = "status.revoke"  // also for an index whose credential nobody was given
	AuditSuspend   = "status.suspend" //
	AuditReinstate = "status.reinstate"
	AuditEpoch     = "index.epoch"
)

// AuditEvent is an entry of the audit trail: identifiers and digests, never claims or texts.
type AuditEvent struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	Tenant string    `json:"tenant"`
	// Actor is who asked, "" for the system itself.
	Actor string `json:"actor,omitempty"`
	// Object is what it was done to: a credential, a key, an authority.
	Object  string        `json:"object,omitempty"`
	Intent  string        `json:"intent,omitempty"`
	KeyID   schemas.KeyID `json:"key_id,omitempty"`
	KeyKind string        `json:"key_kind,omitempty"`
	// Digest is the SHA-256 of what was signed, in hex.
	Digest string `json:"digest,omitempty"`
	// Signatures is how many signatures the event stands for where it is not one.
	Signatures int    `json:"signatures,omitempty"`
	Detail     string `json:"detail,omitempty"`
}
