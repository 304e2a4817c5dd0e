package api

import (
	"net/http"
	"time"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// practiceRoutes are the practice pages. A form is answered only where this origin's own page sent it.
func (s *server) practiceRoutes() []Route {
	id := func(c echo.Context) string { return edge.Param(c.Request(), c.Param("id")) }
	post := func(path string, rate RateClass, limit time.Duration, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodPost, Path: path, Body: bodySmall, Time: limit, Access: Public, Cache: NoStore, Dialect: Pages, Rate: rate,
			handler: h,
		}
	}
	return []Route{
		pageRoute("/practice", func(c echo.Context) error { return s.pages.PracticeHome(c.Response(), c.Request()) }),
		pageRoute("/practice/:id", func(c echo.Context) error { return s.pages.PracticeScene(c.Response(), c.Request(), id(c)) }),
		post("/practice/goal", RatePages, quick, func(c echo.Context) error { return s.pages.PracticeGoal(c.Response(), c.Request()) }),
		post("/practice/:id", RatePractice, normal, func(c echo.Context) error { return s.pages.PracticeAnswer(c.Response(), c.Request(), id(c)) }),
		post("/practice/:id/mark", RatePages, quick, func(c echo.Context) error { return s.pages.PracticeMark(c.Response(), c.Request(), id(c)) }),
	}
}
