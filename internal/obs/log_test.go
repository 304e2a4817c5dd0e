package obs_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"heartmark/internal/obs"
)

func TestLoggerHidesSecrets(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log, err := obs.NewLogger(&out, obs.Config{Level: "debug", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("probe", slog.String("token", "canary-1"), slog.Group("request", slog.String("Authorization", "canary-2")),
			slog.String("tenant", "acme"))
		if strings.Contains(out.String(), "canary") {
			t.Errorf("%s log shows a secret: %s", format, out.String())
		}
		if !strings.Contains(out.String(), "acme") {
			t.Errorf("%s log lost an ordinary attribute: %s", format, out.String())
		}
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		in   obs.Config
		ok   bool
	}{
		{"good", obs.Config{Level: "info", Format: "text"}, true},
		{"level", obs.Config{Level: "loud", Format: "text"}, false},
		{"format", obs.Config{Level: "info", Format: "xml"}, false},
		{"empty", obs.Config{}, false},
	}
	for _, c := range cases {
		if err := c.in.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: Validate() = %v, want ok %v", c.name, err, c.ok)
		}
	}
}
