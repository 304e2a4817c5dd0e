package sdjwt

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// saltBytes is the length of a salt before it is encoded: 128 bits (RFC 9901, 9.3).
const saltBytes = 16

// Options say how claims become an SD-JWT.
type Options struct {
	// Header is the protected header, without alg.
	Header map[string]any
	// Disclosable are the JSON Pointers (RFC 6901) of the members and array elements that can be withheld, "/address" or
	// "/address/locality" or "/nationalities/0". One inside another is a recursive disclosure.
	Disclosable []string
	// Pad says, for objects and arrays by their JSON Pointer ("" is the whole), how many digests they show at least. Decoys
	// fill what is missing, so that the number tells nothing (RFC 9901, 4.2.5).
	Pad map[string]int
	// Hash is the digest algorithm; empty means SHA256.
	Hash Hash
}

// Issue signs claims as an SD-JWT with all its disclosures and returns the compact form, which Parse takes. Salts and
// decoys are fresh from the system's generator, digests stand in an order that tells nothing, and the disclosures of one
// object follow one another by name. It returns ErrPointer for a pointer that names nothing in claims, and ErrDisclosure
// for claims with a reserved name.
func Issue(claims map[string]any, o Options, signer crypto.Signer) (string, error) {
	if o.Hash == "" {
		o.Hash = SHA256
	}
	if !o.Hash.known() {
		return "", fmt.Errorf("%q: %w", o.Hash, ErrHash)
	}
	plain, err := normalise(claims)
	if err != nil {
		return "", err
	}
	b := &builder{hash: o.Hash, disclosable: map[string]bool{}, pad: maps.Clone(o.Pad)}
	for _, p := range o.Disclosable {
		b.disclosable[p] = true
	}
	payload, err := b.object(plain)
	if err != nil {
		return "", err
	}
	if err := b.finished(); err != nil {
		return "", err
	}
	payload[nameAlgorithm] = string(o.Hash)
	raw, err := schemas.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("payload: %w", err)
	}
	signed, err := jose.Sign(o.Header, raw, signer)
	if err != nil {
		return "", err
	}
	compact := strings.Join(append([]string{signed}, b.disclosures...), "~") + "~"
	// What cannot be read back strictly is not given out.
	if _, err := Parse(compact); err != nil {
		return "", fmt.Errorf("issued token: %w", err)
	}
	return compact, nil
}

// normalise brings claims into the forms of schemas.ParseJSON.
func normalise(claims map[string]any) (map[string]any, error) {
	raw, err := schemas.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	plain, err := schemas.ParseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	return plain, nil
}

// builder replaces what can be withheld by digests. What was asked for is deleted from disclosable and pad as it is done.
type builder struct {
	hash        Hash
	disclosable map[string]bool
	pad         map[string]int
	path        []string
	disclosures []string
}

// finished reports a pointer that named nothing: a claim that was to be withheld must not go out in clear unnoticed.
func (b *builder) finished() error {
	for p := range b.disclosable {
		return fmt.Errorf("disclosable %q: %w", p, ErrPointer)
	}
	for p := range b.pad {
		return fmt.Errorf("pad %q: %w", p, ErrPointer)
	}
	return nil
}

func (b *builder) value(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return b.object(v)
	case []any:
		return b.array(v)
	}
	return v, nil
}

func (b *builder) object(m map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(m)+1)
	var digests []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if reserved(name) {
			return nil, fmt.Errorf("%s: name %q is reserved: %w", pointer(b.path), name, ErrDisclosure)
		}
		v, digest, err := b.member(name, &name, m[name])
		switch {
		case err != nil:
			return nil, err
		case digest != "":
			digests = append(digests, digest)
		default:
			out[name] = v
		}
	}
	digests = append(digests, b.decoys(len(digests))...)
	if len(digests) > 0 {
		slices.Sort(digests) // digests are random, so is this order (4.2.4.1)
		out[nameDigests] = digests
	}
	return out, nil
}

func (b *builder) array(items []any) ([]any, error) {
	out := make([]any, 0, len(items))
	hidden := 0
	for i, item := range items {
		v, digest, err := b.member(strconv.Itoa(i), nil, item)
		if err != nil {
			return nil, err
		}
		if digest != "" {
			hidden++
			v = map[string]any{namePlaceholder: digest}
		}
		out = append(out, v)
	}
	for _, decoy := range b.decoys(hidden) {
		out = append(out, map[string]any{namePlaceholder: decoy})
	}
	return out, nil
}

// member returns the value at a step, or the digest of the disclosure that it became.
func (b *builder) member(step string, name *string, v any) (out any, digest string, err error) {
	b.path = append(b.path, step)
	defer func() { b.path = b.path[:len(b.path)-1] }()
	at := pointer(b.path)
	hide := b.disclosable[at]
	delete(b.disclosable, at)
	if out, err = b.value(v); err != nil || !hide {
		return out, "", err
	}
	encoded, err := encodeDisclosure(random(saltBytes), name, out)
	if err != nil {
		return nil, "", err
	}
	b.disclosures = append(b.disclosures, encoded)
	return nil, b.hash.digest(encoded), nil
}

// decoys returns the digests that are missing here, each of a secret that nobody keeps.
func (b *builder) decoys(have int) []string {
	at := pointer(b.path)
	missing := b.pad[at] - have
	delete(b.pad, at)
	var out []string
	for range missing {
		out = append(out, b.hash.digest(random(2*saltBytes)))
	}
	return out
}

// random returns n random bytes in base64url.
func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails: the runtime ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw)
}
