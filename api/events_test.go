package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"heartmark/api/registryapi"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("GET", "/registry/v1/events?limit=1", "")
	first := decode[registryapi.Page[registryapi.EventRecord]](t, rec)
	if len(first.Items) != 1 || first.Items[0].Kind != "authority" || first.Next == "" {
		t.Fatalf("first page: %+v", first)
	}
	second := decode[registryapi.Page[registryapi.EventRecord]](t, w.do("GET", "/registry/v1/events?limit=1&cursor="+first.Next, ""))
	if len(second.Items) != 1 || second.Items[0].ID != 2 {
		t.Errorf("second page: %+v", second)
	}
	server := httptest.NewServer(w.handler)
	defer server.Close()
	for _, c := range []struct {
		name, query, last string
		want              []string
	}{
		{"from an event on", "?after=0", "", []string{"id: 2", "event: key", `data: {"id":2,"kind":"key"`}},
		{"where it was", "", "0", []string{"id: 2", "event: key"}},
		{"the header goes first", "?after=7", "0", []string{"id: 2"}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/registry/v1/events"+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/event-stream")
		if c.last != "" {
			r.Header.Set("Last-Event-ID", c.last)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", c.name, answer.Header)
		}
		lines := bufio.NewScanner(answer.Body)
		for _, want := range append([]string{"retry: 2000"}, c.want...) {
			for lines.Scan() && lines.Text() == "" {
			}
			if !strings.HasPrefix(lines.Text(), want) {
				t.Errorf("%s: line %q, want %q", c.name, lines.Text(), want)
			}
		}
		cancel()
		_ = answer.Body.Close()
	}
	for _, query := range []string{"?after=x", "?after=-1", "?limit=2", "?after=1&after=2"} {
		if rec := w.do("GET", "/registry/v1/events"+query, "", "Accept", "text/event-stream"); rec.Code != http.StatusBadRequest {
			t.Errorf("stream %s: %d", query, rec.Code)
		}
	}
}
