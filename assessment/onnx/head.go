//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// Head is a small graph that reads vectors and writes the logits of one head, such as `heartmark train` fits. It runs on
// the CPU and is safe for concurrent use. Close it when it is no longer needed.
type Head struct {
	width, labels int
	run           *ort.DynamicAdvancedSession

	// gate is held shared by runs and exclusively by Close, which therefore waits for them.
	gate   sync.RWMutex
	closed bool
}

// OpenHead loads the graph of a head: one input [batch, width] fp32, one output [batch, labels] fp32. It uses the library
// that a Classifier has loaded, and finds one itself where none is loaded. A graph of another shape is ErrRun.
func OpenHead(graph []byte, width, labels int) (*Head, error) {
	if err := joinEnvironment(); err != nil {
		return nil, err
	}
	h := &Head{width: width, labels: labels}
	if err := h.load(graph); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: load head: %w", ErrRun, err), releaseEnvironment())
	}
	return h, nil
}

// joinEnvironment counts one more user of the library that is loaded, whichever it is.
func joinEnvironment() error {
	environment.mu.Lock()
	if environment.users > 0 {
		environment.users++
		environment.mu.Unlock()
		return nil
	}
	environment.mu.Unlock()
	lib, err := FindLibrary("")
	if err != nil {
		return err
	}
	return acquireEnvironment(lib)
}

func (h *Head) load(graph []byte) error {
	inputs, outputs, err := ort.GetInputOutputInfoWithONNXData(graph)
	if err != nil {
		return err
	}
	if len(inputs) != 1 || len(outputs) != 1 || !isTable(inputs[0], h.width) || !isTable(outputs[0], h.labels) {
		return fmt.Errorf("the graph does not lead from one [batch, %d] to one [batch, %d]", h.width, h.labels)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer func() { _ = options.Destroy() }()
	if err := options.SetIntraOpNumThreads(1); err != nil {
		return err
	}
	if err := options.SetInterOpNumThreads(1); err != nil {
		return err
	}
	h.run, err = ort.NewDynamicAdvancedSessionWithONNXData(graph, []string{inputs[0].Name}, []string{outputs[0].Name}, options)
	return err
}

// isTable tells a tensor [any number, width] fp32.
func isTable(v ort.InputOutputInfo, width int) bool {
	return v.OrtValueType == ort.ONNXTypeTensor && v.DataType == ort.TensorElementDataTypeFloat && len(v.Dimensions) == 2 &&
		v.Dimensions[0] < 0 && v.Dimensions[1] == int64(width)
}

// Run answers the logits of each vector, in order. Vectors run one by one: the library adds in another order for other
// batch sizes, and the same vector must give the same logits whatever stands beside it.
func (h *Head) Run(vectors [][]float32) ([][]float32, error) {
	h.gate.RLock()
	defer h.gate.RUnlock()
	if h.closed {
		return nil, ErrClosed
	}
	in, err := ort.NewEmptyTensor[float32](ort.NewShape(1, int64(h.width)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRun, err)
	}
	defer func() { _ = in.Destroy() }()
	out, err := ort.NewEmptyTensor[float32](ort.NewShape(1, int64(h.labels)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRun, err)
	}
	defer func() { _ = out.Destroy() }()
	logits := make([][]float32, len(vectors))
	for i, v := range vectors {
		if len(v) != h.width {
			return nil, fmt.Errorf("%w: vector %d has %d values, want %d", ErrRun, i, len(v), h.width)
		}
		copy(in.GetData(), v)
		if err := h.run.Run([]ort.Value{in}, []ort.Value{out}); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRun, err)
		}
		logits[i] = append([]float32(nil), out.GetData()...)
	}
	return logits, nil
}

// Close waits for the runs under way, then frees the session and, after the last user, the library.
func (h *Head) Close() error {
	h.gate.Lock()
	defer h.gate.Unlock()
	if h.closed {
		return nil
	}
	h.closed = true
	return errors.Join(h.run.Destroy(), releaseEnvironment())
}
