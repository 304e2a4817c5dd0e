package suite_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/suite"
)

// words is a classifier that knows five words, so that every number of a suite can be worked out by hand.
type words struct {
	deaf bool // hears none of them
}

func labels() map[string][]string {
	three := []string{"none", "weak", "strong"}
	return map[string][]string{
		assessment.HeadEmotion: {
			"joy", "amusement", "love_caring", "gratitude", "pride_admiration", "relief_calm", "hope_desire", "interest_surprise", "anger",
			"disgust_contempt", "fear_worry", "sadness", "shame_guilt", "neutral",
		},
		assessment.HeadVA: {"valence", "arousal"}, assessment.HeadER: three, assessment.HeadIP: three, assessment.HeadEX: three,
		assessment.HeadHostility: {"none", "mild", "strong", "severe"}, assessment.HeadPoliteness: {"impolite", "neutral", "polite"},
		assessment.HeadAct: {
			"comfort", "apology", "thanks", "praise", "agree", "question", "offer_or_coordinate", "small_talk", "disagree_or_reject", "command",
			"irony_or_undervalue", "other",
		},
		assessment.HeadCtxIgnore: {"yes"}, assessment.HeadCtxEscalate: {"yes"}, assessment.HeadCtxInsult: {"yes"},
		assessment.HeadReappraisal: {"yes"}, assessment.HeadSelfNaming: {"yes"}, assessment.HeadDistress: {"yes"}, assessment.HeadRelevance: {"yes"},
	}
}

func (words) Info() assessment.ModelInfo {
	return assessment.ModelInfo{ID: "words", SHA256: "00", Runtime: "test", Scale: "v0-provisional", Labels: labels()}
}

// peak is P for one label, the rest spread evenly over the others.
func peak(n, at int, p float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = (1 - p) / float64(n-1)
	}
	out[at] = p
	return out
}

func (c words) Classify(_ context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	out := make([]assessment.Scores, len(in))
	for i, x := range in {
		has := func(word string) bool { return !c.deaf && strings.Contains(strings.ToLower(x.Text), word) }
		p := func(yes bool) []float64 {
			if yes {
				return []float64{0.9}
			}
			return []float64{0.1}
		}
		place := func(yes bool, there int) int {
			if yes {
				return there
			}
			return 0
		}
		emotion := make([]float64, 14)
		emotion[13] = 0.9
		if has("i feel") {
			emotion[11], emotion[13] = 0.9, 0.1
		}
		warm := place(has("sorry"), 2)
		act := peak(12, 11, 0.9)
		if has("sorry") {
			act = peak(12, 0, 0.9)
		}
		out[i] = assessment.Scores{
			assessment.HeadEmotion: emotion, assessment.HeadVA: {0.5, 0}, assessment.HeadER: peak(3, warm, 0.8), assessment.HeadIP: peak(3, warm, 0.8),
			assessment.HeadEX: peak(3, 0, 0.8), assessment.HeadHostility: peak(4, place(has("idiot"), 3), 0.97), assessment.HeadPoliteness: peak(3, 1, 0.8),
			assessment.HeadAct: act, assessment.HeadCtxIgnore: p(!has("sorry")), assessment.HeadCtxEscalate: p(has("idiot")),
			assessment.HeadCtxInsult: p(has("idiot")), assessment.HeadReappraisal: p(false), assessment.HeadSelfNaming: p(has("i feel")),
			assessment.HeadDistress: p(has("died")), assessment.HeadRelevance: {0.9},
		}
	}
	return out, nil
}

// folder writes the project's two files, and every other set that replies are drawn from without a record.
func folder(t *testing.T, pairs, gaming string) *dataset.Folder {
	t.Helper()
	dir := t.TempDir()
	put := func(set, name, content string) {
		path := filepath.Join(dir, set, name+".jsonl")
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sets := []string{
		dataset.SetEpitome, dataset.SetDiaSafety, dataset.SetConvAbuse, dataset.SetCOLD, dataset.SetCPED, dataset.SetPersonas, dataset.SetFrames,
		dataset.SetCasino,
	}
	for _, set := range sets {
		for _, split := range []string{dataset.Train, dataset.Dev, dataset.Test} {
			put(set, split, "")
		}
	}
	put(dataset.SetContrast, "pairs", pairs)
	put(dataset.SetContrast, "gaming", gaming)
	f, err := dataset.Open(dir, append(sets, dataset.SetContrast)...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// known is an Env over the five words.
func known(t *testing.T, c words, pairs, gaming string) suite.Env {
	t.Helper()
	return suite.Env{Classifier: c, Folder: folder(t, pairs, gaming), Seed: 1}
}
