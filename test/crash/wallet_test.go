//go:build crashpoints && unix

package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"heartmark/internal/proof/jose"
)

const grantType = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// flow is one wallet that takes one credential by OpenID4VCI 1.0, as far as it came.
type flow struct {
	holder
	code, txCode string // single use
	token        string // "" until the code was answered
	proof        string // the last key proof sent; its nonce is for single use
	proved       bool   // an answer to the proof came
	id           string // the credential, once acknowledged
}

// taking lets one wallet after the other take a credential.
func (d *driver) taking(ctx context.Context) error {
	for {
		f, err := d.newFlow(ctx)
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.wallets = append(d.wallets, f)
		d.mu.Unlock()
		if err := d.redeem(ctx, f); err != nil {
			return err
		}
		if err := d.prove(ctx, f); err != nil {
			return err
		}
	}
}

// newFlow makes an offer. An offer whose answer was lost ends by itself; nobody has its code.
func (d *driver) newFlow(ctx context.Context) (*flow, error) {
	who, err := newHolder()
	if err != nil {
		return nil, err
	}
	f := &flow{holder: who}
	var answer struct {
		TxCode string `json:"tx_code"`
		Offer  struct {
			Grants map[string]struct {
				Code string `json:"pre-authorized_code"`
			}
		}
	}
	err = d.want(ctx, call{
		method: http.MethodPost, path: "/v1/offers", body: map[string]any{"configuration": "dei-profile", "report": reportID},
	}, http.StatusCreated, &answer)
	f.code, f.txCode = answer.Offer.Grants[grantType].Code, answer.TxCode
	if err == nil && (f.code == "" || f.txCode == "") {
		err = errors.New("the offer has no code or no transaction code")
	}
	return f, err
}

func (d *driver) redeem(ctx context.Context, f *flow) error {
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := d.want(ctx, f.tokenCall(), http.StatusOK, &answer); err != nil {
		return err
	}
	f.token = answer.Token
	return nil
}

func (f *flow) tokenCall() call {
	form := url.Values{"grant_type": {grantType}, "pre-authorized_code": {f.code}, "tx_code": {f.txCode}}
	return call{method: http.MethodPost, path: "/oid4vci/" + tenant + "/token", body: form.Encode(), public: true}
}

// prove asks for the credential under a fresh nonce.
func (d *driver) prove(ctx context.Context, f *flow) error {
	var nonce struct {
		Value string `json:"c_nonce"`
	}
	if err := d.want(ctx, call{method: http.MethodPost, path: "/oid4vci/" + tenant + "/nonce", public: true}, http.StatusOK, &nonce); err != nil {
		return err
	}
	claims, err := json.Marshal(map[string]any{
		"aud": d.s.config.Origin + "/oid4vci/" + tenant, "iat": time.Now().Unix(), "nonce": nonce.Value,
	})
	if err != nil {
		return err
	}
	if f.proof, err = jose.Sign(map[string]any{"typ": "openid4vci-proof+jwt", "kid": f.kid}, claims, f.key); err != nil {
		return err
	}
	f.proved = false
	return d.receive(ctx, f)
}

// receive sends the proof and takes the credential.
func (d *driver) receive(ctx context.Context, f *flow) error {
	status, body, err := d.do(ctx, f.credentialCall())
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("credential request answered %d %s", status, body)
	}
	return d.keep(f, body)
}

// keep reads the answer with the credential.
func (d *driver) keep(f *flow, body []byte) error {
	f.proved = true
	var answer struct {
		Credentials []struct{ Credential json.RawMessage }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if len(answer.Credentials) != 1 {
		return fmt.Errorf("the wallet got %d credentials", len(answer.Credentials))
	}
	h, err := d.acknowledge("", answer.Credentials[0].Credential, nil)
	if err != nil {
		return err
	}
	if f.id != "" && f.id != h.id {
		return fmt.Errorf("the wallet asked again and got credential %s, before it had %s", h.id, f.id)
	}
	f.id = h.id
	return nil
}

func (f *flow) credentialCall() call {
	return call{method: http.MethodPost, path: "/oid4vci/" + tenant + "/credential", token: f.token, body: map[string]any{
		"credential_configuration_id": "dei-profile", "proofs": map[string]any{"jwt": []string{f.proof}},
	}}
}

// refused sends a value again that was used, and wants the OAuth error.
func (d *driver) refused(ctx context.Context, q call, code string) error {
	status, body, err := d.do(ctx, q)
	if err != nil {
		return err
	}
	return refusal(q, status, body, code)
}

func refusal(q call, status int, body []byte, code string) error {
	var answer struct{ Error string }
	if json.Unmarshal(body, &answer) != nil || status != http.StatusBadRequest || answer.Error != code {
		return fmt.Errorf("I4: a used value was sent again to %s: answered %d %.200s, want 400 %s", q.path, status, body, code)
	}
	return nil
}

// checkWallets is I4: a code and a nonce that were used stay used. A wallet whose answer was lost goes on with what it has.
func (d *driver) checkWallets(ctx context.Context, point string) error {
	const older = 3 // of those that are done, as many are asked about again in each round
	done := 0
	for n := len(d.wallets) - 1; n >= 0; n-- {
		f := d.wallets[n]
		if f.id != "" && f.proved {
			if done++; done > older {
				continue
			}
		}
		if err := d.goOn(ctx, f, point); err != nil {
			return fmt.Errorf("wallet %d: %w", n, err)
		}
	}
	// A code whose answer was lost is used up or was never taken; either way the wallet is at its end.
	kept := d.wallets[:0]
	for _, f := range d.wallets {
		if f.token != "" {
			kept = append(kept, f)
		}
	}
	d.wallets = kept
	return nil
}

func (d *driver) goOn(ctx context.Context, f *flow, point string) error {
	if f.token == "" {
		if strings.HasPrefix(point, "code.after_take") {
			return d.refused(ctx, f.tokenCall(), "invalid_grant")
		}
		status, body, err := d.do(ctx, f.tokenCall())
		if err != nil {
			return err
		}
		var answer struct {
			Token string `json:"access_token"`
			Error string
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if status == http.StatusBadRequest && answer.Error == "invalid_grant" {
			return nil
		}
		if status != http.StatusOK {
			return fmt.Errorf("token request repeated: answered %d %s", status, body)
		}
		f.token = answer.Token
	}
	if err := d.refused(ctx, f.tokenCall(), "invalid_grant"); err != nil {
		return err
	}
	if err := d.checkNonce(ctx, f, point); err != nil {
		return err
	}
	// Under a new nonce the same key gets the same credential, also where the first answer was lost.
	if err := d.prove(ctx, f); err != nil {
		return err
	}
	return d.refused(ctx, f.credentialCall(), "invalid_nonce")
}

// checkNonce sends the last proof again. Where its first answer was lost, the nonce may not have been taken; then it is
// taken now.
func (d *driver) checkNonce(ctx context.Context, f *flow, point string) error {
	if f.proof == "" {
		return nil
	}
	status, body, err := d.do(ctx, f.credentialCall())
	if err != nil {
		return err
	}
	if status != http.StatusOK || f.proved || strings.HasPrefix(point, "nonce.after_take") {
		return refusal(f.credentialCall(), status, body, "invalid_nonce")
	}
	if err := d.keep(f, body); err != nil {
		return err
	}
	return d.refused(ctx, f.credentialCall(), "invalid_nonce")
}
