package oid4vci

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"heartmark/schemas"
)

const (
	// maxPushed is how many pushed requests of one offer wait at once; a further one drops the oldest.
	maxPushed = 4
	// pushedLife is how long the holder may take to sign in.
	pushedLife = 5 * time.Minute
	maxState   = 1024
)

// AuthorizationRequest is a pushed authorisation request (RFC 9126, 2.1; OpenID4VCI 1.0, 5) after the edge has read the
// form.
type AuthorizationRequest struct {
	Tenant                              string
	ResponseType, ClientID, RedirectURI string
	State, Scope, IssuerState           string
	CodeChallenge, CodeChallengeMethod  string
	AuthorizationDetails, DPoPKey       string
	HasRequest                          bool // request or request_uri was there
	Resource                            []string
	DPoP                                []string
	ClientAssertion                     ClientAssertion
}

// Pushed is the answer: 201 with Cache-Control: no-store.
type Pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"`
}

// Push takes an authorisation request. It must name an open offer by issuer_state: this server lets the holder of an offer
// in, and there is no other account. Errors for the wallet are *Error.
func (s *Service) Push(ctx context.Context, r AuthorizationRequest) (Pushed, error) {
	t, err := s.tenant(ctx, r.Tenant)
	if err != nil {
		return Pushed{}, err
	}
	who, err := s.client(ctx, r.Tenant, r.ClientID, r.ClientAssertion)
	if err != nil {
		return Pushed{}, err
	}
	if err := s.checkPushed(who, r); err != nil {
		return Pushed{}, err
	}
	id, ok := splitHandle(r.IssuerState)
	if !ok {
		return Pushed{}, badIssuerState()
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) {
		return Pushed{}, badIssuerState()
	}
	if err != nil {
		return Pushed{}, fmt.Errorf("read offer: %w", err)
	}
	now := s.now()
	if o.Tenant != r.Tenant || o.IssuerStateHash == nil || !same(o.IssuerStateHash, hashOf("issuer state", r.IssuerState)) || !o.openAt(now) {
		return Pushed{}, badIssuerState()
	}
	asked := Asked{ClientID: who.id, ClientKey: who.key, RedirectURI: r.RedirectURI, Challenge: r.CodeChallenge}
	if asked.Configurations, asked.ByIdentifier, err = s.asked(t, o, r.AuthorizationDetails, r.Scope); err != nil {
		return Pushed{}, err
	}
	if asked.DPoPKey, err = s.pushedKey(ctx, r); err != nil {
		return Pushed{}, err
	}
	if _, err := s.mayStillIssue(ctx, o, asked.Configurations, CodeAccessDenied); err != nil {
		return Pushed{}, err
	}
	address := requestURI(r.IssuerState)
	pushed := PushedRequest{Asked: asked, Hash: hashOf("request", address), State: r.State, ExpiresAt: earlier(now.Add(pushedLife), o.ExpiresAt)}
	err = s.c.Store.UpdateOffer(ctx, id, func(stored *OfferRecord) error {
		if !stored.openAt(now) {
			return badIssuerState()
		}
		stored.Pushed = slices.DeleteFunc(stored.Pushed, func(p PushedRequest) bool { return !now.Before(p.ExpiresAt) })
		if extra := len(stored.Pushed) + 1 - maxPushed; extra > 0 {
			stored.Pushed = stored.Pushed[extra:]
		}
		stored.Pushed = append(stored.Pushed, pushed)
		return nil
	})
	if err != nil {
		return Pushed{}, storeError("push request", err, badIssuerState())
	}
	return Pushed{RequestURI: address, ExpiresIn: int(pushed.ExpiresAt.Sub(now) / time.Second)}, nil
}

func badIssuerState() *Error {
	return fail(CodeInvalidRequest, "issuer_state is missing, or of no open offer: this server signs in the holder of an offer")
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// storeError hands an answer through that an update returned, gives gone for a record that is not there, and wraps the rest.
func storeError(what string, err error, gone *Error) error {
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer
	}
	if errors.Is(err, ErrNoOffer) {
		return gone
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (s *Service) checkPushed(who client, r AuthorizationRequest) error {
	switch {
	case r.HasRequest:
		return fail(CodeInvalidRequest, "request and request_uri are not taken here")
	case r.ResponseType == "":
		return fail(CodeInvalidRequest, "response_type is missing")
	case r.ResponseType != "code":
		return fail(CodeUnsupportedResponse, "expected response_type code")
	case who.id == "":
		return fail(CodeInvalidRequest, "client_id is missing")
	case who.registered == nil && who.key == "" && len(s.c.Wallets.Clients) > 0:
		return badClient("the client is not registered here")
	case r.CodeChallenge == "":
		return fail(CodeInvalidRequest, "code_challenge is missing: PKCE is required")
	case r.CodeChallengeMethod != "S256":
		return fail(CodeInvalidRequest, "code_challenge_method: expected S256")
	case !isText(r.CodeChallenge, 32):
		return fail(CodeInvalidRequest, "code_challenge is no SHA-256 in base64url")
	case len(r.State) > maxState || r.State != visible(r.State):
		return fail(CodeInvalidRequest, "state: expected printable ASCII of at most 1024 characters")
	}
	if err := who.mayReturnTo(r.RedirectURI); err != nil {
		return err
	}
	return s.checkResource(r.Tenant, r.Resource)
}

// visible drops what state may not hold (RFC 6749, A.5).
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return -1
		}
		return r
	}, s)
}

// pushedKey is the key that the code will be bound to: of the DPoP proof or of dpop_jkt (RFC 9449, 10).
func (s *Service) pushedKey(ctx context.Context, r AuthorizationRequest) (string, error) {
	key, err := s.checkDPoP(ctx, r.Tenant, endpointPAR, "", r.DPoP)
	if err != nil {
		return "", err
	}
	if r.DPoPKey == "" {
		return key, nil
	}
	if !isText(r.DPoPKey, 32) || key != "" && key != r.DPoPKey {
		return "", fail(CodeInvalidRequest, "dpop_jkt is no thumbprint, or not that of the DPoP proof's key")
	}
	return r.DPoPKey, nil
}

// asked reads what credentials a request is for: authorization_details, else the scopes, else all of the offer. A scope
// that is not known is ignored (OpenID4VCI 1.0, 5.1.2).
func (s *Service) asked(t Tenant, o OfferRecord, details, scope string) (configurations []string, byIdentifier bool, err error) {
	if details != "" {
		configurations, err = readDetails(details, o.offered(), s.IssuerID(o.Tenant))
		return configurations, true, err
	}
	if scope == "" {
		return o.offered(), false, nil
	}
	for name := range strings.SplitSeq(scope, " ") {
		if _, known := t.configuration(name); known && slices.Contains(o.offered(), name) && !slices.Contains(configurations, name) {
			configurations = append(configurations, name)
		}
	}
	if len(configurations) == 0 {
		return nil, false, fail(CodeInvalidScope, "no scope is one of a credential that is offered")
	}
	return configurations, false, nil
}

// AuthorizationPage is what the holder sees before a wallet gets a code.
type AuthorizationPage struct {
	// Issuer and Credentials are the names in both languages.
	Issuer      map[string]string
	Credentials []map[string]string
	// Client is the wallet's name for itself, ReturnTo where the browser goes afterwards: a host, or the scheme of an app.
	// Attested tells that a trusted maker vouches for the wallet.
	Client, ReturnTo string
	Attested         bool
	// Login tells that the holder signs in at the external provider; otherwise the transaction code is asked for.
	Login bool
	// Target is the source that a content security policy must allow for the form to end at the wallet.
	Target string
}

// Authorization returns the page for a pushed request. It gives ErrNotFound for a request that is unknown, ended, of
// another client or tenant: there is nobody to send back to.
func (s *Service) Authorization(ctx context.Context, tenant, address, clientID string) (AuthorizationPage, error) {
	o, p, err := s.pushedRequest(ctx, tenant, address, clientID)
	if err != nil {
		return AuthorizationPage{}, err
	}
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return AuthorizationPage{}, err
	}
	page := AuthorizationPage{
		Issuer: t.names(), Credentials: t.credentialNames(p.Configurations), Client: p.ClientID, Attested: p.ClientKey != "",
		Login: o.AccountHash != nil,
	}
	page.ReturnTo, page.Target = returnTarget(p.RedirectURI)
	return page, nil
}

func (s *Service) pushedRequest(ctx context.Context, tenant, address, clientID string) (OfferRecord, PushedRequest, error) {
	id, _, ok := splitRequestURI(address)
	if !ok {
		return OfferRecord{}, PushedRequest{}, ErrNotFound
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) {
		return OfferRecord{}, PushedRequest{}, ErrNotFound
	}
	if err != nil {
		return OfferRecord{}, PushedRequest{}, fmt.Errorf("read request: %w", err)
	}
	now := s.now()
	at := o.pushed(hashOf("request", address), now)
	if o.Tenant != tenant || at < 0 || !o.openAt(now) || o.Pushed[at].ClientID != clientID {
		return OfferRecord{}, PushedRequest{}, ErrNotFound
	}
	return o, o.Pushed[at], nil
}

// Decision is what came of the holder's answer: where to send the browser, or that the transaction code was wrong.
type Decision struct {
	// RedirectTo has the answer for the wallet in it (RFC 6749, 4.1.2; RFC 9207). Send it with 303.
	RedirectTo string
	// Wrong: ask again.
	Wrong bool
}

// Approve takes the transaction code with which the holder of the offer signs in, once, and gives the wallet its code. A
// wrong one is counted with those of the token endpoint; the last one locks the offer and tells the wallet access_denied.
// ErrNotFound is as for Authorization.
func (s *Service) Approve(ctx context.Context, tenant, address, clientID, txCode string) (Decision, error) {
	o, _, err := s.pushedRequest(ctx, tenant, address, clientID)
	if err != nil {
		return Decision{}, err
	}
	if o.AccountHash != nil {
		return Decision{}, ErrNotFound // only the provider's account opens this offer
	}
	_, state, _ := splitRequestURI(address)
	txCode = strings.ReplaceAll(strings.TrimSpace(txCode), " ", "") // people write the digits in groups
	right := func(o *OfferRecord) bool {
		return len(txCode) <= 64 && o.SignInHash != nil && same(o.SignInHash, hashOf("sign-in", state, txCode))
	}
	return s.signIn(ctx, o, hashOf("request", address), right)
}

// Deny ends a pushed request: the wallet is told access_denied. ErrNotFound is as for Authorization.
func (s *Service) Deny(ctx context.Context, tenant, address, clientID string) (Decision, error) {
	o, _, err := s.pushedRequest(ctx, tenant, address, clientID)
	if err != nil {
		return Decision{}, err
	}
	now := s.now()
	var p PushedRequest
	err = s.c.Store.UpdateOffer(ctx, o.ID, func(stored *OfferRecord) error {
		at := stored.pushed(hashOf("request", address), now)
		if at < 0 {
			return ErrNotFound
		}
		p = stored.Pushed[at]
		stored.Pushed = slices.Delete(stored.Pushed, at, at+1)
		return nil
	})
	if err != nil {
		return Decision{}, err
	}
	return Decision{RedirectTo: s.answerTo(tenant, p, url.Values{"error": {CodeAccessDenied}})}, nil
}

// signIn decides over a pushed request in one atomic update: it is used up and a code takes its place, or a try is counted.
func (s *Service) signIn(ctx context.Context, offer OfferRecord, request []byte, right func(o *OfferRecord) bool) (Decision, error) {
	now := s.now()
	code := handle(offer.ID, randomText(secretBytes))
	var p PushedRequest
	var wrong, locked bool
	err := s.c.Store.UpdateOffer(ctx, offer.ID, func(o *OfferRecord) error {
		wrong, locked = false, false
		at := o.pushed(request, now)
		if at < 0 || !o.openAt(now) {
			return ErrNotFound
		}
		p = o.Pushed[at]
		if !right(o) {
			wrong, locked = true, o.wrongTry()
			return nil
		}
		o.Pushed = slices.Delete(o.Pushed, at, at+1)
		o.Code = &CodeRecord{Asked: p.Asked, Hash: hashOf("authorization code", code), ExpiresAt: now.Add(s.c.CodeLife)}
		o.State = StateRetrieved
		return nil
	})
	switch {
	case errors.Is(err, ErrNoOffer):
		return Decision{}, ErrNotFound
	case err != nil:
		return Decision{}, fmt.Errorf("sign in: %w", err)
	case locked:
		s.alarm(ctx, EventOfferLocked, offer)
		return Decision{RedirectTo: s.answerTo(offer.Tenant, p, url.Values{"error": {CodeAccessDenied}})}, nil
	case wrong:
		return Decision{Wrong: true}, nil
	}
	return Decision{RedirectTo: s.answerTo(offer.Tenant, p, url.Values{"code": {code}})}, nil
}

// wrongTry counts a wrong transaction code and reports whether it was the last.
func (o *OfferRecord) wrongTry() (locked bool) {
	o.WrongTries++
	if o.WrongTries >= MaxWrongTries {
		o.end(StateLocked)
		return true
	}
	return false
}

// answerTo is the redirect address with the answer in its query: state and iss are always there, so that a wallet with
// several servers cannot be led to take one for another (RFC 9207).
func (s *Service) answerTo(tenant string, p PushedRequest, answer url.Values) string {
	u, err := url.Parse(p.RedirectURI)
	if err != nil {
		panic("oid4vci: a redirect address that was checked does not parse")
	}
	if p.State != "" {
		answer.Set("state", p.State)
	}
	answer.Set("iss", s.IssuerID(tenant))
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += strings.ReplaceAll(answer.Encode(), "+", "%20")
	return u.String()
}

// challengeOf is the S256 challenge of a PKCE verifier (RFC 7636, 4.2).
func challengeOf(verifier string) string {
	return base64.RawURLEncoding.EncodeToString(sha256Of(verifier))
}

// readDetails reads authorization_details (OpenID4VCI 1.0, 5.1.1; RFC 9396, 5) and returns the configurations they name,
// each of which must be offered.
func readDetails(raw string, offered []string, issuerID string) ([]string, error) {
	v, err := schemas.ParseJSON([]byte(raw))
	list, ok := v.([]any)
	if err != nil || !ok || len(list) == 0 || len(list) > MaxBatch {
		return nil, fail(CodeInvalidDetails, "authorization_details: expected a JSON array of objects")
	}
	var out []string
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok || m["type"] != detailType {
			return nil, fail(CodeInvalidDetails, "authorization_details: expected type openid_credential")
		}
		id, _ := m["credential_configuration_id"].(string)
		if !slices.Contains(offered, id) {
			return nil, fail(CodeInvalidDetails, "authorization_details: the offer is for another credential configuration")
		}
		if locations, ok := m["locations"]; ok {
			l, isList := locations.([]any)
			if !isList || len(l) != 1 || l[0] != issuerID {
				return nil, fail(CodeInvalidDetails, "authorization_details: locations must be the credential issuer identifier")
			}
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}
