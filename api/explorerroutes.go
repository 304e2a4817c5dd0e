package api

import (
	"net/http"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// explorerRoutes are the pages behind the registry page, and the API document as a page.
func (s *server) explorerRoutes() []Route {
	get := func(path string, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodGet, Path: path, Time: quick, Access: Public, Cache: Private, Dialect: Pages, Rate: RatePages, handler: h,
		}
	}
	return []Route{
		get("/registry/issuers/:did", func(c echo.Context) error {
			return s.pages.Issuer(c.Response(), c.Request(), edge.DIDParam(c.Request(), c.Param("did")))
		}),
		get("/registry/log", func(c echo.Context) error { return s.pages.Log(c.Response(), c.Request()) }),
		get("/registry/log/:index", func(c echo.Context) error {
			return s.pages.Entry(c.Response(), c.Request(), c.Param("index"))
		}),
		get("/docs/api", func(c echo.Context) error { return s.pages.Docs(c.Response(), c.Request(), "") }),
		get("/docs/api/:group", func(c echo.Context) error {
			return s.pages.Docs(c.Response(), c.Request(), edge.Param(c.Request(), c.Param("group")))
		}),
	}
}
