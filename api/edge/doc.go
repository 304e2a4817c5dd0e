// Package edge holds what all handlers of the HTTP edge share: who calls (the tenant that an API key names), in which
// language the caller reads, strict reading of bodies, forms and queries (security rule R1), and answers that caches may
// keep (RFC 9110, 13.1.2; RFC 9111). It decides nothing: routes, limits and rights stand in package api.
package edge
