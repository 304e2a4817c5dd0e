package schemas

import (
	"errors"
	"regexp"
	"slices"
	"time"
)

// ErrTenantName is returned for a name that no tenant may have.
var ErrTenantName = errors.New("tenant name must be 2 to 32 lower-case letters, digits or single hyphens, begin with a letter, and be no path of the installation")

// Tenant is an organisation on this installation. Its ID is the last segment of its DID and of its addresses and never
// changes; Name and URL are public.
type Tenant struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Names     map[string]string `json:"names,omitempty"` // by language, where they differ from Name
	URL       string            `json:"url,omitempty"`
	Logo      string            `json:"logo,omitempty"` // address of a picture, https
	Disabled  bool              `json:"disabled,omitempty"`
	Evidence  EvidencePolicy    `json:"evidence,omitzero"`
	Review    ReviewPolicy      `json:"review,omitzero"`
	CreatedAt time.Time         `json:"created_at"`
}

// EvidencePolicy is what a tenant asks of the evidence that comes under its API keys.
type EvidencePolicy struct {
	// DID is the platform's own, whose keys may sign batches beside those of the tenant's DID here; "" for none.
	DID string `json:"did,omitempty"`
	// Signed refuses batches without a signature.
	Signed bool `json:"signed,omitempty"`
	// MaxQueued is how many batches may wait at once; 0 takes the default.
	MaxQueued int `json:"max_queued,omitempty"`
}

// ReviewPolicy says how people take part before a level is stated (security rule G9).
type ReviewPolicy struct {
	// Mode is ReviewBeforeIssue or ReviewOnRequest; "" reads ReviewOnRequest.
	Mode string `json:"mode,omitempty"`
	// SecondPercent is how many of a hundred decided cases get a second, independent reading, so that agreement can be measured.
	SecondPercent int `json:"second_percent,omitempty"`
}

// APIKey is a platform's key as stored: its digest, never itself. A revoked one stays, so that its id is not given again.
type APIKey struct {
	ID     string   `json:"id"`
	Tenant string   `json:"tenant"`
	Hash   string   `json:"hash"` // SHA-256 of the key, hex
	Scopes []string `json:"scopes"`
	// Name says what the key is for, in the operator's words.
	Name string `json:"name,omitempty"`
	// PerSecond is how many requests a second the key may make, over time; 0 is the installation's default.
	PerSecond float64   `json:"per_second,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt ends the key by itself; zero for one that lasts until it is revoked.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// LiveAt reports whether the key opens anything at an instant.
func (k APIKey) LiveAt(now time.Time) bool { return k.StateAt(now) == KeyActive }

// The states of an API key.
const (
	KeyActive  = "active"
	KeyExpired = "expired"
	KeyRevoked = "revoked"
)

// StateAt is the state of the key at an instant.
func (k APIKey) StateAt(now time.Time) string {
	switch {
	case !k.RevokedAt.IsZero():
		return KeyRevoked
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return KeyExpired
	}
	return KeyActive
}

var tenantName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// reservedPaths are first path segments of the HTTP surface; no tenant may take one (design section 9.25).
func reservedPaths() []string {
	return []string{
		"v1", "oid4vci", "oid4vp", "vc", "registry", "trqp", "status", "log", "contexts", "achievements", "schemas", "vct", "frameworks",
		"ims", "me", "practice", "verify", "admin", "static", "problems", "healthz", "readyz", "metrics", "assessment", "interactions", "docs", "login",
	}
}

// CheckTenantName returns ErrTenantName for a name that no tenant may have.
func CheckTenantName(id string) error {
	if len(id) < 2 || len(id) > 32 || !tenantName.MatchString(id) || slices.Contains(reservedPaths(), id) {
		return ErrTenantName
	}
	return nil
}
