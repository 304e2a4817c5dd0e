package translog_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/registry/translog"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
)

const logName = "dei.example/log"

func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func open(t testing.TB, dir string) *translog.Log {
	t.Helper()
	l, err := translog.Open(t.Context(), translog.Config{Dir: dir, Name: logName, Signer: key(1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return l
}

func leaves(from, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = schemas.LogEntry{Kind: schemas.LogSchema, Subject: fmt.Sprintf("entry-%d", from+i), At: "2026-01-01T00:00:00Z"}.Encode()
	}
	return out
}

func appendAll(t testing.TB, l *translog.Log, in [][]byte) []uint64 {
	t.Helper()
	indexes, err := l.Append(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(indexes) != len(in) {
		t.Fatalf("Append of %d gave %d indexes", len(in), len(indexes))
	}
	return indexes
}

// After every step each entry is proved against the signed checkpoint, and each checkpoint follows from the one before.
func TestAppendAndProve(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	before, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, n := range []int{1, 2, 5, 300} {
		batch := leaves(len(all), n)
		start := time.Now()
		indexes := appendAll(t, l, batch)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("append of %d took %v", n, took)
		}
		for i, index := range indexes {
			if index != uint64(len(all)+i) {
				t.Errorf("entry %d got index %d, want %d", i, index, len(all)+i)
			}
		}
		from := uint64(len(all))
		all = append(all, batch...)
		for _, index := range []int{0, len(all) / 2, len(all) - 1} {
			p, err := l.InclusionProof(t.Context(), uint64(index))
			if err != nil {
				t.Fatal(err)
			}
			if err := inclusion.Verify(all[index], p, l.VerifierKey()); err != nil {
				t.Errorf("entry %d of %d: %v", index, len(all), err)
			}
		}
		after, err := l.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		hashes, err := l.ConsistencyProof(t.Context(), from, uint64(len(all)))
		if err != nil {
			t.Fatal(err)
		}
		if err := inclusion.VerifyConsistency(before, after, hashes, l.VerifierKey()); err != nil {
			t.Errorf("from %d to %d: %v", from, len(all), err)
		}
		before = after
		if err := l.Fsck(t.Context()); err != nil {
			t.Errorf("Fsck after %d entries: %v", len(all), err)
		}
	}
	got, err := l.Entries(t.Context(), 250, 20)
	if err != nil || len(got) != 20 || !bytes.Equal(got[0], all[250]) || !bytes.Equal(got[19], all[269]) {
		t.Errorf("Entries(250, 20) = %d entries, %v", len(got), err)
	}
	if _, err := l.InclusionProof(t.Context(), uint64(len(all))); !errors.Is(err, translog.ErrNotFound) {
		t.Errorf("proof beyond the end = %v, want ErrNotFound", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	in := leaves(0, 9)
	appendAll(t, l, in)
	good, err := l.InclusionProof(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	other, err := inclusion.VerifierKey(logName, key(2).Public())
	if err != nil {
		t.Fatal(err)
	}
	flip := func(s string) string {
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		raw[0] ^= 1
		return base64.StdEncoding.EncodeToString(raw)
	}
	change := func(f func(*schemas.LogProof)) schemas.LogProof {
		p := good
		p.Proof = append([]string(nil), good.Proof...)
		f(&p)
		return p
	}
	for _, c := range []struct {
		name string
		leaf []byte
		p    schemas.LogProof
		keys []string
		want error
	}{
		{"good", in[4], good, []string{other, l.VerifierKey()}, nil},
		{"other entry", in[5], good, []string{l.VerifierKey()}, inclusion.ErrProof},
		{"other index", in[4], change(func(p *schemas.LogProof) { p.Index = 5 }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"index beyond", in[4], change(func(p *schemas.LogProof) { p.Index = 9 }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"other size", in[4], change(func(p *schemas.LogProof) { p.TreeSize = 8 }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"changed hash", in[4], change(func(p *schemas.LogProof) { p.Proof[0] = flip(p.Proof[0]) }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"missing hash", in[4], change(func(p *schemas.LogProof) { p.Proof = p.Proof[1:] }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"extra hash", in[4], change(func(p *schemas.LogProof) { p.Proof = append(p.Proof, p.Proof[0]) }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"not base64", in[4], change(func(p *schemas.LogProof) { p.Proof[0] = "!" }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"many hashes", in[4], change(func(p *schemas.LogProof) { p.Proof = make([]string, 1000) }), []string{l.VerifierKey()}, inclusion.ErrProof},
		{"foreign key", in[4], good, []string{other}, inclusion.ErrCheckpoint},
		{"no key", in[4], good, nil, inclusion.ErrCheckpoint},
		{"bad key", in[4], good, []string{"x"}, inclusion.ErrCheckpoint},
		{"changed checkpoint", in[4], change(func(p *schemas.LogProof) {
			p.Checkpoint = strings.Replace(p.Checkpoint, "\n9\n", "\n8\n", 1)
			p.TreeSize = 8
		}), []string{l.VerifierKey()}, inclusion.ErrCheckpoint},
		{"no checkpoint", in[4], change(func(p *schemas.LogProof) { p.Checkpoint = "" }), []string{l.VerifierKey()}, inclusion.ErrCheckpoint},
	} {
		if err := inclusion.Verify(c.leaf, c.p, c.keys...); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: Verify = %v, want %v", c.name, err, c.want)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	appendAll(t, l, leaves(0, 256+7))
	for _, path := range []string{"checkpoint", "tile/0/000", "tile/0/001.p/7", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/7"} {
		f, err := l.File(t.Context(), path)
		if err != nil || len(f.Data) == 0 || f.Immutable == (path == "checkpoint") {
			t.Errorf("File(%q) = %d bytes, immutable %t, %v", path, len(f.Data), f.Immutable, err)
		}
	}
	for _, path := range []string{
		"", "/checkpoint", "checkpoint/", "./checkpoint", ".state/treeState", "tile/../.state/treeState", "tile/0/../../.state/treeState", "tile/0/0", "tile/0/0000",
		"tile/00/000", "tile/+0/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/07", "tile/0/001.p/8", "tile/0/001", "tile/0/000.p", "tile/0/.p", "tile/0/.p/1", "tile/1/000", "tile/64/000", "tile/8/000.p/1",
		"tile/entries/002", "tile/entries/x000/000", "tile/0/x001/x234/067", "tile/0/000/", "tile//000", "tile/0", "tile/0/000%00", "tile/0/000\x00", "tile/entries/" + strings.Repeat("x999/", 40) + "000",
	} {
		if _, err := l.File(t.Context(), path); !errors.Is(err, translog.ErrNotFound) {
			t.Errorf("File(%q) = %v, want ErrNotFound", path, err)
		}
	}
}

func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[uint64]bool{}
	for w := range 20 {
		wg.Go(func() {
			indexes, err := l.Append(t.Context(), leaves(w*100, 3))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			for _, i := range indexes {
				if seen[i] {
					t.Errorf("index %d twice", i)
				}
				seen[i] = true
			}
		})
	}
	wg.Wait()
	if size, err := l.Size(t.Context()); err != nil || size != 60 || len(seen) != 60 {
		t.Errorf("size %d with %d indexes, %v, want 60", size, len(seen), err)
	}
}

func TestFindAndReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := translog.Open(t.Context(), translog.Config{Dir: dir, Name: logName, Signer: key(1)})
	if err != nil {
		t.Fatal(err)
	}
	in := leaves(0, 5)
	appendAll(t, first, in)
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Append(t.Context(), in); !errors.Is(err, translog.ErrClosed) {
		t.Errorf("Append after Close = %v, want ErrClosed", err)
	}
	l := open(t, dir)
	found, err := l.Find(t.Context(), 2, [][]byte{in[1], in[3], []byte("none")})
	if err != nil || len(found) != 1 || found[1] != 3 {
		t.Errorf("Find from 2 = %v, %v, want only place 1 at index 3", found, err)
	}
	if got := appendAll(t, l, leaves(5, 1)); got[0] != 5 {
		t.Errorf("first index after opening again is %d, want 5", got[0])
	}
	if _, err := translog.Open(t.Context(), translog.Config{Dir: dir, Name: logName, Signer: key(9)}); !errors.Is(err, translog.ErrDamaged) {
		t.Errorf("Open with another key = %v, want ErrDamaged", err)
	}
}

// An append that its caller leaves is written before Close returns, and nothing is written after.
func TestCloseWaitsForLeftAppends(t *testing.T) {
	t.Parallel()
	for range 5 {
		dir := t.TempDir()
		l := open(t, dir)
		left, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Append(left, leaves(0, 3)); err == nil {
			t.Fatal("an append with an ended context gave indexes")
		}
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if size, err := open(t, dir).Size(t.Context()); err != nil || size != 3 {
			t.Errorf("after Close the log has %d entries, %v, want 3", size, err)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, err := translog.Open(t.Context(), translog.Config{Dir: dir, Name: logName, Signer: key(1)})
	if err != nil {
		t.Fatal(err)
	}
	in := leaves(0, 3)
	appendAll(t, old, in)
	if err := old.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := translog.Open(t.Context(), translog.Config{Dir: dir, Name: logName, Signer: key(2), RetiredKeys: []string{old.VerifierKey()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Fsck(t.Context()); err != nil {
		t.Error(err)
	}
	appendAll(t, l, leaves(3, 1))
	p, err := l.InclusionProof(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := inclusion.Verify(in[0], p, l.VerifierKey()); err != nil {
		t.Error(err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFsckFindsDamage(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"tile/0/000", "tile/entries/000", "tile/1/000.p/1"} {
		dir := t.TempDir()
		l := open(t, dir)
		appendAll(t, l, leaves(0, 260))
		name := filepath.Join(dir, filepath.FromSlash(path))
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data[10] ^= 1
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Fsck(t.Context()); !errors.Is(err, translog.ErrDamaged) {
			t.Errorf("Fsck with a flipped bit in %s = %v, want ErrDamaged", path, err)
		}
	}
}

const childDir = "HEARTMARK_TEST_TRANSLOG_DIR"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		ctx := context.Background()
		l, err := translog.Open(ctx, translog.Config{Dir: dir, Name: logName, Signer: key(1)})
		if err != nil {
			os.Exit(3)
		}
		for i := 0; ; i++ {
			batch := leaves(os.Getpid()*1000+i, 1)
			if _, err := l.Append(ctx, batch); err != nil {
				os.Exit(4)
			}
			// Said only after the append was acknowledged.
			fmt.Println(hex.EncodeToString(batch[0]))
		}
	}
	translog.LogTo(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// P1: what was acknowledged before a kill is in the log, and the log goes on.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var acknowledged [][]byte
	for round := range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(300+170*round)*time.Millisecond)
		cmd := exec.CommandContext(ctx, self)
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.Output()
		cancel()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
			t.Fatalf("the killed process ended by itself: %v: %s", err, exit.Stderr)
		}
		lines := bytes.Split(out, []byte("\n"))
		for _, line := range lines[:len(lines)-1] {
			leaf, err := hex.DecodeString(string(line))
			if err != nil {
				t.Fatal(err)
			}
			acknowledged = append(acknowledged, leaf)
		}
	}
	if len(acknowledged) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	l := open(t, dir)
	found, err := l.Find(t.Context(), 0, acknowledged)
	if err != nil || len(found) != len(acknowledged) {
		t.Fatalf("found %d of %d acknowledged entries: %v", len(found), len(acknowledged), err)
	}
	appendAll(t, l, leaves(0, 2))
	if err := l.Fsck(t.Context()); err != nil {
		t.Error(err)
	}
	for place, index := range found {
		p, err := l.InclusionProof(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		if err := inclusion.Verify(acknowledged[place], p, l.VerifierKey()); err != nil {
			t.Errorf("entry %d: %v", index, err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	l := open(b, b.TempDir())
	n := 0
	for b.Loop() {
		appendAll(b, l, leaves(n, 64))
		n += 64
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}
