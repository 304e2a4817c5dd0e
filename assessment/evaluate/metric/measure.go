package metric

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Suites that a Measure may belong to.
const (
	SuiteHeads       = "heads"
	SuiteContrast    = "contrast"
	SuiteSimulated   = "simulated"
	SuiteCalibration = "calibration"
	SuiteRobustness  = "robustness"
	SuiteFairness    = "fairness"
	SuiteGaming      = "gaming"
	SuiteValidity    = "validity"
	SuiteEquivalence = "equivalence"
	SuiteSpeed       = "speed"
)

// Direction tells on which side of its bound a value must lie.
type Direction int

// Directions of a gate. The bound itself is met.
const (
	AtLeast Direction = iota
	AtMost
)

// Gate is a bound that a measure must meet. Its JSON form is {"at_least":0.6} or {"at_most":0.05}.
type Gate struct {
	Direction Direction
	Bound     float64
}

// Floor is a gate that wants at least bound.
func Floor(bound float64) *Gate { return &Gate{AtLeast, bound} }

// Ceiling is a gate that wants at most bound.
func Ceiling(bound float64) *Gate { return &Gate{AtMost, bound} }

// Met tells whether value meets the gate. NaN meets none.
func (g Gate) Met(value float64) bool {
	if g.Direction == AtMost {
		return value <= g.Bound
	}
	return value >= g.Bound
}

// String is the gate as people write it: "≥ 0.6" or "≤ 0.05".
func (g Gate) String() string {
	if g.Direction == AtMost {
		return fmt.Sprintf("≤ %g", g.Bound)
	}
	return fmt.Sprintf("≥ %g", g.Bound)
}

type gateJSON struct {
	AtLeast *float64 `json:"at_least,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
}

// MarshalJSON writes the one bound that the gate has.
func (g Gate) MarshalJSON() ([]byte, error) {
	if g.Direction == AtMost {
		return json.Marshal(gateJSON{AtMost: &g.Bound})
	}
	return json.Marshal(gateJSON{AtLeast: &g.Bound})
}

// errGate is returned for a JSON gate that has not exactly one bound.
var errGate = errors.New("gate: want exactly one of at_least and at_most")

// UnmarshalJSON reads a gate with exactly one bound.
func (g *Gate) UnmarshalJSON(data []byte) error {
	var j gateJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	switch {
	case j.AtLeast != nil && j.AtMost == nil:
		*g = Gate{AtLeast, *j.AtLeast}
	case j.AtMost != nil && j.AtLeast == nil:
		*g = Gate{AtMost, *j.AtMost}
	default:
		return errGate
	}
	return nil
}

// Measure is one number of an evaluation.
type Measure struct {
	Suite  string `json:"suite"` // one of the Suite constants
	Head   string `json:"head,omitempty"`
	Set    string `json:"set,omitempty"`
	Lang   string `json:"lang,omitempty"` // "en", "zh" or "": both
	Metric string `json:"metric"`         // such as "macro-F1"

	Rows  int     `json:"rows"` // that the value rests on
	Value float64 `json:"value"`
	// Interval is the 90 % bootstrap interval; nil where none was made.
	Interval *[2]float64 `json:"interval90,omitempty"`

	// Floor, SVM and Forest are the same metric of classical models on the same rows: linear models on TF-IDF, a linear
	// support vector machine and a random forest on the frozen encoder's vectors. nil where not measured.
	Floor  *float64 `json:"floor,omitempty"`
	SVM    *float64 `json:"svm,omitempty"`
	Forest *float64 `json:"forest,omitempty"`

	Gate       *Gate  `json:"gate,omitempty"` // nil: informative only
	Literature string `json:"literature,omitempty"`
	Note       string `json:"note,omitempty"` // a limit of this number, or why it could not be measured

	// Missing tells that the number could not be measured; Value means nothing then, and a gate on it is not met.
	Missing bool `json:"missing,omitempty"`
}

// Met tells whether the gate is met; a measure without a gate always is.
func (m Measure) Met() bool {
	return m.Gate == nil || !m.Missing && m.Gate.Met(m.Value)
}

// Name is a short unique name for people: suite, head, set, language and metric, as far as there are any.
func (m Measure) Name() string {
	name := m.Suite
	for _, part := range []string{m.Head, m.Set, m.Lang, m.Metric} {
		if part != "" {
			name += " " + part
		}
	}
	return name
}

// Checked returns m with Missing set when its value is not a finite number, since such a value was not measured and
// cannot be written as JSON.
func (m Measure) Checked() Measure {
	if math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
		m.Value, m.Missing, m.Interval = 0, true, nil
		if m.Note == "" {
			m.Note = "the value is not defined on these rows"
		}
	}
	return m
}
