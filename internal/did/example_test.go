package did_test

import (
	"fmt"

	"heartmark/internal/did"
)

func ExampleWebURL() {
	u, err := did.WebURL("did:web:registry.example:acme", nil)
	fmt.Println(u, err)
	_, err = did.WebURL("did:web:registry.example:..:acme", nil)
	fmt.Println(err)
	// Output:
	// https://registry.example/acme/did.json <nil>
	// did:web path segment is malformed: invalid DID or DID document
}

func ExampleFromOrigin() {
	fmt.Println(did.FromOrigin("http://localhost:8080", "acme"))
	// Output: did:web:localhost%3A8080:acme
}
