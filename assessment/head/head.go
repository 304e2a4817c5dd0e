package head

import (
	"context"
	"fmt"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/text"
)

// Runner runs the graph of a head; an onnx.Head is one. Run answers one row of logits a vector, in order, the same
// whatever stands beside it. It is safe for concurrent use.
type Runner interface {
	Run(vectors [][]float32) ([][]float32, error)
	Close() error
}

// Runtime is what a head runs on.
type Runtime struct {
	Encoder assessment.Encoder
	// Ref names the encoder that is running.
	Ref EncoderRef
	// Open makes a Runner of a graph with the given width of vectors and number of labels.
	Open func(graph []byte, width, labels int) (Runner, error)
}

// Head is a fitted head on the running encoder. It is safe for concurrent use. Close it when it is no longer needed.
type Head struct {
	model   *Model
	encoder assessment.Encoder
	runner  Runner
	sum     string // SHA-256 of the graph
}

// Open joins a head with the running encoder. It returns ErrEncoder when the head was fitted on another one.
func Open(m *Model, r Runtime) (*Head, error) {
	if m.Encoder != r.Ref {
		return nil, fmt.Errorf("%w: head %s needs %s with SHA-256 %s and vectors of %d, running is %s with %s and %d; train it again", ErrEncoder,
			m.Name, m.Encoder.ID, m.Encoder.SHA256, m.Encoder.Width, r.Ref.ID, r.Ref.SHA256, r.Ref.Width)
	}
	graph, err := WriteONNX(m)
	if err != nil {
		return nil, err
	}
	runner, err := r.Open(graph, m.Network.Width, m.Network.Outputs)
	if err != nil {
		return nil, fmt.Errorf("head %s: %w", m.Name, err)
	}
	return &Head{model: m, encoder: r.Encoder, runner: runner, sum: digest(graph)}, nil
}

// Model is what the head runs. It must not be changed.
func (h *Head) Model() *Model { return h.model }

// GraphSHA256 names the graph, hex.
func (h *Head) GraphSHA256() string { return h.sum }

// Close frees the runner.
func (h *Head) Close() error { return h.runner.Close() }

// Reasons why a text gets no label.
const (
	ReasonEmpty    = "empty"    // nothing to read: spaces, marks, only signs
	ReasonLanguage = "language" // neither English nor Chinese
)

// sureOther is the confidence from which another language is not labelled (assessment design, section 11).
const sureOther = 0.8

// Prediction is the answer to one text.
type Prediction struct {
	Labels []string // that hold: one of a softmax head, none or more of a sigmoid head
	Values []float64
	Reason string // why there are neither labels nor values; else empty
}

// Classify answers one Prediction a text, in order. Contact data are masked before the encoder sees a text, as they were
// in training. Texts with nothing to read, and those surely of another language, get a reason in place of labels.
func (h *Head) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]Prediction, error) {
	out := make([]Prediction, len(in))
	scrub := evidence.NewScrubber(nil)
	var todo []assessment.ClassifierInput
	var places []int
	for i, one := range in {
		if out[i].Reason = refusal(one.Text); out[i].Reason == "" {
			todo, places = append(todo, input(scrub, one.Text, one.Lang, one.Context)), append(places, i)
		}
	}
	if len(todo) == 0 {
		return out, nil
	}
	vectors, err := h.encoder.Vectors(ctx, todo)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	logits, err := h.run(vectors, len(todo))
	if err != nil {
		return nil, err
	}
	for j, i := range places {
		p := h.model.Calibration.Probabilities(h.model.Kind, logits[j])
		out[i] = Prediction{Labels: h.model.Held(p), Values: p}
	}
	return out, nil
}

func (h *Head) run(vectors [][]float32, want int) ([][]float32, error) {
	if len(vectors) != want {
		return nil, fmt.Errorf("%w: %d vectors for %d texts", ErrRun, len(vectors), want)
	}
	logits, err := h.runner.Run(vectors)
	if err != nil {
		return nil, fmt.Errorf("head %s: %w", h.model.Name, err)
	}
	if len(logits) != want {
		return nil, fmt.Errorf("%w: %d answers for %d vectors", ErrRun, len(logits), want)
	}
	for i, row := range logits {
		if len(row) != len(h.model.Labels) || notFinite(row) >= 0 {
			return nil, fmt.Errorf("%w: answer %d", ErrRun, i)
		}
	}
	return logits, nil
}

// refusal says why a text is not labelled; empty where it is.
func refusal(s string) string {
	if strings.TrimFunc(s, blank) == "" {
		return ReasonEmpty
	}
	lang, sure := text.Language(s)
	if lang == text.Other && sure == 0 {
		return ReasonEmpty
	}
	if lang == text.Other && sure >= sureOther {
		return ReasonLanguage
	}
	return ""
}

// chunk is how many rows Vectors encodes at a time, for progress.
const chunk = 256

// Vectors encodes rows with the frozen encoder: [rows][Width]. progress, which may be nil, counts rows.
func Vectors(ctx context.Context, e assessment.Encoder, rows []Row, progress func(done, total int)) ([][]float32, error) {
	scrub := evidence.NewScrubber(nil)
	out := make([][]float32, 0, len(rows))
	for start := 0; start < len(rows); start += chunk {
		part := rows[start:min(start+chunk, len(rows))]
		in := make([]assessment.ClassifierInput, len(part))
		for i, r := range part {
			in[i] = input(scrub, r.Text, r.Lang, r.Context)
		}
		vectors, err := e.Vectors(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		if len(vectors) != len(part) {
			return nil, fmt.Errorf("%w: %d vectors for %d texts", ErrRun, len(vectors), len(part))
		}
		out = append(out, vectors...)
		if progress != nil {
			progress(len(out), len(rows))
		}
	}
	return out, nil
}
