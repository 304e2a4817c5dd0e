package schemas_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"heartmark/schemas"
)

func TestParseJSONForms(t *testing.T) {
	t.Parallel()
	got, err := schemas.ParseJSON([]byte(" {\"a\":[1,-0.5e+3,\"x\\u00e9\\ud83d\\ude00\\n\",true,false,null,{}], \"\":[]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"a": []any{json.Number("1"), json.Number("-0.5e+3"), "xé😀\n", true, false, nil, map[string]any{}},
		"":  []any{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("ParseJSON = %#v, want %#v", got, want)
	}
}

func TestSEC_014_015_016_221_ParseJSONRefuses(t *testing.T) {
	t.Parallel()
	members := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"x":1`)
		for i := 1; i < n; i++ {
			b.WriteString(`,"m` + strings.Repeat("a", i) + `":1`)
		}
		return b.String() + "}"
	}
	cases := []struct{ name, in, pointer string }{
		{"empty", "", ""},
		{"space only", " ", ""},
		{"twice the same name", `{"iss":1,"iss":2}`, "/iss"},
		{"twice at depth five", `{"a":{"b":[{"c":{"d":1,"d":1}}]}}`, "/a/b/0/c/d"},
		{"twice after unescaping", `{"iss":1,"\u0069ss":2}`, "/iss"},
		{"twice inside an array", `[0,{"a":1,"a":1}]`, "/1/a"},
		{"value after the value", `{} {}`, ""},
		{"comma after the value", `{},`, ""},
		{"NUL after the value", "{}\x00", ""},
		{"byte order mark", "\xEF\xBB\xBF{}", ""},
		{"UTF-16", "\xFF\xFE{\x00}\x00", ""},
		{"comment", `{/*x*/}`, ""},
		{"line comment", "{}//", ""},
		{"NaN", `{"a":NaN}`, "/a"},
		{"Infinity", `[Infinity]`, "/0"},
		{"minus Infinity", `[-Infinity]`, "/0"},
		{"single quotes", `{'a':1}`, ""},
		{"unquoted name", `{a:1}`, ""},
		{"trailing comma in an object", `{"a":1,}`, ""},
		{"trailing comma in an array", `[1,]`, "/1"},
		{"missing colon", `{"a" 1}`, "/a"},
		{"number as name", `{1:1}`, ""},
		{"unpaired high surrogate", `["\ud800"]`, "/0"},
		{"unpaired low surrogate", `["\udead"]`, "/0"},
		{"two high surrogates", `["\ud800\ud800"]`, "/0"},
		{"high surrogate and letter", `["\ud800x"]`, "/0"},
		{"surrogate as name", `{"\udc00":1}`, ""},
		{"raw surrogate in UTF-8", "[\"\xED\xA0\x80\"]", "/0"},
		{"raw byte FF", "[\"\xff\"]", "/0"},
		{"raw byte FF after an escape", "[\"\\n\xff\"]", "/0"},
		{"overlong slash", "[\"\xC0\xAF\"]", "/0"},
		{"raw byte in a name", "{\"\xff\":1}", ""},
		{"control character", "[\"a\nb\"]", "/0"},
		{"control character after an escape", "[\"\\t\x01\"]", "/0"},
		{"unknown escape", `["\x"]`, "/0"},
		{"short escape", `["\u12"]`, "/0"},
		{"bad hex", `["\u12g4"]`, "/0"},
		{"open string", `["abc`, "/0"},
		{"open escape", `["abc\`, "/0"},
		{"leading zero", `[01]`, "/0"},
		{"plus", `[+1]`, "/0"},
		{"bare point", `[.5]`, "/0"},
		{"point without digits", `[1.]`, "/0"},
		{"exponent without digits", `[1e]`, "/0"},
		{"exponent sign alone", `[1e+]`, "/0"},
		{"two points", `[1.2.3]`, "/0"},
		{"minus alone", `[-]`, "/0"},
		{"hex", `[0x10]`, ""},
		{"number of 41 characters", `[` + strings.Repeat("1", 41) + `]`, "/0"},
		{"number of a megabyte", `[` + strings.Repeat("1", 1<<20) + `]`, "/0"},
		{"65 levels", strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat("/0", 64)},
		{"100,000 open arrays", strings.Repeat("[", 100_000), strings.Repeat("/0", 64)},
		{"1,001 members", members(1001), "/m" + strings.Repeat("a", 1000)},
		{"100,001 values", "[" + strings.Repeat("0,", 100_000) + "0]", "/99999"},
		{"capital word", `[True]`, "/0"},
		{"word cut short", `[tru`, "/0"},
		{"escaped pointer", `{"a/b~c":{"d":1,"d":2}}`, "/a~1b~0c/d"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := schemas.ParseJSON([]byte(c.in))
			var field *schemas.FieldError
			if !errors.Is(err, schemas.ErrMalformed) || !errors.As(err, &field) {
				t.Fatalf("ParseJSON(%.40q) = %v, %v; want a FieldError that wraps ErrMalformed", c.in, v, err)
			}
			if field.Pointer != c.pointer {
				t.Errorf("ParseJSON(%.40q): pointer %q, want %q (%v)", c.in, field.Pointer, c.pointer, err)
			}
		})
	}
}

func TestParseJSONAtTheLimits(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"64 levels":               strings.Repeat("[", 64) + strings.Repeat("]", 64),
		"number of 40 characters": strings.Repeat("1", 40),
		"100,000 values":          "[" + strings.Repeat("0,", 99_998) + "0]",
	} {
		if _, err := schemas.ParseJSON([]byte(in)); err != nil {
			t.Errorf("ParseJSON(%s): %v", name, err)
		}
	}
}

type inner struct {
	Level int8 `json:"level"`
}

type promoted struct {
	Shared string `json:"shared"`
}

type target struct {
	promoted
	Name   string            `json:"name"`
	TxCode *string           `json:"tx_code"`
	Inner  []inner           `json:"inner"`
	Any    any               `json:"any"`
	Raw    json.RawMessage   `json:"raw"`
	When   time.Time         `json:"when"`
	Labels map[string]string `json:"labels"`
	Bits   []byte            `json:"bits"`
	Ratio  float64           `json:"ratio"`
	Count  uint64            `json:"count"`
	On     bool              `json:"on"`
	Pair   [2]int            `json:"pair"`
	Number json.Number       `json:"number"`
	hidden string            //nolint:unused // stands for a member that must not be reached
	Skip   string            `json:"-"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	in := `{"shared":"s","name":"n","tx_code":null,"inner":[{"level":3}],"any":{"x":1.50},"raw":{"a":[1]},
	 "when":"2026-01-31T09:30:00Z","labels":{"k":"v"},"bits":"AQI=","ratio":0.5,"count":18446744073709551615,"on":true,"pair":[1,2],"number":7.0}`
	var got target
	if err := schemas.Decode([]byte(in), &got); err != nil {
		t.Fatal(err)
	}
	want := target{
		promoted: promoted{Shared: "s"}, Name: "n", Inner: []inner{{Level: 3}}, Any: map[string]any{"x": json.Number("1.50")},
		Raw: json.RawMessage(`{"a":[1]}`), When: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC), Labels: map[string]string{"k": "v"},
		Bits: []byte{1, 2}, Ratio: .5, Count: math.MaxUint64, On: true, Pair: [2]int{1, 2}, Number: "7.0",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Decode = %+v, want %+v", got, want)
	}
}

func TestSEC_015_DecodeRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, in, pointer string }{
		{"other case", `{"Name":"x"}`, "/Name"},
		{"upper case", `{"TX_CODE":"1"}`, "/TX_CODE"},
		{"Kelvin sign folds to k", `{"labels":{}, "tx_code":"", "\u212aey":1}`, "/Key"},
		{"trimmed", `{" name":"x"}`, "/ name"},
		{"both cases", `{"name":"a","NAME":"b"}`, "/NAME"},
		{"unknown in an array", `{"inner":[{"level":1},{"Level":1}]}`, "/inner/1/Level"},
		{"unexported", `{"hidden":"x"}`, "/hidden"},
		{"left out", `{"Skip":"x"}`, "/Skip"},
		{"dash", `{"-":"x"}`, "/-"},
		{"embedded type's name", `{"promoted":{}}`, "/promoted"},
		{"string for number", `{"ratio":"1"}`, "/ratio"},
		{"number for string", `{"name":1}`, "/name"},
		{"null for string", `{"name":null}`, "/name"},
		{"null for integer", `{"count":null}`, "/count"},
		{"null for boolean", `{"on":null}`, "/on"},
		{"null for object", `{"inner":[null]}`, "/inner/0"},
		{"overflow", `{"inner":[{"level":128}]}`, "/inner/0/level"},
		{"fraction for integer", `{"inner":[{"level":1.0}]}`, "/inner/0/level"},
		{"negative for unsigned", `{"count":-1}`, "/count"},
		{"overflow of a float", `{"ratio":1e400}`, "/ratio"},
		{"object for array", `{"inner":{}}`, "/inner"},
		{"array for object", `[]`, ""},
		{"array too long", `{"pair":[1,2,3]}`, "/pair"},
		{"array too short", `{"pair":[1]}`, "/pair"},
		{"map value", `{"labels":{"a":"b","c":1}}`, "/labels/c"},
		{"map for list", `{"labels":[]}`, "/labels"},
		{"string for number type", `{"number":"7"}`, "/number"},
		{"trailing", `{} 1`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got target
			err := schemas.Decode([]byte(c.in), &got)
			var field *schemas.FieldError
			if !errors.Is(err, schemas.ErrMalformed) || !errors.As(err, &field) {
				t.Fatalf("Decode(%q) = %+v, %v; want a FieldError that wraps ErrMalformed", c.in, got, err)
			}
			if c.pointer == "/Key" {
				c.pointer = "/\u212aey"
			}
			if field.Pointer != c.pointer {
				t.Errorf("Decode(%q): pointer %q, want %q (%v)", c.in, field.Pointer, c.pointer, err)
			}
		})
	}
	var got target
	if err := schemas.Decode([]byte(`{"bits":"*"}`), &got); !errors.Is(err, schemas.ErrMalformed) {
		t.Errorf("Decode of bad base64 = %v, want ErrMalformed", err)
	}
	if err := schemas.Decode([]byte(`{"when":"yesterday"}`), &got); !errors.Is(err, schemas.ErrMalformed) {
		t.Errorf("Decode of a bad time = %v, want ErrMalformed", err)
	}
	if err := schemas.Decode([]byte(`{"zzz":1}`), &got); !errors.Is(err, schemas.ErrUnknownMember) {
		t.Errorf("Decode of an unknown member = %v, want ErrUnknownMember", err)
	}
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	got, err := schemas.Marshal(map[string]any{"b": "<&>", "a": json.Number("1.0"), "é": nil})
	if want := `{"a":1.0,"b":"<&>","é":null}`; err != nil || string(got) != want {
		t.Errorf("Marshal = %s, %v; want %s", got, err, want)
	}
	if got, err := schemas.Marshal(struct{ A string }{"a\xff"}); !errors.Is(err, schemas.ErrMalformed) {
		t.Errorf("Marshal of invalid UTF-8 = %s, %v; want ErrMalformed", got, err)
	}
	if got, err := schemas.Marshal([]string{"\ufffd", `\ufffd`}); err != nil || string(got) != "[\"\ufffd\",\"\\\\ufffd\"]" {
		t.Errorf("Marshal of U+FFFD = %s, %v; want it as it is", got, err)
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"2026-01-31T09:30:00Z":              "2026-01-31T09:30:00Z",
		"2026-01-31T09:30:00.123456789123Z": "2026-01-31T09:30:00.123456789Z",
		"2026-01-31T09:30:00.5+08:00":       "2026-01-31T01:30:00.5Z",
		"2026-01-31T23:30:00-14:00":         "2026-02-01T13:30:00Z",
		"2026-01-31T24:00:00Z":              "2026-02-01T00:00:00Z",
		"2024-02-29T00:00:00+00:00":         "2024-02-29T00:00:00Z",
		"0001-01-01T00:00:00Z":              "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z":              "9999-12-31T23:59:59Z",
	}
	for in, want := range good {
		got, err := schemas.ParseTime(in)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("ParseTime(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	if got, err := schemas.ParseTimeLax("2026-01-31T09:30:00"); err != nil || schemas.FormatTime(got) != "2026-01-31T09:30:00Z" {
		t.Errorf("ParseTimeLax without offset = %v, %v; want UTC", got, err)
	}
}

func TestSEC_045_ParseTimeRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "not-a-date", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-31",
		"2025-02-29T00:00:00Z", "2026-01-31T09:30:00", "2026-01-31 09:30:00Z", "2026-01-31t09:30:00Z", "2026-01-31T09:30:00z", "2026-01-31T09:30Z",
		"2026-01-31T09:30:60Z", "2026-01-31T09:60:00Z", "2026-01-31T25:00:00Z", "2026-01-31T24:00:01Z", "2026-01-31T24:00:00.1Z", "2026-01-31T09:30:00.Z",
		"2026-01-31T09:30:00,5Z", "2026-01-31T09:30:00+8:00", "2026-01-31T09:30:00+0800", "2026-01-31T09:30:00+14:01", "2026-01-31T09:30:00+08:60",
		"2026-01-31T09:30:00Z ", " 2026-01-31T09:30:00Z", "+2026-01-31T09:30:00Z", "-2026-01-31T09:30:00Z", "0000-01-01T00:00:00Z", "12026-01-31T09:30:00Z",
		"2026-01-31T09:30:00ZZ", "2026-1-31T09:30:00Z", "２026-01-31T09:30:00Z", "2026-01-31T09:30:00.0000000000000000000000000000000Z", "1769851800",
	} {
		if got, err := schemas.ParseTime(in); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("ParseTime(%q) = %v, %v; want ErrMalformed", in, got, err)
		}
	}
	for _, in := range []string{"2026-02-30T00:00:00", "2026-01-31", "2026-01-31T09:30:00 "} {
		if got, err := schemas.ParseTimeLax(in); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("ParseTimeLax(%q) = %v, %v; want ErrMalformed", in, got, err)
		}
	}
}

// FuzzStrictJSON: what the strict parser takes, encoding/json takes with the same meaning, and encoding it again gives a
// text that parses to the same value. What encoding/json refuses, the strict parser refuses.
func FuzzStrictJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u00e9",null,true]}`, `{"a":1,"a":2}`, `["\ud83d\ude00","\ud800"]`, "\xEF\xBB\xBF{}", `[-0,1E5,01]`, `{"":{"":[]}}`, "[\"\xff\"]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := schemas.ParseJSON(data)
		if err != nil {
			if !errors.Is(err, schemas.ErrMalformed) {
				t.Fatalf("ParseJSON(%q): error %v does not wrap ErrMalformed", data, err)
			}
			return
		}
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("ParseJSON took %q, encoding/json says %v", data, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("ParseJSON(%q) = %#v, encoding/json %#v", data, got, want)
		}
		out, err := schemas.Marshal(got)
		if err != nil {
			t.Fatalf("Marshal of ParseJSON(%q): %v", data, err)
		}
		again, err := schemas.ParseJSON(out)
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("ParseJSON(Marshal(%q)) = %#v, %v; want %#v", data, again, err, got)
		}
	})
}
