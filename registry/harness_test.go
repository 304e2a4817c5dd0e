package registry_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"log/slog"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/statuslist"
	"heartmark/internal/store/badger"
	"heartmark/internal/testkit"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/schemas"
)

const (
	origin   = "https://dei.example"
	ownDID   = "did:web:dei.example"
	tenant   = "did:web:dei.example:acme"
	resource = "https://dei.example/achievements/dei/profile/v1"
)

func TestMain(m *testing.M) {
	translog.LogTo(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

func start() time.Time { return time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC) }

func operator() registry.Actor { return registry.Actor{ID: "op-1", Role: registry.RoleOperator} }
func system() registry.Actor   { return registry.Actor{ID: "installation", Role: registry.RoleSystem} }

func seedKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func multibase(t testing.TB, key ed25519.PrivateKey) string {
	t.Helper()
	text, err := keys.Multibase(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signers gives list and snapshot keys from fixed seeds.
type signers struct{}

func (signers) ListSigner(_ context.Context, issuer string) (crypto.Signer, string, error) {
	return seedKey(20), issuer + "#list", nil
}

func (signers) StatementSigner(_ context.Context, owner string) (crypto.Signer, string, error) {
	return seedKey(23), owner + "#statement", nil
}

func (signers) SnapshotSigner(context.Context) (crypto.Signer, string, error) {
	return seedKey(21), ownDID + "#snapshot", nil
}

// securer signs the canonical JSON: a stand-in with the shape of a proof.
type securer struct{}

func (securer) Secure(_ context.Context, doc map[string]any, method string, created time.Time, signer crypto.Signer) (map[string]any, error) {
	body, err := schemas.CanonicalJSON(doc)
	if err != nil {
		return nil, err
	}
	signature, err := signer.Sign(nil, body, crypto.Hash(0))
	if err != nil {
		return nil, err
	}
	out := maps.Clone(doc)
	out["proof"] = map[string]any{
		"type": "DataIntegrityProof", "verificationMethod": method, "created": schemas.FormatTime(created),
		"proofPurpose": "assertionMethod", "proofValue": "u" + base64.RawURLEncoding.EncodeToString(signature),
	}
	return out, nil
}

// control knows one key for each DID it was told of.
type control map[string]crypto.PublicKey

func (c control) ControlKey(_ context.Context, did, _ string) (crypto.PublicKey, error) {
	if key, ok := c[did]; ok {
		return key, nil
	}
	return nil, errors.New("no such key")
}

// source is a set of lists in memory.
type source struct {
	mu       sync.Mutex // guards the rest
	groups   []registry.List
	bits     map[string]statuslist.Bits
	versions map[string]uint64
	reads    int
}

func newSource(t testing.TB, groups ...schemas.ListGroup) *source {
	t.Helper()
	s := &source{bits: map[string]statuslist.Bits{}, versions: map[string]uint64{}}
	for _, g := range groups {
		s.groups = append(s.groups, registry.List{Group: g, Issuer: tenant, Purposes: []string{"revocation", "suspension"}})
		for _, p := range []string{"revocation", "suspension"} {
			bits, err := statuslist.NewBits(statuslist.MinEntries, 1)
			if err != nil {
				t.Fatal(err)
			}
			s.bits[string(g)+p], s.versions[string(g)+p] = bits, 1
		}
	}
	return s
}

func (s *source) set(t testing.TB, group, purpose string, index uint64, value uint8) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.bits[group+purpose].Set(index, value); err != nil {
		t.Fatal(err)
	}
	s.versions[group+purpose]++
}

func (s *source) Groups(context.Context) ([]registry.List, error) { return s.groups, nil }

func (s *source) ListState(_ context.Context, group schemas.ListGroup, purpose string) (uint64, []byte, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	b := s.bits[string(group)+purpose]
	return s.versions[string(group)+purpose], b.Bytes(), b.Size(), nil
}

// world is a registry with everything around it.
type world struct {
	*registry.Registry
	t       testing.TB
	c       registry.Config
	clock   *testkit.Clock
	log     *translog.Log
	lists   *source
	control control

	mu      sync.Mutex // guards journal
	journal []registry.AuditEvent
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	log, err := translog.Open(t.Context(), translog.Config{Dir: t.TempDir(), Name: "dei.example/log", Signer: seedKey(22)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(log.Close(context.WithoutCancel(t.Context())), db.Close()); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, clock: testkit.NewClock(start()), log: log, lists: newSource(t, "g1"), control: control{tenant: seedKey(1).Public()}}
	w.c = registry.Config{
		Origin: origin, Store: db.Registry(), Log: log, Signers: signers{}, Securer: securer{}, Lists: w.lists, Control: w.control,
		Journal: func(_ context.Context, e registry.AuditEvent) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.journal = append(w.journal, e)
			return nil
		},
		Now: w.clock.Now,
	}
	w.restart()
	return w
}

// restart is what a new process does: a registry over what was left.
func (w *world) restart() {
	w.t.Helper()
	var err error
	if w.Registry, err = registry.New(w.c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) prove(entity string, key ed25519.PrivateKey) registry.ControlProof {
	w.t.Helper()
	c, err := w.Challenge(w.t.Context(), entity)
	if err != nil {
		w.t.Fatal(err)
	}
	return registry.ControlProof{Challenge: c, Method: entity + "#k1", Signature: ed25519.Sign(key, c.Message())}
}

func (w *world) grant(g registry.Grant) []registry.Authority {
	w.t.Helper()
	if g.Entity == "" {
		g.Entity = tenant
	}
	if g.Resources == nil {
		g.Resources = []string{resource}
	}
	g.Control = w.prove(g.Entity, seedKey(1))
	out, err := w.GrantAuthority(w.t.Context(), operator(), g)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) answer(q registry.AuthorityQuery) registry.AuthorityAnswer {
	w.t.Helper()
	if q.Entity == "" {
		q.Entity = tenant
	}
	if q.Action == "" {
		q.Action = registry.ActionIssue
	}
	if q.Resource == "" {
		q.Resource = resource
	}
	a, err := w.Authority(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
