package dataintegrity

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/piprate/json-gold/ld"
)

// The base contexts, one of which comes first in every document.
const (
	ContextV2 = "https://www.w3.org/ns/credentials/v2"
	ContextV1 = "https://www.w3.org/2018/credentials/v1"
)

// DocumentLoader answers contexts from a fixed set; an unknown address is an error. Many goroutines may call it at once.
// What it answers for an address must not change.
type DocumentLoader interface {
	Document(address string) ([]byte, error)
}

// Policy relaxes single points. The zero value is the strict one.
type Policy struct {
	// Legacy takes documents of VC Data Model 1.1 too, whose first context is ContextV1.
	Legacy bool
}

const (
	// maxLoaded bounds the contexts kept in parsed form: addresses of other installations' contexts are many.
	maxLoaded = 256
	// maxScopes bounds the active contexts kept, each some tens of kilobytes. Which ones arise is up to the types and
	// context lists of documents, so strangers could make many; then all are dropped and made anew.
	maxScopes = 1_000
)

// contexts compiles lists of contexts and keeps the results.
type contexts struct {
	loader DocumentLoader

	mu       sync.RWMutex // guards the maps; held for look-up and insertion, never while compiling
	loaded   map[string]loaded
	compiled map[string]*compiled
	scopes   atomic.Int64 // made since the maps were last emptied

	walkers sync.Pool // of *walker, kept for their memory
}

// loaded is a context document and the digest of its bytes, by which lists are told apart: the same bytes at many
// addresses are compiled once.
type loaded struct {
	doc    any
	digest string
}

// compiled is a list of contexts made ready. It is shared and never written to, but for the scopes it remembers.
type compiled struct {
	root     *scope
	literals map[string]bool // terms whose values are JSON literals
	aliases  bool            // a term other than id and type stands for a keyword
}

func newContexts(loader DocumentLoader) *contexts {
	return &contexts{loader: loader, loaded: map[string]loaded{}, compiled: map[string]*compiled{}}
}

// LoadDocument makes contexts json-gold's loader. What it hands out is shared: json-gold writes into a context only to
// merge an @import, and load refuses those.
func (c *contexts) LoadDocument(address string) (*ld.RemoteDocument, error) {
	l, err := c.load(address)
	if err != nil {
		return nil, err
	}
	return &ld.RemoteDocument{DocumentURL: address, Document: l.doc}, nil
}

func (c *contexts) load(address string) (loaded, error) {
	c.mu.RLock()
	l, ok := c.loaded[address]
	c.mu.RUnlock()
	if ok {
		return l, nil
	}
	data, err := c.loader.Document(address)
	if err != nil {
		return loaded{}, fmt.Errorf("%w: %w", ErrContext, err)
	}
	// json-gold wants @version as float64, so this is not the strict parser; the loader's bytes are pinned.
	if err := json.Unmarshal(data, &l.doc); err != nil {
		return loaded{}, fmt.Errorf("%w: %s: %w", ErrContext, address, err)
	}
	if imports(l.doc) {
		return loaded{}, fmt.Errorf("%w: %s imports another context", ErrContext, address)
	}
	keepContainers(l.doc)
	sum := sha256.Sum256(data)
	l.digest = string(sum[:])
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.loaded) >= maxLoaded {
		clear(c.loaded)
	}
	c.loaded[address] = l
	return l, nil
}

// keepContainers rewrites terms whose scoped context is null, such as verifiableCredential. JSON-LD takes a term's container
// from the context outside (JSON-LD 1.1 API, 5.1.2, 13.5); json-gold looks for it inside, where nothing is defined any
// more, and would put embedded credentials into the graph of the presentation. So the term, with its container alone, is
// defined again inside.
func keepContainers(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			keepContainers(item)
		}
	case map[string]any:
		for name, item := range v {
			keepContainers(item)
			m, ok := item.(map[string]any)
			if !ok || m["@container"] == nil {
				continue
			}
			if scoped, ok := m["@context"]; ok && scoped == nil {
				m["@context"] = []any{nil, map[string]any{name: map[string]any{"@id": m["@id"], "@container": m["@container"]}}}
			}
		}
	}
}

func imports(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if imports(item) {
				return true
			}
		}
	case map[string]any:
		if _, ok := v["@import"]; ok {
			return true
		}
		for _, item := range v {
			if imports(item) {
				return true
			}
		}
	}
	return false
}

// options are json-gold's: safe mode, no base, no address from outside our loader.
func (c *contexts) options() *ld.JsonLdOptions {
	o := ld.NewJsonLdOptions("")
	o.DocumentLoader = c
	o.SafeMode = true
	return o
}

// compile returns a list of addresses made ready.
func (c *contexts) compile(list []string) (*compiled, error) {
	docs := make([]loaded, len(list))
	key := make([]byte, 0, 160)
	for i, address := range list {
		var err error
		if docs[i], err = c.load(address); err != nil {
			return nil, err
		}
		key = append(key, docs[i].digest...)
	}
	c.mu.RLock()
	found := c.compiled[string(key)]
	c.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	local := make([]any, len(list))
	made := &compiled{literals: map[string]bool{}}
	for i, address := range list {
		local[i] = address
		findLiterals(docs[i].doc, made.literals)
		made.aliases = made.aliases || hasAliases(docs[i].doc)
	}
	active, err := ld.NewContext(nil, c.options()).Parse(local)
	if err != nil {
		return nil, contextError(err)
	}
	made.root = &scope{active: active}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count()
	c.compiled[string(key)] = made
	return made, nil
}

// count notes that a scope was made and, when there are too many, forgets them all. mu must be held.
func (c *contexts) count() {
	if c.scopes.Add(1) > maxScopes {
		clear(c.compiled)
		c.scopes.Store(1)
	}
}

// findLiterals collects the terms that doc defines with @type @json anywhere.
func findLiterals(v any, into map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			findLiterals(item, into)
		}
	case map[string]any:
		for name, item := range v {
			if m, ok := item.(map[string]any); ok && m["@type"] == "@json" {
				into[name] = true
			}
			findLiterals(item, into)
		}
	}
}

// hasAliases tells whether doc lets a term other than id and type stand for a keyword.
func hasAliases(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if hasAliases(item) {
				return true
			}
		}
	case map[string]any:
		for name, item := range v {
			id, _ := item.(string)
			if m, ok := item.(map[string]any); ok {
				id, _ = m["@id"].(string)
			}
			if strings.HasPrefix(id, "@") && name != "id" && name != "type" && !strings.HasPrefix(name, "@") || hasAliases(item) {
				return true
			}
		}
	}
	return false
}

func contextError(err error) error {
	if errors.Is(err, ErrContext) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrContext, err)
}

// list reads the @context of a credential or presentation under p: an array of addresses, the base context first, none
// twice (security rule R4). Inline contexts and null are refused. Enveloped credentials inside a presentation may have
// the base context alone, as a string.
func (p Policy) list(v any, envelopedInside bool) ([]string, error) {
	if s, ok := v.(string); ok && envelopedInside {
		v = []any{s}
	}
	items, ok := v.([]any)
	if !ok || len(items) == 0 {
		return nil, fmt.Errorf("%w: @context is no array of addresses", ErrContext)
	}
	list := make([]string, len(items))
	for i, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("%w: @context item %d is no address", ErrContext, i)
		}
		for _, earlier := range list[:i] {
			if earlier == s {
				return nil, fmt.Errorf("%w: %.200q stands twice", ErrContext, s)
			}
		}
		list[i] = s
	}
	if list[0] != ContextV2 && (list[0] != ContextV1 || !p.Legacy) {
		return nil, fmt.Errorf("%w: first is %.200q, not the base context", ErrContext, list[0])
	}
	for _, s := range list[1:] {
		if s == ContextV1 || s == ContextV2 {
			return nil, fmt.Errorf("%w: two base contexts", ErrContext)
		}
	}
	return list, nil
}
