//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"runtime"

	ort "github.com/yalue/onnxruntime_go"
)

// inputNames are those of the graph's inputs, both int64 [batch, sequence].
func inputNames() [2]string { return [2]string{"input_ids", "attention_mask"} }

// binder is a runner on a session. All its tensors are views of the same few buffers, so a run allocates nothing once
// its shape has been met; there are at most 244 shapes (122 of rows by length, times two wants) of a few kilobytes.
type binder struct {
	session *session
	pins    runtime.Pinner // the buffers' addresses are kept outside Go
	ids     []int64
	mask    []int64
	outputs [wants][]output
	bound   map[shape]*binding
}

var _ runner = (*binder)(nil)

type shape struct {
	want         want
	rows, length int
}

// binding joins the buffers to the session for one shape.
type binding struct {
	io      *ort.IoBinding
	inputs  [2]*ort.Tensor[int64]
	results []*ort.Tensor[float32]
	outputs []output
}

func newBinder(s *session) *binder {
	tokens := 0
	for _, length := range buckets() {
		tokens = max(tokens, length*capacity(length))
	}
	b := &binder{session: s, ids: make([]int64, tokens), mask: make([]int64, tokens), bound: make(map[shape]*binding)}
	b.pins.Pin(&b.ids[0])
	b.pins.Pin(&b.mask[0])
	for w, names := range s.outputs {
		for _, o := range names {
			data := make([]float32, MaxBatch*o.width)
			b.pins.Pin(&data[0])
			b.outputs[w] = append(b.outputs[w], output{data, o.width})
		}
	}
	return b
}

// run implements runner.
func (b *binder) run(in *batch) ([]output, error) {
	at := shape{in.want, len(in.rows), in.length()}
	bound, ok := b.bound[at]
	if !ok {
		var err error
		if bound, err = b.bind(at); err != nil {
			return nil, err
		}
		b.bound[at] = bound
	}
	fill(b.ids, b.mask, in.rows, at.length)
	if b.session.cuda() { // an input is copied to the device when it is bound
		for i, name := range inputNames() {
			if err := bound.io.BindInput(name, bound.inputs[i]); err != nil {
				return nil, err
			}
		}
	}
	if err := b.session.run.RunWithBinding(bound.io); err != nil {
		return nil, err
	}
	return bound.outputs, nil
}

// bind makes the tensors of one shape. Outputs are bound to memory of the CPU, to which CUDA copies them.
func (b *binder) bind(at shape) (*binding, error) {
	bound := &binding{}
	err := b.tensors(bound, at)
	if err == nil {
		bound.io, err = b.session.run.CreateIoBinding()
	}
	if err == nil {
		err = b.join(bound, at)
	}
	if err != nil {
		return nil, errors.Join(err, bound.close())
	}
	return bound, nil
}

func (b *binder) tensors(bound *binding, at shape) error {
	for i, data := range [2][]int64{b.ids, b.mask} {
		tensor, err := ort.NewTensor(ort.NewShape(int64(at.rows), int64(at.length)), data)
		if err != nil {
			return err
		}
		bound.inputs[i] = tensor
	}
	for _, o := range b.outputs[at.want] {
		tensor, err := ort.NewTensor(ort.NewShape(int64(at.rows), int64(o.width)), o.data)
		if err != nil {
			return err
		}
		bound.results = append(bound.results, tensor)
		bound.outputs = append(bound.outputs, output{tensor.GetData(), o.width})
	}
	return nil
}

func (b *binder) join(bound *binding, at shape) error {
	for i, name := range inputNames() {
		if err := bound.io.BindInput(name, bound.inputs[i]); err != nil {
			return fmt.Errorf("input %s: %w", name, err)
		}
	}
	for i, o := range b.session.outputs[at.want] {
		if err := bound.io.BindOutput(o.name, bound.results[i]); err != nil {
			return fmt.Errorf("output %s: %w", o.name, err)
		}
	}
	return nil
}

func (b *binding) close() error {
	var faults []error
	if b.io != nil {
		faults = append(faults, b.io.Destroy())
	}
	for _, tensor := range b.inputs {
		if tensor != nil {
			faults = append(faults, tensor.Destroy())
		}
	}
	for _, tensor := range b.results {
		faults = append(faults, tensor.Destroy())
	}
	return errors.Join(faults...)
}

// close frees the tensors, then lets go of the session.
func (b *binder) close() error {
	var faults []error
	for _, bound := range b.bound {
		faults = append(faults, bound.close())
	}
	b.bound = nil
	b.pins.Unpin()
	return errors.Join(append(faults, b.session.close())...)
}
