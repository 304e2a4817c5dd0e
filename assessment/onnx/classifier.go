//go:build cgo

package onnx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"heartmark/assessment"
	"heartmark/assessment/text"
)

// Classifier runs the model. It is safe for concurrent use.
type Classifier struct {
	cfg     Config
	library Library
	encoder encoder
	work    chan job
	calls   chan struct{} // one token a call under way
	workers sync.WaitGroup

	// gate is held shared by calls and exclusively by Close, which therefore waits for them.
	gate   sync.RWMutex
	closed bool

	// mu guards session and sha256, which change when CUDA fails and the CPU takes over. A run holds it shared.
	mu      sync.RWMutex
	session *session
	sha256  string
}

var _ assessment.Classifier = (*Classifier)(nil)

// job is one batch of one call. The worker sends exactly one result.
type job struct {
	ctx    context.Context
	batch  batch
	result chan<- result
}

type result struct {
	batch  batch
	logits [][][]float32
	err    error
}

// Open finds the library, loads the model and starts the workers. Close the classifier when it is no longer needed.
func Open(cfg Config) (*Classifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("classifier configuration: %w", err)
	}
	cfg = cfg.withDefaults()
	tokens, err := text.NewTokenizer(cfg.Model.Tokenizer)
	if err != nil {
		return nil, err
	}
	lib, err := FindLibrary(cfg.LibraryPath)
	if err != nil {
		return nil, err
	}
	if !lib.Pinned {
		cfg.Log.Warn("ONNX Runtime library is not a pinned build", slog.String("library", lib.Path),
			slog.String("library_sha256", lib.SHA256))
	}
	if err := acquireEnvironment(lib); err != nil {
		return nil, err
	}
	s, graph, err := openSession(cfg, lib)
	if err != nil {
		return nil, errors.Join(err, releaseEnvironment())
	}
	sum := sha256.Sum256(graph)
	c := &Classifier{
		cfg: cfg, library: lib, session: s, sha256: hex.EncodeToString(sum[:]),
		encoder: encoder{tokens, cfg.Model.MaxContext, cfg.Model.MaxMessage},
		work:    make(chan job, cfg.Queue), calls: make(chan struct{}, cfg.MaxCalls),
	}
	for range cfg.Workers {
		c.workers.Go(c.serve)
	}
	return c, nil
}

// Close waits for the calls under way, then frees the session and, after the last one, the library.
func (c *Classifier) Close() error {
	c.gate.Lock()
	if c.closed {
		c.gate.Unlock()
		return nil
	}
	c.closed = true
	close(c.work)
	c.gate.Unlock()
	c.workers.Wait()
	err := c.session.close()
	if end := releaseEnvironment(); err == nil {
		err = end
	}
	return err
}

// Info names the model, the file that runs and the provider.
func (c *Classifier) Info() assessment.ModelInfo {
	c.mu.RLock()
	defer c.mu.RUnlock()
	name := RuntimeCPU
	if c.session.provider == ProviderCUDA {
		name = RuntimeCUDA
	}
	m := c.cfg.Model
	return assessment.ModelInfo{
		ID: m.ID, SHA256: c.sha256, Runtime: name, Scale: m.Scale, Labels: m.Labels(),
		ErrorRates: m.ErrorRates, ErrorRateSE: m.ErrorRateSE, ErrorRatesFinal: m.ErrorRatesFinal,
	}
}

// Library is the ONNX Runtime library in use.
func (c *Classifier) Library() Library { return c.library }

// Classify answers one Scores an input, in order. It waits for room in the queue and stops waiting when ctx ends.
func (c *Classifier) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	c.gate.RLock()
	defer c.gate.RUnlock()
	if c.closed {
		return nil, ErrClosed
	}
	select {
	case c.calls <- struct{}{}:
		defer func() { <-c.calls }()
	default:
		return nil, ErrBusy
	}
	scores := make([]assessment.Scores, len(in))
	languages := make([]string, len(in))
	var rows []row
	for i, input := range in {
		scores[i] = make(assessment.Scores, len(c.cfg.Model.Heads))
		if languages[i] = input.Lang; input.Lang == "" {
			languages[i], _ = text.Language(input.Text)
		}
		rows = append(rows, c.encoder.rows(i, input)...)
	}
	todo := batches(rows)
	results := make(chan result, len(todo)) // room for all: a worker never waits for a caller that has left
	sent := make(chan error, 1)
	go func() { sent <- c.send(ctx, todo, results) }()
	var failure error
	for range todo {
		select {
		case r := <-results:
			if r.err != nil {
				failure = r.err
				continue
			}
			c.collect(scores, languages, r)
		case <-ctx.Done():
			// The sender must be gone before the gate opens for Close.
			return nil, errors.Join(ctx.Err(), <-sent)
		}
	}
	if err := errors.Join(failure, <-sent); err != nil {
		return nil, err
	}
	return scores, nil
}

func (c *Classifier) send(ctx context.Context, todo []batch, results chan<- result) error {
	for _, b := range todo {
		select {
		case c.work <- job{ctx, b, results}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *Classifier) collect(scores []assessment.Scores, languages []string, r result) {
	heads := c.cfg.Model.Heads
	for i, row := range r.batch.rows {
		values := make([][]float64, len(heads))
		for h, head := range heads {
			values[h] = c.cfg.Model.Calibrate(head, languages[row.input], r.logits[i][h])
		}
		merge(scores[row.input], row, heads, values)
	}
}

// serve runs batches until the queue is closed.
func (c *Classifier) serve() {
	for j := range c.work {
		if err := j.ctx.Err(); err != nil {
			j.result <- result{err: err}
			continue
		}
		logits, err := c.runBatch(j.batch)
		j.result <- result{batch: j.batch, logits: logits, err: err}
	}
}

// runBatch runs one batch. When CUDA fails, the CPU takes over for good and the batch is done again there.
func (c *Classifier) runBatch(b batch) ([][][]float32, error) {
	c.mu.RLock()
	s := c.session
	logits, err := s.logits(b)
	c.mu.RUnlock()
	if err == nil {
		return logits, nil
	}
	if s.provider != ProviderCUDA {
		return nil, fmt.Errorf("%w: %w", ErrRun, err)
	}
	if err := c.fallBack(s, err); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if logits, err = c.session.logits(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRun, err)
	}
	return logits, nil
}

func (c *Classifier) fallBack(failed *session, cause error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != failed {
		return nil // another worker was first
	}
	c.cfg.Log.Warn("CUDA failed; the CPU takes over", slog.String("reason", cause.Error()))
	s, err := newSession(c.cfg.Model.Model, c.cfg.Model.Heads, c.cfg.Threads, false)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRun, err)
	}
	sum := sha256.Sum256(c.cfg.Model.Model)
	c.session, c.sha256 = s, hex.EncodeToString(sum[:])
	return failed.close()
}
