package evaluate

import (
	"math"
	"slices"

	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
)

// verdict compares what one model says with the truth, on the rows of one line.
type verdict struct {
	how    how
	at     []int // places of the rows in study.test
	labels []string

	want, got         []int           // one label: places in labels
	wantSets, gotSets [][]bool        // byLabels: [rows][labels]
	truth, value      []float64       // byValue, and byRank with truth 0 or 1
	groups            [][]int         // places in the slices above of rows that resemble each other
	cuts              map[int]float64 // byLabels: thresholds, byClass: divisors; by place in labels, nil where none were found
}

// score is the line's metric on the rows at the given places of the verdict.
func (v verdict) score(at []int) float64 {
	switch v.how {
	case byLabels:
		macro, _ := metric.MultiLabelF1(metric.Take(v.wantSets, at), metric.Take(v.gotSets, at))
		return macro
	case byClass, byHostile, byTruth:
		return metric.MacroF1(metric.Take(v.want, at), metric.Take(v.got, at), len(v.labels))
	case byClassWeighted:
		return metric.WeightedF1(metric.Take(v.want, at), metric.Take(v.got, at), len(v.labels))
	case byHostileShare, byHate, byTruthShare, byPole:
		return metric.Accuracy(metric.Take(v.want, at), metric.Take(v.got, at))
	case byRank:
		positive := make([]bool, len(at))
		for i, j := range at {
			positive[i] = v.truth[j] > 0.5
		}
		return metric.AUC(positive, metric.Take(v.value, at))
	case byValue:
		return metric.Pearson(metric.Take(v.truth, at), metric.Take(v.value, at))
	default:
		panic("evaluate: a line without a way to be judged")
	}
}

// all are the places of all rows of a verdict.
func (v verdict) all() []int {
	out := make([]int, len(v.at))
	for i := range out {
		out[i] = i
	}
	return out
}

// judge compares the scores of one model with the truth for a line. A verdict without rows was not possible.
func judge(l line, s *study, by *scored) verdict {
	v := verdict{how: l.how}
	for i, row := range s.test {
		if l.has(row) && (l.how != byPole || row.Gold[l.head].Labels[0] != "neutral") {
			v.at = append(v.at, i)
		}
	}
	v.groups = groups(s.test, v.at)
	switch l.how {
	case byLabels:
		v.judgeLabels(l, s, by)
	case byClass, byClassWeighted:
		v.judgeClass(l, s, by)
	case byHostile, byHostileShare:
		none := slices.Index(s.labels, "none")
		v.judgeYes([]string{"harmless", "hostile"}, func(i int) (bool, bool) {
			return !slices.Contains(s.test[i].Gold[l.head].Labels, "none"), by.test[i][none] < 0.5
		})
	case byHate:
		v.judgeYes([]string{"not hateful", "hateful"}, func(i int) (bool, bool) {
			return slices.Contains(s.test[i].Gold[l.head].Labels, severe), s.labels[metric.Argmax(by.test[i])] == severe
		})
	case byPole:
		low, high := slices.Index(s.labels, "impolite"), slices.Index(s.labels, "polite")
		v.judgeYes([]string{"impolite", "polite"}, func(i int) (bool, bool) {
			return s.test[i].Gold[l.head].Labels[0] == "polite", by.test[i][high] > by.test[i][low]
		})
	case byTruth, byTruthShare, byRank:
		v.judgeYes([]string{"not " + l.head, l.head}, func(i int) (bool, bool) {
			return len(s.test[i].Gold[l.head].Labels) > 0, by.test[i][0] >= by.cut
		})
		for k, i := range v.at {
			v.truth, v.value = append(v.truth, float64(v.want[k])), append(v.value, by.test[i][0])
		}
	case byValue:
		for _, i := range v.at {
			v.truth = append(v.truth, s.test[i].Gold[l.head].Values[l.column])
			v.value = append(v.value, by.test[i][l.column])
		}
	}
	return v
}

// has tells whether a row belongs to the line.
func (l line) has(row dataset.Row) bool {
	return (l.lang == "" || l.lang == row.Lang) && (l.tag == "" || row.Tags[l.tag] == l.value)
}

func (v *verdict) judgeYes(labels []string, of func(i int) (want, got bool)) {
	v.labels = labels
	for _, i := range v.at {
		want, got := of(i)
		v.want, v.got = append(v.want, b2i(want)), append(v.got, b2i(got))
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// columns are the places in s.labels that the annotators of the rows could choose.
func (s *study) columns(head, without string) []int {
	var known []string
	if len(s.test) > 0 {
		known = s.test[0].Gold[head].Known
	}
	var out []int
	for k, label := range s.labels {
		if label != without && (known == nil || slices.Contains(known, label)) {
			out = append(out, k)
		}
	}
	return out
}

// judgeClass takes, among the labels that the set knows, the one with the highest score; for macro-F1 the highest score
// over a divisor of the label that was found on dev rows, since the plain one starves rare labels.
func (v *verdict) judgeClass(l line, s *study, by *scored) {
	columns := s.columns(l.head, "")
	for _, k := range columns {
		v.labels = append(v.labels, s.labels[k])
	}
	divisors := make([]float64, len(columns))
	for k := range divisors {
		divisors[k] = 1
	}
	if dev := l.of(s.dev); l.how.tuned() && len(dev) > 0 {
		want, score := make([]int, len(dev)), make([][]float64, len(dev))
		for k, i := range dev {
			want[k], score[k] = slices.Index(v.labels, s.dev[i].Gold[l.head].Labels[0]), metric.Take(by.dev[i], columns)
		}
		divisors = metric.Divisors(want, score, len(columns), fewest)
		v.cuts = make(map[int]float64)
		for k, d := range divisors {
			v.cuts[k] = d
		}
	}
	for _, i := range v.at {
		v.got = append(v.got, metric.Divided(metric.Take(by.test[i], columns), divisors))
		v.want = append(v.want, slices.Index(v.labels, s.test[i].Gold[l.head].Labels[0]))
	}
}

// of are the places of the rows that belong to the line.
func (l line) of(rows []dataset.Row) []int {
	var out []int
	for i, row := range rows {
		if l.has(row) {
			out = append(out, i)
		}
	}
	return out
}

// fewest is how many dev rows must truly bear a label for a divisor of its own.
const fewest = 10

func (v *verdict) judgeLabels(l line, s *study, by *scored) {
	columns := s.columns(l.head, l.without)
	cuts := thresholds(l.head, s, by.dev, l.of(s.dev), columns)
	v.cuts = make(map[int]float64)
	for at, k := range columns {
		v.labels = append(v.labels, s.labels[k])
		v.cuts[at] = cuts[at]
	}
	for _, i := range v.at {
		want, got := make([]bool, len(columns)), make([]bool, len(columns))
		for at, k := range columns {
			want[at] = slices.Contains(s.test[i].Gold[l.head].Labels, s.labels[k])
			got[at] = by.test[i][k] >= cuts[at]
		}
		v.wantSets, v.gotSets = append(v.wantSets, want), append(v.gotSets, got)
	}
}

// thresholds finds, for each column, the cut that is best for F1 on dev rows; a label that none of them bears takes that of
// all labels together, and without any it is even odds.
func thresholds(head string, s *study, scores [][]float64, dev, columns []int) []float64 {
	grid := metric.Grid(0.04, 0.9, 44)
	var allTruth []bool
	var allScores []float64
	truths, values := make([][]bool, len(columns)), make([][]float64, len(columns))
	for at, k := range columns {
		for _, i := range dev {
			truths[at] = append(truths[at], slices.Contains(s.dev[i].Gold[head].Labels, s.labels[k]))
			values[at] = append(values[at], scores[i][k])
		}
		allTruth, allScores = append(allTruth, truths[at]...), append(allScores, values[at]...)
	}
	common := metric.Threshold(allTruth, allScores, grid, thresholdSeed)
	if math.IsNaN(common) {
		common = 0.5
	}
	out := make([]float64, len(columns))
	for at := range columns {
		if out[at] = metric.Threshold(truths[at], values[at], grid, thresholdSeed); math.IsNaN(out[at]) {
			out[at] = common
		}
	}
	return out
}

// thresholdSeed draws the resamples of a threshold: the same for every model that is compared.
const thresholdSeed = 1

// groups joins the places of rows with the same group; rows without one stand alone.
func groups(rows []dataset.Row, at []int) [][]int {
	var out [][]int
	place := make(map[string]int)
	for k, i := range at {
		name := rows[i].Group
		g, known := place[name]
		if name == "" || !known {
			g = len(out)
			out = append(out, nil)
			place[name] = g
		}
		out[g] = append(out[g], k)
	}
	return out
}

// value is the metric on all rows and its 90 % interval, drawn by groups.
func (v verdict) measure(seed uint64) (float64, *[2]float64) {
	value := v.score(v.all())
	interval := metric.BootstrapGroups(v.groups, metric.Resamples, seed, v.score)
	if math.IsNaN(interval[0]) {
		return value, nil
	}
	return value, &interval
}
