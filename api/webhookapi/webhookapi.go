// Package webhookapi serves /v1/webhooks: the addresses at which a tenant wants to hear what the registry states, what could
// not be delivered there, and sending it again. Package registry/webhooks does the work.
package webhookapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/registry/webhooks"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Service keeps webhooks; *webhooks.Service is one.
type Service interface {
	Create(ctx context.Context, tenant, url string, kinds []string) (sub webhooks.Subscription, secret string, err error)
	Get(ctx context.Context, tenant, id string) (webhooks.Subscription, error)
	List(ctx context.Context, tenant string) ([]webhooks.Subscription, error)
	Delete(ctx context.Context, tenant, id string) error
	DeadLetters(ctx context.Context, tenant, id string, from uint64, limit int) ([]webhooks.Dead, error)
	Replay(ctx context.Context, tenant, id string, from uint64) (webhooks.Subscription, error)
}

// Handler serves the routes of this package. Service may be nil: every route then answers 503.
type Handler struct {
	Service Service
	Cursors edge.Cursors
}

// WebhookRequest asks for a webhook; no kinds means all.
type WebhookRequest struct {
	URL   string   `json:"url"`
	Kinds []string `json:"kinds,omitempty"`
}

// WebhookAnswer is a webhook as its tenant sees it. Secret stands in the answer to its creation alone.
type WebhookAnswer struct {
	ID        string   `json:"id"`
	URL       string   `json:"url"`
	Kinds     []string `json:"kinds"`
	State     string   `json:"state"` // active, retrying or gone
	Next      uint64   `json:"next"`
	Attempts  int      `json:"attempts,omitempty"`
	RetryAt   string   `json:"retry_at,omitempty"`
	LastError string   `json:"last_error,omitempty"`
	CreatedAt string   `json:"created_at"`
	Secret    string   `json:"secret,omitempty"`
}

// WebhookPage lists a tenant's webhooks.
type WebhookPage struct {
	Items []WebhookAnswer `json:"items"`
}

// DeadLetter is an event that could not be delivered.
type DeadLetter struct {
	Event    uint64 `json:"event"`
	Kind     string `json:"kind"`
	Subject  string `json:"subject"`
	Error    string `json:"error"`
	At       string `json:"at"`
	Attempts int    `json:"attempts"`
}

// DeadLetterPage is a page of them.
type DeadLetterPage struct {
	Items []DeadLetter `json:"items"`
	Next  string       `json:"next,omitempty"`
}

// ReplayRequest says from which event on everything is sent again.
type ReplayRequest struct {
	From uint64 `json:"from"`
}

// call is what each route begins with: the service and the tenant of the key.
func (h *Handler) call(c echo.Context) (Service, string, error) {
	if h.Service == nil {
		return nil, "", problem.ErrUnavailable
	}
	caller, err := edge.CallerOf(c.Request().Context())
	return h.Service, caller.Tenant, err
}

func answer(s webhooks.Subscription) WebhookAnswer {
	a := WebhookAnswer{
		ID: s.ID, URL: s.URL, Kinds: append([]string{}, s.Kinds...), State: "active", Next: s.Next, Attempts: s.Attempts,
		LastError: s.LastError, CreatedAt: schemas.FormatTime(s.Created),
	}
	switch {
	case s.Gone:
		a.State = "gone"
	case s.Attempts > 0:
		a.State, a.RetryAt = "retrying", schemas.FormatTime(s.RetryAt)
	}
	return a
}

// Create is POST /v1/webhooks.
func (h *Handler) Create(c echo.Context) error {
	service, tenant, err := h.call(c)
	if err != nil {
		return err
	}
	var request WebhookRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	sub, secret, err := service.Create(c.Request().Context(), tenant, request.URL, request.Kinds)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	out := answer(sub)
	out.Secret = secret
	return edge.JSON(c.Response(), http.StatusCreated, out)
}

// List is GET /v1/webhooks.
func (h *Handler) List(c echo.Context) error {
	service, tenant, err := h.call(c)
	if err != nil {
		return err
	}
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	found, err := service.List(c.Request().Context(), tenant)
	if err != nil {
		return fmt.Errorf("webhooks: %w", err)
	}
	page := WebhookPage{Items: make([]WebhookAnswer, 0, len(found))}
	for _, s := range found {
		page.Items = append(page.Items, answer(s))
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// Get is GET /v1/webhooks/{id}.
func (h *Handler) Get(c echo.Context) error {
	service, tenant, err := h.call(c)
	if err != nil {
		return err
	}
	sub, err := service.Get(c.Request().Context(), tenant, edge.Param(c.Request(), c.Param("id")))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, answer(sub))
}

// Delete is DELETE /v1/webhooks/{id}.
func (h *Handler) Delete(c echo.Context) error {
	service, tenant, err := h.call(c)
	if err != nil {
		return err
	}
	if err := service.Delete(c.Request().Context(), tenant, edge.Param(c.Request(), c.Param("id"))); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

// DeadLetters is GET /v1/webhooks/{id}/dead-letters.
func (h *Handler) DeadLetters(c echo.Context) error {
	service, tenant, err := h.call(c)
	if err != nil {
		return err
	}
	query, err := edge.Query(c.Request(), "cursor", "limit")
	if err != nil {
		return err
	}
	limit, err := edge.Limit(query["limit"])
	if err != nil {
		return err
	}
	limit = min(limit, 200)
	id := edge.Param(c.Request(), c.Param("id"))
	list := "dead letters " + tenant + " " + id
	after, err := h.Cursors.Open(list, query["cursor"])
	if err != nil {
		return err
	}
	from := uint64(0)
	if after != "" {
		if from, err = strconv.ParseUint(after, 10, 63); err != nil {
			return fmt.Errorf("cursor: %w: %w", problem.ErrQuery, err)
		}
	}
	found, err := service.DeadLetters(c.Request().Context(), tenant, id, from, limit)
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	page := DeadLetterPage{Items: make([]DeadLetter, 0, len(found))}
	for _, d := range found {
		page.Items = append(page.Items, DeadLetter{
			Event: d.Event, Kind: d.Kind, Subject: d.Subject, Error: d.Error, At: d.At.UTC().Format(time.RFC3339), Attempts: d.Attempts,
		})
	}
	if len(found) == limit {
		page.Next = h.Cursors.Seal(list, strconv.FormatUint(found[limit-1].Event+1, 10))
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// Replay is POST /v1/webhooks/{id}/replay.
func (h *Handler) Replay(c echo.Context) error {
	service, tenant, err := h.call(c)
	if err != nil {
		return err
	}
	var request ReplayRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	sub, err := service.Replay(c.Request().Context(), tenant, edge.Param(c.Request(), c.Param("id")), request.From)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, answer(sub))
}

var _ Service = (*webhooks.Service)(nil)
