package app_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"heartmark/assessment/onnx"
	"heartmark/internal/app"
)

// TestDemo runs the whole main job on a temporary folder, on the real classifier.
func TestDemo(t *testing.T) {
	t.Parallel()
	if _, err := onnx.FindLibrary(os.Getenv(onnx.LibraryVariable)); err != nil {
		if os.Getenv("HEARTMARK_REQUIRE_ONNXRUNTIME") == "1" {
			t.Fatalf("ONNX Runtime is required here: %v", err)
		}
		t.Skipf("needs ONNX Runtime (make deps): %v", err)
	}
	out := filepath.Join(t.TempDir(), "out")
	var stdout, stderr bytes.Buffer
	if code := app.Main(t.Context(), []string{"demo", "--out", out, "--json"}, &stdout, &stderr); code != app.ExitDone {
		t.Fatalf("demo exits %d\n%s", code, stderr.String())
	}
	for _, name := range []string{
		"consent-receipt.jwt", "report.html", "report.json", "report-thin.html", "report-thin.json", "credential.json",
		"credential-rest.json", "registry-issuer.json", "log-proof.json", "verdict-valid.json", "verdict-revoked.json",
	} {
		info, err := os.Stat(filepath.Join(out, name))
		if errors.Is(err, os.ErrNotExist) || info.Size() == 0 {
			t.Errorf("the demo left no %s", name)
		}
	}
	var answers, errs bytes.Buffer
	t.Logf("%s", stdout.String())
	if code := app.Main(t.Context(), []string{"verify", filepath.Join(out, "report.json")}, &answers, &errs); code == app.ExitDone {
		t.Error("a report verifies as a credential")
	}
}
