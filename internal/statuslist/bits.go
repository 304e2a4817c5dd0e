package statuslist

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"iter"
	"slices"

	"github.com/klauspost/compress/gzip"
)

// Sizes of lists.
const (
	// MinEntries is the least number of entries of a list, for herd privacy (Bitstring Status List 1.0, 3.3).
	MinEntries = 131072
	// MaxOpenBytes is the cap on an opened list.
	MaxOpenBytes = 16 << 20
	// MaxPackedBytes is the cap on an encoded list.
	MaxPackedBytes = 2 << 20
	// maxSize bounds the bits per entry: Bitstring Status List 1.0 allows more than this project will ever read.
	maxSize = 8
)

// Bits is a Bitstring Status List: entries of Size bits, entry 0 in the most significant bits of byte 0. Copies share the
// bits. It is not safe for use while another goroutine sets; reading from many goroutines is safe.
type Bits struct {
	data []byte
	size int
}

// NewBits returns a list of n entries of size bits, all zero. n times size must be a multiple of 8, so that the list has
// no entry that nobody counts; size is 1, 2, 4 or 8.
func NewBits(n, size int) (Bits, error) {
	length, err := byteLength(n, size)
	if err != nil {
		return Bits{}, err
	}
	return Bits{data: make([]byte, length), size: size}, nil
}

// FromBytes returns the list that stands in data, which it copies.
func FromBytes(data []byte, size int) (Bits, error) {
	if err := checkSize(size); err != nil {
		return Bits{}, err
	}
	if len(data) == 0 || len(data) > MaxOpenBytes {
		return Bits{}, fmt.Errorf("%d bytes: %w", len(data), ErrLength)
	}
	return Bits{data: slices.Clone(data), size: size}, nil
}

// Len returns the number of entries.
func (b Bits) Len() int {
	if b.size == 0 {
		return 0
	}
	return len(b.data) * 8 / b.size
}

// Size returns the bits per entry.
func (b Bits) Size() int { return b.size }

// Bytes returns a copy of the opened list.
func (b Bits) Bytes() []byte { return slices.Clone(b.data) }

// WithSize returns the same bits read with size bits per entry: the list does not say its size, the credential's entry
// does (statusSize).
func (b Bits) WithSize(size int) (Bits, error) {
	if err := checkSize(size); err != nil {
		return Bits{}, err
	}
	return Bits{data: b.data, size: size}, nil
}

// CheckLength returns ErrLength for a list of fewer than MinEntries entries.
func (b Bits) CheckLength() error {
	if n := b.Len(); n < MinEntries {
		return fmt.Errorf("%d entries, need %d: %w", n, MinEntries, ErrLength)
	}
	return nil
}

// Get returns the value of the entry at index, and ErrRange past the end.
func (b Bits) Get(index uint64) (uint8, error) {
	if index >= uint64(b.Len()) {
		return 0, fmt.Errorf("index %d of %d: %w", index, b.Len(), ErrRange)
	}
	place, shift := b.locate(index)
	return b.data[place] >> shift & b.mask(), nil
}

// Each goes through the indexes of the entries that are not 0, in their order.
func (b Bits) Each() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		each := uint64(8 / max(b.size, 1))
		for place, octet := range b.data {
			if octet == 0 {
				continue
			}
			for index := uint64(place) * each; index < uint64(place+1)*each; index++ {
				if value, err := b.Get(index); err == nil && value != 0 && !yield(index) {
					return
				}
			}
		}
	}
}

// Set writes the value of the entry at index. It returns ErrRange past the end and for a value that does not fit.
func (b Bits) Set(index uint64, value uint8) error {
	if index >= uint64(b.Len()) {
		return fmt.Errorf("index %d of %d: %w", index, b.Len(), ErrRange)
	}
	if value > b.mask() {
		return fmt.Errorf("value %d in %d bits: %w", value, b.size, ErrRange)
	}
	place, shift := b.locate(index)
	b.data[place] = b.data[place]&^(b.mask()<<shift) | value<<shift
	return nil
}

// locate returns the byte of an entry and how far right its bits stand from the byte's end.
func (b Bits) locate(index uint64) (place uint64, shift uint) {
	bit := index * uint64(b.size)
	return bit / 8, uint(8-b.size) - uint(bit%8)
}

func (b Bits) mask() uint8 { return uint8(1<<b.size - 1) }

// Encode returns the list as encodedList has it: "u", then base64url without padding of the GZIP of the bits. The same
// list gives the same text.
func (b Bits) Encode() (string, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.DefaultCompression)
	if err != nil {
		return "", fmt.Errorf("gzip: %w", err)
	}
	if _, err := w.Write(b.data); err != nil {
		return "", fmt.Errorf("gzip: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("gzip: %w", err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(packed.Bytes()), nil
}

// Decode opens encodedList as entries of one bit; see WithSize for more. maxOpen is the cap on the opened list in bytes;
// 0 stands for MaxOpenBytes, and no cap lies above that. It returns ErrEncoding and ErrTooLarge.
func Decode(encoded string, maxOpen int) (Bits, error) {
	if len(encoded) == 0 || encoded[0] != 'u' {
		return Bits{}, fmt.Errorf(`encodedList does not begin with "u": %w`, ErrEncoding)
	}
	packed, err := decodeBase64(encoded[1:])
	if err != nil {
		return Bits{}, err
	}
	in := bytes.NewReader(packed)
	r, err := gzip.NewReader(in)
	if err != nil {
		return Bits{}, fmt.Errorf("encodedList is not GZIP: %w", ErrEncoding)
	}
	// One member only: what follows it would be bits for one reader and nothing for another.
	r.Multistream(false)
	data, err := open(r, in, maxOpen)
	if err != nil {
		return Bits{}, err
	}
	return Bits{data: data, size: 1}, nil
}
