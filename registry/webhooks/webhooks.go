// Package webhooks tells subscribers what the registry states, as it comes: each event of the log (authorities, keys,
// documents, status lists) is sent to the addresses that a tenant registered, in order, at least once. Start with New and
// Service.Run.
//
// # What is durable
//
// A subscription holds the place in the log up to which it was served. It moves on only after the receiver has answered
// with 2xx, or after the event was put among the dead letters, in one write. A crash in between sends the event again: a
// receiver takes an event once by its id. Because the log is the queue, anything can be sent again: Replay sets the place.
//
// # How a receiver knows us
//
// Every request is signed twice: with an HMAC under a secret that the tenant got once (header Heartmark-Webhook), and by
// HTTP Message Signatures (RFC 9421) with the registry's statement key, which its DID document lists. See sign.go.
package webhooks

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"heartmark/registry"
	"heartmark/schemas"
)

// Errors of this package.
var (
	// ErrNotFound: the tenant has no such subscription (404).
	ErrNotFound = errors.New("no such webhook")
	// ErrStale is returned by a Store when a version is not the last one plus one: another was faster. Read again (503).
	ErrStale = errors.New("webhook changed meanwhile")
	// ErrTarget: the address is not https, or leads where this installation sends nothing (400).
	ErrTarget = errors.New("webhook address is not allowed")
	// ErrTooMany: the tenant has as many webhooks as it may have (409).
	ErrTooMany = errors.New("too many webhooks")
)

const (
	// maxPerTenant bounds the subscriptions of one tenant.
	maxPerTenant = 20
	maxPage      = 200
	// maxAttempts is after how many an event is put among the dead letters: the last comes some six hours after the first.
	maxAttempts = 10
	firstWait   = 2 * time.Second
	longestWait = 2 * time.Hour
	// runEvery is how often Run looks for what is due; atOnce bounds the receivers that are served at one time.
	runEvery = 2 * time.Second
	atOnce   = 8
	// burst and turn bound what one receiver gets, and for how long, before others have their turn.
	burst = 50
	turn  = 10 * time.Second
)

// Kinds returns the kinds of events that can be subscribed to.
func Kinds() []string {
	return []string{
		schemas.LogAuthority, schemas.LogKey, schemas.LogSchema, schemas.LogContext, schemas.LogAchievement, schemas.LogFramework, schemas.LogStatusList,
	}
}

// Subscription is an address that gets events.
type Subscription struct {
	ID      string    `json:"id"`
	Tenant  string    `json:"tenant"`
	Version uint64    `json:"version"` // rises by one with each change, from 1
	URL     string    `json:"url"`
	Kinds   []string  `json:"kinds"`
	Secret  []byte    `json:"secret"` // sealed
	Created time.Time `json:"created"`
	// Next is the entry of the log from which on events are to be sent.
	Next uint64 `json:"next"`
	// Attempts counts the failures of the event at Next; RetryAt is when the next try is due; LastError says what failed.
	Attempts  int       `json:"attempts,omitempty"`
	RetryAt   time.Time `json:"retry_at,omitzero"`
	LastError string    `json:"last_error,omitempty"`
	// Gone is set when the receiver said that it is not there any more (410): nothing is sent until a replay.
	Gone bool `json:"gone,omitempty"`
}

// Dead is an event that could not be delivered.
type Dead struct {
	Event    uint64    `json:"event"` // its place in the log
	Kind     string    `json:"kind"`
	Subject  string    `json:"subject"`
	Error    string    `json:"error"`
	At       time.Time `json:"at"` // of the last attempt
	Attempts int       `json:"attempts"`
}

// Store keeps subscriptions and dead letters. All methods may be called at once; what they wrote is durable on return.
type Store interface {
	// PutSubscription writes a version of a subscription and, with it in one unit, a dead letter where dead is not nil. It
	// returns ErrStale where the version is not the last plus one, and for a subscription that was deleted.
	PutSubscription(ctx context.Context, s Subscription, dead *Dead) error
	// Subscription returns the newest version, or ErrNotFound.
	Subscription(ctx context.Context, tenant, id string) (Subscription, error)
	// Subscriptions returns up to limit subscriptions of a tenant after the id after, in the order of their ids.
	Subscriptions(ctx context.Context, tenant, after string, limit int) ([]Subscription, error)
	// DeleteSubscription removes a subscription with its dead letters; one that is not there is no error.
	DeleteSubscription(ctx context.Context, tenant, id string) error
	// DeadLetters returns up to limit dead letters of a subscription from the event from on, in the order of events.
	DeadLetters(ctx context.Context, tenant, id string, from uint64, limit int) ([]Dead, error)
	// RemoveDead removes the dead letter of an event, where there is one.
	RemoveDead(ctx context.Context, tenant, id string, event uint64) error
}

// Events are the registry's; *registry.Registry has them.
type Events interface {
	Events(ctx context.Context, first uint64, limit int) (page []registry.Event, next uint64, err error)
}

// Message is one request to a receiver.
type Message struct {
	URL, ContentType string
	Body             []byte
	Header           map[string]string
}

// Sender sends a message and returns the status of the answer; 0 with an error where there was none. It follows no
// redirect, and refuses addresses that are not public.
type Sender interface {
	Send(ctx context.Context, m Message) (status int, err error)
	// Check reports whether Send would try the address.
	Check(url string) error
}

// Config is what a service needs. All fields are required.
type Config struct {
	DID    string // of the registry
	Store  Store
	Events Events
	// Size is the size of the log now: where a new subscription begins.
	Size func(ctx context.Context) (uint64, error)
	// Tenants lists whose subscriptions are served.
	Tenants func(ctx context.Context) ([]string, error)
	Sender  Sender
	// Seal and Open keep a subscription's secret.
	Seal func(ctx context.Context, tenant, id string, secret []byte) ([]byte, error)
	Open func(ctx context.Context, tenant, id string, sealed []byte) ([]byte, error)
	// Signer gives the statement key and its DID URL.
	Signer func(ctx context.Context) (crypto.Signer, string, error)
	Now    func() time.Time
	NewID  func() string
	Log    *slog.Logger
}

// Service keeps subscriptions and serves them. Its methods may be called at once; one Run in an installation is enough.
type Service struct{ c Config }

// New returns a service for c.
func New(c Config) (*Service, error) {
	if c.DID == "" || c.Store == nil || c.Events == nil || c.Size == nil || c.Tenants == nil || c.Sender == nil || c.Seal == nil || c.Open == nil ||
		c.Signer == nil || c.Now == nil || c.NewID == nil || c.Log == nil {
		return nil, errors.New("webhooks: a part of the configuration is missing")
	}
	return &Service{c: c}, nil
}

func (s *Service) now() time.Time { return s.c.Now().UTC().Truncate(time.Millisecond) }

// Create registers an address for events of the kinds (none: all) from now on. The secret is returned here and nowhere
// else. It returns ErrTarget or ErrTooMany, or an *schemas.FieldError.
func (s *Service) Create(ctx context.Context, tenant, url string, kinds []string) (sub Subscription, secret string, err error) {
	if err := s.c.Sender.Check(url); err != nil {
		return sub, "", &schemas.FieldError{Pointer: "/url", Expected: "a public https address", Err: ErrTarget}
	}
	for i, kind := range kinds {
		if !slices.Contains(Kinds(), kind) || slices.Contains(kinds[:i], kind) {
			return sub, "", &schemas.FieldError{Pointer: fmt.Sprintf("/kinds/%d", i), Expected: "a kind of event, named once", Err: schemas.ErrMalformed}
		}
	}
	have, err := s.c.Store.Subscriptions(ctx, tenant, "", maxPerTenant)
	if err != nil {
		return sub, "", err
	}
	if len(have) == maxPerTenant {
		return sub, "", ErrTooMany
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return sub, "", fmt.Errorf("secret: %w", err)
	}
	sub = Subscription{ID: s.c.NewID(), Tenant: tenant, Version: 1, URL: url, Kinds: slices.Clone(kinds), Created: s.now()}
	if sub.Secret, err = s.c.Seal(ctx, tenant, sub.ID, raw); err != nil {
		return sub, "", fmt.Errorf("seal secret: %w", err)
	}
	if sub.Next, err = s.c.Size(ctx); err != nil {
		return sub, "", fmt.Errorf("log size: %w", err)
	}
	if err := s.c.Store.PutSubscription(ctx, sub, nil); err != nil {
		return sub, "", fmt.Errorf("store webhook: %w", err)
	}
	return sub, base64.RawURLEncoding.EncodeToString(raw), nil
}

// Get returns a tenant's subscription, or ErrNotFound.
func (s *Service) Get(ctx context.Context, tenant, id string) (Subscription, error) {
	return s.c.Store.Subscription(ctx, tenant, id)
}

// List returns all subscriptions of a tenant.
func (s *Service) List(ctx context.Context, tenant string) ([]Subscription, error) {
	return s.c.Store.Subscriptions(ctx, tenant, "", maxPerTenant)
}

// Delete removes a subscription, or returns ErrNotFound.
func (s *Service) Delete(ctx context.Context, tenant, id string) error {
	if _, err := s.c.Store.Subscription(ctx, tenant, id); err != nil {
		return err
	}
	return s.c.Store.DeleteSubscription(ctx, tenant, id)
}

// DeadLetters returns up to limit dead letters of a subscription from the event from on.
func (s *Service) DeadLetters(ctx context.Context, tenant, id string, from uint64, limit int) ([]Dead, error) {
	if _, err := s.c.Store.Subscription(ctx, tenant, id); err != nil {
		return nil, err
	}
	return s.c.Store.DeadLetters(ctx, tenant, id, from, min(max(limit, 1), maxPage))
}

// Replay sends everything from the event from on once more, and opens a subscription whose receiver was gone.
func (s *Service) Replay(ctx context.Context, tenant, id string, from uint64) (Subscription, error) {
	size, err := s.c.Size(ctx)
	if err != nil {
		return Subscription{}, fmt.Errorf("log size: %w", err)
	}
	return s.change(ctx, tenant, id, nil, func(sub *Subscription) {
		sub.Next, sub.Gone = min(from, size), false
		sub.Attempts, sub.RetryAt, sub.LastError = 0, time.Time{}, ""
	})
}

// maxStale bounds how often a change is tried when others were faster.
const maxStale = 5

func (s *Service) change(ctx context.Context, tenant, id string, dead *Dead, set func(*Subscription)) (Subscription, error) {
	for try := 0; ; try++ {
		sub, err := s.c.Store.Subscription(ctx, tenant, id)
		if err != nil {
			return sub, err
		}
		set(&sub)
		sub.Version++
		err = s.c.Store.PutSubscription(ctx, sub, dead)
		if errors.Is(err, ErrStale) && try < maxStale {
			continue
		}
		return sub, err
	}
}
