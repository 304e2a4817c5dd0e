//go:build cgo

package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"heartmark/assessment/model"

	ort "github.com/yalue/onnxruntime_go"
)

// environment is the runtime's own state, of which a process has one: the library is loaded once, at the path of the
// first Open, and given back when the last classifier is closed; a graph is loaded once for all classifiers that run it.
// mu guards all of it, held while a graph loads.
var environment struct {
	mu       sync.Mutex
	users    int
	path     string
	sessions map[sessionKey]*shared
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
		environment.sessions = make(map[sessionKey]*shared)
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

// sessionKey is what makes two loaded graphs the same.
type sessionKey struct {
	digest  string // SHA-256 of the graph, hex
	cuda    bool
	threads int
}

// shared is one loaded graph. users is guarded by environment.mu.
type shared struct {
	key   sessionKey
	users int
	run   *ort.DynamicAdvancedSession
}

func acquireSession(graph []byte, key sessionKey) (*shared, error) {
	environment.mu.Lock()
	defer environment.mu.Unlock()
	s, ok := environment.sessions[key]
	if !ok {
		run, err := load(graph, key)
		if err != nil {
			return nil, err
		}
		s = &shared{key: key, run: run}
		environment.sessions[key] = s
	}
	s.users++
	return s, nil
}

func (s *shared) retain() {
	environment.mu.Lock()
	defer environment.mu.Unlock()
	s.users++
}

func (s *shared) release() error {
	environment.mu.Lock()
	defer environment.mu.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	delete(environment.sessions, s.key)
	return s.run.Destroy()
}

// load loads a graph. The names of inputs and outputs are given with each binding.
func load(graph []byte, key sessionKey) (*ort.DynamicAdvancedSession, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	// All set expressly: by default the runtime takes all processors. The threads of one batch spin while they wait for each
	// other: whoever asks for several wants single messages to be quick, and sleeping and waking costs a tenth.
	spinning := "0"
	if key.threads > 1 {
		spinning = "1"
	}
	err = errors.Join(
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		options.SetIntraOpNumThreads(key.threads),
		options.SetInterOpNumThreads(1),
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", spinning),
	)
	if err != nil {
		return nil, err
	}
	if key.cuda {
		if err := addCUDA(options); err != nil {
			return nil, err
		}
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(graph, nil, nil, options)
}

func addCUDA(options *ort.SessionOptions) error {
	provider, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = provider.Destroy() }()
	err = provider.Update(map[string]string{
		"use_tf32":              "0", // its 10 bits would be seen in the third decimal
		"arena_extend_strategy": "kSameAsRequested",
	})
	if err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(provider)
}

// session is an engine on a loaded graph that other classifiers may use too.
type session struct {
	*shared
	name    string
	outputs [wants][]outputName
}

var _ engine = (*session)(nil)

type outputName struct {
	name  string
	width int
}

// newSession loads a graph, or joins those that have it loaded already.
func (c *Classifier) newSession(graph []byte, name string) (engine, error) {
	sum := sha256.Sum256(graph)
	key := sessionKey{digest: hex.EncodeToString(sum[:]), cuda: name != RuntimeCPU, threads: c.cfg.Threads}
	held, err := acquireSession(graph, key)
	if err != nil {
		return nil, err
	}
	s := &session{shared: held, name: name}
	for _, h := range c.heads {
		s.outputs[wantHeads] = append(s.outputs[wantHeads], outputName{h.Output(), len(h.Labels)})
	}
	if c.width > 0 {
		s.outputs[wantVectors] = []outputName{{outputPooled, c.width}}
	}
	return s, nil
}

func (s *session) runtime() string { return s.name }
func (s *session) digest() string  { return s.key.digest }
func (s *session) cuda() bool      { return s.key.cuda }
func (s *session) close() error    { return s.release() }

func (s *session) runner() (runner, error) {
	s.retain()
	return newBinder(s), nil
}

// gpuRuntime names the runtime of a GPU graph by its digest, which must be compiled in.
func gpuRuntime(m *model.Manifest, graph []byte) (name string, known bool) {
	sum := sha256.Sum256(graph)
	switch hex.EncodeToString(sum[:]) {
	case m.Digests[model.FileFP16]:
		return RuntimeCUDAFP16, true
	case m.Digests[model.FileFP32]:
		return RuntimeCUDAFP32, true
	}
	return "", false
}

// openSession chooses the provider and says which and why.
func (c *Classifier) openSession() (engine, error) {
	log := c.cfg.Log.With(slog.String("library", c.library.Path), slog.String("library_source", c.library.Source),
		slog.String("library_version", ort.GetVersion()), slog.String("model", c.cfg.Model.ID))
	reason := "configured"
	if c.cfg.Provider != ProviderCPU {
		e, why := c.openGPU()
		if e != nil {
			log.Info("classifier ready", slog.String("provider", ProviderCUDA), slog.String("runtime", e.runtime()),
				slog.String("reason", "CUDA loaded"), slog.String("model_sha256", e.digest()))
			return e, nil
		}
		if reason = why; c.cfg.Provider == ProviderCUDA {
			c.metrics.fallbacks[reasonStart].Inc()
			log.Warn("CUDA was asked for and cannot be had; the CPU is used", slog.String("reason", reason))
		}
	}
	e, err := c.openCPU()
	if err != nil {
		return nil, fmt.Errorf("%w: load model %s: %w", ErrRun, c.cfg.Model.ID, err)
	}
	log.Info("classifier ready", slog.String("provider", ProviderCPU), slog.String("runtime", e.runtime()),
		slog.String("reason", reason), slog.String("model_sha256", e.digest()),
		slog.Int("workers", c.cfg.Workers), slog.Int("threads", c.cfg.Threads))
	return e, nil
}

// openGPU answers an engine on CUDA, or why there is none.
func (c *Classifier) openGPU() (engine, string) {
	if c.cfg.GPUModel == "" {
		return nil, "no GPU model is configured"
	}
	graph, err := os.ReadFile(c.cfg.GPUModel)
	if err != nil {
		return nil, "GPU model: " + err.Error()
	}
	name, known := gpuRuntime(c.cfg.Model, graph)
	if !known {
		return nil, "GPU model is not an export of " + c.cfg.Model.ID + " that this program knows"
	}
	widths, err := outputWidths(graph)
	if err == nil {
		err = checkOutputs(widths, c.heads)
	}
	if err != nil {
		return nil, "GPU model: " + err.Error()
	}
	if widths[outputPooled] != c.width {
		return nil, fmt.Sprintf("GPU model: vectors of %d values, the CPU's have %d", widths[outputPooled], c.width)
	}
	e, err := c.newSession(graph, name)
	if err != nil {
		return nil, "CUDA does not load: " + err.Error()
	}
	return e, ""
}
