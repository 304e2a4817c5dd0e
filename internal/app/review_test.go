package app_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/assessment/review"
	"heartmark/internal/app"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/issuer"
	"heartmark/schemas"
	"heartmark/verifier"
)

// colleague is a reviewer with a real key.
type colleague struct {
	caller review.Caller
	key    ed25519.PrivateKey
	did    string
}

func appoint(t *testing.T, a *app.App, id string) colleague {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	multibase, err := keys.Multibase(public)
	if err != nil {
		t.Fatal(err)
	}
	c := colleague{review.Caller{Tenant: app.DemoTenant, Actor: "key-" + id}, private, "did:key:" + multibase}
	if _, err := a.Review.Appoint(t.Context(), review.Caller{Tenant: app.DemoTenant}, review.Reviewer{ID: id, Name: id, Key: c.caller.Actor, DID: c.did}); err != nil {
		t.Fatal(err)
	}
	return c
}

// decide takes a case and signs one verdict on all of it.
func (c colleague) decide(t *testing.T, a *app.App, id, verdict string) {
	t.Helper()
	taken, err := a.Review.Take(t.Context(), c.caller, id)
	if err != nil {
		t.Fatal(err)
	}
	d := review.Decision{Verdicts: map[schemas.Dimension]string{}, Reason: "the passages carry the level"}
	for _, dim := range taken.Dimensions {
		d.Verdicts[dim] = verdict
	}
	wrong, err := app.SignDecision(c.key, c.did, "did:web:elsewhere.example", id, d, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Review.Decide(t.Context(), c.caller, id, d, wrong); !errors.Is(err, review.ErrSignature) {
		t.Errorf("a signature for another installation: %v", err)
	}
	signature, err := app.SignDecision(c.key, c.did, a.DID(), id, d, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Review.Decide(t.Context(), c.caller, id, d, signature); err != nil {
		t.Fatal(err)
	}
}

func waiting(t *testing.T, a *app.App) review.Case {
	t.Helper()
	cases, _, err := a.Review.Queue(t.Context(), app.DemoTenant, review.StateWaiting, "", 10)
	if err != nil || len(cases) != 1 {
		t.Fatalf("queue = %+v, %v, want one case", cases, err)
	}
	return cases[0]
}

// TestSEC_185_SEC_187_ReviewToCredential: a tenant that reviews first gets no credential before a reviewer has signed; a contest
// suspends it, a second reviewer restores or ends it, over a restart.
func TestSEC_185_SEC_187_ReviewToCredential(t *testing.T) {
	t.Parallel()
	c := settings(t, 18093)
	a := build(t, c, app.Options{})
	ctx := t.Context()
	if err := a.Store.SetReview(ctx, app.DemoTenant, schemas.ReviewPolicy{Mode: schemas.ReviewBeforeIssue}); err != nil {
		t.Fatal(err)
	}
	ann, ben, cleo := appoint(t, a, "ann"), appoint(t, a, "ben"), appoint(t, a, "cleo")
	report := seed(t, a, "process", "score", "issue")
	request := issuer.Request{Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: report, HolderID: holder, IdempotencyKey: "k"}
	for range 2 { // the first attempt opens the case, the second finds it
		if _, err := a.Issuer.Issue(ctx, request); !errors.Is(err, issuer.ErrReviewNeeded) {
			t.Fatalf("Issue before the review: %v, want ErrReviewNeeded", err)
		}
	}
	if state, _, err := a.Review.State(ctx, app.DemoTenant, report); state != review.StateAwaiting || err != nil {
		t.Errorf("State = %q, %v", state, err)
	}
	ann.decide(t, a, waiting(t, a).ID, review.Release)
	issued := issue(t, a, report)
	if !bytes.Contains(issued.Credential, []byte("before-issue")) {
		t.Error("the credential does not say that it was reviewed before")
	}
	status := func(want issuer.Status) {
		t.Helper()
		now, err := a.Issuer.Get(ctx, app.DemoTenant, issued.ID)
		if err != nil || now.Status != want {
			t.Fatalf("credential is %s, %v, want %s", now.Status, err, want)
		}
	}
	contest := review.Objection{Subject: "u7", Report: report, Statement: "that was irony"}
	platform := review.Caller{Tenant: app.DemoTenant, Actor: "key"}
	if _, err := a.Review.Contest(ctx, platform, contest); err != nil {
		t.Fatal(err)
	}
	status(issuer.StatusSuspended)
	if _, err := a.Issuer.Issue(ctx, issuer.Request{Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: report, HolderID: holder}); !errors.Is(err, issuer.ErrReviewNeeded) {
		t.Errorf("Issue from a contested report: %v", err)
	}
	if err := errors.Join(a.Issuer.DrainOutbox(ctx), a.Registry.Publish(ctx)); err != nil {
		t.Fatal(err)
	}
	if r := verdict(t, a, issued.Credential); r.Verdict == verifier.Valid {
		t.Error("a contested credential is valid")
	}
	ben.decide(t, a, waiting(t, a).ID, review.Release)
	status(issuer.StatusValid)
	if err := a.Issuer.Suspend(ctx, app.DemoTenant, issued.ID, "lost phone"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Review.Contest(ctx, platform, contest); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = build(t, c, app.Options{})
	cleo.decide(t, a, waiting(t, a).ID, review.Release)
	status(issuer.StatusSuspended) // for another reason, which the end of a contest does not lift
	if _, err := a.Review.Contest(ctx, platform, contest); err != nil {
		t.Fatal(err)
	}
	dan := appoint(t, a, "dan")
	dan.decide(t, a, waiting(t, a).ID, review.Refuse)
	status(issuer.StatusRevoked)
	if state, _, err := a.Review.State(ctx, app.DemoTenant, report); state != review.StateRefused || err != nil {
		t.Errorf("State = %q, %v", state, err)
	}
	if _, err := a.Issuer.Issue(ctx, issuer.Request{Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: report, HolderID: holder}); !errors.Is(err, issuer.ErrNothingToIssue) {
		t.Errorf("Issue of refused levels: %v", err)
	}
}

// TestSEC_185_ConfigurationAsksForReview: where a configuration asks for review before issue, a case is opened under any policy of the
// tenant, nothing is issued before it is decided, and then it is.
func TestSEC_185_ConfigurationAsksForReview(t *testing.T) {
	t.Parallel()
	c := settings(t, 18095)
	names := map[string]string{"en": "Profile", "zh": "情商概况"}
	c.Issuer.Configurations = []config.Configuration{
		{ID: "dei-profile", Achievement: "profile", Review: schemas.ReviewBeforeIssue, Forms: []config.Form{{Format: issuer.FormatDataIntegrity}}, Names: names, Descriptions: names},
	}
	a := build(t, c, app.Options{})
	ann, report := appoint(t, a, "ann"), seed(t, a, "process", "score", "issue", "automated")
	request := issuer.Request{Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: report, HolderID: holder}
	if _, err := a.Issuer.Issue(t.Context(), request); !errors.Is(err, issuer.ErrReviewNeeded) {
		t.Fatalf("Issue before the review: %v, want ErrReviewNeeded", err)
	}
	ann.decide(t, a, waiting(t, a).ID, review.Release)
	if issued := issue(t, a, report); !bytes.Contains(issued.Credential, []byte("before-issue")) {
		t.Error("the credential does not say that it was reviewed before")
	}
}

// TestReviewCommands: a reviewer makes a key and signs off line; the operator appoints, sets the policy, and reads queue and agreement.
func TestReviewCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	text := "origin: http://localhost:18094\nlisten: 127.0.0.1:18094\ndata_dir: " + filepath.Join(dir, "data") + "\nkek_file: " + filepath.Join(dir, "secrets", "kek") + "\n"
	if err := errors.Join(os.Chmod(dir, 0o700), os.WriteFile(config, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := app.Main(context.Background(), append(args, "--config", config), &out, &errs); got != want {
			t.Fatalf("%v: exit %d, want %d: %s", args, got, want, errs.String())
		}
		return out.String()
	}
	key, decision := filepath.Join(dir, "ann.pem"), filepath.Join(dir, "decision.json")
	run(app.ExitDone, "keys", "kek")
	did := strings.TrimSpace(run(app.ExitDone, "review", "key", key))
	run(app.ExitData, "review", "key", key) // never over a key that is there
	run(app.ExitUsage, "review", "policy", "--review", "never")
	run(app.ExitDone, "review", "policy", "--review", "before-issue", "--second-readings", "10")
	run(app.ExitData, "review", "appoint", "ann", "--name", "Ann", "--key", "k1", "--did", "did:web:x.example")
	run(app.ExitDone, "review", "appoint", "ann", "--name", "Ann", "--key", "k1", "--did", did)
	if got := run(app.ExitDone, "review", "queue", "--json"); strings.TrimSpace(got) != "[]" {
		t.Errorf("queue = %s", got)
	}
	if got := run(app.ExitDone, "review", "agreement"); !strings.Contains(got, "undefined over 0 units") {
		t.Errorf("agreement = %s", got)
	}
	if err := os.WriteFile(decision, []byte(`{"verdicts":{"social_skills":"release"},"reason":"read twice"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var signed struct{ Reason, Signature string }
	if err := json.Unmarshal([]byte(run(app.ExitDone, "review", "sign", decision, "--key", key, "--case", "c1")), &signed); err != nil || signed.Reason != "read twice" || strings.Count(signed.Signature, ".") != 2 {
		t.Errorf("sign = %+v, %v", signed, err)
	}
	run(app.ExitData, "review", "sign", decision, "--key", decision, "--case", "c1")
}
