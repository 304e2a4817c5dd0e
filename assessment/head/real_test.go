package head_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/head"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/internal/testkit"
)

// classifier opens the built-in model, or skips where the library is absent (fails when it is required).
func classifier(tb testing.TB) (*onnx.Classifier, head.EncoderRef) {
	tb.Helper()
	m, err := model.Open(model.Embedded())
	if err != nil {
		tb.Fatal(err)
	}
	c, err := onnx.Open(onnx.Config{Model: m})
	if errors.Is(err, onnx.ErrLibraryMissing) && os.Getenv(testkit.RequireShared) == "" {
		tb.Skip("ONNX Runtime:", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c, head.EncoderRef{ID: m.ID, SHA256: m.Digests[model.FileModel], Width: c.Width()}
}

func runtimeOf(c *onnx.Classifier, ref head.EncoderRef) head.Runtime {
	return head.Runtime{Encoder: c, Ref: ref, Open: func(graph []byte, width, labels int) (head.Runner, error) {
		return onnx.OpenHead(graph, width, labels)
	}}
}

var created = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// publicRows turns rows of a public set into a labelled file, at most n drawn by a fixed seed.
func publicRows(t *testing.T, set, split string, n int, line func(map[string]any) map[string]any) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(testkit.Shared(t, "data/"+set), split+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var lines [][]byte
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var row map[string]any
		if err := json.Unmarshal(scan.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		if out := line(row); out != nil {
			encoded, err := json.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, encoded)
		}
	}
	if len(lines) == 0 {
		t.Fatalf("no rows in %s", set)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return bytes.Join(lines[:min(n, len(lines))], []byte("\n"))
}

func read(t *testing.T, data []byte, o head.ReadOptions) head.Data {
	t.Helper()
	d, err := head.Read(bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// publicSet is one set as a labelled file.
type publicSet struct {
	name, set, split string
	rows             int
	line             func(map[string]any) map[string]any
	gate             float64 // macro-F1
}

func publicSets() []publicSet {
	return []publicSet{
		{"offence zh", "cold", "test", 3000, func(row map[string]any) map[string]any {
			label := "fine"
			if row["labels"].(map[string]any)["offensive"].(float64) == 1 {
				label = "offensive"
			}
			return map[string]any{"id": row["id"], "text": row["text"], "label": label, "lang": "zh"}
		}, 0.70},
		{"abuse en", "convabuse", "test", 2000, func(row map[string]any) map[string]any {
			label := "fine"
			if row["labels"].(map[string]any)["abusive"].(float64) == 1 {
				label = "abusive"
			}
			var context []any
			turns, _ := row["context"].([]any)
			for _, turn := range turns {
				m := turn.(map[string]any)
				context = append(context, map[string]any{"text": m["text"], "self": m["speaker"] == "self"})
			}
			return map[string]any{"id": row["id"], "text": row["text"], "context": context, "label": label, "lang": "en", "group": row["conv"]}
		}, 0.75},
	}
}

// On test parts of public sets, which the encoder has not seen and people labelled, a head does far better than the commonest answer, and its folder runs in ONNX
// Runtime as it runs here.
func TestHeadsOnPublicSets(t *testing.T) {
	if testing.Short() {
		t.Skip("encodes thousands of texts")
	}
	c, ref := classifier(t)
	for _, set := range publicSets() {
		t.Run(set.name, func(t *testing.T) {
			d := read(t, publicRows(t, set.set, set.split, set.rows, set.line), head.ReadOptions{OnError: "skip"})
			started := time.Now()
			made, err := head.Make(t.Context(), d, head.Order{
				Name: "probe", Created: created, Encoder: c, Ref: ref, Fit: head.FitOptions{Hidden: head.DefaultHidden, Balanced: true, Seed: 1},
			})
			if err != nil {
				t.Fatal(err)
			}
			r := made.Manifest.Report
			t.Logf("%d rows in %.0f s\n%s", len(d.Rows), time.Since(started).Seconds(), r)
			if r.MacroF1 < set.gate || r.MacroF1 < r.Majority+0.2 {
				t.Errorf("macro-F1 %.3f, want %.2f and far over the commonest answer's %.3f", r.MacroF1, set.gate, r.Majority)
			}
			sameInRuntime(t, made, c, ref)
		})
	}
}

// sameInRuntime holds that ONNX Runtime gives the logits of the pure Go network, for vectors of texts.
func sameInRuntime(t *testing.T, made head.Made, c *onnx.Classifier, ref head.EncoderRef) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "head")
	if _, err := head.Save(dir, made.Model, made.Manifest); err != nil {
		t.Fatal(err)
	}
	m, about, err := head.Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if about.Report.MacroF1 != made.Manifest.Report.MacroF1 {
		t.Errorf("the manifest says macro-F1 %v, measured were %v", about.Report.MacroF1, made.Manifest.Report.MacroF1)
	}
	graph, err := head.WriteONNX(m)
	if err != nil {
		t.Fatal(err)
	}
	runner, err := onnx.OpenHead(graph, ref.Width, len(m.Labels))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = runner.Close() }()
	vectors := made.Train[:min(200, len(made.Train))]
	together, err := runner.Run(vectors)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for i, v := range vectors {
		for k, z := range m.Network.Forward(v) {
			worst = max(worst, math.Abs(float64(z-together[i][k])))
		}
	}
	if !(worst <= 1e-5) {
		t.Errorf("pure Go and ONNX Runtime differ by %g, want at most 1e-5", worst)
	}
	h, err := head.Open(m, runtimeOf(c, ref))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	got, err := h.Classify(t.Context(), []assessment.ClassifierInput{{Text: "Thank you, that was kind."}, {Text: " \u200b "}, {Text: "Это очень длинное предложение на русском языке."}})
	if err != nil || len(got[0].Values) != 2 || got[1].Reason != head.ReasonEmpty || got[2].Reason != head.ReasonLanguage {
		t.Errorf("Classify = %+v, %v", got, err)
	}
}
