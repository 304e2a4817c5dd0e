package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"

	"github.com/prometheus/client_golang/prometheus"
)

// ErrBusy: as many batches are being read as memory is meant for. Answer 503 with Retry-After.
var ErrBusy = errors.New("intake is busy")

// Assessor scores a batch; *assessment.Assessor is one.
type Assessor interface {
	Assess(ctx context.Context, b evidence.Batch) ([]assessment.Report, error)
}

// Config is what New needs. All fields are required except where it says otherwise.
type Config struct {
	// Audience is the DID of the installation: what subjects' statements must be meant for.
	Audience string
	Store    Store
	Reports  assessment.Store
	Vault    Vault
	Sealer   *Sealer
	Keys     KeyResolver
	// Assessor may be nil where the classifier is not available: then intake is refused and nothing is scored.
	Assessor Assessor
	// ItemKey keys the hashes in stored items; it is the HashKey of the Assessor's configuration.
	ItemKey []byte
	Policy  func(ctx context.Context, tenant string) (Policy, error)
	// Journal writes an event to the audit trail before it happens; its error stops the act.
	Journal func(ctx context.Context, e Event) error
	Now     func() time.Time
	NewID   func() string
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Workers is how many batches are scored at once; 0 reads 1.
	Workers int
	// Readers is how many batches are read into memory at once; 0 reads 2.
	Readers int
	// Crash is called at the points of CrashPoints; nil does nothing.
	Crash func(point string)
}

// CrashPoints are the names that Config.Crash hears (security section 8).
func CrashPoints() []string {
	return []string{"assess.after_seal", "assess.after_withdraw", "assess.after_score", "assess.before_shred", "assess.after_key_destroyed", "assess.mid_erase"}
}

// Audit events: the closed list of what this package writes down.
const (
	AuditConsentGiven     = "consent.give"
	AuditConsentRefused   = "consent.refuse"
	AuditConsentWithdrawn = "consent.withdraw"
	AuditBatchTaken       = "evidence.take"
	AuditBatchCancelled   = "evidence.cancel"
	AuditSubjectExported  = "subject.export"
	AuditSubjectErased    = "subject.erase"
	AuditSubjectRestrict  = "subject.restrict"
	AuditSubjectCorrected = "subject.correct"
	AuditControl          = "scoring.control"
)

// Event is an entry of the audit trail: identifiers and digests, never texts.
type Event struct {
	At                     time.Time
	Event                  string
	Tenant, Actor          string
	Object, Digest, Detail string
}

// Service is the intake. Its methods may be called at once; one process runs one.
type Service struct {
	c       Config
	reading chan struct{} // one token for each batch in memory
	wake    chan struct{} // a worker looks again
	metrics *metrics

	// erasing is held by Give and what queues text, and alone by Erase: nothing of a subject is stored while it is erased.
	erasing sync.RWMutex

	mu      sync.Mutex // guards what follows; never held across I/O
	last    string     // tenant that was served last
	running map[string]work
}

// work is a batch that is being scored.
type work struct {
	batch  Batch
	cancel context.CancelFunc
}

// New returns a Service, or an error that names what is missing. It starts nothing: Recover and Run do.
func New(c Config) (*Service, error) {
	if c.Audience == "" || c.Store == nil || c.Reports == nil || c.Vault == nil || c.Sealer == nil || c.Keys == nil || c.Policy == nil ||
		c.Journal == nil || c.Now == nil || c.NewID == nil || c.Log == nil || c.Metrics == nil {
		return nil, errors.New("intake: a field of the configuration is missing")
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	c.Workers = max(c.Workers, 1)
	if c.Readers <= 0 {
		c.Readers = 2
	}
	if _, err := Texts(); err != nil {
		return nil, err
	}
	m, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, err
	}
	return &Service{
		c: c, reading: make(chan struct{}, c.Readers), wake: make(chan struct{}, 1), metrics: m, running: map[string]work{},
	}, nil
}

func (s *Service) journal(ctx context.Context, c Caller, event, object, digest, detail string) error {
	err := s.c.Journal(ctx, Event{At: s.c.Now(), Event: event, Tenant: c.Tenant, Actor: c.Actor, Object: object, Digest: digest, Detail: detail})
	if err != nil {
		return fmt.Errorf("audit %s: %w", event, err)
	}
	return nil
}

// notify wakes a worker that waits.
func (s *Service) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// interrupt stops the scoring of batches that fit. Each worker then looks at the receipt again.
func (s *Service) interrupt(fits func(Batch) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.running {
		if fits(w.batch) {
			w.cancel()
		}
	}
}
