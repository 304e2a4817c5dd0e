package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"heartmark/api/assessmentapi"
	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/assessment/rollout"
	"heartmark/assessment/text"
	"heartmark/internal/config"
	"heartmark/issuer"
)

var _ assessmentapi.Assessor = (*scoring)(nil)

// scoring is what the server scores and labels with: the current model of the catalogue, with the drift watch and the model
// in its shadow, and the operator's own heads on its vectors. Run does its background work.
type scoring struct {
	*rollout.Monitor
	classifier *onnx.Classifier
	manifest   *model.Manifest
	shadow     *rollout.Shadow // nil: none
	heads      map[string]assessmentapi.Labeller
	closers    []func() error
}

// Close closes heads and models, the last first. The background work must have ended.
func (s *scoring) Close() error {
	var faults []error
	for n := len(s.closers) - 1; n >= 0; n-- {
		faults = append(faults, s.closers[n]())
	}
	s.closers = nil
	return errors.Join(faults...)
}

// models is the list of models of this installation.
func (a *App) models() (*rollout.Catalogue, error) {
	builtIn, err := rollout.BuiltIn()
	if err != nil {
		return nil, exitWith(ExitUnavailable, err)
	}
	return rollout.New(rollout.Config{Store: a.Store.Models(), BuiltIn: builtIn, Sealer: a.Keys, Journal: a.auditModels, Now: a.now})
}

// auditModels writes what is done with models to the audit trail before it happens.
func (a *App) auditModels(ctx context.Context, e rollout.Event) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: e.At, Event: e.Event, Actor: e.Actor, Object: e.Object, Detail: e.Detail, Digest: e.Digest,
	})
}

// openScoring opens the current model of the catalogue, the built-in one where none was promoted, and the one in its shadow. A
// current model that does not load is an error, never replaced by another in silence; a shadow that does not load is told and
// left out. App.Close closes it. progress may be nil.
func (a *App) openScoring(ctx context.Context, progress func(done, total int)) (_ *scoring, err error) {
	catalogue, err := a.models()
	if err != nil {
		return nil, err
	}
	current, shadow, err := catalogue.Current(ctx)
	if err != nil {
		return nil, err
	}
	s := &scoring{heads: map[string]assessmentapi.Labeller{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			return
		}
		a.closers = append(a.closers, s.Close)
	}()
	s.classifier, s.manifest, err = a.openModel(ctx, catalogue, a.Config.Model, current.Model)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.classifier.Close)
	classifier := rollout.WithScale(s.classifier, current.RunsAs)
	hashKey, err := a.secret(ctx, itemHashes)
	if err != nil {
		return nil, err
	}
	sampleKey, err := a.secret(ctx, "shadow sample")
	if err != nil {
		return nil, err
	}
	c := rollout.MonitorConfig{
		Model: current.Digest, Kinds: kindsOf(s.manifest),
		Assessor: assessment.Config{Classifier: classifier, Language: text.Language, HashKey: hashKey, Progress: progress},
		Key:      sampleKey, Store: a.Store.Models(), Now: a.now, Log: a.log,
	}
	if shadow != nil {
		if c.Shadow, err = a.openShadow(ctx, catalogue, s, *shadow, c); err != nil {
			a.log.WarnContext(ctx, "model in the shadow is left out", slog.String("model", shadow.Name()), slog.String("error", err.Error()))
			c.Shadow, err = nil, nil
		}
	}
	s.shadow = c.Shadow
	a.log.InfoContext(ctx, "model", slog.String("current", current.Name()), slog.String("digest", string(current.Digest)),
		slog.String("scale", current.RunsAs), slog.Bool("shadow", c.Shadow != nil))
	if s.Monitor, err = rollout.NewMonitor(c); err != nil {
		return nil, err
	}
	return s, a.metrics.Register(s.Monitor)
}

// openShadow opens the model in the shadow on one thread of the CPU, so that it takes little from the one that answers.
func (a *App) openShadow(ctx context.Context, catalogue *rollout.Catalogue, s *scoring, e rollout.Entry, m rollout.MonitorConfig) (*rollout.Shadow, error) {
	settings := a.Config.Model
	settings.Provider, settings.GPUModel, settings.Workers = onnx.ProviderCPU, "", 1
	classifier, manifest, err := a.openModel(ctx, catalogue, settings, e.Model)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, classifier.Close)
	return rollout.NewShadow(rollout.ShadowConfig{
		Model: e.Digest, Current: m.Model, Kinds: kindsOf(manifest), Share: e.Share, Key: m.Key, Store: m.Store, Now: m.Now, Log: m.Log,
		Assessor: assessment.Config{Classifier: classifier, Language: text.Language, HashKey: m.Assessor.HashKey},
	}, m.Assessor.Classifier.Info())
}

// openModel checks the files of a catalogued model and opens it. The configured GPU export belongs to the built-in model; another
// model runs on a GPU where its folder lists an export of its own.
func (a *App) openModel(ctx context.Context, catalogue *rollout.Catalogue, c config.Model, m rollout.Model) (*onnx.Classifier, *model.Manifest, error) {
	manifest, err := catalogue.Load(ctx, m)
	if err != nil {
		return nil, nil, exitWith(ExitUnavailable, err)
	}
	if !m.BuiltIn {
		c.GPUModel = ""
		if manifest.Digests[model.FileFP16] != "" {
			c.GPUModel = filepath.Join(m.Folder, model.FileFP16)
		}
	}
	classifier, err := onnx.Open(onnx.Config{
		LibraryPath: c.Library, Provider: c.Provider, GPUModel: c.GPUModel, Workers: c.Workers, Model: manifest, Log: a.log,
		Heads: scoredHeads(manifest), Metrics: a.metrics, Now: a.now,
	})
	if err != nil {
		return nil, nil, exitWith(ExitUnavailable, fmt.Errorf("model %s: %w", m.Name(), err))
	}
	return classifier, manifest, nil
}

func kindsOf(m *model.Manifest) map[string]model.Kind {
	kinds := make(map[string]model.Kind, len(m.Heads))
	for _, h := range m.Heads {
		kinds[h.Name] = h.Kind
	}
	return kinds
}

// scoredHeads are those heads of a model that gates and facets read. The others are for the evaluation only, and cost time.
func scoredHeads(m *model.Manifest) []string {
	var out []string
	for _, h := range m.Heads {
		if slices.Contains(assessment.Heads(), h.Name) {
			out = append(out, h.Name)
		}
	}
	return out
}
