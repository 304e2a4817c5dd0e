package did

import "heartmark/schemas"

// JSON returns the document as JSON: the bytes as they came, or for a DID that is its own document what follows from it.
func (d Document) JSON() ([]byte, error) {
	if len(d.Raw) > 0 {
		return d.Raw, nil
	}
	return schemas.Marshal(reduce(d))
}
