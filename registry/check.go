package registry

import (
	"encoding/json"
	"fmt"
	"regexp/syntax"
	"strings"

	"heartmark/schemas"
)

// Limits of a JSON Schema beside those of strict parsing: what they bound is the time that a validator takes.
const (
	maxBranches = 100
	maxPattern  = 1024
	maxCount    = 1_000_000
	maxRefs     = 200
)

// checkPublic refuses what is about a person: mail addresses, telephone and identity numbers in any text, and credentials
// or presentations put up as examples.
func checkPublic(doc map[string]any) error {
	for _, name := range []string{"proof", "verifiableCredential"} {
		if _, ok := doc[name]; ok {
			return fmt.Errorf("document has %q like a credential: %w", name, ErrPersonalData)
		}
	}
	return walk(doc, func(_ string, v any) error {
		if s, ok := v.(string); ok {
			return checkPersonal(s)
		}
		return nil
	})
}

// walk calls visit for each value below v with the name of the member that holds it, the outer values first.
func walk(v any, visit func(name string, v any) error) error {
	switch t := v.(type) {
	case map[string]any:
		for name, inner := range t {
			if err := visit(name, inner); err != nil {
				return err
			}
			if err := walk(inner, visit); err != nil {
				return err
			}
		}
	case []any:
		for _, inner := range t {
			if err := visit("", inner); err != nil {
				return err
			}
			if err := walk(inner, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSchema holds a JSON Schema to the limits: it says its dialect, refers to itself only and not in a circle at the
// top, has few branches, patterns without nested repetition, and no examples.
func checkSchema(doc map[string]any) error {
	if s, ok := doc["$schema"].(string); !ok || s == "" {
		return &schemas.FieldError{Pointer: "/$schema", Expected: "the schema's dialect", Err: ErrInvalid}
	}
	id, _ := doc["$id"].(string)
	refs := 0
	return walk(doc, func(name string, v any) error {
		switch name {
		case "$ref", "$dynamicRef", "$recursiveRef":
			if refs++; refs > maxRefs {
				return fmt.Errorf("more than %d references: %w", maxRefs, ErrLimits)
			}
			return checkRef(v, id)
		case "anyOf", "oneOf", "allOf":
			if list, ok := v.([]any); ok && len(list) > maxBranches {
				return fmt.Errorf("%s has %d branches, %d are allowed: %w", name, len(list), maxBranches, ErrLimits)
			}
		case "pattern":
			if s, ok := v.(string); ok {
				return checkPattern(s)
			}
		case "patternProperties":
			if m, ok := v.(map[string]any); ok {
				for pattern := range m {
					if err := checkPattern(pattern); err != nil {
						return err
					}
				}
			}
		case "maxItems", "minItems", "maxProperties", "minProperties", "maxLength", "minLength", "maxContains", "minContains":
			if n, ok := v.(json.Number); ok {
				if f, err := n.Float64(); err != nil || f > maxCount {
					return fmt.Errorf("%s is above %d: %w", name, maxCount, ErrLimits)
				}
			}
		case "default", "examples", "example":
			// As a keyword it holds a value; as the name of a property it holds a schema.
			if _, ok := v.(map[string]any); !ok {
				return fmt.Errorf("%s could hold a person's data: %w", name, ErrPersonalData)
			}
		}
		return nil
	})
}

// checkRef allows references into the schema itself. One to its root alone makes a circle without an end.
func checkRef(v any, id string) error {
	ref, ok := v.(string)
	if !ok {
		return nil // a property that has this name
	}
	if id != "" {
		ref = strings.TrimPrefix(ref, strings.TrimSuffix(id, "#"))
	}
	if !strings.HasPrefix(ref, "#") || len(ref) < 2 {
		return fmt.Errorf("reference %.80q leads outside or to the root: %w", ref, ErrLimits)
	}
	return nil
}

// checkPattern refuses patterns that a backtracking engine could take exponential time for: a repetition inside one.
func checkPattern(pattern string) error {
	if len(pattern) > maxPattern {
		return fmt.Errorf("pattern of %d bytes: %w", len(pattern), ErrLimits)
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return fmt.Errorf("pattern %.80q: %w: %w", pattern, ErrLimits, err)
	}
	if nested(re, false) {
		return fmt.Errorf("pattern %.80q repeats a repetition: %w", pattern, ErrLimits)
	}
	return nil
}

func nested(re *syntax.Regexp, inside bool) bool {
	unbounded := re.Op == syntax.OpStar || re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat && (re.Max < 0 || re.Max > 1000)
	if unbounded && inside {
		return true
	}
	for _, sub := range re.Sub {
		if nested(sub, inside || unbounded) {
			return true
		}
	}
	return false
}
