package oid4vci

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
)

const (
	dpopType = "dpop+jwt"
	// maxDPoPAge is how old iat may be; freshness comes from the nonce, which lives as long.
	maxDPoPAge = 5 * time.Minute
	maxDPoP    = 8 << 10
	maxJTI     = 256
)

// checkDPoP checks a DPoP proof (RFC 9449, 4.3) for a POST to endpoint, below the tenant's issuer, and returns the
// thumbprint of its key. headers are all values of the DPoP header; none gives "". token is the access token that the
// proof must be bound to, empty at the authorisation server. A proof needs a nonce of ours: one without it, or with an old
// one, is answered use_dpop_nonce with a fresh one. Each proof works once.
func (s *Service) checkDPoP(ctx context.Context, tenant, endpoint, token string, headers []string) (key string, err error) {
	if len(headers) == 0 {
		return "", nil
	}
	if len(headers) > 1 {
		return "", badDPoP("the DPoP header occurs twice")
	}
	proof, err := jose.Parse(headers[0])
	if err != nil || len(headers[0]) > maxDPoP {
		return "", badDPoP("it is no compact JWS with an algorithm that we take")
	}
	key, err = dpopKey(proof)
	if err != nil {
		return "", err
	}
	claims, err := proof.Claims()
	if err != nil {
		return "", badDPoP("the payload is no JSON object")
	}
	now := s.now()
	if err := checkDPoPClaims(claims, s.IssuerID(tenant)+endpoint, token, now); err != nil {
		return "", err
	}
	nonce, _ := claims["nonce"].(string)
	end, ok := s.checkNonce(nonceDPoP, tenant, nonce, now)
	if !ok {
		e := fail(CodeUseDPoPNonce, "the DPoP proof needs the nonce of the DPoP-Nonce header")
		e.DPoPNonce = s.DPoPNonce(tenant)
		return "", e
	}
	jti, _ := claims["jti"].(string)
	fresh, err := s.useProof(ctx, nonceDPoP, key, jti, end)
	if err != nil {
		return "", err
	}
	if !fresh {
		return "", badDPoP("it was used before")
	}
	return key, nil
}

// dpopKey checks header and signature and returns the thumbprint of the key.
func dpopKey(proof jose.Token) (string, error) {
	if proof.Header.Typ != dpopType || proof.Header.JWK == nil || proof.Header.Kid != "" || proof.Header.HasX5C {
		return "", badDPoP("expected typ dpop+jwt and a jwk")
	}
	pub, err := keys.ParseJWK(proof.Header.JWK)
	if errors.Is(err, keys.ErrPrivateKey) {
		return "", badDPoP("jwk holds a private key")
	}
	if err != nil {
		return "", badDPoP("jwk is no public key that we take")
	}
	if alg, err := jose.Algorithm(pub); err != nil || (alg != jose.EdDSA && alg != jose.ES256) {
		return "", badDPoP("the key's algorithm is not offered")
	}
	if err := proof.Verify(pub); err != nil {
		return "", badDPoP("the signature does not verify")
	}
	least, err := keys.MarshalJWK(pub)
	if err != nil {
		return "", badDPoP("jwk is no public key that we take")
	}
	return thumbprint(least), nil
}

func checkDPoPClaims(claims map[string]any, address, token string, now time.Time) error {
	jti, ok := claims["jti"].(string)
	if !ok || jti == "" || len(jti) > maxJTI {
		return badDPoP("jti is missing or too long")
	}
	if claims["htm"] != http.MethodPost {
		return badDPoP("htm is not POST")
	}
	if htu, ok := claims["htu"].(string); !ok || !sameAddress(htu, address) {
		return badDPoP("htu is not this endpoint")
	}
	iat, ok := unixTime(claims["iat"])
	if !ok || iat.After(now.Add(clockSkew)) || iat.Before(now.Add(-maxDPoPAge)) {
		return badDPoP("iat is missing or not near the present")
	}
	if token == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(token))
	if ath, ok := claims["ath"].(string); !ok || !same([]byte(ath), []byte(base64.RawURLEncoding.EncodeToString(sum[:]))) {
		return badDPoP("ath is not the hash of the access token")
	}
	return nil
}

// sameAddress compares htu with our address (RFC 9449, 4.3): query and fragment do not count, nor does the case of scheme
// and host (RFC 3986, 6.2.2.1).
func sameAddress(htu, address string) bool {
	u, err := url.Parse(htu)
	if err != nil || u.User != nil || u.Opaque != "" {
		return false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
	return scheme+"://"+host+u.EscapedPath() == address
}

func badDPoP(why string) *Error { return fail(CodeInvalidDPoP, "the DPoP proof is not good: "+why) }

// thumbprint is that of RFC 7638, of a JWK with its required members alone.
func thumbprint(least []byte) string {
	sum := sha256.Sum256(least)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
