package e2e_test

import (
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
)

// TestBadInput: each mistake gets its exit code and a message that names what is wrong and says what to do.
func TestBadInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(w *world)
		args    []string
		code    int
		says    []string
	}{
		"no key-encryption key": {
			prepare: func(w *world) { w.env["HEARTMARK_KEK_FILE"] = w.path("nowhere") },
			args:    []string{"registry", "issuers"}, code: 69, says: []string{"nowhere", "missing", "heartmark keys kek"},
		},
		"key-encryption key that others may read": {
			prepare: func(w *world) {
				if err := os.Chmod(w.path("secrets", "kek"), 0o644); err != nil {
					w.t.Fatal(err)
				}
			},
			args: []string{"serve"}, code: 69, says: []string{"0644", "chmod 600", "kek"},
		},
		"key-encryption key inside the data folder": {
			prepare: func(w *world) { w.env["HEARTMARK_KEK_FILE"] = w.path("data", "kek") },
			args:    []string{"serve", "--check"}, code: 64, says: []string{"kek_file", "inside data_dir"},
		},
		"key-encryption key that is none": {
			prepare: func(w *world) { w.env["HEARTMARK_KEK_FILE"] = w.file("short", "abc") },
			args:    []string{"registry", "issuers"}, code: 69, says: []string{"short", "does not hold a key"},
		},
		"key-encryption key of another installation": {
			prepare: func(w *world) {
				w.want(0, "registry", "issuers")
				w.env["HEARTMARK_KEK_FILE"] = w.path("other")
				w.want(0, "keys", "kek")
			},
			args: []string{"registry", "issuers"}, code: 69, says: []string{"another key-encryption key"},
		},
		"key-encryption key is never replaced": {
			args: []string{"keys", "kek"}, code: 64, says: []string{"exists", "never replaced"},
		},
		"data folder open to others": {
			prepare: func(w *world) {
				w.want(0, "registry", "issuers")
				if err := os.Chmod(w.path("data", "db"), 0o755); err != nil {
					w.t.Fatal(err)
				}
			},
			args: []string{"registry", "issuers"}, code: 69, says: []string{"open to others", "chmod"},
		},
		"unknown model provider": {
			prepare: func(w *world) { w.env["HEARTMARK_MODEL_PROVIDER"] = "tpu" },
			args:    []string{"serve"}, code: 64, says: []string{"model.provider", `"tpu"`, "auto, cpu, cuda"},
		},
		"unknown model provider as a flag": {
			args: []string{"assess", "--provider", "tpu", "x.jsonl"}, code: 64, says: []string{`"tpu"`, "auto, cpu, cuda"},
		},
		"unknown setting in the file": {
			prepare: func(w *world) { w.file("c.yaml", "orgin: http://localhost:1\n") },
			args:    []string{"serve", "--check", "--config", "c.yaml"}, code: 64, says: []string{"c.yaml", "orgin"},
		},
		"unknown setting in the environment": {
			prepare: func(w *world) { w.env["HEARTMARK_ORGIN"] = "http://localhost:1" },
			args:    []string{"serve", "--check"}, code: 64, says: []string{"HEARTMARK_ORGIN"},
		},
		"plain http in production": {
			prepare: func(w *world) { w.env["HEARTMARK_MODE"] = "production" },
			args:    []string{"serve", "--check"}, code: 64, says: []string{"origin", "https"},
		},
		"not loopback in development": {
			prepare: func(w *world) { w.env["HEARTMARK_LISTEN"] = "0.0.0.0:8080" },
			args:    []string{"serve", "--check"}, code: 64, says: []string{"listen", "loopback"},
		},
		"configuration that is not there": {
			args: []string{"serve", "--check", "--config", "none.yaml"}, code: 64, says: []string{"none.yaml"},
		},
		"unknown flag":     {args: []string{"verify", "--colour", "x"}, code: 64, says: []string{"--colour"}},
		"unknown command":  {args: []string{"vrify", "x"}, code: 64, says: []string{"vrify"}},
		"missing argument": {args: []string{"verify"}, code: 64, says: []string{"arg"}},
		"missing flag":     {args: []string{"issue", "--report", "r1"}, code: 64, says: []string{"holder"}},
		"flags that exclude each other": {
			args: []string{"revoke", "urn:uuid:x", "--reason", "r", "--suspend", "--reinstate"}, code: 64, says: []string{"suspend", "reinstate"},
		},
		"unknown scope":   {args: []string{"keys", "api", "--scope", "everything"}, code: 64, says: []string{"everything", "issue"}},
		"unknown tenant":  {args: []string{"keys", "api", "--tenant", "nobody"}, code: 65, says: []string{"nobody"}},
		"bad tenant name": {args: []string{"registry", "add-tenant", "Up", "--name", "Up"}, code: 64, says: []string{"lower-case"}},
		"unknown report": {
			args: []string{"issue", "--report", "none", "--holder", "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}, code: 65,
			says: []string{"report", "not found"},
		},
		"holder that is no DID": {args: []string{"issue", "--report", "r", "--holder", "alice"}, code: 65, says: []string{"/subject/id", "a DID"}},
		"unknown credential":    {args: []string{"revoke", "urn:uuid:none", "--reason", "r"}, code: 65, says: []string{"urn:uuid:none", "not found"}},
		"credential file that is not there": {
			args: []string{"verify", "none.json"}, code: 65, says: []string{"none.json"},
		},
		"unknown policy": {
			prepare: func(w *world) { w.file("c.json", "{}") },
			args:    []string{"verify", "--policy", "lax", "c.json"}, code: 64, says: []string{"lax"},
		},
		"log proof that is none": {
			prepare: func(w *world) { w.file("c.json", "{}"); w.file("p.json", `{"index":"x"}`) },
			args:    []string{"verify", "--log-proof", "p.json", "c.json"}, code: 65, says: []string{"p.json", "index"},
		},
		"registry that is no origin": {
			args: []string{"verify", "--registry", "localhost", "x.json"}, code: 64, says: []string{"--registry", "origin"},
		},
		"registry that does not answer": {
			prepare: func(w *world) { w.file("c.json", "{}") },
			args:    []string{"verify", "--registry", "http://127.0.0.1:1", "c.json"}, code: 69, says: []string{"http://127.0.0.1:1"},
		},
		"no ONNX Runtime library": {
			args: []string{"assess", conversation(t, "thin.jsonl")}, code: 69, says: []string{"no-library", "make deps"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.prepare != nil {
				c.prepare(w)
			}
			got := w.run(c.args...)
			if got.code != c.code {
				t.Errorf("exit code %d, want %d", got.code, c.code)
			}
			for _, say := range c.says {
				if !strings.Contains(got.err, say) {
					t.Errorf("the message does not say %q", say)
				}
			}
			if !strings.HasPrefix(got.err, "heartmark: ") || strings.Contains(got.err, "goroutine ") {
				t.Error("the message is not one of ours")
			}
			if t.Failed() {
				t.Logf("stdout: %s\nstderr: %s", got.out, got.err)
			}
		})
	}
}

// TestBusyPort: the listener is tried before anything is opened.
func TestBusyPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	busy, err := net.Listen("tcp", w.env["HEARTMARK_LISTEN"])
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	got := w.run("serve")
	if got.code != 69 || !strings.Contains(got.err, "in use") || !strings.Contains(got.err, w.env["HEARTMARK_LISTEN"]) || !strings.Contains(got.err, "another address") {
		t.Errorf("serve on a busy port ended with %d: %s", got.code, got.err)
	}
	if _, err := os.Stat(w.path("data")); !os.IsNotExist(err) {
		t.Errorf("a data folder was made although the port is busy: %v", err)
	}
}

// TestErrorsAsJSON: under --json a script reads the error, too.
func TestErrorsAsJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no key":       {[]string{"--json", "registry", "issuers"}, 69},
		"unknown flag": {[]string{"--json", "verify", "--colour"}, 64},
		"no file":      {[]string{"--json", "verify", "none.json"}, 69},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.env["HEARTMARK_KEK_FILE"] = w.path("nowhere")
			got := w.run(c.args...)
			var answer struct {
				Error string
				Exit  int
			}
			if err := json.Unmarshal([]byte(got.err), &answer); err != nil || answer.Error == "" || answer.Exit != c.code || got.code != c.code {
				t.Errorf("ended with %d and %q (%v), want %d and an error in JSON", got.code, got.err, err, c.code)
			}
			if got.out != "" {
				t.Errorf("standard output has %q, want nothing", got.out)
			}
		})
	}
}

// TestKeyFile: the key-encryption key is for its owner only, and a second call does not touch it.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.path("secrets", "kek")
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Fatalf("the key-encryption key has mode %v, %v; want 0600", info.Mode(), err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w.want(64, "keys", "kek")
	w.want(0, "keys", "kek", "--if-missing")
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the key-encryption key changed: %v", err)
	}
}
