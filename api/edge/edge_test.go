package edge_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/schemas"
)

func TestLanguage(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, target, cookie, accept, want string }{
		{"nothing", "/", "", "", "en"},
		{"header", "/", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh"},
		{"quality", "/", "", "zh;q=0.2, en-GB;q=0.9", "en"},
		{"other first", "/", "", "de, fr;q=0.9, zh-Hant;q=0.8", "zh"},
		{"only others", "/", "", "de, fr", "en"},
		{"broken header", "/", "", ";;;q=,", "en"},
		{"cookie beats header", "/", "zh", "en", "zh"},
		{"query beats cookie", "/?lang=en", "zh", "zh", "en"},
		{"unknown query", "/?lang=xx", "", "zh", "zh"},
		{"long header", "/", "", strings.Repeat("de,", 5000) + "zh", "en"},
	}
	for _, tc := range cases {
		r := httptest.NewRequest(http.MethodGet, tc.target, nil)
		r.Header.Set("Accept-Language", tc.accept)
		if tc.cookie != "" {
			r.AddCookie(&http.Cookie{Name: edge.LanguageCookie, Value: tc.cookie})
		}
		if got := edge.Language(r); got != tc.want {
			t.Errorf("%s: Language = %q, want %q", tc.name, got, tc.want)
		}
	}
}

func post(body string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestReadJSON(t *testing.T) {
	t.Parallel()
	const ct = "Content-Type"
	cases := []struct {
		name string
		r    *http.Request
		want error
	}{
		{"good", post(`{"a":"x"}`, ct, "application/json; charset=utf-8"), nil},
		{"ld+json", post(`{"a":"x"}`, ct, "application/ld+json"), nil},
		{"no type", post(`{"a":"x"}`), problem.ErrMediaType},
		{"text", post(`{"a":"x"}`, ct, "text/plain"), problem.ErrMediaType},
		{"latin", post(`{"a":"x"}`, ct, "application/json; charset=latin1"), problem.ErrMediaType},
		{"type twice", post(`{"a":"x"}`, ct, "application/json", ct, "text/plain"), problem.ErrMediaType},
		{"member twice", post(`{"a":"x","a":"y"}`, ct, "application/json"), schemas.ErrMalformed},
		{"unknown member", post(`{"a":"x","b":1}`, ct, "application/json"), schemas.ErrMalformed},
		{"other case", post(`{"A":"x"}`, ct, "application/json"), schemas.ErrMalformed},
		{"trailing", post(`{"a":"x"}{}`, ct, "application/json"), schemas.ErrMalformed},
		{"empty", post(``, ct, "application/json"), schemas.ErrMalformed},
	}
	for _, tc := range cases {
		var v struct {
			A string `json:"a"`
		}
		err := edge.ReadJSON(tc.r, &v)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: error = %v, want %v", tc.name, err, tc.want)
		}
		if tc.want == nil && v.A != "x" {
			t.Errorf("%s: a = %q", tc.name, v.A)
		}
	}
	r := post(strings.Repeat("x", 100), ct, "application/json")
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 10)
	if err := edge.ReadJSON(r, new(any)); !errors.Is(err, problem.ErrTooLarge) {
		t.Errorf("long body: %v, want ErrTooLarge", err)
	}
}

func TestReadForm(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	cases := []struct {
		name, body string
		want       error
	}{
		{"good", "code=a%2Bb&resource=1&resource=2", nil},
		{"unknown repeated", "code=a&x=b&x=c", schemas.ErrMalformed},
		{"escaped bytes", "code=%ff", schemas.ErrMalformed},
		{"repeated", "code=a&code=b", schemas.ErrMalformed},
		{"semicolon", "code=a;x=b", schemas.ErrMalformed},
		{"bad escape", "code=%zz", schemas.ErrMalformed},
		{"not UTF-8", "code=\xff", schemas.ErrMalformed},
	}
	for _, tc := range cases {
		got, err := edge.ReadForm(post(tc.body, "Content-Type", form), "resource")
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: error = %v, want %v", tc.name, err, tc.want)
		}
		if tc.want == nil && (got.Get("code") != "a+b" || len(got["resource"]) != 2) {
			t.Errorf("%s: form = %v", tc.name, got)
		}
	}
	if _, err := edge.ReadForm(post("{}", "Content-Type", "application/json")); !errors.Is(err, problem.ErrMediaType) {
		t.Errorf("JSON body: %v, want ErrMediaType", err)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for target, ok := range map[string]bool{
		"/?time=1": true, "/": true, "/?tim=1": false, "/?time=1&time=2": false, "/?time=%ff": false, "/?time=%zz": false,
	} {
		_, err := edge.Query(httptest.NewRequest(http.MethodGet, "/", nil).WithContext(t.Context()), "time")
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.RawQuery = strings.TrimPrefix(strings.TrimPrefix(target, "/"), "?")
		if _, err := edge.Query(r, "time"); (err == nil) != ok {
			t.Errorf("Query(%q) = %v, want ok %v", target, err, ok)
		} else if !ok && !errors.Is(err, problem.ErrQuery) {
			t.Errorf("Query(%q) = %v, want ErrQuery", target, err)
		}
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	p := edge.Public{Body: []byte(`{}`), MediaType: "application/json", MaxAge: 5 * time.Minute}
	serve := func(method, match string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/", nil)
		if match != "" {
			r.Header.Set("If-None-Match", match)
		}
		rec := httptest.NewRecorder()
		if err := p.Serve(rec, r); err != nil {
			t.Fatal(err)
		}
		return rec
	}
	first := serve(http.MethodGet, "")
	tag := first.Header().Get("ETag")
	if first.Code != 200 || first.Body.String() != "{}" || first.Header().Get("Cache-Control") != "public, max-age=300" || tag == "" {
		t.Fatalf("first answer: %d %q %v", first.Code, first.Body, first.Header())
	}
	for match, want := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, strings.Trim(tag, `"`): 200} {
		if got := serve(http.MethodGet, match); got.Code != want || (want == 304 && got.Body.Len() != 0) {
			t.Errorf("If-None-Match %s: %d with %d bytes, want %d", match, got.Code, got.Body.Len(), want)
		}
	}
	if head := serve(http.MethodHead, ""); head.Body.Len() != 0 || head.Header().Get("Content-Length") != "2" {
		t.Errorf("HEAD: %q, %v", head.Body, head.Header())
	}
}

func TestDIDParam(t *testing.T) {
	t.Parallel()
	const want = "did:web:localhost%3A8080:acme"
	for _, path := range []string{"did:web:localhost%3A8080:acme", "did:web:localhost%253A8080:acme", "did%3Aweb%3Alocalhost%253A8080%3Aacme"} {
		r := httptest.NewRequest(http.MethodGet, "/issuers/"+path, nil)
		matched := r.URL.Path // what the router matches on
		if r.URL.RawPath != "" {
			matched = r.URL.RawPath
		}
		if got := edge.DIDParam(r, strings.TrimPrefix(matched, "/issuers/")); got != want {
			t.Errorf("DIDParam(%q) = %q, want %q", path, got, want)
		}
	}
}
