package dataintegrity

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"

	"github.com/mr-tron/base58"
)

// The cryptosuites, by the names that proofs carry.
const (
	EdDSARDFC2022 = "eddsa-rdfc-2022"
	EdDSAJCS2022  = "eddsa-jcs-2022"
	ECDSARDFC2019 = "ecdsa-rdfc-2019"
	ECDSAJCS2019  = "ecdsa-jcs-2019"
	ECDSASD2023   = "ecdsa-sd-2023" // with selective disclosure: Sign makes a base proof, Check takes a derived one
)

// suite is what a cryptosuite adds to the common steps.
type suite struct {
	jcs bool // canonical JSON instead of canonical N-Quads is signed
	sd  bool // statements are signed one by one
	alg algorithm
}

// algorithm is a signature algorithm with the keys it takes.
type algorithm interface {
	// hash returns the hash for key, or ErrKey.
	hash(key crypto.PublicKey) (crypto.Hash, error)
	// size returns the length in bytes of signatures by key.
	size(key crypto.PublicKey) int
	// sign signs data with signer, whose key hash has accepted.
	sign(signer crypto.Signer, data []byte) ([]byte, error)
	// verify tells whether signature, of the right length, is one over data.
	verify(key crypto.PublicKey, data, signature []byte) bool
}

func lookUp(name string) (suite, error) {
	switch name {
	case EdDSARDFC2022:
		return suite{alg: eddsa{}}, nil
	case EdDSAJCS2022:
		return suite{jcs: true, alg: eddsa{}}, nil
	case ECDSARDFC2019:
		return suite{alg: ecdsaP{}}, nil
	case ECDSAJCS2019:
		return suite{jcs: true, alg: ecdsaP{}}, nil
	case ECDSASD2023:
		return suite{sd: true, alg: ecdsaP256{}}, nil
	}
	return suite{}, fmt.Errorf("%w: %.100q", ErrUnknownSuite, name)
}

func digest(h crypto.Hash, dst, data []byte) []byte {
	if h == crypto.SHA384 {
		sum := sha512.Sum384(data)
		return append(dst, sum[:]...)
	}
	sum := sha256.Sum256(data)
	return append(dst, sum[:]...)
}

// encodeValue spells a signature as proofValue: multibase base58btc.
func encodeValue(signature []byte) string { return "z" + base58.Encode(signature) }

// decodeValue reads a proofValue of size bytes. Each signature has one spelling.
func decodeValue(s string, size int) ([]byte, error) {
	if len(s) < 2 || s[0] != 'z' || len(s) > 2*size {
		return nil, fmt.Errorf("%w: proofValue: expected base58btc of %d bytes", ErrProofShape, size)
	}
	b, err := base58.Decode(s[1:])
	if err != nil || len(b) != size || encodeValue(b) != s {
		return nil, fmt.Errorf("%w: proofValue: expected base58btc of %d bytes", ErrProofShape, size)
	}
	return b, nil
}
