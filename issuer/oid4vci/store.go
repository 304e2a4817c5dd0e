package oid4vci

import (
	"context"
	"errors"
	"time"
)

// Errors of a Store.
var (
	// ErrNoOffer is returned by a Store that has no offer with the given id.
	ErrNoOffer = errors.New("no such offer")
	// ErrExists is returned by PutOffer when the id is taken.
	ErrExists = errors.New("offer exists")
	// ErrUsed is returned by UseNonce when the nonce was used before.
	ErrUsed = errors.New("nonce was used")
)

// Store keeps offers and used nonces. All methods may be called at once, from several processes that share the store; what
// they write is durable on return.
type Store interface {
	// PutOffer stores a new offer. It returns ErrExists when the id is taken.
	PutOffer(ctx context.Context, o OfferRecord) error
	// Offer returns an offer, or ErrNoOffer.
	Offer(ctx context.Context, id string) (OfferRecord, error)
	// UpdateOffer reads the offer, calls change on it and stores the outcome, all in one atomic, serializable unit: of two
	// updates at once, the second sees what the first stored. When change returns an error, nothing is stored and that
	// error comes back. change may be called more than once and has no other effect than on its argument and on what it
	// closes over. It returns ErrNoOffer where there is none.
	UpdateOffer(ctx context.Context, id string, change func(o *OfferRecord) error) error
	// UseNonce records a nonce as used, by its hash, until expires at least. Of any number of calls with one hash exactly
	// one succeeds; the others get ErrUsed.
	UseNonce(ctx context.Context, hash [32]byte, expires time.Time) error
	// DeleteExpired removes offers whose PurgeAt and nonces whose expiry lies before the given instant, at most limit in
	// all, and returns how many it removed.
	DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error)
}

// State is where an offer stands.
type State string

// The states of an offer. Expired is never stored: it follows from the clock.
const (
	StateCreated   State = "created"
	StateRetrieved State = "retrieved"
	StateRedeemed  State = "redeemed"
	StateRevoked   State = "revoked"
	StateExpired   State = "expired"
	// StateLocked: too many wrong transaction codes. The offer is dead for good, also for the right one.
	StateLocked State = "locked"
)

// OfferRecord is an offer as stored. It holds hashes of secrets and no secret; all times are UTC.
type OfferRecord struct {
	// ID is random and no secret: it finds the record.
	ID            string `json:"id"`
	Tenant        string `json:"tenant"`
	Configuration string `json:"configuration"`
	ReportID      string `json:"report_id"`
	Language      string `json:"language"`
	State         State  `json:"state"`

	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	// PurgeAt is when the record may be deleted.
	PurgeAt time.Time `json:"purge_at"`

	// Digests (SHA-256) of the address of the offer, the code, and code and transaction code together. The last needs the
	// code, which is not stored, so that six digits cannot be found by trying.
	RefHash  []byte `json:"ref_hash"`
	CodeHash []byte `json:"code_hash"`
	TxHash   []byte `json:"tx_hash"`
	// WrongTries counts wrong transaction codes.
	WrongTries int `json:"wrong_tries"`

	// Set by the redemption.
	TokenHash      []byte    `json:"token_hash,omitempty"`
	TokenExpiresAt time.Time `json:"token_expires_at,omitzero"`
	ClientID       string    `json:"client_id,omitempty"`
	// ByIdentifier: the token request used authorization_details, so the credential request names an identifier.
	ByIdentifier bool `json:"by_identifier,omitempty"`

	// Credentials are the ids of what was issued; Event is the wallet's last notification.
	Credentials []string  `json:"credentials,omitempty"`
	Event       string    `json:"event,omitempty"`
	EventAt     time.Time `json:"event_at,omitzero"`
}

// StateAt returns the state at an instant: an open offer past its end is expired.
func (o OfferRecord) StateAt(now time.Time) State {
	if o.open() && !now.Before(o.ExpiresAt) {
		return StateExpired
	}
	return o.State
}

// open reports whether the code could still be taken, the clock aside.
func (o OfferRecord) open() bool { return o.State == StateCreated || o.State == StateRetrieved }
