package oid4vci

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

func badCode() *Error { return fail(CodeInvalidGrant, "the code is unknown, expired or used") }

// offerOf reads the offer that a code or token names.
func (s *Service) offerOf(ctx context.Context, tenant, secret string) (OfferRecord, error) {
	id, ok := splitHandle(secret)
	if !ok {
		return OfferRecord{}, badCode()
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) || err == nil && o.Tenant != tenant {
		return OfferRecord{}, badCode()
	}
	if err != nil {
		return OfferRecord{}, fmt.Errorf("read offer: %w", err)
	}
	return o, nil
}

// give draws tokens for an offer. A refresh token comes with them where the wallet may have to wait.
func (s *Service) give(id string, bound, refreshable bool) tokens {
	t := tokens{access: handle(id, randomText(secretBytes)), life: s.c.TokenLife}
	if bound {
		t.life = s.c.BoundTokenLife
	}
	if refreshable {
		t.refresh = handle(id, randomText(secretBytes))
	}
	return t
}

// grant stores tokens in the record, in place of those before.
func (s *Service) grant(o *OfferRecord, g GrantRecord, t tokens, now time.Time) GrantRecord {
	g.TokenHash, g.TokenExpiresAt = hashOf("token", t.access), now.Add(t.life)
	end := g.TokenExpiresAt
	if t.refresh != "" {
		g.RefreshHash, g.RefreshExpiresAt = hashOf("refresh", t.refresh), now.Add(s.c.RefreshLife)
	}
	if g.RefreshExpiresAt.After(end) {
		end = g.RefreshExpiresAt
	}
	if end = end.Add(keepAfterEnd); end.After(o.PurgeAt) {
		o.PurgeAt = end
	}
	o.Grant = &g
	return g
}

// redeemPreAuthorized takes a pre-authorised code in one atomic update: whatever comes in at once, one request gets a
// token, and no more transaction codes are compared than MaxWrongTries allows.
func (s *Service) redeemPreAuthorized(ctx context.Context, r TokenRequest, who caller) (GrantRecord, tokens, error) {
	o, err := s.offerOf(ctx, r.Tenant, r.PreAuthorizedCode)
	if err != nil {
		return GrantRecord{}, tokens{}, err
	}
	if o.CodeHash == nil || !same(o.CodeHash, hashOf("code", r.PreAuthorizedCode)) {
		return GrantRecord{}, tokens{}, badCode()
	}
	granted := GrantRecord{Configurations: o.offered(), ClientID: who.id, ClientKey: who.key, DPoPKey: who.dpop}
	if r.AuthorizationDetails != "" {
		granted.ByIdentifier = true
		if granted.Configurations, err = readDetails(r.AuthorizationDetails, o.offered(), s.IssuerID(r.Tenant)); err != nil {
			return GrantRecord{}, tokens{}, err
		}
	}
	later, err := s.mayStillIssue(ctx, o, granted.Configurations, CodeInvalidGrant)
	if err != nil {
		return GrantRecord{}, tokens{}, err
	}
	now := s.now()
	given := s.give(o.ID, who.dpop != "", later || o.Release != "")
	var outcome *Error
	var locked bool
	err = s.c.Store.UpdateOffer(ctx, o.ID, func(o *OfferRecord) error {
		outcome, locked = nil, false
		switch {
		case !o.openAt(now):
			return badCode()
		case !r.HasTxCode || r.TxCode == "":
			return fail(CodeInvalidRequest, "tx_code is missing")
		case !same(o.TxHash, hashOf("tx", r.PreAuthorizedCode, r.TxCode)):
			outcome = fail(CodeInvalidGrant, "the tx_code is wrong")
			if locked = o.wrongTry(); locked {
				outcome = fail(CodeInvalidGrant, "the tx_code is wrong; the offer is closed after too many tries")
			}
			return nil // the count is stored
		}
		o.State, o.Pushed, o.Code = StateRedeemed, nil, nil
		s.grant(o, granted, given, now)
		return nil
	})
	if err != nil {
		return GrantRecord{}, tokens{}, storeError("redeem code", err, badCode())
	}
	if locked {
		s.alarm(ctx, EventOfferLocked, o)
	}
	if outcome != nil {
		return GrantRecord{}, tokens{}, outcome
	}
	return granted, given, nil
}

// redeemCode takes an authorisation code. One that comes a second time ends the tokens that it gave (RFC 6749, 4.1.2), one
// that comes from another client, for another address or without its secret is void.
func (s *Service) redeemCode(ctx context.Context, r TokenRequest, who caller) (GrantRecord, tokens, error) {
	o, err := s.offerOf(ctx, r.Tenant, r.Code)
	if err != nil {
		return GrantRecord{}, tokens{}, err
	}
	if o.Code == nil || !same(o.Code.Hash, hashOf("authorization code", r.Code)) {
		return GrantRecord{}, tokens{}, badCode()
	}
	if _, err := s.mayStillIssue(ctx, o, o.Code.Configurations, CodeInvalidGrant); err != nil {
		return GrantRecord{}, tokens{}, err
	}
	now := s.now()
	given := s.give(o.ID, who.dpop != "", true)
	var granted GrantRecord
	var event Event
	err = s.c.Store.UpdateOffer(ctx, o.ID, func(o *OfferRecord) error {
		event = ""
		c := o.Code
		if c == nil || !same(c.Hash, hashOf("authorization code", r.Code)) {
			return badCode()
		}
		switch {
		case c.Used && o.Grant != nil:
			event = EventCodeReused
			o.end(StateRevoked)
			return nil
		case c.Used || !now.Before(c.ExpiresAt) || !o.unredeemed():
			return badCode()
		case who.id != c.ClientID || who.key != c.ClientKey || r.RedirectURI != c.RedirectURI ||
			!same([]byte(challengeOf(r.CodeVerifier)), []byte(c.Challenge)) || c.DPoPKey != "" && who.dpop != c.DPoPKey:
			event = EventCodeStolen
			o.Code.Used = true
			return nil
		}
		c.Used = true
		o.State, o.Pushed = StateRedeemed, nil
		granted = s.grant(o, GrantRecord{
			Configurations: c.Configurations, ByIdentifier: c.ByIdentifier, ClientID: c.ClientID, ClientKey: c.ClientKey, DPoPKey: who.dpop,
		}, given, now)
		return nil
	})
	if err != nil {
		return GrantRecord{}, tokens{}, storeError("redeem code", err, badCode())
	}
	if event != "" {
		s.alarm(ctx, event, o)
		return GrantRecord{}, tokens{}, badCode()
	}
	return granted, given, nil
}

// refresh gives new tokens for a refresh token. One that is bound to a key stays good; a bearer one is replaced, and if
// the replaced one comes again, all tokens of the offer end (RFC 9700, 4.14.2).
func (s *Service) refresh(ctx context.Context, r TokenRequest, who caller) (GrantRecord, tokens, error) {
	o, err := s.offerOf(ctx, r.Tenant, r.RefreshToken)
	if err != nil {
		return GrantRecord{}, tokens{}, err
	}
	hash := hashOf("refresh", r.RefreshToken)
	if o.Grant == nil || !same(o.Grant.RefreshHash, hash) && !same(o.Grant.SpentHash, hash) {
		return GrantRecord{}, tokens{}, badCode()
	}
	if _, err := s.mayStillIssue(ctx, o, o.Grant.Configurations, CodeInvalidGrant); err != nil {
		return GrantRecord{}, tokens{}, err
	}
	now := s.now()
	given := s.give(o.ID, who.dpop != "", who.dpop == "")
	var granted GrantRecord
	var event Event
	err = s.c.Store.UpdateOffer(ctx, o.ID, func(o *OfferRecord) error {
		event = ""
		g := o.Grant
		switch {
		case g == nil || g.RefreshHash == nil || o.State != StateRedeemed || o.Release == ReleaseRefused:
			return badCode()
		case same(g.SpentHash, hash):
			event = EventRefreshReused
			o.end(StateRevoked)
			return nil
		case !same(g.RefreshHash, hash) || !now.Before(g.RefreshExpiresAt) || who.dpop != g.DPoPKey || who.key != g.ClientKey ||
			who.id != "" && who.id != g.ClientID:
			return badCode()
		}
		next := *g
		if r.AuthorizationDetails != "" {
			var fault error
			if next.Configurations, fault = readDetails(r.AuthorizationDetails, g.Configurations, s.IssuerID(r.Tenant)); fault != nil {
				return fault
			}
		}
		if given.refresh != "" {
			next.SpentHash = hash
		}
		granted = s.grant(o, next, given, now)
		return nil
	})
	if err != nil {
		return GrantRecord{}, tokens{}, storeError("refresh", err, badCode())
	}
	if event != "" {
		s.alarm(ctx, event, o)
		return GrantRecord{}, tokens{}, badCode()
	}
	return granted, given, nil
}

// grants reports whether the grant has a configuration.
func (g GrantRecord) grants(configuration string) bool {
	return slices.Contains(g.Configurations, configuration)
}
