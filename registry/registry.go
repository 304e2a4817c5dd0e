package registry

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"heartmark/internal/did"
	"heartmark/schemas"
)

// Log is the transparency log. Package translog implements it.
type Log interface {
	// Append adds leaves in this order and returns their indexes when a published checkpoint commits to them.
	Append(ctx context.Context, leaves [][]byte) ([]uint64, error)
	// Find looks for leaves from index first on and returns the index of each that is there, by its place in leaves.
	Find(ctx context.Context, first uint64, leaves [][]byte) (map[int]uint64, error)
	Size(ctx context.Context) (uint64, error)
	InclusionProof(ctx context.Context, index uint64) (schemas.LogProof, error)
	// Entries returns up to limit entries from index first on, as they were appended.
	Entries(ctx context.Context, first uint64, limit int) ([][]byte, error)
	Checkpoint(ctx context.Context) ([]byte, error)
	// VerifierKeys are the log's public keys in note form, the current one first.
	VerifierKeys() []string
}

// Signers gives the registry's keys: what signs, and the DID URL under which the key is published. The signers take whole
// messages with crypto.Hash(0).
type Signers interface {
	// ListSigner returns the active status-list key of an issuer's DID.
	ListSigner(ctx context.Context, issuer string) (signer crypto.Signer, method string, err error)
	// StatementSigner returns the active statement key of the DID of this installation or of a tenant: it signs what the
	// registry says of authorities (answers, accreditations, entity statements).
	StatementSigner(ctx context.Context, owner string) (signer crypto.Signer, method string, err error)
	// SnapshotSigner returns the installation's active snapshot key.
	SnapshotSigner(ctx context.Context) (signer crypto.Signer, method string, err error)
}

// Securer adds a Data Integrity proof with purpose assertionMethod to doc and returns the secured credential; doc stays
// as it is. The key decides the cryptosuite.
type Securer interface {
	Secure(ctx context.Context, doc map[string]any, method string, created time.Time, signer crypto.Signer) (map[string]any, error)
}

// List is a group of status lists as its owner sees it.
type List struct {
	Group schemas.ListGroup
	// Issuer is the DID whose credentials have their status here; it issues the list too.
	Issuer   string
	Purposes []string
}

// StatusSource owns the bits. Bit i is bit 7-(i mod 8) of byte i/8. The version rises with each change.
type StatusSource interface {
	Groups(ctx context.Context) ([]List, error)
	// ListState returns the bits of a list, its version, and the bits per entry.
	ListState(ctx context.Context, group schemas.ListGroup, purpose string) (version uint64, bits []byte, size int, err error)
}

// ControlKeys finds the key with which a DID proves that it is here: the public key of method, controlled by the DID
// itself and listed under assertionMethod in its current document.
type ControlKeys interface {
	ControlKey(ctx context.Context, did, method string) (crypto.PublicKey, error)
}

// AuditEvent is one line of the journal, written before the act. It has identifiers and digests only.
type AuditEvent struct {
	At     time.Time
	Event  string // one of the Audit constants
	Actor  string
	Object string // DID, authority id, artefact name, list URL
	Method string // verification method, for signatures
	Digest string // SHA-256 in hex of what is recorded or signed
}

// The journal's events.
const (
	AuditGrant     = "registry.grant"
	AuditSuspend   = "registry.suspend"
	AuditReinstate = "registry.reinstate"
	AuditWithdraw  = "registry.withdraw"
	AuditKey       = "registry.key"
	AuditArtefact  = "registry.artefact"
	AuditListSign  = "list.sign"
	AuditSnapshot  = "snapshot.sign"
)

// Config has what the registry needs. All fields without a remark must be set.
type Config struct {
	// Origin is the public origin, without a slash at its end.
	Origin  string
	Store   Store
	Log     Log
	Signers Signers
	Securer Securer
	Lists   StatusSource
	Control ControlKeys
	// Journal is told of each change and signature before it happens; its error stops the act.
	Journal func(ctx context.Context, e AuditEvent) error
	Now     func() time.Time
	// FrameworkURL is the governance framework's address in the installation's DID document; empty is
	// Origin/registry/v1/framework.
	FrameworkURL string
	// PublishEvery is the shortest time between two versions of one list; 0 is 5 s, at most 60 s.
	PublishEvery time.Duration
	// Logger may be nil.
	Logger *slog.Logger
	// Crash is called at each named point of publishing and sending. For tests; nil in production.
	Crash func(point string)
}

// Registry answers and records. Its methods may be called at once.
type Registry struct {
	c    Config
	did  string
	log  *slog.Logger
	wake chan struct{}

	// draining is held by the one who sends the outbox; settled says that nothing unmarked of ours can stand in the log.
	draining sync.Mutex
	settled  bool

	// publishing is held by the one who makes list versions.
	publishing sync.Mutex
	// watch guards seen and made.
	watch sync.Mutex
	seen  map[listKey]time.Time // when a list was last compared with its source; absent: look at once
	made  map[listKey]time.Time // when this process last published a list

	// export guards the cached snapshot.
	export   sync.Mutex
	cached   []byte
	cachedAt time.Time
}

// New checks c and returns a registry. It reads and writes nothing; call Run to publish and send.
func New(c Config) (*Registry, error) {
	var faults []error
	need := func(ok bool, what string) {
		if !ok {
			faults = append(faults, fmt.Errorf("registry needs %s", what))
		}
	}
	id := did.FromOrigin(c.Origin, "")
	need(id != "" && !strings.HasSuffix(c.Origin, "/"), "an origin such as https://dei.example")
	need(c.Store != nil, "a store")
	need(c.Log != nil, "a log")
	need(c.Signers != nil, "signers")
	need(c.Securer != nil, "a securer")
	need(c.Lists != nil, "a source of status lists")
	need(c.Control != nil, "control keys")
	need(c.Journal != nil, "a journal")
	need(c.Now != nil, "a clock")
	need(c.PublishEvery >= 0 && c.PublishEvery <= maxPublishEvery, "a publish delay of at most 60 s")
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if c.PublishEvery == 0 {
		c.PublishEvery = defaultPublishEvery
	}
	if c.FrameworkURL == "" {
		c.FrameworkURL = c.Origin + "/registry/v1/framework"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	return &Registry{c: c, did: id, log: c.Logger, wake: make(chan struct{}, 1), seen: map[listKey]time.Time{}, made: map[listKey]time.Time{}}, nil
}

// DID returns the registry's own DID, the authority of its grants.
func (r *Registry) DID() string { return r.did }

// now is one instant, in UTC, to the millisecond: what is recorded reads back equal from every engine.
func (r *Registry) now() time.Time { return r.c.Now().UTC().Truncate(time.Millisecond) }

// Role is what an actor may do.
type Role string

// The roles.
const (
	// RoleOperator grants and takes back authorities, and publishes.
	RoleOperator Role = "operator"
	// RoleSystem is the installation itself: it registers its keys and publishes its own artefacts.
	RoleSystem Role = "system"
)

// Actor is who asks for a change. ID goes to the journal and never into a public record.
type Actor struct {
	ID   string
	Role Role
}

func (a Actor) must(roles ...Role) error {
	for _, role := range roles {
		if a.Role == role && a.ID != "" {
			return nil
		}
	}
	return fmt.Errorf("role %q: %w", a.Role, ErrForbidden)
}

func (r *Registry) journal(ctx context.Context, e AuditEvent) error {
	if err := r.c.Journal(ctx, e); err != nil {
		return fmt.Errorf("journal %s: %w", e.Event, err)
	}
	return nil
}

// invalid names a field by its JSON Pointer.
func invalid(pointer, expected string) error { return refuse(pointer, expected, ErrInvalid) }

// refuse names the field for which a request is refused.
func refuse(pointer, expected string, sentinel error) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: sentinel}
}

// named gives an error the field that it is about.
func named(pointer string, err error) error {
	if err == nil {
		return nil
	}
	return &schemas.FieldError{Pointer: pointer, Err: err}
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// entry makes the log entry of a statement and its place in the outbox.
func entry(kind, subject string, data any, at time.Time) (Pending, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return Pending{}, fmt.Errorf("encode statement: %w", err)
	}
	return pending(schemas.LogEntry{
		Kind: kind, Subject: subject, Digest: "sha256-" + sha256Hex(raw), Data: raw, At: schemas.FormatTime(at),
	}, at), nil
}

func pending(e schemas.LogEntry, at time.Time) Pending {
	leaf := e.Encode()
	return Pending{Leaf: sha256Hex(leaf), Data: leaf, At: at}
}
