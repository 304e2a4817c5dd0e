package badger_test

import (
	"sync"
	"testing"

	"heartmark/assessment"
	"heartmark/internal/store/badger"
	"heartmark/internal/store/storetest"
)

// flatSealer has one key for everything.
type flatSealer struct{ assessment.Sealer }

func (f flatSealer) Under(_, _ string) assessment.Sealer { return f.Sealer }

func reviewStores(db *badger.DB) storetest.ReviewStores {
	return storetest.ReviewStores{Review: db.Review(flatSealer{storetest.PlainSealer()}), Reports: db.Assessments(storetest.PlainSealer())}
}

func TestReviewStore(t *testing.T) {
	t.Parallel()
	var f folders
	var opened sync.Map // store to its database
	open := func(db *badger.DB) storetest.ReviewStores {
		s := reviewStores(db)
		opened.Store(s.Review, db)
		return s
	}
	storetest.Review(t,
		func(t *testing.T) storetest.ReviewStores { return open(f.open(t)) },
		func(t *testing.T, s storetest.ReviewStores) storetest.ReviewStores {
			db, _ := opened.Load(s.Review)
			return open(f.reopen(t, db.(*badger.DB)))
		})
}

func TestReviewStoreInMemory(t *testing.T) {
	t.Parallel()
	storetest.Review(t, func(t *testing.T) storetest.ReviewStores { return reviewStores(openMemory(t)) }, nil)
}
