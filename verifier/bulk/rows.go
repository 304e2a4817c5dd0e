package bulk

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"heartmark/schemas"
)

// Format is how rows stand in a stream.
type Format string

// The formats.
const (
	// JSONL has one row a line: a credential or presentation, a token as it is, or {"ref":…,"credential":…} with either of them
	// in it. Empty lines are passed over.
	JSONL Format = "jsonl"
	// CSV has a heading with the column credential, which holds JSON or a token, and perhaps ref.
	CSV Format = "csv"
)

// item is one row as it came. fault says why it cannot be read.
type item struct {
	number int
	ref    string
	data   []byte
	fault  string
}

type rowReader interface {
	// next returns the next row, or io.EOF.
	next() (item, error)
}

func open(r io.Reader, format Format) (rowReader, error) {
	switch format {
	case JSONL:
		return &lines{r: bufio.NewReaderSize(r, 64<<10)}, nil
	case CSV:
		return openTable(r)
	}
	return nil, fmt.Errorf("%q is neither jsonl nor csv: %w", format, ErrFormat)
}

const tooLong = "longer than 256 KiB"

// lines reads JSON Lines.
type lines struct{ r *bufio.Reader }

func (l *lines) next() (item, error) {
	for {
		line, long, err := l.line()
		if err != nil {
			return item{}, err
		}
		if long {
			return item{fault: tooLong}, nil
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return readLine(line), nil
		}
	}
}

// line reads up to the line feed and keeps MaxRow bytes of it at most.
func (l *lines) line() (line []byte, long bool, err error) {
	for {
		part, err := l.r.ReadSlice('\n')
		if len(line)+len(part) > MaxRow+1 {
			line, long = nil, true
		} else if !long {
			line = append(line, part...)
		}
		switch {
		case err == nil:
			return line, long, nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line) > 0 || long):
			return line, long, nil
		}
		return nil, false, err
	}
}

// readLine takes the form {"ref","credential"} apart; anything else is the credential itself.
func readLine(line []byte) item {
	if line[0] != '{' && line[0] != '"' {
		return item{data: line}
	}
	value, err := schemas.ParseJSON(line)
	if err != nil {
		return item{data: line} // the verifier says what is wrong with it
	}
	if token, isText := value.(string); isText {
		return item{data: []byte(token)}
	}
	m, _ := value.(map[string]any)
	inside, wrapped := m["credential"]
	if !wrapped {
		return item{data: line}
	}
	ref, _ := m["ref"].(string)
	for name := range m {
		if name != "ref" && name != "credential" {
			return item{ref: ref, fault: "a row has ref and credential alone"}
		}
	}
	if token, isText := inside.(string); isText {
		return item{ref: ref, data: []byte(token)}
	}
	raw, err := schemas.Marshal(inside)
	if err != nil {
		return item{ref: ref, fault: "the credential is no JSON"}
	}
	return item{ref: ref, data: raw}
}

// table reads CSV (RFC 4180).
type table struct {
	r               *csv.Reader
	credential, ref int
}

func openTable(r io.Reader) (*table, error) {
	t := &table{r: csv.NewReader(r)}
	t.r.ReuseRecord, t.r.FieldsPerRecord = true, -1
	heading, err := t.r.Read()
	if err != nil {
		return nil, fmt.Errorf("heading: %w: %w", ErrFormat, err)
	}
	heading[0] = string(bytes.TrimPrefix([]byte(heading[0]), []byte("\ufeff")))
	t.credential, t.ref = slices.Index(heading, "credential"), slices.Index(heading, "ref")
	if t.credential < 0 {
		return nil, fmt.Errorf("the heading has no column credential: %w", ErrFormat)
	}
	return t, nil
}

func (t *table) next() (item, error) {
	record, err := t.r.Read()
	if _, bad := errors.AsType[*csv.ParseError](err); bad {
		return item{fault: "not a row of CSV"}, nil
	}
	if err != nil {
		return item{}, err
	}
	var out item
	if t.ref >= 0 && t.ref < len(record) {
		out.ref = record[t.ref]
	}
	switch {
	case t.credential >= len(record) || record[t.credential] == "":
		out.fault = "the column credential is empty"
	case len(record[t.credential]) > MaxRow:
		out.fault = tooLong
	default:
		out.data = []byte(record[t.credential])
	}
	return out, nil
}
