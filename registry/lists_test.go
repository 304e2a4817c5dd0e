package registry_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"heartmark/internal/statuslist"
	"heartmark/registry"
	"heartmark/schemas"
)

// list is a published list, read back and checked.
type list struct {
	doc     map[string]any
	raw     []byte
	bits    statuslist.Bits
	version uint64
	from    time.Time
}

func (w *world) read(purpose string, at time.Time) list {
	w.t.Helper()
	raw, version, err := w.StatusList(w.t.Context(), "g1", purpose, at)
	must(w.t, err)
	return w.open(raw, version)
}

func (w *world) open(raw []byte, version uint64) list {
	w.t.Helper()
	doc, err := schemas.ParseObject(raw)
	must(w.t, err)
	proof, _ := doc["proof"].(map[string]any)
	delete(doc, "proof")
	body, err := schemas.CanonicalJSON(doc)
	must(w.t, err)
	value, _ := proof["proofValue"].(string)
	signature, err := base64.RawURLEncoding.DecodeString(value[1:])
	must(w.t, err)
	if !ed25519.Verify(seedKey(20).Public().(ed25519.PublicKey), body, signature) {
		w.t.Fatalf("version %d is not signed with the list key", version)
	}
	subject, _ := doc["credentialSubject"].(map[string]any)
	encoded, _ := subject["encodedList"].(string)
	bits, err := statuslist.Decode(encoded, 0)
	must(w.t, err)
	text, _ := doc["validFrom"].(string)
	from, err := schemas.ParseTime(text)
	must(w.t, err)
	return list{doc: doc, raw: raw, bits: bits, version: version, from: from}
}

func (l list) set(t testing.TB) (indexes []uint64) {
	t.Helper()
	for i := range uint64(l.bits.Len()) {
		v, err := l.bits.Get(i)
		must(t, err)
		if v != 0 {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

func TestListDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.read("revocation", time.Time{})
	body, err := schemas.CanonicalJSON(got.doc)
	must(t, err)
	encoded, err := got.bits.Encode()
	must(t, err)
	want := `{"@context":["https://www.w3.org/ns/credentials/v2"],"credentialSubject":{"encodedList":"` + encoded + `",` +
		`"id":"https://dei.example/status/g1/revocation#list","statusPurpose":"revocation","ttl":300000,"type":"BitstringStatusList"},` +
		`"id":"https://dei.example/status/g1/revocation","issuer":"did:web:dei.example:acme","type":["VerifiableCredential","BitstringStatusListCredential"],` +
		`"validFrom":"2026-01-10T09:00:00Z","validUntil":"2026-01-11T09:00:00Z"}`
	if string(body) != want {
		t.Errorf("list is\n%s\nwant\n%s", body, want)
	}
	if got.bits.Len() != statuslist.MinEntries || got.version != 1 || len(got.set(t)) != 0 {
		t.Errorf("%d entries, version %d", got.bits.Len(), got.version)
	}
	for _, c := range []struct{ group, purpose string }{{"g1", "refresh"}, {"g2", "token"}, {"g2", "revocation"}, {"", ""}} {
		if _, _, err := w.StatusList(t.Context(), schemas.ListGroup(c.group), c.purpose, time.Time{}); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("list %s/%s: %v, want ErrNotFound", c.group, c.purpose, err)
		}
	}
	if w.journal[0].Event != registry.AuditListSign || w.journal[0].Method != tenant+"#list" {
		t.Errorf("journal %+v", w.journal)
	}
}

func TestListCoalesces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.read("revocation", time.Time{})
	reads := w.lists.reads
	w.lists.set(t, "g1", "revocation", 5, 1)
	for range 100 {
		if got := w.read("revocation", time.Time{}); got.version != 1 || !bytes.Equal(got.raw, first.raw) {
			t.Fatalf("version %d inside the publish delay", got.version)
		}
	}
	if w.lists.reads != reads {
		t.Errorf("%d reads of the source inside the publish delay", w.lists.reads-reads)
	}
	w.clock.Advance(5 * time.Second)
	if got := w.read("revocation", time.Time{}); got.version != 2 || len(got.set(t)) != 1 || got.set(t)[0] != 5 {
		t.Errorf("after the delay: version %d, set %v", got.version, got.set(t))
	}
	// Forced: at once, twice within one second, and validFrom still rises.
	last := w.read("revocation", time.Time{})
	for i := range 3 {
		w.lists.set(t, "g1", "revocation", uint64(100+i), 1)
		must(t, w.Publish(t.Context()))
		got := w.read("revocation", time.Time{})
		if got.version != last.version+1 || !got.from.After(last.from) || len(got.set(t)) != i+2 {
			t.Errorf("forced %d: version %d from %v after version %d from %v", i, got.version, got.from, last.version, last.from)
		}
		last = got
	}
	must(t, w.Publish(t.Context()))
	if got := w.read("revocation", time.Time{}); got.version != last.version {
		t.Errorf("published version %d although nothing changed", got.version)
	}
}

func TestListIsRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.read("suspension", time.Time{})
	w.clock.Advance(17 * time.Hour)
	if got := w.read("suspension", time.Time{}); got.version != first.version {
		t.Errorf("renewed after 17 h: version %d", got.version)
	}
	w.clock.Advance(time.Hour)
	if got := w.read("suspension", time.Time{}); got.version != first.version+1 || !got.from.Equal(w.clock.Now()) {
		t.Errorf("after 18 h: version %d from %v", got.version, got.from)
	}
	// SEC-209: a clock that goes back stops nothing and takes nothing back.
	w.clock.Advance(-2 * time.Hour)
	w.lists.set(t, "g1", "suspension", 9, 1)
	must(t, w.Publish(t.Context()))
	if got := w.read("suspension", time.Time{}); got.version != first.version+2 || len(got.set(t)) != 1 {
		t.Errorf("after the clock went back: version %d, set %v", got.version, got.set(t))
	}
}

func TestListAsOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.Publish(t.Context()))
	for i := range 4 {
		w.clock.Advance(time.Hour)
		w.lists.set(t, "g1", "suspension", uint64(i), 1)
		must(t, w.Publish(t.Context()))
	}
	w.clock.Advance(time.Hour)
	for _, c := range []struct {
		at   time.Duration
		want int
	}{{0, 0}, {59 * time.Minute, 0}, {time.Hour, 1}, {150 * time.Minute, 2}, {4 * time.Hour, 4}, {290 * time.Minute, 4}} {
		if got := w.read("suspension", start().Add(c.at)); len(got.set(t)) != c.want {
			t.Errorf("as of %v: set %v, want %d", c.at, got.set(t), c.want)
		}
	}
	w.clock.Advance(48 * time.Hour)
	for name, at := range map[string]time.Time{"before the first": start().Add(-time.Second), "after the last ran out": start().Add(40 * time.Hour), "long ago": start().Add(-500 * 24 * time.Hour)} {
		if _, _, err := w.StatusList(t.Context(), "g1", "suspension", at); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
}

// SEC-082: a revocation is not taken back, whatever the source says; a suspension may be.
func TestListDoesNotGoBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, purpose := range []string{"revocation", "suspension"} {
		w.lists.set(t, "g1", purpose, 7, 1)
	}
	must(t, w.Publish(t.Context()))
	w.lists.set(t, "g1", "suspension", 7, 0)
	must(t, w.Publish(t.Context()))
	if got := w.read("suspension", time.Time{}); len(got.set(t)) != 0 {
		t.Errorf("suspension still stands: %v", got.set(t))
	}
	w.lists.set(t, "g1", "revocation", 7, 0)
	w.lists.set(t, "g1", "suspension", 8, 1)
	if err := w.Publish(t.Context()); !errors.Is(err, registry.ErrRollback) {
		t.Errorf("revocation taken back: %v, want ErrRollback", err)
	}
	if got := w.read("revocation", time.Time{}); len(got.set(t)) != 1 {
		t.Errorf("published list lost the revocation: %v", got.set(t))
	}
	if got := w.read("suspension", time.Time{}); len(got.set(t)) != 1 {
		t.Errorf("the other list was held up: %v", got.set(t))
	}
	w.lists.set(t, "g1", "revocation", 7, 1)
	w.lists.versions["g1revocation"] = 1
	if err := w.Publish(t.Context()); !errors.Is(err, registry.ErrRollback) {
		t.Errorf("older bits: %v, want ErrRollback", err)
	}
	// A list that cannot be renewed ends: nobody may read it as good.
	w.clock.Advance(25 * time.Hour)
	if _, _, err := w.StatusList(t.Context(), "g1", "revocation", time.Time{}); !errors.Is(err, registry.ErrUnavailable) || !errors.Is(err, registry.ErrRollback) {
		t.Errorf("list that ran out: %v, want ErrUnavailable with its cause", err)
	}
}

func TestShortListRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	short, err := statuslist.NewBits(1024, 1)
	must(t, err)
	w.lists.bits["g1revocation"] = short
	if err := w.Publish(t.Context()); !errors.Is(err, statuslist.ErrLength) {
		t.Errorf("list of 1024 entries: %v, want ErrLength", err)
	}
}

// SEC-079 and SEC-212: many change and publish at once; versions rise by one and nothing is lost.
func TestListsConcurrently(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := registry.New(w.c)
	must(t, err)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 8 {
				w.lists.set(t, "g1", "revocation", uint64(n*1000+i), 1)
				publisher := w.Registry
				if n%2 == 0 {
					publisher = other
				}
				// A publisher that was overtaken more often than it tries may say so; the bits stay for the next.
				if err := publisher.Publish(t.Context()); err != nil && !errors.Is(err, registry.ErrStale) && !errors.Is(err, registry.ErrRollback) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, w.Publish(t.Context()))
	got := w.read("revocation", time.Time{})
	if n := len(got.set(t)); n != 64 {
		t.Errorf("%d indexes set, want 64", n)
	}
	var last list
	for v := range got.version {
		stored, err := w.c.Store.ListVersion(t.Context(), "g1", "revocation", got.from.Add(-time.Duration(v)*time.Millisecond))
		must(t, err)
		l := w.open(stored.Document, stored.Version)
		if last.raw != nil && (l.version != last.version-1 || !l.from.Before(last.from)) {
			t.Fatalf("version %d from %v before version %d from %v", l.version, l.from, last.version, last.from)
		}
		last = l
	}
	if last.version != 1 {
		t.Errorf("oldest version read is %d", last.version)
	}
}

// TestFirstReaders: the first readers of lists that nobody has published yet get them, also while another list is being
// published.
func TestFirstReaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	for n := range 32 {
		wg.Go(func() {
			purpose := []string{"revocation", "suspension"}[n%2]
			if _, version, err := w.StatusList(t.Context(), "g1", purpose, time.Time{}); err != nil || version != 1 {
				t.Errorf("reader %d of %s: version %d, %v", n, purpose, version, err)
			}
		})
	}
	wg.Wait()
}

// Crash points: whatever happens between build and mark, a restart ends with the bit published, one version more, and
// each version once in the log.
func TestListCrashPoints(t *testing.T) {
	t.Parallel()
	type crash string
	for _, point := range []string{"list.before_build", "list.after_sign", "list.before_rename", "list.after_rename", "outbox.before_send", "outbox.after_send"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			must(t, w.Publish(t.Context()))
			w.lists.set(t, "g1", "revocation", 77, 1)
			w.c.Crash = func(p string) {
				if p == point {
					panic(crash(p))
				}
			}
			w.restart()
			func() {
				defer func() {
					if got := recover(); got != crash(point) {
						t.Fatalf("recovered %v, want a crash at %s", got, point)
					}
				}()
				_ = w.Publish(t.Context())
			}()
			w.c.Crash = nil
			w.restart()
			must(t, w.Publish(t.Context()))
			got := w.read("revocation", time.Time{})
			if got.version != 2 || len(got.set(t)) != 1 {
				t.Errorf("version %d, set %v, want version 2 with one bit", got.version, got.set(t))
			}
			size, err := w.log.Size(t.Context())
			if err != nil || size != 5 {
				t.Errorf("log has %d entries, %v; want one for each of 5 versions", size, err)
			}
			must(t, w.log.Fsck(t.Context()))
		})
	}
}
