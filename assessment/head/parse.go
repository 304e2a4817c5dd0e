package head

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"heartmark/assessment/model"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxGraph bounds an ONNX file: the largest head that check lets through.
const maxGraph = 256 << 20

// ReadONNX reads a graph that WriteONNX wrote, and no other: what it returns encodes to the same bytes, so that no
// operator, attribute or initializer that was not read can be in the file. The error wraps ErrGraph, ErrManifest or
// ErrWeights.
func ReadONNX(data []byte) (*Model, error) {
	if len(data) > maxGraph {
		return nil, fmt.Errorf("%w: over %d bytes", ErrGraph, maxGraph)
	}
	metadata := make(map[string]string)
	tensors := make(map[string]tensor)
	err := walk(data, func(n protowire.Number, content []byte) error {
		if n == modelMetadata {
			key, val, err := readEntry(content)
			metadata[key] = val
			return err
		}
		if n != modelGraph {
			return nil
		}
		return walk(content, func(n protowire.Number, content []byte) error {
			if n != graphInitializer {
				return nil
			}
			t, err := readTensor(content)
			tensors[t.name] = t
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	m, err := fromMetadata(metadata)
	if err != nil {
		return nil, err
	}
	if m.Network, err = fromTensors(tensors); err != nil {
		return nil, err
	}
	m.Encoder.Width = m.Network.Width
	again, err := WriteONNX(m)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, fmt.Errorf("%w: it holds more, or in another order, than this program writes", ErrGraph)
	}
	return m, nil
}

// walk visits the fields of a message: the content of strings and messages, nil for numbers.
func walk(data []byte, visit func(n protowire.Number, content []byte) error) error {
	for len(data) > 0 {
		n, kind, length := protowire.ConsumeTag(data)
		if length < 0 {
			return fmt.Errorf("%w: %w", ErrGraph, protowire.ParseError(length))
		}
		data = data[length:]
		var content []byte
		if kind == protowire.BytesType {
			content, length = protowire.ConsumeBytes(data)
		} else {
			length = protowire.ConsumeFieldValue(n, kind, data)
		}
		if length < 0 {
			return fmt.Errorf("%w: %w", ErrGraph, protowire.ParseError(length))
		}
		if err := visit(n, content); err != nil {
			return err
		}
		data = data[length:]
	}
	return nil
}

func readEntry(data []byte) (key, val string, err error) {
	err = walk(data, func(n protowire.Number, content []byte) error {
		if n == entryKey {
			key = string(content)
		}
		if n == entryValue {
			val = string(content)
		}
		return nil
	})
	return key, val, err
}

func readTensor(data []byte) (tensor, error) {
	var t tensor
	var raw []byte
	for rest := data; len(rest) > 0; {
		n, kind, length := protowire.ConsumeTag(rest)
		if length < 0 {
			return t, fmt.Errorf("%w: %w", ErrGraph, protowire.ParseError(length))
		}
		rest = rest[length:]
		switch {
		case n == tensorDimensions && kind == protowire.VarintType:
			var d uint64
			if d, length = protowire.ConsumeVarint(rest); length >= 0 {
				if d > maxWidth || len(t.shape) == 2 {
					return t, fmt.Errorf("%w: shape of an initializer", ErrGraph)
				}
				t.shape = append(t.shape, int(d))
			}
		case n == tensorName && kind == protowire.BytesType:
			var name []byte
			name, length = protowire.ConsumeBytes(rest)
			t.name = string(name)
		case n == tensorRaw && kind == protowire.BytesType:
			raw, length = protowire.ConsumeBytes(rest)
		default:
			length = protowire.ConsumeFieldValue(n, kind, rest)
		}
		if length < 0 {
			return t, fmt.Errorf("%w: %w", ErrGraph, protowire.ParseError(length))
		}
		rest = rest[length:]
	}
	count := 1
	for _, d := range t.shape {
		count *= d
	}
	if len(raw) != 4*count {
		return t, fmt.Errorf("%w: initializer %q of shape %s has %d bytes", ErrGraph, t.name, shapeOf(t.shape), len(raw))
	}
	t.values = make([]float32, count)
	for i := range t.values {
		t.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return t, nil
}

func fromMetadata(metadata map[string]string) (*Model, error) {
	if got := metadata[keyFormat]; got != Format {
		return nil, fmt.Errorf("%w: format %q, this program reads %s", ErrGraph, got, Format)
	}
	m := &Model{
		Name: metadata[keyName], Kind: model.Kind(metadata[keyKind]), DataSHA256: metadata[keyData],
		Encoder: EncoderRef{ID: metadata[keyEncoder], SHA256: metadata[keyEncoderSum]},
	}
	for key, to := range map[string]any{keyLabels: &m.Labels, keyCalibration: &m.Calibration} {
		if err := json.Unmarshal([]byte(metadata[key]), to); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrManifest, key, err)
		}
	}
	created, err := time.Parse(time.RFC3339, metadata[keyCreated])
	if err != nil {
		return nil, fmt.Errorf("%w: created: %w", ErrManifest, err)
	}
	m.Created = created.UTC()
	return m, nil
}

func fromTensors(tensors map[string]tensor) (*Network, error) {
	w2, w1 := tensors["w2"], tensors["w1"]
	if len(w2.shape) != 2 {
		return nil, fmt.Errorf("%w: w2 has shape %s", ErrGraph, shapeOf(w2.shape))
	}
	n := &Network{
		Width: w2.shape[1], Outputs: w2.shape[0], Mean: tensors["mean"].values, Scale: tensors["scale"].values,
		W2: w2.values, B2: tensors["b2"].values,
	}
	if len(w1.shape) == 2 {
		n.Hidden, n.Width, n.W1, n.B1 = w1.shape[0], w1.shape[1], w1.values, tensors["b1"].values
	}
	return n, n.check()
}
