package badger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/verifier/oid4vp"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Tables of the verifier; keys.go has the form of keys.
//
//	v  verifier       s      session id                        oid4vp.Session
//	                  r      request                           session id
//	                  x      time, session id                  (nothing; the session may be deleted from then on)
//	                  p      tenant, name, version             policy.Stored

var _ oid4vp.Store = (*DB)(nil)

func sessionKey(id string) []byte       { return table(partVerifier, 's').text(id) }
func sessionRequestKey(r string) []byte { return table(partVerifier, 'r').text(r) }
func sessionExpiriesPrefix() []byte     { return table(partVerifier, 'x') }
func sessionExpiry(s oid4vp.Session) []byte {
	return table(partVerifier, 'x').time(s.PurgeAt).text(s.ID)
}

// PutSession implements oid4vp.Store.
func (db *DB) PutSession(ctx context.Context, s oid4vp.Session) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		for _, key := range [][]byte{sessionKey(s.ID), sessionRequestKey(s.Request)} {
			taken, err := exists(txn, key)
			if err != nil {
				return err
			}
			if taken {
				return fmt.Errorf("session %s: %w", s.ID, oid4vp.ErrExists)
			}
		}
		return errors.Join(putJSON(txn, sessionKey(s.ID), s), txn.Set(sessionRequestKey(s.Request), []byte(s.ID)), txn.Set(sessionExpiry(s), nil))
	})
}

// SessionByID implements oid4vp.Store.
func (db *DB) SessionByID(ctx context.Context, id string) (oid4vp.Session, error) {
	var s oid4vp.Session
	err := db.view(ctx, func(txn *badgerdb.Txn) error { return readSession(txn, id, &s) })
	return s, err
}

// SessionByRequest implements oid4vp.Store.
func (db *DB) SessionByRequest(ctx context.Context, request string) (oid4vp.Session, error) {
	var s oid4vp.Session
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		id, err := get(txn, sessionRequestKey(request))
		if errors.Is(err, errNotFound) {
			return oid4vp.ErrNotFound
		}
		if err != nil {
			return err
		}
		return readSession(txn, string(id), &s)
	})
	return s, err
}

func readSession(txn *badgerdb.Txn, id string, s *oid4vp.Session) error {
	err := getJSON(txn, sessionKey(id), s)
	if errors.Is(err, errNotFound) {
		return oid4vp.ErrNotFound
	}
	return err
}

// UpdateSession implements oid4vp.Store.
func (db *DB) UpdateSession(ctx context.Context, id string, change func(s *oid4vp.Session) error) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		var s oid4vp.Session
		if err := readSession(txn, id, &s); err != nil {
			return err
		}
		was := s
		if err := change(&s); err != nil {
			return err
		}
		s.ID, s.Request, s.PurgeAt = was.ID, was.Request, was.PurgeAt
		return putJSON(txn, sessionKey(id), s)
	})
}

// DeleteSessions implements oid4vp.Store.
func (db *DB) DeleteSessions(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = db.update(ctx, func(txn *badgerdb.Txn) error {
		keys, ids, err := due(txn, sessionExpiriesPrefix(), before, limit)
		if err != nil {
			return err
		}
		removed = len(keys)
		for n, key := range keys {
			id := ids[n]
			var s oid4vp.Session
			if err := readSession(txn, id, &s); err != nil && !errors.Is(err, oid4vp.ErrNotFound) {
				return err
			}
			if err := errors.Join(txn.Delete(key), txn.Delete(sessionKey(id)), txn.Delete(sessionRequestKey(s.Request))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
