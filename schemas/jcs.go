package schemas

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CanonicalJSON encodes v by the JSON Canonicalization Scheme (RFC 8785): member names in the order of their UTF-16
// code units, numbers as ECMAScript prints them, the shortest escapes, no space. v is built of the forms that ParseJSON
// returns; Go's own integers, float64, []string and []map[string]any are taken too. A number that overflows, a string
// that is not UTF-8, any other type and nesting past MaxDepth are errors that wrap ErrMalformed.
func CanonicalJSON(v any) ([]byte, error) {
	return appendCanonical(make([]byte, 0, 1024), v, nil)
}

func appendCanonical(b []byte, v any, path []step) ([]byte, error) {
	if len(path) > MaxDepth {
		return nil, &FieldError{Pointer: pointer(path), Expected: "at most " + strconv.Itoa(MaxDepth) + " levels", Err: malformed("nested too deeply")}
	}
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendString(b, v, path)
	case json.Number:
		return appendNumber(b, v, path)
	case map[string]any:
		return appendObject(b, v, path)
	case []any:
		return appendArray(b, v, path)
	case []string:
		return appendArray(b, v, path)
	case []map[string]any:
		return appendArray(b, v, path)
	case int:
		return appendNumber(b, json.Number(strconv.Itoa(v)), path)
	case int64:
		return appendNumber(b, json.Number(strconv.FormatInt(v, 10)), path)
	case uint64:
		return appendNumber(b, json.Number(strconv.FormatUint(v, 10)), path)
	case float64:
		return appendFloat(b, v, path)
	}
	return nil, &FieldError{Pointer: pointer(path), Expected: "a JSON value", Err: malformed(fmt.Sprintf("found Go type %T", v))}
}

func appendArray[T any](b []byte, list []T, path []step) ([]byte, error) {
	b = append(b, '[')
	for i, item := range list {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendCanonical(b, item, append(path, step{index: i})); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, m map[string]any, path []step) ([]byte, error) {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, compareUTF16)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		here := append(path, step{name: name, index: -1})
		var err error
		if b, err = appendString(b, name, here); err != nil {
			return nil, err
		}
		b = append(b, ':')
		if b, err = appendCanonical(b, m[name], here); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// compareUTF16 orders strings by their UTF-16 code units (RFC 8785, 3.2.3). Bytes of UTF-8 sort otherwise only where a
// character outside the basic plane meets one from U+E000 on.
func compareUTF16(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) || a[i] < 0xEE || b[i] < 0xEE {
		return strings.Compare(a[i:], b[i:])
	}
	// Both differ in their first byte, 0xEE or 0xEF (U+E000 to U+FFFF) or 0xF0 and more (surrogate pairs, which come first).
	if highA, highB := a[i] >= 0xF0, b[i] >= 0xF0; highA != highB {
		if highA {
			return -1
		}
		return 1
	}
	return strings.Compare(a[i:], b[i:])
}

func appendString(b []byte, s string, path []step) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, &FieldError{Pointer: pointer(path), Expected: "UTF-8", Err: malformed("invalid UTF-8")}
	}
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"'), nil
}

func appendNumber(b []byte, n json.Number, path []step) ([]byte, error) {
	s := n.String()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !validNumber(s) {
		return nil, &FieldError{Pointer: pointer(path), Expected: "a number that IEEE 754 double precision holds", Err: malformed("number out of range")}
	}
	return appendFloat(b, f, path)
}

// appendFloat writes f as ECMAScript's Number::toString does (RFC 8785, 3.2.2.3).
func appendFloat(b []byte, f float64, path []step) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, &FieldError{Pointer: pointer(path), Expected: "a finite number", Err: malformed("number out of range")}
	}
	if f == 0 {
		return append(b, '0'), nil // also for negative zero
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64), nil
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// Go pads the exponent to two digits, ECMAScript does not.
	if n := len(b); b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') && n-3 > start {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b, nil
}

// maxExact is the greatest integer that every reader of JSON holds exactly: 2^53 - 1 (RFC 7493, 2.2).
const maxExact = 1<<53 - 1

// CheckExactNumbers refuses v when it holds a number that a reader could take for another: one that overflows or that
// double precision rounds to another decimal value, or an integer past plus or minus 2^53-1. Signers call it on what
// they sign; the *FieldError wraps ErrMalformed.
func CheckExactNumbers(v any) error {
	if allExact(v) {
		return nil
	}
	return checkExact(v, nil)
}

// allExact is checkExact without the path, for the many documents that are right.
func allExact(v any) bool {
	switch v := v.(type) {
	case json.Number:
		return exact(v.String())
	case map[string]any:
		for _, item := range v {
			if !allExact(item) {
				return false
			}
		}
	case []any:
		for _, item := range v {
			if !allExact(item) {
				return false
			}
		}
	}
	return true
}

func checkExact(v any, path []step) error {
	switch v := v.(type) {
	case json.Number:
		if !exact(v.String()) {
			return &FieldError{Pointer: pointer(path), Expected: "a number that double precision holds exactly", Err: malformed("number out of the exact range")}
		}
	case map[string]any:
		for name, item := range v {
			if err := checkExact(item, append(path, step{name: name, index: -1})); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range v {
			if err := checkExact(item, append(path, step{index: i})); err != nil {
				return err
			}
		}
	}
	return nil
}

// exact tells whether the decimal s is the shortest spelling of its double, apart from its form, and in range.
func exact(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !validNumber(s) {
		return false
	}
	if f == math.Trunc(f) && math.Abs(f) > maxExact {
		return false
	}
	digitsIn, expIn := decimal(s)
	digitsOut, expOut := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	return digitsIn == digitsOut && (expIn == expOut || digitsIn == "")
}

// decimal splits a number into its significant digits, without zeros at either end, and the power of ten of the first.
func decimal(s string) (significant string, exponent int) {
	s = strings.TrimPrefix(s, "-")
	mantissa, exp := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exp = s[:i], s[i+1:]
	}
	if exp != "" {
		exponent, _ = strconv.Atoi(exp) // the caller's number is valid; an overflow already failed as one
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	all := whole + frac
	trimmed := strings.TrimLeft(all, "0")
	exponent += len(whole) - (len(all) - len(trimmed)) - 1
	return strings.TrimRight(trimmed, "0"), exponent
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
