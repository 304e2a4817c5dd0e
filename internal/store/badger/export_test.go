package badger

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Settings shows the engine's options to tests.
func Settings(c Config) badgerdb.Options { return settings(c) }

func counterKey() []byte { return table(partMeta, 't') }

func increment(txn *badgerdb.Txn) error {
	data, err := get(txn, counterKey())
	if errors.Is(err, errNotFound) {
		data, err = make([]byte, 8), nil
	}
	if err != nil {
		return err
	}
	return txn.Set(counterKey(), binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(data)+1))
}

// Increment adds one to a counter by reading and writing it in one transaction.
func Increment(ctx context.Context, db *DB) error { return db.update(ctx, increment) }

// IncrementOutside does the same past the group of writers.
func IncrementOutside(db *DB) error {
	for {
		if err := db.db.Update(increment); !errors.Is(err, badgerdb.ErrConflict) {
			return err
		}
	}
}

// IncrementAndFail writes and then fails.
func IncrementAndFail(ctx context.Context, db *DB, fault error) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error { return errors.Join(increment(txn), fault) })
}

// IncrementAndPanic writes and then panics.
func IncrementAndPanic(ctx context.Context, db *DB, fault any) {
	_ = db.update(ctx, func(txn *badgerdb.Txn) error {
		if err := increment(txn); err != nil {
			return err
		}
		panic(fault)
	})
}

// Counter reads what Increment counted.
func Counter(t *testing.T, db *DB) int {
	t.Helper()
	var n uint64
	err := db.view(t.Context(), func(txn *badgerdb.Txn) error {
		data, err := get(txn, counterKey())
		if err != nil {
			return err
		}
		n = binary.BigEndian.Uint64(data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}
