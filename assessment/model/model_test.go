package model_test

import (
	"errors"
	"io/fs"
	"math"
	"testing"
	"testing/fstest"

	"heartmark/assessment"
	"heartmark/assessment/model"
)

func TestBuiltInModel(t *testing.T) {
	t.Parallel()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	if size := len(m.Model); size > 40<<20 {
		t.Errorf("%s has %d bytes, at most 40 MiB may be in the repository", model.FileModel, size)
	}
	labels := m.Labels()
	want := map[string]int{
		assessment.HeadEmotion: 14, assessment.HeadVA: 2, assessment.HeadER: 3, assessment.HeadIP: 3, assessment.HeadEX: 3,
		assessment.HeadHostility: 4, assessment.HeadCtxIgnore: 1, assessment.HeadCtxEscalate: 1, assessment.HeadCtxInsult: 1,
		assessment.HeadPoliteness: 3, assessment.HeadAct: 12, assessment.HeadReappraisal: 1, assessment.HeadSelfNaming: 1,
		assessment.HeadDistress: 1, assessment.HeadRelevance: 1,
	}
	for head, n := range want {
		if len(labels[head]) != n {
			t.Errorf("head %s has %d labels, want %d", head, len(labels[head]), n)
		}
	}
	for facet, byLang := range m.ErrorRates {
		for lang, r := range byLang {
			se, ok := m.ErrorRateSE[facet][lang]
			if r[0] < 0 || r[0] > 1 || r[1] < 0 || r[1] > 1 || !ok || se[0] <= 0 || se[1] <= 0 {
				t.Errorf("error rates of %s in %s: %v, standard errors %v", facet, lang, r, se)
			}
		}
	}
	if m.ErrorRatesFinal {
		t.Error("error rates are final, but no two people have labelled rows")
	}
}

// folder copies the embedded files into memory, so that one can be changed.
func folder(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{model.FileModel, model.FileTokenizer, model.FileHeads, model.FileCalibration, model.FileErrorRates, model.FileCard} {
		data, err := fs.ReadFile(model.Embedded(), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

func TestOpenRefusesChangedFiles(t *testing.T) {
	t.Parallel()
	whole := folder(t)
	if _, err := model.Open(whole); err != nil {
		t.Fatalf("Open of an equal folder: %v", err)
	}
	for name := range whole {
		changed := folder(t)
		data := append([]byte(nil), changed[name].Data...)
		data[len(data)/2] ^= 1
		changed[name].Data = data
		if _, err := model.Open(changed); !errors.Is(err, model.ErrDigest) {
			t.Errorf("Open with one bit of %s changed = %v, want ErrDigest", name, err)
		}
		delete(changed, name)
		if _, err := model.Open(changed); !errors.Is(err, model.ErrDigest) {
			t.Errorf("Open without %s = %v, want ErrDigest", name, err)
		}
	}
}

func TestCalibrate(t *testing.T) {
	t.Parallel()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range m.Heads {
		for _, lang := range []string{"en", "zh", "other", ""} {
			for _, extreme := range []float32{-1e4, -3, 0, 3, 1e4} {
				logits := make([]float32, len(h.Labels))
				logits[0] = extreme
				sum := 0.0
				for _, v := range m.Calibrate(h, lang, logits) {
					if low := map[bool]float64{true: -1, false: 0}[h.Kind == model.Value]; !(v >= low && v <= 1) {
						t.Errorf("Calibrate(%s, %s, %v) has value %v", h.Name, lang, logits, v)
					}
					sum += v
				}
				if h.Kind == model.Softmax && math.Abs(sum-1) > 1e-5 {
					t.Errorf("Calibrate(%s, %s, %v) sums to %v", h.Name, lang, logits, sum)
				}
			}
		}
	}
}
