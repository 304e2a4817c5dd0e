package badger_test

import (
	"sync"
	"testing"

	"heartmark/assessment/rollout"
	"heartmark/internal/store/badger"
	"heartmark/internal/store/storetest"
)

func TestModelStore(t *testing.T) {
	t.Parallel()
	var f folders
	var opened sync.Map // the store of models to its database
	models := func(db *badger.DB) rollout.Store {
		s := db.Models()
		opened.Store(s, db)
		return s
	}
	storetest.Models(t,
		func(t *testing.T) rollout.Store { return models(f.open(t)) },
		func(t *testing.T, s rollout.Store) rollout.Store {
			db, _ := opened.Load(s)
			return models(f.reopen(t, db.(*badger.DB)))
		})
}

func TestModelStoreInMemory(t *testing.T) {
	t.Parallel()
	storetest.Models(t, func(t *testing.T) rollout.Store { return openMemory(t).Models() }, nil)
}
