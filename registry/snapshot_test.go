package registry_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/registry"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas/trust"
)

func snapshotWorld(t testing.TB) (*world, registry.Authority) {
	w := newWorld(t)
	a := w.grant(registry.Grant{Name: "Acme Learning", Resources: []string{resource, resource + "b"}})[0]
	must(t, w.RegisterKey(t.Context(), system(), newKey(t, "k1", registry.KindCredential, 1)))
	_, err := w.PublishArtefact(t.Context(), system(), schemaArtefact("x/v1", smallSchema))
	must(t, err)
	w.lists.set(t, "g1", "revocation", 7, 1)
	must(t, w.Publish(t.Context()))
	w.clock.Advance(time.Hour)
	_, err = w.Suspend(t.Context(), operator(), a.ID, "review")
	must(t, err)
	must(t, w.DrainOutbox(t.Context()))
	w.clock.Advance(time.Hour)
	return w, a
}

func TestSnapshotAnswersAsTheRegistry(t *testing.T) {
	t.Parallel()
	w, _ := snapshotWorld(t)
	data, err := w.Snapshot(t.Context())
	must(t, err)
	s, err := trust.Open(data, seedKey(9).Public(), seedKey(21).Public())
	must(t, err)
	for _, q := range []registry.AuthorityQuery{
		{},
		{Time: start()},
		{Time: start().Add(90 * time.Minute)},
		{Resource: resource + "b"},
		{Resource: resource + "c"},
		{Entity: "did:web:nobody.example"},
		{Action: registry.ActionVerify},
		{Authority: "did:web:x.example"},
	} {
		if q.Entity == "" {
			q.Entity = tenant
		}
		if q.Action == "" {
			q.Action = registry.ActionIssue
		}
		if q.Resource == "" {
			q.Resource = resource
		}
		on, off := w.answer(q), s.Authority(q)
		if on.State != off.State || on.StateNow != off.StateNow || on.KnownEntity != off.KnownEntity || on.KnownResource != off.KnownResource || on.KnownAuthority != off.KnownAuthority {
			t.Errorf("%+v: on line %+v, off line %+v", q, on, off)
		}
	}
	intervals, err := w.KeyIntervals(t.Context(), tenant, start())
	must(t, err)
	if off := s.KeyIntervals(tenant, start()); len(off) != 1 || off[0].Method != intervals[0].Method {
		t.Errorf("key intervals %+v, want %+v", off, intervals)
	}
	doc, _, err := w.DIDDocument(t.Context(), tenant)
	must(t, err)
	if off, ok := s.DIDDocument(tenant); !ok || !bytes.Equal(off, doc) {
		t.Errorf("DID document %s", off)
	}
	raw, _, err := w.StatusList(t.Context(), "g1", "revocation", time.Time{})
	must(t, err)
	if off, ok := s.StatusList(w.ListURL("g1", "revocation")); !ok || !bytes.Equal(off, raw) {
		t.Error("status list differs")
	}
	checkpoint, keys := s.Checkpoint()
	cp, err := inclusion.ParseCheckpoint([]byte(checkpoint), keys...)
	if err != nil || cp.Size != s.Sequence() || cp.Size == 0 {
		t.Errorf("checkpoint of %d, sequence %d, %v", cp.Size, s.Sequence(), err)
	}
	if len(s.Artefacts()) != 1 || s.Registry() != ownDID || s.Origin() != origin || !s.Expires().Equal(s.Created().Add(24*time.Hour)) || s.KeyID() != ownDID+"#snapshot" {
		t.Errorf("snapshot of %s with %d artefacts", s.Registry(), len(s.Artefacts()))
	}
	again, err := w.Snapshot(t.Context())
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("a second export within a minute differs: %v", err)
	}
	if strings.Contains(string(data), operator().ID) {
		t.Error("the snapshot names the operator")
	}
}

func TestOpenSnapshotRefuses(t *testing.T) {
	t.Parallel()
	w, _ := snapshotWorld(t)
	data, err := w.Snapshot(t.Context())
	must(t, err)
	var e map[string]any
	must(t, json.Unmarshal(data, &e))
	payload, err := base64.RawURLEncoding.DecodeString(e["payload"].(string))
	must(t, err)
	changed := func(edit func(map[string]any)) []byte {
		var c map[string]any
		must(t, json.Unmarshal(data, &c))
		edit(c)
		out, err := json.Marshal(c)
		must(t, err)
		return out
	}
	encode := base64.RawURLEncoding.EncodeToString
	for name, in := range map[string][]byte{
		"nothing":  nil,
		"not JSON": []byte("x"),
		"changed payload": changed(func(c map[string]any) {
			c["payload"] = encode(bytes.Replace(payload, []byte("suspended"), []byte("active   "), 1))
		}),
		"no signature": changed(func(c map[string]any) { delete(c, "signature") }),
		"without label": changed(func(c map[string]any) {
			c["signature"] = map[string]any{"value": encode(ed25519.Sign(seedKey(21), payload))}
		}),
		"other format": changed(func(c map[string]any) {
			p := []byte(`{"format":"x"}`)
			c["payload"] = encode(p)
			c["signature"] = map[string]any{"value": encode(ed25519.Sign(seedKey(21), append([]byte("heartmark/registry-snapshot/v1\n"), p...)))}
		}),
	} {
		if _, err := trust.Open(in, seedKey(21).Public()); !errors.Is(err, trust.ErrSnapshot) {
			t.Errorf("%s: %v, want ErrSnapshot", name, err)
		}
	}
	for name, keys := range map[string][]byte{"foreign key": seedKey(20).Public().(ed25519.PublicKey), "no key": nil} {
		if _, err := trust.Open(data, ed25519.PublicKey(keys)); !errors.Is(err, trust.ErrSnapshot) {
			t.Errorf("%s: %v, want ErrSnapshot", name, err)
		}
	}
	if _, err := trust.Open(data); !errors.Is(err, trust.ErrSnapshot) {
		t.Errorf("no keys: %v, want ErrSnapshot", err)
	}
}
