//go:build !cgo

package onnx

// Head is the head of a program without cgo: there is none.
type Head struct{}

// OpenHead answers ErrNoCgo.
func OpenHead([]byte, int, int) (*Head, error) { return nil, ErrNoCgo }

// Run answers ErrNoCgo.
func (*Head) Run([][]float32) ([][]float32, error) { return nil, ErrNoCgo }

// Close does nothing.
func (*Head) Close() error { return nil }
