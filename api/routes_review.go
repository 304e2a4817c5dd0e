package api

import (
	"net/http"

	"heartmark/api/edge"
)

// reviewRoutes are the queue of reviewers, contests and marks of subjects, and what a tenant watches.
func (s *server) reviewRoutes() []Route {
	const get, post, put = http.MethodGet, http.MethodPost, http.MethodPut
	h := s.review
	return []Route{
		keyed(post, "/v1/reviews", edge.ScopeAssess, bodySmall, h.Open),
		keyed(get, "/v1/reviews", edge.ScopeReview, 0, h.List),
		keyed(get, "/v1/reviews/agreement", edge.ScopeReview, 0, h.Agreement),
		keyed(get, "/v1/reviews/labels", edge.ScopeReviewAdmin, 0, h.Labelled),
		keyed(get, "/v1/reviews/:id", edge.ScopeReview, 0, h.Get),
		keyed(post, "/v1/reviews/:id/take", edge.ScopeReview, bodySmall, h.Take),
		keyed(post, "/v1/reviews/:id/decision", edge.ScopeReview, bodySmall, h.Decide),
		keyed(get, "/v1/reviewers", edge.ScopeReviewAdmin, 0, h.Reviewers),
		keyed(put, "/v1/reviewers/:id", edge.ScopeReviewAdmin, bodySmall, h.Appoint),
		keyed(get, "/v1/assessments/:id/standing", edge.ScopeAssess, 0, h.Standing),
		keyed(get, "/v1/subjects/:id/reports/:report/cases", edge.ScopeSubjects, 0, h.Cases),
		keyed(post, "/v1/subjects/:id/reports/:report/contest", edge.ScopeSubjects, bodySmall, h.Contest),
		keyed(post, "/v1/subjects/:id/reports/:report/feedback", edge.ScopeSubjects, bodySmall, h.Feedback),
	}
}
