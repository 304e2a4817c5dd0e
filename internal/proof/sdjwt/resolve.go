package sdjwt

import (
	"fmt"
	"strconv"
	"strings"

	"heartmark/schemas"
)

// resolver puts disclosures in the places of their digests (RFC 9901, 7.1, steps 3 to 5).
type resolver struct {
	disclosures []Disclosure
	byDigest    map[string]int  // index into disclosures
	seen        map[string]bool // every digest met, in the payload and in disclosures
	path        []string        // where the walk stands in the claims that come out
	around      int             // index of the disclosure that the walk is inside of; -1 in the payload
}

// resolve returns payload with disclosures in place and without digests, and notes in each disclosure where it went.
func resolve(payload map[string]any, disclosures []Disclosure, h Hash) (map[string]any, error) {
	r := &resolver{
		disclosures: disclosures, byDigest: make(map[string]int, len(disclosures)), seen: map[string]bool{}, around: -1,
	}
	for i := range disclosures {
		digest := h.digest(disclosures[i].encoded)
		if _, twice := r.byDigest[digest]; twice {
			return nil, fmt.Errorf("disclosure %d stands twice: %w", i+1, ErrDisclosure)
		}
		r.byDigest[digest] = i
	}
	claims, err := r.object(payload)
	if err != nil {
		return nil, err
	}
	for i, d := range disclosures {
		if !d.used {
			return nil, fmt.Errorf("disclosure %d belongs to no digest: %w", i+1, ErrDisclosure)
		}
	}
	return claims, nil
}

func (r *resolver) value(v any) (any, error) {
	if len(r.path) > schemas.MaxDepth {
		return nil, fmt.Errorf("%s: nested too deeply: %w", r.pointer(), ErrDisclosure)
	}
	switch v := v.(type) {
	case map[string]any:
		return r.object(v)
	case []any:
		return r.array(v)
	}
	return v, nil
}

func (r *resolver) object(m map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(m))
	for name, v := range m {
		switch {
		case name == nameDigests:
			continue
		case name == nameAlgorithm && len(r.path) == 0:
			continue
		case reserved(name):
			return nil, fmt.Errorf("%s: name %q is reserved: %w", r.pointer(), name, ErrDisclosure)
		}
		var err error
		if out[name], err = r.below(name, v); err != nil {
			return nil, err
		}
	}
	digests, err := r.digests(m)
	if err != nil {
		return nil, err
	}
	for _, digest := range digests {
		i, err := r.take(digest, false)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			continue
		}
		name := r.disclosures[i].Name
		if _, present := out[name]; present {
			return nil, fmt.Errorf("%s: claim %.40q stands there already: %w", r.pointer(), name, ErrDisclosure)
		}
		if out[name], err = r.disclosed(i, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// digests reads _sd, which is an array of strings.
func (r *resolver) digests(m map[string]any) ([]string, error) {
	value, present := m[nameDigests]
	if !present {
		return nil, nil
	}
	items, isArray := value.([]any)
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, isString := item.(string)
		isArray = isArray && isString
		out = append(out, s)
	}
	if !isArray {
		return nil, fmt.Errorf("%s: _sd is no array of strings: %w", r.pointer(), ErrDisclosure)
	}
	return out, nil
}

func (r *resolver) array(items []any) ([]any, error) {
	out := make([]any, 0, len(items))
	for _, item := range items {
		place := strconv.Itoa(len(out))
		m, _ := item.(map[string]any)
		value, isPlaceholder := m[namePlaceholder]
		if !isPlaceholder {
			v, err := r.below(place, item)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		digest, isString := value.(string)
		if !isString || len(m) != 1 {
			return nil, fmt.Errorf("%s: placeholder is not one digest alone: %w", r.pointer(), ErrDisclosure)
		}
		i, err := r.take(digest, true)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			continue
		}
		v, err := r.disclosed(i, place)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// take notes a digest and returns the disclosure that it names, -1 for none: it is withheld, or a decoy.
func (r *resolver) take(digest string, element bool) (int, error) {
	if r.seen[digest] {
		return 0, fmt.Errorf("%s: a digest stands twice: %w", r.pointer(), ErrDisclosure)
	}
	r.seen[digest] = true
	i, found := r.byDigest[digest]
	if !found {
		return -1, nil
	}
	if r.disclosures[i].Element != element {
		return 0, fmt.Errorf("%s: disclosure %d is of the wrong shape for its place: %w", r.pointer(), i+1, ErrDisclosure)
	}
	return i, nil
}

// disclosed resolves the value of disclosure i, which goes to the step given.
func (r *resolver) disclosed(i int, step string) (any, error) {
	d := &r.disclosures[i]
	d.used, d.parent, d.depth = true, r.around, 1
	if r.around >= 0 {
		d.depth += r.disclosures[r.around].depth
	}
	if d.depth > MaxDepth {
		return nil, fmt.Errorf("%s: more than %d disclosures inside one another: %w", r.pointer(), MaxDepth, ErrDisclosure)
	}
	before := r.around
	r.around = i
	defer func() { r.around = before }()
	r.path = append(r.path, step)
	d.Pointer = r.pointer()
	v, err := r.value(d.Value)
	r.path = r.path[:len(r.path)-1]
	return v, err
}

func (r *resolver) below(step string, v any) (any, error) {
	r.path = append(r.path, step)
	out, err := r.value(v)
	r.path = r.path[:len(r.path)-1]
	return out, err
}

func (r *resolver) pointer() string { return pointer(r.path) }

// pointer writes steps as a JSON Pointer (RFC 6901, 3).
func pointer(steps []string) string {
	var b strings.Builder
	for _, step := range steps {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1"))
	}
	return b.String()
}
