package suite

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"heartmark/assessment"
)

// Memory is a classifier that answers an input it has seen before from memory. The scores of an input do not depend on the
// batch around it, so it changes nothing but the time. It is safe for concurrent use.
type Memory struct {
	assessment.Classifier

	// mu guards known; never held across a classification.
	mu    sync.Mutex
	known map[string]assessment.Scores
}

// Remember puts a Memory over c, or returns c when it is one. Give the same one to all suites: many of them read the same
// rows.
func Remember(c assessment.Classifier) assessment.Classifier {
	if m, ok := c.(*Memory); ok {
		return m
	}
	return &Memory{Classifier: c, known: map[string]assessment.Scores{}}
}

// Plain is the classifier under a Memory, for timings.
func Plain(c assessment.Classifier) assessment.Classifier {
	if m, ok := c.(*Memory); ok {
		return m.Classifier
	}
	return c
}

// Classify asks the classifier underneath for what is new. The scores are shared: callers only read them.
func (m *Memory) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	keys := make([]string, len(in))
	var fresh []assessment.ClassifierInput
	var names []string
	asked := map[string]bool{}
	m.mu.Lock()
	for i := range in {
		keys[i] = memoryKey(in[i])
		if _, known := m.known[keys[i]]; !known && !asked[keys[i]] {
			asked[keys[i]] = true
			fresh, names = append(fresh, in[i]), append(names, keys[i])
		}
	}
	m.mu.Unlock()
	scores, err := m.ask(ctx, fresh)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, key := range names {
		m.known[key] = scores[i]
	}
	out := make([]assessment.Scores, len(in))
	for i, key := range keys {
		out[i] = m.known[key]
	}
	return out, nil
}

func (m *Memory) ask(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	if len(in) == 0 {
		return nil, nil
	}
	scores, err := m.Classifier.Classify(ctx, in)
	if err == nil && len(scores) != len(in) {
		err = fmt.Errorf("%w: %d answers to %d messages", assessment.ErrClassifier, len(scores), len(in))
	}
	return scores, err
}

// memoryKey writes an input down without a way to confuse two.
func memoryKey(in assessment.ClassifierInput) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q%q", in.Lang, in.Text)
	for _, t := range in.Context {
		fmt.Fprintf(&b, "%t%q", t.Self, t.Text)
	}
	return b.String()
}
