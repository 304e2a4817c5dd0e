package badger

import (
	"context"
	"errors"

	badgerdb "github.com/dgraph-io/badger/v4"
)

func secretKey(name string) []byte { return table(partMeta, 's').text(name) }

// Secret returns the sealed secret of that name. Where there is none it stores sealed, durably, and returns that: of many
// callers at once all get the same.
func (db *DB) Secret(ctx context.Context, name string, sealed []byte) ([]byte, error) {
	var out []byte
	err := db.update(ctx, func(txn *badgerdb.Txn) error {
		have, err := get(txn, secretKey(name))
		if errors.Is(err, errNotFound) {
			out = sealed
			return txn.Set(secretKey(name), sealed)
		}
		out = have
		return err
	})
	return out, err
}
