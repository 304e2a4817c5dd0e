package intake_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/store/badger"
	"heartmark/internal/testkit"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

const audience = "did:web:dei.example"

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

var acme = intake.Caller{Tenant: "acme", Actor: "k-acme"}

// world is an intake over a real store and real keys in a folder that survives a restart.
type world struct {
	t        testing.TB
	dir      string
	clock    *testkit.Clock
	db       *badger.DB
	vault    *keys.Vault
	reports  assessment.Store
	store    *badger.IntakeStore
	service  *intake.Service
	assessor *assessor
	policy   intake.Policy
	metrics  *prometheus.Registry
	workers  int

	mu      sync.Mutex // guards what follows
	ids     int
	events  []intake.Event
	crashAt string
	at      map[string]func()
}

// crash is what a crash point panics with.
type crash string

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: testkit.NewClock(start), assessor: &assessor{}}
	if err := keys.GenerateKEK(filepath.Join(w.dir, "secrets", "kek")); err != nil {
		t.Fatal(err)
	}
	w.open()
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// restart closes the store as a killed process leaves it, opens it again and recovers.
func (w *world) restart() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.crashAt = ""
	w.open()
	if err := w.service.Recover(w.t.Context()); err != nil {
		w.t.Fatalf("Recover: %v", err)
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.db, err = badger.Open(badger.Config{Dir: filepath.Join(w.dir, "data", "db")}); err != nil {
		w.t.Fatal(err)
	}
	service, err := keys.Open(w.t.Context(), keys.Config{KEKFile: filepath.Join(w.dir, "secrets", "kek"), Store: w.db, Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.vault, err = keys.OpenVault(filepath.Join(w.dir, "data", "vault"), service); err != nil {
		w.t.Fatal(err)
	}
	sealer := intake.NewSealer(vault{w.vault}, []byte("hash key"), service)
	w.reports, w.store = w.db.Assessments(sealer), w.db.Intake(sealer)
	resolver, err := did.New(did.Config{Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.metrics = prometheus.NewRegistry()
	w.service, err = intake.New(intake.Config{
		Audience: audience, Store: w.store, Reports: w.reports, Vault: vault{w.vault}, Sealer: sealer, Keys: resolve{resolver},
		Assessor: w.assessor, ItemKey: []byte("item key"),
		Policy:  func(context.Context, string) (intake.Policy, error) { return w.policy, nil },
		Journal: w.journal, Now: w.clock.Now, NewID: w.newID, Log: slog.New(slog.DiscardHandler), Metrics: w.metrics, Crash: w.crash, Workers: w.workers,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) journal(_ context.Context, e intake.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	return nil
}

func (w *world) audited(event string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, e := range w.events {
		if e.Event == event {
			n++
		}
	}
	return n
}

func (w *world) newID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", w.ids)
}

func (w *world) crash(point string) {
	w.mu.Lock()
	fn := w.at[point]
	delete(w.at, point)
	w.mu.Unlock()
	if fn != nil {
		fn()
	}
	if point == w.crashAt {
		panic(crash(point))
	}
}

// survive runs fn and reports whether a crash point ended it.
func survive(fn func()) (crashed bool) {
	defer func() {
		if v := recover(); v != nil {
			if _, ok := v.(crash); !ok {
				panic(v)
			}
			crashed = true
		}
	}()
	fn()
	return false
}

// vault gives the intake the real vault.
type vault struct{ v *keys.Vault }

func (a vault) Seal(ctx context.Context, p intake.Place, plain []byte) ([]byte, error) {
	return a.v.Seal(ctx, keys.KeyRef{Tenant: p.Tenant, Ring: p.Ring, Name: p.Name}, p.Kind, p.ID, plain)
}

func (a vault) Open(ctx context.Context, p intake.Place, sealed []byte) ([]byte, error) {
	return a.v.Open(ctx, keys.KeyRef{Tenant: p.Tenant, Ring: p.Ring, Name: p.Name}, p.Kind, p.ID, sealed)
}

func (a vault) Destroy(ctx context.Context, tenant, ring, name string) error {
	return a.v.Destroy(ctx, keys.KeyRef{Tenant: tenant, Ring: ring, Name: name})
}

func (a vault) DestroyRing(ctx context.Context, tenant, ring string) error {
	return a.v.DestroyRing(ctx, tenant, ring)
}

// resolve finds keys in DIDs that are their own documents.
type resolve struct{ r *did.Resolver }

func (r resolve) HolderKey(ctx context.Context, id, method string) (crypto.PublicKey, error) {
	return r.key(ctx, id, method, did.Authentication)
}

func (r resolve) PlatformKey(ctx context.Context, id, method string) (crypto.PublicKey, error) {
	return r.key(ctx, id, method, did.AssertionMethod)
}

func (r resolve) key(ctx context.Context, id, method, purpose string) (crypto.PublicKey, error) {
	document, err := r.r.ResolveOffline(ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := document.Method(method, purpose)
	return m.Key, err
}

// assessor makes a report that quotes the subject's first message, as the real one does, and counts.
type assessor struct {
	mu          sync.Mutex // guards what follows
	calls       map[string]int
	tenants     []string
	unavailable bool
	fail        error
	hook        func(ctx context.Context, b evidence.Batch)
}

func (a *assessor) Assess(ctx context.Context, b evidence.Batch) ([]assessment.Report, error) {
	rec := b.Receipts[0]
	digest := b.Digests[evidence.Subject(rec.Platform, rec.Subject)]
	a.mu.Lock()
	if a.calls == nil {
		a.calls = map[string]int{}
	}
	a.calls[digest]++
	a.tenants = append(a.tenants, rec.Subject)
	hook, unavailable, fail := a.hook, a.unavailable, a.fail
	a.mu.Unlock()
	if hook != nil {
		hook(ctx, b)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if fail != nil {
		return nil, fail
	}
	r := assessment.Report{
		Schema: assessment.Schema, ID: "urn:uuid:" + strings.TrimPrefix(digest, "sha256:")[:32], Subject: rec.Subject, Platforms: []string{rec.Platform},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{}, Caveats: []string{},
		Provenance: assessment.Provenance{BatchDigests: []string{digest}, Salts: []string{b.Salt}, Purposes: rec.Purposes, Policy: rec.Policy},
	}
	status := assessment.StatusScored
	if unavailable {
		status = assessment.StatusUnavailable
	}
	for _, d := range schemas.Dimensions() {
		r.Dimensions[d] = assessment.DimensionReport{Status: status}
	}
	for _, m := range b.Messages {
		if m.Actor == rec.Subject && len(r.Items) == 0 {
			score := 61.0
			r.Dimensions[schemas.DimensionSocialSkills] = assessment.DimensionReport{
				Status: status, Score: &score, Evidence: []assessment.Evidence{{Message: m.ID, Quote: string(m.Text), Facet: "SK1", Direction: "+"}},
			}
			r.Items = append(r.Items, assessment.Item{Facet: "SK1", Outcome: 0.7, Weight: 1, Day: m.Day, Messages: []string{itemHash(m.ID)}})
		}
	}
	return []assessment.Report{r}, nil
}

// person is a subject with a key.
type person struct {
	id   string
	did  string
	priv ed25519.PrivateKey
}

func newPerson(t testing.TB, id string) person {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	multibase, err := keys.Multibase(pub)
	if err != nil {
		t.Fatal(err)
	}
	return person{id: id, did: "did:key:" + multibase, priv: priv}
}

func (p person) method() string { return p.did + "#" + strings.TrimPrefix(p.did, "did:key:") }

// sign makes a statement; change may spoil its header and claims.
func (p person) sign(t testing.TB, typ string, at time.Time, claims map[string]any, change ...func(header, claims map[string]any)) string {
	t.Helper()
	header := map[string]any{"typ": typ, "kid": p.method()}
	all := map[string]any{"iss": p.did, "aud": audience, "iat": at.Unix()}
	for k, v := range claims {
		all[k] = v
	}
	for _, c := range change {
		c(header, all)
	}
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jose.Sign(header, payload, p.priv)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func textRef(t testing.TB, lang string) intake.TextRef {
	t.Helper()
	texts, err := intake.Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if text.Language == lang {
			return text.TextRef
		}
	}
	t.Fatalf("no consent text in %s", lang)
	return intake.TextRef{}
}

func (w *world) terms(subject string, change ...func(*intake.Terms)) intake.Terms {
	w.t.Helper()
	now := w.clock.Now()
	terms := intake.Terms{
		Subject: subject, Platform: "plaza", Purposes: []string{"process", "score"}, DataClasses: []string{"messages", "reactions"},
		From: schemas.FormatTime(now), Until: schemas.FormatTime(now.Add(90 * 24 * time.Hour)), Adult: true, Text: textRef(w.t, "en"),
	}
	for _, c := range change {
		c(&terms)
	}
	return terms
}

func (w *world) give(p person, change ...func(*intake.Terms)) intake.Receipt {
	w.t.Helper()
	terms := w.terms(p.id, change...)
	digest, err := terms.Digest()
	if err != nil {
		w.t.Fatal(err)
	}
	jws := p.sign(w.t, intake.TypConsent, w.clock.Now(), map[string]any{"terms": digest})
	receipt, created, err := w.service.Give(w.t.Context(), acme, intake.GiveRequest{Terms: terms, JWS: jws})
	if err != nil || !created {
		w.t.Fatalf("Give = created %v, %v", created, err)
	}
	return receipt
}

const secretWord = "Heliotrope"

// lines is a conversation of the subject with two others; n makes it another one.
func lines(subject string, n int) string {
	var b strings.Builder
	for k, text := range []string{"My dog passed away this morning, %s %d", "I am so sorry. How are you holding up? " + secretWord + " %d", "Thanks. " + secretWord + " it is %d"} {
		actor := map[int]string{0: "neighbour-nine", 1: subject, 2: "neighbour-twelve"}[k]
		line, _ := json.Marshal(map[string]any{
			"v": 1, "type": "message", "id": fmt.Sprintf("m%d-%d", n, k), "ts": start.Add(time.Duration(k-100) * time.Minute).Format(time.RFC3339), "platform": "plaza",
			"actor": actor, "conversation": "r12", "text": strings.ReplaceAll(strings.ReplaceAll(text, "%d", fmt.Sprint(n)), "%s", secretWord),
			"scene": map[string]any{"id": "lobby", "kind": "social"},
		})
		b.Write(line)
		b.WriteString("\n")
	}
	return b.String()
}

func (w *world) submit(consent, body string, change ...func(*intake.Submission)) (intake.Batch, bool, error) {
	w.t.Helper()
	r := intake.Submission{Params: intake.Params{Consent: consent, Format: "jsonl"}, Body: strings.NewReader(body)}
	for _, c := range change {
		c(&r)
	}
	return w.service.Submit(w.t.Context(), acme, r)
}

func (w *world) mustSubmit(consent, body string) intake.Batch {
	w.t.Helper()
	b, created, err := w.submit(consent, body)
	if err != nil || !created {
		w.t.Fatalf("Submit = %+v, created %v, %v", b, created, err)
	}
	return b
}

// drain scores everything that waits.
func (w *world) drain() {
	w.t.Helper()
	for {
		found, err := w.service.Step(w.t.Context())
		if err != nil {
			w.t.Fatalf("Step: %v", err)
		}
		if !found {
			return
		}
	}
}

func (w *world) batch(id string) intake.Batch {
	w.t.Helper()
	b, err := w.service.Batch(w.t.Context(), "acme", id)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func wantErr(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
