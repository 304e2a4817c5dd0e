package api

import (
	"time"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// Access says who may call a route.
type Access string

// The kinds of access.
const (
	Public      Access = "public"       // anyone
	WithKey     Access = "key"          // an API key with the route's scope
	OptionalKey Access = "optional key" // anyone; a key with the scope raises the rate limit
	WithToken   Access = "access token" // a wallet's token, which the issuance states check
)

// Cache says what caches may do with an answer that is not an error.
type Cache string

// The cache rules.
const (
	NoStore Cache = "no-store" // personal, secret or of the moment
	Shared  Cache = "shared"   // public, with ETag and max-age set by the handler
	Private Cache = "private"  // a page: kept by the reader's browser and asked for again
)

// Dialect says how a route speaks of errors.
type Dialect string

// The dialects.
const (
	Problems Dialect = "problem" // RFC 9457
	OAuth    Dialect = "oauth"   // RFC 6749, 5.2
	Pages    Dialect = "page"    // HTML for people
)

// Route is one line of the table.
type Route struct {
	Method, Path string
	// Body is the longest body in bytes; 0 means that a body is not read.
	Body int64
	// Time bounds the work on one request.
	Time    time.Duration
	Access  Access
	Scope   edge.Scope
	Cache   Cache
	Dialect Dialect
	// CORS lets scripts of any origin read the answer, without credentials.
	CORS bool
	Rate RateClass
	// Replay keeps the answer under the request's Idempotency-Key. Routes whose part does that durably do without.
	Replay  bool
	handler echo.HandlerFunc
}
