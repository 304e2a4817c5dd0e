package evidence_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/assessment/evidence"
)

func now() time.Time { return time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC) }

func options() evidence.Options {
	return evidence.Options{Now: now, NewSalt: func() [16]byte { return [16]byte{7} }}
}

func readFile(t *testing.T, name string, o evidence.Options) (evidence.Batch, evidence.Issues, error) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	return evidence.Read(f, o)
}

func TestReadJSONL(t *testing.T) {
	t.Parallel()
	b, issues, err := readFile(t, "small.jsonl", options())
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if issues.Total != 0 || len(b.Receipts) != 1 || b.Receipts[0].Subject != "u7" || b.Receipts[0].Vouched {
		t.Errorf("issues %v receipts %+v", issues, b.Receipts)
	}
	var got []string
	for _, m := range b.Messages {
		got = append(got, m.ID+"/"+m.Day+"/"+string(rune('0'+m.Part))+"/"+string(m.Text))
	}
	want := []string{
		"m1/2026-03-01/0/My dog passed away this morning.",
		"m2/2026-03-01/0/I'm so sorry. How are you holding up? Write me at <EMAIL>",
		"m4/2026-03-01/1/stays",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("messages\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(b.Messages[1].Reactions) != 1 || b.Counts["deleted"] != 1 || b.Counts["edited"] != 1 || b.Counts["unknown_fields"] != 1 {
		t.Errorf("reactions %v counts %v", b.Messages[1].Reactions, b.Counts)
	}
}

func TestDigestFollowsContentNotOrder(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/small.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	digest := func(text string, salt byte) string {
		o := options()
		o.NewSalt = func() [16]byte { return [16]byte{salt} }
		b, _, err := evidence.Read(strings.NewReader(text), o)
		if err != nil {
			t.Fatal(err)
		}
		return b.Digests[evidence.Subject("plaza-vr", "u7")]
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	first := digest(string(data), 7)
	if len(first) != 7+64 || !strings.HasPrefix(first, "sha256:") {
		t.Errorf("digest %q", first)
	}
	if got := digest(strings.Join(lines, "\n"), 7); got != first {
		t.Errorf("digest of reversed lines = %s, want %s", got, first)
	}
	if digest(string(data), 8) == first {
		t.Error("another salt gave the same digest")
	}
	if digest(strings.Replace(string(data), "stays", "leaves", 1), 7) == first {
		t.Error("another text gave the same digest")
	}
}

const consentLine = `{"v":1,"type":"consent","id":"c1","ts":"2026-03-01T09:00:00Z","platform":"p","actor":"u","purposes":["process","score"],"adult":true,"policy":"1","expires":"2026-09-01T00:00:00Z"}` + "\n"

func message(fields string) string {
	return `{"v":1,"type":"message","id":"m1","ts":"2026-03-01T09:00:05Z","platform":"p","actor":"u","conversation":"r","text":"hello"` + fields + "}\n"
}

func TestBadLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line, field, code string
	}{
		"not json":        {"hello", "", evidence.CodeMalformed},
		"duplicate name":  {`{"v":1,"v":1}`, "/v", evidence.CodeMalformed},
		"trailing":        {strings.TrimSpace(message("")) + "{}", "", evidence.CodeMalformed},
		"version":         {strings.Replace(message(""), `"v":1`, `"v":2`, 1), "/v", evidence.CodeVersion},
		"version string":  {strings.Replace(message(""), `"v":1`, `"v":"1"`, 1), "/v", evidence.CodeVersion},
		"unknown type":    {strings.Replace(message(""), `"message"`, `"typing"`, 1), "/type", evidence.CodeUnknownType},
		"no text":         {strings.Replace(message(""), `,"text":"hello"`, ``, 1), "/text", evidence.CodeMissing},
		"text a number":   {strings.Replace(message(""), `"hello"`, `5`, 1), "/text", evidence.CodeType},
		"text too long":   {strings.Replace(message(""), `hello`, strings.Repeat("我", 8001), 1), "/text", evidence.CodeTooLong},
		"no conversation": {strings.Replace(message(""), `,"conversation":"r"`, ``, 1), "/conversation", evidence.CodeMissing},
		"ts no offset":    {strings.Replace(message(""), `05Z`, `05`, 1), "/ts", evidence.CodeTime},
		"ts before 2000":  {strings.Replace(message(""), `2026-03`, `1999-03`, 1), "/ts", evidence.CodeTime},
		"ts ahead":        {strings.Replace(message(""), `2026-03-01T09:00`, `2026-04-01T12:11`, 1), "/ts", evidence.CodeTime},
		"scene kind":      {message(`,"scene":{"id":"x","kind":"office"}`), "/scene/kind", evidence.CodeValue},
		"scene work":      {message(`,"scene":{"id":"x","kind":"work"}`), "/scene/kind", evidence.CodeScene},
		"scene class":     {message(`,"scene":{"id":"x","kind":"class"}`), "/scene/kind", evidence.CodeScene},
		"role":            {message(`,"role":"boss"`), "/role", evidence.CodeValue},
		"flags":           {message(`,"flags":["odd"]`), "/flags", evidence.CodeValue},
		"to":              {message(`,"to":"u2"`), "/to", evidence.CodeType},
		"lone surrogate":  {strings.Replace(message(""), "hello", `\ud800`, 1), "/text", evidence.CodeMalformed},
		"underage":        {strings.Replace(strings.Replace(consentLine, `"adult":true`, `"adult":false`, 1), "c1", "c2", 1), "/adult", evidence.CodeUnderage},
		"edit of nothing": {`{"v":1,"type":"edit","id":"e","ts":"2026-03-01T09:00:05Z","platform":"p","actor":"u","target":"zz","text":"x"}`, "/target", evidence.CodeUnknownTarget},
		"line too long":   {`{"v":1,"x":"` + strings.Repeat("a", evidence.MaxLine) + `"}`, "", evidence.CodeTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := consentLine + strings.Replace(message(""), "m1", "m0", 1) + c.line
			_, _, err := evidence.Read(strings.NewReader(in), options())
			var refused *evidence.RefusedError
			if !errors.As(err, &refused) || !errors.Is(err, evidence.ErrBadLines) {
				t.Fatalf("Read = %v, want ErrBadLines", err)
			}
			if len(refused.Issues.List) != 1 {
				t.Fatalf("issues %v, want one", refused.Issues.List)
			}
			i := refused.Issues.List[0]
			if i.Line != 3 || i.Code != c.code || i.Field != c.field || i.Expected == "" {
				t.Errorf("issue %+v, want line 3, field %q, code %q", i, c.field, c.code)
			}
		})
	}
}

func TestIDConflict(t *testing.T) {
	t.Parallel()
	same := consentLine + message("") + message("")
	b, _, err := evidence.Read(strings.NewReader(same), options())
	if err != nil || b.Counts["duplicate"] != 1 || len(b.Messages) != 1 {
		t.Errorf("the same event twice: %v, counts %v", err, b.Counts)
	}
	other := consentLine + message("") + strings.Replace(message(""), "hello", "goodbye", 1)
	_, issues, err := evidence.Read(strings.NewReader(other), options())
	if !errors.Is(err, evidence.ErrBadLines) || issues.List[0].Code != evidence.CodeIDConflict {
		t.Errorf("the same id with other content: %v %v", err, issues)
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(consentLine)
	for i := range 40 {
		b.WriteString(strings.Replace(message(""), "m1", "m"+strings.Repeat("x", i+1), 1))
	}
	o := options()
	o.OnError = evidence.OnErrorSkip
	batch, issues, err := evidence.Read(strings.NewReader(b.String()+"bad\n"), o)
	if err != nil || issues.Total != 1 || issues.List[0].Line != 42 || len(batch.Messages) != 40 {
		t.Errorf("one bad line: %v, issues %v, %d messages", err, issues, len(batch.Messages))
	}
	if _, _, err = evidence.Read(strings.NewReader(b.String()+"bad\nbad\nbad\n"), o); !errors.Is(err, evidence.ErrBadLines) {
		t.Errorf("over 5 %% bad: %v, want ErrBadLines", err)
	}
	if _, _, err = evidence.Read(strings.NewReader(b.String()+"bad\n"), options()); !errors.Is(err, evidence.ErrBadLines) {
		t.Errorf("refuse is the default: %v", err)
	}
}

func TestConsentGate(t *testing.T) {
	t.Parallel()
	withdraw := `{"v":1,"type":"withdraw","id":"w","ts":"2026-03-02T09:00:00Z","platform":"p","actor":"u"}` + "\n"
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"no consent line":     {message(""), evidence.ErrNoConsent},
		"ended":               {strings.Replace(consentLine, "2026-09", "2026-03", 1) + message(""), evidence.ErrNoConsent},
		"without score":       {strings.Replace(consentLine, `,"score"`, ``, 1) + message(""), evidence.ErrNoConsent},
		"withdrawn":           {consentLine + message("") + withdraw, evidence.ErrWithdrawn},
		"withdrawn, then new": {consentLine + message("") + withdraw + strings.Replace(strings.Replace(consentLine, "c1", "c2", 1), "2026-03-01", "2026-03-03", 1), nil},
		"live":                {consentLine + message(""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _, err := evidence.Read(strings.NewReader(c.in), options())
			if !errors.Is(err, c.want) {
				t.Fatalf("Read = %v, want %v", err, c.want)
			}
			if c.want != nil && (len(b.Messages) > 0 || len(b.Receipts) > 0) {
				t.Error("a refused batch must hold nothing")
			}
		})
	}
}

func TestVoluntaryScene(t *testing.T) {
	t.Parallel()
	o := options()
	o.Voluntary = "own training, agreed 2026-01-02, no disadvantage on refusal"
	if _, _, err := evidence.Read(strings.NewReader(consentLine+message(`,"scene":{"id":"x","kind":"work"}`)), o); err != nil {
		t.Errorf("a documented voluntary purpose: %v", err)
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format, subject string
		texts           []string
	}{
		"small.csv":        {"csv", "Pat", []string{`My dog passed away, "Rex"`, "I'm so sorry, <NAME>. How are you?"}},
		"discord.json":     {"discord", "pat", []string{"My dog passed away", "So sorry, <NAME>", "beep"}},
		"slack.json":       {"slack", "U2", []string{"My dog passed away <HANDLE>", "So sorry & all my love, see <URL>"}},
		"whatsapp.txt":     {"text", "Pat", []string{"My dog passed away\nthis morning", "So sorry, <NAME>"}},
		"whatsapp_ios.txt": {"text", "Pat", []string{"My dog passed away", "So sorry"}},
		"wechat.txt":       {"text", "小明", []string{"我家的狗今天走了", "<NAME>，太难过了，抱抱你\n有事打我电话 <PHONE>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := readFile(t, name, options()); !errors.Is(err, evidence.ErrNoConsent) {
				t.Errorf("without --subject: %v, want ErrNoConsent", err)
			}
			o := options()
			o.Subject, o.Consent = c.subject, []string{"process", "score"}
			b, issues, err := readFile(t, name, o)
			if err != nil {
				t.Fatalf("Read: %v %v", err, issues)
			}
			if b.Format != c.format || !b.Receipts[0].Vouched {
				t.Errorf("format %q receipt %+v", b.Format, b.Receipts[0])
			}
			var got []string
			mine := 0
			for _, m := range b.Messages {
				got = append(got, string(m.Text))
				if m.Actor == c.subject {
					mine++
				}
				if m.Day < "2026-03-01" || m.Day > "2026-03-13" {
					t.Errorf("day %s", m.Day)
				}
			}
			if mine == 0 || strings.Join(got, "|") != strings.Join(c.texts, "|") {
				t.Errorf("%d own messages, texts %q, want %q", mine, got, c.texts)
			}
			o.Subject = "nobody"
			if _, _, err := readFile(t, name, o); !errors.Is(err, evidence.ErrNoConsent) {
				t.Errorf("a subject who is not there: %v", err)
			}
		})
	}
}

func TestAmbiguousDates(t *testing.T) {
	t.Parallel()
	in := "03/04/2026, 10:00 - A B: hi\n04/04/2026, 10:00 - Pat: hello\n"
	o := options()
	o.Now = nil
	o.Subject, o.Consent = "Pat", []string{"process", "score"}
	if _, _, err := evidence.Read(strings.NewReader(in), o); !errors.Is(err, evidence.ErrFormat) {
		t.Errorf("ambiguous dates: %v, want ErrFormat", err)
	}
	o.DayFirst = "month"
	b, _, err := evidence.Read(strings.NewReader(in), o)
	if err != nil || b.Messages[0].Day != "2026-03-04" {
		t.Errorf("month first: %v", err)
	}
}

func TestFormatUnknown(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"just some words\nand more", "\x00\x01\x02", "<html>"} {
		if _, _, err := evidence.Read(strings.NewReader(in), options()); !errors.Is(err, evidence.ErrRefused) {
			t.Errorf("Read(%q) = %v, want a refusal", in, err)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	o := options()
	o.MaxEvents = 1
	if _, _, err := evidence.Read(strings.NewReader(consentLine+message("")), o); !errors.Is(err, evidence.ErrTooLarge) {
		t.Errorf("Read = %v, want ErrTooLarge", err)
	}
}

func TestCare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"I want to die": true, "i will kill you": true, "我不想活了": true, "想死你了": false, "this game is killing it": false,
		"I could die for a pizza": false, "thinking about suicide": true, "他说要杀了他": true,
	} {
		b, _, err := evidence.Read(strings.NewReader(consentLine+strings.Replace(message(""), "hello", text, 1)), options())
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Messages[0].Care; got != want {
			t.Errorf("care(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestSaltKeyMakesRetriesEqual(t *testing.T) {
	t.Parallel()
	read := func(key, text string) evidence.Batch {
		b, _, err := evidence.Read(strings.NewReader(consentLine+strings.Replace(message(""), "hello", text, 1)), evidence.Options{SaltKey: []byte(key)})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, b := read("k", "hello"), read("k", "hello")
	subject := evidence.Subject("p", "u")
	if a.Salt != b.Salt || a.Digests[subject] != b.Digests[subject] {
		t.Error("the same submission gave another digest")
	}
	if read("other", "hello").Salt == a.Salt || read("k", "bye").Salt == a.Salt {
		t.Error("another key or text gave the same salt")
	}
}

func BenchmarkRead(b *testing.B) {
	var in strings.Builder
	in.WriteString(consentLine)
	for k := range 100_000 {
		fmt.Fprintf(&in, `{"v":1,"type":"message","id":"m%d","ts":"2026-03-01T09:%02d:%02dZ","platform":"p","actor":"u%d","conversation":"r%d","text":"hello there, how was the match on Sunday? I could not come."}`+"\n", k, k/60%60, k%60, k%2, k/20)
	}
	for b.Loop() {
		o := options()
		if _, _, err := evidence.Read(strings.NewReader(strings.ReplaceAll(in.String(), `"u1"`, `"u"`)), o); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func TestQuotedLinesAreNotOnesOwn(t *testing.T) {
	t.Parallel()
	in := consentLine + strings.Replace(message(""), "hello", `> you are all wrong\nI see it another way >_<`, 1)
	b, _, err := evidence.Read(strings.NewReader(in), options())
	if err != nil || string(b.Messages[0].Text) != "I see it another way >_<" {
		t.Errorf("text %q, %v", string(b.Messages[0].Text), err)
	}
}
