package app_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/internal/app"
	"heartmark/schemas"
)

// TestVerifyWithSnapshot writes a snapshot with one command and verifies with another, which reads no data folder; the log
// proof that came with the credential is checked with the log's keys of the snapshot.
func TestVerifyWithSnapshot(t *testing.T) {
	t.Parallel()
	c := settings(t, 18097)
	folder := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text, err := c.Print()
	if err != nil {
		t.Fatal(err)
	}
	config := file("heartmark.yaml", []byte(text))
	a := build(t, c, app.Options{})
	issued := issue(t, a, seed(t, a, "process", "score", "issue", "automated"))
	if err := a.Issuer.DrainOutbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	logged, err := a.Issuer.Get(t.Context(), app.DemoTenant, issued.ID)
	if err != nil || logged.Log == nil {
		t.Fatalf("no log proof: %v", err)
	}
	proof, err := schemas.Marshal(logged.Log)
	if err != nil {
		t.Fatal(err)
	}
	credential, logProof := file("credential.json", issued.Credential), file("proof.json", proof)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	command := func(want int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if code := app.Main(t.Context(), args, &out, &errOut); code != want {
			t.Errorf("%q: exit %d, want %d\n%s%s", args, code, want, out.String(), errOut.String())
		}
		return out.String()
	}
	snapshot := func(name string) (path, anchor string) {
		t.Helper()
		path = filepath.Join(folder, name)
		var answer struct{ Trust string }
		if err := json.Unmarshal([]byte(command(app.ExitDone, "registry", "snapshot", path, "--json", "--config", config)), &answer); err != nil {
			t.Fatal(err)
		}
		return path, answer.Trust
	}
	before, anchor := snapshot("before.json")
	if !strings.HasPrefix(anchor, "did:key:z") {
		t.Fatalf("anchor %q", anchor)
	}
	if out := command(app.ExitDone, "verify", credential, "--snapshot", before, "--trust", anchor, "--log-proof", logProof); !strings.Contains(out, "VALID (policy offline)") || !strings.Contains(out, "Recorded in the public log") {
		t.Errorf("output\n%s", out)
	}
	command(app.ExitDone, "revoke", string(issued.ID), "--tenant", app.DemoTenant, "--reason", "test", "--config", config)
	after, _ := snapshot("after.json")
	command(app.ExitNotValid, "verify", credential, "--snapshot", after, "--trust", anchor)
	command(app.ExitUsage, "verify", credential, "--snapshot", after)
	command(app.ExitUsage, "verify", credential, "--trust", anchor)
	command(app.ExitUsage, "verify", credential, "--snapshot", after, "--trust", anchor, "--registry", c.Origin)
	command(app.ExitUsage, "verify", credential, "--snapshot", after, "--trust", anchor, "--at", "noon")
	command(app.ExitData, "verify", credential, "--snapshot", credential, "--trust", anchor)
	command(app.ExitData, "verify", filepath.Join(folder, "none.json"), "--snapshot", after, "--trust", anchor)
}
