package suite_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/internal/testkit"
)

// real opens the built-in model over the shared data, or skips where either is absent.
func real(t *testing.T) suite.Env {
	t.Helper()
	dir := testkit.Shared(t, "data")
	if testing.Short() {
		t.Skip("runs the model")
	}
	folder, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return suite.Env{
		Classifier: classifier(t), Folder: folder, Now: time.Now, Seed: 1,
	}
}

func classifier(t *testing.T) assessment.Classifier {
	t.Helper()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	c, err := onnx.Open(onnx.Config{Model: m})
	if errors.Is(err, onnx.ErrLibraryMissing) && os.Getenv(testkit.RequireShared) == "" {
		t.Skip("ONNX Runtime:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return suite.Remember(c)
}

// show logs what was found and checks what must hold of every outcome.
func show(t *testing.T, o suite.Outcome, name string) {
	t.Helper()
	if len(o.Measures) == 0 {
		t.Fatal("no measures")
	}
	seen := map[string]bool{}
	for _, m := range o.Measures {
		if m.Suite != name {
			t.Errorf("measure %q is of suite %q, want %q", m.Name(), m.Suite, name)
		}
		if seen[m.Name()] {
			t.Errorf("measure %q stands twice", m.Name())
		}
		seen[m.Name()] = true
		if m.Checked().Missing != m.Missing {
			t.Errorf("measure %q has the value %v", m.Name(), m.Value)
		}
		if !m.Missing && m.Rows == 0 {
			t.Errorf("measure %q rests on no rows", m.Name())
		}
		verdict := "met"
		switch {
		case m.Gate == nil:
			verdict = "-"
		case !m.Met():
			verdict = "NOT MET"
		}
		t.Logf("%-70s %9.4f %v rows %d %s %s", m.Name(), m.Value, m.Gate, m.Rows, verdict, m.Note)
	}
	for _, table := range o.Tables {
		t.Log(table.Title, table.Columns)
		for _, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Errorf("table %q has a row of %d, want %d", table.Title, len(row), len(table.Columns))
			}
			t.Log(row)
		}
	}
}

func find(t *testing.T, o suite.Outcome, name string) metric.Measure {
	t.Helper()
	for _, m := range o.Measures {
		if m.Name() == name {
			return m
		}
	}
	t.Fatalf("no measure %q", name)
	return metric.Measure{}
}
