package dataintegrity

import (
	"slices"
	"strings"
	"sync/atomic"

	"heartmark/internal/proof/dataintegrity/rdfc"

	"github.com/piprate/json-gold/ld"
)

// term is a term definition made ready for walking documents. It is never written to, but for the scopes it remembers.
type term struct {
	name     string
	td       *ld.TermDefinition
	use      termUse
	absolute bool   // td.ID is an absolute IRI: fit as a type
	values   value  // how its strings are read
	datatype string // of its values, "" where each has the one of its kind
	tag      string // what N-Quads has behind the quotes of a string, given that datatype
	set      bool   // its container, if it has one, is @set or @graph
	list     bool   // its container is @list
	graph    bool   // its values are graphs

	inner   remembered // for its values: property-scoped context applied to the scope the term is of
	entered remembered // for an object that is its value
	types   remembered // as a type
}

// termUse tells what a term stands for as the name of a member.
type termUse uint8

const (
	usedOtherwise termUse = iota // in a way that only the general way knows
	usedID                       // @id
	usedType                     // @type
	usedProperty
)

// value tells how a string is read.
type value uint8

const (
	asLiteral   value = iota
	asName            // @id
	asVocab           // @vocab
	asJSON            // @json
	asSomething       // in a way that only the general way knows
)

// remembered is the last step out of a scope. Which contexts follow each other is nearly always the same, so that one
// step is enough; derive knows the others.
type remembered struct{ last atomic.Pointer[step] }

type step struct{ from, to *scope }

// derive is contexts.derive for a transition that r alone remembers.
func (r *remembered) derive(c *contexts, s *scope, by transition, local any) *scope {
	if last := r.last.Load(); last != nil && last.from == s {
		return last.to
	}
	to := c.derive(s, by, local)
	r.last.Store(&step{s, to})
	return to
}

func newTerm(s *scope, name string, td *ld.TermDefinition) *term {
	t := &term{name: name, td: td, absolute: td.ID != "" && td.ID[0] != '@' && absolute(td.ID, "type") == nil}
	switch {
	case td.ID == keywordID:
		t.use = usedID
	case td.ID == keywordType:
		t.use = usedType
	case td.Reverse || td.Nest != "" || td.Index != "" || !t.absolute || strings.HasPrefix(td.ID, "_:"):
	default:
		if _, ok := rdfc.Tag(td.ID, ""); ok { // a datatype is an IRI like any other
			t.use = usedProperty
		}
	}
	t.set, t.list = true, len(td.Container) == 1 && td.Container[0] == "@list"
	for _, container := range td.Container {
		t.set = t.set && (container == "@set" || container == "@graph")
		t.graph = t.graph || container == "@graph"
	}
	t.read(s)
	return t
}

// read finds out how strings are read.
func (t *term) read(s *scope) {
	td := t.td
	switch td.Type {
	case "@id":
		t.values = asName
	case "@vocab":
		t.values = asVocab
	case "@json":
		t.values = asJSON
	case "", "@none":
		if td.HasLanguage || td.HasDirection {
			t.values = asSomething
		}
	default:
		var ok bool
		t.datatype = td.Type
		t.tag, ok = rdfc.Tag(td.Type, "")
		if !ok || td.Type[0] == '@' || absolute(td.Type, "type") != nil || td.HasLanguage || td.HasDirection {
			t.values = asSomething
		}
	}
	if !s.plain() && !slices.Contains([]value{asName, asVocab, asJSON}, t.values) {
		t.values = asSomething
	}
}
