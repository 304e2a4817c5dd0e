package translog_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/registry/translog"
	"heartmark/registry/translog/inclusion"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// folder is a log's public files on disk.
func folder(dir string, keys ...string) translog.Remote {
	return translog.Remote{Keys: keys, Fetch: func(_ context.Context, path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
	}}
}

// grown opens a log with the key in a new folder and appends n entries, whose texts begin with what.
func grown(t *testing.T, key ed25519.PrivateKey, what string, sizes ...int) (dir string, vkey string, checkpoints [][]byte) {
	t.Helper()
	dir = t.TempDir()
	l, err := translog.Open(t.Context(), translog.Config{Dir: dir, Name: "a.example/log", Signer: key})
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, to := range sizes {
		var leaves [][]byte
		for ; size < to; size++ {
			leaves = append(leaves, []byte(fmt.Sprintf("%s %d", what, size)))
		}
		if _, err := l.Append(t.Context(), leaves); err != nil {
			t.Fatal(err)
		}
		cp, err := l.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkpoints = append(checkpoints, cp)
	}
	vkey = l.VerifierKey()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir, vkey, checkpoints
}

// A monitor sees that a log grew, and a log that shrank, forked or was rewritten, by what the log itself signed.
func TestFollow(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir, vkey, seen := grown(t, key, "entry", 3, 300)
	forkDir, _, forked := grown(t, key, "other", 3, 300, 301)
	honest, fork := folder(dir, vkey), folder(forkDir, vkey)
	for _, c := range []struct {
		name string
		log  translog.Remote
		seen []byte
		want error
	}{
		{"first visit", honest, nil, nil},
		{"grown", honest, seen[0], nil},
		{"the same", honest, seen[1], nil},
		{"same size, other entries", honest, forked[1], translog.ErrFork},
		{"rewritten", fork, seen[0], translog.ErrFork},
		{"rewritten and grown", fork, seen[1], translog.ErrFork},
		{"shrunk", honest, forked[2], translog.ErrFork},
	} {
		newest, err := c.log.Follow(t.Context(), c.seen)
		if !errors.Is(err, c.want) || len(newest) == 0 {
			t.Errorf("%s: %v with %d bytes, want %v", c.name, err, len(newest), c.want)
		}
	}
	_, other, err := note.GenerateKey(rand.Reader, "a.example/log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder(dir, other).Follow(t.Context(), nil); !errors.Is(err, inclusion.ErrCheckpoint) {
		t.Errorf("by another key: %v, want ErrCheckpoint", err)
	}
	if _, err := folder(t.TempDir(), vkey).Follow(t.Context(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no log: %v, want fs.ErrNotExist", err)
	}
}

// Every entry comes once and in order, and a changed byte in any file is found.
func TestReplay(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir, vkey, _ := grown(t, key, "entry", 5, 260)
	next := uint64(0)
	cp, err := folder(dir, vkey).Replay(t.Context(), nil, func(index uint64, entry []byte) error {
		if index != next || string(entry) != fmt.Sprintf("entry %d", index) {
			t.Errorf("entry %d: %q, want entry %d", index, entry, next)
		}
		next++
		return nil
	})
	if err != nil || cp.Size != 260 || next != 260 {
		t.Fatalf("Replay = %d entries of %d, %v", next, cp.Size, err)
	}
	broken := 0
	files := 0
	err = filepath.WalkDir(filepath.Join(dir, "tile"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, ".p") && !strings.Contains(path, ".p"+string(filepath.Separator)+"4") {
			return err // partial tiles of earlier sizes are not part of the log of today
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		spoilt := append([]byte(nil), data...)
		spoilt[len(spoilt)-1] ^= 1
		log := folder(dir, vkey)
		plain := log.Fetch
		log.Fetch = func(ctx context.Context, name string) ([]byte, error) {
			if filepath.Join(dir, filepath.FromSlash(name)) == path {
				return spoilt, nil
			}
			return plain(ctx, name)
		}
		if _, err := log.Replay(t.Context(), nil, func(uint64, []byte) error { return nil }); errors.Is(err, translog.ErrDamaged) {
			broken++
		} else {
			t.Errorf("%s spoilt: %v, want ErrDamaged", path, err)
		}
		return nil
	})
	if err != nil || files == 0 || broken != files {
		t.Errorf("%d of %d spoilt files were found, %v", broken, files, err)
	}
}

// A replay of one history does not vouch for another, neither for one that was shown before nor for one that is shown when
// the entries are read.
func TestReplayOfAnother(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir, vkey, seen := grown(t, key, "entry", 3, 10)
	forkDir, _, forked := grown(t, key, "other", 3, 10)
	none := func(uint64, []byte) error { return nil }
	if _, err := folder(dir, vkey).Replay(t.Context(), seen[0], none); err != nil {
		t.Errorf("its own: %v", err)
	}
	if cp, err := folder(dir, vkey).Replay(t.Context(), forked[0], none); !errors.Is(err, translog.ErrFork) || cp.Origin != "a.example/log" {
		t.Errorf("another before: %+v, %v, want ErrFork", cp, err)
	}
	log, reads := folder(dir, vkey), 0
	honest, other := log.Fetch, folder(forkDir, vkey).Fetch
	log.Fetch = func(ctx context.Context, path string) ([]byte, error) {
		if strings.HasPrefix(path, "tile/entries/") {
			if reads++; reads > 1 {
				return other(ctx, path)
			}
		}
		return honest(ctx, path)
	}
	if _, err := log.Replay(t.Context(), nil, none); !errors.Is(err, translog.ErrDamaged) {
		t.Errorf("other entries at the second reading: %v, want ErrDamaged", err)
	}
}

func TestCosignatures(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, vkey, checkpoints := grown(t, key, "entry", 3)
	skey, witness, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	if err != nil {
		t.Fatal(err)
	}
	_, absent, err := note.GenerateKey(rand.Reader, "witness.example/w2")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := formats.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	logKey, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(checkpoints[0], note.VerifierList(logKey))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(n, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inclusion.ParseCheckpoint(cosigned, vkey); err != nil {
		t.Errorf("a cosigned checkpoint is no checkpoint: %v", err)
	}
	got, err := inclusion.Cosignatures(cosigned, witness, absent)
	if err != nil || len(got) != 1 || got[0].Witness != "witness.example/w1" || got[0].At.IsZero() {
		t.Errorf("Cosignatures = %+v, %v", got, err)
	}
	if got, err := inclusion.Cosignatures(checkpoints[0], witness); err != nil || len(got) != 0 {
		t.Errorf("without a cosignature: %+v, %v", got, err)
	}
	if _, err := inclusion.Cosignatures(cosigned, "not a key"); !errors.Is(err, inclusion.ErrCheckpoint) {
		t.Errorf("bad key: %v", err)
	}
	spoilt := strings.Replace(string(cosigned), "\n3\n", "\n4\n", 1)
	if got, err := inclusion.Cosignatures([]byte(spoilt), witness); err == nil && len(got) > 0 {
		t.Errorf("another size is cosigned: %+v", got)
	}
}
