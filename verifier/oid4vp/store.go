package oid4vp

import (
	"context"
	"encoding/json"
	"time"
)

// State says how far a session has come.
type State string

// The states, as they stand on the wire.
const (
	StatePending   State = "pending"   // no wallet has come yet
	StateRequested State = "requested" // a wallet has the request
	StateReceived  State = "received"  // an answer came; its result waits
	StateDeclined  State = "declined"  // the wallet, or the person, said no
	StateConsumed  State = "consumed"  // the result was read, and destroyed
	StateExpired   State = "expired"   // nobody answered, or nobody read the result, in time
)

// Final reports whether nothing more will happen.
func (s State) Final() bool {
	return s == StateDeclined || s == StateConsumed || s == StateExpired
}

// Flow says how the request reaches the wallet.
type Flow string

// The flows.
const (
	SameDevice  Flow = "same_device"
	CrossDevice Flow = "cross_device"
	BrowserAPI  Flow = "dc_api" // W3C Digital Credentials API, Appendix A
)

// Session is one request for presentations, as it is stored.
type Session struct {
	// ID is the hash of the transaction id, Request that of the request id.
	ID      string `json:"id"`
	Request string `json:"request"`
	Tenant  string `json:"tenant,omitempty"` // empty: the installation itself
	Flow    Flow   `json:"flow"`
	State   State  `json:"state"`

	ClientID     string          `json:"client_id"`
	ResponseMode string          `json:"response_mode"`
	Nonce        string          `json:"nonce"`
	Query        json.RawMessage `json:"query"`
	Policy       string          `json:"policy,omitempty"`
	// MaxAge is how long ago a credential may have been issued; 0 asks for nothing.
	MaxAge time.Duration `json:"max_age,omitempty"`
	// TransactionData are the strings as they go to the wallet.
	TransactionData  []string `json:"transaction_data,omitempty"`
	RedirectTemplate string   `json:"redirect_template,omitempty"`
	Origins          []string `json:"origins,omitempty"`

	// SealedKey is the private key of this session, to which the answer is encrypted; nil where it is not.
	SealedKey []byte `json:"sealed_key,omitempty"`
	// SealedResult is the Outcome, from the answer until it is read.
	SealedResult []byte `json:"sealed_result,omitempty"`
	// ResponseCode is a hash; the code is good until ResponseCodeUntil.
	ResponseCode      string    `json:"response_code,omitempty"`
	ResponseCodeUntil time.Time `json:"response_code_until,omitzero"`
	// Declined is the wallet's error code.
	Declined string `json:"declined,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is the end of asking, PurgeAt when everything is deleted.
	ExpiresAt time.Time `json:"expires_at"`
	PurgeAt   time.Time `json:"purge_at"`
}

// stateAt is the state with what the time says.
func (s Session) stateAt(now time.Time) State {
	switch {
	case s.State.Final():
		return s.State
	case s.State == StateReceived && now.Before(s.PurgeAt):
		return StateReceived
	case s.State != StateReceived && now.Before(s.ExpiresAt):
		return s.State
	}
	return StateExpired
}

// Store keeps sessions. All methods may be called at once by many; what they write is durable on return.
type Store interface {
	// PutSession stores a new session; an id or request that is taken gives ErrExists and changes nothing.
	PutSession(ctx context.Context, s Session) error
	// SessionByID and SessionByRequest return ErrNotFound where there is none.
	SessionByID(ctx context.Context, id string) (Session, error)
	SessionByRequest(ctx context.Context, request string) (Session, error)
	// UpdateSession changes a session in one atomic act: of many callers that change the same state one at a time wins, and
	// change sees what the one before wrote. An error of change is returned and nothing is written. ID, Request and PurgeAt
	// stay. change may be called more than once.
	UpdateSession(ctx context.Context, id string, change func(s *Session) error) error
	// DeleteSessions removes at most limit sessions whose PurgeAt is before the time, and returns how many.
	DeleteSessions(ctx context.Context, before time.Time, limit int) (int, error)
}
