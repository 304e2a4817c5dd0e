package trust

import "time"

// ArtefactKind is a kind of artefact: the first step of its address.
type ArtefactKind string

// The kinds.
const (
	KindSchemas      ArtefactKind = "schemas"
	KindContexts     ArtefactKind = "contexts"
	KindAchievements ArtefactKind = "achievements"
	KindTypes        ArtefactKind = "vct"
	KindFrameworks   ArtefactKind = "frameworks"
)

// ArtefactKinds returns all kinds.
func ArtefactKinds() []ArtefactKind {
	return []ArtefactKind{KindSchemas, KindContexts, KindAchievements, KindTypes, KindFrameworks}
}

// Artefact is a published document. Its address is the origin, the kind and the name; its bytes never change.
type Artefact struct {
	Kind      ArtefactKind `json:"kind"`
	Name      string       `json:"name"`
	MediaType string       `json:"mediaType"`
	// Data is left out of lists. A snapshot carries that of schemas, which verifying needs.
	Data []byte `json:"data,omitempty"`
	Size int    `json:"size"`
	// SHA256 is in hex; SRI is the Subresource Integrity digest, "sha384-" and base64.
	SHA256    string    `json:"sha256"`
	SRI       string    `json:"digestSRI"`
	Published time.Time `json:"published"`
	Leaf      string    `json:"leaf,omitempty"`
	Log       *uint64   `json:"logIndex,omitempty"`
}
