package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/internal/app"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/registry/translog"
	"heartmark/schemas"
	"heartmark/verifier"
)

// holder is a did:key that no test signs with.
const holder = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"

func TestMain(m *testing.M) {
	translog.LogTo(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// settings are a development configuration on a port of its own with a fresh folder and key-encryption key.
func settings(t *testing.T, port int) config.Config {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Origin = "http://localhost:" + strconv.Itoa(port)
	c.OpsListen = ""
	c.DataDir, c.KEKFile = filepath.Join(folder, "data"), filepath.Join(folder, "secrets", "kek")
	if err := keys.GenerateKEK(c.KEKFile); err != nil {
		t.Fatal(err)
	}
	return c
}

func build(t *testing.T, c config.Config, o app.Options) *app.App {
	t.Helper()
	a, err := app.Build(t.Context(), c, slog.New(slog.DiscardHandler), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a
}

// certifiable is a report as the assessment would make it, with two dimensions good enough to certify.
func certifiable(id string, purposes ...string) assessment.Report {
	level := schemas.LevelProficient.Code()
	score, interval := 71.0, [2]float64{64, 78}
	scored := assessment.DimensionReport{
		Status: assessment.StatusScored, Score: &score, Interval90: &interval, Level: &level, Certifiable: &level,
		PLevel: &assessment.PLevel{Developing: 0.99, Proficient: 0.97, Advanced: 0.04},
	}
	thin := assessment.DimensionReport{Status: assessment.StatusInsufficient}
	return assessment.Report{
		Schema: assessment.Schema, Subject: "u7", Platforms: []string{"plaza-vr"},
		Window: assessment.Window{From: "2026-03-02", To: "2026-03-28"},
		Model:  assessment.ReportModel{ID: "dei-m1", SHA256: strings.Repeat("ab", 32), Runtime: "cpu-int8", Scale: "v0-provisional"},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{
			schemas.DimensionSelfAwareness: thin, schemas.DimensionSelfManagement: thin,
			schemas.DimensionSocialAwareness: scored, schemas.DimensionSocialSkills: scored,
		},
		Overall: assessment.Overall{Status: assessment.StatusPartial},
		Quality: assessment.Quality{Messages: 200, Scored: 200, Languages: map[string]float64{"en": 0.6, "zh": 0.4}},
		Caveats: []string{assessment.CaveatProvisionalScale},
		ID:      id,
		Provenance: assessment.Provenance{
			Purposes: purposes, Policy: "2026-01", BatchDigests: []string{"sha256:" + strings.Repeat("cd", 32)},
		},
	}
}

func seed(t *testing.T, a *app.App, purposes ...string) string {
	t.Helper()
	id := "urn:uuid:2b1f6c1e-3f0a-4d53-9a3e-5d6a2f3b7c11"
	if err := a.Store.Assessments(a.Keys).SaveReport(t.Context(), app.DemoTenant, certifiable(id, purposes...)); err != nil {
		t.Fatal(err)
	}
	return id
}

func issue(t *testing.T, a *app.App, report string) issuer.Issued {
	t.Helper()
	issued, err := a.Issuer.Issue(t.Context(), issuer.Request{
		Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: report, HolderID: holder, IdempotencyKey: "k",
	})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func verdict(t *testing.T, a *app.App, credential []byte) verifier.Result {
	t.Helper()
	result, err := a.Verifier.Verify(t.Context(), verifier.Input{Data: credential})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestIssueVerifyRevoke walks the life of a credential through the joined parts, over a restart.
func TestIssueVerifyRevoke(t *testing.T) {
	t.Parallel()
	c := settings(t, 18080)
	a := build(t, c, app.Options{})
	issued := issue(t, a, seed(t, a, "process", "score", "issue", "automated"))
	if r := verdict(t, a, issued.Credential); r.Verdict != verifier.Valid {
		t.Fatalf("fresh credential: %s\n%s", r.Verdict, checks(r))
	}
	if err := a.Issuer.DrainOutbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	logged, err := a.Issuer.Get(t.Context(), app.DemoTenant, issued.ID)
	if err != nil || logged.Log == nil {
		t.Fatalf("Get = %v, %v; want a log proof", logged.Log, err)
	}
	r, err := a.Verifier.Verify(t.Context(), verifier.Input{Data: issued.Credential, WantLog: true, LogProof: logged.Log})
	if err != nil || r.Outcome(verifier.CheckLogInclusion) != verifier.Pass {
		t.Errorf("log inclusion: %v %s", err, checks(r))
	}
	if err := a.Issuer.Suspend(t.Context(), app.DemoTenant, issued.ID, "test"); err != nil {
		t.Fatal(err)
	}
	publish(t, a)
	if r := verdict(t, a, issued.Credential); r.Verdict != verifier.Invalid || !strings.Contains(checks(r), "suspen") {
		t.Errorf("suspended credential: %s\n%s", r.Verdict, checks(r))
	}
	if err := a.Issuer.Reinstate(t.Context(), app.DemoTenant, issued.ID, "test"); err != nil {
		t.Fatal(err)
	}
	publish(t, a)
	if r := verdict(t, a, issued.Credential); r.Verdict != verifier.Valid {
		t.Errorf("reinstated credential: %s\n%s", r.Verdict, checks(r))
	}
	if err := a.Issuer.Revoke(t.Context(), app.DemoTenant, issued.ID, "test"); err != nil {
		t.Fatal(err)
	}
	publish(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	again := build(t, c, app.Options{})
	if r := verdict(t, again, issued.Credential); r.Verdict != verifier.Invalid || !strings.Contains(checks(r), "revoked") {
		t.Errorf("revoked credential after a restart: %s\n%s", r.Verdict, checks(r))
	}
	if repeat := issue(t, again, "urn:uuid:2b1f6c1e-3f0a-4d53-9a3e-5d6a2f3b7c11"); !bytes.Equal(repeat.Credential, issued.Credential) {
		t.Error("the same idempotency key gave another credential after a restart")
	}
	if err := again.Log.Fsck(t.Context()); err != nil {
		t.Errorf("fsck: %v", err)
	}
}

func publish(t *testing.T, a *app.App) {
	t.Helper()
	if err := a.Registry.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func checks(r verifier.Result) string {
	data, err := json.MarshalIndent(r.Checks, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// TestForeignOrigin: a data folder serves the origin that it was made for, and no other.
func TestForeignOrigin(t *testing.T) {
	t.Parallel()
	c := settings(t, 18085)
	if err := build(t, c, app.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	c.Origin = "http://localhost:18086"
	_, err := app.Build(t.Context(), c, slog.New(slog.DiscardHandler), app.Options{})
	if err == nil || !strings.Contains(err.Error(), "18085") || !strings.Contains(err.Error(), "18086") {
		t.Errorf("opened under another origin: %v, want an error that names both", err)
	}
}

// TestConsentDecides: without the purposes that issuing takes, nothing is issued.
func TestConsentDecides(t *testing.T) {
	t.Parallel()
	for _, purposes := range [][]string{{"process", "score"}, {"process", "score", "issue"}, {"process", "score", "automated"}} {
		a := build(t, settings(t, 18081), app.Options{InMemory: true})
		_, err := a.Issuer.Issue(t.Context(), issuer.Request{
			Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: seed(t, a, purposes...), HolderID: holder,
		})
		if err == nil {
			t.Errorf("purposes %v: issued, want a refusal", purposes)
		}
	}
}

// TestForeignTenant: another tenant neither sees nor revokes a credential (security rule R11).
func TestForeignTenant(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18082), app.Options{InMemory: true})
	issued := issue(t, a, seed(t, a, "process", "score", "issue", "automated"))
	if err := a.CreateTenant(t.Context(), schemas.Tenant{ID: "acme", Name: "Acme School"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Issuer.Get(t.Context(), "acme", issued.ID); err == nil {
		t.Error("another tenant reads the credential")
	}
	if err := a.Issuer.Revoke(t.Context(), "acme", issued.ID, "x"); err == nil {
		t.Error("another tenant revokes the credential")
	}
	if r := verdict(t, a, issued.Credential); r.Verdict != verifier.Valid {
		t.Errorf("verdict %s, want valid", r.Verdict)
	}
}

// TestKeyLife: rotation keeps old credentials valid, revocation takes down what the key signed, and a revoked or retired
// key signs nothing (security cases SEC-064, SEC-172).
func TestKeyLife(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	a := build(t, settings(t, 18084), app.Options{InMemory: true, Now: clock.Now})
	report := seed(t, a, "process", "score", "issue", "automated")
	first := issue(t, a, report)
	clock.Advance(time.Hour)
	fresh, err := a.RotateKey(t.Context(), app.DemoTenant, keys.KindCredential, keys.AlgEdDSA)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	second, err := a.Issuer.Issue(t.Context(), issuer.Request{
		Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: report, HolderID: holder, IdempotencyKey: "after rotation",
	})
	if err != nil {
		t.Fatal(err)
	}
	if second.SigningKey != fresh.ID || first.SigningKey == fresh.ID {
		t.Errorf("signing keys %s and %s, fresh is %s", first.SigningKey, second.SigningKey, fresh.ID)
	}
	for name, credential := range map[string][]byte{"before": first.Credential, "after": second.Credential} {
		if r := verdict(t, a, credential); r.Verdict != verifier.Valid {
			t.Errorf("issued %s the rotation: %s\n%s", name, r.Verdict, checks(r))
		}
	}
	if err := a.RevokeKey(t.Context(), first.SigningKey, clock.Now().Add(-3*time.Hour), "test"); err != nil {
		t.Fatal(err)
	}
	clock.Advance(10 * time.Minute)
	// A later finding moves a revocation to an earlier time, and the public record with it; a future time is refused.
	if err := a.RevokeKey(t.Context(), fresh.ID, clock.Now().Add(time.Hour), "test"); err == nil {
		t.Error("a revocation from a future time was taken")
	}
	if err := a.RevokeKey(t.Context(), first.SigningKey, clock.Now().Add(-24*time.Hour), "test"); err != nil {
		t.Error(err)
	}
	if r := verdict(t, a, first.Credential); r.Verdict != verifier.Invalid {
		t.Errorf("signed with a revoked key: %s\n%s", r.Verdict, checks(r))
	}
	if r := verdict(t, a, second.Credential); r.Verdict != verifier.Valid {
		t.Errorf("signed with the fresh key: %s\n%s", r.Verdict, checks(r))
	}
	if _, err := a.Keys.Signer(t.Context(), first.SigningKey); err == nil {
		t.Error("a revoked key gives a signer")
	}
}

// TestExpires: a credential ends with its validity, by the injected clock.
func TestExpires(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	a := build(t, settings(t, 18083), app.Options{InMemory: true, Now: clock.Now})
	issued := issue(t, a, seed(t, a, "process", "score", "issue", "automated"))
	clock.Advance(366 * 24 * time.Hour)
	r := verdict(t, a, issued.Credential)
	if r.Verdict != verifier.Invalid || r.Outcome(verifier.CheckPeriod) != verifier.Fail {
		t.Errorf("after a year: %s\n%s", r.Verdict, checks(r))
	}
}

// TestVerifyAgainstRunningRegistry serves a data folder and verifies with the command line from outside.
func TestVerifyAgainstRunningRegistry(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := settings(t, listener.Addr().(*net.TCPAddr).Port)
	a := build(t, c, app.Options{})
	issued := issue(t, a, seed(t, a, "process", "score", "issue", "automated"))
	publish(t, a)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, listener, nil, nil) }()
	file := filepath.Join(t.TempDir(), "credential.json")
	if err := os.WriteFile(file, issued.Credential, 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(want int) {
		t.Helper()
		var out, errOut bytes.Buffer
		if code := app.Main(t.Context(), []string{"verify", file, "--registry", c.Origin}, &out, &errOut); code != want {
			t.Errorf("exit %d, want %d\n%s%s", code, want, out.String(), errOut.String())
		}
	}
	verify(app.ExitDone)
	if err := a.Issuer.Revoke(t.Context(), app.DemoTenant, issued.ID, "test"); err != nil {
		t.Fatal(err)
	}
	publish(t, a)
	verify(app.ExitNotValid)
	if err := os.WriteFile(file, bytes.Replace(issued.Credential, []byte(holder), []byte("did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	verify(app.ExitNotValid)
	stop()
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// TestForgedTerminalText: a credential's own words cannot add lines to the answer or move the cursor.
func TestForgedTerminalText(t *testing.T) {
	t.Parallel()
	c := settings(t, 18087)
	a := build(t, c, app.Options{})
	issued := issue(t, a, seed(t, a, "process", "score", "issue", "automated"))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	doc, err := schemas.ParseObject(issued.Credential)
	if err != nil {
		t.Fatal(err)
	}
	doc["name"] = "x\nother.json: VALID (policy default)\x1b[2J\u202e"
	forged, err := schemas.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file, settingsFile := filepath.Join(folder, "credential.json"), filepath.Join(folder, "heartmark.yaml")
	text, err := c.Print()
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string]string{file: string(forged), settingsFile: text} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errOut bytes.Buffer
	code := app.Main(t.Context(), []string{"verify", file, "--config", settingsFile}, &out, &errOut)
	if code != app.ExitNotValid || strings.Contains(out.String(), "\nother.json") || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("exit %d, output %q %s", code, out.String(), errOut.String())
	}
}
