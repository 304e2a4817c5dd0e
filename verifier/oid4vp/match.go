package oid4vp

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"heartmark/schemas"
)

// errPath says that a claims path pointer selects nothing (OpenID4VP 1.0, 7).
var errPath = errors.New("nothing stands at the path")

// Select returns what a claims path pointer selects in a credential (7.1): a name in an object, an index or all elements of
// an array. What is of the wrong shape, or selects nothing, is an error.
func Select(root any, path []any) ([]any, error) {
	selected := []any{root}
	for _, step := range path {
		var next []any
		for _, v := range selected {
			switch s := step.(type) {
			case string:
				m, isObject := v.(map[string]any)
				if !isObject {
					return nil, errPath
				}
				if member, present := m[s]; present {
					next = append(next, member)
				}
			case int:
				items, isArray := v.([]any)
				if !isArray {
					return nil, errPath
				}
				if s < len(items) {
					next = append(next, items[s])
				}
			default:
				items, isArray := v.([]any)
				if !isArray {
					return nil, errPath
				}
				next = append(next, items...)
			}
		}
		if selected = next; len(selected) == 0 {
			return nil, errPath
		}
	}
	return selected, nil
}

// shows reports whether the credential has the claim, with one of the values where some are asked for.
func (c ClaimQuery) shows(credential map[string]any) bool {
	selected, err := Select(credential, c.Path)
	if err != nil {
		return false
	}
	if len(c.Values) == 0 {
		return true
	}
	return slices.ContainsFunc(selected, func(v any) bool {
		plain, ok := scalar(v)
		return ok && slices.Contains(c.Values, plain)
	})
}

// pointer writes the path for people, as a JSON Pointer in which * stands for all elements.
func (c ClaimQuery) pointer() string {
	var b strings.Builder
	for _, step := range c.Path {
		b.WriteByte('/')
		switch s := step.(type) {
		case string:
			b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
		case int:
			b.WriteString(strconv.Itoa(s))
		default:
			b.WriteByte('*')
		}
	}
	return b.String()
}

// Match checks a credential against what was asked: its type, then its claims. types are the expanded types of a credential
// of the data model, and not looked at for an SD-JWT VC. The first thing that is missing comes back as *schemas.FieldError.
func (c CredentialQuery) Match(credential map[string]any, types []string) error {
	if c.Format == FormatSDJWT {
		vct, _ := credential["vct"].(string)
		if !slices.Contains(c.VCTs, vct) {
			return missing("/vct", "a type that was asked for")
		}
	} else if !slices.ContainsFunc(c.Types, func(set []string) bool { return containsAll(types, set) }) {
		return missing("/type", "the types that were asked for")
	}
	if len(c.ClaimSets) == 0 {
		return c.matchAll(credential, nil)
	}
	var first error
	for _, set := range c.ClaimSets {
		err := c.matchAll(credential, set)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// matchAll checks the claims with the ids, all of them for nil.
func (c CredentialQuery) matchAll(credential map[string]any, ids []string) error {
	for _, claim := range c.Claims {
		if (ids == nil || slices.Contains(ids, claim.ID)) && !claim.shows(credential) {
			expected := "the claim that was asked for"
			if len(claim.Values) > 0 {
				expected = "a value that was asked for"
			}
			return missing(claim.pointer(), expected)
		}
	}
	return nil
}

func missing(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(t string) bool { return !slices.Contains(have, t) })
}

// Satisfied reports whether the credentials with these ids are all that is needed (6.4.2).
func (q Query) Satisfied(has func(id string) bool) bool {
	if len(q.Sets) == 0 {
		return !slices.ContainsFunc(q.Credentials, func(c CredentialQuery) bool { return !has(c.ID) })
	}
	for _, set := range q.Sets {
		if set.Required && !slices.ContainsFunc(set.Options, func(ids []string) bool {
			return !slices.ContainsFunc(ids, func(id string) bool { return !has(id) })
		}) {
			return false
		}
	}
	// Sets that are all optional ask for nothing; an answer with nothing in it still shows nothing.
	return slices.ContainsFunc(q.Credentials, func(c CredentialQuery) bool { return has(c.ID) })
}

// credential returns the query with this id.
func (q Query) credential(id string) (CredentialQuery, bool) {
	i := slices.IndexFunc(q.Credentials, func(c CredentialQuery) bool { return c.ID == id })
	if i < 0 {
		return CredentialQuery{}, false
	}
	return q.Credentials[i], true
}
