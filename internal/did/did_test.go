package did_test

import (
	"errors"
	"strings"
	"testing"

	"heartmark/internal/did"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"did:web:a.example", "did:key:z6Mk", "did:web:localhost%3A8080:acme", "did:x9:a::b", "did:jwk:eyJ_-"} {
		d, err := did.Parse(s)
		if err != nil || d.String() != s {
			t.Errorf("Parse(%q) = %q, %v", s, d.String(), err)
		}
	}
	for _, s := range []string{
		"", "did", "did:", "did:web", "did:web:", "DID:web:a", "did:Web:a", "did:web:a#b", "did:web:a/b", "did:web:a?b", " did:web:a",
		"did:web:a ", "did:web:a%3", "did:web:a%zz", "did:web:a:", "did:web:ä", "did:web:a\n", "did:web:" + strings.Repeat("a", 5000),
	} {
		if _, err := did.Parse(s); !errors.Is(err, did.ErrInvalid) {
			t.Errorf("Parse(%q) = %v, want ErrInvalid", s, err)
		}
	}
}

func TestSplitURL(t *testing.T) {
	t.Parallel()
	id, fragment, err := did.SplitURL("did:web:a.example#key-1")
	if err != nil || id != "did:web:a.example" || fragment != "key-1" {
		t.Errorf("SplitURL = %q, %q, %v", id, fragment, err)
	}
	for _, s := range []string{"did:web:a", "did:web:a#", "did:web:a?x#y", "did:web:a/x#y", "#y", "did:web:a#b#c", "did:web:a#b c"} {
		if _, _, err := did.SplitURL(s); err == nil {
			t.Errorf("SplitURL(%q) accepted", s)
		}
	}
}

var dev = []string{"http://localhost:8080", "http://127.0.0.1:9000"}

func TestWebURL(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"did:web:a.example":                "https://a.example/.well-known/did.json",
		"did:web:a.example:acme":           "https://a.example/acme/did.json",
		"did:web:a.example:x:y":            "https://a.example/x/y/did.json",
		"did:web:a.example%3A8443:x":       "https://a.example:8443/x/did.json",
		"did:web:a.example%3A443":          "https://a.example:443/.well-known/did.json",
		"did:web:localhost%3A8080":         "http://localhost:8080/.well-known/did.json",
		"did:web:localhost%3A8080:acme":    "http://localhost:8080/acme/did.json",
		"did:web:127.0.0.1%3A9000:acme":    "http://127.0.0.1:9000/acme/did.json",
		"did:web:xn--bcher-kva.example:ab": "https://xn--bcher-kva.example/ab/did.json",
	} {
		if got, err := did.WebURL(id, dev); err != nil || got != want {
			t.Errorf("WebURL(%q) = %q, %v, want %q", id, got, err, want)
		}
	}
}

func TestFromOrigin(t *testing.T) {
	t.Parallel()
	cases := []struct{ origin, tenant, want string }{
		{"http://localhost:8080", "", "did:web:localhost%3A8080"},
		{"http://localhost:8080", "acme", "did:web:localhost%3A8080:acme"},
		{"https://registry.example", "acme", "did:web:registry.example:acme"},
		{"https://registry.example/", "", "did:web:registry.example"},
		{"https://registry.example/sub", "", ""},
		{"https://a@registry.example", "", ""},
		{"https://[::1]:80", "", ""},
		{"", "", ""},
		{"https://registry.example", "..", ""},
		{"https://registry.example", "a/b", ""},
	}
	for _, tc := range cases {
		if got := did.FromOrigin(tc.origin, tc.tenant); got != tc.want {
			t.Errorf("FromOrigin(%q, %q) = %q, want %q", tc.origin, tc.tenant, got, tc.want)
		}
	}
}

func FuzzDIDParse(f *testing.F) {
	for _, s := range []string{
		"did:web:a.example", "did:web:host:..:..:x", "did:web:host%2Fpath", "did:web:user%40host", "did:web:host%3A22", "did:web:a.example%3A8443:x",
		"did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "did:web:localhost%3A8080:acme",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := did.Parse(s)
		if err != nil {
			return
		}
		if d.String() != s {
			t.Errorf("Parse(%q) gives back %q", s, d.String())
		}
		u, err := did.WebURL(s, dev)
		if err != nil {
			return
		}
		// The way back: host and path of the address must be the name again, and nothing else.
		rest := strings.TrimPrefix(strings.TrimPrefix(u, "https://"), "http://")
		host, path, _ := strings.Cut(rest, "/")
		back := "did:web:" + strings.ReplaceAll(host, ":", "%3A")
		if p := strings.TrimSuffix(path, "did.json"); p != ".well-known/" {
			back += ":" + strings.ReplaceAll(strings.TrimSuffix(p, "/"), "/", ":")
		}
		if back != s || strings.ContainsAny(u, "@?#%\\ ") {
			t.Errorf("WebURL(%q) = %q, which is the address of %q", s, u, back)
		}
	})
}
