package api

import (
	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// explorerRoutes are the pages behind the registry page, and the API document as a page.
func (s *server) explorerRoutes() []Route {
	return []Route{
		pageRoute("/registry/issuers/:did", func(c echo.Context) error {
			return s.pages.Issuer(c.Response(), c.Request(), edge.DIDParam(c.Request(), c.Param("did")))
		}),
		pageRoute("/registry/log", func(c echo.Context) error { return s.pages.Log(c.Response(), c.Request()) }),
		pageRoute("/registry/log/:index", func(c echo.Context) error {
			return s.pages.Entry(c.Response(), c.Request(), c.Param("index"))
		}),
		pageRoute("/docs/api", func(c echo.Context) error { return s.pages.Docs(c.Response(), c.Request(), "") }),
		pageRoute("/docs/api/:group", func(c echo.Context) error {
			return s.pages.Docs(c.Response(), c.Request(), edge.Param(c.Request(), c.Param("group")))
		}),
	}
}
