package oid4vci_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
)

const (
	origin   = "https://hm.example"
	issuerID = origin + "/oid4vci/acme"
	config   = "dei-profile"
)

// world is a service with its surroundings.

type world struct {
	*oid4vci.Service
	store *memory
	clock *testkit.Clock

	mu      sync.Mutex // guards the rest
	issued  map[string]oid4vci.IssueRequest
	byID    map[string]string
	ready   error
	issue   error
	crashAt string
	calls   int
	events  []oid4vci.Event
}

// crashed is what a crash point throws, in place of a killed process.

type crashed string

func newWorld(t *testing.T, change func(c *oid4vci.Config)) *world {
	t.Helper()
	w := &world{
		store: newMemory(), clock: testkit.NewClock(time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)),
		issued: map[string]oid4vci.IssueRequest{}, byID: map[string]string{},
	}
	c := oid4vci.Config{
		Origin: origin, Store: w.store, Now: w.clock.Now, Issue: w.doIssue,
		Tenant: func(_ context.Context, tenant string) (oid4vci.Tenant, error) {
			if tenant != "acme" && tenant != "other" {
				return oid4vci.Tenant{}, issuer.ErrNotFound
			}
			return oid4vci.Tenant{Name: "Acme", Names: map[string]string{"zh": "阿克米"}, Configurations: issuer.DefaultConfigurations()}, nil
		},
		Ready: func(context.Context, string, string, string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.ready
		},
		Audit: func(_ context.Context, e oid4vci.AuditEvent) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e.Event)
			return nil
		},
		Crash: func(point string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.crashAt == point {
				w.crashAt = ""
				panic(crashed(point))
			}
		},
	}
	if change != nil {
		change(&c)
	}
	s, err := oid4vci.New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = s
	return w
}

// doIssue stands for the issuer: idempotent by key, and one holder a key.

func (w *world) doIssue(_ context.Context, r oid4vci.IssueRequest) (oid4vci.Issued, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.issue != nil {
		return oid4vci.Issued{}, w.issue
	}
	key := r.Key(r.Configuration)
	before, again := w.issued[key]
	if again && before != r {
		return oid4vci.Issued{}, issuer.ErrConflict
	}
	if !again {
		w.issued[key] = r
		w.byID[key] = fmt.Sprintf("urn:uuid:%d", len(w.issued))
	}
	id := w.byID[key]
	data, err := json.Marshal(map[string]any{"id": id, "credentialSubject": map[string]any{"id": r.HolderID}})
	return oid4vci.Issued{ID: id, Format: "ldp_vc", Credential: data}, err
}

func (w *world) set(change func(w *world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.issued)
}

func (w *world) offer(t *testing.T) oid4vci.Offer {
	t.Helper()
	o, err := w.CreateOffer(t.Context(), oid4vci.OfferRequest{Tenant: "acme", Configurations: []string{config}, ReportID: "report-of-nobody-17"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// code reads the pre-authorised code out of an offer, as a wallet does.

func code(t *testing.T, offer []byte) string {
	t.Helper()
	return grantsOf(t, offer)[oid4vci.GrantPreAuthorized]["pre-authorized_code"].(string)
}

func grantsOf(t *testing.T, offer []byte) map[string]map[string]any {
	t.Helper()
	var v struct {
		Grants map[string]map[string]any `json:"grants"`
	}
	if err := json.Unmarshal(offer, &v); err != nil {
		t.Fatal(err)
	}
	return v.Grants
}

// audited reports whether an event stands in the audit trail.
func (w *world) audited(e oid4vci.Event) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.events, e)
}

func tokenRequest(t *testing.T, o oid4vci.Offer) oid4vci.TokenRequest {
	t.Helper()
	return oid4vci.TokenRequest{
		Tenant: "acme", GrantType: oid4vci.GrantPreAuthorized, PreAuthorizedCode: code(t, o.JSON), TxCode: o.TxCode, HasTxCode: true,
	}
}

func (w *world) token(t *testing.T) string {
	t.Helper()
	resp, err := w.Token(t.Context(), tokenRequest(t, w.offer(t)))
	if err != nil {
		t.Fatal(err)
	}
	return resp.AccessToken
}

func (w *world) nonce(t *testing.T) string {
	t.Helper()
	n, err := w.Nonce(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// holder is a wallet's key.

type holder struct {
	signer crypto.Signer
	did    string
}

func newHolder(t *testing.T) holder {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return holderOf(t, priv)
}

func holderOf(t *testing.T, signer crypto.Signer) holder {
	t.Helper()
	text, err := keys.Multibase(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return holder{signer, "did:key:" + text}
}

func (h holder) kid() string { return h.did + "#" + strings.TrimPrefix(h.did, "did:key:") }

func (h holder) jwk(t *testing.T) map[string]any {
	t.Helper()
	raw, err := keys.MarshalJWK(h.signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *world) claims(nonce string) map[string]any {
	return map[string]any{"aud": issuerID, "iat": w.clock.Now().Unix(), "nonce": nonce}
}

func signProof(t *testing.T, h holder, header, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jose.Sign(header, payload, h.signer)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func (w *world) proof(t *testing.T, h holder, nonce string) string {
	t.Helper()
	return signProof(t, h, map[string]any{"typ": "openid4vci-proof+jwt", "kid": h.kid()}, w.claims(nonce))
}

func request(proofs ...string) oid4vci.CredentialRequest {
	return oid4vci.CredentialRequest{CredentialConfigurationID: config, ProofType: oid4vci.ProofJWT, Proofs: proofs}
}

// bearer shows a token as a bearer token.
func bearer(token string) oid4vci.Access { return oid4vci.Access{Scheme: "Bearer", Token: token} }

// wantCode checks that err is an Error with one of the codes.

func wantCode(t *testing.T, what string, err error, codes ...string) {
	t.Helper()
	e, ok := errors.AsType[*oid4vci.Error](err)
	if !ok {
		t.Errorf("%s: %v, want an Error with %v", what, err, codes)
		return
	}
	for _, c := range codes {
		if e.Code == c {
			return
		}
	}
	t.Errorf("%s: %v, want %v", what, e, codes)
}

// What is stored opens nothing: no code, no token, no transaction code, nothing of the offer's address.

// flip changes one character of the secret to another of the alphabet.

func p256Holder(t *testing.T) holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return holderOf(t, key)
}
