package statuslist_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"heartmark/internal/statuslist"
	"heartmark/internal/testkit"
)

var (
	bitsField  = regexp.MustCompile(`"bits": *([0-9]+)`)
	lstField   = regexp.MustCompile(`"lst": *"([A-Za-z0-9_-]+)"`)
	byteArray  = regexp.MustCompile(`byte_array = \[([0-9a-fx, ]+)\]`)
	whitespace = regexp.MustCompile(`\s+`)
)

// The lists printed in the Token Status List draft open, have the bytes that it prints, and encode back to the same bits.
func TestTokenStatusListVectors(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/token-status-list")
	files, err := filepath.Glob(filepath.Join(dir, "status_list_encoding*json.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no vectors")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		size, lst := vectorFields(t, file, string(text))
		list, err := statuslist.DecodeTokens(lst, size, 0)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if m := byteArray.FindStringSubmatch(string(text)); m != nil {
			want, err := hex.DecodeString(strings.NewReplacer("0x", "", ",", "", " ", "").Replace(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(list.Bytes(), want) {
				t.Errorf("%s: bytes %x, want %x", filepath.Base(file), list.Bytes(), want)
			}
		}
		again, err := list.Encode()
		if err != nil {
			t.Fatal(err)
		}
		reread, err := statuslist.DecodeTokens(again, size, 0)
		if err != nil || !bytes.Equal(reread.Bytes(), list.Bytes()) {
			t.Errorf("%s: encodes to other bits: %v", filepath.Base(file), err)
		}
	}
}

func vectorFields(t *testing.T, file, text string) (size int, lst string) {
	t.Helper()
	joined := whitespace.ReplaceAllString(text, "")
	b, l := bitsField.FindStringSubmatch(joined), lstField.FindStringSubmatch(joined)
	if b == nil || l == nil {
		t.Fatalf("%s has no list", file)
	}
	size, err := strconv.Atoi(b[1])
	if err != nil {
		t.Fatal(err)
	}
	return size, l[1]
}

// The values that the draft's text gives for its first two examples (4.1), from the least significant bit.
func TestTokenOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lst  string
		size int
		want []uint8
	}{
		{"eNrbuRgAAhcBXQ", 1, []uint8{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1}},
		{"eNo76fITAAPfAgc", 2, []uint8{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3}},
	} {
		list, err := statuslist.DecodeTokens(c.lst, c.size, 0)
		if err != nil {
			t.Fatal(err)
		}
		written, err := statuslist.NewTokens(len(c.want), c.size)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if got, err := list.Get(uint64(i)); err != nil || got != want {
				t.Errorf("%s: Get(%d) = %d, %v, want %d", c.lst, i, got, err, want)
			}
			if err := written.Set(uint64(i), want); err != nil {
				t.Fatal(err)
			}
		}
		// Compressors differ in their output; what counts is the bits.
		if !bytes.Equal(written.Bytes(), list.Bytes()) {
			t.Errorf("%s: Set wrote %x, want %x", c.lst, written.Bytes(), list.Bytes())
		}
	}
}
