package oid4vci_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
)

func TestSEC_120_OffersAreUnguessable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	seen := map[string]bool{}
	for range 1000 {
		o := w.offer(t)
		_, secret, _ := strings.Cut(o.Address[strings.LastIndex(o.Address, "/")+1:], ".")
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil || len(raw) < 16 {
			t.Fatalf("secret of %d bytes, %v", len(raw), err)
		}
		if len(o.TxCode) != 6 || strings.Trim(o.TxCode, "0123456789") != "" {
			t.Fatalf("transaction code %q", o.TxCode)
		}
		for _, s := range []string{o.ID, secret, code(t, o.JSON)} {
			if seen[s] {
				t.Fatal("a value came twice")
			}
			seen[s] = true
		}
	}
}

func TestOfferRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	good := oid4vci.OfferRequest{Tenant: "acme", Configurations: []string{config}, ReportID: "report-of-nobody-17", Language: "zh-CN"}
	if _, err := w.CreateOffer(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.Configurations = []string{"x"}
	_, err := w.CreateOffer(t.Context(), bad)
	wantCode(t, "configuration", err, oid4vci.CodeUnknownConfiguration)
	bad = good
	bad.Language = "fr"
	_, err = w.CreateOffer(t.Context(), bad)
	wantCode(t, "language", err, oid4vci.CodeInvalidRequest)
	bad = good
	bad.ReportID = ""
	_, err = w.CreateOffer(t.Context(), bad)
	wantCode(t, "report", err, oid4vci.CodeInvalidRequest)
	bad = good
	bad.Tenant = "nobody"
	if _, err = w.CreateOffer(t.Context(), bad); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("tenant: %v", err)
	}
	w.set(func(w *world) { w.ready = issuer.ErrNoConsent })
	if _, err = w.CreateOffer(t.Context(), good); !errors.Is(err, issuer.ErrNoConsent) {
		t.Errorf("no consent: %v", err)
	}
}

func TestSEC_112_OfferByRefRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.offer(t)
	ref := o.Address[strings.LastIndex(o.Address, "/")+1:]
	other := w.offer(t)
	id, _, _ := strings.Cut(ref, ".")
	_, otherSecret, _ := strings.Cut(other.Address[strings.LastIndex(other.Address, "/")+1:], ".")
	for name, in := range map[string]string{
		"empty": "", "id alone": o.ID, "another's secret": id + "." + otherSecret, "shortened": ref[:len(ref)-1], "longer": ref + "A",
		"path": "../../x", "line break": ref[:10] + "\n" + ref[10:], "the code": code(t, o.JSON), "many dots": strings.Repeat(".", 1<<16),
	} {
		if _, err := w.OfferByRef(t.Context(), "acme", in); !errors.Is(err, oid4vci.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
	if _, err := w.OfferByRef(t.Context(), "other", ref); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("another tenant: %v, want ErrNotFound", err)
	}
	w.clock.Advance(10 * time.Minute)
	if _, err := w.OfferByRef(t.Context(), "acme", ref); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("expired: %v, want ErrNotFound", err)
	}
	if s, err := w.OfferStatus(t.Context(), "acme", o.ID); err != nil || s.State != oid4vci.StateExpired {
		t.Errorf("status %v, %v, want expired", s.State, err)
	}
}

func TestRevokedOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.offer(t)
	if err := w.RevokeOffer(t.Context(), "other", o.ID); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("another tenant revokes: %v", err)
	}
	for range 2 {
		if err := w.RevokeOffer(t.Context(), "acme", o.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Token(t.Context(), tokenRequest(t, o))
	wantCode(t, "revoked offer", err, oid4vci.CodeInvalidGrant)

	o = w.offer(t)
	tok, err := w.Token(t.Context(), tokenRequest(t, o))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeOffer(t.Context(), "acme", o.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.Credential(t.Context(), "acme", bearer(tok.AccessToken), request(w.proof(t, newHolder(t), w.nonce(t))))
	wantCode(t, "token of a revoked offer", err, oid4vci.CodeInvalidToken)
}
