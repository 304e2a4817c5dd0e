package badger

import (
	"context"
	"errors"
	"fmt"

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

// maxTenants bounds a listing.
const maxTenants = 10000

func tenantKey(id string) []byte   { return table(partTenant, 't').text(id) }
func tenantsPrefix() []byte        { return table(partTenant, 't') }
func apiKeyKey(hash string) []byte { return table(partTenant, 'k').text(hash) }

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
