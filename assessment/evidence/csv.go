package evidence

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// csvColumns maps the event fields to column numbers by the header's words.
func csvColumns(header []string) map[string]int {
	names := map[string]string{
		"id": "id", "message_id": "id", "ts": "ts", "timestamp": "ts", "time": "ts", "date": "ts", "datetime": "ts", "created_at": "ts",
		"platform": "platform", "actor": "actor", "user": "actor", "author": "actor", "sender": "actor", "from": "actor", "user_id": "actor",
		"conversation": "conversation", "channel": "conversation", "room": "conversation", "thread": "conversation", "chat": "conversation",
		"text": "text", "message": "text", "content": "text", "body": "text", "reply_to": "reply_to", "to": "to", "lang": "lang",
		"language": "lang", "scene": "scene", "scene_kind": "scene_kind", "role": "role", "prompt": "prompt", "flags": "flags",
		"时间": "ts", "日期": "ts", "发送者": "actor", "发言人": "actor", "昵称": "actor", "内容": "text", "消息": "text", "会话": "conversation", "群聊": "conversation",
	}
	cols := map[string]int{}
	for i, h := range header {
		if field, ok := names[strings.ToLower(strings.TrimSpace(h))]; ok {
			if _, taken := cols[field]; !taken {
				cols[field] = i
			}
		}
	}
	return cols
}

// readCSV reads RFC 4180 with a header line. Times need an offset unless Options.Location says where they were written.
func (r *reader) readCSV(br *bufio.Reader) error {
	cr := csv.NewReader(br)
	cr.FieldsPerRecord = -1
	cr.ReuseRecord = true
	header, err := cr.Read()
	if err != nil {
		return refuse(ErrFormat, "the file has no CSV header", Issues{})
	}
	cols := csvColumns(header)
	for _, need := range []string{"ts", "actor", "text"} {
		if _, ok := cols[need]; !ok {
			return refuse(ErrFormat, fmt.Sprintf("the CSV header has no %s column", need), Issues{})
		}
	}
	width := len(header)
	for n := 1; ; n++ {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		r.issues.Lines++
		line, _ := cr.FieldPos(0)
		if err != nil {
			var pe *csv.ParseError
			if !errors.As(err, &pe) {
				return fmt.Errorf("read CSV: %w", err)
			}
			r.bad(pe.Line, Issue{Code: CodeMalformed, Expected: "a row of RFC 4180"})
			continue
		}
		if len(row) != width {
			r.bad(line, Issue{Code: CodeMalformed, Expected: fmt.Sprintf("%d columns as in the header", width)})
			continue
		}
		e, issue := r.csvRow(row, cols, n)
		e.line = line
		if err := r.take(e, issue); err != nil {
			return err
		}
	}
}

func (r *reader) csvRow(row []string, cols map[string]int, n int) (raw, *Issue) {
	m := map[string]any{}
	for field, i := range cols {
		if row[i] == "" && field != "text" {
			continue
		}
		if !utf8.ValidString(row[i]) {
			return raw{}, &Issue{Field: "/" + field, Code: CodeMalformed, Expected: "UTF-8"}
		}
		m[field] = row[i]
	}
	e := raw{kind: TypeMessage}
	f := &fields{m: m}
	e.id = f.str("id", 0, 128)
	if e.id == "" {
		e.id = fmt.Sprintf("row%08d", n)
	}
	e.actor = f.str("actor", 1, 128)
	e.name = e.actor // a table may name people
	if e.actor != "" {
		e.actor = r.pseudonym(e.actor)
	}
	e.platform = f.str("platform", 0, 64)
	if e.platform == "" {
		e.platform = r.platform()
	}
	e.conversation = f.str("conversation", 0, 256)
	if e.conversation == "" {
		e.conversation = "main"
	}
	e.text = f.text()
	e.replyTo = f.str("reply_to", 0, 128)
	e.lang = f.str("lang", 0, 35)
	e.role = f.enum("role", roles...)
	e.prompt = f.str("prompt", 0, 64)
	e.scene.ID = f.str("scene", 0, 128)
	e.scene.Kind = f.enum("scene_kind", sceneKinds...)
	e.to = splitList(f.str("to", 0, 4096))
	for i := range e.to {
		e.to[i] = r.pseudonym(e.to[i])
	}
	e.flags = splitList(f.str("flags", 0, 256))
	for _, flag := range e.flags {
		if !contains(flagNames, flag) {
			f.fail("flags", CodeValue, "any of "+strings.Join(flagNames, ", "))
		}
	}
	ts, _ := m["ts"].(string)
	t, ok := r.exportTime(ts)
	if !ok {
		f.fail("ts", CodeTime, tsExpected)
	}
	e.ts = t
	return e, f.issue
}

func splitList(s string) []string {
	var out []string
	for _, x := range strings.FieldsFunc(s, func(c rune) bool { return c == ';' || c == ',' || c == '|' }) {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

func (r *reader) platform() string {
	if r.opt.Platform != "" {
		return r.opt.Platform
	}
	return r.format
}
