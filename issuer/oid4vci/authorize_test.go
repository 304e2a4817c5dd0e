package oid4vci_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
)

const (
	walletID = "wallet.example"
	callback = "https://wallet.example/cb?x=1"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// codeOffer is an offer for both flows; change may alter the request.
func (w *world) codeOffer(t *testing.T, change ...func(r *oid4vci.OfferRequest)) oid4vci.Offer {
	t.Helper()
	r := oid4vci.OfferRequest{
		Tenant: "acme", Configurations: []string{config}, ReportID: "report-of-nobody-17",
		Grants: []string{oid4vci.GrantPreAuthorized, oid4vci.GrantAuthorizationCode},
	}
	for _, f := range change {
		f(&r)
	}
	o, err := w.CreateOffer(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func issuerState(t *testing.T, offer []byte) string {
	t.Helper()
	return grantsOf(t, offer)[oid4vci.GrantAuthorizationCode]["issuer_state"].(string)
}

func pushRequest(t *testing.T, o oid4vci.Offer) oid4vci.AuthorizationRequest {
	t.Helper()
	return oid4vci.AuthorizationRequest{
		Tenant: "acme", ResponseType: "code", ClientID: walletID, RedirectURI: callback, State: "st ate",
		CodeChallenge: challenge(verifier), CodeChallengeMethod: "S256", IssuerState: issuerState(t, o.JSON),
	}
}

// answer reads the query of a redirect to the wallet.
func answer(t *testing.T, redirect string) url.Values {
	t.Helper()
	u, err := url.Parse(redirect)
	if err != nil || !strings.HasPrefix(redirect, callback) {
		t.Fatalf("redirect to %q, %v", redirect, err)
	}
	return u.Query()
}

// authorize goes from a pushed request to a code.
func (w *world) authorize(t *testing.T, o oid4vci.Offer, r oid4vci.AuthorizationRequest) string {
	t.Helper()
	pushed, err := w.Push(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.Approve(t.Context(), r.Tenant, pushed.RequestURI, r.ClientID, o.TxCode)
	if err != nil || d.Wrong {
		t.Fatalf("Approve = %+v, %v", d, err)
	}
	return answer(t, d.RedirectTo).Get("code")
}

func codeRequest(code string) oid4vci.TokenRequest {
	return oid4vci.TokenRequest{
		Tenant: "acme", GrantType: oid4vci.GrantAuthorizationCode, Code: code, RedirectURI: callback, CodeVerifier: verifier, ClientID: walletID,
	}
}

func TestAuthorizationCodeFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	r := pushRequest(t, o)
	pushed, err := w.Push(t.Context(), r)
	if err != nil || pushed.ExpiresIn <= 0 || pushed.ExpiresIn > 300 {
		t.Fatalf("Push = %+v, %v", pushed, err)
	}
	page, err := w.Authorization(t.Context(), "acme", pushed.RequestURI, walletID)
	if err != nil || page.Client != walletID || page.ReturnTo != "wallet.example" || page.Target != "https://wallet.example" || page.Issuer["zh"] != "阿克米" || page.Attested || page.Login {
		t.Fatalf("page %+v, %v", page, err)
	}
	d, err := w.Approve(t.Context(), "acme", pushed.RequestURI, walletID, " "+o.TxCode[:3]+" "+o.TxCode[3:])
	if err != nil {
		t.Fatal(err)
	}
	got := answer(t, d.RedirectTo)
	if got.Get("state") != "st ate" || got.Get("iss") != issuerID || got.Get("x") != "1" || got.Get("code") == "" {
		t.Fatalf("answer %v", got)
	}
	if _, err := w.Approve(t.Context(), "acme", pushed.RequestURI, walletID, o.TxCode); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("the same request again: %v", err)
	}
	tok, err := w.Token(t.Context(), codeRequest(got.Get("code")))
	if err != nil || tok.TokenType != "Bearer" || tok.ExpiresIn > 300 || tok.RefreshToken == "" || tok.AuthorizationDetails != nil {
		t.Fatalf("token %+v, %v", tok, err)
	}
	h := newHolder(t)
	claims := w.claims(w.nonce(t))
	claims["iss"] = walletID
	resp, err := w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(signProof(t, h, map[string]any{"typ": "openid4vci-proof+jwt", "kid": h.kid()}, claims)))
	if err != nil || len(resp.Credentials) != 1 {
		t.Fatalf("credential %+v, %v", resp, err)
	}
	// The pre-authorised code of the same offer is used up with it.
	_, err = w.Token(t.Context(), tokenRequest(t, o))
	wantCode(t, "pre-authorised code afterwards", err, oid4vci.CodeInvalidGrant)
	dump := w.store.dump(t)
	for what, secret := range map[string]string{
		"request": pushed.RequestURI, "code": got.Get("code"), "token": tok.AccessToken, "refresh token": tok.RefreshToken, "issuer_state": r.IssuerState,
	} {
		if _, half, _ := strings.Cut(secret, "."); strings.Contains(dump, half) {
			t.Errorf("the store holds the %s", what)
		}
	}
}

func TestPushRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		code   string
		change func(r *oid4vci.AuthorizationRequest)
	}{
		"no response_type":        {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.ResponseType = "" }},
		"token response":          {oid4vci.CodeUnsupportedResponse, func(r *oid4vci.AuthorizationRequest) { r.ResponseType = "token" }},
		"no client":               {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.ClientID = "" }},
		"request inside":          {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.HasRequest = true }},
		"SEC-115 no challenge":    {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.CodeChallenge = "" }},
		"SEC-115 plain":           {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.CodeChallengeMethod = "plain" }},
		"SEC-115 method left out": {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.CodeChallengeMethod = "" }},
		"SEC-115 short challenge": {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.CodeChallenge = "abc" }},
		"control in state":        {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.State = "a\r\nb" }},
		"long state":              {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.State = strings.Repeat("s", 1025) }},
		"no issuer_state":         {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.IssuerState = "" }},
		"changed issuer_state":    {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.IssuerState = flip(r.IssuerState) }},
		"SEC-158 other tenant":    {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.Tenant = "other" }},
		"other resource":          {oid4vci.CodeInvalidTarget, func(r *oid4vci.AuthorizationRequest) { r.Resource = []string{origin} }},
		"unknown scope":           {oid4vci.CodeInvalidScope, func(r *oid4vci.AuthorizationRequest) { r.Scope = "openid dei-social_skills" }},
		"SEC-119 other configuration": {oid4vci.CodeInvalidDetails, func(r *oid4vci.AuthorizationRequest) {
			r.AuthorizationDetails = `[{"type":"openid_credential","credential_configuration_id":"dei-social_skills"}]`
		}},
		"other details":      {oid4vci.CodeInvalidDetails, func(r *oid4vci.AuthorizationRequest) { r.AuthorizationDetails = `[{"type":"x"}]` }},
		"bad dpop_jkt":       {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.DPoPKey = "abc" }},
		"no redirect_uri":    {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = "" }},
		"relative":           {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = "/cb" }},
		"plain http":         {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = "http://wallet.example/cb" }},
		"SEC-144 script":     {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = "javascript:alert(1)" }},
		"SEC-144 data":       {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = "data:text/html,x" }},
		"fragment":           {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = callback + "#x" }},
		"empty fragment":     {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = callback + "#" }},
		"user info":          {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = "https://wallet.example@evil.example/" }},
		"policy in the host": {oid4vci.CodeInvalidRequest, func(r *oid4vci.AuthorizationRequest) { r.RedirectURI = "https://wallet.example;script-src/" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			o := w.codeOffer(t)
			r := pushRequest(t, o)
			bad := r
			tc.change(&bad)
			_, err := w.Push(t.Context(), bad)
			wantCode(t, name, err, tc.code)
			if w.authorize(t, o, r) == "" {
				t.Error("the right request afterwards")
			}
		})
	}
	w := newWorld(t, nil)
	preOnly := w.offer(t)
	r := pushRequest(t, w.codeOffer(t))
	r.IssuerState = strings.Replace(code(t, preOnly.JSON), ".", ".", 1)
	_, err := w.Push(t.Context(), r)
	wantCode(t, "the code of an offer without this grant", err, oid4vci.CodeInvalidRequest)
	for _, good := range []string{"http://127.0.0.1:7000/cb", "http://localhost/cb", "http://[::1]:80/cb", "eudi-openid4ci://authorize", "com.example.app:/cb"} {
		r := pushRequest(t, w.codeOffer(t))
		r.RedirectURI = good
		if _, err := w.Push(t.Context(), r); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestSEC_116_RedirectURIsAreExact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oid4vci.Config) {
		c.Wallets.Clients = []oid4vci.Client{{ID: walletID, RedirectURIs: []string{"https://w.example/cb"}}}
	})
	o := w.codeOffer(t)
	for _, bad := range []string{
		"https://w.example/cb/", "https://w.example/CB", "https://W.example/cb", "https://w.example/cb?x=1", "https://w.example:443/cb", "https://w.example./cb",
		"https://a.w.example/cb", "https://w.example//cb", "http://w.example/cb", "http://127.0.0.1/cb", "https://w.example/c%62", "https://evil.example/cb",
	} {
		r := pushRequest(t, o)
		r.RedirectURI = bad
		_, err := w.Push(t.Context(), r)
		wantCode(t, bad, err, oid4vci.CodeInvalidRequest)
	}
	r := pushRequest(t, o)
	r.ClientID = "stranger.example"
	_, err := w.Push(t.Context(), r)
	wantCode(t, "a client that is not registered", err, oid4vci.CodeInvalidClient)
	r = pushRequest(t, o)
	r.RedirectURI = "https://w.example/cb"
	if _, err := w.Push(t.Context(), r); err != nil {
		t.Errorf("the registered address: %v", err)
	}
}

func TestAuthorizationRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	pushed, err := w.Push(t.Context(), pushRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][3]string{
		"other client": {"acme", pushed.RequestURI, "evil.example"}, "other tenant": {"other", pushed.RequestURI, walletID},
		"changed": {"acme", flip(pushed.RequestURI), walletID}, "cut": {"acme", pushed.RequestURI[:60], walletID},
		"without prefix": {"acme", strings.TrimPrefix(pushed.RequestURI, "urn:"), walletID}, "empty": {"acme", "", walletID},
	} {
		if _, err := w.Authorization(t.Context(), in[0], in[1], in[2]); !errors.Is(err, oid4vci.ErrNotFound) {
			t.Errorf("%s: page %v", name, err)
		}
		if _, err := w.Approve(t.Context(), in[0], in[1], in[2], o.TxCode); !errors.Is(err, oid4vci.ErrNotFound) {
			t.Errorf("%s: approve %v", name, err)
		}
		if _, err := w.Deny(t.Context(), in[0], in[1], in[2]); !errors.Is(err, oid4vci.ErrNotFound) {
			t.Errorf("%s: deny %v", name, err)
		}
	}
	d, err := w.Deny(t.Context(), "acme", pushed.RequestURI, walletID)
	if got := answer(t, d.RedirectTo); err != nil || got.Get("error") != oid4vci.CodeAccessDenied || got.Get("iss") != issuerID || got.Get("code") != "" {
		t.Errorf("denied: %v, %v", d, err)
	}
	if _, err := w.Approve(t.Context(), "acme", pushed.RequestURI, walletID, o.TxCode); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("approved after a denial: %v", err)
	}
	late, err := w.Push(t.Context(), pushRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(5 * time.Minute)
	if _, err := w.Approve(t.Context(), "acme", late.RequestURI, walletID, o.TxCode); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("approved after its end: %v", err)
	}
}

func TestSEC_104_SignInCannotBeTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	pushed, err := w.Push(t.Context(), pushRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		if d, err := w.Approve(t.Context(), "acme", pushed.RequestURI, walletID, wrongTx(o.TxCode)); err != nil || !d.Wrong {
			t.Fatalf("try %d: %+v, %v", n, d, err)
		}
	}
	// Tries at the token endpoint and on the page count together.
	bad := tokenRequest(t, o)
	bad.TxCode = wrongTx(o.TxCode)
	_, err = w.Token(t.Context(), bad)
	wantCode(t, "fifth", err, oid4vci.CodeInvalidGrant)
	if _, err := w.Approve(t.Context(), "acme", pushed.RequestURI, walletID, o.TxCode); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("the right code after five wrong: %v", err)
	}
	second := w.codeOffer(t)
	pushed, err = w.Push(t.Context(), pushRequest(t, second))
	if err != nil {
		t.Fatal(err)
	}
	var last oid4vci.Decision
	for range 5 {
		if last, err = w.Approve(t.Context(), "acme", pushed.RequestURI, walletID, wrongTx(second.TxCode)); err != nil {
			t.Fatal(err)
		}
	}
	if got := answer(t, last.RedirectTo); got.Get("error") != oid4vci.CodeAccessDenied {
		t.Errorf("after the last try %v", got)
	}
	if s, err := w.OfferStatus(t.Context(), "acme", second.ID); err != nil || s.State != oid4vci.StateLocked {
		t.Errorf("state %s, %v", s.State, err)
	}
	if !w.audited(oid4vci.EventOfferLocked) {
		t.Error("no alarm in the audit trail")
	}
}

func TestSEC_115_117_CodeRedeemedWrongly(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(r *oid4vci.TokenRequest)
		code   string
		voids  bool
	}{
		"SEC-115 without verifier":    {func(r *oid4vci.TokenRequest) { r.CodeVerifier = "" }, oid4vci.CodeInvalidRequest, false},
		"SEC-115 wrong verifier":      {func(r *oid4vci.TokenRequest) { r.CodeVerifier = flip(verifier) }, oid4vci.CodeInvalidGrant, true},
		"SEC-115 challenge as secret": {func(r *oid4vci.TokenRequest) { r.CodeVerifier = challenge(verifier) }, oid4vci.CodeInvalidGrant, true},
		"SEC-117 other client":        {func(r *oid4vci.TokenRequest) { r.ClientID = "evil.example" }, oid4vci.CodeInvalidGrant, true},
		"no client":                   {func(r *oid4vci.TokenRequest) { r.ClientID = "" }, oid4vci.CodeInvalidRequest, false},
		"other redirect_uri":          {func(r *oid4vci.TokenRequest) { r.RedirectURI = callback + "1" }, oid4vci.CodeInvalidGrant, true},
		"no redirect_uri":             {func(r *oid4vci.TokenRequest) { r.RedirectURI = "" }, oid4vci.CodeInvalidRequest, false},
		"other tenant":                {func(r *oid4vci.TokenRequest) { r.Tenant = "other" }, oid4vci.CodeInvalidGrant, false},
		"changed code":                {func(r *oid4vci.TokenRequest) { r.Code = flip(r.Code) }, oid4vci.CodeInvalidGrant, false},
		"no code":                     {func(r *oid4vci.TokenRequest) { r.Code = "" }, oid4vci.CodeInvalidRequest, false},
		"with tx_code":                {func(r *oid4vci.TokenRequest) { r.TxCode, r.HasTxCode = "123456", true }, oid4vci.CodeInvalidRequest, false},
		"as pre-authorised":           {func(r *oid4vci.TokenRequest) { r.GrantType, r.PreAuthorizedCode = oid4vci.GrantPreAuthorized, r.Code }, oid4vci.CodeInvalidGrant, false},
		"as refresh token":            {func(r *oid4vci.TokenRequest) { r.GrantType, r.RefreshToken = oid4vci.GrantRefreshToken, r.Code }, oid4vci.CodeInvalidGrant, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			o := w.codeOffer(t)
			right := codeRequest(w.authorize(t, o, pushRequest(t, o)))
			bad := right
			tc.change(&bad)
			_, err := w.Token(t.Context(), bad)
			wantCode(t, name, err, tc.code)
			_, err = w.Token(t.Context(), right)
			if tc.voids {
				wantCode(t, "the right request for a void code", err, oid4vci.CodeInvalidGrant)
			} else if err != nil {
				t.Errorf("the right request afterwards: %v", err)
			}
			if w.audited(oid4vci.EventCodeStolen) != tc.voids {
				t.Errorf("audited: %v, want %v", w.audited(oid4vci.EventCodeStolen), tc.voids)
			}
		})
	}
}

func TestSEC_118_CodeUsedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	r := codeRequest(w.authorize(t, o, pushRequest(t, o)))
	tok, err := w.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Token(t.Context(), r)
	wantCode(t, "second use", err, oid4vci.CodeInvalidGrant)
	_, err = w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t))))
	wantCode(t, "token of the first", err, oid4vci.CodeInvalidToken)
	_, err = w.Token(t.Context(), oid4vci.TokenRequest{Tenant: "acme", GrantType: oid4vci.GrantRefreshToken, RefreshToken: tok.RefreshToken, ClientID: walletID})
	wantCode(t, "refresh token of the first", err, oid4vci.CodeInvalidGrant)
	if !w.audited(oid4vci.EventCodeReused) {
		t.Error("no alarm in the audit trail")
	}
	late := w.codeOffer(t)
	old := codeRequest(w.authorize(t, late, pushRequest(t, late)))
	w.clock.Advance(60 * time.Second)
	_, err = w.Token(t.Context(), old)
	wantCode(t, "a code after its minute", err, oid4vci.CodeInvalidGrant)
}

func TestSEC_103_RaceForOneAuthorizationCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	r := codeRequest(w.authorize(t, o, pushRequest(t, o)))
	var good atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := w.Token(t.Context(), r); err == nil {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 {
		t.Errorf("%d tokens for one code", good.Load())
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	tok, err := w.Token(t.Context(), codeRequest(w.authorize(t, o, pushRequest(t, o))))
	if err != nil {
		t.Fatal(err)
	}
	refresh := func(token string, change ...func(r *oid4vci.TokenRequest)) (oid4vci.TokenResponse, error) {
		r := oid4vci.TokenRequest{Tenant: "acme", GrantType: oid4vci.GrantRefreshToken, RefreshToken: token, ClientID: walletID}
		for _, f := range change {
			f(&r)
		}
		return w.Token(t.Context(), r)
	}
	w.clock.Advance(6 * time.Minute)
	_, err = w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t))))
	wantCode(t, "SEC-113: a bearer token after six minutes", err, oid4vci.CodeInvalidToken)
	_, err = refresh(tok.RefreshToken, func(r *oid4vci.TokenRequest) { r.ClientID = "evil.example" })
	wantCode(t, "SEC-117: another client", err, oid4vci.CodeInvalidGrant)
	_, err = refresh(flip(tok.RefreshToken))
	wantCode(t, "changed", err, oid4vci.CodeInvalidGrant)
	_, err = refresh(tok.AccessToken)
	wantCode(t, "the access token", err, oid4vci.CodeInvalidGrant)
	_, err = refresh("")
	wantCode(t, "none", err, oid4vci.CodeInvalidRequest)
	_, err = refresh(tok.RefreshToken, func(r *oid4vci.TokenRequest) {
		r.AuthorizationDetails = `[{"type":"openid_credential","credential_configuration_id":"dei-social_skills"}]`
	})
	wantCode(t, "SEC-119: more than was granted", err, oid4vci.CodeInvalidDetails)
	w.set(func(w *world) { w.ready = issuer.ErrNoConsent })
	_, err = refresh(tok.RefreshToken)
	wantCode(t, "SEC-124: consent withdrawn", err, oid4vci.CodeInvalidGrant)
	w.set(func(w *world) { w.ready = nil })
	next, err := refresh(tok.RefreshToken)
	if err != nil || next.RefreshToken == "" || next.RefreshToken == tok.RefreshToken || next.AccessToken == tok.AccessToken {
		t.Fatalf("refreshed %+v, %v", next, err)
	}
	if _, err := w.Credential(t.Context(), "acme", bearer(next.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t)))); err != nil {
		t.Errorf("with the new token: %v", err)
	}
	_, err = refresh(tok.RefreshToken)
	wantCode(t, "a spent refresh token", err, oid4vci.CodeInvalidGrant)
	_, err = refresh(next.RefreshToken)
	wantCode(t, "its successor, after the spent one came again", err, oid4vci.CodeInvalidGrant)
	if !w.audited(oid4vci.EventRefreshReused) {
		t.Error("no alarm in the audit trail")
	}
}

func TestScopesAndDetails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	both := func(r *oid4vci.OfferRequest) { r.Configurations = []string{config, "dei-social_skills"} }
	for name, tc := range map[string]struct {
		scope, details string
		want           []string
	}{
		"none": {"", "", []string{config, "dei-social_skills"}}, "scope": {"openid dei-social_skills x", "", []string{"dei-social_skills"}},
		"details": {"", `[{"type":"openid_credential","credential_configuration_id":"dei-social_skills","locations":["` + issuerID + `"]}]`, []string{"dei-social_skills"}},
	} {
		o := w.codeOffer(t, both)
		r := pushRequest(t, o)
		r.Scope, r.AuthorizationDetails = tc.scope, tc.details
		tok, err := w.Token(t.Context(), codeRequest(w.authorize(t, o, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if (tc.details != "") != (len(tok.AuthorizationDetails) == 1) {
			t.Errorf("%s: details %+v", name, tok.AuthorizationDetails)
		}
		for _, c := range []string{config, "dei-social_skills"} {
			r := request(w.proof(t, newHolder(t), w.nonce(t)))
			if r.CredentialConfigurationID = c; tc.details != "" {
				r.CredentialConfigurationID, r.CredentialIdentifier = "", c+"-1"
			}
			_, err := w.Credential(t.Context(), "acme", bearer(tok.AccessToken), r)
			if wanted := len(tc.want) == 2 || tc.want[0] == c; (err == nil) != wanted {
				t.Errorf("%s: SEC-119 %s: %v, want it given: %v", name, c, err, wanted)
			}
		}
	}
}

func TestPushedRequestsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	var all []string
	for range 6 {
		pushed, err := w.Push(t.Context(), pushRequest(t, o))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pushed.RequestURI)
	}
	for n, address := range all {
		if _, err := w.Authorization(t.Context(), "acme", address, walletID); (err == nil) != (n >= 2) {
			t.Errorf("request %d: %v", n, err)
		}
	}
}

// provider stands for the external login.
type provider struct {
	subject string
	asked   oid4vci.LoginRequest
}

func (p *provider) URL(_ context.Context, r oid4vci.LoginRequest) (string, error) {
	p.asked = r
	return "https://idp.example/?state=" + r.State, nil
}

func (p *provider) Subject(_ context.Context, code string, r oid4vci.LoginRequest) (string, error) {
	if code == "down" {
		return "", errors.New("connection failed")
	}
	if code != "good" || r != p.asked {
		return "", oid4vci.ErrLogin
	}
	return p.subject, nil
}

func TestExternalLogin(t *testing.T) {
	t.Parallel()
	idp := &provider{subject: "alice"}
	w := newWorld(t, func(c *oid4vci.Config) { c.Login = idp })
	o := w.codeOffer(t, func(r *oid4vci.OfferRequest) {
		r.Account, r.Grants = "alice", []string{oid4vci.GrantAuthorizationCode}
	})
	if o.TxCode != "" {
		t.Error("a transaction code that opens nothing")
	}
	if strings.Contains(w.store.dump(t), "alice") {
		t.Error("the store names the account")
	}
	pushed, err := w.Push(t.Context(), pushRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	if page, err := w.Authorization(t.Context(), "acme", pushed.RequestURI, walletID); err != nil || !page.Login {
		t.Fatalf("page %+v, %v", page, err)
	}
	if _, err := w.Approve(t.Context(), "acme", pushed.RequestURI, walletID, ""); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("without signing in: %v", err)
	}
	start, err := w.BeginLogin(t.Context(), "acme", pushed.RequestURI, walletID)
	if err != nil || idp.asked.Nonce == "" || idp.asked.Verifier == "" || idp.asked.Nonce == idp.asked.Verifier {
		t.Fatalf("BeginLogin = %+v, %v, asked %+v", start, err, idp.asked)
	}
	state := idp.asked.State
	for name, in := range map[string][3]string{
		"other browser": {state, flip(start.Cookie), "good"}, "no cookie": {state, "", "good"}, "other state": {flip(state), start.Cookie, "good"},
	} {
		if _, err := w.FinishLogin(t.Context(), in[0], in[1], in[2]); !errors.Is(err, oid4vci.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, code := range []string{"", "bad"} {
		if _, err := w.FinishLogin(t.Context(), state, start.Cookie, code); !errors.Is(err, oid4vci.ErrLogin) {
			t.Errorf("provider's code %q: %v", code, err)
		}
	}
	if _, err := w.FinishLogin(t.Context(), state, start.Cookie, "down"); !errors.Is(err, oid4vci.ErrLoginAway) || errors.Is(err, oid4vci.ErrLogin) {
		t.Errorf("provider that does not answer: %v", err)
	}
	idp.subject = "mallory"
	if d, err := w.FinishLogin(t.Context(), state, start.Cookie, "good"); err != nil || !d.Wrong {
		t.Errorf("another account: %+v, %v", d, err)
	}
	idp.subject = "alice"
	d, err := w.FinishLogin(t.Context(), state, start.Cookie, "good")
	if err != nil || d.Wrong {
		t.Fatalf("FinishLogin = %+v, %v", d, err)
	}
	if _, err := w.Token(t.Context(), codeRequest(answer(t, d.RedirectTo).Get("code"))); err != nil {
		t.Errorf("token: %v", err)
	}
	if _, err := w.FinishLogin(t.Context(), state, start.Cookie, "good"); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	none := newWorld(t, nil)
	_, err = none.CreateOffer(t.Context(), oid4vci.OfferRequest{
		Tenant: "acme", Configurations: []string{config}, ReportID: "r", Grants: []string{oid4vci.GrantAuthorizationCode}, Account: "alice",
	})
	wantCode(t, "an account without a provider", err, oid4vci.CodeInvalidRequest)
}

func TestOfferCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.codeOffer(t)
	ref := o.Address[strings.LastIndex(o.Address, "/")+1:]
	card, err := w.OfferCard(t.Context(), "acme", ref)
	if err != nil || card.URI != o.URI || !card.NeedsCode || !maps.Equal(card.Issuer, map[string]string{"en": "Acme", "zh": "阿克米"}) {
		t.Errorf("card %+v, %v", card, err)
	}
	if s, err := w.OfferStatus(t.Context(), "acme", o.ID); err != nil || s.State != oid4vci.StateCreated {
		t.Errorf("looking at it left the state %s, %v", s.State, err)
	}
	for name, in := range map[string][2]string{"other tenant": {"other", ref}, "changed": {"acme", flip(ref)}, "id alone": {"acme", o.ID}} {
		if _, err := w.OfferCard(t.Context(), in[0], in[1]); !errors.Is(err, oid4vci.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
