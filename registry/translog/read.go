package translog

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
)

// Media types of a log's files.
const (
	mediaText   = "text/plain; charset=utf-8"
	mediaBinary = "application/octet-stream"
)

// maxFind bounds how many entries Find reads.
const maxFind = 1 << 20

// File is one of the log's public files.
type File struct {
	Data      []byte
	MediaType string
	// Immutable is true for tiles and entry bundles, which may be cached for ever; the checkpoint is short-lived.
	Immutable bool
}

// File returns the file at path, as C2SP tlog-tiles names them: "checkpoint", "tile/<L>/<N>", "tile/<L>/<N>.p/<W>" and the
// same with "entries" for L. Only a path that is spelt as the layout spells it reaches the folder, and only a file that
// the published checkpoint covers is served: what lies beyond may still change. Anything else is ErrNotFound.
func (l *Log) File(ctx context.Context, path string) (File, error) {
	cp, raw, err := l.checkpoint(ctx)
	if err != nil {
		return File{}, err
	}
	if path == layout.CheckpointPath {
		return File{Data: raw, MediaType: mediaText}, nil
	}
	canonical, covered := tilePath(path, cp.Size)
	if canonical != path || !covered {
		return File{}, fmt.Errorf("log file: %w", ErrNotFound)
	}
	data, err := os.ReadFile(filepath.Join(l.cfg.Dir, filepath.FromSlash(canonical)))
	if err != nil {
		return File{}, notFound("log file", err)
	}
	return File{Data: data, MediaType: mediaBinary, Immutable: true}, nil
}

// tilePath parses path and spells it again, and says whether a tree of size entries fills the tile or partial tile.
func tilePath(path string, size uint64) (canonical string, covered bool) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return "", false
	}
	levelText, indexText, ok := strings.Cut(rest, "/")
	if !ok || len(indexText) > 64 {
		return "", false
	}
	var level uint64
	entries := levelText == "entries"
	if !entries {
		var err error
		if level, err = layout.ParseTileLevel(levelText); err != nil {
			return "", false
		}
	}
	// The library's parser reads the width off the last step but one.
	if strings.Contains(indexText, ".p") && !strings.Contains(indexText, ".p/") {
		return "", false
	}
	index, width, err := layout.ParseTileIndexPartial(indexText)
	if err != nil {
		return "", false
	}
	canonical = layout.TilePath(level, index, width)
	if entries {
		canonical = layout.EntriesPath(index, width)
	}
	return canonical, tileFilled(level, index, width, size)
}

// tileFilled reports whether a tree of size entries has all hashes of the tile: 256 at level L stand for 256^(L+1) entries.
func tileFilled(level, index uint64, width uint8, size uint64) bool {
	if level > 7 {
		return false
	}
	hashes := uint64(width)
	if width == 0 {
		hashes = layout.TileWidth
	}
	high, first := bits.Mul64(index, layout.TileWidth)
	end := first + hashes
	return high == 0 && end >= first && end <= size>>(8*level)
}

// Entries returns the entries from first on, as appended, at most limit of them and none beyond the newest checkpoint.
func (l *Log) Entries(ctx context.Context, first uint64, limit int) ([][]byte, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	return l.entries(ctx, first, limit, size)
}

func (l *Log) entries(ctx context.Context, first uint64, limit int, size uint64) ([][]byte, error) {
	var out [][]byte
	for first < size && len(out) < limit {
		bundle, err := client.GetEntryBundle(ctx, l.reader.ReadEntryBundle, first/layout.EntryBundleWidth, size)
		if err != nil {
			return nil, notFound(fmt.Sprintf("entry %d", first), err)
		}
		skip := int(first % layout.EntryBundleWidth)
		// A bundle may already hold more than the checkpoint covers.
		have := min(uint64(len(bundle.Entries)), size-(first-uint64(skip)))
		if uint64(skip) >= have {
			return nil, fmt.Errorf("bundle ends before entry %d: %w", first, ErrDamaged)
		}
		part := bundle.Entries[skip:have]
		part = part[:min(len(part), limit-len(out))]
		out = append(out, part...)
		first += uint64(len(part))
	}
	return out, nil
}

// Find looks for leaves among the entries from first to the end of the tree, published or not, and returns the index of
// each that is there, by its place in leaves. It is for one who does not know whether an append went through; it reads
// the newest 2^20 entries at most.
func (l *Log) Find(ctx context.Context, first uint64, leaves [][]byte) (map[int]uint64, error) {
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return nil, fmt.Errorf("log tree: %w", err)
	}
	want := make(map[[sha256.Size]byte][]int, len(leaves))
	for i, leaf := range leaves {
		sum := sha256.Sum256(leaf)
		want[sum] = append(want[sum], i)
	}
	if size > maxFind {
		first = max(first, size-maxFind)
	}
	found := map[int]uint64{}
	for len(found) < len(leaves) && first < size {
		entries, err := l.entries(ctx, first, layout.EntryBundleWidth, size)
		if err != nil {
			return nil, err
		}
		for i, entry := range entries {
			sum := sha256.Sum256(entry)
			for _, place := range want[sum] {
				found[place] = first + uint64(i)
			}
			delete(want, sum)
		}
		first += uint64(len(entries))
	}
	if len(found) > 0 {
		// An entry that a killed process left behind the checkpoint is published by the open log; wait for it.
		ctx, cancel := context.WithTimeout(ctx, l.cfg.AppendTimeout)
		defer cancel()
		if err := l.await(ctx, size); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Fsck reads the whole log, builds the tree anew from its entries and compares every tile and the root with what is
// published. It returns nil or ErrDamaged.
func (l *Log) Fsck(ctx context.Context) error {
	_, raw, err := l.checkpoint(ctx)
	if err != nil {
		return err
	}
	verifier, err := signerAmong(raw, l.keys)
	if err != nil {
		return err
	}
	if err := fsck.New(l.cfg.Name, verifier, l.reader, leafHashes, fsck.Opts{N: 2}).Check(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

func leafHashes(bundle []byte) ([][]byte, error) {
	var b api.EntryBundle
	if err := b.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, len(b.Entries))
	for i, e := range b.Entries {
		hashes[i] = rfc6962.DefaultHasher.HashLeaf(e)
	}
	return hashes, nil
}
