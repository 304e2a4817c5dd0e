package api

import (
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/assessment/intake"

	"github.com/labstack/echo/v4"
)

// bodyPiece is the longest piece of an upload that one request carries.
const bodyPiece = 16 * mib

// intakeRoutes are consent receipts, evidence batches, the rights of subjects and the operator's switch. Their idempotency keys
// are kept durably by the intake, so none of them is a route that replays.
func (s *server) intakeRoutes() []Route {
	key := func(method, path string, scope edge.Scope, body int64, h echo.HandlerFunc) Route {
		return Route{
			Method: method, Path: path, Body: body, Time: normal, Access: WithKey, Scope: scope, Cache: NoStore, Dialect: Problems,
			Rate: RateKeys, handler: h,
		}
	}
	slow := func(r Route, d time.Duration) Route {
		r.Time = d
		return r
	}
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	h := s.intake
	return []Route{
		key(get, "/v1/consents/texts", edge.ScopeConsent, 0, h.Texts),
		key(post, "/v1/consents", edge.ScopeConsent, bodySmall, h.Give),
		key(get, "/v1/consents", edge.ScopeConsent, 0, h.ListConsents),
		key(get, "/v1/consents/:id", edge.ScopeConsent, 0, h.Consent),
		slow(key(post, "/v1/consents/:id/withdraw", edge.ScopeConsent, bodySmall, h.Withdraw), time.Minute),
		slow(key(post, "/v1/evidence", edge.ScopeAssess, intake.MaxUpload, h.Submit), long),
		key(post, "/v1/evidence/uploads", edge.ScopeAssess, bodySmall, h.Begin),
		key(get, "/v1/evidence/:id", edge.ScopeAssess, 0, h.Batch),
		slow(key(patch, "/v1/evidence/:id", edge.ScopeAssess, bodyPiece, h.Append), long),
		slow(key(post, "/v1/evidence/:id/finish", edge.ScopeAssess, bodySmall, h.Finish), long),
		key(del, "/v1/evidence/:id", edge.ScopeAssess, 0, h.Cancel),
		slow(key(get, "/v1/subjects/:id", edge.ScopeSubjects, 0, h.Export), time.Minute),
		slow(key(get, "/v1/subjects/:id/reports/:report", edge.ScopeSubjects, 0, h.Report), time.Minute),
		slow(key(del, "/v1/subjects/:id", edge.ScopeSubjects, 0, h.Erase), time.Minute),
		slow(key(put, "/v1/subjects/:id/restriction", edge.ScopeSubjects, bodySmall, h.Restrict), time.Minute),
		slow(key(del, "/v1/subjects/:id/events/:event", edge.ScopeSubjects, 0, h.Correct), time.Minute),
		key(get, "/v1/scoring", edge.ScopeOperate, 0, h.Scoring),
		key(put, "/v1/scoring", edge.ScopeOperate, bodySmall, h.SetScoring),
	}
}
