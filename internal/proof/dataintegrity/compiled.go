package dataintegrity

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"heartmark/internal/proof/dataintegrity/rdfc"
	"heartmark/schemas"

	"github.com/piprate/json-gold/ld"
)

// walker turns a document into RDF in one pass, without expanding it, along remembered scopes. It knows the shapes that
// credentials are made of; at anything else it gives up and the general way decides. A test holds the two together on
// all published credentials and on changed ones.
type walker struct {
	contexts  *contexts
	policy    Policy
	converter converter
	fault     error // why doc is refused whichever way is taken: an undefined term or type, a name that is not absolute
}

// errShape means that doc needs the general way.
var errShape = errors.New("shape not known")

// convert returns errShape when doc needs the general way, and another error when doc is refused whichever is taken.
func (c *contexts) convert(ready *compiled, doc map[string]any, policy Policy) (rdfc.Dataset, error) {
	w := walker{contexts: c, policy: policy}
	w.converter.dataset = make(rdfc.Dataset, 0, statementsIn(doc))
	if _, ok := w.element(ready.root, "", doc, rdfc.Term{}); !ok || len(w.converter.dataset) == 0 {
		if w.fault != nil {
			return nil, w.fault
		}
		return nil, errShape
	}
	return w.converter.dataset, nil
}

// statementsIn is about how many statements a document gives: one a value.
func statementsIn(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			n += statementsIn(item)
		}
	case []any:
		n = 0
		for _, item := range v {
			n += statementsIn(item)
		}
	}
	return n
}

// The structural keywords that terms of the base contexts stand for.
const (
	keywordID   = "@id"
	keywordType = "@type"
)

// element adds the statements about object m, the value of property ("" at the top), and returns its name (JSON-LD 1.1
// API, 5.1.2 and 8.2).
func (w *walker) element(s *scope, property string, m map[string]any, graph rdfc.Term) (rdfc.Term, bool) {
	none := rdfc.Term{}
	active, ok := w.enter(s, property, m)
	if !ok || active.active.Values.Vocab != nil || active.active.Values.Base != "" {
		return none, false
	}
	typeScoped := active
	typeKey, types, ok := typesOf(active, m)
	if !ok {
		return none, false
	}
	sorted := types
	if len(types) > 1 {
		sorted = slices.Clone(types)
		slices.Sort(sorted)
	}
	for _, t := range sorted {
		if td := typeScoped.term(t); td != nil && td.HasContext {
			if active = w.contexts.derive(active, transition{byType, typeScoped, t}, td.Context); active == nil {
				return none, false
			}
		}
	}
	subject, ok := w.subject(active, m)
	if !ok {
		return none, false
	}
	for _, t := range types {
		iri, ok := typeScoped.expandIRI(t, true)
		if !ok {
			return none, false
		}
		if w.fault = absolute(iri, "type"); w.fault != nil {
			return none, false
		}
		w.converter.add(subject, rdfNS+"type", rdfc.Term{Kind: rdfc.IRI, Value: iri}, graph)
	}
	for name, v := range m {
		td := active.term(name)
		switch {
		case name == "@context":
			continue
		case td == nil:
			if !strings.ContainsAny(name, ":@") && active.active.Values.Vocab == nil {
				w.fault = fmt.Errorf("%w: %.200q", ErrUndefinedTerm, name)
			}
			return none, false
		case (td.ID == keywordType) != (name == typeKey):
			return none, false
		case td.ID == keywordID || td.ID == keywordType:
			continue
		}
		if !w.property(active, subject, name, td, v, graph) {
			return none, false
		}
	}
	return subject, true
}

// enter returns the active context at the start of m: after leaving a type-scoped one, the property's own, m's own.
func (w *walker) enter(s *scope, property string, m map[string]any) (*scope, bool) {
	if property == "" {
		return s, true
	}
	own, hasOwn := m["@context"]
	active := s
	if !isReference(s, m) {
		active = s.revert()
	}
	if td := s.term(property); td != nil && td.Context != nil {
		if active = w.contexts.derive(active, transition{byProperty, s, property}, td.Context); active == nil {
			return nil, false
		}
	}
	if !hasOwn {
		return active, true
	}
	list, err := w.policy.list(own, enveloped(m["type"]))
	if err != nil {
		return nil, false
	}
	if active == nil {
		return nil, false
	}
	local := make([]any, len(list))
	for i, address := range list {
		local[i] = address
	}
	active = w.contexts.derive(active, transition{byDocument, nil, strings.Join(list, "\n")}, local)
	return active, active != nil
}

// isReference tells whether m only names another node, in which case a type-scoped context goes on.
func isReference(s *scope, m map[string]any) bool {
	if s.previous == nil || len(m) != 1 {
		return false
	}
	for name := range m {
		td := s.term(name)
		return td != nil && td.ID == keywordID
	}
	return false
}

// typesOf reads the member that stands for @type, of which there may be one.
func typesOf(s *scope, m map[string]any) (key string, types []string, ok bool) {
	for name, v := range m {
		if td := s.term(name); td == nil || td.ID != keywordType {
			continue
		}
		if key != "" {
			return "", nil, false
		}
		key = name
		switch v := v.(type) {
		case string:
			types = []string{v}
		case []any:
			types = make([]string, len(v))
			for i, item := range v {
				if types[i], ok = item.(string); !ok {
					return "", nil, false
				}
			}
		default:
			return "", nil, false
		}
	}
	return key, types, true
}

func (w *walker) subject(s *scope, m map[string]any) (subject rdfc.Term, ok bool) {
	found := false
	for name, v := range m {
		td := s.term(name)
		if td == nil || td.ID != keywordID {
			continue
		}
		id, isString := v.(string)
		if found || !isString {
			return rdfc.Term{}, false
		}
		found = true
		if subject, ok = w.name(s, id, false); !ok {
			return rdfc.Term{}, false
		}
	}
	if !found {
		return w.converter.blank(), true
	}
	return subject, true
}

func (w *walker) name(s *scope, value string, vocab bool) (rdfc.Term, bool) {
	iri, ok := s.expandIRI(value, vocab)
	if !ok {
		return rdfc.Term{}, false
	}
	t, err := w.converter.name(iri)
	w.fault = err
	return t, err == nil
}

// property adds the statements for one member. td is its definition in s, the context of the object it stands in.
func (w *walker) property(s *scope, subject rdfc.Term, name string, td *ld.TermDefinition, v any, graph rdfc.Term) bool {
	if td.Reverse || td.Nest != "" || td.Index != "" || td.ID == "" || td.ID[0] == '@' || absolute(td.ID, "property") != nil || strings.HasPrefix(td.ID, "_:") {
		return false
	}
	if td.Type == "@json" {
		text, err := schemas.CanonicalJSON(v)
		if err != nil || td.HasContext || len(td.Container) > 0 {
			return false
		}
		w.converter.add(subject, td.ID, rdfc.Term{Kind: rdfc.Literal, Value: string(text), Datatype: rdfNS + "JSON"}, graph)
		return true
	}
	inner := s
	if td.HasContext {
		if inner = w.contexts.derive(s, transition{byProperty, s, name}, td.Context); inner == nil {
			return false
		}
	}
	inGraph := false
	innerTerm := inner.term(name) // gone where the scoped context is null
	if innerTerm != nil {
		for _, container := range innerTerm.Container {
			switch container {
			case "@set":
			case "@graph":
				inGraph = true
			default:
				return false
			}
		}
	}
	list, ok := v.([]any)
	if !ok {
		return w.item(inner, innerTerm, subject, td.ID, name, v, graph, inGraph)
	}
	for _, item := range list {
		if !w.item(inner, innerTerm, subject, td.ID, name, item, graph, inGraph) {
			return false
		}
	}
	return true
}

func (w *walker) item(s *scope, td *ld.TermDefinition, subject rdfc.Term, predicate, name string, v any, graph rdfc.Term, inGraph bool) bool {
	m, isObject := v.(map[string]any)
	switch {
	case inGraph && !isObject:
		return false
	case inGraph:
		own := w.converter.blank()
		w.converter.add(subject, predicate, own, graph)
		_, ok := w.element(s, name, m, own)
		return ok
	case isObject && m["@value"] != nil:
		o, ok := tagOnly(m)
		w.converter.add(subject, predicate, o, graph)
		return ok
	case isObject:
		o, ok := w.element(s, name, m, graph)
		w.converter.add(subject, predicate, o, graph)
		return ok
	}
	o, ok := w.scalar(s, td, v)
	w.converter.add(subject, predicate, o, graph)
	return ok
}

// tagOnly converts a value object that gives a string its language or direction or both.
func tagOnly(m map[string]any) (rdfc.Term, bool) {
	t := rdfc.Term{Kind: rdfc.Literal}
	var language, direction string
	for name, v := range m {
		s, ok := v.(string)
		if !ok {
			return t, false
		}
		switch name {
		case "@value":
			t.Value = s
		case "@language":
			language = strings.ToLower(s)
		case "@direction":
			direction = s
		default:
			return t, false
		}
	}
	t, err := tagged(t, language, direction)
	return t, err == nil
}

// scalar converts a string, number or boolean by its term's type and language (JSON-LD 1.1 API, 5.3).
func (w *walker) scalar(s *scope, td *ld.TermDefinition, v any) (rdfc.Term, bool) {
	t := rdfc.Term{Kind: rdfc.Literal}
	text, isString := v.(string)
	if td != nil {
		switch td.Type {
		case "@id", "@vocab":
			if isString {
				return w.name(s, text, td.Type == "@vocab")
			}
		case "", "@none":
		default:
			if td.Type[0] == '@' || absolute(td.Type, "type") != nil {
				return t, false
			}
			t.Datatype = td.Type
		}
	}
	switch v := v.(type) {
	case bool:
		t.Value = strconv.FormatBool(v)
		if t.Datatype == "" {
			t.Datatype = xsdNS + "boolean"
		}
		return t, true
	case json.Number:
		t, err := numeric(t, v)
		return t, err == nil
	case string:
		t.Value = v
		values := s.active.Values
		if td != nil && (td.HasLanguage || td.HasDirection) || values.HasLanguage || values.Direction != "" {
			return t, false
		}
		return t, true
	}
	return t, false
}
