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

// held goes to the answer of a credential that is held back.
func (w *world) held(t *testing.T) (o oid4vci.Offer, tok oid4vci.TokenResponse, transaction string) {
	t.Helper()
	o = w.codeOffer(t, func(r *oid4vci.OfferRequest) { r.Hold = true })
	tok, err := w.Token(t.Context(), tokenRequest(t, o))
	if err != nil || tok.RefreshToken == "" {
		t.Fatalf("token %+v, %v; want a refresh token where the wallet must wait", tok, err)
	}
	resp, err := w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t))))
	status, _, _, encoded := resp.Encode()
	if err != nil || encoded != nil || status != 202 || resp.TransactionID == "" || resp.Interval != 30 || len(resp.Credentials) != 0 {
		t.Fatalf("answer %+v, %v", resp, err)
	}
	return o, tok, resp.TransactionID
}

func (w *world) deferred(t *testing.T, token, transaction string) (oid4vci.CredentialResponse, error) {
	t.Helper()
	return w.Deferred(t.Context(), "acme", bearer(token), oid4vci.DeferredRequest{TransactionID: transaction})
}

func TestDeferredRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o, tok, transaction := w.held(t)
	for range 2 {
		if resp, err := w.deferred(t, tok.AccessToken, transaction); err != nil || resp.TransactionID != transaction || resp.Interval == 0 {
			t.Fatalf("while held: %+v, %v", resp, err)
		}
	}
	if s, err := w.OfferStatus(t.Context(), "acme", o.ID); err != nil || s.Release != oid4vci.ReleaseHeld || !s.Waiting {
		t.Errorf("status %+v, %v", s, err)
	}
	if w.calls != 0 {
		t.Fatal("the issuer was asked for a credential that is held back")
	}
	if err := w.Release(t.Context(), "other", o.ID); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("SEC-156: released by another tenant: %v", err)
	}
	for range 2 {
		if err := w.Release(t.Context(), "acme", o.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Refuse(t.Context(), "acme", o.ID, "x"); !errors.Is(err, oid4vci.ErrDecided) {
		t.Errorf("refused after the release: %v", err)
	}
	// The wallet comes back days later.
	w.clock.Advance(10 * 24 * time.Hour)
	_, err := w.deferred(t, tok.AccessToken, transaction)
	wantCode(t, "with the old token", err, oid4vci.CodeInvalidToken)
	next, err := w.Token(t.Context(), oid4vci.TokenRequest{Tenant: "acme", GrantType: oid4vci.GrantRefreshToken, RefreshToken: tok.RefreshToken})
	if err != nil {
		t.Fatal(err)
	}
	var good atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			resp, err := w.deferred(t, next.AccessToken, transaction)
			if err == nil && len(resp.Credentials) == 1 && resp.NotificationID == "" {
				good.Add(1)
			} else {
				wantCode(t, "at once", err, oid4vci.CodeInvalidTransaction)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 || w.count() != 1 {
		t.Errorf("%d answers and %d credentials, want 1 and 1", good.Load(), w.count())
	}
	_, err = w.deferred(t, next.AccessToken, transaction)
	wantCode(t, "used transaction", err, oid4vci.CodeInvalidTransaction)
	if n, err := w.Purge(t.Context(), 10); err != nil || n > 1 {
		t.Errorf("purged %d, %v", n, err)
	}
	if _, err := w.OfferStatus(t.Context(), "acme", o.ID); err != nil {
		t.Errorf("the offer was purged while its refresh token lives: %v", err)
	}
}

func TestDeferredRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o, tok, transaction := w.held(t)
	_, other, foreign := w.held(t)
	for name, in := range map[string][2]string{
		"made up": {tok.AccessToken, "x"}, "changed": {tok.AccessToken, flip(transaction)}, "of another token": {tok.AccessToken, foreign},
		"the token itself": {tok.AccessToken, tok.AccessToken}, "another's token": {other.AccessToken, transaction},
	} {
		_, err := w.deferred(t, in[0], in[1])
		wantCode(t, name, err, oid4vci.CodeInvalidTransaction)
	}
	_, err := w.deferred(t, "", transaction)
	wantCode(t, "without token", err, oid4vci.CodeInvalidToken)
	if err := w.Refuse(t.Context(), "acme", o.ID, "the levels rest on one conversation"); err != nil {
		t.Fatal(err)
	}
	_, err = w.deferred(t, tok.AccessToken, transaction)
	wantCode(t, "after the refusal", err, oid4vci.CodeDenied)
	_, err = w.deferred(t, tok.AccessToken, transaction)
	wantCode(t, "again", err, oid4vci.CodeInvalidTransaction)
	_, err = w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t))))
	wantCode(t, "a new request after the refusal", err, oid4vci.CodeDenied)
	_, err = w.Token(t.Context(), oid4vci.TokenRequest{Tenant: "acme", GrantType: oid4vci.GrantRefreshToken, RefreshToken: tok.RefreshToken})
	wantCode(t, "refresh after the refusal", err, oid4vci.CodeInvalidGrant)
	if w.calls != 0 || !w.audited(oid4vci.EventOfferRefused) {
		t.Error("the issuer was asked, or the refusal is not in the audit trail")
	}
	if err := w.Release(t.Context(), "acme", w.offer(t).ID); !errors.Is(err, oid4vci.ErrDecided) {
		t.Errorf("releasing what was never held back: %v", err)
	}
}

// A review that is still to come looks to a wallet like a credential that is held back.
func TestReviewDefers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.set(func(w *world) { w.ready = issuer.ErrReviewNeeded })
	tok := w.token(t)
	h := newHolder(t)
	first, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, w.nonce(t))))
	if err != nil || first.TransactionID == "" {
		t.Fatalf("answer %+v, %v", first, err)
	}
	second, err := w.Credential(t.Context(), "acme", bearer(tok), request(w.proof(t, h, w.nonce(t))))
	if err != nil || second.TransactionID == first.TransactionID {
		t.Fatalf("asked again: %+v, %v", second, err)
	}
	_, err = w.deferred(t, tok, first.TransactionID)
	wantCode(t, "the transaction that was replaced", err, oid4vci.CodeInvalidTransaction)
	w.set(func(w *world) { w.ready, w.issue = nil, issuer.ErrReviewNeeded })
	if resp, err := w.deferred(t, tok, second.TransactionID); err != nil || resp.TransactionID != second.TransactionID {
		t.Errorf("before the review: %+v, %v", resp, err)
	}
	w.set(func(w *world) { w.issue = issuer.ErrNoConsent })
	_, err = w.deferred(t, tok, second.TransactionID)
	wantCode(t, "SEC-124: consent withdrawn meanwhile", err, oid4vci.CodeDenied)
	w.set(func(w *world) { w.issue = nil })
	if resp, err := w.deferred(t, tok, second.TransactionID); err != nil || len(resp.Credentials) != 1 {
		t.Errorf("after the review: %+v, %v", resp, err)
	}
}

// A review may take days: who has a pre-authorised code gets a refresh token for it as where the credential is held back.
func TestReviewOutlivesTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.set(func(w *world) { w.ready = issuer.ErrReviewNeeded })
	tok, err := w.Token(t.Context(), tokenRequest(t, w.offer(t)))
	if err != nil || tok.RefreshToken == "" {
		t.Fatalf("token %+v, %v; want a refresh token", tok, err)
	}
	first, err := w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t))))
	if err != nil || first.TransactionID == "" {
		t.Fatalf("answer %+v, %v", first, err)
	}
	w.clock.Advance(10 * 24 * time.Hour)
	w.set(func(w *world) { w.ready = nil })
	next, err := w.Token(t.Context(), oid4vci.TokenRequest{Tenant: "acme", GrantType: oid4vci.GrantRefreshToken, RefreshToken: tok.RefreshToken})
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := w.deferred(t, next.AccessToken, first.TransactionID); err != nil || len(resp.Credentials) != 1 {
		t.Errorf("after the review: %+v, %v", resp, err)
	}
}

// Of an offer for two, one that waits for its review does not keep the other back.
func TestReviewDefersItsOwnConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *oid4vci.Config) {
		c.Ready = func(_ context.Context, _, configuration, _ string) error {
			if configuration == config {
				return nil
			}
			return issuer.ErrReviewNeeded
		}
	})
	o, err := w.CreateOffer(t.Context(), oid4vci.OfferRequest{Tenant: "acme", Configurations: []string{"dei-social_skills", config}, ReportID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	tok, err := w.Token(t.Context(), tokenRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	h := newHolder(t)
	resp, err := w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, h, w.nonce(t))))
	if err != nil || len(resp.Credentials) != 1 {
		t.Errorf("%+v, %v; want the credential", resp, err)
	}
	if strings.Contains(w.store.dump(t), h.did) {
		t.Error("the store names the holder of a credential that was issued")
	}
}

// An act of the issuer's people that cannot be written down does not happen.
func TestNoAuditNoAct(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	fail := false
	w := newWorld(t, func(c *oid4vci.Config) {
		audit := c.Audit
		c.Audit = func(ctx context.Context, e oid4vci.AuditEvent) error {
			if fail {
				return broken
			}
			return audit(ctx, e)
		}
	})
	o, _, _ := w.held(t)
	fail = true
	for name, act := range map[string]func() error{
		"release": func() error { return w.Release(t.Context(), "acme", o.ID) },
		"refuse":  func() error { return w.Refuse(t.Context(), "acme", o.ID, "x") },
		"revoke":  func() error { return w.RevokeOffer(t.Context(), "acme", o.ID) },
		"create": func() error {
			_, err := w.CreateOffer(t.Context(), oid4vci.OfferRequest{Tenant: "acme", Configurations: []string{config}, ReportID: "r"})
			return err
		},
	} {
		if err := act(); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := w.OfferStatus(t.Context(), "acme", o.ID); err != nil || s.Release != oid4vci.ReleaseHeld || s.State != oid4vci.StateRedeemed {
		t.Errorf("status %+v, %v", s, err)
	}
}
