package registry_test

import (
	"context"
	"crypto"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// remote reads the world's log as a stranger does.
func (w *world) remote() translog.Remote {
	return translog.Remote{Keys: w.log.VerifierKeys(), Fetch: func(ctx context.Context, path string) ([]byte, error) {
		f, err := w.log.File(ctx, path)
		if err != nil {
			return nil, fs.ErrNotExist
		}
		return f.Data, nil
	}}
}

func (w *world) opened() *trust.Snapshot {
	w.t.Helper()
	data, err := w.Snapshot(w.t.Context())
	must(w.t, err)
	s, err := trust.Open(data, seedKey(21).Public())
	must(w.t, err)
	return s
}

func (w *world) audit(s *trust.Snapshot) registry.AuditReport {
	w.t.Helper()
	a, err := registry.NewAudit(s)
	must(w.t, err)
	seen, _ := s.Checkpoint()
	_, err = w.remote().Replay(w.t.Context(), []byte(seen), a.Entry)
	must(w.t, err)
	return a.Report()
}

func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	granted := w.grant(registry.Grant{Name: "Acme"})
	must(t, w.RegisterKey(ctx, system(), registry.NewKey{
		DID: tenant, Method: tenant + "#k1", Kind: registry.KindCredential, PublicKeyMultibase: multibase(t, seedKey(1)), From: start(),
	}))
	_, err := w.PublishArtefact(ctx, operator(), registry.NewArtefact{
		Kind: registry.KindFrameworks, Name: "own/v1", MediaType: "application/json", Data: []byte(`{"rules":[]}`),
	})
	must(t, err)
	_, err = w.Append(ctx, schemas.IssuedEntry([32]byte{7}))
	must(t, err)
	must(t, w.Publish(ctx))
	must(t, w.DrainOutbox(ctx))
	w.clock.Advance(time.Minute)
	good := w.opened()
	if r := w.audit(good); len(r.Differences) != 0 || r.Entries[schemas.LogIssued] != 1 || r.Entries[schemas.LogFramework] != 1 {
		t.Fatalf("sound registry: %+v", r)
	}
	// What is recorded after the snapshot is newer, not different.
	w.clock.Advance(time.Minute)
	_, err = w.Suspend(ctx, operator(), granted[0].ID, "")
	must(t, err)
	must(t, w.DrainOutbox(ctx))
	if r := w.audit(good); len(r.Differences) != 0 || r.Later != 1 {
		t.Errorf("after another statement: %+v", r)
	}
	// A registry that says otherwise than it logged: each change shows from both sides.
	for name, c := range map[string]struct {
		change func(*trust.Contents)
		want   []string
	}{
		"level added":    {func(c *trust.Contents) { c.Authorities[0].Levels = []schemas.Level{4} }, []string{"is not in the log", "is not among the registry's statements"}},
		"key left out":   {func(c *trust.Contents) { c.Keys = nil }, []string{"is not among the registry's statements"}},
		"key made up":    {func(c *trust.Contents) { c.Keys = append(c.Keys, trust.Key{Method: "x", Version: 1}) }, []string{"key x version 1 is not in the log"}},
		"other bytes":    {func(c *trust.Contents) { c.Artefacts[0].SHA256 = strings.Repeat("0", 64) }, []string{"frameworks/own/v1 is not in the log"}},
		"list put back":  {func(c *trust.Contents) { c.StatusLists[origin+"/status/g1/revocation"] += " " }, []string{"is not the version that the log names"}},
		"list of no one": {func(c *trust.Contents) { c.StatusLists[origin+"/status/g9/revocation"] = "{}" }, []string{"g9/revocation is not in the log"}},
	} {
		r := w.audit(resigned(t, good, c.change))
		for _, want := range c.want {
			if !slices.ContainsFunc(r.Differences, func(d string) bool { return strings.Contains(d, want) }) {
				t.Errorf("%s: differences %q, want one with %q", name, r.Differences, want)
			}
		}
	}
}

// A statement that stands under the snapshot's checkpoint is no news, whatever time it names.
func TestAuditOfEntriesFromTheFuture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.grant(registry.Grant{Name: "Acme"})
	must(t, w.Publish(ctx))
	must(t, w.DrainOutbox(ctx))
	future := schemas.FormatTime(start().AddDate(10, 0, 0))
	list := origin + "/status/g1/revocation"
	for _, e := range []schemas.LogEntry{
		{Kind: schemas.LogAuthority, Subject: tenant, At: future, Digest: strings.Repeat("0", 64), Data: json.RawMessage(`{}`)},
		{Kind: schemas.LogStatusList, Subject: list, At: future, Digest: strings.Repeat("0", 64), Data: json.RawMessage(`{"sha256":"` + strings.Repeat("0", 64) + `"}`)},
	} {
		_, err := w.Append(ctx, e)
		must(t, err)
	}
	w.clock.Advance(time.Minute)
	r := w.audit(w.opened())
	for _, want := range []string{"is not among the registry's statements", list + " is not the version that the log names"} {
		if !slices.ContainsFunc(r.Differences, func(d string) bool { return strings.Contains(d, want) }) {
			t.Errorf("differences %q, want one with %q", r.Differences, want)
		}
	}
}

// resigned is a snapshot with other contents, well signed by the registry itself.
func resigned(t *testing.T, s *trust.Snapshot, change func(*trust.Contents)) *trust.Snapshot {
	t.Helper()
	raw, err := json.Marshal(s.Contents())
	must(t, err)
	var c trust.Contents
	must(t, json.Unmarshal(raw, &c))
	change(&c)
	payload, message, err := c.Encode()
	must(t, err)
	signature, err := seedKey(21).Sign(nil, message, crypto.Hash(0))
	must(t, err)
	sealed, err := trust.Seal(payload, ownDID+"#snapshot", signature)
	must(t, err)
	out, err := trust.Open(sealed, seedKey(21).Public())
	must(t, err)
	return out
}

// Events are the statements of the log, numbered by it, without the commitments of credentials.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for n := range 5 {
		_, err := w.Append(ctx, schemas.IssuedEntry([32]byte{byte(n)}))
		must(t, err)
	}
	granted := w.grant(registry.Grant{Name: "Acme"})
	must(t, w.DrainOutbox(ctx))
	_, err := w.Append(ctx, schemas.IssuedEntry([32]byte{9}))
	must(t, err)
	_, err = w.Suspend(ctx, operator(), granted[0].ID, "audit")
	must(t, err)
	must(t, w.DrainOutbox(ctx))
	var got []registry.Event
	for first := uint64(0); ; {
		page, next, err := w.Events(ctx, first, 1)
		must(t, err)
		got = append(got, page...)
		if next == first {
			break
		}
		first = next
	}
	if len(got) != 2 || got[0].Index != 5 || got[1].Index != 7 || got[1].Kind != schemas.LogAuthority || got[1].Subject != tenant ||
		!strings.Contains(string(got[1].Data), `"status":"suspended"`) {
		t.Errorf("events %+v", got)
	}
	if page, next, err := w.Events(ctx, 99, 10); err != nil || len(page) != 0 || next != 99 {
		t.Errorf("beyond the end: %v, %d, %v", page, next, err)
	}
}
