package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestResolution(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const own = "did:web:dei.example:acme"
	const key = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
	const resolution, document, dereference = "application/did-resolution", "application/did+ld+json", "application/did-url-dereferencing"
	const old = `application/ld+json;profile="https://w3id.org/did-resolution"`
	for _, c := range []struct {
		name, path, accept string
		status             int
		media, contains    string
	}{
		{"own", own, resolution, 200, resolution, `"didDocument":{"id":"did:web:dei.example:acme"`},
		{"encoded", url.PathEscape(strings.ReplaceAll(own, ":", "%3A")), resolution, 400, resolution, "INVALID_DID"},
		{"encoded once", strings.ReplaceAll(own, ":", "%3A"), resolution, 200, resolution, `"contentType":"application/did-resolution"`},
		{"no Accept", own, "", 200, resolution, `"didResolutionMetadata"`},
		{"document", own, document, 200, document, `{"id":"did:web:dei.example:acme"`},
		{"own document", key, "application/did", 200, "application/did", `"publicKeyMultibase":"z6Mk`},
		{"as of a time", own + "?versionTime=2026-02-01T00:00:00Z", resolution, 200, resolution, `"didDocument":{`},
		{"as of before", own + "?versionTime=2025-02-01T00:00:00Z", resolution, 404, resolution, `"didDocument":null`},
		{"unreadable time", own + "?versionTime=noon", resolution, 400, resolution, "INVALID_OPTIONS"},
		{"unknown option", own + "?versionId=3", resolution, 501, resolution, "FEATURE_NOT_SUPPORTED"},
		{"deactivated", "did:web:dei.example:gone", resolution, 410, resolution, `"deactivated":true`},
		{"empty", "", resolution, 400, resolution, "INVALID_DID"},
		{"no DID", "not-a-did", resolution, 400, resolution, `"type":"https://www.w3.org/ns/did#INVALID_DID"`},
		{"half a DID", "did:example", resolution, 400, resolution, `"didDocumentMetadata":{}`},
		{"method", "did:unsupported:1", resolution, 501, resolution, "METHOD_NOT_SUPPORTED"},
		{"nobody here", "did:web:dei.example:nobody", resolution, 404, resolution, "NOT_FOUND"},
		{"not recorded", "did:web:stranger.example", resolution, 404, resolution, "NOT_FOUND"},
		{"bad key", "did:key:z6Mkfoo", resolution, 400, resolution, "INVALID_DID"},
		{"unknown type", own, "application/x-none", 406, resolution, "REPRESENTATION_NOT_SUPPORTED"},
		{"dereference", own + "%23k", dereference, 200, dereference, `"contentStream":{"controller":"did:web:dei.example:acme"`},
		{"dereference alone", own + "%23k", document, 200, document, `"type":"Multikey"`},
		{"no such fragment", own + "%23x", dereference, 404, dereference, `"contentStream":null`},
		{"no such service", own + "?service=x", dereference, 404, dereference, "NOT_FOUND"},
		{"path", own + "/x", resolution, 501, resolution, "FEATURE_NOT_SUPPORTED"},
		{"old client", own, old, 200, "application/ld+json", `"@context":"https://w3id.org/did-resolution/v1"`},
		{"old client's error", "did:example", old, 400, "application/ld+json", `"error":"invalidDid"`},
		{"old client, no document", "did:unsupported:1", old, 501, "application/ld+json", `"didDocument":{}`},
		{"old client's URL", own + "%23x", old, 404, "application/ld+json", `"didDereferencingMetadata":{"error":"notFound"}`},
	} {
		headers := []string{}
		if c.accept != "" {
			headers = []string{"Accept", c.accept}
		}
		rec := w.do("GET", "/1.0/identifiers/"+c.path, "", headers...)
		if rec.Code != c.status || rec.Header().Get("Content-Type") != c.media || !strings.Contains(rec.Body.String(), c.contains) {
			t.Errorf("%s: %d %s %s, want %d %s with %s", c.name, rec.Code, rec.Header().Get("Content-Type"), rec.Body, c.status, c.media, c.contains)
		}
	}
	rec := w.do("GET", "/1.0/identifiers/"+own+"?service=trqp", "", "Accept", dereference)
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "https://dei.example/trqp" || rec.Body.Len() != 0 {
		t.Errorf("service: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}
