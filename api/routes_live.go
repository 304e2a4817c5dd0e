package api

import (
	"net/http"
	"time"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// session is how long one stream lasts at most; its client then comes again.
const session = time.Hour

// liveRoutes are feeds of groups and practice.
func (s *server) liveRoutes() []Route {
	key := func(method, path string, body int64, life time.Duration, h echo.HandlerFunc) Route {
		r := keyed(method, path, edge.ScopeAssess, body, h)
		r.Time = life
		return r
	}
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	h := s.live
	return []Route{
		key(post, "/v1/live/feeds", bodySmall, normal, h.Open),
		key(del, "/v1/live/feeds/:id", 0, normal, h.Close),
		key(post, "/v1/live/feeds/:id/messages", bodyDefault, normal, h.Add),
		key(get, "/v1/live/feeds/:id/events", 0, session, h.Events),
		key(get, "/v1/live/feeds/:id/socket", 0, session, h.Socket),
		key(get, "/v1/live/practice", 0, session, h.Practice),
	}
}
