package schemas

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrUnknownMember is wrapped, beside ErrMalformed, by Decode's error for a member that the target does not have.
var ErrUnknownMember = errors.New("unknown member")

// Decode reads data as ParseJSON does and stores it in v, a pointer. Member names must equal the names in v's json tags
// byte for byte: no case folding. Unknown members, values of another kind, and null for what cannot be absent are
// refused; the *FieldError names the place. On error v may be partly filled and must not be used.
func Decode(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic("schemas: Decode needs a non-nil pointer")
	}
	tree, err := ParseJSON(data)
	if err != nil {
		return err
	}
	c := checker{fields: map[reflect.Type]map[string]field{}}
	if err := c.check(tree, target.Type().Elem()); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return &FieldError{Pointer: typeErrorPointer(err), Err: fmt.Errorf("%w: %w", ErrMalformed, err)}
	}
	return nil
}

func typeErrorPointer(err error) string {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) && typ.Field != "" {
		return "/" + strings.ReplaceAll(typ.Field, ".", "/")
	}
	return ""
}

// field is what a struct expects under a name.
type field struct {
	typ    reflect.Type
	quoted bool // tagged ",string": the kind on the wire is not the field's own
}

// checker compares a parsed tree with a Go type. It exists because encoding/json folds case and hides where it failed.
type checker struct {
	fields map[reflect.Type]map[string]field
	path   []step
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	numberType      = reflect.TypeFor[json.Number]()
)

func (c *checker) fail(expected string, v any) error {
	return &FieldError{Pointer: pointer(c.path), Expected: expected, Err: malformed("found " + kindOf(v))}
}

func (c *checker) check(v any, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		if v == nil {
			return nil
		}
		if t.Implements(unmarshaler) {
			return nil
		}
		t = t.Elem()
	}
	ptr := reflect.PointerTo(t)
	switch {
	case ptr.Implements(unmarshaler) || t.Kind() == reflect.Interface:
		return nil
	case ptr.Implements(textUnmarshaler):
		if _, ok := v.(string); !ok {
			return c.fail("a string", v)
		}
		return nil
	case t == numberType:
		if _, ok := v.(json.Number); !ok {
			return c.fail("a number", v)
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.object(v, t)
	case reflect.Map:
		return c.mapping(v, t)
	case reflect.Slice, reflect.Array:
		return c.list(v, t)
	default:
		return c.scalar(v, t)
	}
}

func (c *checker) object(v any, t reflect.Type) error {
	m, ok := v.(map[string]any)
	if !ok {
		return c.fail("an object", v)
	}
	known := c.known(t)
	for _, name := range sortedKeys(m) {
		c.path = append(c.path, step{name: name, index: -1})
		f, ok := known[name]
		if !ok {
			return &FieldError{Pointer: pointer(c.path), Expected: "a known member", Err: unknownMember{}}
		}
		if !f.quoted {
			if err := c.check(m[name], f.typ); err != nil {
				return err
			}
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}

type unknownMember struct{}

func (unknownMember) Error() string { return "unknown member" }
func (unknownMember) Is(target error) bool {
	return target == ErrUnknownMember || target == ErrMalformed
}

func (c *checker) mapping(v any, t reflect.Type) error {
	if v == nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return c.fail("an object", v)
	}
	for _, name := range sortedKeys(m) {
		c.path = append(c.path, step{name: name, index: -1})
		if err := c.check(m[name], t.Elem()); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}

func (c *checker) list(v any, t reflect.Type) error {
	if v == nil && t.Kind() == reflect.Slice {
		return nil
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		if _, ok := v.(string); !ok {
			return c.fail("a base64 string", v)
		}
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		return c.fail("an array", v)
	}
	if t.Kind() == reflect.Array && len(list) != t.Len() {
		return c.fail("an array of "+strconv.Itoa(t.Len()), v)
	}
	for i, item := range list {
		c.path = append(c.path, step{index: i})
		if err := c.check(item, t.Elem()); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}

func (c *checker) scalar(v any, t reflect.Type) error {
	switch t.Kind() {
	case reflect.String:
		if _, ok := v.(string); !ok {
			return c.fail("a string", v)
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			return c.fail("a boolean", v)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := v.(json.Number)
		if !ok {
			return c.fail("an integer", v)
		}
		if _, err := strconv.ParseInt(n.String(), 10, t.Bits()); err != nil {
			return &FieldError{Pointer: pointer(c.path), Expected: "an integer of " + strconv.Itoa(t.Bits()) + " bits", Err: malformed("found " + n.String())}
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		n, ok := v.(json.Number)
		if !ok {
			return c.fail("an integer", v)
		}
		if _, err := strconv.ParseUint(n.String(), 10, t.Bits()); err != nil {
			return &FieldError{Pointer: pointer(c.path), Expected: "an integer from 0 of " + strconv.Itoa(t.Bits()) + " bits", Err: malformed("found " + n.String())}
		}
	case reflect.Float32, reflect.Float64:
		n, ok := v.(json.Number)
		if !ok {
			return c.fail("a number", v)
		}
		if _, err := strconv.ParseFloat(n.String(), t.Bits()); err != nil {
			return &FieldError{Pointer: pointer(c.path), Expected: "a number in range", Err: malformed("found " + n.String())}
		}
	default:
		return c.fail("nothing: the target cannot hold JSON", v)
	}
	return nil
}

// known returns the member names of struct type t. Names of the outer struct win over those of embedded ones.
func (c *checker) known(t reflect.Type) map[string]field {
	if k, ok := c.fields[t]; ok {
		return k
	}
	k := map[string]field{}
	level := []reflect.Type{t}
	for seen := map[reflect.Type]bool{}; len(level) > 0; {
		var inner []reflect.Type
		for _, s := range level {
			if seen[s] {
				continue
			}
			seen[s] = true
			inner = append(inner, collect(s, k)...)
		}
		level = inner
	}
	c.fields[t] = k
	return k
}

// collect adds the fields of s that k lacks and returns the structs embedded in s without a name.
func collect(s reflect.Type, k map[string]field) (embedded []reflect.Type) {
	for f := range s.Fields() {
		tag := f.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		typ := f.Type
		if f.Anonymous && name == "" {
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			if typ.Kind() == reflect.Struct {
				embedded = append(embedded, typ)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if _, ok := k[name]; !ok {
			k[name] = field{typ: f.Type, quoted: strings.Contains(options, "string")}
		}
	}
	return embedded
}

// Marshal encodes v as encoding/json does, with member names in order, without escaping <, > and &, and without a
// newline at the end: equal values give equal bytes. It refuses strings that are not UTF-8 instead of replacing them.
func Marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	out := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	// encoding/json writes \ufffd in place of bytes that are no UTF-8; the character itself is written as it is.
	if bytes.Contains(out, []byte(`\ufffd`)) && hasInvalidUTF8(reflect.ValueOf(v), 0) {
		return nil, fmt.Errorf("encode JSON: %w", malformed("a string is not UTF-8"))
	}
	return out, nil
}

func hasInvalidUTF8(v reflect.Value, depth int) bool {
	if depth > 2*MaxDepth {
		return true
	}
	switch v.Kind() {
	case reflect.String:
		return !utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && hasInvalidUTF8(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return false
		}
		for i := range v.Len() {
			if hasInvalidUTF8(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if hasInvalidUTF8(k, depth+1) || hasInvalidUTF8(v.MapIndex(k), depth+1) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if hasInvalidUTF8(v.Field(i), depth+1) {
				return true
			}
		}
	default: // numbers and booleans hold no text
	}
	return false
}
