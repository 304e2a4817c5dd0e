package oid4vci

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
)

// ErrLogin is returned by a Login for a sign-in that the provider did not confirm. Show that it came to nothing.
var ErrLogin = errors.New("the login provider confirmed nobody")

// ErrLoginAway is returned where the external provider did not answer: answer 503.
var ErrLoginAway = errors.New("the login provider does not answer")

// ErrDecided is returned where a credential that was held back is no longer: answer 409.
var ErrDecided = errors.New("release was decided before")

// Login is an external OpenID Connect provider. Its methods may be called at once.
type Login interface {
	// URL is where the holder's browser goes to sign in.
	URL(ctx context.Context, r LoginRequest) (string, error)
	// Subject redeems the provider's code and returns who signed in, or an error that wraps ErrLogin.
	Subject(ctx context.Context, code string, r LoginRequest) (string, error)
}

// LoginRequest are the values of one sign-in: State comes back in the answer, Nonce in the ID token, and Verifier is the
// secret of PKCE.
type LoginRequest struct{ State, Nonce, Verifier string }

// LoginStart is a sign-in that was begun: where the browser goes, and the cookie that ties it to this browser, without
// which somebody could have another person sign in to a request of their own.
type LoginStart struct{ URL, Cookie string }

// BeginLogin begins the sign-in of a pushed request at the external provider. ErrNotFound is as for Authorization,
// ErrLoginAway as for FinishLogin.
func (s *Service) BeginLogin(ctx context.Context, tenant, address, clientID string) (LoginStart, error) {
	o, _, err := s.pushedRequest(ctx, tenant, address, clientID)
	if err != nil {
		return LoginStart{}, err
	}
	if s.c.Login == nil || o.AccountHash == nil {
		return LoginStart{}, ErrNotFound
	}
	request := s.loginRequest(handle(o.ID, randomText(secretBytes)))
	cookie := randomText(secretBytes)
	now := s.now()
	err = s.c.Store.UpdateOffer(ctx, o.ID, func(stored *OfferRecord) error {
		at := stored.pushed(hashOf("request", address), now)
		if at < 0 {
			return ErrNotFound
		}
		stored.Pushed[at].LoginHash, stored.Pushed[at].BrowserHash = hashOf("login", request.State), hashOf("browser", cookie)
		return nil
	})
	if err != nil {
		return LoginStart{}, err
	}
	to, err := s.c.Login.URL(ctx, request)
	if err != nil {
		return LoginStart{}, s.loginFault(ctx, o, err)
	}
	return LoginStart{URL: to, Cookie: cookie}, nil
}

// loginRequest derives what goes with a state, so that nothing secret need be stored.
func (s *Service) loginRequest(state string) LoginRequest {
	derive := func(label string) string {
		mac := hmac.New(sha256.New, s.c.NonceKey)
		mac.Write([]byte("heartmark/oid4vci/login " + label + "\x00" + state))
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	return LoginRequest{State: state, Nonce: derive("nonce"), Verifier: derive("verifier")}
}

// FinishLogin takes the answer of the external provider: state and code of its redirect, and the cookie of BeginLogin. The
// account must be the one that the offer is for; another is counted like a wrong transaction code. ErrNotFound is as for
// Authorization, ErrLogin for a provider that confirmed nobody, ErrLoginAway for one that does not answer; all leave the request as it was.
func (s *Service) FinishLogin(ctx context.Context, state, cookie, code string) (Decision, error) {
	id, ok := splitHandle(state)
	if !ok || !isText(cookie, secretBytes) {
		return Decision{}, ErrNotFound
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) {
		return Decision{}, ErrNotFound
	}
	if err != nil {
		return Decision{}, fmt.Errorf("read request: %w", err)
	}
	p, ok := o.loginOf(state, cookie)
	if !ok || s.c.Login == nil || !o.openAt(s.now()) {
		return Decision{}, ErrNotFound
	}
	if code == "" {
		return Decision{}, ErrLogin
	}
	subject, err := s.c.Login.Subject(ctx, code, s.loginRequest(state))
	if err != nil {
		return Decision{}, s.loginFault(ctx, o, err)
	}
	right := func(o *OfferRecord) bool { return same(o.AccountHash, accountHash(o.ID, subject)) }
	return s.signIn(ctx, o, p.Hash, right)
}

// loginFault tells operators why a sign-in came to nothing, and returns what the holder is answered.
func (s *Service) loginFault(ctx context.Context, o OfferRecord, err error) error {
	s.log.WarnContext(ctx, "sign-in at the login provider failed", slog.String("tenant", o.Tenant), slog.String("offer", o.ID), slog.Any("error", err))
	if errors.Is(err, ErrLogin) {
		return fmt.Errorf("login provider: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrLoginAway, err)
}

// loginOf finds the pushed request that a sign-in was begun for, in this browser.
func (o OfferRecord) loginOf(state, cookie string) (PushedRequest, bool) {
	for _, p := range o.Pushed {
		if same(p.LoginHash, hashOf("login", state)) && same(p.BrowserHash, hashOf("browser", cookie)) {
			return p, true
		}
	}
	return PushedRequest{}, false
}
