package badger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	badgerdb "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Errors of the engine.
var (
	// ErrLocked is returned by Open when another process owns the folder.
	ErrLocked = errors.New("data folder is in use by another process")
	// ErrPermissions is returned by Open when others than the owner may enter the folder.
	ErrPermissions = errors.New("data folder is open to others")
	// ErrDamaged is returned when what is on disk cannot be what was written: files are missing or altered.
	ErrDamaged = errors.New("store is damaged")
	// ErrBusy is returned when a transaction collided with others more often than the bound. Answer 503 with Retry-After.
	ErrBusy = errors.New("store is busy")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("store is closed")
	// ErrTooBig is returned when one atomic unit is larger than the engine takes. Cut it into resumable steps.
	ErrTooBig = errors.New("transaction is too big")
)

// Config says where and how to open.
type Config struct {
	// Dir is the folder. It is made, for the owner only, when it is not there.
	Dir string
	// InMemory keeps everything in memory and nothing on disk. For tests; Dir must be "".
	InMemory bool
	// Unsafe leaves out the flush after each commit. For tests only: a power cut loses acknowledged writes.
	Unsafe bool
	// Log gets the engine's own messages; nil drops them.
	Log *slog.Logger
}

// DB is an open folder. It implements the stores of the parts; each is in a file of its own. Its methods may be called at
// once.
type DB struct {
	db        *badgerdb.DB
	log       *slog.Logger
	inMemory  bool
	gc        sync.Mutex // held by the one who collects the value log
	closeOnce sync.Once
	closeErr  error
	writers   writers
	issuing   issuing
}

// formatFile marks a folder that was initialised; formatVersion is its content and the value of metaFormat.
const (
	formatFile    = "HEARTMARK"
	formatVersion = "heartmark-store 1"
)

// settings returns the engine's options. TestDurableOptions pins them.
func settings(c Config) badgerdb.Options {
	o := badgerdb.DefaultOptions(c.Dir).
		WithSyncWrites(!c.Unsafe && !c.InMemory).
		WithVerifyValueChecksum(true).
		WithChecksumVerificationMode(options.OnTableAndBlockRead).
		WithDetectConflicts(true).
		WithBypassLockGuard(false).
		WithNumVersionsToKeep(1).
		WithCompactL0OnClose(false).
		WithMemTableSize(32 << 20).
		WithBlockCacheSize(64 << 20).
		WithIndexCacheSize(32 << 20).
		WithValueLogFileSize(64 << 20).
		WithMetricsEnabled(false).
		WithLogger(logger{c.Log})
	if c.InMemory {
		o = o.WithInMemory(true).WithDir("").WithValueDir("").WithMemTableSize(16 << 20).WithNumMemtables(2)
	}
	return o
}

// Open opens the folder, making it if need be. It returns ErrLocked, ErrPermissions or ErrDamaged with a text that says
// what to do.
func Open(c Config) (*DB, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.InMemory != (c.Dir == "") {
		return nil, errors.New("store: Config needs Dir, or InMemory without Dir")
	}
	used := false
	if !c.InMemory {
		var err error
		if used, err = prepareFolder(c.Dir); err != nil {
			return nil, err
		}
	}
	inner, err := badgerdb.Open(settings(c))
	if err != nil {
		return nil, openError(c.Dir, err)
	}
	db := &DB{db: inner, log: c.Log, inMemory: c.InMemory}
	if err := db.checkFormat(c, used); err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	if err := db.loadIssuing(); err != nil {
		return nil, errors.Join(err, inner.Close())
	}
	return db, nil
}

func openError(dir string, err error) error {
	if strings.Contains(err.Error(), "Cannot acquire directory lock") {
		holder := ""
		if pid, e := os.ReadFile(filepath.Join(dir, "LOCK")); e == nil {
			holder = " (process " + strings.TrimSpace(string(pid)) + ")"
		}
		return fmt.Errorf("%w%s: %s: stop the other `heartmark`, or ask it through its address (--registry URL) instead of opening its folder",
			ErrLocked, holder, dir)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open %s: %w: run as the owner of the folder and its files", dir, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("open %s: %w: free some space; nothing is lost", dir, err)
	}
	return fmt.Errorf("%w: open %s: %w: restore the folder from a backup and run `heartmark registry restored`, or ask `heartmark doctor`", ErrDamaged, dir, err)
}

// prepareFolder makes or checks the folder and reports whether it was in use before.
func prepareFolder(dir string) (used bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("make data folder: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return false, fmt.Errorf("look at data folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, fmt.Errorf("read data folder: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		if len(entries) > 0 {
			return false, fmt.Errorf("%w: %s has mode %04o: run `chmod 700 %s`", ErrPermissions, dir, mode, dir)
		}
		if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // G302: a folder needs the execute bit
			return false, fmt.Errorf("close data folder to others: %w", err)
		}
	}
	manifest, tables := false, false
	for _, e := range entries {
		switch name := e.Name(); {
		case name == badgerdb.ManifestFilename:
			manifest = true
		case name == formatFile:
			used = true
		case strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".vlog") || strings.HasSuffix(name, ".mem"):
			tables = true
		}
	}
	// The engine would take a folder without its manifest for a new one and drop the tables in it.
	if (tables || used) && !manifest {
		return false, fmt.Errorf("%w: %s holds data but no %s: restore the folder from a backup and run `heartmark registry restored`", ErrDamaged, dir, badgerdb.ManifestFilename)
	}
	return used, nil
}

// checkFormat compares the mark in the store with the mark in the folder, and sets both in a new one.
func (db *DB) checkFormat(c Config, used bool) error {
	ctx := context.Background()
	var have []byte
	err := db.view(ctx, func(txn *badgerdb.Txn) (err error) {
		have, err = get(txn, metaFormat())
		return err
	})
	switch {
	case errors.Is(err, errNotFound) && used:
		return fmt.Errorf("%w: %s was in use and is empty now: restore it from a backup and run `heartmark registry restored`", ErrDamaged, c.Dir)
	case errors.Is(err, errNotFound):
		if err := db.update(ctx, func(txn *badgerdb.Txn) error { return txn.Set(metaFormat(), []byte(formatVersion)) }); err != nil {
			return fmt.Errorf("mark the store: %w", err)
		}
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case string(have) != formatVersion:
		return fmt.Errorf("store has format %q, this program reads %q: use the program that wrote it", have, formatVersion)
	}
	if c.InMemory || used {
		return nil
	}
	if err := os.WriteFile(filepath.Join(c.Dir, formatFile), []byte(formatVersion+"\n"), 0o600); err != nil {
		return fmt.Errorf("mark the folder: %w", err)
	}
	return nil
}

// Close flushes and closes the folder. Later calls return what the first one did.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		// A collection in progress ends first: the engine must not be closed under it.
		db.gc.Lock()
		defer db.gc.Unlock()
		if err := db.db.Close(); err != nil {
			db.closeErr = fmt.Errorf("close store: %w", err)
		}
	})
	return db.closeErr
}

// Check reads a mark that every store has. It serves readiness probes.
func (db *DB) Check(ctx context.Context) error {
	return db.view(ctx, func(txn *badgerdb.Txn) error {
		_, err := get(txn, metaFormat())
		return err
	})
}

// logger hands the engine's messages to slog under one constant message.
type logger struct{ log *slog.Logger }

func (l logger) emit(level slog.Level, format string, args ...any) {
	if l.log == nil {
		return
	}
	l.log.LogAttrs(context.Background(), level, "store engine", slog.String("text", strings.TrimSpace(fmt.Sprintf(format, args...))))
}

func (l logger) Errorf(format string, args ...any)   { l.emit(slog.LevelError, format, args...) }
func (l logger) Warningf(format string, args ...any) { l.emit(slog.LevelWarn, format, args...) }

// Infof and Debugf both go to debug: what the engine calls info is its own housekeeping.
func (l logger) Infof(format string, args ...any)  { l.emit(slog.LevelDebug, format, args...) }
func (l logger) Debugf(format string, args ...any) { l.emit(slog.LevelDebug, format, args...) }

// gcRatio is the share of a value-log file that must be garbage before it is written anew.
const gcRatio = 0.5

// GC collects the value log until nothing is worth it or ctx ends. One call works at a time; another returns at once.
func (db *DB) GC(ctx context.Context) error {
	if db.inMemory || !db.gc.TryLock() {
		return nil
	}
	defer db.gc.Unlock()
	for ctx.Err() == nil {
		err := db.db.RunValueLogGC(gcRatio)
		if errors.Is(err, badgerdb.ErrNoRewrite) || errors.Is(err, badgerdb.ErrRejected) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("collect value log: %w", err)
		}
	}
	return nil
}

// Run collects the value log every interval until ctx ends, and returns nil then. It is the one owner of that work.
func (db *DB) Run(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := db.GC(ctx); err != nil {
				db.log.WarnContext(ctx, "value log not collected", slog.Any("error", err))
			}
		}
	}
}
