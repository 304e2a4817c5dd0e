package trainingapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Trainer keeps plans and practice; *training.Trainer is one.
type Trainer interface {
	Plan(ctx context.Context, tenant string, reports []assessment.Report) (training.Plan, error)
	Current(ctx context.Context, tenant, subject string) (training.Plan, error)
	Practice
	Erase(ctx context.Context, tenant, subject string) error
}

// Practice says what is due and records what was done.
type Practice interface {
	Session(ctx context.Context, tenant, subject string) (training.Session, error)
	Complete(ctx context.Context, tenant, subject string, c training.Completion) (training.Card, error)
	Mark(ctx context.Context, tenant, subject string, m training.Mark) error
}

// Library keeps approved answers and suggests from them; *training.Library is one.
type Library interface {
	Replace(ctx context.Context, tenant string, answers []training.Answer) error
	Answers(ctx context.Context, tenant string) ([]training.Answer, error)
	Suggest(ctx context.Context, tenant string, q training.Query) ([]training.Suggestion, error)
}

var (
	_ Trainer = (*training.Trainer)(nil)
	_ Library = (*training.Library)(nil)
)

// Reports reads stored reports; an assessment.Store is one.
type Reports interface {
	Report(ctx context.Context, tenant, id string) (assessment.Report, error)
}

// Config is what New needs. All fields are required.
type Config struct {
	Trainer Trainer
	Library Library
	Reports Reports
}

// Handler serves the routes of this package.
type Handler struct {
	c     Config
	bank  *training.Bank
	calls chan struct{} // one token for each message that suggestions are looked for
}

// New returns a Handler, or an error that names what is missing.
func New(c Config) (*Handler, error) {
	if c.Trainer == nil || c.Library == nil || c.Reports == nil {
		return nil, errors.New("training routes: a field of the configuration is missing")
	}
	bank, err := training.Load()
	if err != nil {
		return nil, err
	}
	return &Handler{c: c, bank: bank, calls: make(chan struct{}, suggestCalls)}, nil
}

// maxReports bounds how many reports one plan is made from at once.
const maxReports = 20

// MakePlan is POST /v1/plans.
func (h *Handler) MakePlan(c echo.Context) error {
	ctx := c.Request().Context()
	who, err := edge.CallerOf(ctx)
	if err != nil {
		return err
	}
	var request PlanRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	if len(request.Reports) == 0 || len(request.Reports) > maxReports {
		return bad("/reports", "a list of 1 to 20 report ids")
	}
	reports := make([]assessment.Report, len(request.Reports))
	for i, id := range request.Reports {
		if reports[i], err = h.c.Reports.Report(ctx, who.Tenant, id); err != nil {
			return &schemas.FieldError{Pointer: fmt.Sprintf("/reports/%d", i), Expected: "the id of a report", Err: fmt.Errorf("report: %w", err)}
		}
	}
	plan, err := h.c.Trainer.Plan(ctx, who.Tenant, reports)
	if errors.Is(err, training.ErrSubjects) {
		return &schemas.FieldError{Pointer: "/reports", Expected: "reports of one subject", Err: err}
	}
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	c.Response().Header().Set("Location", "/v1/plans/"+url.PathEscape(plan.Subject))
	return edge.JSON(c.Response(), http.StatusCreated, h.view(c.Request(), plan))
}

// view is what a platform may read of a plan.
func (h *Handler) view(r *http.Request, p training.Plan) PlanAnswer {
	kind := "full"
	if !p.Disclosed {
		kind, p = "platform", p.Public()
	}
	return PlanAnswer{View: kind, Plan: h.bank.View(p, edge.Language(r))}
}

// subject is whose plan or practice the path names.
func subject(c echo.Context) (who edge.Caller, name string, err error) {
	who, err = edge.CallerOf(c.Request().Context())
	return who, edge.Param(c.Request(), c.Param("subject")), err
}

// Plan is GET /v1/plans/{subject}.
func (h *Handler) Plan(c echo.Context) error {
	who, name, err := subject(c)
	if err != nil {
		return err
	}
	plan, err := h.c.Trainer.Current(c.Request().Context(), who.Tenant, name)
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, h.view(c.Request(), plan))
}

// Erase is DELETE /v1/plans/{subject}: the plan, what was practised, and what was learnt from it.
func (h *Handler) Erase(c echo.Context) error {
	who, name, err := subject(c)
	if err != nil {
		return err
	}
	if err := h.c.Trainer.Erase(c.Request().Context(), who.Tenant, name); err != nil {
		return fmt.Errorf("erase plan: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

// Scenarios is GET /v1/practice: scenarios of a facet and a kind of scene.
func (h *Handler) Scenarios(c echo.Context) error {
	r := c.Request()
	query, err := edge.Query(r, "facet", "scene", "lang")
	if err != nil {
		return err
	}
	page := ScenarioPage{Items: []training.ScenarioView{}}
	for _, s := range h.bank.Scenarios(query["facet"], query["scene"]) {
		page.Items = append(page.Items, s.View(edge.Language(r)))
	}
	if len(page.Items) == 0 {
		return fmt.Errorf("scenarios: %w", problem.ErrNotFound)
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// Session is GET /v1/practice/{subject}.
func (h *Handler) Session(c echo.Context) error {
	who, name, err := subject(c)
	if err != nil {
		return err
	}
	s, err := h.c.Trainer.Session(c.Request().Context(), who.Tenant, name)
	if err != nil {
		return fmt.Errorf("practice: %w", err)
	}
	lang := edge.Language(c.Request())
	answer := SessionAnswer{Due: []DueExercise{}}
	for _, card := range s.Due {
		answer.Due = append(answer.Due, h.due(card, lang))
	}
	if s.Next != nil {
		answer.Next = &NextExercise{Exercise: s.Next.Card.Exercise, By: s.Next.By, Why: s.Next.Why.In(lang)}
	}
	if !s.Later.IsZero() {
		answer.Later = &s.Later
	}
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

func (h *Handler) due(card training.Card, lang string) DueExercise {
	text, _ := h.bank.Exercise(card.Exercise)
	return DueExercise{Exercise: card.Exercise, Text: text.In(lang), Due: card.Due, Days: card.Days, Repetitions: card.Repetitions}
}

// Complete is POST /v1/practice/{subject}/completions.
func (h *Handler) Complete(c echo.Context) error {
	who, name, err := subject(c)
	if err != nil {
		return err
	}
	var request CompletionRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	if request.Grade == nil {
		return bad("/grade", "0 to 5")
	}
	done := training.Completion{Exercise: request.Exercise, Grade: training.Grade(*request.Grade)}
	if request.At != nil {
		if request.At.IsZero() {
			return bad("/at", "a time that has passed")
		}
		done.At = *request.At
	}
	card, err := h.c.Trainer.Complete(c.Request().Context(), who.Tenant, name, done)
	if err != nil {
		return fmt.Errorf("completion: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusCreated, h.due(card, edge.Language(c.Request())))
}

// Mark is POST /v1/practice/{subject}/marks.
func (h *Handler) Mark(c echo.Context) error {
	who, name, err := subject(c)
	if err != nil {
		return err
	}
	var request MarkRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	if request.Useful == nil {
		return bad("/useful", "a boolean")
	}
	mark := training.Mark{Exercise: request.Exercise, Useful: *request.Useful}
	if request.Rating != nil {
		if *request.Rating == 0 {
			return bad("/rating", "1 to 5")
		}
		mark.Rating = *request.Rating
	}
	if err := h.c.Trainer.Mark(c.Request().Context(), who.Tenant, name, mark); err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

func bad(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}
