package keys

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"heartmark/schemas"
)

// Kind says what a key is for. Kinds are never shared (security section 6.1).
type Kind string

// The kinds of keys.
const (
	KindCredential    Kind = "credential"
	KindStatusList    Kind = "status_list"
	KindAccessToken   Kind = "access_token"
	KindRequestObject Kind = "request_object"
	// KindMetadata signs the metadata of an OpenID4VCI issuer.
	KindMetadata Kind = "metadata"
	KindSnapshot Kind = "snapshot"
	// KindStatement signs what the registry states of authorities, for the installation or a tenant.
	KindStatement Kind = "statement"
	KindLog       Kind = "log"
	// KindSeal is the data key of a tenant. It is made by the service itself and signs nothing.
	KindSeal Kind = "seal"
)

// Kinds returns the kinds that Create takes.
func Kinds() []Kind {
	return []Kind{KindCredential, KindStatusList, KindAccessToken, KindRequestObject, KindMetadata, KindStatement, KindSnapshot, KindLog}
}

// life is the default active life of a key of kind k (security section 6.7).
func (k Kind) life() time.Duration {
	const day = 24 * time.Hour
	switch k {
	case KindAccessToken:
		return 30 * day
	case KindRequestObject:
		return 90 * day
	case KindLog:
		// The log's key names the log itself: it is changed by opening a new log, not by the calendar.
		return 10 * 365 * day
	case KindCredential, KindStatusList, KindMetadata, KindStatement, KindSnapshot, KindSeal:
		return 365 * day
	}
	return 365 * day
}

// Algorithms that Create takes (security rule R2).
const (
	// AlgEdDSA is Ed25519 (RFC 8032).
	AlgEdDSA = "EdDSA"
	// AlgES256 is ECDSA on P-256 with SHA-256, AlgES384 on P-384 with SHA-384 (RFC 7518, 3.4).
	AlgES256 = "ES256"
	AlgES384 = "ES384"
)

// States of a key.
const (
	StatusPlanned = "planned"
	StatusActive  = "active"
	StatusRetired = "retired"
	StatusRevoked = "revoked"
)

// Algorithms returns those that Create takes.
func Algorithms() []string { return []string{AlgEdDSA, AlgES256, AlgES384} }

// Errors of the store and the service.
var (
	// ErrNotFound is returned when no key has the id.
	ErrNotFound = errors.New("key not found")
	// ErrConflict is returned by a Store when the record was changed since it was read. Read again and retry.
	ErrConflict = errors.New("key record was changed meanwhile")
	// ErrDamaged is returned when a sealed record does not open: it was altered, or moved from another place.
	ErrDamaged = errors.New("sealed record is damaged")
	// ErrNotActive is returned when a key may not sign: planned, retired, revoked or past its time.
	ErrNotActive = errors.New("key is not active")
	// ErrUnsupported is returned for a kind or an algorithm outside the list.
	ErrUnsupported = errors.New("unsupported kind or algorithm")
	// ErrDigest is returned when an ECDSA handle is asked to sign a digest. Use SignMessage.
	ErrDigest = errors.New("this key signs messages, not digests")
)

// Record is a key as a Store keeps it. Everything but Sealed is public; all of it is authenticated by Sealed.
type Record struct {
	ID        schemas.KeyID `json:"id"`
	Tenant    string        `json:"tenant"`
	Kind      Kind          `json:"kind"`
	Algorithm string        `json:"alg"`
	Status    string        `json:"status"`
	From      time.Time     `json:"from"`
	Until     time.Time     `json:"until"`
	Reason    string        `json:"reason,omitempty"`
	Public    string        `json:"public,omitempty"` // multibase
	// Version is 1 for a new record and rises by one with each change.
	Version uint64 `json:"version"`
	// KEK names the key-encryption key of a data key: a fingerprint, not the key.
	KEK    string `json:"kek,omitempty"`
	Sealed []byte `json:"sealed"`
}

// Store keeps key records. All methods may be called at once.
type Store interface {
	// PutKey is durable on return. It stores rec if the record stored under its ID has version rec.Version-1 (none for
	// version 1), and returns ErrConflict otherwise.
	PutKey(ctx context.Context, rec Record) error
	// GetKey returns the record, or ErrNotFound.
	GetKey(ctx context.Context, id schemas.KeyID) (Record, error)
	// ListKeys returns the tenant's records, data key included, in the order of their ids.
	ListKeys(ctx context.Context, tenant string) ([]Record, error)
	// DeleteKey removes the record durably. Removing one that is not there is no error.
	DeleteKey(ctx context.Context, id schemas.KeyID) error
}

// Info is what may be told of a key.
type Info struct {
	ID        schemas.KeyID
	Tenant    string
	Kind      Kind
	Algorithm string
	// Status is the state at the time of asking: StatusPlanned, StatusActive, StatusRetired or StatusRevoked.
	Status string
	// From and Until bound the time in which the key signs: [From, Until). For a revoked key Until is the time from which
	// it does not count any more.
	From, Until        time.Time
	Reason             string
	VerificationMethod string
	PublicKeyMultibase string
	Public             crypto.PublicKey
}

// Event is a change in a key's life, told to the audit before it happens.
type Event struct {
	Name   string // "key.create", "key.retire", "key.revoke"
	Tenant string
	KeyID  schemas.KeyID
	Kind   Kind
	At     time.Time
	Reason string
}

// statusAt derives the state that holds at now from the stored state and the interval.
func (r Record) statusAt(now time.Time) string {
	switch {
	case r.Status == StatusRevoked:
		return StatusRevoked
	case r.Status == StatusRetired || !now.Before(r.Until):
		return StatusRetired
	case now.Before(r.From):
		return StatusPlanned
	}
	return StatusActive
}

func checkKind(kind Kind) error {
	if !slices.Contains(Kinds(), kind) {
		return fmt.Errorf("kind %q: %w", kind, ErrUnsupported)
	}
	return nil
}
