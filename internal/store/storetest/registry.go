package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"heartmark/registry"
	"heartmark/schemas"
)

func registryTime() time.Time { return time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC) }

func authority(entity, id string, version uint64) registry.Authority {
	return registry.Authority{
		ID: id, Version: version, Entity: entity, Authority: "did:web:r.example", Action: "issue", Resource: "https://r.example/a/" + id,
		Levels: []schemas.Level{1, 2}, ValidFrom: registryTime(), Status: registry.Active, Since: registryTime(),
		Recorded: registryTime().Add(time.Duration(version) * time.Second), Leaf: fmt.Sprintf("%s-%d", id, version),
	}
}

func registryKey(did, method string, version uint64) registry.Key {
	return registry.Key{
		DID: did, Method: method, Version: version, Kind: registry.KindCredential, PublicKeyMultibase: "z6Mk", From: registryTime(),
		Status: registry.KeyActive, Since: registryTime(), Recorded: registryTime(), Leaf: fmt.Sprintf("%s-%d", method, version),
	}
}

func artefact(name, data string) registry.Artefact {
	return registry.Artefact{
		Kind: registry.KindSchemas, Name: name, MediaType: "application/schema+json", Data: []byte(data), Size: len(data), SHA256: data,
		Published: registryTime(), Leaf: "leaf-" + name,
	}
}

func listVersion(group schemas.ListGroup, version uint64) registry.ListVersion {
	from := registryTime().Add(time.Duration(version) * time.Minute)
	return registry.ListVersion{
		Group: group, Purpose: "revocation", Version: version, SourceVersion: version, Document: []byte(fmt.Sprintf("list %d", version)),
		ValidFrom: from, ValidUntil: from.Add(24 * time.Hour), Leaf: fmt.Sprintf("list-%s-%d", group, version),
	}
}

// Registry checks a registry.Store. open returns an empty one; reopen, if not nil, closes it and opens what it left.
func Registry(t *testing.T, open func(t *testing.T) registry.Store, reopen func(t *testing.T, s registry.Store) registry.Store) {
	for name, run := range map[string]func(*testing.T, registry.Store){
		"authorities": registryAuthorities, "keys": registryKeys, "artefacts": registryArtefacts, "lists": registryLists,
		"challenges": registryChallenges, "outbox": registryOutbox, "atomic": registryAtomic, "races": registryRaces,
		"lost or repeated": registryFaults,
	} {
		t.Run(name, func(t *testing.T) { run(t, open(t)) })
	}
	if reopen == nil {
		return
	}
	t.Run("durable", func(t *testing.T) {
		s := open(t)
		must(t, s.Apply(t.Context(), registry.Change{
			Authorities: []registry.Authority{authority("did:web:a.example", "1", 1)}, Keys: []registry.Key{registryKey("did:web:a.example", "did:web:a.example#k", 1)},
			List: new(listVersion("g", 1)), Pending: []registry.Pending{{Leaf: "p", Data: []byte("x"), At: registryTime()}},
			Logged: []registry.Logged{{Leaf: "q", Index: 7}}, LoggedSize: 8,
		}))
		s = reopen(t, s)
		got, err := s.Authorities(t.Context(), "did:web:a.example")
		must(t, err)
		size, err := s.LoggedSize(t.Context())
		must(t, err)
		logged, err := s.Logged(t.Context(), []string{"q"})
		must(t, err)
		waiting, err := s.Pending(t.Context(), 10)
		must(t, err)
		if len(got) != 1 || size != 8 || logged["q"] != 7 || len(waiting) != 1 {
			t.Errorf("after opening again: %d authorities, size %d, logged %v, %d waiting", len(got), size, logged, len(waiting))
		}
	})
}

func registryAuthorities(t *testing.T, s registry.Store) {
	ctx := t.Context()
	const a, b = "did:web:a.example", "did:web:ab.example"
	for _, rec := range []registry.Authority{authority(a, "1", 1), authority(a, "2", 1), authority(a, "1", 2), authority(b, "3", 1)} {
		must(t, s.Apply(ctx, registry.Change{Authorities: []registry.Authority{rec}}))
	}
	for _, version := range []uint64{0, 4} {
		if err := s.Apply(ctx, registry.Change{Authorities: []registry.Authority{authority(a, "1", version)}}); !errors.Is(err, registry.ErrStale) {
			t.Errorf("version %d after 2: %v, want ErrStale", version, err)
		}
	}
	other := authority(a, "1", 2)
	other.Status = registry.Withdrawn
	if err := s.Apply(ctx, registry.Change{Authorities: []registry.Authority{other}}); !errors.Is(err, registry.ErrStale) {
		t.Errorf("another version 2: %v, want ErrStale", err)
	}
	got, err := s.Authorities(ctx, a)
	must(t, err)
	var order []string
	for _, rec := range got {
		order = append(order, rec.Leaf)
	}
	if !slices.Equal(order, []string{"1-1", "1-2", "2-1"}) {
		t.Errorf("Authorities(%s) = %v", a, order)
	}
	if len(got) > 0 && (!got[0].ValidFrom.Equal(registryTime()) || !slices.Equal(got[0].Levels, []schemas.Level{1, 2}) || got[0].Log != nil) {
		t.Errorf("record came back changed: %+v", got[0])
	}
	if one, err := s.AuthorityByID(ctx, "1"); err != nil || len(one) != 2 || one[1].Version != 2 {
		t.Errorf("AuthorityByID(1) = %d versions, %v, want 2", len(one), err)
	}
	if _, err := s.AuthorityByID(ctx, "9"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("AuthorityByID(9): %v, want ErrNotFound", err)
	}
	checkPages(t, s.Entities, a, b)
	checkPages(t, s.Resources, "https://r.example/a/1", "https://r.example/a/2", "https://r.example/a/3")
	for resource, want := range map[string]bool{"https://r.example/a/1": true, "https://r.example/a": false} {
		if ok, err := s.HasResource(ctx, resource); err != nil || ok != want {
			t.Errorf("HasResource(%s) = %t, %v", resource, ok, err)
		}
	}
}

// checkPages reads one by one and compares what came, in whatever order.
func checkPages(t *testing.T, list func(context.Context, string, int) ([]string, error), want ...string) {
	t.Helper()
	var got []string
	for after := ""; ; {
		page, err := list(t.Context(), after, 1)
		must(t, err)
		if len(page) == 0 || len(got) > len(want) {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1]
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("pages gave %v, want %v", got, want)
	}
}

func registryKeys(t *testing.T, s registry.Store) {
	ctx := t.Context()
	const a, b = "did:web:a.example", "did:web:a.example:b"
	for _, k := range []registry.Key{registryKey(a, a+"#1", 1), registryKey(a, a+"#1", 2), registryKey(a, a+"#2", 1), registryKey(b, b+"#1", 1)} {
		must(t, s.Apply(ctx, registry.Change{Keys: []registry.Key{k}}))
	}
	if err := s.Apply(ctx, registry.Change{Keys: []registry.Key{registryKey(a, a+"#2", 3)}}); !errors.Is(err, registry.ErrStale) {
		t.Errorf("version 3 after 1: %v, want ErrStale", err)
	}
	got, err := s.Keys(ctx, a)
	must(t, err)
	if len(got) != 3 || got[1].Version != 2 {
		t.Errorf("Keys(%s) = %+v", a, got)
	}
	if none, err := s.Keys(ctx, "did:web:none.example"); err != nil || len(none) != 0 {
		t.Errorf("Keys of nobody = %v, %v", none, err)
	}
	checkPages(t, s.KeyDIDs, a, b)
}

func registryArtefacts(t *testing.T, s registry.Store) {
	ctx := t.Context()
	for _, name := range []string{"dei/v1", "dei/v2"} {
		must(t, s.Apply(ctx, registry.Change{Artefact: new(artefact(name, "{}"))}))
	}
	must(t, s.Apply(ctx, registry.Change{Artefact: new(artefact("dei/v1", "{}"))}))
	if err := s.Apply(ctx, registry.Change{Artefact: new(artefact("dei/v1", `{"a":1}`))}); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("other bytes: %v, want ErrConflict", err)
	}
	got, err := s.Artefact(ctx, registry.KindSchemas, "dei/v1")
	if err != nil || string(got.Data) != "{}" {
		t.Errorf("Artefact = %q, %v", got.Data, err)
	}
	if _, err := s.Artefact(ctx, registry.KindContexts, "dei/v1"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("other kind: %v, want ErrNotFound", err)
	}
	checkPages(t, func(ctx context.Context, after string, limit int) ([]string, error) {
		page, err := s.Artefacts(ctx, registry.KindSchemas, after, limit)
		names := make([]string, len(page))
		for i, a := range page {
			names[i] = a.Name
			if a.Data != nil {
				t.Error("Artefacts gave Data")
			}
		}
		return names, err
	}, "dei/v1", "dei/v2")
}

func registryLists(t *testing.T, s registry.Store) {
	ctx := t.Context()
	if _, err := s.ListVersion(ctx, "g", "revocation", time.Time{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no list: %v, want ErrNotFound", err)
	}
	for v := range uint64(300) {
		must(t, s.Apply(ctx, registry.Change{List: new(listVersion("g", v+1))}))
	}
	must(t, s.Apply(ctx, registry.Change{List: new(listVersion("gg", 1))}))
	for _, version := range []uint64{299, 302} {
		l := listVersion("g", version)
		l.Document = []byte("another")
		if err := s.Apply(ctx, registry.Change{List: &l}); !errors.Is(err, registry.ErrStale) {
			t.Errorf("version %d after 300: %v, want ErrStale", version, err)
		}
	}
	for _, c := range []struct {
		at   time.Time
		want uint64
	}{
		{time.Time{}, 300},
		{listVersion("g", 5).ValidFrom, 5},
		{listVersion("g", 5).ValidFrom.Add(59 * time.Second), 5},
		{listVersion("g", 5).ValidFrom.Add(-time.Nanosecond), 4},
		{registryTime().Add(1000 * time.Hour), 300},
		{registryTime(), 0},
	} {
		got, err := s.ListVersion(ctx, "g", "revocation", c.at)
		if got.Version != c.want || (c.want == 0) != errors.Is(err, registry.ErrNotFound) {
			t.Errorf("ListVersion(%v) = %d, %v, want %d", c.at, got.Version, err, c.want)
		}
	}
}

func registryChallenges(t *testing.T, s registry.Store) {
	ctx := t.Context()
	must(t, s.Apply(ctx, registry.Change{PutChallenge: &registry.StoredChallenge{ID: "c", DID: "did:web:a.example", Expires: registryTime()}}))
	if got, err := s.Challenge(ctx, "c"); err != nil || got.DID != "did:web:a.example" || !got.Expires.Equal(registryTime()) {
		t.Errorf("Challenge = %+v, %v", got, err)
	}
	take := registry.Change{TakeChallenge: "c", Authorities: []registry.Authority{authority("did:web:a.example", "1", 1)}}
	must(t, s.Apply(ctx, take))
	if err := s.Apply(ctx, take); err != nil {
		t.Errorf("the same change again: %v", err)
	}
	again := registry.Change{TakeChallenge: "c", Authorities: []registry.Authority{authority("did:web:a.example", "2", 1)}}
	if err := s.Apply(ctx, again); !errors.Is(err, registry.ErrProof) {
		t.Errorf("the challenge for another change: %v, want ErrProof", err)
	}
	if _, err := s.AuthorityByID(ctx, "2"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the refused change left a record: %v", err)
	}
	if _, err := s.Challenge(ctx, "c"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("taken challenge: %v, want ErrNotFound", err)
	}
}

func registryOutbox(t *testing.T, s registry.Store) {
	ctx := t.Context()
	p := func(leaf string, second int) registry.Pending {
		return registry.Pending{Leaf: leaf, Data: []byte(leaf), At: registryTime().Add(time.Duration(second) * time.Second)}
	}
	must(t, s.Apply(ctx, registry.Change{Pending: []registry.Pending{p("b", 2), p("a", 1), p("c", 3)}}))
	must(t, s.Apply(ctx, registry.Change{Pending: []registry.Pending{p("a", 9)}}))
	leaves := func(limit int) (out []string) {
		got, err := s.Pending(ctx, limit)
		must(t, err)
		for _, x := range got {
			out = append(out, x.Leaf)
		}
		return out
	}
	if got := leaves(10); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("Pending = %v", got)
	}
	if got := leaves(1); !slices.Equal(got, []string{"a"}) {
		t.Errorf("Pending(1) = %v", got)
	}
	mark := registry.Change{Logged: []registry.Logged{{Leaf: "a", Index: 0}, {Leaf: "c", Index: 5}}, LoggedSize: 6}
	must(t, s.Apply(ctx, mark))
	must(t, s.Apply(ctx, mark))
	must(t, s.Apply(ctx, registry.Change{Logged: []registry.Logged{{Leaf: "a", Index: 9}}}))
	must(t, s.Apply(ctx, registry.Change{Pending: []registry.Pending{p("a", 1)}}))
	if got := leaves(10); !slices.Equal(got, []string{"b"}) {
		t.Errorf("Pending after marking = %v", got)
	}
	got, err := s.Logged(ctx, []string{"a", "b", "c"})
	if err != nil || len(got) != 2 || got["a"] != 0 || got["c"] != 5 {
		t.Errorf("Logged = %v, %v", got, err)
	}
	if size, err := s.LoggedSize(ctx); err != nil || size != 6 {
		t.Errorf("LoggedSize = %d, %v", size, err)
	}
}

// registryAtomic: one part that cannot be done leaves nothing of the others.
func registryAtomic(t *testing.T, s registry.Store) {
	ctx := t.Context()
	err := s.Apply(ctx, registry.Change{
		Authorities: []registry.Authority{authority("did:web:a.example", "1", 1)}, Keys: []registry.Key{registryKey("did:web:a.example", "did:web:a.example#1", 2)},
		Pending: []registry.Pending{{Leaf: "x", Data: []byte("x"), At: registryTime()}},
	})
	if !errors.Is(err, registry.ErrStale) {
		t.Errorf("change with a stale part: %v, want ErrStale", err)
	}
	records, err := s.Authorities(ctx, "did:web:a.example")
	must(t, err)
	waiting, err := s.Pending(ctx, 10)
	must(t, err)
	if len(records)+len(waiting) > 0 {
		t.Errorf("a refused change left %d records and %d entries", len(records), len(waiting))
	}
}

func registryRaces(t *testing.T, s registry.Store) {
	ctx := t.Context()
	must(t, s.Apply(ctx, registry.Change{PutChallenge: &registry.StoredChallenge{ID: "c", DID: "d", Expires: registryTime()}}))
	var wg sync.WaitGroup
	versions, taken := make(chan int, 16), make(chan int, 16)
	for i := range 16 {
		wg.Go(func() {
			l := listVersion("g", 1)
			l.Document = []byte{byte(i)}
			switch err := s.Apply(ctx, registry.Change{List: &l}); {
			case err == nil:
				versions <- i
			case !errors.Is(err, registry.ErrStale):
				t.Errorf("Apply: %v, want ErrStale", err)
			}
			switch err := s.Apply(ctx, registry.Change{TakeChallenge: "c"}); {
			case err == nil:
				taken <- i
			case !errors.Is(err, registry.ErrProof):
				t.Errorf("Apply: %v, want ErrProof", err)
			}
		})
	}
	wg.Wait()
	if len(versions) != 1 || len(taken) != 1 {
		t.Errorf("%d wrote version 1 and %d took the challenge, want 1 and 1", len(versions), len(taken))
	}
}

// errFault is what a broken store reports.
var errFault = errors.New("injected fault")

// faulty breaks each Apply twice: first the write is lost, then it is stored and reported as failed.
type faulty struct {
	registry.Store
	calls int
}

func (f *faulty) Apply(ctx context.Context, c registry.Change) error {
	f.calls++
	switch f.calls % 3 {
	case 1:
		return errFault
	case 2:
		if err := f.Store.Apply(ctx, c); err != nil {
			return err
		}
		return errFault
	}
	return f.Store.Apply(ctx, c)
}

func registryFaults(t *testing.T, inner registry.Store) {
	ctx := t.Context()
	s := &faulty{Store: inner}
	for n, c := range []registry.Change{
		{Authorities: []registry.Authority{authority("did:web:a.example", "1", 1)}, Pending: []registry.Pending{{Leaf: "1-1", Data: []byte("x"), At: registryTime()}}},
		{Authorities: []registry.Authority{authority("did:web:a.example", "1", 2)}},
		{Keys: []registry.Key{registryKey("did:web:a.example", "did:web:a.example#1", 1)}},
		{Artefact: new(artefact("dei/v1", "{}"))},
		{List: new(listVersion("g", 1))},
		{Logged: []registry.Logged{{Leaf: "1-1", Index: 3}}, LoggedSize: 4},
	} {
		for try := range 3 {
			err := s.Apply(ctx, c)
			if (try < 2) != errors.Is(err, errFault) || try == 2 && err != nil {
				t.Fatalf("change %d, try %d: %v", n, try, err)
			}
		}
	}
	records, err := inner.Authorities(ctx, "did:web:a.example")
	must(t, err)
	waiting, err := inner.Pending(ctx, 10)
	must(t, err)
	list, err := inner.ListVersion(ctx, "g", "revocation", time.Time{})
	must(t, err)
	if len(records) != 2 || len(waiting) != 0 || list.Version != 1 {
		t.Errorf("after faults: %d versions, %d waiting, list version %d; want 2, 0, 1", len(records), len(waiting), list.Version)
	}
}
