package schemas_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"heartmark/internal/testkit"
	"heartmark/schemas"
)

func TestCanonicalJSONVectors(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/jcs")
	inputs, err := filepath.Glob(filepath.Join(dir, "input", "*.json"))
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, path := range inputs {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, "output", filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		v, err := schemas.ParseJSON(in)
		if err != nil {
			t.Errorf("ParseJSON(%s): %v", filepath.Base(path), err)
			continue
		}
		got, err := schemas.CanonicalJSON(v)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("CanonicalJSON(%s) = %s, %v; want %s", filepath.Base(path), got, err, want)
		}
	}
}

// The number samples of RFC 8785, appendix B.
func TestCanonicalJSONNumbers(t *testing.T) {
	t.Parallel()
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0", 0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992", 0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001", 0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555554: "333333333.33333325", 0x41b3de4355555555: "333333333.3333333", 0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343", 0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := schemas.CanonicalJSON(math.Float64frombits(bits))
		if err != nil || string(got) != want {
			t.Errorf("CanonicalJSON(%#x) = %s, %v; want %s", bits, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"9007199254740993": "9007199254740992", "-0": "0", "1.0": "1", "1E2": "100", "295147905179352825856": "295147905179352830000", "1e-400": "0", "-5.0e-7": "-5e-7",
	} {
		got, err := schemas.CanonicalJSON(json.Number(in))
		if err != nil || string(got) != want {
			t.Errorf("CanonicalJSON(%s) = %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestSEC_040_CanonicalJSONRefuses(t *testing.T) {
	t.Parallel()
	deep := any("x")
	for range 66 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"overflow": json.Number("1e400"), "NaN": math.NaN(), "infinity": math.Inf(-1), "invalid UTF-8": "a\xff", "invalid UTF-8 in a name": map[string]any{"\xed\xa0\x80": 1},
		"no number": json.Number("0x1"), "empty number": json.Number(""), "Go type": struct{}{}, "nested too deeply": deep, "inside": []any{map[string]any{"a": math.Inf(1)}},
	} {
		if got, err := schemas.CanonicalJSON(v); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("CanonicalJSON(%s) = %s, %v; want ErrMalformed", name, got, err)
		}
	}
	for _, in := range []string{"\x5b\x22\x5c\x75\x64\x65\x30\x30\x5c\x75\x64\x38\x33\x64\x22\x5d", "\x5b\x22\xff\x22\x5d", `{"\ud800":1}`} {
		if v, err := schemas.ParseJSON([]byte(in)); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("ParseJSON(%q) = %v, %v; want ErrMalformed", in, v, err)
		}
	}
}

func TestSEC_041_CheckExactNumbers(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"0", "-0", "0.0", "1", "1.0", "1E2", "1e2", "0.93", "-0.93e1", "9007199254740991", "-9007199254740991", "0.1", "1e-7", "0.000001", "2.50", "5e-324", "0e9"} {
		if err := schemas.CheckExactNumbers([]any{map[string]any{"score": json.Number(in)}}); err != nil {
			t.Errorf("CheckExactNumbers(%s) = %v, want nil", in, err)
		}
	}
	for _, in := range []string{"9007199254740993", "9007199254740992", "-9007199254740992", "1e400", "295147905179352825856", "1e300", "1e-400", "0.10000000000000000001", "3.141592653589793238", "4e-324"} {
		err := schemas.CheckExactNumbers([]any{map[string]any{"score": json.Number(in)}})
		var field *schemas.FieldError
		if !errors.Is(err, schemas.ErrMalformed) || !errors.As(err, &field) || field.Pointer != "/0/score" {
			t.Errorf("CheckExactNumbers(%s) = %v, want ErrMalformed at /0/score", in, err)
		}
	}
}

func TestCanonicalJSONGoForms(t *testing.T) {
	t.Parallel()
	got, err := schemas.CanonicalJSON(map[string]any{
		"s": []string{"b", "a"}, "m": []map[string]any{{"x": 1}}, "i": int64(-3), "u": uint64(7), "f": 1.5, "n": nil, "t": true,
	})
	if want := `{"f":1.5,"i":-3,"m":[{"x":1}],"n":null,"s":["b","a"],"t":true,"u":7}`; err != nil || string(got) != want {
		t.Errorf("CanonicalJSON = %s, %v; want %s", got, err, want)
	}
}

// FuzzJCS: canonical text is a fixed point, has the same meaning as what it came from, and its names stand in UTF-16 order.
func FuzzJCS(f *testing.F) {
	for _, s := range []string{`{"\ud83d\ude00":1,"\ufb33":2,"a":3,"":4}`, `[1e21,1e-7,333333333.33333329,-0,4.50]`, `{"a":{"c":"\u0001\u007f\"\\/","b":[]}}`, `["\u2028<&>"]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := schemas.ParseJSON(data)
		if err != nil {
			return
		}
		out, err := schemas.CanonicalJSON(v)
		if err != nil {
			if !errors.Is(err, schemas.ErrMalformed) {
				t.Fatalf("CanonicalJSON(%q): %v does not wrap ErrMalformed", data, err)
			}
			return
		}
		again, err := schemas.ParseJSON(out)
		if err != nil {
			t.Fatalf("ParseJSON(%q) of canonical text: %v", out, err)
		}
		out2, err := schemas.CanonicalJSON(again)
		if err != nil || !bytes.Equal(out, out2) {
			t.Fatalf("canonical text of %q is no fixed point: %q then %q (%v)", data, out, out2, err)
		}
		if !reflect.DeepEqual(floats(v), floats(again)) {
			t.Fatalf("canonical text of %q means something else: %q", data, out)
		}
		names := topNames(t, out)
		for i := 1; i < len(names); i++ {
			a, b := utf16.Encode([]rune(names[i-1])), utf16.Encode([]rune(names[i]))
			if compareUnits(a, b) >= 0 {
				t.Fatalf("names of %q out of order: %q before %q", out, names[i-1], names[i])
			}
		}
	})
}

func compareUnits(a, b []uint16) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

// topNames lists the member names of the object in out in their order.
func topNames(t *testing.T, out []byte) []string {
	t.Helper()
	if !bytes.HasPrefix(out, []byte("{")) {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	var names []string
	for depth, name := 0, false; ; {
		token, err := dec.Token()
		if err != nil {
			return names
		}
		switch d, isDelim := token.(json.Delim); {
		case isDelim && (d == '{' || d == '['):
			depth++
			name = depth == 1
			continue
		case isDelim:
			depth--
		case depth == 1 && name:
			s, ok := token.(string)
			if !ok {
				t.Fatalf("name %v in %q", token, out)
			}
			names = append(names, s)
			name = false
			continue
		}
		name = depth == 1
	}
}

// floats replaces every number by its double.
func floats(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, _ := strconv.ParseFloat(strings.TrimSpace(v.String()), 64)
		return f + 0 // negative zero and zero are one value in canonical text
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = floats(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = floats(v[k])
		}
		return out
	}
	return v
}
