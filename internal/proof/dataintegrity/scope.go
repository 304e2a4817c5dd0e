package dataintegrity

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/piprate/json-gold/ld"
)

// scope is an active context (JSON-LD 1.1 API, 4.1) with its terms made ready, which remembers the contexts reached from
// it. json-gold makes the active contexts; it makes them anew for each object with a scoped context, at many times the
// cost of all the rest.
type scope struct {
	active   *ld.Context
	previous *scope   // what a type-scoped context is reverted to
	next     sync.Map // transition to *scope; a nil *scope where the general way must be taken
	// terms are those met so far, under the names that documents have. It is replaced, not changed, and holds names of the
	// active context only, so that its size is bounded by that of the contexts.
	terms atomic.Pointer[map[string]*term]
}

// transition says by what a scope is left.
type transition struct {
	kind  transitionKind
	owner *scope // whose term it is
	name  string // the term, or for documents the list of addresses
}

type transitionKind uint8

const (
	byProperty transitionKind = iota // a property's scoped context, which may redefine protected terms
	byType                           // a type's scoped context, which ends at the next object
	byDocument                       // the context of an embedded credential
)

// plain tells whether names without definition stay undefined and strings without language in s.
func (s *scope) plain() bool {
	v := s.active.Values
	return v.Vocab == nil && v.Base == "" && !v.HasLanguage && v.Direction == ""
}

// term returns the definition of name, nil where there is none.
func (s *scope) term(name string) *term {
	known := s.terms.Load()
	if known != nil {
		if t, ok := (*known)[name]; ok {
			return t
		}
	}
	td := s.active.TermDefinitions[name]
	if td == nil {
		return nil
	}
	t := newTerm(s, strings.Clone(name), td) // a clone, because name may be a part of a document
	for {
		more := map[string]*term{t.name: t}
		if known != nil {
			maps.Copy(more, *known)
		}
		if s.terms.CompareAndSwap(known, &more) {
			return t
		}
		known = s.terms.Load()
		if other, ok := (*known)[name]; ok {
			return other
		}
	}
}

// revert leaves a type-scoped context.
func (s *scope) revert() *scope {
	if s.previous != nil {
		return s.previous
	}
	return s
}

// derive returns the scope that applying local to s gives, or nil where only the general way can tell.
func (c *contexts) derive(s *scope, by transition, local any) *scope {
	if known, ok := s.next.Load(by); ok {
		return known.(*scope)
	}
	made := c.apply(s, by, local)
	c.mu.Lock()
	c.count()
	c.mu.Unlock()
	by.name = strings.Clone(by.name)
	actual, _ := s.next.LoadOrStore(by, made)
	return actual.(*scope)
}

func (c *contexts) apply(s *scope, by transition, local any) *scope {
	propagate := by.kind != byType
	switch m := local.(type) {
	case nil:
		if by.kind != byProperty {
			return nil
		}
		return &scope{active: ld.NewContext(nil, c.options())}
	case map[string]any:
		if _, ok := m["@propagate"]; ok {
			return nil
		}
	case []any:
		if by.kind == byType {
			return nil
		}
	default:
		return nil
	}
	from := s.active
	if by.kind == byProperty {
		from = unprotected(from)
	}
	active, err := from.Parse(local)
	if err != nil {
		return nil
	}
	if by.kind == byProperty {
		protectAgain(active, from, s.active)
	}
	made := &scope{active: active, previous: s.previous}
	if list, ok := local.([]any); ok && len(list) > 0 && list[0] == nil {
		made.previous = nil // null leaves everything behind
	}
	if !propagate && made.previous == nil {
		made.previous = s
	}
	return made
}

// unprotected copies active with no term protected: the public Parse has no switch for a property-scoped context, which
// may redefine protected terms (JSON-LD 1.1, 4.1.11).
func unprotected(active *ld.Context) *ld.Context {
	out := ld.CopyContext(active)
	clear(out.Protected)
	for name, td := range out.TermDefinitions {
		if td == nil {
			continue
		}
		free := td.Copy()
		free.Protected = false
		out.TermDefinitions[name] = free
	}
	return out
}

// protectAgain gives active the definitions of original wherever parsing left those of free as they were.
func protectAgain(active, free, original *ld.Context) {
	for name, td := range active.TermDefinitions {
		if td != nil && td == free.TermDefinitions[name] {
			active.TermDefinitions[name] = original.TermDefinitions[name]
			if original.Protected[name] {
				active.Protected[name] = true
			}
		}
	}
}

// expandIRI is the IRI expansion of JSON-LD 1.1 API, 5.2, for scopes without base and vocabulary. ok is false for what
// looks like a keyword and for what is not absolute.
func (s *scope) expandIRI(value string, vocab bool) (iri string, ok bool) {
	if value == "" || value[0] == '@' {
		return "", false
	}
	if vocab {
		if _, defined := s.active.TermDefinitions[value]; defined {
			t := s.term(value)
			if t == nil {
				return "", false
			}
			return t.td.ID, t.absolute
		}
	}
	colon := strings.IndexByte(value, ':')
	if colon <= 0 || colon+1 == len(value) {
		return "", false
	}
	if prefix := value[:colon]; prefix != "_" && !strings.HasPrefix(value[colon+1:], "//") {
		if td := s.active.TermDefinitions[prefix]; td != nil && td.ID != "" && td.Prefix != nil && *td.Prefix {
			value = td.ID + value[colon+1:]
			return value, absolute(value, "name") == nil
		}
	}
	return value, hasScheme(value[:colon]) && !strings.HasPrefix(value, undefinedMark)
}

// hasScheme tells whether s is the scheme of an IRI (RFC 3987, 2.2).
func hasScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; letter || i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.') {
			continue
		}
		return false
	}
	return s != ""
}
