// Package login signs people in at an external OpenID Connect provider: authorization code flow with PKCE, state and nonce
// (OpenID Connect Core 1.0, 3.1), on go-oidc. It keeps no session: it says who signed in, once. All traffic goes through the
// guarded client of package fetch.
package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"heartmark/internal/fetch"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// ErrRefused is returned where the provider confirmed nobody: a code that it does not take, an ID token that is missing,
// wrongly signed, expired, or for somebody else.
var ErrRefused = errors.New("sign-in was not confirmed")

// Config is what New needs; all fields are required.
type Config struct {
	// Issuer is the provider's issuer URL; its discovery document must name it so.
	Issuer string
	// ClientID and ClientSecret are ours at the provider.
	ClientID, ClientSecret string
	// RedirectURL is where the provider sends people back to.
	RedirectURL string
	Fetch       *fetch.Client
	Now         func() time.Time
}

// Provider is one provider. It may be used at once. Nothing is fetched before the first sign-in.
type Provider struct {
	c      Config
	client *http.Client

	mu    sync.Mutex // guards found; held across discovery, so that it is done once
	found *oidc.Provider
}

// New returns the provider of c.
func New(c Config) (*Provider, error) {
	if c.Issuer == "" || c.ClientID == "" || c.ClientSecret == "" || c.RedirectURL == "" || c.Fetch == nil || c.Now == nil {
		return nil, errors.New("login: issuer, client id, client secret, redirect address, client and clock are needed")
	}
	if err := c.Fetch.Check(c.Issuer); err != nil {
		return nil, fmt.Errorf("login: issuer %s: %w", c.Issuer, err)
	}
	return &Provider{c: c, client: &http.Client{Transport: transport{c.Fetch}}}, nil
}

// provider discovers the provider, once it succeeds.
func (p *Provider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	// The key set keeps this context for later fetches, so it must outlive the request.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", p.c.Issuer, err)
	}
	p.found = found
	return found, nil
}

func (p *Provider) config(found *oidc.Provider) oauth2.Config {
	return oauth2.Config{
		ClientID: p.c.ClientID, ClientSecret: p.c.ClientSecret, RedirectURL: p.c.RedirectURL, Endpoint: found.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID},
	}
}

// URL is where a browser goes to sign in. The verifier of PKCE stays here; its S256 challenge goes along.
func (p *Provider) URL(ctx context.Context, state, nonce, verifier string) (string, error) {
	found, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	config := p.config(found)
	return config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// redeemFault tells a code that the provider refused from a provider that did not answer, with what operators need to know.
func redeemFault(err error) error {
	f, ok := errors.AsType[*fetch.Error](err)
	switch {
	case !ok:
		return fmt.Errorf("%w: redeem code: %w", ErrRefused, err)
	case f.Status >= 400 && f.Status < 500:
		return fmt.Errorf("%w: redeem code: %w: %s", ErrRefused, err, f.LogValue())
	}
	return fmt.Errorf("redeem code: %w: %s", err, f.LogValue())
}

// Subject redeems the provider's code and returns the sub of the ID token, which is checked: issuer, audience, signature by
// the provider's keys, times, nonce. Errors wrap ErrRefused, or tell that the provider could not be reached.
func (p *Provider) Subject(ctx context.Context, code, nonce, verifier string) (string, error) {
	found, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	config := p.config(found)
	token, err := config.Exchange(oidc.ClientContext(ctx, p.client), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return "", redeemFault(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", fmt.Errorf("%w: no ID token", ErrRefused)
	}
	id, err := found.VerifierContext(oidc.ClientContext(context.WithoutCancel(ctx), p.client), &oidc.Config{ClientID: p.c.ClientID, Now: p.c.Now}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("%w: ID token: %w", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 || id.Subject == "" {
		return "", fmt.Errorf("%w: the ID token is for another sign-in", ErrRefused)
	}
	return id.Subject, nil
}
