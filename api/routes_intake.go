package api

import (
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/assessment/intake"
)

// bodyPiece is the longest piece of an upload that one request carries.
const bodyPiece = 16 * mib

// intakeRoutes are consent receipts, evidence batches, the rights of subjects and the operator's switch. Their idempotency keys
// are kept durably by the intake, so none of them is a route that replays.
func (s *server) intakeRoutes() []Route {
	slow := func(r Route, d time.Duration) Route {
		r.Time = d
		return r
	}
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	h := s.intake
	return []Route{
		keyed(get, "/v1/consents/texts", edge.ScopeConsent, 0, h.Texts),
		keyed(post, "/v1/consents", edge.ScopeConsent, bodySmall, h.Give),
		keyed(get, "/v1/consents", edge.ScopeConsent, 0, h.ListConsents),
		keyed(get, "/v1/consents/:id", edge.ScopeConsent, 0, h.Consent),
		slow(keyed(post, "/v1/consents/:id/withdraw", edge.ScopeConsent, bodySmall, h.Withdraw), time.Minute),
		slow(keyed(post, "/v1/evidence", edge.ScopeAssess, intake.MaxUpload, h.Submit), long),
		keyed(post, "/v1/evidence/uploads", edge.ScopeAssess, bodySmall, h.Begin),
		keyed(get, "/v1/evidence/:id", edge.ScopeAssess, 0, h.Batch),
		slow(keyed(patch, "/v1/evidence/:id", edge.ScopeAssess, bodyPiece, h.Append), long),
		slow(keyed(post, "/v1/evidence/:id/finish", edge.ScopeAssess, bodySmall, h.Finish), long),
		keyed(del, "/v1/evidence/:id", edge.ScopeAssess, 0, h.Cancel),
		slow(keyed(get, "/v1/subjects/:id", edge.ScopeSubjects, 0, h.Export), time.Minute),
		slow(keyed(get, "/v1/subjects/:id/reports/:report", edge.ScopeSubjects, 0, h.Report), time.Minute),
		slow(keyed(del, "/v1/subjects/:id", edge.ScopeSubjects, 0, h.Erase), time.Minute),
		slow(keyed(put, "/v1/subjects/:id/restriction", edge.ScopeSubjects, bodySmall, h.Restrict), time.Minute),
		slow(keyed(del, "/v1/subjects/:id/events/:event", edge.ScopeSubjects, 0, h.Correct), time.Minute),
		keyed(get, "/v1/scoring", edge.ScopeOperate, 0, h.Scoring),
		keyed(put, "/v1/scoring", edge.ScopeOperate, bodySmall, h.SetScoring),
	}
}
