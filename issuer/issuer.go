package issuer

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"heartmark/schemas"
)

// Signer is a credential-signing key of a tenant. It signs as crypto.SignMessage does.
type Signer interface {
	crypto.Signer
	KeyID() schemas.KeyID
	// VerificationMethod is the DID URL of the key in the issuer's document.
	VerificationMethod() string
}

// SignerSource gives the tenant's active credential-signing key of an algorithm. It may be called at once.
type SignerSource interface {
	CredentialSigner(ctx context.Context, tenant, algorithm string) (Signer, error)
}

// Proof says how a credential is to be secured by Data Integrity.
type Proof struct {
	VerificationMethod string
	Cryptosuite        string
	Created            time.Time
	// Mandatory are the JSON Pointers of what every presentation shows, for a suite that discloses selectively.
	Mandatory []string
}

// Securer adds a Data Integrity proof with purpose assertionMethod to doc and returns the secured credential; doc stays
// as it is. It calls signer once, and fails on terms that no context defines.
type Securer interface {
	Secure(doc map[string]any, p Proof, signer crypto.Signer) (map[string]any, error)
}

// ReportSource gives what may be known of a report, or ErrNotFound when the tenant has no such report. The levels are
// those that may be certified now: a dimension that needs review and had none is not among them. review is what the
// configuration asks; the tenant's policy may ask for more, never for less.
type ReportSource interface {
	Attestation(ctx context.Context, tenant, reportID, review string) (schemas.Attestation, error)
}

// AuthorityQuery asks whether an issuer may issue an achievement.
type AuthorityQuery struct {
	Issuer   string // DID
	Resource string // id of the achievement, a URL
	Levels   []schemas.LevelClaim
	At       time.Time
}

// AuthorityChecker asks the registry. It returns nil for yes and ErrNotAuthorised for no; any other error means that no
// answer was found, and nothing is issued.
type AuthorityChecker interface {
	MayIssue(ctx context.Context, q AuthorityQuery) error
}

// IssuerSource gives the profile of the tenant's issuer, or ErrNotFound when the tenant is unknown or switched off.
type IssuerSource interface {
	Issuer(ctx context.Context, tenant string) (schemas.IssuerProfile, error)
}

// Sealer seals what is stored, bound to tenant, kind and id.
type Sealer interface {
	Seal(ctx context.Context, tenant, kind, id string, plaintext []byte) ([]byte, error)
	Open(ctx context.Context, tenant, kind, id string, sealed []byte) ([]byte, error)
}

// Publisher is the transparency log. Publish is durable on return and may be called at once and repeatedly with the same
// entry; any place at which the entry stands is a right answer.
type Publisher interface {
	Publish(ctx context.Context, e schemas.LogEntry) (index uint64, err error)
	// Proof shows that the entry at index is in the log. An error means that there is no proof yet.
	Proof(ctx context.Context, index uint64) (schemas.LogProof, error)
}

// ListPublisher is told that lists changed. It returns nil when it will publish them without being told again.
type ListPublisher interface {
	ListsChanged(ctx context.Context, groups []schemas.ListGroup) error
}

// Config is what New needs. Fields without a word on nil are required.
type Config struct {
	// Origin is the public origin of the installation, without a slash at its end.
	Origin string
	// Configurations are what can be issued; nil means DefaultConfigurations.
	Configurations []Configuration

	Store       Store
	Signers     SignerSource
	Securer     Securer
	Sealer      Sealer
	Reports     ReportSource
	Authorities AuthorityChecker
	Issuers     IssuerSource
	Publisher   Publisher
	// Lists may be nil when the publisher of lists looks for changes by itself.
	Lists ListPublisher
	// Journal gets each audit event before the act, beside the store's own trail; its error stops the act. May be nil.
	Journal func(ctx context.Context, e AuditEvent) error

	// Now tells the time; NewID gives a random (version 4) UUID, 36 characters.
	Now   func() time.Time
	NewID func() string
	// Log may be nil.
	Log *slog.Logger
	// ListSize is the number of entries of a new list; 0 means MinListSize, less is refused.
	ListSize uint64
	// Crash is called at each named point of the issuing, revoking and sending paths. For tests; nil in production.
	Crash func(point string)
}

// MinListSize is the least number of entries of a status list (Bitstring Status List 1.0, herd privacy).
const MinListSize = 131072

// permitLife is how long a permit can be used. An intent that is older and was not signed is up for Recover.
const permitLife = 5 * time.Minute

// Issuer issues credentials. Its methods may be called at once.
type Issuer struct {
	c       Config
	log     *slog.Logger
	configs map[string]Configuration

	keys  keyedLock     // one request for each idempotency key
	drain sync.Mutex    // one drainer of the outbox
	wake  chan struct{} // tells Run that the outbox has something

	mu     sync.Mutex           // guards active
	active map[string]time.Time // intents that this process works on, and since when
}

// New checks the configuration, all faults at once, and returns an issuer. Call Recover before serving.
func New(c Config) (*Issuer, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Configurations == nil {
		c.Configurations = DefaultConfigurations()
	}
	if c.ListSize == 0 {
		c.ListSize = MinListSize
	}
	i := &Issuer{
		c: c, log: c.Log, configs: map[string]Configuration{},
		wake: make(chan struct{}, 1), active: map[string]time.Time{},
	}
	faults := c.faults()
	for _, conf := range c.Configurations {
		if err := conf.Validate(); err != nil {
			faults = append(faults, err)
		}
		if _, twice := i.configs[conf.ID]; twice {
			faults = append(faults, fmt.Errorf("configuration %q stands twice", conf.ID))
		}
		i.configs[conf.ID] = conf
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	return i, nil
}

func (c Config) faults() []error {
	var faults []error
	for name, missing := range map[string]bool{
		"Store": c.Store == nil, "Signers": c.Signers == nil, "Securer": c.Securer == nil, "Sealer": c.Sealer == nil,
		"Reports": c.Reports == nil, "Authorities": c.Authorities == nil, "Issuers": c.Issuers == nil,
		"Publisher": c.Publisher == nil, "Now": c.Now == nil, "NewID": c.NewID == nil, "Origin": c.Origin == "",
	} {
		if missing {
			faults = append(faults, fmt.Errorf("Config needs %s", name))
		}
	}
	if c.ListSize < MinListSize || c.ListSize%8 != 0 || c.ListSize > 1<<27 {
		faults = append(faults, fmt.Errorf("ListSize %d: at least %d, at most 2^27, divisible by 8", c.ListSize, MinListSize))
	}
	return faults
}

// Names of the crash points.
const (
	pointAfterReserve       = "issue.after_reserve"
	pointAfterIntentCommit  = "issue.after_intent_commit"
	pointBeforeSign         = "issue.before_sign"
	pointAfterSign          = "issue.after_sign"
	pointBeforeRecordCommit = "issue.before_record_commit"
	pointAfterRecordCommit  = "issue.after_record_commit"
	pointBeforeReply        = "issue.before_reply"
	pointRevokeBeforeCommit = "revoke.before_commit"
	pointRevokeAfterCommit  = "revoke.after_commit"
	pointOutboxBeforeSend   = "outbox.before_send"
	pointOutboxAfterSend    = "outbox.after_send"
)

// CrashPoints returns the names of all points at which Config.Crash is called, in the order of their paths.
func CrashPoints() []string {
	return []string{
		pointAfterReserve, pointAfterIntentCommit, pointBeforeSign, pointAfterSign, pointBeforeRecordCommit,
		pointAfterRecordCommit, pointBeforeReply, pointRevokeBeforeCommit, pointRevokeAfterCommit,
		pointOutboxBeforeSend, pointOutboxAfterSend,
	}
}

func (i *Issuer) crash(point string) {
	if i.c.Crash != nil {
		i.c.Crash(point)
	}
}

// now is the present in UTC.
func (i *Issuer) now() time.Time { return i.c.Now().UTC() }

// actorKey is the context's key of WithActor.
type actorKey struct{}

// WithActor returns a context that names who asks, for the audit trail: an API key's id, an operator, a subject.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// Actor returns whom WithActor named, "" for the system itself.
func Actor(ctx context.Context) string {
	name, _ := ctx.Value(actorKey{}).(string)
	return name
}

// journal tells the outer journal of an event; the store's own trail gets it with the write that it belongs to.
func (i *Issuer) journal(ctx context.Context, e AuditEvent) error {
	if i.c.Journal == nil {
		return nil
	}
	if err := i.c.Journal(ctx, e); err != nil {
		return fmt.Errorf("journal %s: %w", e.Event, err)
	}
	return nil
}

// enter marks an intent as worked on by this process; leave ends that.
func (i *Issuer) enter(intentID string, at time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.active[intentID] = at
}

func (i *Issuer) leave(intentID string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.active, intentID)
}

// busy reports whether this process works on an intent. A permit that nobody used ends with its life.
func (i *Issuer) busy(intentID string, state string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	since, found := i.active[intentID]
	if found && state == StatePrepared && i.c.Now().Sub(since) > permitLife {
		delete(i.active, intentID)
		return false
	}
	return found
}

// keyedLock is a lock for each key. The zero value is ready.
type keyedLock struct {
	mu    sync.Mutex // guards locks
	locks map[string]*lockEntry
}

type lockEntry struct {
	token chan struct{} // holds one token while free
	users int
}

// lock waits for the key and returns what frees it.
func (k *keyedLock) lock(ctx context.Context, key string) (unlock func(), err error) {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*lockEntry{}
	}
	e := k.locks[key]
	if e == nil {
		e = &lockEntry{token: make(chan struct{}, 1)}
		e.token <- struct{}{}
		k.locks[key] = e
	}
	e.users++
	k.mu.Unlock()
	drop := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if e.users--; e.users == 0 {
			delete(k.locks, key)
		}
	}
	select {
	case <-ctx.Done():
		drop()
		return nil, ctx.Err()
	case <-e.token:
		return func() { e.token <- struct{}{}; drop() }, nil
	}
}
