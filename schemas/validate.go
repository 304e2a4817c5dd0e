package schemas

import (
	"regexp"
	"slices"
	"strconv"
	"time"
)

// ValidateCredential checks an already parsed document against the rules that VC Data Model 2.0 puts on a credential
// (4.3 to 4.13 and 5.3 to 5.10) and that need no JSON-LD processing: whether terms and types are defined by the contexts
// is for the Data Integrity processor. It returns a *FieldError with the first value at fault. Dates in the past or the
// future are no fault of the document. A date needs its offset.
func ValidateCredential(doc map[string]any) error {
	if err := checkPlainForm(doc); err != nil {
		return err
	}
	if err := checkContext(doc); err != nil {
		return err
	}
	if err := checkTypes(doc, "", TypeVerifiableCredential); err != nil {
		return err
	}
	if err := checkOptionalID(doc, ""); err != nil {
		return err
	}
	if err := checkReference(doc, "/issuer", "issuer", true); err != nil {
		return err
	}
	if err := checkTexts(doc, ""); err != nil {
		return err
	}
	if issuer, ok := doc["issuer"].(map[string]any); ok {
		if err := checkTexts(issuer, "/issuer"); err != nil {
			return err
		}
	}
	if err := checkSubjects(doc); err != nil {
		return err
	}
	if err := checkPeriod(doc); err != nil {
		return err
	}
	return checkAttachments(doc)
}

// ValidatePresentation checks the same of a presentation (4.13): contexts, types, id, holder, and that each entry of
// verifiableCredential is an object with a context and a type. The credentials inside are not checked further.
func ValidatePresentation(doc map[string]any) error {
	if err := checkPlainForm(doc); err != nil {
		return err
	}
	if err := checkContext(doc); err != nil {
		return err
	}
	if err := checkTypes(doc, "", TypeVerifiablePresentation); err != nil {
		return err
	}
	if err := checkOptionalID(doc, ""); err != nil {
		return err
	}
	if err := checkReference(doc, "/holder", "holder", false); err != nil {
		return err
	}
	return eachObject(doc, "verifiableCredential", func(vc map[string]any, at string) error {
		if _, ok := vc["@context"]; !ok {
			return malformedAt(at+"/@context", "the credential's own context")
		}
		types, err := typesOf(vc, at)
		if err != nil {
			return err
		}
		for _, t := range types {
			if t == TypeVerifiableCredential || t == "EnvelopedVerifiableCredential" {
				return nil
			}
		}
		return malformedAt(at+"/type", TypeVerifiableCredential)
	})
}

func malformedAt(pointer, expected string) error {
	return &FieldError{Pointer: pointer, Expected: expected, Err: ErrMalformed}
}

// checkPlainForm refuses JSON-LD's other spellings of a document, which would let two readers see different members.
func checkPlainForm(doc map[string]any) error {
	for _, keyword := range []string{"@graph", "@included", "@reverse", "@id", "@type", "@nest"} {
		if _, ok := doc[keyword]; ok {
			return malformedAt("/"+keyword, "the plain form of a document, without this keyword")
		}
	}
	return nil
}

// checkContext: 4.3. An ordered set whose first item is the base context; the others are URLs or objects.
func checkContext(doc map[string]any) error {
	list, ok := doc["@context"].([]any)
	if !ok || len(list) == 0 {
		return malformedAt("/@context", "an array that begins with "+ContextV2)
	}
	if list[0] != ContextV2 {
		return malformedAt("/@context/0", ContextV2)
	}
	for i, item := range list[1:] {
		at := "/@context/" + strconv.Itoa(i+1)
		switch v := item.(type) {
		case string:
			if !IsURL(v) {
				return malformedAt(at, "a URL")
			}
			if v == ContextV1 {
				return malformedAt(at, "contexts of one version of the data model")
			}
		case map[string]any:
		default:
			return malformedAt(at, "a URL or an object")
		}
	}
	return nil
}

// typesOf returns the types of an object: a string or a non-empty array of strings, none repeated.
func typesOf(m map[string]any, at string) ([]string, error) {
	switch v := m["type"].(type) {
	case string:
		if v == "" {
			return nil, malformedAt(at+"/type", "a type")
		}
		return []string{v}, nil
	case []any:
		if len(v) == 0 {
			return nil, malformedAt(at+"/type", "at least one type")
		}
		types := make([]string, 0, len(v))
		for i, item := range v {
			s, ok := item.(string)
			if !ok || s == "" {
				return nil, malformedAt(at+"/type/"+strconv.Itoa(i), "a type, as a string")
			}
			types = append(types, s)
		}
		return types, nil
	}
	return nil, malformedAt(at+"/type", "a type, or an array of types")
}

// checkTypes: 4.5. There is a type, and where some are wanted it is one of them at least.
func checkTypes(m map[string]any, at string, wanted ...string) error {
	types, err := typesOf(m, at)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		if slices.Contains(types, w) {
			return nil
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return malformedAt(at+"/type", "a list with "+wanted[0])
}

// checkOptionalID: 4.4. If there is an id, it is one URL.
func checkOptionalID(m map[string]any, at string) error {
	id, ok := m["id"]
	if !ok {
		return nil
	}
	if s, isString := id.(string); !isString || !IsURL(s) {
		return malformedAt(at+"/id", "one URL")
	}
	return nil
}

// checkReference: 4.7, 4.13. A URL, or an object with a URL as id.
func checkReference(doc map[string]any, at, name string, needed bool) error {
	v, ok := doc[name]
	if !ok {
		if needed {
			return malformedAt(at, "a URL, or an object with an id")
		}
		return nil
	}
	switch r := v.(type) {
	case string:
		if IsURL(r) {
			return nil
		}
		return malformedAt(at, "a URL")
	case map[string]any:
		if id, isString := r["id"].(string); isString && IsURL(id) {
			return nil
		}
		return malformedAt(at+"/id", "a URL")
	}
	return malformedAt(at, "a URL, or an object with an id")
}

// languageTag is the shape of a well-formed BCP 47 tag.
var languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)

// checkTexts: 4.6 and 11. name and description are a string, a language value, or an array of those.
func checkTexts(m map[string]any, at string) error {
	for _, name := range []string{"name", "description"} {
		v, ok := m[name]
		if !ok {
			continue
		}
		pointer := at + "/" + name
		list, isList := v.([]any)
		if !isList {
			if err := checkText(v, pointer); err != nil {
				return err
			}
			continue
		}
		if len(list) == 0 {
			return malformedAt(pointer, "at least one text")
		}
		for i, item := range list {
			if err := checkText(item, pointer+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkText(v any, at string) error {
	object, ok := v.(map[string]any)
	if !ok {
		if _, ok := v.(string); ok {
			return nil
		}
		return malformedAt(at, "a text, or an object with @value and @language")
	}
	if _, ok := object["@value"].(string); !ok {
		return malformedAt(at+"/@value", "a text")
	}
	for name, member := range object {
		s, isString := member.(string)
		switch name {
		case "@value":
		case "@language":
			if !isString || !languageTag.MatchString(s) {
				return malformedAt(at+"/@language", "a language tag")
			}
		case "@direction":
			if s != "ltr" && s != "rtl" {
				return malformedAt(at+"/@direction", "ltr or rtl")
			}
		default:
			return malformedAt(at, "only @value, @language and @direction")
		}
	}
	return nil
}

// checkSubjects: 4.8. One object or a non-empty set of them, each with at least one member.
func checkSubjects(doc map[string]any) error {
	if _, ok := doc["credentialSubject"]; !ok {
		return malformedAt("/credentialSubject", "an object, or an array of objects")
	}
	return eachObject(doc, "credentialSubject", func(subject map[string]any, at string) error {
		if len(subject) == 0 {
			return malformedAt(at, "at least one claim")
		}
		return checkOptionalID(subject, at)
	})
}

// eachObject calls check for the object doc[name], or for each object of the non-empty array there, with its pointer.
// An absent member is no fault.
func eachObject(doc map[string]any, name string, check func(m map[string]any, at string) error) error {
	return eachBelow(doc, "", name, check)
}

// eachBelow is eachObject for an object that itself stands at the pointer at.
func eachBelow(parent map[string]any, at, name string, check func(m map[string]any, at string) error) error {
	at += "/" + name
	switch v := parent[name].(type) {
	case map[string]any:
		return check(v, at)
	case []any:
		if len(v) == 0 {
			return malformedAt(at, "at least one object")
		}
		for i, item := range v {
			m, ok := item.(map[string]any)
			if !ok {
				return malformedAt(at+"/"+strconv.Itoa(i), "an object")
			}
			if err := check(m, at+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
		return nil
	}
	if _, ok := parent[name]; ok {
		return malformedAt(at, "an object, or an array of objects")
	}
	return nil
}

// checkPeriod: 4.9. Two optional dates in order.
func checkPeriod(doc map[string]any) error {
	from, hasFrom, err := dateAt(doc, "validFrom")
	if err != nil {
		return err
	}
	until, hasUntil, err := dateAt(doc, "validUntil")
	if err != nil {
		return err
	}
	if hasFrom && hasUntil && until.Before(from) {
		return malformedAt("/validUntil", "a date not before validFrom")
	}
	for _, old := range []string{"issuanceDate", "expirationDate"} {
		if _, ok := doc[old]; ok {
			return malformedAt("/"+old, "validFrom and validUntil; this name is of data model 1.1")
		}
	}
	return nil
}

func dateAt(m map[string]any, name string) (time.Time, bool, error) {
	v, ok := m[name]
	if !ok {
		return time.Time{}, false, nil
	}
	s, ok := v.(string)
	if !ok {
		return time.Time{}, false, malformedAt("/"+name, "a date and time")
	}
	t, err := ParseTime(s)
	if err != nil {
		return time.Time{}, false, &FieldError{Pointer: "/" + name, Expected: "a date and time with offset", Err: ErrMalformed}
	}
	return t, true, nil
}
