package badger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/intake"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Tables of the assessment part (a):
//
//	a  r  tenant, report id          digest of the plaintext and the sealed report
//	a  i  tenant, report id, chunk   sealed items, a few thousand a chunk
func reportKey(tenant, id string) []byte   { return table(partAssessment, 'r').text(tenant).text(id) }
func reportPrefix(tenant string) []byte    { return table(partAssessment, 'r').text(tenant) }
func itemsPrefix(tenant, id string) []byte { return table(partAssessment, 'i').text(tenant).text(id) }

func itemsKey(tenant, id string, chunk uint64) []byte {
	return table(partAssessment, 'i').text(tenant).text(id).number(chunk)
}

// itemsPerChunk keeps a chunk well below the engine's largest value.
const itemsPerChunk = 2000

// maxChunks bounds a scan over one report's items (20 million).
const maxChunks = 10000

// AssessmentStore keeps reports and items, everything personal sealed.
type AssessmentStore struct {
	db     *DB
	sealer assessment.Sealer
}

var _ assessment.Store = (*AssessmentStore)(nil)

// Assessments returns the assessment store of db. What it writes is sealed by sealer under the tenant, a kind and the
// report's id.
func (db *DB) Assessments(sealer assessment.Sealer) *AssessmentStore {
	return &AssessmentStore{db: db, sealer: sealer}
}

// SaveReport implements assessment.Store. Where the sealer has keys of each subject's own, the report lies under that of its
// subject and is listed for it.
func (s *AssessmentStore) SaveReport(ctx context.Context, tenant string, r assessment.Report) error {
	how := saving{sealer: s.sealer}
	if subjects, ok := s.sealer.(assessment.SubjectSealer); ok {
		how.sealer, how.ref = subjects.ForSubject(tenant, r.Subject)
		if last, err := time.Parse(time.DateOnly, r.Window.To); err == nil {
			how.keep = last.Add(intake.KeepReports)
		}
	}
	return s.save(ctx, tenant, r, how)
}

// saving says how a report is stored.
type saving struct {
	sealer assessment.Sealer
	ref    string // of the subject; "": listed for nobody
	owner  intake.Owned
	keep   time.Time // when it goes; zero: never by itself
	// also runs in the transaction that makes the report readable, after the check that it is new.
	also func(txn *badgerdb.Txn) error
	// replace stores it in place of the one that is there.
	replace bool
}

// save stores a report. The items go first: a report that can be read has all its items.
func (s *AssessmentStore) save(ctx context.Context, tenant string, r assessment.Report, how saving) error {
	plain, err := assessment.EncodeReport(r)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(plain)
	sealed, err := how.sealer.Seal(ctx, tenant, assessment.SealReport, r.ID, plain)
	if err != nil {
		return fmt.Errorf("seal report: %w", err)
	}
	if how.also == nil && !how.replace {
		if same, err := s.stored(ctx, tenant, r.ID, sum[:]); err != nil || same {
			return err
		}
	}
	if how.replace {
		if err := s.dropItems(ctx, tenant, r.ID); err != nil {
			return err
		}
	}
	if err := s.saveItems(ctx, tenant, r.ID, r.Items, how.sealer); err != nil {
		return err
	}
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		have, err := get(txn, reportKey(tenant, r.ID))
		switch {
		case err == nil && !how.replace && !bytes.HasPrefix(have, sum[:]):
			return assessment.ErrConflict
		case err != nil && !errors.Is(err, errNotFound):
			return err
		}
		if how.also != nil {
			if err := how.also(txn); err != nil {
				return err
			}
		}
		if how.ref != "" {
			how.owner.Report = r.ID
			if err := own(txn, tenant, how); err != nil {
				return err
			}
		}
		return txn.Set(reportKey(tenant, r.ID), append(sum[:], sealed...))
	})
}

// dropItems removes the items of a report.
func (s *AssessmentStore) dropItems(ctx context.Context, tenant, id string) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error { return drop(txn, itemsPrefix(tenant, id), maxChunks) })
}

// stored reports whether the report is there already, with these bytes.
func (s *AssessmentStore) stored(ctx context.Context, tenant, id string, sum []byte) (same bool, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		have, err := get(txn, reportKey(tenant, id))
		if errors.Is(err, errNotFound) {
			return nil
		}
		if err == nil && !bytes.HasPrefix(have, sum) {
			return assessment.ErrConflict
		}
		same = err == nil
		return err
	})
	return same, err
}

func (s *AssessmentStore) saveItems(ctx context.Context, tenant, id string, items []assessment.Item, sealer assessment.Sealer) error {
	for chunk := uint64(0); len(items) > 0; chunk++ {
		n := min(itemsPerChunk, len(items))
		plain, err := json.Marshal(items[:n])
		if err != nil {
			return fmt.Errorf("encode items: %w", err)
		}
		items = items[n:]
		sealed, err := sealer.Seal(ctx, tenant, assessment.SealItems, itemsID(id, chunk), plain)
		if err != nil {
			return fmt.Errorf("seal items: %w", err)
		}
		err = s.db.update(ctx, func(txn *badgerdb.Txn) error { return txn.Set(itemsKey(tenant, id, chunk), sealed) })
		if err != nil {
			return err
		}
	}
	return nil
}

// itemsID binds a chunk to its place, so that chunks cannot be swapped.
func itemsID(id string, chunk uint64) string { return fmt.Sprintf("%s#%d", id, chunk) }

// Report implements assessment.Store.
func (s *AssessmentStore) Report(ctx context.Context, tenant, id string) (assessment.Report, error) {
	var sealed []byte
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		var err error
		sealed, err = get(txn, reportKey(tenant, id))
		return err
	})
	if errors.Is(err, errNotFound) {
		return assessment.Report{}, assessment.ErrNotFound
	}
	if err != nil {
		return assessment.Report{}, err
	}
	if len(sealed) < sha256.Size {
		return assessment.Report{}, fmt.Errorf("report: %w", ErrDamaged)
	}
	plain, err := s.sealer.Open(ctx, tenant, assessment.SealReport, id, sealed[sha256.Size:])
	if err != nil {
		return assessment.Report{}, fmt.Errorf("open report: %w", err)
	}
	return assessment.DecodeReport(plain)
}

// Items implements assessment.Store.
func (s *AssessmentStore) Items(ctx context.Context, tenant, id string) ([]assessment.Item, error) {
	var chunks [][]byte
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		if _, err := get(txn, reportKey(tenant, id)); err != nil {
			return err
		}
		return scan(txn, itemsPrefix(tenant, id), nil, maxChunks, func(_, value []byte) error {
			chunks = append(chunks, value)
			return nil
		})
	})
	if errors.Is(err, errNotFound) {
		return nil, assessment.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	var out []assessment.Item
	for i, sealed := range chunks {
		plain, err := s.sealer.Open(ctx, tenant, assessment.SealItems, itemsID(id, uint64(i)), sealed)
		if err != nil {
			return nil, fmt.Errorf("open items: %w", err)
		}
		var part []assessment.Item
		if err := decode(plain, &part); err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

// Reports implements assessment.Store.
func (s *AssessmentStore) Reports(ctx context.Context, tenant, cursor string, limit int) ([]string, error) {
	var ids []string
	prefix := reportPrefix(tenant)
	var after []byte
	if cursor != "" {
		after = reportKey(tenant, cursor)
	}
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, after, limit, func(key, _ []byte) error {
			id, _ := cut(key[len(prefix):])
			ids = append(ids, id)
			return nil
		})
	})
	return ids, err
}

// Erase implements assessment.Store.
func (s *AssessmentStore) Erase(ctx context.Context, tenant, id string) error {
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		if err := drop(txn, itemsPrefix(tenant, id), maxChunks); err != nil {
			return err
		}
		if err := disown(txn, tenant, id); err != nil {
			return err
		}
		if err := dropCases(txn, tenant, id); err != nil {
			return err
		}
		return txn.Delete(reportKey(tenant, id))
	})
}
