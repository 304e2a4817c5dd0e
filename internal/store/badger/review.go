package badger

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/intake"
	"heartmark/assessment/review"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Tables of the review part (v):
//
//	v  c  tenant, report, case       revision, length of the head, review.Case without words, sealed words
//	v  i  tenant, case               report
//	v  q  tenant, state, time, case  report; the order of the queue
//	v  u  tenant, case               report; cases that still have an effect to have
//	v  r  tenant, reviewer           review.Reviewer
func casesPrefix(tenant, report string) []byte {
	return table(partReview, 'c').text(tenant).text(report)
}

func caseKey(tenant, report, id string) []byte {
	return table(partReview, 'c').text(tenant).text(report).text(id)
}

func caseIndexKey(tenant, id string) []byte { return table(partReview, 'i').text(tenant).text(id) }

func caseQueuePrefix(tenant, state string) []byte {
	return table(partReview, 'q').text(tenant).text(state)
}

func caseQueueKey(c review.Case) []byte {
	return table(partReview, 'q').text(c.Tenant).text(c.State).time(c.Opened).text(c.ID)
}

func unfinishedPrefix() []byte { return table(partReview, 'u') }
func unfinishedKey(c review.Case) []byte {
	return table(partReview, 'u').text(c.Tenant).text(c.ID)
}
func reviewersPrefix(tenant string) []byte { return table(partReview, 'r').text(tenant) }
func reviewerKey(tenant, id string) []byte {
	return table(partReview, 'r').text(tenant).text(id)
}

// maxCases bounds the cases of one report.
const maxCases = 1000

// sealWords is the kind under which the words of a case are sealed.
const sealWords = "review_words"

// ReceiptSealer seals under the key of a subject for what rests on a receipt; *intake.Sealer is one.
type ReceiptSealer interface {
	assessment.Sealer
	Under(ref, consent string) assessment.Sealer
}

// ReviewStore keeps cases and reviewers.
type ReviewStore struct {
	db     *DB
	sealer ReceiptSealer
}

var (
	_ review.Store  = (*ReviewStore)(nil)
	_ ReceiptSealer = (*intake.Sealer)(nil)
)

// Review returns the review store of db. The words of a case are sealed under the key that its report lies under.
func (db *DB) Review(sealer ReceiptSealer) *ReviewStore { return &ReviewStore{db, sealer} }

// missingCase turns a missing key into the part's own sentinel.
func missingCase(err error) error {
	if errors.Is(err, errNotFound) {
		return review.ErrNotFound
	}
	return err
}

// sealerOf finds the sealer under which a report lies, or errNotFound where there is no such report.
func (s *ReviewStore) sealerOf(ctx context.Context, tenant, report string) (assessment.Sealer, error) {
	sealer := assessment.Sealer(s.sealer)
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		if _, err := get(txn, reportKey(tenant, report)); err != nil {
			return err
		}
		var o owner
		err := getJSON(txn, ownerKey(tenant, report), &o)
		if errors.Is(err, errNotFound) {
			return nil // a report of nobody known lies under the tenant's key
		}
		if err != nil {
			return err
		}
		var owned intake.Owned
		if err := getJSON(txn, ownedKey(tenant, o.Ref, report), &owned); err != nil {
			return err
		}
		sealer = s.sealer.Under(o.Ref, owned.Consent)
		return nil
	})
	return sealer, err
}

// encode returns the value of a case at a revision.
func (s *ReviewStore) encode(ctx context.Context, c review.Case, revision uint64) ([]byte, error) {
	sealer, err := s.sealerOf(ctx, c.Tenant, c.Report)
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode case: %w", err)
	}
	words, err := json.Marshal(c.Words)
	if err != nil {
		return nil, fmt.Errorf("encode case: %w", err)
	}
	sealed, err := sealer.Seal(ctx, c.Tenant, sealWords, c.ID, words)
	if err != nil {
		return nil, fmt.Errorf("seal case: %w", err)
	}
	out := binary.BigEndian.AppendUint64(nil, revision)
	out = binary.BigEndian.AppendUint32(out, uint32(len(head)))
	return append(append(out, head...), sealed...), nil
}

// decodeCase reads the head of a case, and what is sealed.
func decodeCase(value []byte) (c review.Case, sealed []byte, err error) {
	const fixed = 12
	if len(value) < fixed {
		return c, nil, fmt.Errorf("case: %w", ErrDamaged)
	}
	n := int(binary.BigEndian.Uint32(value[8:]))
	if n > len(value)-fixed {
		return c, nil, fmt.Errorf("case: %w", ErrDamaged)
	}
	err = decode(value[fixed:fixed+n], &c)
	c.Revision = binary.BigEndian.Uint64(value)
	return c, value[fixed+n:], err
}

func (s *ReviewStore) whole(ctx context.Context, value []byte) (review.Case, error) {
	c, sealed, err := decodeCase(value)
	if err != nil {
		return c, err
	}
	plain, err := s.sealer.Open(ctx, c.Tenant, sealWords, c.ID, sealed)
	if err != nil {
		return c, fmt.Errorf("open case: %w", err)
	}
	return c, decode(plain, &c.Words)
}

// Create implements review.Store.
func (s *ReviewStore) Create(ctx context.Context, c review.Case) (review.Case, bool, error) {
	value, err := s.encode(ctx, c, 1)
	if err != nil {
		return review.Case{}, false, missingCase(err)
	}
	var have []byte
	err = s.db.update(ctx, func(txn *badgerdb.Txn) error {
		have = nil
		if _, err := get(txn, reportKey(c.Tenant, c.Report)); err != nil {
			return err // it was erased meanwhile: nothing may be kept of it
		}
		found, err := get(txn, caseKey(c.Tenant, c.Report, c.ID))
		if err == nil {
			have = found
			return nil
		}
		if !errors.Is(err, errNotFound) {
			return err
		}
		return errors.Join(txn.Set(caseIndexKey(c.Tenant, c.ID), []byte(c.Report)), placeCase(txn, c, value))
	})
	switch {
	case err != nil:
		return review.Case{}, false, missingCase(err)
	case have != nil:
		c, err = s.whole(ctx, have)
		return c, false, err
	}
	c.Revision = 1
	return c, true, nil
}

// placeCase writes a case and where it stands in the queue and among the unfinished.
func placeCase(txn *badgerdb.Txn, c review.Case, value []byte) error {
	err := errors.Join(txn.Set(caseKey(c.Tenant, c.Report, c.ID), value), txn.Set(caseQueueKey(c), []byte(c.Report)))
	if c.Effect == "" {
		return errors.Join(err, txn.Delete(unfinishedKey(c)))
	}
	return errors.Join(err, txn.Set(unfinishedKey(c), []byte(c.Report)))
}

// Update implements review.Store.
func (s *ReviewStore) Update(ctx context.Context, c review.Case) error {
	value, err := s.encode(ctx, c, c.Revision+1)
	if err != nil {
		return missingCase(err)
	}
	return missingCase(s.db.update(ctx, func(txn *badgerdb.Txn) error {
		now, err := get(txn, caseKey(c.Tenant, c.Report, c.ID))
		if err != nil {
			return err
		}
		old, _, err := decodeCase(now)
		if err != nil {
			return err
		}
		if old.Revision != c.Revision {
			return review.ErrStale
		}
		return errors.Join(txn.Delete(caseQueueKey(old)), placeCase(txn, c, value))
	}))
}

// Case implements review.Store.
func (s *ReviewStore) Case(ctx context.Context, tenant, id string) (review.Case, error) {
	var value []byte
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		report, err := get(txn, caseIndexKey(tenant, id))
		if err != nil {
			return err
		}
		value, err = get(txn, caseKey(tenant, string(report), id))
		return err
	})
	if err != nil {
		return review.Case{}, missingCase(err)
	}
	return s.whole(ctx, value)
}

// OfReport implements review.Store.
func (s *ReviewStore) OfReport(ctx context.Context, tenant, report string) ([]review.Case, error) {
	var values [][]byte
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, casesPrefix(tenant, report), nil, maxCases, func(_, value []byte) error {
			values = append(values, value)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	out := make([]review.Case, len(values))
	for i, value := range values {
		if out[i], err = s.whole(ctx, value); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b review.Case) int { return a.Opened.Compare(b.Opened) })
	return out, nil
}

// Cases implements review.Store.
func (s *ReviewStore) Cases(ctx context.Context, tenant, state, cursor string, limit int) (cases []review.Case, next string, err error) {
	prefix := caseQueuePrefix(tenant, state)
	start, err := openCursor(prefix, cursor)
	if err != nil {
		return nil, "", err
	}
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, start, limit+1, func(key, report []byte) error {
			if len(cases) == limit {
				next = makeCursor(prefix, start)
				return errStop
			}
			id, _ := cut(key[len(prefix)+8:])
			c, err := head(txn, tenant, string(report), id)
			cases, start = append(cases, c), key
			return err
		})
	})
	return cases, next, err
}

// head reads a case without its words.
func head(txn *badgerdb.Txn, tenant, report, id string) (review.Case, error) {
	value, err := get(txn, caseKey(tenant, report, id))
	if err != nil {
		return review.Case{}, fmt.Errorf("case %s: %w", id, err)
	}
	c, _, err := decodeCase(value)
	return c, err
}

// Unfinished implements review.Store.
func (s *ReviewStore) Unfinished(ctx context.Context, after review.Case, limit int) (cases []review.Case, err error) {
	prefix := unfinishedPrefix()
	var start []byte
	if after.ID != "" {
		start = unfinishedKey(after)
	}
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, start, limit, func(key, report []byte) error {
			tenant, rest := cut(key[len(prefix):])
			id, _ := cut(rest)
			c, err := head(txn, tenant, string(report), id)
			cases = append(cases, c)
			return err
		})
	})
	return cases, err
}

// Forget implements review.Store.
func (s *ReviewStore) Forget(ctx context.Context, tenant, report string) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error { return dropCases(txn, tenant, report) })
}

// dropCases removes the cases of a report and what points to them.
func dropCases(txn *badgerdb.Txn, tenant, report string) error {
	var gone [][]byte
	err := scan(txn, casesPrefix(tenant, report), nil, maxCases, func(key, value []byte) error {
		c, _, err := decodeCase(value)
		gone = append(gone, key, caseIndexKey(tenant, c.ID), caseQueueKey(c), unfinishedKey(c))
		return err
	})
	for _, key := range gone {
		err = errors.Join(err, txn.Delete(key))
	}
	return err
}

// PutReviewer implements review.Store.
func (s *ReviewStore) PutReviewer(ctx context.Context, r review.Reviewer) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error { return putJSON(txn, reviewerKey(r.Tenant, r.ID), r) })
}

// Reviewers implements review.Store.
func (s *ReviewStore) Reviewers(ctx context.Context, tenant string) ([]review.Reviewer, error) {
	var out []review.Reviewer
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, reviewersPrefix(tenant), nil, review.MaxReviewers, func(_, value []byte) error {
			var r review.Reviewer
			if err := decode(value, &r); err != nil {
				return err
			}
			out = append(out, r)
			return nil
		})
	})
	return out, err
}
