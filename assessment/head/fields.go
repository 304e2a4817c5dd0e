package head

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/model"
	"heartmark/schemas"
)

// Bounds of one row, in characters.
const (
	maxText       = 8000
	maxTurns      = 16
	maxLabel      = 64
	maxIdentifier = 256
)

// fields reads the members of one row and remembers the first fault.
type fields struct {
	m     map[string]any
	seen  int
	issue *evidence.Issue
}

func (f *fields) fail(name, code, expected string) {
	if f.issue == nil {
		f.issue = &evidence.Issue{Field: "/" + name, Code: code, Expected: expected}
	}
}

func (f *fields) row(o ReadOptions) Row {
	row := Row{Text: f.required("text"), Context: f.context()}
	row.ID = f.optional("id")
	row.Group = f.optional("group")
	row.Lang = f.language()
	row.Part = f.part()
	if !o.Unlabelled {
		row.Labels = f.labels(o.Kind)
		return row
	}
	for _, name := range []string{"label", "labels"} {
		if _, ok := f.m[name]; ok {
			f.seen++ // left unread on purpose
		}
	}
	return row
}

// required is a text with something in it.
func (f *fields) required(name string) string {
	v, ok := f.m[name]
	if !ok {
		f.fail(name, evidence.CodeMissing, fmt.Sprintf("a string of 1 to %d characters", maxText))
		return ""
	}
	f.seen++
	s, ok := v.(string)
	switch {
	case !ok:
		f.fail(name, evidence.CodeType, "a string")
	case strings.TrimFunc(s, blank) == "":
		f.fail(name, evidence.CodeValue, fmt.Sprintf("a string of 1 to %d characters", maxText))
	case utf8.RuneCountInString(s) > maxText:
		f.fail(name, evidence.CodeTooLong, fmt.Sprintf("at most %d characters", maxText))
	}
	return s
}

// blank tells characters that are nothing to read.
func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

func (f *fields) optional(name string) string {
	v, ok := f.m[name]
	if !ok {
		return ""
	}
	f.seen++
	s, ok := v.(string)
	if !ok {
		f.fail(name, evidence.CodeType, "a string")
		return ""
	}
	if utf8.RuneCountInString(s) > maxIdentifier {
		f.fail(name, evidence.CodeTooLong, fmt.Sprintf("at most %d characters", maxIdentifier))
	}
	return s
}

func (f *fields) language() string {
	tag := f.optional("lang")
	if tag == "" {
		return ""
	}
	lang, ok := schemas.ParseLanguage(tag)
	if !ok {
		f.fail("lang", evidence.CodeValue, "one of en, zh")
	}
	return lang
}

func (f *fields) part() Part {
	switch s := strings.ToLower(strings.TrimSpace(f.optional("split"))); s {
	case "":
		return ""
	case "train":
		return Train
	case "validation", "valid", "val", "dev":
		return Validation
	case "test":
		return Test
	}
	f.fail("split", evidence.CodeValue, "one of train, validation, test")
	return ""
}

// context is a string (what another said) or a list of strings and of objects with self and text, oldest first.
func (f *fields) context() []assessment.Turn {
	v, ok := f.m["context"]
	if !ok {
		return nil
	}
	f.seen++
	items, ok := v.([]any)
	if s, one := v.(string); one {
		if strings.TrimSpace(s) == "" {
			return nil
		}
		items, ok = []any{s}, true
	}
	if !ok || len(items) > maxTurns {
		f.fail("context", evidence.CodeType, fmt.Sprintf("a string, or a list of at most %d turns", maxTurns))
		return nil
	}
	var out []assessment.Turn
	for i, item := range items {
		turn, ok := readTurn(item)
		if !ok {
			f.fail(fmt.Sprintf("context/%d", i), evidence.CodeType,
				fmt.Sprintf("a string of at most %d characters, or an object with text and self", maxText))
			return nil
		}
		out = append(out, turn)
	}
	return out
}

func readTurn(item any) (assessment.Turn, bool) {
	turn := assessment.Turn{}
	switch v := item.(type) {
	case string:
		turn.Text = v
	case map[string]any:
		text, ok := v["text"].(string)
		self, given := v["self"]
		if !ok || len(v) > 2 || len(v) == 2 && !given {
			return turn, false
		}
		turn.Text = text
		if turn.Self, ok = self.(bool); given && !ok {
			return turn, false
		}
	default:
		return turn, false
	}
	return turn, utf8.RuneCountInString(turn.Text) <= maxText
}

func (f *fields) labels(kind model.Kind) []string {
	one, single := f.m["label"]
	many, list := f.m["labels"]
	switch {
	case single && list:
		f.fail("labels", evidence.CodeValue, "either label or labels")
		return nil
	case !single && !list:
		f.fail("label", evidence.CodeMissing, fmt.Sprintf("a label of 1 to %d characters, or a list in labels", maxLabel))
		return nil
	}
	f.seen++
	name, items := "labels", []any{one}
	if single {
		name = "label"
	} else if found, ok := many.([]any); ok {
		items = found
	} else {
		f.fail(name, evidence.CodeType, "a list of strings")
		return nil
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		label, ok := item.(string)
		if label = strings.TrimSpace(label); !ok || !goodLabel(label) {
			f.fail(name, evidence.CodeValue, fmt.Sprintf("labels of 1 to %d printable characters", maxLabel))
			return nil
		}
		out = append(out, label)
	}
	if out = normalLabels(out); kind == model.Softmax && len(out) != 1 {
		f.fail(name, evidence.CodeValue, "exactly one label")
	}
	return out
}

func goodLabel(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxLabel &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// columns maps the header of a CSV file to the members of a row.
func columns(header []string) (cols map[string]int, unknown int) {
	names := map[string]string{
		"text": "text", "message": "text", "content": "text", "内容": "text", "文本": "text", "消息": "text",
		"context": "context", "上下文": "context", "label": "label", "标签": "label", "labels": "labels",
		"lang": "lang", "language": "lang", "语言": "lang", "group": "group", "conversation": "group", "会话": "group",
		"split": "split", "id": "id",
	}
	cols = make(map[string]int)
	for i, h := range header {
		field, ok := names[strings.ToLower(strings.TrimSpace(h))]
		if _, taken := cols[field]; !ok || taken {
			unknown++
			continue
		}
		cols[field] = i
	}
	return cols, unknown
}

func (r *reader) readCSV(in io.Reader) error {
	cr := csv.NewReader(in)
	cr.FieldsPerRecord, cr.ReuseRecord = -1, true
	header, err := cr.Read()
	if err != nil {
		return refuse(evidence.ErrFormat, "the file has no CSV header", r.data.Issues)
	}
	cols, unknown := columns(header)
	if _, ok := cols["text"]; !ok {
		return refuse(evidence.ErrFormat, "the CSV header has no text column", r.data.Issues)
	}
	_, label := cols["label"]
	_, labels := cols["labels"]
	if !r.options.Unlabelled && label == labels {
		return refuse(evidence.ErrFormat, "the CSV header needs one column label or labels", r.data.Issues)
	}
	r.data.Unknown += unknown
	width := len(header)
	for {
		cells, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		r.data.Issues.Lines++
		if err != nil {
			parse, ok := errors.AsType[*csv.ParseError](err)
			if !ok {
				return err
			}
			r.bad(parse.Line, evidence.Issue{Code: evidence.CodeMalformed, Expected: "a row of RFC 4180"})
			continue
		}
		line, _ := cr.FieldPos(0)
		if len(cells) != width {
			r.bad(line, evidence.Issue{Code: evidence.CodeMalformed, Expected: fmt.Sprintf("%d columns as in the header", width)})
			continue
		}
		if err := r.takeCells(line, cells, cols); err != nil {
			return err
		}
	}
}

func (r *reader) takeCells(line int, cells []string, cols map[string]int) error {
	f := &fields{m: make(map[string]any)}
	for field, i := range cols {
		cell := cells[i]
		if !utf8.ValidString(cell) {
			r.bad(line, evidence.Issue{Field: "/" + field, Code: evidence.CodeMalformed, Expected: "UTF-8"})
			return nil
		}
		switch {
		case field == "labels":
			list := []any{}
			for label := range strings.SplitSeq(cell, "|") {
				if label = strings.TrimSpace(label); label != "" {
					list = append(list, label)
				}
			}
			f.m[field] = list
		case cell != "" || field == "text":
			f.m[field] = strings.Clone(cell)
		}
	}
	row := f.row(r.options)
	row.Line = line
	return r.take(row, f)
}
