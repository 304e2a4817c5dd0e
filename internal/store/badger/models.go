package badger

import (
	"context"
	"errors"

	"heartmark/assessment/rollout"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// maxTransitions bounds the list of models' transitions; an operator makes a few a month.
const maxTransitions = 100_000

func transitionKey(seq uint64) []byte { return table(partModels, 't').number(seq) }
func transitionsPrefix() []byte       { return table(partModels, 't') }

func documentsPrefix(kind string, m rollout.Digest) []byte {
	return table(partModels, 'd').text(kind).text(string(m))
}

func documentKey(k rollout.DocumentKey) []byte {
	return table(partModels, 'd').text(k.Kind).text(string(k.Model)).text(k.Name)
}

// ModelStore keeps which models there are and what was counted of them.
type ModelStore struct{ db *DB }

var _ rollout.Store = (*ModelStore)(nil)

// Models returns the store of the list of models.
func (db *DB) Models() *ModelStore { return &ModelStore{db} }

// Append implements rollout.Store.
func (s *ModelStore) Append(ctx context.Context, transitions []rollout.Transition) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		for n, t := range transitions {
			if n > 0 && t.Seq != transitions[0].Seq+uint64(n) {
				return rollout.ErrStale
			}
			// Reading the key makes two who append the same number collide, so that the second one looks again.
			taken, err := exists(txn, transitionKey(t.Seq))
			if err != nil {
				return err
			}
			follows := t.Seq == 1
			if t.Seq > 1 {
				if follows, err = exists(txn, transitionKey(t.Seq-1)); err != nil {
					return err
				}
			}
			if taken || !follows {
				return rollout.ErrStale
			}
			if err := putJSON(txn, transitionKey(t.Seq), t); err != nil {
				return err
			}
		}
		return nil
	})
}

// Transitions implements rollout.Store.
func (s *ModelStore) Transitions(ctx context.Context) ([]rollout.Transition, error) {
	var out []rollout.Transition
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, transitionsPrefix(), nil, maxTransitions, func(_, value []byte) error {
			var t rollout.Transition
			if err := decode(value, &t); err != nil {
				return err
			}
			out = append(out, t)
			return nil
		})
	})
	return out, err
}

// Document implements rollout.Store.
func (s *ModelStore) Document(ctx context.Context, key rollout.DocumentKey) (data []byte, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) (err error) {
		data, err = get(txn, documentKey(key))
		return err
	})
	if errors.Is(err, errNotFound) {
		return nil, rollout.ErrNotFound
	}
	return data, err
}

// UpdateDocument implements rollout.Store.
func (s *ModelStore) UpdateDocument(ctx context.Context, key rollout.DocumentKey, change func(old []byte) ([]byte, error)) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		old, err := get(txn, documentKey(key))
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		data, err := change(old)
		switch {
		case err != nil:
			return err
		case data == nil && old == nil:
			return nil
		case data == nil:
			return txn.Delete(documentKey(key))
		}
		return txn.Set(documentKey(key), data)
	})
}

// Documents implements rollout.Store.
func (s *ModelStore) Documents(ctx context.Context, kind string, m rollout.Digest, limit int) ([]rollout.DocumentKey, error) {
	var out []rollout.DocumentKey
	prefix := documentsPrefix(kind, m)
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, nil, limit, func(key, _ []byte) error {
			name, _ := cut(key[len(prefix):])
			out = append(out, rollout.DocumentKey{Kind: kind, Model: m, Name: name})
			return nil
		})
	})
	return out, err
}
