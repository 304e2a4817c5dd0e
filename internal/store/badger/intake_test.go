package badger_test

import (
	"sync"
	"testing"

	"heartmark/internal/store/badger"
	"heartmark/internal/store/storetest"
)

func intakeStores(db *badger.DB) storetest.IntakeStores {
	return storetest.IntakeStores{Intake: db.Intake(storetest.PlainSealer()), Reports: db.Assessments(storetest.PlainSealer())}
}

func TestIntakeStore(t *testing.T) {
	t.Parallel()
	var f folders
	var opened sync.Map // store to its database
	open := func(db *badger.DB) storetest.IntakeStores {
		s := intakeStores(db)
		opened.Store(s.Intake, db)
		return s
	}
	storetest.Intake(t,
		func(t *testing.T) storetest.IntakeStores { return open(f.open(t)) },
		func(t *testing.T, s storetest.IntakeStores) storetest.IntakeStores {
			db, _ := opened.Load(s.Intake)
			return open(f.reopen(t, db.(*badger.DB)))
		})
}

func TestIntakeStoreInMemory(t *testing.T) {
	t.Parallel()
	storetest.Intake(t, func(t *testing.T) storetest.IntakeStores { return intakeStores(openMemory(t)) }, nil)
}
