package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"heartmark/registry"

	"golang.org/x/sync/errgroup"
)

// Run serves the subscriptions until ctx ends; it returns nil then.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(runEvery)
	defer tick.Stop()
	for {
		if err := s.Deliver(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.ErrorContext(ctx, "webhooks are waiting", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Deliver sends what is due, once. A receiver that fails is no error: it is noted and tried again later.
func (s *Service) Deliver(ctx context.Context) error {
	tenants, err := s.c.Tenants(ctx)
	if err != nil {
		return fmt.Errorf("tenants: %w", err)
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, tenant := range tenants {
		subs, err := s.c.Store.Subscriptions(ctx, tenant, "", maxPerTenant)
		if err != nil {
			return errors.Join(fmt.Errorf("webhooks of %s: %w", tenant, err), g.Wait())
		}
		for _, sub := range subs {
			g.Go(func() error { return s.serve(ctx, sub) })
		}
	}
	return g.Wait()
}

// serve sends one subscriber what is due, in order, until one fails.
func (s *Service) serve(ctx context.Context, sub Subscription) error {
	began := s.now()
	for range burst {
		if now := s.now(); sub.Gone || now.Before(sub.RetryAt) || now.Sub(began) > turn {
			return nil
		}
		page, next, err := s.c.Events.Events(ctx, sub.Next, 1)
		if err != nil {
			return err
		}
		if next == sub.Next {
			return nil
		}
		var dead *Dead
		if len(page) == 1 && (len(sub.Kinds) == 0 || slices.Contains(sub.Kinds, page[0].Kind)) {
			dead = s.attempt(ctx, &sub, page[0])
			if ctx.Err() != nil {
				return nil // the end of this process says nothing about the receiver
			}
		}
		if sub.Attempts == 0 {
			sub.Next = next
		}
		sub.Version++
		err = s.c.Store.PutSubscription(ctx, sub, dead)
		if errors.Is(err, ErrStale) {
			return nil // it was changed or deleted meanwhile: the next round sees how
		}
		if err != nil {
			return fmt.Errorf("webhook %s: %w", sub.ID, err)
		}
	}
	return nil
}

// attempt sends one event and notes in sub how it went; after the last attempt it returns the dead letter.
func (s *Service) attempt(ctx context.Context, sub *Subscription, e registry.Event) *Dead {
	now := s.now()
	failure := ""
	m, err := s.message(ctx, *sub, e, now)
	if err != nil {
		failure = "the request could not be signed"
		s.c.Log.ErrorContext(ctx, "webhook is not signed", slog.String("webhook", sub.ID), slog.Any("error", err))
	} else {
		status, err := s.c.Sender.Send(ctx, m)
		switch {
		case err == nil && status >= 200 && status < 300:
			sub.Attempts, sub.RetryAt, sub.LastError = 0, time.Time{}, ""
			if err := s.c.Store.RemoveDead(ctx, sub.Tenant, sub.ID, e.Index); err != nil {
				s.c.Log.WarnContext(ctx, "dead letter stays", slog.String("webhook", sub.ID), slog.Any("error", err))
			}
			return nil
		case status == http.StatusGone:
			sub.Gone, failure = true, "the receiver is gone (410)"
		case status != 0:
			failure = fmt.Sprintf("answered with %d", status)
		default:
			failure = "no answer" // why is not told: it would make this a probe of other networks
		}
	}
	sub.Attempts++
	sub.LastError, sub.RetryAt = failure, now.Add(wait(sub.Attempts))
	if sub.Attempts < maxAttempts || sub.Gone {
		return nil
	}
	dead := &Dead{Event: e.Index, Kind: e.Kind, Subject: e.Subject, Error: failure, At: now, Attempts: sub.Attempts}
	sub.Attempts, sub.RetryAt = 0, time.Time{}
	return dead
}

// wait is how long after the nth failure the next attempt comes: 2 s, 6 s, 18 s, … at most two hours.
func wait(attempts int) time.Duration {
	d := firstWait
	for range attempts - 1 {
		d = min(3*d, longestWait)
	}
	return d
}
