package oid4vci_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"heartmark/issuer/oid4vci"
)

// memory is a Store for tests. It keeps what the engines keep, through the same JSON, and one lock makes each call atomic.
type memory struct {
	mu     sync.Mutex // guards offers and nonces
	offers map[string][]byte
	nonces map[[32]byte]time.Time
	fail   error // returned by every write where set
}

var _ oid4vci.Store = (*memory)(nil)

func newMemory() *memory {
	return &memory{offers: map[string][]byte{}, nonces: map[[32]byte]time.Time{}}
}

func (m *memory) PutOffer(_ context.Context, o oid4vci.OfferRecord) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if _, ok := m.offers[o.ID]; ok {
		return oid4vci.ErrExists
	}
	return m.put(o)
}

func (m *memory) put(o oid4vci.OfferRecord) error {
	data, err := json.Marshal(o)
	m.offers[o.ID] = data
	return err
}

func (m *memory) Offer(_ context.Context, id string) (oid4vci.OfferRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(id)
}

func (m *memory) get(id string) (o oid4vci.OfferRecord, err error) {
	data, ok := m.offers[id]
	if !ok {
		return o, oid4vci.ErrNoOffer
	}
	err = json.Unmarshal(data, &o)
	return o, err
}

func (m *memory) UpdateOffer(_ context.Context, id string, change func(o *oid4vci.OfferRecord) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	// A first run that is thrown away, as after a conflict: change must bear being called again.
	o, err := m.get(id)
	if err != nil {
		return err
	}
	_ = change(&o)
	if o, err = m.get(id); err != nil {
		return err
	}
	if err := change(&o); err != nil {
		return err
	}
	if m.fail != nil {
		return m.fail
	}
	return m.put(o)
}

func (m *memory) UseNonce(_ context.Context, hash [32]byte, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if _, ok := m.nonces[hash]; ok {
		return oid4vci.ErrUsed
	}
	m.nonces[hash] = expires
	return nil
}

func (m *memory) DeleteExpired(_ context.Context, before time.Time, limit int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for id := range m.offers {
		o, err := m.get(id)
		if err != nil {
			return n, err
		}
		if n < limit && o.PurgeAt.Before(before) {
			delete(m.offers, id)
			n++
		}
	}
	for hash, expires := range m.nonces {
		if n < limit && expires.Before(before) {
			delete(m.nonces, hash)
			n++
		}
	}
	return n, nil
}

// dump is all that the store holds, as text.
func (m *memory) dump(t *testing.T) string {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	out := ""
	for _, data := range m.offers {
		out += string(data)
	}
	return out
}
