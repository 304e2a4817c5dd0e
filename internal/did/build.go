package did

// PublishedMethod is a key that an installation lists in the DID document of itself or of a tenant.
type PublishedMethod struct {
	ID                 string         // absolute DID URL
	PublicKeyMultibase string         // gives a Multikey
	PublicKeyJWK       map[string]any // gives a JsonWebKey; exactly one of the two is set
	Purposes           []string       // relationships the key is listed under
}

// BuildDocument returns the DID document for id as values of the strict JSON parser (DID Core 1.0, 5; Controlled
// Identifiers 1.0, 2.2): methods in the order given, relationships only where a method has them.
func BuildDocument(id string, methods []PublishedMethod) map[string]any {
	contexts := []any{"https://www.w3.org/ns/did/v1"}
	list := make([]any, 0, len(methods))
	uses := map[string][]any{}
	multikey, jwk := false, false
	for _, m := range methods {
		entry := map[string]any{"id": m.ID, "controller": id}
		if m.PublicKeyJWK != nil {
			entry["type"], entry["publicKeyJwk"] = "JsonWebKey", m.PublicKeyJWK
			jwk = true
		} else {
			entry["type"], entry["publicKeyMultibase"] = "Multikey", m.PublicKeyMultibase
			multikey = true
		}
		list = append(list, entry)
		for _, purpose := range m.Purposes {
			uses[purpose] = append(uses[purpose], m.ID)
		}
	}
	if multikey {
		contexts = append(contexts, "https://w3id.org/security/multikey/v1")
	}
	if jwk {
		contexts = append(contexts, "https://w3id.org/security/jwk/v1")
	}
	doc := map[string]any{"@context": contexts, "id": id}
	if len(list) > 0 {
		doc["verificationMethod"] = list
	}
	for purpose, ids := range uses {
		doc[purpose] = ids
	}
	return doc
}
