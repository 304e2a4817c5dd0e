package badger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/registry"
	"heartmark/schemas"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// registryError turns a missing key into the registry's sentinel.
func registryError(what string, err error) error {
	if errors.Is(err, errNotFound) {
		return fmt.Errorf("%s: %w", what, registry.ErrNotFound)
	}
	return err
}

// Authorities implements registry.AuthorityStore.
func (s Registry) Authorities(ctx context.Context, entity string) (out []registry.Authority, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		out, err = readRows[registry.Authority](txn, authorityPrefix(entity))
		return err
	})
	return out, err
}

// AuthorityByID implements registry.AuthorityStore.
func (s Registry) AuthorityByID(ctx context.Context, id string) (out []registry.Authority, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		entity, err := get(txn, authorityEntityKey(id))
		if err != nil {
			return registryError("authority", err)
		}
		out, err = readRows[registry.Authority](txn, authorityIDPrefix(string(entity), id))
		return err
	})
	return out, err
}

// Entities implements registry.AuthorityStore.
func (s Registry) Entities(ctx context.Context, after string, limit int) ([]string, error) {
	return s.db.values(ctx, entitiesPrefix(), afterKey(after, entityKey), limit)
}

// Resources implements registry.AuthorityStore.
func (s Registry) Resources(ctx context.Context, after string, limit int) ([]string, error) {
	return s.db.values(ctx, resourcesPrefix(), afterKey(after, resourceKey), limit)
}

// HasResource implements registry.AuthorityStore.
func (s Registry) HasResource(ctx context.Context, resource string) (ok bool, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		ok, err = exists(txn, resourceKey(resource))
		return err
	})
	return ok, err
}

// Keys implements registry.KeyStore.
func (s Registry) Keys(ctx context.Context, id string) (out []registry.Key, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		out, err = readRows[registry.Key](txn, didKeysPrefix(id))
		return err
	})
	return out, err
}

// KeyDIDs implements registry.KeyStore.
func (s Registry) KeyDIDs(ctx context.Context, after string, limit int) ([]string, error) {
	return s.db.values(ctx, keyDIDsPrefix(), afterKey(after, keyDIDKey), limit)
}

// Artefact implements registry.ArtefactStore.
func (s Registry) Artefact(ctx context.Context, kind registry.Kind, name string) (out registry.Artefact, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return registryError("artefact", getJSON(txn, artefactKey(string(kind), name), &out))
	})
	return out, err
}

// Artefacts implements registry.ArtefactStore.
func (s Registry) Artefacts(ctx context.Context, kind registry.Kind, after string, limit int) (out []registry.Artefact, err error) {
	from := afterKey(after, func(name string) []byte { return artefactKey(string(kind), name) })
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		out = nil
		return scan(txn, artefactsPrefix(string(kind)), from, limit, func(_, value []byte) error {
			var a registry.Artefact
			if err := decode(value, &a); err != nil {
				return err
			}
			a.Data = nil
			out = append(out, a)
			return nil
		})
	})
	return out, err
}

// ListVersion implements registry.Store.
func (s Registry) ListVersion(
	ctx context.Context, group schemas.ListGroup, purpose string, at time.Time,
) (out registry.ListVersion, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		key := last(txn, listPrefix(string(group), purpose))
		if !at.IsZero() {
			var err error
			if key, err = listKeyAt(txn, string(group), purpose, at); err != nil {
				return registryError("status list", err)
			}
		}
		if key == nil {
			return registryError("status list", errNotFound)
		}
		return registryError("status list", getJSON(txn, key, &out))
	})
	return out, err
}

// listKeyAt returns the key of the newest version valid from at or before.
func listKeyAt(txn *badgerdb.Txn, group, purpose string, at time.Time) ([]byte, error) {
	prefix := listTimePrefix(group, purpose)
	opts := badgerdb.DefaultIteratorOptions
	opts.Prefix = prefix
	opts.Reverse = true
	opts.PrefetchSize = 1
	it := txn.NewIterator(opts)
	defer it.Close()
	it.Seek(listTimeKey(group, purpose, at))
	if !it.ValidForPrefix(prefix) {
		return nil, errNotFound
	}
	value, err := it.Item().ValueCopy(nil)
	if err != nil {
		return nil, readError(err)
	}
	version, err := number(value)
	if err != nil {
		return nil, err
	}
	return listVersionKey(group, purpose, version), nil
}

// Challenge implements registry.Store.
func (s Registry) Challenge(ctx context.Context, id string) (out registry.StoredChallenge, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return registryError("challenge", getJSON(txn, challengeKey(id), &out))
	})
	return out, err
}

// Pending implements registry.OutboxStore.
func (s Registry) Pending(ctx context.Context, limit int) (out []registry.Pending, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		out = nil
		return scan(txn, pendingPrefix(), nil, limit, func(_, value []byte) error {
			var p registry.Pending
			if err := decode(value, &p); err != nil {
				return err
			}
			out = append(out, p)
			return nil
		})
	})
	return out, err
}

// Logged implements registry.OutboxStore.
func (s Registry) Logged(ctx context.Context, leaves []string) (map[string]uint64, error) {
	out := make(map[string]uint64, len(leaves))
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		for _, leaf := range leaves {
			value, err := get(txn, loggedKey(leaf))
			if errors.Is(err, errNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if out[leaf], err = number(value); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// LoggedSize implements registry.OutboxStore.
func (s Registry) LoggedSize(ctx context.Context) (size uint64, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		value, err := get(txn, loggedSizeKey())
		if errors.Is(err, errNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		size, err = number(value)
		return err
	})
	return size, err
}

// afterKey returns the key that a page begins after, nil for the first page.
func afterKey(after string, key func(string) []byte) []byte {
	if after == "" {
		return nil
	}
	return key(after)
}

// values returns the values of a page as texts.
func (db *DB) values(ctx context.Context, prefix, after []byte, limit int) (out []string, err error) {
	err = db.view(ctx, func(txn *badgerdb.Txn) error {
		out = nil
		return scan(txn, prefix, after, limit, func(_, value []byte) error {
			out = append(out, string(value))
			return nil
		})
	})
	return out, err
}

// readRows decodes every record under prefix.
func readRows[T any](txn *badgerdb.Txn, prefix []byte) ([]T, error) {
	var out []T
	err := scan(txn, prefix, nil, maxVersions, func(_, value []byte) error {
		var v T
		if err := decode(value, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	return out, err
}
