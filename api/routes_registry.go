package api

import (
	"net/http"

	"heartmark/api/edge"
	"heartmark/registry"

	"github.com/labstack/echo/v4"
)

// registryWrites change the registry: keys with the scope registry:write alone.
func (s *server) registryWrites() []Route {
	write := func(method, path string, body int64, h echo.HandlerFunc) Route {
		return keyed(method, "/registry/v1"+path, edge.ScopeRegistryWrite, body, h)
	}
	const post, put = http.MethodPost, http.MethodPut
	grant := write(post, "/authorities", bodySmall, s.registering.Grant)
	grant.Replay = true
	routes := []Route{
		write(post, "/challenges", bodySmall, s.registering.Challenge),
		grant,
		write(post, "/authorities/:id/status", bodySmall, s.registering.SetAuthorityStatus),
		write(post, "/issuers/:did/deactivate", bodySmall, s.registering.Deactivate),
	}
	for kind, path := range map[registry.Kind]string{
		registry.KindSchemas: "/schemas/*", registry.KindContexts: "/contexts/*", registry.KindAchievements: "/achievements/*",
		registry.KindTypes: "/types/*", registry.KindFrameworks: "/frameworks/*",
	} {
		routes = append(routes, write(put, path, bodyArtefact, s.registering.Publish(kind)))
	}
	return append(routes, s.federationRoutes()...)
}

// bodyArtefact is the longest document that is published.
const bodyArtefact = 256 * kib

// federationRoutes are OpenID Federation 1.0. The configuration of an issuer stands below its identifier (9).
func (s *server) federationRoutes() []Route {
	get := func(path string, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodGet, Path: path, Time: normal, Access: Public, Cache: Shared, Dialect: OAuth, CORS: true,
			Rate: RateReads, handler: h,
		}
	}
	return []Route{
		get("/.well-known/openid-federation", s.registering.EntityConfiguration),
		get("/oid4vci/:issuer/.well-known/openid-federation", s.registering.EntityConfiguration),
		get("/registry/v1/federation/fetch", s.registering.FederationFetch),
		get("/registry/v1/federation/list", s.registering.FederationList),
		get("/registry/v1/federation/resolve", s.registering.FederationResolve),
		{
			Method: http.MethodPost, Path: "/registry/v1/federation/trust-mark-status", Body: bodySmall, Time: quick, Access: Public,
			Cache: NoStore, Dialect: OAuth, CORS: true, Rate: RateReads, handler: s.registering.TrustMarkStatus,
		},
	}
}
