package live

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"heartmark/assessment"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

// Sentinels of this package.
var (
	// ErrNotFound: no such feed in this tenant, or it has ended.
	ErrNotFound = errors.New("not found")
	// ErrForbiddenUse: work, class, or a purpose that no consent can cover (G3, G4).
	ErrForbiddenUse = errors.New("forbidden use")
	// ErrBusy: as much waits as may. Wait, or send less. Answer 503 with Retry-After.
	ErrBusy = errors.New("live scoring is busy")
	// ErrFull: the tenant has as many feeds as it may.
	ErrFull = errors.New("too many feeds")
	// ErrConsent: no live receipt of this subject covers practice.
	ErrConsent = errors.New("no live consent")
	// ErrLanguage: the text is neither English nor Chinese, or has no words.
	ErrLanguage = errors.New("language is not read here")
)

// Bounds.
const (
	// MinGroup is the smallest group that is shown; a feed may ask for more, never for less.
	MinGroup = 10
	// MaxFeeds is how many feeds a tenant may have at once.
	MaxFeeds = 20
	// maxWaiting is how many messages of one feed may wait to be scored.
	maxWaiting = 512
	maxText    = 2000 // characters
	maxContext = 8    // turns
	// idleLife is how long a feed lives without a message or a reader.
	idleLife = time.Hour
	// batch is how many messages are scored at once.
	batch = 32
)

// Config is what New needs. All fields are required.
type Config struct {
	Classifier assessment.Classifier
	// Language names the language of a text and how sure that is.
	Language func(text string) (lang string, confidence float64)
	// Scrub masks names and contact data before anything else sees the text.
	Scrub func(text string) string
	// Consent tells whether a live receipt covers practice of a subject: purposes process and score. It is asked for every message, so
	// that a withdrawal ends practice at once.
	Consent func(ctx context.Context, tenant, receipt string) (bool, error)
	// Journal writes to the audit trail what feeds are opened for, and what is refused.
	Journal func(ctx context.Context, e Event) error
	Now     func() time.Time
	NewID   func() string
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Audit events: the closed list of what this package writes down.
const (
	AuditOpened  = "live.open"
	AuditRefused = "live.refuse"
)

// Event is an entry of the audit trail.
type Event struct {
	At             time.Time
	Event          string
	Tenant, Actor  string
	Object, Detail string
}

// Caller is who asks.
type Caller struct{ Tenant, Actor string }

// Service scores what comes. Its methods may be called at once.
type Service struct {
	c      Config
	labels map[string][]string
	queue  chan *job
	lost   prometheus.Counter

	mu    sync.Mutex // guards feeds; never held while scoring
	feeds map[string]*Feed
}

// job is one message on its way to the classifier. done is called once, with scores or an error.
type job struct {
	ctx   context.Context //nolint:containedctx // a message in a queue is a request of its own
	input assessment.ClassifierInput
	done  func(assessment.Scores, error)
}

// New returns a Service, or an error that names what is missing. Nothing is scored until Run.
func New(c Config) (*Service, error) {
	if c.Classifier == nil || c.Language == nil || c.Scrub == nil || c.Consent == nil || c.Journal == nil || c.Now == nil || c.NewID == nil ||
		c.Log == nil || c.Metrics == nil {
		return nil, errors.New("live: a field of the configuration is missing")
	}
	s := &Service{
		c: c, labels: c.Classifier.Info().Labels, queue: make(chan *job, 4*maxWaiting), feeds: map[string]*Feed{},
		lost: prometheus.NewCounter(prometheus.CounterOpts{Name: "heartmark_live_unscored_total", Help: "Live messages that could not be scored."}),
	}
	if err := c.Metrics.Register(s.lost); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return s, nil
}

// Run scores and closes windows until ctx ends; then every feed ends.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	defer s.endAll()
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-s.queue:
			s.score(ctx, s.collect(first))
		case <-ticker.C:
		}
		s.tick()
	}
}

// collect takes what waits, up to a batch.
func (s *Service) collect(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < batch {
		select {
		case j := <-s.queue:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

func (s *Service) score(ctx context.Context, jobs []*job) {
	jobs = slices.DeleteFunc(jobs, func(j *job) bool {
		if err := j.ctx.Err(); err != nil { // whoever asked has gone
			j.done(nil, err)
			return true
		}
		return false
	})
	if len(jobs) == 0 {
		return
	}
	in := make([]assessment.ClassifierInput, len(jobs))
	for i, j := range jobs {
		in[i] = j.input
	}
	scores, err := s.c.Classifier.Classify(ctx, in)
	if err == nil && len(scores) != len(jobs) {
		err = assessment.ErrClassifier
	}
	if err != nil {
		s.lost.Add(float64(len(jobs)))
		s.c.Log.WarnContext(ctx, "live messages were not scored", slog.Int("messages", len(jobs)), slog.String("error", err.Error()))
	}
	for i, j := range jobs {
		if err != nil {
			j.done(nil, err)
			continue
		}
		j.done(scores[i], nil)
	}
}

// offer puts a message into the queue; false where there is no room.
func (s *Service) offer(j *job) bool {
	select {
	case s.queue <- j:
		return true
	default:
		return false
	}
}

// input scrubs a text and finds its language.
func (s *Service) input(text string) (assessment.ClassifierInput, error) {
	if !utf8.ValidString(text) || strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > maxText {
		return assessment.ClassifierInput{}, field("/text", fmt.Sprintf("a text of 1 to %d characters", maxText))
	}
	text = s.c.Scrub(text)
	lang, sure := s.c.Language(text)
	if lang != schemas.LanguageEnglish && lang != schemas.LanguageChinese || sure <= 0 {
		return assessment.ClassifierInput{}, ErrLanguage
	}
	return assessment.ClassifierInput{Text: text, Lang: lang}, nil
}

// Open starts a feed. ErrForbiddenUse and ErrFull as they say.
func (s *Service) Open(ctx context.Context, c Caller, settings Settings) (*Feed, error) {
	if err := settings.check(); err != nil {
		if errors.Is(err, ErrForbiddenUse) {
			// The error names the kind or the purpose that is forbidden, which are closed lists; the other one is anybody's text.
			refusal := Event{At: s.c.Now(), Event: AuditRefused, Tenant: c.Tenant, Actor: c.Actor, Detail: err.Error()}
			err = errors.Join(err, s.c.Journal(ctx, refusal))
		}
		return nil, err
	}
	f := &Feed{ID: s.c.NewID(), Settings: settings, service: s, tenant: c.Tenant, readers: map[chan Update]bool{}, used: s.c.Now()}
	if _, err := rand.Read(f.key[:]); err != nil {
		return nil, fmt.Errorf("feed key: %w", err)
	}
	event := Event{At: s.c.Now(), Event: AuditOpened, Tenant: c.Tenant, Actor: c.Actor, Object: f.ID, Detail: settings.Kind + " " + settings.Purpose}
	if err := s.c.Journal(ctx, event); err != nil {
		return nil, fmt.Errorf("audit %s: %w", AuditOpened, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have := 0
	for _, other := range s.feeds {
		if other.tenant == c.Tenant {
			have++
		}
	}
	if have >= MaxFeeds {
		return nil, ErrFull
	}
	f.begin(s.c.Now())
	s.feeds[f.ID] = f
	return f, nil
}

// Feed returns a feed of a tenant, or ErrNotFound.
func (s *Service) Feed(tenant, id string) (*Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[id]
	if f == nil || f.tenant != tenant {
		return nil, fmt.Errorf("feed: %w", ErrNotFound)
	}
	return f, nil
}

// Close ends a feed. Closing what is not there succeeds.
func (s *Service) Close(tenant, id string) {
	if f, err := s.Feed(tenant, id); err == nil {
		s.mu.Lock()
		delete(s.feeds, id)
		s.mu.Unlock()
		f.end()
	}
}

// all returns the feeds that live.
func (s *Service) all() []*Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Feed, 0, len(s.feeds))
	for _, f := range s.feeds {
		out = append(out, f)
	}
	return out
}

// tick closes windows that are over and ends feeds that nobody uses.
func (s *Service) tick() {
	now := s.c.Now()
	for _, f := range s.all() {
		f.roll(now)
		if f.idle(now) {
			s.Close(f.tenant, f.ID)
		}
	}
}

func (s *Service) endAll() {
	for _, f := range s.all() {
		s.Close(f.tenant, f.ID)
	}
}

// probability reads one label of a head, 0 where the model has none.
func (s *Service) probability(scores assessment.Scores, head, label string) float64 {
	at := 0
	if label != "" {
		if at = slices.Index(s.labels[head], label); at < 0 {
			return 0
		}
	}
	if values := scores[head]; at < len(values) {
		return values[at]
	}
	return 0
}

// hostile is the probability of at least mild hostility.
func (s *Service) hostile(scores assessment.Scores) float64 {
	if len(scores[assessment.HeadHostility]) == 0 {
		return 0
	}
	return max(0, 1-s.probability(scores, assessment.HeadHostility, "none"))
}

// field is a faulty value of a request.
func field(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}
