package registry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/registry"
)

func newKey(t testing.TB, fragment, kind string, seed byte) registry.NewKey {
	return registry.NewKey{
		DID: tenant, Method: tenant + "#" + fragment, Kind: kind, PublicKeyMultibase: multibase(t, seedKey(seed)), From: start(),
	}
}

func TestKeyLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	first, second := newKey(t, "k1", registry.KindCredential, 1), newKey(t, "k2", registry.KindCredential, 2)
	second.From = start().Add(5 * time.Hour)
	list := newKey(t, "list", registry.KindStatusList, 20)
	for _, k := range []registry.NewKey{first, second, list, first} {
		must(t, w.RegisterKey(ctx, system(), k))
	}
	changed := first
	changed.PublicKeyMultibase = second.PublicKeyMultibase
	if err := w.RegisterKey(ctx, system(), changed); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("another key under the method: %v, want ErrConflict", err)
	}
	w.clock.Advance(10 * time.Hour)
	must(t, w.RetireKey(ctx, system(), first.Method, time.Time{}))
	must(t, w.RetireKey(ctx, system(), first.Method, time.Time{}))
	must(t, w.RevokeKey(ctx, system(), second.Method, start().Add(8*time.Hour), "lost"))
	if err := w.RetireKey(ctx, system(), second.Method, time.Time{}); !errors.Is(err, registry.ErrFinal) {
		t.Errorf("retire a revoked key: %v, want ErrFinal", err)
	}
	must(t, w.DrainOutbox(ctx))
	at := func(n int) time.Time { return start().Add(time.Duration(n) * time.Hour) }
	for _, c := range []struct {
		at   time.Time
		want []string
	}{
		{at(-1), nil},
		{at(0), []string{"k1", "list"}},
		{at(5), []string{"k1", "list", "k2"}},
		{at(7), []string{"k1", "list", "k2"}},
		{at(8), []string{"k1", "list"}},
		{at(9), []string{"k1", "list"}},
		{at(10), []string{"list"}},
		{time.Time{}, []string{"k1", "list", "k2"}},
	} {
		got, err := w.KeyIntervals(ctx, tenant, c.at)
		must(t, err)
		if len(got) != len(c.want) {
			t.Errorf("at %v: %d intervals, want %v", c.at, len(got), c.want)
			continue
		}
		for i, k := range got {
			if k.Method != tenant+"#"+c.want[i] || k.LogIndex == nil {
				t.Errorf("at %v: interval %d is %s, want %s", c.at, i, k.Method, c.want[i])
			}
		}
	}
	all, err := w.KeyIntervals(ctx, tenant, time.Time{})
	must(t, err)
	if !all[2].Revoked.Equal(at(8)) || all[2].Reason != "lost" || !all[0].Until.Equal(at(10)) || !all[0].Revoked.IsZero() {
		t.Errorf("intervals %+v", all)
	}
	raw, etag, err := w.DIDDocument(ctx, tenant)
	must(t, err)
	doc, err := did.ParseDocument(tenant, raw)
	must(t, err)
	for _, c := range []struct {
		method string
		want   error
	}{{first.Method, nil}, {list.Method, nil}, {second.Method, did.ErrPurpose}} {
		if _, err := doc.Method(c.method, "assertionMethod"); !errors.Is(err, c.want) {
			t.Errorf("%s for assertionMethod: %v, want %v", c.method, err, c.want)
		}
	}
	if !bytes.Contains(raw, []byte(`"revoked":"2026-01-10T17:00:00Z"`)) {
		t.Errorf("document does not say when the key was revoked: %s", raw)
	}
	again, etag2, err := w.DIDDocument(ctx, tenant)
	if err != nil || !bytes.Equal(raw, again) || etag != etag2 || len(etag) < 10 || etag[0] != '"' {
		t.Errorf("same document gives tags %s and %s, %v", etag, etag2, err)
	}
}

func TestRegisterKeyRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*registry.NewKey){
		"foreign DID":     func(k *registry.NewKey) { k.DID, k.Method = "did:web:x.example", "did:web:x.example#k" },
		"longer host":     func(k *registry.NewKey) { k.DID, k.Method = ownDID+".evil", ownDID+".evil#k" },
		"two tenants":     func(k *registry.NewKey) { k.DID, k.Method = tenant+":b", tenant+":b#k" },
		"other's method":  func(k *registry.NewKey) { k.Method = ownDID + "#k" },
		"no fragment":     func(k *registry.NewKey) { k.Method = tenant },
		"secret kind":     func(k *registry.NewKey) { k.Kind = "seal" },
		"not a key":       func(k *registry.NewKey) { k.PublicKeyMultibase = "z6Mk" },
		"no begin":        func(k *registry.NewKey) { k.From = time.Time{} },
		"end before from": func(k *registry.NewKey) { k.Until = k.From },
	} {
		k := newKey(t, "k1", registry.KindCredential, 1)
		change(&k)
		if err := w.RegisterKey(t.Context(), system(), k); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if err := w.RegisterKey(t.Context(), registry.Actor{ID: "x", Role: "reader"}, newKey(t, "k1", registry.KindCredential, 1)); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("reader: %v, want ErrForbidden", err)
	}
	if err := w.RevokeKey(t.Context(), system(), tenant+"#none", time.Time{}, ""); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("revoke of nothing: %v, want ErrNotFound", err)
	}
	if _, _, err := w.DIDDocument(t.Context(), tenant); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("document without keys: %v, want ErrNotFound", err)
	}
	if _, _, err := w.DIDDocument(t.Context(), "did:web:x.example"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("foreign document: %v, want ErrNotFound", err)
	}
}

func TestInstallationDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, kind := range []string{registry.KindStatusList, registry.KindSnapshot, registry.KindRequest, registry.KindLog} {
		must(t, w.RegisterKey(t.Context(), system(), registry.NewKey{
			DID: ownDID, Method: ownDID + "#" + kind, Kind: kind, PublicKeyMultibase: multibase(t, seedKey(byte(40+i))), From: start(),
		}))
	}
	raw, _, err := w.DIDDocument(t.Context(), ownDID)
	must(t, err)
	doc, err := did.ParseDocument(ownDID, raw)
	must(t, err)
	for method, purpose := range map[string]string{registry.KindStatusList: "assertionMethod", registry.KindRequest: "authentication"} {
		if _, err := doc.Method(ownDID+"#"+method, purpose); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	// One key, one job: the snapshot key speaks for nothing else, and the log's key is published with the log.
	if _, err := doc.Method(ownDID+"#snapshot", "assertionMethod"); !errors.Is(err, did.ErrPurpose) {
		t.Errorf("snapshot key for assertionMethod: %v, want ErrPurpose", err)
	}
	if _, err := doc.Method(ownDID+"#log", "assertionMethod"); !errors.Is(err, did.ErrMethodNotFound) {
		t.Errorf("log key: %v, want ErrMethodNotFound", err)
	}
	var services struct {
		Service []struct{ ID, Type, ServiceEndpoint string }
	}
	must(t, json.Unmarshal(raw, &services))
	if len(services.Service) != 2 || services.Service[0].Type != "TRQP" || services.Service[0].ServiceEndpoint != origin+"/trqp" || services.Service[1].Type != "GovernanceFramework" {
		t.Errorf("services %+v", services.Service)
	}
}

// TestKeyEnds: a later finding moves a revocation to an earlier time and never to a later one, and revoking a retired key
// does not reopen the time after its retirement.
func TestKeyEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := registry.NewKey{
		DID: tenant, Method: tenant + "#late", Kind: registry.KindCredential, PublicKeyMultibase: multibase(t, seedKey(77)), From: start(),
	}
	must(t, w.RegisterKey(t.Context(), operator(), key))
	w.clock.Advance(10 * time.Hour)
	interval := func() registry.KeyInterval {
		t.Helper()
		all, err := w.KeyIntervals(t.Context(), tenant, time.Time{})
		must(t, err)
		for _, i := range all {
			if i.Method == key.Method {
				return i
			}
		}
		t.Fatal("no interval")
		return registry.KeyInterval{}
	}
	must(t, w.RetireKey(t.Context(), operator(), key.Method, start().Add(2*time.Hour)))
	for _, c := range []struct{ at, want time.Duration }{{9, 9}, {5, 5}, {7, 5}, {1, 1}} {
		must(t, w.RevokeKey(t.Context(), operator(), key.Method, start().Add(c.at*time.Hour), "test"))
		i := interval()
		if !i.Revoked.Equal(start().Add(c.want * time.Hour)) {
			t.Errorf("revoked from hour %d: since %v, want hour %d", c.at, i.Revoked, c.want)
		}
		if until := start().Add(min(c.want, 2) * time.Hour); !i.Until.Equal(until) {
			t.Errorf("revoked from hour %d: signs until %v, want %v", c.at, i.Until, until)
		}
	}
	if err := w.RetireKey(t.Context(), operator(), key.Method, time.Time{}); !errors.Is(err, registry.ErrFinal) {
		t.Errorf("retiring a revoked key: %v, want ErrFinal", err)
	}
}
