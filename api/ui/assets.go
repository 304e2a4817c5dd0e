package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
)

//go:embed static
var staticFiles embed.FS

// wasmFiles holds the verifier for browsers where the program was built with it (make wasm); README.md is always there.
//
//go:embed wasm
var wasmFiles embed.FS

// The files of the verifier for browsers.
const (
	wasmModule = "heartmark.wasm"
	wasmGlue   = "wasm_exec.js"
	wasmWorker = "checker.js"
)

// asset is one static file.
type asset struct {
	body      []byte
	mediaType string
	tag       string // base64url of the SHA-256
	packed    bool   // body is gzip
}

// mediaTypes are the kinds of file that may be served; a file of another kind stops the start.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// styleSheet is the one file that the parts in static/css, in the order of their names, are served as.
const styleSheet = "heartmark.css"

func loadAssets() (map[string]asset, error) {
	out := map[string]asset{}
	var style []byte
	err := fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		mediaType, ok := mediaTypes[path.Ext(name)]
		if !ok {
			return fmt.Errorf("static file %s has no known media type", name)
		}
		body, err := staticFiles.ReadFile(name)
		if err != nil {
			return err
		}
		if path.Ext(name) == ".css" {
			style = append(style, body...)
			return nil
		}
		out[path.Base(name)] = newAsset(body, mediaType)
		return nil
	})
	out[styleSheet] = newAsset(style, mediaTypes[".css"])
	if err == nil {
		err = addWasm(out)
	}
	return out, err
}

// addWasm adds the verifier for browsers: both of its files or neither.
func addWasm(out map[string]asset) error {
	module, err1 := wasmFiles.ReadFile("wasm/" + wasmModule + ".gz")
	glue, err2 := wasmFiles.ReadFile("wasm/" + wasmGlue)
	if errors.Is(err1, fs.ErrNotExist) && errors.Is(err2, fs.ErrNotExist) {
		return nil
	}
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("verifier for browsers: %w", err)
	}
	a := newAsset(module, "application/wasm")
	a.packed = true
	out[wasmModule], out[wasmGlue] = a, newAsset(glue, mediaTypes[".js"])
	return nil
}

// InBrowser reports whether this program was built with the verifier for browsers.
func (p *Pages) InBrowser() bool {
	_, ok := p.assets[wasmModule]
	return ok
}

func newAsset(body []byte, mediaType string) asset {
	digest := sha256.Sum256(body)
	return asset{body: body, mediaType: mediaType, tag: base64.RawURLEncoding.EncodeToString(digest[:])}
}

// version is the part of the digest that stands in the address of a file.
func (a asset) version() string { return a.tag[:16] }

// link returns the address of a static file, which changes with its bytes.
func (p *Pages) link(name string) (string, error) {
	a, ok := p.assets[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return "/static/" + name + "?v=" + a.version(), nil
}

// Static answers a static file. Under the address with its version it never changes.
func (p *Pages) Static(w http.ResponseWriter, r *http.Request, name string) error {
	a, ok := p.assets[name]
	if !ok {
		return fmt.Errorf("static file %q: %w", name, problem.ErrNotFound)
	}
	body := a.body
	if a.packed {
		w.Header().Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
		} else {
			var err error
			if body, err = unpack(a.body); err != nil {
				return err
			}
		}
	}
	if name == wasmWorker {
		// A worker lives under the policy of its own script: it alone may run WebAssembly, the page around it may not.
		w.Header().Set("Content-Security-Policy", workerPolicy)
	}
	return edge.Public{
		Body: body, MediaType: a.mediaType, ETag: a.tag,
		MaxAge: 5 * time.Minute, Immutable: r.URL.Query().Get("v") == a.version(),
	}.Serve(w, r)
}

// workerPolicy is what the worker may do: run its own files and WebAssembly, and read from this origin.
const workerPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// acceptsGzip reads Accept-Encoding; a coding with q=0 is refused by the client (RFC 9110, 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			weight, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(q), "q="), 64)
			return q == "" || err == nil && weight > 0
		}
	}
	return false
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return out, nil
}
