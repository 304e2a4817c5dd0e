package jose

import (
	"crypto"
	"fmt"

	"heartmark/schemas"

	"github.com/lestrrat-go/jwx/v2/jws"
)

// Sign returns the compact JWS of payload under the given protected header. alg is set from the signer's key; a header
// that already has one is refused, so that nobody chooses it by text. What Sign returns passes Parse and Verify.
func Sign(header map[string]any, payload []byte, signer crypto.Signer) (string, error) {
	pub := signer.Public()
	alg, _, err := forKey(pub)
	if err != nil {
		return "", err
	}
	if _, ok := header["alg"]; ok {
		return "", fmt.Errorf("alg is the key's, not the caller's: %w", ErrAlgorithm)
	}
	raw, err := schemas.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	headers := jws.NewHeaders()
	if len(header) > 0 {
		if err := headers.(interface{ UnmarshalJSON([]byte) error }).UnmarshalJSON(raw); err != nil {
			return "", fmt.Errorf("header: %w", err)
		}
	}
	out, err := jws.Sign(payload, jws.WithKey(alg, signer, jws.WithProtectedHeaders(headers)), jws.WithCompact())
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	// What cannot be read back strictly is not given out.
	token, err := Parse(string(out))
	if err != nil {
		return "", fmt.Errorf("signed token: %w", err)
	}
	if err := token.Verify(pub); err != nil {
		return "", fmt.Errorf("signed token: %w", err)
	}
	return string(out), nil
}
