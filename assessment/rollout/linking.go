package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/schemas"
)

// minLinked is the share of the anchor people that both models must score on a dimension to link it.
const minLinked = 0.8

// ErrAnchors is wrapped when anchor people cannot be assessed.
var ErrAnchors = errors.New("anchor people cannot be assessed")

// LinkOptions say how models are linked.
type LinkOptions struct {
	// People is the size of the anchor set; 0 takes AnchorPeople, which every stored record rests on.
	People int
	// Seed fixes the bootstrap; 0 reads 1.
	Seed uint64
	// Language detects languages; nil takes the assessment's own.
	Language func(text string) (string, float64)
	// Progress, when set, hears how many people of how many have been scored, both models together.
	Progress func(done, total int)
}

// Scored is a model that is to be linked.
type Scored struct {
	Digest     Digest
	Classifier assessment.Classifier
}

// LinkModels scores the anchor people with both models and fits a linear link for each dimension.
func LinkModels(ctx context.Context, fresh, old Scored, at time.Time, o LinkOptions) (Link, error) {
	if o.People == 0 {
		o.People = AnchorPeople
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	anchors, err := NewAnchors()
	if err != nil {
		return Link{}, err
	}
	link := Link{
		Model: fresh.Digest, With: old.Digest, At: at.UTC(), Anchors: anchors.Version(), People: o.People, Seed: o.Seed,
		Dimensions: map[schemas.Dimension]Linear{},
	}
	newScores, err := anchorScores(ctx, anchors, fresh.Classifier, o, 0)
	if err != nil {
		return Link{}, err
	}
	oldScores, err := anchorScores(ctx, anchors, old.Classifier, o, o.People)
	if err != nil {
		return Link{}, err
	}
	for n, d := range schemas.Dimensions() {
		var x, y []float64
		for p := range newScores {
			if a, b := newScores[p][n], oldScores[p][n]; a != nil && b != nil {
				x, y = append(x, *a), append(y, *b)
			}
		}
		if fit, ok := FitLinear(x, y, o.Seed+uint64(n)); ok && float64(len(x)) >= minLinked*float64(o.People) {
			link.Dimensions[d] = fit
		} else {
			link.Unlinked = append(link.Unlinked, d)
		}
	}
	return link, nil
}

// personScores are the scores of one person by the order of schemas.Dimensions; nil where there is none.
type personScores [4]*float64

// anchorScores assesses the people one after the other; done is how many were scored before, for the progress.
func anchorScores(ctx context.Context, anchors *Anchors, classifier assessment.Classifier, o LinkOptions, done int) ([]personScores, error) {
	a, err := assessment.New(assessment.Config{Classifier: newMemo(classifier), Language: o.Language, NoHighlights: true})
	if err != nil {
		return nil, err
	}
	out := make([]personScores, o.People)
	for n := range out {
		batch, err := anchors.Person(n)
		if err != nil {
			return nil, err
		}
		if out[n], err = scorePerson(ctx, a, batch); err != nil {
			return nil, fmt.Errorf("%w: person %d: %w", ErrAnchors, n, err)
		}
		if o.Progress != nil {
			o.Progress(done+n+1, 2*o.People)
		}
	}
	return out, nil
}

func scorePerson(ctx context.Context, a *assessment.Assessor, batch evidence.Batch) (s personScores, err error) {
	reports, err := a.Assess(ctx, batch)
	if err != nil {
		return s, err
	}
	if len(reports) != 1 {
		return s, fmt.Errorf("%d reports, want 1", len(reports))
	}
	for n, d := range schemas.Dimensions() {
		dimension := reports[0].Dimensions[d]
		if dimension.Status == assessment.StatusUnavailable {
			return s, fmt.Errorf("%s: the model gave no usable answer", d)
		}
		s[n] = dimension.Score
	}
	return s, nil
}

// memo remembers what a classifier answered: the anchor people say few different things. It holds the project's own lines
// only, and lives as long as one linking.
type memo struct {
	inner assessment.Classifier

	mu    sync.Mutex // guards known; not held while the classifier works
	known map[[sha256.Size]byte]assessment.Scores
}

func newMemo(inner assessment.Classifier) *memo {
	return &memo{inner: inner, known: map[[sha256.Size]byte]assessment.Scores{}}
}

var _ assessment.Classifier = (*memo)(nil)

// Info implements assessment.Classifier.
func (m *memo) Info() assessment.ModelInfo { return m.inner.Info() }

// Classify implements assessment.Classifier.
func (m *memo) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	out := make([]assessment.Scores, len(in))
	keys := make([][sha256.Size]byte, len(in))
	asked := map[[sha256.Size]byte]int{} // place among the questions
	var questions []assessment.ClassifierInput
	m.mu.Lock()
	for i := range in {
		keys[i] = inputKey(in[i])
		if out[i] = m.known[keys[i]]; out[i] != nil {
			continue
		}
		if _, twice := asked[keys[i]]; !twice {
			asked[keys[i]] = len(questions)
			questions = append(questions, in[i])
		}
	}
	m.mu.Unlock()
	if len(questions) == 0 {
		return out, nil
	}
	answers, err := m.inner.Classify(ctx, questions)
	if err != nil {
		return nil, err
	}
	if len(answers) != len(questions) {
		return nil, fmt.Errorf("%w: %d answers to %d messages", assessment.ErrClassifier, len(answers), len(questions))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range in {
		if out[i] == nil {
			out[i] = answers[asked[keys[i]]]
			m.known[keys[i]] = out[i]
		}
	}
	return out, nil
}

// inputKey is a hash of everything that an input says, each part with its length before it.
func inputKey(in assessment.ClassifierInput) (key [sha256.Size]byte) {
	var b []byte
	part := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	part(in.Lang)
	part(in.Text)
	if in.Context == nil {
		b = append(b, 0)
	} else {
		b = append(b, 1)
	}
	for _, t := range in.Context {
		self := byte(0)
		if t.Self {
			self = 1
		}
		b = append(b, self)
		part(t.Text)
	}
	return sha256.Sum256(b)
}
