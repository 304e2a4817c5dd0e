package qrcode_test

import (
	"bytes"
	"encoding/xml"
	"image"
	_ "image/png"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"heartmark/internal/qrcode"
)

const link = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fdei.example%2Foid4vci%2Facme%2Foffers%2Fabc"

var bar = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// The two pictures show the same modules.
func TestPicturesAgree(t *testing.T) {
	t.Parallel()
	svg, err := qrcode.SVG(link)
	if err != nil {
		t.Fatal(err)
	}
	var root struct {
		ViewBox string `xml:"viewBox,attr"`
	}
	if err := xml.Unmarshal(svg, &root); err != nil {
		t.Fatal(err)
	}
	side, err := strconv.Atoi(strings.Fields(root.ViewBox)[2])
	if err != nil {
		t.Fatal(err)
	}
	dark := map[[2]int]bool{}
	for _, m := range bar.FindAllStringSubmatch(string(svg), -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		w, _ := strconv.Atoi(m[3])
		for i := range w {
			dark[[2]int{x + i, y}] = true
		}
	}
	data, err := qrcode.PNG(link)
	if err != nil {
		t.Fatal(err)
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil || picture.Bounds().Dx() != side*qrcode.ModuleSize {
		t.Fatalf("PNG of %v, %v", picture.Bounds(), err)
	}
	const scale = qrcode.ModuleSize
	for y := range side {
		for x := range side {
			r, _, _, _ := picture.At(x*scale+scale/2, y*scale+scale/2).RGBA()
			if (r < 0x8000) != dark[[2]int{x, y}] {
				t.Fatalf("module %d,%d is dark in one picture only", x, y)
			}
		}
	}
	if len(dark) < side*side/4 {
		t.Errorf("only %d of %d modules are dark", len(dark), side*side)
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4000)
	if _, err := qrcode.SVG(long); err == nil {
		t.Error("SVG: accepted")
	}
	if _, err := qrcode.PNG(long); err == nil {
		t.Error("PNG: accepted")
	}
}
