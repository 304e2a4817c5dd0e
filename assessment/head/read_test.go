package head_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/head"
	"heartmark/assessment/model"
)

func TestReadForms(t *testing.T) {
	t.Parallel()
	want := []head.Row{
		{Line: 1, ID: "a", Text: "Glad to help!", Context: []assessment.Turn{{Text: "Where is my parcel?"}}, Lang: "en", Group: "g1", Labels: []string{"warm"}, Part: head.Train},
		{Line: 2, ID: "b", Text: "请稍等，\n我查一下。", Lang: "zh", Labels: []string{"busy", "warm"}, Part: head.Test},
		{Line: 3, Text: "No.", Labels: []string{}},
	}
	jsonl := `{"id":"a","text":"Glad to help!","context":"Where is my parcel?","lang":"en-GB","group":"g1","label":" warm ","split":"train"}
{"id":"b","text":"请稍等，\n我查一下。","lang":"zh","labels":["warm","busy","warm"],"split":"test","note":"unknown"}
{"text":"No.","labels":[],"context":""}
`
	csv := "\xef\xbb\xbfid,Text,context,语言,group,labels,split,note\r\n" +
		"a,Glad to help!,Where is my parcel?,en,g1,warm,train,\r\n" +
		"b,\"请稍等，\n我查一下。\",,zh,,warm|busy,test,x\r\n" +
		",No.,,,,,,\r\n"
	for name, in := range map[string]string{"jsonl": jsonl, "csv": csv} {
		d, err := head.Read(strings.NewReader(in), head.ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range d.Rows {
			if name == "csv" {
				d.Rows[i].Line = want[i].Line // the header and the line break in a cell shift them
			}
		}
		if !reflect.DeepEqual(d.Rows, want) || d.Format != name || d.Unknown == 0 || len(d.SHA256) != 64 {
			t.Errorf("%s: Read = %+v\nwant %+v", name, d, want)
		}
	}
	turns := `{"text":"Sure.","label":"x","context":["hello",{"text":"hi","self":true},{"text":"well"}]}`
	d, err := head.Read(strings.NewReader(turns), head.ReadOptions{})
	if err != nil || !reflect.DeepEqual(d.Rows[0].Context, []assessment.Turn{{Text: "hello"}, {Self: true, Text: "hi"}, {Text: "well"}}) {
		t.Errorf("context = %+v, %v", d, err)
	}
}

func TestReadNamesBadLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 8001)
	cases := []struct {
		name, line  string
		kind        model.Kind
		field, code string
	}{
		{"not JSON", `text: hello`, "", "", evidence.CodeMalformed},
		{"list", `["hello"]`, "", "", evidence.CodeMalformed},
		{"repeated member", `{"text":"a","text":"b","label":"x"}`, "", "/text", evidence.CodeMalformed},
		{"no text", `{"label":"x"}`, "", "/text", evidence.CodeMissing},
		{"text of spaces", `{"text":" \u200b\t","label":"x"}`, "", "/text", evidence.CodeValue},
		{"number as text", `{"text":3,"label":"x"}`, "", "/text", evidence.CodeType},
		{"long text", `{"text":"` + long + `","label":"x"}`, "", "/text", evidence.CodeTooLong},
		{"long line", `{"text":"a","label":"x","note":"` + strings.Repeat(long, 9) + `"}`, "", "", evidence.CodeTooLong},
		{"no label", `{"text":"a"}`, "", "/label", evidence.CodeMissing},
		{"both forms", `{"text":"a","label":"x","labels":["x"]}`, "", "/labels", evidence.CodeValue},
		{"empty label", `{"text":"a","label":" "}`, "", "/label", evidence.CodeValue},
		{"number as label", `{"text":"a","label":1}`, "", "/label", evidence.CodeValue},
		{"label with line break", `{"text":"a","label":"x\ny"}`, "", "/label", evidence.CodeValue},
		{"long label", `{"text":"a","label":"` + strings.Repeat("é", 65) + `"}`, "", "/label", evidence.CodeValue},
		{"labels not a list", `{"text":"a","labels":"x"}`, "", "/labels", evidence.CodeType},
		{"two labels for softmax", `{"text":"a","labels":["x","y"]}`, model.Softmax, "/labels", evidence.CodeValue},
		{"no label for softmax", `{"text":"a","labels":[]}`, model.Softmax, "/labels", evidence.CodeValue},
		{"other language", `{"text":"a","label":"x","lang":"fr"}`, "", "/lang", evidence.CodeValue},
		{"unknown split", `{"text":"a","label":"x","split":"later"}`, "", "/split", evidence.CodeValue},
		{"number as group", `{"text":"a","label":"x","group":7}`, "", "/group", evidence.CodeType},
		{"context of numbers", `{"text":"a","label":"x","context":[1]}`, "", "/context/0", evidence.CodeType},
		{"context member", `{"text":"a","label":"x","context":[{"text":"b","who":"me"}]}`, "", "/context/0", evidence.CodeType},
		{"self not boolean", `{"text":"a","label":"x","context":[{"text":"b","self":"yes"}]}`, "", "/context/0", evidence.CodeType},
		{"long context", `{"text":"a","label":"x","context":[` + strings.Repeat(`"b",`, 16) + `"b"]}`, "", "/context", evidence.CodeType},
		{"same id", `{"id":"0","text":"Zanzibar","label":"x"}`, "", "/id", evidence.CodeIDConflict},
	}
	const good = `{"id":"0","text":"good","label":"x"}`
	for _, tc := range cases {
		in := good + "\n\n" + tc.line + "\n" + good + "\n"
		_, err := head.Read(strings.NewReader(in), head.ReadOptions{Format: evidence.FormatJSONL, Kind: tc.kind})
		refused, ok := errors.AsType[*evidence.RefusedError](err)
		if !ok || !errors.Is(err, evidence.ErrBadLines) || len(refused.Issues.List) != 1 {
			t.Errorf("%s: Read = %v, want one bad line", tc.name, err)
			continue
		}
		if got := refused.Issues.List[0]; got.Line != 3 || got.Field != tc.field || got.Code != tc.code || got.Expected == "" {
			t.Errorf("%s: issue %+v, want line 3, field %q, code %q", tc.name, got, tc.field, tc.code)
		}
		if strings.Contains(err.Error(), "Zanzibar") {
			t.Errorf("%s: the error quotes the text: %v", tc.name, err)
		}
	}
}

func TestReadCSVFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, in string
		want     error
		line     int
	}{
		{"empty", "", evidence.ErrFormat, 0},
		{"no text column", "words,label\na,b\n", evidence.ErrFormat, 0},
		{"no label column", "text,lang\na,en\n", evidence.ErrFormat, 0},
		{"both label columns", "text,label,labels\na,b,c\n", evidence.ErrFormat, 0},
		{"short row", "text,label\na,x\nb\n", evidence.ErrBadLines, 3},
		{"bare quote", "text,label\na,x\nb\"c,x\n", evidence.ErrBadLines, 3},
		{"not UTF-8", "text,label\n\xff\xfe,x\n", evidence.ErrBadLines, 2},
		{"empty label", "text,label\na,\n", evidence.ErrBadLines, 2},
	}
	for _, tc := range cases {
		_, err := head.Read(strings.NewReader(tc.in), head.ReadOptions{Format: evidence.FormatCSV})
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: Read = %v, want %v", tc.name, err, tc.want)
			continue
		}
		if refused, ok := errors.AsType[*evidence.RefusedError](err); tc.line > 0 && (!ok || refused.Issues.List[0].Line != tc.line) {
			t.Errorf("%s: %v, want line %d", tc.name, err, tc.line)
		}
	}
}

func TestReadSkipsFewBadLines(t *testing.T) {
	t.Parallel()
	lines := strings.Repeat(`{"text":"a","label":"x"}`+"\n", 19)
	d, err := head.Read(strings.NewReader(lines+"{}\n"), head.ReadOptions{OnError: evidence.OnErrorSkip})
	if err != nil || len(d.Rows) != 19 || d.Issues.Total != 1 {
		t.Errorf("one bad of twenty: %d rows, %d bad, %v", len(d.Rows), d.Issues.Total, err)
	}
	if _, err := head.Read(strings.NewReader(lines+"{}\n{}\n"), head.ReadOptions{OnError: evidence.OnErrorSkip}); !errors.Is(err, evidence.ErrBadLines) {
		t.Errorf("two bad of 21: %v, want ErrBadLines", err)
	}
	if _, err := head.Read(strings.NewReader(lines), head.ReadOptions{MaxRows: 18}); !errors.Is(err, evidence.ErrTooLarge) {
		t.Errorf("19 rows where 18 may be: %v, want ErrTooLarge", err)
	}
	if _, err := head.Read(strings.NewReader(lines), head.ReadOptions{Format: "xml"}); !errors.Is(err, evidence.ErrFormat) {
		t.Errorf("format xml: %v, want ErrFormat", err)
	}
	if _, err := head.Read(strings.NewReader(lines), head.ReadOptions{OnError: "ignore"}); err == nil {
		t.Error("on_error ignore is taken")
	}
	d, err = head.Read(strings.NewReader(`{"text":"a"}`+"\n"+`{"text":"b","label":7}`), head.ReadOptions{Unlabelled: true})
	if err != nil || len(d.Rows) != 2 || d.Rows[1].Labels != nil || d.Unknown != 0 {
		t.Errorf("unlabelled: %+v, %v", d, err)
	}
}

// What Read takes, written again as JSON Lines, reads as the same rows.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id":"a","text":"Glad","label":"x","context":["b",{"text":"c","self":true}],"lang":"zh","group":"g","split":"dev"}`))
	f.Add([]byte("text,labels,context,split\n\"a\nb\",x|y,before,val\n"))
	f.Add([]byte("\xef\xbb\xbftext,label\na,b\n"))
	f.Add([]byte(`{"text":"\ud83d\ude00","labels":[]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := head.Read(bytes.NewReader(in), head.ReadOptions{})
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, r := range d.Rows {
			m := map[string]any{"text": r.Text, "labels": r.Labels}
			for name, v := range map[string]string{"id": r.ID, "lang": r.Lang, "group": r.Group, "split": string(r.Part)} {
				if v != "" {
					m[name] = v
				}
			}
			var turns []any
			for _, turn := range r.Context {
				turns = append(turns, map[string]any{"text": turn.Text, "self": turn.Self})
			}
			if turns != nil {
				m["context"] = turns
			}
			line, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if len(line) > evidence.MaxLine {
				return // escapes made it longer than a line may be
			}
			again.Write(append(line, '\n'))
		}
		second, err := head.Read(&again, head.ReadOptions{Format: evidence.FormatJSONL})
		if err != nil || len(second.Rows) != len(d.Rows) {
			t.Fatalf("second reading: %d rows of %d, %v", len(second.Rows), len(d.Rows), err)
		}
		for i := range d.Rows {
			second.Rows[i].Line = d.Rows[i].Line
			if !reflect.DeepEqual(second.Rows[i], d.Rows[i]) {
				t.Fatalf("row %d: %+v, then %+v", i, d.Rows[i], second.Rows[i])
			}
		}
	})
}
