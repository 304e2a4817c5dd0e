package evaluate_test

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/assessment/evaluate"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

func ptr(v float64) *float64 { return &v }

// sample has one of everything, with names that would break a page that did not escape them.
func sample() *evaluate.Evaluation {
	want, got := []int{0, 0, 1, 1}, []int{0, 1, 1, 1}
	labels := []string{"calm", "<b>loud</b>"}
	_, bins := metric.ECE([]float64{0.2, 0.9}, []bool{false, true}, 15)
	return &evaluate.Evaluation{
		Schema: evaluate.Schema, Date: "2026-01-02T03:04:05Z", Seed: 1, Suites: evaluate.Suites(),
		Model: evaluate.Model{ID: "dei-<script>", SHA256: "0123456789abcdef0123", Runtime: "cpu-int8", Scale: "v0"},
		Data:  map[string]string{"cold/test.jsonl": "ab"},
		Gates: evaluate.Gates{Met: 1, NotMet: 2, Missing: 1},
		Measures: []metric.Measure{
			{
				Suite: metric.SuiteHeads, Head: "tone", Set: "own", Lang: "en", Metric: "macro-F1", Rows: 4, Value: 0.733, Interval: &[2]float64{0.5, 0.9},
				Floor: ptr(0.6), SVM: ptr(0.65), Forest: ptr(0.62), Gate: metric.Floor(0.7), Literature: "0.8 & more", Note: "<i>small</i>",
			},
			{Suite: metric.SuiteHeads, Head: "act", Set: "own", Lang: "zh", Metric: "macro-F1", Gate: metric.Floor(0.7), Missing: true, Note: "no head"},
			{Suite: metric.SuiteSpeed, Metric: "messages a second", Rows: 10, Value: 412.3, Gate: metric.Floor(500)},
		},
		Reports: []evaluate.HeadReport{{
			Head: "tone", Set: "own", Lang: "en", Metric: "macro-F1", Rows: 4, Classes: metric.Report(want, got, labels),
			Confusion:  &evaluate.Confusion{Labels: labels, Counts: metric.Confusion(want, got, 2)},
			Thresholds: map[string]float64{"calm": 1, "<b>loud</b>": 2.8284},
		}},
		Diagrams: []evaluate.Diagram{{Head: "tone", Lang: "en", Rows: 2, ECE: 0.15, Bins: bins}},
		Tables:   []suite.Table{{Title: "Some <detail>", Columns: []string{"a"}, Rows: [][]string{{"<u>one</u>"}}}},
		Notes:    []string{"a note"},
		Stages:   []evaluate.Stage{{Name: "judging", Seconds: 1.5}},
	}
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	e := sample()
	var first, second bytes.Buffer
	if err := e.WriteJSON(&first); err != nil {
		t.Fatal(err)
	}
	text := first.String()
	read, err := evaluate.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read, e) {
		t.Errorf("read back %+v, want %+v", read, e)
	}
	if err := read.WriteJSON(&second); err != nil || second.String() != text {
		t.Errorf("written again it differs: %v", err)
	}
	for _, want := range []string{`"schema": "dei-evaluation/1"`, `"at_least": 0.7`, `"interval90"`, `"not_met": 2`, `"missing": true`} {
		if !strings.Contains(text, want) {
			t.Errorf("JSON lacks %s", want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	var good bytes.Buffer
	if err := sample().WriteJSON(&good); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"another schema":           strings.Replace(good.String(), evaluate.Schema, "dei-evaluation/9", 1),
		"gates that were improved": strings.Replace(good.String(), `"not_met": 2`, `"not_met": 0`, 1),
		"a value that was changed": strings.Replace(good.String(), "412.3", "512.3", 1),
		"a gate of two bounds":     strings.Replace(good.String(), `"at_least": 500`, `"at_least": 500, "at_most": 1`, 1),
		"no JSON":                  "gates: 3 met",
	} {
		if text == good.String() {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := evaluate.Read(strings.NewReader(text)); err == nil {
			t.Errorf("Read of a report with %s: no error", name)
		}
	}
}

var remote = regexp.MustCompile(`(?i)<(script|link|iframe|object|embed|img|image|base|form)\b|(src|href|srcset|xlink:href)\s*=\s*["']?[^#"']|url\(|@import|https?://|//[a-z]`)

// The page must say everything by itself: nothing remote, no script, and every text escaped.
func TestHTMLIsSelfContained(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := sample().WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if found := remote.FindString(page); found != "" {
		t.Errorf("the page holds %q", found)
	}
	for _, raw := range []string{"<b>loud", "<i>small", "<detail>", "<u>", "dei-<", "ZgotmplZ"} {
		if strings.Contains(page, raw) {
			t.Errorf("the page holds %q unescaped", raw)
		}
	}
	for _, want := range []string{
		`<svg viewBox`, `class="bars"`, `class="heat"`, `class="reliability"`, "NOT MEASURED", "NOT MET", "0.733", "0.500–0.900", "≥ 0.7", "2.828",
		"1 gates met, 2 not met, 1 of these not measured", "all rows", "Content-Security-Policy", "&lt;b&gt;loud&lt;/b&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if open, shut := strings.Count(page, "<table"), strings.Count(page, "</table>"); open != shut || open < 6 {
		t.Errorf("%d tables begin and %d end", open, shut)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := sample().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"gates: 1 met, 2 not met, 1 of these not measured", "not met: speed messages a second: 412, gate ≥ 500",
		"not met: heads act own zh macro-F1: not measured (no head), gate ≥ 0.7", "precision", "0.500–0.900",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, b.String())
		}
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	err := evaluate.Config{Rows: -1, Suites: []string{"heads", "vibes"}}.Validate()
	if !errors.Is(err, evaluate.ErrSuite) || !strings.Contains(err.Error(), "vibes") || !strings.Contains(err.Error(), "rows -1") ||
		!strings.Contains(err.Error(), "classifier") {
		t.Errorf("Validate = %v, want every fault", err)
	}
	if _, err := evaluate.Run(t.Context(), evaluate.Config{Now: time.Now}); err == nil {
		t.Error("Run without a classifier: no error")
	}
	if err := evaluate.CheckSuites(evaluate.Suites()); err != nil {
		t.Errorf("CheckSuites of all suites: %v", err)
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	if got := evaluate.Needs(nil); len(got) != len(dataset.Sets()) {
		t.Errorf("Needs of all suites = %v", got)
	}
	if got := evaluate.Needs([]string{metric.SuiteContrast}); len(got) >= len(dataset.Sets()) || len(got) == 0 {
		t.Errorf("Needs of contrast = %v", got)
	}
}

// A suite that has a name must also run: its gates would be passed over in silence.
func TestEverySuiteRuns(t *testing.T) {
	t.Parallel()
	run := append([]string{metric.SuiteHeads, metric.SuiteCalibration}, evaluate.ProductSuites()...)
	slices.Sort(run)
	if named := slices.Sorted(slices.Values(evaluate.Suites())); !slices.Equal(run, named) {
		t.Errorf("suites that run: %v, suites that are named: %v", run, named)
	}
}
