package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
)

// study is one head on one set: the rows, and what each model says of them.
type study struct {
	head, set string
	labels    []string // of the head, in output order; where the model has no such head, those of the rows
	test      []dataset.Row
	dev       []dataset.Row // only where thresholds or divisors are found on them
	hows      []how         // of the lines that judge it

	m1, floor, svm, forest *scored // nil: not measured
}

// scored are scores of one model in the order of study.labels.
type scored struct {
	test, dev [][]float64
	cut       float64 // of the one label of a yes-or-no head
}

// trueReplies is the share of true answers that the relevance head's calibration assumes (model card); its cut of even
// odds lies there.
const trueReplies = 0.8

// exclusive tells that of a head's labels one is right.
func exclusive(head string) bool {
	switch head {
	case assessment.HeadER, assessment.HeadIP, assessment.HeadEX, assessment.HeadHostility, assessment.HeadPoliteness,
		assessment.HeadAct, dataset.HeadAct19, dataset.HeadSentiment, dataset.HeadEmpathy:
		return true
	default:
		return false
	}
}

// readsContext is the column "sees context" of the assessment design, section 4, as far as the model follows it:
// hostility is read from the message alone unless the model says otherwise.
func (c Config) readsContext(head string) bool {
	if c.ReadsContext != nil {
		if reads, known := c.ReadsContext[head]; known {
			return reads
		}
	}
	switch head {
	case assessment.HeadER, assessment.HeadIP, assessment.HeadEX, assessment.HeadCtxIgnore, assessment.HeadCtxEscalate,
		assessment.HeadCtxInsult, assessment.HeadAct, dataset.HeadAct19, assessment.HeadReappraisal, dataset.HeadStrategies,
		assessment.HeadRelevance, dataset.HeadNegotiation:
		return true
	case assessment.HeadHostility:
		return c.Classifier.Info().HostilityReadsContext
	default:
		return false
	}
}

// input is what a classifier is asked of a row for a head.
func (c Config) input(row dataset.Row, head string) assessment.ClassifierInput {
	in := assessment.ClassifierInput{Text: row.Text, Lang: row.Lang}
	if c.readsContext(head) {
		in.Context = row.Context
	}
	return in
}

// studies reads the rows of all lines.
func (c Config) studies() ([]*study, error) {
	var out []*study
	for _, l := range lines() {
		at := slices.IndexFunc(out, func(s *study) bool { return s.head == l.head && s.set == l.set })
		if at < 0 {
			test, err := c.Folder.Rows(l.task(), dataset.Test)
			if err != nil {
				return nil, err
			}
			at = len(out)
			out = append(out, &study{head: l.head, set: l.set, test: sample(test, c.Rows)})
		}
		s := out[at]
		s.hows = append(s.hows, l.how)
		if l.how.tuned() && s.dev == nil && !shifted(l.set) { // a set that is new to the head stays so
			dev, err := c.Folder.Rows(l.task(), dataset.Dev)
			if err != nil {
				return nil, err
			}
			s.dev = sample(dev, c.devRows())
		}
	}
	labels := c.Classifier.Info().Labels
	for _, s := range out {
		if s.labels = labels[s.head]; len(s.labels) == 0 {
			s.labels = labelsOf(s.head, s.test, s.dev)
		}
	}
	return out, nil
}

// devRows caps the rows that thresholds and divisors are found on where the test rows are capped; too few give no thresholds at all.
func (c Config) devRows() int {
	if c.Rows == 0 {
		return 0
	}
	return max(c.Rows, 200)
}

// labelsOf are the labels that rows know for a head, sorted.
func labelsOf(head string, parts ...[]dataset.Row) []string {
	seen := make(map[string]bool)
	for _, rows := range parts {
		for _, r := range rows {
			for _, label := range append(slices.Clone(r.Gold[head].Known), r.Gold[head].Labels...) {
				seen[label] = true
			}
		}
	}
	out := make([]string, 0, len(seen))
	for label := range seen {
		out = append(out, label)
	}
	slices.Sort(out)
	return out
}

// sample takes at most limit rows of each language, the same ones for every head of a set, in their order; 0 takes all.
func sample(rows []dataset.Row, limit int) []dataset.Row {
	return sampleBy(rows, limit, func(r dataset.Row) string { return r.Lang })
}

// sampleBy takes at most limit rows of each kind.
func sampleBy(rows []dataset.Row, limit int, kind func(dataset.Row) string) []dataset.Row {
	if limit == 0 {
		return rows
	}
	at := make([]int, len(rows))
	place := make([]uint64, len(rows))
	for i, r := range rows {
		at[i] = i
		h := fnv.New64a()
		_, _ = h.Write([]byte(r.Set + "\x00" + cmp.Or(r.Group, r.ID))) // whole groups, so that pairs stay together
		place[i] = mix(h.Sum64())
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(place[a], place[b]) })
	taken := make(map[string]int)
	var keep []int
	for _, i := range at {
		if k := kind(rows[i]); taken[k] < limit {
			taken[k]++
			keep = append(keep, i)
		}
	}
	slices.Sort(keep)
	return metric.Take(rows, keep)
}

// mix spreads a hash: FNV of names that differ in their last characters are close to each other.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// answers asks each different question once.
type answers[T any] struct {
	ask   func(context.Context, []assessment.ClassifierInput) ([]T, error)
	index map[string]int
	in    []assessment.ClassifierInput
	out   []T
}

func newAnswers[T any](ask func(context.Context, []assessment.ClassifierInput) ([]T, error)) *answers[T] {
	return &answers[T]{ask: ask, index: make(map[string]int)}
}

func key(in assessment.ClassifierInput) string {
	var b strings.Builder
	b.WriteString(in.Lang)
	b.WriteByte(0)
	b.WriteString(in.Text)
	for _, t := range in.Context {
		fmt.Fprintf(&b, "\x00%t\x00%s", t.Self, t.Text)
	}
	return b.String()
}

func (a *answers[T]) add(in assessment.ClassifierInput) {
	k := key(in)
	if _, ok := a.index[k]; !ok {
		a.index[k] = len(a.in)
		a.in = append(a.in, in)
	}
}

func (a *answers[T]) of(in assessment.ClassifierInput) T { return a.out[a.index[key(in)]] }

// piece is how many questions are asked at once: enough for full batches of every length.
const piece = 512

func (a *answers[T]) run(ctx context.Context, progress func(done, total int)) error {
	for len(a.out) < len(a.in) {
		next := a.in[len(a.out):min(len(a.out)+piece, len(a.in))]
		out, err := a.ask(ctx, next)
		if err != nil {
			return err
		}
		if len(out) != len(next) {
			return fmt.Errorf("%w: %d answers to %d messages", assessment.ErrClassifier, len(out), len(next))
		}
		a.out = append(a.out, out...)
		progress(len(a.out), len(a.in))
	}
	return nil
}

// classify fills in what the model says of all studies whose head it has.
func (r *runner) classify(ctx context.Context, studies []*study) error {
	scores := newAnswers(r.Classifier.Classify)
	have := r.Classifier.Info().Labels
	each := func(do func(s *study, row dataset.Row)) {
		for _, s := range studies {
			if len(have[s.head]) == 0 {
				continue
			}
			for _, row := range s.test {
				do(s, row)
			}
			for _, row := range s.dev {
				do(s, row)
			}
		}
	}
	each(func(s *study, row dataset.Row) { scores.add(r.input(row, s.head)) })
	if err := scores.run(ctx, r.step("classifying")); err != nil {
		return err
	}
	var bad error
	take := func(s *study, row dataset.Row) []float64 {
		values := scores.of(r.input(row, s.head))[s.head]
		if len(values) != len(s.labels) {
			bad = fmt.Errorf("%w: head %s has %d values for %d labels", assessment.ErrClassifier, s.head, len(values), len(s.labels))
		}
		return values
	}
	for _, s := range studies {
		if len(have[s.head]) == 0 {
			continue
		}
		s.m1 = &scored{cut: 0.5}
		if s.head == assessment.HeadRelevance {
			s.m1.cut = trueReplies
		}
		for _, row := range s.test {
			s.m1.test = append(s.m1.test, take(s, row))
		}
		for _, row := range s.dev {
			s.m1.dev = append(s.m1.dev, take(s, row))
		}
	}
	return bad
}
