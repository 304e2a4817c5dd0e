package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"

	"heartmark/schemas"
)

// Sign returns the compact JWS of payload under the given protected header. alg is set from the signer's key; a header
// that already has one is refused, so that nobody chooses it by text. What Sign returns passes Parse and Verify, ParseUpTo
// where it is longer than MaxTokenBytes. The signer may be one that takes whole messages only (crypto.MessageSigner).
func Sign(header map[string]any, payload []byte, signer crypto.Signer) (string, error) {
	pub := signer.Public()
	alg, size, err := forKey(pub)
	if err != nil {
		return "", err
	}
	if _, ok := header["alg"]; ok {
		return "", fmt.Errorf("alg is the key's, not the caller's: %w", ErrAlgorithm)
	}
	whole := map[string]any{"alg": alg.String()}
	maps.Copy(whole, header)
	raw, err := schemas.Marshal(whole)
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(raw) + "." + encode(payload)
	signature, err := signMessage(signer, []byte(input), size)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	out := input + "." + encode(signature)
	// What cannot be read back strictly is not given out.
	token, err := ParseUpTo(out, len(out))
	if err != nil {
		return "", fmt.Errorf("signed token: %w", err)
	}
	if err := token.Verify(pub); err != nil {
		return "", fmt.Errorf("signed token: %w", err)
	}
	return out, nil
}

// signMessage returns the signature as RFC 7518 (3.4) and RFC 8037 have it, of size bytes.
func signMessage(signer crypto.Signer, message []byte, size int) ([]byte, error) {
	key, isECDSA := signer.Public().(*ecdsa.PublicKey)
	if !isECDSA {
		return crypto.SignMessage(signer, rand.Reader, message, crypto.Hash(0))
	}
	hash := crypto.SHA256
	if key.Curve.Params().BitSize == 384 {
		hash = crypto.SHA384
	}
	der, err := crypto.SignMessage(signer, rand.Reader, message, hash)
	if err != nil {
		return nil, err
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) != 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 ||
		sig.R.BitLen() > size*4 || sig.S.BitLen() > size*4 {
		return nil, fmt.Errorf("signer gave no ASN.1 signature: %w", ErrSignature)
	}
	out := make([]byte, size)
	sig.R.FillBytes(out[:size/2])
	sig.S.FillBytes(out[size/2:])
	return out, nil
}
