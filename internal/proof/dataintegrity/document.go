package dataintegrity

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"heartmark/schemas"
)

// normalize returns a deep copy of v in the forms that schemas.ParseJSON returns, so that the caller's document is
// neither shared nor trusted to stay as it is.
func normalize(v any, depth int) (any, error) {
	if depth > schemas.MaxDepth {
		return nil, fmt.Errorf("%w: nested too deeply", ErrDocument)
	}
	switch v := v.(type) {
	case nil, bool, string, json.Number:
		return v, nil
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, item := range v {
			n, err := normalize(item, depth+1)
			if err != nil {
				return nil, err
			}
			m[name] = n
		}
		return m, nil
	case []any:
		return normalizeList(v, depth)
	case []map[string]any:
		return normalizeList(v, depth)
	case []string:
		return normalizeList(v, depth)
	case int:
		return json.Number(strconv.Itoa(v)), nil
	case int64:
		return json.Number(strconv.FormatInt(v, 10)), nil
	case uint64:
		return json.Number(strconv.FormatUint(v, 10)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%w: number is not finite", ErrDocument)
		}
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64)), nil
	}
	return nil, fmt.Errorf("%w: Go type %T is no JSON value", ErrDocument, v)
}

func normalizeList[T any](list []T, depth int) (any, error) {
	out := make([]any, len(list))
	for i, item := range list {
		n, err := normalize(item, depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

func normalizeObject(doc map[string]any) (map[string]any, error) {
	v, err := normalize(doc, 1)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: no object", ErrDocument)
	}
	return m, nil
}

// plain checks the form of a document beyond its own @context: no keywords but those of value objects, no null,
// no nested arrays, contexts inside only on embedded credentials. All of these are either dropped by JSON-LD, so that
// they would not be signed, or could change what terms mean.
type plain struct {
	policy   Policy
	contexts *contexts
	root     any             // the @context of the document, or of the embedded credential that is being looked at
	literals map[string]bool // terms whose values are JSON literals: anything may stand there
	path     []string
}

func (p *plain) fail(err error, what string) error {
	return fmt.Errorf("%w: /%s: %s", err, strings.Join(p.path, "/"), what)
}

func (p *plain) object(m map[string]any) error {
	if inner, ok := m["@context"]; ok && len(p.path) > 0 {
		literals, root := p.literals, p.root
		defer func() { p.literals, p.root = literals, root }()
		if err := p.inside(inner, m["type"]); err != nil {
			return err
		}
	}
	for name, item := range m {
		if name == "@context" || p.literals[name] {
			continue
		}
		p.path = append(p.path, name)
		switch {
		case name == "":
			return p.fail(ErrUndefinedTerm, "a member without name") // json-gold takes it for the top of the document
		case strings.HasPrefix(name, "@") && !inValue(name, m):
			return p.fail(ErrDocument, "keyword not allowed here")
		}
		if err := p.value(item, false); err != nil {
			return err
		}
		p.path = p.path[:len(p.path)-1]
	}
	return nil
}

// inValue tells whether keyword name is in its place in m: in a value object, beside a value. A name or type is written
// without the sign, as the base contexts define: of a second spelling of the same, json-gold drops one.
func inValue(name string, m map[string]any) bool {
	_, isValue := m["@value"]
	return isValue && (name == "@value" || name == "@type" || name == "@language" || name == "@direction")
}

// inside checks a context that does not stand at the top. An embedded credential has its own; a jcs proof of it, or an
// earlier one of a chain, repeats that of the credential it stands in.
func (p *plain) inside(inner, typ any) error {
	if slices.Contains(p.path[max(0, len(p.path)-2):], "proof") && hasType(typ, proofType) && reflect.DeepEqual(inner, p.root) {
		return nil
	}
	if !embedded(typ) {
		return p.fail(ErrContext, "a context inside the document")
	}
	list, err := p.policy.list(inner, enveloped(typ))
	if err != nil {
		return p.fail(err, "embedded credential")
	}
	// Compiling finds contexts that are unknown or contradict each other before the expander meets them.
	ready, err := p.contexts.compile(list)
	if err != nil {
		return p.fail(err, "embedded credential")
	}
	p.literals, p.root = ready.literals, inner
	return nil
}

func (p *plain) value(v any, inArray bool) error {
	switch v := v.(type) {
	case nil:
		return p.fail(ErrDocument, "null is not signed")
	case map[string]any:
		return p.object(v)
	case []any:
		if inArray {
			return p.fail(ErrDocument, "array inside an array")
		}
		for i, item := range v {
			p.path = append(p.path, strconv.Itoa(i))
			if err := p.value(item, true); err != nil {
				return err
			}
			p.path = p.path[:len(p.path)-1]
		}
	}
	return nil
}

// embedded tells whether an object of this type has a context of its own.
func embedded(typ any) bool {
	return hasType(typ, "VerifiableCredential") || hasType(typ, "VerifiablePresentation") || enveloped(typ)
}

func enveloped(typ any) bool {
	return hasType(typ, "EnvelopedVerifiableCredential") || hasType(typ, "EnvelopedVerifiablePresentation")
}

func hasType(typ any, want string) bool {
	switch typ := typ.(type) {
	case string:
		return typ == want
	case []any:
		for _, item := range typ {
			if item == want {
				return true
			}
		}
	}
	return false
}
