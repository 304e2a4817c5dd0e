package registry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"heartmark/registry"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
)

func commitment(n int) schemas.LogEntry {
	id := schemas.CredentialID(fmt.Sprintf("urn:uuid:%d", n))
	return schemas.IssuedEntry(schemas.IssuedCommitment(id, tenant, "2026-01-10T09:00:00Z", "2027-01-10T09:00:00Z", "g1", uint64(n)))
}

func TestAppendTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begin := time.Now()
	indexes := make([]uint64, 100)
	var wg sync.WaitGroup
	for i := range indexes {
		wg.Go(func() {
			var err error
			if indexes[i], err = w.Append(t.Context(), commitment(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("100 appends at once took %v", took)
	}
	seen := map[uint64]bool{}
	for i, index := range indexes {
		seen[index] = true
		p, err := w.Proof(t.Context(), index)
		must(t, err)
		must(t, inclusion.Verify(commitment(i).Encode(), p, w.log.VerifierKey()))
		again, err := w.Append(t.Context(), commitment(i))
		if err != nil || again != index {
			t.Errorf("entry %d again: index %d, %v, want %d", i, again, err, index)
		}
	}
	if size, err := w.log.Size(t.Context()); err != nil || size != 100 || len(seen) != 100 {
		t.Errorf("log of %d entries at %d places, %v, want 100", size, len(seen), err)
	}
}

// flaky is a log that does what it is told and says that it failed, or fails at once.
type flaky struct {
	registry.Log
	mu    sync.Mutex // guards calls
	calls int
}

func (f *flaky) Append(ctx context.Context, leaves [][]byte) ([]uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls%3 == 1 {
		return nil, errors.New("lost")
	}
	out, err := f.Log.Append(ctx, leaves)
	if f.calls%3 == 2 && err == nil {
		return nil, errors.New("stored, but reported as failed")
	}
	return out, err
}

func TestAppendWithFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.c.Log = &flaky{Log: w.log}
	w.restart()
	for i := range 12 {
		for {
			if _, err := w.Append(t.Context(), commitment(i)); err == nil {
				break
			}
			if i%4 == 3 {
				w.restart()
			}
		}
	}
	if size, err := w.log.Size(t.Context()); err != nil || size != 12 {
		t.Errorf("log has %d entries, %v, want 12 without doubles", size, err)
	}
}

func TestLogOfAnotherStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 3 {
		_, err := w.Append(t.Context(), commitment(i))
		must(t, err)
	}
	w.c.Log = newWorld(t).log
	w.restart()
	if _, err := w.Append(t.Context(), commitment(9)); !errors.Is(err, registry.ErrLogBehind) {
		t.Errorf("append to a log that is behind: %v, want ErrLogBehind", err)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	w.grant(registry.Grant{})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(10 * time.Second); ; {
		// Three lists and one authority.
		if size, err := w.log.Size(t.Context()); err == nil && size == 4 {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("Run did not send what was waiting")
		}
	}
	w.lists.set(t, "g1", "revocation", 3, 1)
	w.clock.Advance(6 * time.Second)
	must(t, w.ListsChanged(t.Context(), []schemas.ListGroup{"g1"}))
	for deadline := time.After(10 * time.Second); ; {
		if v, err := w.c.Store.ListVersion(t.Context(), "g1", "revocation", time.Time{}); err == nil && v.Version == 2 {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("Run did not publish the changed list")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
