package evaluate

import (
	"fmt"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

// sureness are confidences and whether each was right, and the study that they come from.
type sureness struct {
	head, set, lang string
	confidence      []float64
	right           []bool
	rows            int
}

// calibration measures how far the calibrated values can be taken at their word: by head and language over the sets that
// the calibration knows, and for each set that is new to the head apart (assessment design, section 10, "Calibration").
func (r *runner) calibration(studies []*study) {
	have := r.Classifier.Info().Labels
	detail := suite.Table{Title: "Calibration by set", Columns: []string{"head", "set", "language", "rows", "ECE"}}
	var seen []string
	for _, s := range studies {
		if !slices.Contains(seen, s.head) && calibrated(s.head) {
			seen = append(seen, s.head)
		}
	}
	for _, head := range seen {
		if len(have[head]) == 0 {
			r.add(metric.Measure{
				Suite: metric.SuiteCalibration, Head: head, Metric: "ECE", Gate: metric.Ceiling(eceBound(head)), Missing: true,
				Note: "the model has no head " + head,
			})
			continue
		}
		for _, lang := range []string{english, chinese} {
			whole := sureness{head: head, lang: lang}
			for _, s := range studies {
				if s.head != head || s.m1 == nil {
					continue
				}
				part := s.sureness(lang)
				if part.rows == 0 {
					continue
				}
				ece, _ := metric.ECE(part.confidence, part.right, bins)
				detail.Rows = append(detail.Rows, []string{head, s.set, lang, fmt.Sprint(part.rows), fmt.Sprintf("%.3f", ece)})
				if shifted(s.set) {
					r.addECE(part, metric.Ceiling(shiftedECE))
					continue
				}
				whole.rows += part.rows
				whole.confidence, whole.right = append(whole.confidence, part.confidence...), append(whole.right, part.right...)
			}
			if whole.rows > 0 {
				r.addECE(whole, metric.Ceiling(eceBound(head)))
			}
		}
	}
	r.out.Tables = append(r.out.Tables, detail)
	r.note("calibration: of a head with exclusive labels the confidence is that of the label it names, of the others every probability; " +
		"hostility is judged as hostile or not, on HateCheck as severe or not; relevance on four true answers to one shuffled, as its calibration assumes; " +
		"the interval of an error lies a little high, since drawing rows anew adds noise that an error cannot cancel")
}

func eceBound(head string) float64 {
	if opensGates(head) {
		return gateECE
	}
	return headECE
}

// calibrated tells whether a head gives probabilities.
func calibrated(head string) bool { return head != assessment.HeadVA && head != dataset.HeadEmpathic }

func (r *runner) addECE(s sureness, gate *metric.Gate) {
	ece, diagram := metric.ECE(s.confidence, s.right, bins)
	interval := metric.Bootstrap(len(s.confidence), metric.Resamples/4, r.Seed, func(at []int) float64 {
		value, _ := metric.ECE(metric.Take(s.confidence, at), metric.Take(s.right, at), bins)
		return value
	})
	m := metric.Measure{
		Suite: metric.SuiteCalibration, Head: s.head, Set: s.set, Lang: s.lang, Metric: "ECE", Rows: s.rows, Value: ece, Interval: &interval, Gate: gate,
	}
	if shifted(s.set) {
		m.Note = "a set that the calibration does not know"
	}
	r.add(m)
	r.out.Diagrams = append(r.out.Diagrams, Diagram{Head: s.head, Set: s.set, Lang: s.lang, Rows: s.rows, ECE: ece, Bins: diagram})
}

// sureness collects the confidences of the model on a study's rows of one language.
func (s *study) sureness(lang string) sureness {
	out := sureness{head: s.head, set: s.set, lang: lang}
	columns := s.columns(s.head, "")
	wrong := 0
	for i, row := range s.test {
		if row.Lang != lang {
			continue
		}
		gold, p := row.Gold[s.head].Labels, s.m1.test[i]
		if s.head == assessment.HeadRelevance && len(gold) == 0 {
			if wrong++; wrong%4 != 0 { // one shuffled answer to four true ones
				continue
			}
		}
		out.rows++
		switch {
		case s.set == dataset.SetHateCheck: // asks for hate, which is one level
			out.put(p[slices.Index(s.labels, severe)], slices.Contains(gold, severe))
		case s.head == assessment.HeadHostility:
			out.put(1-p[slices.Index(s.labels, "none")], !slices.Contains(gold, "none"))
		case exclusive(s.head):
			best := metric.Argmax(p)
			out.put(p[best], slices.Contains(gold, s.labels[best]))
		default:
			for _, k := range columns {
				out.put(p[k], slices.Contains(gold, s.labels[k]))
			}
		}
	}
	return out
}

func (s *sureness) put(confidence float64, right bool) {
	s.confidence, s.right = append(s.confidence, confidence), append(s.right, right)
}
