package app_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
)

// take asks for a credential of a configuration with the proof of one key.
func (w wallet) take(t *testing.T, a *app.App, token, configuration string) (oid4vci.CredentialResponse, error) {
	t.Helper()
	nonce, err := a.OID4VCI.Nonce(t.Context(), app.DemoTenant)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(map[string]any{"aud": a.OID4VCI.IssuerID(app.DemoTenant), "iat": time.Now().Unix(), "nonce": nonce})
	if err != nil {
		t.Fatal(err)
	}
	proof, err := jose.Sign(map[string]any{"typ": "openid4vci-proof+jwt", "kid": w.did + "#" + w.did[len("did:key:"):]}, payload, w.key)
	if err != nil {
		t.Fatal(err)
	}
	return a.OID4VCI.Credential(t.Context(), app.DemoTenant, oid4vci.Access{Scheme: "Bearer", Token: token}, oid4vci.CredentialRequest{
		CredentialConfigurationID: configuration, ProofType: oid4vci.ProofJWT, Proofs: []string{proof},
	})
}

// One key takes the forms of a configuration out of one offer as one credential with one id and one status, whichever comes
// first; another key gets a credential of its own, and a form that was given stays with its key.
func TestFormsOfOneOfferAreOneAct(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18129), app.Options{InMemory: true})
	report := seed(t, a, "process", "score", "issue", "automated")
	forms := []string{"dei-profile-all", "dei-profile-all.dc+sd-jwt"}
	for _, tc := range []struct {
		order   []string
		sameKey bool
		want    int
	}{
		{forms, true, 1},
		{[]string{forms[1], forms[0]}, true, 1},
		{forms, false, 2},
		{[]string{forms[1], forms[0]}, false, 2},
	} {
		o, err := a.OID4VCI.CreateOffer(t.Context(), oid4vci.OfferRequest{Tenant: app.DemoTenant, Configurations: forms, ReportID: report})
		if err != nil {
			t.Fatal(err)
		}
		token, err := a.OID4VCI.Token(t.Context(), oid4vci.TokenRequest{
			Tenant: app.DemoTenant, GrantType: oid4vci.GrantPreAuthorized, PreAuthorizedCode: preAuthorized(t, o), TxCode: o.TxCode, HasTxCode: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		first, second := newWallet(t), newWallet(t)
		if tc.sameKey {
			second = first
		}
		for range 2 {
			for n, w := range []wallet{first, second} {
				if resp, err := w.take(t, a, token.AccessToken, tc.order[n]); err != nil || len(resp.Credentials) != 1 {
					t.Fatalf("%v, same key %v: %s: %+v, %v", tc.order, tc.sameKey, tc.order[n], resp, err)
				}
			}
		}
		if _, err := newWallet(t).take(t, a, token.AccessToken, forms[0]); err == nil {
			t.Errorf("%v, same key %v: a further key got the form too", tc.order, tc.sameKey)
		}
		status, err := a.OID4VCI.OfferStatus(t.Context(), app.DemoTenant, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(status.Credentials); got != tc.want {
			t.Errorf("%v, same key %v: %d credentials, want %d", tc.order, tc.sameKey, got, tc.want)
		}
	}
}

func preAuthorized(t *testing.T, o oid4vci.Offer) string {
	t.Helper()
	var offer struct {
		Grants map[string]map[string]any `json:"grants"`
	}
	if err := json.Unmarshal(o.JSON, &offer); err != nil {
		t.Fatal(err)
	}
	code, _ := offer.Grants[oid4vci.GrantPreAuthorized]["pre-authorized_code"].(string)
	return code
}

// An offer is made only where issuing would say yes: without consent to an automated decision it would not.
func TestOfferAsksAsIssuingDoes(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18130), app.Options{InMemory: true})
	report := seed(t, a, "process", "score", "issue")
	_, err := a.OID4VCI.CreateOffer(t.Context(), oid4vci.OfferRequest{Tenant: app.DemoTenant, Configurations: []string{"dei-profile"}, ReportID: report})
	if !errors.Is(err, issuer.ErrNoConsent) {
		t.Errorf("CreateOffer = %v, want ErrNoConsent", err)
	}
}

// The key that signs metadata is there before the first wallet asks: no stranger's request makes keys.
func TestMetadataIsSigned(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18131), app.Options{InMemory: true})
	before, err := a.Keys.List(t.Context(), app.DemoTenant)
	if err != nil || !slices.ContainsFunc(before, func(i keys.Info) bool { return i.Kind == keys.KindMetadata }) {
		t.Fatalf("keys %+v, %v; want one for metadata", before, err)
	}
	compact, err := a.OID4VCI.SignedMetadata(t.Context(), app.DemoTenant)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Parse(compact)
	at := slices.IndexFunc(before, func(i keys.Info) bool { return i.VerificationMethod == token.Header.Kid })
	if err != nil || at < 0 || before[at].Kind != keys.KindMetadata || token.Verify(before[at].Public) != nil {
		t.Errorf("signed metadata %s: %v, key %d", compact, err, at)
	}
}
