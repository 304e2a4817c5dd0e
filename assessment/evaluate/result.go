package evaluate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

// Schema names the JSON form of an Evaluation.
const Schema = "dei-evaluation/1"

// Evaluation is everything that one run found.
type Evaluation struct {
	Schema string            `json:"schema"`
	Model  Model             `json:"model"`
	Data   map[string]string `json:"data"` // SHA-256 of every file that was read, by "set/name.jsonl"
	Date   string            `json:"date"` // RFC 3339, UTC
	Seed   uint64            `json:"seed"`
	Rows   int               `json:"rows"`   // cap a head, set and language; 0: all rows
	Suites []string          `json:"suites"` // that were run

	Gates    Gates            `json:"gates"`
	Measures []metric.Measure `json:"measures"`
	Reports  []HeadReport     `json:"reports"`
	Diagrams []Diagram        `json:"reliability"`
	Tables   []suite.Table    `json:"tables"`
	Notes    []string         `json:"notes"`
	Stages   []Stage          `json:"stages"`
}

// Model names what was measured.
type Model struct {
	ID      string `json:"id"`
	SHA256  string `json:"sha256"`
	Runtime string `json:"runtime"`
	Scale   string `json:"scale"`
	Library string `json:"library,omitempty"`
}

// Gates count the measures that have a gate.
type Gates struct {
	Met     int `json:"met"`
	NotMet  int `json:"not_met"`
	Missing int `json:"missing"` // of those not met: could not be measured
}

// HeadReport is the classification report of one head on one set.
type HeadReport struct {
	Head      string               `json:"head"`
	Set       string               `json:"set"`
	Lang      string               `json:"lang,omitempty"`
	Metric    string               `json:"metric"`
	Rows      int                  `json:"rows"`
	Classes   []metric.ClassReport `json:"classes"`             // then the macro and the weighted mean
	Confusion *Confusion           `json:"confusion,omitempty"` // nil where labels may be true together
	// Thresholds are found on dev rows, by label: cuts of labels that may be true together; of exclusive labels the divisors
	// whose quotient decides.
	Thresholds map[string]float64 `json:"thresholds,omitempty"`
}

// Confusion counts answers: row the true label, column the answer.
type Confusion struct {
	Labels []string `json:"labels"`
	Counts [][]int  `json:"counts"`
}

// Diagram is a reliability diagram.
type Diagram struct {
	Head string       `json:"head"`
	Set  string       `json:"set,omitempty"` // "" all sets that the calibration knows
	Lang string       `json:"lang"`
	Rows int          `json:"rows"`
	ECE  float64      `json:"ece"`
	Bins []metric.Bin `json:"bins"`
}

// Stage is a part of the run and how long it took.
type Stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Met tells whether all gates are met.
func (e *Evaluation) Met() bool { return e.Gates.NotMet == 0 }

func (e *Evaluation) count() {
	e.Gates = Gates{}
	for _, m := range e.Measures {
		switch {
		case m.Gate == nil:
		case m.Met():
			e.Gates.Met++
		default:
			e.Gates.NotMet++
			e.Gates.Missing += b2i(m.Missing)
		}
	}
}

// WriteJSON writes the evaluation as indented JSON.
func (e *Evaluation) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	return out.Encode(e)
}

// Read reads what WriteJSON wrote. It refuses other schemas and counts that do not fit the measures.
func Read(r io.Reader) (*Evaluation, error) {
	var e Evaluation
	if err := json.NewDecoder(r).Decode(&e); err != nil {
		return nil, fmt.Errorf("evaluation: %w", err)
	}
	if e.Schema != Schema {
		return nil, fmt.Errorf("evaluation: schema %q, want %q", e.Schema, Schema)
	}
	written := e.Gates
	if e.count(); e.Gates != written {
		return nil, fmt.Errorf("evaluation: gates %+v do not fit the measures, which give %+v", written, e.Gates)
	}
	return &e, nil
}

func round(v float64, digits int) float64 {
	scale := math.Pow(10, float64(digits))
	return math.Round(v*scale) / scale
}
