package dataintegrity

import (
	"crypto/ed25519"
	"sync"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// maxExpanded bounds the keys kept in expanded form, 1.3 kB each.
const maxExpanded = 512

// expandedKeys checks Ed25519 signatures by keys that have verified before with tables made for them, at two thirds of the
// standard library's price. The options make curve25519-voi ask what the standard library asks: S canonical, R compared
// byte by byte, no cofactor. A key's first signature, and whatever the tables do not confirm, the standard library decides.
// No verdict is kept. Any number of goroutines may use it.
type expandedKeys struct {
	mu   sync.RWMutex // guards keys; never held while computing
	keys map[[ed25519.PublicKeySize]byte]*voi.ExpandedPublicKey
}

func newExpandedKeys() *expandedKeys {
	return &expandedKeys{keys: map[[ed25519.PublicKeySize]byte]*voi.ExpandedPublicKey{}}
}

// verify reports what ed25519.Verify reports. A nil receiver is the standard library alone.
func (e *expandedKeys) verify(key ed25519.PublicKey, data, signature []byte) bool {
	if len(key) != ed25519.PublicKeySize {
		return false
	}
	if e == nil {
		return ed25519.Verify(key, data, signature)
	}
	id := [ed25519.PublicKeySize]byte(key)
	e.mu.RLock()
	expanded := e.keys[id]
	e.mu.RUnlock()
	if expanded != nil && confirms(expanded, data, signature) {
		return true
	}
	if !ed25519.Verify(key, data, signature) {
		return false
	}
	if expanded == nil { // only keys that have signed something, so that strangers cannot fill the memory for nothing
		e.remember(id)
	}
	return true
}

// confirms reports whether signature, of any length, verifies by the tables of key.
func confirms(key *voi.ExpandedPublicKey, data, signature []byte) bool {
	return voi.VerifyExpandedWithOptions(key, data, signature, &voi.Options{Verify: voi.VerifyOptionsStdLib})
}

func (e *expandedKeys) remember(id [ed25519.PublicKeySize]byte) {
	expanded, err := voi.NewExpandedPublicKey(voi.PublicKey(id[:]))
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.keys) >= maxExpanded {
		for other := range e.keys { // any one of them: the map's order is random
			delete(e.keys, other)
			break
		}
	}
	e.keys[id] = expanded
}
