package did_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/internal/keys"
	"heartmark/internal/testkit"
	"heartmark/schemas"

	"github.com/mr-tron/base58"
)

var start = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// site answers addresses with documents, and counts.
type site struct {
	docs  map[string]string
	err   error
	calls []string
}

func (s *site) Get(_ context.Context, url string, l fetch.Limits) (fetch.Response, error) {
	s.calls = append(s.calls, url)
	if s.err != nil {
		return fetch.Response{}, s.err
	}
	doc, ok := s.docs[url]
	if !ok {
		return fetch.Response{}, &fetch.Error{Reason: fetch.ErrStatus, Status: 404}
	}
	if int64(len(doc)) > l.MaxBytes {
		return fetch.Response{}, &fetch.Error{Reason: fetch.ErrTooLarge}
	}
	return fetch.Response{Body: []byte(doc), ContentType: "application/json", FetchedAt: start}, nil
}

type store map[string]string

func (s store) DIDDocument(_ context.Context, id string) ([]byte, bool, error) {
	doc, ok := s[id]
	return []byte(doc), ok, nil
}

func newResolver(t *testing.T, s *site, local did.LocalSource) (*did.Resolver, *testkit.Clock) {
	t.Helper()
	clock := testkit.NewClock(start)
	c := did.Config{Local: local, DevOrigins: dev, Now: clock.Now}
	if s != nil {
		c.Fetch = s
	}
	r, err := did.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r, clock
}

func multikey(t *testing.T) string {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := keys.Multibase(pub)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func document(t *testing.T, id string, methods ...did.PublishedMethod) string {
	t.Helper()
	raw, err := schemas.Marshal(did.BuildDocument(id, methods))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

const alice = "did:web:a.example"

func aliceDoc(t *testing.T) string {
	return document(t, alice,
		did.PublishedMethod{ID: alice + "#sign", PublicKeyMultibase: multikey(t), Purposes: []string{did.AssertionMethod}},
		did.PublishedMethod{ID: alice + "#login", PublicKeyMultibase: multikey(t), Purposes: []string{did.Authentication}},
	)
}

func TestResolveWeb(t *testing.T) {
	t.Parallel()
	s := &site{docs: map[string]string{"https://a.example/.well-known/did.json": aliceDoc(t)}}
	r, clock := newResolver(t, s, nil)
	if _, err := r.ResolveOffline(t.Context(), alice); !errors.Is(err, did.ErrOffline) || len(s.calls) != 0 {
		t.Fatalf("offline = %v, calls %v", err, s.calls)
	}
	doc, err := r.Resolve(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	if doc.ID != alice || len(doc.Methods) != 2 || doc.FromCache || doc.Source != "https://a.example/.well-known/did.json" ||
		!doc.ExpiresAt.Equal(start.Add(did.KeyCache)) {
		t.Errorf("document = %+v", doc)
	}
	if _, err := doc.Method(alice+"#sign", did.AssertionMethod); err != nil {
		t.Error(err)
	}
	clock.Advance(did.KeyCache - time.Second)
	if doc, err = r.ResolveOffline(t.Context(), alice); err != nil || !doc.FromCache {
		t.Errorf("within five minutes: %v, from cache %v", err, doc.FromCache)
	}
	clock.Advance(time.Second)
	s.docs["https://a.example/.well-known/did.json"] = aliceDoc(t) // rotated
	if doc, err = r.Resolve(t.Context(), alice); err != nil || doc.FromCache || len(s.calls) != 2 {
		t.Errorf("after five minutes: %v, from cache %v, calls %d", err, doc.FromCache, len(s.calls))
	}
}

func TestNegativeCache(t *testing.T) {
	t.Parallel()
	s := &site{err: &fetch.Error{Reason: fetch.ErrConnect}}
	r, clock := newResolver(t, s, nil)
	for range 3 {
		if _, err := r.Resolve(t.Context(), alice); !errors.Is(err, did.ErrUnavailable) {
			t.Fatalf("error = %v", err)
		}
	}
	if len(s.calls) != 1 {
		t.Errorf("calls = %d, want 1", len(s.calls))
	}
	clock.Advance(did.NegativeCache)
	s.err, s.docs = nil, map[string]string{}
	if _, err := r.Resolve(t.Context(), alice); !errors.Is(err, did.ErrNotFound) {
		t.Errorf("error = %v, want ErrNotFound", err)
	}
	clock.Advance(did.NegativeCache)
	s.docs["https://a.example/.well-known/did.json"] = aliceDoc(t)
	if _, err := r.Resolve(t.Context(), alice); err != nil {
		t.Errorf("after recovery: %v", err)
	}
}

func TestResolveLocal(t *testing.T) {
	t.Parallel()
	id := "did:web:localhost%3A8080:acme"
	local := store{id: document(t, id, did.PublishedMethod{ID: id + "#1", PublicKeyMultibase: multikey(t), Purposes: []string{did.AssertionMethod}})}
	s := &site{}
	r, _ := newResolver(t, s, local)
	for range 2 {
		doc, err := r.ResolveOffline(t.Context(), id)
		if err != nil || doc.Source != "store" {
			t.Fatalf("%+v, %v", doc, err)
		}
	}
	local[id] = document(t, id) // the key is revoked: it must be gone at once
	doc, err := r.Resolve(t.Context(), id)
	if err != nil || len(doc.Methods) != 0 || len(s.calls) != 0 {
		t.Errorf("after the change: %d methods, %v, calls %v", len(doc.Methods), err, s.calls)
	}
}

func TestDevelopmentOrigin(t *testing.T) {
	t.Parallel()
	id := "did:web:localhost%3A8080:acme"
	s := &site{docs: map[string]string{"http://localhost:8080/acme/did.json": document(t, id,
		did.PublishedMethod{ID: id + "#1", PublicKeyMultibase: multikey(t), Purposes: []string{did.AssertionMethod}})}}
	r, _ := newResolver(t, s, nil)
	if doc, err := r.Resolve(t.Context(), id); err != nil || len(doc.Methods) != 1 {
		t.Errorf("%+v, %v", doc, err)
	}
}

func TestMethod(t *testing.T) {
	t.Parallel()
	key, foreign := multikey(t), multikey(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	raw := `{"@context":["https://www.w3.org/ns/did/v1"],"id":"did:web:a.example","verificationMethod":[
	 {"id":"#rel","type":"Multikey","controller":"did:web:a.example","publicKeyMultibase":"` + key + `"},
	 {"id":"did:web:a.example#old","type":"Ed25519VerificationKey2020","controller":"did:web:a.example","publicKeyMultibase":"` + key + `"},
	 {"id":"did:web:a.example#jwk","type":"JsonWebKey","controller":"did:web:a.example","publicKeyJwk":{"kty":"EC","crv":"P-256","x":"` +
		b64(ec.X.FillBytes(make([]byte, 32))) + `","y":"` + b64(ec.Y.FillBytes(make([]byte, 32))) + `"}},
	 {"id":"did:web:a.example#theirs","type":"Multikey","controller":"did:web:b.example","publicKeyMultibase":"` + foreign + `"},
	 {"id":"did:web:a.example#odd","type":"X25519KeyAgreementKey2020","controller":"did:web:a.example","publicKeyMultibase":"z6LS"},
	 {"id":"did:web:a.example#bad","type":"Multikey","controller":"did:web:a.example","publicKeyMultibase":"zzzz"}],
	 "assertionMethod":["#rel","did:web:a.example#old","did:web:a.example#jwk","did:web:a.example#theirs","did:web:a.example#bad","did:web:b.example#x"],
	 "authentication":[{"id":"#inside","type":"Multikey","controller":"did:web:a.example","publicKeyMultibase":"` + key + `"}],
	 "keyAgreement":["did:web:a.example#odd"]}`
	s := &site{docs: map[string]string{"https://a.example/.well-known/did.json": raw}}
	r, _ := newResolver(t, s, nil)
	doc, err := r.Resolve(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		method, purpose string
		want            error
	}{
		{"#rel", did.AssertionMethod, nil},
		{"#old", did.AssertionMethod, nil},
		{"#jwk", did.AssertionMethod, nil},
		{"#inside", did.Authentication, nil},
		{"#rel", did.Authentication, did.ErrPurpose},
		{"#inside", did.AssertionMethod, did.ErrPurpose},
		{"#rel", "made-up", did.ErrPurpose},
		{"#rel", "", did.ErrPurpose},
		{"#theirs", did.AssertionMethod, did.ErrController},
		{"#odd", did.KeyAgreement, did.ErrMethodNotFound},
		{"#bad", did.AssertionMethod, did.ErrMethodNotFound},
		{"#none", did.AssertionMethod, did.ErrMethodNotFound},
	}
	for _, tc := range cases {
		m, err := doc.Method(alice+tc.method, tc.purpose)
		if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("Method(%s, %s) = %+v, %v, want %v", tc.method, tc.purpose, m, err, tc.want)
		}
	}
}

func TestRefusedDocuments(t *testing.T) {
	t.Parallel()
	key := multikey(t)
	method := func(id, extra string) string {
		return `{"id":"` + id + `","type":"Multikey","controller":"did:web:a.example","publicKeyMultibase":"` + key + `"` + extra + `}`
	}
	for name, raw := range map[string]string{
		"not JSON":            `{`,
		"no object":           `[]`,
		"no id":               `{"@context":"https://www.w3.org/ns/did/v1"}`,
		"duplicate id member": `{"id":"did:web:b.example","id":"did:web:a.example"}`,
		"id in other case":    `{"id":"did:web:A.example"}`,
		"method twice":        `{"id":"did:web:a.example","verificationMethod":[` + method("#1", "") + `,` + method("did:web:a.example#1", "") + `]}`,
		"method no object":    `{"id":"did:web:a.example","verificationMethod":["x"]}`,
		"method list":         `{"id":"did:web:a.example","verificationMethod":{}}`,
		"method without id":   `{"id":"did:web:a.example","verificationMethod":[` + method("", "") + `]}`,
		"private JWK": `{"id":"did:web:a.example","verificationMethod":[{"id":"#1","type":"JsonWebKey","controller":"did:web:a.example",
		  "publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}}]}`,
		"private multibase":   `{"id":"did:web:a.example","verificationMethod":[` + method("#1", `,"secretKeyMultibase":"z1"`) + `]}`,
		"relationship no URL": `{"id":"did:web:a.example","assertionMethod":["key-1"]}`,
		"relationship number": `{"id":"did:web:a.example","assertionMethod":[1]}`,
		"too large":           `{"id":"did:web:a.example","x":"` + strings.Repeat("x", did.MaxDocument) + `"}`,
	} {
		if _, err := did.ParseDocument(alice, []byte(raw)); !errors.Is(err, did.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestSEC_062_NamesThatBecomeWrongURLs(t *testing.T) {
	t.Parallel()
	s := &site{}
	r, _ := newResolver(t, s, nil)
	for _, id := range []string{
		"did:web:host:..:..:x", "did:web:a.example:..:..:x", "did:web:a.example:.:x", "did:web:host%2Fpath", "did:web:a.example%2Fpath",
		"did:web:user%40host", "did:web:user%40a.example", "did:web:host%3A22", "did:web:a.example%3A22", "did:web:a.example::x",
		"did:web::a.example", "did:web:a.example:", "did:web:" + strings.Repeat("a", 5<<10) + ".example", "did:web:a.example%3A", "did:web:a.example%3A0443",
		"did:web:a.example%3A99999", "did:web:a.example%3a8443", "did:web:a.example%3A8443%3A1", "did:web:127.0.0.1", "did:web:127.0.0.1%3A8080",
		"did:web:localhost", "did:web:localhost%3A8081", "did:web:A.example", "did:web:a.example:x%2F..%2Fy", "did:web:a.example:x%00",
		"did:web:a.example%23x", "did:web:a.example%3Fx", "did:web:a..example", "did:web:-a.example", "did:web:a.example.", "did:web:0x7f.1", "did:web:a_b.example",
	} {
		if _, err := r.Resolve(t.Context(), id); !errors.Is(err, did.ErrInvalid) {
			t.Errorf("Resolve(%.60q) = %v, want ErrInvalid", id, err)
		}
	}
	if len(s.calls) != 0 {
		t.Errorf("requests made: %v", s.calls)
	}
}

func TestSEC_063_DocumentOfAnotherDID(t *testing.T) {
	t.Parallel()
	s := &site{docs: map[string]string{"https://a.example/.well-known/did.json": document(t, "did:web:b.example")}}
	r, _ := newResolver(t, s, store{"did:web:c.example": document(t, "did:web:b.example")})
	for _, id := range []string{alice, "did:web:c.example"} {
		if _, err := r.Resolve(t.Context(), id); !errors.Is(err, did.ErrInvalid) {
			t.Errorf("Resolve(%s) = %v, want ErrInvalid", id, err)
		}
	}
}

func TestUnsupportedMethods(t *testing.T) {
	t.Parallel()
	r, _ := newResolver(t, nil, nil)
	for _, id := range []string{"did:example:123", "did:webvh:x:a.example", "did:peer:2"} {
		if _, err := r.Resolve(t.Context(), id); !errors.Is(err, did.ErrMethodNotSupported) {
			t.Errorf("Resolve(%s) = %v", id, err)
		}
	}
}

func TestDIDJWK(t *testing.T) {
	t.Parallel()
	r, _ := newResolver(t, nil, nil)
	encode := func(s string) string { return "did:jwk:" + base64.RawURLEncoding.EncodeToString([]byte(s)) }
	ok := `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	doc, err := r.Resolve(t.Context(), encode(ok+`}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doc.Method(doc.ID+"#0", did.Authentication); err != nil {
		t.Error(err)
	}
	for name, id := range map[string]string{
		"private":       encode(ok + `,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}`),
		"not base64url": "did:jwk:%20",
		"unused bits":   encode(ok + `}`)[:len(encode(ok+`}`))-1] + "B",
		"duplicate":     encode(ok + `,"kty":"OKP"}`),
		"short key":     encode(`{"kty":"OKP","crv":"Ed25519","x":"11qY"}`),
		"symmetric":     encode(`{"kty":"oct","k":"AAAA"}`),
		"array":         encode(`[]`),
	} {
		if _, err := r.Resolve(t.Context(), id); !errors.Is(err, did.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestDIDKeyVectors(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/did-key")
	r, _ := newResolver(t, nil, nil)
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	resolved, refused := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var vectors map[string]struct {
			VerificationKeyPair struct{ PublicKeyJwk json.RawMessage }
			DIDDocument         struct {
				VerificationMethod []struct {
					ID, Type        string
					PublicKeyBase58 string
					PublicKeyJwk    json.RawMessage
				}
			}
		}
		if err := json.Unmarshal(data, &vectors); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for id, v := range vectors {
			doc, err := r.Resolve(t.Context(), id)
			if err != nil {
				refused++
				allowed := strings.Contains(id, "z6Mk") || strings.Contains(id, "zDna") || strings.Contains(id, "z82L")
				if allowed {
					t.Errorf("%s: %v", id, err)
				}
				continue
			}
			resolved++
			m := doc.Methods[0]
			want := v.DIDDocument.VerificationMethod[0]
			if m.ID != want.ID {
				t.Errorf("%s: method %s, want %s", id, m.ID, want.ID)
			}
			switch key := m.Key.(type) {
			case ed25519.PublicKey:
				if got := base58.Encode(key); want.PublicKeyBase58 != "" && got != want.PublicKeyBase58 {
					t.Errorf("%s: key %s, want %s", id, got, want.PublicKeyBase58)
				}
			case *ecdsa.PublicKey:
				if want.PublicKeyJwk == nil {
					want.PublicKeyJwk = v.VerificationKeyPair.PublicKeyJwk
				}
				if want.PublicKeyJwk == nil {
					continue
				}
				other, err := keys.ParseJWK(want.PublicKeyJwk)
				if err != nil || !key.Equal(other) {
					t.Errorf("%s: key differs from the vector's: %v", id, err)
				}
			}
		}
	}
	if resolved < 5 || refused < 5 {
		t.Errorf("resolved %d and refused %d vectors", resolved, refused)
	}
}

func FuzzDIDDocument(f *testing.F) {
	f.Add([]byte(`{"@context":"https://www.w3.org/ns/did/v1","id":"did:web:a.example"}`))
	f.Add([]byte(`{"id":"did:web:a.example","verificationMethod":[{"id":"#1","type":"Multikey","controller":"did:web:a.example",
	 "publicKeyMultibase":"z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"}],"assertionMethod":["#1"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := did.ParseDocument(alice, raw)
		if err != nil {
			if !errors.Is(err, did.ErrInvalid) {
				t.Errorf("error %v is none of the package", err)
			}
			return
		}
		for _, m := range doc.Methods {
			if err := keys.CheckPublic(m.Key); err != nil {
				t.Errorf("method %s holds a bad key: %v", m.ID, err)
			}
		}
		// What was accepted means the same when it is resolved through both readers.
		s := &site{docs: map[string]string{"https://a.example/.well-known/did.json": string(raw)}}
		r, err := did.New(did.Config{Fetch: s, Now: func() time.Time { return start }})
		if err != nil {
			t.Fatal(err)
		}
		again, err := r.Resolve(t.Context(), alice)
		if err != nil || len(again.Methods) != len(doc.Methods) {
			t.Errorf("resolved: %d methods, %v; parsed: %d", len(again.Methods), err, len(doc.Methods))
		}
	})
}

func BenchmarkResolveKeyCold(b *testing.B) {
	for b.Loop() {
		r, err := did.New(did.Config{Now: func() time.Time { return start }})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Resolve(b.Context(), "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"); err != nil {
			b.Fatal(err)
		}
	}
}
