package reviewapi

import (
	"context"
	"fmt"
	"net/http"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment"
	"heartmark/assessment/review"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Service is the review; *review.Service is one.
type Service interface {
	Reviewing
	Contesting
	Overseeing
}

// Reviewing is what reviewers do.
type Reviewing interface {
	Open(ctx context.Context, c review.Caller, report, mode string) (review.Case, error)
	Queue(ctx context.Context, tenant, state, cursor string, limit int) ([]review.Case, string, error)
	Take(ctx context.Context, c review.Caller, id string) (review.Case, error)
	Read(ctx context.Context, c review.Caller, id string) (review.Case, assessment.Report, error)
	Decide(ctx context.Context, c review.Caller, id string, d review.Decision, signature string) (review.Case, error)
}

// Contesting is what subjects do.
type Contesting interface {
	Contest(ctx context.Context, c review.Caller, o review.Objection) (review.Case, error)
	Feedback(ctx context.Context, c review.Caller, subject, report string, marks []review.Mark, proof string) (review.Case, error)
	CasesOf(ctx context.Context, tenant, subject, report string) ([]review.Case, error)
}

// Overseeing is what a tenant watches and appoints.
type Overseeing interface {
	Standing(ctx context.Context, tenant, report string) (review.Standing, error)
	State(ctx context.Context, tenant, report string) (string, []schemas.Dimension, error)
	Appoint(ctx context.Context, c review.Caller, r review.Reviewer) (review.Reviewer, error)
	Reviewers(ctx context.Context, tenant string) ([]review.Reviewer, error)
	Agreement(ctx context.Context, tenant string) (review.Agreement, error)
	Labelled(ctx context.Context, tenant string) ([]review.Labelled, error)
}

var _ Service = (*review.Service)(nil)

// Handler serves the routes of this package.
type Handler struct{ Service Service }

// caller says who asks, and that there is a service to ask.
func (h *Handler) caller(r *http.Request) (review.Caller, error) {
	who, err := edge.CallerOf(r.Context())
	if err != nil {
		return review.Caller{}, err
	}
	if h.Service == nil {
		return review.Caller{}, fmt.Errorf("no reviews: %w", problem.ErrUnavailable)
	}
	return review.Caller{Tenant: who.Tenant, Actor: who.KeyID}, nil
}

func param(c echo.Context, name string) string { return edge.Param(c.Request(), c.Param(name)) }

// Open is POST /v1/reviews.
func (h *Handler) Open(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q OpenRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	opened, err := h.Service.Open(c.Request().Context(), who, q.Report, "")
	if err != nil {
		return fmt.Errorf("review: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusCreated, head(opened))
}

// List is GET /v1/reviews.
func (h *Handler) List(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	query, err := edge.Query(c.Request(), "state", "cursor", "limit")
	if err != nil {
		return err
	}
	limit, err := edge.Limit(query["limit"])
	if err != nil {
		return err
	}
	state := query["state"]
	if state == "" {
		state = review.StateWaiting
	}
	cases, next, err := h.Service.Queue(c.Request().Context(), who.Tenant, state, query["cursor"], limit)
	if err != nil {
		return fmt.Errorf("reviews: %w", err)
	}
	page := CasePage{Items: []CaseHead{}, Next: next}
	for _, x := range cases {
		page.Items = append(page.Items, head(x))
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// Take is POST /v1/reviews/{id}/take.
func (h *Handler) Take(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	taken, err := h.Service.Take(c.Request().Context(), who, param(c, "id"))
	if err != nil {
		return fmt.Errorf("review: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, head(taken))
}

// Get is GET /v1/reviews/{id}: for the reviewer who has the case.
func (h *Handler) Get(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	have, report, err := h.Service.Read(c.Request().Context(), who, param(c, "id"))
	if err != nil {
		return fmt.Errorf("review: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, CaseAnswer{
		Case: head(have), Statement: have.Words.Statement, Own: have.Words.Own, Feedback: list(have.Words.Feedback), Report: report,
	})
}

// Decide is POST /v1/reviews/{id}/decision.
func (h *Handler) Decide(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q DecisionRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	d := review.Decision{Verdicts: q.Verdicts, Reason: q.Reason, Marks: q.Marks}
	done, err := h.Service.Decide(c.Request().Context(), who, param(c, "id"), d, q.Signature)
	if err != nil {
		return fmt.Errorf("review: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, head(done))
}

// proof is the subject's own signature, "" where the platform vouches.
func proof(r *http.Request) (string, error) {
	values := r.Header.Values("Heartmark-Proof")
	if len(values) > 1 {
		return "", fmt.Errorf("header Heartmark-Proof twice: %w", problem.ErrQuery)
	}
	return append(values, "")[0], nil
}

// Contest is POST /v1/subjects/{id}/reports/{report}/contest.
func (h *Handler) Contest(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q ContestRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	signed, err := proof(c.Request())
	if err != nil {
		return err
	}
	opened, err := h.Service.Contest(c.Request().Context(), who, review.Objection{
		Subject: param(c, "id"), Report: param(c, "report"), Dimensions: q.Dimensions, Statement: q.Statement, Proof: signed,
	})
	if err != nil {
		return fmt.Errorf("contest: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusCreated, head(opened))
}

// Feedback is POST /v1/subjects/{id}/reports/{report}/feedback.
func (h *Handler) Feedback(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q FeedbackRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	signed, err := proof(c.Request())
	if err != nil {
		return err
	}
	opened, err := h.Service.Feedback(c.Request().Context(), who, param(c, "id"), param(c, "report"), q.Marks, signed)
	if err != nil {
		return fmt.Errorf("feedback: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusCreated, head(opened))
}

// Cases is GET /v1/subjects/{id}/reports/{report}/cases.
func (h *Handler) Cases(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	cases, err := h.Service.CasesOf(c.Request().Context(), who.Tenant, param(c, "id"), param(c, "report"))
	if err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, SubjectCases{Items: ForSubject(cases)})
}

// ForSubject are cases as their subject reads them.
func ForSubject(cases []review.Case) []SubjectCase {
	out := []SubjectCase{}
	for _, x := range cases {
		out = append(out, SubjectCase{CaseHead: head(x), Statement: x.Words.Statement, Feedback: x.Words.Feedback, Reason: x.Words.Reason})
	}
	return out
}

// Standing is GET /v1/assessments/{id}/standing.
func (h *Handler) Standing(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	ctx, report := c.Request().Context(), param(c, "id")
	state, waiting, err := h.Service.State(ctx, who.Tenant, report)
	if err != nil {
		return fmt.Errorf("standing: %w", err)
	}
	now, err := h.Service.Standing(ctx, who.Tenant, report)
	if err != nil {
		return fmt.Errorf("standing: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, StandingAnswer{State: state, Waiting: list(waiting), Released: list(now.Released), Refused: list(now.Refused)})
}

// Appoint is PUT /v1/reviewers/{id}.
func (h *Handler) Appoint(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q ReviewerRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	r, err := h.Service.Appoint(c.Request().Context(), who, review.Reviewer{ID: param(c, "id"), Name: q.Name, Key: q.Key, DID: q.DID, Ended: q.Ended})
	if err != nil {
		return fmt.Errorf("reviewer: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, reviewer(r))
}

func reviewer(r review.Reviewer) ReviewerAnswer {
	return ReviewerAnswer{ID: r.ID, Name: r.Name, Key: r.Key, DID: r.DID, Ended: r.Ended, Added: r.Added}
}

// Reviewers is GET /v1/reviewers.
func (h *Handler) Reviewers(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	all, err := h.Service.Reviewers(c.Request().Context(), who.Tenant)
	if err != nil {
		return err
	}
	out := ReviewerList{Items: []ReviewerAnswer{}}
	for _, r := range all {
		out.Items = append(out.Items, reviewer(r))
	}
	return edge.JSON(c.Response(), http.StatusOK, out)
}

// Agreement is GET /v1/reviews/agreement.
func (h *Handler) Agreement(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	found, err := h.Service.Agreement(c.Request().Context(), who.Tenant)
	if err != nil {
		return err
	}
	out := AgreementAnswer{Levels: agreement(found.Levels), Passages: agreement(found.Passages), Reviewers: []ReviewerWork{}}
	for _, w := range found.Reviewers {
		out.Reviewers = append(out.Reviewers, ReviewerWork{
			Reviewer: w.Reviewer, Decided: w.Decided, Released: w.Released, Refused: w.Refused, MedianSeconds: w.Median.Seconds(),
		})
	}
	return edge.JSON(c.Response(), http.StatusOK, out)
}

// Labelled is GET /v1/reviews/labels.
func (h *Handler) Labelled(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	found, err := h.Service.Labelled(c.Request().Context(), who.Tenant)
	if err != nil {
		return err
	}
	return edge.JSON(c.Response(), http.StatusOK, LabelledList{Items: found})
}
