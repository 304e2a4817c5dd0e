package badger_test

import (
	"sync"
	"testing"

	"heartmark/assessment/training"
	"heartmark/internal/store/badger"
	"heartmark/internal/store/storetest"
)

// trainings remembers which database a training store is over.
type trainings struct {
	folders
	dbs sync.Map
}

func (f *trainings) over(db *badger.DB) *badger.TrainingStore {
	s := db.Training(boundSealer{})
	f.dbs.Store(s, db)
	return s
}

func (f *trainings) again(t *testing.T, s any) *badger.TrainingStore {
	t.Helper()
	db, _ := f.dbs.Load(s)
	return f.over(f.reopen(t, db.(*badger.DB)))
}

func TestTrainingStore(t *testing.T) {
	t.Parallel()
	var f trainings
	storetest.Training(t,
		func(t *testing.T) training.Store { return f.over(f.open(t)) },
		func(t *testing.T, s training.Store) training.Store { return f.again(t, s) })
}

func TestAnswerStore(t *testing.T) {
	t.Parallel()
	var f trainings
	storetest.Answers(t,
		func(t *testing.T) training.AnswerStore { return f.over(f.open(t)) },
		func(t *testing.T, s training.AnswerStore) training.AnswerStore { return f.again(t, s) })
}

func TestTrainingStoreInMemory(t *testing.T) {
	t.Parallel()
	storetest.Training(t, func(t *testing.T) training.Store { return openMemory(t).Training(boundSealer{}) }, nil)
	storetest.Answers(t, func(t *testing.T) training.AnswerStore { return openMemory(t).Training(boundSealer{}) }, nil)
}
