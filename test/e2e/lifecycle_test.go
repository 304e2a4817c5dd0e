package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/internal/app"
	"heartmark/internal/config"
	"heartmark/registry/translog"
	"heartmark/schemas"
)

const (
	reportID = "report-1"
	holder   = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
)

// withReport stores a report that can be certified, as POST /v1/assessments would.
func (w *world) withReport() {
	w.t.Helper()
	translog.LogTo(slog.New(slog.DiscardHandler))
	c := config.Default()
	c.Origin, c.Listen, c.DataDir, c.KEKFile = w.env["HEARTMARK_ORIGIN"], w.env["HEARTMARK_LISTEN"], w.env["HEARTMARK_DATA_DIR"], w.env["HEARTMARK_KEK_FILE"]
	a, err := app.Build(w.t.Context(), c, slog.New(slog.DiscardHandler), app.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := a.Store.Assessments(a.Keys).SaveReport(w.t.Context(), app.DemoTenant, report()); err != nil {
		w.t.Error(err)
	}
	if err := a.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// report is certifiable in two dimensions.
func report() assessment.Report {
	level := "proficient"
	r := assessment.Report{
		Schema: assessment.Schema, ID: reportID, Subject: "subject-1", Platforms: []string{"quest"},
		Window:     assessment.Window{From: "2026-01-01", To: "2026-02-01"},
		Model:      assessment.ReportModel{ID: "dei-m1", SHA256: strings.Repeat("ab", 32), Runtime: "cpu-int8", Scale: "v0-provisional"},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{}, Overall: assessment.Overall{Status: assessment.StatusPartial},
		Quality: assessment.Quality{Messages: 200, Scored: 200, Languages: map[string]float64{"en": 1}, Dropped: map[string]int{}},
		Provenance: assessment.Provenance{
			BatchDigests: []string{"sha256:" + strings.Repeat("cd", 32)}, Salts: []string{strings.Repeat("ef", 16)},
			Purposes: []string{"process", "score", "issue", "automated"}, Policy: "2026-01",
		},
	}
	for _, d := range schemas.Dimensions() {
		r.Dimensions[d] = assessment.DimensionReport{Status: assessment.StatusInsufficient}
	}
	for _, d := range []schemas.Dimension{schemas.DimensionSelfManagement, schemas.DimensionSocialAwareness} {
		r.Dimensions[d] = assessment.DimensionReport{
			Status: assessment.StatusScored, Level: &level, Certifiable: &level, PLevel: &assessment.PLevel{Developing: 0.99, Proficient: 0.97},
		}
	}
	return r
}

// issue issues into the file name and returns the credential's id.
func (w *world) issue(name string) string {
	w.t.Helper()
	var answer struct{ ID, File string }
	out := w.want(0, "--json", "issue", "--report", reportID, "--holder", holder, "--out", name, "--idempotency-key", name)
	if err := json.Unmarshal([]byte(out), &answer); err != nil || answer.ID == "" || answer.File != name {
		w.t.Fatalf("issue answered %q: %v", out, err)
	}
	return answer.ID
}

// verdict verifies a file, wants the exit code, and returns the verdict with the codes of the checks that did not pass.
func (w *world) verdict(code int, args ...string) (verdict string, codes string) {
	w.t.Helper()
	var answers []struct {
		Error  string
		Result *struct {
			Verdict string
			Checks  []struct{ ID, Outcome, Code string }
		}
	}
	out := w.want(code, append([]string{"--json", "verify"}, args...)...)
	if err := json.Unmarshal([]byte(out), &answers); err != nil || len(answers) != 1 {
		w.t.Fatalf("verify answered %q: %v", out, err)
	}
	if answers[0].Result == nil {
		return "", answers[0].Error
	}
	for _, c := range answers[0].Result.Checks {
		if c.Outcome == "fail" || c.Outcome == "undetermined" {
			codes += c.Code + " "
		}
	}
	return answers[0].Result.Verdict, codes
}

// TestVerifyExitCodes: 0 for valid, 1 for what is not, 2 for what cannot be told.
func TestVerifyExitCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withReport()
	id := w.issue("credential.json")
	if again := w.issue("credential.json"); again != id {
		t.Errorf("the same idempotency key gave %s and then %s", id, again)
	}
	good, err := os.ReadFile(w.path("credential.json"))
	if err != nil {
		t.Fatal(err)
	}
	if verdict, codes := w.verdict(0, "credential.json"); verdict != "valid" || codes != "" {
		t.Errorf("the credential is %s: %s", verdict, codes)
	}
	text := w.want(0, "verify", "credential.json")
	for _, say := range []string{"VALID", "Proficient", "Heartmark Demo Academy"} {
		if !strings.Contains(text, say) {
			t.Errorf("verify does not say %q: %s", say, text)
		}
	}
	w.file("changed.json", strings.Replace(string(good), `"0.97"`, `"0.98"`, 1))
	if verdict, codes := w.verdict(1, "changed.json"); verdict != "invalid" || !strings.Contains(codes, "proof_") {
		t.Errorf("the changed credential is %s: %s", verdict, codes)
	}
	w.file("unsigned.json", withoutProof(t, good))
	if verdict, codes := w.verdict(1, "unsigned.json"); verdict != "invalid" || !strings.Contains(codes, "proof_") {
		t.Errorf("the credential without a proof is %s: %s", verdict, codes)
	}
	for name, content := range map[string]string{
		"text.json": "no credential", "empty.json": "", "list.json": "[]", "twice.json": `{"a":1,"a":2}`, "bytes.json": "\xff\xfe{}",
	} {
		w.file(name, content)
		if got := w.run("verify", name); got.code != 1 || !strings.Contains(got.out, "NOT VALID") || !strings.Contains(got.out, name) {
			t.Errorf("verify %s ended with %d: %s%s", name, got.code, got.out, got.err)
		}
	}
	// Another installation does not know the issuer, and so does not trust it.
	other := newWorld(t)
	other.file("credential.json", string(good))
	if verdict, codes := other.verdict(1, "credential.json"); verdict != "invalid" || !strings.Contains(codes, "authority_unknown") {
		t.Errorf("elsewhere the credential is %s: %s", verdict, codes)
	}
	// One that is not valid decides.
	if got := w.run("verify", "credential.json", "changed.json"); got.code != 1 {
		t.Errorf("a valid and a changed credential ended with %d", got.code)
	}
	w.want(0, "revoke", id, "--suspend", "--reason", "asked for")
	if verdict, codes := w.verdict(1, "credential.json"); verdict != "invalid" || !strings.Contains(codes, "status_suspended") {
		t.Errorf("the suspended credential is %s: %s", verdict, codes)
	}
	w.want(0, "revoke", id, "--reinstate", "--reason", "over")
	w.verdict(0, "credential.json")
	w.want(0, "revoke", id, "--reason", "for good")
	if verdict, codes := w.verdict(1, "credential.json"); verdict != "invalid" || !strings.Contains(codes, "status_revoked") {
		t.Errorf("the revoked credential is %s: %s", verdict, codes)
	}
	w.want(65, "revoke", id, "--reinstate", "--reason", "too late")
	w.want(0, "registry", "fsck")
}

func withoutProof(t *testing.T, credential []byte) string {
	t.Helper()
	doc, err := schemas.ParseObject(credential)
	if err != nil {
		t.Fatal(err)
	}
	delete(doc, "proof")
	out, err := schemas.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestServe: a running server holds its folder, answers the offline command through --registry, and ends on SIGTERM.
func TestServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lists := w.behindProxy()
	w.withReport()
	w.issue("credential.json")
	server := w.command("serve")
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() { _ = server.Process.Kill() })
	ready(t, w, ended)

	got := w.run("registry", "issuers")
	for _, say := range []string{"in use by another process", w.path("data"), "--registry"} {
		if got.code != 69 || !strings.Contains(got.err, say) {
			t.Errorf("a second process ended with %d and does not say %q: %s", got.code, say, got.err)
		}
	}
	remote := []string{"--registry", w.env["HEARTMARK_ORIGIN"], "credential.json"}
	if verdict, codes := w.verdict(0, remote...); verdict != "valid" {
		t.Errorf("by the running registry the credential is %s: %s", verdict, codes)
	}
	// What cannot be checked is not called valid: without its status list the credential may be revoked.
	lists.Store(false)
	if verdict, codes := w.verdict(2, remote...); verdict != "undetermined" || !strings.Contains(codes, "status_") {
		t.Errorf("without its status list the credential is %s: %s", verdict, codes)
	}
	w.file("text.json", "no credential")
	if got := w.run("verify", remote[0], remote[1], "text.json", "credential.json"); got.code != 1 {
		t.Errorf("a file that is not valid and one that is undetermined ended with %d, want 1", got.code)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v\n%s", err, log.String())
	}
	w.want(0, "registry", "issuers")
}

// behindProxy puts a proxy in front of the server, whose address is the public origin. While the switch is off it does
// not answer for status lists.
func (w *world) behindProxy() (lists *atomic.Bool) {
	w.t.Helper()
	inner := &url.URL{Scheme: "http", Host: w.env["HEARTMARK_LISTEN"]}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(inner) },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	lists = new(atomic.Bool)
	lists.Store(true)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/status/") && !lists.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(front.Close)
	w.env["HEARTMARK_ORIGIN"] = strings.Replace(front.URL, "127.0.0.1", "localhost", 1)
	return lists
}

// ready waits for a server that was started.
func ready(t *testing.T, w *world, ended chan error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.env["HEARTMARK_ORIGIN"]+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			t.Fatalf("the server ended: %v", err)
		case <-ctx.Done():
			t.Fatal("the server is not ready after 30 s")
		case <-tick.C:
		}
	}
}

// TestAssessBadLines needs the classifier's library, which `make deps` obtains.
func TestAssessBadLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	delete(w.env, "HEARTMARK_ONNXRUNTIME")
	w.useLibrary()
	good, err := os.ReadFile(conversation(t, "thin.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(good)), "\n")
	for name, c := range map[string]struct {
		line string
		says []string
	}{
		"no JSON":      {"{", []string{"line 2"}},
		"no timestamp": {`{"v":1,"type":"message","id":"m1","platform":"quest","actor":"a","conversation":"c","text":"hello"}`, []string{"line 2", "/ts"}},
		"text that is none": {
			`{"v":1,"type":"message","id":"m1","platform":"quest","actor":"a","conversation":"c","ts":"2026-03-01T09:00:00Z","text":7}`,
			[]string{"line 2", "/text", "a string"},
		},
		"no type": {`{"v":1}`, []string{"line 2", "type"}},
	} {
		t.Run(name, func(t *testing.T) {
			bad := append([]string{lines[0], c.line}, lines[1:]...)
			file := w.file("bad.jsonl", strings.Join(bad, "\n")+"\n")
			got := w.run("assess", file)
			if got.code != 65 {
				t.Errorf("exit code %d, want 65", got.code)
			}
			for _, say := range append(c.says, "bad.jsonl") {
				if !strings.Contains(got.err, say) {
					t.Errorf("the message does not say %q: %s", say, got.err)
				}
			}
		})
	}
	w.file("none.jsonl", "")
	w.want(65, "assess", "none.jsonl")
	w.want(65, "assess", "not-there.jsonl")
}

// TestHelpers: what a shell and a script ask the program.
func TestHelpers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out := w.want(0, "completion", shell); !strings.Contains(out, "heartmark") || len(out) < 1000 {
			t.Errorf("completion %s printed %d bytes", shell, len(out))
		}
	}
	if bash, err := exec.LookPath("bash"); err == nil {
		check := exec.CommandContext(t.Context(), bash, "-n", w.file("completion.sh", w.want(0, "completion", "bash")))
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("bash does not read the completion: %v\n%s", err, out)
		}
	}
	if out := w.want(0, "serve", "--check"); !strings.Contains(out, w.env["HEARTMARK_ORIGIN"]) || !strings.Contains(out, "data_dir: ") {
		t.Errorf("serve --check printed %s", out)
	}
	var checked struct {
		Valid    bool
		Settings string
	}
	if err := json.Unmarshal([]byte(w.want(0, "serve", "--check", "--json")), &checked); err != nil || !checked.Valid || checked.Settings == "" {
		t.Errorf("serve --check --json: %+v, %v", checked, err)
	}
	if _, err := os.Stat(w.path("data")); !os.IsNotExist(err) {
		t.Errorf("serve --check made a data folder: %v", err)
	}
	var version struct{ Version, Go, Platform string }
	if err := json.Unmarshal([]byte(w.want(0, "version", "--json")), &version); err != nil || version.Version == "" || version.Go == "" {
		t.Errorf("version --json: %+v, %v", version, err)
	}
	for _, args := range [][]string{{"help"}, {"--help"}, {"verify", "--help"}} {
		if out := w.want(0, args...); !strings.Contains(out, "Usage:") {
			t.Errorf("heartmark %s printed %s", strings.Join(args, " "), out)
		}
	}
	var key struct {
		Key, Tenant string
		Scopes      []string
	}
	if err := json.Unmarshal([]byte(w.want(0, "keys", "api", "--scope", "issue", "--json")), &key); err != nil || !strings.HasPrefix(key.Key, "hm_") || len(key.Scopes) != 1 {
		t.Errorf("keys api --json: %+v, %v", key, err)
	}
	if got := w.run("keys", "list", "--tenant", "demo"); got.code != 0 || got.err != "" || !strings.Contains(got.out, "credential") {
		t.Errorf("keys list ended with %d, printed %s and on standard error %s", got.code, got.out, got.err)
	}
}
