package edge

import (
	"context"
	"slices"
	"time"

	"heartmark/api/problem"
)

// Scope is one right of an API key.
type Scope string

// The scopes.
const (
	ScopeIssue         Scope = "issue"          // credentials, offers, status changes
	ScopeAssess        Scope = "assess"         // submit evidence, read status and levels
	ScopeConsent       Scope = "consent"        // give, read and withdraw consent receipts
	ScopeSubjects      Scope = "subjects"       // rights of subjects: export, erase, restrict, correct
	ScopeReview        Scope = "review"         // read, take and decide cases, as the reviewer that the key belongs to
	ScopeReviewAdmin   Scope = "review:admin"   // appoint reviewers, read labelled passages
	ScopeOperate       Scope = "operate"        // stop scoring, for the whole installation
	ScopeRegistryWrite Scope = "registry:write" // authorities, schemas, keys
	ScopeEvents        Scope = "events"         // webhooks of the tenant
	ScopeVerify        Scope = "verify"         // raised limits on verification
	ScopePolicies      Scope = "policies"       // the tenant's own verification policies
	ScopeKeys          Scope = "keys"           // the tenant's own API keys
)

// Scopes returns every scope.
func Scopes() []Scope {
	return []Scope{
		ScopeIssue, ScopeAssess, ScopeConsent, ScopeSubjects, ScopeReview, ScopeReviewAdmin, ScopeOperate, ScopeRegistryWrite, ScopeEvents, ScopeVerify,
		ScopePolicies, ScopeKeys,
	}
}

// Caller is whom an API key stands for.
type Caller struct {
	// KeyID names the key in logs and audit records; it is no secret.
	KeyID string
	// Tenant is the only tenant whose objects the caller reaches.
	Tenant string
	Scopes []Scope
	// PerSecond is the key's own rate limit, 0 for the default.
	PerSecond float64
	// ExpiresAt is when the key ends, zero for one that does not.
	ExpiresAt time.Time
}

// KeyPerSecond is how many requests a second a key without a limit of its own may make of the REST interface.
const KeyPerSecond = 50

// Has reports whether the caller may do what s stands for.
func (c Caller) Has(s Scope) bool { return slices.Contains(c.Scopes, s) }

type callerKey struct{}

// WithCaller returns a context that carries c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller that the router has let in, and problem.ErrUnauthenticated where there is none.
func CallerOf(ctx context.Context) (Caller, error) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	if !ok || c.Tenant == "" {
		return Caller{}, problem.ErrUnauthenticated
	}
	return c, nil
}
