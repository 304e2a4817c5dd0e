package rollout

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/model"

	"github.com/prometheus/client_golang/prometheus"
)

// WithScale makes a classifier report on a scale version: the one that was recorded at the promotion.
func WithScale(c assessment.Classifier, scale string) assessment.Classifier { return scaled{c, scale} }

type scaled struct {
	assessment.Classifier
	scale string
}

// Info implements assessment.Classifier.
func (s scaled) Info() assessment.ModelInfo {
	info := s.Classifier.Info()
	info.Scale = s.scale
	return info
}

// MonitorConfig is what a Monitor is made of.
type MonitorConfig struct {
	Model    Digest            // the model that answers
	Assessor assessment.Config // its Classifier is required
	Kinds    map[string]model.Kind
	Shadow   *Shadow // nil: none
	Key      []byte  // a secret of the installation
	Store    Store
	Now      func() time.Time
	Log      *slog.Logger // nil: silent
}

// Monitor assesses with the current model, counts what it answered for the drift watch, and offers a share to the shadow. It is
// safe for concurrent use. Nothing that it does beside can change, delay or fail an assessment.
type Monitor struct {
	c     MonitorConfig
	index *prometheus.GaugeVec
	group *prometheus.Desc

	mu      sync.Mutex // guards the fields below; held for counting only
	pending *Window
	who     map[uint64]struct{}

	alarmed map[string]time.Time // by feature: the window that was told; Run's own
}

var _ prometheus.Collector = (*Monitor)(nil)

// NewMonitor returns a Monitor, or an error that names what the configuration lacks.
func NewMonitor(c MonitorConfig) (*Monitor, error) {
	if c.Assessor.Classifier == nil || c.Store == nil || c.Now == nil || len(c.Key) == 0 || c.Model == "" {
		return nil, errors.New("monitor: classifier, model, store, clock and key are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Assessor.Prompts == nil { // read once, not for each assessment
		bank, err := assessment.Prompts()
		if err != nil {
			return nil, err
		}
		c.Assessor.Prompts = &bank
	}
	return &Monitor{
		c: c, pending: newWindow(c.Model), who: map[uint64]struct{}{}, alarmed: map[string]time.Time{},
		index: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "heartmark_model_drift_index", Help: "Population stability index of the last judged week; over 0.2 alarms.",
		}, []string{"feature"}),
		group: prometheus.NewDesc("heartmark_shadow_messages_total", "Messages offered to the model in the shadow.", []string{"result"}, nil),
	}, nil
}

// Describe implements prometheus.Collector.
func (m *Monitor) Describe(ch chan<- *prometheus.Desc) {
	m.index.Describe(ch)
	ch <- m.group
}

// Collect implements prometheus.Collector.
func (m *Monitor) Collect(ch chan<- prometheus.Metric) {
	m.index.Collect(ch)
	if m.c.Shadow == nil {
		return
	}
	t := m.c.Shadow.counted()
	for result, n := range map[string]uint64{"scored": t.scored, "dropped": t.dropped, "failed": t.failed} {
		ch <- prometheus.MustNewConstMetric(m.group, prometheus.CounterValue, float64(n), result)
	}
}

// Assess is assessment.Assessor.Assess with the current model, and gives the same reports.
func (m *Monitor) Assess(ctx context.Context, b evidence.Batch) ([]assessment.Report, error) {
	if len(b.Receipts) == 0 {
		a, err := assessment.New(m.c.Assessor)
		if err != nil {
			return nil, err
		}
		return a.Assess(ctx, b)
	}
	reports := make([]assessment.Report, 0, len(b.Receipts))
	for _, receipt := range b.Receipts {
		one := b
		one.Receipts = []evidence.Receipt{receipt}
		who := hashOf(m.c.Key, "subject", []byte(evidence.Subject(receipt.Platform, receipt.Subject)))
		t := &tap{Classifier: m.c.Assessor.Classifier, window: newWindow(m.c.Model), kinds: m.c.Kinds, shadow: m.c.Shadow, who: who}
		found, err := m.assessOne(ctx, one, t)
		if err != nil {
			return nil, err
		}
		reports = append(reports, found...)
		m.add(t.window, who)
		if m.c.Shadow != nil && len(found) == 1 {
			m.c.Shadow.OfferPerson(who, one, found[0])
		}
	}
	return reports, nil
}

func (m *Monitor) assessOne(ctx context.Context, b evidence.Batch, t *tap) ([]assessment.Report, error) {
	cfg := m.c.Assessor
	cfg.Classifier = t
	cfg.Progress = func(done, total int) {
		if done >= total { // what follows are highlights: words left out of messages that were counted
			t.closed = true
		}
		if m.c.Assessor.Progress != nil {
			m.c.Assessor.Progress(done, total)
		}
	}
	a, err := assessment.New(cfg)
	if err != nil {
		return nil, err
	}
	return a.Assess(ctx, b)
}

// add counts one assessment.
func (m *Monitor) add(w *Window, who uint64) {
	if w.Messages == 0 {
		return
	}
	day := m.c.Now().UTC().Truncate(24 * time.Hour)
	w.From, w.To = day, day
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending.merge(w)
	m.who[who] = struct{}{}
}

// tap is the classifier of one assessment: it answers with the current model and notes the answers.
type tap struct {
	assessment.Classifier
	window *Window
	kinds  map[string]model.Kind
	shadow *Shadow
	who    uint64
	closed bool
}

// Classify implements assessment.Classifier.
func (t *tap) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	scores, err := t.Classifier.Classify(ctx, in)
	if err != nil || t.closed || len(scores) != len(in) {
		return scores, err
	}
	for i := range in {
		t.window.message(in[i], scores[i], t.kinds)
	}
	if t.shadow != nil {
		t.shadow.Offer(t.who, in, scores)
	}
	return scores, nil
}

// Run stores the counts and watches for drift until ctx ends; it runs the shadow, too. Counts that do not cover ten people when
// it ends are forgotten.
func (m *Monitor) Run(ctx context.Context) error {
	var shadow sync.WaitGroup
	if m.c.Shadow != nil {
		shadow.Go(func() {
			if err := m.c.Shadow.Run(ctx); err != nil {
				m.warn(ctx, "comparison with the shadow is not stored", err)
			}
		})
	}
	defer shadow.Wait()
	m.watch(ctx)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if _, err := m.flush(context.WithoutCancel(ctx)); err != nil {
				m.warn(ctx, "counts of the drift watch are not stored", err)
			}
			return nil
		case <-tick.C:
			stored, err := m.flush(ctx)
			if err != nil {
				m.warn(ctx, "counts of the drift watch are not stored", err)
			} else if stored {
				m.watch(ctx)
			}
		}
	}
}

func (m *Monitor) warn(ctx context.Context, what string, err error) {
	m.c.Log.WarnContext(ctx, "watch of the model", slog.String("what", what), slog.String("model", m.c.Model.Short()), slog.String("error", err.Error()))
}

// flush stores what was counted once it covers ten people.
func (m *Monitor) flush(ctx context.Context) (stored bool, err error) {
	m.mu.Lock()
	if len(m.who) < minGroup {
		m.mu.Unlock()
		return false, nil
	}
	ready := m.pending
	ready.People = uint64(len(m.who))
	m.pending, m.who = newWindow(m.c.Model), map[uint64]struct{}{}
	m.mu.Unlock()
	return true, addWindow(ctx, m.c.Store, ready)
}

// watch sets the gauge by the last judged week, and tells each alarm once a week.
func (m *Monitor) watch(ctx context.Context) {
	report, err := drift(ctx, m.c.Store, m.c.Model)
	if err != nil {
		m.warn(ctx, "drift cannot be judged", err)
		return
	}
	latest := report.Latest()
	if latest == nil {
		return
	}
	for _, f := range latest.Features {
		m.index.WithLabelValues(f.Feature).Set(f.Index)
		if f.Alarm && !m.alarmed[f.Feature].Equal(latest.From) {
			m.alarmed[f.Feature] = latest.From
			m.c.Log.WarnContext(ctx, "model scores drift from the reference", slog.String("model", m.c.Model.Short()),
				slog.String("feature", f.Feature), slog.Float64("index", f.Index), slog.Float64("bound", DriftAlarm),
				slog.String("since", latest.From.Format(time.DateOnly)))
		}
	}
}
