package schemas

import (
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
)

//go:embed jsonschema/dei-v1.json
var deiSchemaV1 []byte

// deiSchemaV1SRI is the digest of deiSchemaV1; a test recomputes it. Every credential out there repeats it.
const deiSchemaV1SRI = "sha384-fUplCFvxT0R4cq4zHhUUuB6/yPcDIXcVUyNs9kZZq0ztq9kVKjd2/iaRmMGjzpeU"

// DEISchemaV1 returns the JSON Schema of DEI credentials: the same bytes on every installation. Its $id is a name under
// w3id.org and is never fetched; each installation serves the bytes at SchemaDEIPath.
func DEISchemaV1() []byte { return append([]byte(nil), deiSchemaV1...) }

// SchemaDigestSRI returns the Subresource Integrity digest ("sha384-" and base64) of the schema with the given name,
// such as SchemaDEI, and "" for a name that is not ours.
func SchemaDigestSRI(name string) string {
	if name != SchemaDEI {
		return ""
	}
	return deiSchemaV1SRI
}

// DigestSRI returns the Subresource Integrity digest of data: "sha384-" and standard base64.
func DigestSRI(data []byte) string {
	sum := sha512.Sum384(data)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}
