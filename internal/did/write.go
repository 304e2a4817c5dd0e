package did

import (
	"slices"

	"heartmark/internal/keys"
	"heartmark/schemas"
)

// JSON returns the document as JSON: the bytes as they came, or for a DID that is its own document what follows from it.
func (d Document) JSON() ([]byte, error) {
	if len(d.Raw) > 0 {
		return d.Raw, nil
	}
	return schemas.Marshal(reduce(d))
}

// reduce writes a document anew with what our reader understood: the id, methods with a key, and the relationships that
// name them. What aries reads then has no context, base or service in it that could give a name another meaning.
func reduce(d Document) map[string]any {
	methods := make([]PublishedMethod, 0, len(d.Methods))
	for _, m := range d.Methods {
		p := PublishedMethod{ID: m.ID}
		if text, err := keys.Multibase(m.Key); err == nil {
			p.PublicKeyMultibase = text
		}
		for _, purpose := range relationships() {
			if slices.Contains(d.uses[purpose], m.ID) {
				p.Purposes = append(p.Purposes, purpose)
			}
		}
		methods = append(methods, p)
	}
	return BuildDocument(d.ID, methods)
}
