package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"heartmark/assessment"
	"heartmark/assessment/training"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// Tables of the training part (w). The subject is a pseudonym.
//
//	w  p  tenant, subject                  revision and the sealed plan
//	w  c  tenant, subject, time, exercise  a sealed completion
//	w  m  tenant, subject, module          a sealed trace: what was done with a module, marks
//	w  t  tenant, module                   training.Tally: counts and sums, no person
//	w  r  tenant                           revision of the answers, and the number of chunks
//	w  a  tenant, revision, chunk          sealed answers, a hundred a chunk
func planKey(tenant, subject string) []byte {
	return table(partTraining, 'p').text(tenant).text(subject)
}

func completionsPrefix(tenant, subject string) []byte {
	return table(partTraining, 'c').text(tenant).text(subject)
}

func completionKey(tenant, subject string, c training.Completion) []byte {
	return table(partTraining, 'c').text(tenant).text(subject).time(c.At).text(string(c.Exercise))
}

func tracesPrefix(tenant, subject string) []byte {
	return table(partTraining, 'm').text(tenant).text(subject)
}

func traceKey(tenant, subject string, m training.ModuleID) []byte {
	return table(partTraining, 'm').text(tenant).text(subject).text(string(m))
}

func talliesPrefix(tenant string) []byte { return table(partTraining, 't').text(tenant) }

func tallyKey(tenant string, m training.ModuleID) []byte {
	return table(partTraining, 't').text(tenant).text(string(m))
}

func answersHeadKey(tenant string) []byte { return table(partTraining, 'r').text(tenant) }
func answersPrefix(tenant string) []byte  { return table(partTraining, 'a').text(tenant) }

func answersKey(tenant string, revision, chunk uint64) []byte {
	return table(partTraining, 'a').text(tenant).number(revision).number(chunk)
}

// Bounds of scans and chunks.
const (
	maxModulesScanned = 1000
	answersPerChunk   = 100 // with a vector of 384 numbers each, about half a megabyte
	erasedAtOnce      = 1000
)

// TrainingStore keeps plans, practice and approved answers, everything personal or a tenant's own text sealed.
type TrainingStore struct {
	db     *DB
	sealer assessment.Sealer
}

var (
	_ training.Store       = (*TrainingStore)(nil)
	_ training.AnswerStore = (*TrainingStore)(nil)
)

// Training returns the training store of db, which seals by sealer.
func (db *DB) Training(sealer assessment.Sealer) *TrainingStore { return &TrainingStore{db, sealer} }

// SavePlan implements training.Store.
func (s *TrainingStore) SavePlan(ctx context.Context, tenant string, p training.Plan) error {
	sealed, err := s.seal(ctx, tenant, p.Subject, training.SealPlan, p.Subject, p)
	if err != nil {
		return err
	}
	key := planKey(tenant, p.Subject)
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		have, err := get(txn, key)
		switch {
		case errors.Is(err, errNotFound):
			have = make([]byte, 8)
		case err != nil:
			return err
		case len(have) < 8:
			return fmt.Errorf("plan: %w", ErrDamaged)
		}
		if binary.BigEndian.Uint64(have) != p.Revision {
			return training.ErrStale
		}
		return txn.Set(key, append(binary.BigEndian.AppendUint64(nil, p.Revision+1), sealed...))
	})
}

// Plan implements training.Store.
func (s *TrainingStore) Plan(ctx context.Context, tenant, subject string) (training.Plan, error) {
	var have []byte
	err := s.db.view(ctx, func(txn *badgerdb.Txn) (err error) {
		have, err = get(txn, planKey(tenant, subject))
		return err
	})
	switch {
	case errors.Is(err, errNotFound):
		return training.Plan{}, training.ErrNotFound
	case err != nil:
		return training.Plan{}, err
	case len(have) < 8:
		return training.Plan{}, fmt.Errorf("plan: %w", ErrDamaged)
	}
	var p training.Plan
	err = s.open(ctx, tenant, training.SealPlan, subject, have[8:], &p)
	p.Revision = binary.BigEndian.Uint64(have)
	return p, err
}

// AddCompletion implements training.Store.
func (s *TrainingStore) AddCompletion(ctx context.Context, tenant, subject string, c training.Completion) error {
	key := completionKey(tenant, subject, c)
	sealed, err := s.seal(ctx, tenant, subject, training.SealCompletion, completionID(subject, key), c)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(txn *badgerdb.Txn) error { return txn.Set(key, sealed) })
}

// completionID binds a record to its place.
func completionID(subject string, key []byte) string {
	return subject + "#" + strconv.QuoteToASCII(string(key))
}

// Completions implements training.Store. The scan goes backwards, so that the latest are those that are kept.
func (s *TrainingStore) Completions(ctx context.Context, tenant, subject string) ([]training.Completion, error) {
	out := []training.Completion{}
	var keys, sealed [][]byte
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scanBack(txn, completionsPrefix(tenant, subject), training.MaxCompletions, func(key, value []byte) {
			keys, sealed = append(keys, key), append(sealed, value)
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range keys {
		var c training.Completion
		if err := s.open(ctx, tenant, training.SealCompletion, completionID(subject, keys[i]), sealed[i], &c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	slices.Reverse(out)
	return out, nil
}

// scanBack calls fn for the last entries under prefix, the last first, at most limit of them.
func scanBack(txn *badgerdb.Txn, prefix []byte, limit int, fn func(key, value []byte)) error {
	opts := badgerdb.DefaultIteratorOptions
	opts.Reverse = true
	it := txn.NewIterator(opts)
	defer it.Close()
	for it.Seek(append(slices.Clone(prefix), 0xff)); it.ValidForPrefix(prefix) && limit > 0; it.Next() {
		value, err := it.Item().ValueCopy(nil)
		if err != nil {
			return readError(err)
		}
		fn(it.Item().KeyCopy(nil), value)
		limit--
	}
	return nil
}

// UpdateTrace implements training.Store. Trace and tally change in one transaction.
func (s *TrainingStore) UpdateTrace(ctx context.Context, tenant, subject string, m training.ModuleID, change func(training.Trace) training.Trace) error {
	return s.swapTrace(ctx, tenant, subject, m, func(was training.Trace) (training.Trace, []byte, error) {
		is := change(was)
		sealed, err := s.seal(ctx, tenant, subject, training.SealTrace, traceID(subject, m), is)
		return is, sealed, err
	})
}

func traceID(subject string, m training.ModuleID) string { return subject + "#" + string(m) }

// swapsAtMost bounds how often a trace is tried again after another writer of the same subject and module came first.
const swapsAtMost = 100

// errSwapped tells that another writer came first.
var errSwapped = errors.New("changed in between")

// swapTrace puts what change gives in place of a trace, nil for none, and the tally with it. Sealing happens outside the
// transaction, as the sealer may itself write to this store; what was read must still stand there when it is replaced.
func (s *TrainingStore) swapTrace(ctx context.Context, tenant, subject string, m training.ModuleID, change func(was training.Trace) (is training.Trace, sealed []byte, err error)) error {
	key := traceKey(tenant, subject, m)
	for range swapsAtMost {
		before, was, err := s.trace(ctx, tenant, subject, m)
		if err != nil {
			return err
		}
		is, sealed, err := change(was)
		if err != nil {
			return err
		}
		err = s.db.update(ctx, func(txn *badgerdb.Txn) error {
			now, err := get(txn, key)
			if err != nil && !errors.Is(err, errNotFound) {
				return err
			}
			if !bytes.Equal(now, before) {
				return errSwapped
			}
			if sealed == nil {
				err = txn.Delete(key)
			} else {
				err = txn.Set(key, sealed)
			}
			return errors.Join(err, retally(txn, tenant, m, was.Tally(), is.Tally()))
		})
		if !errors.Is(err, errSwapped) {
			return err
		}
	}
	return ErrBusy
}

// trace returns the stored bytes, nil where there are none, and what they hold.
func (s *TrainingStore) trace(ctx context.Context, tenant, subject string, m training.ModuleID) (sealed []byte, t training.Trace, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) (err error) {
		sealed, err = get(txn, traceKey(tenant, subject, m))
		return err
	})
	if errors.Is(err, errNotFound) {
		return nil, t, nil
	}
	if err != nil {
		return nil, t, err
	}
	err = s.open(ctx, tenant, training.SealTrace, traceID(subject, m), sealed, &t)
	return sealed, t, err
}

func retally(txn *badgerdb.Txn, tenant string, m training.ModuleID, was, is training.Tally) error {
	if was == is {
		return nil
	}
	var t training.Tally
	if err := getJSON(txn, tallyKey(tenant, m), &t); err != nil && !errors.Is(err, errNotFound) {
		return err
	}
	if t = t.Replace(was, is); t == (training.Tally{}) {
		return txn.Delete(tallyKey(tenant, m))
	}
	return putJSON(txn, tallyKey(tenant, m), t)
}

// Tallies implements training.Store.
func (s *TrainingStore) Tallies(ctx context.Context, tenant string) (training.Tallies, error) {
	out := training.Tallies{}
	prefix := talliesPrefix(tenant)
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, nil, maxModulesScanned, func(key, value []byte) error {
			var t training.Tally
			if err := decode(value, &t); err != nil {
				return err
			}
			m, _ := cut(key[len(prefix):])
			out[training.ModuleID(m)] = t
			return nil
		})
	})
	return out, err
}

// EraseSubject implements training.Store. Traces go first, each with its part of the tally, the plan last: a call that was
// cut short is gone on with by calling again.
func (s *TrainingStore) EraseSubject(ctx context.Context, tenant, subject string) error {
	prefix := tracesPrefix(tenant, subject)
	keys, err := s.keys(ctx, prefix, maxModulesScanned)
	if err != nil {
		return err
	}
	for _, key := range keys {
		name, _ := cut(key[len(prefix):])
		if err := s.eraseTrace(ctx, tenant, subject, training.ModuleID(name)); err != nil {
			return err
		}
	}
	if err := s.deleteAll(ctx, completionsPrefix(tenant, subject)); err != nil {
		return err
	}
	return s.db.update(ctx, func(txn *badgerdb.Txn) error { return txn.Delete(planKey(tenant, subject)) })
}

func (s *TrainingStore) eraseTrace(ctx context.Context, tenant, subject string, m training.ModuleID) error {
	return s.swapTrace(ctx, tenant, subject, m, func(training.Trace) (training.Trace, []byte, error) { return training.Trace{}, nil, nil })
}

func (s *TrainingStore) keys(ctx context.Context, prefix []byte, limit int) (keys [][]byte, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error {
		return scan(txn, prefix, nil, limit, func(key, _ []byte) error {
			keys = append(keys, key)
			return nil
		})
	})
	return keys, err
}

// deleteAll removes what stands under prefix, a part at a time, as one transaction may hold only so much.
func (s *TrainingStore) deleteAll(ctx context.Context, prefix []byte) error {
	for {
		keys, err := s.keys(ctx, prefix, erasedAtOnce)
		if err != nil || len(keys) == 0 {
			return err
		}
		err = s.db.update(ctx, func(txn *badgerdb.Txn) error {
			for _, key := range keys {
				if err := txn.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// answersHead points to the answers in force.
type answersHead struct {
	Revision uint64 `json:"revision"`
	Chunks   int    `json:"chunks"`
	// Taken is the last revision that a writer took; one that never came to its end leaves a gap.
	Taken uint64 `json:"taken"`
}

// ReplaceAnswers implements training.AnswerStore. A revision is taken, the chunks go in under it, then the head turns to
// them, then what is older goes. Of two writers at once the one with the higher revision stays, as if it had come second.
func (s *TrainingStore) ReplaceAnswers(ctx context.Context, tenant string, answers []training.StoredAnswer) (uint64, error) {
	revision, err := s.takeRevision(ctx, tenant)
	if err != nil {
		return 0, err
	}
	chunks := 0
	for part := range slices.Chunk(answers, answersPerChunk) {
		n := uint64(chunks)
		sealed, err := s.seal(ctx, tenant, "", training.SealAnswers, answersID(revision, n), part)
		if err != nil {
			return 0, err
		}
		if err := s.db.update(ctx, func(txn *badgerdb.Txn) error { return txn.Set(answersKey(tenant, revision, n), sealed) }); err != nil {
			return 0, err
		}
		chunks++
	}
	inForce := revision
	err = s.db.update(ctx, func(txn *badgerdb.Txn) error {
		var h answersHead
		if err := getJSON(txn, answersHeadKey(tenant), &h); err != nil {
			return err
		}
		if inForce = max(revision, h.Revision); inForce > revision {
			return nil
		}
		h.Revision, h.Chunks = revision, chunks
		return putJSON(txn, answersHeadKey(tenant), h)
	})
	if err != nil {
		return 0, err
	}
	return inForce, s.deleteAnswersBefore(ctx, tenant, inForce)
}

func (s *TrainingStore) takeRevision(ctx context.Context, tenant string) (revision uint64, err error) {
	err = s.db.update(ctx, func(txn *badgerdb.Txn) error {
		var h answersHead
		if err := getJSON(txn, answersHeadKey(tenant), &h); err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		h.Taken++
		revision = h.Taken
		return putJSON(txn, answersHeadKey(tenant), h)
	})
	return revision, err
}

// deleteAnswersBefore removes the chunks of earlier revisions, also of writers that never came to their end.
func (s *TrainingStore) deleteAnswersBefore(ctx context.Context, tenant string, revision uint64) error {
	prefix := answersPrefix(tenant)
	first := answersKey(tenant, revision, 0)
	keys, err := s.keys(ctx, prefix, erasedAtOnce)
	if err != nil {
		return err
	}
	return s.db.update(ctx, func(txn *badgerdb.Txn) error {
		for _, key := range keys {
			if bytes.Compare(key, first) >= 0 {
				break
			}
			if err := txn.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

func answersID(revision, chunk uint64) string { return fmt.Sprintf("%d#%d", revision, chunk) }

func (s *TrainingStore) answersHead(ctx context.Context, tenant string) (h answersHead, err error) {
	err = s.db.view(ctx, func(txn *badgerdb.Txn) error { return getJSON(txn, answersHeadKey(tenant), &h) })
	if errors.Is(err, errNotFound) {
		err = nil
	}
	return h, err
}

// AnswerRevision implements training.AnswerStore.
func (s *TrainingStore) AnswerRevision(ctx context.Context, tenant string) (uint64, error) {
	h, err := s.answersHead(ctx, tenant)
	return h.Revision, err
}

// Answers implements training.AnswerStore. Head and chunks are read from one consistent state.
func (s *TrainingStore) Answers(ctx context.Context, tenant string) ([]training.StoredAnswer, uint64, error) {
	var h answersHead
	var chunks [][]byte
	err := s.db.view(ctx, func(txn *badgerdb.Txn) error {
		if err := getJSON(txn, answersHeadKey(tenant), &h); err != nil {
			return err
		}
		for n := range uint64(h.Chunks) {
			chunk, err := get(txn, answersKey(tenant, h.Revision, n))
			if err != nil {
				return fmt.Errorf("answers: %w", ErrDamaged)
			}
			chunks = append(chunks, chunk)
		}
		return nil
	})
	if errors.Is(err, errNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	var out []training.StoredAnswer
	for n, sealed := range chunks {
		var part []training.StoredAnswer
		if err := s.open(ctx, tenant, training.SealAnswers, answersID(h.Revision, uint64(n)), sealed, &part); err != nil {
			return nil, 0, err
		}
		out = append(out, part...)
	}
	return out, h.Revision, nil
}

// seal seals under the subject's own key where the sealer has such keys, so that erasure makes what lingers unreadable; what is of no
// subject ("") under the tenant's.
func (s *TrainingStore) seal(ctx context.Context, tenant, subject, kind, id string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	sealer := s.sealer
	if subjects, ok := sealer.(assessment.SubjectSealer); ok && subject != "" {
		sealer, _ = subjects.ForSubject(tenant, subject)
	}
	sealed, err := sealer.Seal(ctx, tenant, kind, id, plain)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", kind, err)
	}
	return sealed, nil
}

func (s *TrainingStore) open(ctx context.Context, tenant, kind, id string, sealed []byte, v any) error {
	plain, err := s.sealer.Open(ctx, tenant, kind, id, sealed)
	if err != nil {
		return fmt.Errorf("open %s: %w", kind, err)
	}
	return decode(plain, v)
}
