package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// serving starts the server and returns what stops it and waits for its end.
func (w *world) serving() (stop func()) {
	w.t.Helper()
	server := w.command("serve")
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	w.t.Cleanup(func() { _ = server.Process.Kill() })
	ready(w.t, w, ended)
	return func() {
		w.t.Helper()
		if err := server.Process.Signal(syscall.SIGTERM); err != nil {
			w.t.Fatal(err)
		}
		if err := <-ended; err != nil {
			w.t.Errorf("the server ended with %v\n%s", err, log.String())
		}
	}
}

func (w *world) did() string {
	return "did:web:" + strings.Replace(strings.TrimPrefix(w.env["HEARTMARK_ORIGIN"], "http://"), ":", "%3A", 1)
}

// TestRecognition: a second installation recognises the first and verifies its credentials, over the network and from a
// snapshot; without recognition, or after it was withdrawn, it does not.
func TestRecognition(t *testing.T) {
	t.Parallel()
	first, second := newWorld(t), newWorld(t)
	first.withReport()
	id := first.issue("credential.json")
	credential, err := os.ReadFile(first.path("credential.json"))
	if err != nil {
		t.Fatal(err)
	}
	second.file("credential.json", string(credential))
	second.env["HEARTMARK_CONFIG"] = second.file("heartmark.yaml", "dev_origins: ["+first.env["HEARTMARK_ORIGIN"]+"]\n")

	anchor := first.snapshot(second, "first.json")
	if verdict, codes := second.verdict(0, "--snapshot", "first.json", "--trust", anchor, "credential.json"); verdict != "valid" {
		t.Errorf("from the first one's snapshot: %s %s", verdict, codes)
	}
	challenge := first.file("challenge.json", second.want(0, "registry", "challenge", first.did()))
	proof := second.file("proof.json", first.want(0, "registry", "prove", challenge))
	if got := second.run("registry", "prove", challenge); got.code != 65 {
		t.Errorf("another's challenge was signed: %d %s", got.code, got.err)
	}
	stop := first.serving()
	if verdict, codes := second.verdict(1, "credential.json"); verdict != "invalid" || !strings.Contains(codes, "authority_unknown") {
		t.Errorf("before recognition: %s %s", verdict, codes)
	}
	achievement := first.env["HEARTMARK_ORIGIN"] + "/achievements/dei/profile/v1"
	recognise := []string{"registry", "grant", first.did(), "--action", "recognize", "--name", "The first", "--resource", achievement}
	if got := second.run(recognise...); got.code != 65 || !strings.Contains(got.err, "/control/") {
		t.Errorf("recognised without a proof: %d %s", got.code, got.err)
	}
	var granted []struct{ ID string }
	if err := json.Unmarshal([]byte(second.want(0, append(recognise, "--control", proof, "--json")...)), &granted); err != nil || len(granted) != 1 {
		t.Fatalf("grant answered %v, %v", granted, err)
	}
	if verdict, codes := second.verdict(0, "credential.json"); verdict != "valid" || codes != "" {
		t.Errorf("recognised: %s %s", verdict, codes)
	}
	second.verifiesOverHTTP(credential, "valid")

	stop()
	first.want(0, "revoke", id, "--tenant", "demo", "--reason", "test")
	stop = first.serving()
	if verdict, codes := second.verdict(1, "credential.json"); verdict != "invalid" || !strings.Contains(codes, "status_revoked") {
		t.Errorf("revoked by the first: %s %s", verdict, codes)
	}
	second.want(0, "registry", "audit", first.env["HEARTMARK_ORIGIN"])
	second.want(0, "registry", "monitor", first.env["HEARTMARK_ORIGIN"], "--state", second.path("watch"), "--once")
	// A checkpoint that lacks cosignatures is an alarm, and what comes next must continue it all the same.
	_, witness, err := note.GenerateKey(rand.Reader, "witness.example/w")
	if err != nil {
		t.Fatal(err)
	}
	if got := second.run("registry", "monitor", first.env["HEARTMARK_ORIGIN"], "--state", second.path("strict"), "--once", "--witness", witness, "--quorum", "1"); got.code != 2 {
		t.Errorf("without cosignatures: %d %s", got.code, got.err)
	}
	if _, err := os.Stat(second.path("strict", "checkpoint")); err != nil {
		t.Errorf("the checkpoint without cosignatures is not kept: %v", err)
	}
	second.want(0, "registry", "withdraw", granted[0].ID, "--reason", "trial ended")
	if verdict, codes := second.verdict(1, "credential.json"); verdict != "invalid" || !strings.Contains(codes, "authority_") {
		t.Errorf("no longer recognised: %s %s", verdict, codes)
	}
	stop()
}

// snapshot writes this world's snapshot into the other's folder and returns the key to trust.
func (w *world) snapshot(into *world, name string) (anchor string) {
	w.t.Helper()
	var answer struct{ Trust string }
	if err := json.Unmarshal([]byte(w.want(0, "--json", "registry", "snapshot", into.path(name))), &answer); err != nil || answer.Trust == "" {
		w.t.Fatalf("snapshot: %v", err)
	}
	return answer.Trust
}

func (w *world) verifiesOverHTTP(credential []byte, want string) {
	w.t.Helper()
	stop := w.serving()
	defer stop()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.env["HEARTMARK_ORIGIN"]+"/v1/verify", bytes.NewReader(credential))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/vc")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(body), `"verdict":"`+want+`"`) {
		w.t.Errorf("over HTTP: %v %s", err, body)
	}
}
