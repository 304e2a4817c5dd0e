package head_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/head"
	"heartmark/assessment/model"
)

// about is a manifest with enough in it to write a card.
func about() head.Manifest {
	return head.Manifest{
		Training: head.Training{Trials: []head.Trial{{L2: 0.01, Epochs: 3, Best: 2, TrainLoss: []float64{3, 2, 1}, ValidationLoss: []float64{2, 1, 2}}}},
		Data: head.DataCounts{
			Rows: 40, Groups: 40, Parts: map[head.Part]int{head.Train: 30, head.Validation: 5, head.Test: 5},
			Labels: map[head.Part]map[string]int{}, Languages: map[string]int{"en": 40},
		},
		Settings: head.Settings{Shares: head.DefaultShares()},
		Report: head.Report{
			Rows: 5, Classes: []metric.ClassReport{{Label: "label a", Support: 5}, {Label: metric.LabelMacro}}, Bins: []metric.Bin{},
			Languages: map[string]head.LanguageReport{"en": {Rows: 5}}, Interval90: [2]float64{0.1, 0.2}, Majority: 0.3, ECEAfter: 0.2,
		},
	}
}

func saved(t *testing.T) (folder fstest.MapFS, m *head.Model) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "head")
	m = drawn(model.Softmax, 6, 4, 3, 1)
	if _, err := head.Save(dir, m, about()); err != nil {
		t.Fatal(err)
	}
	folder = fstest.MapFS{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		folder[e.Name()] = &fstest.MapFile{Data: data}
	}
	if len(folder) != 4 {
		t.Fatalf("the folder holds %d files, want 4", len(folder))
	}
	return folder, m
}

// resum writes SHA256SUMS anew, as a forger would.
func resum(folder fstest.MapFS) {
	var b strings.Builder
	for _, name := range []string{head.FileGraph, head.FileManifest, head.FileCard} {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(folder[name].Data), name)
	}
	folder[head.FileSums] = &fstest.MapFile{Data: []byte(b.String())}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	folder, m := saved(t)
	got, manifest, err := head.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != m.Name || manifest.Parameters != m.Network.Parameters() || manifest.Training.Trials[0].Best != 2 {
		t.Errorf("Load = %+v, %+v", got, manifest)
	}
	card := string(folder[head.FileCard].Data)
	for _, want := range []string{"# Head `tone`", "Not for:", "`label a`", "may be no better than", "over 0.08", "0 rows in zh", "has 5 test rows"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	dir := t.TempDir()
	if _, err := head.Save(dir, m, about()); err != nil {
		t.Errorf("Save in an empty folder: %v", err)
	}
	if _, err := head.Save(dir, m, about()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Save over a head: %v, want ErrExist", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{head.FileGraph, head.FileManifest, head.FileCard} {
		folder, _ := saved(t)
		folder[name].Data[len(folder[name].Data)/2] ^= 1
		if _, _, err := head.Load(folder); !errors.Is(err, head.ErrDigest) {
			t.Errorf("one bit of %s changed: %v, want ErrDigest", name, err)
		}
		delete(folder, name)
		if _, _, err := head.Load(folder); !errors.Is(err, head.ErrDigest) {
			t.Errorf("without %s: %v, want ErrDigest", name, err)
		}
	}
	for name, change := range map[string]func(string) string{
		"no sums":     func(string) string { return "" },
		"one missing": func(s string) string { return s[:strings.LastIndex(s[:len(s)-1], "\n")+1] },
		"other file":  func(s string) string { return s + strings.Repeat("0", 64) + "  ../secret\n" },
		"twice":       func(s string) string { return s + s },
		"damaged":     func(s string) string { return "x" + s },
	} {
		folder, _ := saved(t)
		folder[head.FileSums].Data = []byte(change(string(folder[head.FileSums].Data)))
		if _, _, err := head.Load(folder); !errors.Is(err, head.ErrDigest) {
			t.Errorf("%s: %v, want ErrDigest", name, err)
		}
	}
	for name, change := range map[string][2]string{
		"another label":   {`"label b"`, `"label bb"`},
		"another kind":    {`"softmax"`, `"sigmoid"`},
		"another encoder": {`"dei-m1"`, `"dei-m9"`},
		"unknown member":  {`"format"`, `"formats"`},
		"twice":           {`"name": "tone"`, `"name": "tone", "name": "tone"`},
		"another graph":   {`"graph_sha256": "`, `"graph_sha256": "0`},
		"not JSON":        {`{`, `[`},
	} {
		folder, _ := saved(t)
		folder[head.FileManifest].Data = []byte(strings.Replace(string(folder[head.FileManifest].Data), change[0], change[1], 1))
		resum(folder)
		if _, _, err := head.Load(folder); !errors.Is(err, head.ErrManifest) {
			t.Errorf("manifest with %s: %v, want ErrManifest", name, err)
		}
	}
	folder, _ := saved(t)
	folder[head.FileGraph].Data = write(t, drawn(model.Softmax, 6, 4, 3, 2)) // another head under this manifest
	resum(folder)
	if _, _, err := head.Load(folder); !errors.Is(err, head.ErrManifest) {
		t.Errorf("the graph of another head: %v, want ErrManifest", err)
	}
	folder[head.FileGraph].Data = []byte("onnx")
	resum(folder)
	if _, _, err := head.Load(folder); !errors.Is(err, head.ErrGraph) {
		t.Errorf("a graph of four letters: %v, want ErrGraph", err)
	}
}

// runner answers what a test sets.
type runner struct {
	logits [][]float32
	err    error
}

func (r runner) Run([][]float32) ([][]float32, error) { return r.logits, r.err }
func (r runner) Close() error                         { return nil }

func TestOpenAndRunRefuse(t *testing.T) {
	t.Parallel()
	_, m := saved(t)
	rt := head.Runtime{Encoder: fakeEncoder{6}, Ref: m.Encoder, Open: func([]byte, int, int) (head.Runner, error) { return runner{}, nil }}
	for name, change := range map[string]func(*head.EncoderRef){
		"digest": func(e *head.EncoderRef) { e.SHA256 = sha('c') },
		"id":     func(e *head.EncoderRef) { e.ID = "dei-m2" },
		"width":  func(e *head.EncoderRef) { e.Width = 7 },
	} {
		other := rt
		change(&other.Ref)
		if _, err := head.Open(m, other); !errors.Is(err, head.ErrEncoder) {
			t.Errorf("another %s: %v, want ErrEncoder", name, err)
		}
	}
	broken := errors.New("no library")
	failing := rt
	failing.Open = func([]byte, int, int) (head.Runner, error) { return nil, broken }
	if _, err := head.Open(m, failing); !errors.Is(err, broken) {
		t.Errorf("runner that does not open: %v", err)
	}
	nan := float32(0)
	nan /= nan
	for name, r := range map[string]runner{
		"no answer": {}, "short row": {logits: [][]float32{{1, 2}}}, "NaN": {logits: [][]float32{{1, nan, 2}}}, "failure": {err: head.ErrRun},
	} {
		rt.Open = func([]byte, int, int) (head.Runner, error) { return r, nil }
		h, err := head.Open(m, rt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Classify(t.Context(), []assessment.ClassifierInput{{Text: "hello there"}}); !errors.Is(err, head.ErrRun) {
			t.Errorf("%s: %v, want ErrRun", name, err)
		}
	}
}
