package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/assessment/evidence"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/assessment/rollout"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/registry/translog"
)

// needRuntime skips where ONNX Runtime is absent.
func needRuntime(t *testing.T) {
	t.Helper()
	if _, err := onnx.FindLibrary(os.Getenv(onnx.LibraryVariable)); err != nil {
		if os.Getenv("HEARTMARK_REQUIRE_ONNXRUNTIME") == "1" {
			t.Fatalf("ONNX Runtime is required here: %v", err)
		}
		t.Skipf("needs ONNX Runtime (make deps): %v", err)
	}
}

// secondModel writes a model beside the built-in one: another version, a card that fits, and a calibration that makes the head er
// more sure of itself.
func secondModel(t *testing.T) (folder, digest string) {
	t.Helper()
	folder = t.TempDir()
	sum := func(data []byte) string {
		s := sha256.Sum256(data)
		return hex.EncodeToString(s[:])
	}
	files := map[string][]byte{}
	for _, name := range []string{
		model.FileModel, model.FileTokenizer, model.FileHeads, model.FileCalibration, model.FileErrorRates, model.FileCard,
	} {
		data, err := fs.ReadFile(model.Embedded(), name)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case model.FileHeads:
			data = regexp.MustCompile(`"version": "[^"]*"`).ReplaceAll(data, []byte(`"version": "7.0.0"`))
		case model.FileCard:
			data = regexp.MustCompile(`(?m)^# Model card: (\S+) \S+`).ReplaceAll(data, []byte("# Model card: $1 7.0.0"))
			data = regexp.MustCompile(`SHA-256 [0-9a-f]{64}`).ReplaceAll(data, []byte("SHA-256 "+sum(files[model.FileModel])))
		case model.FileCalibration:
			data = sharpen(t, data, "er", 3)
		}
		files[name] = data
	}
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&list, "%s  %s\n", sum(files[name]), name)
		if err := os.WriteFile(filepath.Join(folder, name), files[name], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, model.FileSums), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder, sum([]byte(list.String()))
}

// sharpen multiplies the scales of a head's calibration.
func sharpen(t *testing.T, data []byte, head string, by float64) []byte {
	t.Helper()
	var curves map[string]map[string]map[string][]float64
	if err := json.Unmarshal(data, &curves); err != nil {
		t.Fatal(err)
	}
	for _, c := range curves[head] {
		for i := range c["scale"] {
			c["scale"][i] *= by
		}
	}
	out, err := json.Marshal(curves)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// installation is a data folder and a way to run `heartmark models` on it.
type installation struct {
	cfg     config.Config
	environ []string
}

func newInstallation(t *testing.T) installation {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	i := installation{cfg: config.Default()}
	i.cfg.DataDir, i.cfg.KEKFile = filepath.Join(folder, "data"), filepath.Join(folder, "secrets", "kek")
	i.cfg.Model.Provider = "cpu"
	i.environ = []string{"HEARTMARK_DATA_DIR=" + i.cfg.DataDir, "HEARTMARK_KEK_FILE=" + i.cfg.KEKFile, "HEARTMARK_MODEL_PROVIDER=cpu"}
	if err := keys.GenerateKEK(i.cfg.KEKFile); err != nil {
		t.Fatal(err)
	}
	return i
}

// run runs one command line below models and returns what it prints and its exit code.
func (i installation) run(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out, errs bytes.Buffer
	c := &console{out: &out, err: &errs, environ: i.environ, working: true, json: slices.Contains(args, "--json")}
	command := modelsCommand(c)
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs(slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--json" }))
	command.SetOut(&out)
	command.SetErr(&errs)
	code := c.report(command.ExecuteContext(t.Context()))
	return out.String() + errs.String(), code
}

// open builds the installation, as serve does.
func (i installation) open(t *testing.T) *App {
	t.Helper()
	translog.LogTo(slog.New(slog.DiscardHandler))
	a, err := Build(t.Context(), i.cfg, slog.New(slog.DiscardHandler), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// score assesses ten people with what the server would score with, and returns the models' scale and digest in their reports.
func (i installation) score(t *testing.T, people int) (id, scale string) {
	t.Helper()
	a := i.open(t)
	defer func() { _ = a.Close() }()
	s, err := a.openScoring(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for n := range people {
		data := strings.ReplaceAll(readThin(t), `"u8"`, fmt.Sprintf("%q", fmt.Sprint("person", n)))
		batch, _, err := evidence.Read(strings.NewReader(data), evidence.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reports, err := s.Assess(ctx, batch)
		if err != nil || len(reports) != 1 {
			t.Fatalf("Assess: %d reports, %v", len(reports), err)
		}
		id, scale = reports[0].Model.ID, reports[0].Model.Scale
		for s.shadow != nil && !s.shadow.Idle() {
			time.Sleep(10 * time.Millisecond) // a real classifier works in the background; the test's own deadline ends it
		}
	}
	cancel()
	if err := errors.Join(<-done, s.Close()); err != nil {
		t.Error(err)
	}
	return id, scale
}

func readThin(t *testing.T) string {
	t.Helper()
	data, err := conversations.ReadFile("conversations/thin.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestModelsFromAddToRollback(t *testing.T) {
	t.Parallel()
	needRuntime(t)
	i := newInstallation(t)
	folder, digest := secondModel(t)
	expect := func(code int, text string, args ...string) string {
		t.Helper()
		out, got := i.run(t, args...)
		if got != code || !strings.Contains(out, text) {
			t.Fatalf("models %s exits %d, want %d with %q:\n%s", strings.Join(args, " "), got, code, text, out)
		}
		return out
	}
	expect(ExitDone, "current", "list")
	expect(ExitUsage, "not a SHA-256", "add", folder, "--sha256", "12")
	expect(ExitUnavailable, "does not have the digest", "add", folder, "--sha256", strings.Repeat("0", 64))
	expect(ExitDone, "@7.0.0", "add", folder, "--sha256", digest)
	expect(ExitData, "several models", "promote", "dei-m1")
	out := expect(ExitData, "not linked", "promote", "dei-m1@7.0.0")
	for _, lack := range []string{"0 messages were scored", "no evaluation report"} {
		if !strings.Contains(out, lack) {
			t.Errorf("promote does not say that %q: %s", lack, out)
		}
	}
	expect(ExitUsage, "--share", "shadow", "dei-m1@7.0.0", "--share", "2")
	expect(ExitDone, "100 %", "shadow", "dei-m1@7.0.0", "--share", "1")
	if _, scale := i.score(t, 10); scale != "v0-provisional" {
		t.Errorf("reports beside a shadow are on %s", scale)
	}
	var comparison rollout.Comparison
	if err := json.Unmarshal([]byte(expect(ExitDone, `"messages"`, "compare", "--json")), &comparison); err != nil {
		t.Fatal(err)
	}
	er, va := comparison.Heads["er"]["en"], comparison.Heads["va"]["en"]
	if comparison.Messages == 0 || comparison.People != 10 || er.MeanAbs() <= 0 || va.MeanAbs() != 0 || va.Agreement() != 1 {
		t.Errorf("comparison %+v, want differences in er alone", comparison)
	}
	expect(ExitDone, "nothing is counted yet", "drift", "dei-m1@7.0.0")
	expect(ExitUsage, "reason", "promote", "dei-m1@7.0.0", "--override")
	expect(ExitDone, "v1-provisional", "promote", "dei-m1@7.0.0", "--override", "--reason", "a test")
	if _, scale := i.score(t, 1); scale != "v1-provisional" {
		t.Errorf("after the promotion reports are on %s, want v1-provisional", scale)
	}
	refuseTampered(t, i, folder)
	expect(ExitUsage, "reason", "rollback")
	expect(ExitDone, "v0-provisional", "rollback", "--reason", "a test")
	if _, scale := i.score(t, 1); scale != "v0-provisional" {
		t.Errorf("after the roll-back reports are on %s", scale)
	}
	expect(ExitDone, "a test", "history")
	expect(ExitDone, "off the list", "remove", "dei-m1@7.0.0")
	i.audited(t, rollout.AuditRegister, rollout.AuditShadow, rollout.AuditPromote, rollout.AuditRollback, rollout.AuditRemove)
}

// refuseTampered shows that a current model which no longer fits its digests is not replaced in silence.
func refuseTampered(t *testing.T, i installation, folder string) {
	t.Helper()
	path := filepath.Join(folder, model.FileCalibration)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(slices.Clone(whole), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	a := i.open(t)
	if s, err := a.openScoring(t.Context(), nil); !errors.Is(err, model.ErrDigest) || s != nil {
		t.Errorf("openScoring with a tampered current model: %v, want ErrDigest", err)
	}
	if err := errors.Join(a.Close(), os.WriteFile(path, whole, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// audited checks that the trail has these events of models, in this order.
func (i installation) audited(t *testing.T, want ...string) {
	t.Helper()
	a := i.open(t)
	defer func() { _ = a.Close() }()
	var got []string
	for cursor := ""; ; {
		events, next, err := a.Store.Audit(t.Context(), cursor, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if strings.HasPrefix(e.Event, "model.") {
				got = append(got, e.Event)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("audit trail has %v, want %v", got, want)
	}
}
