package rdfc

import (
	"errors"
	"fmt"
	"strings"
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

// graphOf returns ds as a graph, and the labels of its blank nodes by number.
func graphOf(ds Dataset) (g *Graph, labels []string, err error) {
	g = &Graph{list: make([]statement, 0, len(ds))}
	nodes := map[string]Node{}
	node := func(t Term) Node {
		if t.Kind != Blank {
			return Node{IRI: t.Value}
		}
		n, ok := nodes[t.Value]
		if !ok {
			n = g.Blank()
			nodes[t.Value] = n
			labels = append(labels, t.Value)
		}
		return n
	}
	for i := range ds {
		q := &ds[i]
		if err := q.check(); err != nil {
			return nil, nil, err
		}
		about := len(g.subjects) - 1
		if i == 0 || q.Subject != ds[i-1].Subject {
			about = g.Subject(node(q.Subject))
		}
		graph := node(q.Graph)
		if q.Object.Kind == Literal {
			g.Literal(about, q.Predicate, q.Object.Value, string(appendTag(nil, q.Object)), graph)
		} else {
			g.Name(about, q.Predicate, node(q.Object), graph)
		}
	}
	return g, labels, nil
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

// inIRI tells which bytes a name in N-Quads may hold (RDF 1.1 N-Quads, IRIREF): not those up to the space and < > " { } | ^ ` \.
var inIRI = func() (ok [256]bool) {
	for c := range ok {
		ok[c] = c > 0x20 && !strings.ContainsRune("<>\"{}|^`\\", rune(c))
	}
	return ok
}()

// validIRI refuses what would end or break the name in N-Quads; whether a name is absolute is for the caller to say.
func validIRI(s string) bool {
	for i := range len(s) {
		if !inIRI[s[i]] {
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

// appendQuoted writes the lexical form of a literal in canonical form: the short escapes where there are some, \u00XX for
// the other control characters, everything else as it is.
func appendQuoted(b []byte, value string) []byte {
	b = append(b, '"')
	start := 0
	for i := plainUntil(value, 0); i < len(value); i = plainUntil(value, start) {
		b = append(b, value[start:i]...)
		start = i + 1
		c := value[i]
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
	b = append(b, value[start:]...)
	return append(b, '"')
}

// plainUntil returns the index, from start on, of the first byte of s that is escaped, or len(s).
func plainUntil(s string, start int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := start
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote, slash, del := w^ones*'"', w^ones*'\\', w^ones*0x7F
		// a byte below n, or equal to zero after the xor, borrows into its own top bit
		found := (w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash | (del-ones)&^del
		if found&tops != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c == 0x7F {
			return i
		}
	}
	return len(s)
}

// appendTag writes language and datatype of a literal.
func appendTag(b []byte, t Term) []byte {
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
