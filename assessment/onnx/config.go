package onnx

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"heartmark/assessment/model"

	"github.com/prometheus/client_golang/prometheus"
)

// Providers that Config.Provider may name.
const (
	ProviderAuto = "auto" // CUDA when a GPU model is configured and the library carries CUDA, else the CPU
	ProviderCPU  = "cpu"
	ProviderCUDA = "cuda" // as auto, and a warning when it cannot be had
)

// Runtimes as results name them: the provider and the file.
const (
	RuntimeCPU      = "cpu-int8"
	RuntimeCUDAFP16 = "cuda-fp16"
	RuntimeCUDAFP32 = "cuda-fp32"
)

var (
	// ErrBusy is returned by Classify when Config.MaxCalls calls are under way. Answer 503 with Retry-After.
	ErrBusy = errors.New("classifier is busy")
	// ErrLibraryMissing is returned by Open when no ONNX Runtime library is found. `make deps` obtains it.
	ErrLibraryMissing = errors.New("ONNX Runtime library not found: run `make deps`, or name a library of version 1.24 or newer in the configuration or in HEARTMARK_ONNXRUNTIME")
	// ErrLibraryDigest is returned by Open when a library that was found by search is not a pinned build.
	ErrLibraryDigest = errors.New("ONNX Runtime library is not a pinned build: run `make deps` again, or name the library in the configuration to use it all the same")
	// ErrNoCgo is returned by Open in a program that was built without cgo.
	ErrNoCgo = errors.New("this build has no classifier: ONNX Runtime needs a build with CGO_ENABLED=1")
	// ErrClosed is returned by Classify after Close.
	ErrClosed = errors.New("classifier is closed")
	// ErrHead is wrapped when a head that is to be run, or the vectors, are not in the model. Nothing is classified then.
	ErrHead = errors.New("model has no such output")
	// ErrRun is wrapped when the runtime fails on a batch on the CPU.
	ErrRun = errors.New("classifier run failed")
)

// Config tells where the library is and how the work is spread. The zero value with a Model is ready for use.
type Config struct {
	Model       *model.Manifest // required; see model.Open
	LibraryPath string          // ONNX Runtime library; empty: searched for
	Provider    string          // ProviderAuto (also when empty), ProviderCPU or ProviderCUDA
	GPUModel    string          // path of a fp16 or fp32 export for CUDA; empty: the CPU is used
	Heads       []string        // heads to run; empty: all of the model. The others are neither read nor reported
	Workers     int             // goroutines that run batches; 0: one a processor
	Threads     int             // threads inside one batch; 0: one. Raise it only where single messages must be quick
	Queue       int             // batches that wait, in rows of full batches; 0: four a worker. A caller waits for room
	MaxCalls    int             // calls at a time, more get ErrBusy; 0: 64
	Log         *slog.Logger    // nil: silent

	Metrics prometheus.Registerer // nil: nothing is registered. Classifiers of one process may share it
	Now     func() time.Time      // clock of the metrics; nil: no times are measured
}

// Validate reports all faults at once.
func (c Config) Validate() error {
	var faults []error
	if c.Model == nil {
		faults = append(faults, errors.New("model is required"))
	}
	switch c.Provider {
	case "", ProviderAuto, ProviderCPU, ProviderCUDA:
	default:
		faults = append(faults, fmt.Errorf("provider %q: want auto, cpu or cuda", c.Provider))
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"workers", c.Workers}, {"threads", c.Threads}, {"queue", c.Queue}, {"max calls", c.MaxCalls}} {
		if n.value < 0 || n.value > 4096 {
			faults = append(faults, fmt.Errorf("%s %d: want 0 to 4096", n.name, n.value))
		}
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	if c.Provider == "" {
		c.Provider = ProviderAuto
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Threads == 0 {
		c.Threads = 1
	}
	if c.Queue == 0 {
		c.Queue = 4 * c.Workers
	}
	if c.MaxCalls == 0 {
		c.MaxCalls = 64
	}
	if c.Now == nil {
		c.Now = func() time.Time { return time.Time{} }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}
