package oid4vci

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// keyPeriod is how long one request encryption key is named in the metadata. The one before still opens requests, so that
// a wallet may keep the metadata for a while.
const keyPeriod = 30 * 24 * time.Hour

func offeredEncryption(enc string) bool { return slices.Contains(jose.ContentEncryptions(), enc) }

// requestKey is the tenant's key for encrypted requests in a period. All nodes derive the same from the one secret that
// they share; nothing is stored.
func (s *Service) requestKey(tenant string, period int64) (*ecdsa.PrivateKey, string, error) {
	kid := "e" + strconv.FormatInt(period, 10)
	// One draw in 2^32 is no scalar of P-256; then the next one is taken, by everybody alike.
	for try := range 8 {
		raw, err := hkdf.Key(sha256.New, s.c.EncryptionKey, nil, fmt.Sprintf("heartmark/oid4vci/request key\x00%s\x00%s\x00%d", tenant, kid, try), 32)
		if err != nil {
			return nil, "", fmt.Errorf("request key: %w", err)
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw); err == nil {
			return key, kid, nil
		}
	}
	panic("oid4vci: eight draws in a row are no scalars")
}

func periodAt(now time.Time) int64 { return now.Unix() / int64(keyPeriod/time.Second) }

// requestJWK is the public key that metadata names (12.2.4).
func (s *Service) requestJWK(tenant string) (map[string]any, error) {
	key, kid, err := s.requestKey(tenant, periodAt(s.now()))
	if err != nil {
		return nil, err
	}
	raw, err := keys.MarshalJWK(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("request key: %w", err)
	}
	m, err := schemas.ParseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("request key: %w", err)
	}
	m["kid"], m["use"], m["alg"] = kid, "enc", jose.ECDHES
	return m, nil
}

// OpenRequest decrypts the body of an encrypted request (10). All failures look alike. Faults are *Error.
func (s *Service) OpenRequest(tenant string, body []byte) ([]byte, error) {
	bad := fail(CodeInvalidEncryption, "the request is not encrypted to a key of the metadata")
	if s.c.EncryptionKey == nil {
		return nil, bad
	}
	now := periodAt(s.now())
	plain, err := jose.Decrypt(strings.TrimSuffix(string(body), "\n"), func(kid string) (*ecdsa.PrivateKey, bool) {
		for _, period := range []int64{now, now - 1} {
			if key, name, err := s.requestKey(tenant, period); err == nil && name == kid {
				return key, true
			}
		}
		return nil, false
	})
	if err != nil {
		return nil, bad
	}
	return plain, nil
}

// checkEncryption refuses an encrypted answer to a request that came in the clear (8.2).
func (s *Service) checkEncryption(e *ResponseEncryption, encrypted bool) error {
	if e == nil {
		return nil
	}
	if s.c.EncryptionKey == nil {
		return badEncryption("encrypted responses are not offered")
	}
	if !encrypted {
		return badEncryption("the request itself must be encrypted too")
	}
	return nil
}

// CredentialResponse is the answer to a credential or deferred credential request (8.3, 9.2): credentials, or the
// transaction under which the wallet asks again.
type CredentialResponse struct {
	Credentials    []IssuedCredential `json:"credentials,omitempty"`
	NotificationID string             `json:"notification_id,omitempty"`
	TransactionID  string             `json:"transaction_id,omitempty"`
	// Interval is how many seconds to wait before asking again.
	Interval int `json:"interval,omitempty"`

	encryption *ResponseEncryption
}

// IssuedCredential is one credential: an object for ldp_vc, a text for the formats that are tokens.
type IssuedCredential struct {
	Credential json.RawMessage `json:"credential"`
}

// Encode returns status, media type and body of the answer; send it with Cache-Control: no-store. It is a JWE where the
// wallet asked for one.
func (r CredentialResponse) Encode() (status int, mediaType string, body []byte, err error) {
	status = http.StatusOK
	if r.TransactionID != "" {
		status = http.StatusAccepted
	}
	if body, err = json.Marshal(r); err != nil {
		return 0, "", nil, fmt.Errorf("credential response: %w", err)
	}
	if r.encryption == nil {
		return status, "application/json", body, nil
	}
	compact, err := jose.Encrypt(body, r.encryption.recipient, r.encryption.enc)
	if err != nil {
		return 0, "", nil, fmt.Errorf("credential response: %w", err)
	}
	return status, "application/jwt", []byte(compact), nil
}
