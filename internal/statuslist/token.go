package statuslist

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zlib"
)

// Values of a token status list (Token Status List, 7.1).
const (
	TokenValid     uint8 = 0
	TokenInvalid   uint8 = 1
	TokenSuspended uint8 = 2
)

// Tokens is a Token Status List: entries of Size bits (1, 2, 4 or 8), entry 0 in the least significant bits of byte 0.
// Copies share the bits. It is not safe for use while another goroutine sets.
type Tokens struct {
	data []byte
	size int
}

// NewTokens returns a list of n entries of size bits, all TokenValid. n times size must be a multiple of 8.
func NewTokens(n, size int) (Tokens, error) {
	length, err := byteLength(n, size)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{data: make([]byte, length), size: size}, nil
}

// TokensFromBytes returns the list that stands in data, which it copies.
func TokensFromBytes(data []byte, size int) (Tokens, error) {
	b, err := FromBytes(data, size)
	return Tokens(b), err
}

// Len returns the number of entries.
func (t Tokens) Len() int { return Bits(t).Len() }

// Size returns the bits per entry ("bits" of the status_list claim).
func (t Tokens) Size() int { return t.size }

// Bytes returns a copy of the opened list.
func (t Tokens) Bytes() []byte { return slices.Clone(t.data) }

// CheckLength returns ErrLength for a list of fewer than MinEntries entries.
func (t Tokens) CheckLength() error { return Bits(t).CheckLength() }

// Get returns the value of the entry at index, and ErrRange past the end.
func (t Tokens) Get(index uint64) (uint8, error) {
	if index >= uint64(t.Len()) {
		return 0, fmt.Errorf("index %d of %d: %w", index, t.Len(), ErrRange)
	}
	bit := index * uint64(t.size)
	return t.data[bit/8] >> (bit % 8) & Bits(t).mask(), nil
}

// Set writes the value of the entry at index. It returns ErrRange past the end and for a value that does not fit.
func (t Tokens) Set(index uint64, value uint8) error {
	if index >= uint64(t.Len()) {
		return fmt.Errorf("index %d of %d: %w", index, t.Len(), ErrRange)
	}
	mask := Bits(t).mask()
	if value > mask {
		return fmt.Errorf("value %d in %d bits: %w", value, t.size, ErrRange)
	}
	bit := index * uint64(t.size)
	t.data[bit/8] = t.data[bit/8]&^(mask<<(bit%8)) | value<<(bit%8)
	return nil
}

// Encode returns the list as "lst" has it: base64url without padding of the ZLIB of the bits, at the highest level of
// compression (Token Status List, 4.1 recommends it).
func (t Tokens) Encode() (string, error) {
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		return "", fmt.Errorf("zlib: %w", err)
	}
	if _, err := w.Write(t.data); err != nil {
		return "", fmt.Errorf("zlib: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("zlib: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(packed.Bytes()), nil
}

// DecodeTokens opens "lst" with size bits per entry. maxOpen is the cap on the opened list in bytes; 0 stands for
// MaxOpenBytes, and no cap lies above that. It returns ErrSize, ErrEncoding and ErrTooLarge.
func DecodeTokens(lst string, size, maxOpen int) (Tokens, error) {
	if err := checkSize(size); err != nil {
		return Tokens{}, err
	}
	packed, err := decodeBase64(lst)
	if err != nil {
		return Tokens{}, err
	}
	in := bytes.NewReader(packed)
	r, err := zlib.NewReader(in)
	if err != nil {
		return Tokens{}, fmt.Errorf("lst is not ZLIB: %w", ErrEncoding)
	}
	data, err := open(r, in, maxOpen)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{data: data, size: size}, nil
}
