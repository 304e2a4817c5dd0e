//go:build cgo

package onnx

import (
	"fmt"
	"log/slog"
)

// worker runs one batch at a time on the engine in use.
type worker struct {
	c      *Classifier
	engine engine
	runner runner
	batch  batch
}

// serve runs batches until the queue is closed and empty.
func (w *worker) serve() {
	for w.c.queue.take(&w.batch, int(w.c.limit.Load()), w.engine == nil || !w.engine.cuda()) {
		w.c.metrics.queueRows.Set(float64(w.c.queue.waiting()))
		w.dropLeft()
		if len(w.batch.rows) > 0 && w.c.timed {
			w.c.metrics.wait.Observe(w.c.cfg.Now().Sub(w.batch.rows[0].queued).Seconds())
		}
		err := w.follow()
		if err == nil && len(w.batch.rows) > 0 {
			err = w.run(&w.batch)
		}
		for _, r := range w.batch.rows {
			r.call.finish(err)
		}
	}
	w.end()
}

// dropLeft takes the rows out of the batch whose callers are gone.
func (w *worker) dropLeft() {
	kept := w.batch.rows[:0]
	for _, r := range w.batch.rows {
		if r.call.left.Load() {
			r.call.finish(nil)
			continue
		}
		kept = append(kept, r)
	}
	clear(w.batch.rows[len(kept):])
	w.batch.rows = kept
}

// follow changes to the engine in use, if another one has taken over.
func (w *worker) follow() error {
	now := w.c.current()
	if w.engine == now {
		return nil
	}
	w.end()
	r, err := now.runner()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRun, err)
	}
	w.engine, w.runner = now, r
	return nil
}

func (w *worker) end() {
	if w.runner != nil {
		if err := w.runner.close(); err != nil {
			w.c.cfg.Log.Warn("classifier session is not freed", slog.String("reason", err.Error()))
		}
		w.engine, w.runner = nil, nil
	}
}

// run runs one batch and copies its outputs to the rows. When CUDA has no memory for it, its halves are run and batches
// stay that small; when CUDA fails otherwise, or for a single row, the CPU takes over for good and runs it.
func (w *worker) run(b *batch) error {
	started := w.c.cfg.Now()
	outputs, err := w.runner.run(b)
	if err == nil {
		for i, r := range b.rows {
			at := 0
			for _, o := range outputs {
				at += copy(r.out[at:], o.data[i*o.width:(i+1)*o.width])
			}
		}
		w.c.metrics.ran(b, started, w.c.cfg.Now())
		return nil
	}
	if !w.engine.cuda() {
		return fmt.Errorf("%w: %w", ErrRun, err)
	}
	if n := len(b.rows); n > 1 && memoryFault(err) {
		half := n / 2
		w.c.shrink(half, err)
		for _, rows := range [][]row{b.rows[:half], b.rows[half:]} {
			if err := w.run(&batch{want: b.want, bucket: b.bucket, rows: rows}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := w.c.fallBack(w.engine, err); err != nil {
		return err
	}
	if err := w.follow(); err != nil {
		return err
	}
	return w.run(b)
}
