package ui_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// largestModule bounds what a visitor loads for a check on the own device, in bytes as they travel.
const largestModule = 6 << 20

func static(t *testing.T, name, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/static/"+name, nil)
	r.Header.Set("Accept-Encoding", accept)
	rec := httptest.NewRecorder()
	if err := pages(t, &parts{}).Static(rec, r, name); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rec
}

// TestVerifierForBrowsers: the module goes out compressed to whoever takes that, opened to anybody else, and is a module.
func TestVerifierForBrowsers(t *testing.T) {
	t.Parallel()
	if !pages(t, &parts{}).InBrowser() {
		if os.Getenv("HEARTMARK_REQUIRE_WASM") == "1" {
			t.Fatal("the verifier for browsers is required here: make wasm")
		}
		t.Skip("needs the verifier for browsers: make wasm")
	}
	packed := static(t, "heartmark.wasm", "br, gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Content-Type") != "application/wasm" || packed.Body.Len() > largestModule {
		t.Errorf("%v, %d bytes, want gzip of at most %d", packed.Header(), packed.Body.Len(), largestModule)
	}
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	module, err := io.ReadAll(r)
	if err != nil || !bytes.HasPrefix(module, []byte("\x00asm")) {
		t.Errorf("no WebAssembly module: %v", err)
	}
	for _, accept := range []string{"", "identity", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip"} {
		plain := static(t, "heartmark.wasm", accept)
		if plain.Header().Get("Content-Encoding") != "" || !bytes.Equal(plain.Body.Bytes(), module) || plain.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: %v, %d bytes", accept, plain.Header(), plain.Body.Len())
		}
	}
}

// TestOnlyTheWorkerRunsWebAssembly: the pages keep a policy without it.
func TestOnlyTheWorkerRunsWebAssembly(t *testing.T) {
	t.Parallel()
	policy := static(t, "checker.js", "").Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self' 'wasm-unsafe-eval';") || strings.Contains(policy, "'unsafe-") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy of the worker: %q", policy)
	}
	for _, name := range []string{"verify.js", "device.js", "entry.js", "heartmark.css"} {
		if got := static(t, name, "").Header().Get("Content-Security-Policy"); got != "" {
			t.Errorf("%s sets the policy %q of its own", name, got)
		}
	}
}
