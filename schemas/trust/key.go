package trust

import (
	"slices"
	"strings"
	"time"
)

// Status of a key.
const (
	KeyActive  = "active"
	KeyRetired = "retired" // signs no more; what it signed stands
	KeyRevoked = "revoked" // no longer trustworthy
)

// Kinds of keys that a registry records. They are never shared.
const (
	KindCredential = "credential"
	KindStatusList = "status_list"
	KindRequest    = "request_object"
	KindMetadata   = "metadata"
	KindStatement  = "statement"
	KindSnapshot   = "snapshot"
	KindLog        = "log"
)

// Key is one version of the statement about a key.
type Key struct {
	DID     string `json:"did"`
	Method  string `json:"method"`
	Version uint64 `json:"version"`
	// Kind is what the key signs; PublicKeyMultibase its Multikey form.
	Kind               string `json:"kind"`
	PublicKeyMultibase string `json:"publicKeyMultibase"`
	// From is inclusive; Until, exclusive, is the planned end, zero for none.
	From   time.Time `json:"from"`
	Until  time.Time `json:"until,omitzero"`
	Status string    `json:"status"`
	// Since is when Status took effect.
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason,omitempty"`
	Recorded time.Time `json:"recorded"`
	Leaf     string    `json:"leaf,omitempty"`
}

// KeyInterval is the time in which a key could sign for its DID.
type KeyInterval struct {
	DID                string
	Method             string
	Kind               string
	PublicKeyMultibase string
	From               time.Time // inclusive
	Until              time.Time // exclusive; zero while the key is in use
	// Revoked is when the key stopped to be trustworthy, zero if it did not, and Reason why.
	Revoked time.Time
	Reason  string
	// LogIndex is the place of the newest statement in the log, nil while it is on its way.
	LogIndex *uint64
}

// JWKMethod returns the DID URL under which a key that stands in a document as a Multikey, under method, stands there as a
// JsonWebKey too: tokens name this one (VC-JOSE-COSE 1.0, 4), proofs the other.
func JWKMethod(method string) string { return method + "-jwk" }

// CurrentKeys returns the newest version of each key, in the order in which the keys begin.
func CurrentKeys(all []Key) []Key {
	newest := map[string]Key{}
	for _, k := range all {
		if old, ok := newest[k.Method]; !ok || k.Version > old.Version {
			newest[k.Method] = k
		}
	}
	out := make([]Key, 0, len(newest))
	for _, k := range newest {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Key) int {
		if c := a.From.Compare(b.From); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	return out
}

// Interval returns the time in which the key could sign.
func (k Key) Interval() KeyInterval {
	i := KeyInterval{
		DID: k.DID, Method: k.Method, Kind: k.Kind, PublicKeyMultibase: k.PublicKeyMultibase, From: k.From, Until: k.Until,
	}
	if k.Status != KeyActive && (i.Until.IsZero() || k.Since.Before(i.Until)) {
		i.Until = k.Since
	}
	if k.Status == KeyRevoked {
		i.Revoked, i.Reason = k.Since, k.Reason
	}
	return i
}

// Covers reports whether the interval holds at; the zero time asks for any.
func (i KeyInterval) Covers(at time.Time) bool {
	return at.IsZero() || !at.Before(i.From) && (i.Until.IsZero() || at.Before(i.Until))
}
