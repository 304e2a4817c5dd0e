package qr_test

import (
	"bytes"
	"image/png"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"heartmark/api/qr"

	qrcode "github.com/skip2/go-qrcode"
)

// TestSVGIsTheCode draws the SVG's path back into modules and compares them with the encoder's own.
func TestSVGIsTheCode(t *testing.T) {
	t.Parallel()
	const text = "openid4vp://?client_id=x&request_uri=https%3A%2F%2Fdei.example%2Foid4vp%2Fabc"
	drawing, err := qr.SVG(text)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	want := code.Bitmap()
	got := make([][]bool, len(want))
	for i := range got {
		got[i] = make([]bool, len(want))
	}
	runs := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1H\d+z`).FindAllStringSubmatch(string(drawing), -1)
	for _, run := range runs {
		x, _ := strconv.Atoi(run[1])
		y, _ := strconv.Atoi(run[2])
		n, _ := strconv.Atoi(run[3])
		for i := range n {
			got[y][x+i] = true
		}
	}
	for y := range want {
		for x := range want[y] {
			if got[y][x] != want[y][x] {
				t.Fatalf("module %d,%d differs", x, y)
			}
		}
	}
	picture, err := qr.PNG(text, 300)
	if err != nil {
		t.Fatal(err)
	}
	if decoded, err := png.Decode(bytes.NewReader(picture)); err != nil || decoded.Bounds().Dx() != 300 {
		t.Errorf("PNG: %v", err)
	}
	if _, err := qr.SVG(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text too long for a code was drawn")
	}
}
