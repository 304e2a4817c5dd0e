package metric_test

import (
	"encoding/json"
	"math"
	"testing"

	"heartmark/assessment/evaluate/metric"
)

func TestGateJSON(t *testing.T) {
	t.Parallel()
	for text, gate := range map[string]*metric.Gate{`{"at_least":0.6}`: metric.Floor(0.6), `{"at_most":0}`: metric.Ceiling(0)} {
		written, err := json.Marshal(gate)
		if err != nil || string(written) != text {
			t.Errorf("Marshal(%v) = %s, %v, want %s", gate, written, err, text)
		}
		var read metric.Gate
		if err := json.Unmarshal([]byte(text), &read); err != nil || read != *gate {
			t.Errorf("Unmarshal(%s) = %v, %v, want %v", text, read, err, gate)
		}
	}
	for _, text := range []string{`{}`, `{"at_least":1,"at_most":2}`, `{"at_least":"x"}`, `3`} {
		var read metric.Gate
		if err := json.Unmarshal([]byte(text), &read); err == nil {
			t.Errorf("Unmarshal(%s) = %v, want an error", text, read)
		}
	}
}

func TestMet(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		m    metric.Measure
		want bool
	}{
		{"no gate", metric.Measure{Missing: true}, true},
		{"on the bound", metric.Measure{Value: 0.6, Gate: metric.Floor(0.6)}, true},
		{"under it", metric.Measure{Value: 0.599, Gate: metric.Floor(0.6)}, false},
		{"on the ceiling", metric.Measure{Value: 0.05, Gate: metric.Ceiling(0.05)}, true},
		{"over it", metric.Measure{Value: 0.051, Gate: metric.Ceiling(0.05)}, false},
		{"missing", metric.Measure{Value: 1, Gate: metric.Floor(0.6), Missing: true}, false},
		{"missing with a ceiling", metric.Measure{Value: 0, Gate: metric.Ceiling(0.6), Missing: true}, false},
		{"not a number", metric.Measure{Value: math.NaN(), Gate: metric.Ceiling(0.6)}, false},
	} {
		if got := test.m.Met(); got != test.want {
			t.Errorf("%s: Met = %v, want %v", test.name, got, test.want)
		}
		if got := test.m.Checked().Met(); got != test.want {
			t.Errorf("%s: Checked().Met = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestCheckedCanBeWritten(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		m := metric.Measure{Value: v, Interval: &[2]float64{v, v}}.Checked()
		if _, err := json.Marshal(m); err != nil || !m.Missing || m.Note == "" {
			t.Errorf("Checked of %v = %+v, %v", v, m, err)
		}
	}
}
