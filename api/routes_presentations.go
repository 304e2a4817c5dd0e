package api

import (
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/api/ui"

	"github.com/labstack/echo/v4"
)

// bodyStream is the longest stream of credentials (security specification, section 3).
const bodyStream = 4 << 30

// presentationRoutes are OpenID4VP (the session API, what wallets call, the page that asks a candidate), the VC API's verify
// routes, bulk verification and tenants' own policies. Whoever has no key
// may ask for the templates alone, in the name of the installation.
func (s *server) presentationRoutes() []Route {
	h := s.presenting
	session := func(method, path string, body int64, handler echo.HandlerFunc) Route {
		return Route{
			Method: method, Path: "/v1/presentations/requests" + path, Body: body, Time: normal, Access: OptionalKey,
			Scope: edge.ScopeVerify, Cache: NoStore, Dialect: Problems, Rate: RateVerify, handler: handler,
		}
	}
	wallet := func(method, path string, body int64, handler echo.HandlerFunc) Route {
		return Route{
			Method: method, Path: "/oid4vp/:request" + path, Body: body, Time: normal, Access: Public, Cache: NoStore, Dialect: OAuth,
			CORS: true, Rate: RateWallets, handler: handler,
		}
	}
	page := func(method, path string, body int64, handler func(http.ResponseWriter, *http.Request) error) Route {
		return Route{
			Method: method, Path: path, Body: body, Time: normal, Access: Public, Cache: NoStore, Dialect: Pages, Rate: RatePages,
			handler: func(c echo.Context) error { return handler(c.Response(), c.Request()) },
		}
	}
	const get, post = http.MethodGet, http.MethodPost
	events := session(get, "/:id/events", 0, h.Events)
	events.Time, events.Access, events.Scope, events.CORS, events.Rate = long, Public, "", true, RateReads
	pageEvents := page(get, "/verify/ask/events", 0, nil)
	pageEvents.Time, pageEvents.Dialect, pageEvents.handler = long, Problems, h.EventsByCookie(ui.AskCookie)
	policy := func(method, path string, body int64, handler echo.HandlerFunc) Route {
		return keyed(method, "/v1/policies"+path, edge.ScopePolicies, body, handler)
	}
	vcapi := func(path string, handler echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodPost, Path: "/vc/:issuer" + path, Body: bodyPresentation, Time: normal, Access: OptionalKey,
			Scope: edge.ScopeVerify, Cache: NoStore, Dialect: Problems, CORS: true, Rate: RateVerify, handler: handler,
		}
	}
	bulk := keyed(post, "/v1/verify/bulk", edge.ScopeVerify, bodyStream, s.verifying.Bulk)
	bulk.Time = time.Hour
	read := session(get, "/:id", 0, h.Read)
	read.Rate = RateReads
	return []Route{
		session(post, "", bodyDefault, h.Create),
		read,
		events,
		session(post, "/:id/dc-api", 2*bodyPresentation, h.FromBrowser),
		wallet(get, "", 0, h.Request),
		wallet(post, "", bodySmall, h.Request),
		wallet(post, "/response", 2*bodyPresentation, h.Respond),
		page(get, "/verify/ask", 0, s.pages.AskForm),
		page(post, "/verify/ask", bodySmall, s.pages.AskPost),
		page(get, "/verify/ask/result", 0, s.pages.AskResult),
		pageEvents,
		bulk,
		vcapi("/credentials/verify", s.verifying.VerifyCredential),
		vcapi("/presentations/verify", s.verifying.VerifyPresentation),
		policy(get, "", 0, s.policies.List),
		policy(get, "/:name", 0, s.policies.Get),
		policy(http.MethodPut, "/:name", bodySmall, s.policies.Put),
	}
}
