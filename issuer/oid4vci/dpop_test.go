package oid4vci_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/issuer/oid4vci"
)

var jtis atomic.Int64

// dpop makes a DPoP proof; change may alter its claims.
func (w *world) dpop(t *testing.T, h holder, endpoint, token string, change ...func(claims map[string]any)) string {
	t.Helper()
	claims := map[string]any{
		"jti": fmt.Sprint("j", jtis.Add(1)), "htm": "POST", "htu": issuerID + endpoint, "iat": w.clock.Now().Unix(), "nonce": w.DPoPNonce("acme"),
	}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	for _, f := range change {
		f(claims)
	}
	return signProof(t, h, map[string]any{"typ": "dpop+jwt", "jwk": h.jwk(t)}, claims)
}

// boundToken redeems a new offer for a token that is bound to h.
func (w *world) boundToken(t *testing.T, h holder) oid4vci.TokenResponse {
	t.Helper()
	r := tokenRequest(t, w.offer(t))
	r.DPoP = []string{w.dpop(t, h, "/token", "")}
	tok, err := w.Token(t.Context(), r)
	if err != nil || tok.TokenType != "DPoP" || tok.ExpiresIn > 3600 {
		t.Fatalf("token %+v, %v", tok, err)
	}
	return tok
}

func TestSEC_114_DPoPAtTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	h, other := newHolder(t), newHolder(t)
	foreign, second := newWorld(t, nil), w.nonce(t)
	old := w.DPoPNonce("acme")
	set := func(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }
	drop := func(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }
	used := w.dpop(t, h, "/token", "")
	first := tokenRequest(t, w.offer(t))
	first.DPoP = []string{used}
	if _, err := w.Token(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	bad := func(header, claims map[string]any) string { return signProof(t, h, header, claims) }
	good := map[string]any{"jti": "x", "htm": "POST", "htu": issuerID + "/token", "iat": w.clock.Now().Unix(), "nonce": old}
	for name, tc := range map[string]struct {
		code   string
		proofs []string
	}{
		"replayed":             {oid4vci.CodeInvalidDPoP, []string{used}},
		"two":                  {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", ""), w.dpop(t, h, "/token", "")}},
		"no JWS":               {oid4vci.CodeInvalidDPoP, []string{"x"}},
		"too long":             {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", "", set("x", strings.Repeat("x", 9000)))}},
		"other endpoint":       {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/credential", "")}},
		"other host":           {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "", "", set("htu", "https://evil.example/oid4vci/acme/token"))}},
		"other tenant":         {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "", "", set("htu", origin+"/oid4vci/other/token"))}},
		"GET":                  {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", "", set("htm", "GET"))}},
		"no htm":               {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", "", drop("htm"))}},
		"no jti":               {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", "", drop("jti"))}},
		"no iat":               {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", "", drop("iat"))}},
		"old iat":              {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", "", set("iat", w.clock.Now().Add(-6*time.Minute).Unix()))}},
		"iat ahead":            {oid4vci.CodeInvalidDPoP, []string{w.dpop(t, h, "/token", "", set("iat", w.clock.Now().Add(2*time.Minute).Unix()))}},
		"wrong typ":            {oid4vci.CodeInvalidDPoP, []string{bad(map[string]any{"typ": "JWT", "jwk": h.jwk(t)}, good)}},
		"key by kid":           {oid4vci.CodeInvalidDPoP, []string{bad(map[string]any{"typ": "dpop+jwt", "kid": h.kid()}, good)}},
		"another's key":        {oid4vci.CodeInvalidDPoP, []string{bad(map[string]any{"typ": "dpop+jwt", "jwk": other.jwk(t)}, good)}},
		"no nonce":             {oid4vci.CodeUseDPoPNonce, []string{w.dpop(t, h, "/token", "", drop("nonce"))}},
		"c_nonce as nonce":     {oid4vci.CodeUseDPoPNonce, []string{w.dpop(t, h, "/token", "", set("nonce", second))}},
		"nonce of other nodes": {oid4vci.CodeUseDPoPNonce, []string{w.dpop(t, h, "/token", "", set("nonce", foreign.DPoPNonce("acme")))}},
		"nonce of a tenant":    {oid4vci.CodeUseDPoPNonce, []string{w.dpop(t, h, "/token", "", set("nonce", w.DPoPNonce("other")))}},
	} {
		r := tokenRequest(t, w.offer(t))
		r.DPoP = tc.proofs
		_, err := w.Token(t.Context(), r)
		wantCode(t, name, err, tc.code)
		e, _ := errors.AsType[*oid4vci.Error](err)
		if tc.code == oid4vci.CodeUseDPoPNonce && (e == nil || e.DPoPNonce == "" || e.Status != 400) {
			t.Errorf("%s: %+v, want a fresh nonce", name, e)
		}
		if r.DPoP = nil; tc.code == oid4vci.CodeUseDPoPNonce {
			r.DPoP = []string{w.dpop(t, h, "/token", "", set("nonce", e.DPoPNonce))}
		}
		if _, err := w.Token(t.Context(), r); err != nil {
			t.Errorf("%s: the right request afterwards: %v", name, err)
		}
	}
	late := tokenRequest(t, w.offer(t))
	w.clock.Advance(5 * time.Minute)
	late.DPoP = []string{w.dpop(t, h, "/token", "", set("nonce", old))}
	_, err := w.Token(t.Context(), late)
	wantCode(t, "stale nonce", err, oid4vci.CodeUseDPoPNonce)
	for _, htu := range []string{issuerID + "/token?x=1", "HTTPS://HM.example/oid4vci/acme/token", "https://hm.example:443/oid4vci/acme/token#f"} {
		late.DPoP = []string{w.dpop(t, h, "", "", set("htu", htu))}
		if _, err := w.Token(t.Context(), late); err != nil {
			t.Errorf("%s: %v", htu, err)
		}
		late = tokenRequest(t, w.offer(t))
	}
}

func TestSEC_113_114_BoundTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	key, other := newHolder(t), p256Holder(t)
	tok := w.boundToken(t, key).AccessToken
	ask := func(a oid4vci.Access) error {
		_, err := w.Credential(t.Context(), "acme", a, request(w.proof(t, newHolder(t), w.nonce(t))))
		return err
	}
	proven := func(proof string) oid4vci.Access {
		return oid4vci.Access{Scheme: "DPoP", Token: tok, DPoP: []string{proof}}
	}
	once := w.dpop(t, key, "/credential", tok)
	for name, tc := range map[string]struct {
		code string
		a    oid4vci.Access
	}{
		"as bearer":            {oid4vci.CodeInvalidToken, bearer(tok)},
		"as bearer with proof": {oid4vci.CodeInvalidToken, oid4vci.Access{Scheme: "Bearer", Token: tok, DPoP: []string{once}}},
		"without proof":        {oid4vci.CodeInvalidToken, oid4vci.Access{Scheme: "DPoP", Token: tok}},
		"other key":            {oid4vci.CodeInvalidToken, proven(w.dpop(t, other, "/credential", tok))},
		"no ath":               {oid4vci.CodeInvalidDPoP, proven(w.dpop(t, key, "/credential", ""))},
		"other ath":            {oid4vci.CodeInvalidDPoP, proven(w.dpop(t, key, "/credential", "x"))},
		"for another endpoint": {oid4vci.CodeInvalidDPoP, proven(w.dpop(t, key, "/notification", tok))},
		"without nonce":        {oid4vci.CodeUseDPoPNonce, proven(w.dpop(t, key, "/credential", tok, func(c map[string]any) { delete(c, "nonce") }))},
	} {
		err := ask(tc.a)
		wantCode(t, name, err, tc.code)
		if e, ok := errors.AsType[*oid4vci.Error](err); ok && (e.Status != 401 || e.Challenge == "" || (tc.code == oid4vci.CodeUseDPoPNonce) != (e.DPoPNonce != "")) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if w.calls != 0 {
		t.Error("the issuer was asked")
	}
	w.clock.Advance(50 * time.Minute)
	once = w.dpop(t, key, "/credential", tok)
	if err := ask(proven(once)); err != nil {
		t.Errorf("after 50 minutes: %v", err)
	}
	wantCode(t, "proof again", ask(proven(once)), oid4vci.CodeInvalidDPoP)
	w.clock.Advance(10 * time.Minute)
	wantCode(t, "after an hour", ask(proven(w.dpop(t, key, "/credential", tok))), oid4vci.CodeInvalidToken)

	plain := w.token(t)
	wantCode(t, "a bearer token as DPoP", ask(oid4vci.Access{Scheme: "DPoP", Token: plain, DPoP: []string{w.dpop(t, key, "/credential", plain)}}), oid4vci.CodeInvalidToken)
}

func TestDPoPBindsCodeAndRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	key, other := newHolder(t), newHolder(t)
	flow := func() oid4vci.TokenRequest {
		o := w.codeOffer(t)
		r := pushRequest(t, o)
		r.DPoP = []string{w.dpop(t, key, "/par", "")}
		return codeRequest(w.authorize(t, o, r))
	}
	r := flow()
	_, err := w.Token(t.Context(), r)
	wantCode(t, "a bound code without proof", err, oid4vci.CodeInvalidGrant)
	r = flow()
	r.DPoP = []string{w.dpop(t, other, "/token", "")}
	_, err = w.Token(t.Context(), r)
	wantCode(t, "a bound code by another key", err, oid4vci.CodeInvalidGrant)
	r = flow()
	r.DPoP = []string{w.dpop(t, key, "/token", "")}
	tok, err := w.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	refresh := oid4vci.TokenRequest{Tenant: "acme", GrantType: oid4vci.GrantRefreshToken, RefreshToken: tok.RefreshToken, ClientID: walletID}
	_, err = w.Token(t.Context(), refresh)
	wantCode(t, "a bound refresh token without proof", err, oid4vci.CodeInvalidGrant)
	refresh.DPoP = []string{w.dpop(t, other, "/token", "")}
	_, err = w.Token(t.Context(), refresh)
	wantCode(t, "a bound refresh token by another key", err, oid4vci.CodeInvalidGrant)
	for range 2 {
		refresh.DPoP = []string{w.dpop(t, key, "/token", "")}
		next, err := w.Token(t.Context(), refresh)
		if err != nil || next.TokenType != "DPoP" || next.RefreshToken != "" {
			t.Errorf("refreshed %+v, %v; want the bound refresh token to stay", next, err)
		}
	}
	o := w.codeOffer(t)
	p := pushRequest(t, o)
	p.DPoP, p.DPoPKey = []string{w.dpop(t, key, "/par", "")}, challenge("another key")
	_, err = w.Push(t.Context(), p)
	wantCode(t, "dpop_jkt of another key", err, oid4vci.CodeInvalidRequest)

	strict := newWorld(t, func(c *oid4vci.Config) { c.Wallets.DPoP = oid4vci.Required })
	_, err = strict.Token(t.Context(), tokenRequest(t, strict.offer(t)))
	wantCode(t, "without proof where one is required", err, oid4vci.CodeInvalidDPoP)
}
