//go:build cgo

package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"heartmark/assessment/model"

	ort "github.com/yalue/onnxruntime_go"
)

// environment is the runtime's own state, of which a process has one: the library is loaded once, at the path of the
// first Open, and given back when the last session ends. mu guards all of it.
var environment struct {
	mu    sync.Mutex
	users int
	path  string
}

func acquireEnvironment(lib Library) error {
	environment.mu.Lock()
	defer environment.mu.Unlock()
	if environment.users > 0 && environment.path != lib.Path {
		return fmt.Errorf("ONNX Runtime is already loaded from %s; one process cannot load %s too", environment.path, lib.Path)
	}
	if environment.users == 0 {
		ort.SetSharedLibraryPath(lib.Path)
		// Its faults come back as errors and stand in our log; its own lines on standard error would be a second one.
		if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrRun, lib.Path, err)
		}
		environment.path = lib.Path
	}
	environment.users++
	return nil
}

func releaseEnvironment() error {
	environment.mu.Lock()
	defer environment.mu.Unlock()
	if environment.users--; environment.users > 0 {
		return nil
	}
	return ort.DestroyEnvironment()
}

// session is one loaded graph.
type session struct {
	run      *ort.DynamicAdvancedSession
	heads    []model.Head
	provider string // "cpu" or "cuda"
}

func newSession(graph []byte, heads []model.Head, threads int, cuda bool) (*session, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	// Both set expressly: the default takes all processors and spins.
	if err := options.SetIntraOpNumThreads(threads); err != nil {
		return nil, err
	}
	if err := options.SetInterOpNumThreads(1); err != nil {
		return nil, err
	}
	if err := options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); err != nil {
		return nil, err
	}
	s := &session{heads: heads, provider: ProviderCPU}
	if cuda {
		provider, err := ort.NewCUDAProviderOptions()
		if err != nil {
			return nil, err
		}
		defer func() { _ = provider.Destroy() }()
		if err := options.AppendExecutionProviderCUDA(provider); err != nil {
			return nil, err
		}
		s.provider = ProviderCUDA
	}
	outputs := make([]string, len(heads))
	for i, h := range heads {
		outputs[i] = h.Output()
	}
	s.run, err = ort.NewDynamicAdvancedSessionWithONNXData(graph, []string{"input_ids", "attention_mask"}, outputs, options)
	return s, err
}

// logits runs one batch: for each row, for each head, the logits in label order.
func (s *session) logits(b batch) ([][][]float32, error) {
	ids, mask := b.tensors()
	shape := ort.NewShape(int64(len(b.rows)), int64(b.length))
	inputs := make([]ort.Value, 0, 2)
	defer func() {
		for _, v := range inputs {
			_ = v.Destroy()
		}
	}()
	for _, data := range [][]int64{ids, mask} {
		tensor, err := ort.NewTensor(shape, data)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, tensor)
	}
	outputs := make([]ort.Value, len(s.heads)) // nil: the runtime allocates them, outside the Go heap
	defer func() {
		for _, v := range outputs {
			if v != nil {
				_ = v.Destroy()
			}
		}
	}()
	if err := s.run.Run(inputs, outputs); err != nil {
		return nil, err
	}
	result := make([][][]float32, len(b.rows))
	for i := range result {
		result[i] = make([][]float32, len(s.heads))
	}
	for h, head := range s.heads {
		tensor, ok := outputs[h].(*ort.Tensor[float32])
		width := len(head.Labels)
		if !ok || len(tensor.GetData()) != len(b.rows)*width {
			return nil, fmt.Errorf("output %s has another shape than [%d, %d]", head.Output(), len(b.rows), width)
		}
		for i := range result {
			result[i][h] = append([]float32(nil), tensor.GetData()[i*width:(i+1)*width]...)
		}
	}
	return result, nil
}

func (s *session) close() error { return s.run.Destroy() }

// known tells whether a GPU graph has a digest that is compiled in.
func known(m *model.Manifest, graph []byte) bool {
	sum := sha256.Sum256(graph)
	got := hex.EncodeToString(sum[:])
	return got == m.Digests[model.FileFP32] || got == m.Digests[model.FileFP16]
}

// openSession chooses the provider and says which and why. The second value is the graph that runs.
func openSession(cfg Config, lib Library) (*session, []byte, error) {
	log := cfg.Log.With(slog.String("library", lib.Path), slog.String("library_source", lib.Source), slog.String("runtime", ort.GetVersion()))
	reason := "configured"
	if cfg.Provider != ProviderCPU {
		var graph []byte
		var err error
		if cfg.GPUModel == "" {
			reason = "no GPU model is configured"
		} else if graph, err = os.ReadFile(cfg.GPUModel); err != nil {
			reason = "GPU model: " + err.Error()
		} else if !known(cfg.Model, graph) {
			reason = "GPU model is not an export of " + cfg.Model.ID + " that this program knows"
		} else if s, err := newSession(graph, cfg.Model.Heads, cfg.Threads, true); err != nil {
			reason = "CUDA does not load: " + err.Error()
		} else {
			log.Info("classifier ready", slog.String("provider", ProviderCUDA), slog.String("reason", "CUDA loaded"),
				slog.String("model", cfg.Model.ID))
			return s, graph, nil
		}
		if cfg.Provider == ProviderCUDA {
			log.Warn("CUDA was asked for and cannot be had; the CPU is used", slog.String("reason", reason))
		}
	}
	s, err := newSession(cfg.Model.Model, cfg.Model.Heads, cfg.Threads, false)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: load model %s: %w", ErrRun, cfg.Model.ID, err)
	}
	log.Info("classifier ready", slog.String("provider", ProviderCPU), slog.String("reason", reason),
		slog.String("model", cfg.Model.ID), slog.String("model_sha256", cfg.Model.Digests[model.FileModel]),
		slog.Int("workers", cfg.Workers), slog.Int("threads", cfg.Threads))
	return s, cfg.Model.Model, nil
}
