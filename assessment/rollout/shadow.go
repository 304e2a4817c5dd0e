package rollout

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/model"
)

// Sizes of the shadow's queues and batches.
const (
	defaultQueue = 512 // messages that wait
	personQueue  = 4   // assessments that wait; each holds its batch in memory
	shadowBatch  = 32
	flushEvery   = 30 * time.Second
)

// ShadowConfig is what a Shadow is made of.
type ShadowConfig struct {
	Model   Digest // the model in the shadow
	Current Digest // the model that answers
	// Assessor assesses with the shadow's Classifier, which is required; highlights are left out.
	Assessor assessment.Config
	Kinds    map[string]model.Kind // of the heads
	Share    float64               // of messages and of assessments, in (0, 1]
	Key      []byte                // a secret of the installation: keys the hash that samples
	Queue    int                   // messages that may wait; 0: 512
	Store    Store
	Now      func() time.Time
	Log      *slog.Logger // nil: silent
}

// Shadow scores a share of what the current model scored, in its own time: what comes while its queue is full is dropped and
// counted, never waited for. Offer and OfferPerson may be called at once from anywhere; Run does the work.
type Shadow struct {
	c        ShadowConfig
	assessor *assessment.Assessor
	onlyOne  []string
	messages chan offered
	people   chan offeredPerson
	open     atomic.Int64 // taken and not scored yet

	mu      sync.Mutex // guards pending and who; held for counting only
	pending *Comparison
	who     map[uint64]struct{} // keyed hashes of the people in pending
	totals  shadowTotals
}

// shadowTotals are counts since the start, for the metrics.
type shadowTotals struct{ scored, dropped, failed uint64 }

// offered is a message with the current model's answer. It is in memory until the shadow has scored it.
type offered struct {
	input  assessment.ClassifierInput
	scores assessment.Scores
	who    uint64
}

type offeredPerson struct {
	batch  evidence.Batch
	report assessment.Report
	who    uint64
}

// NewShadow returns a Shadow, or an error that names what the configuration lacks.
func NewShadow(c ShadowConfig, current assessment.ModelInfo) (*Shadow, error) {
	if c.Assessor.Classifier == nil || c.Store == nil || c.Now == nil || len(c.Key) == 0 || !(c.Share > 0 && c.Share <= 1) {
		return nil, errors.New("shadow: classifier, store, clock, key and a share in (0, 1] are required")
	}
	if c.Queue <= 0 {
		c.Queue = defaultQueue
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Assessor.NoHighlights, c.Assessor.Progress = true, nil
	a, err := assessment.New(c.Assessor)
	if err != nil {
		return nil, fmt.Errorf("shadow: %w", err)
	}
	s := &Shadow{
		c: c, assessor: a, messages: make(chan offered, c.Queue), people: make(chan offeredPerson, personQueue),
		pending: newComparison(c.Model, c.Current), who: map[uint64]struct{}{},
	}
	own := c.Assessor.Classifier.Info().Labels
	for head, labels := range own {
		if len(current.Labels[head]) != len(labels) {
			s.onlyOne = append(s.onlyOne, head)
		}
	}
	for head := range current.Labels {
		if _, both := own[head]; !both {
			s.onlyOne = append(s.onlyOne, head)
		}
	}
	return s, nil
}

// sampled decides by a keyed hash, so that the same message is always in the sample or never, and nobody without the key can
// tell which.
func (s *Shadow) sampled(kind string, what []byte) bool {
	return hashOf(s.c.Key, kind, what) < uint64(s.c.Share*math.MaxUint64) || s.c.Share == 1
}

// hashOf is a keyed hash of a thing of some kind.
func hashOf(key []byte, kind string, what []byte) uint64 {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("heartmark/shadow/" + kind + "\x00"))
	m.Write(what)
	return binary.BigEndian.Uint64(m.Sum(nil))
}

// Offer takes the sampled ones of messages that the current model has scored. who is a keyed hash of their writer. It never
// waits.
func (s *Shadow) Offer(who uint64, in []assessment.ClassifierInput, scores []assessment.Scores) {
	dropped := uint64(0)
	for i := range in {
		key := inputKey(in[i])
		if !s.sampled("message", key[:]) {
			continue
		}
		s.open.Add(1)
		select {
		case s.messages <- offered{in[i], scores[i], who}:
		default:
			s.open.Add(-1)
			dropped++
		}
	}
	s.drop(dropped, 0)
}

// OfferPerson takes a batch of one receipt with the current model's report, if it is in the sample. It never waits.
func (s *Shadow) OfferPerson(who uint64, batch evidence.Batch, report assessment.Report) {
	if !s.sampled("person", []byte(report.ID)) {
		return
	}
	s.open.Add(1)
	select {
	case s.people <- offeredPerson{batch, report, who}:
	default:
		s.open.Add(-1)
		s.drop(0, 1)
	}
}

func (s *Shadow) drop(messages, people uint64) {
	if messages+people == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending.Dropped += messages
	s.pending.DroppedPeople += people
	s.totals.dropped += messages
}

// Run scores until ctx ends. What waits then is forgotten, and so are counts that do not cover ten people yet.
func (s *Shadow) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.flush(context.WithoutCancel(ctx))
		case <-tick.C:
			if err := s.flush(ctx); err != nil && ctx.Err() == nil {
				s.c.Log.WarnContext(ctx, "comparison with the shadow is not stored", slog.String("error", err.Error()))
			}
		case m := <-s.messages:
			s.scoreMessages(ctx, m)
		case p := <-s.people:
			s.scorePerson(ctx, p)
		}
	}
}

// scoreMessages scores what waits, up to one batch.
func (s *Shadow) scoreMessages(ctx context.Context, first offered) {
	batch := []offered{first}
collect:
	for len(batch) < shadowBatch {
		select {
		case m := <-s.messages:
			batch = append(batch, m)
		default:
			break collect
		}
	}
	defer s.open.Add(-int64(len(batch)))
	in := make([]assessment.ClassifierInput, len(batch))
	for i := range batch {
		in[i] = batch[i].input
	}
	scores, err := s.c.Assessor.Classifier.Classify(ctx, in)
	if err == nil && len(scores) != len(in) {
		err = fmt.Errorf("%w: %d answers to %d messages", assessment.ErrClassifier, len(scores), len(in))
	}
	if err != nil {
		s.fail(ctx, uint64(len(batch)), err)
		return
	}
	s.count(func(c *Comparison) {
		s.totals.scored += uint64(len(batch))
		for i, m := range batch {
			s.who[m.who] = struct{}{}
			c.message(languageOf(m.input.Lang), s.c.Kinds, m.scores, scores[i])
		}
	})
}

func (s *Shadow) scorePerson(ctx context.Context, p offeredPerson) {
	defer s.open.Add(-1)
	reports, err := s.assessor.Assess(ctx, p.batch)
	if err == nil && len(reports) != 1 {
		err = fmt.Errorf("%d reports, want 1", len(reports))
	}
	if err != nil {
		s.fail(ctx, 1, err)
		return
	}
	s.count(func(c *Comparison) {
		s.who[p.who] = struct{}{}
		c.person(p.report, reports[0])
	})
}

func (s *Shadow) fail(ctx context.Context, n uint64, cause error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	first := s.pending.Failed == 0
	s.pending.Failed += n
	s.totals.failed += n
	s.mu.Unlock()
	if first {
		s.c.Log.WarnContext(ctx, "model in the shadow gives no answer", slog.String("model", s.c.Model.Short()), slog.String("error", cause.Error()))
	}
}

func (s *Shadow) count(add func(*Comparison)) {
	now := s.c.Now().UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending.From.IsZero() {
		s.pending.From = now
	}
	s.pending.To = now
	add(s.pending)
}

// flush stores what was counted once it covers ten people.
func (s *Shadow) flush(ctx context.Context) error {
	s.mu.Lock()
	if len(s.who) < minGroup || s.pending.empty() {
		s.mu.Unlock()
		return nil
	}
	ready := s.pending
	s.pending, s.who = newComparison(s.c.Model, s.c.Current), map[uint64]struct{}{}
	s.mu.Unlock()
	ready.OnlyOne = s.onlyOne
	return addComparison(ctx, s.c.Store, ready)
}

// Idle tells that all that was taken has been scored.
func (s *Shadow) Idle() bool { return s.open.Load() == 0 }

// counted returns the counts since the start.
func (s *Shadow) counted() shadowTotals {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals
}
