package registry

import (
	"context"
	"time"

	"heartmark/schemas"
)

// Store is all that the registry keeps. An engine implements it natively and passes storetest.Registry. All methods may
// be called at once.
type Store interface {
	// Apply makes one change: all of it or nothing, durable on return. A change that was applied before succeeds and
	// changes nothing, so that a caller who did not hear the answer may ask again. It returns ErrStale where a version is
	// not the last plus one, ErrConflict for other content of an artefact, ErrProof for a challenge that is not there.
	Apply(ctx context.Context, c Change) error
	AuthorityStore
	KeyStore
	ArtefactStore
	// ListVersion returns the newest version of a list that was published at or before at, or the newest of all for the
	// zero time; ErrNotFound where there is none.
	ListVersion(ctx context.Context, group schemas.ListGroup, purpose string, at time.Time) (ListVersion, error)
	// Challenge returns a challenge that was stored and not taken, or ErrNotFound.
	Challenge(ctx context.Context, id string) (StoredChallenge, error)
	OutboxStore
}

// AuthorityStore reads authorities. Versions of one authority follow each other in their order. A page is in an order that
// stays, which need not be the alphabet's.
type AuthorityStore interface {
	// Authorities returns every version of every authority of an entity.
	Authorities(ctx context.Context, entity string) ([]Authority, error)
	// AuthorityByID returns every version of one authority, or ErrNotFound.
	AuthorityByID(ctx context.Context, id string) ([]Authority, error)
	// Entities returns up to limit entities that have an authority, after after.
	Entities(ctx context.Context, after string, limit int) ([]string, error)
	// Resources returns up to limit resources that some authority names, after after.
	Resources(ctx context.Context, after string, limit int) ([]string, error)
	// HasResource reports whether some authority names the resource.
	HasResource(ctx context.Context, resource string) (bool, error)
}

// KeyStore reads keys.
type KeyStore interface {
	// Keys returns every version of every key of a DID.
	Keys(ctx context.Context, did string) ([]Key, error)
	// KeyDIDs returns up to limit DIDs that have a key, after after.
	KeyDIDs(ctx context.Context, after string, limit int) ([]string, error)
}

// ArtefactStore reads artefacts.
type ArtefactStore interface {
	// Artefact returns one, or ErrNotFound.
	Artefact(ctx context.Context, kind Kind, name string) (Artefact, error)
	// Artefacts returns up to limit artefacts of a kind without their Data, after after.
	Artefacts(ctx context.Context, kind Kind, after string, limit int) ([]Artefact, error)
}

// OutboxStore hands out what is to be logged, and knows what was.
type OutboxStore interface {
	// Pending returns up to limit entries that are not marked as logged, the oldest first.
	Pending(ctx context.Context, limit int) ([]Pending, error)
	// Logged returns the indexes of those of the leaves that are marked, by leaf.
	Logged(ctx context.Context, leaves []string) (map[string]uint64, error)
	// LoggedSize returns the size of the log up to which everything is known to be marked; 0 at first.
	LoggedSize(ctx context.Context) (uint64, error)
}

// Change is one atomic unit. Its parts are independent; what is not set is left alone.
type Change struct {
	Authorities []Authority
	Keys        []Key
	Artefact    *Artefact
	List        *ListVersion
	// PutChallenge stores a challenge; TakeChallenge removes the one with that id, which must be there.
	PutChallenge  *StoredChallenge
	TakeChallenge string
	// Pending entries go into the outbox, except those whose leaf is there or marked already.
	Pending []Pending
	// Logged marks leaves and takes them out of the outbox; LoggedSize, if not 0, becomes the size.
	Logged     []Logged
	LoggedSize uint64
}

// StoredChallenge is a challenge that waits for its answer. The nonce itself is not kept.
type StoredChallenge struct {
	ID      string    `json:"id"` // SHA-256 of the nonce in hex
	DID     string    `json:"did"`
	Expires time.Time `json:"expires"`
}

// Pending is an entry on its way to the log.
type Pending struct {
	Leaf string    `json:"leaf"` // SHA-256 of Data in hex
	Data []byte    `json:"data"` // the entry's bytes
	At   time.Time `json:"at"`
}

// Logged says where an entry stands in the log.
type Logged struct {
	Leaf  string
	Index uint64
}

// ListVersion is a status list as it was published.
type ListVersion struct {
	Group   schemas.ListGroup `json:"group"`
	Purpose string            `json:"purpose"`
	// Version rises by one with each publication; SourceVersion is that of the bits.
	Version       uint64 `json:"version"`
	SourceVersion uint64 `json:"source_version"`
	// Document is the secured credential, or the status list token; SHA256 its digest in hex.
	Document   []byte    `json:"document"`
	SHA256     string    `json:"sha256"`
	ValidFrom  time.Time `json:"valid_from"`
	ValidUntil time.Time `json:"valid_until"`
	Leaf       string    `json:"leaf"`
}
