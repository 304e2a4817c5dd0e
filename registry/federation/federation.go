// Package federation knows the statements of OpenID Federation 1.0 that a registry makes: their types, and how a chain of
// them is checked from a leaf to a trust anchor (10.2). It signs and fetches nothing; package registry makes statements.
// Metadata policies and constraints are not read: a statement that has one is refused rather than half understood.
package federation

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// Types of the statements, in the typ header.
const (
	TypeEntity     = "entity-statement+jwt"
	TypeResolve    = "resolve-response+jwt"
	TypeTrustMark  = "trust-mark+jwt"
	TypeMarkStatus = "trust-mark-status-response+jwt"
)

// ErrChain says that a chain, statement or trust mark does not hold.
var ErrChain = errors.New("federation statement does not hold")

// maxChain bounds the statements of a chain.
const maxChain = 10

// Statement is a checked statement.
type Statement struct {
	Issuer, Subject string
	Keys            map[string]crypto.PublicKey // of the subject, by kid
	Claims          map[string]any
}

// VerifyChain checks a trust chain as of now: the leaf's own configuration, the statements of its superiors one above the
// other, and the anchor's own configuration, which a key of anchor signed. It returns the leaf's configuration.
func VerifyChain(chain []string, anchor string, anchorKeys map[string]crypto.PublicKey, now time.Time) (Statement, error) {
	if len(chain) < 2 || len(chain) > maxChain {
		return Statement{}, fmt.Errorf("chain of %d statements: %w", len(chain), ErrChain)
	}
	// From the anchor down: each statement brings the keys that sign the one below.
	top, err := Verify(chain[len(chain)-1], TypeEntity, anchorKeys, now)
	if err != nil {
		return Statement{}, err
	}
	if top.Issuer != anchor || top.Subject != anchor {
		return Statement{}, fmt.Errorf("chain ends at %s: %w", top.Subject, ErrChain)
	}
	for i := len(chain) - 2; i >= 0; i-- {
		next, err := Verify(chain[i], TypeEntity, top.Keys, now)
		if err != nil {
			return Statement{}, err
		}
		if next.Issuer != top.Subject || (i == 0) != (next.Issuer == next.Subject) {
			return Statement{}, fmt.Errorf("statement %d is not by %s: %w", i, top.Subject, ErrChain)
		}
		top = next
	}
	return top, nil
}

// Verify checks one signed statement of the type typ with one of the keys, as of now.
func Verify(token, typ string, signers map[string]crypto.PublicKey, now time.Time) (Statement, error) {
	parsed, err := jose.Parse(token)
	if err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrChain, err)
	}
	key, known := signers[parsed.Header.Kid]
	if parsed.Header.Typ != typ || !known {
		return Statement{}, fmt.Errorf("type %q by key %q: %w", parsed.Header.Typ, parsed.Header.Kid, ErrChain)
	}
	if err := parsed.Verify(key); err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrChain, err)
	}
	claims, err := parsed.Claims()
	if err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrChain, err)
	}
	s := Statement{Claims: claims, Keys: map[string]crypto.PublicKey{}}
	s.Issuer, _ = claims["iss"].(string)
	s.Subject, _ = claims["sub"].(string)
	from, fromOK := instant(claims["iat"])
	until, untilOK := instant(claims["exp"])
	if s.Issuer == "" || s.Subject == "" || !fromOK || !untilOK || now.Add(time.Minute).Before(from) || !now.Before(until) {
		return Statement{}, fmt.Errorf("statement about %q is not of this time: %w", s.Subject, ErrChain)
	}
	for _, name := range []string{"metadata_policy", "constraints", "crit", "metadata_policy_crit"} {
		if _, there := claims[name]; there {
			return Statement{}, fmt.Errorf("statement has %s, which is not understood here: %w", name, ErrChain)
		}
	}
	if set, there := claims["jwks"]; there {
		if s.Keys, err = readKeys(set); err != nil {
			return Statement{}, err
		}
	}
	return s, nil
}

func instant(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := n.Int64()
	return time.Unix(seconds, 0), err == nil
}

func readKeys(set any) (map[string]crypto.PublicKey, error) {
	m, _ := set.(map[string]any)
	list, _ := m["keys"].([]any)
	out := map[string]crypto.PublicKey{}
	for _, item := range list {
		jwk, _ := item.(map[string]any)
		kid, _ := jwk["kid"].(string)
		raw, err := schemas.Marshal(jwk)
		if err != nil || kid == "" {
			return nil, fmt.Errorf("key without an id: %w", ErrChain)
		}
		key, err := keys.ParseJWK(raw)
		if err != nil || out[kid] != nil {
			return nil, fmt.Errorf("key %q: %w", kid, ErrChain)
		}
		out[kid] = key
	}
	return out, nil
}

// TrustMarks checks the trust marks of a configuration with the keys of their issuer and returns their types, sorted.
func (s Statement) TrustMarks(issuer string, signers map[string]crypto.PublicKey, now time.Time) ([]string, error) {
	list, _ := s.Claims["trust_marks"].([]any)
	var types []string
	for _, item := range list {
		m, _ := item.(map[string]any)
		token, _ := m["trust_mark"].(string)
		mark, err := Verify(token, TypeTrustMark, signers, now)
		if err != nil {
			return nil, err
		}
		kind, _ := mark.Claims["trust_mark_type"].(string)
		if mark.Issuer != issuer || mark.Subject != s.Subject || kind == "" || kind != m["trust_mark_type"] {
			return nil, fmt.Errorf("trust mark %q is of another: %w", kind, ErrChain)
		}
		types = append(types, kind)
	}
	slices.Sort(types)
	return types, nil
}
