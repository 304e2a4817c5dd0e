package assessmentapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment"
	"heartmark/assessment/head"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Labeller labels texts by one head; a *head.Head is one.
type Labeller interface {
	Classify(ctx context.Context, in []assessment.ClassifierInput) ([]head.Prediction, error)
	Model() *head.Model
	GraphSHA256() string
}

var _ Labeller = (*head.Head)(nil)

// Bounds of one call.
const (
	headCalls = 4 // at once; more are answered 503 with Retry-After
	maxTexts  = 256
	maxTurns  = 16
	maxText   = 8000 // characters
	maxID     = 128  // characters
)

// Classify is POST /v1/classify: it labels texts by the head that the query names. Nothing is stored.
func (h *Handler) Classify(c echo.Context) error {
	r := c.Request()
	if _, err := edge.CallerOf(r.Context()); err != nil {
		return err
	}
	labeller, err := h.labeller(r)
	if err != nil {
		return err
	}
	var request ClassifyRequest
	if err := edge.ReadJSON(r, &request); err != nil {
		return err
	}
	in, err := request.inputs()
	if err != nil {
		return err
	}
	select {
	case h.calls <- struct{}{}:
		defer func() { <-h.calls }()
	default:
		return problem.RetryAfter(problem.ErrBusy, time.Second)
	}
	found, err := labeller.Classify(r.Context(), in)
	if err != nil {
		return fmt.Errorf("classify: %w", err)
	}
	answer := ClassifyAnswer{Head: headAnswer(labeller), Results: make([]ClassifyResult, len(found))}
	for i, p := range found {
		answer.Results[i] = ClassifyResult{ID: request.Texts[i].ID, Labels: append([]string{}, p.Labels...), Values: p.Values, Reason: p.Reason}
	}
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// labeller finds the head that the query names.
func (h *Handler) labeller(r *http.Request) (Labeller, error) {
	query, err := edge.Query(r, "head")
	if err != nil {
		return nil, err
	}
	name := query["head"]
	if head.CheckName(name) != nil {
		return nil, fmt.Errorf("parameter head: %w", problem.ErrQuery)
	}
	if h.c.Heads == nil {
		return nil, fmt.Errorf("no classifier: %w", problem.ErrUnavailable)
	}
	labeller, ok := h.c.Heads[name]
	if !ok {
		return nil, fmt.Errorf("head %s: %w", name, problem.ErrNotFound)
	}
	return labeller, nil
}

// inputs checks every text. A fault names its place in the body.
func (q ClassifyRequest) inputs() ([]assessment.ClassifierInput, error) {
	// Security rules G1, G2: no processing, and no label, without a consent to each.
	if !slices.Contains(q.Consent, "process") || !slices.Contains(q.Consent, "score") {
		return nil, fmt.Errorf("consent to process and score: %w", problem.ErrConsent)
	}
	if len(q.Texts) == 0 || len(q.Texts) > maxTexts {
		return nil, bad("/texts", fmt.Sprintf("a list of 1 to %d texts", maxTexts))
	}
	out := make([]assessment.ClassifierInput, len(q.Texts))
	for i, t := range q.Texts {
		at := fmt.Sprintf("/texts/%d", i)
		switch n := utf8.RuneCountInString(t.Text); {
		case n < 1 || n > maxText:
			return nil, bad(at+"/text", fmt.Sprintf("a string of 1 to %d characters", maxText))
		case utf8.RuneCountInString(t.ID) > maxID:
			return nil, bad(at+"/id", fmt.Sprintf("at most %d characters", maxID))
		case len(t.Context) > maxTurns:
			return nil, bad(at+"/context", fmt.Sprintf("a list of at most %d turns", maxTurns))
		}
		in := assessment.ClassifierInput{Text: t.Text}
		if t.Lang != "" {
			lang, ok := schemas.ParseLanguage(t.Lang)
			if !ok {
				return nil, bad(at+"/lang", "en or zh")
			}
			in.Lang = lang
		}
		for k, turn := range t.Context {
			if utf8.RuneCountInString(turn.Text) > maxText {
				return nil, bad(fmt.Sprintf("%s/context/%d/text", at, k), fmt.Sprintf("at most %d characters", maxText))
			}
			in.Context = append(in.Context, assessment.Turn{Self: turn.Self, Text: turn.Text})
		}
		out[i] = in
	}
	return out, nil
}

func bad(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}

// ListHeads is GET /v1/heads: every head, by name.
func (h *Handler) ListHeads(c echo.Context) error {
	if _, err := edge.CallerOf(c.Request().Context()); err != nil {
		return err
	}
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	if h.c.Heads == nil {
		return fmt.Errorf("no classifier: %w", problem.ErrUnavailable)
	}
	page := HeadPage{Items: []HeadAnswer{}}
	for _, name := range slices.Sorted(maps.Keys(h.c.Heads)) {
		page.Items = append(page.Items, headAnswer(h.c.Heads[name]))
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

func headAnswer(l Labeller) HeadAnswer {
	m := l.Model()
	return HeadAnswer{
		Name: m.Name, Kind: string(m.Kind), Labels: m.Labels, SHA256: l.GraphSHA256(),
		Encoder: m.Encoder.ID, EncoderSHA256: m.Encoder.SHA256, Created: m.Created,
	}
}
