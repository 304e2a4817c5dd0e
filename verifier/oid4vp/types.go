package oid4vp

import (
	"strings"

	"heartmark/schemas"
)

// Contexts knows the fixed set of JSON-LD contexts; it fetches nothing.
type Contexts interface {
	Document(url string) ([]byte, error)
}

// expandTypes returns the IRIs of a credential's types by its contexts, as DCQL compares them (OpenID4VP 1.0, B.1.1). Names
// that no context at hand defines are left out unless they are IRIs themselves. Only what can stand at the top of a context
// is read: a term with its @id, and prefixes of the same context; the verifier has checked by then that the contexts are
// known ones and the document's form is the plain one.
func expandTypes(contexts Contexts, credential map[string]any) []string {
	terms := map[string]string{}
	for _, url := range list(credential["@context"]) {
		address, _ := url.(string)
		data, err := contexts.Document(address)
		if err != nil {
			continue
		}
		document, err := schemas.ParseObject(data)
		if err != nil {
			continue
		}
		for _, part := range list(document["@context"]) {
			if defined, ok := part.(map[string]any); ok {
				addTerms(terms, defined)
			}
		}
	}
	var out []string
	for _, t := range list(credential["type"]) {
		name, _ := t.(string)
		if iri, known := terms[name]; known {
			out = append(out, iri)
		} else if schemas.IsURL(name) {
			out = append(out, name)
		}
	}
	return out
}

func addTerms(terms map[string]string, defined map[string]any) {
	id := func(name string) string {
		switch t := defined[name].(type) {
		case string:
			return t
		case map[string]any:
			s, _ := t["@id"].(string)
			return s
		}
		return ""
	}
	vocabulary, _ := defined["@vocab"].(string)
	for name := range defined {
		iri := id(name)
		if prefix, rest, compact := strings.Cut(iri, ":"); compact && !strings.HasPrefix(rest, "//") {
			if base := id(prefix); base != "" {
				iri = base + rest
			}
		} else if iri == "" || !compact {
			if vocabulary == "" || strings.HasPrefix(name, "@") {
				continue
			}
			iri = vocabulary + name
		}
		if schemas.IsURL(iri) {
			terms[name] = iri
		}
	}
}

func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	if v == nil {
		return nil
	}
	return []any{v}
}
