package dataintegrity

import (
	"strings"
	"sync"

	"github.com/piprate/json-gold/ld"
)

// scope is an active context (JSON-LD 1.1 API, 4.1) that remembers the contexts reached from it. json-gold makes the
// active contexts; it makes them anew for each object with a scoped context, at many times the cost of all the rest.
type scope struct {
	active   *ld.Context
	previous *scope   // what a type-scoped context is reverted to
	next     sync.Map // transition to *scope; a nil *scope where the general way must be taken
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

func (s *scope) term(name string) *ld.TermDefinition { return s.active.TermDefinitions[name] }

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
// looks like a keyword.
func (s *scope) expandIRI(value string, vocab bool) (iri string, ok bool) {
	if value == "" || value[0] == '@' {
		return "", false
	}
	if vocab {
		if td, found := s.active.TermDefinitions[value]; found {
			if td == nil {
				return "", false
			}
			return td.ID, td.ID != "" && td.ID[0] != '@'
		}
	}
	if prefix, suffix, found := strings.Cut(value, ":"); found && prefix != "" && prefix != "_" && !strings.HasPrefix(suffix, "//") {
		if td := s.term(prefix); td != nil && td.ID != "" && td.Prefix != nil && *td.Prefix {
			return td.ID + suffix, true
		}
	}
	return value, true
}
