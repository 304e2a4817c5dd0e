package context

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"heartmark/schemas"
)

// DEIPath is the path at which every installation serves the project's own context.
const DEIPath = "/contexts/dei/v1"

// RegistryPath is the path at which every installation serves the context of accreditation credentials.
const RegistryPath = "/contexts/registry/v1"

// own are the project's contexts by path: file names. Their bytes are the same at any origin.
func own() map[string]string {
	return map[string]string{DEIPath: "dei-v1.jsonld", RegistryPath: "registry-v1.jsonld"}
}

// ErrUnknownContext is returned for an address that is not in the fixed set. It is final: nothing is ever fetched.
var ErrUnknownContext = errors.New("unknown context")

// ErrDigest is returned by New for a file whose bytes do not have the digest it was configured with.
var ErrDigest = errors.New("context digest does not match")

//go:embed dei-v1.jsonld registry-v1.jsonld files/*.jsonld
var embedded embed.FS

// File is a context that the operator adds.
type File struct {
	URL    string // the address that documents name
	Data   []byte
	SHA256 string // of Data, 64 lower-case hex digits
}

// Loader answers contexts by address. It never changes once made, so that any number of goroutines may use it.
type Loader struct {
	byURL map[string][]byte
	own   map[string][]byte // by path
}

// New returns a Loader of the embedded contexts, without those of the interoperability profile, and of extra. Files are
// compared with their digests before they are parsed. An extra file cannot replace an embedded one.
func New(extra ...File) (*Loader, error) {
	l := &Loader{byURL: map[string][]byte{}, own: map[string][]byte{}}
	for path, file := range own() {
		data, err := embedded.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read embedded context: %w", err)
		}
		if err := checkContext(data); err != nil {
			return nil, fmt.Errorf("context %s: %w", path, err)
		}
		l.own[path] = data
	}
	files, err := embeddedFiles(false)
	if err != nil {
		return nil, err
	}
	for _, f := range slices.Concat(files, extra) {
		if err := l.add(f); err != nil {
			return nil, fmt.Errorf("context %s: %w", f.URL, err)
		}
	}
	return l, nil
}

// Interop returns the embedded contexts that only the interoperability profile uses, to be handed to New. They define
// example terms and catch-all terms, under which a misspelt term is signed instead of refused.
func Interop() ([]File, error) { return embeddedFiles(true) }

func embeddedFiles(interop bool) ([]File, error) {
	var files []File
	for _, e := range Table() {
		if e.Interop != interop {
			continue
		}
		data, err := embedded.ReadFile("files/" + e.file + ".jsonld")
		if err != nil {
			return nil, fmt.Errorf("read embedded context: %w", err)
		}
		files = append(files, File{URL: e.URL, Data: data, SHA256: e.sha256})
	}
	return files, nil
}

func (l *Loader) add(f File) error {
	sum := sha256.Sum256(f.Data)
	if hex.EncodeToString(sum[:]) != f.SHA256 {
		return ErrDigest // before parsing: a parser must not see bytes whose digest is wrong
	}
	u, err := url.Parse(f.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" {
		return fmt.Errorf("%w: not an absolute http or https address", schemas.ErrMalformed)
	}
	if _, taken := l.byURL[f.URL]; taken || own()[u.Path] != "" {
		return errors.New("address is taken by another context")
	}
	if err := checkContext(f.Data); err != nil {
		return err
	}
	l.byURL[f.URL] = bytes.Clone(f.Data)
	return nil
}

// checkContext makes sure that data is a JSON object with a context in it that pulls in nothing from elsewhere.
func checkContext(data []byte) error {
	doc, err := schemas.ParseObject(data)
	if err != nil {
		return err
	}
	c, ok := doc["@context"]
	if !ok {
		return fmt.Errorf("%w: no @context", schemas.ErrMalformed)
	}
	return selfContained(c)
}

// selfContained refuses references to other contexts. Two contexts that name each other would make an expander recurse
// without end, and what is imported is not covered by the digest.
func selfContained(v any) error {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if _, ok := item.(string); ok {
				return fmt.Errorf("%w: a context names another one", schemas.ErrMalformed)
			}
			if err := selfContained(item); err != nil {
				return err
			}
		}
	case string:
		return fmt.Errorf("%w: a context names another one", schemas.ErrMalformed)
	case map[string]any:
		if _, ok := v["@import"]; ok {
			return fmt.Errorf("%w: a context imports another one", schemas.ErrMalformed)
		}
		for _, definition := range v {
			if m, ok := definition.(map[string]any); ok {
				if inner, ok := m["@context"]; ok {
					if err := selfContained(inner); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// Document returns the context at address, which must be spelt exactly as listed, or the built-in bytes where it is
// DEIPath or RegistryPath of an https origin or of an http origin on this machine (localhost, 127.0.0.1). The bytes are the caller's
// own. Anything else gives ErrUnknownContext.
func (l *Loader) Document(address string) ([]byte, error) {
	if data, ok := l.byURL[address]; ok {
		return bytes.Clone(data), nil
	}
	if path, ok := ownPath(address); ok {
		return bytes.Clone(l.own[path]), nil
	}
	return nil, fmt.Errorf("%w: %.200q", ErrUnknownContext, address)
}

// Knows tells whether Document has an answer for address.
func (l *Loader) Knows(address string) bool {
	_, listed := l.byURL[address]
	_, owned := ownPath(address)
	return listed || owned
}

// URLs returns the addresses that the loader knows apart from DEIPath and RegistryPath, sorted.
func (l *Loader) URLs() []string {
	urls := make([]string, 0, len(l.byURL))
	for u := range l.byURL {
		urls = append(urls, u)
	}
	slices.Sort(urls)
	return urls
}

// ownPath returns which of the project's own contexts an address names.
func ownPath(address string) (string, bool) {
	path := ""
	for _, own := range []string{DEIPath, RegistryPath} {
		if strings.HasSuffix(address, own) {
			path = own
		}
	}
	if path == "" || len(address) > 512 {
		return "", false
	}
	u, err := url.Parse(address)
	if err != nil || u.Path != path || u.User != nil || u.Hostname() == "" || u.String() != address || strings.ToLower(address) != address {
		return "", false
	}
	switch u.Scheme {
	case "https":
		return path, true
	case "http":
		return path, u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"
	}
	return "", false
}
