package fetch_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/internal/fetch"
)

// refuse calls each address and wants it blocked with no connection made.
func refuse(t *testing.T, urls ...string) {
	t.Helper()
	n := newInternet(t, hello)
	c := n.client(t, nil)
	for _, u := range urls {
		if err := c.Check(u); !errors.Is(err, fetch.ErrBlocked) {
			t.Errorf("Check(%q) = %v, want blocked", u, err)
		}
		if _, err := c.Get(t.Context(), u, small); !errors.Is(err, fetch.ErrBlocked) {
			t.Errorf("Get(%q) = %v, want blocked", u, err)
		}
		if _, err := c.Post(t.Context(), u, fetch.Message{}, small); !errors.Is(err, fetch.ErrBlocked) {
			t.Errorf("Post(%q) = %v, want blocked", u, err)
		}
	}
	if got := n.connections(); len(got) != 0 {
		t.Errorf("connections = %v, want none", got)
	}
}

func TestSEC_088_LiteralInternalAddresses(t *testing.T) {
	t.Parallel()
	refuse(t,
		"https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://192.168.1.1/",
		"https://172.16.0.1/", "https://100.64.0.1/", "https://[::1]/", "https://[fe80::1]/", "https://[fd00::1]/",
		"https://0.0.0.0/", "https://255.255.255.255/", "https://224.0.0.1/", "https://198.18.0.1/", "https://192.0.2.1/",
		"https://[::]/", "https://[ff02::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:8.8.8.8]/",
		"https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/", "https://[2001::1]/",
		"https://[2001:db8::1]/", "https://[::7f00:1]/", "https://[fec0::1]/", "https://[fe80::1%25eth0]/", "https://[100::1]/")
}

func TestSEC_089_NameThatResolvesInside(t *testing.T) {
	t.Parallel()
	for name, addrs := range map[string][]string{
		"loopback":           {"127.0.0.1"},
		"public and private": {"93.184.216.34", "10.0.0.1"},
		"metadata":           {"169.254.169.254"},
		"mapped":             {"::ffff:127.0.0.1"},
		"translated":         {"64:ff9b::a00:1"},
		"six to four":        {"2002:a00:1::1"},
		"unique local":       {"fd00::1"},
		"shared":             {"100.127.255.255"},
		"unspecified":        {"0.0.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, hello)
			n.answers["issuer.example"] = nil
			n.name("issuer.example", addrs...)
			if _, err := n.client(t, nil).Get(t.Context(), "https://issuer.example/", small); !errors.Is(err, fetch.ErrBlocked) {
				t.Errorf("error = %v, want blocked", err)
			}
			if got := n.connections(); len(got) != 0 {
				t.Errorf("connections = %v, want none", got)
			}
		})
	}
}

func TestSEC_090_Rebinding(t *testing.T) {
	t.Parallel()
	n := newInternet(t, hello)
	n.name("issuer.example", "127.0.0.1") // second answer
	c := n.client(t, nil)
	if _, err := c.Get(t.Context(), "https://issuer.example/", small); err != nil {
		t.Fatal(err)
	}
	if got := n.connections(); len(got) != 1 || got[0] != "93.184.216.34:443" {
		t.Errorf("connections = %v, want the checked address alone", got)
	}
	if n.lookups["issuer.example"] != 1 {
		t.Errorf("look-ups = %d, want 1: no second answer may count", n.lookups["issuer.example"])
	}
	if _, err := c.Get(t.Context(), "https://issuer.example/", small); !errors.Is(err, fetch.ErrBlocked) {
		t.Errorf("second call = %v, want blocked", err)
	}
}

func TestSEC_091_Redirects(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"https://127.0.0.1/", "https://other.issuer.example/", "/again", "http://issuer.example/"} {
			var calls atomic.Int32
			n := newInternet(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			c := n.client(t, nil)
			_, err := c.Get(t.Context(), "https://issuer.example/", small)
			if !errors.Is(err, fetch.ErrStatus) {
				t.Errorf("Get with %d = %v, want refused", status, err)
			}
			if _, err := c.Post(t.Context(), "https://issuer.example/", fetch.Message{Body: []byte("{}")}, small); !errors.Is(err, fetch.ErrStatus) {
				t.Errorf("Post with %d = %v, want refused", status, err)
			}
			if calls.Load() != 2 {
				t.Errorf("%d to %s: %d requests, want 2", status, location, calls.Load())
			}
		}
	}
}

func TestSEC_092_OddSpellings(t *testing.T) {
	t.Parallel()
	refuse(t,
		"https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://localhost./",
		"https://x.localhost/", "https://localhost/", "https://0x7f.0.0.1/", "https://127.0.0.1./", "https://127.0.0.01/",
		"https://[0:0:0:0:0:0:0:1]/", "https://1.2.3.0x4/", "https://127.0.0.1%2eissuer.example/", "https://①②⑦.⓪.⓪.①/",
		"https://LOCALHOST/", "https://printer.local/", "https://intranet/", "https://issuer.example./", "https://a..example/")
}

func TestSEC_093_UserInformation(t *testing.T) {
	t.Parallel()
	refuse(t,
		"https://issuer.example@canary.example/", "https://a:b@127.0.0.1/", "https://issuer.example\\@canary.example/",
		"https://@issuer.example/", "https://issuer.example%40canary.example/", "https://issuer.example:443@canary.example/")
}

func TestSEC_094_OtherSchemes(t *testing.T) {
	t.Parallel()
	refuse(t,
		"http://issuer.example/", "file:///etc/hostname", "ftp://issuer.example/", "gopher://issuer.example/", "data:text/plain,x",
		"jar:https://issuer.example/!/x", "HTT\tPS://issuer.example/", "HTTPS://issuer.example/", "https:issuer.example",
		"//issuer.example/", " https://issuer.example/", "https://issuer.example/\r\nX: y", "https://issuer.example:22/",
		"https://issuer.example:0443/", "https://issuer.example:/", "https://issuer.example/#part", "https:///x", "")
}

func TestSEC_095_EndlessOrSlow(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		handle http.HandlerFunc
		want   error
	}{
		{"endless body", func(w http.ResponseWriter, r *http.Request) {
			hello(w, r)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, fetch.ErrTooLarge},
		{"one byte at a time", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}, fetch.ErrTimeout},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fetch.ErrTimeout},
		{"claimed length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "10000000000")
		}, fetch.ErrTooLarge},
		{"headers of 5 MB", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 5<<20))
			hello(w, r)
		}, fetch.ErrUnavailable}, // cut at the cap, or by time on a slow machine
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := newInternet(t, tc.handle)
			c := n.client(t, func(c *fetch.Config) { c.Timeout = 300 * time.Millisecond })
			begin := time.Now()
			_, err := c.Get(t.Context(), "https://issuer.example/", small)
			if !errors.Is(err, tc.want) {
				t.Errorf("error = %v (%v), want %v", err, errors.Unwrap(err), tc.want)
			}
			if took := time.Since(begin); took > fetch.MaxTimeout {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestSEC_096_SecretsStayWithTheirHost(t *testing.T) {
	t.Parallel()
	canary := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { canary <- r.Header.Get("Authorization") }))
	t.Cleanup(other.Close)
	got := ""
	n := newInternet(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	c := n.client(t, func(c *fetch.Config) { c.AllowLoopbackOrigins = []string{other.URL} }) // even an allowed one
	_, err := c.Post(t.Context(), "https://issuer.example/hook", fetch.Message{Authorization: "Bearer secret", ContentType: "application/json"}, small)
	if !errors.Is(err, fetch.ErrStatus) || got != "Bearer secret" || len(canary) != 0 {
		t.Errorf("error = %v, header = %q, requests at the other host = %d", err, got, len(canary))
	}
}

func TestSEC_100_OneErrorForAll(t *testing.T) {
	t.Parallel()
	n := newInternet(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	n.name("closed.issuer.example", "93.184.216.35")
	c := n.client(t, func(c *fetch.Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "93.184.216.35") {
				return nil, errors.New("connection refused by 93.184.216.35 port 443")
			}
			return n.dial(ctx, network, address)
		}
	})
	for _, u := range []string{
		"https://10.0.0.1/", "https://10.0.0.1:22/", "https://issuer.example/", "https://closed.issuer.example/",
		"https://unknown.issuer.example/", "http://issuer.example/",
	} {
		_, err := c.Get(t.Context(), u, small)
		if !errors.Is(err, fetch.ErrUnavailable) || err.Error() != "resource could not be fetched" {
			t.Errorf("Get(%s) = %v, want the one error", u, err)
		}
	}
}
