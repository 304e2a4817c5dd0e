package oid4vp_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/internal/testkit"
	"heartmark/schemas"
	schemacontext "heartmark/schemas/context"
	"heartmark/schemas/jsonschema"
	"heartmark/verifier"
	"heartmark/verifier/oid4vp"
	"heartmark/verifier/sources"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

const origin = "https://dei.example"

var start = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// world is a service over a real verifier, one issuer that its registry knows, and a holder.
type world struct {
	*oid4vp.Service
	clock  *testkit.Clock
	proofs *dataintegrity.Processor
	store  *memory
	key    ed25519.PrivateKey // of requests

	issuer, holder             ed25519.PrivateKey
	issuerID, holderID         string
	issuerMethod, holderMethod string

	mu     sync.Mutex // guards events
	events []string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: testkit.NewClock(start), store: &memory{sessions: map[string]oid4vp.Session{}}, key: seeded("request")}
	w.issuer, w.issuerID, w.issuerMethod = party(t, "issuer")
	w.holder, w.holderID, w.holderMethod = party(t, "holder")
	contexts, err := schemacontext.New()
	if err != nil {
		t.Fatal(err)
	}
	validator, err := jsonschema.New()
	if err != nil {
		t.Fatal(err)
	}
	w.proofs = dataintegrity.New(contexts)
	resolver, err := did.New(did.Config{Fetch: noNetwork{}, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifier.New(verifier.Config{
		Keys: sources.Keys{Resolver: resolver}, Proofs: w.proofs, Contexts: contexts, Authority: w, Intervals: w, Schemas: validator, Now: w.clock.Now,
		Policies: []verifier.Policy{{Name: "lax", Version: "1", Skew: time.Minute, Rules: map[verifier.CheckID]verifier.Rule{
			verifier.CheckHolderBinding: verifier.Omit, verifier.CheckReplay: verifier.Omit,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Service, err = oid4vp.New(oid4vp.Config{
		Origin: origin, Store: w.store, Verifier: v, Contexts: contexts, Sealer: testSealer{}, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler),
		Client: func(_ context.Context, tenant, prefix string) (oid4vp.Client, error) {
			if prefix != oid4vp.PrefixDID {
				return oid4vp.Client{}, oid4vp.ErrState
			}
			return oid4vp.Client{ID: "decentralized_identifier:did:web:dei.example:" + tenant, Signer: w.key, Kid: "did:web:dei.example:" + tenant + "#request"}, nil
		},
		Journal: func(_ context.Context, e oid4vp.Event) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e.Name)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func seeded(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func party(t testing.TB, name string) (key ed25519.PrivateKey, id, method string) {
	t.Helper()
	key = seeded(name)
	text, err := keys.Multibase(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, "did:key:" + text, "did:key:" + text + "#" + text
}

type noNetwork struct{}

func (noNetwork) Get(context.Context, string, fetch.Limits) (fetch.Response, error) {
	return fetch.Response{}, errors.New("no network in this test")
}

// Authority knows one issuer.
func (w *world) Authority(_ context.Context, q verifier.AuthorityQuery) (verifier.AuthorityAnswer, error) {
	if q.Entity == w.issuerID {
		return verifier.AuthorityAnswer{State: verifier.AuthorityActive}, nil
	}
	return verifier.AuthorityAnswer{State: verifier.AuthorityNoEntity}, nil
}

func (w *world) KeyIntervals(context.Context, string) ([]verifier.KeyInterval, verifier.Evidence, error) {
	return nil, verifier.Evidence{}, nil
}

// testSealer is a real cipher with a key of its own, so that what is at rest is not what went in.
type testSealer struct{}

func (testSealer) aead() cipher.AEAD {
	block, _ := aes.NewCipher(make([]byte, 32))
	aead, _ := cipher.NewGCM(block)
	return aead
}

func (s testSealer) Seal(_ context.Context, tenant, kind, id string, plain []byte) ([]byte, error) {
	return s.aead().Seal(nil, make([]byte, 12), plain, []byte(tenant+kind+id)), nil
}

func (s testSealer) Open(_ context.Context, tenant, kind, id string, sealed []byte) ([]byte, error) {
	return s.aead().Open(nil, make([]byte, 12), sealed, []byte(tenant+kind+id))
}

// memory is a store that passes storetest's contract but for restarts.
type memory struct {
	mu       sync.Mutex // guards sessions
	sessions map[string]oid4vp.Session
}

func (m *memory) PutSession(_ context.Context, s oid4vp.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[s.ID] = s
	return nil
}

func (m *memory) SessionByID(_ context.Context, id string) (oid4vp.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	if !ok {
		return s, oid4vp.ErrNotFound
	}
	return s, nil
}

func (m *memory) SessionByRequest(_ context.Context, request string) (oid4vp.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sessions {
		if s.Request == request {
			return s, nil
		}
	}
	return oid4vp.Session{}, oid4vp.ErrNotFound
}

func (m *memory) UpdateSession(_ context.Context, id string, change func(*oid4vp.Session) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	if !ok {
		return oid4vp.ErrNotFound
	}
	if err := change(&s); err != nil {
		return err
	}
	m.sessions[id] = s
	return nil
}

func (m *memory) DeleteSessions(_ context.Context, before time.Time, _ int) (n int, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, s := range m.sessions {
		if s.PurgeAt.Before(before) {
			delete(m.sessions, id)
			n++
		}
	}
	return n, nil
}

// dei is a DEI credential of the issuer for the holder: social awareness 3, self-management 2.
func (w *world) dei(change ...func(*schemas.DEICredential)) schemas.DEICredential {
	c := schemas.DEICredential{
		ID: "urn:uuid:7c6c1b6e-0a58-4a55-9b5f-6a2f7a0d8f11", Issuer: schemas.IssuerProfile{ID: w.issuerID, Name: "Acme", URL: "https://acme.example"},
		HolderID: w.holderID, ValidFrom: w.clock.Now().Add(-time.Hour), ValidUntil: start.AddDate(3, 0, 0), Language: "en", Origin: origin,
		Attestation: schemas.Attestation{
			ReportID: "r1", SubjectRef: "s1", Method: "heartmark/1", Model: "m/1", ModelDigest: strings.Repeat("ab", 32), Scale: "dei-2026/provisional",
			Levels: []schemas.LevelClaim{
				{Dimension: schemas.DimensionSocialAwareness, Level: schemas.LevelProficient, Confidence: "0.93"},
				{Dimension: schemas.DimensionSelfManagement, Level: schemas.LevelDeveloping, Confidence: "0.97"},
			},
			WindowStart: "2025-11-01", WindowEnd: "2026-01-09", Languages: []string{"en"}, Platforms: []string{"did:web:acme.example"},
			BatchDigests: []string{strings.Repeat("cd", 32)}, ConsentVersion: "2026-01", Purposes: []string{"credential"},
			Audience: []string{"employers"}, Review: "on-request",
		},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// badge is the credential with a Data Integrity proof.
func (w *world) badge(t testing.TB, change ...func(*schemas.DEICredential)) map[string]any {
	t.Helper()
	doc, err := w.dei(change...).Document()
	if err != nil {
		t.Fatal(err)
	}
	return w.secure(t, doc, dataintegrity.ProofOptions{VerificationMethod: w.issuerMethod, Purpose: "assertionMethod"}, w.issuer)
}

// nobodys is a badge that names no subject.
func (w *world) nobodys(t testing.TB) map[string]any {
	t.Helper()
	doc, err := w.dei().Document()
	if err != nil {
		t.Fatal(err)
	}
	delete(doc["credentialSubject"].(map[string]any), "id")
	return w.secure(t, doc, dataintegrity.ProofOptions{VerificationMethod: w.issuerMethod, Purpose: "assertionMethod"}, w.issuer)
}

func (w *world) secure(t testing.TB, doc map[string]any, o dataintegrity.ProofOptions, key ed25519.PrivateKey) map[string]any {
	t.Helper()
	o.Created = w.clock.Now()
	signed, err := w.proofs.Sign(doc, o, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// show wraps credentials in a presentation of the holder for a session.
func (w *world) show(t testing.TB, nonce, audience string, credentials ...any) map[string]any {
	t.Helper()
	return w.secure(t, container(w.holderID, credentials...), dataintegrity.ProofOptions{
		VerificationMethod: w.holderMethod, Purpose: "authentication", Challenge: nonce, Domain: audience,
	}, w.holder)
}

func container(holder string, credentials ...any) map[string]any {
	return map[string]any{
		"@context": []any{schemas.ContextV2}, "type": []any{"VerifiablePresentation"}, "holder": holder, "verifiableCredential": credentials,
	}
}

// selective is the credential as SD-JWT VC with all disclosures.
func (w *world) selective(t testing.TB, change ...func(*schemas.DEICredential)) sdjwt.Token {
	t.Helper()
	jwk, err := keys.MarshalJWK(w.holder.Public())
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.dei(change...).SelectiveClaims(jwk, nil)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := sdjwt.Issue(s.Claims, sdjwt.Options{
		Header: map[string]any{"typ": "dc+sd-jwt", "kid": w.issuerMethod}, Disclosable: s.Disclosable, Pad: s.Pad,
	}, w.issuer)
	if err != nil {
		t.Fatal(err)
	}
	token, err := sdjwt.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bind presents what the pointers name.
func (w *world) bind(t testing.TB, token sdjwt.Token, b sdjwt.Binding, pointers ...string) string {
	t.Helper()
	presentation, err := token.Present(pointers...)
	if err != nil {
		t.Fatal(err)
	}
	if b.IssuedAt.IsZero() {
		b.IssuedAt = w.clock.Now()
	}
	compact, err := sdjwt.Bind(presentation, b, w.holder)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// asked is a session as its wallet sees it.
type asked struct {
	oid4vp.Created
	id                string // of the request: the state
	nonce, clientID   string
	claims            map[string]any
	encryptionKeyText json.RawMessage
}

// ask opens a session of acme and fetches its request.
func (w *world) ask(t testing.TB, a oid4vp.Ask) asked {
	t.Helper()
	if a.Tenant == "" {
		a.Tenant = "acme"
	}
	if a.Flow == "" {
		a.Flow = oid4vp.CrossDevice
	}
	created, err := w.Create(t.Context(), a)
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	id := created.RequestURI[strings.LastIndex(created.RequestURI, "/")+1:]
	object, err := w.Request(t.Context(), id, oid4vp.Wallet{})
	if err != nil {
		t.Fatalf("Request: %v", err)
	}
	return w.readRequest(t, created, id, object)
}

func (w *world) readRequest(t testing.TB, created oid4vp.Created, id, object string) asked {
	t.Helper()
	token, err := jose.Parse(object)
	if err != nil || token.Verify(w.key.Public()) != nil || token.Header.Typ != "oauth-authz-req+jwt" {
		t.Fatalf("request object %s: %v", object, err)
	}
	claims, err := token.Claims()
	if err != nil {
		t.Fatal(err)
	}
	out := asked{Created: created, id: id, claims: claims, clientID: claims["client_id"].(string), nonce: claims["nonce"].(string)}
	metadata := claims["client_metadata"].(map[string]any)
	if jwks, ok := metadata["jwks"].(map[string]any); ok {
		out.encryptionKeyText, err = schemas.Marshal(jwks["keys"].([]any)[0])
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// encrypt makes the answer of direct_post.jwt; change alters the JWE's header.
func (a asked) encrypt(t testing.TB, payload map[string]any, change ...func(h jwe.Headers)) string {
	t.Helper()
	return encryptTo(t, a.encryptionKeyText, payload, jwa.A128GCM, change...)
}

func encryptTo(t testing.TB, key json.RawMessage, payload map[string]any, enc jwa.ContentEncryptionAlgorithm, change ...func(h jwe.Headers)) string {
	t.Helper()
	return seal(t, key, payload, []jwe.EncryptOption{jwe.WithContentEncryption(enc)}, change...)
}

func compressed(t testing.TB, key json.RawMessage, payload map[string]any) string {
	t.Helper()
	return seal(t, key, payload, []jwe.EncryptOption{jwe.WithContentEncryption(jwa.A128GCM), jwe.WithCompress(jwa.Deflate)})
}

func seal(t testing.TB, key json.RawMessage, payload map[string]any, options []jwe.EncryptOption, change ...func(h jwe.Headers)) string {
	t.Helper()
	parsed, err := jwk.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var public ecdsa.PublicKey
	if err := parsed.Raw(&public); err != nil {
		t.Fatal(err)
	}
	raw, err := schemas.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	headers := jwe.NewHeaders()
	_ = headers.Set("kid", "answer")
	for _, f := range change {
		f(headers)
	}
	out, err := jwe.Encrypt(raw, append(options, jwe.WithKey(jwa.ECDH_ES, &public), jwe.WithProtectedHeaders(headers))...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// answer posts a vp_token in the form that the session asks for.
func (w *world) answer(t testing.TB, a asked, token map[string]any) (redirect string, err error) {
	t.Helper()
	if a.encryptionKeyText != nil {
		return w.Respond(t.Context(), a.id, oid4vp.Answer{Response: a.encrypt(t, map[string]any{"vp_token": token, "state": a.id})})
	}
	raw, err := schemas.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	return w.Respond(t.Context(), a.id, oid4vp.Answer{State: a.id, VPToken: string(raw)})
}

// outcome reads the result, which must be there.
func (w *world) outcome(t testing.TB, a asked, code string) oid4vp.Outcome {
	t.Helper()
	status, err := w.Read(t.Context(), "acme", a.TransactionID, code)
	if err != nil || status.Outcome == nil {
		t.Fatalf("Read: %+v, %v", status, err)
	}
	return *status.Outcome
}

func (w *world) state(t testing.TB, a asked) oid4vp.State {
	t.Helper()
	s, err := w.Read(t.Context(), "acme", a.TransactionID, "")
	if err != nil {
		t.Fatal(err)
	}
	return s.State
}

func wantRefused(t testing.TB, what string, err error) {
	t.Helper()
	if known, ok := errors.AsType[*oid4vp.Error](err); !ok || known.Status != 400 {
		t.Errorf("%s: %v, want a refusal", what, err)
	}
}

func wantField(t testing.TB, what string, err error, pointer string) {
	t.Helper()
	if f, ok := errors.AsType[*schemas.FieldError](err); !ok || f.Pointer != pointer {
		t.Errorf("%s: %v, want a fault at %s", what, err, pointer)
	}
}

func template(level schemas.Level) *oid4vp.Template {
	return &oid4vp.Template{Dimension: schemas.DimensionSocialAwareness, Level: level}
}

// badgeQuery asks for a badge, changed by the test.
func badgeQuery(t testing.TB, change func(c map[string]any)) map[string]any {
	t.Helper()
	c := map[string]any{
		"id": "badge", "format": "ldp_vc",
		"meta": map[string]any{"type_values": []any{[]any{"https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential"}}},
	}
	if change != nil {
		change(c)
	}
	return parsed(t, map[string]any{"credentials": []any{c}})
}

// parsed brings a query into the form in which the edge hands it over.
func parsed(t testing.TB, m map[string]any) map[string]any {
	t.Helper()
	raw, err := schemas.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out, err := schemas.ParseObject(raw)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sdQuery(t testing.TB, claims ...any) map[string]any {
	t.Helper()
	c := map[string]any{"id": "dei", "format": "dc+sd-jwt", "meta": map[string]any{"vct_values": []any{schemas.VCTypeDEI(origin)}}}
	if len(claims) > 0 {
		c["claims"] = claims
	}
	return parsed(t, map[string]any{"credentials": []any{c}})
}

func codeOf(t testing.TB, redirect string) string {
	t.Helper()
	u, err := url.Parse(redirect)
	if err != nil || u.Query().Get("code") == "" {
		t.Fatalf("redirect %q: %v", redirect, err)
	}
	return u.Query().Get("code")
}

func merge(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
