package api

import (
	"net/http"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// trainingRoutes are plans, practice and coaching.
func (s *server) trainingRoutes() []Route {
	key := func(method, path string, body int64, h echo.HandlerFunc) Route {
		return keyed(method, path, edge.ScopeAssess, body, h)
	}
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	answers := key(put, "/v1/coaching/answers", bodyEvidence, s.training.PutAnswers)
	answers.Time = long // every question is read by the encoder once
	return []Route{
		key(post, "/v1/plans", bodySmall, s.training.MakePlan),
		key(get, "/v1/plans/:subject", 0, s.training.Plan),
		key(del, "/v1/plans/:subject", 0, s.training.Erase),
		key(get, "/v1/practice", 0, s.training.Scenarios),
		key(get, "/v1/practice/:subject", 0, s.training.Session),
		key(post, "/v1/practice/:subject/completions", bodySmall, s.training.Complete),
		key(post, "/v1/practice/:subject/marks", bodySmall, s.training.Mark),
		answers,
		key(get, "/v1/coaching/answers", 0, s.training.Answers),
		key(del, "/v1/coaching/answers", 0, s.training.DeleteAnswers),
		// Not replayed: an answer that is kept would keep what a message says.
		key(post, "/v1/coaching/suggestions", bodySmall, s.training.Suggest),
	}
}
