package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"heartmark/assessment/intake"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// live looks at the receipt and the subject of a batch, within the transaction that acts on it: a withdrawal that comes at the
// same time either is seen here or collides.
func live(txn *badgerdb.Txn, b intake.Batch, at time.Time) error {
	var c intake.Consent
	if err := getJSON(txn, consentKey(b.Tenant, b.Consent), &c); err != nil {
		return err
	}
	if !c.Live(at) {
		return intake.ErrNotLive
	}
	restricted, err := exists(txn, restrictKey(b.Tenant, b.Ref))
	if err == nil && restricted {
		return intake.ErrRestricted
	}
	return err
}

// Enqueue implements intake.QueueStore.
func (s *IntakeStore) Enqueue(ctx context.Context, b intake.Batch, quota int) (stored intake.Batch, created bool, err error) {
	err = s.update(ctx, func(txn *badgerdb.Txn) error {
		stored, created = intake.Batch{}, false
		if _, err := inState(txn, b.Tenant, b.ID, intake.StateReceived); err != nil {
			return err
		}
		if err := live(txn, b, b.Queued); err != nil {
			return err
		}
		id, err := get(txn, digestKey(b.Tenant, b.Consent, b.Digest))
		if err == nil {
			if err = getJSON(txn, batchKey(b.Tenant, string(id)), &stored); err == nil && stored.State != intake.StateDestroyed {
				return nil
			}
		}
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		waiting := 0
		err = scan(txn, queueOf(b.Tenant), nil, quota, func(_, _ []byte) error { waiting++; return nil })
		if err != nil {
			return err
		}
		if waiting >= quota {
			return intake.ErrQuota
		}
		stored, created = b, true
		return errors.Join(
			putJSON(txn, batchKey(b.Tenant, b.ID), b),
			txn.Set(digestKey(b.Tenant, b.Consent, b.Digest), []byte(b.ID)),
			drop(txn, piecesPrefix(b.Tenant, b.ID), maxPieces),
			txn.Set(queueKey(b.Tenant, b.Queued, b.ID), queueValue(time.Time{})))
	})
	return stored, created, err
}

// queueValue is the time before which an entry is not claimed, in nanoseconds since 1970; 0 for none.
func queueValue(notBefore time.Time) []byte {
	if notBefore.IsZero() {
		return binary.BigEndian.AppendUint64(nil, 0)
	}
	return binary.BigEndian.AppendUint64(nil, uint64(notBefore.UnixNano()))
}

// Claim implements intake.QueueStore.
func (s *IntakeStore) Claim(ctx context.Context, after string, now time.Time) (b intake.Batch, ok bool, err error) {
	err = s.update(ctx, func(txn *badgerdb.Txn) error {
		b, ok = intake.Batch{}, false
		// Behind every entry of the tenant that was served last; then around, up to and with that tenant.
		key := ready(txn, append(queueOf(after), bytes.Repeat([]byte{0xff}, 9)...), nil, now)
		if key == nil {
			key = ready(txn, queuePrefix(), append(queueOf(after), bytes.Repeat([]byte{0xff}, 9)...), now)
		}
		if key == nil {
			return nil
		}
		tenant, rest := cut(key[len(queuePrefix()):])
		id, _ := cut(rest[8:])
		if err := getJSON(txn, batchKey(tenant, id), &b); err != nil {
			return err
		}
		b.State, b.Attempts, ok = intake.StateScoring, b.Attempts+1, true
		return errors.Join(
			putJSON(txn, batchKey(tenant, id), b), txn.Delete(key), txn.Set(claimedKey(tenant, id), nil))
	})
	return b, ok, err
}

// ready returns the key of the first entry from start on, and before end where there is one, that may be claimed at now.
func ready(txn *badgerdb.Txn, start, end []byte, now time.Time) []byte {
	opts := badgerdb.DefaultIteratorOptions
	opts.Prefix = queuePrefix()
	it := txn.NewIterator(opts)
	defer it.Close()
	for it.Seek(start); it.ValidForPrefix(queuePrefix()); it.Next() {
		if end != nil && bytes.Compare(it.Item().Key(), end) >= 0 {
			return nil
		}
		value, err := it.Item().ValueCopy(nil)
		if err != nil || len(value) != 8 {
			continue // a damaged entry blocks nobody; its text ends by its deadline
		}
		if binary.BigEndian.Uint64(value) <= uint64(now.UnixNano()) {
			return it.Item().KeyCopy(nil)
		}
	}
	return nil
}

// Release implements intake.QueueStore.
func (s *IntakeStore) Release(ctx context.Context, tenant, id string, notBefore time.Time) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error {
		b, err := inState(txn, tenant, id, intake.StateScoring)
		if err != nil {
			return err
		}
		b.State, b.NotBefore = intake.StateQueued, notBefore
		return errors.Join(
			putJSON(txn, batchKey(tenant, id), b), txn.Delete(claimedKey(tenant, id)),
			txn.Set(queueKey(tenant, b.Queued, id), queueValue(notBefore)))
	})
}

// Claimed implements intake.QueueStore.
func (s *IntakeStore) Claimed(ctx context.Context, limit int) ([]intake.Batch, error) {
	return s.batches(ctx, claimedPrefix(), nil, limit, tenantAndID)
}

// Complete implements intake.QueueStore.
func (s *IntakeStore) Complete(ctx context.Context, c intake.Completion) error {
	b, err := s.Batch(ctx, c.Tenant, c.Batch)
	if err != nil {
		return err
	}
	how := saving{
		sealer: c.Sealer, ref: b.Ref, owner: intake.Owned{Consent: b.Consent, Batch: b.ID}, keep: c.Keep,
		also: func(txn *badgerdb.Txn) error {
			now, err := inState(txn, c.Tenant, c.Batch, intake.StateScoring)
			if err != nil {
				return err
			}
			if err := live(txn, now, c.At); err != nil {
				return err
			}
			now.State, now.Report, now.Done = intake.StateDone, c.Report.ID, c.At
			return errors.Join(
				putJSON(txn, batchKey(c.Tenant, c.Batch), now), txn.Delete(claimedKey(c.Tenant, c.Batch)),
				txn.Set(unshreddedKey(c.Tenant, c.Batch), nil))
		},
	}
	err = missing(s.reports.save(ctx, c.Tenant, c.Report, how))
	if errors.Is(err, intake.ErrState) || errors.Is(err, intake.ErrNotLive) || errors.Is(err, intake.ErrNotFound) {
		return errors.Join(err, s.dropOrphans(ctx, c.Tenant, c.Report.ID))
	}
	return err
}

// dropOrphans removes items whose report was not stored.
func (s *IntakeStore) dropOrphans(ctx context.Context, tenant, report string) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error {
		stored, err := exists(txn, reportKey(tenant, report))
		if err != nil || stored {
			return err
		}
		return drop(txn, itemsPrefix(tenant, report), maxChunks)
	})
}

// Shred implements intake.QueueStore.
func (s *IntakeStore) Shred(ctx context.Context, end intake.End) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error {
		var b intake.Batch
		if err := getJSON(txn, batchKey(end.Tenant, end.Batch), &b); err != nil {
			return err
		}
		if b.DestroyedAt.IsZero() {
			b.DestroyedAt = end.At
			if b.State != intake.StateDone {
				b.State, b.Reason, b.Lines, b.Bad, b.Issues = end.State, end.Reason, end.Lines, end.Bad, end.Issues
			}
		}
		b.Offset, b.Pieces, b.Parts = 0, 0, 0
		return errors.Join(
			putJSON(txn, batchKey(b.Tenant, b.ID), b),
			drop(txn, piecesPrefix(b.Tenant, b.ID), maxPieces), drop(txn, partsPrefix(b.Tenant, b.ID), maxPieces),
			txn.Delete(queueKey(b.Tenant, b.Queued, b.ID)), txn.Delete(claimedKey(b.Tenant, b.ID)),
			txn.Delete(unshreddedKey(b.Tenant, b.ID)), txn.Delete(dueText(b)))
	})
}

// Unshredded implements intake.QueueStore.
func (s *IntakeStore) Unshredded(ctx context.Context, limit int) ([]intake.Batch, error) {
	return s.batches(ctx, unshreddedPrefix(), nil, limit, tenantAndID)
}

// Depth implements intake.QueueStore.
func (s *IntakeStore) Depth(ctx context.Context, limit int) (waiting int, oldest time.Time, err error) {
	prefix := queuePrefix()
	err = s.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, nil, limit, func(key, _ []byte) error {
			_, rest := cut(key[len(prefix):])
			if len(rest) < 8 {
				return ErrDamaged
			}
			at := time.Unix(0, int64(binary.BigEndian.Uint64(rest))).UTC()
			if waiting++; oldest.IsZero() || at.Before(oldest) {
				oldest = at
			}
			return nil
		})
	})
	return waiting, oldest, err
}

// Control implements intake.QueueStore.
func (s *IntakeStore) Control(ctx context.Context) (c intake.Control, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, controlKey(), &c) })
	if errors.Is(err, errNotFound) {
		return intake.Control{}, nil
	}
	return c, err
}

// SetControl implements intake.QueueStore.
func (s *IntakeStore) SetControl(ctx context.Context, c intake.Control) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error { return putJSON(txn, controlKey(), c) })
}

// owner is the other direction of an Owned: whose a report is, and when it goes.
type owner struct {
	Ref  string    `json:"ref"`
	Keep time.Time `json:"keep,omitzero"`
}

// own lists a report for its subject and notes when it goes.
func own(txn *badgerdb.Txn, tenant string, how saving) error {
	err := errors.Join(
		putJSON(txn, ownedKey(tenant, how.ref, how.owner.Report), how.owner),
		putJSON(txn, ownerKey(tenant, how.owner.Report), owner{how.ref, how.keep}))
	if !how.keep.IsZero() {
		err = errors.Join(err, txn.Set(dueReport(tenant, how.owner.Report, how.keep), nil))
	}
	return err
}

func dueReport(tenant, report string, at time.Time) []byte {
	return dueKey(intake.Due{At: at, Kind: intake.DueReport, Tenant: tenant, ID: report})
}

// disown takes what own wrote back.
func disown(txn *badgerdb.Txn, tenant, report string) error {
	var o owner
	err := getJSON(txn, ownerKey(tenant, report), &o)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	err = errors.Join(txn.Delete(ownerKey(tenant, report)), txn.Delete(ownedKey(tenant, o.Ref, report)))
	if !o.Keep.IsZero() {
		err = errors.Join(err, txn.Delete(dueReport(tenant, report, o.Keep)))
	}
	return err
}

// Restriction implements intake.RightsStore.
func (s *IntakeStore) Restriction(ctx context.Context, tenant, ref string) (r intake.Restriction, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, restrictKey(tenant, ref), &r) })
	if errors.Is(err, errNotFound) {
		return intake.Restriction{}, nil
	}
	return r, err
}

// SetRestriction implements intake.RightsStore.
func (s *IntakeStore) SetRestriction(ctx context.Context, tenant, ref string, r intake.Restriction) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error {
		if r.Kind == "" {
			return txn.Delete(restrictKey(tenant, ref))
		}
		return putJSON(txn, restrictKey(tenant, ref), r)
	})
}

// SubjectReports implements intake.RightsStore.
func (s *IntakeStore) SubjectReports(ctx context.Context, tenant, ref, cursor string, limit int) (out []intake.Owned, err error) {
	after := []byte(nil)
	if cursor != "" {
		after = ownedKey(tenant, ref, cursor)
	}
	err = s.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, ownedPrefix(tenant, ref), after, limit, func(_, value []byte) error {
			var o intake.Owned
			if err := decode(value, &o); err != nil {
				return err
			}
			out = append(out, o)
			return nil
		})
	})
	return out, err
}

// ReplaceReport implements intake.RightsStore. The items go first, then those that are left come, then the report: a crash in
// between leaves fewer items than the old report rests on, never more.
func (s *IntakeStore) ReplaceReport(ctx context.Context, r intake.Replacement) error {
	var have owner
	err := s.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, ownerKey(r.Tenant, r.Owned.Report), &have) })
	if err != nil {
		return err
	}
	return s.reports.save(ctx, r.Tenant, r.Report, saving{sealer: r.Sealer, ref: have.Ref, owner: r.Owned, keep: have.Keep, replace: true})
}

// Mark implements intake.RightsStore.
func (s *IntakeStore) Mark(ctx context.Context, e intake.Erasure) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error { return txn.Set(erasureKey(e), nil) })
}

// Erasures implements intake.RightsStore.
func (s *IntakeStore) Erasures(ctx context.Context, limit int) (out []intake.Erasure, err error) {
	prefix := erasuresPrefix()
	err = s.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, nil, limit, func(key, _ []byte) error {
			kind, rest := cut(key[len(prefix):])
			tenant, id := tenantAndID(rest)
			out = append(out, intake.Erasure{Kind: kind, Tenant: tenant, ID: id})
			return nil
		})
	})
	return out, err
}

// Erased implements intake.RightsStore.
func (s *IntakeStore) Erased(ctx context.Context, e intake.Erasure) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error { return txn.Delete(erasureKey(e)) })
}

// Due implements intake.RightsStore.
func (s *IntakeStore) Due(ctx context.Context, now time.Time, limit int) (out []intake.Due, err error) {
	prefix := duePrefix()
	err = s.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, nil, limit, func(key, _ []byte) error {
			rest := key[len(prefix):]
			if len(rest) < 8 {
				return ErrDamaged
			}
			at := time.Unix(0, int64(binary.BigEndian.Uint64(rest))).UTC()
			if at.After(now) {
				return errStop
			}
			kind, rest := cut(rest[8:])
			tenant, id := tenantAndID(rest)
			out = append(out, intake.Due{At: at, Kind: kind, Tenant: tenant, ID: id})
			return nil
		})
	})
	return out, err
}

// Settle implements intake.RightsStore.
func (s *IntakeStore) Settle(ctx context.Context, d intake.Due) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error {
		if err := txn.Delete(dueKey(d)); err != nil {
			return err
		}
		switch d.Kind {
		case intake.DueKey:
			return txn.Delete(requestKey(d.Tenant, d.ID))
		case intake.DueConsent:
			return dropConsent(txn, d.Tenant, d.ID)
		case intake.DueBatch:
			return dropBatch(txn, d.Tenant, d.ID)
		}
		return nil
	})
}

func dropConsent(txn *badgerdb.Txn, tenant, id string) error {
	var c intake.Consent
	err := getJSON(txn, consentKey(tenant, id), &c)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err == nil && c.Proof != "" {
		err = txn.Delete(proofKey(tenant, c.Proof))
	}
	if err != nil {
		return err
	}
	return errors.Join(txn.Delete(consentKey(tenant, id)), txn.Delete(consentOfKey(tenant, c.Ref, id)))
}

func dropBatch(txn *badgerdb.Txn, tenant, id string) error {
	var b intake.Batch
	err := getJSON(txn, batchKey(tenant, id), &b)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err == nil && b.Digest != "" {
		err = txn.Delete(digestKey(tenant, b.Consent, b.Digest))
	}
	if err != nil {
		return err
	}
	return errors.Join(txn.Delete(batchKey(tenant, id)), txn.Delete(batchOfKey(tenant, b.Consent, id)))
}
