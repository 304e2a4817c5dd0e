package badger_test

import (
	"testing"

	"heartmark/internal/store/badger"
	"heartmark/internal/store/storetest"
	"heartmark/registry"
	"heartmark/registry/webhooks"
)

func TestRegistryStore(t *testing.T) {
	t.Parallel()
	// opened remembers the folder of each store, to open it again.
	type opened struct {
		db  *badger.DB
		dir string
	}
	stores := map[registry.Store]opened{}
	at := func(t *testing.T, dir string) registry.Store {
		t.Helper()
		db, err := badger.Open(badger.Config{Dir: dir, Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		s := db.Registry()
		stores[s] = opened{db, dir}
		return s
	}
	storetest.Registry(t,
		func(t *testing.T) registry.Store { return at(t, t.TempDir()) },
		func(t *testing.T, s registry.Store) registry.Store {
			if err := stores[s].db.Close(); err != nil {
				t.Fatal(err)
			}
			return at(t, stores[s].dir)
		})
}

func TestWebhooksStore(t *testing.T) {
	t.Parallel()
	storetest.Webhooks(t, func(t *testing.T) webhooks.Store {
		t.Helper()
		db, err := badger.Open(badger.Config{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return db.Webhooks()
	})
}
