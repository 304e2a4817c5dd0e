// Package context is the only JSON-LD document loader of the program (JSON-LD 1.1 API, 9.4): a fixed set of contexts,
// embedded, checked by digest when a Loader is made, and never fetched. Start at New and Loader.Document.
//
// The contexts come from published packages; table.go names package, version, licence and digest of each, NOTICE.md
// says it for readers. The project's own contexts, dei-v1.jsonld and registry-v1.jsonld, are answered for the paths /contexts/dei/v1
// and /contexts/registry/v1 of any origin, so that a credential of another installation needs no fetch (its bytes are the same everywhere).
package context
