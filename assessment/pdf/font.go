package pdf

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// report.ttf.gz is a subset of Noto Sans SC under the SIL Open Font License 1.1 (font/OFL.txt); font/build.py makes it.
//
//go:embed font/report.ttf.gz
var packed []byte

// typeface is the font and the characters that it has.
type typeface struct {
	data  []byte
	known map[rune]bool
	// plain maps quotation marks to their typewriter forms: the font has the Chinese ones, as wide as an ideograph.
	plain map[rune]rune
}

// loadFont unpacks the font; it takes some tens of milliseconds.
func loadFont(lang string) (typeface, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return typeface{}, fmt.Errorf("report font: %w", err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return typeface{}, fmt.Errorf("report font: %w", err)
	}
	known, err := characters(data)
	if err != nil {
		return typeface{}, fmt.Errorf("report font: %w", err)
	}
	f := typeface{data: data, known: known}
	if lang == "en" {
		f.plain = map[rune]rune{'“': '"', '”': '"', '‘': '\'', '’': '\''}
	}
	return f, nil
}

var errFont = errors.New("no readable character map")

// characters reads which characters a TrueType font has, from its format 4 character map (OpenType 1.9, cmap).
func characters(font []byte) (map[rune]bool, error) {
	u16 := func(at int) int {
		if at < 0 || at+2 > len(font) {
			return 0
		}
		return int(binary.BigEndian.Uint16(font[at:]))
	}
	u32 := func(at int) int { return u16(at)<<16 | u16(at+2) }
	cmap := 0
	for k := range u16(4) {
		if record := 12 + 16*k; record+16 <= len(font) && string(font[record:record+4]) == "cmap" {
			cmap = u32(record + 8)
		}
	}
	for k := range u16(cmap + 2) {
		table := cmap + u32(cmap+4+8*k+4)
		if cmap == 0 || u16(table) != 4 {
			continue
		}
		known, segments := map[rune]bool{}, u16(table+6)/2
		ends, starts := table+14, table+16+2*segments
		for s := range segments {
			for c := u16(starts + 2*s); c <= u16(ends+2*s) && c != 0xffff; c++ {
				known[rune(c)] = true
			}
		}
		return known, nil
	}
	return nil, errFont
}

// Geta stands for characters that the font lacks, as in East Asian print.
const geta = '〓'

// fit replaces what the font cannot draw, and drops what has no form of its own (variation selectors, joiners, skin tones).
func (f typeface) fit(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if plain, ok := f.plain[r]; ok {
			r = plain
		}
		switch {
		case f.known[r]:
			out = append(out, r)
		case r == '\n' || r == '\t':
			out = append(out, ' ')
		case r >= 0xfe00 && r <= 0xfe0f, r >= 0x200b && r <= 0x200f, r == 0xfeff, r >= 0x1f3fb && r <= 0x1f3ff:
		default:
			out = append(out, geta)
		}
	}
	return string(out)
}
