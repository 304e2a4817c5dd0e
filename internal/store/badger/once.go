package badger

import (
	"context"
	"errors"

	badgerdb "github.com/dgraph-io/badger/v4"
)

func onceKey(name string) []byte { return table(partMeta, 's').text(name) }

// Once returns what this installation keeps under a name for good. Where there is nothing it stores value, durably, and
// returns that: of many callers at once all get the same. What is secret must be sealed before.
func (db *DB) Once(ctx context.Context, name string, value []byte) ([]byte, error) {
	var out []byte
	err := db.update(ctx, func(txn *badgerdb.Txn) error {
		have, err := get(txn, onceKey(name))
		if errors.Is(err, errNotFound) {
			out = value
			return txn.Set(onceKey(name), value)
		}
		out = have
		return err
	})
	return out, err
}
