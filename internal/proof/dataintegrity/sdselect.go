package dataintegrity

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// skolemPrefix names blank nodes while a part of a document is selected (VC Data Integrity ECDSA, 3.4.8).
const skolemPrefix = "urn:bnid:"

// skolemize returns a copy of doc in which every node without id has one. Values that are no nodes are told by @value;
// whether the outcome means the same is for the caller to check.
func skolemize(v any, next *int) any {
	switch v := v.(type) {
	case map[string]any:
		if _, isValue := v["@value"]; isValue {
			return v
		}
		out := make(map[string]any, len(v)+1)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out[name] = v[name]
			if name != "@context" {
				out[name] = skolemize(v[name], next)
			}
		}
		if _, named := out["id"]; !named {
			out["id"] = skolemPrefix + "b" + strconv.Itoa(*next)
			*next++
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = skolemize(item, next)
		}
		return out
	}
	return v
}

// selection is a tree of what pointers select: all below, or some members.
type selection struct {
	all bool
	sub map[string]*selection
}

func newSelection(pointers []string) (*selection, error) {
	root := &selection{}
	for _, p := range pointers {
		steps := strings.Split(p, "/")
		if len(steps) < 2 || steps[0] != "" {
			return nil, fmt.Errorf("%w: %.200q is no JSON Pointer to a part of a document", ErrPointer, p)
		}
		at := root
		for _, step := range steps[1:] {
			step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			if at.sub == nil {
				at.sub = map[string]*selection{}
			}
			if at.sub[step] == nil {
				at.sub[step] = &selection{}
			}
			at = at.sub[step]
		}
		at.all = true
	}
	return root, nil
}

// selectJSON returns the part of doc that pointers select (3.4.13): id and type of every object on the way come along, so
// does the whole @context, and arrays lose the items that nothing selects. No pointers select nothing: nil.
func selectJSON(doc map[string]any, pointers []string) (map[string]any, error) {
	if len(pointers) == 0 {
		return nil, nil
	}
	tree, err := newSelection(pointers)
	if err != nil {
		return nil, err
	}
	v, err := tree.pick(doc, "")
	if err != nil {
		return nil, err
	}
	out := v.(map[string]any)
	out["@context"] = doc["@context"]
	return out, nil
}

// pick returns what s selects of v. Where all of v is selected, pointers into it still must name something.
func (s *selection) pick(v any, at string) (any, error) {
	part, err := s.part(v, at)
	if s.all && (err == nil || len(s.sub) == 0) {
		return v, nil
	}
	return part, err
}

func (s *selection) part(v any, at string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, name := range []string{"id", "type"} {
			if value, present := v[name]; present {
				out[name] = value
			}
		}
		for name, sub := range s.sub {
			value, present := v[name]
			if !present {
				return nil, fmt.Errorf("%w: %s/%s", ErrPointer, at, name)
			}
			picked, err := sub.pick(value, at+"/"+name)
			if err != nil {
				return nil, err
			}
			out[name] = picked
		}
		return out, nil
	case []any:
		var out []any
		found := 0
		for i, item := range v {
			sub := s.sub[strconv.Itoa(i)]
			if sub == nil {
				continue
			}
			found++
			picked, err := sub.pick(item, at+"/"+strconv.Itoa(i))
			if err != nil {
				return nil, err
			}
			out = append(out, picked)
		}
		if found != len(s.sub) {
			return nil, fmt.Errorf("%w: an item of %s", ErrPointer, at)
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: nothing lies in %s", ErrPointer, at)
}
