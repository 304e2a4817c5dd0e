package translog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"heartmark/registry/translog/inclusion"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

// ErrFork is returned when a log shows a history that does not continue the one it showed before: it shrank, or two trees
// of it contradict each other. Both checkpoints are signed by the log, which makes them the evidence.
var ErrFork = errors.New("log shows two histories")

// Remote is somebody's log as its public files, read by path below the log's address. Fetch returns fs.ErrNotExist for a
// file that is not there.
type Remote struct {
	Fetch func(ctx context.Context, path string) ([]byte, error)
	// Keys are the log's verifier keys in note form, which the caller trusts from elsewhere.
	Keys []string
}

// ReadCheckpoint returns the newest checkpoint, unchecked.
func (r Remote) ReadCheckpoint(ctx context.Context) ([]byte, error) {
	return r.Fetch(ctx, layout.CheckpointPath)
}

// ReadTile returns a tile.
func (r Remote) ReadTile(ctx context.Context, level, index uint64, partial uint8) ([]byte, error) {
	return r.read(ctx, partial, func(p uint8) string { return layout.TilePath(level, index, p) })
}

// ReadEntryBundle returns an entry bundle.
func (r Remote) ReadEntryBundle(ctx context.Context, index uint64, partial uint8) ([]byte, error) {
	return r.read(ctx, partial, func(p uint8) string { return layout.EntriesPath(index, p) })
}

// read gets a partial file, or the full one that has taken its place.
func (r Remote) read(ctx context.Context, partial uint8, path func(uint8) string) ([]byte, error) {
	data, err := r.Fetch(ctx, path(partial))
	if partial > 0 && errors.Is(err, fs.ErrNotExist) {
		return r.Fetch(ctx, path(0))
	}
	return data, err
}

// Follow gets the newest checkpoint and checks that it continues the one seen before (nil: nothing was seen): signed by
// the log, no smaller, and consistent by the log's own tiles. It returns the new checkpoint; with ErrFork too, so that
// both can be kept. Any other error means that the log could not be asked or what it gave cannot be read.
func (r Remote) Follow(ctx context.Context, seen []byte) (newest []byte, err error) {
	if newest, err = r.ReadCheckpoint(ctx); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	to, err := inclusion.ParseCheckpoint(newest, r.Keys...)
	if err != nil {
		return nil, err
	}
	if seen == nil {
		return newest, nil
	}
	from, err := inclusion.ParseCheckpoint(seen, r.Keys...)
	if err != nil {
		return nil, fmt.Errorf("checkpoint seen before: %w", err)
	}
	if from.Origin != to.Origin || to.Size < from.Size {
		return newest, fmt.Errorf("%s of %d entries after %s of %d: %w", to.Origin, to.Size, from.Origin, from.Size, ErrFork)
	}
	var hashes [][]byte
	if from.Size > 0 && from.Size < to.Size {
		builder, err := client.NewProofBuilder(ctx, to.Size, r.ReadTile)
		if err != nil {
			return nil, fmt.Errorf("consistency proof: %w", err)
		}
		if hashes, err = builder.ConsistencyProof(ctx, from.Size, to.Size); err != nil {
			return nil, fmt.Errorf("consistency proof: %w", err)
		}
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, from.Size, to.Size, hashes, from.Root, to.Root); err != nil {
		return newest, fmt.Errorf("%d entries after %d: %w: %w", to.Size, from.Size, ErrFork, err)
	}
	return newest, nil
}

// Replay follows the log from the checkpoint seen before (see Follow), builds the tree anew from all entries, compares
// every tile and the root with the newest checkpoint, and calls each with every entry in order. It returns ErrFork as Follow
// does, and ErrDamaged where something differs: what each was told holds only where Replay returns no error.
func (r Remote) Replay(ctx context.Context, seen []byte, each func(index uint64, entry []byte) error) (inclusion.Checkpoint, error) {
	raw, fork := r.Follow(ctx, seen)
	if fork != nil && !errors.Is(fork, ErrFork) {
		return inclusion.Checkpoint{}, fork
	}
	cp, err := inclusion.ParseCheckpoint(raw, r.Keys...)
	if err != nil || fork != nil {
		return cp, errors.Join(fork, err)
	}
	verifier, err := signerAmong(raw, r.Keys)
	if err != nil {
		return cp, err
	}
	pinned := pinnedLog{r, raw}
	if err := fsck.New(cp.Origin, verifier, pinned, leafHashes, fsck.Opts{N: 2}).Check(ctx); err != nil {
		return cp, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	// The log is read a second time for each, and might show something else: these entries too must give the root.
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for first := uint64(0); first < cp.Size; {
		bundle, err := client.GetEntryBundle(ctx, r.ReadEntryBundle, first/layout.EntryBundleWidth, cp.Size)
		if err != nil {
			return cp, fmt.Errorf("entry %d: %w", first, err)
		}
		for _, entry := range bundle.Entries {
			if first == cp.Size {
				break // a full bundle may have taken the place of a partial one
			}
			if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(entry), nil); err != nil {
				return cp, fmt.Errorf("entry %d: %w", first, err)
			}
			if err := each(first, entry); err != nil {
				return cp, err
			}
			first++
		}
	}
	if root, err := tree.GetRootHash(nil); err != nil || cp.Size > 0 && !bytes.Equal(root, cp.Root) {
		return cp, errors.Join(fmt.Errorf("entries changed while they were read: %w", ErrDamaged), err)
	}
	return cp, nil
}

// pinnedLog is a log that shows one checkpoint while it is read, however it grows.
type pinnedLog struct {
	Remote
	checkpoint []byte
}

// ReadCheckpoint returns the pinned checkpoint.
func (p pinnedLog) ReadCheckpoint(context.Context) ([]byte, error) { return p.checkpoint, nil }

// signerAmong returns the verifier, of the keys, whose signature the checkpoint carries.
func signerAmong(checkpoint []byte, keys []string) (note.Verifier, error) {
	for _, key := range keys {
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, fmt.Errorf("log verifier key: %w", err)
		}
		if _, err := note.Open(checkpoint, note.VerifierList(v)); err == nil {
			return v, nil
		}
	}
	return nil, fmt.Errorf("checkpoint is not signed with a key asked for: %w", ErrDamaged)
}
