package registry_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/internal/statuslist"
	"heartmark/registry"
	"heartmark/schemas"
)

// tokens is a published status list token, read back and checked.
type tokens struct {
	claims  map[string]any
	list    statuslist.Tokens
	version uint64
}

func (w *world) readTokens(at time.Time) tokens {
	w.t.Helper()
	raw, version, err := w.StatusList(w.t.Context(), "g1", schemas.PurposeToken, at)
	must(w.t, err)
	token, err := jose.Parse(string(raw))
	must(w.t, err)
	must(w.t, token.Verify(seedKey(20).Public()))
	if token.Header.Typ != "statuslist+jwt" || token.Header.Kid != tenant+"#list-jwk" {
		w.t.Errorf("header %+v", token.Header)
	}
	claims, err := token.Claims()
	must(w.t, err)
	list, _ := claims["status_list"].(map[string]any)
	lst, _ := list["lst"].(string)
	if list["bits"] != json.Number("2") {
		w.t.Errorf("bits %v", list["bits"])
	}
	opened, err := statuslist.DecodeTokens(lst, 2, 0)
	must(w.t, err)
	return tokens{claims, opened, version}
}

func (l tokens) want(t *testing.T, index uint64, value uint8) {
	t.Helper()
	if got, err := l.list.Get(index); err != nil || got != value {
		t.Errorf("version %d, index %d = %d, %v; want %d", l.version, index, got, err, value)
	}
}

func TestTokenListDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.readTokens(time.Time{})
	delete(got.claims, "status_list")
	text, err := schemas.Marshal(got.claims)
	must(t, err)
	now := w.clock.Now()
	want, err := schemas.Marshal(map[string]any{
		"sub": "https://dei.example/status/g1/token", "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(), "ttl": 300,
	})
	must(t, err)
	if string(text) != string(want) {
		t.Errorf("claims %s, want %s", text, want)
	}
	if got.list.Len() != statuslist.MinEntries || got.version != 1 {
		t.Errorf("%d entries, version %d", got.list.Len(), got.version)
	}
	if e := w.journal[0]; e.Event != registry.AuditListSign || e.Object != "https://dei.example/status/g1/token" {
		t.Errorf("journal %+v", e)
	}
}

// The twin says what the bitstring lists say, index by index, and its versions follow each other in their order: to the
// second, since iat has no fraction.
func TestTokenListFollowsBits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.Publish(t.Context()))
	first := w.readTokens(time.Time{})
	w.lists.set(t, "g1", "revocation", 3, 1)
	w.lists.set(t, "g1", "suspension", 3, 1) // revoked while suspended: revocation is final
	w.lists.set(t, "g1", "suspension", 4, 1)
	w.lists.set(t, "g1", "revocation", statuslist.MinEntries-1, 1)
	must(t, w.Publish(t.Context())) // within the same second
	second := w.readTokens(time.Time{})
	for index, value := range map[uint64]uint8{
		2: statuslist.TokenValid, 3: statuslist.TokenInvalid, 4: statuslist.TokenSuspended, 5: statuslist.TokenValid,
		statuslist.MinEntries - 1: statuslist.TokenInvalid,
	} {
		second.want(t, index, value)
		first.want(t, index, statuslist.TokenValid)
	}
	iat := func(l tokens) time.Time {
		at, err := schemas.ParseNumericDate(l.claims["iat"])
		must(t, err)
		return at
	}
	if second.version != first.version+1 || !iat(second).After(iat(first)) {
		t.Errorf("versions %d at %s, then %d at %s", first.version, iat(first), second.version, iat(second))
	}
	must(t, w.Publish(t.Context()))
	if same := w.readTokens(time.Time{}); same.version != second.version {
		t.Errorf("nothing changed, version %d after %d", same.version, second.version)
	}
	w.lists.set(t, "g1", "suspension", 4, 0)
	w.clock.Advance(time.Minute)
	must(t, w.Publish(t.Context()))
	w.readTokens(time.Time{}).want(t, 4, statuslist.TokenValid)
	// As it was then (Token Status List, 8.4).
	w.readTokens(iat(second)).want(t, 4, statuslist.TokenSuspended)
	if _, _, err := w.StatusList(t.Context(), "g1", schemas.PurposeToken, iat(first).Add(-time.Second)); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("before the first version: %v, want ErrNotFound", err)
	}
}

// A revocation is not taken back in the twin either, whatever the store says.
func TestTokenListRollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.lists.set(t, "g1", "revocation", 9, 1)
	must(t, w.Publish(t.Context()))
	w.lists.set(t, "g1", "revocation", 9, 0)
	w.clock.Advance(time.Minute)
	err := w.Publish(t.Context())
	if !errors.Is(err, registry.ErrRollback) || !strings.Contains(err.Error(), "g1/token") {
		t.Errorf("revocation taken back: %v, want ErrRollback for the twin too", err)
	}
	w.readTokens(time.Time{}).want(t, 9, statuslist.TokenInvalid)
}
