package badger

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"heartmark/issuer"
	"heartmark/schemas"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Record implements issuer.RecordStore.
func (db *DB) Record(ctx context.Context, tenant string, id schemas.CredentialID) (issuer.Record, error) {
	var rec issuer.Record
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		err := getJSON(txn, issuedKey(tenant, string(id)), &rec)
		if errors.Is(err, errNotFound) {
			return issuer.ErrNotFound
		}
		if err != nil {
			return err
		}
		rec.Sealed, err = get(txn, sealedKey(tenant, string(id)))
		if errors.Is(err, errNotFound) {
			return fmt.Errorf("%w: credential %s is not where its record says", ErrDamaged, id)
		}
		return err
	})
	return rec, err
}

// Records implements issuer.RecordStore.
func (db *DB) Records(ctx context.Context, tenant, cursor string, limit int) (records []issuer.Record, next string, err error) {
	prefix := listingPrefix(tenant)
	start, err := openCursor(prefix, cursor)
	if err != nil {
		return nil, "", err
	}
	err = db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, start, limit+1, func(key, _ []byte) error {
			if len(records) == limit {
				next = makeCursor(prefix, start)
				return errStop
			}
			id, _ := cut(key[len(prefix)+8:])
			var rec issuer.Record
			if err := getJSON(txn, issuedKey(tenant, id), &rec); err != nil {
				return fmt.Errorf("credential %s: %w", id, err)
			}
			records, start = append(records, rec), key
			return nil
		})
	})
	return records, next, err
}

// makeCursor writes the place of key under prefix as a text; openCursor reads it.
func makeCursor(prefix, key []byte) string {
	return base64.RawURLEncoding.EncodeToString(key[len(prefix):])
}

func openCursor(prefix []byte, cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	rest, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(rest) > 1024 {
		return nil, fmt.Errorf("cursor: %w", issuer.ErrInvalid)
	}
	return append(append([]byte(nil), prefix...), rest...), nil
}

// putAudit appends audit events. The number behind the time keeps events of one instant apart.
func putAudit(txn *badgerdb.Txn, events ...issuer.AuditEvent) error {
	for _, e := range events {
		if err := putTimed(txn, auditPrefix(), e.At, e); err != nil {
			return err
		}
	}
	return nil
}

func putOutbox(txn *badgerdb.Txn, e issuer.OutboxEvent) error {
	return putTimed(txn, outboxPrefix(), e.At, e)
}

func putTimed(txn *badgerdb.Txn, prefix []byte, at time.Time, v any) error {
	var number [8]byte
	if _, err := rand.Read(number[:]); err != nil {
		return fmt.Errorf("draw number: %w", err)
	}
	return putJSON(txn, keyBuilder(prefix).time(at).number(binary.BigEndian.Uint64(number[:])), v)
}

// AppendAudit implements issuer.AuditStore.
func (db *DB) AppendAudit(ctx context.Context, e issuer.AuditEvent) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error { return putAudit(txn, e) })
}

// Audit implements issuer.AuditStore.
func (db *DB) Audit(ctx context.Context, cursor string, limit int) (events []issuer.AuditEvent, next string, err error) {
	prefix := auditPrefix()
	start, err := openCursor(prefix, cursor)
	if err != nil {
		return nil, "", err
	}
	err = db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, start, limit+1, func(key, value []byte) error {
			if len(events) == limit {
				next = makeCursor(prefix, start)
				return errStop
			}
			var e issuer.AuditEvent
			if err := decode(value, &e); err != nil {
				return err
			}
			events, start = append(events, e), key
			return nil
		})
	})
	return events, next, err
}

// Outbox implements issuer.OutboxStore.
func (db *DB) Outbox(ctx context.Context, limit int) ([]issuer.OutboxEvent, error) {
	var out []issuer.OutboxEvent
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		prefix := outboxPrefix()
		return scan(txn, prefix, nil, limit, func(key, value []byte) error {
			var e issuer.OutboxEvent
			if err := decode(value, &e); err != nil {
				return err
			}
			e.Place = makeCursor(prefix, key)
			out = append(out, e)
			return nil
		})
	})
	return out, err
}

// Sent implements issuer.OutboxStore.
func (db *DB) Sent(ctx context.Context, events []issuer.OutboxEvent) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		for _, e := range events {
			key, err := openCursor(outboxPrefix(), e.Place)
			if err != nil || key == nil {
				return fmt.Errorf("outbox event without place: %w", issuer.ErrInvalid)
			}
			if err := txn.Delete(key); err != nil {
				return err
			}
			if e.LogIndex == nil {
				continue
			}
			var rec issuer.Record
			switch err := getJSON(txn, issuedKey(e.Tenant, string(e.Credential)), &rec); {
			case errors.Is(err, errNotFound): // erased meanwhile
				continue
			case err != nil:
				return err
			}
			if rec.LogIndex != nil {
				continue
			}
			rec.LogIndex = e.LogIndex
			if err := putJSON(txn, issuedKey(e.Tenant, string(e.Credential)), rec); err != nil {
				return err
			}
		}
		return nil
	})
}
