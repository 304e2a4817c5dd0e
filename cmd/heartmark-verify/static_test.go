package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/internal/testkit"
	"heartmark/verifier/report"
)

// TestStaticBinary builds the program without cgo and runs it, with an empty environment, on what a registry made.
func TestStaticBinary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds a program")
	}
	binary := filepath.Join(t.TempDir(), "heartmark-verify")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/heartmark-verify")
	build.Dir, build.Env = testkit.Root(t), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(binary)
	must(t, err)
	const mostBytes = 32 << 20
	if info.Size() > mostBytes {
		t.Errorf("the program has %d bytes, more than %d: what came into it?", info.Size(), mostBytes)
	}

	i := newInstallation(t, "http://localhost:18095")
	issued := i.issue("1")
	credential := i.file("credential.json", issued.Credential)
	before := i.snapshot("before.json")
	must(t, i.Issuer.Revoke(t.Context(), app.DemoTenant, issued.ID, "test"))
	after := i.snapshot("after.json")
	at := i.clock.Now().Format(time.RFC3339)
	for _, tc := range []struct {
		name, trust, snapshot string
		exit                  int
		say                   string
	}{
		{"valid", i.anchor(), before, report.ExitValid, ": VALID"},
		{"revoked", i.anchor(), after, report.ExitNotValid, ": NOT VALID"},
		{"not the trusted registry", "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", before, exitData, "not signed with a key asked for"},
	} {
		command := exec.CommandContext(t.Context(), binary, "--snapshot", tc.snapshot, "--trust", tc.trust, "--at", at, credential)
		command.Env = []string{}
		out, err := command.CombinedOutput()
		code := 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != tc.exit || !bytes.Contains(out, []byte(tc.say)) {
			t.Errorf("%s: exit %d, want %d with %q\n%s", tc.name, code, tc.exit, tc.say, out)
		}
	}
}

// BenchmarkVerify measures one run on one credential: opening the snapshot, then everything that verifying takes.
func BenchmarkVerify(b *testing.B) {
	i := newInstallation(b, "http://localhost:18096")
	credential := i.file("credential.json", i.issue("1").Credential)
	args := []string{"--snapshot", i.snapshot("snapshot.json"), "--trust", i.anchor(), credential}
	now := i.clock.Now()
	b.ReportAllocs()
	for b.Loop() {
		if got := verify(b, now, nil, args...); got.code != report.ExitValid {
			b.Fatalf("exit %d\n%s%s", got.code, got.out, got.err)
		}
	}
}
