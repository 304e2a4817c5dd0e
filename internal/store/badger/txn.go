package badger

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// errNotFound is what get returns for a missing key. The stores turn it into their part's own sentinel.
var errNotFound = errors.New("no such key")

// view runs fn over one consistent state.
func (db *DB) view(ctx context.Context, fn func(txn *badgerdb.Txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return engineError(db.db.View(fn))
}

func engineError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, badgerdb.ErrTxnTooBig):
		return fmt.Errorf("%w: %w", ErrTooBig, err)
	case errors.Is(err, badgerdb.ErrDBClosed), errors.Is(err, badgerdb.ErrBlockedWrites):
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return err
}

// get returns a copy of the value under key, or errNotFound.
func get(txn *badgerdb.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badgerdb.ErrKeyNotFound) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, readError(err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return nil, readError(err)
	}
	return value, nil
}

// readError marks a failed read: with an open store the only cause is what lies on disk.
func readError(err error) error {
	if errors.Is(err, badgerdb.ErrDBClosed) || errors.Is(err, badgerdb.ErrDiscardedTxn) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// exists reports whether key has a value. It counts as a read: a concurrent write to key makes the transaction collide.
func exists(txn *badgerdb.Txn, key []byte) (bool, error) {
	_, err := txn.Get(key)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, badgerdb.ErrKeyNotFound):
		return false, nil
	}
	return false, readError(err)
}

// getJSON decodes the value under key into v, or returns errNotFound.
func getJSON(txn *badgerdb.Txn, key []byte, v any) error {
	data, err := get(txn, key)
	if err != nil {
		return err
	}
	return decode(data, v)
}

func decode(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: record: %w", ErrDamaged, err)
	}
	return nil
}

func putJSON(txn *badgerdb.Txn, key []byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	return txn.Set(key, data)
}

// errStop ends a scan early without error.
var errStop = errors.New("stop")

// scan calls fn for the entries under prefix in the order of their keys, beginning after the key after (nil: at the
// start), at most limit of them. Keys and values are copies. fn may return errStop.
func scan(txn *badgerdb.Txn, prefix, after []byte, limit int, fn func(key, value []byte) error) error {
	opts := badgerdb.DefaultIteratorOptions
	opts.Prefix = prefix
	opts.PrefetchSize = min(limit, 100)
	it := txn.NewIterator(opts)
	defer it.Close()
	start := prefix
	if after != nil {
		start = append(append([]byte(nil), after...), 0)
	}
	for it.Seek(start); it.ValidForPrefix(prefix) && limit > 0; it.Next() {
		value, err := it.Item().ValueCopy(nil)
		if err != nil {
			return readError(err)
		}
		if err := fn(it.Item().KeyCopy(nil), value); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
		limit--
	}
	return nil
}

// last returns the last key under prefix, or nil.
func last(txn *badgerdb.Txn, prefix []byte) []byte {
	opts := badgerdb.DefaultIteratorOptions
	opts.Prefix = prefix
	opts.Reverse = true
	opts.PrefetchValues = false
	it := txn.NewIterator(opts)
	defer it.Close()
	it.Seek(append(append([]byte(nil), prefix...), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	if !it.ValidForPrefix(prefix) {
		return nil
	}
	return it.Item().KeyCopy(nil)
}

// drop deletes the entries under prefix, at most limit of them.
func drop(txn *badgerdb.Txn, prefix []byte, limit int) error {
	var gone [][]byte
	err := scan(txn, prefix, nil, limit, func(key, _ []byte) error {
		gone = append(gone, key)
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range gone {
		if err := txn.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// due returns up to limit keys under prefix, which go on with a time and a text, whose time lies before an instant, and
// those texts.
func due(txn *badgerdb.Txn, prefix []byte, before time.Time, limit int) (keys [][]byte, names []string, err error) {
	err = scan(txn, prefix, nil, limit, func(key, _ []byte) error {
		rest := key[len(prefix):]
		if int64(binary.BigEndian.Uint64(rest)) >= before.UnixNano() {
			return errStop
		}
		name, _ := cut(rest[8:])
		keys, names = append(keys, key), append(names, name)
		return nil
	})
	return keys, names, err
}
