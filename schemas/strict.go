package schemas

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The limits of the one JSON parser. They are fixed: no configuration widens them.
const (
	MaxDepth        = 64      // containers inside one another
	MaxMembers      = 1_000   // members of one object
	MaxNodes        = 100_000 // values in one document, containers included
	MaxNumberLength = 40      // characters of one number as written
)

// ParseJSON reads exactly one JSON value (RFC 8259) in the strict way all untrusted JSON is read. It refuses what two
// parsers could understand differently: duplicate member names at any depth (compared after unescaping), invalid UTF-8,
// unpaired surrogates, a byte order mark, anything before or after the value, and anything past the limits above.
//
// The value is built of map[string]any, []any, string, json.Number (as written), bool and nil. Errors are *FieldError
// and wrap ErrMalformed.
func ParseJSON(data []byte) (any, error) {
	p := parser{data: data}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos != len(p.data) {
		p.path = p.path[:0]
		return nil, p.fail("nothing after the value", "data after the value")
	}
	return v, nil
}

// ParseObject reads one JSON object as ParseJSON does.
func ParseObject(data []byte) (map[string]any, error) {
	v, err := ParseJSON(data)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, &FieldError{Expected: "an object", Err: malformed("found " + kindOf(v))}
	}
	return m, nil
}

// parser is a recursive descent over data; path is where it stands, for error messages only.
type parser struct {
	data  []byte
	pos   int
	nodes int
	path  []step
	// chunk is data[from:from+len(chunk)] as a string, of which short strings are parts: one allocation for many, and few
	// bytes that a string which is kept alone keeps with it.
	chunk string
	from  int
}

// The sizes of a chunk and of the longest string taken from one.
const (
	chunkSize  = 512
	chunkShare = 128
)

// text returns data[start:end] as a string.
func (p *parser) text(start, end int) string {
	if end-start > chunkShare {
		return string(p.data[start:end])
	}
	if start < p.from || end > p.from+len(p.chunk) {
		p.chunk, p.from = string(p.data[start:min(len(p.data), start+chunkSize)]), start
	}
	return p.chunk[start-p.from : end-p.from]
}

func (p *parser) fail(expected, reason string) error {
	return &FieldError{
		Pointer:  pointer(p.path),
		Expected: expected,
		Err:      malformed(reason + " at byte " + strconv.Itoa(p.pos)),
	}
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) value(depth int) (any, error) {
	p.nodes++
	if p.nodes > MaxNodes {
		return nil, p.fail("at most "+strconv.Itoa(MaxNodes)+" values", "too many values")
	}
	if p.pos >= len(p.data) {
		return nil, p.fail("a value", "unexpected end")
	}
	switch c := p.data[p.pos]; {
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return true, p.literal("true")
	case c == 'f':
		return false, p.literal("false")
	case c == 'n':
		return nil, p.literal("null")
	case c == 0xEF && p.pos == 0:
		return nil, p.fail("no byte order mark", "byte order mark or other non-JSON text")
	default:
		return nil, p.fail("a value", "unexpected byte 0x"+strconv.FormatUint(uint64(c), 16))
	}
}

func (p *parser) literal(word string) error {
	if !strings.HasPrefix(string(p.data[p.pos:min(len(p.data), p.pos+len(word))]), word) {
		return p.fail(word, "unknown word")
	}
	p.pos += len(word)
	return nil
}

func (p *parser) object(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, p.fail("at most "+strconv.Itoa(MaxDepth)+" levels", "nested too deeply")
	}
	p.pos++
	m := make(map[string]any)
	p.space()
	if p.pos < len(p.data) && p.data[p.pos] == '}' {
		p.pos++
		return m, nil
	}
	for {
		if p.pos >= len(p.data) || p.data[p.pos] != '"' {
			return nil, p.fail("a member name", "unexpected "+p.seen())
		}
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		p.path = append(p.path, step{name: name, index: -1})
		if _, twice := m[name]; twice {
			return nil, p.fail("each member once", "duplicate member name")
		}
		if len(m) == MaxMembers {
			return nil, p.fail("at most "+strconv.Itoa(MaxMembers)+" members", "too many members")
		}
		p.space()
		if p.pos >= len(p.data) || p.data[p.pos] != ':' {
			return nil, p.fail("':'", "unexpected "+p.seen())
		}
		p.pos++
		p.space()
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		m[name] = v
		p.path = p.path[:len(p.path)-1]
		done, err := p.next('}')
		if err != nil {
			return nil, err
		}
		if done {
			return m, nil
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, p.fail("at most "+strconv.Itoa(MaxDepth)+" levels", "nested too deeply")
	}
	p.pos++
	list := []any{}
	p.space()
	if p.pos < len(p.data) && p.data[p.pos] == ']' {
		p.pos++
		return list, nil
	}
	for {
		p.path = append(p.path, step{index: len(list)})
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		p.path = p.path[:len(p.path)-1]
		done, err := p.next(']')
		if err != nil {
			return nil, err
		}
		if done {
			return list, nil
		}
	}
}

// next steps over a comma, or over end and then reports true.
func (p *parser) next(end byte) (done bool, err error) {
	p.space()
	if p.pos < len(p.data) {
		switch p.data[p.pos] {
		case end:
			p.pos++
			return true, nil
		case ',':
			p.pos++
			p.space()
			return false, nil
		}
	}
	return false, p.fail("',' or '"+string(end)+"'", "unexpected "+p.seen())
}

func (p *parser) seen() string {
	if p.pos >= len(p.data) {
		return "end"
	}
	return "byte 0x" + strconv.FormatUint(uint64(p.data[p.pos]), 16)
}

func (p *parser) number() (any, error) {
	start := p.pos
	for p.pos < len(p.data) && isNumberByte(p.data[p.pos]) {
		p.pos++
		if p.pos-start > MaxNumberLength {
			return nil, p.fail("at most "+strconv.Itoa(MaxNumberLength)+" characters", "number too long")
		}
	}
	s := p.text(start, p.pos)
	if !validNumber(s) {
		return nil, p.fail("a number", "bad number")
	}
	return json.Number(s), nil
}

func isNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// validNumber tells whether s is a number of RFC 8259, 6.
func validNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if strings.HasPrefix(s, ".") {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n := digits(s)
		return n > 0 && n == len(s)
	}
	return s == ""
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (p *parser) str() (string, error) {
	p.pos++ // the opening quote
	start := p.pos
	ascii := true
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			raw := p.data[start:p.pos]
			if !ascii && !utf8.Valid(raw) {
				return "", p.fail("UTF-8", "invalid UTF-8")
			}
			p.pos++
			return p.text(start, p.pos-1), nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.fail("an escape", "control character in a string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
		p.pos++
	}
	return "", p.fail("'\"'", "unexpected end of a string")
}

// escaped goes on with a string that has escapes, the first at p.pos.
func (p *parser) escaped(start int) (string, error) {
	buf := append(make([]byte, 0, p.pos-start+32), p.data[start:p.pos]...)
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			if !utf8.Valid(buf) {
				return "", p.fail("UTF-8", "invalid UTF-8")
			}
			p.pos++
			return string(buf), nil
		case c == '\\':
			var err error
			if buf, err = p.escape(buf); err != nil {
				return "", err
			}
		case c < 0x20:
			return "", p.fail("an escape", "control character in a string")
		default:
			buf = append(buf, c)
			p.pos++
		}
	}
	return "", p.fail("'\"'", "unexpected end of a string")
}

// escape appends the character that the escape at p.pos stands for and steps over it.
func (p *parser) escape(buf []byte) ([]byte, error) {
	if p.pos+1 >= len(p.data) {
		return nil, p.fail("an escape", "unexpected end of a string")
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := p.data[p.pos+1]
	if i := strings.IndexByte(from, c); i >= 0 {
		p.pos += 2
		return append(buf, to[i]), nil
	}
	r, ok := p.unit(p.pos)
	if !ok {
		return nil, p.fail("an escape", "unknown escape")
	}
	size := 6
	if utf16.IsSurrogate(r) {
		low, ok := p.unit(p.pos + size)
		r = utf16.DecodeRune(r, low)
		if !ok || r == utf8.RuneError {
			return nil, p.fail("a surrogate pair", "unpaired surrogate")
		}
		size += 6
	}
	p.pos += size
	return utf8.AppendRune(buf, r), nil
}

// unit reads the escape \uXXXX at byte i.
func (p *parser) unit(i int) (rune, bool) {
	if i+6 > len(p.data) || p.data[i] != '\\' || p.data[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range p.data[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "another kind"
}
