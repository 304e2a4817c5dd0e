package verifier

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"heartmark/schemas"
	schemacontext "heartmark/schemas/context"
)

// model checks the document's form and its contexts. It reports whether the rest can be checked.
func (r *run) model(validate func(map[string]any) error) bool {
	if err := contextForm(r.doc); err != nil {
		r.addField("model_context_refused", err)
		return false
	}
	if err := validate(r.doc); err != nil {
		r.addField("model_malformed", err)
		return false
	}
	if err := schemas.CheckExactNumbers(r.doc); err != nil {
		r.addField("model_malformed", err)
		return false
	}
	for i, c := range texts(r.doc["@context"]) {
		if !knowsContext(r.v.cfg.Contexts, c) {
			r.add("model_context_unknown", "/@context/"+strconv.Itoa(i)).say(c)
			return false
		}
	}
	if at := strayContext(r.doc); at != "" {
		r.add("model_context_refused", at).say("the context is of another installation than the schema and achievement")
		return false
	}
	r.add("model_ok", "")
	return true
}

// strayContext finds a DEI context whose origin nothing signed names, and returns its pointer. An rdfc suite signs what
// terms mean and not the address of the context that says so, and ours is the same file at every installation: without
// this rule its host could be changed in a signed credential.
func strayContext(doc map[string]any) string {
	for i, c := range texts(doc["@context"]) {
		origin, ok := strings.CutSuffix(c, schemacontext.DEIPath)
		if !ok {
			continue
		}
		named := []string{text(object(object(doc, "credentialSubject"), "achievement"), "id")}
		for _, e := range entries(doc, "credentialSchema") {
			named = append(named, text(e.value, "id"))
		}
		if !slices.ContainsFunc(named, func(id string) bool { return strings.HasPrefix(id, origin+"/") }) {
			return "/@context/" + strconv.Itoa(i)
		}
	}
	return ""
}

// contextForm holds security.md R4: contexts are named, not defined; they stand at the top of a credential alone; and the
// document is in its plain form. Other spellings would let a reader of JSON and a reader of JSON-LD see different things.
func contextForm(doc map[string]any) error {
	for i, c := range list(doc["@context"]) {
		if _, ok := c.(string); !ok {
			return below("@context", below(strconv.Itoa(i), misplaced("the URL of a context")))
		}
	}
	for name, value := range doc {
		if name == "@context" {
			continue
		}
		if name == "proof" {
			value = withoutContext(value)
		}
		if err := plain(name, value, ownContexts(name)); err != nil {
			return below(escape(name), err)
		}
	}
	return nil
}

// withoutContext leaves out the copy of the document's contexts that a jcs suite puts into its proof; the proof checker
// compares it.
func withoutContext(proof any) any {
	switch t := proof.(type) {
	case map[string]any:
		bare := maps.Clone(t)
		delete(bare, "@context")
		return bare
	case []any:
		out := make([]any, len(t))
		for i, p := range t {
			out[i] = p
			if m, ok := p.(map[string]any); ok {
				out[i] = withoutContext(m)
			}
		}
		return out
	}
	return proof
}

// ownContexts tells the members whose objects are documents of their own, checked for themselves.
func ownContexts(name string) bool { return name == "verifiableCredential" || name == "endorsement" }

// plain walks a value; pointers are put together on the way back, for the one fault there may be.
func plain(name string, value any, documents bool) error {
	if len(name) > 0 && name[0] == '@' && name != "@value" && name != "@language" && name != "@direction" {
		return misplaced("no JSON-LD keyword here")
	}
	switch t := value.(type) {
	case nil:
		return misplaced("a value other than null")
	case map[string]any:
		if documents {
			return nil
		}
		for member, v := range t {
			if err := plain(member, v, false); err != nil {
				return below(escape(member), err)
			}
		}
	case []any:
		for i, v := range t {
			if _, nested := v.([]any); nested {
				return below(strconv.Itoa(i), misplaced("no list inside a list"))
			}
			if err := plain("", v, documents); err != nil {
				return below(strconv.Itoa(i), err)
			}
		}
	case string, bool, json.Number:
	default:
		return misplaced("a value of the strict JSON parser")
	}
	return nil
}

func misplaced(expected string) error {
	return &schemas.FieldError{Expected: expected, Err: schemas.ErrMalformed}
}

// below puts one step before the pointer of a fault.
func below(step string, err error) error {
	if f, ok := errors.AsType[*schemas.FieldError](err); ok {
		f.Pointer = "/" + step + f.Pointer
	}
	return err
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

// escape writes a member name as a step of a JSON Pointer (RFC 6901, 3).
func escape(name string) string {
	out := make([]byte, 0, len(name))
	for i := range len(name) {
		switch name[i] {
		case '~':
			out = append(out, '~', '0')
		case '/':
			out = append(out, '~', '1')
		default:
			out = append(out, name[i])
		}
	}
	return string(out)
}
