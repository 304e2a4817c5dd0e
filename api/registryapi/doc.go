// Package registryapi serves the public registry over HTTP: DID documents, schemas, contexts, achievements, status lists
// and the transparency log at the addresses that credentials name; plain reads below /registry/v1; and the ToIP Trust
// Registry Query Protocol 2.0 (HTTPS binding) below /trqp. Everything here is readable by anyone and by any cache, and
// nothing is written. Nothing can be looked up by a credential or a holder.
package registryapi
