package onnx

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"heartmark/assessment/text"
)

func newRow(c *call, tokens int) row { return row{call: c, ids: make([]int64, tokens)} }

func TestFillPadsToTheBucket(t *testing.T) {
	t.Parallel()
	ids, mask := []int64{9, 9, 9, 9, 9, 9, 9}, []int64{9, 9, 9, 9, 9, 9, 9}
	fill(ids, mask, []row{{ids: []int64{7, 8}}, {ids: []int64{5}}}, 3)
	if want := []int64{7, 8, text.IDPad, 5, text.IDPad, text.IDPad, 9}; !slices.Equal(ids, want) {
		t.Errorf("ids = %v, want %v", ids, want)
	}
	if want := []int64{1, 1, 0, 1, 0, 0, 9}; !slices.Equal(mask, want) {
		t.Errorf("mask = %v, want %v", mask, want)
	}
}

// Rows of many lengths and calls leave the queue once each, in full batches of one bucket, the oldest lane first.
func TestQueueBatchesByBucket(t *testing.T) {
	t.Parallel()
	q := newQueue(1000)
	calls := []*call{newCall(wantHeads, 500, 500), newCall(wantVectors, 500, 500)}
	for i := range 500 {
		for _, c := range calls {
			if !q.tryReserve() {
				t.Fatal("no room")
			}
			q.push(c.want, []row{newRow(c, 2+(i*7)%198)}, time.Time{})
		}
	}
	q.close()
	var b batch
	rows, oldest := 0, uint64(0)
	for q.take(&b, MaxBatch, true) {
		if len(b.rows) == 0 || len(b.rows) > capacity(b.length()) || len(b.rows)*b.length() > tokensPerRun {
			t.Fatalf("batch of %d rows of length %d", len(b.rows), b.length())
		}
		if b.rows[0].order < oldest {
			t.Errorf("batch from row %d after one from row %d", b.rows[0].order, oldest)
		}
		oldest = b.rows[0].order
		for i, r := range b.rows {
			if r.call.want != b.want || len(r.ids) > b.length() || i > 0 && r.order <= b.rows[i-1].order {
				t.Errorf("row %d of %d tokens in a batch of want %d and length %d", r.order, len(r.ids), b.want, b.length())
			}
		}
		rows += len(b.rows)
	}
	if rows != 1000 || q.waiting() != 0 {
		t.Errorf("%d rows came out and %d tokens stay, want 1000 and 0", rows, q.waiting())
	}
}

// An idle worker gets a row at once; idle workers share what they could do at the same time; a limit holds.
func TestQueueTake(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name         string
		idle, rows   int
		limit        int
		share        bool
		first, after int
	}{
		{"one row", 1, 1, MaxBatch, true, 1, 0},
		{"shared", 1, 9, MaxBatch, true, 5, 4},
		{"not shared", 1, 9, MaxBatch, false, 9, 0},
		{"limited", 0, 9, 4, true, 4, 5},
		{"full", 0, 40, MaxBatch, true, 32, 8},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(100)
			c := newCall(wantHeads, 100, 100)
			for range k.rows {
				q.tryReserve()
				q.push(wantHeads, []row{newRow(c, 10)}, time.Time{})
			}
			q.idle = k.idle
			var b batch
			if !q.take(&b, k.limit, k.share) || len(b.rows) != k.first || q.waiting() != k.after {
				t.Errorf("take of %d rows = %d, %d left, want %d, %d", k.rows, len(b.rows), q.waiting(), k.first, k.after)
			}
		})
	}
}

// A sender that finds the queue full waits for room, ends with its context, and leaves no room taken.
func TestSenderWaitsForRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(3)
		s := &sender{call: newCall(wantHeads, 8, 8), queue: q, now: time.Now}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		sent := make(chan error)
		go func() {
			var err error
			for range 5 {
				if err = s.add(ctx, newRow(nil, 10)); err != nil {
					break
				}
			}
			sent <- err
		}()
		synctest.Wait() // the sender stands at the fourth row
		if q.waiting() != 3 {
			t.Errorf("%d rows wait, want 3", q.waiting())
		}
		var b batch
		if !q.take(&b, 1, false) || len(b.rows) != 1 {
			t.Fatal("nothing to take")
		}
		b.rows[0].call.finish(nil)
		if err := <-sent; !errors.Is(err, context.DeadlineExceeded) || !s.call.left.Load() {
			t.Errorf("add to a full queue = %v, left %v, want the deadline and true", err, s.call.left.Load())
		}
		q.close()
		for q.take(&b, MaxBatch, false) {
			continue
		}
		if q.waiting() != 0 {
			t.Errorf("room for %d rows is lost", q.waiting())
		}
	})
}

// A call waits for all its rows, tells the first failure, and lets no more than its window be under way.
func TestCallWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(100)
		s := &sender{call: newCall(wantHeads, 50, 4), queue: q, now: time.Now}
		failure := errors.New("broken")
		done := make(chan error)
		go func() {
			for range 10 {
				if err := s.add(t.Context(), newRow(nil, 10)); err != nil {
					done <- err
					return
				}
			}
			s.flush()
			done <- s.call.wait(t.Context())
		}()
		synctest.Wait()
		if q.waiting() != 4 {
			t.Errorf("%d rows wait, want the window of 4", q.waiting())
		}
		var b batch
		for n := range 10 {
			if !q.take(&b, 1, false) {
				t.Fatal("queue is closed")
			}
			var err error
			if n == 9 {
				err = failure
			}
			b.rows[0].call.finish(err)
			synctest.Wait()
		}
		if err := <-done; !errors.Is(err, failure) {
			t.Errorf("wait = %v, want the failure of the last row", err)
		}
	})
}
