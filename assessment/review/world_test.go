package review_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/intake"
	"heartmark/assessment/review"
	"heartmark/internal/keys"
	"heartmark/internal/store/badger"
	"heartmark/internal/testkit"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

const tenant = "acme"

// The people. Their API keys are called as they are, with k- in front.
var platform = review.Caller{Tenant: tenant, Actor: "k-platform"}

func as(reviewer string) review.Caller { return review.Caller{Tenant: tenant, Actor: "k-" + reviewer} }

// world is a review over a real store with sealed words; credentials and signatures are recorded.
type world struct {
	t       testing.TB
	clock   *testkit.Clock
	db      *badger.DB
	vault   vault
	reports assessment.Store
	store   *badger.ReviewStore
	service *review.Service
	policy  review.Policy

	acts    []string // on credentials
	actFail error
	audit   []string
	crashAt string
}

type vault struct{ v *keys.Vault }

func ref(p intake.Place) keys.KeyRef {
	return keys.KeyRef{Tenant: p.Tenant, Ring: p.Ring, Name: p.Name}
}

func (v vault) Seal(ctx context.Context, p intake.Place, plain []byte) ([]byte, error) {
	return v.v.Seal(ctx, ref(p), p.Kind, p.ID, plain)
}

func (v vault) Open(ctx context.Context, p intake.Place, sealed []byte) ([]byte, error) {
	return v.v.Open(ctx, ref(p), p.Kind, p.ID, sealed)
}

func (v vault) Destroy(ctx context.Context, tenant, ring, name string) error {
	return v.v.Destroy(ctx, keys.KeyRef{Tenant: tenant, Ring: ring, Name: name})
}

func (v vault) DestroyRing(ctx context.Context, tenant, ring string) error {
	return v.v.DestroyRing(ctx, tenant, ring)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), policy: review.Policy{Review: schemas.ReviewBeforeIssue}}
	dir := t.TempDir()
	kek := filepath.Join(dir, "secrets", "kek")
	if err := keys.GenerateKEK(kek); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.db, err = badger.Open(badger.Config{InMemory: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.db.Close() })
	service, err := keys.Open(t.Context(), keys.Config{KEKFile: kek, Store: w.db, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := keys.OpenVault(filepath.Join(dir, "vault"), service)
	if err != nil {
		t.Fatal(err)
	}
	w.vault = vault{v}
	sealer := intake.NewSealer(w.vault, []byte("k"), service)
	w.reports, w.store = w.db.Assessments(sealer), w.db.Review(sealer)
	w.open()
	for _, id := range []string{"ann", "ben", "cleo", "u7"} {
		if _, err := w.service.Appoint(t.Context(), platform, review.Reviewer{ID: id, Name: id, Key: "k-" + id, DID: "did:key:" + id}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// open makes the service anew, as a restart does.
func (w *world) open() {
	var err error
	w.service, err = review.New(review.Config{
		Store: w.store, Reports: w.reports, Credentials: credentials{w}, Verify: w.verify,
		Policy: func(context.Context, string) (review.Policy, error) { return w.policy, nil },
		Holders: func(_ context.Context, _, subject string) ([]string, error) {
			return []string{"did:key:" + subject}, nil
		},
		Journal: func(_ context.Context, e review.Event) error {
			w.audit = append(w.audit, e.Event+" "+e.Actor)
			return nil
		},
		Now: w.clock.Now, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		Crash: func(point string) {
			if point == w.crashAt {
				panic("crash at " + point)
			}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// verify reads the "signature" "did case verdict" or "did act sub"; the real one is package intake's, with its own tests.
func (w *world) verify(_ context.Context, compact, typ string, want map[string]string) (string, error) {
	var did, a, b string
	if _, err := fmt.Sscan(compact, &did, &a, &b); err != nil {
		return "", errors.New("no signature")
	}
	given := map[string]string{"case": a, "verdict": b}
	if typ != review.TypReview {
		given = map[string]string{"act": a, "sub": b}
	}
	for name, value := range want {
		if given[name] != value {
			return "", fmt.Errorf("claim %s", name)
		}
	}
	return did, nil
}

type credentials struct{ w *world }

func (c credentials) note(what, report string) error {
	c.w.acts = append(c.w.acts, what+" "+report)
	return c.w.actFail
}

func (c credentials) Suspend(_ context.Context, _, report string) error {
	return c.note("suspend", report)
}

func (c credentials) Restore(_ context.Context, _, report string) error {
	return c.note("restore", report)
}

func (c credentials) Revoke(_ context.Context, _, report string) error {
	return c.note("revoke", report)
}

// report stores a report of u7 that can be certified in two dimensions: well inside in one, near a border in the other.
func (w *world) report(id string, purposes ...string) {
	w.t.Helper()
	level, score, sem := "proficient", 70.0, 3.0
	dim := func(p float64, message string) assessment.DimensionReport {
		return assessment.DimensionReport{
			Status: assessment.StatusScored, Score: &score, SEM: &sem, Interval90: &[2]float64{65, 75}, Level: &level, Certifiable: &level,
			PLevel:   &assessment.PLevel{Developing: 1, Proficient: p},
			Evidence: []assessment.Evidence{{Message: message, Facet: "SO1", Quote: "words of " + message, Direction: "+"}},
		}
	}
	r := assessment.Report{
		Schema: assessment.Schema, ID: id, Subject: "u7", Model: assessment.ReportModel{ID: "m"}, Overall: assessment.Overall{Status: assessment.StatusPartial},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{
			schemas.DimensionSocialAwareness: dim(0.99, "m1"), schemas.DimensionSocialSkills: dim(0.92, "m2"),
		},
		Provenance: assessment.Provenance{Purposes: append([]string{"process", "score", "issue"}, purposes...)},
	}
	if err := w.reports.SaveReport(w.t.Context(), tenant, r); err != nil {
		w.t.Fatal(err)
	}
}

// decide takes a case and decides it with one verdict on everything.
func (w *world) decide(who, id, verdict string, marks ...review.Mark) (review.Case, error) {
	w.t.Helper()
	c, err := w.service.Take(w.t.Context(), as(who), id)
	if err != nil {
		return c, err
	}
	w.clock.Advance(time.Minute)
	d := review.Decision{Verdicts: map[schemas.Dimension]string{}, Reason: "read the passages twice", Marks: marks}
	for _, dim := range c.Dimensions {
		d.Verdicts[dim] = verdict
	}
	return w.service.Decide(w.t.Context(), as(who), id, d, w.sign(who, id, d))
}

func (w *world) sign(who, id string, d review.Decision) string {
	w.t.Helper()
	digest, err := d.Digest()
	if err != nil {
		w.t.Fatal(err)
	}
	return "did:key:" + who + " " + id + " " + digest
}

func (w *world) state(report string) string {
	w.t.Helper()
	state, _, err := w.service.State(w.t.Context(), tenant, report)
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

func (w *world) did(act string) bool { return slices.Contains(w.acts, act) }
