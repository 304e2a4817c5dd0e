package badger

import (
	"context"
	"errors"
	"fmt"

	"heartmark/registry/webhooks"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Webhooks is the store of webhooks in an open folder.
type Webhooks struct{ db *DB }

var _ webhooks.Store = Webhooks{}

// Webhooks returns the store of webhooks.
func (db *DB) Webhooks() Webhooks { return Webhooks{db} }

func webhooksPrefix(tenant string) []byte { return table(partRegistry, 'w').text(tenant) }
func webhookKey(tenant, id string) []byte { return table(partRegistry, 'w').text(tenant).text(id) }
func deadPrefix(tenant, id string) []byte { return table(partRegistry, 'f').text(tenant).text(id) }
func deadKey(tenant, id string, event uint64) []byte {
	return table(partRegistry, 'f').text(tenant).text(id).number(event)
}

// PutSubscription implements webhooks.Store.
func (s Webhooks) PutSubscription(ctx context.Context, sub webhooks.Subscription, dead *webhooks.Dead) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		var last webhooks.Subscription
		err := getJSON(txn, webhookKey(sub.Tenant, sub.ID), &last)
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		if sub.Version != last.Version+1 {
			return fmt.Errorf("webhook %s: %w", sub.ID, webhooks.ErrStale)
		}
		if dead != nil {
			if err := putJSON(txn, deadKey(sub.Tenant, sub.ID, dead.Event), dead); err != nil {
				return err
			}
		}
		return putJSON(txn, webhookKey(sub.Tenant, sub.ID), sub)
	})
}

// Subscription implements webhooks.Store.
func (s Webhooks) Subscription(ctx context.Context, tenant, id string) (out webhooks.Subscription, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		err := getJSON(txn, webhookKey(tenant, id), &out)
		if errors.Is(err, errNotFound) {
			return fmt.Errorf("webhook: %w", webhooks.ErrNotFound)
		}
		return err
	})
	return out, err
}

// Subscriptions implements webhooks.Store. Ids are of one length, so that their order is that of the keys.
func (s Webhooks) Subscriptions(ctx context.Context, tenant, after string, limit int) (out []webhooks.Subscription, err error) {
	from := afterKey(after, func(id string) []byte { return webhookKey(tenant, id) })
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		out, err = readPage[webhooks.Subscription](txn, webhooksPrefix(tenant), from, limit)
		return err
	})
	return out, err
}

// DeleteSubscription implements webhooks.Store.
func (s Webhooks) DeleteSubscription(ctx context.Context, tenant, id string) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		return errors.Join(drop(txn, deadPrefix(tenant, id), maxVersions), txn.Delete(webhookKey(tenant, id)))
	})
}

// DeadLetters implements webhooks.Store.
func (s Webhooks) DeadLetters(ctx context.Context, tenant, id string, from uint64, limit int) (out []webhooks.Dead, err error) {
	var after []byte
	if from > 0 {
		after = deadKey(tenant, id, from-1)
	}
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		out, err = readPage[webhooks.Dead](txn, deadPrefix(tenant, id), after, limit)
		return err
	})
	return out, err
}

// RemoveDead implements webhooks.Store.
func (s Webhooks) RemoveDead(ctx context.Context, tenant, id string, event uint64) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error { return txn.Delete(deadKey(tenant, id, event)) })
}

// readPage decodes up to limit records under prefix after the key after.
func readPage[T any](txn *badgerdb.Txn, prefix, after []byte, limit int) ([]T, error) {
	var out []T
	err := scan(txn, prefix, after, limit, func(_, value []byte) error {
		var v T
		if err := decode(value, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	return out, err
}
