//go:build !cgo

package onnx

import (
	"context"

	"heartmark/assessment"
)

// Classifier is the classifier of a program without cgo: there is none.
type Classifier struct{}

var _ assessment.Classifier = (*Classifier)(nil)

// Open answers ErrNoCgo.
func Open(Config) (*Classifier, error) { return nil, ErrNoCgo }

// Classify answers ErrNoCgo.
func (*Classifier) Classify(context.Context, []assessment.ClassifierInput) ([]assessment.Scores, error) {
	return nil, ErrNoCgo
}

// Info is empty.
func (*Classifier) Info() assessment.ModelInfo { return assessment.ModelInfo{} }

// Close does nothing.
func (*Classifier) Close() error { return nil }

// Vectors answers ErrNoCgo.
func (*Classifier) Vectors(context.Context, []assessment.ClassifierInput) ([][]float32, error) {
	return nil, ErrNoCgo
}

// Width is 0.
func (*Classifier) Width() int { return 0 }
