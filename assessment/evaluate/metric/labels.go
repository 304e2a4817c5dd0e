package metric

// counts of one class.
type counts struct{ hit, want, got int }

func (c counts) precision() float64 { return share(c.hit, c.got) }
func (c counts) recall() float64    { return share(c.hit, c.want) }

// f1 is 0 where the class was neither there nor found.
func (c counts) f1() float64 { return share(2*c.hit, c.want+c.got) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// tally counts each class. A value outside [0, classes) belongs to no class: it is never a hit.
func tally(want, got []int, classes int) []counts {
	mustMatch(len(want), len(got))
	out := make([]counts, classes)
	for i := range want {
		w, g := want[i], got[i]
		if w >= 0 && w < classes {
			out[w].want++
			if w == g {
				out[w].hit++
			}
		}
		if g >= 0 && g < classes {
			out[g].got++
		}
	}
	return out
}

func mustMatch(want, got int) {
	if want != got {
		panic("metric: as many answers as truths are needed")
	}
}

// MacroF1 is the mean F1 of the classes that occur in want or in got, each with the same weight. Values outside
// [0, classes) belong to no class. It is 0 for no rows.
func MacroF1(want, got []int, classes int) float64 {
	sum, n := 0.0, 0
	for _, c := range tally(want, got, classes) {
		if c.want+c.got > 0 {
			sum += c.f1()
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// WeightedF1 is the mean F1 of the classes, weighted by how often each occurs in want.
func WeightedF1(want, got []int, classes int) float64 {
	sum, n := 0.0, 0
	for _, c := range tally(want, got, classes) {
		sum += c.f1() * float64(c.want)
		n += c.want
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Accuracy is the share of equal values; 0 for no rows.
func Accuracy(want, got []int) float64 {
	mustMatch(len(want), len(got))
	hit := 0
	for i := range want {
		if want[i] == got[i] {
			hit++
		}
	}
	return share(hit, len(want))
}

// Confusion counts answers: row want, column got. Pairs with a value outside [0, classes) are left out.
func Confusion(want, got []int, classes int) [][]int {
	mustMatch(len(want), len(got))
	out := make([][]int, classes)
	for i := range out {
		out[i] = make([]int, classes)
	}
	for i := range want {
		if w, g := want[i], got[i]; w >= 0 && w < classes && g >= 0 && g < classes {
			out[w][g]++
		}
	}
	return out
}

// Labels of the last two lines of a Report.
const (
	LabelMacro    = "macro"
	LabelWeighted = "weighted"
)

// ClassReport is one line of a classification report.
type ClassReport struct {
	Label     string  `json:"label"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	Support   int     `json:"support"` // rows that truly have the label
}

// Report is a line for each label, then the macro mean over the labels that occur in want or got, and the mean weighted
// by support. Values of want and got are places in labels.
func Report(want, got []int, labels []string) []ClassReport {
	return report(tally(want, got, len(labels)), labels)
}

// MultiLabelReport is the Report of labels that may be true together: want and got are [rows][labels].
func MultiLabelReport(want, got [][]bool, labels []string) []ClassReport {
	return report(tallySets(want, got, len(labels)), labels)
}

func report(each []counts, labels []string) []ClassReport {
	out := make([]ClassReport, 0, len(labels)+2)
	macro, weighted := ClassReport{Label: LabelMacro}, ClassReport{Label: LabelWeighted}
	present := 0.0
	for i, c := range each {
		line := ClassReport{labels[i], c.precision(), c.recall(), c.f1(), c.want}
		out = append(out, line)
		if c.want+c.got == 0 {
			continue
		}
		present++
		macro.add(line, 1)
		weighted.add(line, float64(c.want))
	}
	macro.scale(present)
	weighted.scale(float64(weighted.Support))
	return append(out, macro, weighted)
}

func (r *ClassReport) add(line ClassReport, weight float64) {
	r.Precision += weight * line.Precision
	r.Recall += weight * line.Recall
	r.F1 += weight * line.F1
	r.Support += line.Support
}

func (r *ClassReport) scale(whole float64) {
	if whole == 0 {
		return
	}
	r.Precision, r.Recall, r.F1 = r.Precision/whole, r.Recall/whole, r.F1/whole
}

// MultiLabelF1 is the F1 of each label and their mean over all labels, those that never occur counted as 0. want and got
// are [rows][labels].
func MultiLabelF1(want, got [][]bool) (macro float64, each []float64) {
	if len(want) == 0 {
		mustMatch(0, len(got))
		return 0, nil
	}
	for _, c := range tallySets(want, got, len(want[0])) {
		each = append(each, c.f1())
		macro += c.f1()
	}
	if len(each) == 0 {
		return 0, nil
	}
	return macro / float64(len(each)), each
}

func tallySets(want, got [][]bool, labels int) []counts {
	mustMatch(len(want), len(got))
	out := make([]counts, labels)
	for i := range want {
		mustMatch(len(want[i]), len(got[i]))
		for k := range want[i] {
			if want[i][k] {
				out[k].want++
			}
			if got[i][k] {
				out[k].got++
			}
			if want[i][k] && got[i][k] {
				out[k].hit++
			}
		}
	}
	return out
}

// Threshold is the cut of grid for score >= cut that is best for F1 on rows like these: the median of the best cuts (the
// first of equals) of resamples of the rows. The best cut on the rows themselves follows the few rows that happen to lie
// near it: on 76 rows with 3 to 22 positives a label it cost 5 points of macro-F1 on rows not used. It is meant for
// development rows: a threshold found on the rows that are measured is a way to fool oneself. Without a positive it is
// NaN.
func Threshold(positive []bool, score, grid []float64, seed uint64) float64 {
	mustMatch(len(positive), len(score))
	var cuts []float64
	Bootstrap(len(positive), thresholdResamples, seed, func(at []int) float64 {
		if cut, ok := bestCut(positive, score, grid, at); ok {
			cuts = append(cuts, cut)
		}
		return 0
	})
	return Quantile(cuts, 0.5)
}

const thresholdResamples = 31

// bestCut is the cut with the best F1 over the rows at the given places; ok is false where none of them is positive.
func bestCut(positive []bool, score, grid []float64, at []int) (cut float64, ok bool) {
	best := 0.0
	for _, t := range grid {
		var c counts
		for _, i := range at {
			found := score[i] >= t
			if positive[i] {
				c.want++
			}
			if found {
				c.got++
			}
			if positive[i] && found {
				c.hit++
			}
		}
		if v := c.f1(); v > best {
			best, cut, ok = v, t, true
		}
	}
	return cut, ok
}

// Grid is n values from low to high, both included.
func Grid(low, high float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = low + (high-low)*float64(i)/float64(max(n-1, 1))
	}
	return out
}

// Argmax is the place of the largest value, the first of equals; -1 for none.
func Argmax(values []float64) int {
	best := -1
	for i, v := range values {
		if best < 0 || v > values[best] {
			best = i
		}
	}
	return best
}
