package head_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/head"
	"heartmark/assessment/model"
)

func TestTemperatureIsFound(t *testing.T) {
	t.Parallel()
	for _, temperature := range []float64{0.5, 1, 3} {
		draw := rand.New(rand.NewPCG(1, 2))
		targets := head.Targets{Kind: model.Softmax, Labels: []string{"a", "b", "c"}}
		var logits [][]float32
		var at []int
		for i := range 20000 {
			z := []float64{draw.NormFloat64(), draw.NormFloat64(), draw.NormFloat64()}
			// The label is drawn by the true probabilities; the logits are temperature times too large.
			u, class := draw.Float64()*(math.Exp(z[0])+math.Exp(z[1])+math.Exp(z[2])), 0
			for u > math.Exp(z[class]) && class < 2 {
				u -= math.Exp(z[class])
				class++
			}
			row := make([]float32, 3)
			for k := range row {
				row[k] = float32(temperature * z[k])
			}
			logits, at = append(logits, row), append(at, i)
			targets.Class, targets.Has = append(targets.Class, class), append(targets.Has, []bool{class == 0, class == 1, class == 2})
		}
		c := head.Calibrate(logits, targets, at)
		if got := 1 / c.Scale[0]; math.Abs(got-temperature) > 0.05*temperature || c.Threshold != nil {
			t.Errorf("temperature %.3f, want %.3f", got, temperature)
		}
		r := head.Measure(head.Measured{Rows: make([]head.Row, len(at)), Targets: targets, Logits: logits, Calibration: c, Train: at, At: at})
		if r.ECEAfter > 0.02 || temperature != 1 && r.ECEBefore < r.ECEAfter {
			t.Errorf("temperature %g: calibration error %.3f before, %.3f after", temperature, r.ECEBefore, r.ECEAfter)
		}
	}
}

func TestPlattCurveIsFound(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(4, 2))
	const scale, shift = 0.4, -1.5
	targets := head.Targets{Kind: model.Sigmoid, Labels: []string{"a", "b", "c"}}
	var logits [][]float32
	var at []int
	for i := range 20000 {
		z := 4 * draw.NormFloat64()
		yes := draw.Float64() < 1/(1+math.Exp(-(scale*z+shift)))
		// b is never learned: its logit says nothing. c has too few rows to choose a threshold.
		targets.Has = append(targets.Has, []bool{yes, draw.IntN(10) == 0, i < 5})
		logits, at = append(logits, []float32{float32(z), float32(draw.NormFloat64()), float32(-z)}), append(at, i)
	}
	c := head.Calibrate(logits, targets, at)
	if math.Abs(c.Scale[0]-scale) > 0.02 || math.Abs(c.Shift[0]-shift) > 0.06 {
		t.Errorf("curve %.3f z %+.3f, want %.1f z %+.1f", c.Scale[0], c.Shift[0], scale, shift)
	}
	if p := c.Probabilities(model.Sigmoid, []float32{0, 1, 0})[1]; math.Abs(p-0.1) > 0.02 {
		t.Errorf("a label that was not learned has probability %.3f, want its share 0.1", p)
	}
	if c.Threshold[0] == 0.5 || c.Threshold[2] != 0.5 {
		t.Errorf("thresholds %v: the first is chosen by F1, the last has too few rows", c.Threshold)
	}
}

func TestCalibrationAtTheEnds(t *testing.T) {
	t.Parallel()
	// All rows parted without error, one label absent: nothing becomes infinite.
	targets := head.Targets{Kind: model.Sigmoid, Labels: []string{"a", "b"}, Has: [][]bool{{true, false}, {true, false}, {false, false}, {false, false}}}
	logits := [][]float32{{30, 1}, {20, 2}, {-20, 3}, {-30, 1}}
	c := head.Calibrate(logits, targets, []int{0, 1, 2, 3})
	for _, z := range []float32{-1e6, -1, 0, 1, 1e6} {
		for k, p := range c.Probabilities(model.Sigmoid, []float32{z, z}) {
			if !(p >= 0 && p <= 1) {
				t.Errorf("label %d, logit %g: probability %v", k, z, p)
			}
		}
		sum := 0.0
		for _, p := range head.Uncalibrated(model.Softmax, 3).Probabilities(model.Softmax, []float32{z, 0, -z}) {
			sum += p
		}
		if math.Abs(sum-1) > 1e-5 {
			t.Errorf("logit %g: softmax sums to %v", z, sum)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	targets := head.Targets{Kind: model.Softmax, Labels: []string{"bad", "good"}, Class: []int{0, 0, 1, 1, 1}}
	for _, c := range targets.Class {
		targets.Has = append(targets.Has, []bool{c == 0, c == 1})
	}
	rows := []head.Row{{Lang: "en"}, {Text: "你好吗，朋友"}, {Lang: "en"}, {Lang: "en"}, {Lang: "zh"}}
	logits := [][]float32{{2, 0}, {0, 2}, {0, 2}, {0, 2}, {0, 2}}
	all := []int{0, 1, 2, 3, 4}
	r := head.Measure(head.Measured{Rows: rows, Targets: targets, Logits: logits, Calibration: head.Uncalibrated(model.Softmax, 2), Train: all, At: all})
	// bad: precision 1, recall 1/2; good: precision 3/4, recall 1.
	if want := (2.0/3 + 6.0/7) / 2; math.Abs(r.MacroF1-want) > 1e-12 || math.Abs(r.Accuracy-0.8) > 1e-12 || math.Abs(r.Majority-0.375) > 1e-12 {
		t.Errorf("macro-F1 %v, accuracy %v, majority %v", r.MacroF1, r.Accuracy, r.Majority)
	}
	if r.Confusion[0][0] != 1 || r.Confusion[0][1] != 1 || r.Confusion[1][1] != 3 || r.Languages["zh"].Rows != 2 || r.Languages["en"].MacroF1 != 1 {
		t.Errorf("report %+v", r)
	}
	if s := r.String(); !strings.Contains(s, "macro-F1 0.762") || !strings.Contains(s, metric.LabelWeighted) || !strings.Contains(s, "language zh: 2 rows") {
		t.Errorf("text:\n%s", s)
	}
	targets = head.Targets{Kind: model.Sigmoid, Labels: targets.Labels, Has: [][]bool{{true, true}, {false, true}, {false, false}, {true, false}, {false, false}}}
	r = head.Measure(head.Measured{Rows: rows, Targets: targets, Logits: logits, Calibration: head.Uncalibrated(model.Sigmoid, 2), Train: all, At: all})
	if b := r.Binary[0]; b != (head.Binary{Label: "bad", Hit: 2, False: 3}) || r.Confusion != nil {
		t.Errorf("counts %+v: logits of 0 hold at a threshold of a half", r.Binary)
	}
	if s := r.String(); !strings.Contains(s, "2 found, 0 missed, 3 false, 0 rightly left out") {
		t.Errorf("text:\n%s", s)
	}
}
