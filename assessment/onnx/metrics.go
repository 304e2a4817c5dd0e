package onnx

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reasons why a batch was run again, as metrics name them.
const (
	reasonMemory = "out_of_memory" // again in smaller batches
	reasonCUDA   = "cuda_error"    // again on the CPU, which takes over
	reasonStart  = "unavailable"   // CUDA was asked for and could not be had at the start
)

// metrics are what is counted of one model. All labels come from closed sets: the models that this process opens,
// buckets, languages (en, zh, other), stages (tokenise, wait, run), runtimes and reasons.
type metrics struct {
	messages  [][languages]prometheus.Counter // by bucket
	batchRows prometheus.Observer
	tokenise  prometheus.Observer
	wait      prometheus.Observer
	run       prometheus.Observer
	queueRows prometheus.Gauge
	busy      prometheus.Counter
	provider  map[string]prometheus.Gauge
	fallbacks map[string]prometheus.Counter
}

func newMetrics(r prometheus.Registerer, model string) (*metrics, error) {
	messages := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "heartmark_classify_messages_total", Help: "Messages classified, by length bucket in tokens and language.",
	}, []string{"model", "bucket", "language"})
	batchRows := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "heartmark_classify_batch_rows", Help: "Rows of a batch.", Buckets: []float64{1, 2, 4, 8, 16, 24, 32},
	}, []string{"model"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "heartmark_classify_seconds",
		Help:    "Time by stage: tokenise (the texts of one call), wait (the oldest row of a batch in the queue), run (a batch).",
		Buckets: []float64{.0001, .0003, .001, .003, .005, .01, .02, .04, .06, .1, .2, .5, 1, 3, 10},
	}, []string{"model", "stage"})
	queueRows := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "heartmark_classify_queue_rows", Help: "Rows that wait for a batch.",
	}, []string{"model"})
	busy := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "heartmark_classify_busy_total", Help: "Calls refused because too many were under way.",
	}, []string{"model"})
	provider := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "heartmark_classify_provider_info", Help: "1 for the runtime that is in use.",
	}, []string{"model", "runtime"})
	fallbacks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "heartmark_classify_fallbacks_total", Help: "Changes from CUDA to smaller batches or to the CPU, by reason.",
	}, []string{"model", "reason"})
	if r != nil {
		err := errors.Join(register(r, &messages), register(r, &batchRows), register(r, &seconds), register(r, &queueRows),
			register(r, &busy), register(r, &provider), register(r, &fallbacks))
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	m := &metrics{
		batchRows: batchRows.WithLabelValues(model), queueRows: queueRows.WithLabelValues(model),
		tokenise: seconds.WithLabelValues(model, "tokenise"), wait: seconds.WithLabelValues(model, "wait"),
		run: seconds.WithLabelValues(model, "run"), busy: busy.WithLabelValues(model),
		provider: make(map[string]prometheus.Gauge), fallbacks: make(map[string]prometheus.Counter),
	}
	for _, length := range buckets() {
		var byLanguage [languages]prometheus.Counter
		for l := range language(languages) {
			byLanguage[l] = messages.WithLabelValues(model, strconv.Itoa(length), l.String())
		}
		m.messages = append(m.messages, byLanguage)
	}
	for _, name := range []string{RuntimeCPU, RuntimeCUDAFP16, RuntimeCUDAFP32} {
		m.provider[name] = provider.WithLabelValues(model, name)
	}
	for _, reason := range []string{reasonMemory, reasonCUDA, reasonStart} {
		m.fallbacks[reason] = fallbacks.WithLabelValues(model, reason)
	}
	return m, nil
}

// register registers a collector, or takes the one that a classifier opened before has registered.
func register[C prometheus.Collector](r prometheus.Registerer, c *C) error {
	err := r.Register(*c)
	if known, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if there, ok := known.ExistingCollector.(C); ok {
			*c = there
			return nil
		}
	}
	return err
}

func (m *metrics) runs(runtime string) {
	for name, gauge := range m.provider {
		gauge.Set(map[bool]float64{true: 1}[name == runtime])
	}
}

func (m *metrics) ran(b *batch, started, ended time.Time) {
	m.batchRows.Observe(float64(len(b.rows)))
	if !started.IsZero() { // else no clock was given
		m.run.Observe(ended.Sub(started).Seconds())
	}
	for _, r := range b.rows {
		if !r.uncounted {
			m.messages[b.bucket][r.lang].Inc()
		}
	}
}
