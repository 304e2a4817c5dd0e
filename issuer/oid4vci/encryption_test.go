package oid4vci_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/issuer/oid4vci"
)

func encrypting(c *oid4vci.Config) { c.EncryptionKey = []byte(strings.Repeat("k", 32)) }

// requestKey is the key for encrypted requests that the metadata names.
func (w *world) requestKey(t *testing.T) jose.Recipient {
	t.Helper()
	m, err := w.Metadata(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	key := m["credential_request_encryption"].(map[string]any)["jwks"].(map[string]any)["keys"].([]any)[0]
	raw, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := jose.ParseRecipient(raw)
	if err != nil || r.Kid == "" || strings.Contains(string(raw), `"d"`) {
		t.Fatalf("request key %s: %v", raw, err)
	}
	return r
}

// sealed encrypts a credential request that asks for an encrypted answer to key.
func (w *world) sealed(t *testing.T, to jose.Recipient, key *ecdsa.PrivateKey, enc string) string {
	t.Helper()
	raw, err := keys.MarshalJWK(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var jwk map[string]any
	if err := json.Unmarshal(raw, &jwk); err != nil {
		t.Fatal(err)
	}
	jwk["alg"], jwk["kid"] = jose.ECDHES, "w1"
	body, err := json.Marshal(map[string]any{
		"credential_configuration_id": config, "proofs": map[string]any{"jwt": []string{w.proof(t, newHolder(t), w.nonce(t))}},
		"credential_response_encryption": map[string]any{"jwk": jwk, "enc": enc},
	})
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jose.Encrypt(body, to, enc)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestEncryptedRequestAndResponse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, encrypting)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, enc := range jose.ContentEncryptions() {
		tok := w.token(t)
		plain, err := w.OpenRequest("acme", []byte(w.sealed(t, w.requestKey(t), key, enc)))
		if err != nil {
			t.Fatal(err)
		}
		r, err := oid4vci.ParseCredentialRequest(plain)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Credential(t.Context(), "acme", bearer(tok), r)
		wantCode(t, "an encrypted answer to a plain request", err, oid4vci.CodeInvalidEncryption)
		r.Encrypted = true
		resp, err := w.Credential(t.Context(), "acme", bearer(tok), r)
		if err != nil {
			t.Fatal(err)
		}
		status, mediaType, body, err := resp.Encode()
		if err != nil || status != 200 || mediaType != "application/jwt" {
			t.Fatalf("%d %s, %v", status, mediaType, err)
		}
		opened, err := jose.Decrypt(string(body), func(kid string) (*ecdsa.PrivateKey, bool) { return key, kid == "w1" })
		if err != nil || !strings.Contains(string(opened), `"notification_id"`) {
			t.Errorf("answer %s, %v", opened, err)
		}
	}
}

func TestEncryptedRequestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, encrypting)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	to := w.requestKey(t)
	good := w.sealed(t, to, key, "A128GCM")
	foreign := newWorld(t, func(c *oid4vci.Config) { c.EncryptionKey = []byte(strings.Repeat("o", 32)) })
	other := to
	other.Kid = "e1"
	for name, in := range map[string][2]string{
		"another tenant": {"other", good}, "changed": {"acme", flip(good)}, "plain JSON": {"acme", `{}`}, "empty": {"acme", ""},
		"other key": {"acme", w.sealed(t, foreign.requestKey(t), key, "A128GCM")}, "other kid": {"acme", w.sealed(t, other, key, "A128GCM")},
	} {
		_, err := w.OpenRequest(in[0], []byte(in[1]))
		wantCode(t, name, err, oid4vci.CodeInvalidEncryption)
	}
	w.clock.Advance(30 * 24 * time.Hour)
	if _, err := w.OpenRequest("acme", []byte(good)); err != nil || w.requestKey(t).Kid == to.Kid {
		t.Errorf("with the key before: %v", err)
	}
	w.clock.Advance(30 * 24 * time.Hour)
	_, err = w.OpenRequest("acme", []byte(good))
	wantCode(t, "with a key of long ago", err, oid4vci.CodeInvalidEncryption)
	_, err = newWorld(t, nil).OpenRequest("acme", []byte(good))
	wantCode(t, "where none is offered", err, oid4vci.CodeInvalidEncryption)
}

func TestSignedMetadata(t *testing.T) {
	t.Parallel()
	h := newHolder(t)
	w := newWorld(t, func(c *oid4vci.Config) {
		encrypting(c)
		c.Batch = 5
		c.SignMetadata = func(context.Context, string) (oid4vci.MetadataSigner, error) {
			return oid4vci.MetadataSigner{Signer: h.signer, Kid: "did:web:hm.example:acme#m"}, nil
		}
	})
	compact, err := w.SignedMetadata(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Parse(compact)
	if err != nil || token.Header.Typ != "openidvci-issuer-metadata+jwt" || token.Header.Kid != "did:web:hm.example:acme#m" || token.Verify(h.signer.Public()) != nil {
		t.Fatalf("header %+v, %v", token.Header, err)
	}
	claims, err := token.Claims()
	if err != nil {
		t.Fatal(err)
	}
	if claims["sub"] != issuerID || claims["iat"] == nil {
		t.Errorf("sub %v, iat %v", claims["sub"], claims["iat"])
	}
	m, err := w.Metadata(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for name := range m {
		if _, ok := claims[name]; !ok {
			t.Errorf("%s is not in the signed form", name)
		}
	}
	for _, name := range []string{"deferred_credential_endpoint", "credential_request_encryption", "credential_response_encryption", "batch_credential_issuance"} {
		if m[name] == nil {
			t.Errorf("metadata lacks %s", name)
		}
	}
}
