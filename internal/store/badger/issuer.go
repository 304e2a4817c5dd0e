package badger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"heartmark/issuer"
	"heartmark/schemas"

	badgerdb "github.com/dgraph-io/badger/v4"
)

var _ issuer.Store = (*DB)(nil)

// issuing is what the issuer's store keeps in memory beside the folder, which no other process writes.
type issuing struct {
	mu      sync.Mutex // guards current and tenants; never held across I/O
	current map[string]*allocator
	tenants map[string]*sync.Mutex // held by the one who opens a group for the tenant
}

// allocator hands out the positions of one group. Each position is handed out once in the life of the process; which
// ones were taken before is read from the folder when the allocator is made. Transactions that take different positions
// touch no common key, so they commit together.
type allocator struct {
	group issuer.Group
	order *issuer.Permutation

	mu   sync.Mutex // guards next
	next uint64
}

// take returns the next position, or false when the usable part is spent.
func (a *allocator) take() (uint64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next >= a.group.Usable {
		return 0, false
	}
	a.next++
	return a.next - 1, true
}

func (db *DB) loadIssuing() error {
	db.issuing.current = map[string]*allocator{}
	db.issuing.tenants = map[string]*sync.Mutex{}
	return nil
}

// maxOpened bounds how many groups one Reserve goes through.
const maxOpened = 4

// Reserve implements issuer.IntentStore.
func (db *DB) Reserve(ctx context.Context, in issuer.Intent, fresh issuer.Group) (issuer.Intent, bool, error) {
	if in.Key != "" {
		have, err := db.IntentByKey(ctx, in.Tenant, in.Key)
		if err == nil {
			return have, true, nil
		}
		if !errors.Is(err, issuer.ErrNotFound) {
			return issuer.Intent{}, false, err
		}
	}
	var spent schemas.ListGroup
	for range maxOpened {
		a, err := db.allocator(ctx, in.Tenant, spent, fresh)
		if err != nil {
			return issuer.Intent{}, false, err
		}
		position, ok := a.take()
		if !ok {
			spent = a.group.ID
			continue
		}
		if position == a.group.Usable/10*9 {
			db.log.WarnContext(ctx, "status list group is nine tenths full; the next one opens by itself", slog.String("group", string(a.group.ID)))
		}
		in.Group, in.Index = a.group.ID, a.order.At(position)
		return db.writeIntent(ctx, in, position)
	}
	return issuer.Intent{}, false, issuer.ErrListFull
}

// errTaken says that a position is in use although the allocator gave it: the invariant is broken and nothing is issued.
var errTaken = errors.New("index is taken already")

func (db *DB) writeIntent(ctx context.Context, in issuer.Intent, position uint64) (out issuer.Intent, found bool, err error) {
	err = db.update(ctx, func(txn *badgerdb.Txn) error {
		out, found = in, false
		if in.Key != "" {
			id, err := get(txn, idempotencyKey(in.Tenant, in.Key))
			if err == nil {
				found = true
				return getJSON(txn, intentKey(string(id)), &out)
			}
			if !errors.Is(err, errNotFound) {
				return err
			}
		}
		for _, key := range [][]byte{
			positionKey(string(in.Group), position), indexKey(string(in.Group), in.Index), intentKey(in.ID),
		} {
			taken, err := exists(txn, key)
			if err != nil {
				return err
			}
			if taken {
				return fmt.Errorf("group %s, position %d, index %d: %w: %w", in.Group, position, in.Index, errTaken, ErrDamaged)
			}
		}
		if in.Key != "" {
			if err := txn.Set(idempotencyKey(in.Tenant, in.Key), []byte(in.ID)); err != nil {
				return err
			}
		}
		return errors.Join(
			txn.Set(positionKey(string(in.Group), position), []byte(in.ID)),
			txn.Set(indexKey(string(in.Group), in.Index), []byte(in.ID)),
			txn.Set(openIntentKey(in.ID), nil),
			putJSON(txn, intentKey(in.ID), in),
		)
	})
	if err != nil {
		return issuer.Intent{}, false, err
	}
	return out, found, nil
}

// allocator returns the tenant's current allocator. When there is none, or the current group is spent, fresh is opened.
func (db *DB) allocator(ctx context.Context, tenant string, spent schemas.ListGroup, fresh issuer.Group) (*allocator, error) {
	if a := db.cachedAllocator(tenant, spent); a != nil {
		return a, nil
	}
	lock := db.tenantLock(tenant)
	lock.Lock()
	defer lock.Unlock()
	if a := db.cachedAllocator(tenant, spent); a != nil {
		return a, nil
	}
	group, err := db.currentGroup(ctx, tenant, spent, fresh)
	if err != nil {
		return nil, err
	}
	order, err := issuer.NewPermutation(group.Permutation, group.Size)
	if err != nil {
		return nil, fmt.Errorf("group %s: %w", group.ID, err)
	}
	a := &allocator{group: group, order: order}
	err = db.view(ctx, func(txn *badgerdb.Txn) error {
		prefix := positionsPrefix(string(group.ID))
		if key := last(txn, prefix); key != nil {
			a.next = binary.BigEndian.Uint64(key[len(prefix):]) + 1
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	db.issuing.mu.Lock()
	defer db.issuing.mu.Unlock()
	db.issuing.current[tenant] = a
	return a, nil
}

func (db *DB) cachedAllocator(tenant string, spent schemas.ListGroup) *allocator {
	db.issuing.mu.Lock()
	defer db.issuing.mu.Unlock()
	if a := db.issuing.current[tenant]; a != nil && a.group.ID != spent {
		return a
	}
	return nil
}

func (db *DB) tenantLock(tenant string) *sync.Mutex {
	db.issuing.mu.Lock()
	defer db.issuing.mu.Unlock()
	lock := db.issuing.tenants[tenant]
	if lock == nil {
		lock = &sync.Mutex{}
		db.issuing.tenants[tenant] = lock
	}
	return lock
}

// currentGroup reads the tenant's current group, or makes fresh the current one when there is none or it is spent.
func (db *DB) currentGroup(ctx context.Context, tenant string, spent schemas.ListGroup, fresh issuer.Group) (issuer.Group, error) {
	var group issuer.Group
	err := db.update(ctx, func(txn *badgerdb.Txn) error {
		epoch, err := readEpoch(txn)
		if err != nil {
			return err
		}
		id, err := get(txn, currentKey(epoch, tenant))
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		if err == nil && schemas.ListGroup(id) != spent {
			return getJSON(txn, groupKey(string(id)), &group)
		}
		if taken, err := exists(txn, groupKey(string(fresh.ID))); err != nil || taken {
			return errors.Join(err, fmt.Errorf("group %s: %w", fresh.ID, issuer.ErrListFull))
		}
		group = fresh
		group.Epoch = epoch
		faults := []error{
			putJSON(txn, groupKey(string(group.ID)), group),
			txn.Set(currentKey(epoch, tenant), []byte(group.ID)),
		}
		for _, purpose := range group.Purposes {
			faults = append(faults, txn.Set(statusListKey(string(group.ID), purpose), packList(1, make([]byte, group.Size/8))))
		}
		return errors.Join(faults...)
	})
	return group, err
}

func readEpoch(txn *badgerdb.Txn) (uint64, error) {
	data, err := get(txn, epochKey())
	if errors.Is(err, errNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(data) != 8 {
		return 0, fmt.Errorf("%w: epoch", ErrDamaged)
	}
	return binary.BigEndian.Uint64(data), nil
}

// StartEpoch implements issuer.StatusStore.
func (db *DB) StartEpoch(ctx context.Context, audit issuer.AuditEvent) error {
	err := db.update(ctx, func(txn *badgerdb.Txn) error {
		epoch, err := readEpoch(txn)
		if err != nil {
			return err
		}
		return errors.Join(
			txn.Set(epochKey(), binary.BigEndian.AppendUint64(nil, epoch+1)),
			putAudit(txn, audit),
		)
	})
	db.issuing.mu.Lock()
	defer db.issuing.mu.Unlock()
	clear(db.issuing.current)
	return err
}

// IntentByKey implements issuer.IntentStore.
func (db *DB) IntentByKey(ctx context.Context, tenant, key string) (issuer.Intent, error) {
	var in issuer.Intent
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		id, err := get(txn, idempotencyKey(tenant, key))
		if err != nil {
			return err
		}
		return getJSON(txn, intentKey(string(id)), &in)
	})
	if errors.Is(err, errNotFound) {
		return issuer.Intent{}, issuer.ErrNotFound
	}
	return in, err
}

// Begin implements issuer.IntentStore.
func (db *DB) Begin(ctx context.Context, b issuer.Beginning) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		in, err := readIntent(txn, b.IntentID)
		if err != nil {
			return err
		}
		if in.State != issuer.StatePrepared {
			return fmt.Errorf("intent %s is %s: %w", in.ID, in.State, issuer.ErrIntent)
		}
		in.State, in.SigningKey, in.Template, in.UpdatedAt = issuer.StateSigning, b.SigningKey, b.Template, b.At
		in.Signatures = len(b.Audit)
		return errors.Join(putJSON(txn, intentKey(in.ID), in), putAudit(txn, b.Audit...))
	})
}

// Complete implements issuer.IntentStore.
func (db *DB) Complete(ctx context.Context, c issuer.Completion) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		in, err := readIntent(txn, c.IntentID)
		if err != nil {
			return err
		}
		if in.State == issuer.StateIssued && in.Digest == c.Record.Digest {
			return nil
		}
		if in.State != issuer.StateSigning {
			return fmt.Errorf("intent %s is %s: %w", in.ID, in.State, issuer.ErrIntent)
		}
		if in.Credential != c.Record.ID || in.Group != c.Record.Group || in.Index != c.Record.Index || in.Tenant != c.Record.Tenant {
			return fmt.Errorf("record of credential %s does not fit intent %s: %w", c.Record.ID, in.ID, issuer.ErrIntent)
		}
		in.State, in.Digest, in.UpdatedAt = issuer.StateIssued, c.Record.Digest, c.Record.IssuedAt
		rec := c.Record
		sealed := rec.Sealed
		rec.Sealed = nil // it stands apart, so that a change of status does not write it anew
		return errors.Join(
			txn.Set(sealedKey(rec.Tenant, string(rec.ID)), sealed),
			putJSON(txn, intentKey(in.ID), in),
			txn.Delete(openIntentKey(in.ID)),
			putJSON(txn, issuedKey(rec.Tenant, string(rec.ID)), rec),
			txn.Set(listingKey(rec.Tenant, rec.IssuedAt, string(rec.ID)), nil),
			putAudit(txn, c.Audit...),
			putOutbox(txn, c.Outbox),
		)
	})
}

// CloseIntent implements issuer.IntentStore.
func (db *DB) CloseIntent(ctx context.Context, c issuer.Closing) error {
	return db.update(ctx, func(txn *badgerdb.Txn) error {
		in, err := readIntent(txn, c.IntentID)
		if err != nil {
			return err
		}
		if in.State == issuer.StateClosed {
			return nil
		}
		if in.State != c.From || (c.From != issuer.StatePrepared && c.From != issuer.StateSigning) {
			return fmt.Errorf("intent %s is %s: %w", in.ID, in.State, issuer.ErrIntent)
		}
		in.State, in.Reason, in.UpdatedAt = issuer.StateClosed, c.Reason, c.At
		faults := []error{
			putJSON(txn, intentKey(in.ID), in), txn.Delete(openIntentKey(in.ID)), putAudit(txn, c.Audit),
		}
		if in.Key != "" {
			faults = append(faults, txn.Delete(idempotencyKey(in.Tenant, in.Key)))
		}
		if c.From == issuer.StateSigning {
			lists := listEdits{}
			faults = append(faults,
				lists.set(txn, in.Group, schemas.PurposeRevocation, in.Index, true), lists.write(txn), putOutbox(txn, c.Outbox))
		}
		return errors.Join(faults...)
	})
}

func readIntent(txn *badgerdb.Txn, id string) (issuer.Intent, error) {
	var in issuer.Intent
	err := getJSON(txn, intentKey(id), &in)
	if errors.Is(err, errNotFound) {
		return in, fmt.Errorf("intent %s: %w", id, issuer.ErrNotFound)
	}
	return in, err
}

// OpenIntents implements issuer.IntentStore.
func (db *DB) OpenIntents(ctx context.Context, after string, limit int) ([]issuer.Intent, error) {
	var out []issuer.Intent
	err := db.view(ctx, func(txn *badgerdb.Txn) error {
		prefix := openIntentsPrefix()
		var start []byte
		if after != "" {
			start = openIntentKey(after)
		}
		return scan(txn, prefix, start, limit, func(key, _ []byte) error {
			id, _ := cut(key[len(prefix):])
			in, err := readIntent(txn, id)
			if err != nil {
				return err
			}
			out = append(out, in)
			return nil
		})
	})
	return out, err
}
