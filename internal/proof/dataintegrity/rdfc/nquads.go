package rdfc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrSyntax is returned for text that is no N-Quads.
var ErrSyntax = errors.New("invalid N-Quads")

// ParseNQuads reads N-Quads (W3C RDF 1.1 N-Quads). Repeated statements are kept. Errors wrap ErrSyntax and name the line.
func ParseNQuads(data []byte) (Dataset, error) {
	var ds Dataset
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrSyntax)
	}
	number := 0
	for line := range bytes.FieldsFuncSeq(data, func(r rune) bool { return r == '\n' || r == '\r' }) {
		number++
		s := scanner{rest: string(line)}
		q, ok, err := s.statement()
		if err != nil {
			return nil, fmt.Errorf("%w: statement line %d: %s", ErrSyntax, number, err.Error())
		}
		if ok {
			ds = append(ds, q)
		}
	}
	return ds, nil
}

// scanner reads one line.
type scanner struct{ rest string }

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t") }

func (s *scanner) statement() (q Quad, ok bool, err error) {
	s.space()
	if s.rest == "" || s.rest[0] == '#' {
		return Quad{}, false, nil
	}
	if q.Subject, err = s.term(); err != nil {
		return Quad{}, false, err
	}
	predicate, err := s.term()
	if err != nil {
		return Quad{}, false, err
	}
	if predicate.Kind != IRI {
		return Quad{}, false, errors.New("predicate is no name")
	}
	q.Predicate = predicate.Value
	if q.Object, err = s.term(); err != nil {
		return Quad{}, false, err
	}
	if s.rest != "" && s.rest[0] != '.' {
		if q.Graph, err = s.term(); err != nil {
			return Quad{}, false, err
		}
	}
	if !strings.HasPrefix(s.rest, ".") {
		return Quad{}, false, errors.New("no point at the end")
	}
	s.rest = s.rest[1:]
	s.space()
	if s.rest != "" && s.rest[0] != '#' {
		return Quad{}, false, errors.New("text after the point")
	}
	return q, true, q.check()
}

// term reads a term and the space after it.
func (s *scanner) term() (t Term, err error) {
	defer s.space()
	switch {
	case strings.HasPrefix(s.rest, "<"):
		value, err := s.iri()
		return Term{Kind: IRI, Value: value}, err
	case strings.HasPrefix(s.rest, "_:"):
		return s.blank()
	case strings.HasPrefix(s.rest, `"`):
		return s.literal()
	}
	return Term{}, errors.New("a term is missing")
}

func (s *scanner) iri() (string, error) {
	end := strings.IndexByte(s.rest, '>')
	if end < 0 {
		return "", errors.New("open name")
	}
	raw := s.rest[1:end]
	s.rest = s.rest[end+1:]
	return unescape(raw, false)
}

func (s *scanner) blank() (Term, error) {
	end := 2
	for i, r := range s.rest[2:] {
		first := i == 0
		if !isLabelRune(r, first) {
			break
		}
		end = 2 + i + utf8.RuneLen(r)
	}
	label := strings.TrimRight(s.rest[2:end], ".") // a point cannot end a label
	if label == "" {
		return Term{}, errors.New("empty label")
	}
	s.rest = s.rest[2+len(label):]
	return Term{Kind: Blank, Value: label}, nil
}

func isLabelRune(r rune, first bool) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == ':':
		return true
	case r == '-' || r == '.' || r == 0xB7:
		return !first
	}
	return r >= 0xC0 && r != 0xD7 && r != 0xF7 && (unicode.IsLetter(r) || !first && unicode.Is(unicode.M, r))
}

func (s *scanner) literal() (Term, error) {
	end := 1
	for end < len(s.rest) && s.rest[end] != '"' {
		if s.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(s.rest) {
		return Term{}, errors.New("open literal")
	}
	value, err := unescape(s.rest[1:end], true)
	if err != nil {
		return Term{}, err
	}
	t := Term{Kind: Literal, Value: value}
	s.rest = s.rest[end+1:]
	switch {
	case strings.HasPrefix(s.rest, "^^<"):
		s.rest = s.rest[2:]
		if t.Datatype, err = s.iri(); err != nil {
			return Term{}, err
		}
	case strings.HasPrefix(s.rest, "@"):
		end := 1
		for end < len(s.rest) && s.rest[end] != ' ' && s.rest[end] != '\t' && s.rest[end] != '.' {
			end++
		}
		if t.Language = s.rest[1:end]; t.Language == "" {
			return Term{}, errors.New("empty language")
		}
		s.rest = s.rest[end:]
	}
	return t, nil
}

// unescape replaces \uXXXX and \UXXXXXXXX and, in literals, the short escapes.
func unescape(s string, short bool) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		if i+1 >= len(s) {
			return "", errors.New("open escape")
		}
		const from, to = `tbnrf"'\`, "\t\b\n\r\f\"'\\"
		if k := strings.IndexByte(from, s[i+1]); short && k >= 0 {
			b.WriteByte(to[k])
			i += 2
			continue
		}
		size := map[byte]int{'u': 4, 'U': 8}[s[i+1]]
		if size == 0 || i+2+size > len(s) {
			return "", errors.New("unknown escape")
		}
		r, ok := hexRune(s[i+2 : i+2+size])
		if !ok {
			return "", errors.New("escape of no character")
		}
		b.WriteRune(r)
		i += 2 + size
	}
	return b.String(), nil
}

func hexRune(s string) (rune, bool) {
	var v uint32
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'f' {
			c -= 'a' - 'A'
		}
		k := strings.IndexByte(upperHex, c)
		if k < 0 {
			return 0, false
		}
		v = v<<4 | uint32(k)
	}
	return rune(v), v <= unicode.MaxRune && utf8.ValidRune(rune(v))
}
