package api

import (
	"net/http"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// webhookRoutes are where a tenant says whom to tell what the registry states.
func (s *server) webhookRoutes() []Route {
	call := func(method, path string, body int64, h echo.HandlerFunc) Route {
		return keyed(method, "/v1/webhooks"+path, edge.ScopeEvents, body, h)
	}
	return []Route{
		call(http.MethodPost, "", bodySmall, s.webhooks.Create),
		call(http.MethodGet, "", 0, s.webhooks.List),
		call(http.MethodGet, "/:id", 0, s.webhooks.Get),
		call(http.MethodDelete, "/:id", 0, s.webhooks.Delete),
		call(http.MethodGet, "/:id/dead-letters", 0, s.webhooks.DeadLetters),
		call(http.MethodPost, "/:id/replay", bodySmall, s.webhooks.Replay),
	}
}
