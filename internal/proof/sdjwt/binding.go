package sdjwt

import (
	"crypto"
	"fmt"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// TypeKeyBinding is typ of a key binding JWT (RFC 9901, 4.3).
const TypeKeyBinding = "kb+jwt"

// Binding is what a key binding JWT says.
type Binding struct {
	Audience, Nonce string
	IssuedAt        time.Time // to the second
	// TransactionHashes and TransactionAlg are what the holder agreed to beyond the credential (OpenID4VP 1.0, B.3.3.1); nil
	// and "" where the binding says nothing of it.
	TransactionHashes []string
	TransactionAlg    string
}

// Expected is what a verifier asked for.
type Expected struct {
	Audience, Nonce string
	// Now is the instant of the check, MaxAge how old the binding may be, Skew how far clocks may differ.
	Now          time.Time
	MaxAge, Skew time.Duration
}

// HolderKey returns the key that cnf holds by value (RFC 7800, 3.2). It returns ErrHolderKey where there is none, or one
// by reference, which is never followed.
func (t Token) HolderKey() (crypto.PublicKey, error) {
	cnf, _ := t.Claims["cnf"].(map[string]any)
	jwk, isObject := cnf["jwk"].(map[string]any)
	if !isObject || len(cnf) != 1 {
		return nil, ErrHolderKey
	}
	raw, err := schemas.Marshal(jwk)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHolderKey, err)
	}
	key, err := keys.ParseJWK(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHolderKey, err)
	}
	return key, nil
}

// VerifyBinding checks the key binding JWT (RFC 9901, 7.3): its typ, that the holder's key signed it, and that its
// sd_hash is that of this very presentation. It returns ErrNoBinding, ErrHolderKey or ErrBinding. Whether audience, nonce
// and time are the ones asked for is Binding.Check.
func (t Token) VerifyBinding() (Binding, error) {
	if t.binding == "" {
		return Binding{}, ErrNoBinding
	}
	key, err := t.HolderKey()
	if err != nil {
		return Binding{}, err
	}
	token, err := jose.Parse(t.binding)
	if err != nil {
		return Binding{}, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	if token.Header.Typ != TypeKeyBinding {
		return Binding{}, fmt.Errorf("typ is not %s: %w", TypeKeyBinding, ErrBinding)
	}
	if err := token.Verify(key); err != nil {
		return Binding{}, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	claims, err := token.Claims()
	if err != nil {
		return Binding{}, fmt.Errorf("%w: %w", ErrBinding, err)
	}
	if claims["sd_hash"] != t.Hash.digest(t.presented) {
		return Binding{}, fmt.Errorf("sd_hash is of another presentation: %w", ErrBinding)
	}
	return readBinding(claims)
}

// readBinding reads the claims that 4.3 demands, aud as one string.
func readBinding(claims map[string]any) (Binding, error) {
	audience, isString := claims["aud"].(string)
	nonce, isNonce := claims["nonce"].(string)
	at, err := schemas.ParseNumericDate(claims["iat"])
	if !isString || !isNonce || err != nil || audience == "" || nonce == "" {
		return Binding{}, fmt.Errorf("aud, nonce and iat are required: %w", ErrBinding)
	}
	for _, name := range []string{"exp", "nbf"} {
		if _, present := claims[name]; present {
			// Nobody sets them; one that does would expect us to act on them, and iat rules here.
			return Binding{}, fmt.Errorf("%s is not taken: %w", name, ErrBinding)
		}
	}
	b := Binding{Audience: audience, Nonce: nonce, IssuedAt: at}
	if value, present := claims["transaction_data_hashes"]; present {
		items, isArray := value.([]any)
		for _, item := range items {
			hash, isString := item.(string)
			isArray = isArray && isString
			b.TransactionHashes = append(b.TransactionHashes, hash)
		}
		if !isArray || len(items) == 0 {
			return Binding{}, fmt.Errorf("transaction_data_hashes: %w", ErrBinding)
		}
	}
	if value, present := claims["transaction_data_hashes_alg"]; present {
		if b.TransactionAlg, isNonce = value.(string); !isNonce || b.TransactionAlg == "" {
			return Binding{}, fmt.Errorf("transaction_data_hashes_alg: %w", ErrBinding)
		}
	}
	return b, nil
}

// Check compares the binding with what was asked for, exactly, and its age with the limits. It returns ErrNonce,
// ErrAudience or ErrStale. An empty Nonce or Audience in want matches nothing.
func (b Binding) Check(want Expected) error {
	switch {
	case want.Nonce == "" || b.Nonce != want.Nonce:
		return ErrNonce
	case want.Audience == "" || b.Audience != want.Audience:
		return ErrAudience
	case b.IssuedAt.After(want.Now.Add(want.Skew)), b.IssuedAt.Before(want.Now.Add(-want.MaxAge - want.Skew)):
		return fmt.Errorf("made %s: %w", schemas.FormatTime(b.IssuedAt), ErrStale)
	}
	return nil
}

// Bind appends a key binding JWT to a presentation that has none. The signer's key must be the one in cnf; another gives
// ErrHolderKey.
func Bind(presentation string, b Binding, signer crypto.Signer) (string, error) {
	t, err := Parse(presentation)
	if err != nil {
		return "", err
	}
	if t.binding != "" {
		return "", fmt.Errorf("it is bound already: %w", ErrBinding)
	}
	key, err := t.HolderKey()
	if err != nil {
		return "", err
	}
	if own, ok := key.(interface{ Equal(crypto.PublicKey) bool }); !ok || !own.Equal(signer.Public()) {
		return "", fmt.Errorf("the signer's key is another: %w", ErrHolderKey)
	}
	claims := map[string]any{
		"aud": b.Audience, "nonce": b.Nonce, "iat": b.IssuedAt.Unix(), "sd_hash": t.Hash.digest(t.presented),
	}
	if len(b.TransactionHashes) > 0 {
		claims["transaction_data_hashes"] = b.TransactionHashes
		if b.TransactionAlg != "" {
			claims["transaction_data_hashes_alg"] = b.TransactionAlg
		}
	}
	raw, err := schemas.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("key binding: %w", err)
	}
	signed, err := jose.Sign(map[string]any{"typ": TypeKeyBinding}, raw, signer)
	if err != nil {
		return "", err
	}
	return t.presented + signed, nil
}
