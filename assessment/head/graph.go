package head

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the fields of onnx.proto (ONNX 1.17, IR version 10) that a head's graph uses.
const (
	modelIRVersion, modelProducer, modelGraph, modelOpset, modelMetadata       protowire.Number = 1, 2, 7, 8, 14
	opsetVersion                                                               protowire.Number = 2
	entryKey, entryValue                                                       protowire.Number = 1, 2
	graphNode, graphName, graphInitializer, graphInput, graphOutput            protowire.Number = 1, 2, 5, 11, 12
	nodeInput, nodeOutput, nodeName, nodeOperator, nodeAttribute               protowire.Number = 1, 2, 3, 4, 5
	attributeName, attributeInteger, attributeType                             protowire.Number = 1, 3, 20
	tensorDimensions, tensorType, tensorName, tensorRaw                        protowire.Number = 1, 2, 8, 9
	valueName, valueType                                                       protowire.Number = 1, 2
	typeTensor, tensorElement, tensorShape, shapeDimension, dimValue, dimParam protowire.Number = 1, 1, 2, 1, 1, 2
)

const (
	irVersion   = 10
	opset       = 21
	floatType   = 1 // TensorProto.FLOAT
	integerKind = 2 // AttributeProto.INT
	producer    = "heartmark"
)

// Keys of the graph's metadata.
const (
	keyFormat      = "format"
	keyName        = "name"
	keyKind        = "kind"
	keyLabels      = "labels"
	keyEncoder     = "encoder_id"
	keyEncoderSum  = "encoder_sha256"
	keyCalibration = "calibration"
	keyCreated     = "created"
	keyData        = "data_sha256"
)

// message is a protocol buffer message that is being written.
type message []byte

func (m *message) text(n protowire.Number, s string) {
	*m = protowire.AppendString(protowire.AppendTag(*m, n, protowire.BytesType), s)
}

func (m *message) bytes(n protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, n, protowire.BytesType), b)
}

func (m *message) number(n protowire.Number, v uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, n, protowire.VarintType), v)
}

// WriteONNX writes m as an ONNX graph of opset 21 without custom operators: Sub, Mul, then Gemm, or Gemm, Relu, Gemm.
// Equal models give equal bytes. The error is that of a model that does not hold together.
func WriteONNX(m *Model) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	metadata, err := m.metadata()
	if err != nil {
		return nil, err
	}
	var opsets, out message
	opsets.number(opsetVersion, opset) // the default domain is the empty one
	out.number(modelIRVersion, irVersion)
	out.text(modelProducer, producer)
	out.bytes(modelGraph, m.graph())
	out.bytes(modelOpset, opsets)
	for _, pair := range metadata {
		var entry message
		entry.text(entryKey, pair[0])
		entry.text(entryValue, pair[1])
		out.bytes(modelMetadata, entry)
	}
	return out, nil
}

func (m *Model) metadata() ([][2]string, error) {
	labels, err := json.Marshal(m.Labels)
	if err != nil {
		return nil, fmt.Errorf("%w: labels: %w", ErrManifest, err)
	}
	calibration, err := json.Marshal(m.Calibration)
	if err != nil {
		return nil, fmt.Errorf("%w: calibration: %w", ErrManifest, err)
	}
	return [][2]string{
		{keyFormat, Format},
		{keyName, m.Name},
		{keyKind, string(m.Kind)},
		{keyLabels, string(labels)},
		{keyEncoder, m.Encoder.ID},
		{keyEncoderSum, m.Encoder.SHA256},
		{keyCalibration, string(calibration)},
		{keyCreated, m.Created.Format(time.RFC3339)},
		{keyData, m.DataSHA256},
	}, nil
}

// tensor is one initializer: its name, shape and values.
type tensor struct {
	name   string
	shape  []int
	values []float32
}

func (n *Network) tensors() []tensor {
	out := []tensor{{"mean", []int{n.Width}, n.Mean}, {"scale", []int{n.Width}, n.Scale}}
	inner := n.Width
	if n.Hidden > 0 {
		inner = n.Hidden
		out = append(out, tensor{"w1", []int{n.Hidden, n.Width}, n.W1}, tensor{"b1", []int{n.Hidden}, n.B1})
	}
	return append(out, tensor{"w2", []int{n.Outputs, inner}, n.W2}, tensor{"b2", []int{n.Outputs}, n.B2})
}

func (m *Model) graph() message {
	var g message
	last := "standardised"
	g.bytes(graphNode, node("Sub", "centred", Input, "mean"))
	g.bytes(graphNode, node("Mul", last, "centred", "scale"))
	if m.Network.Hidden > 0 {
		g.bytes(graphNode, node("Gemm", "hidden", last, "w1", "b1"))
		last = "rectified"
		g.bytes(graphNode, node("Relu", last, "hidden"))
	}
	g.bytes(graphNode, node("Gemm", m.Output(), last, "w2", "b2"))
	g.text(graphName, m.Name)
	for _, t := range m.Network.tensors() {
		g.bytes(graphInitializer, t.encode())
	}
	g.bytes(graphInput, value(Input, m.Network.Width))
	g.bytes(graphOutput, value(m.Output(), m.Network.Outputs))
	return g
}

func node(operator, output string, inputs ...string) message {
	var n message
	for _, in := range inputs {
		n.text(nodeInput, in)
	}
	n.text(nodeOutput, output)
	n.text(nodeName, output)
	n.text(nodeOperator, operator)
	if operator == "Gemm" { // weights lie as [outputs, inputs]
		var a message
		a.text(attributeName, "transB")
		a.number(attributeInteger, 1)
		a.number(attributeType, integerKind)
		n.bytes(nodeAttribute, a)
	}
	return n
}

func (t tensor) encode() message {
	var m message
	for _, d := range t.shape {
		m.number(tensorDimensions, uint64(d))
	}
	m.number(tensorType, floatType)
	m.text(tensorName, t.name)
	raw := make([]byte, 0, 4*len(t.values))
	for _, v := range t.values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	m.bytes(tensorRaw, raw)
	return m
}

// value describes a tensor of shape [batch, width] fp32.
func value(name string, width int) message {
	var batch, columns, shape, tensor, kind, v message
	batch.text(dimParam, "batch")
	columns.number(dimValue, uint64(width))
	shape.bytes(shapeDimension, batch)
	shape.bytes(shapeDimension, columns)
	tensor.number(tensorElement, floatType)
	tensor.bytes(tensorShape, shape)
	kind.bytes(typeTensor, tensor)
	v.text(valueName, name)
	v.bytes(valueType, kind)
	return v
}

// shapeOf writes a shape for messages.
func shapeOf(dims []int) string {
	s := "["
	for i, d := range dims {
		if i > 0 {
			s += ", "
		}
		s += strconv.Itoa(d)
	}
	return s + "]"
}
