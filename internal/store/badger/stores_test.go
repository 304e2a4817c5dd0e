package badger_test

import (
	"path/filepath"
	"sync"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/store/badger"
	"heartmark/internal/store/storetest"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
	"heartmark/verifier/oid4vp"
	"heartmark/verifier/policies"
)

// folders remembers where each open store lies, so that a suite can close one and open it again.
type folders struct{ dirs sync.Map }

func (f *folders) open(t *testing.T) *badger.DB {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	db := openAt(t, dir)
	f.dirs.Store(db, dir)
	return db
}

func (f *folders) reopen(t *testing.T, db *badger.DB) *badger.DB {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	dir, _ := f.dirs.Load(db)
	again := openAt(t, dir.(string))
	f.dirs.Store(again, dir)
	return again
}

func TestKeyStore(t *testing.T) {
	t.Parallel()
	var f folders
	storetest.Keys(t,
		func(t *testing.T) keys.Store { return f.open(t) },
		func(t *testing.T, s keys.Store) keys.Store { return f.reopen(t, s.(*badger.DB)) })
}

func TestIssuerStore(t *testing.T) {
	t.Parallel()
	var f folders
	storetest.Issuer(t,
		func(t *testing.T) issuer.Store { return f.open(t) },
		func(t *testing.T, s issuer.Store) issuer.Store { return f.reopen(t, s.(*badger.DB)) })
}

func TestIssuerStoreInMemory(t *testing.T) {
	t.Parallel()
	storetest.Issuer(t, func(t *testing.T) issuer.Store { return openMemory(t) }, nil)
}

func TestOID4VCIStore(t *testing.T) {
	t.Parallel()
	var f folders
	storetest.OID4VCI(t,
		func(t *testing.T) oid4vci.Store { return f.open(t) },
		func(t *testing.T, s oid4vci.Store) oid4vci.Store { return f.reopen(t, s.(*badger.DB)) })
}

func TestPresentationStore(t *testing.T) {
	t.Parallel()
	var f folders
	storetest.Presentations(t,
		func(t *testing.T) oid4vp.Store { return f.open(t) },
		func(t *testing.T, s oid4vp.Store) oid4vp.Store { return f.reopen(t, s.(*badger.DB)) })
}

func TestPolicyStore(t *testing.T) {
	t.Parallel()
	var f folders
	storetest.Policies(t,
		func(t *testing.T) policies.Store { return f.open(t) },
		func(t *testing.T, s policies.Store) policies.Store { return f.reopen(t, s.(*badger.DB)) })
}

func TestReplayStore(t *testing.T) {
	t.Parallel()
	var f folders
	storetest.Replays(t,
		func(t *testing.T) storetest.ReplayStore { return f.open(t) },
		func(t *testing.T, s storetest.ReplayStore) storetest.ReplayStore { return f.reopen(t, s.(*badger.DB)) })
}
