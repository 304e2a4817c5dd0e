//go:build cgo

package onnx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/text"
)

// Classifier runs the model. It is safe for concurrent use.
type Classifier struct {
	cfg     Config
	library Library
	release func() error // gives the library back
	encoder encoder
	metrics *metrics
	timed   bool // a clock was given
	heads   []model.Head
	stride  int // logits of one row
	width   int // values of one vector

	hostility   *model.Head // reads the view without disguises too; nil when it is not run
	hostilityAt int         // where its logits begin

	queue   *queue
	limit   atomic.Int32  // most rows of a batch; falls when CUDA has no memory for more
	calls   chan struct{} // one token a call under way
	workers sync.WaitGroup

	// openCPU opens the engine that takes over when CUDA fails.
	openCPU func() (engine, error)

	// gate is held shared by calls and exclusively by Close, which therefore waits for them.
	gate   sync.RWMutex
	closed bool

	// mu guards engine, which changes when CUDA fails and the CPU takes over; held across the opening of the new one.
	mu     sync.RWMutex
	engine engine
}

var (
	_ assessment.Classifier = (*Classifier)(nil)
	_ assessment.Encoder    = (*Classifier)(nil)
)

// Open finds the library, loads the model, runs every bucket once and starts the workers. It fails when a head that it is
// to run is not in the graph. Close the classifier when it is no longer needed.
func Open(cfg Config) (*Classifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("classifier configuration: %w", err)
	}
	lib, err := FindLibrary(cfg.LibraryPath)
	if err != nil {
		return nil, err
	}
	c, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	c.library, c.release = lib, releaseEnvironment
	if !lib.Pinned {
		c.cfg.Log.Warn("ONNX Runtime library is not a pinned build", slog.String("library", lib.Path),
			slog.String("library_sha256", lib.SHA256))
	}
	if err := acquireEnvironment(lib); err != nil {
		return nil, err
	}
	if err := c.start(c.openSession); err != nil {
		return nil, errors.Join(err, releaseEnvironment())
	}
	return c, nil
}

// prepare makes all but the engine and the workers.
func prepare(cfg Config) (*Classifier, error) {
	c := &Classifier{timed: cfg.Now != nil}
	c.cfg = cfg.withDefaults()
	tokens, err := text.NewTokenizer(cfg.Model.Tokenizer)
	if err != nil {
		return nil, err
	}
	c.encoder = encoder{tokens, cfg.Model.MaxContext, cfg.Model.MaxMessage}
	if c.heads, err = chooseHeads(cfg.Model.Heads, cfg.Heads); err != nil {
		return nil, err
	}
	widths, err := outputWidths(cfg.Model.Model)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRun, err)
	}
	if err := checkOutputs(widths, c.heads); err != nil {
		return nil, err
	}
	for i, h := range c.heads {
		if h.Name == assessment.HeadHostility {
			c.hostility, c.hostilityAt = &c.heads[i], c.stride
		}
		c.stride += len(h.Labels)
	}
	c.width = widths[outputPooled]
	c.queue = newQueue(c.cfg.Queue * MaxBatch)
	c.limit.Store(MaxBatch)
	c.calls = make(chan struct{}, c.cfg.MaxCalls)
	c.openCPU = func() (engine, error) { return c.newSession(c.cfg.Model.Model, RuntimeCPU) }
	c.metrics, err = newMetrics(cfg.Metrics, cfg.Model.ID)
	return c, err
}

// start opens the engine, runs every bucket on it and starts the workers.
func (c *Classifier) start(open func() (engine, error)) error {
	var err error
	if c.engine, err = open(); err != nil {
		return err
	}
	if err := c.warmUp(); err != nil {
		return errors.Join(err, c.engine.close())
	}
	c.metrics.runs(c.engine.runtime())
	for range c.cfg.Workers {
		w := &worker{c: c}
		c.workers.Go(w.serve)
	}
	return nil
}

// warmUp runs one row of every bucket, so that the first messages find the memory in place and a graph that loads but
// does not run is refused at the start. Where CUDA does not run, the CPU takes over here.
func (c *Classifier) warmUp() error {
	w := &worker{c: c}
	defer w.end()
	if err := w.follow(); err != nil {
		return err
	}
	probe := newCall(wantHeads, 1, 1)
	for bucket := range buckets() {
		r := row{call: probe, out: make([]float32, c.stride), ids: []int64{text.IDBegin, text.IDEnd}, uncounted: true}
		if err := w.run(&batch{want: wantHeads, bucket: bucket, rows: []row{r}}); err != nil {
			return err
		}
		for _, z := range r.out {
			if z-z != 0 {
				return fmt.Errorf("%w: an output is not a number", ErrRun)
			}
		}
	}
	return nil
}

// Close waits for the calls under way, then frees the session and, after the last one, the library.
func (c *Classifier) Close() error {
	c.gate.Lock()
	if c.closed {
		c.gate.Unlock()
		return nil
	}
	c.closed = true
	c.gate.Unlock()
	c.queue.close()
	c.workers.Wait()
	c.metrics.runs("")
	return errors.Join(c.engine.close(), c.release())
}

// Info names the model, the file that runs, the provider and the heads that are run.
func (c *Classifier) Info() assessment.ModelInfo {
	e := c.current()
	m := c.cfg.Model
	labels := m.Labels()
	run := make(map[string][]string, len(c.heads))
	for _, h := range c.heads {
		run[h.Name] = labels[h.Name]
	}
	return assessment.ModelInfo{
		ID: m.ID, SHA256: e.digest(), Runtime: e.runtime(), Scale: m.Scale, Labels: run,
		ErrorRates: m.ErrorRates, ErrorRateSE: m.ErrorRateSE, ErrorRatesFinal: m.ErrorRatesFinal,
	}
}

// Library is the ONNX Runtime library in use.
func (c *Classifier) Library() Library { return c.library }

// enter admits a call; leave must follow.
func (c *Classifier) enter() error {
	c.gate.RLock()
	if c.closed {
		c.gate.RUnlock()
		return ErrClosed
	}
	select {
	case c.calls <- struct{}{}:
		return nil
	default:
		c.gate.RUnlock()
		c.metrics.busy.Inc()
		return ErrBusy
	}
}

func (c *Classifier) leave() {
	<-c.calls
	c.gate.RUnlock()
}

func (c *Classifier) newSender(w want, rows int) *sender {
	// Two batches a worker: one that runs and one that waits.
	return &sender{call: newCall(w, rows, 2*MaxBatch*c.cfg.Workers), queue: c.queue, now: c.cfg.Now}
}

func (c *Classifier) current() engine {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.engine
}

// shrink makes batches smaller for good: CUDA had no memory for twice as many rows.
func (c *Classifier) shrink(rows int, cause error) {
	for {
		now := c.limit.Load()
		if int(now) <= rows {
			return
		}
		if c.limit.CompareAndSwap(now, int32(rows)) {
			c.metrics.fallbacks[reasonMemory].Inc()
			c.cfg.Log.Warn("CUDA has no memory for a batch; batches are smaller from now on", slog.Int("rows", rows),
				slog.String("reason", cause.Error()))
			return
		}
	}
}

// fallBack makes the CPU take over from an engine that failed, unless that has happened already.
func (c *Classifier) fallBack(failed engine, cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine != failed {
		return nil // another worker was first
	}
	c.cfg.Log.Warn("CUDA failed; the CPU takes over", slog.String("reason", cause.Error()))
	e, err := c.openCPU()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRun, err)
	}
	c.engine = e
	c.limit.Store(MaxBatch)
	c.metrics.fallbacks[reasonCUDA].Inc()
	c.metrics.runs(e.runtime())
	c.queue.call() // the idle workers let go of the failed one too, so that its memory is freed
	return failed.close()
}

// Classify answers one Scores an input, in order. It waits for room in the queue and stops waiting when ctx ends.
func (c *Classifier) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	return c.classify(ctx, in)
}

// Width is the number of values of a vector, read from the graph; 0 where it has no output `pooled`.
func (c *Classifier) Width() int { return c.width }

// Vectors answers the frozen vector of each input, in order: output `pooled`, [Width] float32. It waits as Classify does.
func (c *Classifier) Vectors(ctx context.Context, in []assessment.ClassifierInput) ([][]float32, error) {
	if c.width == 0 {
		return nil, fmt.Errorf("%w: the graph has no output %s", ErrHead, outputPooled)
	}
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	return c.vectors(ctx, in)
}
