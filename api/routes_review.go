package api

import (
	"net/http"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// reviewRoutes are the queue of reviewers, contests and marks of subjects, and what a tenant watches.
func (s *server) reviewRoutes() []Route {
	key := func(method, path string, scope edge.Scope, body int64, h echo.HandlerFunc) Route {
		return Route{
			Method: method, Path: path, Body: body, Time: normal, Access: WithKey, Scope: scope, Cache: NoStore, Dialect: Problems,
			Rate: RateKeys, handler: h,
		}
	}
	const get, post, put = http.MethodGet, http.MethodPost, http.MethodPut
	h := s.review
	return []Route{
		key(post, "/v1/reviews", edge.ScopeAssess, bodySmall, h.Open),
		key(get, "/v1/reviews", edge.ScopeReview, 0, h.List),
		key(get, "/v1/reviews/agreement", edge.ScopeReview, 0, h.Agreement),
		key(get, "/v1/reviews/labels", edge.ScopeReviewAdmin, 0, h.Labelled),
		key(get, "/v1/reviews/:id", edge.ScopeReview, 0, h.Get),
		key(post, "/v1/reviews/:id/take", edge.ScopeReview, bodySmall, h.Take),
		key(post, "/v1/reviews/:id/decision", edge.ScopeReview, bodySmall, h.Decide),
		key(get, "/v1/reviewers", edge.ScopeReviewAdmin, 0, h.Reviewers),
		key(put, "/v1/reviewers/:id", edge.ScopeReviewAdmin, bodySmall, h.Appoint),
		key(get, "/v1/assessments/:id/standing", edge.ScopeAssess, 0, h.Standing),
		key(get, "/v1/subjects/:id/reports/:report/cases", edge.ScopeSubjects, 0, h.Cases),
		key(post, "/v1/subjects/:id/reports/:report/contest", edge.ScopeSubjects, bodySmall, h.Contest),
		key(post, "/v1/subjects/:id/reports/:report/feedback", edge.ScopeSubjects, bodySmall, h.Feedback),
	}
}
