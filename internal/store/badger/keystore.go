package badger

import (
	"context"
	"errors"
	"fmt"

	"heartmark/internal/keys"
	"heartmark/schemas"

	badgerdb "github.com/dgraph-io/badger/v4"
)

var _ keys.Store = (*DB)(nil)

// maxKeys bounds how many keys of one tenant are listed.
const maxKeys = 10000

// PutKey implements keys.Store.
func (db *DB) PutKey(ctx context.Context, rec keys.Record) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		var have keys.Record
		err := getJSON(txn, keyRecord(string(rec.ID)), &have)
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		if have.Version != rec.Version-1 || (have.Version > 0 && have.Tenant != rec.Tenant) {
			return fmt.Errorf("key %s, version %d over %d: %w", rec.ID, rec.Version, have.Version, keys.ErrConflict)
		}
		return errors.Join(
			putJSON(txn, keyRecord(string(rec.ID)), rec),
			txn.Set(keyByTenant(rec.Tenant, string(rec.ID)), nil),
		)
	})
}

// GetKey implements keys.Store.
func (db *DB) GetKey(ctx context.Context, id schemas.KeyID) (keys.Record, error) {
	var rec keys.Record
	err := db.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, keyRecord(string(id)), &rec) })
	if errors.Is(err, errNotFound) {
		return keys.Record{}, fmt.Errorf("key %s: %w", id, keys.ErrNotFound)
	}
	return rec, err
}

// ListKeys implements keys.Store.
func (db *DB) ListKeys(ctx context.Context, tenant string) ([]keys.Record, error) {
	var out []keys.Record
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		prefix := keyTenantPrefix(tenant)
		return scan(txn, prefix, nil, maxKeys, func(key, _ []byte) error {
			id, _ := cut(key[len(prefix):])
			var rec keys.Record
			if err := getJSON(txn, keyRecord(id), &rec); err != nil {
				return err
			}
			out = append(out, rec)
			return nil
		})
	})
	return out, err
}

// DeleteKey implements keys.Store.
func (db *DB) DeleteKey(ctx context.Context, id schemas.KeyID) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		var rec keys.Record
		err := getJSON(txn, keyRecord(string(id)), &rec)
		if errors.Is(err, errNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return errors.Join(txn.Delete(keyRecord(string(id))), txn.Delete(keyByTenant(rec.Tenant, string(id))))
	})
}
