package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

// ErrSuite is returned for the name of a suite that does not exist.
var ErrSuite = errors.New("no such suite")

// Suites are the names of all suites, in the order in which they are reported.
func Suites() []string {
	return []string{
		metric.SuiteHeads, metric.SuiteCalibration, metric.SuiteContrast, metric.SuiteSimulated, metric.SuiteRobustness,
		metric.SuiteFairness, metric.SuiteGaming, metric.SuiteValidity, metric.SuiteEquivalence, metric.SuiteSpeed,
	}
}

// Config tells what to evaluate and how much of it. Classifier, Folder and Now are required.
type Config struct {
	Classifier assessment.Classifier
	// Against is a second form of the same model, such as its fp32 export or the one that runs on the other provider; the
	// equivalence suite compares the two. nil: that suite's measures are missing.
	Against assessment.Classifier
	Folder  *dataset.Folder
	Now     func() time.Time
	// Language names the language of a text; nil takes that of package assessment/text.
	Language func(string) (string, float64)
	// ReadsContext tells by head whether the model was trained on the pair form; heads that are not in it follow the
	// assessment design, section 4.
	ReadsContext map[string]bool
	Library      string // ONNX Runtime and its version, for the record
	// StartUp is how long the classifier took to open; 0: not known, and the speed suite says so.
	StartUp time.Duration

	Suites    []string // names of Suites; none: all
	Rows      int      // most test rows a head, set and language; 0: all. The suites of the product shrink with it
	Seed      uint64   // of every draw; 0 reads 1
	Baselines bool     // fit the classical models: TF-IDF with linear models, and SVM and forest on frozen vectors

	// Progress, when set, hears how many of how many steps of a stage are done.
	Progress func(stage string, done, total int)
}

// Validate reports all faults at once.
func (c Config) Validate() error {
	var faults []error
	if c.Classifier == nil || c.Folder == nil || c.Now == nil {
		faults = append(faults, errors.New("classifier, folder of sets and clock are required"))
	}
	if c.Rows < 0 {
		faults = append(faults, fmt.Errorf("rows %d: want 0 or more", c.Rows))
	}
	return errors.Join(append(faults, CheckSuites(c.Suites))...)
}

// CheckSuites names the suites that do not exist; the error wraps ErrSuite.
func CheckSuites(names []string) error {
	var faults []error
	for _, name := range names {
		if !slices.Contains(Suites(), name) {
			faults = append(faults, fmt.Errorf("%w: %q; there are %s", ErrSuite, name, strings.Join(Suites(), ", ")))
		}
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	if len(c.Suites) == 0 {
		c.Suites = Suites()
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	return c
}

// Needs are the sets that an evaluation of the given suites reads, all suites where none is named.
func Needs(suites []string) []string {
	if len(suites) == 0 {
		return dataset.Sets()
	}
	for _, name := range suites {
		if name != metric.SuiteContrast && name != metric.SuiteSpeed {
			return dataset.Sets()
		}
	}
	return []string{dataset.SetContrast, dataset.SetGoemotions, dataset.SetCPED}
}

// runner is one evaluation under way.
type runner struct {
	Config
	out *Evaluation
}

func (r *runner) step(stage string) func(done, total int) {
	return func(done, total int) {
		if r.Progress != nil {
			r.Progress(stage, done, total)
		}
	}
}

func (r *runner) wants(name string) bool { return slices.Contains(r.Suites, name) }

func (r *runner) add(m metric.Measure) { r.out.Measures = append(r.out.Measures, m.Checked()) }

// timed notes how long a stage took.
func (r *runner) timed(stage string, do func() error) error {
	start := r.Now()
	err := do()
	r.out.Stages = append(r.out.Stages, Stage{Name: stage, Seconds: round(r.Now().Sub(start).Seconds(), 2)})
	return err
}

// Run evaluates. It returns an error only where no evaluation could be made: bad configuration, sets that cannot be read,
// a classifier that fails, or ctx at its end. What the model lacks, and gates that are not met, are part of the answer.
func Run(ctx context.Context, c Config) (*Evaluation, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("evaluation: %w", err)
	}
	c = c.withDefaults()
	digests, err := c.Folder.Digests()
	if err != nil {
		return nil, err
	}
	info := c.Classifier.Info()
	r := &runner{c, &Evaluation{
		Schema: Schema,
		Model:  Model{ID: info.ID, SHA256: info.SHA256, Runtime: info.Runtime, Scale: info.Scale, Library: c.Library},
		Data:   digests, Date: c.Now().UTC().Format(time.RFC3339), Seed: c.Seed, Rows: c.Rows, Suites: c.Suites,
	}}
	env := r.env()
	// Speed comes first: its peak memory is that of the process, before all else fills it.
	if err := r.product(ctx, env, metric.SuiteSpeed); err != nil {
		return nil, err
	}
	if err := r.heads(ctx); err != nil {
		return nil, err
	}
	for _, s := range productSuites() {
		if s.name == metric.SuiteSpeed {
			continue
		}
		if err := r.product(ctx, env, s.name); err != nil {
			return nil, err
		}
	}
	r.out.count()
	return r.out, nil
}

// heads runs the suites that compare heads with labels, which share their scores.
func (r *runner) heads(ctx context.Context) error {
	if !r.wants(metric.SuiteHeads) && !r.wants(metric.SuiteCalibration) {
		return nil
	}
	studies, err := r.studies()
	if err != nil {
		return err
	}
	if err := r.timed("classifying", func() error { return r.classify(ctx, studies) }); err != nil {
		return err
	}
	if r.wants(metric.SuiteHeads) {
		if r.Baselines {
			if err := r.baselines(ctx, studies); err != nil {
				return err
			}
		} else {
			r.note("the classical models were not fitted: the floor is the one that the assessment design gives, measured elsewhere on the same sets")
		}
		r.note("classes that exclude each other: for macro-F1 the answer is the largest value over a divisor of the class, found on dev rows for " +
			"every model alike; without dev rows, and for weighted F1, the largest value")
		_ = r.timed("judging", func() error { r.judgeLines(studies); r.hatecheck(studies); return nil })
	}
	if r.wants(metric.SuiteCalibration) {
		r.calibration(studies)
	}
	return nil
}

func (r *runner) note(text string) { r.out.Notes = append(r.out.Notes, text) }

// env is what the suites of package suite share: one memory of scores above all, since many of them read the same rows.
func (r *runner) env() suite.Env {
	return suite.Env{
		Classifier: suite.Remember(r.Classifier), Folder: r.Folder, Language: r.Language, Now: r.Now, Seed: r.Seed, Progress: r.Progress,
		Sizes: r.sizes(), StartUp: r.StartUp,
	}
}

// product runs a suite of package suite, if it is wanted.
func (r *runner) product(ctx context.Context, env suite.Env, name string) error {
	at := slices.IndexFunc(productSuites(), func(s productSuite) bool { return s.name == name })
	if !r.wants(name) || at < 0 {
		return nil
	}
	var found suite.Outcome
	err := r.timed(name, func() (err error) {
		found, err = productSuites()[at].run(ctx, env, r.Against)
		return err
	})
	if err != nil {
		return fmt.Errorf("suite %s: %w", name, err)
	}
	for _, m := range found.Measures {
		r.add(m)
	}
	r.out.Tables = append(r.out.Tables, found.Tables...)
	r.out.Notes = append(r.out.Notes, found.Notes...)
	return nil
}

// productSuite is a suite of package suite; against is read by the one that compares two classifiers.
type productSuite struct {
	name string
	run  func(ctx context.Context, env suite.Env, against assessment.Classifier) (suite.Outcome, error)
}

// productSuites are in the order in which they run, but for speed, which comes before everything.
func productSuites() []productSuite {
	alone := func(run func(context.Context, suite.Env) (suite.Outcome, error)) func(context.Context, suite.Env, assessment.Classifier) (suite.Outcome, error) {
		return func(ctx context.Context, env suite.Env, _ assessment.Classifier) (suite.Outcome, error) {
			return run(ctx, env)
		}
	}
	return []productSuite{
		{metric.SuiteContrast, alone(suite.Contrast)},
		{metric.SuiteSimulated, alone(suite.Simulated)},
		{metric.SuiteRobustness, alone(suite.Robustness)},
		{metric.SuiteFairness, alone(suite.Fairness)},
		{metric.SuiteGaming, alone(suite.Gaming)},
		{metric.SuiteValidity, alone(suite.Validity)},
		{metric.SuiteEquivalence, suite.Equivalence},
		{metric.SuiteSpeed, alone(suite.Speed)},
	}
}

// sizes shrink the product suites in step with the rows of a quick run; a full run takes their defaults.
func (r *runner) sizes() suite.Sizes {
	if r.Rows == 0 {
		return suite.Sizes{}
	}
	part := func(full int) int { return max(8, min(full, full*r.Rows/1000)) }
	return suite.Sizes{
		Pool:   max(150, part(400)), // fewer leave no facet with rows enough to draw from
		People: part(200), Ranked: part(200), Rows: part(150), Identity: part(1500), Dialogues: part(220), Chats: part(60),
		Series: part(100), Equal: part(300), Timed: part(1500), Events: part(1_000_000),
	}
}
