//go:build cgo

package onnx_test

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"

	"github.com/prometheus/client_golang/prometheus"
)

func openFakes(t *testing.T, gpu, cpu *onnx.Fake, change func(*onnx.Config)) *onnx.Classifier {
	t.Helper()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	cfg := onnx.Config{Model: m, Workers: 2}
	if change != nil {
		change(&cfg)
	}
	c, err := onnx.OpenFakes(cfg, gpu, cpu)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if gpu.Open() != 0 || cpu.Open() != 0 {
			t.Errorf("after Close %d hold the GPU's engine, %d the CPU's", gpu.Open(), cpu.Open())
		}
	})
	return c
}

func gpu(fail func(rows, length int) error) *onnx.Fake {
	return &onnx.Fake{Name: onnx.RuntimeCUDAFP16, GPU: true, Fail: fail}
}

func cpu() *onnx.Fake { return &onnx.Fake{Name: onnx.RuntimeCPU} }

// want are the scores without any fault.
func want(t *testing.T, in []assessment.ClassifierInput) []assessment.Scores {
	t.Helper()
	scores, err := openFakes(t, cpu(), cpu(), nil).Classify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return scores
}

// Out of memory: the halves are run, batches stay small, the GPU stays in use, and the scores are the same.
func TestOutOfMemoryMakesBatchesSmaller(t *testing.T) {
	t.Parallel()
	g, b := gpu(func(rows, _ int) error {
		if rows > 5 {
			return errors.New("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 402653184")
		}
		return nil
	}), cpu()
	registry := prometheus.NewRegistry()
	c := openFakes(t, g, b, func(cfg *onnx.Config) { cfg.Metrics = registry })
	in := conversation(20)
	got, err := c.Classify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want(t, in)) {
		t.Error("other scores after smaller batches")
	}
	if c.Info().Runtime != onnx.RuntimeCUDAFP16 || b.Runs.Load() != 0 {
		t.Errorf("runtime %s, %d runs on the CPU, want CUDA and none", c.Info().Runtime, b.Runs.Load())
	}
	before, done := g.Runs.Load(), g.Rows.Load()
	if _, err := c.Classify(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if runs, rows := g.Runs.Load()-before, g.Rows.Load()-done; rows < int32(len(in)) || runs > rows {
		t.Errorf("%d runs for %d rows: batches are tried too large again", runs, rows)
	}
	if n := counts(t, registry, "heartmark_classify_fallbacks_total")["dei-m1 out_of_memory"]; n == 0 {
		t.Error("no fall-back is counted")
	}
}

// Any other fault, or no memory even for one row: the batch is done again on the CPU, which stays.
func TestCUDAFaultSwitchesToCPU(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"CUDA failure 700: an illegal memory access was encountered", "CUDA failure 2: out of memory"} {
		for _, after := range []int{0, 5, 8} { // runs that succeed; five are the warm-up's
			mu, runs := sync.Mutex{}, 0
			g, b := gpu(func(int, int) error {
				mu.Lock()
				defer mu.Unlock()
				if runs++; runs > after {
					return errors.New(fault)
				}
				return nil
			}), cpu()
			var log strings.Builder
			c := openFakes(t, g, b, func(cfg *onnx.Config) { cfg.Log = textLog(&log) })
			in := conversation(16)
			got, err := c.Classify(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want(t, in)) {
				t.Errorf("%s after %d runs: other scores on the CPU", fault, after)
			}
			info := c.Info()
			if info.Runtime != onnx.RuntimeCPU || info.SHA256 != "digest of "+onnx.RuntimeCPU {
				t.Errorf("runtime %s, file %s, want the CPU's", info.Runtime, info.SHA256)
			}
			if strings.Count(log.String(), "the CPU takes over") != 1 || !strings.Contains(log.String(), fault) {
				t.Errorf("log:\n%s\nwant one line with the fault", log.String())
			}
		}
	}
}

// A fault of the CPU is the caller's answer, no later call suffers, and nothing is made up.
func TestCPUFaultIsAnError(t *testing.T) {
	t.Parallel()
	mu, fail := sync.Mutex{}, false
	b := cpu()
	b.Fail = func(int, int) error {
		mu.Lock()
		defer mu.Unlock()
		if fail {
			return errors.New("broken")
		}
		return nil
	}
	c := openFakes(t, b, cpu(), nil)
	set := func(to bool) {
		mu.Lock()
		defer mu.Unlock()
		fail = to
	}
	set(true)
	for _, n := range []int{1, 60} {
		if scores, err := c.Classify(t.Context(), conversation(n)); !errors.Is(err, onnx.ErrRun) || scores != nil {
			t.Errorf("Classify = %v, %v, want no scores and ErrRun", scores, err)
		}
		if v, err := c.Vectors(t.Context(), conversation(n)); !errors.Is(err, onnx.ErrRun) || v != nil {
			t.Errorf("Vectors = %d vectors, %v, want none and ErrRun", len(v), err)
		}
	}
	set(false)
	if _, err := c.Classify(t.Context(), conversation(1)); err != nil {
		t.Errorf("Classify after a fault = %v", err)
	}
}

// Small calls that come while the workers run share the next batch.
func TestCallsShareABatch(t *testing.T) {
	t.Parallel()
	b := cpu()
	b.Gate = make(chan struct{})
	registry := prometheus.NewRegistry()
	c := openFakes(t, b, cpu(), func(cfg *onnx.Config) { cfg.Workers, cfg.Metrics = 1, registry })
	warm := b.Runs.Load()
	var callers sync.WaitGroup
	classify := func() {
		if _, err := c.Classify(t.Context(), []assessment.ClassifierInput{message("hello there", "en")}); err != nil {
			t.Error(err)
		}
	}
	callers.Go(classify) // occupies the worker
	for b.Open() < 2 {   // until the worker holds its runner
		runtime.Gosched()
	}
	for range 20 {
		callers.Go(classify)
	}
	for onnx.Waiting(c) < 20 {
		runtime.Gosched()
	}
	b.Gate <- struct{}{}
	b.Gate <- struct{}{}
	callers.Wait()
	if runs := b.Runs.Load() - warm; runs != 2 {
		t.Errorf("%d runs for one call and twenty that came while it ran, want 2", runs)
	}
	for labels, n := range counts(t, registry, "heartmark_classify_messages_total") {
		if (n == 21) != (labels == "16 en dei-m1") || n != 0 && n != 21 {
			t.Errorf("%v messages of %s are counted, want 21 of bucket 16 and en", n, labels)
		}
	}
	if n := counts(t, registry, "heartmark_classify_provider_info")["dei-m1 cpu-int8"]; n != 1 {
		t.Errorf("provider gauge of the CPU is %v, want 1", n)
	}
}

// counts are the values of one counter or gauge by its label values, joined by a space.
func counts(t *testing.T, r *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			values[strings.Join(labels, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	if len(values) == 0 {
		t.Fatalf("no metric %s", name)
	}
	return values
}

func TestMemoryFault(t *testing.T) {
	t.Parallel()
	for said, is := range map[string]bool{
		"CUDA failure 2: out of memory ; GPU=0": true,
		"/onnxruntime_src/bfc_arena.cc:376 AllocateRawInternal Available memory of 0 is smaller than requested bytes": false,
		"BFCArena Failed to allocate memory for requested buffer of size 1":                                           true,
		"CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED":                                                                true,
		"CUDA failure 700: an illegal memory access was encountered":                                                  false,
	} {
		if got := onnx.MemoryFault(errors.New(said)); got != is {
			t.Errorf("memory fault of %q = %v, want %v", said, got, is)
		}
	}
}
