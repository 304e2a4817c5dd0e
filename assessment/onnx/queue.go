package onnx

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue holds the rows of all calls, in lanes of one want and one bucket. It never keeps a row while a worker is idle:
// rows that come while all workers run gather in their lane and share the next batch, whichever call they are of.
// So an idle classifier adds no wait, and a busy one fills its batches without a timer.
type queue struct {
	room chan struct{} // one token a row that waits; blocks the caller when full

	mu     sync.Mutex // guards all below; held for a few appends, never across a run
	some   *sync.Cond // a row came, the queue was closed or the workers are called
	lanes  []lane     // want by want, bucket by bucket
	order  uint64
	idle   int
	epoch  int // how often the workers were called
	closed bool
}

// lane is a first-in first-out list of rows of one want and one bucket.
type lane struct {
	want   want
	bucket int
	rows   []row
}

// batch is what one run computes.
type batch struct {
	want   want
	bucket int
	rows   []row
	epoch  int
}

func (b *batch) length() int { return buckets()[b.bucket] }

func newQueue(rows int) *queue {
	q := &queue{room: make(chan struct{}, rows)}
	q.some = sync.NewCond(&q.mu)
	for w := range want(wants) {
		for bucket := range buckets() {
			q.lanes = append(q.lanes, lane{want: w, bucket: bucket})
		}
	}
	return q
}

// tryReserve takes room for one row if there is some now.
func (q *queue) tryReserve() bool {
	select {
	case q.room <- struct{}{}:
		return true
	default:
		return false
	}
}

// reserve waits for room for one row. Whoever waits must have pushed the rows it has room for: they free it.
func (q *queue) reserve(ctx context.Context) error {
	select {
	case q.room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// push hands over rows that have room, all of one want.
func (q *queue) push(w want, rows []row, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range rows {
		r.order, r.queued = q.order, now
		q.order++
		l := &q.lanes[int(w)*len(buckets())+bucketOf(len(r.ids))]
		l.rows = append(l.rows, r)
	}
	q.some.Broadcast()
}

// take waits for rows and moves a batch of them into b: from the lane whose first row is the oldest, at most limit rows.
// With share, a lane that all idle workers could empty at once is cut into equal parts for them. b is left without rows
// when the workers were called since its last batch. take answers false when the queue is closed and empty.
func (q *queue) take(b *batch, limit int, share bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(b.rows)
	b.rows = b.rows[:0]
	l := q.oldest()
	for l == nil {
		if q.closed {
			return false
		}
		if q.epoch != b.epoch {
			b.epoch = q.epoch
			return true
		}
		q.idle++
		q.some.Wait()
		q.idle--
		l = q.oldest()
	}
	n := len(l.rows)
	if share {
		n = (n + q.idle) / (q.idle + 1)
	}
	n = min(n, max(1, min(limit, capacity(buckets()[l.bucket]))))
	b.want, b.bucket, b.epoch = l.want, l.bucket, q.epoch
	b.rows = append(b.rows, l.rows[:n]...)
	l.rows = slices.Delete(l.rows, 0, n)
	for range n {
		<-q.room
	}
	return true
}

func (q *queue) oldest() *lane {
	var first *lane
	for i := range q.lanes {
		l := &q.lanes[i]
		if len(l.rows) > 0 && (first == nil || l.rows[0].order < first.rows[0].order) {
			first = l
		}
	}
	return first
}

// call wakes the idle workers without a batch, so that they see what has changed.
func (q *queue) call() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.epoch++
	q.some.Broadcast()
}

// close lets the workers end when nothing waits any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.some.Broadcast()
}

// waiting is the number of rows that wait or are about to.
func (q *queue) waiting() int { return len(q.room) }
