package sdjwt_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"heartmark/internal/proof/sdjwt"
)

// An issuer signs claims of which two can be withheld; the holder shows one of them; the verifier sees that one alone.
func Example() {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	held, err := sdjwt.Issue(
		map[string]any{"iss": "https://issuer.example", "level": "3", "confidence": "0.93"},
		sdjwt.Options{Disclosable: []string{"/level", "/confidence"}}, private,
	)
	if err != nil {
		panic(err)
	}
	token, err := sdjwt.Parse(held)
	if err != nil {
		panic(err)
	}
	shown, err := token.Present("/level")
	if err != nil {
		panic(err)
	}
	seen, err := sdjwt.Parse(shown)
	if err != nil {
		panic(err)
	}
	fmt.Println(seen.Verify(public), seen.Claims)
	// Output: <nil> map[iss:https://issuer.example level:3]
}
