package translog

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"k8s.io/klog/v2"
)

// Errors of this package.
var (
	// ErrNotFound is returned for a path, tile or index that the log does not have, or not yet under a checkpoint.
	ErrNotFound = errors.New("not in the log")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("log is closed")
	// ErrTooLarge is returned for an entry of more than MaxEntry bytes.
	ErrTooLarge = errors.New("log entry is too large")
	// ErrDamaged is returned when the folder is not what the checkpoint says, or the checkpoint is not ours.
	ErrDamaged = errors.New("log is damaged")
)

// MaxEntry is the longest entry in bytes (C2SP tlog-tiles).
const MaxEntry = 1<<16 - 1

const (
	// batchAge and batchSize bound how long entries wait for company; checkpointEvery is the shortest the driver allows. An
	// append alone takes some 20 ms, in a stream at most two checkpoint intervals.
	batchAge        = 5 * time.Millisecond
	batchSize       = 256
	checkpointEvery = 100 * time.Millisecond
	pollEvery       = 5 * time.Millisecond
	closeWithin     = 10 * time.Second
)

// Config says where the log is and who signs.
type Config struct {
	// Dir is the log's folder; it is made when it is not there. It holds public data only.
	Dir string
	// Name is the log's origin line and key name, such as "dei.example/log": a schema-less URL that never changes.
	Name string
	// Signer is the log's Ed25519 key.
	Signer crypto.Signer
	// RetiredKeys are verifier keys in note form of keys that signed earlier checkpoints of this log.
	RetiredKeys []string
	// AppendTimeout bounds an append; 0 is 10 s.
	AppendTimeout time.Duration
}

// Log is an open log. Its methods may be called at once; one process at a time appends to a folder.
type Log struct {
	cfg      Config
	keys     []string
	vkey     string
	appender *tessera.Appender
	reader   tessera.LogReader
	shutdown func(context.Context) error
	cancel   context.CancelFunc

	// mu is held for reading across an append, so that Close waits for those in flight.
	mu     sync.RWMutex
	closed bool
	// adding counts the appends whose batch is not written yet, those whose caller has given up included.
	adding sync.WaitGroup
}

// libraryLog guards the one logger that the tile library has for the whole process.
var libraryLog sync.Once

// LogTo sends what the tile library says to log, at its own levels. The library has one logger for the process and reads it
// without a lock: call this before the first Open. Only the first call counts.
func LogTo(log *slog.Logger) { libraryLog.Do(func() { klog.SetSlogLogger(log) }) }

// Open opens or starts the log in c.Dir. The log lives until Close; the end of ctx does not close it. It returns
// ErrDamaged where the folder's checkpoint is not signed by one of the keys.
func Open(ctx context.Context, c Config) (*Log, error) {
	if c.Dir == "" {
		return nil, errors.New("log needs a folder")
	}
	signer, vkey, err := newSigner(c.Name, c.Signer)
	if err != nil {
		return nil, err
	}
	if c.AppendTimeout <= 0 {
		c.AppendTimeout = 10 * time.Second
	}
	l := &Log{cfg: c, vkey: vkey, keys: append([]string{vkey}, c.RetiredKeys...)}
	living, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	driver, err := posix.New(living, posix.Config{Path: c.Dir})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("log folder: %w", err)
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(batchSize, batchAge).
		WithCheckpointInterval(checkpointEvery).
		// A note has no date: the same tree signed again is the same bytes.
		WithCheckpointRepublishInterval(0)
	l.appender, l.shutdown, l.reader, err = tessera.NewAppender(living, driver, options)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open log: %w", err)
	}
	if err := l.checkOpen(ctx); err != nil {
		cancel()
		return nil, err
	}
	return l, nil
}

// checkOpen compares the published checkpoint with the tree behind it, which may be ahead after a kill and never behind.
func (l *Log) checkOpen(ctx context.Context) error {
	cp, _, err := l.checkpoint(ctx)
	if err != nil {
		return err
	}
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return fmt.Errorf("log tree: %w: %w", err, ErrDamaged)
	}
	if size < cp.Size {
		return fmt.Errorf("tree has %d entries, its checkpoint %d: %w", size, cp.Size, ErrDamaged)
	}
	return nil
}

// Close waits for appends in flight, those that their caller has left too, and stops the log: afterwards nothing writes to
// its folder. Later calls return nil.
func (l *Log) Close(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	defer l.cancel()
	ctx, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	// The library waits for the indexes that were given, not for a batch that is about to get its own.
	settled := make(chan struct{})
	go func() { l.adding.Wait(); close(settled) }()
	select {
	case <-settled:
	case <-ctx.Done():
		return fmt.Errorf("close log: %w", ctx.Err())
	}
	if err := l.shutdown(ctx); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

// Name returns the log's origin.
func (l *Log) Name() string { return l.cfg.Name }

// VerifierKey returns the log's public key in note form, for inclusion.Verify.
func (l *Log) VerifierKey() string { return l.vkey }

// VerifierKeys returns the current key and the retired ones.
func (l *Log) VerifierKeys() []string { return slices.Clone(l.keys) }

// Append adds leaves in this order and returns their indexes once a published checkpoint commits to all of them. After an
// error some or all may be in the log: ask Find before trying again.
func (l *Log) Append(ctx context.Context, leaves [][]byte) ([]uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, ErrClosed
	}
	for i, leaf := range leaves {
		if len(leaf) == 0 || len(leaf) > MaxEntry {
			return nil, fmt.Errorf("entry %d of %d bytes: %w", i, len(leaf), ErrTooLarge)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AppendTimeout)
	defer cancel()
	indexes, err := l.add(ctx, leaves)
	if err != nil || len(indexes) == 0 {
		return nil, err
	}
	if err := l.await(ctx, slices.Max(indexes)+1); err != nil {
		return nil, err
	}
	return indexes, nil
}

// add queues the leaves and waits for their indexes.
func (l *Log) add(ctx context.Context, leaves [][]byte) ([]uint64, error) {
	futures := make([]tessera.IndexFuture, len(leaves))
	for i, leaf := range leaves {
		futures[i] = l.appender.Add(ctx, tessera.NewEntry(leaf))
	}
	type result struct {
		indexes []uint64
		err     error
	}
	// A future cannot be left before it resolves, so another goroutine waits for it; it ends with the batch.
	done := make(chan result, 1)
	l.adding.Go(func() {
		r := result{indexes: make([]uint64, 0, len(futures))}
		for _, future := range futures {
			index, err := future()
			if err != nil {
				r.err = fmt.Errorf("append to log: %w", err)
				break
			}
			r.indexes = append(r.indexes, index.Index)
		}
		done <- r
	})
	select {
	case r := <-done:
		return r.indexes, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("append to log: %w", ctx.Err())
	}
}

// await returns when a checkpoint of at least size entries is published.
func (l *Log) await(ctx context.Context, size uint64) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		cp, _, err := l.checkpoint(ctx)
		if err != nil {
			return err
		}
		if cp.Size >= size {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for a checkpoint of %d entries: %w", size, ctx.Err())
		}
	}
}

// checkpoint reads the published checkpoint and checks its signature.
func (l *Log) checkpoint(ctx context.Context) (inclusion.Checkpoint, []byte, error) {
	raw, err := l.reader.ReadCheckpoint(ctx)
	if err != nil {
		return inclusion.Checkpoint{}, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	cp, err := inclusion.ParseCheckpoint(raw, l.keys...)
	if err != nil {
		return inclusion.Checkpoint{}, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if cp.Origin != l.cfg.Name {
		return inclusion.Checkpoint{}, nil, fmt.Errorf("checkpoint of log %q: %w", cp.Origin, ErrDamaged)
	}
	return cp, raw, nil
}

// Checkpoint returns the newest published checkpoint, a signed note.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	_, raw, err := l.checkpoint(ctx)
	return raw, err
}

// Size returns the number of entries under the newest published checkpoint.
func (l *Log) Size(ctx context.Context) (uint64, error) {
	cp, _, err := l.checkpoint(ctx)
	return cp.Size, err
}

// InclusionProof proves the entry at index against the newest published checkpoint. It returns ErrNotFound beyond it.
func (l *Log) InclusionProof(ctx context.Context, index uint64) (schemas.LogProof, error) {
	cp, raw, err := l.checkpoint(ctx)
	if err != nil {
		return schemas.LogProof{}, err
	}
	if index >= cp.Size {
		return schemas.LogProof{}, fmt.Errorf("entry %d of %d: %w", index, cp.Size, ErrNotFound)
	}
	builder, err := client.NewProofBuilder(ctx, cp.Size, l.reader.ReadTile)
	if err != nil {
		return schemas.LogProof{}, fmt.Errorf("proof for entry %d: %w", index, err)
	}
	hashes, err := builder.InclusionProof(ctx, index)
	if err != nil {
		return schemas.LogProof{}, fmt.Errorf("proof for entry %d: %w", index, err)
	}
	return schemas.LogProof{Index: index, Proof: encodeHashes(hashes), Checkpoint: string(raw), TreeSize: cp.Size}, nil
}

// ConsistencyProof proves that the log of size to only appended to the log of size from: standard base64 hashes, none
// where the sizes are equal or from is 0. It returns ErrNotFound where from exceeds to, or to the newest checkpoint.
func (l *Log) ConsistencyProof(ctx context.Context, from, to uint64) ([]string, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	if from > to || to > size {
		return nil, fmt.Errorf("from %d to %d of %d: %w", from, to, size, ErrNotFound)
	}
	if from == 0 || from == to {
		return []string{}, nil
	}
	builder, err := client.NewProofBuilder(ctx, to, l.reader.ReadTile)
	if err != nil {
		return nil, fmt.Errorf("consistency proof: %w", err)
	}
	hashes, err := builder.ConsistencyProof(ctx, from, to)
	if err != nil {
		return nil, fmt.Errorf("consistency proof: %w", err)
	}
	return encodeHashes(hashes), nil
}

func encodeHashes(hashes [][]byte) []string {
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = base64.StdEncoding.EncodeToString(h)
	}
	return out
}

// notFound turns a missing file into ErrNotFound.
func notFound(what string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "not a directory") {
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, err)
}
