package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
)

// preAuthorizedGrant is the grant type of OpenID4VCI 1.0, 4.1.1.
const preAuthorizedGrant = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// wallet is the demo's holder: one Ed25519 key, and the client side of OpenID4VCI 1.0 (pre-authorised code flow).
type wallet struct {
	key    ed25519.PrivateKey
	did    string // did:key of the key
	kid    string // its verification method
	client *http.Client
	now    func() time.Time
}

// walletCredential is what a wallet holds at the end of the flow.
type walletCredential struct {
	Credential     json.RawMessage
	NotificationID string
}

func newWallet(now func() time.Time) (*wallet, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	multibase, err := keys.Multibase(public)
	if err != nil {
		return nil, err
	}
	did := "did:key:" + multibase
	return &wallet{key: private, did: did, kid: did + "#" + multibase, now: now, client: &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// take redeems an offer link with the transaction code that came by another way and returns the credential.
func (w *wallet) take(ctx context.Context, link, txCode string) (walletCredential, error) {
	offer, err := w.offer(ctx, link)
	if err != nil {
		return walletCredential{}, fmt.Errorf("offer: %w", err)
	}
	var issuer struct {
		Issuer       string `json:"credential_issuer"`
		Credential   string `json:"credential_endpoint"`
		Nonce        string `json:"nonce_endpoint"`
		Notification string `json:"notification_endpoint"`
	}
	if err := w.get(ctx, wellKnown(offer.Issuer, "openid-credential-issuer"), &issuer); err != nil {
		return walletCredential{}, fmt.Errorf("issuer metadata: %w", err)
	}
	if issuer.Issuer != offer.Issuer {
		return walletCredential{}, fmt.Errorf("issuer metadata names %q, the offer %q", issuer.Issuer, offer.Issuer)
	}
	var server struct {
		Token string `json:"token_endpoint"`
	}
	if err := w.get(ctx, wellKnown(offer.Issuer, "oauth-authorization-server"), &server); err != nil {
		return walletCredential{}, fmt.Errorf("authorization server metadata: %w", err)
	}
	token, err := w.token(ctx, server.Token, offer.code, txCode)
	if err != nil {
		return walletCredential{}, fmt.Errorf("token: %w", err)
	}
	var nonce struct {
		Value string `json:"c_nonce"`
	}
	if err := w.post(ctx, issuer.Nonce, "", "", nil, &nonce); err != nil {
		return walletCredential{}, fmt.Errorf("nonce: %w", err)
	}
	held, err := w.credential(ctx, issuer.Credential, token, offer, nonce.Value)
	if err != nil {
		return walletCredential{}, fmt.Errorf("credential: %w", err)
	}
	if issuer.Notification != "" && held.NotificationID != "" {
		body, err := json.Marshal(map[string]string{"notification_id": held.NotificationID, "event": "credential_accepted"})
		if err != nil {
			return walletCredential{}, err
		}
		if err := w.post(ctx, issuer.Notification, "application/json", token, body, nil); err != nil {
			return walletCredential{}, fmt.Errorf("notification: %w", err)
		}
	}
	return held, nil
}

type walletOffer struct {
	Issuer         string   `json:"credential_issuer"`
	Configurations []string `json:"credential_configuration_ids"`
	Grants         map[string]struct {
		Code string `json:"pre-authorized_code"`
	} `json:"grants"`
	code string
}

// offer reads the offer by value or by reference (OpenID4VCI 1.0, 4.1).
func (w *wallet) offer(ctx context.Context, link string) (walletOffer, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "openid-credential-offer" {
		return walletOffer{}, fmt.Errorf("%q is no offer link", link)
	}
	var o walletOffer
	if inline := u.Query().Get("credential_offer"); inline != "" {
		err = json.Unmarshal([]byte(inline), &o)
	} else {
		err = w.get(ctx, u.Query().Get("credential_offer_uri"), &o)
	}
	if err != nil {
		return walletOffer{}, err
	}
	o.code = o.Grants[preAuthorizedGrant].Code
	if o.code == "" || len(o.Configurations) == 0 {
		return walletOffer{}, errors.New("the offer has no pre-authorised code or names no configuration")
	}
	return o, nil
}

func (w *wallet) token(ctx context.Context, endpoint, code, txCode string) (string, error) {
	form := url.Values{"grant_type": {preAuthorizedGrant}, "pre-authorized_code": {code}, "tx_code": {txCode}}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := w.post(ctx, endpoint, "application/x-www-form-urlencoded", "", []byte(form.Encode()), &answer); err != nil {
		return "", err
	}
	return answer.Token, nil
}

// credential proves the key (OpenID4VCI 1.0, appendix F.1) and asks for one credential.
func (w *wallet) credential(ctx context.Context, endpoint, token string, o walletOffer, nonce string) (walletCredential, error) {
	claims, err := json.Marshal(map[string]any{"aud": o.Issuer, "iat": w.now().Unix(), "nonce": nonce})
	if err != nil {
		return walletCredential{}, err
	}
	proof, err := jose.Sign(map[string]any{"typ": "openid4vci-proof+jwt", "kid": w.kid}, claims, w.key)
	if err != nil {
		return walletCredential{}, err
	}
	body, err := json.Marshal(map[string]any{
		"credential_configuration_id": o.Configurations[0],
		"proofs":                      map[string][]string{"jwt": {proof}},
	})
	if err != nil {
		return walletCredential{}, err
	}
	var answer struct {
		Credentials []struct {
			Credential json.RawMessage `json:"credential"`
		} `json:"credentials"`
		NotificationID string `json:"notification_id"`
	}
	if err := w.post(ctx, endpoint, "application/json", token, body, &answer); err != nil {
		return walletCredential{}, err
	}
	if len(answer.Credentials) != 1 {
		return walletCredential{}, fmt.Errorf("%d credentials in the answer, want 1", len(answer.Credentials))
	}
	return walletCredential{Credential: answer.Credentials[0].Credential, NotificationID: answer.NotificationID}, nil
}

// wellKnown inserts a well-known name between host and path (OpenID4VCI 1.0, 12.2.2; RFC 8414, 3).
func wellKnown(issuer, name string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/.well-known/" + name + strings.TrimSuffix(u.Path, "/")
}

func (w *wallet) get(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return w.do(request, into)
}

func (w *wallet) post(ctx context.Context, address, mediaType, token string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return w.do(request, into)
}

func (w *wallet) do(request *http.Request, into any) error {
	request.Header.Set("Accept", "application/json")
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s answered %d: %s", request.URL.Path, response.StatusCode, bytes.TrimSpace(body))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}
