package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/api"
	"heartmark/api/edge"
	"heartmark/assessment"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/verifier/oid4vp"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	origin   = "https://dei.example"
	goodKey  = "hm_AAAAAAAAAAAAAAAAAAAAAAAA"
	otherKey = "hm_BBBBBBBBBBBBBBBBBBBBBBBB"
	thinKey  = "hm_CCCCCCCCCCCCCCCCCCCCCCCC"
	slowKey  = "hm_DDDDDDDDDDDDDDDDDDDDDDDD"
	briefKey = "hm_EEEEEEEEEEEEEEEEEEEEEEEE"
)

// world is a server over small parts whose answers a test can set.
type world struct {
	t       *testing.T
	handler http.Handler
	config  api.Config
	clock   *testkit.Clock
	log     *bytes.Buffer
	metrics *prometheus.Registry
	issuer  *fakeIssuer
	reports *fakeReports
	verify  *fakeVerifier
	wallets *fakeWallets
	replays *fakeReplays
}

func newWorld(t *testing.T, change ...func(*api.Config)) *world {
	t.Helper()
	w := &world{
		t: t, clock: testkit.NewClock(time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)), log: &bytes.Buffer{},
		metrics: prometheus.NewRegistry(), issuer: &fakeIssuer{issued: map[string]issuer.Issued{}},
		reports: &fakeReports{kept: map[string]assessment.Report{}}, verify: &fakeVerifier{}, wallets: &fakeWallets{},
		replays: &fakeReplays{kept: map[string]*fakeReplay{}},
	}
	registry := &fakeRegistry{}
	w.config = api.Config{
		Origin: origin, DID: "did:web:dei.example", Dev: true, Keys: testKeys(t), KeyStore: &fakeKeyStore{}, Replays: w.replays, Issuer: w.issuer, Wallets: w.wallets,
		Registry: registry, TransLog: registry, Resolver: fakeResolver{}, Groups: registry, Verifier: w.verify, Practice: fakePractice{}, Reports: w.reports,
		CursorKey: []byte("cursors"), Assessor: fakeAssessor{}, Statements: fakeStatements{}, Presentations: &fakeSessions{status: oid4vp.Status{State: oid4vp.StatePending}},
		Trainer: noTraining{}, Library: noTraining{}, Ready: func(context.Context) error { return nil },
		Logger:  slog.New(slog.NewJSONHandler(&locked{w: w.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Metrics: w.metrics, Now: w.clock.Now, NewID: func() string { return "11111111-1111-4111-8111-111111111111" },
	}
	for _, f := range change {
		f(&w.config)
	}
	handler, err := api.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.handler = handler
	return w
}

// locked lets several requests write to one buffer.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func testKeys(t *testing.T) api.KeyList {
	t.Helper()
	hash := func(key string) [32]byte {
		h, err := api.HashKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	list := api.KeyList{
		{ID: "k-acme", Hash: hash(goodKey), Tenant: "acme", Scopes: edge.Scopes()},
		{ID: "k-beta", Hash: hash(otherKey), Tenant: "beta", Scopes: edge.Scopes()},
		{ID: "k-thin", Hash: hash(thinKey), Tenant: "acme"},
		{ID: "k-slow", Hash: hash(slowKey), Tenant: "acme", Scopes: []edge.Scope{edge.ScopeKeys, edge.ScopeIssue}, PerSecond: 5},
		{
			ID: "k-brief", Hash: hash(briefKey), Tenant: "acme", Scopes: []edge.Scope{edge.ScopeKeys, edge.ScopeIssue},
			ExpiresAt: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		},
	}
	if err := list.Validate(); err != nil {
		t.Fatal(err)
	}
	return list
}

// do sends a request; headers come in pairs.
func (w *world) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := newRequest(method, target, body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return w.serve(r)
}

func newRequest(method, target, body string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	return httptest.NewRequest(method, target, reader)
}

func (w *world) serve(r *http.Request) *httptest.ResponseRecorder {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

func auth(key string) []string { return []string{"Authorization", "Bearer " + key} }

func withJSON(key string, more ...string) []string {
	return append(append(auth(key), "Content-Type", "application/json"), more...)
}

func decode[T any](t *testing.T, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatalf("answer %d is not JSON: %v\n%s", rec.Code, err, rec.Body)
	}
	return v
}
