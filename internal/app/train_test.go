package app_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/assessment/head"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/internal/app"
	"heartmark/internal/testkit"
)

// run runs one command line and returns its exit code and what it printed.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = app.Main(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

// needLibrary skips where ONNX Runtime is absent, and fails where it is required.
func needLibrary(t *testing.T) {
	t.Helper()
	if _, err := onnx.FindLibrary(""); err != nil {
		if os.Getenv(testkit.RequireShared) != "" {
			t.Fatal(err)
		}
		t.Skip("ONNX Runtime:", err)
	}
}

// newsLines is a labelled file of our own: the sentiment of short business news.
func newsLines() string {
	firms := []string{"Nordhafen", "Lumeira", "Castor & Sons", "Bluefern", "青松科技", "远航物流"}
	lines := map[string][]string{
		"positive": {"%s raises its outlook after record sales", "%s wins a large order and hires", "profit of %s beats every forecast", "%s业绩大增，超出预期", "strong demand lifts %s to a new high"},
		"negative": {"%s cuts its dividend as losses widen", "%s warns of falling demand and closes a plant", "shares of %s plunge after a recall", "%s亏损扩大，被迫裁员", "a lawsuit weighs heavily on %s"},
		"neutral":  {"%s will publish its figures on Thursday", "%s moves its head office to Tallinn", "%s names a new chair of the board", "%s将于周四召开股东大会", "the annual meeting of %s is in May"},
	}
	var b strings.Builder
	for _, label := range []string{"positive", "negative", "neutral"} {
		for _, form := range lines[label] {
			for _, firm := range firms {
				text, _ := json.Marshal(fmt.Sprintf(form, firm))
				fmt.Fprintf(&b, `{"text":%s,"label":%q}`+"\n", text, label)
			}
		}
	}
	return b.String()
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTrainAndClassify(t *testing.T) {
	t.Parallel()
	needLibrary(t)
	file := writeFile(t, "news.jsonl", newsLines())
	pool := writeFile(t, "pool.csv", "id,text\n"+
		"u1,Orders at Wexholm doubled within a year\nu2,Orders at Wexholm doubled within a year\nu3,orders at Wexholm doubled within a year!\n"+
		"u4,Wexholm may or may not reach its goals\nu5,Regulators fine Wexholm\nu6,韦氏公司公布年报\n")
	dir := filepath.Join(t.TempDir(), "head")
	code, out, errs := run(t, "train", file, "--name", "news", "--out", dir, "--unlabelled", pool, "--suggest", "3", "--seed", "4")
	if code != app.ExitDone {
		t.Fatalf("train: exit %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"head news (softmax, 3 labels) on 90 rows", "confusion", "macro-F1", "graph SHA-256", "worth a label next", "note: "} {
		if !strings.Contains(out, want) {
			t.Errorf("train prints no %q:\n%s", want, out)
		}
	}
	suggested := strings.TrimSuffix(pool, ".csv") + ".suggest.jsonl"
	lines, err := os.ReadFile(suggested)
	if err != nil {
		t.Fatal(err)
	}
	doubled := 0
	for line := range strings.Lines(string(lines)) {
		if strings.Contains(strings.ToLower(line), "doubled") {
			doubled++
		}
	}
	if n := strings.Count(string(lines), "\n"); n != 3 || doubled > 1 {
		t.Errorf("%d suggestions, %d of the copies:\n%s", n, doubled, lines)
	}
	// A label added, the file of suggestions is a labelled file.
	labelled := strings.ReplaceAll(string(lines), `{"line"`, `{"label":"neutral","line"`)
	if d, err := head.Read(strings.NewReader(labelled), head.ReadOptions{}); err != nil || len(d.Rows) != 3 {
		t.Errorf("the labelled suggestions read as %d rows, %v", len(d.Rows), err)
	}
	for _, entry := range []string{head.FileGraph, head.FileManifest, head.FileCard, head.FileSums} {
		data, err := os.ReadFile(filepath.Join(dir, entry))
		if err != nil || bytes.Contains(data, []byte("Nordhafen")) || bytes.Contains(data, []byte("Wexholm")) {
			t.Errorf("%s: %v, or it holds a text", entry, err)
		}
	}
	classifyAgain(t, dir)
	again := filepath.Join(t.TempDir(), "again")
	code, out, errs = run(t, "train", file, "--name", "news", "--out", again, "--seed", "4", "--json")
	var answer struct {
		Manifest head.Manifest `json:"manifest"`
	}
	if err := json.Unmarshal([]byte(out), &answer); code != app.ExitDone || err != nil {
		t.Fatalf("train --json: exit %d, %v\n%s", code, err, errs)
	}
	first, _, err := head.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := head.Load(os.DirFS(again))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(*first.Network) != fmt.Sprint(*second.Network) || answer.Manifest.Report.Rows == 0 {
		t.Error("the same file and seed give other weights")
	}
}

func classifyAgain(t *testing.T, dir string) {
	t.Helper()
	file := writeFile(t, "new.jsonl", `{"id":"n1","text":"Sales of Orrin hit a record and profit beats forecasts"}
{"id":"n2","text":"Orrin closes two plants as losses widen"}
{"id":"n3","text":"!!!"}
`)
	code, out, errs := run(t, "classify", file, "--head", dir)
	if code != app.ExitDone {
		t.Fatalf("classify: exit %d\n%s", code, errs)
	}
	type row struct {
		ID     string             `json:"id"`
		Labels []string           `json:"labels"`
		Values map[string]float64 `json:"values"`
		Reason string             `json:"reason"`
	}
	var rows []row
	scan := bufio.NewScanner(strings.NewReader(out))
	for scan.Scan() {
		var r row
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	if len(rows) != 3 || rows[0].Labels[0] != "positive" || rows[1].Labels[0] != "negative" || len(rows[0].Values) != 3 ||
		rows[2].Reason != head.ReasonEmpty || len(rows[2].Labels) != 0 || rows[2].ID != "n3" {
		t.Errorf("classify = %+v", rows)
	}
}

func TestTrainAndClassifyRefuse(t *testing.T) {
	t.Parallel()
	good := writeFile(t, "good.jsonl", newsLines())
	bad := writeFile(t, "bad.jsonl", newsLines()+`{"text":"","label":"neutral"}`+"\n")
	few := writeFile(t, "few.jsonl", strings.Repeat(`{"text":"a","label":"x"}`+"\n", 5))
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := writeFile(t, "taken.jsonl", "")
	out := func() string { return filepath.Join(t.TempDir(), "head") }
	foreign := out()
	saveForeign(t, foreign)
	inside := out()
	cases := []struct {
		name    string
		args    []string
		code    int
		want    string
		library bool // the model is opened before it fails
	}{
		{"no name", []string{"train", good, "--out", out()}, app.ExitUsage, "--name", false},
		{"bad name", []string{"train", good, "--name", "My Head", "--out", out()}, app.ExitUsage, "--name", false},
		{"no folder", []string{"train", good, "--name", "tone"}, app.ExitUsage, "--out", false},
		{"full folder", []string{"train", good, "--name", "tone", "--out", full}, app.ExitUsage, "not empty", false},
		{"kind", []string{"train", good, "--name", "tone", "--out", out(), "--kind", "value"}, app.ExitUsage, "--kind", false},
		{"split", []string{"train", good, "--name", "tone", "--out", out(), "--split", "0.5,0.5"}, app.ExitUsage, "--split", false},
		{"split sum", []string{"train", good, "--name", "tone", "--out", out(), "--split", "0.5,0.4,0.3"}, app.ExitUsage, "sum to", false},
		{"hidden", []string{"train", good, "--name", "tone", "--out", out(), "--hidden", "-1"}, app.ExitUsage, "hidden", false},
		{"dropout", []string{"train", good, "--name", "tone", "--out", out(), "--dropout", "1"}, app.ExitUsage, "dropout", false},
		{"flag", []string{"train", good, "--names", "tone"}, app.ExitUsage, "unknown flag", false},
		{"suggestions in the folder", []string{"train", good, "--name", "tone", "--out", inside, "--unlabelled", good, "--suggestions", filepath.Join(inside, "x")}, app.ExitUsage, "holds no texts", false},
		{"suggestions there", []string{"train", good, "--name", "tone", "--out", out(), "--unlabelled", good, "--suggestions", taken}, app.ExitUsage, "there already", false},
		{"no file", []string{"train", good + "x", "--name", "tone", "--out", out()}, app.ExitData, "no such file", false},
		{"bad line", []string{"train", bad, "--name", "tone", "--out", out()}, app.ExitData, "line 91: /text", false},
		{"few rows", []string{"train", few, "--name", "tone", "--out", out()}, app.ExitData, "at least 30", true},
		{"no head", []string{"classify", good}, app.ExitUsage, "--head", false},
		{"head not there", []string{"classify", good, "--head", out()}, app.ExitData, "SHA256SUMS", true},
		{"head of another encoder", []string{"classify", good, "--head", foreign}, app.ExitUnavailable, "another encoder", true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if tc.library {
				needLibrary(t)
			}
			code, printed, errs := run(t, tc.args...)
			if code != tc.code || !strings.Contains(errs, tc.want) {
				t.Errorf("exit %d, %q%q; want %d with %q", code, printed, errs, tc.code, tc.want)
			}
		})
	}
}

// saveForeign writes a head that was fitted on an encoder that nobody has.
func saveForeign(t *testing.T, dir string) {
	t.Helper()
	width := 2
	m := &head.Model{
		Name: "tone", Kind: model.Sigmoid, Labels: []string{"x"}, Encoder: head.EncoderRef{ID: "other", SHA256: strings.Repeat("0", 64), Width: width},
		Calibration: head.Uncalibrated(model.Sigmoid, 1), Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), DataSHA256: strings.Repeat("1", 64),
		Network: &head.Network{Width: width, Outputs: 1, Mean: make([]float32, width), Scale: make([]float32, width), W2: make([]float32, width), B2: make([]float32, 1)},
	}
	if _, err := head.Save(dir, m, head.Manifest{Training: head.Training{Trials: make([]head.Trial, 1)}}); err != nil {
		t.Fatal(err)
	}
}
