package oid4vci

import (
	"context"
	"errors"
	"slices"
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

// Store keeps offers with all that hangs on them, and what was used once. All methods may be called at once, from several
// processes that share the store; what they write is durable on return.
//
// An offer is one record: pushed requests, code, tokens and deferred issuances stand in it, so that each step of a flow is
// one atomic update, and an engine needs to know none of them. It keeps the record whole, as JSON.
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
	// UseNonce records a nonce, or the id of a proof, as used, by its hash, until expires at least. Of any number of calls
	// with one hash exactly one succeeds; the others get ErrUsed.
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
	// StateRevoked: taken back by the issuer, or because a code or a refresh token came twice.
	StateRevoked State = "revoked"
	StateExpired State = "expired"
	// StateLocked: too many wrong transaction codes. The offer is dead for good, also for the right one.
	StateLocked State = "locked"
)

// Release is what the issuer decided about a credential that it holds back.
type Release string

// The states of a credential that is held back; "" is one that never was.
const (
	ReleaseHeld     Release = "held"
	ReleaseReleased Release = "released"
	ReleaseRefused  Release = "refused"
)

// OfferRecord is an offer as stored. It holds hashes of secrets and no secret; all times are UTC.
type OfferRecord struct {
	// ID is random and no secret: it finds the record.
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	// Configuration is the first of Configurations.
	Configuration  string   `json:"configuration"`
	Configurations []string `json:"configurations,omitempty"`
	ReportID       string   `json:"report_id"`
	Language       string   `json:"language"`
	State          State    `json:"state"`

	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	// PurgeAt is when the record may be deleted.
	PurgeAt time.Time `json:"purge_at"`

	// Digests (SHA-256) of the address of the offer, the pre-authorised code, and code and transaction code together. The
	// last needs the code, which is not stored, so that six digits cannot be found by trying. CodeHash and TxHash are nil
	// where that grant is not offered.
	RefHash  []byte `json:"ref_hash"`
	CodeHash []byte `json:"code_hash,omitempty"`
	TxHash   []byte `json:"tx_hash,omitempty"`
	// The same for issuer_state and the one-time sign-in of the authorisation code flow.
	IssuerStateHash []byte `json:"issuer_state_hash,omitempty"`
	SignInHash      []byte `json:"sign_in_hash,omitempty"`
	// AccountHash is the digest of the account that must sign in at the external provider, nil where none is asked for.
	AccountHash []byte `json:"account_hash,omitempty"`
	// WrongTries counts wrong transaction codes and wrong accounts.
	WrongTries int `json:"wrong_tries"`

	// Release says whether the credential is held back.
	Release   Release   `json:"release,omitempty"`
	ReleaseAt time.Time `json:"release_at,omitzero"`

	// Pushed are the authorisation requests that wait for the holder, the oldest first.
	Pushed []PushedRequest `json:"pushed,omitempty"`
	// Code is the authorisation code that was given out last. It stays after use, so that a second use is seen.
	Code *CodeRecord `json:"code,omitempty"`
	// Grant is what the redemption gave.
	Grant *GrantRecord `json:"grant,omitempty"`
	// Deferred are the issuances that the wallet will ask for again, at most one a configuration.
	Deferred []DeferredRecord `json:"deferred,omitempty"`
	// Issued is what was issued, by configuration.
	Issued []IssuedRecord `json:"issued,omitempty"`
}

// Asked is what an authorisation request asks for, and who asks.
type Asked struct {
	ClientID       string   `json:"client_id"`
	RedirectURI    string   `json:"redirect_uri"`
	Challenge      string   `json:"challenge"` // PKCE, S256
	Configurations []string `json:"configurations"`
	// ByIdentifier: authorization_details was used, so that the credential request names an identifier.
	ByIdentifier bool `json:"by_identifier,omitempty"`
	// DPoPKey and ClientKey are RFC 7638 thumbprints: of the key that the code is bound to, and of the attested wallet
	// instance; "" where there is none.
	DPoPKey   string `json:"dpop_key,omitempty"`
	ClientKey string `json:"client_key,omitempty"`
}

// PushedRequest is a pushed authorisation request (RFC 9126).
type PushedRequest struct {
	Asked
	Hash      []byte    `json:"hash"` // of the request_uri
	State     string    `json:"state,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
	// LoginHash and BrowserHash are digests of the state of a sign-in under way at the external provider, and of the cookie
	// of the browser that began it.
	LoginHash   []byte `json:"login_hash,omitempty"`
	BrowserHash []byte `json:"browser_hash,omitempty"`
}

// CodeRecord is an authorisation code.
type CodeRecord struct {
	Asked
	Hash      []byte    `json:"hash"`
	ExpiresAt time.Time `json:"expires_at"`
	Used      bool      `json:"used,omitempty"`
}

// GrantRecord is what a wallet may do with its tokens.
type GrantRecord struct {
	Configurations []string `json:"configurations"`
	ByIdentifier   bool     `json:"by_identifier,omitempty"`
	// ClientID is "" for an anonymous wallet. DPoPKey and ClientKey are as in Asked.
	ClientID  string `json:"client_id,omitempty"`
	DPoPKey   string `json:"dpop_key,omitempty"`
	ClientKey string `json:"client_key,omitempty"`

	TokenHash      []byte    `json:"token_hash"`
	TokenExpiresAt time.Time `json:"token_expires_at"`
	// RefreshHash is nil where there is no refresh token; SpentHash is that of the one it replaced.
	RefreshHash      []byte    `json:"refresh_hash,omitempty"`
	SpentHash        []byte    `json:"spent_hash,omitempty"`
	RefreshExpiresAt time.Time `json:"refresh_expires_at,omitzero"`
}

// DeferredRecord is an issuance whose key proofs were checked and that waits for the issuer.
type DeferredRecord struct {
	Hash          []byte   `json:"hash"` // of the transaction_id
	Configuration string   `json:"configuration"`
	Holders       []string `json:"holders"`
}

// IssuedRecord is what was issued under one configuration, and what the wallet said became of it.
type IssuedRecord struct {
	Configuration string   `json:"configuration"`
	Credentials   []string `json:"credentials"`
	// Holders are digests of the holders' ids, by their places (IssueRequest.Place): who they are stands in the sealed
	// credentials only.
	Holders [][]byte  `json:"holders,omitempty"`
	Event   string    `json:"event,omitempty"`
	EventAt time.Time `json:"event_at,omitzero"`
}

// StateAt returns the state at an instant: an open offer past its end is expired.
func (o OfferRecord) StateAt(now time.Time) State {
	if o.unredeemed() && !now.Before(o.ExpiresAt) {
		return StateExpired
	}
	return o.State
}

// unredeemed reports whether the offer could still be redeemed, the clock aside.
func (o OfferRecord) unredeemed() bool { return o.State == StateCreated || o.State == StateRetrieved }

// openAt reports whether the offer can be redeemed at an instant.
func (o OfferRecord) openAt(now time.Time) bool {
	return o.unredeemed() && now.Before(o.ExpiresAt)
}

// offered are the configurations of the offer.
func (o OfferRecord) offered() []string {
	if len(o.Configurations) == 0 {
		return []string{o.Configuration}
	}
	return o.Configurations
}

// credentials are the ids of all that was issued, each once: forms of one act share one.
func (o OfferRecord) credentials() []string {
	var out []string
	for _, i := range o.Issued {
		for _, id := range i.Credentials {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// issued finds what was issued under a configuration, or -1.
func (o OfferRecord) issued(configuration string) int {
	return slices.IndexFunc(o.Issued, func(i IssuedRecord) bool { return i.Configuration == configuration })
}

// takenFromAny reports whether another key has the place of one of the holders, who stand in the order of their places.
func (o OfferRecord) takenFromAny(configuration string, holders []string) bool {
	at := o.issued(configuration)
	if at < 0 {
		return false
	}
	for place, holder := range o.Issued[at].Holders {
		if place < len(holders) && !same(holder, o.holderHash(holders[place])) {
			return true
		}
	}
	return false
}

func (o OfferRecord) holderHash(holder string) []byte { return hashOf("holder", o.ID, holder) }

// record notes what was issued, and to whom in the order of their places.
func (o *OfferRecord) record(configuration string, holders, ids []string) {
	at := o.issued(configuration)
	if at < 0 {
		at = len(o.Issued)
		o.Issued = append(o.Issued, IssuedRecord{Configuration: configuration})
	}
	for place := len(o.Issued[at].Holders); place < len(holders); place++ {
		o.Issued[at].Holders = append(o.Issued[at].Holders, o.holderHash(holders[place]))
	}
	for _, id := range ids {
		if !slices.Contains(o.Issued[at].Credentials, id) {
			o.Issued[at].Credentials = append(o.Issued[at].Credentials, id)
		}
	}
}

// pushed finds a pushed request by its hash, or -1. Ended ones are not found.
func (o *OfferRecord) pushed(hash []byte, now time.Time) int {
	return slices.IndexFunc(o.Pushed, func(p PushedRequest) bool { return same(p.Hash, hash) && now.Before(p.ExpiresAt) })
}

// end takes all secrets out of the record: nothing that a wallet holds works any more.
func (o *OfferRecord) end(state State) {
	o.State, o.Grant, o.Pushed, o.Deferred = state, nil, nil, nil
	if o.Code != nil {
		o.Code.Used = true
	}
}
