package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/internal/statuslist"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

const (
	// TypeStatusToken is typ of a status list token (Token Status List, 5.1); its media type is this below application/.
	TypeStatusToken = "statuslist+jwt"
	// tokenBits is the size of an entry: suspension needs two bits (Token Status List, 7.1).
	tokenBits = 2
	// tokenTTL is listTTL in seconds.
	tokenTTL = "300"
)

// published are the lists of a group: those of its purposes, and the Token Status List twin that says the same of the same
// indexes (design section 9.7).
func (l List) published() []string {
	return append(append([]string(nil), l.Purposes...), schemas.PurposeToken)
}

// listState returns the bits of a list with their version. Those of the twin are put together from the bits of the
// purposes, and its version is the sum of theirs: each of them only rises, so that a change in any makes a later version.
func (r *Registry) listState(ctx context.Context, l List, purpose string) (version uint64, raw []byte, size int, err error) {
	if purpose != schemas.PurposeToken {
		return r.c.Lists.ListState(ctx, l.Group, purpose)
	}
	var twin statuslist.Tokens
	for _, from := range l.Purposes {
		value, known := map[string]uint8{
			schemas.PurposeRevocation: statuslist.TokenInvalid, schemas.PurposeSuspension: statuslist.TokenSuspended,
		}[from]
		if !known {
			continue // what neither revokes nor suspends has no value of its own in a token status list
		}
		v, raw, size, err := r.c.Lists.ListState(ctx, l.Group, from)
		if err != nil {
			return 0, nil, 0, err
		}
		bits, err := statuslist.FromBytes(raw, size)
		if err != nil {
			return 0, nil, 0, err
		}
		if twin.Len() == 0 {
			if twin, err = statuslist.NewTokens(bits.Len(), tokenBits); err != nil {
				return 0, nil, 0, err
			}
		}
		if twin.Len() != bits.Len() {
			return 0, nil, 0, fmt.Errorf("lists of %d and %d entries in one group: %w", twin.Len(), bits.Len(), statuslist.ErrLength)
		}
		version += v
		if err := mark(twin, bits, value); err != nil {
			return 0, nil, 0, err
		}
	}
	if twin.Len() == 0 {
		return 0, nil, 0, fmt.Errorf("group %s revokes and suspends nothing: %w", l.Group, ErrNotFound)
	}
	return version, twin.Bytes(), tokenBits, nil
}

// mark sets value for each entry that is set in bits and not revoked: revocation is final whatever else is said.
func mark(twin statuslist.Tokens, bits statuslist.Bits, value uint8) error {
	for index := range bits.Each() {
		if old, err := twin.Get(index); err != nil || old == statuslist.TokenInvalid {
			if err != nil {
				return err
			}
			continue
		}
		if err := twin.Set(index, value); err != nil {
			return err
		}
	}
	return nil
}

// checkTokenForward is checkForward for the twin.
func checkTokenForward(last ListVersion, sourceVersion uint64, now statuslist.Tokens) error {
	if err := now.CheckLength(); err != nil {
		return err
	}
	if last.Version == 0 {
		return nil
	}
	if sourceVersion < last.SourceVersion {
		return fmt.Errorf("bits have version %d, version %d was published: %w", sourceVersion, last.SourceVersion, ErrRollback)
	}
	before, err := publishedTokens(last.Document)
	if err != nil {
		return fmt.Errorf("published list: %w", err)
	}
	if now.Len() < before.Len() {
		return fmt.Errorf("list became shorter: %w", ErrRollback)
	}
	for index := range uint64(before.Len()) {
		old, err1 := before.Get(index)
		value, err2 := now.Get(index)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if old == statuslist.TokenInvalid && value != old {
			return fmt.Errorf("a revocation would be taken back: %w", ErrRollback)
		}
	}
	return nil
}

func publishedTokens(document []byte) (statuslist.Tokens, error) {
	token, err := jose.ParseUpTo(string(document), len(document))
	if err != nil {
		return statuslist.Tokens{}, err
	}
	claims, err := token.Claims()
	if err != nil {
		return statuslist.Tokens{}, err
	}
	list, _ := claims["status_list"].(map[string]any)
	lst, _ := list["lst"].(string)
	return statuslist.DecodeTokens(lst, tokenBits, 0)
}

// signTokens makes the status list token of a version (Token Status List, 5.1).
func (r *Registry) signTokens(ctx context.Context, l List, v ListVersion, tokens statuslist.Tokens) ([]byte, error) {
	lst, err := tokens.Encode()
	if err != nil {
		return nil, err
	}
	url := r.ListURL(v.Group, v.Purpose)
	payload, err := schemas.Marshal(map[string]any{
		"sub": url, "iat": v.ValidFrom.Unix(), "exp": v.ValidUntil.Unix(), "ttl": json.Number(tokenTTL),
		"status_list": map[string]any{"bits": tokenBits, "lst": lst},
	})
	if err != nil {
		return nil, err
	}
	signer, method, err := r.c.Signers.ListSigner(ctx, l.Issuer)
	if err != nil {
		return nil, fmt.Errorf("status list key of %s: %w", l.Issuer, err)
	}
	audit := AuditEvent{At: r.now(), Event: AuditListSign, Object: url, Method: method, Digest: sha256Hex(payload)}
	if err := r.journal(ctx, audit); err != nil {
		return nil, err
	}
	compact, err := jose.Sign(map[string]any{"typ": TypeStatusToken, "kid": trust.JWKMethod(method)}, payload, signer)
	if err != nil {
		return nil, fmt.Errorf("sign list: %w", err)
	}
	r.c.Crash("list.after_sign")
	return []byte(compact), nil
}

// makeList checks that the bits go on from the last version and signs the next.
func (r *Registry) makeList(ctx context.Context, l List, last, next ListVersion, raw []byte, size int) ([]byte, error) {
	if next.Purpose == schemas.PurposeToken {
		tokens, err := statuslist.TokensFromBytes(raw, size)
		if err != nil {
			return nil, fmt.Errorf("bits: %w", err)
		}
		if err := checkTokenForward(last, next.SourceVersion, tokens); err != nil {
			return nil, err
		}
		return r.signTokens(ctx, l, next, tokens)
	}
	bits, err := statuslist.FromBytes(raw, size)
	if err != nil {
		return nil, fmt.Errorf("bits: %w", err)
	}
	if err := checkForward(last, next.SourceVersion, bits, next.Purpose); err != nil {
		return nil, err
	}
	return r.signList(ctx, l, next, bits)
}

// step is the least time between two versions of a list as readers see it: iat has whole seconds.
func step(purpose string) time.Duration {
	if purpose == schemas.PurposeToken {
		return time.Second
	}
	return time.Millisecond
}
