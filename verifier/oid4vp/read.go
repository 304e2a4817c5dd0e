package oid4vp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"heartmark/internal/proof/jose"
)

// Status is what whoever asked may know.
type Status struct {
	State State
	Flow  Flow
	// ExpiresAt is the end of asking.
	ExpiresAt time.Time
	// Declined is the wallet's error code, where it said no.
	Declined string
	// Outcome is there once: for the reader who finds the state received and, in a same-device flow, has the response code.
	// State is then consumed.
	Outcome *Outcome
	// NeedsCode says that a result waits for who has the response code.
	NeedsCode bool
}

// Read tells how far a session of the tenant has come, and gives its result to exactly one caller (security case SEC-135). It
// returns ErrNotFound and ErrResponseCode.
func (s *Service) Read(ctx context.Context, tenant, transactionID, responseCode string) (Status, error) {
	session, err := s.own(ctx, tenant, transactionID)
	if err != nil {
		return Status{}, err
	}
	now := s.c.Now()
	status := Status{State: session.stateAt(now), Flow: session.Flow, ExpiresAt: session.ExpiresAt, Declined: session.Declined}
	if status.State != StateReceived {
		return status, nil
	}
	if session.Flow == SameDevice {
		switch {
		case responseCode == "":
			status.NeedsCode = true
			return status, nil
		case !same(session.ResponseCode, hashOf("code", responseCode)):
			return Status{}, ErrResponseCode
		case !now.Before(session.ResponseCodeUntil):
			status.State = StateExpired
			return status, nil
		}
	} else if responseCode != "" {
		return Status{}, ErrResponseCode
	}
	return s.consume(ctx, session, status)
}

func (s *Service) consume(ctx context.Context, session Session, status Status) (Status, error) {
	if err := s.journal(ctx, AuditRead, session, ""); err != nil {
		return Status{}, err
	}
	var sealed []byte
	err := s.c.Store.UpdateSession(ctx, session.ID, func(stored *Session) error {
		sealed = nil
		if status.State = stored.stateAt(s.c.Now()); status.State != StateReceived {
			return nil // another reader was first
		}
		sealed = stored.SealedResult
		stored.State, stored.SealedResult, stored.ResponseCode = StateConsumed, nil, ""
		status.State = StateConsumed
		return nil
	})
	if err != nil || sealed == nil {
		return status, err
	}
	s.changes.tell(session.ID)
	raw, err := s.c.Sealer.Open(ctx, session.Tenant, sealResult, session.ID, sealed)
	if err != nil {
		return Status{}, err
	}
	status.Outcome = new(Outcome)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // numbers of a credential come out as they went in
	if err := decoder.Decode(status.Outcome); err != nil {
		return Status{}, fmt.Errorf("stored outcome: %w", err)
	}
	return status, nil
}

// pollEvery is how often Wait looks at the store for what another process did.
const pollEvery = 2 * time.Second

// Wait returns the state of a session as soon as it is another than last, or when ctx ends or the service stops, with
// the context's error. It tells the
// state alone, to whoever has the transaction id.
func (s *Service) Wait(ctx context.Context, transactionID string, last State) (State, error) {
	id := hashOf("transaction", transactionID)
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		changed, done := s.changes.listen(id)
		session, err := s.byTransaction(ctx, transactionID)
		if err != nil {
			done()
			return "", err
		}
		if state := session.stateAt(s.c.Now()); state != last {
			done()
			return state, nil
		}
		select {
		case <-ctx.Done():
			done()
			return last, ctx.Err()
		case <-s.stopped:
			done()
			return last, context.Canceled
		case <-changed:
		case <-ticker.C:
		}
		done()
	}
}

// changes wakes those in this process who wait for a session. The zero value is ready.
type changes struct {
	mu      sync.Mutex // guards waiting
	waiting map[string]map[chan struct{}]bool
}

// listen returns a channel that is closed at the next change of a session; done must be called when it is not needed.
func (c *changes) listen(id string) (changed <-chan struct{}, done func()) {
	ch := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[string]map[chan struct{}]bool{}
	}
	if c.waiting[id] == nil {
		c.waiting[id] = map[chan struct{}]bool{}
	}
	c.waiting[id][ch] = true
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting[id], ch)
		if len(c.waiting[id]) == 0 {
			delete(c.waiting, id)
		}
	}
}

func (c *changes) tell(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.waiting[id] {
		close(ch)
	}
	delete(c.waiting, id)
}

// kindOfToken returns the typ of a compact token, empty where it has none that can be read.
func kindOfToken(compact string) string {
	token, err := jose.Parse(compact)
	if err != nil {
		return ""
	}
	return token.Header.Typ
}
