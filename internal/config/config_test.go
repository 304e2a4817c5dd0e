package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/internal/config"
	"heartmark/internal/testkit"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "heartmark.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, text string
		env        []string
		want       string // part of the error; empty: must load
	}{
		{"defaults", "", nil, ""},
		{"misspelt key", "orign: https://a.example\n", nil, "orign"},
		{"misspelt nested key", "model:\n  providr: cpu\n", nil, "providr"},
		{"two documents", "mode: development\n---\nmode: production\n", nil, "more than one document"},
		{"production needs https", "mode: production\norigin: http://dei.example\nlisten: 0.0.0.0:8080\n", nil, "origin"},
		{"production refuses loopback", "mode: production\norigin: https://localhost\n", nil, "origin"},
		{"production good", "mode: production\norigin: https://dei.example\nlisten: 0.0.0.0:8080\n", nil, ""},
		{"origin with path", "origin: http://localhost:8080/x\n", nil, "origin"},
		{"development stays on loopback", "listen: 0.0.0.0:8080\n", nil, "listen"},
		{"metrics stay on loopback", "ops_listen: 0.0.0.0:9090\n", nil, "ops_listen"},
		{"key beside the data", "data_dir: d\nkek_file: d/kek\n", nil, "kek_file"},
		{"provider", "model:\n  provider: gpu\n", nil, "model.provider"},
		{"Ed25519 by the standard library", "verifier:\n  ed25519: standard\n", nil, ""},
		{"Ed25519 by something else", "verifier:\n  ed25519: fast\n", nil, "verifier.ed25519"},
		{"wallets", "wallets: {batch: 20, key_attestation: required, key_storage: [iso_18045_high], attesters: [{issuer: m, keys_file: k}]}\n", nil, ""},
		{"too large a batch", "wallets: {batch: 21}\n", nil, "wallets.batch"},
		{"demand in other words", "wallets: {dpop: always}\n", nil, "wallets.dpop"},
		{"attestations by nobody", "wallets: {attestation: required}\n", nil, "wallets.attesters"},
		{"attester without keys", "wallets: {attesters: [{issuer: m}]}\n", nil, "wallets.attesters"},
		{"client without address", "wallets: {clients: [{id: w}]}\n", nil, "wallets.clients"},
		{"storage that nobody must attest", "wallets: {key_storage: [iso_18045_high]}\n", nil, "wallets.key_attestation"},
		{"login", "login: {issuer: 'https://idp.example', client_id: hm, secret_file: s}\n", nil, ""},
		{"login without secret", "login: {issuer: 'https://idp.example', client_id: hm}\n", nil, "login"},
		{"environment overrides", "", []string{"HEARTMARK_MODEL_PROVIDER=cpu"}, ""},
		{"environment misspelt", "", []string{"HEARTMARK_ORIGEN=x"}, "HEARTMARK_ORIGEN"},
		{"environment of others", "", []string{"HOME=/x", "HEARTMARK_SHARED=/y"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(write(t, c.text), c.env)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("Load(%q) = %v, want no error", c.text, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("Load(%q) = %v, want an error that names %q", c.text, err, c.want)
			}
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Load(write(t, "mode: x\nlog:\n  level: loud\n  format: text\nmodel:\n  provider: y\n"), nil)
	for _, want := range []string{"mode", "log.level", "model.provider"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

func TestEnvironmentOverridesFile(t *testing.T) {
	t.Parallel()
	c, err := config.Load(write(t, "origin: http://localhost:1\n"), []string{"HEARTMARK_ORIGIN=http://localhost:2"})
	if err != nil || c.Origin != "http://localhost:2" {
		t.Errorf("origin = %q, %v; want the environment's", c.Origin, err)
	}
}

func TestDeployExamplesLoad(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(testkit.Root(t), "deploy", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no example configuration found: %v", err)
	}
	for _, f := range files {
		c, err := config.Load(f, nil)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
		}
		if text, err := c.Print(); err != nil || !strings.Contains(text, "origin:") {
			t.Errorf("%s: Print() = %q, %v", filepath.Base(f), text, err)
		}
	}
}
