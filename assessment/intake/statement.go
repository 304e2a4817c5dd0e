package intake

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/internal/proof/jose"
)

// Types of statements that a subject signs.
const (
	TypConsent = "heartmark-consent+jwt" // claim terms: digest of Terms
	TypSubject = "heartmark-subject+jwt" // claims act and sub
)

// statementAge is how old, or by clocks apart how young, a signed statement may be.
const statementAge = 10 * time.Minute

// KeyResolver finds the public key of a DID's verification method.
type KeyResolver interface {
	// HolderKey answers for did:key and did:jwk, which need no network; others are refused.
	HolderKey(ctx context.Context, did, method string) (crypto.PublicKey, error)
	// PlatformKey answers for the DID of a platform.
	PlatformKey(ctx context.Context, did, method string) (crypto.PublicKey, error)
}

// Statements verifies what people sign with keys of their own.
type Statements struct {
	// Audience is the DID of the installation: what statements must be meant for.
	Audience string
	Keys     KeyResolver
	Now      func() time.Time
}

func (s *Service) statement(ctx context.Context, compact, typ string, want map[string]string) (string, error) {
	return Statements{s.c.Audience, s.c.Keys, s.c.Now}.Verify(ctx, compact, typ, want)
}

// Verify checks a compact JWS by a did:key or did:jwk: typ and iss as asked, aud this installation, iat fresh, and every
// claim of want equal. It returns the DID. All faults are ErrConfirmation.
func (s Statements) Verify(ctx context.Context, compact, typ string, want map[string]string) (holder string, err error) {
	token, err := jose.Parse(compact)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrConfirmation, err)
	}
	holder, _, ok := strings.Cut(token.Header.Kid, "#")
	own := strings.HasPrefix(holder, "did:key:") || strings.HasPrefix(holder, "did:jwk:")
	if token.Header.Typ != typ || !ok || !own {
		return "", fmt.Errorf("typ %q, kid %q: %w", token.Header.Typ, token.Header.Kid, ErrConfirmation)
	}
	key, err := s.Keys.HolderKey(ctx, holder, token.Header.Kid)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrConfirmation, err)
	}
	if err := token.Verify(key); err != nil {
		return "", fmt.Errorf("%w: %w", ErrConfirmation, err)
	}
	claims, err := token.Claims()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrConfirmation, err)
	}
	return holder, s.claims(claims, holder, want)
}

func (s Statements) claims(claims map[string]any, holder string, want map[string]string) error {
	expected := map[string]string{"iss": holder, "aud": s.Audience}
	for name, value := range want {
		expected[name] = value
	}
	names := make([]string, 0, len(expected))
	for name := range expected {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if got, ok := claims[name].(string); !ok || got != expected[name] {
			return fmt.Errorf("claim %s: %w", name, ErrConfirmation)
		}
	}
	number, _ := claims["iat"].(json.Number)
	seconds, err := number.Int64()
	if err != nil || s.Now().Sub(time.Unix(seconds, 0)).Abs() > statementAge {
		return fmt.Errorf("claim iat: %w", ErrConfirmation)
	}
	return nil
}
