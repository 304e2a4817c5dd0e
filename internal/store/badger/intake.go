package badger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/intake"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Tables of the intake part (n). ref is the keyed hash of a subject. Nothing here is a person's text in clear.
//
//	n  c  tenant, receipt id            intake.Consent
//	n  f  tenant, ref, receipt id       (nothing)
//	n  p  tenant, proof                 receipt id (one signature makes one receipt)
//	n  b  tenant, batch id              intake.Batch
//	n  o  tenant, receipt id, batch id  (nothing)
//	n  g  tenant, receipt id, digest    batch id
//	n  k  tenant, idempotency key       request and object
//	n  e  tenant, batch id, number      sealed piece of an upload
//	n  s  tenant, batch id, number      sealed part of a submission
//	n  q  tenant, time, batch id        not to be scored before (the queue)
//	n  w  tenant, batch id              (nothing; being scored)
//	n  h  tenant, batch id              (nothing; done, and its text not destroyed yet)
//	n  t  tenant, ref                   intake.Restriction
//	n  u  tenant, ref, report id        intake.Owned
//	n  x  tenant, report id             ref and end of storage
//	n  z  kind, tenant, id              (nothing; to be erased)
//	n  d  time, kind, tenant, id        (nothing; ends of storage)
//	n  n                                intake.Control
func consentKey(tenant, id string) []byte { return table(partIntake, 'c').text(tenant).text(id) }

func consentsPrefix(tenant, ref string) []byte {
	return table(partIntake, 'f').text(tenant).text(ref)
}

func consentOfKey(tenant, ref, id string) []byte {
	return table(partIntake, 'f').text(tenant).text(ref).text(id)
}

func proofKey(tenant, proof string) []byte { return table(partIntake, 'p').text(tenant).text(proof) }
func batchKey(tenant, id string) []byte    { return table(partIntake, 'b').text(tenant).text(id) }
func batchesPrefix(tenant, consent string) []byte {
	return table(partIntake, 'o').text(tenant).text(consent)
}

func batchOfKey(tenant, consent, id string) []byte {
	return table(partIntake, 'o').text(tenant).text(consent).text(id)
}

func digestKey(tenant, consent, digest string) []byte {
	return table(partIntake, 'g').text(tenant).text(consent).text(digest)
}

func requestKey(tenant, name string) []byte  { return table(partIntake, 'k').text(tenant).text(name) }
func piecesPrefix(tenant, id string) []byte  { return table(partIntake, 'e').text(tenant).text(id) }
func partsPrefix(tenant, id string) []byte   { return table(partIntake, 's').text(tenant).text(id) }
func queuePrefix() []byte                    { return table(partIntake, 'q') }
func queueOf(tenant string) []byte           { return table(partIntake, 'q').text(tenant) }
func claimedPrefix() []byte                  { return table(partIntake, 'w') }
func claimedKey(tenant, id string) []byte    { return table(partIntake, 'w').text(tenant).text(id) }
func unshreddedPrefix() []byte               { return table(partIntake, 'h') }
func unshreddedKey(tenant, id string) []byte { return table(partIntake, 'h').text(tenant).text(id) }
func restrictKey(tenant, ref string) []byte  { return table(partIntake, 't').text(tenant).text(ref) }

func ownedPrefix(tenant, ref string) []byte { return table(partIntake, 'u').text(tenant).text(ref) }

func ownerKey(tenant, report string) []byte { return table(partIntake, 'x').text(tenant).text(report) }
func erasuresPrefix() []byte                { return table(partIntake, 'z') }
func duePrefix() []byte                     { return table(partIntake, 'd') }
func controlKey() []byte                    { return table(partIntake, 'n') }

func ownedKey(tenant, ref, report string) []byte {
	return table(partIntake, 'u').text(tenant).text(ref).text(report)
}

func pieceKey(tenant, id string, number int) []byte {
	return table(partIntake, 'e').text(tenant).text(id).number(uint64(number))
}

func partKey(tenant, id string, number int) []byte {
	return table(partIntake, 's').text(tenant).text(id).number(uint64(number))
}

func queueKey(tenant string, at time.Time, id string) []byte {
	return table(partIntake, 'q').text(tenant).time(at).text(id)
}

func erasureKey(e intake.Erasure) []byte {
	return table(partIntake, 'z').text(e.Kind).text(e.Tenant).text(e.ID)
}

func dueKey(d intake.Due) []byte {
	return table(partIntake, 'd').time(d.At).text(d.Kind).text(d.Tenant).text(d.ID)
}

// maxPieces bounds the pieces, and the parts, of one batch: far above intake.MaxUpload.
const maxPieces = 10_000

// IntakeStore keeps receipts, batches and the queue. Reports go through the assessment store, in the same transactions.
type IntakeStore struct {
	db      *DB
	reports *AssessmentStore
}

var _ intake.Store = (*IntakeStore)(nil)

// Intake returns the intake store of db. Reports are stored as db.Assessments(sealer) reads them.
func (db *DB) Intake(sealer assessment.Sealer) *IntakeStore {
	return &IntakeStore{db: db, reports: db.Assessments(sealer)}
}

// missing turns the engine's sentinel into the part's own.
func missing(err error) error {
	if errors.Is(err, errNotFound) {
		return intake.ErrNotFound
	}
	return err
}

func (s *IntakeStore) update(ctx context.Context, fn func(txn *badgerdb.Txn) error) error {
	return missing(s.db.update(ctx, fn))
}

func (s *IntakeStore) view(ctx context.Context, fn func(txn *badgerdb.Txn) error) error {
	return missing(s.db.view(ctx, fn))
}

// request is what is remembered of an idempotency key.
type request struct {
	Request string `json:"request"`
	ID      string `json:"id"`
}

// claimed looks a key up: the object that it made, "" for none.
func claimedBy(txn *badgerdb.Txn, tenant string, key intake.Key) (id string, err error) {
	if key.Name == "" {
		return "", nil
	}
	var have request
	err = getJSON(txn, requestKey(tenant, key.Name), &have)
	switch {
	case errors.Is(err, errNotFound):
		return "", nil
	case err != nil:
		return "", err
	case have.Request != key.Request:
		return "", intake.ErrKeyReuse
	}
	return have.ID, nil
}

func remember(txn *badgerdb.Txn, tenant string, key intake.Key, id string) error {
	if key.Name == "" {
		return nil
	}
	return errors.Join(
		putJSON(txn, requestKey(tenant, key.Name), request{key.Request, id}),
		txn.Set(dueKey(intake.Due{At: key.Until, Kind: intake.DueKey, Tenant: tenant, ID: key.Name}), nil))
}

// PutConsent implements intake.ConsentStore.
func (s *IntakeStore) PutConsent(ctx context.Context, c intake.Consent, key intake.Key) (stored intake.Consent, created bool, err error) {
	err = s.update(ctx, func(txn *badgerdb.Txn) error {
		stored, created = intake.Consent{}, false
		id, err := claimedBy(txn, c.Tenant, key)
		if err != nil {
			return err
		}
		if id == "" && c.Proof != "" {
			have, err := get(txn, proofKey(c.Tenant, c.Proof))
			if err != nil && !errors.Is(err, errNotFound) {
				return err
			}
			id = string(have)
		}
		if id != "" {
			return getJSON(txn, consentKey(c.Tenant, id), &stored)
		}
		stored, created = c, true
		err = errors.Join(
			putJSON(txn, consentKey(c.Tenant, c.ID), c),
			txn.Set(consentOfKey(c.Tenant, c.Ref, c.ID), nil),
			txn.Set(dueKey(intake.Due{At: c.Until.Add(intake.KeepReceipts), Kind: intake.DueConsent, Tenant: c.Tenant, ID: c.ID}), nil),
			remember(txn, c.Tenant, key, c.ID))
		if c.Proof != "" {
			err = errors.Join(err, txn.Set(proofKey(c.Tenant, c.Proof), []byte(c.ID)))
		}
		return err
	})
	return stored, created, err
}

// Consent implements intake.ConsentStore.
func (s *IntakeStore) Consent(ctx context.Context, tenant, id string) (c intake.Consent, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, consentKey(tenant, id), &c) })
	return c, err
}

// Consents implements intake.ConsentStore.
func (s *IntakeStore) Consents(ctx context.Context, tenant, ref, cursor string, limit int) (out []intake.Consent, err error) {
	prefix, after := consentsPrefix(tenant, ref), []byte(nil)
	if cursor != "" {
		after = consentOfKey(tenant, ref, cursor)
	}
	err = s.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, after, limit, func(key, _ []byte) error {
			id, _ := cut(key[len(prefix):])
			var c intake.Consent
			if err := getJSON(txn, consentKey(tenant, id), &c); err != nil {
				return err
			}
			out = append(out, c)
			return nil
		})
	})
	return out, err
}

// Withdraw implements intake.ConsentStore.
func (s *IntakeStore) Withdraw(ctx context.Context, tenant, id string, at time.Time, why string) (c intake.Consent, err error) {
	err = s.update(ctx, func(txn *badgerdb.Txn) error {
		c = intake.Consent{}
		if err := getJSON(txn, consentKey(tenant, id), &c); err != nil {
			return err
		}
		if c.Withdrawn.IsZero() {
			c.Withdrawn, c.Why = at, why
		}
		if why == intake.WhyErased {
			c.Why = why
		}
		return errors.Join(
			putJSON(txn, consentKey(tenant, id), c),
			txn.Set(erasureKey(intake.Erasure{Kind: intake.EraseConsent, Tenant: tenant, ID: id}), nil))
	})
	return c, err
}

// Strip implements intake.ConsentStore. The digest of the terms goes too: it could be tried against a guessed subject.
func (s *IntakeStore) Strip(ctx context.Context, tenant, id string) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error {
		var c intake.Consent
		if err := getJSON(txn, consentKey(tenant, id), &c); err != nil {
			return err
		}
		c.Sealed, c.Terms = nil, ""
		return putJSON(txn, consentKey(tenant, id), c)
	})
}

// CreateBatch implements intake.BatchStore.
func (s *IntakeStore) CreateBatch(ctx context.Context, b intake.Batch, key intake.Key) (stored intake.Batch, created bool, err error) {
	err = s.update(ctx, func(txn *badgerdb.Txn) error {
		stored, created = intake.Batch{}, false
		id, err := claimedBy(txn, b.Tenant, key)
		if err != nil {
			return err
		}
		if id != "" {
			err := getJSON(txn, batchKey(b.Tenant, id), &stored)
			if err == nil && stored.State != intake.StateDestroyed || err != nil && !errors.Is(err, errNotFound) {
				return err
			}
		}
		stored, created = b, true
		return errors.Join(
			putJSON(txn, batchKey(b.Tenant, b.ID), b),
			txn.Set(batchOfKey(b.Tenant, b.Consent, b.ID), nil),
			txn.Set(dueText(b), nil),
			txn.Set(dueKey(intake.Due{At: b.Received.Add(intake.KeepBatches), Kind: intake.DueBatch, Tenant: b.Tenant, ID: b.ID}), nil),
			remember(txn, b.Tenant, key, b.ID))
	})
	return stored, created, err
}

func dueText(b intake.Batch) []byte {
	return dueKey(intake.Due{At: b.Deadline, Kind: intake.DueText, Tenant: b.Tenant, ID: b.ID})
}

// Batch implements intake.BatchStore.
func (s *IntakeStore) Batch(ctx context.Context, tenant, id string) (b intake.Batch, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, batchKey(tenant, id), &b) })
	return b, err
}

// BatchesOf implements intake.BatchStore.
func (s *IntakeStore) BatchesOf(ctx context.Context, tenant, consent, cursor string, limit int) ([]intake.Batch, error) {
	after := []byte(nil)
	if cursor != "" {
		after = batchOfKey(tenant, consent, cursor)
	}
	prefix := batchesPrefix(tenant, consent)
	return s.batches(ctx, prefix, after, limit, func(rest []byte) (string, string) {
		id, _ := cut(rest)
		return tenant, id
	})
}

// batches reads the batches that an index names.
func (s *IntakeStore) batches(ctx context.Context, prefix, after []byte, limit int, name func(rest []byte) (tenant, id string)) (out []intake.Batch, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, after, limit, func(key, _ []byte) error {
			tenant, id := name(key[len(prefix):])
			var b intake.Batch
			if err := getJSON(txn, batchKey(tenant, id), &b); err != nil {
				return err
			}
			out = append(out, b)
			return nil
		})
	})
	return out, err
}

// tenantAndID reads two text columns.
func tenantAndID(rest []byte) (tenant, id string) {
	tenant, rest = cut(rest)
	id, _ = cut(rest)
	return tenant, id
}

// AddPiece implements intake.BatchStore.
func (s *IntakeStore) AddPiece(ctx context.Context, tenant, id string, offset, n int64, sealed []byte) (b intake.Batch, err error) {
	err = s.update(ctx, func(txn *badgerdb.Txn) error {
		b = intake.Batch{}
		if err := getJSON(txn, batchKey(tenant, id), &b); err != nil {
			return err
		}
		switch {
		case b.State != intake.StateReceived:
			return intake.ErrState
		case b.Offset != offset:
			return intake.ErrOffset
		}
		number := b.Pieces
		b.Offset, b.Pieces = b.Offset+n, b.Pieces+1
		return errors.Join(putJSON(txn, batchKey(tenant, id), b), txn.Set(pieceKey(tenant, id, number), sealed))
	})
	return b, err
}

// PutPart implements intake.BatchStore.
func (s *IntakeStore) PutPart(ctx context.Context, tenant, id string, number int, sealed []byte) error {
	return s.update(ctx, func(txn *badgerdb.Txn) error {
		if _, err := inState(txn, tenant, id, intake.StateReceived); err != nil {
			return err
		}
		return txn.Set(partKey(tenant, id, number), sealed)
	})
}

// inState reads a batch and holds that it is in a state.
func inState(txn *badgerdb.Txn, tenant, id, state string) (b intake.Batch, err error) {
	if err := getJSON(txn, batchKey(tenant, id), &b); err != nil {
		return b, err
	}
	if b.State != state {
		return b, fmt.Errorf("batch is %s: %w", b.State, intake.ErrState)
	}
	return b, nil
}

// Piece implements intake.BatchStore.
func (s *IntakeStore) Piece(ctx context.Context, tenant, id string, number int) (sealed []byte, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn) (err error) {
		sealed, err = get(txn, pieceKey(tenant, id, number))
		return err
	})
	return sealed, err
}

// Part implements intake.BatchStore.
func (s *IntakeStore) Part(ctx context.Context, tenant, id string, number int) (sealed []byte, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn) (err error) {
		sealed, err = get(txn, partKey(tenant, id, number))
		return err
	})
	return sealed, err
}
