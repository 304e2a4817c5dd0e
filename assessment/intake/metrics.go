package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxDepth bounds the count of what waits; more shows as this many.
const maxDepth = 100_000

// metrics are what is counted. Labels come from the closed lists of this package.
type metrics struct {
	waiting   prometheus.Gauge
	oldest    prometheus.Gauge
	stopped   prometheus.Gauge
	scored    *prometheus.CounterVec
	destroyal *prometheus.CounterVec
}

// Outcomes of scoring one batch, as metrics name them.
const (
	outcomeDone    = "done"
	outcomeAgain   = "again"
	outcomeRefused = "refused"
)

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "heartmark_intake_queue_batches", Help: "Evidence batches that wait to be scored.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "heartmark_intake_queue_oldest_seconds", Help: "Age of the evidence batch that waits longest; 0 when none does.",
		}),
		stopped: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "heartmark_intake_stopped", Help: "1 while the operator keeps scoring stopped.",
		}),
		scored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "heartmark_intake_scored_total", Help: "Evidence batches that a worker took, by outcome.",
		}, []string{"outcome"}),
		destroyal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "heartmark_intake_destroyed_total", Help: "Sealed texts that were destroyed with their keys, by reason.",
		}, []string{"reason"}),
	}
	err := errors.Join(r.Register(m.waiting), r.Register(m.oldest), r.Register(m.stopped), r.Register(m.scored), r.Register(m.destroyal))
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return m, nil
}

// whyScored is the reason of a destruction after the score, as metrics name it.
const whyScored = "scored"

func reasons() []string {
	return []string{whyScored, WhyWithdrawn, WhyErased, WhyExpired, WhyCancelled, WhyObjection, WhyNotLive, WhyFailed, WhyLines, WhyFormat, WhyDuplicate, WhyUnassessed}
}

func (m *metrics) destroyed(why string) {
	if !slices.Contains(reasons(), why) {
		why = "other"
	}
	m.destroyal.WithLabelValues(why).Inc()
}

// observe measures the queue.
func (s *Service) observe(ctx context.Context) error {
	waiting, oldest, err := s.c.Store.Depth(ctx, maxDepth)
	if err != nil {
		return fmt.Errorf("queue depth: %w", err)
	}
	control, err := s.c.Store.Control(ctx)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	age := time.Duration(0)
	if !oldest.IsZero() {
		age = max(0, s.c.Now().Sub(oldest))
	}
	s.metrics.waiting.Set(float64(waiting))
	s.metrics.oldest.Set(age.Seconds())
	s.metrics.stopped.Set(map[bool]float64{true: 1}[control.Stopped])
	return nil
}
