package fetch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/internal/fetch"
)

func TestGet(t *testing.T) {
	t.Parallel()
	var seen http.Header
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("Set-Cookie", "id=1")
		hello(w, r)
	})
	c := n.client(t, nil)
	for range 2 {
		got, err := c.Get(t.Context(), "https://issuer.example/x?y=1", small)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Body) != `{"hello":"world"}` || got.ContentType != "application/json" || got.ETag != `"a"` ||
			got.MaxAge != 5*time.Minute || !got.FetchedAt.Equal(start) {
			t.Errorf("Get = %+v", got)
		}
	}
	for _, h := range []string{"Cookie", "Referer", "Authorization"} {
		if seen.Get(h) != "" {
			t.Errorf("request carries %s: %q", h, seen.Get(h))
		}
	}
	if got := n.connections(); len(got) != 2 || got[0] != "93.184.216.34:443" {
		t.Errorf("connections = %v", got)
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	pack := func(parts ...string) []byte {
		var b bytes.Buffer
		for _, p := range parts {
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(p))
			_ = z.Close()
		}
		return b.Bytes()
	}
	cases := []struct {
		name     string
		encoding string
		kind     string
		body     []byte
		want     error
	}{
		{"gzip", "gzip", "application/json", pack(`{}`), nil},
		{"identity", "identity", "application/json", []byte(`{}`), nil},
		{"two members", "gzip", "application/json", pack(`{}`, `{}`), fetch.ErrContent},
		{"trailing bytes", "gzip", "application/json", append(pack(`{}`), 0), fetch.ErrContent},
		{"cut short", "gzip", "application/json", pack(strings.Repeat("x", 900))[:20], fetch.ErrContent},
		{"not gzip", "gzip", "application/json", []byte(`{}`), fetch.ErrContent},
		{"opens past the cap", "gzip", "application/json", pack(strings.Repeat("x", 1<<20)), fetch.ErrTooLarge},
		{"deflate", "deflate", "application/json", []byte(`{}`), fetch.ErrContent},
		{"br", "br", "application/json", []byte(`{}`), fetch.ErrContent},
		{"twice packed", "gzip, gzip", "application/json", pack(`{}`), fetch.ErrContent},
		{"other type", "", "text/html", []byte(`<html>`), fetch.ErrContent},
		{"no type", "", "", []byte(`{}`), fetch.ErrContent},
		{"malformed type", "", ";;", []byte(`{}`), fetch.ErrContent},
		{"past the cap", "", "application/json", bytes.Repeat([]byte("x"), 2<<10), fetch.ErrTooLarge},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, func(w http.ResponseWriter, _ *http.Request) {
				if tc.encoding != "" {
					w.Header().Set("Content-Encoding", tc.encoding)
				}
				w.Header()["Content-Type"] = []string{tc.kind}
				_, _ = w.Write(tc.body)
			})
			_, err := n.client(t, nil).Get(t.Context(), "https://issuer.example/", small)
			if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
				t.Errorf("error = %v, want %v", errors.Unwrap(err), tc.want)
			}
		})
	}
}

func TestNegativeCache(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	n := newInternet(t, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(http.StatusNotFound) })
	c := n.client(t, nil)
	get := func() {
		if _, err := c.Get(t.Context(), "https://issuer.example/", small); !errors.Is(err, fetch.ErrStatus) {
			t.Fatalf("error = %v", err)
		}
	}
	get()
	n.clock.Advance(fetch.NegativeCache - time.Millisecond)
	get()
	if calls.Load() != 1 {
		t.Errorf("calls = %d within ten seconds, want 1", calls.Load())
	}
	n.clock.Advance(time.Millisecond)
	get()
	n.clock.Advance(-time.Hour) // a clock that goes back must not keep the failure
	get()
	if calls.Load() != 3 {
		t.Errorf("calls = %d, want 3", calls.Load())
	}
}

func TestCoalescing(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	entered, release := make(chan struct{}), make(chan struct{})
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			close(entered)
		}
		<-release
		hello(w, r)
	})
	c := n.client(t, nil)
	first, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Get(first, "https://issuer.example/", small); !errors.Is(err, fetch.ErrTimeout) {
			t.Errorf("call that went away: %v", err)
		}
	})
	<-entered
	results := make(chan error, 20)
	for range 20 {
		wg.Go(func() {
			_, err := c.Get(t.Context(), "https://issuer.example/", small)
			results <- err
		})
	}
	cancel() // the caller that came first leaves; the rest must still be answered
	close(release)
	wg.Wait()
	for range 20 {
		if err := <-results; err != nil {
			t.Errorf("joined call: %v", err)
		}
	}
	// Those that came after the answer make one more exchange each at most; together they never make twenty.
	if calls.Load() > 20 || calls.Load() < 1 {
		t.Errorf("exchanges = %d", calls.Load())
	}
}

func TestLoopbackOrigins(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(plain.Close)
	n := newInternet(t, hello)
	c := n.client(t, func(c *fetch.Config) { c.Dial = nil; c.AllowLoopbackOrigins = []string{plain.URL} })
	if _, err := c.Get(t.Context(), plain.URL+"/did.json", small); err != nil {
		t.Fatalf("named origin: %v", err)
	}
	other := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(other.Close)
	for _, u := range []string{
		other.URL, strings.Replace(plain.URL, "http:", "https:", 1), strings.Replace(plain.URL, "127.0.0.1", "localhost", 1),
		"http://issuer.example/", plain.URL + "0/", plain.URL + ".issuer.example/",
	} {
		if _, err := c.Get(t.Context(), u, small); !errors.Is(err, fetch.ErrBlocked) {
			t.Errorf("Get(%s) = %v, want blocked", u, err)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return start }
	for name, c := range map[string]fetch.Config{
		"no clock":         {},
		"public origin":    {Now: now, AllowLoopbackOrigins: []string{"http://issuer.example"}},
		"origin with path": {Now: now, AllowLoopbackOrigins: []string{"http://localhost:1/x"}},
		"private origin":   {Now: now, AllowLoopbackOrigins: []string{"http://10.0.0.1"}},
		"mapped origin":    {Now: now, AllowLoopbackOrigins: []string{"http://[::ffff:127.0.0.1]:80"}},
		"pattern":          {Now: now, AllowLoopbackOrigins: []string{"http://localhost:*"}},
		"port":             {Now: now, Ports: []int{70000}},
		"time-out":         {Now: now, Timeout: time.Minute},
		"connect time-out": {Now: now, ConnectTimeout: time.Minute},
	} {
		if _, err := fetch.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzURLGuard(f *testing.F) {
	for _, s := range []string{
		"https://issuer.example/a", "https://issuer.example:443/", "https://[2606:2800:220:1::1]/", "http://localhost:1/x",
		"https://127.0.0.1/", "https://a@b.example/", "https://x.example\\@y.example/", "https://0x7f.1/",
	} {
		f.Add(s)
	}
	c, err := fetch.New(fetch.Config{Now: func() time.Time { return start }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		err := c.Check(raw)
		if err == nil && (!strings.HasPrefix(raw, "https://") || strings.ContainsAny(raw, "@\\ \t\r\n") && strings.Contains(strings.SplitN(raw, "/", 4)[2], "@")) {
			t.Errorf("Check(%q) accepts", raw)
		}
		if err != nil && (!errors.Is(err, fetch.ErrBlocked) || err.Error() != fetch.ErrUnavailable.Error()) {
			t.Errorf("Check(%q) = %v", raw, err)
		}
	})
}
