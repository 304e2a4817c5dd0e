package badger_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/store/badger"
	"heartmark/schemas"

	"github.com/dgraph-io/badger/v4/options"
)

func openAt(t testing.TB, dir string) *badger.DB {
	t.Helper()
	db, err := badger.Open(badger.Config{Dir: dir})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

func put(t testing.TB, db *badger.DB, id string) {
	t.Helper()
	if err := db.PutKey(t.Context(), keys.Record{ID: schemas.KeyID(id), Tenant: "acme", Version: 1}); err != nil {
		t.Fatalf("PutKey: %v", err)
	}
}

func TestDurableOptions(t *testing.T) {
	t.Parallel()
	o := badger.Settings(badger.Config{Dir: "x"})
	if !o.SyncWrites || !o.VerifyValueChecksum || !o.DetectConflicts || o.BypassLockGuard || o.InMemory || o.ReadOnly {
		t.Errorf("SyncWrites %v, VerifyValueChecksum %v, DetectConflicts %v, BypassLockGuard %v: want true, true, true, false",
			o.SyncWrites, o.VerifyValueChecksum, o.DetectConflicts, o.BypassLockGuard)
	}
	if o.ChecksumVerificationMode != options.OnTableAndBlockRead {
		t.Errorf("ChecksumVerificationMode = %v, want OnTableAndBlockRead", o.ChecksumVerificationMode)
	}
	if badger.Settings(badger.Config{Dir: "x", Unsafe: true}).SyncWrites {
		t.Error("Unsafe left SyncWrites on")
	}
}

func TestSEC_201_SecondOpenIsRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	db := openAt(t, dir)
	_, err := badger.Open(badger.Config{Dir: dir})
	if !errors.Is(err, badger.ErrLocked) || !strings.Contains(err.Error(), "stop the other") {
		t.Errorf("second Open: %v, want ErrLocked that says what to do", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, dir)
}

func TestFolderRights(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	db := openAt(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder mode %v, %v; want 0700", info.Mode(), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := badger.Open(badger.Config{Dir: dir}); !errors.Is(err, badger.ErrPermissions) || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("Open of a readable folder: %v, want ErrPermissions that says what to do", err)
	}
}

func TestRobbedFolderIsRefused(t *testing.T) {
	t.Parallel()
	for name, rob := range map[string]func(t *testing.T, dir string){
		"manifest gone": func(t *testing.T, dir string) { remove(t, dir, "MANIFEST") },
		"everything but the mark gone": func(t *testing.T, dir string) {
			remove(t, dir, "*.mem", "*.sst", "*.vlog", "MANIFEST", "KEYREGISTRY", "DISCARD")
		},
		"log and tables gone": func(t *testing.T, dir string) { remove(t, dir, "*.mem", "*.sst", "*.vlog") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			db := openAt(t, dir)
			put(t, db, "1")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			rob(t, dir)
			if db, err := badger.Open(badger.Config{Dir: dir}); !errors.Is(err, badger.ErrDamaged) {
				if err == nil {
					_ = db.Close()
				}
				t.Errorf("Open: %v, want ErrDamaged", err)
			}
		})
	}
}

func remove(t *testing.T, dir string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	db := openMemory(t)
	const workers, rounds = 64, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				if err := badger.Increment(t.Context(), db); err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := badger.Counter(t, db); n != workers*rounds {
		t.Errorf("counter %d after %d increments", n, workers*rounds)
	}
}

// Units that come together in one transaction stay apart: one that fails or panics leaves nothing and harms no other.
func TestUnitsStayApart(t *testing.T) {
	t.Parallel()
	db := openMemory(t)
	wrong := errors.New("wrong")
	var wg sync.WaitGroup
	for n := range 300 {
		wg.Go(func() {
			switch n % 3 {
			case 0:
				if err := badger.Increment(t.Context(), db); err != nil {
					t.Errorf("update: %v", err)
				}
			case 1:
				if err := badger.IncrementAndFail(t.Context(), db, wrong); !errors.Is(err, wrong) {
					t.Errorf("update that fails: %v, want its own error", err)
				}
			case 2:
				defer func() {
					if r := recover(); r != any(wrong) {
						t.Errorf("recovered %v, want the unit's own panic", r)
					}
				}()
				badger.IncrementAndPanic(t.Context(), db, wrong)
			}
		})
	}
	wg.Wait()
	if n := badger.Counter(t, db); n != 100 {
		t.Errorf("counter %d, want 100: failed units left something", n)
	}
}

func TestUpdateOfOneWhoLeft(t *testing.T) {
	t.Parallel()
	db := openMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := badger.Increment(ctx, db); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v, want Canceled", err)
	}
}

// A unit that collides with a writer outside the group is run again.
func TestCollisionsAreRetried(t *testing.T) {
	t.Parallel()
	db := openMemory(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if err := badger.IncrementOutside(db); err != nil {
					t.Errorf("outside: %v", err)
				}
				if err := badger.Increment(t.Context(), db); err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := badger.Counter(t, db); n != 400 {
		t.Errorf("counter %d, want 400", n)
	}
}

func openMemory(t testing.TB) *badger.DB {
	t.Helper()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

func TestClosedStore(t *testing.T) {
	t.Parallel()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := db.Check(t.Context()); !errors.Is(err, badger.ErrClosed) {
		t.Errorf("Check after Close: %v, want ErrClosed", err)
	}
	if err := db.PutKey(t.Context(), keys.Record{ID: "a", Version: 1}); !errors.Is(err, badger.ErrClosed) {
		t.Errorf("PutKey after Close: %v, want ErrClosed", err)
	}
}

func TestCollectValueLog(t *testing.T) {
	t.Parallel()
	db := openAt(t, filepath.Join(t.TempDir(), "data"))
	put(t, db, "1")
	if err := db.GC(t.Context()); err != nil {
		t.Errorf("GC: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Run(ctx, 1); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []badger.Config{{}, {Dir: "x", InMemory: true}} {
		if _, err := badger.Open(c); err == nil {
			t.Errorf("Open(%+v) succeeded", c)
		}
	}
}
