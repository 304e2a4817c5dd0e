package evaluate

import (
	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
)

// how names the way a line is judged; see judge.go.
type how int

const (
	byLabels        how = iota // several labels may be true: macro-F1, thresholds from dev
	byClass                    // one label of those the set knows: macro-F1, divisors from dev
	byClassWeighted            // likewise, F1 weighted by support, no divisors
	byHostile                  // hostile or not: macro-F1
	byHostileShare             // hostile or not: accuracy
	byHate                     // the most probable level is hate or threat, or not: accuracy
	byTruth                    // one yes or no: macro-F1
	byTruthShare               // one yes or no: accuracy
	byRank                     // one yes or no: AUC
	byPole                     // impolite against polite quarter, neutral rows left out: accuracy
	byValue                    // one number: r
)

// tuned tells that something of the way is found on dev rows: thresholds of labels, or divisors of classes.
func (h how) tuned() bool { return h == byLabels || h == byClass }

// severe is the level of the hostility head that means hate or a threat.
const severe = "severe"

// line is one measure of the heads suite. Those with a gate are rows of the table of the assessment design, section 10;
// the others say more of the same heads.
type line struct {
	head, set  string
	lang       string // "en", "zh"; "" measures all rows
	tag, value string // only rows that bear this tag, such as domain=wikipedia
	how        how
	column     int    // of a value head
	without    string // byLabels: a label of the set that is not counted
	metric     string
	floor      float64 // of TF-IDF with linear models as the design measured it; 0: it did not
	gate       float64 // at least; 0: informative only
	literature string
	note       string
}

func (l line) task() string { return l.head + "/" + l.set }

func (l line) bound() *metric.Gate {
	if l.gate == 0 {
		return nil
	}
	return metric.Floor(l.gate)
}

const (
	english   = "en"
	chinese   = "zh"
	macroF1   = "macro-F1"
	accuracy  = "accuracy"
	rows72    = "104, 147 and 72 rows: ±0.04"
	fromPaper = " (from memory of the paper)" // the design's †
)

// lines are all measures of the heads suite: assessment design, section 10, table "head, set, metric", row by row, each
// followed by what is informative beside it.
func lines() []line {
	return append(append(emotionLines(), talkLines()...), toneLines()...)
}

func emotionLines() []line {
	return []line{
		{
			head: dataset.HeadEmotion27, set: dataset.SetGoemotions, lang: english, how: byLabels, metric: macroF1,
			floor: 0.464, gate: 0.50, literature: "BERT 0.46" + fromPaper + ", 0.50 (re-run)",
		},
		{head: assessment.HeadEmotion, set: dataset.SetGoemotions, lang: english, how: byLabels, metric: macroF1, floor: 0.560, gate: 0.60},
		{
			head: assessment.HeadEmotion, set: dataset.SetXED, lang: english, how: byLabels, without: "neutral", metric: macroF1,
			floor: 0.405, gate: 0.48, literature: "BERT 0.536", note: "of the 8 emotions; neutral lines count as rows without any",
		},
		{
			head: assessment.HeadEmotion, set: dataset.SetXED, lang: chinese, how: byLabels, without: "neutral", metric: macroF1,
			note: "labels projected from aligned English lines",
		},
		{
			head: assessment.HeadEmotion, set: dataset.SetCPED, lang: chinese, how: byClass, metric: macroF1, floor: 0.14, gate: 0.24,
			note: "programmes that training has not seen; of the 9 common classes that the set's 13 labels map to",
		},
		{
			head: dataset.HeadSentiment, set: dataset.SetCPED, lang: chinese, how: byClass, metric: macroF1, floor: 0.41, gate: 0.50,
			note: "programmes that training has not seen",
		},
		{
			head: assessment.HeadEmotion, set: dataset.SetEmory, lang: english, how: byClassWeighted, metric: "weighted F1",
			floor: 0.29, gate: 0.35, literature: "0.37 to 0.41 with models of the full context" + fromPaper,
		},
		{head: assessment.HeadEmotion, set: dataset.SetPersonas, lang: english, how: byClass, metric: macroF1},
		{head: assessment.HeadEmotion, set: dataset.SetPersonas, lang: chinese, how: byClass, metric: macroF1},
		{
			head: assessment.HeadEmotion, set: dataset.SetSituations, lang: english, how: byClass, metric: macroF1,
			note: "a set that no model was trained or tuned on; situations whose emotion has a common class",
		},
		{head: assessment.HeadVA, set: dataset.SetEmoBank, lang: english, how: byValue, column: 0, metric: "r valence", floor: 0.55, gate: 0.68},
		{head: assessment.HeadVA, set: dataset.SetEmoBank, lang: english, how: byValue, column: 1, metric: "r arousal", floor: 0.42, gate: 0.42},
		{
			head: dataset.HeadEmpathic, set: dataset.SetReactions, lang: english, how: byValue, column: 0, metric: "r concern",
			floor: 0.35, gate: 0.45, literature: "CNN 0.40",
		},
		{
			head: dataset.HeadEmpathic, set: dataset.SetReactions, lang: english, how: byValue, column: 1, metric: "r distress",
			floor: 0.34, gate: 0.45, literature: "CNN 0.44",
		},
		{
			head: assessment.HeadDistress, set: dataset.SetSituations, lang: english, how: byRank, metric: "AUC", gate: 0.90,
			note: "negative against positive situations of a set that no model was trained or tuned on",
		},
		{head: assessment.HeadDistress, set: dataset.SetSites, lang: english, how: byTruth, metric: macroF1},
		{head: assessment.HeadDistress, set: dataset.SetSites, lang: chinese, how: byTruth, metric: macroF1},
		{head: assessment.HeadSelfNaming, set: dataset.SetPersonas, lang: english, how: byTruth, metric: macroF1},
		{head: assessment.HeadSelfNaming, set: dataset.SetPersonas, lang: chinese, how: byTruth, metric: macroF1},
		{head: assessment.HeadRealization, set: dataset.SetGoemotions, lang: english, how: byRank, metric: "AUC"},
	}
}

func talkLines() []line {
	return []line{
		{head: dataset.HeadAct19, set: dataset.SetCPED, lang: chinese, how: byClass, metric: macroF1, floor: 0.31, gate: 0.40},
		{head: assessment.HeadAct, set: dataset.SetCPED, lang: chinese, how: byClass, metric: macroF1},
		{head: assessment.HeadAct, set: dataset.SetCasino, lang: english, how: byClass, metric: macroF1},
		{
			head: dataset.HeadNegotiation, set: dataset.SetCasino, lang: english, how: byLabels, metric: macroF1,
			floor: 0.48, gate: 0.58, literature: "about 0.68" + fromPaper,
		},
		{
			head: assessment.HeadER, set: dataset.SetEpitome, lang: english, how: byClass, metric: macroF1,
			floor: 0.71, gate: 0.74, literature: "RoBERTa bi-encoder 0.74" + fromPaper,
		},
		{
			head: assessment.HeadIP, set: dataset.SetEpitome, lang: english, how: byClass, metric: macroF1,
			floor: 0.53, gate: 0.60, literature: "RoBERTa bi-encoder 0.63" + fromPaper,
		},
		{
			head: assessment.HeadEX, set: dataset.SetEpitome, lang: english, how: byClass, metric: macroF1,
			floor: 0.62, gate: 0.68, literature: "RoBERTa bi-encoder 0.73" + fromPaper,
		},
		{head: dataset.HeadEmpathy, set: dataset.SetPersonas, lang: english, how: byClass, metric: macroF1, floor: 0.64, gate: 0.76},
		{head: dataset.HeadEmpathy, set: dataset.SetPersonas, lang: chinese, how: byClass, metric: macroF1, floor: 0.65, gate: 0.75},
		{head: assessment.HeadCtxIgnore, set: dataset.SetDiaSafety, lang: english, how: byTruth, metric: macroF1, floor: 0.82, gate: 0.80, note: rows72},
		{head: assessment.HeadCtxEscalate, set: dataset.SetDiaSafety, lang: english, how: byTruth, metric: macroF1, floor: 0.86, gate: 0.88, note: rows72},
		{head: assessment.HeadCtxInsult, set: dataset.SetDiaSafety, lang: english, how: byTruth, metric: macroF1, floor: 0.58, gate: 0.70, note: rows72},
		{head: assessment.HeadRelevance, set: dataset.SetShuffled, lang: english, how: byTruthShare, metric: accuracy, gate: 0.80, note: balanced},
		{head: assessment.HeadRelevance, set: dataset.SetShuffled, lang: chinese, how: byTruthShare, metric: accuracy, gate: 0.72, note: balanced},
	}
}

const balanced = "as many shuffled answers as true ones, half of them from near by in the same set; cut where the head was before its " +
	"calibration moved it to the share of true answers in ordinary talk"

func toneLines() []line {
	return []line{
		{head: assessment.HeadHostility, set: dataset.SetCOLD, lang: chinese, how: byHostile, metric: macroF1, floor: 0.786, gate: 0.81, literature: "accuracy 0.81" + fromPaper},
		{head: assessment.HeadHostility, set: dataset.SetConvAbuse, lang: english, how: byHostile, metric: macroF1, floor: 0.80, gate: 0.85},
		{head: assessment.HeadHostility, set: dataset.SetDavidson, lang: english, how: byHostile, metric: macroF1, note: "optional set with a known dialect bias"},
		{
			head: assessment.HeadHostility, set: dataset.SetHateCheck, lang: english, how: byHate, metric: accuracyHate, floor: 0.33, gate: 0.60,
			note: unseen + asksHate,
		},
		{
			head: assessment.HeadHostility, set: dataset.SetHateCheck, lang: chinese, how: byHate, metric: accuracyHate, floor: 0.49, gate: 0.65,
			note: unseen + asksHate + "; no Chinese set grades hostility, so that the classical models know no Chinese hate",
		},
		{head: assessment.HeadHostility, set: dataset.SetHateCheck, lang: english, how: byHostileShare, metric: accuracyHostile, note: unseen + asksHostile},
		{head: assessment.HeadHostility, set: dataset.SetHateCheck, lang: chinese, how: byHostileShare, metric: accuracyHostile, note: unseen + asksHostile},
		{
			head: assessment.HeadPoliteness, set: dataset.SetPoliteness, lang: english, tag: "domain", value: "wikipedia", how: byPole,
			metric: "accuracy of quarters, wikipedia", floor: 0.83, gate: 0.87, literature: "SVM 0.84, people 0.87" + fromPaper,
		},
		{
			head: assessment.HeadPoliteness, set: dataset.SetPoliteness, lang: english, tag: "domain", value: "stack_exchange", how: byPole,
			metric: "accuracy of quarters, stack exchange", floor: 0.63, gate: 0.68, literature: "SVM 0.78" + fromPaper,
		},
		{head: assessment.HeadPoliteness, set: dataset.SetPoliteness, lang: english, how: byClass, metric: macroF1},
		{
			head: assessment.HeadReappraisal, set: dataset.SetFrames, lang: english, how: byTruth, metric: macroF1, floor: 0.93, gate: 0.95,
			note: "rewrites against originals, both after an own message",
		},
		{head: dataset.HeadStrategies, set: dataset.SetFrames, lang: english, how: byLabels, metric: macroF1, floor: 0.50, gate: 0.57},
	}
}

const (
	accuracyHate    = "accuracy, most probable level is severe"
	accuracyHostile = "accuracy, hostile at all"

	unseen      = "functional tests that no model was trained or tuned on"
	asksHate    = "; they ask for hate, which on the scale of the head is the level severe (hate or threat), not for rudeness"
	asksHostile = "; they ask for hate: rude lines without hate count as mistakes here"
)

// Bounds of the same section that are no line of the table.
const (
	// leastFunctionality is the accuracy that no functionality without hate may be under.
	leastFunctionality = 0.40
	// Expected calibration error, 15 bins.
	gateECE, headECE, shiftedECE = 0.05, 0.08, 0.12
	bins                         = 15
)

// opensGates tells whether a head opens gates (assessment design, section 5): its calibration is held to the closer bound.
func opensGates(head string) bool {
	return head == assessment.HeadDistress || head == assessment.HeadHostility || head == assessment.HeadEmotion
}

// shifted tells whether a set is new to a head: never trained on, and not calibrated on.
func shifted(set string) bool { return set == dataset.SetHateCheck || set == dataset.SetSituations }

// fittedOn are the tasks whose train rows the classical models of a task are fitted on: its own, and for a set that is for
// evaluation only those of the same head.
func fittedOn(head, set string) []string {
	switch {
	case set == dataset.SetHateCheck:
		return []string{
			assessment.HeadHostility + "/" + dataset.SetCOLD, assessment.HeadHostility + "/" + dataset.SetConvAbuse,
			assessment.HeadHostility + "/" + dataset.SetDavidson,
		}
	case set == dataset.SetSituations && head == assessment.HeadDistress:
		return []string{assessment.HeadDistress + "/" + dataset.SetSites}
	case set == dataset.SetSituations:
		return []string{head + "/" + dataset.SetGoemotions}
	default:
		return []string{head + "/" + set}
	}
}
