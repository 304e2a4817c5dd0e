package trainingapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment/training"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Bounds of suggestions.
const (
	suggestCalls = 4    // at once; more are answered 503 with Retry-After
	maxMessage   = 8000 // characters
	maxTags      = 16
)

// PutAnswers is PUT /v1/coaching/answers: JSON Lines in place of all answers that the tenant had. One bad line refuses all.
func (h *Handler) PutAnswers(c echo.Context) error {
	r := c.Request()
	who, err := edge.CallerOf(r.Context())
	if err != nil {
		return err
	}
	mediaType, err := edge.MediaType(r)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"application/jsonl", "application/x-ndjson"}, mediaType) {
		return fmt.Errorf("content type %q: %w", mediaType, problem.ErrMediaType)
	}
	answers, err := training.ReadAnswers(r.Body)
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return edge.BodyError(err)
		}
		return fmt.Errorf("answers: %w", err)
	}
	if err := h.c.Library.Replace(r.Context(), who.Tenant, answers); err != nil {
		return fmt.Errorf("answers: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, AnswerCount{Count: len(answers)})
}

// Answers is GET /v1/coaching/answers, in the order in which they were sent.
func (h *Handler) Answers(c echo.Context) error {
	r := c.Request()
	who, err := edge.CallerOf(r.Context())
	if err != nil {
		return err
	}
	query, err := edge.Query(r, "cursor", "limit")
	if err != nil {
		return err
	}
	limit, err := edge.Limit(query["limit"])
	if err != nil {
		return err
	}
	all, err := h.c.Library.Answers(r.Context(), who.Tenant)
	if err != nil {
		return fmt.Errorf("answers: %w", err)
	}
	if cursor := query["cursor"]; cursor != "" {
		at := slices.IndexFunc(all, func(a training.Answer) bool { return a.ID == cursor })
		all = all[at+1:] // a cursor that is gone, since answers were replaced, begins anew
	}
	page := AnswerPage{Items: []ApprovedAnswer{}}
	for _, a := range all[:min(limit, len(all))] {
		page.Items = append(page.Items, ApprovedAnswer(a))
	}
	if len(all) > limit {
		page.Next = all[limit-1].ID
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// DeleteAnswers is DELETE /v1/coaching/answers.
func (h *Handler) DeleteAnswers(c echo.Context) error {
	who, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return err
	}
	if err := h.c.Library.Replace(c.Request().Context(), who.Tenant, nil); err != nil {
		return fmt.Errorf("answers: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

// Suggest is POST /v1/coaching/suggestions: approved answers for the person who writes. Nothing is stored or sent.
func (h *Handler) Suggest(c echo.Context) error {
	r := c.Request()
	who, err := edge.CallerOf(r.Context())
	if err != nil {
		return err
	}
	var request SuggestionRequest
	if err := edge.ReadJSON(r, &request); err != nil {
		return err
	}
	query, err := request.query()
	if err != nil {
		return err
	}
	select {
	case h.calls <- struct{}{}:
		defer func() { <-h.calls }()
	default:
		return problem.RetryAfter(problem.ErrBusy, time.Second)
	}
	found, err := h.c.Library.Suggest(r.Context(), who.Tenant, query)
	if err != nil {
		return fmt.Errorf("suggest: %w", err)
	}
	answer, lang := SuggestionAnswer{Suggestions: []SuggestedAnswer{}}, edge.Language(r)
	for _, s := range found {
		answer.Suggestions = append(answer.Suggestions, SuggestedAnswer{
			Answer: ApprovedAnswer(s.Answer), Score: s.Score, Meaning: s.Meaning, Words: s.Words, Shared: s.Shared, Why: s.Why.In(lang),
		})
	}
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// query checks the request. A fault names its place in the body.
func (q SuggestionRequest) query() (training.Query, error) {
	out := training.Query{Message: q.Message, Tags: q.Tags}
	switch n := utf8.RuneCountInString(q.Message); {
	case !q.Asked:
		return out, &schemas.FieldError{Pointer: "/asked", Expected: "true: coaching is given when the person who writes asks for it", Err: problem.ErrConsent}
	case n < 1 || n > maxMessage:
		return out, bad("/message", "a string of 1 to 8000 characters")
	case len(q.Tags) > maxTags:
		return out, bad("/tags", "at most 16 tags of 1 to 64 characters")
	}
	if q.Lang != "" {
		lang, ok := schemas.ParseLanguage(q.Lang)
		if !ok {
			return out, bad("/lang", "en or zh")
		}
		out.Lang = lang
	}
	if q.K != nil {
		if *q.K < 1 || *q.K > training.MaxSuggestions {
			return out, bad("/k", "1 to 10")
		}
		out.K = *q.K
	}
	return out, nil
}
