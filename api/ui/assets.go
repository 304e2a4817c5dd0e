package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
)

//go:embed static
var staticFiles embed.FS

// asset is one static file.
type asset struct {
	body      []byte
	mediaType string
	tag       string // base64url of the SHA-256
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
	return out, err
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
	return edge.Public{
		Body: a.body, MediaType: a.mediaType, ETag: a.tag,
		MaxAge: 5 * time.Minute, Immutable: r.URL.Query().Get("v") == a.version(),
	}.Serve(w, r)
}
