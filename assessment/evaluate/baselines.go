package evaluate

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/baseline"
	"heartmark/assessment/evaluate/dataset"
)

// Bounds of the classical models: they stand beside the model, and a whole run must stay a matter of minutes.
const (
	floorRows    = 10_000 // train rows of a head for TF-IDF
	floorTerms   = 100_000
	vectorRows   = 1_500 // train rows of a head for models on vectors
	forestTrees  = 100
	trainPerTest = 10 // train rows for each test row where the test rows are capped
)

// baselines fits the classical models of every study: M3 (TF-IDF with linear models), and a linear support vector machine
// and a random forest on the frozen encoder's vectors where the classifier gives vectors.
func (r *runner) baselines(ctx context.Context, studies []*study) error {
	plans := make([]*plan, len(studies))
	for i, s := range studies {
		train, err := r.trainRows(s)
		if err != nil {
			return err
		}
		plans[i] = newPlan(s, train)
	}
	err := r.timed("TF-IDF floors", func() error {
		for i, p := range plans {
			if err := ctx.Err(); err != nil {
				return err
			}
			p.study.floor = p.scored(newTexts(r.Config, p))
			r.step("TF-IDF floors")(i+1, len(plans))
		}
		return nil
	})
	if err != nil {
		return err
	}
	encoder, ok := r.Classifier.(assessment.Encoder)
	if !ok || encoder.Width() == 0 {
		r.note("the classifier gives no frozen vectors: support vector machine and random forest were not measured")
		return nil
	}
	r.note("support vector machine and random forest are classifiers: beside correlations there are none of them")
	return r.onVectors(ctx, encoder, plans)
}

// trainRows are the rows that the classical models of a study may learn from.
func (c Config) trainRows(s *study) ([]dataset.Row, error) {
	limit := floorRows
	if c.Rows > 0 {
		limit = min(limit, c.Rows*trainPerTest)
	}
	var out []dataset.Row
	tasks := fittedOn(s.head, s.set)
	for _, task := range tasks {
		rows, err := c.Folder.Rows(task, dataset.Train)
		if err != nil {
			return nil, err
		}
		out = append(out, sample(rows, limit/len(tasks))...)
	}
	return out, nil
}

// plan is what is to be learned for one study.
type plan struct {
	study *study
	train []dataset.Row
	want  []target
}

// target is one thing to learn: labels that exclude each other, or the number of a column.
type target struct {
	columns []int // places in study.labels of classes 0, 1, …; nil: class 1 is column and class 0 is the rest
	column  int
	at      []int     // places of the train rows
	classes []int     // of those rows
	values  []float64 // of a value head
}

func newPlan(s *study, train []dataset.Row) *plan {
	p := &plan{study: s, train: train}
	switch {
	case len(train) > 0 && train[0].Gold[s.head].Values != nil:
		for k := range train[0].Gold[s.head].Values {
			t := target{column: k}
			for i, row := range train {
				t.at, t.values = append(t.at, i), append(t.values, row.Gold[s.head].Values[k])
			}
			p.want = append(p.want, t)
		}
	case s.head == assessment.HeadHostility: // sets without grades say only hostile or not, and that is what is judged
		none := slices.Index(s.labels, "none")
		p.want = []target{p.yes(none, func(labels []string) bool { return slices.Contains(labels, "none") })}
		if worst := slices.Index(s.labels, severe); worst >= 0 && slices.Contains(s.hows, byHate) {
			p.want = append(p.want, p.hate(worst))
		}
	case p.single():
		p.want = []target{p.classes()}
	default:
		for k, label := range s.labels {
			t := p.yes(k, func(labels []string) bool { return slices.Contains(labels, label) })
			if slices.Contains(t.classes, 1) {
				p.want = append(p.want, t)
			}
		}
	}
	return p
}

// single tells that the lines of the study judge one label a row, and that the train rows have one.
func (p *plan) single() bool {
	if len(p.study.labels) < 2 || slices.Contains(p.study.hows, byLabels) {
		return false
	}
	return !slices.ContainsFunc(p.train, func(r dataset.Row) bool { return len(r.Gold[p.study.head].Labels) != 1 })
}

func (p *plan) yes(column int, is func(labels []string) bool) target {
	t := target{column: column}
	for i, row := range p.train {
		t.at, t.classes = append(t.at, i), append(t.classes, b2i(is(row.Gold[p.study.head].Labels)))
	}
	return t
}

// hate is severe or not, on the rows whose set says which: hostile lines of cold are not graded.
func (p *plan) hate(column int) target {
	t := target{column: column}
	for i, row := range p.train {
		labels := row.Gold[p.study.head].Labels
		if row.Set == dataset.SetCOLD && slices.Contains(labels, severe) {
			continue
		}
		t.at, t.classes = append(t.at, i), append(t.classes, b2i(slices.Contains(labels, severe)))
	}
	return t
}

// classes are the labels that occur in the train rows, in output order.
func (p *plan) classes() target {
	var t target
	present := make(map[string]int)
	for _, row := range p.train {
		present[row.Gold[p.study.head].Labels[0]]++
	}
	for k, label := range p.study.labels {
		if present[label] > 0 {
			t.columns = append(t.columns, k)
		}
	}
	for i, row := range p.train {
		class := slices.IndexFunc(t.columns, func(k int) bool { return p.study.labels[k] == row.Gold[p.study.head].Labels[0] })
		if class >= 0 {
			t.at, t.classes = append(t.at, i), append(t.classes, class)
		}
	}
	return t
}

// learner fits one target and answers the values of every class, or the number, for all test rows and then all dev rows.
// Values of classes lie in [0, 1], 0.5 being even odds of two. Numbers are nil where the learner has none.
type learner interface {
	classes(t target, classes, workers int) [][]float64
	values(t target) []float64
}

// scored is what a learner makes of all targets of the plan.
func (p *plan) scored(l learner) *scored {
	n := len(p.study.test)
	out := &scored{cut: 0.5}
	for range n {
		out.test = append(out.test, make([]float64, len(p.study.labels)))
	}
	for range p.study.dev {
		out.dev = append(out.dev, make([]float64, len(p.study.labels)))
	}
	row := func(i int) []float64 {
		if i < n {
			return out.test[i]
		}
		return out.dev[i-n]
	}
	cores := runtime.GOMAXPROCS(0)
	ok := true
	var mu sync.Mutex // guards ok; the columns of two targets are apart
	spread(len(p.want), cores, func(k int) {
		t := p.want[k]
		if t.values != nil {
			values := l.values(t)
			if values == nil {
				mu.Lock()
				ok = false
				mu.Unlock()
				return
			}
			for i, v := range values {
				row(i)[t.column] = v
			}
			return
		}
		classes, workers := 2, 1
		if t.columns != nil {
			classes = len(t.columns)
		}
		if len(p.want) == 1 {
			workers = cores
		}
		for i, values := range l.classes(t, classes, workers) {
			if t.columns == nil {
				row(i)[t.column] = values[1]
				continue
			}
			for c, k := range t.columns {
				row(i)[k] = values[c]
			}
		}
	})
	if !ok {
		return nil
	}
	return out
}

// spread calls do for 0 to n-1 on at most workers goroutines and waits for all.
func spread(n, workers int, do func(i int)) {
	var group sync.WaitGroup
	next := make(chan int)
	for range min(n, workers) {
		group.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
}

// texts is the learner of M3.
type texts struct{ train, rest []baseline.Sparse }

func newTexts(c Config, p *plan) texts {
	docs := func(rows []dataset.Row) []baseline.Doc {
		out := make([]baseline.Doc, 0, len(rows))
		for _, row := range rows {
			in := c.input(row, p.study.head)
			doc := baseline.Doc{Text: in.Text}
			if n := len(in.Context); n > 0 {
				doc.Context = in.Context[n-1].Text
			}
			out = append(out, doc)
		}
		return out
	}
	train := docs(p.train)
	terms := baseline.FitTFIDF(train, baseline.TFIDFOptions{MaxFeatures: floorTerms})
	return texts{train: terms.Vectors(train), rest: terms.Vectors(append(docs(p.study.test), docs(p.study.dev)...))}
}

func (x texts) classes(t target, classes, workers int) [][]float64 {
	m := baseline.FitLogistic(take(x.train, t.at), t.classes, classes, baseline.Options{Balanced: classes > 2, Workers: workers})
	out := make([][]float64, len(x.rest))
	for i, row := range x.rest {
		out[i] = m.Probabilities(row)
	}
	return out
}

func (x texts) values(t target) []float64 {
	m := baseline.FitRidge(take(x.train, t.at), t.values, baseline.Options{C: 1})
	out := make([]float64, len(x.rest))
	for i, row := range x.rest {
		out[i] = m.Value(row)
	}
	return out
}

// take returns the values at the places, without a copy where these are all.
func take[T any](values []T, at []int) []T {
	if len(at) == len(values) {
		return values
	}
	out := make([]T, len(at))
	for i, j := range at {
		out[i] = values[j]
	}
	return out
}

// onVectors fits support vector machine and forest on the frozen encoder's vectors, each text encoded once.
func (r *runner) onVectors(ctx context.Context, encoder assessment.Encoder, plans []*plan) error {
	vectors := newAnswers(encoder.Vectors)
	for _, p := range plans {
		if len(p.train) > vectorRows {
			*p = *newPlan(p.study, sampleBy(p.train, vectorRows, func(dataset.Row) string { return "" }))
		}
		p.each(func(row dataset.Row) { vectors.add(r.input(row, p.study.head)) })
	}
	if err := r.timed("encoding", func() error { return vectors.run(ctx, r.step("encoding")) }); err != nil {
		return err
	}
	return r.timed("SVM and forest", func() error {
		for i, p := range plans {
			if err := ctx.Err(); err != nil {
				return err
			}
			v := dense{seed: r.Seed}
			n := 0
			p.each(func(row dataset.Row) {
				x := vectors.of(r.input(row, p.study.head))
				if n++; n <= len(p.train) {
					v.train = append(v.train, x)
				} else {
					v.rest = append(v.rest, x)
				}
			})
			p.study.svm, p.study.forest = p.scored(machine{v}), p.scored(forest{v})
			r.step("SVM and forest")(i+1, len(plans))
		}
		return nil
	})
}

// each goes through the train, the test and the dev rows.
func (p *plan) each(do func(row dataset.Row)) {
	for _, rows := range [][]dataset.Row{p.train, p.study.test, p.study.dev} {
		for _, row := range rows {
			do(row)
		}
	}
}

type dense struct {
	train, rest [][]float32
	seed        uint64
}

// machine is the linear support vector machine. Its margins become values by the logistic function, which keeps their
// order and puts even odds at 0.5.
type machine struct{ dense }

func (x machine) classes(t target, classes, workers int) [][]float64 {
	m := baseline.FitSVM(take(x.train, t.at), t.classes, classes, baseline.Options{Balanced: true, Workers: workers, Seed: x.seed})
	out := make([][]float64, len(x.rest))
	for i, row := range x.rest {
		out[i] = m.Decision(row)
		for c, margin := range out[i] {
			out[i][c] = 1 / (1 + math.Exp(-margin))
		}
	}
	return out
}

func (machine) values(target) []float64 { return nil }

// forest is the random forest.
type forest struct{ dense }

func (x forest) classes(t target, classes, workers int) [][]float64 {
	m := baseline.FitForest(take(x.train, t.at), t.classes, classes,
		baseline.ForestOptions{Trees: forestTrees, Balanced: true, Workers: workers, Seed: x.seed})
	out := make([][]float64, len(x.rest))
	for i, row := range x.rest {
		out[i] = m.Probabilities(row)
	}
	return out
}

func (forest) values(target) []float64 { return nil }
