package head

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"heartmark/assessment/model"
)

// Format is the version of the folder and of the graph's metadata.
const Format = "heartmark-head/1"

// namePattern keeps names fit for tensors, folders and query parameters.
var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// CheckName tells what is wrong with the name of a head.
func CheckName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("head name %q: want 1 to 32 of a to z, 0 to 9 and _, a letter first", name)
	}
	return nil
}

// EncoderRef names the encoder that a head reads.
type EncoderRef struct {
	ID     string `json:"id"`     // of the model, such as "dei-m1"
	SHA256 string `json:"sha256"` // of the CPU graph of the model, hex; its exports for GPUs count as the same encoder
	Width  int    `json:"width"`  // values of a vector
}

// Model is a fitted head: all that must be known to run it. The graph carries every field.
type Model struct {
	Name        string
	Kind        model.Kind
	Labels      []string // in output order
	Encoder     EncoderRef
	Calibration Calibration
	Created     time.Time // UTC, whole seconds
	DataSHA256  string    // of the labelled file, hex
	Network     *Network
}

// Input is the name of the graph's input, [batch, width] fp32.
const Input = "pooled"

// Output is the name of the graph's output, [batch, labels] fp32.
func (m *Model) Output() string { return "logits_" + m.Name }

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check holds that the parts agree. The error wraps ErrManifest, ErrGraph or ErrWeights.
func (m *Model) check() error {
	if err := CheckName(m.Name); err != nil {
		return fmt.Errorf("%w: %w", ErrManifest, err)
	}
	switch {
	case m.Kind != model.Softmax && m.Kind != model.Sigmoid:
		return fmt.Errorf("%w: kind %q", ErrManifest, m.Kind)
	case len(m.Labels) == 0 || len(m.Labels) > MaxLabels || !slices.IsSorted(m.Labels) ||
		len(slices.Compact(slices.Clone(m.Labels))) != len(m.Labels):
		return fmt.Errorf("%w: labels are not a sorted list of 1 to %d", ErrManifest, MaxLabels)
	case slices.ContainsFunc(m.Labels, func(l string) bool { return !goodLabel(l) }):
		return fmt.Errorf("%w: a label is not fit to print", ErrManifest)
	case m.Encoder.ID == "" || !digestPattern.MatchString(m.Encoder.SHA256) || !digestPattern.MatchString(m.DataSHA256):
		return fmt.Errorf("%w: encoder or data digest", ErrManifest)
	case m.Created.IsZero() || !m.Created.Equal(m.Created.UTC().Truncate(time.Second)):
		return fmt.Errorf("%w: creation time", ErrManifest)
	}
	if err := m.Calibration.check(m.Kind, len(m.Labels)); err != nil {
		return err
	}
	if m.Network == nil || m.Network.Width != m.Encoder.Width || m.Network.Outputs != len(m.Labels) {
		return fmt.Errorf("%w: shape is not that of encoder and labels", ErrGraph)
	}
	return m.Network.check()
}

// Held are the labels that hold at the given probabilities, in label order; never nil.
func (m *Model) Held(probabilities []float64) []string {
	out := []string{}
	for k, holds := range m.Calibration.Holds(m.Kind, probabilities) {
		if holds {
			out = append(out, m.Labels[k])
		}
	}
	return out
}
