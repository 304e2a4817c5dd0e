package rdfc

import (
	"errors"
	"fmt"
)

// ErrTerm is returned for a statement that is no RDF: a literal as subject, an empty or relative name, a character that
// a name cannot hold.
var ErrTerm = errors.New("invalid RDF term")

// Kind tells the kinds of terms apart. The zero Kind is no term: the default graph.
type Kind uint8

// The kinds of terms.
const (
	None Kind = iota
	IRI
	Blank
	Literal
)

// The datatypes that the text form leaves out.
const (
	XSDString  = "http://www.w3.org/2001/XMLSchema#string"
	LangString = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
)

// Term is an IRI, a blank node (Value is its label without "_:") or a literal (Value is its lexical form).
type Term struct {
	Kind     Kind
	Value    string
	Datatype string // literals only; "" stands for xsd:string, or rdf:langString where Language is set
	Language string // literals only
}

// Quad is one statement. Graph is the zero Term in the default graph.
type Quad struct {
	Subject   Term
	Predicate string // an IRI
	Object    Term
	Graph     Term
}

// Dataset is a set of statements; repeated ones count once, and order means nothing.
type Dataset []Quad

// Check returns ErrTerm when a statement is no RDF.
func (ds Dataset) Check() error {
	for i := range ds {
		if err := ds[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (q *Quad) check() error {
	switch {
	case q.Subject.Kind != IRI && q.Subject.Kind != Blank:
		return fmt.Errorf("%w: subject is neither a name nor a blank node", ErrTerm)
	case q.Object.Kind == None:
		return fmt.Errorf("%w: object is absent", ErrTerm)
	case q.Graph.Kind == Literal:
		return fmt.Errorf("%w: graph is a literal", ErrTerm)
	case !validIRI(q.Predicate):
		return fmt.Errorf("%w: predicate %.200q", ErrTerm, q.Predicate)
	}
	for _, t := range [...]Term{q.Subject, q.Object, q.Graph} {
		if err := t.check(); err != nil {
			return err
		}
	}
	return nil
}

func (t Term) check() error {
	switch {
	case t.Kind == IRI && !validIRI(t.Value):
		return fmt.Errorf("%w: name %.200q", ErrTerm, t.Value)
	case t.Kind == Blank && t.Value == "":
		return fmt.Errorf("%w: blank node without label", ErrTerm)
	case t.Kind == Literal && t.Datatype != "" && !validIRI(t.Datatype):
		return fmt.Errorf("%w: datatype %.200q", ErrTerm, t.Datatype)
	case t.Kind == Literal && t.Language != "" && (!ValidLanguage(t.Language) || t.Datatype != "" && t.Datatype != LangString):
		return fmt.Errorf("%w: language %.200q", ErrTerm, t.Language)
	case t.Kind == Literal && t.Language == "" && t.Datatype == LangString:
		return fmt.Errorf("%w: language string without language", ErrTerm)
	}
	return nil
}

// A bit for each of < > " and, from 64 on, { } | ^ ` and the backslash (RDF 1.1 N-Quads, IRIREF).
const (
	forbiddenLow  uint64 = 1<<'<' | 1<<'>' | 1<<'"'
	forbiddenHigh uint64 = 1<<('{'-64) | 1<<('}'-64) | 1<<('|'-64) | 1<<('^'-64) | 1<<('`'-64) | 1<<('\\'-64)
)

// validIRI refuses what would end or break the name in N-Quads; whether a name is absolute is for the caller to say.
func validIRI(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c <= 0x20, c < 64 && forbiddenLow>>c&1 == 1, c >= 64 && c < 128 && forbiddenHigh>>(c-64)&1 == 1:
			return false
		}
	}
	return s != ""
}

// ValidLanguage tells whether s has the form of a language tag in N-Quads: letters, then groups of letters and digits.
func ValidLanguage(s string) bool {
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '-' {
			if i == start {
				return false
			}
			start = i + 1
			continue
		}
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		digit := s[i] >= '0' && s[i] <= '9'
		if !letter && (!digit || start == 0) {
			return false
		}
	}
	return true
}

const upperHex = "0123456789ABCDEF"

// appendLiteral writes a literal in canonical form: the short escapes where there are some, \u00XX for the other
// control characters, everything else as it is.
func appendLiteral(b []byte, t Term) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(t.Value) {
		c := t.Value[i]
		if c >= 0x20 && c != '"' && c != '\\' && c != 0x7F {
			continue
		}
		b = append(b, t.Value[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&0xF])
		}
	}
	b = append(b, t.Value[start:]...)
	b = append(b, '"')
	switch {
	case t.Language != "":
		b = append(b, '@')
		b = append(b, t.Language...)
	case t.Datatype != "" && t.Datatype != XSDString:
		b = append(b, '^', '^', '<')
		b = append(b, t.Datatype...)
		b = append(b, '>')
	}
	return b
}
