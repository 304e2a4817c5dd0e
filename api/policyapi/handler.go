package policyapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/verifier/policies"

	"github.com/labstack/echo/v4"
)

// Policies keeps policies; *policies.Service is one.
type Policies interface {
	Put(ctx context.Context, tenant, name, actor string, d policies.Document) (stands policies.Stored, created bool, err error)
	Get(ctx context.Context, tenant, name string, version int) (policies.Stored, error)
	List(ctx context.Context, tenant string) ([]policies.Stored, error)
}

// PolicyDocument is a policy as a tenant writes it: the body of PUT /v1/policies/{name}.
type PolicyDocument = policies.Document

// PolicyAnswer is one version.
type PolicyAnswer struct {
	Name      string         `json:"name"`
	Version   string         `json:"version"`
	CreatedAt time.Time      `json:"created_at"`
	Policy    PolicyDocument `json:"policy"`
}

// PolicyPage lists the newest versions.
type PolicyPage struct {
	Items []PolicyAnswer `json:"items"`
}

// Handler serves the routes; Policies nil answers 503.
type Handler struct{ Policies Policies }

func (h *Handler) caller(c echo.Context) (edge.Caller, error) {
	if h.Policies == nil {
		return edge.Caller{}, fmt.Errorf("policies: %w", problem.ErrUnavailable)
	}
	return edge.CallerOf(c.Request().Context())
}

func answer(s policies.Stored) PolicyAnswer {
	return PolicyAnswer{Name: s.Name, Version: strconv.Itoa(s.Version), CreatedAt: s.CreatedAt, Policy: s.Document}
}

// Put is PUT /v1/policies/{name}: 201 for a new version, 200 where the newest is the same.
func (h *Handler) Put(c echo.Context) error {
	caller, err := h.caller(c)
	if err != nil {
		return err
	}
	var d PolicyDocument
	if err := edge.ReadJSON(c.Request(), &d); err != nil {
		return err
	}
	stands, created, err := h.Policies.Put(c.Request().Context(), caller.Tenant, edge.Param(c.Request(), c.Param("name")), caller.KeyID, d)
	if err != nil {
		return fmt.Errorf("put policy: %w", err)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return edge.JSON(c.Response(), status, answer(stands))
}

// Get is GET /v1/policies/{name}?version=.
func (h *Handler) Get(c echo.Context) error {
	caller, err := h.caller(c)
	if err != nil {
		return err
	}
	query, err := edge.Query(c.Request(), "version")
	if err != nil {
		return err
	}
	version := 0
	if text, asked := query["version"]; asked {
		if version, err = strconv.Atoi(text); err != nil || version < 1 {
			return fmt.Errorf("version: %w", problem.ErrQuery)
		}
	}
	found, err := h.Policies.Get(c.Request().Context(), caller.Tenant, edge.Param(c.Request(), c.Param("name")), version)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, answer(found))
}

// List is GET /v1/policies.
func (h *Handler) List(c echo.Context) error {
	caller, err := h.caller(c)
	if err != nil {
		return err
	}
	found, err := h.Policies.List(c.Request().Context(), caller.Tenant)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	page := PolicyPage{Items: make([]PolicyAnswer, len(found))}
	for i, s := range found {
		page.Items[i] = answer(s)
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}
