package training

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"heartmark/assessment"
)

// maxShelved is how many tenants' indexes are kept in memory; the one used longest ago goes first.
const maxShelved = 16

// Library keeps tenants' approved answers and suggests from them. It sends nothing and keeps no message. It is safe for
// concurrent use.
type Library struct {
	store   AnswerStore
	encoder assessment.Encoder // nil: words only

	mu      sync.Mutex // guards shelved; held for no I/O
	shelved []shelved  // the one used last at the end
}

// shelved is an index of one tenant as of a revision.
type shelved struct {
	tenant   string
	revision uint64
	index    *Index
}

// NewLibrary returns a Library. encoder may be nil: then words alone decide.
func NewLibrary(store AnswerStore, encoder assessment.Encoder) (*Library, error) {
	if store == nil {
		return nil, errors.New("training: a library needs a store")
	}
	return &Library{store: store, encoder: encoder}, nil
}

// Replace puts answers in place of all that the tenant had. It returns ErrTooManyAnswers.
func (l *Library) Replace(ctx context.Context, tenant string, answers []Answer) error {
	if len(answers) > MaxAnswers {
		return ErrTooManyAnswers
	}
	stored, err := Encode(ctx, l.encoder, answers)
	if err != nil {
		return err
	}
	if _, err := l.store.ReplaceAnswers(ctx, tenant, stored); err != nil {
		return fmt.Errorf("store answers: %w", err)
	}
	return nil
}

// Answers returns the tenant's answers.
func (l *Library) Answers(ctx context.Context, tenant string) ([]Answer, error) {
	stored, _, err := l.store.Answers(ctx, tenant)
	out := make([]Answer, len(stored))
	for i, a := range stored {
		out[i] = a.Answer
	}
	return out, err
}

// Suggest returns what of the tenant's answers fits the message, to the person who writes the reply. Nothing is stored.
func (l *Library) Suggest(ctx context.Context, tenant string, q Query) ([]Suggestion, error) {
	index, err := l.index(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return index.Suggest(ctx, q)
}

// index returns the tenant's index, built anew when its answers changed.
func (l *Library) index(ctx context.Context, tenant string) (*Index, error) {
	revision, err := l.store.AnswerRevision(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if index := l.find(tenant, revision); index != nil {
		return index, nil
	}
	answers, revision, err := l.store.Answers(ctx, tenant)
	if err != nil {
		return nil, err
	}
	index := NewIndex(l.encoder, answers)
	l.keep(shelved{tenant, revision, index})
	return index, nil
}

func (l *Library) find(tenant string, revision uint64) *Index {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.shelved, func(s shelved) bool { return s.tenant == tenant })
	if i < 0 || l.shelved[i].revision != revision {
		return nil
	}
	s := l.shelved[i]
	l.shelved = append(slices.Delete(l.shelved, i, i+1), s)
	return s.index
}

func (l *Library) keep(s shelved) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shelved = slices.DeleteFunc(l.shelved, func(o shelved) bool { return o.tenant == s.tenant })
	if len(l.shelved) >= maxShelved {
		l.shelved = slices.Delete(l.shelved, 0, 1)
	}
	l.shelved = append(l.shelved, s)
}
