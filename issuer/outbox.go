package issuer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"heartmark/schemas"

	"golang.org/x/sync/errgroup"
)

const (
	// outboxPage is how many events are sent in one go. They are sent at once, because the log answers an entry when the
	// batch that it is in has become part of the tree.
	outboxPage = 256
	// outboxEvery is how often Run looks at the outbox without being woken; sweepEvery how often it settles intents that
	// were given up, such as those of permits that nobody used.
	outboxEvery = 5 * time.Second
	sweepEvery  = 10 * time.Minute
)

func (i *Issuer) wakeUp() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// Run sends the outbox whenever something is in it, tries again every few seconds what could not be sent, and settles
// intents that were given up, until ctx ends; it returns nil then. One Run in a process is enough.
func (i *Issuer) Run(ctx context.Context) error {
	tick, sweep := time.NewTicker(outboxEvery), time.NewTicker(sweepEvery)
	defer tick.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			if _, err := i.Recover(ctx); err != nil && ctx.Err() == nil {
				i.log.WarnContext(ctx, "open intents not settled", slog.Any("error", err))
			}
		case <-tick.C:
		case <-i.wake:
		}
		if err := i.DrainOutbox(ctx); err != nil && ctx.Err() == nil {
			i.log.WarnContext(ctx, "outbox not emptied", slog.Any("error", err))
		}
	}
}

// DrainOutbox sends what is in the outbox: commitments to the log, list changes to the publisher of lists. Each event is
// sent at least once; one that fails stays for the next call and does not hold up the others.
func (i *Issuer) DrainOutbox(ctx context.Context) error {
	i.drain.Lock()
	defer i.drain.Unlock()
	for {
		events, err := i.c.Store.Outbox(ctx, outboxPage)
		if err != nil {
			return fmt.Errorf("read outbox: %w", err)
		}
		if len(events) == 0 {
			return nil
		}
		i.crash(pointOutboxBeforeSend)
		sent, failed := i.send(ctx, events)
		i.crash(pointOutboxAfterSend)
		if len(sent) > 0 {
			if err := i.c.Store.Sent(ctx, sent); err != nil {
				return errors.Join(failed, fmt.Errorf("mark outbox events as sent: %w", err))
			}
		}
		if failed != nil {
			return failed
		}
	}
}

// send sends events and returns those that arrived.
func (i *Issuer) send(ctx context.Context, events []OutboxEvent) (sent []OutboxEvent, err error) {
	faults := make([]error, len(events))
	var g errgroup.Group
	g.SetLimit(outboxPage)
	var groups []schemas.ListGroup
	for n := range events {
		e := &events[n]
		switch e.Kind {
		case OutboxIssued:
			g.Go(func() error {
				index, err := i.c.Publisher.Publish(ctx, schemas.IssuedEntry(e.Commitment))
				if err != nil {
					faults[n] = fmt.Errorf("publish commitment: %w", err)
					return nil
				}
				e.LogIndex = &index
				return nil
			})
		case OutboxStatus:
			if !slices.Contains(groups, e.Group) {
				groups = append(groups, e.Group)
			}
		default:
			faults[n] = fmt.Errorf("outbox event of unknown kind %q", e.Kind)
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var lists error
	if len(groups) > 0 && i.c.Lists != nil {
		if lists = i.c.Lists.ListsChanged(ctx, groups); lists != nil {
			lists = fmt.Errorf("tell of changed lists: %w", lists)
		}
	}
	for n, e := range events {
		if faults[n] == nil && (e.Kind != OutboxStatus || lists == nil) {
			sent = append(sent, e)
		}
	}
	return sent, errors.Join(append(faults, lists)...)
}
