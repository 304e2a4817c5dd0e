package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/schemas"
)

// Keys checks a keys.Store. open returns an empty one; reopen, if not nil, closes it and opens what it left behind.
func Keys(t *testing.T, open func(t *testing.T) keys.Store, reopen func(t *testing.T, s keys.Store) keys.Store) {
	at := time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)
	record := func(tenant, id string, version uint64) keys.Record {
		return keys.Record{
			ID: schemas.KeyID(id), Tenant: tenant, Kind: keys.KindCredential, Algorithm: keys.AlgEdDSA, Status: keys.StatusActive,
			From: at, Until: at.Add(time.Hour), Public: "z6Mk", Version: version, Sealed: []byte{1, 2, byte(version)},
		}
	}
	t.Run("versions rise by one", func(t *testing.T) {
		s := open(t)
		must(t, s.PutKey(t.Context(), record("acme", "a", 1)))
		for _, version := range []uint64{0, 1, 3} {
			if err := s.PutKey(t.Context(), record("acme", "a", version)); !errors.Is(err, keys.ErrConflict) {
				t.Errorf("PutKey of version %d over 1: %v, want ErrConflict", version, err)
			}
		}
		if err := s.PutKey(t.Context(), record("acme", "b", 2)); !errors.Is(err, keys.ErrConflict) {
			t.Errorf("PutKey of version 2 over none: %v, want ErrConflict", err)
		}
		if err := s.PutKey(t.Context(), record("other", "a", 2)); !errors.Is(err, keys.ErrConflict) {
			t.Errorf("PutKey under another tenant: %v, want ErrConflict", err)
		}
		must(t, s.PutKey(t.Context(), record("acme", "a", 2)))
		if reopen != nil {
			s = reopen(t, s)
		}
		got, err := s.GetKey(t.Context(), "a")
		want := record("acme", "a", 2)
		if err != nil || got.Version != 2 || !slices.Equal(got.Sealed, want.Sealed) || !got.From.Equal(want.From) || got.Tenant != "acme" {
			t.Errorf("GetKey = %+v, %v; want %+v", got, err, want)
		}
	})
	t.Run("lists by tenant", func(t *testing.T) {
		s := open(t)
		for _, r := range []keys.Record{record("acme", "b", 1), record("acme", "a", 1), record("acmeb", "c", 1), record("", "d", 1)} {
			must(t, s.PutKey(t.Context(), r))
		}
		for tenant, want := range map[string][]schemas.KeyID{"acme": {"a", "b"}, "acmeb": {"c"}, "": {"d"}, "ac": nil} {
			list, err := s.ListKeys(t.Context(), tenant)
			var got []schemas.KeyID
			for _, r := range list {
				got = append(got, r.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("ListKeys(%q) = %v, %v; want %v", tenant, got, err, want)
			}
		}
	})
	t.Run("delete", func(t *testing.T) {
		s := open(t)
		must(t, s.PutKey(t.Context(), record("acme", "a", 1)))
		must(t, s.DeleteKey(t.Context(), "a"))
		must(t, s.DeleteKey(t.Context(), "a"))
		if _, err := s.GetKey(t.Context(), "a"); !errors.Is(err, keys.ErrNotFound) {
			t.Errorf("GetKey after DeleteKey: %v, want ErrNotFound", err)
		}
		if list, err := s.ListKeys(t.Context(), "acme"); err != nil || len(list) > 0 {
			t.Errorf("ListKeys after DeleteKey = %v, %v", list, err)
		}
	})
	t.Run("one of many writers wins", func(t *testing.T) {
		s := open(t)
		won := make(chan int, 16)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				switch err := s.PutKey(t.Context(), record("acme", "a", 1)); {
				case err == nil:
					won <- i
				case !errors.Is(err, keys.ErrConflict):
					t.Errorf("PutKey: %v, want ErrConflict", err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Errorf("%d writers won, want 1", len(won))
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
