package assessment

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// Head names of the classifier, and the labels of those heads that the gates and facets read by name. A classifier may
// have more heads; the ones that are missing make the facets that need them unavailable, never guessed.
const (
	HeadEmotion     = "emotion"    // sigmoid over the common emotion classes
	HeadVA          = "va"         // valence, arousal, each in [-1, 1]
	HeadER          = "er"         // softmax none, weak, strong: emotional reaction
	HeadIP          = "ip"         // softmax none, weak, strong: interpretation
	HeadEX          = "ex"         // softmax none, weak, strong: exploration
	HeadHostility   = "hostility"  // softmax none, mild, strong, severe
	HeadCtxIgnore   = "ctx_ignore" // sigmoid: passes over what the context asks for
	HeadCtxEscalate = "ctx_escalate"
	HeadCtxInsult   = "ctx_insult"
	HeadPoliteness  = "politeness"  // softmax impolite, neutral, polite
	HeadAct         = "act"         // softmax over dialogue acts
	HeadReappraisal = "reappraisal" // sigmoid
	HeadSelfNaming  = "self_naming" // sigmoid: names the writer's own feeling
	HeadDistress    = "distress"    // sigmoid: a feeling that asks for support
	HeadRelevance   = "relevance"   // sigmoid: the reply answers this context
	HeadRealization = "realization" // sigmoid, optional
)

// ErrClassifier is wrapped when the classifier answers something that cannot be used at all (no scores, wrong count).
// A report is then `unavailable`; no number is made up.
var ErrClassifier = errors.New("classifier answer cannot be used")

// Turn is one turn of the conversation before the message, oldest first.
type Turn struct {
	Self bool // written by the author of the message under test
	Text string
}

// ClassifierInput is one message to classify. Text and the turns are the shown view (scrubbed, otherwise as written);
// the classifier makes its own model view of them, so that every caller's text is cleaned in one place.
type ClassifierInput struct {
	Context []Turn // nil: the message alone (single form); otherwise the pair form
	Text    string
	Lang    string // "en" or "zh", the detected language; chooses the calibration
}

// Scores are calibrated outputs by head, in the order of ModelInfo.Labels. Values of sigmoid and softmax heads lie in
// [0, 1], those of HeadVA and other heads of numbers in [-1, 1]. Anything else is treated as a fault of the model.
type Scores map[string][]float64

// Classifier turns messages into scores. Classify answers one Scores for each input, in order, or an error for all of
// them. It must be safe for concurrent use and give the same scores for the same input whatever the batch around it.
type Classifier interface {
	Classify(ctx context.Context, in []ClassifierInput) ([]Scores, error)
	Info() ModelInfo
}

// Encoder is what a Classifier may offer besides: the frozen vectors that its heads read. `heartmark train` fits heads on
// them, the evaluation classical models.
type Encoder interface {
	// Vectors answers one vector of Width values for each input, in order, or an error for all of them. Text and context
	// take the way of Classify; the second view of disguised words is not read. Safe for concurrent use, and the same
	// input gives the same vector whatever the batch around it.
	Vectors(ctx context.Context, in []ClassifierInput) ([][]float32, error)
	// Width is the number of values of a vector; 0 where the model has no such output.
	Width() int
}

// ModelInfo names the model that a report rests on.
type ModelInfo struct {
	ID      string              // "dei-m1"
	SHA256  string              // of the model file that runs, hex
	Runtime string              // "cpu-int8", "cuda-fp16"
	Scale   string              // scale version; a provisional one ends in "-provisional"
	Labels  map[string][]string // by head, in output order
	// HostilityReadsContext tells that HeadHostility was trained on pairs. Otherwise it is read from the message alone: an
	// insult in the context must not rub off on a calm reply.
	HostilityReadsContext bool
	// RatesWithNamedEmotion tells that the error rates of SO1 were measured with both of its ways (interpretation, and
	// naming the other's emotion). Otherwise only the first is scored: a correction must fit what it corrects.
	RatesWithNamedEmotion bool
	// ErrorRates give, by facet (SA1 … SK5) and language, {s1, s0}: the mean outcome on truly skilful and on truly
	// unskilful rows that were not used in training.
	ErrorRates map[string]map[string][2]float64
	// ErrorRateSE are the standard errors of s1 and s0, in the same shape, doubled until two people's labels exist (design
	// section 9.21). Absent ones count as 0.03.
	ErrorRateSE map[string]map[string][2]float64
	// ErrorRatesFinal tells that ErrorRates come from items labelled by two people. While false, every report
	// carries the caveat provisional_error_rates.
	ErrorRatesFinal bool
	// ReferenceMeans are the means of each facet in the reference group, by facet. Absent ones count as 0.5.
	ReferenceMeans map[string]float64
}

// Heads are the names of the heads that gates and facets read.
func Heads() []string { return slices.Sorted(maps.Keys(knownLabels())) }
