package pdf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"heartmark/assessment"
	"heartmark/assessment/pdf"
	"heartmark/schemas"
)

func number(v float64) *float64 { return &v }

func code(s string) *string { return &s }

// report has one scored dimension with everything that a page can show, and three without a score.
func report() assessment.Report {
	r := assessment.Report{
		Schema: assessment.Schema, Subject: "u7", ID: "urn:uuid:1", Platforms: []string{"plaza"}, Window: assessment.Window{From: "2026-01-01", To: "2026-03-01"},
		Model: assessment.ReportModel{ID: "m", SHA256: strings.Repeat("ab", 32)}, Dimensions: map[schemas.Dimension]assessment.DimensionReport{},
		Overall: assessment.Overall{Status: assessment.StatusPartial}, Caveats: []string{assessment.CaveatProvisionalScale, assessment.CaveatCarePath},
		Quality: assessment.Quality{Messages: 9, Scored: 9, Languages: map[string]float64{"en": 1}, Dropped: map[string]int{"bot": 2}, Scenes: map[string]int{"game": 3, "social": 4}},
	}
	for _, d := range schemas.Dimensions() {
		r.Dimensions[d] = assessment.DimensionReport{Status: assessment.StatusInsufficient, Reasons: []assessment.Reason{{Code: "opportunities", EN: "Too few days.", ZH: "天数不足。"}}}
	}
	r.Dimensions[schemas.DimensionSocialAwareness] = assessment.DimensionReport{
		Status: assessment.StatusScored, Score: number(66), Interval90: &[2]float64{56, 76}, SEM: number(6), Level: code("proficient"),
		Opportunities: 71, Facets: map[string]assessment.FacetReport{"SO1": {Mean: 0.6, N: 20, Info: 9}, "SO2": {Mean: 0.7, N: 10, Info: 1}},
		Evidence: []assessment.Evidence{
			{Message: "m2", Quote: "I'm so sorry 😀 鑫龘", Facet: "SO2", Direction: "+", Highlights: []assessment.Highlight{{Start: 0, End: 12, Weight: 0.4}}},
			{Message: "m3", Quote: strings.Repeat("whatever ", 30), Facet: "SO2", Direction: "-"},
		},
		Timeline: []assessment.Period{
			{From: "2026-01-01", To: "2026-01-20", Score: 60, Interval90: [2]float64{50, 70}, Opportunities: 30},
			{From: "2026-02-01", To: "2026-03-01", Score: 70, Interval90: [2]float64{60, 80}, Opportunities: 41},
		},
	}
	return r
}

func TestRender(t *testing.T) {
	t.Parallel()
	thin := report()
	thin.Dimensions[schemas.DimensionSocialAwareness] = assessment.DimensionReport{Status: assessment.StatusUnavailable}
	thin.Window = assessment.Window{}
	plan := &assessment.PagePlan{
		Modules: []assessment.PagePlanModule{{Title: "Module", Exercises: []string{"one"}, Scenarios: []assessment.PagePlanScenario{{Scene: "game", Message: "Hello."}}}},
		Missing: [][2]string{{"Dimension", "advice"}},
	}
	for _, tc := range []struct {
		name   string
		report assessment.Report
		o      assessment.HTMLOptions
		want   []string
		not    []string
	}{
		{
			"whole, English", report(),
			assessment.HTMLOptions{Lang: "en", Plan: plan, HelpText: "Call 000."},
			[]string{"Social awareness", "Proficient", "sorry 〓 鑫〓", "Too few days.", "Over time", "Call 000.", "Module", "urn:uuid:1", "provisional"},
			[]string{"天数"},
		},
		{"whole, Chinese", report(), assessment.HTMLOptions{Lang: "zh-CN", Contestable: true}, []string{"社交意识", "熟练", "天数不足。", "随时间的变化", "14 天内"}, []string{"Too few"}},
		{"nothing scored", thin, assessment.HTMLOptions{Lang: "en"}, []string{"not available", "What is missing"}, []string{"Over time"}},
		{"an empty report", assessment.Report{Subject: "u7"}, assessment.HTMLOptions{}, []string{"u7"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var first, second bytes.Buffer
			if err := pdf.Render(&first, tc.report, tc.o); err != nil {
				t.Fatal(err)
			}
			if err := pdf.Render(&second, tc.report, tc.o); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Errorf("the same report gave other bytes (%v)", err)
			}
			if !bytes.HasPrefix(first.Bytes(), []byte("%PDF-")) || bytes.Contains(first.Bytes(), []byte("/JavaScript")) {
				t.Error("not a PDF, or one with a script")
			}
			text := strings.Join(strings.Fields(words(t, first.Bytes())), " ")
			for _, w := range tc.want {
				if !strings.Contains(strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(w, " ", "")) {
					t.Errorf("%q is not in the text", w)
				}
			}
			for _, w := range tc.not {
				if strings.Contains(text, w) {
					t.Errorf("%q is in the text", w)
				}
			}
		})
	}
}

// words returns the text of a PDF as written by Render: the strings of all content streams, which stand in the order of reading.
func words(t *testing.T, file []byte) string {
	t.Helper()
	var b strings.Builder
	for rest := file; ; {
		_, after, ok := bytes.Cut(rest, []byte("stream\n"))
		if !ok {
			break
		}
		rest = after
		z, err := zlib.NewReader(bytes.NewReader(after))
		if err != nil {
			continue // an uncompressed stream holds no page
		}
		content, _ := io.ReadAll(z) // what follows the stream ends it
		for _, m := range regexp.MustCompile(`(?s)\(((?:\\.|[^\\()])*)\)\s*Tj`).FindAllSubmatch(content, -1) {
			b.WriteString(decode(m[1]))
		}
	}
	if b.Len() == 0 {
		t.Fatal("no text in the file")
	}
	return b.String()
}

// decode reads a PDF string of two-byte characters.
func decode(raw []byte) string {
	var plain []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) {
			i++
			if r, ok := map[byte]byte{'r': '\r', 'n': '\n'}[raw[i]]; ok {
				plain = append(plain, r)
				continue
			}
		}
		plain = append(plain, raw[i])
	}
	var units []uint16
	for i := 0; i+1 < len(plain); i += 2 {
		units = append(units, binary.BigEndian.Uint16(plain[i:]))
	}
	return string(utf16.Decode(units))
}

// SEC-143: what a stranger wrote stays text.
func TestRenderHostileText(t *testing.T) {
	t.Parallel()
	r := report()
	r.Subject = ") Tj ET /JavaScript (" + strings.Repeat("\u202e", 10) + "\x00\xff\\"
	var b bytes.Buffer
	if err := pdf.Render(&b, r, assessment.HTMLOptions{Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	if got := words(t, b.Bytes()); !strings.Contains(got, ") Tj ET /JavaScript (") {
		t.Error("the subject's name was not set as text")
	}
}

func ExampleRender() {
	var b bytes.Buffer
	err := pdf.Render(&b, assessment.Report{Subject: "u7"}, assessment.HTMLOptions{Lang: "zh"})
	fmt.Println(err, bytes.HasPrefix(b.Bytes(), []byte("%PDF-1")))
	// Output: <nil> true
}
