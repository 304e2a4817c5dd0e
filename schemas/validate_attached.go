package schemas

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// checkAttachments: 4.10, 4.11, 5.3 to 5.6 and 5.10. What a credential carries beside its claims needs a type, and some of it an
// id.
func checkAttachments(doc map[string]any) error {
	for _, name := range []string{
		"credentialStatus", "termsOfUse", "evidence", "refreshService", "renderMethod", "confidenceMethod",
	} {
		err := eachObject(doc, name, func(m map[string]any, at string) error {
			if err := checkTypes(m, at); err != nil {
				return err
			}
			return checkOptionalID(m, at)
		})
		if err != nil {
			return err
		}
	}
	err := eachObject(doc, "credentialSchema", func(m map[string]any, at string) error {
		if err := checkTypes(m, at); err != nil {
			return err
		}
		if _, ok := m["id"]; !ok {
			return malformedAt(at+"/id", "the schema's URL")
		}
		if err := checkOptionalID(m, at); err != nil {
			return err
		}
		return checkDigests(m, at, false)
	})
	if err != nil {
		return err
	}
	if err := checkRelated(doc); err != nil {
		return err
	}
	return eachObject(doc, "proof", func(m map[string]any, at string) error { return checkTypes(m, at) })
}

// statusIndex is the one spelling of an index: base 10, no sign, no leading zero.
var statusIndex = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)

// ValidateStatusEntries checks the entries of type BitstringStatusListEntry in a credential against Bitstring Status List 1.0,
// section 2.1. Whoever issues calls it; a verifier's status check reads the same members for itself.
func ValidateStatusEntries(doc map[string]any) error {
	return eachObject(doc, "credentialStatus", func(m map[string]any, at string) error {
		types, err := typesOf(m, at)
		if err != nil || !slices.Contains(types, TypeStatusEntry) {
			return err
		}
		if s, ok := m["statusPurpose"].(string); !ok || s == "" {
			return malformedAt(at+"/statusPurpose", "a purpose")
		}
		if s, ok := m["statusListIndex"].(string); !ok || !statusIndex.MatchString(s) {
			return malformedAt(at+"/statusListIndex", "a whole number as a string, in base 10")
		}
		list, ok := m["statusListCredential"].(string)
		if !ok || !IsURL(list) {
			return malformedAt(at+"/statusListCredential", "the list's URL")
		}
		if m["id"] == list {
			return malformedAt(at+"/id", "an id other than the list's URL")
		}
		return nil
	})
}

// checkRelated: 5.3. Each entry has its own URL and a digest; none is the credential itself.
func checkRelated(doc map[string]any) error {
	if v, ok := doc["relatedResource"]; ok {
		switch v.(type) {
		case []any, map[string]any:
		default:
			return malformedAt("/relatedResource", "an array of objects")
		}
	}
	seen := map[string]bool{}
	return eachObject(doc, "relatedResource", func(m map[string]any, at string) error {
		id, ok := m["id"].(string)
		if !ok || !IsURL(id) {
			return malformedAt(at+"/id", "a URL")
		}
		if seen[id] {
			return malformedAt(at+"/id", "each resource once")
		}
		seen[id] = true
		if id == doc["id"] {
			return malformedAt(at+"/id", "a resource other than the credential itself")
		}
		return checkDigests(m, at, true)
	})
}

// checkDigests: 5.3. digestSRI is one or more of sha384 and sha512 in standard base64; digestMultibase is a multibase text.
func checkDigests(m map[string]any, at string, needed bool) error {
	sri, hasSRI := m["digestSRI"]
	multibase, hasMultibase := m["digestMultibase"]
	if needed && !hasSRI && !hasMultibase {
		return malformedAt(at, "digestSRI or digestMultibase")
	}
	if hasSRI {
		s, ok := sri.(string)
		if !ok || !validSRI(s) {
			return malformedAt(at+"/digestSRI", "sha384- or sha512- and base64")
		}
	}
	if hasMultibase {
		if s, ok := multibase.(string); !ok || len(s) < 2 || !strings.ContainsAny(s[:1], "zumfbMUFBZ") {
			return malformedAt(at+"/digestMultibase", "a multibase text")
		}
	}
	return nil
}

func validSRI(s string) bool {
	items := strings.Fields(s)
	for _, item := range items {
		algorithm, digest, ok := strings.Cut(item, "-")
		raw, err := base64.StdEncoding.Strict().DecodeString(digest)
		if !ok || err != nil {
			return false
		}
		// SHA-256 is read because the W3C suite's own resources use it; what we write is sha384.
		if size, known := map[string]int{"sha256": 32, "sha384": 48, "sha512": 64}[algorithm]; !known || len(raw) != size {
			return false
		}
	}
	return len(items) > 0
}
