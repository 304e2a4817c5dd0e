package rdfc

import (
	"fmt"
	"strings"
)

// Node names a node of a Graph: by its IRI or, where that is empty, by the number that Graph.Blank gave. As the graph of
// a statement, the zero Node is the default graph.
type Node struct {
	IRI   string
	blank int32 // 1 + number
}

// Graph collects the statements of a dataset in the form that canonicalising needs, without a Term for each: the way for
// a caller that knows that its names are IRIs. The zero value is empty and ready; Reset makes a used one so again and
// keeps its memory. One goroutine may use it at a time.
type Graph struct {
	text      []byte // objects and graphs as written, one after another
	subjects  []subject
	list      []statement
	blanks    int32
	malformed bool // a name that is no IRI was given
	work      canonicalizer
}

// subject is a node about which there are statements. The same node may stand in several; they are united when sorted.
type subject struct {
	iri  string
	node int32 // noNode for an IRI
	run  int32 // where it stands among the different subjects in order
}

// Reset empties g.
func (g *Graph) Reset() {
	clear(g.subjects) // their strings belong to the caller
	clear(g.list)
	clear(g.work.list[:min(len(g.list), cap(g.work.list))])
	g.text, g.subjects, g.list, g.blanks, g.malformed = g.text[:0], g.subjects[:0], g.list[:0], 0, false
}

// Len returns the number of statements, repeated ones included.
func (g *Graph) Len() int { return len(g.list) }

// Check returns ErrTerm when a name holds a character that no IRI may hold.
func (g *Graph) Check() error {
	if g.malformed {
		return fmt.Errorf("%w: a name", ErrTerm)
	}
	return nil
}

// Blank returns a new blank node.
func (g *Graph) Blank() Node {
	g.blanks++
	return Node{blank: g.blanks}
}

// Subject returns a handle under which statements about n are added.
func (g *Graph) Subject(n Node) int {
	s := subject{iri: n.IRI, node: n.number()}
	if s.node < 0 && !validIRI(s.iri) {
		g.malformed = true
	}
	g.subjects = append(g.subjects, s)
	return len(g.subjects) - 1
}

func (n Node) number() int32 {
	if n.IRI != "" {
		return noNode
	}
	return n.blank - 1
}

// Name adds the statement that subject has o under predicate, an IRI known to be well formed.
func (g *Graph) Name(subject int, predicate string, o, graph Node) {
	st := g.begin(subject, predicate, o.number())
	if st.object < 0 {
		if !validIRI(o.IRI) {
			g.malformed = true
		}
		g.text = append(g.text, '<')
		g.text = append(g.text, o.IRI...)
		g.text = append(g.text, '>')
	}
	g.end(st, graph)
}

// Literal adds the statement that subject has a literal under predicate. tag is what canonical N-Quads has behind the
// closing quote ("", "@en", "^^<http://…>"), known to be well formed; see Tag.
func (g *Graph) Literal(subject int, predicate, value, tag string, graph Node) {
	st := g.begin(subject, predicate, noNode)
	g.text = appendQuoted(g.text, value)
	g.text = append(g.text, tag...)
	g.end(st, graph)
}

// Tag returns what canonical N-Quads has behind the closing quote of a literal with this datatype and language, and
// whether both are well formed. An empty datatype stands for xsd:string or, beside a language, rdf:langString.
func Tag(datatype, language string) (tag string, ok bool) {
	t := Term{Kind: Literal, Datatype: datatype, Language: language}
	return string(appendTag(nil, t)), t.check() == nil
}

func (g *Graph) begin(subject int, predicate string, object int32) statement {
	s := &g.subjects[subject]
	from := int32(len(g.text))
	return statement{subject: s.node, iri: s.iri, entry: int32(subject), predicate: predicate, object: object, from: from}
}

func (g *Graph) end(st statement, graph Node) {
	st.mid = int32(len(g.text))
	st.graph = noNode
	switch {
	case graph.IRI != "":
		if !validIRI(graph.IRI) {
			g.malformed = true
		}
		g.text = append(g.text, " <"...)
		g.text = append(g.text, graph.IRI...)
		g.text = append(g.text, '>')
	case graph.blank != 0:
		st.graph = graph.blank - 1
	}
	st.to = int32(len(g.text))
	g.list = append(g.list, st)
}

// Canonical appends the canonical form of g to dst (see Canonicalize). It returns ErrBudget, and ErrTerm for a name that
// holds a character no IRI may hold.
func (g *Graph) Canonical(dst []byte, o Options) ([]byte, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	c := &g.work
	if err := c.run(g, o); err != nil {
		return nil, err
	}
	return c.write(dst), nil
}

// compareNames gives the order of two IRIs as N-Quads writes them, that is with a '>' behind, which is in neither.
func compareNames(a, b string) int {
	n := min(len(a), len(b))
	if c := strings.Compare(a[:n], b[:n]); c != 0 || len(a) == len(b) {
		return c
	}
	if len(a) == n {
		if b[n] > '>' {
			return -1
		}
		return 1
	}
	if a[n] > '>' {
		return 1
	}
	return -1
}
