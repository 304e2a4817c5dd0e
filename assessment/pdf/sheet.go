package pdf

import (
	"fmt"
	"io"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// Measures in millimetres, and the colours of the page.
const (
	pageWidth, pageHeight    = 210.0, 297.0
	marginX, marginTop, foot = 18.0, 18.0, 20.0
	inner                    = pageWidth - 2*marginX
	point                    = 0.3528 // mm
)

// colour is 0xRRGGBB.
type colour uint32

const (
	ink   colour = 0x2b2a33
	soft  colour = 0x6a6672
	line  colour = 0xe8dfd5
	rose  colour = 0xb4435a
	blush colour = 0xf6e3e3
	teal  colour = 0x2f7f86
	mist  colour = 0xdcecec
	gold  colour = 0xa8742a
)

// levelColours fill the four levels; partColours tell the parts of a whole apart.
func levelColours() [4]colour { return [4]colour{0xefe4d9, 0xe6d6cd, 0xcfe0df, 0xa9cccd} }

func partColours() [8]colour {
	return [8]colour{0x7fb5ba, 0xe3b7b0, 0xcdd9b0, 0xecd9a8, 0xc3bcd8, 0xb9cfe3, 0xe0c3da, 0xd2cec8}
}

func (c colour) rgb() (r, g, b int) { return int(c >> 16 & 255), int(c >> 8 & 255), int(c & 255) }

// style is how text is set.
type style struct {
	size   float64 // points
	colour colour
	bold   bool
	indent float64 // mm from the left margin
	gap    float64 // mm after the paragraph
}

// span is a piece of a paragraph; a marked one is underlined in the mark's colour.
type span struct {
	text string
	mark *colour
	deep bool
}

// sheet lays text out from top to bottom, and begins pages where they are needed.
type sheet struct {
	pdf  *fpdf.Fpdf
	font typeface
	y    float64
}

const family = "report"

func newSheet(title, lang, footer string, made time.Time) (*sheet, error) {
	font, err := loadFont(lang)
	if err != nil {
		return nil, err
	}
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCatalogSort(true) // the same report, the same bytes
	f.SetCreationDate(made)
	f.SetModificationDate(made)
	f.SetProducer("Heartmark", true)
	f.SetTitle(title, true)
	f.SetLang(map[string]string{"en": "en", "zh": "zh-CN"}[lang])
	f.SetAutoPageBreak(false, 0)
	f.AddUTF8FontFromBytes(family, "", font.data)
	s := &sheet{pdf: f, font: font}
	f.SetFooterFunc(func() {
		s.set(style{size: 8, colour: soft})
		f.Text(marginX, pageHeight-10, font.fit(footer))
		page := fmt.Sprint(f.PageNo())
		f.Text(pageWidth-marginX-f.GetStringWidth(page), pageHeight-10, page)
	})
	s.page()
	return s, f.Error()
}

func (s *sheet) page() {
	s.pdf.AddPage()
	s.y = marginTop
}

// room begins a page unless height is left on this one.
func (s *sheet) room(height float64) {
	if s.y+height > pageHeight-foot {
		s.page()
	}
}

func (s *sheet) set(st style) {
	s.pdf.SetFont(family, "", st.size)
	s.pdf.SetTextColor(st.colour.rgb())
	s.pdf.SetTextRenderingMode(0)
	if st.bold { // one weight is embedded: the bold one is drawn with an outline
		s.pdf.SetDrawColor(st.colour.rgb())
		s.pdf.SetLineWidth(st.size * point * 0.022)
		s.pdf.SetTextRenderingMode(2)
	}
}

func (s *sheet) fill(c colour) { s.pdf.SetFillColor(c.rgb()) }

func (s *sheet) draw(c colour, width float64) {
	s.pdf.SetDrawColor(c.rgb())
	s.pdf.SetLineWidth(width)
}

// label writes one line at a place: align is -1 to begin there, 0 to be centred, 1 to end there.
func (s *sheet) label(x, y float64, align int, text string, st style) {
	s.set(st)
	text = s.font.fit(text)
	switch width := s.pdf.GetStringWidth(text); align {
	case 0:
		x -= width / 2
	case 1:
		x -= width
	}
	s.pdf.Text(x, y, text)
	s.pdf.SetTextRenderingMode(0)
}

func (s *sheet) text(text string, st style) { s.spans([]span{{text: text}}, st) }

// word is what is not broken: letters up to a space, or one ideograph with the marks that must follow it.
type word struct {
	text  string
	width float64
	from  *span
}

// words cuts spans where a line may end.
func (s *sheet) words(spans []span) []word {
	var out []word
	for i := range spans {
		var current []rune
		flush := func() {
			if len(current) > 0 {
				out = append(out, word{string(current), s.pdf.GetStringWidth(string(current)), &spans[i]})
				current = nil
			}
		}
		for _, r := range s.font.fit(spans[i].text) {
			switch {
			case r == ' ':
				current = append(current, r)
				flush()
			case stays(r) && len(current) == 0 && len(out) > 0 && out[len(out)-1].from == &spans[i]:
				last := &out[len(out)-1]
				last.text += string(r)
				last.width = s.pdf.GetStringWidth(last.text)
			case wide(r):
				flush()
				current = append(current, r)
				flush()
			default:
				current = append(current, r)
			}
		}
		flush()
	}
	return out
}

// wide characters may each end a line.
func wide(r rune) bool { return r >= 0x2e80 && !stays(r) }

// stays reports whether a character must not begin a line.
func stays(r rune) bool {
	return unicode.Is(unicode.Pe, r) || unicode.Is(unicode.Pf, r) || (r > 0x2e80 && unicode.Is(unicode.Po, r) && r != '〓')
}

// spans sets a paragraph.
func (s *sheet) spans(spans []span, st style) {
	s.set(st)
	words, width := s.words(spans), inner-st.indent
	height := st.size * point * 1.55
	for start := 0; start < len(words); {
		end, used := start, 0.0
		for end < len(words) && (end == start || used+trimmed(s, words[end]) <= width) {
			used += words[end].width
			end++
		}
		s.room(height)
		s.set(st)
		x := marginX + st.indent
		for _, w := range words[start:end] {
			s.word(x, s.y+height*0.72, w, st)
			x += w.width
		}
		s.y += height
		start = end
	}
	s.y += st.gap
	s.pdf.SetTextRenderingMode(0)
}

// trimmed is the width of a word at the end of a line, where its space does not count.
func trimmed(s *sheet, w word) float64 {
	if n := len(w.text); n > 0 && w.text[n-1] == ' ' {
		return w.width - s.pdf.GetStringWidth(" ")
	}
	return w.width
}

func (s *sheet) word(x, y float64, w word, st style) {
	if w.from.mark != nil {
		s.draw(*w.from.mark, 0.45)
		s.pdf.Line(x, y+0.9, x+trimmed(s, w), y+0.9)
		s.set(style{size: st.size, colour: st.colour, bold: w.from.deep})
	}
	s.pdf.Text(x, y, w.text)
	if w.from.mark != nil {
		s.set(st)
	}
}

// height is how much a paragraph would take, for keeping things together.
func (s *sheet) height(spans []span, st style) float64 {
	s.set(st)
	lines, used := 1, 0.0
	for _, w := range s.words(spans) {
		if used > 0 && used+trimmed(s, w) > inner-st.indent {
			lines, used = lines+1, 0
		}
		used += w.width
	}
	s.pdf.SetTextRenderingMode(0)
	return float64(lines)*st.size*point*1.55 + st.gap
}

func (s *sheet) write(w io.Writer) error {
	if err := s.pdf.Output(w); err != nil {
		return fmt.Errorf("report as PDF: %w", err)
	}
	return nil
}
