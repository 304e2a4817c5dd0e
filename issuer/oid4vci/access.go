package oid4vci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Access is how a wallet shows its access token: the scheme of the Authorization header, the token, and all values of the
// DPoP header.
type Access struct {
	Scheme, Token string
	DPoP          []string
}

// Endpoints below the Credential Issuer Identifier.
const (
	endpointPAR          = "/par"
	endpointAuthorize    = "/authorize"
	endpointToken        = "/token"
	endpointNonce        = "/nonce"
	endpointChallenge    = "/challenge"
	endpointCredential   = "/credential"
	endpointDeferred     = "/deferred"
	endpointNotification = "/notification"
)

// authenticate finds the offer that an access token is for. The record it returns has a Grant. A token that is bound to a
// key is taken with a proof by that key alone, a bearer token as a bearer token alone (RFC 9449, 7.1).
func (s *Service) authenticate(ctx context.Context, tenant, endpoint string, a Access) (OfferRecord, error) {
	scheme := schemeBearer
	if strings.EqualFold(a.Scheme, schemeDPoP) {
		scheme = schemeDPoP
	} else if !strings.EqualFold(a.Scheme, schemeBearer) {
		a.Token = ""
	}
	if a.Token == "" {
		return OfferRecord{}, badToken("")
	}
	id, ok := splitHandle(a.Token)
	if !ok {
		return OfferRecord{}, badToken(scheme)
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) {
		return OfferRecord{}, badToken(scheme)
	}
	if err != nil {
		return OfferRecord{}, fmt.Errorf("read token: %w", err)
	}
	g := o.Grant
	if o.Tenant != tenant || o.State != StateRedeemed || g == nil || !same(g.TokenHash, hashOf("token", a.Token)) || !s.now().Before(g.TokenExpiresAt) {
		return OfferRecord{}, badToken(scheme)
	}
	if (g.DPoPKey != "") != (scheme == schemeDPoP) {
		return OfferRecord{}, badToken(scheme)
	}
	if g.DPoPKey == "" {
		return o, nil
	}
	key, err := s.checkDPoP(ctx, tenant, endpoint, a.Token, a.DPoP)
	if err != nil {
		return OfferRecord{}, dpopChallenge(err)
	}
	if key != g.DPoPKey {
		return OfferRecord{}, badToken(scheme)
	}
	return o, nil
}

// dpopChallenge turns a fault of a DPoP proof into the answer of a protected resource (RFC 9449, 7.1 and 9).
func dpopChallenge(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	e.Status, e.Challenge = http.StatusUnauthorized, `DPoP error="`+e.Code+`", algs="EdDSA ES256"`
	return e
}
