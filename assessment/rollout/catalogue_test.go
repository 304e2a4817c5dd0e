package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"heartmark/assessment/model"
	"heartmark/assessment/rollout"
	"heartmark/schemas"
)

func (w *world) register(t *testing.T, v variant) rollout.Entry {
	t.Helper()
	folder, digest := second(t, v)
	e, err := w.Register(t.Context(), "operator", folder, digest)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// link stores a record with the same line in all dimensions.
func (w *world) link(t *testing.T, m, with rollout.Digest, slope, intercept float64) {
	t.Helper()
	l := rollout.Link{Model: m, With: with, At: moment(), People: 500, Dimensions: map[schemas.Dimension]rollout.Linear{}}
	for _, d := range schemas.Dimensions() {
		l.Dimensions[d] = rollout.Linear{People: 500, Slope: slope, Intercept: intercept, SE: 0.1}
	}
	if err := w.SaveLink(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

// shadowed stores a comparison over so many messages.
func (w *world) shadowed(t *testing.T, m, current rollout.Digest, messages int) {
	t.Helper()
	err := w.store.UpdateDocument(t.Context(), rollout.DocumentKey{Kind: rollout.KindComparison, Model: m, Name: string(current)},
		func([]byte) ([]byte, error) { return fmt.Appendf(nil, `{"messages":%d}`, messages), nil })
	if err != nil {
		t.Fatal(err)
	}
}

// ready gives a model all that a promotion asks for.
func (w *world) ready(t *testing.T, e rollout.Entry, current rollout.Digest, slope, intercept float64) rollout.Promotion {
	t.Helper()
	w.link(t, e.Digest, current, slope, intercept)
	w.shadowed(t, e.Digest, current, 100)
	return rollout.Promotion{Actor: "operator", Name: e.Name(), Reason: "better", Evaluation: evaluation(t, e.Model, 0)}
}

func (w *world) current(t *testing.T) rollout.Entry {
	t.Helper()
	e, _, err := w.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestNewInstallationRunsTheBuiltInModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list, err := w.List(t.Context())
	if err != nil || len(list) != 1 || list[0].State != rollout.StateCurrent || !list[0].BuiltIn || list[0].RunsAs != w.builtIn.Scale {
		t.Errorf("List = %+v, %v, want the built-in model as current", list, err)
	}
	if m, err := w.Load(t.Context(), list[0].Model); err != nil || m.ID != w.builtIn.ID {
		t.Errorf("Load of the built-in model: %v", err)
	}
	if _, err := w.Rollback(t.Context(), "operator", "worse"); !errors.Is(err, rollout.ErrState) {
		t.Errorf("Rollback without a promotion: %v, want ErrState", err)
	}
}

func TestRegisterAndFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.register(t, variant{version: "7.0.0"})
	if e.State != rollout.StateRegistered || e.Version != "7.0.0" || e.SHA256 != w.builtIn.SHA256 || e.Digest == w.builtIn.Digest {
		t.Fatalf("entry %+v", e)
	}
	again, err := w.Register(t.Context(), "operator", e.Folder, e.Digest)
	if err != nil || again.Since != e.Since {
		t.Errorf("Register again = %+v, %v, want no change", again, err)
	}
	if history, _ := w.History(t.Context(), ""); len(history) != 1 {
		t.Errorf("%d transitions after registering twice, want 1", len(history))
	}
	for name, want := range map[string]error{
		"dei-m1@7.0.0": nil, string(e.Digest): nil, string(e.Digest[:8]): nil, strings.ToUpper(string(e.Digest[:10])): nil,
		"dei-m1": rollout.ErrAmbiguous, "dei-m9": rollout.ErrUnknown, string(e.Digest[:7]): rollout.ErrUnknown, "": rollout.ErrUnknown,
	} {
		got, err := w.Find(t.Context(), name)
		if !errors.Is(err, want) || want == nil && got.Digest != e.Digest {
			t.Errorf("Find(%q) = %s, %v, want %v", name, got.Name(), err, want)
		}
	}
	if len(w.journal) != 1 || w.journal[0].Event != rollout.AuditRegister || w.journal[0].Actor != "operator" || w.journal[0].Digest != string(e.Digest) {
		t.Errorf("journal %+v", w.journal)
	}
}

func TestWhatDoesNotLoadIsNotRegistered(t *testing.T) {
	t.Parallel()
	cut := func(name, from, to string) func(string, []byte) []byte {
		return func(file string, data []byte) []byte {
			if file != name {
				return data
			}
			if !strings.Contains(string(data), from) {
				panic("the test looks for " + from)
			}
			return []byte(strings.Replace(string(data), from, to, 1))
		}
	}
	for name, c := range map[string]struct {
		variant variant
		tamper  string // a file that changes after the list of digests was written
		digest  rollout.Digest
		want    error
	}{
		"graph tampered":       {tamper: model.FileModel, want: model.ErrDigest},
		"calibration tampered": {tamper: model.FileCalibration, want: model.ErrDigest},
		"card tampered":        {tamper: model.FileCard, want: model.ErrDigest},
		"list tampered":        {tamper: model.FileSums, want: model.ErrDigest},
		"wrong digest":         {digest: rollout.Digest(strings.Repeat("0", 64)), want: model.ErrDigest},
		"card of another":      {variant: variant{edit: cut(model.FileCard, "# Model card: dei-m1", "# Model card: dei-m2")}, want: model.ErrCard},
		"no head distress": {variant: variant{edit: func(file string, data []byte) []byte {
			if file == model.FileHeads || file == model.FileCalibration {
				return []byte(strings.ReplaceAll(string(data), `"distress"`, `"mystery"`))
			}
			return data
		}}, want: rollout.ErrHeads},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.variant.version = "7.0.0"
			folder, digest := second(t, c.variant)
			if c.digest != "" {
				digest = c.digest
			}
			if c.tamper != "" {
				spoil(t, folder, c.tamper)
			}
			if _, err := w.Register(t.Context(), "operator", folder, digest); !errors.Is(err, c.want) {
				t.Errorf("Register: %v, want %v", err, c.want)
			}
			if list, _ := w.List(t.Context()); len(list) != 1 {
				t.Errorf("%d models are listed, want the built-in one alone", len(list))
			}
		})
	}
}

func spoil(t *testing.T, folder, name string) {
	t.Helper()
	path := filepath.Join(folder, name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A model is checked again at each use: what was sound when it was added may not be now.
func TestWhatNoLongerLoadsIsNotPromoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.register(t, variant{version: "7.0.0"})
	p := w.ready(t, e, w.builtIn.Digest, 1, 0)
	p.Override = true
	spoil(t, e.Folder, model.FileCalibration)
	if _, err := w.Promote(t.Context(), p); !errors.Is(err, model.ErrDigest) {
		t.Errorf("Promote of a spoilt model, overridden: %v, want ErrDigest", err)
	}
	if err := w.Shadow(t.Context(), "operator", e.Name(), 0.1); !errors.Is(err, model.ErrDigest) {
		t.Errorf("Shadow of a spoilt model: %v, want ErrDigest", err)
	}
	if got := w.current(t); !got.BuiltIn {
		t.Errorf("current is %s", got.Name())
	}
}

// Who can write to the store but does not hold the installation's key cannot add a model, nor change what one is.
func TestForgedEntryDoesNotLoad(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(m *rollout.Model){
		"no seal":            func(m *rollout.Model) { m.Seal = nil },
		"seal of other data": func(m *rollout.Model) { m.Seal[len(m.Seal)-1] ^= 1 },
		"another version":    func(m *rollout.Model) { m.Version = "7.0.1" },
		"another graph":      func(m *rollout.Model) { m.SHA256 = strings.Repeat("d", 64) },
		"another digest":     func(m *rollout.Model) { m.Digest = rollout.Digest(strings.Repeat("d", 64)) },
	} {
		w := newWorld(t)
		e := w.register(t, variant{version: "7.0.0"})
		m := e.Model
		m.Seal = append([]byte(nil), m.Seal...)
		forge(&m)
		if _, err := w.Load(t.Context(), m); !errors.Is(err, rollout.ErrSeal) {
			t.Errorf("%s: Load = %v, want ErrSeal", name, err)
		}
		if _, err := w.Load(t.Context(), e.Model); err != nil {
			t.Errorf("%s: the true entry: %v", name, err)
		}
	}
}

func TestPromoteNeedsItsGrounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.register(t, variant{version: "7.0.0"})
	other := e.Model
	other.SHA256 = strings.Repeat("c", 64)
	promote := func(ev *rollout.Evaluation) []string {
		_, err := w.Promote(t.Context(), rollout.Promotion{Actor: "operator", Name: e.Name(), Reason: "r", Evaluation: ev})
		lacks, ok := errors.AsType[*rollout.UnmetError](err)
		if !ok {
			t.Fatalf("Promote: %v, want an UnmetError", err)
		}
		var codes []string
		for _, u := range lacks.Unmet {
			codes = append(codes, u.Code)
		}
		return codes
	}
	check := func(step string, got []string, want string) {
		t.Helper()
		if strings.Join(got, " ") != want {
			t.Errorf("%s: lacks %v, want %s", step, got, want)
		}
	}
	check("nothing", promote(nil), "link shadow evaluation")
	check("another model's evaluation", promote(evaluation(t, other, 0)), "link shadow evaluation")
	check("gates not met", promote(evaluation(t, e.Model, 2)), "link shadow evaluation_gate")
	w.link(t, e.Digest, w.builtIn.Digest, 1, 0)
	check("linked", promote(evaluation(t, e.Model, 0)), "shadow")
	w.shadowed(t, e.Digest, w.builtIn.Digest, 99)
	check("one message too few", promote(evaluation(t, e.Model, 0)), "shadow")
	part := evaluation(t, e.Model, 0)
	part.Whole = false
	w.shadowed(t, e.Digest, w.builtIn.Digest, 100)
	check("a quick evaluation", promote(part), "evaluation")
	if len(w.journal) != 1 {
		t.Errorf("refused promotions are in the journal: %+v", w.journal)
	}
	got, err := w.Promote(t.Context(), rollout.Promotion{Actor: "operator", Name: e.Name(), Evaluation: evaluation(t, e.Model, 0)})
	if err != nil || got.NewScale || got.Scale != w.builtIn.Scale || got.Grounds.Link == "" || got.Grounds.Evaluation == "" || len(got.Grounds.Unmet) > 0 {
		t.Errorf("Promote = %+v, %v, want it on the old scale with its grounds", got, err)
	}
	if now := w.current(t); now.Digest != e.Digest || now.RunsAs != w.builtIn.Scale {
		t.Errorf("current %+v", now)
	}
}

func TestOverrideIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.register(t, variant{version: "7.0.0"})
	p := rollout.Promotion{Actor: "operator", Name: e.Name(), Override: true, Evaluation: evaluation(t, e.Model, 1)}
	if _, err := w.Promote(t.Context(), p); !errors.Is(err, rollout.ErrReason) {
		t.Errorf("override without a reason: %v, want ErrReason", err)
	}
	p.Reason = "the old model fails in an incident"
	got, err := w.Promote(t.Context(), p)
	if err != nil || strings.Join(got.Grounds.Unmet, " ") != "link shadow evaluation_gate" {
		t.Fatalf("Promote = %+v, %v", got, err)
	}
	if !got.NewScale || got.Scale != "v1-provisional" {
		t.Errorf("scale %s, want a new one: without a link nothing tells that it is the same", got.Scale)
	}
	history, err := w.History(t.Context(), e.Digest)
	if err != nil || len(history) != 2 || history[1].Grounds == nil || len(history[1].Grounds.Unmet) != 3 || history[1].Reason != p.Reason || history[1].Actor != "operator" {
		t.Errorf("history %+v, %v", history, err)
	}
	last := w.journal[len(w.journal)-1]
	if last.Event != rollout.AuditPromote || last.Object != e.Name() || !strings.Contains(last.Detail, "overridden link shadow evaluation_gate: the old") {
		t.Errorf("journal %+v", last)
	}
}

func TestScaleVersions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		slope, intercept float64
		scale            string // declared by the new model
		want             string
	}{
		"identity":                  {1, 0, "", "v0-provisional"},
		"within two points":         {1, 1.5, "", "v0-provisional"},
		"a shift of four":           {1, 4, "", "v1-provisional"},
		"a stretch":                 {1.2, -10, "", "v1-provisional"},
		"a scale of its own":        {1, 0, "v3", "v3"},
		"a scale of its own, moved": {1.2, 0, "v3-provisional", "v3-provisional"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e := w.register(t, variant{version: "7.0.0", scale: c.scale})
			got, err := w.Promote(t.Context(), w.ready(t, e, w.builtIn.Digest, c.slope, c.intercept))
			if err != nil || got.Scale != c.want || got.NewScale != (c.want != "v0-provisional") {
				t.Errorf("Promote = scale %s (new: %v), %v, want %s", got.Scale, got.NewScale, err, c.want)
			}
		})
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.register(t, variant{version: "7.0.0"}), w.register(t, variant{version: "8.0.0"})
	if _, err := w.Promote(t.Context(), w.ready(t, a, w.builtIn.Digest, 1, 5)); err != nil { // scale v1
		t.Fatal(err)
	}
	if _, err := w.Promote(t.Context(), w.ready(t, b, a.Digest, 1, 5)); err != nil { // scale v2
		t.Fatal(err)
	}
	if got := w.current(t); got.RunsAs != "v2-provisional" {
		t.Errorf("second promotion runs as %s, want v2-provisional", got.RunsAs)
	}
	if _, err := w.Rollback(t.Context(), "operator", " "); !errors.Is(err, rollout.ErrReason) {
		t.Errorf("Rollback without a reason: %v", err)
	}
	for _, want := range []struct{ name, scale string }{{a.Name(), "v1-provisional"}, {w.builtIn.Name(), w.builtIn.Scale}} {
		got, err := w.Rollback(t.Context(), "operator", "complaints")
		if err != nil || got.Model.Name() != want.name || got.Scale != want.scale {
			t.Errorf("Rollback = %s on %s, %v, want %s on %s", got.Model.Name(), got.Scale, err, want.name, want.scale)
		}
		if now := w.current(t); now.Name() != want.name || now.RunsAs != want.scale {
			t.Errorf("current is %s on %s, want %s on %s", now.Name(), now.RunsAs, want.name, want.scale)
		}
	}
	if _, err := w.Rollback(t.Context(), "operator", "more"); !errors.Is(err, rollout.ErrState) {
		t.Errorf("third Rollback: %v, want ErrState", err)
	}
	// The other model can come back, on a scale that was never used.
	got, err := w.Promote(t.Context(), w.ready(t, b, w.builtIn.Digest, 1, 5))
	if err != nil || got.Scale != "v3-provisional" {
		t.Errorf("Promote after the roll-back = %s, %v, want v3-provisional", got.Scale, err)
	}
	one := 0
	list, _ := w.List(t.Context())
	for _, e := range list {
		if e.State == rollout.StateCurrent {
			one++
		}
	}
	if one != 1 || len(list) != 3 {
		t.Errorf("%d current of %d models, want 1 of 3", one, len(list))
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	a, b := w.register(t, variant{version: "7.0.0"}), w.register(t, variant{version: "8.0.0"})
	for _, share := range []float64{0, -1, 1.1} {
		if err := w.Shadow(ctx, "operator", a.Name(), share); err == nil {
			t.Errorf("a share of %v was taken", share)
		}
	}
	if err := w.Shadow(ctx, "operator", a.Name(), 0.25); err != nil {
		t.Fatal(err)
	}
	if _, shadow, err := w.Current(ctx); err != nil || shadow == nil || shadow.Digest != a.Digest || shadow.Share != 0.25 {
		t.Errorf("shadow %+v, %v", shadow, err)
	}
	for step, err := range map[string]error{
		"a second shadow":          w.Shadow(ctx, "operator", b.Name(), 0.5),
		"the current model":        w.Shadow(ctx, "operator", w.builtIn.Name(), 0.5),
		"remove the shadow":        w.Remove(ctx, "operator", a.Name(), ""),
		"remove the built-in":      w.Remove(ctx, "operator", w.builtIn.Name(), ""),
		"promote the current one":  second2(w.Promote(ctx, rollout.Promotion{Actor: "operator", Name: w.builtIn.Name()})),
		"register the shadow away": second2(w.Register(ctx, "operator", copyFolder(t, a.Folder), a.Digest)),
	} {
		if !errors.Is(err, rollout.ErrState) {
			t.Errorf("%s: %v, want ErrState", step, err)
		}
	}
	if err := w.EndShadow(ctx, "operator"); err != nil {
		t.Fatal(err)
	}
	if err := w.EndShadow(ctx, "operator"); !errors.Is(err, rollout.ErrState) {
		t.Errorf("EndShadow twice: %v", err)
	}
	moved := copyFolder(t, a.Folder)
	if e, err := w.Register(ctx, "operator", moved, a.Digest); err != nil || e.Folder != moved {
		t.Errorf("Register from another folder = %+v, %v", e, err)
	}
	if err := w.Remove(ctx, "operator", a.Name(), "superseded"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Find(ctx, a.Name()); !errors.Is(err, rollout.ErrUnknown) {
		t.Errorf("a removed model is found: %v", err)
	}
	if e, err := w.Register(ctx, "operator", a.Folder, a.Digest); err != nil || e.State != rollout.StateRegistered {
		t.Errorf("a removed model comes back: %+v, %v", e, err)
	}
	if history, _ := w.History(ctx, a.Digest); len(history) != 6 {
		t.Errorf("%d transitions of the model, want 6: none is lost", len(history))
	}
}

func second2[T any](_ T, err error) error { return err }

func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// A new program brings another built-in model.
func TestNewProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := w.builtIn
	next.Digest, next.Version, next.Scale = rollout.Digest(strings.Repeat("e", 64)), "9.9.9", "v5"
	if e, _, err := w.open(t, next).Current(t.Context()); err != nil || e.Version != "9.9.9" || e.RunsAs != "v5" {
		t.Errorf("without a promotion the new built-in model is current; got %s on %s, %v", e.Name(), e.RunsAs, err)
	}
	a := w.register(t, variant{version: "7.0.0"})
	if _, err := w.Promote(t.Context(), w.ready(t, a, w.builtIn.Digest, 1, 0)); err != nil {
		t.Fatal(err)
	}
	c := w.open(t, next)
	if e, _, err := c.Current(t.Context()); err != nil || e.Digest != a.Digest {
		t.Errorf("the promoted model stays current under a new program; got %s, %v", e.Name(), err)
	}
	if _, err := c.Rollback(t.Context(), "operator", "worse"); !errors.Is(err, rollout.ErrState) {
		t.Errorf("Rollback to a model that is gone: %v, want ErrState", err)
	}
	// Under the first program it can be rolled back to its own; a new program after that runs its own.
	if _, err := w.Rollback(t.Context(), "operator", "worse"); err != nil {
		t.Fatal(err)
	}
	if e, _, err := c.Current(t.Context()); err != nil || e.Version != "9.9.9" {
		t.Errorf("current under the new program is %s, %v", e.Name(), err)
	}
}

func TestJournalComesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.register(t, variant{version: "7.0.0"})
	w.refuse = errBroken
	p := w.ready(t, a, w.builtIn.Digest, 1, 0)
	if _, err := w.Promote(t.Context(), p); !errors.Is(err, errBroken) {
		t.Errorf("Promote without a journal: %v, want its error", err)
	}
	w.refuse, w.store.fail = nil, errBroken
	if _, err := w.Promote(t.Context(), p); !errors.Is(err, errBroken) {
		t.Errorf("Promote without a store: %v, want its error", err)
	}
	if got := w.current(t); !got.BuiltIn {
		t.Errorf("current is %s", got.Name())
	}
}

// Of many who promote at once, one does.
func TestOneOfManyPromotes(t *testing.T) {
	t.Parallel()
	builtIn, err := rollout.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: newMemoryStore(), builtIn: builtIn}
	w.Catalogue, err = rollout.New(rollout.Config{
		Store: w.store, BuiltIn: builtIn, Sealer: sealer{}, Now: moment, Policy: rollout.Policy{MinShadowed: 100},
		Journal: func(context.Context, rollout.Event) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	a := w.register(t, variant{version: "7.0.0"})
	p := w.ready(t, a, builtIn.Digest, 1, 0)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch _, err := w.Promote(t.Context(), p); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, rollout.ErrStale) && !errors.Is(err, rollout.ErrState):
				t.Errorf("Promote: %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d promoted, want 1", won.Load())
	}
}

func TestReadEvaluationRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"not JSON":     `{`,
		"other schema": `{"schema":"dei-assessment/1"}`,
		"no gates":     `{"schema":"dei-evaluation/1","measures":[{"suite":"heads","metric":"F1","value":1}]}`,
		"a bad gate":   `{"schema":"dei-evaluation/1","measures":[{"suite":"heads","gate":{}}]}`,
	} {
		if _, err := rollout.ReadEvaluation([]byte(data)); !errors.Is(err, rollout.ErrEvaluation) {
			t.Errorf("%s: %v, want ErrEvaluation", name, err)
		}
	}
	// A gate whose number could not be measured is not met, whatever the value says.
	e, err := rollout.ReadEvaluation([]byte(`{"schema":"dei-evaluation/1","measures":[{"suite":"speed","value":900,"missing":true,"gate":{"at_least":100}}]}`))
	if err != nil || len(e.Failed) != 1 || e.Whole {
		t.Errorf("ReadEvaluation = %+v, %v, want one failed gate of a part", e, err)
	}
}

func TestParseDigest(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("ab", 32)
	for _, in := range []string{want, strings.ToUpper(want), "sha256:" + want} {
		if got, err := rollout.ParseDigest(in); err != nil || string(got) != want {
			t.Errorf("ParseDigest(%q) = %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "ab", want + "00", strings.Repeat("zz", 32)} {
		if got, err := rollout.ParseDigest(in); err == nil {
			t.Errorf("ParseDigest(%q) = %s", in, got)
		}
	}
}
