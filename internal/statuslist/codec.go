package statuslist

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ParseIndex reads statusListIndex: a base-10 integer without sign, space, leading zero or other digits. It returns
// ErrEncoding for any other text and ErrRange for a number beyond 64 bits.
func ParseIndex(text string) (uint64, error) {
	if text == "" || (text[0] == '0' && len(text) > 1) {
		return 0, fmt.Errorf("status list index: %w", ErrEncoding)
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, fmt.Errorf("status list index: %w", ErrEncoding)
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("status list index of %d digits: %w", len(text), ErrRange)
	}
	return n, nil
}

func checkSize(size int) error {
	switch size {
	case 1, 2, 4, maxSize:
		return nil
	}
	return fmt.Errorf("%d bits per entry: %w", size, ErrSize)
}

// byteLength returns the bytes of a list of n entries.
func byteLength(n, size int) (int, error) {
	if err := checkSize(size); err != nil {
		return 0, err
	}
	if n <= 0 || n > MaxOpenBytes*8/size || n*size%8 != 0 {
		return 0, fmt.Errorf("%d entries of %d bits: %w", n, size, ErrLength)
	}
	return n * size / 8, nil
}

// decodeBase64 reads base64url without padding, in the one spelling that encoding gives.
func decodeBase64(text string) ([]byte, error) {
	if len(text) > MaxPackedBytes {
		return nil, fmt.Errorf("%d characters: %w", len(text), ErrTooLarge)
	}
	// The standard decoder skips line ends, even when strict.
	if strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("line end in base64url: %w", ErrEncoding)
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("not base64url without padding: %w", ErrEncoding)
	}
	return data, nil
}

// open reads r to its end, at most maxOpen bytes, and refuses what is left of in after it.
func open(r io.Reader, in *bytes.Reader, maxOpen int) ([]byte, error) {
	if maxOpen <= 0 || maxOpen > MaxOpenBytes {
		maxOpen = MaxOpenBytes
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(maxOpen)+1))
	if len(data) > maxOpen {
		return nil, fmt.Errorf("more than %d bytes: %w", maxOpen, ErrTooLarge)
	}
	if err != nil {
		return nil, fmt.Errorf("compressed bits are damaged: %w", ErrEncoding)
	}
	if in.Len() != 0 {
		return nil, fmt.Errorf("%d bytes after the compressed bits: %w", in.Len(), ErrEncoding)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("no bits: %w", ErrEncoding)
	}
	return data, nil
}
