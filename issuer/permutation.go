package issuer

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Permutation is a keyed order of the numbers 0 to n-1. Taking At(0), At(1) and so on draws them at random without
// replacement, in constant time and with no list in memory (protocols section 11.3). It may be used by many goroutines.
type Permutation struct {
	n     uint64
	half  uint // bits in one half
	block cipher.Block
}

// rounds of the Feistel network. Small halves need more of them than the four that large ones do.
const rounds = 12

// PermutationKeySize is the length of a permutation's key in bytes.
const PermutationKeySize = 16

// NewPermutation returns the order of 0 to n-1 under key; n is from 2 to 2^40.
func NewPermutation(key []byte, n uint64) (*Permutation, error) {
	if len(key) != PermutationKeySize || n < 2 || n > 1<<40 {
		return nil, fmt.Errorf("permutation of %d with a key of %d bytes: out of range", n, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("permutation: %w", err)
	}
	return &Permutation{n: n, half: uint(bits.Len64(n-1)+1) / 2, block: block}, nil
}

// At returns the number at position i, which must be below n. The network permutes all numbers of its width; those
// outside the range are permuted again until one falls inside (cycle walking), which keeps the whole a permutation.
func (p *Permutation) At(i uint64) uint64 {
	if i >= p.n {
		panic("issuer: position outside the permutation")
	}
	for {
		if i = p.feistel(i); i < p.n {
			return i
		}
	}
}

func (p *Permutation) feistel(x uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	left, right := x>>p.half, x&mask
	var in, out [aes.BlockSize]byte
	for r := range byte(rounds) {
		in[0] = r
		binary.BigEndian.PutUint64(in[8:], right)
		p.block.Encrypt(out[:], in[:])
		left, right = right, left^(binary.BigEndian.Uint64(out[:])&mask)
	}
	return left<<p.half | right
}
