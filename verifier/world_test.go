package verifier_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/statuslist"
	"heartmark/internal/testkit"
	"heartmark/schemas"
	schemacontext "heartmark/schemas/context"
	"heartmark/schemas/jsonschema"
	"heartmark/verifier"
)

const (
	origin  = "https://registry.example"
	acme    = "did:web:registry.example:acme"
	other   = "did:web:registry.example:other"
	revList = origin + "/status/g1/revocation"
	susList = origin + "/status/g1/suspension"
	index   = 94567
)

var start = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// world is everything around a verifier: an issuer with keys, a web that serves documents and lists, a registry.
type world struct {
	clock     *testkit.Clock
	proofs    *dataintegrity.Processor
	contexts  *schemacontext.Loader
	validator *jsonschema.Validator
	resolver  *did.Resolver
	keys      map[string]ed25519.PrivateKey // by verification method

	mu        sync.Mutex // guards all below
	documents map[string]string
	lists     map[string]verifier.StatusDocument
	listErr   error
	requests  []string // everything that would leave the machine
	asked     []verifier.AuthorityQuery
	authority map[string]verifier.AuthorityState // by entity and resource
	failing   map[string]bool                    // sources that are down: authority, intervals, log
	intervals map[string][]verifier.KeyInterval
	logged    map[string]bool // leaves that the log proves
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		clock: testkit.NewClock(start), keys: map[string]ed25519.PrivateKey{}, documents: map[string]string{},
		lists: map[string]verifier.StatusDocument{}, authority: map[string]verifier.AuthorityState{}, failing: map[string]bool{},
		intervals: map[string][]verifier.KeyInterval{}, logged: map[string]bool{},
	}
	var err error
	if w.contexts, err = schemacontext.New(); err != nil {
		t.Fatal(err)
	}
	if w.validator, err = jsonschema.New(); err != nil {
		t.Fatal(err)
	}
	w.proofs = dataintegrity.New(w.contexts)
	if w.resolver, err = did.New(did.Config{Fetch: w, Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{acme, other} {
		w.publish(t, id, did.AssertionMethod)
		w.grant(id, schemas.AchievementID(origin, schemas.AchievementProfile))
		w.intervals[id] = []verifier.KeyInterval{{Method: id + "#key-1", From: start.AddDate(0, -6, 0)}}
	}
	w.serveList(t, acme, revList, "revocation")
	w.serveList(t, acme, susList, "suspension")
	return w
}

// key returns the private key of a method, made from its name.
func (w *world) key(method string) ed25519.PrivateKey {
	if k, ok := w.keys[method]; ok {
		return k
	}
	seed := sha256.Sum256([]byte(method))
	w.keys[method] = ed25519.NewKeyFromSeed(seed[:])
	return w.keys[method]
}

// didKey returns a did:key and the method under which it signs; the key is made from name.
func (w *world) didKey(t testing.TB, name string) (id, method string) {
	t.Helper()
	k := w.key(name)
	text, err := keys.Multibase(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	id = "did:key:" + text
	method = id + "#" + text
	w.keys[method] = k
	return id, method
}

// publish serves a DID document with one key under the purposes given.
func (w *world) publish(t testing.TB, id string, purposes ...string) {
	t.Helper()
	text, err := keys.Multibase(w.key(id + "#key-1").Public())
	if err != nil {
		t.Fatal(err)
	}
	w.publishMethods(t, id, did.PublishedMethod{ID: id + "#key-1", PublicKeyMultibase: text, Purposes: purposes})
}

func (w *world) publishMethods(t testing.TB, id string, methods ...did.PublishedMethod) {
	t.Helper()
	raw, err := schemas.Marshal(did.BuildDocument(id, methods))
	if err != nil {
		t.Fatal(err)
	}
	u, err := did.WebURL(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.documents[u] = string(raw)
}

func (w *world) grant(entity, resource string) {
	w.authority[entity+" "+resource] = verifier.AuthorityActive
}

// serveList publishes a status list of issuer with the given indexes set.
func (w *world) serveList(t testing.TB, issuer, url, purpose string, set ...uint64) {
	t.Helper()
	w.putList(t, url, issuer+"#key-1", listDocument(t, w.clock.Now(), issuer, url, purpose, set...))
}

func listDocument(t testing.TB, now time.Time, issuer, url, purpose string, set ...uint64) map[string]any {
	t.Helper()
	bits, err := statuslist.NewBits(statuslist.MinEntries, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range set {
		if err := bits.Set(i, 1); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := bits.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"@context": []any{schemas.ContextV2}, "id": url, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"},
		"issuer": issuer, "validFrom": schemas.FormatTime(now), "validUntil": schemas.FormatTime(now.Add(24 * time.Hour)),
		"credentialSubject": map[string]any{
			"id": url + "#list", "type": "BitstringStatusList", "statusPurpose": purpose, "encodedList": encoded, "ttl": json.Number("300000"),
		},
	}
}

func (w *world) putList(t testing.TB, url, method string, doc map[string]any) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lists[url] = verifier.StatusDocument{Data: w.marshal(t, w.sign(t, doc, method, verifierAssertion))}
}

const (
	verifierAssertion      = "assertionMethod"
	verifierAuthentication = "authentication"
)

func (w *world) sign(t testing.TB, doc map[string]any, method, purpose string, change ...func(*dataintegrity.ProofOptions)) map[string]any {
	t.Helper()
	o := dataintegrity.ProofOptions{VerificationMethod: method, Purpose: purpose, Created: w.clock.Now()}
	for _, c := range change {
		c(&o)
	}
	signed, err := w.proofs.Sign(doc, o, w.key(method))
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return signed
}

func (w *world) marshal(t testing.TB, doc map[string]any) []byte {
	t.Helper()
	data, err := schemas.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// parse gives what the verifier will see, so that a test can change it and sign again.
func parse(t testing.TB, data []byte) map[string]any {
	t.Helper()
	doc, err := schemas.ParseObject(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// unsigned is a complete DEI credential of acme for holder.
func (w *world) unsigned(t testing.TB, holder string) map[string]any {
	t.Helper()
	doc, err := w.deiCredential(holder).Document()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// deiCredential is what a complete DEI credential of acme for holder is built from, in any format.
func (w *world) deiCredential(holder string) schemas.DEICredential {
	return schemas.DEICredential{
		ID: "urn:uuid:7c6c1b6e-0a58-4a55-9b5f-6a2f7a0d8f11", Issuer: schemas.IssuerProfile{ID: acme, Name: "Acme", URL: "https://acme.example"},
		HolderID: holder, ValidFrom: start.Add(-time.Hour), ValidUntil: start.AddDate(1, 0, 0), Language: "en", Origin: origin,
		Attestation: schemas.Attestation{
			ReportID: "r1", SubjectRef: "s1", Method: "heartmark/1", Model: "dei-small/1", ModelDigest: strings.Repeat("ab", 32), Scale: "dei-2026/provisional",
			Levels: []schemas.LevelClaim{
				{Dimension: schemas.DimensionSocialAwareness, Level: schemas.LevelProficient, Confidence: "0.93"},
				{Dimension: schemas.DimensionSelfManagement, Level: schemas.LevelDeveloping, Confidence: "0.97"},
			},
			WindowStart: "2025-11-01", WindowEnd: "2026-01-09", Languages: []string{"en"}, Platforms: []string{acme},
			BatchDigests: []string{strings.Repeat("cd", 32)}, ConsentVersion: "2026-01", Purposes: []string{"credential"},
			Audience: []string{"employers"}, Review: "on-request",
		},
		Status: []schemas.StatusEntry{
			{Purpose: "revocation", Index: index, ListURL: revList}, {Purpose: "suspension", Index: index, ListURL: susList},
		},
	}
}

// credential is a complete and good DEI credential.
func (w *world) credential(t testing.TB) map[string]any {
	t.Helper()
	holder, _ := w.didKey(t, "holder")
	return w.sign(t, w.unsigned(t, holder), acme+"#key-1", verifierAssertion)
}

// plain is a small credential of the given types, without a status.
func plain(issuer string, types ...any) map[string]any {
	return map[string]any{
		"@context": []any{schemas.ContextV2}, "type": append([]any{"VerifiableCredential"}, types...), "issuer": issuer,
		"validFrom": schemas.FormatTime(start.Add(-time.Hour)), "credentialSubject": map[string]any{"id": "did:example:subject"},
	}
}

func (w *world) verifier(t testing.TB, policies ...verifier.Policy) *verifier.Verifier {
	t.Helper()
	v, err := verifier.New(w.config(policies...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) config(policies ...verifier.Policy) verifier.Config {
	return verifier.Config{
		Keys: w, Proofs: w.proofs, Contexts: w.contexts, Status: w, Authority: w, Intervals: w, Schemas: w.validator, Log: w,
		Now: w.clock.Now, Policies: policies, ProblemBase: origin + "/problems/",
	}
}

// Get is the guarded client: it serves DID documents and counts.
func (w *world) Get(_ context.Context, url string, _ fetch.Limits) (fetch.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, url)
	doc, ok := w.documents[url]
	if !ok {
		return fetch.Response{}, &fetch.Error{Reason: fetch.ErrStatus, Status: 404}
	}
	return fetch.Response{Body: []byte(doc), ContentType: "application/json", FetchedAt: w.clock.Now()}, nil
}

// Key adapts the resolver as the program does.
func (w *world) Key(ctx context.Context, q verifier.KeyQuery) (verifier.Key, error) {
	resolve := w.resolver.ResolveOffline
	if q.Network {
		resolve = w.resolver.Resolve
	}
	doc, err := resolve(ctx, q.Controller)
	if errors.Is(err, did.ErrOffline) {
		return verifier.Key{}, verifier.ErrOffline
	}
	if err != nil {
		return verifier.Key{}, err
	}
	m, err := doc.Method(q.Method, q.Purpose)
	for from, to := range map[error]error{
		did.ErrMethodNotFound: verifier.ErrKeyNotFound, did.ErrPurpose: verifier.ErrKeyPurpose, did.ErrController: verifier.ErrKeyController,
	} {
		if errors.Is(err, from) {
			return verifier.Key{}, to
		}
	}
	return verifier.Key{Public: m.Key, Evidence: verifier.Evidence{
		Source: doc.Source, FetchedAt: doc.FetchedAt, ExpiresAt: doc.ExpiresAt, FromCache: doc.FromCache, Digest: doc.Digest,
	}}, err
}

func (w *world) StatusList(_ context.Context, url string) (verifier.StatusDocument, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, url)
	doc, ok := w.lists[url]
	if !ok || w.listErr != nil {
		return verifier.StatusDocument{}, errors.Join(w.listErr, errors.New("no list"))
	}
	return doc, nil
}

func (w *world) Authority(_ context.Context, q verifier.AuthorityQuery) (verifier.AuthorityAnswer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, q)
	if w.failing["authority"] {
		return verifier.AuthorityAnswer{}, errors.New("registry down")
	}
	if s, ok := w.authority[q.Entity+" "+q.Resource]; ok {
		return verifier.AuthorityAnswer{State: s, Evidence: verifier.Evidence{Source: "registry"}}, nil
	}
	for k := range w.authority {
		if strings.HasPrefix(k, q.Entity+" ") {
			return verifier.AuthorityAnswer{State: verifier.AuthorityNone}, nil
		}
	}
	return verifier.AuthorityAnswer{State: verifier.AuthorityNoEntity}, nil
}

func (w *world) KeyIntervals(_ context.Context, id string) ([]verifier.KeyInterval, verifier.Evidence, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing["intervals"] {
		return nil, verifier.Evidence{}, errors.New("registry down")
	}
	return w.intervals[id], verifier.Evidence{Source: "registry"}, nil
}

func (w *world) VerifyInclusion(_ context.Context, leaf []byte, _ schemas.LogProof) (verifier.Evidence, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing["log"] {
		return verifier.Evidence{}, errors.New("log down")
	}
	if !w.logged[string(leaf)] {
		return verifier.Evidence{}, verifier.ErrLogMismatch
	}
	return verifier.Evidence{Source: "log"}, nil
}

func (w *world) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.requests...)
}

// verify runs one verification and wants no error.
func (w *world) verify(t testing.TB, v *verifier.Verifier, doc map[string]any, change ...func(*verifier.Input)) verifier.Result {
	t.Helper()
	in := verifier.Input{Data: w.marshal(t, doc)}
	for _, c := range change {
		c(&in)
	}
	r, err := v.Verify(t.Context(), in)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return r
}

// want fails the test unless the result has the verdict and a check with the code.
func want(t testing.TB, r verifier.Result, verdict verifier.Verdict, code string) {
	t.Helper()
	found := false
	for _, c := range r.Checks {
		found = found || c.Code == code
	}
	if r.Verdict != verdict || !found {
		t.Errorf("verdict %s, want %s with %s; checks:\n%s", r.Verdict, verdict, code, dump(r))
	}
}

func dump(r verifier.Result) string {
	var b strings.Builder
	for _, c := range r.Checks {
		b.WriteString("  " + string(c.ID) + " " + string(c.Outcome) + " " + c.Code + " " + c.Pointer + " " + c.About + ": " + c.Detail + "\n")
	}
	for _, i := range r.Inner {
		b.WriteString(" inner " + string(i.Verdict) + "\n" + dump(i))
	}
	return b.String()
}

// with returns a copy of doc with one member changed; nil removes it.
func with(doc map[string]any, name string, value any) map[string]any {
	out := maps.Clone(doc)
	if value == nil {
		delete(out, name)
	} else {
		out[name] = value
	}
	return out
}
