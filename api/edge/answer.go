package edge

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// JSON answers v as application/json.
func JSON(w http.ResponseWriter, status int, v any) error {
	return JSONAs(w, status, "application/json", v)
}

// JSONAs answers v as JSON under another media type.
func JSONAs(w http.ResponseWriter, status int, mediaType string, v any) error {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes()) // the client may be gone; there is nobody left to tell
	return nil
}

// Public is an answer that any cache may keep.
type Public struct {
	Body      []byte
	MediaType string
	// ETag is the strong validator without quotes; empty takes it from the body's SHA-256.
	ETag string
	// MaxAge is how long a cache may use the answer without asking; zero means it always asks.
	MaxAge time.Duration
	// Immutable says that this address never answers anything else.
	Immutable bool
}

// Serve answers p with its validator, or 304 where the client holds the same bytes already (RFC 9110, 13.1.2).
func (p Public) Serve(w http.ResponseWriter, r *http.Request) error {
	tag := p.ETag
	if tag == "" {
		digest := sha256.Sum256(p.Body)
		tag = base64.RawURLEncoding.EncodeToString(digest[:])
	}
	tag = `"` + tag + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", p.cacheControl())
	if matches(r.Header.Values("If-None-Match"), tag) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", p.MediaType)
	h.Set("Content-Length", fmt.Sprint(len(p.Body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(p.Body)
	}
	return nil
}

func (p Public) cacheControl() string {
	if p.Immutable {
		return "public, max-age=31536000, immutable"
	}
	return fmt.Sprintf("public, max-age=%d", int(p.MaxAge.Seconds()))
}

// matches tells whether one of the header's tags is tag; If-None-Match compares weakly (RFC 9110, 8.8.3.2).
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for candidate := range strings.SplitSeq(header, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
				return true
			}
		}
	}
	return false
}
