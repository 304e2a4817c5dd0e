//go:build cgo

package onnx_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"

	"github.com/prometheus/client_golang/prometheus"
)

// Classifiers of one process share the loaded graph and the metrics; closing one leaves the other at work.
func TestClassifiersShareTheSession(t *testing.T) {
	registry := prometheus.NewRegistry()
	shared := func(cfg *onnx.Config) { cfg.Metrics, cfg.Now = registry, time.Now }
	first := open(t, shared)
	loaded := onnx.Sessions()
	second := open(t, shared)
	if n := onnx.Sessions(); n != loaded {
		t.Errorf("%d graphs are loaded by the second classifier", n-loaded)
	}
	open(t, func(cfg *onnx.Config) { cfg.Threads = 2 })
	if n := onnx.Sessions(); n != loaded+1 {
		t.Errorf("%d graphs are loaded for other threads, want 1", n-loaded)
	}
	in := conversation(2)
	want, err := first.Classify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := second.Classify(t.Context(), in)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the second classifier after the first is closed: %v, equal scores %v", err, reflect.DeepEqual(got, want))
	}
	total := 0.0
	for _, n := range counts(t, registry, "heartmark_classify_messages_total") {
		total += n
	}
	if total != float64(2*len(in)) {
		t.Errorf("%v messages are counted, want %d", total, 2*len(in))
	}
}

// With a list of heads the others are neither run nor named, and the scores of these are the same.
func TestHeadsAreChosen(t *testing.T) {
	all := open(t, nil)
	few := open(t, func(cfg *onnx.Config) { cfg.Heads = []string{assessment.HeadHostility, assessment.HeadVA} })
	in := conversation(2)
	want, err := all.Classify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := few.Classify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(few.Info().Labels) != 2 {
		t.Errorf("Info has labels %v, want those of two heads", few.Info().Labels)
	}
	for i := range in {
		if len(got[i]) != 2 {
			t.Fatalf("input %d has %d heads, want 2", i, len(got[i]))
		}
		for head, values := range got[i] {
			if !slices.Equal(values, want[i][head]) {
				t.Errorf("input %d: %s = %v, with all heads %v", i, head, values, want[i][head])
			}
		}
	}
}

// A GPU model counts only by a digest that is compiled in; either file does. Without CUDA the log says what is missing.
func TestGPUModelByDigest(t *testing.T) {
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "gpu.onnx")
	if err := os.WriteFile(path, m.Model, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(m.Model)
	for name, k := range map[string]struct{ file, runtime, says string }{
		"unknown": {"", "", "not an export of"},
		"fp16":    {model.FileFP16, onnx.RuntimeCUDAFP16, "CUDA does not load"},
		"fp32":    {model.FileFP32, onnx.RuntimeCUDAFP32, "CUDA does not load"},
	} {
		m.Digests = map[string]string{k.file: hex.EncodeToString(sum[:])}
		var log strings.Builder
		c := open(t, func(cfg *onnx.Config) {
			cfg.Model, cfg.GPUModel, cfg.Log = m, path, textLog(&log)
			cfg.Provider = onnx.ProviderCUDA
		})
		if runtime := c.Info().Runtime; runtime != k.runtime && (runtime != onnx.RuntimeCPU || !strings.Contains(log.String(), k.says)) {
			t.Errorf("%s: runtime %s, log:\n%s\nwant %q", name, runtime, log.String(), k.says)
		}
		if got, known := onnx.GPURuntime(m, m.Model); got != k.runtime || known != (k.runtime != "") {
			t.Errorf("%s: runtime by digest = %q, %v, want %q", name, got, known, k.runtime)
		}
		if _, known := onnx.GPURuntime(m, bytes.Clone(m.Model)[1:]); known {
			t.Errorf("%s: another file is known", name)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	m, err := model.Open(model.Embedded())
	if err != nil {
		b.Fatal(err)
	}
	open(b, func(cfg *onnx.Config) { cfg.Threads = 3 }) // finds the library, or skips; keeps it loaded
	for b.Loop() {
		c, err := onnx.Open(onnx.Config{Model: m})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// What a steady load costs beside the run: small calls from many goroutines.
func BenchmarkClassifyConcurrent(b *testing.B) {
	c := open(b, nil)
	in := benchMessages(4)
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := c.Classify(b.Context(), in[i%4:i%4+1]); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
