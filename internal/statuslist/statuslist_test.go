package statuslist_test

import (
	"bytes"
	stdgzip "compress/gzip"
	stdzlib "compress/zlib"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"heartmark/internal/statuslist"
)

func newBits(t testing.TB, n, size int) statuslist.Bits {
	t.Helper()
	b, err := statuslist.NewBits(n, size)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pack writes encodedList without this package.
func pack(t testing.TB, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := stdgzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(out.Bytes())
}

// SEC-075: index 0 is the left-most bit.
func TestBitOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		place int
		value byte
		want  uint64
	}{
		{"first byte 0x40", 0, 0x40, 1},
		{"second byte 0x01", 1, 0x01, 15},
		{"first byte 0x80", 0, 0x80, 0},
		{"last byte 0x01", statuslist.MinEntries/8 - 1, 0x01, statuslist.MinEntries - 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			raw := make([]byte, statuslist.MinEntries/8)
			raw[c.place] = c.value
			read, err := statuslist.Decode(pack(t, raw), 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range uint64(read.Len()) {
				got, err := read.Get(i)
				if err != nil {
					t.Fatal(err)
				}
				if (got == 1) != (i == c.want) {
					t.Fatalf("Get(%d) = %d; only %d is set", i, got, c.want)
				}
			}
			written := newBits(t, statuslist.MinEntries, 1)
			if err := written.Set(c.want, 1); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(written.Bytes(), raw) {
				t.Errorf("Set(%d) wrote other bits than byte %d = %#x", c.want, c.place, c.value)
			}
		})
	}
}

func TestRoundTripAllSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 4, 8} {
		rng := rand.New(rand.NewPCG(1, uint64(size)))
		bits := newBits(t, statuslist.MinEntries, size)
		tokens, err := statuslist.NewTokens(statuslist.MinEntries, size)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]uint8, bits.Len())
		for i := range want {
			want[i] = uint8(rng.IntN(1 << size))
			if err := errors.Join(bits.Set(uint64(i), want[i]), tokens.Set(uint64(i), want[i])); err != nil {
				t.Fatal(err)
			}
		}
		encoded, err := bits.Encode()
		if err != nil {
			t.Fatal(err)
		}
		gotBits, err := statuslist.Decode(encoded, 0)
		if err != nil {
			t.Fatal(err)
		}
		if gotBits, err = gotBits.WithSize(size); err != nil {
			t.Fatal(err)
		}
		lst, err := tokens.Encode()
		if err != nil {
			t.Fatal(err)
		}
		gotTokens, err := statuslist.DecodeTokens(lst, size, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			b, errB := gotBits.Get(uint64(i))
			k, errK := gotTokens.Get(uint64(i))
			if errB != nil || errK != nil || b != w || k != w {
				t.Fatalf("size %d, index %d: bits %d (%v), tokens %d (%v), want %d", size, i, b, errB, k, errK, w)
			}
		}
	}
}

// SEC-073: lists too short for herd privacy.
func TestCheckLength(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bytes, size int
		ok          bool
	}{{1, 1, false}, {128, 1, false}, {131072/8 - 1, 1, false}, {131072 / 8, 2, false}, {131072 / 8, 1, true}, {131072 / 4, 2, true}} {
		read, err := statuslist.Decode(pack(t, make([]byte, c.bytes)), 0)
		if err != nil {
			t.Fatal(err)
		}
		sized, err := read.WithSize(c.size)
		if err != nil {
			t.Fatal(err)
		}
		if err := sized.CheckLength(); errors.Is(err, statuslist.ErrLength) == c.ok {
			t.Errorf("%d bytes of size %d: CheckLength() = %v, want ok %t", c.bytes, c.size, err, c.ok)
		}
	}
}

// SEC-074: an index outside the list, or no plain number.
func TestIndexOutside(t *testing.T) {
	t.Parallel()
	b := newBits(t, statuslist.MinEntries, 1)
	for _, i := range []uint64{statuslist.MinEntries, 1 << 63, ^uint64(0)} {
		if _, err := b.Get(i); !errors.Is(err, statuslist.ErrRange) {
			t.Errorf("Get(%d) = %v, want ErrRange", i, err)
		}
		if err := b.Set(i, 1); !errors.Is(err, statuslist.ErrRange) {
			t.Errorf("Set(%d) = %v, want ErrRange", i, err)
		}
	}
	// 2^63 entries of 2 bits start at bit 2^64, which is bit 0 to a reader that overflows.
	wide, err := b.WithSize(2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wide.Get(1 << 63); !errors.Is(err, statuslist.ErrRange) {
		t.Errorf("Get(1<<63) of size 2 = %v, want ErrRange", err)
	}
	if err := b.Set(0, 2); !errors.Is(err, statuslist.ErrRange) {
		t.Errorf("Set(0, 2) in one bit = %v, want ErrRange", err)
	}
}

func TestParseIndex(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want uint64
		err  error
	}{
		{"0", 0, nil},
		{"94567", 94567, nil},
		{"18446744073709551615", 1<<64 - 1, nil},
		{"18446744073709551616", 0, statuslist.ErrRange},
		{strings.Repeat("9", 5000), 0, statuslist.ErrRange},
		{"", 0, statuslist.ErrEncoding},
		{"-1", 0, statuslist.ErrEncoding},
		{"+1", 0, statuslist.ErrEncoding},
		{"01", 0, statuslist.ErrEncoding},
		{" 1", 0, statuslist.ErrEncoding},
		{"1 ", 0, statuslist.ErrEncoding},
		{"1_0", 0, statuslist.ErrEncoding},
		{"0x1", 0, statuslist.ErrEncoding},
		{"1e3", 0, statuslist.ErrEncoding},
		{"1.0", 0, statuslist.ErrEncoding},
		{"\u0661", 0, statuslist.ErrEncoding},
		{"\uff11", 0, statuslist.ErrEncoding},
		{"1\x00", 0, statuslist.ErrEncoding},
	} {
		got, err := statuslist.ParseIndex(c.in)
		if !errors.Is(err, c.err) || got != c.want {
			t.Errorf("ParseIndex(%.30q) = %d, %v, want %d, %v", c.in, got, err, c.want, c.err)
		}
	}
}

// SEC-077: encoding errors.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good := pack(t, bytes.Repeat([]byte{0xff, 0x00, 0x3e}, 300))
	raw, err := base64.RawURLEncoding.DecodeString(good[1:])
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	var z bytes.Buffer
	w := stdzlib.NewWriter(&z)
	if _, err := w.Write(make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(raw)
	flipped[len(flipped)-6] ^= 1
	for name, in := range map[string]string{
		"empty": "", "only prefix": "u", "no prefix": good[1:], "base64 prefix": "m" + good[1:], "upper prefix": "U" + good[1:],
		"padded": good + "==", "standard alphabet": "u" + base64.RawStdEncoding.EncodeToString([]byte{0xfb, 0xff, 0xfe}), "line end": good[:9] + "\n" + good[9:],
		"space": good[:9] + " " + good[9:], "unused low bits": "uAB", "zlib": "u" + enc(z.Bytes()), "not compressed": "u" + enc(make([]byte, 64)),
		"two members": "u" + enc(append(bytes.Clone(raw), raw...)), "trailing byte": "u" + enc(append(bytes.Clone(raw), 0)),
		"truncated": "u" + enc(raw[:len(raw)-3]), "checksum": "u" + enc(flipped), "no bits": pack(t, nil),
	} {
		if _, err := statuslist.Decode(in, 0); !errors.Is(err, statuslist.ErrEncoding) {
			t.Errorf("%s: Decode(%.40q) = %v, want ErrEncoding", name, in, err)
		}
	}
	if _, err := statuslist.DecodeTokens(good[1:], 1, 0); !errors.Is(err, statuslist.ErrEncoding) {
		t.Errorf("DecodeTokens(gzip) = %v, want ErrEncoding", err)
	}
	if _, err := statuslist.DecodeTokens(enc(append(z.Bytes(), 0)), 1, 0); !errors.Is(err, statuslist.ErrEncoding) {
		t.Errorf("DecodeTokens with a trailing byte = %v, want ErrEncoding", err)
	}
	if _, err := statuslist.DecodeTokens(enc(z.Bytes()), 3, 0); !errors.Is(err, statuslist.ErrSize) {
		t.Errorf("DecodeTokens with 3 bits = %v, want ErrSize", err)
	}
}

// SEC-076: bombs stop at the cap.
func TestDecodeBomb(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := stdgzip.NewWriterLevel(&out, stdgzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	bomb := "u" + base64.RawURLEncoding.EncodeToString(out.Bytes())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := statuslist.Decode(bomb, 0); !errors.Is(err, statuslist.ErrTooLarge) {
		t.Errorf("Decode(64 MiB) = %v, want ErrTooLarge", err)
	}
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 150 {
		t.Errorf("opening a bomb allocated %d MiB in all", used)
	}
	if _, err := statuslist.Decode(bomb, 1<<40); !errors.Is(err, statuslist.ErrTooLarge) {
		t.Errorf("Decode(64 MiB) with a cap above the limit = %v, want ErrTooLarge", err)
	}
	if _, err := statuslist.Decode("u"+strings.Repeat("A", statuslist.MaxPackedBytes+1), 0); !errors.Is(err, statuslist.ErrTooLarge) {
		t.Errorf("Decode(2 MiB of text) = %v, want ErrTooLarge", err)
	}
	exact, err := statuslist.Decode(pack(t, make([]byte, 1024)), 1024)
	if err != nil || exact.Len() != 8192 {
		t.Errorf("Decode at the cap = %d, %v", exact.Len(), err)
	}
	if _, err := statuslist.Decode(pack(t, make([]byte, 1025)), 1024); !errors.Is(err, statuslist.ErrTooLarge) {
		t.Errorf("Decode one over the cap = %v, want ErrTooLarge", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, size int
		err     error
	}{{0, 1, statuslist.ErrLength}, {-8, 1, statuslist.ErrLength}, {12, 1, statuslist.ErrLength}, {8, 3, statuslist.ErrSize}, {8, 0, statuslist.ErrSize}, {1 << 40, 1, statuslist.ErrLength}} {
		if _, err := statuslist.NewBits(c.n, c.size); !errors.Is(err, c.err) {
			t.Errorf("NewBits(%d, %d) = %v, want %v", c.n, c.size, err, c.err)
		}
	}
	var zero statuslist.Bits
	if _, err := zero.Get(0); !errors.Is(err, statuslist.ErrRange) {
		t.Errorf("zero list: Get(0) = %v, want ErrRange", err)
	}
}

func FuzzBitstringOpen(f *testing.F) {
	f.Add(pack(f, make([]byte, 16384)))
	f.Add(pack(f, []byte{0x40, 0x01}))
	f.Add("uH4sIAAAAAAAAA")
	f.Add("u")
	f.Fuzz(func(t *testing.T, in string) {
		b, err := statuslist.Decode(in, 1<<20)
		if err != nil {
			return
		}
		again, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		c, err := statuslist.Decode(again, 1<<20)
		if err != nil || !bytes.Equal(b.Bytes(), c.Bytes()) {
			t.Fatalf("%q opens to other bits after encoding again: %v", in, err)
		}
		if _, err := b.Get(uint64(b.Len())); !errors.Is(err, statuslist.ErrRange) {
			t.Fatalf("read past the end: %v", err)
		}
	})
}

func FuzzStatusIndex(f *testing.F) {
	for _, s := range []string{"0", "94567", "01", "-1", "18446744073709551616", "\u0661"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		n, err := statuslist.ParseIndex(in)
		if err == nil && formatUint(n) != in {
			t.Fatalf("ParseIndex(%q) = %d, a second spelling", in, n)
		}
	})
}

// formatUint writes n without the package that ParseIndex reads with.
func formatUint(n uint64) string {
	digits := []byte{byte('0' + n%10)}
	for n /= 10; n > 0; n /= 10 {
		digits = append([]byte{byte('0' + n%10)}, digits...)
	}
	return string(digits)
}

func sparse(b testing.TB) statuslist.Bits {
	list := newBits(b, statuslist.MinEntries, 1)
	rng := rand.New(rand.NewPCG(7, 7))
	for range statuslist.MinEntries / 100 {
		if err := list.Set(rng.Uint64N(statuslist.MinEntries), 1); err != nil {
			b.Fatal(err)
		}
	}
	return list
}

func BenchmarkEncode(b *testing.B) {
	list := sparse(b)
	encoded, err := list.Encode()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := list.Encode(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(encoded)), "bytes/list")
}

func BenchmarkDecode(b *testing.B) {
	encoded, err := sparse(b).Encode()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := statuslist.Decode(encoded, 0); err != nil {
			b.Fatal(err)
		}
	}
}
