// Package qr draws QR codes (ISO/IEC 18004) as PNG and SVG, for links that a phone reads from a screen.
package qr

import (
	"encoding/base64"
	"fmt"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// level corrects up to 15 percent of the code: enough for screens, and a shorter code than more would make.
const level = qrcode.Medium

// PNG returns the code as an image of side pixels.
func PNG(text string, side int) ([]byte, error) {
	image, err := qrcode.Encode(text, level, side)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	return image, nil
}

// SVG returns the code as a drawing that scales: dark on white, with its quiet zone.
func SVG(text string) ([]byte, error) {
	code, err := qrcode.New(text, level)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	rows := code.Bitmap()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`,
		len(rows), len(rows), len(rows), len(rows))
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x < len(row) && row[x] {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1H%dz", from, y, x-from, from)
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String()), nil
}

// DataURL returns the drawing as an address that a page may show.
func DataURL(text string) (string, error) {
	drawing, err := SVG(text)
	if err != nil {
		return "", err
	}
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(drawing), nil
}
