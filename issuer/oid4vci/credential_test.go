package oid4vci_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
)

func TestNonceFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok := w.token(t)
	h := newHolder(t)
	foreign, err := w.Nonce(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	second := newWorld(t, nil)
	old := w.nonce(t)
	for name, nonce := range map[string]string{
		"made up": "abc", "of another tenant": foreign, "of another installation": second.nonce(t), "changed": flip(old),
		"cut": old[:len(old)-1], "with line break": old[:9] + "\n" + old[9:],
	} {
		_, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, nonce)))
		wantCode(t, name, err, oid4vci.CodeInvalidNonce)
	}
	w.clock.Advance(299 * time.Second)
	if _, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, old))); err != nil {
		t.Errorf("a nonce just before its end: %v", err)
	}
	tok = w.token(t)
	unused := w.nonce(t)
	w.clock.Advance(time.Second)
	tok2 := w.token(t)
	w.clock.Advance(299 * time.Second)
	_, err = w.Credential(t.Context(), "acme", bearer(tok2), request(w.proof(t, h, unused)))
	wantCode(t, "expired nonce", err, oid4vci.CodeInvalidNonce)
	_, err = w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, w.nonce(t))))
	wantCode(t, "expired token", err, oid4vci.CodeInvalidToken)
	if _, err := w.Nonce(t.Context(), "nobody"); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("nonce of an unknown tenant: %v", err)
	}
}

func TestSEC_101_ProofReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok := w.token(t)
	r := request(w.proof(t, newHolder(t), w.nonce(t)))
	var good atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := w.Credential(t.Context(), "acme", bearer(tok), r)
			if err == nil {
				good.Add(1)
				return
			}
			wantCode(t, "replay", err, oid4vci.CodeInvalidNonce)
		})
	}
	wg.Wait()
	if good.Load() != 1 || w.count() != 1 {
		t.Errorf("%d answers and %d credentials, want 1 and 1", good.Load(), w.count())
	}
}

func TestSEC_111_RetryGivesTheSameCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok := w.token(t)
	h := newHolder(t)
	first, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, w.nonce(t))))
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, w.nonce(t))))
	if err != nil || string(again.Credentials[0].Credential) != string(first.Credentials[0].Credential) || again.NotificationID != first.NotificationID {
		t.Errorf("again %+v, %v; want %+v", again, err, first)
	}
	_, err = w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, newHolder(t), w.nonce(t))))
	wantCode(t, "another key", err, oid4vci.CodeDenied)
	if w.count() != 1 {
		t.Errorf("%d credentials, want 1", w.count())
	}
}

// die runs f, which must reach a crash point.
func die(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if _, ok := recover().(crashed); !ok {
			t.Error("the crash point was not reached")
		}
	}()
	f()
}

func TestCrashPoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := tokenRequest(t, w.offer(t))
	w.set(func(w *world) { w.crashAt = "code.after_take" })
	die(t, func() { _, _ = w.Token(context.Background(), r) })
	_, err := w.Token(t.Context(), r)
	wantCode(t, "a code that was taken before the crash", err, oid4vci.CodeInvalidGrant)

	tok, h := w.token(t), newHolder(t)
	lost := request(w.proof(t, h, w.nonce(t)))
	w.set(func(w *world) { w.crashAt = "nonce.after_take" })
	die(t, func() { _, _ = w.Credential(context.Background(), "acme", bearer(tok), lost) })
	_, err = w.Credential(t.Context(), "acme", bearer(tok), lost)
	wantCode(t, "a nonce that was taken before the crash", err, oid4vci.CodeInvalidNonce)
	if _, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, w.nonce(t)))); err != nil {
		t.Errorf("the token after the crash: %v", err)
	}
	if w.count() != 1 {
		t.Errorf("%d credentials, want 1", w.count())
	}
	for _, point := range oid4vci.CrashPoints() {
		if point != "code.after_take" && point != "nonce.after_take" {
			t.Errorf("crash point %s has no test", point)
		}
	}
}

func TestSEC_110_Batch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oid4vci.Config) { c.Batch = 3 })
	tok := w.token(t)
	a, b, c := newHolder(t), p256Holder(t), newHolder(t)
	nonce := w.nonce(t)
	bad := w.proof(t, b, nonce)
	bad = bad[:strings.LastIndex(bad, ".")+1] + flip(bad[strings.LastIndex(bad, ".")+1:])
	_, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, a, nonce), bad, w.proof(t, c, nonce)))
	wantCode(t, "one bad proof", err, oid4vci.CodeInvalidProof)
	_, err = w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, a, nonce), w.proof(t, a, nonce)))
	wantCode(t, "one key twice", err, oid4vci.CodeInvalidProof)
	asJWK := signProof(t, a, map[string]any{"typ": "openid4vci-proof+jwt", "jwk": a.jwk(t)}, w.claims(nonce))
	_, err = w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, a, nonce), asJWK))
	wantCode(t, "one key under two names", err, oid4vci.CodeInvalidProof)
	_, err = w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, a, nonce), w.proof(t, b, w.nonce(t))))
	wantCode(t, "two nonces", err, oid4vci.CodeInvalidProof)
	_, err = w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, a, nonce), w.proof(t, b, nonce), w.proof(t, c, nonce), w.proof(t, newHolder(t), nonce)))
	wantCode(t, "too many", err, oid4vci.CodeInvalidProof)
	if w.count() != 0 || w.calls != 0 {
		t.Fatal("something was issued")
	}
	resp, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, a, nonce), w.proof(t, b, nonce), w.proof(t, c, nonce)))
	if err != nil || len(resp.Credentials) != 3 || w.count() != 3 {
		t.Fatalf("%d credentials, %v, want 3", len(resp.Credentials), err)
	}
	for i, h := range []holder{a, b, c} {
		if !strings.Contains(string(resp.Credentials[i].Credential), h.did) {
			t.Errorf("credential %d is not for the key of proof %d", i, i)
		}
	}
	nonce = w.nonce(t)
	again, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, c, nonce), w.proof(t, a, nonce), w.proof(t, b, nonce)))
	if err != nil || len(again.Credentials) != 3 || w.count() != 3 {
		t.Errorf("in another order: %v, %d credentials in all, want 3", err, w.count())
	}
}

func TestSEC_106_AccessTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.offer(t)
	h := newHolder(t)
	tok, err := w.Token(t.Context(), tokenRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(tenant, token string) error {
		_, err := w.Credential(t.Context(), tenant, bearer(token), request(w.proof(t, h, w.nonce(t))))
		return err
	}
	for name, token := range map[string]string{
		"empty": "", "made up": "abc", "the code": code(t, o.JSON), "the address": o.Address[strings.LastIndex(o.Address, "/")+1:],
		"changed": flip(tok.AccessToken), "a proof": w.proof(t, h, w.nonce(t)), "of an offer not redeemed": w.offer(t).ID + tok.AccessToken[22:],
	} {
		err := ask("acme", token)
		wantCode(t, name, err, oid4vci.CodeInvalidToken)
		if e, ok := errors.AsType[*oid4vci.Error](err); ok && (e.Status != 401 || !strings.HasPrefix(e.Challenge, "Bearer") || (token == "") == strings.Contains(e.Challenge, "error=")) {
			t.Errorf("%s: status %d, challenge %q", name, e.Status, e.Challenge)
		}
	}
	wantCode(t, "another tenant's", ask("other", tok.AccessToken), oid4vci.CodeInvalidToken)
	if err := ask("acme", tok.AccessToken); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

func TestSEC_119_RequestTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok, h := w.token(t), newHolder(t)
	for name, c := range map[string]struct {
		code string
		r    oid4vci.CredentialRequest
	}{
		"nothing":                    {oid4vci.CodeInvalidRequestBody, oid4vci.CredentialRequest{}},
		"both":                       {oid4vci.CodeInvalidRequestBody, oid4vci.CredentialRequest{CredentialIdentifier: "x", CredentialConfigurationID: config}},
		"identifier not given":       {oid4vci.CodeUnknownIdentifier, oid4vci.CredentialRequest{CredentialIdentifier: "dei-profile-1"}},
		"unknown configuration":      {oid4vci.CodeUnknownConfiguration, oid4vci.CredentialRequest{CredentialConfigurationID: "x"}},
		"other configuration":        {oid4vci.CodeDenied, oid4vci.CredentialRequest{CredentialConfigurationID: "dei-social_skills"}},
		"encryption":                 {oid4vci.CodeInvalidEncryption, oid4vci.CredentialRequest{CredentialConfigurationID: config, Encryption: &oid4vci.ResponseEncryption{}, Encrypted: true}},
		"no proof":                   {oid4vci.CodeInvalidProof, oid4vci.CredentialRequest{CredentialConfigurationID: config}},
		"other proof type":           {oid4vci.CodeInvalidProof, oid4vci.CredentialRequest{CredentialConfigurationID: config, ProofType: "di_vp", Presentations: []map[string]any{{}}}},
		"more proofs than are taken": {oid4vci.CodeInvalidProof, request(w.proof(t, h, w.nonce(t)), w.proof(t, newHolder(t), w.nonce(t)))},
	} {
		_, err := w.Credential(t.Context(), "acme", bearer(tok), c.r)
		wantCode(t, name, err, c.code)
	}
	if w.calls != 0 {
		t.Error("the issuer was asked")
	}
}

func TestIssuerErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok, h := w.token(t), newHolder(t)
	ask := func(cause error) error {
		w.set(func(w *world) { w.issue = cause })
		_, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, w.nonce(t))))
		return err
	}
	for _, cause := range []error{issuer.ErrNothingToIssue, issuer.ErrNoConsent, issuer.ErrConflict, issuer.ErrNotAuthorised} {
		wantCode(t, cause.Error(), ask(cause), oid4vci.CodeDenied)
	}
	err := ask(issuer.ErrInProgress)
	if e, ok := errors.AsType[*oid4vci.Error](err); !ok || e.Status != 503 {
		t.Errorf("in progress: %v, want status 503", err)
	}
	broken := errors.New("key store is locked")
	if err := ask(broken); !errors.Is(err, broken) {
		t.Errorf("internal: %v", err)
	} else if _, isAnswer := errors.AsType[*oid4vci.Error](err); isAnswer {
		t.Error("an internal error goes to the wallet")
	}
	if err := ask(nil); err != nil {
		t.Errorf("once the issuer is well: %v", err)
	}
}

func TestClientID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := tokenRequest(t, w.offer(t))
	r.ClientID = "wallet.example"
	tok, err := w.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	h := newHolder(t)
	ask := func(iss any) error {
		claims := w.claims(w.nonce(t))
		if iss != nil {
			claims["iss"] = iss
		}
		_, err := w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(signProof(t, h, map[string]any{"typ": "openid4vci-proof+jwt", "kid": h.kid()}, claims)))
		return err
	}
	wantCode(t, "another client", ask("evil.example"), oid4vci.CodeInvalidProof)
	wantCode(t, "iss a number", ask(7), oid4vci.CodeInvalidProof)
	for _, iss := range []any{"wallet.example", nil} {
		if err := ask(iss); err != nil {
			t.Errorf("iss %v: %v", iss, err)
		}
	}
}

func TestNotifyRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok := w.token(t)
	ask := func(token, id string) error {
		return w.Notify(t.Context(), "acme", bearer(token), oid4vci.Notification{ID: id, Event: oid4vci.EventAccepted})
	}
	wantCode(t, "before any credential", ask(tok, "x"), oid4vci.CodeInvalidNotificationID)
	resp, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, newHolder(t), w.nonce(t))))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "made up", ask(tok, "x"), oid4vci.CodeInvalidNotificationID)
	wantCode(t, "another's token", ask(w.token(t), resp.NotificationID), oid4vci.CodeInvalidNotificationID)
	wantCode(t, "no token", ask("", resp.NotificationID), oid4vci.CodeInvalidToken)
	if err := ask(tok, resp.NotificationID); err != nil {
		t.Errorf("the right one: %v", err)
	}
}
