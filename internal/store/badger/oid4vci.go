package badger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/issuer/oid4vci"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Tables of the wallet protocol; keys.go has the form of keys.
//
//	o  oid4vci        f      offer id                          oid4vci.OfferRecord
//	                  n      SHA-256 of a nonce                (nothing; the nonce was used)
//	                  x      time, table, key                  (nothing; what may be deleted from then on)

var _ oid4vci.Store = (*DB)(nil)

func offerKey(id string) []byte     { return table(partOID4VCI, 'f').text(id) }
func nonceKey(hash [32]byte) []byte { return table(partOID4VCI, 'n').text(string(hash[:])) }
func expiriesPrefix() []byte        { return table(partOID4VCI, 'x') }
func expiryKey(at time.Time, key []byte) []byte {
	return table(partOID4VCI, 'x').time(at).text(string(key))
}

// PutOffer implements oid4vci.Store.
func (db *DB) PutOffer(ctx context.Context, o oid4vci.OfferRecord) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		key := offerKey(o.ID)
		taken, err := exists(txn, key)
		if err != nil {
			return err
		}
		if taken {
			return fmt.Errorf("offer %s: %w", o.ID, oid4vci.ErrExists)
		}
		return errors.Join(putJSON(txn, key, o), txn.Set(expiryKey(o.PurgeAt, key), nil))
	})
}

// Offer implements oid4vci.Store.
func (db *DB) Offer(ctx context.Context, id string) (oid4vci.OfferRecord, error) {
	var o oid4vci.OfferRecord
	err := db.view(ctx, func(txn *badgerdb.Txn) error { return readOffer(txn, id, &o) })
	return o, err
}

func readOffer(txn *badgerdb.Txn, id string, o *oid4vci.OfferRecord) error {
	err := getJSON(txn, offerKey(id), o)
	if errors.Is(err, errNotFound) {
		return fmt.Errorf("offer %s: %w", id, oid4vci.ErrNoOffer)
	}
	return err
}

// UpdateOffer implements oid4vci.Store.
func (db *DB) UpdateOffer(ctx context.Context, id string, change func(o *oid4vci.OfferRecord) error) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		var o oid4vci.OfferRecord
		if err := readOffer(txn, id, &o); err != nil {
			return err
		}
		purge := o.PurgeAt
		if err := change(&o); err != nil {
			return err
		}
		if o.ID != id {
			return fmt.Errorf("offer %s: its id was changed: %w", id, oid4vci.ErrExists)
		}
		key := offerKey(id)
		if err := putJSON(txn, key, o); err != nil || o.PurgeAt.Equal(purge) {
			return err
		}
		return errors.Join(txn.Delete(expiryKey(purge, key)), txn.Set(expiryKey(o.PurgeAt, key), nil))
	})
}

// UseNonce implements oid4vci.Store.
func (db *DB) UseNonce(ctx context.Context, hash [32]byte, expires time.Time) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		key := nonceKey(hash)
		used, err := exists(txn, key)
		if err != nil {
			return err
		}
		if used {
			return oid4vci.ErrUsed
		}
		return errors.Join(txn.Set(key, nil), txn.Set(expiryKey(expires, key), nil))
	})
}

// DeleteExpired implements oid4vci.Store.
func (db *DB) DeleteExpired(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = db.update(ctx, func(txn *badgerdb.Txn) error {
		keys, targets, err := due(txn, expiriesPrefix(), before, limit)
		removed = len(keys)
		for n, key := range keys {
			err = errors.Join(err, txn.Delete([]byte(targets[n])), txn.Delete(key))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
