package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"heartmark/assessment/head"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
)

// encoderRef names the encoder of a model by its CPU graph, whatever provider runs: on CUDA the vectors come from an export of
// the same weights, which is known by its digest too and differs within the limits of the evaluation ("Equivalence"), and the
// CPU may take over at any time. So a head fits wherever this program runs the model.
func encoderRef(m *model.Manifest, classifier *onnx.Classifier) (head.EncoderRef, error) {
	ref := head.EncoderRef{ID: m.ID, SHA256: m.Digests[model.FileModel], Width: classifier.Width()}
	if ref.Width == 0 {
		return ref, exitWith(ExitUnavailable, fmt.Errorf("model %s has no vectors that a head could read", m.ID))
	}
	return ref, nil
}

// openHead reads the head in dir and joins it with the running encoder. Close it before the classifier.
func openHead(dir string, classifier *onnx.Classifier, ref head.EncoderRef) (*head.Head, error) {
	m, _, err := head.Load(os.DirFS(dir))
	if err != nil {
		return nil, exitWith(ExitData, fmt.Errorf("head %s: %w", dir, err))
	}
	h, err := head.Open(m, head.Runtime{
		Encoder: classifier, Ref: ref,
		Open: func(graph []byte, width, labels int) (head.Runner, error) { return onnx.OpenHead(graph, width, labels) },
	})
	if err != nil {
		return nil, exitWith(ExitUnavailable, fmt.Errorf("head %s: %w", dir, err))
	}
	return h, nil
}

// openHeads opens the heads in dirs on the vectors of the current model, to be served by name. One that does not load stops
// the start: a caller must not find other labels than those that were configured.
func (a *App) openHeads(ctx context.Context, dirs []string, s *scoring) error {
	if len(dirs) == 0 {
		return nil
	}
	ref, err := encoderRef(s.manifest, s.classifier)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		h, err := openHead(dir, s.classifier, ref)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, h.Close)
		name := h.Model().Name
		if _, twice := s.heads[name]; twice {
			return exitWith(ExitUsage, fmt.Errorf("head %s: %w", dir, errTwoHeads))
		}
		s.heads[name] = h
		a.log.InfoContext(ctx, "head ready", slog.String("head", name), slog.String("graph_sha256", h.GraphSHA256()))
	}
	return nil
}

// errTwoHeads: two configured heads have one name.
var errTwoHeads = errors.New("another configured head has the same name")
