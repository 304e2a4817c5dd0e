// Package qrcode draws QR codes (ISO/IEC 18004) as PNG and SVG: black on white with the quiet zone that readers need, at
// error correction level M. It reads none.
package qrcode

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	qr "github.com/skip2/go-qrcode"
)

// ModuleSize is the width and height of one module of a PNG in pixels.
const ModuleSize = 8

// PNG returns a QR code of text as a PNG picture. It fails for a text that is too long for one code.
func PNG(text string) ([]byte, error) {
	code, err := qr.New(text, qr.Medium)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	picture, err := code.PNG(-ModuleSize)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	return picture, nil
}

// SVG returns a QR code of text as an SVG picture without script, style or reference. It fails as PNG does.
func SVG(text string) ([]byte, error) {
	code, err := qr.New(text, qr.Medium)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	rows := code.Bitmap()
	side := strconv.Itoa(len(rows))
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + ` ` + side + `" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h` + side + `v` + side + `H0z"/><path d="`)
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			width := 0
			for x+width < len(row) && row[x+width] {
				width++
			}
			if width > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, width, width)
				x += width
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String()), nil
}

// DataURL returns the SVG picture as an address that a page may show. It fails as PNG does.
func DataURL(text string) (string, error) {
	picture, err := SVG(text)
	if err != nil {
		return "", err
	}
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(picture), nil
}
