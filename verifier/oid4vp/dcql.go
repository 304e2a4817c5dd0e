package oid4vp

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"heartmark/schemas"
)

// Formats of credentials that can be asked for (OpenID4VP 1.0, Appendix B).
const (
	FormatSDJWT = "dc+sd-jwt"
	FormatLDP   = "ldp_vc"
	FormatJWT   = "jwt_vc_json"
)

// Limits of one query: what a page of consent can show, and what bounds the work of matching.
const (
	maxQueries   = 20
	maxClaims    = 100
	maxClaimSets = 50
	maxPath      = 20
	maxValues    = 100
)

// Query is a DCQL query (OpenID4VP 1.0, 6).
type Query struct {
	Credentials []CredentialQuery
	// Sets say which credentials are needed together; none: all of them.
	Sets []CredentialSet
}

// CredentialQuery asks for one kind of credential (6.1).
type CredentialQuery struct {
	ID, Format string
	Multiple   bool
	// Bound says that the presenter must prove to be the holder (require_cryptographic_holder_binding, true by default).
	Bound bool
	// VCTs are for dc+sd-jwt, Types for the others: of several sets of expanded type IRIs one must be contained.
	VCTs      []string
	Types     [][]string
	Claims    []ClaimQuery
	ClaimSets [][]string
}

// ClaimQuery asks for a claim (6.3).
type ClaimQuery struct {
	ID string
	// Path is made of strings, of int for an index, and of nil for all elements (7).
	Path []any
	// Values are string, bool or int64; none: any value.
	Values []any
}

// CredentialSet is one rule about credentials that are needed together (6.2).
type CredentialSet struct {
	Options  [][]string
	Required bool
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// ParseQuery reads a DCQL query as schemas.ParseObject gives it. Members that the specification does not know are left out,
// as it demands; what is known and cannot be checked on the answer is refused here rather than trusted there. Faults are
// *schemas.FieldError, with a pointer into the query.
func ParseQuery(m map[string]any) (Query, error) {
	var q Query
	items, err := array(m, "", "credentials", 1, maxQueries)
	if err != nil {
		return Query{}, err
	}
	seen := map[string]bool{}
	for i, item := range items {
		at := "/credentials/" + strconv.Itoa(i)
		c, err := parseCredential(item, at)
		if err != nil {
			return Query{}, err
		}
		if seen[c.ID] {
			return Query{}, fault(at+"/id", "an id that no other credential of the query has")
		}
		seen[c.ID] = true
		q.Credentials = append(q.Credentials, c)
	}
	if _, present := m["credential_sets"]; present {
		if q.Sets, err = parseSets(m, seen); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

func parseCredential(item any, at string) (CredentialQuery, error) {
	m, ok := item.(map[string]any)
	if !ok {
		return CredentialQuery{}, fault(at, "an object")
	}
	c := CredentialQuery{Bound: true}
	c.ID, _ = m["id"].(string)
	if !idForm.MatchString(c.ID) {
		return c, fault(at+"/id", "letters, digits, _ and -")
	}
	c.Format, _ = m["format"].(string)
	if !slices.Contains([]string{FormatSDJWT, FormatLDP, FormatJWT}, c.Format) {
		return c, fault(at+"/format", "one of dc+sd-jwt, ldp_vc, jwt_vc_json")
	}
	for name, into := range map[string]*bool{"multiple": &c.Multiple, "require_cryptographic_holder_binding": &c.Bound} {
		if value, present := m[name]; present {
			if *into, ok = value.(bool); !ok {
				return c, fault(at+"/"+name, "true or false")
			}
		}
	}
	if _, present := m["trusted_authorities"]; present {
		return c, fault(at+"/trusted_authorities", "no such member: issuers are judged by the registries of the policy, and lists of "+
			"authorities of these kinds cannot be checked on the answer")
	}
	if err := c.parseMeta(m, at); err != nil {
		return c, err
	}
	return c, c.parseClaims(m, at)
}

func (c *CredentialQuery) parseMeta(m map[string]any, at string) error {
	meta, ok := m["meta"].(map[string]any)
	if !ok {
		return fault(at+"/meta", "an object")
	}
	at += "/meta"
	if c.Format == FormatSDJWT {
		items, err := array(meta, at, "vct_values", 1, maxValues)
		if err != nil {
			return err
		}
		c.VCTs, err = stringsOf(items, at+"/vct_values")
		return err
	}
	sets, err := array(meta, at, "type_values", 1, maxValues)
	if err != nil {
		return err
	}
	for i, set := range sets {
		here := at + "/type_values/" + strconv.Itoa(i)
		items, isArray := set.([]any)
		if !isArray || len(items) == 0 || len(items) > maxValues {
			return fault(here, "a non-empty array of expanded type IRIs")
		}
		types, err := stringsOf(items, here)
		if err != nil {
			return err
		}
		for j, t := range types {
			if !schemas.IsURL(t) {
				return fault(here+"/"+strconv.Itoa(j), "an expanded type IRI (OpenID4VP 1.0, B.1.1)")
			}
		}
		c.Types = append(c.Types, types)
	}
	return nil
}

func (c *CredentialQuery) parseClaims(m map[string]any, at string) error {
	_, hasClaims := m["claims"]
	_, hasSets := m["claim_sets"]
	if !hasClaims {
		if hasSets {
			return fault(at+"/claim_sets", "claims beside it")
		}
		return nil
	}
	items, err := array(m, at, "claims", 1, maxClaims)
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	for i, item := range items {
		here := at + "/claims/" + strconv.Itoa(i)
		claim, err := parseClaim(item, here)
		if err != nil {
			return err
		}
		if claim.ID == "" && hasSets {
			return fault(here+"/id", "an id: claim_sets name claims by it")
		}
		if claim.ID != "" && ids[claim.ID] {
			return fault(here+"/id", "an id that no other claim of the credential has")
		}
		ids[claim.ID] = true
		c.Claims = append(c.Claims, claim)
	}
	if !hasSets {
		return nil
	}
	c.ClaimSets, err = options(m, at, "claim_sets", ids)
	return err
}

func parseClaim(item any, at string) (ClaimQuery, error) {
	m, ok := item.(map[string]any)
	if !ok {
		return ClaimQuery{}, fault(at, "an object")
	}
	var c ClaimQuery
	if id, present := m["id"]; present {
		if c.ID, _ = id.(string); !idForm.MatchString(c.ID) {
			return c, fault(at+"/id", "letters, digits, _ and -")
		}
	}
	path, err := array(m, at, "path", 1, maxPath)
	if err != nil {
		return c, err
	}
	for i, step := range path {
		switch t := step.(type) {
		case string:
			c.Path = append(c.Path, t)
		case nil:
			c.Path = append(c.Path, nil)
		case json.Number:
			n, err := strconv.Atoi(t.String())
			if err != nil || n < 0 {
				return c, fault(at+"/path/"+strconv.Itoa(i), "a whole number of 0 or more")
			}
			c.Path = append(c.Path, n)
		default:
			return c, fault(at+"/path/"+strconv.Itoa(i), "a name, an index or null")
		}
	}
	if _, present := m["values"]; !present {
		return c, nil
	}
	values, err := array(m, at, "values", 1, maxValues)
	if err != nil {
		return c, err
	}
	for i, v := range values {
		plain, ok := scalar(v)
		if !ok {
			return c, fault(at+"/values/"+strconv.Itoa(i), "a text, a whole number, true or false")
		}
		c.Values = append(c.Values, plain)
	}
	return c, nil
}

// scalar reads what DCQL can compare.
func scalar(v any) (any, bool) {
	switch t := v.(type) {
	case string, bool:
		return t, true
	case json.Number:
		n, err := strconv.ParseInt(t.String(), 10, 64)
		return n, err == nil
	}
	return nil, false
}

func parseSets(m map[string]any, known map[string]bool) ([]CredentialSet, error) {
	items, err := array(m, "", "credential_sets", 1, maxClaimSets)
	if err != nil {
		return nil, err
	}
	var out []CredentialSet
	for i, item := range items {
		at := "/credential_sets/" + strconv.Itoa(i)
		set, ok := item.(map[string]any)
		if !ok {
			return nil, fault(at, "an object")
		}
		s := CredentialSet{Required: true}
		if value, present := set["required"]; present {
			if s.Required, ok = value.(bool); !ok {
				return nil, fault(at+"/required", "true or false")
			}
		}
		if s.Options, err = options(set, at, "options", known); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// options reads a list of lists of known ids.
func options(m map[string]any, at, name string, known map[string]bool) ([][]string, error) {
	items, err := array(m, at, name, 1, maxClaimSets)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for i, item := range items {
		here := at + "/" + name + "/" + strconv.Itoa(i)
		list, ok := item.([]any)
		if !ok || len(list) == 0 || len(list) > maxClaims {
			return nil, fault(here, "a non-empty array of ids")
		}
		ids, err := stringsOf(list, here)
		if err != nil {
			return nil, err
		}
		for j, id := range ids {
			if !known[id] {
				return nil, fault(here+"/"+strconv.Itoa(j), "the id of something that the query asks for")
			}
		}
		out = append(out, ids)
	}
	return out, nil
}

func array(m map[string]any, at, name string, least, most int) ([]any, error) {
	items, ok := m[name].([]any)
	if !ok || len(items) < least || len(items) > most {
		return nil, fault(at+"/"+name, fmt.Sprintf("an array of %d to %d", least, most))
	}
	return items, nil
}

func stringsOf(items []any, at string) ([]string, error) {
	out := make([]string, len(items))
	for i, item := range items {
		s, ok := item.(string)
		if !ok || s == "" {
			return nil, fault(at+"/"+strconv.Itoa(i), "a text")
		}
		out[i] = s
	}
	return out, nil
}

func fault(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}
