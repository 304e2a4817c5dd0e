package keys_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

// memory is a keys.Store for tests; storetest checks the real ones against the same contract.
type memory struct {
	mu      sync.Mutex
	records map[schemas.KeyID]keys.Record
	fail    error
}

func newMemory() *memory { return &memory{records: map[schemas.KeyID]keys.Record{}} }

func (m *memory) PutKey(_ context.Context, rec keys.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if m.records[rec.ID].Version != rec.Version-1 {
		return keys.ErrConflict
	}
	rec.Sealed = slices.Clone(rec.Sealed)
	m.records[rec.ID] = rec
	return nil
}

func (m *memory) GetKey(_ context.Context, id schemas.KeyID) (keys.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, ok := m.records[id]
	if !ok {
		return keys.Record{}, keys.ErrNotFound
	}
	return rec, nil
}

func (m *memory) ListKeys(_ context.Context, tenant string) ([]keys.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []keys.Record
	for _, rec := range m.records {
		if rec.Tenant == tenant {
			out = append(out, rec)
		}
	}
	slices.SortFunc(out, func(a, b keys.Record) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out, nil
}

func (m *memory) DeleteKey(_ context.Context, id schemas.KeyID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, id)
	return nil
}

func (m *memory) edit(id schemas.KeyID, f func(*keys.Record)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec := m.records[id]
	f(&rec)
	m.records[id] = rec
}

func kekFile(t testing.TB) string {
	t.Helper()
	path := t.TempDir() + "/kek"
	if err := keys.GenerateKEK(path); err != nil {
		t.Fatalf("GenerateKEK: %v", err)
	}
	return path
}

var start = time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)

func controller(tenant string) string {
	if tenant == "" {
		return "did:web:heartmark.example"
	}
	return "did:web:heartmark.example:" + tenant
}

func openService(t testing.TB, store keys.Store, kek string, clock *testkit.Clock) *keys.Service {
	t.Helper()
	s, err := keys.Open(t.Context(), keys.Config{KEKFile: kek, Store: store, Now: clock.Now, Controller: controller})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}
