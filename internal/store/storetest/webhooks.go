package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"heartmark/registry/webhooks"
)

func subscription(tenant, id string, version uint64) webhooks.Subscription {
	return webhooks.Subscription{
		ID: id, Tenant: tenant, Version: version, URL: "https://a.example/hook", Kinds: []string{"key"}, Secret: []byte{1, 2},
		Created: registryTime(), Next: 10 * version,
	}
}

// Webhooks checks a webhooks.Store. open returns an empty one.
func Webhooks(t *testing.T, open func(t *testing.T) webhooks.Store) {
	t.Run("subscriptions", func(t *testing.T) { webhookSubscriptions(t, open(t)) })
	t.Run("dead letters", func(t *testing.T) { webhookDead(t, open(t)) })
	t.Run("races", func(t *testing.T) { webhookRaces(t, open(t)) })
}

func webhookSubscriptions(t *testing.T, s webhooks.Store) {
	ctx := t.Context()
	for _, sub := range []webhooks.Subscription{
		subscription("acme", "b", 1), subscription("acme", "a", 1), subscription("acme", "a", 2), subscription("acm", "c", 1), subscription("acmee", "d", 1),
	} {
		must(t, s.PutSubscription(ctx, sub, nil))
	}
	for _, sub := range []webhooks.Subscription{subscription("acme", "a", 2), subscription("acme", "a", 4), subscription("acme", "x", 2), subscription("acme", "a", 0)} {
		if err := s.PutSubscription(ctx, sub, nil); !errors.Is(err, webhooks.ErrStale) {
			t.Errorf("version %d of %s: %v, want ErrStale", sub.Version, sub.ID, err)
		}
	}
	got, err := s.Subscription(ctx, "acme", "a")
	if err != nil || got.Version != 2 || got.Next != 20 || !got.Created.Equal(registryTime()) || len(got.Kinds) != 1 || len(got.Secret) != 2 {
		t.Errorf("Subscription(acme, a) = %+v, %v", got, err)
	}
	for _, id := range [][2]string{{"acme", "c"}, {"acm", "a"}, {"acme", "z"}} {
		if _, err := s.Subscription(ctx, id[0], id[1]); !errors.Is(err, webhooks.ErrNotFound) {
			t.Errorf("Subscription(%v): %v, want ErrNotFound", id, err)
		}
	}
	all, err := s.Subscriptions(ctx, "acme", "", 10)
	must(t, err)
	after, err := s.Subscriptions(ctx, "acme", "a", 10)
	must(t, err)
	one, err := s.Subscriptions(ctx, "acme", "", 1)
	must(t, err)
	if len(all) != 2 || all[0].ID != "a" || len(after) != 1 || after[0].ID != "b" || len(one) != 1 {
		t.Errorf("Subscriptions: %d, after a %d, limited %d", len(all), len(after), len(one))
	}
	must(t, s.DeleteSubscription(ctx, "acme", "a"))
	must(t, s.DeleteSubscription(ctx, "acme", "a"))
	if _, err := s.Subscription(ctx, "acme", "a"); !errors.Is(err, webhooks.ErrNotFound) {
		t.Errorf("deleted: %v, want ErrNotFound", err)
	}
	if err := s.PutSubscription(ctx, subscription("acme", "a", 3), nil); !errors.Is(err, webhooks.ErrStale) {
		t.Errorf("change of what was deleted: %v, want ErrStale", err)
	}
}

func webhookDead(t *testing.T, s webhooks.Store) {
	ctx := t.Context()
	dead := func(event uint64) *webhooks.Dead {
		return &webhooks.Dead{Event: event, Kind: "key", Subject: "x", Error: fmt.Sprint("e", event), At: registryTime(), Attempts: 3}
	}
	must(t, s.PutSubscription(ctx, subscription("acme", "a", 1), dead(300)))
	must(t, s.PutSubscription(ctx, subscription("acme", "a", 2), dead(7)))
	must(t, s.PutSubscription(ctx, subscription("acme", "ab", 1), dead(8)))
	if err := s.PutSubscription(ctx, subscription("acme", "a", 2), dead(9)); !errors.Is(err, webhooks.ErrStale) {
		t.Errorf("stale with a dead letter: %v", err)
	}
	got, err := s.DeadLetters(ctx, "acme", "a", 0, 10)
	if err != nil || len(got) != 2 || got[0].Event != 7 || got[1].Event != 300 || got[0].Error != "e7" || !got[0].At.Equal(registryTime()) {
		t.Errorf("DeadLetters = %+v, %v", got, err)
	}
	from, err := s.DeadLetters(ctx, "acme", "a", 8, 10)
	must(t, err)
	one, err := s.DeadLetters(ctx, "acme", "a", 7, 1)
	must(t, err)
	if len(from) != 1 || from[0].Event != 300 || len(one) != 1 || one[0].Event != 7 {
		t.Errorf("from 8: %+v, limited: %+v", from, one)
	}
	must(t, s.RemoveDead(ctx, "acme", "a", 7))
	must(t, s.RemoveDead(ctx, "acme", "a", 7))
	must(t, s.DeleteSubscription(ctx, "acme", "a"))
	left, err := s.DeadLetters(ctx, "acme", "a", 0, 10)
	must(t, err)
	other, err := s.DeadLetters(ctx, "acme", "ab", 0, 10)
	must(t, err)
	if len(left) != 0 || len(other) != 1 {
		t.Errorf("after deletion: %d, another's %d", len(left), len(other))
	}
}

// webhookRaces lets many write the next version: one does.
func webhookRaces(t *testing.T, s webhooks.Store) {
	must(t, s.PutSubscription(t.Context(), subscription("acme", "a", 1), nil))
	var wg sync.WaitGroup
	results := make(chan error, 16)
	for range cap(results) {
		wg.Go(func() { results <- s.PutSubscription(t.Context(), subscription("acme", "a", 2), nil) })
	}
	wg.Wait()
	close(results)
	good := 0
	for err := range results {
		if err == nil {
			good++
		} else if !errors.Is(err, webhooks.ErrStale) {
			t.Errorf("a racing write: %v, want ErrStale", err)
		}
	}
	if good != 1 {
		t.Errorf("%d writers made version 2, want 1", good)
	}
}
