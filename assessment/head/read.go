package head

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"heartmark/assessment/evidence"
	"heartmark/assessment/model"
	"heartmark/schemas"
)

// maxBytes bounds a file.
const maxBytes = 512 << 20

// ReadOptions tell how to read. The zero value reads JSON Lines or CSV with labels and refuses on the first fault.
type ReadOptions struct {
	Format  string // evidence.FormatAuto (also when empty), FormatJSONL or FormatCSV
	OnError string // evidence.OnErrorRefuse (also when empty) or OnErrorSkip
	// Kind, when set, makes a row that does not fit it a bad line: for softmax one without exactly one label.
	Kind model.Kind
	// Unlabelled leaves labels unread.
	Unlabelled bool
	MaxRows    int // 0: MaxRows
}

// Data is what Read found.
type Data struct {
	Rows   []Row
	Format string
	Issues evidence.Issues // lines that were left out under OnErrorSkip
	// Repeated counts rows that came again under the same id with the same content; Unknown counts members and columns
	// that were not read.
	Repeated, Unknown int
	SHA256            string // of the whole file, hex
}

// Read reads a file of labelled texts (assessment design, section 11). JSON Lines have the members text, label (a string)
// or labels (a list), and may have context (a string, or a list of strings and of {"self", "text"}), lang, group, split
// (train, validation, test) and id. CSV (RFC 4180) has columns of the same names; labels in one cell are parted by "|".
// Every bad line is named with number, field and what was expected; a refusal is an *evidence.RefusedError.
func Read(in io.Reader, o ReadOptions) (Data, error) {
	if o.MaxRows == 0 {
		o.MaxRows = MaxRows
	}
	if o.OnError != "" && o.OnError != evidence.OnErrorRefuse && o.OnError != evidence.OnErrorSkip {
		return Data{}, fmt.Errorf("on_error %q: expected refuse or skip", o.OnError)
	}
	counted := &countedReader{in: in, hash: sha256.New()}
	r := &reader{options: o, ids: make(map[string]Row)}
	br := bufio.NewReaderSize(counted, evidence.MaxLine+2)
	if mark, _ := br.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = br.Discard(3) // spreadsheets put a byte order mark before CSV
	}
	r.data.Format = o.Format
	if o.Format == "" || o.Format == evidence.FormatAuto {
		r.data.Format = sniff(br)
	}
	var err error
	switch r.data.Format {
	case evidence.FormatJSONL:
		err = r.readJSONL(br)
	case evidence.FormatCSV:
		err = r.readCSV(br)
	default:
		err = refuse(evidence.ErrFormat, "name it: jsonl or csv", r.data.Issues)
	}
	if err == nil {
		err = r.judge()
	}
	if err != nil {
		return Data{}, err
	}
	r.data.SHA256 = hex.EncodeToString(counted.hash.Sum(nil))
	return r.data, nil
}

// sniff tells JSON Lines by the first character that is not space.
func sniff(br *bufio.Reader) string {
	start, _ := br.Peek(512)
	if bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		return evidence.FormatJSONL
	}
	return evidence.FormatCSV
}

// countedReader hashes what is read and ends what is too long.
type countedReader struct {
	in   io.Reader
	hash hash.Hash
	read int64
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	_, _ = c.hash.Write(p[:n]) // never fails, by its contract
	if c.read += int64(n); c.read > maxBytes {
		return n, refuse(evidence.ErrTooLarge, fmt.Sprintf("over %d bytes", maxBytes), evidence.Issues{})
	}
	return n, err
}

func refuse(reason error, detail string, issues evidence.Issues) error {
	return &evidence.RefusedError{Reason: reason, Detail: detail, Issues: issues}
}

// reader is the state of one Read.
type reader struct {
	options ReadOptions
	data    Data
	ids     map[string]Row
}

// maxListed bounds the bad lines that are kept; Issues.Total counts all.
const maxListed = 1000

func (r *reader) bad(line int, issue evidence.Issue) {
	issue.Line = line
	r.data.Issues.Total++
	if len(r.data.Issues.List) < maxListed {
		r.data.Issues.List = append(r.data.Issues.List, issue)
	}
}

// judge applies the on_error rule.
func (r *reader) judge() error {
	bad, lines := r.data.Issues.Total, r.data.Issues.Lines
	switch {
	case bad == 0:
		return nil
	case r.options.OnError != evidence.OnErrorSkip:
		return refuse(evidence.ErrBadLines, fmt.Sprintf("%d of %d, nothing was taken", bad, lines), r.data.Issues)
	case bad*20 > lines:
		return refuse(evidence.ErrBadLines, fmt.Sprintf("%d of %d lines are bad, over 5 %%", bad, lines), r.data.Issues)
	}
	return nil
}

func (r *reader) readJSONL(br *bufio.Reader) error {
	for number := 1; ; number++ {
		line, err := br.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull) || len(line) > evidence.MaxLine
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = br.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			r.data.Issues.Lines++
			if tooLong {
				r.bad(number, evidence.Issue{Code: evidence.CodeTooLong, Expected: fmt.Sprintf("at most %d bytes a line", evidence.MaxLine)})
			} else if err := r.takeObject(number, line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

func (r *reader) takeObject(number int, line []byte) error {
	m, err := schemas.ParseObject(line)
	if err != nil {
		issue := evidence.Issue{Code: evidence.CodeMalformed, Expected: "one JSON object"}
		if fe, ok := errors.AsType[*schemas.FieldError](err); ok {
			issue.Field = fe.Pointer
			if fe.Expected != "" {
				issue.Expected = fe.Expected
			}
		}
		r.bad(number, issue)
		return nil
	}
	f := &fields{m: m}
	row := f.row(r.options)
	row.Line = number
	return r.take(row, f)
}

// take checks what both formats share and keeps the row.
func (r *reader) take(row Row, f *fields) error {
	if f.issue != nil {
		r.bad(row.Line, *f.issue)
		return nil
	}
	r.data.Unknown += len(f.m) - f.seen
	if row.ID != "" {
		if old, ok := r.ids[row.ID]; ok {
			if !old.same(row) {
				r.bad(row.Line, evidence.Issue{
					Field: "/id", Code: evidence.CodeIDConflict, Expected: "an id that no other row has, or the same content",
				})
				return nil
			}
			r.data.Repeated++
			return nil
		}
		r.ids[row.ID] = row
	}
	if len(r.data.Rows) == r.options.MaxRows {
		return refuse(evidence.ErrTooLarge, fmt.Sprintf("over %d rows", r.options.MaxRows), evidence.Issues{})
	}
	r.data.Rows = append(r.data.Rows, row)
	return nil
}

func (r Row) same(other Row) bool {
	return r.Text == other.Text && r.Lang == other.Lang && r.Group == other.Group && r.Part == other.Part &&
		slices.Equal(r.Context, other.Context) && slices.Equal(r.Labels, other.Labels)
}

// content is the text with its context, without what does not tell texts apart: rows of one content stay on one side.
func (r Row) content() string {
	var b strings.Builder
	for _, turn := range r.Context {
		fmt.Fprintf(&b, "%v %s\x00", turn.Self, strings.Join(strings.Fields(strings.ToLower(turn.Text)), " "))
	}
	b.WriteString(strings.Join(strings.Fields(strings.ToLower(r.Text)), " "))
	return b.String()
}
