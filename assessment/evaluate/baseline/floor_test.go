package baseline_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"heartmark/assessment/evaluate/baseline"
	"heartmark/assessment/evaluate/metric"
	"heartmark/internal/testkit"
)

// labelled reads the texts of one split and one 0-or-1 label of each.
func labelled(t *testing.T, folder, split, label string) (docs []baseline.Doc, y []int) {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, split+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row struct {
			Text   string
			Labels map[string]json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		value := 0
		if err := json.Unmarshal(row.Labels[label], &value); err != nil {
			t.Fatalf("%s/%s: label %s: %v", folder, split, label, err)
		}
		docs, y = append(docs, baseline.Doc{Text: row.Text}), append(y, value)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return docs, y
}

// TestFloor fits M3 on whole training parts and holds it to the floors that the specification of the assessment (section
// 10) gives for TF-IDF with linear models, in English and in Chinese, within a hundredth.
func TestFloor(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fits a model on 23,000 texts")
	}
	data := testkit.Shared(t, "data")
	for _, c := range []struct {
		set, label string
		floor      float64
	}{{"convabuse", "abusive", 0.80}, {"cold", "offensive", 0.786}} {
		t.Run(c.set, func(t *testing.T) {
			t.Parallel()
			docs, y := labelled(t, filepath.Join(data, c.set), "train", c.label)
			test, want := labelled(t, filepath.Join(data, c.set), "test", c.label)
			terms := baseline.FitTFIDF(docs, baseline.TFIDFOptions{})
			m := baseline.FitLogistic(terms.Vectors(docs), y, 2, baseline.Options{})
			got := make([]int, len(test))
			for i, x := range terms.Vectors(test) {
				got[i] = m.Predict(x)
			}
			if f1 := metric.MacroF1(want, got, 2); f1 < c.floor-0.01 {
				t.Errorf("macro-F1 = %.4f, want about %.3f", f1, c.floor)
			} else {
				t.Logf("macro-F1 %.4f of %d terms", f1, terms.Features())
			}
		})
	}
}
