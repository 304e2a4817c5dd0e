package edge_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"heartmark/api/edge"
	"heartmark/api/problem"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	const json, html, pdf = "application/json", "text/html", "application/pdf"
	for _, tc := range []struct {
		header, want string
	}{
		{"", json},
		{"*/*", json},
		{"text/html", html},
		{"TEXT/HTML; charset=utf-8", html},
		{"text/html,application/xhtml+xml,*/*;q=0.8", html},
		{"application/pdf, */*;q=0.1", pdf},
		{"application/*", json},
		{"application/json;q=0.2, application/pdf;q=0.9", pdf},
		{"application/json;q=0, */*", html},
		{"application/json;q=x", ""},
		{"image/png", ""},
		{"text/html;q=0", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if tc.header != "" {
			r.Header.Set("Accept", tc.header)
		}
		got, err := edge.Accept(r, json, html, pdf)
		if got != tc.want || (tc.want == "") != errors.Is(err, problem.ErrNotAcceptable) {
			t.Errorf("Accept(%q) = %q, %v, want %q", tc.header, got, err, tc.want)
		}
	}
}
