package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"heartmark/api/problem"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"
)

func catalog(t *testing.T) *problem.Catalog {
	t.Helper()
	c, err := problem.New("https://dei.example")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWrite(t *testing.T) {
	t.Parallel()
	field := &schemas.FieldError{Pointer: "/subject/id", Expected: "a string", Err: schemas.ErrMalformed}
	cases := []struct {
		name, lang string
		err        error
		status     int
		typ, code  string
		title      string
		pointers   []string
	}{
		{"unknown error", "en", errors.New("disk /dev/sda is gone"), 500, "https://dei.example/problems/internal", "internal", "Something went wrong here", nil},
		{"wrapped", "en", fmt.Errorf("key 7: %w", problem.ErrForbidden), 403, "https://dei.example/problems/forbidden", "forbidden", "The key may not do this", nil},
		{"Chinese", "zh", problem.ErrNotFound, 404, "https://dei.example/problems/not-found", "not-found", "此处没有内容", nil},
		{"unknown language", "xx", problem.ErrNotFound, 404, "https://dei.example/problems/not-found", "not-found", "Nothing here", nil},
		{"field", "en", fmt.Errorf("body: %w", field), 400, "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR", "malformed", "Cannot be read", []string{"/subject/id"}},
		{"two fields", "zh", errors.Join(field, &schemas.FieldError{Pointer: "/report", Err: schemas.ErrMalformed}), 400, "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR", "malformed", "无法读取", []string{"/subject/id", "/report"}},
		{"time limit", "en", fmt.Errorf("store: %w", context.DeadlineExceeded), 503, "https://dei.example/problems/timeout", "timeout", "Took too long", nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rec := httptest.NewRecorder()
			if got := catalog(t).Write(rec, tc.err, tc.lang, "r-1"); got != tc.status {
				t.Errorf("Write returned %d, want %d", got, tc.status)
			}
			var d problem.Document
			if err := json.Unmarshal(rec.Body.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			if d.Type != tc.typ || d.Code != tc.code || d.Title != tc.title || d.Status != tc.status || d.Instance != "urn:request:r-1" {
				t.Errorf("document = %+v", d)
			}
			var pointers []string
			for _, f := range d.Errors {
				pointers = append(pointers, f.Pointer)
			}
			if fmt.Sprint(pointers) != fmt.Sprint(tc.pointers) {
				t.Errorf("pointers = %v, want %v", pointers, tc.pointers)
			}
			if strings.Contains(rec.Body.String(), "sda") {
				t.Errorf("the answer tells the cause: %s", rec.Body)
			}
			if got := rec.Header().Get("Content-Type"); got != problem.MediaType {
				t.Errorf("Content-Type = %q", got)
			}
			if got := rec.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control = %q", got)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	catalog(t).Write(rec, fmt.Errorf("verify: %w", problem.RetryAfter(problem.ErrRate, 1500*time.Millisecond)), "en", "")
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "2" {
		t.Errorf("rate: %d, Retry-After %q", rec.Code, rec.Header().Get("Retry-After"))
	}
	rec = httptest.NewRecorder()
	catalog(t).Write(rec, problem.ErrUnauthenticated, "en", "")
	if rec.Header().Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
	rec = httptest.NewRecorder()
	catalog(t).Write(rec, problem.ErrBusy, "en", "")
	if rec.Header().Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

func TestWriteOAuth(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"own", fmt.Errorf("token: %w", &oid4vci.Error{Code: "invalid_grant", Description: "the \"tx_code\" is wrong\\\n码", Status: 400}), 400, `{"error":"invalid_grant","error_description":"the 'tx_code' is wrong"}`},
		{"token", &oid4vci.Error{Code: "invalid_token", Description: "gone", Status: 401, Challenge: `Bearer error="invalid_token"`}, 401, `{"error":"invalid_token","error_description":"gone"}`},
		{"table", problem.ErrUnauthenticated, 401, `{"error":"invalid_token","error_description":"No valid key"}`},
		{"plain", problem.ErrTooLarge, 413, `{"error":"invalid_request","error_description":"Too large"}`},
		{"unknown", errors.New("secret cause"), 500, `{"error":"server_error","error_description":"Something went wrong here"}`},
	}
	for _, tc := range cases {
		rec := httptest.NewRecorder()
		catalog(t).WriteOAuth(rec, tc.err)
		if rec.Code != tc.status || strings.TrimSpace(rec.Body.String()) != tc.body {
			t.Errorf("%s: %d %s, want %d %s", tc.name, rec.Code, rec.Body, tc.status, tc.body)
		}
		if tc.name == "token" && rec.Header().Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
			t.Errorf("%s: WWW-Authenticate = %q", tc.name, rec.Header().Get("WWW-Authenticate"))
		}
	}
}

func TestTableReachesEveryLine(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for i, e := range problem.Table() {
		if got := c.Lookup(fmt.Errorf("wrapped: %w", e.Err)); got.Code != e.Code || got.Status != e.Status {
			t.Errorf("line %d (%v) is shadowed: got %s %d", i, e.Err, got.Code, got.Status)
		}
		if e.Status < 400 || e.Status > 599 {
			t.Errorf("line %d (%v) has status %d", i, e.Err, e.Status)
		}
	}
}
