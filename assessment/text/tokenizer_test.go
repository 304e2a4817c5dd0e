package text_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"heartmark/assessment/text"
)

func loadTokenizer(tb testing.TB) *text.Tokenizer {
	tb.Helper()
	data, err := os.ReadFile("../model/files/tokenizer.json")
	if err != nil {
		tb.Fatal(err)
	}
	tok, err := text.NewTokenizer(data)
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

type golden struct {
	Text string  `json:"text"`
	IDs  []int32 `json:"ids"`
}

func readGolden(tb testing.TB) []golden {
	tb.Helper()
	file, err := os.Open("testdata/tokenizer_golden.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	var all []golden
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g golden
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			tb.Fatal(err)
		}
		all = append(all, g)
	}
	if len(all) == 0 || lines.Err() != nil {
		tb.Fatalf("golden file: %d lines, %v", len(all), lines.Err())
	}
	return all
}

// The design asks for equal ids in 99.9 % of the lines, the differences listed.
func TestEncodeAgreesWithReference(t *testing.T) {
	t.Parallel()
	tok := loadTokenizer(t)
	all := readGolden(t)
	different := 0
	for i, g := range all {
		if got := tok.Encode(g.Text); !slices.Equal(got, g.IDs) {
			different++
			t.Logf("line %d: Encode(%q) = %v, reference %v", i+1, g.Text, got, g.IDs)
		}
	}
	t.Logf("%d of %d lines differ", different, len(all))
	if different*1000 > len(all) {
		t.Errorf("%d of %d lines differ from the reference, want at most 0.1 %%", different, len(all))
	}
}

// The golden file is JSON and cannot hold broken UTF-8. Each broken byte reads as U+FFFD does, wherever it stands.
func TestBrokenBytesReadAsReplacement(t *testing.T) {
	t.Parallel()
	tok := loadTokenizer(t)
	n := 0
	for _, g := range readGolden(t) {
		for at, r := range g.Text {
			if at%7 != 3 || r == utf8.RuneError {
				continue
			}
			for _, bad := range []string{"\xff", "\xc3", "\xf0\x9f\x98", "\xed\xa0\x80"} {
				broken, whole := g.Text[:at]+bad+g.Text[at:], g.Text[:at]+"\uFFFD"+g.Text[at:]
				if got, want := tok.Encode(broken), tok.Encode(whole); !slices.Equal(got, want) {
					t.Fatalf("Encode(%q) = %v, want %v", broken, got, want)
				}
				n++
			}
			break
		}
	}
	if n < 1000 {
		t.Errorf("%d broken texts were tried", n)
	}
}

func TestTypedMarksArePlainText(t *testing.T) {
	t.Parallel()
	tok := loadTokenizer(t)
	for _, s := range []string{"<s>", "</s>", "<pad>", "<unk>", "[self]", "[other]", "<s> ", "</s> "} {
		for _, id := range tok.Encode(s) {
			if id == text.IDBegin || id == text.IDPad || id == text.IDEnd || id == text.IDSelf || id == text.IDOther {
				t.Errorf("Encode(%q) = %v has a mark", s, tok.Encode(s))
			}
		}
	}
}

func TestEncodePair(t *testing.T) {
	t.Parallel()
	tok := loadTokenizer(t)
	context := []text.Turn{{Self: true, Text: "hello"}, {Text: strings.Repeat("bad day ", 200)}, {Text: "my dog died"}}
	ids := tok.EncodePair(context, "I'm so sorry", text.MaxContext, text.MaxMessage)
	ends := 0
	for _, id := range ids {
		if id == text.IDEnd {
			ends++
		}
	}
	if ids[0] != text.IDBegin || ids[1] != text.IDOther || ids[len(ids)-1] != text.IDEnd || ends != 2 {
		t.Errorf("EncodePair = %v: want <s> [other] … </s> … </s>", ids)
	}
	if at := slices.Index(ids, text.IDEnd); at != text.MaxContext+1 {
		t.Errorf("the context has %d tokens, want the full %d", at-1, text.MaxContext)
	}
	if slices.Contains(ids, text.IDSelf) {
		t.Error("the oldest turn is still there; the context is cut from its old end")
	}
	long, cut := tok.Single(strings.Repeat("word ", 300), 96)
	if !cut || len(long) != 98 {
		t.Errorf("Single of 300 words: %d ids, cut %v, want 98, true", len(long), cut)
	}
	if got := tok.EncodePair(nil, "hi", 96, 96); len(got) < 3 || got[0] != text.IDBegin || got[len(got)-1] != text.IDEnd {
		t.Errorf("EncodePair without context = %v", got)
	}
	if got := tok.EncodePair(nil, "", 96, 96); !slices.Equal(got, []int64{text.IDBegin, text.IDEnd}) {
		t.Errorf("EncodePair of nothing = %v", got)
	}
}

func TestNewTokenizerRefuses(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../model/files/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	cases := map[string]string{
		"not JSON":         "{",
		"other model":      strings.Replace(good, `"type":"Unigram"`, `"type":"BPE"`, 1),
		"other normalizer": strings.Replace(good, `"type":"NFKC"`, `"type":"NFC"`, 1),
		"no prepend":       strings.Replace(good, `"prepend_scheme":"always"`, `"prepend_scheme":"never"`, 1),
		"added tokens":     strings.Replace(good, `"added_tokens":[]`, `"added_tokens":[{"id":0}]`, 1),
		"mark as a piece":  strings.Replace(good, `"<s> "`, `"<s>"`, 1),
	}
	for name, file := range cases {
		if file == good {
			t.Fatalf("%s: nothing replaced", name)
		}
		if _, err := text.NewTokenizer([]byte(file)); !errors.Is(err, text.ErrTokenizer) {
			t.Errorf("%s: NewTokenizer = %v, want ErrTokenizer", name, err)
		}
	}
}

// Whatever the bytes, ids are in range, no mark but <unk> appears, and valid text gives at least one id.
func FuzzEncode(f *testing.F) {
	tok := loadTokenizer(f)
	for _, g := range readGolden(f)[:80] {
		f.Add(g.Text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ids := tok.Encode(s)
		for _, id := range ids {
			if id < text.IDUnknown || id == text.IDSelf || id == text.IDOther || int(id) >= tok.Size() {
				t.Errorf("Encode(%q) = %v", s, ids)
			}
		}
		if len(ids) == 0 && s != "" && utf8.ValidString(s) {
			t.Errorf("Encode(%q) is empty", s)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tok := loadTokenizer(b)
	const s = "I'm so sorry to hear that, it sounds really hard. 你今天还好吗？要不要一起聊聊"
	b.ReportAllocs()
	tokens := 0
	for b.Loop() {
		tokens += len(tok.Encode(s))
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
}

func BenchmarkNewTokenizer(b *testing.B) {
	for b.Loop() {
		loadTokenizer(b)
	}
}

// The whole text path of a message with context.
func BenchmarkCleanAndEncodePair(b *testing.B) {
	tok := loadTokenizer(b)
	const s = "I'm so sorry to hear that, it sounds really hard. 你今天还好吗？要不要一起聊聊"
	b.ReportAllocs()
	for b.Loop() {
		view := text.Clean(s)
		tok.EncodePair([]text.Turn{{Text: view.Text}}, view.Text, text.MaxContext, text.MaxMessage)
	}
}
