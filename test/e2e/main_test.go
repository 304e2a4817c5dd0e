package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"heartmark/internal/testkit"
)

// program is where TestMain put the binary. It is written once, before any test runs.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "heartmark-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "heartmark")
	build := exec.Command("go", "build", "-o", program, "heartmark/cmd/heartmark")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// world is one installation: a folder of its own and the settings that the program is given.
type world struct {
	t   *testing.T
	dir string
	env map[string]string
}

// newWorld has a key-encryption key and, as yet, no data. The classifier's library is one that is not there.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	address := freeAddress(t)
	w.env = map[string]string{
		"HEARTMARK_ORIGIN": "http://localhost" + address[strings.LastIndex(address, ":"):], "HEARTMARK_LISTEN": address, "HEARTMARK_OPS_LISTEN": "",
		"HEARTMARK_DATA_DIR": w.path("data"), "HEARTMARK_KEK_FILE": w.path("secrets", "kek"), "HEARTMARK_ONNXRUNTIME": w.path("no-library"),
	}
	w.want(0, "keys", "kek")
	return w
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (w *world) path(parts ...string) string {
	return filepath.Join(append([]string{w.dir}, parts...)...)
}

// file writes a file into the world's folder and returns its path.
func (w *world) file(name, content string) string {
	w.t.Helper()
	path := w.path(name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// outcome is how a command ended.
type outcome struct {
	code     int
	out, err string
}

func (w *world) command(args ...string) *exec.Cmd {
	command := exec.CommandContext(w.t.Context(), program, args...)
	command.Dir = w.dir
	command.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "HEARTMARK_") })
	for name, value := range w.env {
		command.Env = append(command.Env, name+"="+value)
	}
	return command
}

func (w *world) run(args ...string) outcome {
	w.t.Helper()
	command := w.command(args...)
	var out, stderr bytes.Buffer
	command.Stdout, command.Stderr = &out, &stderr
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("heartmark %s: %v", strings.Join(args, " "), err)
	}
	return outcome{code: command.ProcessState.ExitCode(), out: out.String(), err: stderr.String()}
}

// want runs a command, wants its exit code, and returns what it printed.
func (w *world) want(code int, args ...string) string {
	w.t.Helper()
	got := w.run(args...)
	if got.code != code {
		w.t.Fatalf("heartmark %s ended with %d, want %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), got.code, code, got.out, got.err)
	}
	return got.out
}

// conversation is a conversation that is written for the project.
func conversation(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(testkit.Root(t), "internal", "app", "conversations", name)
}

// useLibrary lets the program find the classifier's library in the checkout; the test is skipped where it was not obtained.
func (w *world) useLibrary() {
	w.t.Helper()
	library := filepath.Join(testkit.Root(w.t), ".deps", "onnxruntime", "libonnxruntime.so.1")
	if named := os.Getenv("HEARTMARK_ONNXRUNTIME"); named != "" {
		library = named
	}
	if _, err := os.Stat(library); err != nil {
		if os.Getenv("HEARTMARK_REQUIRE_ONNXRUNTIME") == "1" {
			w.t.Fatalf("the ONNX Runtime library is required here: %v", err)
		}
		w.t.Skip("the ONNX Runtime library is absent: make deps")
	}
	w.env["HEARTMARK_ONNXRUNTIME"] = library
}
