package webhooks

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/registry"
	"heartmark/schemas"
)

// event is the body of a request.
type event struct {
	Registry string          `json:"registry"`
	ID       uint64          `json:"id"`
	Kind     string          `json:"kind"`
	Subject  string          `json:"subject"`
	At       string          `json:"at"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// message makes the signed request for one event.
//
// Heartmark-Webhook is "t=<unix seconds>,v1=<hex>", the HMAC-SHA256 over "<t>.<body>". Signature-Input and Signature are
// those of RFC 9421 over the method, the address, the type and the digest of the content (RFC 9530) and the event's id.
// Both say when, so that a receiver can refuse what is old.
func (s *Service) message(ctx context.Context, sub Subscription, e registry.Event, now time.Time) (Message, error) {
	body, err := schemas.Marshal(event{Registry: s.c.DID, ID: e.Index, Kind: e.Kind, Subject: e.Subject, At: e.At, Data: e.Data})
	if err != nil {
		return Message{}, fmt.Errorf("encode event: %w", err)
	}
	secret, err := s.c.Open(ctx, sub.Tenant, sub.ID, sub.Secret)
	if err != nil {
		return Message{}, fmt.Errorf("open secret: %w", err)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	digest := sha256.Sum256(body)
	m := Message{URL: sub.URL, ContentType: "application/json", Body: body, Header: map[string]string{
		"Heartmark-Webhook": "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil)),
		"Heartmark-Event":   strconv.FormatUint(e.Index, 10),
		"Content-Digest":    "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":",
	}}
	return m, s.sign(ctx, &m, stamp)
}

// sign adds the HTTP Message Signature (RFC 9421, 2.5 and 3.1).
func (s *Service) sign(ctx context.Context, m *Message, stamp string) error {
	target, err := targetURI(m.URL)
	if err != nil {
		return err
	}
	signer, method, err := s.c.Signer(ctx)
	if err != nil {
		return fmt.Errorf("statement key: %w", err)
	}
	alg, err := algorithm(signer.Public())
	if err != nil {
		return err
	}
	params := `("@method" "@target-uri" "content-type" "content-digest" "heartmark-event");created=` + stamp + `;keyid="` + method + `";alg="` + alg + `"`
	base := strings.Join([]string{
		`"@method": POST`,
		`"@target-uri": ` + target,
		`"content-type": ` + m.ContentType,
		`"content-digest": ` + m.Header["Content-Digest"],
		`"heartmark-event": ` + m.Header["Heartmark-Event"],
		`"@signature-params": ` + params,
	}, "\n")
	signature, err := crypto.SignMessage(signer, rand.Reader, []byte(base), crypto.Hash(0))
	if err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	m.Header["Signature-Input"] = "sig1=" + params
	m.Header["Signature"] = "sig1=:" + base64.StdEncoding.EncodeToString(signature) + ":"
	return nil
}

// targetURI is the address as a receiver puts it together from the request that it gets (RFC 9110, 7.1): never without a
// path, and escaped as it is sent.
func targetURI(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("address: %w", err)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// algorithm is the name of a key's algorithm in HTTP Message Signatures (RFC 9421, 3.3).
func algorithm(pub crypto.PublicKey) (string, error) {
	alg, err := jose.Algorithm(pub)
	if err != nil {
		return "", err
	}
	name, ok := map[string]string{"EdDSA": "ed25519", "ES256": "ecdsa-p256-sha256", "ES384": "ecdsa-p384-sha384"}[alg]
	if !ok {
		return "", fmt.Errorf("no message signature with %s", alg)
	}
	return name, nil
}
