package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"heartmark/assessment/model"
)

// outputPooled is the output that holds the frozen vectors: [batch, width] fp32, what every head reads.
const outputPooled = "pooled"

// errGraph is wrapped when the bytes of a model are not those of an ONNX graph.
var errGraph = errors.New("not an ONNX graph")

// Numbers of the fields of onnx.proto (ONNX 1.17) that lead to the names and shapes of the outputs.
const (
	modelGraph      = 7  // ModelProto.graph
	graphOutput     = 12 // GraphProto.output, repeated
	valueName       = 1  // ValueInfoProto.name
	valueType       = 2  // ValueInfoProto.type
	typeTensor      = 1  // TypeProto.tensor_type
	tensorShape     = 2  // TypeProto.Tensor.shape
	shapeDimension  = 1  // TensorShapeProto.dim, repeated
	dimensionLength = 1  // TensorShapeProto.Dimension.dim_value
)

// outputWidths reads the outputs of a graph: the last dimension by name, 0 where the graph leaves it open. It reads the
// head of the file only, in a few microseconds: the library would load the whole model a second time to tell.
func outputWidths(model []byte) (map[string]int, error) {
	widths := make(map[string]int)
	err := fields(model, func(number int, content []byte, _ uint64) error {
		if number != modelGraph {
			return nil
		}
		return fields(content, func(number int, content []byte, _ uint64) error {
			if number != graphOutput {
				return nil
			}
			name, width, err := readOutput(content)
			widths[name] = width
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if len(widths) == 0 {
		return nil, fmt.Errorf("%w: no outputs", errGraph)
	}
	return widths, nil
}

// chooseHeads are the heads of the model that names lists, in the model's order; all without a list.
func chooseHeads(heads []model.Head, names []string) ([]model.Head, error) {
	if len(names) == 0 {
		return heads, nil
	}
	var chosen []model.Head
	for _, h := range heads {
		if slices.Contains(names, h.Name) {
			chosen = append(chosen, h)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(h model.Head) bool { return h.Name == name }) {
			return nil, fmt.Errorf("%w: head %q is not in the manifest", ErrHead, name)
		}
	}
	return chosen, nil
}

// checkOutputs refuses heads that the graph lacks or has with another number of labels.
func checkOutputs(widths map[string]int, heads []model.Head) error {
	for _, h := range heads {
		width, ok := widths[h.Output()]
		if !ok {
			return fmt.Errorf("%w: the graph has no output %s", ErrHead, h.Output())
		}
		if width != len(h.Labels) {
			return fmt.Errorf("%w: output %s has %d columns for %d labels", ErrHead, h.Output(), width, len(h.Labels))
		}
	}
	return nil
}

func readOutput(value []byte) (name string, width int, err error) {
	err = fields(value, func(number int, content []byte, _ uint64) error {
		switch number {
		case valueName:
			name = string(content)
		case valueType:
			return descend(content, []int{typeTensor, tensorShape, shapeDimension}, func(dimension []byte) error {
				width = 0 // the last dimension counts
				return fields(dimension, func(number int, _ []byte, n uint64) error {
					if number == dimensionLength && n < 1<<20 {
						width = int(n)
					}
					return nil
				})
			})
		}
		return nil
	})
	return name, width, err
}

// descend calls visit with every message that the path of field numbers leads to.
func descend(message []byte, path []int, visit func([]byte) error) error {
	if len(path) == 0 {
		return visit(message)
	}
	return fields(message, func(number int, content []byte, _ uint64) error {
		if number != path[0] {
			return nil
		}
		return descend(content, path[1:], visit)
	})
}

// fields calls visit with every field of a protocol buffer message: its content for strings and messages, its value for
// numbers of variable length.
func fields(message []byte, visit func(number int, content []byte, value uint64) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
			return fmt.Errorf("%w: broken field tag", errGraph)
		}
		message = message[n:]
		var content []byte
		var value uint64
		size := 0
		switch tag & 7 {
		case 0:
			if value, size = binary.Uvarint(message); size <= 0 {
				return fmt.Errorf("%w: broken number", errGraph)
			}
		case 1:
			size = 8
		case 5:
			size = 4
		case 2:
			length, n := binary.Uvarint(message)
			if n <= 0 || length > uint64(len(message)-n) {
				return fmt.Errorf("%w: broken length", errGraph)
			}
			content, size = message[n:n+int(length)], n+int(length)
		default:
			return fmt.Errorf("%w: wire type %d", errGraph, tag&7)
		}
		if size > len(message) {
			return fmt.Errorf("%w: cut short", errGraph)
		}
		if err := visit(int(tag>>3), content, value); err != nil {
			return err
		}
		message = message[size:]
	}
	return nil
}
