package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"heartmark/registry"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Registry is the registry's store in an open folder.
type Registry struct{ db *DB }

var _ registry.Store = Registry{}

// Registry returns the registry's store.
func (db *DB) Registry() Registry { return Registry{db} }

const (
	// challengeKept is when the engine drops a challenge that nobody answered; its own end comes long before.
	challengeKept = 24 * time.Hour
	// maxVersions bounds how many rows of one entity, DID or authority are read.
	maxVersions = 100_000
)

func authorityPrefix(entity string) []byte { return table(partRegistry, 'a').text(entity) }
func authorityIDPrefix(entity, id string) []byte {
	return table(partRegistry, 'a').text(entity).text(id)
}

func authorityKey(entity, id string, version uint64) []byte {
	return table(partRegistry, 'a').text(entity).text(id).number(version)
}
func authorityEntityKey(id string) []byte  { return table(partRegistry, 'i').text(id) }
func entitiesPrefix() []byte               { return table(partRegistry, 'e') }
func entityKey(entity string) []byte       { return table(partRegistry, 'e').text(entity) }
func resourcesPrefix() []byte              { return table(partRegistry, 'x') }
func resourceKey(resource string) []byte   { return table(partRegistry, 'x').text(resource) }
func didKeysPrefix(id string) []byte       { return table(partRegistry, 'k').text(id) }
func keyDIDsPrefix() []byte                { return table(partRegistry, 'd') }
func keyDIDKey(id string) []byte           { return table(partRegistry, 'd').text(id) }
func artefactsPrefix(kind string) []byte   { return table(partRegistry, 's').text(kind) }
func artefactKey(kind, name string) []byte { return table(partRegistry, 's').text(kind).text(name) }
func listPrefix(group, purpose string) []byte {
	return table(partRegistry, 'l').text(group).text(purpose)
}

func listTimePrefix(group, purpose string) []byte {
	return table(partRegistry, 't').text(group).text(purpose)
}
func challengeKey(id string) []byte   { return table(partRegistry, 'h').text(id) }
func pendingPrefix() []byte           { return table(partRegistry, 'o') }
func pendingAtKey(leaf string) []byte { return table(partRegistry, 'p').text(leaf) }
func loggedKey(leaf string) []byte    { return table(partRegistry, 'g').text(leaf) }
func loggedSizeKey() []byte           { return table(partRegistry, 'z') }

func didKeyKey(id, method string, version uint64) []byte {
	return table(partRegistry, 'k').text(id).text(method).number(version)
}

func listVersionKey(group, purpose string, version uint64) []byte {
	return keyBuilder(listPrefix(group, purpose)).number(version)
}

func listTimeKey(group, purpose string, at time.Time) []byte {
	return keyBuilder(listTimePrefix(group, purpose)).time(at)
}

func pendingKey(at time.Time, leaf string) []byte {
	return table(partRegistry, 'o').time(at).text(leaf)
}

func bigEndian(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func number(value []byte) (uint64, error) {
	if len(value) != 8 {
		return 0, fmt.Errorf("%w: number of %d bytes", ErrDamaged, len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

// row is a record with a version: it is written once, and only after the version before it.
type row struct {
	key, before []byte // before is nil for a first version
	value       []byte
	// also are keys that are written with it, and their values.
	also [][2][]byte
	// taken is what is returned where the key has another value.
	taken error
}

// Apply implements registry.Store.
func (s Registry) Apply(ctx context.Context, c registry.Change) error {
	rows, err := changeRows(c)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		done, err := rowsDone(txn, rows)
		if err != nil || done {
			return err
		}
		for _, r := range rows {
			if err := txn.Set(r.key, r.value); err != nil {
				return err
			}
			for _, kv := range r.also {
				if err := txn.Set(kv[0], kv[1]); err != nil {
					return err
				}
			}
		}
		if err := applyChallenge(txn, c); err != nil {
			return err
		}
		return applyOutbox(txn, c)
	})
}

func changeRows(c registry.Change) ([]row, error) {
	var rows []row
	add := func(r row, version uint64, before func() []byte, v any) error {
		value, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode record: %w", err)
		}
		if version == 0 {
			return fmt.Errorf("record without a version: %w", registry.ErrStale)
		}
		if version > 1 {
			r.before = before()
		}
		r.value = value
		if r.taken == nil {
			r.taken = registry.ErrStale
		}
		rows = append(rows, r)
		return nil
	}
	for _, a := range c.Authorities {
		a.Log = nil
		r := row{key: authorityKey(a.Entity, a.ID, a.Version), also: [][2][]byte{
			{authorityEntityKey(a.ID), []byte(a.Entity)}, {entityKey(a.Entity), []byte(a.Entity)}, {resourceKey(a.Resource), []byte(a.Resource)},
		}}
		if err := add(r, a.Version, func() []byte { return authorityKey(a.Entity, a.ID, a.Version-1) }, a); err != nil {
			return nil, err
		}
	}
	for _, k := range c.Keys {
		r := row{key: didKeyKey(k.DID, k.Method, k.Version), also: [][2][]byte{{keyDIDKey(k.DID), []byte(k.DID)}}}
		if err := add(r, k.Version, func() []byte { return didKeyKey(k.DID, k.Method, k.Version-1) }, k); err != nil {
			return nil, err
		}
	}
	if a := c.Artefact; a != nil {
		stored := *a
		stored.Log = nil
		if err := add(row{key: artefactKey(string(a.Kind), a.Name), taken: registry.ErrConflict}, 1, nil, stored); err != nil {
			return nil, err
		}
	}
	if l := c.List; l != nil {
		group := string(l.Group)
		r := row{key: listVersionKey(group, l.Purpose, l.Version), also: [][2][]byte{
			{listTimeKey(group, l.Purpose, l.ValidFrom), bigEndian(l.Version)},
		}}
		if err := add(r, l.Version, func() []byte { return listVersionKey(group, l.Purpose, l.Version-1) }, *l); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// rowsDone checks what stands in the way of the rows and reports whether all of them are there already.
func rowsDone(txn *badgerdb.Txn, rows []row) (bool, error) {
	already := 0
	for _, r := range rows {
		have, err := get(txn, r.key)
		if err == nil {
			if !sameRow(have, r) {
				return false, r.taken
			}
			already++
			continue
		}
		if !errors.Is(err, errNotFound) {
			return false, err
		}
		if r.before == nil {
			continue
		}
		ok, err := exists(txn, r.before)
		if err != nil {
			return false, err
		}
		if !ok {
			return false, registry.ErrStale
		}
	}
	if already > 0 && already < len(rows) {
		return false, registry.ErrStale
	}
	return already > 0, nil
}

// sameRow compares what is stored with what should be. An artefact is the same when its bytes and type are.
func sameRow(have []byte, r row) bool {
	if bytes.Equal(have, r.value) {
		return true
	}
	if !errors.Is(r.taken, registry.ErrConflict) {
		return false
	}
	var a, b registry.Artefact
	if json.Unmarshal(have, &a) != nil || json.Unmarshal(r.value, &b) != nil {
		return false
	}
	return bytes.Equal(a.Data, b.Data) && a.MediaType == b.MediaType
}

func applyChallenge(txn *badgerdb.Txn, c registry.Change) error {
	if p := c.PutChallenge; p != nil {
		value, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("encode challenge: %w", err)
		}
		if err := txn.SetEntry(badgerdb.NewEntry(challengeKey(p.ID), value).WithTTL(challengeKept)); err != nil {
			return err
		}
	}
	if c.TakeChallenge == "" {
		return nil
	}
	ok, err := exists(txn, challengeKey(c.TakeChallenge))
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("challenge was used: %w", registry.ErrProof)
	}
	return txn.Delete(challengeKey(c.TakeChallenge))
}

func applyOutbox(txn *badgerdb.Txn, c registry.Change) error {
	for _, p := range c.Pending {
		waiting, err := exists(txn, pendingAtKey(p.Leaf))
		if err != nil {
			return err
		}
		marked, err := exists(txn, loggedKey(p.Leaf))
		if err != nil {
			return err
		}
		if waiting || marked {
			continue
		}
		if err := putJSON(txn, pendingKey(p.At, p.Leaf), p); err != nil {
			return err
		}
		if err := txn.Set(pendingAtKey(p.Leaf), bigEndian(uint64(p.At.UnixNano()))); err != nil {
			return err
		}
	}
	for _, l := range c.Logged {
		if err := markLogged(txn, l); err != nil {
			return err
		}
	}
	if c.LoggedSize > 0 {
		return txn.Set(loggedSizeKey(), bigEndian(c.LoggedSize))
	}
	return nil
}

// markLogged notes an entry's index and takes the entry out of the outbox. The first index stands.
func markLogged(txn *badgerdb.Txn, l registry.Logged) error {
	marked, err := exists(txn, loggedKey(l.Leaf))
	if err != nil {
		return err
	}
	if !marked {
		if err := txn.Set(loggedKey(l.Leaf), bigEndian(l.Index)); err != nil {
			return err
		}
	}
	value, err := get(txn, pendingAtKey(l.Leaf))
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	at, err := number(value)
	if err != nil {
		return err
	}
	if err := txn.Delete(pendingKey(time.Unix(0, int64(at)), l.Leaf)); err != nil {
		return err
	}
	return txn.Delete(pendingAtKey(l.Leaf))
}
