package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"heartmark/schemas"
)

const (
	outboxPage = 256
	// maxSettle bounds how much of the outbox is compared with the log after a crash.
	maxSettle = 1 << 16
	// outboxEvery is how often Run looks at the outbox and the lists without being woken.
	outboxEvery = 5 * time.Second
)

// Append puts an entry into the log and returns its index once a published checkpoint commits to it. It is idempotent:
// the same entry gives the same index, also after a crash in the middle. Many calls at once share one write.
func (r *Registry) Append(ctx context.Context, e schemas.LogEntry) (uint64, error) {
	p := pending(e, r.now())
	index, err := r.logIndex(ctx, p.Leaf)
	if err != nil {
		return 0, err
	}
	if index == nil {
		if err := r.c.Store.Apply(ctx, Change{Pending: []Pending{p}}); err != nil {
			return 0, fmt.Errorf("store log entry: %w", err)
		}
		if index, err = r.sendUntil(ctx, p.Leaf); err != nil {
			return 0, err
		}
	}
	return *index, nil
}

// sendUntil drains the outbox, unless another call has sent the leaf while this one waited for its turn.
func (r *Registry) sendUntil(ctx context.Context, leaf string) (*uint64, error) {
	r.draining.Lock()
	defer r.draining.Unlock()
	if index, err := r.logIndex(ctx, leaf); err != nil || index != nil {
		return index, err
	}
	if err := r.drain(ctx); err != nil {
		return nil, err
	}
	index, err := r.logIndex(ctx, leaf)
	if err == nil && index == nil {
		err = fmt.Errorf("log entry %s is neither sent nor waiting: %w", leaf, ErrNotFound)
	}
	return index, err
}

func (r *Registry) logIndex(ctx context.Context, leaf string) (*uint64, error) {
	logged, err := r.c.Store.Logged(ctx, []string{leaf})
	if err != nil {
		return nil, err
	}
	if index, ok := logged[leaf]; ok {
		return &index, nil
	}
	return nil, nil
}

// Proof proves the entry at index against the newest checkpoint.
func (r *Registry) Proof(ctx context.Context, index uint64) (schemas.LogProof, error) {
	return r.c.Log.InclusionProof(ctx, index)
}

// DrainOutbox sends to the log what waits for it. One call works at a time; others wait.
func (r *Registry) DrainOutbox(ctx context.Context) error {
	r.draining.Lock()
	defer r.draining.Unlock()
	return r.drain(ctx)
}

// drain is DrainOutbox with draining held.
func (r *Registry) drain(ctx context.Context) error {
	for {
		if !r.settled {
			if err := r.settle(ctx); err != nil {
				return err
			}
		}
		batch, err := r.c.Store.Pending(ctx, outboxPage)
		if err != nil {
			return fmt.Errorf("read outbox: %w", err)
		}
		if len(batch) == 0 {
			return nil
		}
		if err := r.send(ctx, batch); err != nil {
			// Some of it may stand in the log: look before sending again.
			r.settled = false
			return err
		}
	}
}

// send appends the batch to the log and marks it.
func (r *Registry) send(ctx context.Context, batch []Pending) error {
	leaves := make([][]byte, len(batch))
	for i, p := range batch {
		leaves[i] = p.Data
	}
	r.c.Crash("outbox.before_send")
	indexes, err := r.c.Log.Append(ctx, leaves)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	r.c.Crash("outbox.after_send")
	change := Change{Logged: make([]Logged, len(batch))}
	for i, p := range batch {
		change.Logged[i] = Logged{Leaf: p.Leaf, Index: indexes[i]}
		change.LoggedSize = max(change.LoggedSize, indexes[i]+1)
	}
	if err := r.c.Store.Apply(ctx, change); err != nil {
		return fmt.Errorf("mark log entries: %w", err)
	}
	return nil
}

// settle looks in the log for entries that were appended and not marked: by a process that was killed, or by an append
// that ended in an error. It marks them, so that no statement stands twice.
func (r *Registry) settle(ctx context.Context) error {
	marked, err := r.c.Store.LoggedSize(ctx)
	if err != nil {
		return err
	}
	size, err := r.c.Log.Size(ctx)
	if err != nil {
		return fmt.Errorf("log size: %w", err)
	}
	if size < marked {
		return fmt.Errorf("log has %d entries, %d were logged: %w", size, marked, ErrLogBehind)
	}
	all, err := r.c.Store.Pending(ctx, maxSettle)
	if err != nil {
		return fmt.Errorf("read outbox: %w", err)
	}
	leaves := make([][]byte, len(all))
	for i, p := range all {
		leaves[i] = p.Data
	}
	found, err := r.c.Log.Find(ctx, marked, leaves)
	if err != nil {
		return fmt.Errorf("look into the log: %w", err)
	}
	var change Change
	for place, index := range found {
		change.Logged = append(change.Logged, Logged{Leaf: all[place].Leaf, Index: index})
	}
	for part := range slices.Chunk(change.Logged, outboxPage) {
		if err := r.c.Store.Apply(ctx, Change{Logged: part}); err != nil {
			return fmt.Errorf("mark log entries: %w", err)
		}
	}
	if len(found) > 0 {
		r.log.InfoContext(ctx, "log entries found that were not marked", slog.Int("entries", len(found)))
	}
	r.settled = true
	return nil
}

func (r *Registry) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run publishes changed and expiring lists and sends the outbox, when woken by a change and every few seconds, until ctx
// ends; it returns nil then. One Run in a process is enough.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(min(outboxEvery, r.c.PublishEvery))
	defer tick.Stop()
	for {
		err := errors.Join(r.publish(ctx, false), r.DrainOutbox(ctx))
		if err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "registry is behind: lists or log entries are waiting", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.wake:
		}
	}
}
