package oid4vci

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Layout of a nonce: end of life in seconds, random bytes, and a MAC over both, its kind and the tenant. A nonce that is
// handed out costs no storage, so that strangers cannot fill it; a nonce that is used is stored as used.
const (
	nonceTime   = 8
	nonceRandom = 16
	nonceMAC    = 16
	nonceBytes  = nonceTime + nonceRandom + nonceMAC
)

// nonceKind keeps nonces for one thing from being used for another.
type nonceKind string

const (
	nonceCredential  nonceKind = "nonce"     // c_nonce, for key proofs
	nonceDPoP        nonceKind = "dpop"      // for DPoP proofs
	nonceAttestation nonceKind = "challenge" // for the proof of possession of an attested wallet
)

// Nonce returns a fresh c_nonce (OpenID4VCI 1.0, 7.2). Send it with Cache-Control: no-store.
func (s *Service) Nonce(ctx context.Context, tenant string) (string, error) {
	if _, err := s.tenant(ctx, tenant); err != nil {
		return "", err
	}
	return s.newNonce(nonceCredential, tenant), nil
}

// DPoPNonce returns a nonce for the next DPoP proof (RFC 9449, 8). Send it as DPoP-Nonce.
func (s *Service) DPoPNonce(tenant string) string { return s.newNonce(nonceDPoP, tenant) }

// Challenge returns a challenge for attestation-based client authentication. Send it with Cache-Control: no-store.
func (s *Service) Challenge(ctx context.Context, tenant string) (string, error) {
	if _, err := s.tenant(ctx, tenant); err != nil {
		return "", err
	}
	return s.newNonce(nonceAttestation, tenant), nil
}

func (s *Service) newNonce(kind nonceKind, tenant string) string {
	b := make([]byte, nonceTime+nonceRandom, nonceBytes)
	binary.BigEndian.PutUint64(b, uint64(s.now().Add(s.c.NonceLife).Unix()))
	rand.Read(b[nonceTime:])
	return base64.RawURLEncoding.EncodeToString(append(b, s.nonceTag(kind, tenant, b)...))
}

func (s *Service) nonceTag(kind nonceKind, tenant string, head []byte) []byte {
	mac := hmac.New(sha256.New, s.c.NonceKey)
	mac.Write([]byte("heartmark/oid4vci/" + string(kind) + "\x00"))
	mac.Write(head)
	mac.Write([]byte(tenant))
	return mac.Sum(nil)[:nonceMAC]
}

// checkNonce reports whether a nonce is one of ours, of this kind, for this tenant, and still alive, and when it ends.
func (s *Service) checkNonce(kind nonceKind, tenant, nonce string, now time.Time) (time.Time, bool) {
	if len(nonce) != base64.RawURLEncoding.EncodedLen(nonceBytes) || strings.ContainsAny(nonce, "\r\n") {
		return time.Time{}, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || !hmac.Equal(b[nonceTime+nonceRandom:], s.nonceTag(kind, tenant, b[:nonceTime+nonceRandom])) {
		return time.Time{}, false
	}
	end := time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC()
	return end, now.Before(end)
}

// takeNonce uses a c_nonce up. Exactly one of all requests that bring it gets past here, on all nodes.
func (s *Service) takeNonce(ctx context.Context, tenant, nonce string, now time.Time) error {
	end, ok := s.checkNonce(nonceCredential, tenant, nonce, now)
	if !ok {
		return badNonce()
	}
	err := s.c.Store.UseNonce(ctx, sha256.Sum256([]byte(nonce)), end)
	if errors.Is(err, ErrUsed) {
		return badNonce()
	}
	if err != nil {
		return fmt.Errorf("use nonce: %w", err)
	}
	return nil
}

func badNonce() *Error {
	return fail(CodeInvalidNonce, "the nonce is unknown, expired or used; ask for another one")
}

// useProof records the jti of a proof as used under its key, or reports false where it was.
func (s *Service) useProof(ctx context.Context, kind nonceKind, key, jti string, until time.Time) (bool, error) {
	err := s.c.Store.UseNonce(ctx, [32]byte(hashOf("jti "+string(kind), key, jti)), until)
	if errors.Is(err, ErrUsed) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("use proof: %w", err)
	}
	return true, nil
}
