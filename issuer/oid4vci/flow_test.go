package oid4vci_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
)

func TestWholeFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.offer(t)

	u, err := url.Parse(o.URI)
	if err != nil || u.Scheme != "openid-credential-offer" {
		t.Fatalf("URI %s: %v", o.URI, err)
	}
	address := u.Query().Get("credential_offer_uri")
	ref, ok := strings.CutPrefix(address, issuerID+"/offers/")
	if !ok || address != o.Address {
		t.Fatalf("offer address %q", address)
	}
	for range 2 {
		data, err := w.OfferByRef(ctx, "acme", ref)
		if err != nil {
			t.Fatal(err)
		}
		if string(data) != string(o.JSON) {
			t.Errorf("offer by reference %s, want %s", data, o.JSON)
		}
	}
	v, err := url.Parse(o.ValueURI)
	if err != nil || v.Query().Get("credential_offer") != string(o.JSON) {
		t.Errorf("offer by value: %s, %v", o.ValueURI, err)
	}

	tok, err := w.Token(ctx, tokenRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	if tok.TokenType != "Bearer" || tok.ExpiresIn > 300 || tok.ExpiresIn <= 0 || tok.AuthorizationDetails != nil {
		t.Errorf("token response %+v", tok)
	}
	h := newHolder(t)
	resp, err := w.Credential(ctx, "acme", bearer(tok.AccessToken), request(w.proof(t, h, w.nonce(t))))
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Credentials) != 1 || !strings.Contains(string(resp.Credentials[0].Credential), h.did) {
		t.Errorf("credential response %+v", resp)
	}
	for range 2 {
		if err := w.Notify(ctx, "acme", bearer(tok.AccessToken), oid4vci.Notification{ID: resp.NotificationID, Event: oid4vci.EventAccepted}); err != nil {
			t.Errorf("Notify = %v", err)
		}
	}
	status, err := w.OfferStatus(ctx, "acme", o.ID)
	if err != nil || status.State != oid4vci.StateRedeemed || len(status.Credentials) != 1 || status.Event != oid4vci.EventAccepted {
		t.Errorf("status %+v, %v", status, err)
	}
	if _, err := w.OfferByRef(ctx, "acme", ref); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("a redeemed offer is still readable: %v", err)
	}
}

func TestStoreHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.offer(t)
	tok, err := w.Token(t.Context(), tokenRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	dump := w.store.dump(t)
	for what, secret := range map[string]string{
		"code": code(t, o.JSON), "address": o.Address, "token": tok.AccessToken, "transaction code": `"` + o.TxCode + `"`,
	} {
		_, half, ok := strings.Cut(secret, ".")
		if strings.Contains(dump, secret) || ok && what != "address" && strings.Contains(dump, half) {
			t.Errorf("the store holds the %s", what)
		}
	}
	if strings.Contains(string(o.JSON), "report-of-nobody-17") || strings.Contains(o.URI, "report-of-nobody-17") {
		t.Error("the offer names the report")
	}
}

func TestSEC_124_MidFlowChanges(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{issuer.ErrNoConsent, issuer.ErrNotFound, issuer.ErrNotAuthorised, issuer.ErrNothingToIssue} {
		w := newWorld(t, nil)
		r := tokenRequest(t, w.offer(t))
		w.set(func(w *world) { w.ready = cause })
		_, err := w.Token(t.Context(), r)
		wantCode(t, "token", err, oid4vci.CodeInvalidGrant)
		w.set(func(w *world) { w.ready = nil })
		tok, err := w.Token(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		w.set(func(w *world) { w.ready = cause })
		_, err = w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t))))
		wantCode(t, "credential", err, oid4vci.CodeDenied)
		if w.count() != 0 {
			t.Error("something was issued")
		}
	}
}

func TestStoreFailureIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	r := tokenRequest(t, w.offer(t))
	broken := errors.New("disk full")
	w.store.mu.Lock()
	w.store.fail = broken
	w.store.mu.Unlock()
	_, err := w.Token(t.Context(), r)
	if _, isAnswer := errors.AsType[*oid4vci.Error](err); isAnswer || !errors.Is(err, broken) {
		t.Errorf("Token = %v, want the store's error", err)
	}
	bad := r
	bad.TxCode = wrongTx(r.TxCode)
	if _, err := w.Token(t.Context(), bad); err == nil {
		t.Error("an uncounted try was answered")
	}
	w.store.mu.Lock()
	w.store.fail = nil
	w.store.mu.Unlock()
	if _, err := w.Token(t.Context(), r); err != nil {
		t.Errorf("after recovery: %v", err)
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	tok := w.token(t)
	if _, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, newHolder(t), w.nonce(t)))); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Purge(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("purged %d, %v while alive", n, err)
	}
	w.clock.Advance(26 * time.Hour)
	if n, err := w.Purge(t.Context(), 10); n != 2 || err != nil {
		t.Errorf("purged %d, %v, want the offer and the nonce", n, err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	good := oid4vci.Config{
		Origin: origin, Store: w.store, Now: w.clock.Now, Issue: w.doIssue,
		Tenant: func(context.Context, string) (oid4vci.Tenant, error) { return oid4vci.Tenant{}, nil },
	}
	if _, err := oid4vci.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(c *oid4vci.Config){
		"origin":      func(c *oid4vci.Config) { c.Origin = "hm.example" },
		"origin path": func(c *oid4vci.Config) { c.Origin = origin + "/" },
		"store":       func(c *oid4vci.Config) { c.Store = nil },
		"clock":       func(c *oid4vci.Config) { c.Now = nil },
		"issue":       func(c *oid4vci.Config) { c.Issue = nil },
		"tenant":      func(c *oid4vci.Config) { c.Tenant = nil },
		"offer life":  func(c *oid4vci.Config) { c.OfferLife = 11 * time.Minute },
		"token life":  func(c *oid4vci.Config) { c.TokenLife = 6 * time.Minute },
		"nonce life":  func(c *oid4vci.Config) { c.NonceLife = -time.Second },
		"batch":       func(c *oid4vci.Config) { c.Batch = 21 },
		"nonce key":   func(c *oid4vci.Config) { c.NonceKey = make([]byte, 16) },
	} {
		c := good
		change(&c)
		if _, err := oid4vci.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
