package onnx

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// call is one call of Classify or Vectors: what its rows share.
type call struct {
	want want
	// slots bounds the rows of this call that wait or run, so that a call with much text leaves room for others between its
	// batches: the caller puts one in before it hands over a row, the worker takes one out when the row is done. Filling
	// all slots is therefore waiting for all rows.
	slots chan struct{}
	left  atomic.Bool // the caller is gone: rows that still wait need not run

	mu      sync.Mutex // guards failure
	failure error      // the first
}

// newCall makes a call of at most rows rows, of which at most window are under way at a time.
func newCall(w want, rows, window int) *call {
	return &call{want: w, slots: make(chan struct{}, max(1, min(rows, window)))}
}

// finish tells that one row is done, or why it cannot be.
func (c *call) finish(err error) {
	if err != nil {
		c.mu.Lock()
		if c.failure == nil {
			c.failure = err
		}
		c.mu.Unlock()
	}
	<-c.slots
}

func (c *call) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// wait returns when all rows are done, or when ctx ends: then the rows that still wait are given up.
func (c *call) wait(ctx context.Context) error {
	for range cap(c.slots) {
		if err := c.slot(ctx); err != nil {
			return err
		}
	}
	return c.err()
}

func (c *call) slot(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		c.left.Store(true)
		return ctx.Err()
	}
}

func (c *call) trySlot() bool {
	select {
	case c.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// sender hands the rows of one call to the queue, many at a time.
type sender struct {
	call    *call
	queue   *queue
	now     func() time.Time
	pending []row // they have room and a slot
}

// add hands over one row, now or with the next ones. It waits while the call or the queue is full.
func (s *sender) add(ctx context.Context, r row) error {
	r.call = s.call
	if !s.call.trySlot() {
		s.flush()
		if err := s.call.slot(ctx); err != nil {
			return err
		}
	}
	if !s.queue.tryReserve() {
		s.flush()
		if err := s.queue.reserve(ctx); err != nil {
			s.call.left.Store(true)
			return err
		}
	}
	s.pending = append(s.pending, r)
	if len(s.pending) == MaxBatch {
		s.flush()
	}
	if err := s.call.err(); err != nil {
		s.call.left.Store(true)
		s.flush() // they hold room
		return err
	}
	return nil
}

func (s *sender) flush() {
	if len(s.pending) > 0 {
		s.queue.push(s.call.want, s.pending, s.now())
		clear(s.pending)
		s.pending = s.pending[:0]
	}
}
