package badger

import (
	"context"
	"errors"

	"heartmark/verifier/policies"

	badgerdb "github.com/dgraph-io/badger/v4"
)

var _ policies.Store = (*DB)(nil)

func policiesPrefix(tenant string) []byte { return table(partVerifier, 'p').text(tenant) }
func policyPrefix(tenant, name string) []byte {
	return table(partVerifier, 'p').text(tenant).text(name)
}

func policyKey(tenant, name string, v int) []byte {
	return table(partVerifier, 'p').text(tenant).text(name).number(uint64(v))
}

// AddPolicy implements policies.Store.
func (db *DB) AddPolicy(ctx context.Context, s policies.Stored) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		key := policyKey(s.Tenant, s.Name, s.Version)
		taken, err := exists(txn, key)
		if err != nil {
			return err
		}
		if taken {
			return policies.ErrVersion
		}
		return putJSON(txn, key, s)
	})
}

// PolicyVersion implements policies.Store.
func (db *DB) PolicyVersion(ctx context.Context, tenant, name string, version int) (policies.Stored, error) {
	var s policies.Stored
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		key := policyKey(tenant, name, version)
		if version == 0 {
			if key = last(txn, policyPrefix(tenant, name)); key == nil {
				return errNotFound
			}
		}
		return getJSON(txn, key, &s)
	})
	if errors.Is(err, errNotFound) {
		err = policies.ErrNotFound
	}
	return s, err
}

// NewestPolicies implements policies.Store. It goes from name to name, however many versions each has.
func (db *DB) NewestPolicies(ctx context.Context, tenant string, limit int) ([]policies.Stored, error) {
	var out []policies.Stored
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		var after []byte
		for len(out) < limit {
			name := ""
			err := scan(txn, policiesPrefix(tenant), after, 1, func(key, _ []byte) error {
				name, _ = cut(key[len(policiesPrefix(tenant)):])
				return nil
			})
			if err != nil || name == "" {
				return err
			}
			if after = last(txn, policyPrefix(tenant, name)); after == nil {
				return nil
			}
			var s policies.Stored
			if err := getJSON(txn, after, &s); err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}
