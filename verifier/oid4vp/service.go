package oid4vp

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"heartmark/verifier"
)

// Lives of what a session holds (security.md, 3).
const (
	SessionLife      = 5 * time.Minute
	ResponseCodeLife = time.Minute
	// resultLife is how long a result waits for its reader, after the time to answer is over.
	resultLife = 10 * time.Minute
)

// Verifier judges one presentation; *verifier.Verifier is one.
type Verifier interface {
	Verify(ctx context.Context, in verifier.Input) (verifier.Result, error)
	// Policy returns the policy that a tenant knows under a name, or verifier.ErrUnknownPolicy.
	Policy(ctx context.Context, tenant, name string) (verifier.Policy, error)
}

// Client is who asks, and the key with which the request is signed.
type Client struct {
	// ID is the full client identifier, with its prefix.
	ID string
	// Signer signs; nil for a request that must not be signed. Kid or X5C stand in the header.
	Signer crypto.Signer
	Kid    string
	X5C    []string // certificates in standard base64 of DER, the leaf first
	// Name is shown by wallets.
	Name string
}

// Sealer keeps keys and results unreadable at rest.
type Sealer interface {
	Seal(ctx context.Context, tenant, kind, id string, plaintext []byte) ([]byte, error)
	Open(ctx context.Context, tenant, kind, id string, sealed []byte) ([]byte, error)
}

// Prefixes of client identifiers (OpenID4VP 1.0, 5.9) that can be asked for.
const (
	PrefixDID      = "decentralized_identifier"
	PrefixX509     = "x509_san_dns"
	PrefixRedirect = "redirect_uri"
)

// Event tells the audit trail what is about to be signed, or what came.
type Event struct {
	At             time.Time
	Name           string
	Tenant, Object string // Object is the session's ID
	Detail         string
}

// The events.
const (
	AuditSign    = "presentation.request"
	AuditAnswer  = "presentation.answer"
	AuditDecline = "presentation.decline"
	AuditRead    = "presentation.read"
)

// Config is what New needs. All fields are required except where it says otherwise.
type Config struct {
	// Origin is the public origin; requests live below Origin/oid4vp/.
	Origin   string
	Store    Store
	Verifier Verifier
	Contexts Contexts
	// Client returns who asks for a tenant ("" is the installation) under a prefix that signs, and ErrState where there is no
	// such identity.
	Client func(ctx context.Context, tenant, prefix string) (Client, error)
	// TypeOrigins are the origins whose DEI types templates ask for; empty means Origin alone.
	TypeOrigins []string
	Sealer      Sealer
	// Journal writes an event durably before the act; its error stops the act.
	Journal func(ctx context.Context, e Event) error
	Now     func() time.Time
	Log     *slog.Logger
}

// Service keeps sessions. It may be used by many goroutines at once.
type Service struct {
	c       Config
	changes changes
	// stopped is closed by Stop.
	stopped chan struct{}
	once    sync.Once
}

// New returns a service for c.
func New(c Config) (*Service, error) {
	if c.Origin == "" || c.Store == nil || c.Verifier == nil || c.Contexts == nil || c.Client == nil || c.Sealer == nil ||
		c.Journal == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("oid4vp: a field of the configuration is missing")
	}
	if len(c.TypeOrigins) == 0 {
		c.TypeOrigins = []string{c.Origin}
	}
	return &Service{c: c, stopped: make(chan struct{})}, nil
}

// Stop ends every Wait, so that a server that stops need not wait for pages that do. Everything else goes on.
func (s *Service) Stop() { s.once.Do(func() { close(s.stopped) }) }

// Purge deletes sessions that are over, at most limit of them, and returns how many.
func (s *Service) Purge(ctx context.Context, limit int) (int, error) {
	return s.c.Store.DeleteSessions(ctx, s.c.Now(), limit)
}

// find returns the session that a request id names, and gone for every id that leads to none.
func (s *Service) find(ctx context.Context, requestID string) (Session, error) {
	if !IsSecret(requestID) {
		return Session{}, gone()
	}
	found, err := s.c.Store.SessionByRequest(ctx, hashOf("request", requestID))
	if errors.Is(err, ErrNotFound) {
		return Session{}, gone()
	}
	return found, err
}

// own returns the session that a transaction id names, for its tenant alone.
func (s *Service) own(ctx context.Context, tenant, transactionID string) (Session, error) {
	found, err := s.byTransaction(ctx, transactionID)
	if err == nil && found.Tenant != tenant {
		return Session{}, ErrNotFound
	}
	return found, err
}

func (s *Service) byTransaction(ctx context.Context, transactionID string) (Session, error) {
	if !IsSecret(transactionID) {
		return Session{}, ErrNotFound
	}
	return s.c.Store.SessionByID(ctx, hashOf("transaction", transactionID))
}

func (s *Service) journal(ctx context.Context, name string, of Session, detail string) error {
	err := s.c.Journal(ctx, Event{At: s.c.Now(), Name: name, Tenant: of.Tenant, Object: of.ID, Detail: detail})
	if err != nil {
		return fmt.Errorf("audit %s: %w", name, err)
	}
	return nil
}
