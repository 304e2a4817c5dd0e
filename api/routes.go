package api

import (
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/registry"

	"github.com/labstack/echo/v4"
)

const (
	kib = 1 << 10
	mib = 1 << 20

	quick  = 5 * time.Second
	normal = 15 * time.Second
	long   = 5 * time.Minute
)

// Body limits by kind of request (security specification, section 3).
const (
	bodySmall        = 64 * kib
	bodyDefault      = mib
	bodyPresentation = 5 * mib
	bodyEvidence     = 16 * mib
)

// routes returns the whole table. What is not here is not served.
func (s *server) routes() []Route {
	table := s.pageRoutes()
	table = append(table, s.restRoutes()...)
	table = append(table, s.intakeRoutes()...)
	table = append(table, s.reviewRoutes()...)
	table = append(table, s.liveRoutes()...)
	table = append(table, s.walletRoutes()...)
	table = append(table, s.publicRoutes()...)
	table = append(table, s.registryRoutes()...)
	table = append(table, s.trainingRoutes()...)
	table = append(table, s.presentationRoutes()...)
	table = append(table, s.practiceRoutes()...)
	table = append(table, s.explorerRoutes()...)
	table = append(table, s.webhookRoutes()...)
	return withHead(table)
}

// withHead adds HEAD for whatever a cache may ask about.
func withHead(table []Route) []Route {
	out := make([]Route, 0, 2*len(table))
	for _, r := range table {
		out = append(out, r)
		if r.Method == http.MethodGet && (r.Cache == Shared || r.Cache == Private) {
			r.Method = http.MethodHead
			out = append(out, r)
		}
	}
	return out
}

// keyed is a route of the REST interface: for API keys with a scope.
func keyed(method, path string, scope edge.Scope, body int64, h echo.HandlerFunc) Route {
	return Route{
		Method: method, Path: path, Body: body, Time: normal, Access: WithKey, Scope: scope, Cache: NoStore, Dialect: Problems,
		Rate: RateKeys, handler: h,
	}
}

// pageRoute is a page that anybody may read.
func pageRoute(path string, h echo.HandlerFunc) Route {
	return Route{
		Method: http.MethodGet, Path: path, Time: quick, Access: Public, Cache: Private, Dialect: Pages, Rate: RatePages, handler: h,
	}
}

// pageRoutes are what people open.
func (s *server) pageRoutes() []Route {
	get := func(path string, cache Cache, h func(http.ResponseWriter, *http.Request) error) Route {
		return Route{
			Method: http.MethodGet, Path: path, Time: quick, Access: Public, Cache: cache, Dialect: Pages, Rate: RatePages,
			handler: func(c echo.Context) error { return h(c.Response(), c.Request()) },
		}
	}
	problemPage := get("/problems/:code", Private, nil)
	problemPage.handler = func(c echo.Context) error {
		return s.pages.Problem(c.Response(), c.Request(), edge.Param(c.Request(), c.Param("code")))
	}
	static := get("/static/:name", Shared, nil)
	static.handler = func(c echo.Context) error {
		return s.pages.Static(c.Response(), c.Request(), edge.Param(c.Request(), c.Param("name")))
	}
	post := Route{
		Method: http.MethodPost, Path: "/verify", Body: bodyPresentation + 64*kib, Time: normal, Access: Public, Cache: NoStore,
		Dialect: Pages, Rate: RateVerify,
		handler: func(c echo.Context) error { return s.pages.VerifyPost(c.Response(), c.Request()) },
	}
	// Credentials name this address as the one who assessed; the start page says what that means.
	assessor := get("/assessment", Private, nil)
	assessor.handler = func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/#how") }
	return []Route{
		get("/", Private, s.pages.Home),
		assessor,
		get("/verify", Private, s.pages.VerifyForm),
		post,
		get("/registry", Private, s.pages.Registry),
		get("/problems", Private, s.pages.Problems),
		problemPage,
		static,
	}
}

// restRoutes are the tenant's and the verifier's REST interface.
func (s *server) restRoutes() []Route {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	submit := keyed(post, "/v1/assessments", edge.ScopeAssess, bodyEvidence, s.assessments.Submit)
	submit.Time, submit.Replay = long, true
	// Not replayed: an answer that is kept would keep what a text says.
	classify := keyed(post, "/v1/classify", edge.ScopeAssess, bodyDefault, s.assessments.Classify)
	classify.Time = time.Minute
	offer := keyed(post, "/v1/offers", edge.ScopeIssue, bodySmall, s.issuing.CreateOffer)
	offer.Replay = true
	newKey := keyed(post, "/v1/keys", edge.ScopeKeys, bodySmall, s.keys.Create)
	newKey.Replay = true
	return []Route{
		newKey,
		keyed(get, "/v1/keys", edge.ScopeKeys, 0, s.keys.List),
		keyed(del, "/v1/keys/:id", edge.ScopeKeys, 0, s.keys.Revoke),
		submit,
		keyed(get, "/v1/assessments", edge.ScopeAssess, 0, s.assessments.List),
		keyed(get, "/v1/assessments/:id", edge.ScopeAssess, 0, s.assessments.Get),
		keyed(del, "/v1/assessments/:id", edge.ScopeAssess, 0, s.assessments.Erase),
		classify,
		keyed(get, "/v1/heads", edge.ScopeAssess, 0, s.assessments.ListHeads),
		keyed(post, "/v1/credentials", edge.ScopeIssue, bodyDefault, s.issuing.Issue),
		keyed(get, "/v1/credentials", edge.ScopeIssue, 0, s.issuing.List),
		keyed(get, "/v1/credentials/:id", edge.ScopeIssue, 0, s.issuing.Get),
		keyed(post, "/v1/credentials/:id/status", edge.ScopeIssue, bodySmall, s.issuing.SetStatus),
		keyed(get, "/v1/configurations", edge.ScopeIssue, 0, s.issuing.Configurations),
		offer,
		keyed(get, "/v1/offers/:id", edge.ScopeIssue, 0, s.issuing.Offer),
		keyed(del, "/v1/offers/:id", edge.ScopeIssue, 0, s.issuing.RevokeOffer),
		keyed(post, "/v1/offers/:id/release", edge.ScopeIssue, bodySmall, s.issuing.Release),
		{
			Method: post, Path: "/v1/verify", Body: bodyPresentation, Time: normal, Access: OptionalKey, Scope: edge.ScopeVerify,
			Cache: NoStore, Dialect: Problems, CORS: true, Rate: RateVerify, handler: s.verifying.Verify,
		},
	}
}

// publicRoutes are what credentials point to, and what operators and developers ask first.
func (s *server) publicRoutes() []Route {
	get := func(path string, rate RateClass, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodGet, Path: path, Time: quick, Access: Public, Cache: Shared, Dialect: Problems, CORS: true, Rate: rate,
			handler: h,
		}
	}
	health := func(path string, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodGet, Path: path, Time: quick, Access: Public, Cache: NoStore, Dialect: Problems, Rate: RateReads, handler: h,
		}
	}
	return []Route{
		health("/healthz", s.healthz),
		health("/readyz", s.readyz),
		get("/v1/openapi.json", RateReads, s.openAPI("application/json")),
		get("/v1/openapi.yaml", RateReads, s.openAPI("application/yaml")),
		get("/.well-known/did.json", RateStatus, s.registering.DIDDocument),
		get("/:tenant/did.json", RateStatus, s.registering.DIDDocument),
		get("/1.0/identifiers/*", RateReads, s.registering.Resolve),
		get("/schemas/*", RateStatus, s.registering.Artefact(registry.KindSchemas)),
		get("/contexts/*", RateStatus, s.registering.Artefact(registry.KindContexts)),
		get("/achievements/*", RateStatus, s.registering.Artefact(registry.KindAchievements)),
		get("/frameworks/*", RateStatus, s.registering.Artefact(registry.KindFrameworks)),
		get("/vct/*", RateStatus, s.registering.Artefact(registry.KindTypes)),
		get("/status/:group/:purpose", RateStatus, s.registering.StatusList),
		get("/log/checkpoint", RateStatus, s.registering.Checkpoint),
		get("/log/tile/*", RateStatus, s.registering.Tile),
		get("/log/inclusion", RateReads, s.registering.Inclusion),
		get("/log/consistency", RateReads, s.registering.Consistency),
	}
}

// registryRoutes are the plain reads and TRQP.
func (s *server) registryRoutes() []Route {
	get := func(path string, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodGet, Path: "/registry/v1" + path, Time: normal, Access: Public, Cache: Shared, Dialect: Problems,
			CORS: true, Rate: RateReads, handler: h,
		}
	}
	query := func(path string, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodPost, Path: "/trqp" + path, Body: bodySmall, Time: quick, Access: Public, Cache: NoStore, Dialect: Problems,
			CORS: true, Rate: RateReads, handler: h,
		}
	}
	events := get("/events", s.registering.EventList)
	events.Time = long // a stream ends then, and its reader comes back
	return append(s.registryWrites(), []Route{
		get("/metadata", s.registering.RegistryMetadata),
		get("/framework", s.registering.Framework),
		get("/actions", s.registering.Actions),
		get("/resources", s.registering.Resources),
		get("/issuers", s.registering.Issuers),
		get("/issuers/:did", s.registering.Issuer),
		get("/issuers/:did/authorities", s.registering.Issuer),
		get("/issuers/:did/accreditations", s.registering.Accreditations),
		get("/authorities", s.registering.AuthorityList),
		get("/authorities/:did/recognitions", s.registering.Recognitions),
		get("/authorities/:id/history", s.registering.AuthorityHistory),
		get("/schemas", s.registering.Artefacts(registry.KindSchemas)),
		get("/contexts", s.registering.Artefacts(registry.KindContexts)),
		get("/achievements", s.registering.Artefacts(registry.KindAchievements)),
		get("/types", s.registering.Artefacts(registry.KindTypes)),
		get("/frameworks", s.registering.Artefacts(registry.KindFrameworks)),
		get("/keys/:did", s.registering.Keys),
		get("/export", s.registering.Export),
		events,
		query("/authorization", s.registering.Authorization),
		query("/recognition", s.registering.Recognition),
	}...)
}
