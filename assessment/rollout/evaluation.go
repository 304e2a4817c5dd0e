package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"heartmark/assessment/evaluate/metric"
)

// EvaluationSchema names the form of the report that `heartmark evaluate` writes.
const EvaluationSchema = "dei-evaluation/1"

// ErrEvaluation is wrapped for a file that is not an evaluation report.
var ErrEvaluation = errors.New("not an evaluation report")

// Evaluation is what a promotion reads of an evaluation report.
type Evaluation struct {
	Digest string   // SHA-256 of the report's bytes
	ID     string   // of the model that was evaluated
	SHA256 string   // of its graph
	Whole  bool     // all suites over all rows; a quick run shows how things stand and grounds nothing
	Gates  int      // measures that have a gate
	Failed []string // names of those whose gate is not met, not measured ones included
}

// wholeSuites are the suites of a whole evaluation.
func wholeSuites() []string {
	return []string{
		metric.SuiteHeads, metric.SuiteContrast, metric.SuiteSimulated, metric.SuiteCalibration, metric.SuiteRobustness, metric.SuiteFairness,
		metric.SuiteGaming, metric.SuiteValidity, metric.SuiteEquivalence, metric.SuiteSpeed,
	}
}

// ReadEvaluation reads a report. The gates are judged anew from the measures; what the report says of itself is not taken for
// it. A report without a single gate wraps ErrEvaluation: it would let everything pass.
func ReadEvaluation(data []byte) (Evaluation, error) {
	var report struct {
		Schema string `json:"schema"`
		Model  struct {
			ID     string `json:"id"`
			SHA256 string `json:"sha256"`
		} `json:"model"`
		Rows     int              `json:"rows"`
		Suites   []string         `json:"suites"`
		Measures []metric.Measure `json:"measures"`
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return Evaluation{}, fmt.Errorf("%w: %w", ErrEvaluation, err)
	}
	if report.Schema != EvaluationSchema {
		return Evaluation{}, fmt.Errorf("%w: schema %q, want %q", ErrEvaluation, report.Schema, EvaluationSchema)
	}
	sum := sha256.Sum256(data)
	e := Evaluation{Digest: hex.EncodeToString(sum[:]), ID: report.Model.ID, SHA256: report.Model.SHA256}
	e.Whole = report.Rows == 0
	for _, suite := range wholeSuites() {
		e.Whole = e.Whole && slices.Contains(report.Suites, suite)
	}
	for _, m := range report.Measures {
		if m.Gate != nil {
			e.Gates++
		}
		if !m.Met() {
			e.Failed = append(e.Failed, m.Name())
		}
	}
	if e.Gates == 0 {
		return Evaluation{}, fmt.Errorf("%w: it has no gates", ErrEvaluation)
	}
	return e, nil
}
