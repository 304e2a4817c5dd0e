package badger

import (
	"bytes"
	"context"
	"errors"
	"time"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Tables of answers that are kept for repeated requests; keys.go has the form of keys.
//
//	p  api            r      name                              replay
//	                  x      time, name                        (nothing; what may be deleted from then on)

// replay is one request; Answer is nil while it runs.
type replay struct {
	Digest []byte    `json:"digest"`
	Until  time.Time `json:"until"`
	Answer []byte    `json:"answer,omitempty"`
}

func replayKey(name string) []byte { return table(partAPI, 'r').text(name) }
func replayEndsPrefix() []byte     { return table(partAPI, 'x') }
func replayEnd(at time.Time, name string) []byte {
	return table(partAPI, 'x').time(at).text(name)
}

// ClaimReplay claims a name for a request, durably, from now until the given instant. Of any number of calls at once one
// succeeds. Where the name is taken at now, taken is true, and other and answer are the digest and the answer of the
// request that has it; answer is nil while that one runs. A name is not longer than 512 bytes.
func (db *DB) ClaimReplay(ctx context.Context, name string, digest [32]byte, now, until time.Time) (taken bool, other [32]byte, answer []byte, err error) {
	err = db.update(ctx, func(txn *badgerdb.Txn) error {
		taken, other, answer = false, [32]byte{}, nil
		var r replay
		switch err := getJSON(txn, replayKey(name), &r); {
		case err != nil && !errors.Is(err, errNotFound):
			return err
		case err == nil && now.Before(r.Until):
			taken, answer = true, r.Answer
			copy(other[:], r.Digest)
			return nil
		case err == nil:
			if err := txn.Delete(replayEnd(r.Until, name)); err != nil {
				return err
			}
		}
		return putReplay(txn, name, replay{Digest: digest[:], Until: until})
	})
	return taken, other, answer, err
}

func putReplay(txn *badgerdb.Txn, name string, r replay) error {
	return errors.Join(putJSON(txn, replayKey(name), r), txn.Set(replayEnd(r.Until, name), nil))
}

// KeepReplay stores the answer of the request that claimed a name, durably, until the given instant. It does nothing where
// the name belongs to another request by now.
func (db *DB) KeepReplay(ctx context.Context, name string, digest [32]byte, answer []byte, until time.Time) error {
	return db.ownReplay(ctx, name, digest, func(txn *badgerdb.Txn) error {
		return putReplay(txn, name, replay{Digest: digest[:], Until: until, Answer: answer})
	})
}

// DropReplay frees a name whose request gave nothing to keep. It does nothing where the name belongs to another request.
func (db *DB) DropReplay(ctx context.Context, name string, digest [32]byte) error {
	return db.ownReplay(ctx, name, digest, func(txn *badgerdb.Txn) error { return txn.Delete(replayKey(name)) })
}

// ownReplay runs fn where the name belongs to the request and has no answer yet.
func (db *DB) ownReplay(ctx context.Context, name string, digest [32]byte, fn func(txn *badgerdb.Txn) error) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		var r replay
		err := getJSON(txn, replayKey(name), &r)
		if errors.Is(err, errNotFound) || err == nil && (!bytes.Equal(r.Digest, digest[:]) || r.Answer != nil) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := txn.Delete(replayEnd(r.Until, name)); err != nil {
			return err
		}
		return fn(txn)
	})
}

// DeleteReplays removes claims and answers that ended before the given instant, at most limit, and returns how many.
func (db *DB) DeleteReplays(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = db.update(ctx, func(txn *badgerdb.Txn) error {
		ends, names, err := due(txn, replayEndsPrefix(), before, limit)
		removed = len(ends)
		for n, end := range ends {
			err = errors.Join(err, txn.Delete(replayKey(names[n])), txn.Delete(end))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
