package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
)

// KeyPrefix begins every API key, so that a leaked one can be found by scanners.
const KeyPrefix = "hm_"

// keyForm is the form of an API key: the prefix and at least 128 bits in base64url or hex.
var keyForm = regexp.MustCompile(`^hm_[A-Za-z0-9_-]{22,128}$`)

// Key is one API key as it is kept: never the key itself.
type Key struct {
	// ID names the key in logs and audit records.
	ID string
	// Hash is the SHA-256 of the whole key, prefix included.
	Hash   [sha256.Size]byte
	Tenant string
	Scopes []edge.Scope
	// PerSecond is how many requests a second the key may make, over time; 0 is the class's own allowance.
	PerSecond float64
	// ExpiresAt is when the key ends, zero for one that does not. Find gives no key that has ended.
	ExpiresAt time.Time
}

// Keys finds the caller that an API key stands for.
type Keys interface {
	// Find returns the key with this hash, or problem.ErrUnauthenticated. It is asked for each request, so that a right that
	// is taken away, or a key whose time is over, ends at once.
	Find(ctx context.Context, hash [sha256.Size]byte) (Key, error)
}

// HashKey returns the hash under which an API key is kept, and an error for what has not the form of one.
func HashKey(key string) ([sha256.Size]byte, error) {
	if !keyForm.MatchString(key) {
		return [sha256.Size]byte{}, errors.New("an API key is " + KeyPrefix + " and at least 22 characters of base64url")
	}
	return sha256.Sum256([]byte(key)), nil
}

// KeyList is a fixed set of keys.
type KeyList []Key

// Validate reports all faults of the list at once.
func (l KeyList) Validate() error {
	var faults []error
	seen := map[string]bool{}
	for _, k := range l {
		name := k.ID + " " + hex.EncodeToString(k.Hash[:4])
		if k.ID == "" || k.Tenant == "" || k.Hash == [sha256.Size]byte{} {
			faults = append(faults, fmt.Errorf("key %s: id, tenant and hash are needed", name))
		}
		if seen[k.ID] || seen[hex.EncodeToString(k.Hash[:])] {
			faults = append(faults, fmt.Errorf("key %s stands twice", name))
		}
		seen[k.ID], seen[hex.EncodeToString(k.Hash[:])] = true, true
		for _, s := range k.Scopes {
			if !slices.Contains(edge.Scopes(), s) {
				faults = append(faults, fmt.Errorf("key %s: scope %q is none of %v", name, s, edge.Scopes()))
			}
		}
	}
	return errors.Join(faults...)
}

// Find compares hash with every key in constant time, so that the time tells nothing about which one was near.
func (l KeyList) Find(_ context.Context, hash [sha256.Size]byte) (Key, error) {
	found := -1
	for i := range l {
		if subtle.ConstantTimeCompare(l[i].Hash[:], hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return Key{}, problem.ErrUnauthenticated
	}
	return l[found], nil
}

// caller returns who calls by the API key in the Authorization header; ok is false where there is no such header.
func (s *server) caller(r *http.Request) (c edge.Caller, ok bool, err error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return edge.Caller{}, false, nil
	}
	scheme, key, _ := strings.Cut(values[0], " ")
	hash, err := HashKey(key)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || err != nil {
		return edge.Caller{}, true, problem.ErrUnauthenticated
	}
	k, err := s.c.Keys.Find(r.Context(), hash)
	if err != nil {
		return edge.Caller{}, true, fmt.Errorf("API key: %w", err)
	}
	// The tenant comes from the key and from nowhere else.
	return edge.Caller{KeyID: k.ID, Tenant: k.Tenant, Scopes: k.Scopes, PerSecond: k.PerSecond, ExpiresAt: k.ExpiresAt}, true, nil
}
