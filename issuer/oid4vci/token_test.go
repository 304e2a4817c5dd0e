package oid4vci_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/issuer/oid4vci"
)

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		code   string
		change func(r *oid4vci.TokenRequest)
	}{
		"no grant type":      {oid4vci.CodeInvalidRequest, func(r *oid4vci.TokenRequest) { r.GrantType = "" }},
		"other grant type":   {oid4vci.CodeUnsupportedGrantType, func(r *oid4vci.TokenRequest) { r.GrantType = "password" }},
		"no code":            {oid4vci.CodeInvalidRequest, func(r *oid4vci.TokenRequest) { r.PreAuthorizedCode = "" }},
		"malformed code":     {oid4vci.CodeInvalidGrant, func(r *oid4vci.TokenRequest) { r.PreAuthorizedCode = "x" }},
		"code cut":           {oid4vci.CodeInvalidGrant, func(r *oid4vci.TokenRequest) { r.PreAuthorizedCode = r.PreAuthorizedCode[:40] }},
		"code changed":       {oid4vci.CodeInvalidGrant, func(r *oid4vci.TokenRequest) { r.PreAuthorizedCode = flip(r.PreAuthorizedCode) }},
		"other tenant":       {oid4vci.CodeInvalidGrant, func(r *oid4vci.TokenRequest) { r.Tenant = "other" }},
		"no tx_code":         {oid4vci.CodeInvalidRequest, func(r *oid4vci.TokenRequest) { r.TxCode, r.HasTxCode = "", false }},
		"empty tx_code":      {oid4vci.CodeInvalidRequest, func(r *oid4vci.TokenRequest) { r.TxCode = "" }},
		"long tx_code":       {oid4vci.CodeInvalidRequest, func(r *oid4vci.TokenRequest) { r.TxCode = strings.Repeat("1", 65) }},
		"wrong tx_code":      {oid4vci.CodeInvalidGrant, func(r *oid4vci.TokenRequest) { r.TxCode = wrongTx(r.TxCode) }},
		"tx_code with space": {oid4vci.CodeInvalidGrant, func(r *oid4vci.TokenRequest) { r.TxCode += " " }},
		"tx_code as prefix":  {oid4vci.CodeInvalidGrant, func(r *oid4vci.TokenRequest) { r.TxCode = r.TxCode[:5] }},
		"other resource":     {oid4vci.CodeInvalidTarget, func(r *oid4vci.TokenRequest) { r.Resource = []string{issuerID + "/"} }},
		"details no JSON":    {oid4vci.CodeInvalidDetails, func(r *oid4vci.TokenRequest) { r.AuthorizationDetails = "{" }},
		"details empty":      {oid4vci.CodeInvalidDetails, func(r *oid4vci.TokenRequest) { r.AuthorizationDetails = "[]" }},
		"details other type": {oid4vci.CodeInvalidDetails, func(r *oid4vci.TokenRequest) {
			r.AuthorizationDetails = `[{"type":"x","credential_configuration_id":"dei-profile"}]`
		}},
		"details other configuration": {oid4vci.CodeInvalidDetails, func(r *oid4vci.TokenRequest) {
			r.AuthorizationDetails = `[{"type":"openid_credential","credential_configuration_id":"dei-social_skills"}]`
		}},
		"details other location": {oid4vci.CodeInvalidDetails, func(r *oid4vci.TokenRequest) {
			r.AuthorizationDetails = `[{"type":"openid_credential","credential_configuration_id":"dei-profile","locations":["https://x.example"]}]`
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			r := tokenRequest(t, w.offer(t))
			bad := r
			tc.change(&bad)
			_, err := w.Token(t.Context(), bad)
			wantCode(t, name, err, tc.code)
			// None of these burns the offer.
			if _, err := w.Token(t.Context(), r); err != nil {
				t.Errorf("the right request afterwards: %v", err)
			}
		})
	}
}

func flip(s string) string {
	i := len(s) - 5
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}

func wrongTx(right string) string {
	d := byte('0')
	if right[5] == d {
		d = '1'
	}
	return right[:5] + string(d)
}

func TestSEC_102_CodeIsSingleUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := tokenRequest(t, w.offer(t))
	if _, err := w.Token(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	_, err := w.Token(t.Context(), r)
	wantCode(t, "second use", err, oid4vci.CodeInvalidGrant)

	late := tokenRequest(t, w.offer(t))
	w.clock.Advance(10 * time.Minute)
	_, err = w.Token(t.Context(), late)
	wantCode(t, "after the end", err, oid4vci.CodeInvalidGrant)
}

func TestSEC_103_RaceForOneCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := tokenRequest(t, w.offer(t))
	var good, refused atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := w.Token(t.Context(), r)
			if e, ok := errors.AsType[*oid4vci.Error](err); ok && e.Code == oid4vci.CodeInvalidGrant {
				refused.Add(1)
			} else if err == nil {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 || refused.Load() != 49 {
		t.Errorf("%d tokens and %d refusals, want 1 and 49", good.Load(), refused.Load())
	}
}

func TestSEC_104_105_TransactionCodeCannotBeTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.offer(t)
	right := tokenRequest(t, o)
	var wg sync.WaitGroup
	var tokens atomic.Int32
	for i := range 1000 {
		r := right
		if r.TxCode = fmt.Sprintf("%06d", i); r.TxCode == o.TxCode {
			continue
		}
		wg.Go(func() {
			if _, err := w.Token(t.Context(), r); err == nil {
				tokens.Add(1)
			}
		})
	}
	wg.Wait()
	_, err := w.Token(t.Context(), right)
	wantCode(t, "the right code after all these", err, oid4vci.CodeInvalidGrant)
	s, err := w.OfferStatus(t.Context(), "acme", o.ID)
	if err != nil || s.State != oid4vci.StateLocked || s.WrongTries != 5 || tokens.Load() != 0 {
		t.Errorf("state %s after %d tries, %d tokens, %v; want locked after 5", s.State, s.WrongTries, tokens.Load(), err)
	}

	// Four wrong ones leave the offer usable.
	right = tokenRequest(t, w.offer(t))
	for range 4 {
		bad := right
		bad.TxCode = wrongTx(right.TxCode)
		_, err := w.Token(t.Context(), bad)
		wantCode(t, "wrong", err, oid4vci.CodeInvalidGrant)
	}
	if _, err := w.Token(t.Context(), right); err != nil {
		t.Errorf("right after four wrong: %v", err)
	}
}

func TestTokenByIdentifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := tokenRequest(t, w.offer(t))
	r.AuthorizationDetails = `[{"type":"openid_credential","credential_configuration_id":"dei-profile","locations":["` + issuerID + `"]}]`
	r.Resource = []string{issuerID}
	tok, err := w.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(tok.AuthorizationDetails) != 1 || len(tok.AuthorizationDetails[0].CredentialIdentifiers) != 1 {
		t.Fatalf("details %+v", tok.AuthorizationDetails)
	}
	h := newHolder(t)
	ask := func(identifier, configuration string) error {
		_, err := w.Credential(t.Context(), "acme", bearer(tok.AccessToken), oid4vci.CredentialRequest{
			CredentialIdentifier: identifier, CredentialConfigurationID: configuration, ProofType: oid4vci.ProofJWT, Proofs: []string{w.proof(t, h, w.nonce(t))},
		})
		return err
	}
	id := tok.AuthorizationDetails[0].CredentialIdentifiers[0]
	wantCode(t, "configuration in place of identifier", ask("", config), oid4vci.CodeInvalidRequestBody)
	wantCode(t, "both", ask(id, config), oid4vci.CodeInvalidRequestBody)
	wantCode(t, "other identifier", ask("x", ""), oid4vci.CodeUnknownIdentifier)
	if err := ask(id, ""); err != nil {
		t.Errorf("by identifier: %v", err)
	}
}
