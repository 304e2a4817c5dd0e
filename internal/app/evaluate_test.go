package app_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/assessment/evaluate"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/rollout"
	"heartmark/internal/app"
	"heartmark/internal/testkit"
)

func TestEvaluateFlags(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for _, test := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no folder named", nil, app.ExitUsage, "--data"},
		{"an argument too many", []string{"--data", empty, "more"}, app.ExitUsage, ""},
		{"a suite that does not exist", []string{"--data", empty, "--suite", "heads,vibes"}, app.ExitUsage, "vibes"},
		{"negative rows", []string{"--data", empty, "--rows", "-4"}, app.ExitUsage, "--rows"},
		{"a model without its digest", []string{"--data", empty, "--model", empty}, app.ExitUsage, "--sha256"},
		{"a folder without sets", []string{"--data", empty}, app.ExitUnavailable, "goemotions/train.jsonl"},
		{"no such folder", []string{"--data", filepath.Join(empty, "none")}, app.ExitUnavailable, "not a folder"},
		{"a provider that does not exist", []string{"--data", empty, "--provider", "abacus"}, app.ExitUsage, "abacus"},
	} {
		code, out, err := run(t, append([]string{"evaluate"}, test.args...)...)
		if code != test.code || !strings.Contains(err, test.says) || out != "" {
			t.Errorf("%s: exit %d, %q, %q; want exit %d that says %q", test.name, code, out, err, test.code, test.says)
		}
	}
}

// A quick run of the real model on the real sets: the exit code must say what the report says, the report must be one that
// a promotion can read, and what a few rows show must not ground one.
func TestEvaluate(t *testing.T) {
	if testing.Short() {
		t.Skip("classifies some thousand texts")
	}
	needLibrary(t)
	data := testkit.Shared(t, "data")
	dir := t.TempDir()
	page, report := filepath.Join(dir, "e.html"), filepath.Join(dir, "e.json")
	code, out, stderr := run(t, "evaluate", "--data", data, "--rows", "40", "--suite", "heads,calibration", "--baselines=false",
		"--html", page, "--report-json", report)
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("exit %d, %v\n%s", code, err, stderr)
	}
	e, err := evaluate.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := app.ExitDone
	if !e.Met() {
		want = app.ExitNotMet
	}
	if code != want || !strings.Contains(out, "gates: ") || stderr != "" {
		t.Errorf("exit %d, want %d; stderr %q", code, want, stderr)
	}
	if e.Rows != 40 || len(e.Data) < 40 || len(e.Model.SHA256) != 64 || len(e.Measures) < 60 {
		t.Errorf("report of %d rows, %d files, model %+v, %d measures", e.Rows, len(e.Data), e.Model, len(e.Measures))
	}
	measured := 0
	for _, m := range e.Measures {
		if m.Suite == metric.SuiteHeads && !m.Missing && m.Rows > 0 {
			measured++
		}
	}
	if measured < 30 {
		t.Errorf("%d lines were measured", measured)
	}
	if html, err := os.ReadFile(page); err != nil || !bytes.Contains(html, []byte("</html>")) || bytes.Contains(html, []byte("://")) {
		t.Errorf("page: %d bytes, %v", len(html), err)
	}
	for _, path := range []string{dir, data} {
		if bytes.Contains(raw, []byte(path)) {
			t.Errorf("the report names the path %s", path)
		}
	}
	grounds, err := rollout.ReadEvaluation(raw)
	if err != nil || grounds.Whole || grounds.Gates != e.Gates.Met+e.Gates.NotMet || len(grounds.Failed) != e.Gates.NotMet {
		t.Errorf("read for a promotion: %+v, %v, gates %+v", grounds, err, e.Gates)
	}
}

// --json prints the evaluation itself.
func TestEvaluateJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("classifies some thousand texts")
	}
	needLibrary(t)
	code, out, stderr := run(t, "evaluate", "--data", testkit.Shared(t, "data"), "--rows", "8", "--suite", "calibration", "--json")
	var e evaluate.Evaluation
	if err := json.Unmarshal([]byte(out), &e); err != nil {
		t.Fatalf("exit %d: %v\n%s", code, err, stderr)
	}
	for _, m := range e.Measures {
		if m.Suite != metric.SuiteCalibration {
			t.Errorf("measure of suite %s, want calibration alone", m.Suite)
		}
	}
	if e.Schema != evaluate.Schema || len(e.Measures) == 0 || len(e.Diagrams) == 0 {
		t.Errorf("schema %q, %d measures, %d diagrams", e.Schema, len(e.Measures), len(e.Diagrams))
	}
}
