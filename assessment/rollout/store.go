package rollout

import (
	"context"
	"errors"
)

var (
	// ErrStale is returned by Store.Append when another act came first. Look again and decide anew.
	ErrStale = errors.New("the list of models has changed meanwhile")
	// ErrNotFound is returned for a document that is not there.
	ErrNotFound = errors.New("no such record of a model")
	// ErrDamaged is wrapped when stored transitions contradict each other. Restore the data folder from a backup.
	ErrDamaged = errors.New("the list of models is damaged")
)

// Kinds of document.
const (
	KindLink       = "link"       // a Link; Name is the digest of the model it was linked with
	KindComparison = "comparison" // a Comparison; likewise
	KindReference  = "reference"  // a Window: what the model's scores look like
	KindWindow     = "window"     // a Window; Name is its first day
)

// DocumentKey names one record about a model.
type DocumentKey struct {
	Kind  string
	Model Digest
	Name  string
}

// Store keeps what a catalogue decides and counts: no text, no person. It is safe for concurrent use.
type Store interface {
	// Append adds transitions, all or none, durable on return. Their numbers follow each other; ErrStale tells that the first
	// is not the next one of the list.
	Append(ctx context.Context, transitions []Transition) error
	// Transitions returns the whole list in order.
	Transitions(ctx context.Context) ([]Transition, error)
	// Document returns a document's bytes, or ErrNotFound.
	Document(ctx context.Context, key DocumentKey) ([]byte, error)
	// UpdateDocument replaces a document by what change makes of it, as one atomic unit that is durable on return. change gets
	// nil where there is none, may be called more than once, and removes the document by returning nil; its error is returned
	// and nothing changes.
	UpdateDocument(ctx context.Context, key DocumentKey, change func(old []byte) ([]byte, error)) error
	// Documents lists the keys of one kind for a model in the order of their names, at most limit of them.
	Documents(ctx context.Context, kind string, model Digest, limit int) ([]DocumentKey, error)
}
