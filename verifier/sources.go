package verifier

import (
	"context"
	"crypto"
	"errors"
	"time"

	"heartmark/schemas"
)

// Errors that sources return. An error that wraps none of them means that the source could not be asked, and makes its
// check undetermined.
var (
	// ErrKeyNotFound says that the DID was resolved and has no such usable method.
	ErrKeyNotFound = errors.New("verification method not found")
	// ErrKeyPurpose says that the method is not listed for the purpose.
	ErrKeyPurpose = errors.New("verification method is not listed for this purpose")
	// ErrKeyController says that the method belongs to somebody else than its document.
	ErrKeyController = errors.New("verification method is controlled by another")
	// ErrOffline says that the answer would need the network, which the query did not allow.
	ErrOffline = errors.New("not at hand, and the network was not allowed")
	// ErrLogMismatch says that the log proof does not show this credential.
	ErrLogMismatch = errors.New("log proof does not match")
)

// KeyQuery asks for the key of a verification method.
type KeyQuery struct {
	Controller string // DID whose current document decides
	Method     string // absolute DID URL of the method
	Purpose    string // assertionMethod or authentication
	Network    bool   // false: answer from what is at hand (derived, own store, cache), else ErrOffline
}

// Key is a checked public key that its controller lists for the purpose asked for.
type Key struct {
	Public   crypto.PublicKey // ed25519.PublicKey or *ecdsa.PublicKey
	Evidence Evidence
}

// KeyResolver finds keys. It returns ErrKeyNotFound, ErrKeyPurpose, ErrKeyController, ErrOffline, or another error when
// the document could not be had. Failures are never answered as success, and a document's id was compared with Controller.
type KeyResolver interface {
	Key(ctx context.Context, q KeyQuery) (Key, error)
}

// StatusDocument is a status list credential as it came, unverified.
type StatusDocument struct {
	Data []byte
	// Local says that the bytes are from this installation's own store and may be read anew for each check.
	Local bool
	// Version is the publisher's version where the source knows it, 0 where not.
	Version uint64
	// AsOf is when the bytes left their publisher, where that was not just now: a list that comes in a snapshot is as old
	// as the snapshot. Zero means now.
	AsOf     time.Time
	Evidence Evidence
}

// StatusSource gets status lists: those of this installation from its store, others through the guarded client. Any error
// is a STATUS_RETRIEVAL_ERROR.
type StatusSource interface {
	StatusList(ctx context.Context, url string) (StatusDocument, error)
}

// Actions that authorities cover.
const (
	ActionIssue  = "issue"
	ActionStatus = "status" // Resource is the DID on whose credentials the entity may report
)

// AuthorityQuery asks whether an entity may do something, as of a time.
type AuthorityQuery struct {
	Entity   string // DID or URL of the issuer
	Action   string
	Resource string // achievement id or credential type
	// Levels are those that the credential states; an authority that is limited to some levels must cover each of them.
	Levels []schemas.Level
	Time   time.Time
}

// AuthorityState is what the registries say of an entity.
type AuthorityState string

// The answers to an AuthorityQuery.
const (
	AuthorityActive   AuthorityState = "active"         // authorised at that time
	AuthorityInactive AuthorityState = "inactive"       // was granted, but suspended, withdrawn or outside its interval then
	AuthorityNone     AuthorityState = "not_authorized" // entity is known, not for this
	AuthorityNoEntity AuthorityState = "unknown"        // entity is unknown to every configured registry
)

// AuthorityAnswer is an answer with what it rests on.
type AuthorityAnswer struct {
	State AuthorityState
	// Framework is the governance framework of the authority, for people; may be empty.
	Framework string
	Evidence  Evidence
}

// AuthoritySource asks the configured registries. It is asked before anything else about an issuer and must not contact a
// host that the query names. An error means that no registry could answer.
type AuthoritySource interface {
	Authority(ctx context.Context, q AuthorityQuery) (AuthorityAnswer, error)
}

// KeyInterval is a time in which a key signed for its owner.
type KeyInterval struct {
	Method string    // absolute DID URL
	From   time.Time // inclusive
	Until  time.Time // exclusive; zero while the key is in use
	// Revoked is when the key was revoked as no longer trustworthy; zero if it was not. A retired key has Until alone.
	Revoked time.Time
}

// KeyIntervalSource knows the life of keys, from the registry and its log. No interval at all for a DID is an answer.
type KeyIntervalSource interface {
	KeyIntervals(ctx context.Context, did string) ([]KeyInterval, Evidence, error)
}

// SchemaSource checks a document against one entry of its credentialSchema, from schemas at hand and never from the
// network. The errors are those of package schemas/jsonschema, or a *schemas.FieldError for a document that does not fit.
type SchemaSource interface {
	CheckEntry(entry, doc map[string]any) error
}

// LogSource checks inclusion proofs against checkpoints whose signer it trusts.
type LogSource interface {
	// VerifyInclusion returns ErrLogMismatch when proof does not show leaf.
	VerifyInclusion(ctx context.Context, leaf []byte, proof schemas.LogProof) (Evidence, error)
}

// ProofChecker checks one Data Integrity proof over a document: canonical form, hash, signature. doc may still carry its
// proof member. The errors are those of package internal/proof/dataintegrity.
type ProofChecker interface {
	Check(doc, proof map[string]any, key crypto.PublicKey) error
}

// ContextSource knows the fixed set of JSON-LD contexts; it fetches nothing. Any error means that the context is unknown.
type ContextSource interface {
	Document(url string) ([]byte, error)
}

// contextIndex is a ContextSource that tells what it knows without handing it out.
type contextIndex interface{ Knows(url string) bool }

// knowsContext tells whether source has the context at url.
func knowsContext(source ContextSource, url string) bool {
	if index, ok := source.(contextIndex); ok {
		return index.Knows(url)
	}
	_, err := source.Document(url)
	return err == nil
}
