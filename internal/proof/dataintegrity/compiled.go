package dataintegrity

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"heartmark/internal/proof/dataintegrity/rdfc"
	"heartmark/schemas"
)

// walker turns a document into the statements of a graph in one pass, without expanding it, along remembered scopes. It
// knows the shapes that credentials are made of, and checks on its way what inspect checks; at anything else, and at
// whatever is to be refused, it gives up and the general way decides, which also finds the words for it. Tests and a
// fuzz target hold the two to the same bytes.
type walker struct {
	contexts *contexts
	policy   Policy
	graph    *rdfc.Graph
	literals map[string]bool      // the terms for JSON literals of the innermost list of contexts
	text     []byte               // the canonical form, made last
	named    map[string]rdfc.Node // blank nodes by the label they have in the document
}

// maxWalkDepth is below the depth at which documents are refused, which the general way does.
const maxWalkDepth = schemas.MaxDepth - 4

// errShape means that a document needs the general way.
var errShape = errors.New("shape not known")

// walk calls use with the statements of doc without the member skip. It returns errShape where the general way is to
// be taken, and what use returns.
func (c *contexts) walk(ready *compiled, policy Policy, doc map[string]any, skip string, use func(w *walker) error) error {
	if ready.aliases {
		return errShape
	}
	w, kept := c.walkers.Get().(*walker)
	if !kept {
		w = &walker{graph: new(rdfc.Graph)}
	}
	w.contexts, w.policy, w.literals = c, policy, ready.literals
	_, ok := w.element(ready.root, nil, doc, rdfc.Node{}, 1, skip)
	err := errShape
	if ok && w.graph.Len() > 0 {
		err = use(w)
	}
	if errors.Is(err, rdfc.ErrTerm) {
		err = errShape
	}
	w.graph.Reset()
	w.named, w.contexts, w.literals = nil, nil, nil
	c.walkers.Put(w)
	return err
}

// canonical calls use with the canonical form of doc without the member skip, which is not to be kept. It returns errShape
// where the general way is to be taken.
func (c *contexts) canonical(ready *compiled, policy Policy, doc map[string]any, skip string, o rdfc.Options, use func(text []byte)) error {
	return c.walk(ready, policy, doc, skip, func(w *walker) (err error) {
		if w.text, err = w.graph.Canonical(w.text[:0], o); err == nil {
			use(w.text)
		}
		return err
	})
}

// The structural keywords that terms of the base contexts stand for.
const (
	keywordID   = "@id"
	keywordType = "@type"
	memberID    = "id"
	memberType  = "type"
)

// element adds the statements about object m, the value of property (nil at the top), and returns its name (JSON-LD 1.1
// API, 5.1.2 and 8.2).
func (w *walker) element(s *scope, property *term, m map[string]any, graph rdfc.Node, depth int, skip string) (rdfc.Node, bool) {
	none, outside := rdfc.Node{}, w.literals
	typeScoped := w.enter(s, property, m)
	if typeScoped == nil || !typeScoped.plain() || depth > maxWalkDepth {
		return none, false
	}
	var buf [4]string
	types, typed, ok := typesOf(typeScoped, m, buf[:0])
	if !ok {
		return none, false
	}
	active := w.scopeOf(types, typeScoped)
	if active == nil || !active.plain() {
		return none, false
	}
	node, ok := w.subject(active, m)
	if !ok {
		return none, false
	}
	about := w.graph.Subject(node)
	if !w.types(typeScoped, about, types, graph) {
		return none, false
	}
	for name, v := range m {
		if name == "@context" || name == skip && name != "" {
			continue
		}
		if !w.member(active, about, name, v, typed, graph, depth) {
			return none, false
		}
	}
	w.literals = outside
	return node, true
}

// types adds the statements that say of which types something is.
func (w *walker) types(s *scope, about int, types []string, graph rdfc.Node) bool {
	for _, t := range types {
		iri, ok := s.expandIRI(t, true)
		if !ok || strings.HasPrefix(iri, "_:") {
			return false
		}
		w.graph.Name(about, rdfNS+"type", rdfc.Node{IRI: iri}, graph)
	}
	return true
}

// member adds the statements for one member of an object whose active context is s. typed tells whether the object's
// member type gave its types.
func (w *walker) member(s *scope, about int, name string, v any, typed bool, graph rdfc.Node, depth int) bool {
	t := s.term(name)
	if t == nil || name == "" || name[0] == '@' { // undefined, or a keyword
		return false
	}
	switch t.use {
	case usedID:
		return name == memberID
	case usedType:
		return typed && name == memberType
	case usedProperty:
		return (!typed || name != memberType) && w.property(s, about, t, v, graph, depth)
	default:
		return false
	}
}

// enter returns the active context at the start of m: after leaving a type-scoped one, the property's own, m's own; nil
// where only the general way can tell.
func (w *walker) enter(s *scope, property *term, m map[string]any) *scope {
	if property == nil {
		return s
	}
	active := s
	if !isReference(s, m) {
		active = s.revert()
	}
	if t := property; t.td.Context != nil { // property is a term of s
		if active = t.entered.derive(w.contexts, active, transition{byProperty, s, t.name}, t.td.Context); active == nil {
			return nil
		}
	}
	own, ok := m["@context"]
	if !ok {
		return active
	}
	if !embedded(m["type"]) {
		return nil
	}
	list, err := w.policy.list(own, enveloped(m["type"]))
	if err != nil {
		return nil
	}
	ready, err := w.contexts.compile(list)
	if err != nil || ready.aliases {
		return nil
	}
	w.literals = ready.literals
	local := make([]any, len(list))
	for i, address := range list {
		local[i] = address
	}
	return w.contexts.derive(active, transition{byDocument, nil, strings.Join(list, "\n")}, local)
}

// isReference tells whether m only names another node, in which case a type-scoped context goes on.
func isReference(s *scope, m map[string]any) bool {
	if s.previous == nil || len(m) != 1 {
		return false
	}
	_, ok := m[memberID]
	t := s.term(memberID)
	return ok && t != nil && t.use == usedID
}

// typesOf appends the types of m to types. typed tells whether the member type gives them.
func typesOf(s *scope, m map[string]any, types []string) (all []string, typed, ok bool) {
	v, ok := m[memberType]
	if !ok {
		return nil, false, true
	}
	if t := s.term(memberType); t == nil || t.use != usedType {
		return nil, false, true // a member like any other
	}
	switch v := v.(type) {
	case string:
		return append(types, v), true, true
	case []any:
		for _, item := range v {
			t, ok := item.(string)
			if !ok {
				return nil, true, false
			}
			types = append(types, t)
		}
		return types, true, true
	}
	return nil, true, false
}

// scopeOf applies the contexts of types, in their order, to s (JSON-LD 1.1 API, 5.1.2, 11).
func (w *walker) scopeOf(types []string, s *scope) *scope {
	var buf [4]string
	if len(types) > 1 {
		types = append(buf[:0], types...)
		slices.Sort(types)
	}
	active := s
	for _, name := range types {
		if t := s.term(name); t != nil && t.td.HasContext {
			if active = t.types.derive(w.contexts, active, transition{byType, s, t.name}, t.td.Context); active == nil {
				return nil
			}
		}
	}
	return active
}

func (w *walker) subject(s *scope, m map[string]any) (rdfc.Node, bool) {
	v, ok := m[memberID]
	if !ok {
		return w.graph.Blank(), true
	}
	if t := s.term(memberID); t == nil || t.use != usedID {
		return w.graph.Blank(), true
	}
	id, ok := v.(string)
	if !ok {
		return rdfc.Node{}, false
	}
	return w.name(s, id, false)
}

// name reads a string in the place of a node.
func (w *walker) name(s *scope, text string, vocab bool) (rdfc.Node, bool) {
	iri, ok := s.expandIRI(text, vocab)
	if !ok && !strings.HasPrefix(text, "_:") {
		return rdfc.Node{}, false
	}
	if ok && !strings.HasPrefix(iri, "_:") {
		return rdfc.Node{IRI: iri}, true
	}
	if iri != text || len(text) == 2 {
		return rdfc.Node{}, false
	}
	n, known := w.named[text]
	if !known {
		n = w.graph.Blank()
		if w.named == nil {
			w.named = map[string]rdfc.Node{}
		}
		w.named[text] = n
	}
	return n, true
}

// property adds the statements for one member. t is its definition in s, the context of the object it stands in.
func (w *walker) property(s *scope, about int, t *term, v any, graph rdfc.Node, depth int) bool {
	if t.values == asJSON {
		return w.literal(about, t, v, graph, depth)
	}
	inner, predicate := s, t.td.ID
	if t.td.HasContext {
		if inner = t.inner.derive(w.contexts, s, transition{byProperty, s, t.name}, t.td.Context); inner == nil {
			return false
		}
		if t = inner.term(t.name); t == nil || !inner.plain() { // gone where the scoped context is null
			return false
		}
	}
	switch {
	case t.values == asJSON:
		return false
	case t.list:
		return w.list(inner, t, about, predicate, v, graph, depth+2)
	case !t.set:
		return false
	}
	list, ok := v.([]any)
	if !ok {
		return w.item(inner, t, about, predicate, v, graph, depth+1)
	}
	for _, item := range list {
		if !w.item(inner, t, about, predicate, item, graph, depth+2) {
			return false
		}
	}
	return true
}

// list adds an RDF collection (JSON-LD 1.1 API, 8.2 to 8.4).
func (w *walker) list(s *scope, t *term, about int, predicate string, v any, graph rdfc.Node, depth int) bool {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		here := w.graph.Blank()
		w.graph.Name(about, predicate, here, graph)
		about, predicate = w.graph.Subject(here), rdfNS+"rest"
		if !w.item(s, t, about, rdfNS+"first", item, graph, depth) {
			return false
		}
	}
	w.graph.Name(about, predicate, rdfc.Node{IRI: rdfNS + "nil"}, graph)
	return true
}

// literal adds a JSON literal.
func (w *walker) literal(about int, t *term, v any, graph rdfc.Node, depth int) bool {
	if t.td.HasContext || len(t.td.Container) > 0 || !w.literals[t.name] {
		return false
	}
	own, err := normalize(v, depth+1) // also finds what is nested too deeply
	if err != nil || schemas.CheckExactNumbers(own) != nil {
		return false
	}
	text, err := schemas.CanonicalJSON(own)
	if err != nil {
		return false
	}
	w.graph.Literal(about, t.td.ID, string(text), "^^<"+rdfNS+"JSON>", graph)
	return true
}

// item adds the statement for one value of a property, and those about the value.
func (w *walker) item(s *scope, t *term, about int, predicate string, v any, graph rdfc.Node, depth int) bool {
	m, isObject := v.(map[string]any)
	switch {
	case !isObject:
		return !t.graph && w.scalar(s, t, about, predicate, v, graph)
	case t.graph:
		own := w.graph.Blank()
		w.graph.Name(about, predicate, own, graph)
		_, ok := w.element(s, t, m, own, depth, "")
		return ok
	}
	if value, ok := m["@value"]; ok {
		return w.tagged(about, predicate, value, m, graph)
	}
	o, ok := w.element(s, t, m, graph, depth, "")
	w.graph.Name(about, predicate, o, graph)
	return ok
}

// tagged adds a value object that gives a string its language or direction or both.
func (w *walker) tagged(about int, predicate string, value any, m map[string]any, graph rdfc.Node) bool {
	text, ok := value.(string)
	if !ok {
		return false
	}
	var language, direction string
	for name, v := range m {
		s, ok := v.(string)
		switch {
		case !ok:
			return false
		case name == "@value":
		case name == "@language":
			language = strings.ToLower(s)
		case name == "@direction":
			direction = s
		default:
			return false
		}
	}
	l, err := tagged(rdfc.Term{Kind: rdfc.Literal}, language, direction)
	if err != nil {
		return false
	}
	tag, ok := rdfc.Tag(l.Datatype, l.Language)
	w.graph.Literal(about, predicate, text, tag, graph)
	return ok
}

// scalar adds a string, number or boolean by its term's type and language (JSON-LD 1.1 API, 5.3).
func (w *walker) scalar(s *scope, t *term, about int, predicate string, v any, graph rdfc.Node) bool {
	if t.values == asSomething {
		return false
	}
	switch v := v.(type) {
	case string:
		if t.values == asLiteral {
			w.graph.Literal(about, predicate, v, t.tag, graph)
			return true
		}
		o, ok := w.name(s, v, t.values == asVocab)
		w.graph.Name(about, predicate, o, graph)
		return ok
	case bool:
		tag := t.tag
		if t.datatype == "" {
			tag = "^^<" + xsdNS + "boolean>"
		}
		w.graph.Literal(about, predicate, strconv.FormatBool(v), tag, graph)
		return true
	case json.Number:
		n, err := numeric(rdfc.Term{Kind: rdfc.Literal, Datatype: t.datatype}, v)
		if err != nil || schemas.CheckExactNumbers(v) != nil {
			return false
		}
		tag, ok := rdfc.Tag(n.Datatype, "")
		w.graph.Literal(about, predicate, n.Value, tag, graph)
		return ok
	}
	return false
}
