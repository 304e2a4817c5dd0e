package badger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"heartmark/schemas"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Errors of the tenants' table.
var (
	// ErrNoTenant is returned for a tenant or API key that is not there.
	ErrNoTenant = errors.New("no such tenant or API key")
	// ErrTenantExists is returned when a tenant's id is taken.
	ErrTenantExists = errors.New("tenant exists")
)

// maxTenants and maxAPIKeys bound a listing.
const (
	maxTenants = 10_000
	maxAPIKeys = 100_000
)

func tenantKey(id string) []byte   { return table(partTenant, 't').text(id) }
func tenantsPrefix() []byte        { return table(partTenant, 't') }
func apiKeyKey(hash string) []byte { return table(partTenant, 'k').text(hash) }
func apiKeysPrefix() []byte        { return table(partTenant, 'k') }

// CreateTenant stores a new tenant durably, or returns ErrTenantExists.
func (db *DB) CreateTenant(ctx context.Context, t schemas.Tenant) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		taken, err := exists(txn, tenantKey(t.ID))
		if err != nil {
			return err
		}
		if taken {
			return fmt.Errorf("tenant %s: %w", t.ID, ErrTenantExists)
		}
		return putJSON(txn, tenantKey(t.ID), t)
	})
}

// Tenant returns a tenant, or ErrNoTenant.
func (db *DB) Tenant(ctx context.Context, id string) (schemas.Tenant, error) {
	var t schemas.Tenant
	err := db.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, tenantKey(id), &t) })
	if errors.Is(err, errNotFound) {
		return schemas.Tenant{}, fmt.Errorf("tenant %s: %w", id, ErrNoTenant)
	}
	return t, err
}

// Tenants returns all tenants in the order of their ids.
func (db *DB) Tenants(ctx context.Context) ([]schemas.Tenant, error) {
	var out []schemas.Tenant
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, tenantsPrefix(), nil, maxTenants, func(_, value []byte) error {
			var t schemas.Tenant
			if err := decode(value, &t); err != nil {
				return err
			}
			out = append(out, t)
			return nil
		})
	})
	return out, err
}

// SetReview changes a tenant's review policy durably, or returns ErrNoTenant.
func (db *DB) SetReview(ctx context.Context, id string, p schemas.ReviewPolicy) error {
	err := db.update(ctx, func(txn *badgerdb.Txn) error {
		var t schemas.Tenant
		if err := getJSON(txn, tenantKey(id), &t); err != nil {
			return err
		}
		t.Review = p
		return putJSON(txn, tenantKey(id), t)
	})
	if errors.Is(err, errNotFound) {
		return fmt.Errorf("tenant %s: %w", id, ErrNoTenant)
	}
	return err
}

// PutAPIKey stores an API key durably under its digest.
func (db *DB) PutAPIKey(ctx context.Context, k schemas.APIKey) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error { return putJSON(txn, apiKeyKey(k.Hash), k) })
}

// APIKey returns the key with that digest, or ErrNoTenant.
func (db *DB) APIKey(ctx context.Context, hash string) (schemas.APIKey, error) {
	var k schemas.APIKey
	err := db.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, apiKeyKey(hash), &k) })
	if errors.Is(err, errNotFound) {
		return schemas.APIKey{}, fmt.Errorf("API key: %w", ErrNoTenant)
	}
	return k, err
}

// APIKeys returns the keys of a tenant, revoked and expired ones too, in the order in which they were made.
func (db *DB) APIKeys(ctx context.Context, tenant string) ([]schemas.APIKey, error) {
	var out []schemas.APIKey
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, apiKeysPrefix(), nil, maxAPIKeys, func(_, value []byte) error {
			var k schemas.APIKey
			if err := decode(value, &k); err != nil {
				return err
			}
			if k.Tenant == tenant {
				out = append(out, k)
			}
			return nil
		})
	})
	slices.SortFunc(out, func(a, b schemas.APIKey) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, err
}
