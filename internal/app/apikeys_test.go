package app_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

// served serves an app on a free port for the time of a test and returns its address.
func served(t *testing.T, o app.Options) (*app.App, string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	a := build(t, settings(t, port), o)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, listener, nil, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return a, a.Config.Origin
}

func status(t *testing.T, address, key string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// SEC-160: a right that is taken away, and a key whose time is over, ends with the next request.
func TestSEC_160_APIKeys(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Now().UTC().Truncate(time.Second))
	a, origin := served(t, app.Options{Now: clock.Now})
	address := origin + "/v1/configurations"
	make := func(k schemas.APIKey) (string, schemas.APIKey) {
		t.Helper()
		k.Tenant = app.DemoTenant
		key, record, err := a.CreateAPIKey(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		return key, record
	}
	short, _ := make(schemas.APIKey{Scopes: []string{"issue"}, ExpiresAt: clock.Now().Add(time.Hour), Name: "night run"})
	lasting, record := make(schemas.APIKey{Scopes: []string{"issue"}})
	thin, _ := make(schemas.APIKey{Scopes: []string{"verify"}})
	slow, _ := make(schemas.APIKey{Scopes: []string{"issue"}, PerSecond: 0.5})
	for name, c := range map[string]struct {
		key  string
		want int
	}{"short": {short, 200}, "lasting": {lasting, 200}, "without scope": {thin, 403}, "changed": {lasting[:len(lasting)-1] + "_", 401}} {
		if got := status(t, address, c.key); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	var answers []int
	for range 4 {
		answers = append(answers, status(t, address, slow))
	}
	if answers[0] != 200 || answers[3] != 429 {
		t.Errorf("a key of one request in two seconds: %v", answers)
	}
	clock.Advance(time.Hour)
	if got := status(t, address, short); got != 401 {
		t.Errorf("after its hour: %d", got)
	}
	if got := status(t, address, slow); got != 200 {
		t.Errorf("the slow key an hour later: %d", got)
	}
	if err := a.RevokeAPIKey(t.Context(), "nobody", record.ID); err == nil {
		t.Error("SEC-156: another tenant revoked the key")
	}
	for range 2 {
		if err := a.RevokeAPIKey(t.Context(), app.DemoTenant, record.ID); err != nil {
			t.Fatal(err)
		}
	}
	if got := status(t, address, lasting); got != 401 {
		t.Errorf("revoked: %d", got)
	}
	all, err := a.Store.APIKeys(t.Context(), app.DemoTenant)
	if err != nil || len(all) != 4 || all[0].Name != "night run" && all[1].Name != "night run" && all[2].Name != "night run" && all[3].Name != "night run" {
		t.Errorf("keys %+v, %v", all, err)
	}
	for _, k := range all {
		if strings.Contains(k.Hash, short) || len(k.Hash) != 64 {
			t.Errorf("stored as %q", k.Hash)
		}
	}
	for name, bad := range map[string]schemas.APIKey{
		"no scope": {Tenant: app.DemoTenant}, "unknown scope": {Tenant: app.DemoTenant, Scopes: []string{"everything"}},
		"past end": {Tenant: app.DemoTenant, Scopes: []string{"issue"}, ExpiresAt: clock.Now()}, "negative rate": {Tenant: app.DemoTenant, Scopes: []string{"issue"}, PerSecond: -1},
		"no such tenant": {Tenant: "nobody", Scopes: []string{"issue"}},
	} {
		if _, _, err := a.CreateAPIKey(t.Context(), bad); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}
