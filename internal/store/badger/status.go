package badger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"heartmark/issuer"
	"heartmark/schemas"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// A status list is one record: its version in eight bytes, then its bits.

func packList(version uint64, bits []byte) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(bits)), version), bits...)
}

func readList(txn *badgerdb.Txn, group schemas.ListGroup, purpose string) (version uint64, bits []byte, err error) {
	data, err := get(txn, statusListKey(string(group), purpose))
	if err != nil {
		return 0, nil, err
	}
	if len(data) < 9 {
		return 0, nil, fmt.Errorf("%w: status list %s/%s", ErrDamaged, group, purpose)
	}
	return binary.BigEndian.Uint64(data), data[8:], nil
}

// listEdits holds the lists that a transaction changes.
type listEdits map[string]*listEdit

type listEdit struct {
	key     []byte
	version uint64
	bits    []byte
	dirty   bool
}

// set changes one bit.
func (l listEdits) set(txn *badgerdb.Txn, group schemas.ListGroup, purpose string, index uint64, on bool) error {
	key := statusListKey(string(group), purpose)
	e := l[string(key)]
	if e == nil {
		version, bits, err := readList(txn, group, purpose)
		if errors.Is(err, errNotFound) {
			return fmt.Errorf("status list %s/%s: %w", group, purpose, issuer.ErrNotFound)
		}
		if err != nil {
			return err
		}
		e = &listEdit{key: key, version: version, bits: bits}
		l[string(key)] = e
	}
	if index/8 >= uint64(len(e.bits)) {
		return fmt.Errorf("index %d outside status list %s/%s: %w", index, group, purpose, ErrDamaged)
	}
	mask := byte(0x80) >> (index % 8) // index 0 is the left-most bit
	was := e.bits[index/8]&mask != 0
	if was == on {
		return nil
	}
	e.bits[index/8] ^= mask
	e.dirty = true
	return nil
}

// write stores the lists that changed, each under its next version.
func (l listEdits) write(txn *badgerdb.Txn) error {
	for _, e := range l {
		if !e.dirty {
			continue
		}
		if err := txn.Set(e.key, packList(e.version+1, e.bits)); err != nil {
			return err
		}
	}
	return nil
}

// ListState implements issuer.StatusStore.
func (db *DB) ListState(ctx context.Context, group schemas.ListGroup, purpose string) (version uint64, bits []byte, err error) {
	err = db.view(ctx, func(txn *badgerdb.Txn) (err error) {
		version, bits, err = readList(txn, group, purpose)
		return err
	})
	if errors.Is(err, errNotFound) {
		return 0, nil, fmt.Errorf("status list %s/%s: %w", group, purpose, issuer.ErrNotFound)
	}
	return version, bits, err
}

// Groups implements issuer.StatusStore.
func (db *DB) Groups(ctx context.Context, after schemas.ListGroup, limit int) ([]issuer.Group, error) {
	var out []issuer.Group
	var start []byte
	if after != "" {
		start = groupKey(string(after))
	}
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, groupsPrefix(), start, limit, func(_, value []byte) error {
			var g issuer.Group
			if err := decode(value, &g); err != nil {
				return err
			}
			out = append(out, g)
			return nil
		})
	})
	return out, err
}

// ChangeStatus implements issuer.StatusStore.
func (db *DB) ChangeStatus(ctx context.Context, c issuer.StatusChange) (rec issuer.Record, changed bool, err error) {
	err = db.update(ctx, func(txn *badgerdb.Txn) (err error) {
		lists := listEdits{}
		if rec, changed, err = apply(txn, lists, c); err != nil {
			return err
		}
		return lists.write(txn)
	})
	if err != nil {
		return issuer.Record{}, false, err
	}
	return rec, changed, nil
}

func apply(txn *badgerdb.Txn, lists listEdits, c issuer.StatusChange) (rec issuer.Record, changed bool, err error) {
	key := issuedKey(c.Tenant, string(c.ID))
	err = getJSON(txn, key, &rec)
	if errors.Is(err, errNotFound) {
		return rec, false, issuer.ErrNotFound
	}
	if err != nil {
		return rec, false, err
	}
	if rec.Status == c.To {
		return rec, false, nil
	}
	if rec.Status == issuer.StatusRevoked {
		return rec, false, issuer.ErrRevoked
	}
	rec.Status, rec.StatusAt, rec.Reason = c.To, c.At, c.Reason
	switch c.To {
	case issuer.StatusRevoked:
		// A suspension bit stays as it is: the credential ends either way.
		err = lists.set(txn, rec.Group, schemas.PurposeRevocation, rec.Index, true)
	case issuer.StatusSuspended:
		err = lists.set(txn, rec.Group, schemas.PurposeSuspension, rec.Index, true)
	case issuer.StatusValid:
		err = lists.set(txn, rec.Group, schemas.PurposeSuspension, rec.Index, false)
	default:
		err = fmt.Errorf("status %q: %w", c.To, issuer.ErrInvalid)
	}
	if err != nil {
		return rec, false, err
	}
	c.Outbox.Group = rec.Group
	return rec, true, errors.Join(putJSON(txn, key, rec), putAudit(txn, c.Audit), putOutbox(txn, c.Outbox))
}
