// Package keysapi serves a tenant's own API keys: make one, list them, end one. Nobody can give a key a right, a
// rate or a life that the calling key does not have. Wire types stand in wire.go.
package keysapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/issuer"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Bounds of a key's settings.
const (
	MaxName      = 64
	MaxPerSecond = 10_000
	MinLife      = time.Minute
)

// Store keeps keys. Its methods may be called at once.
type Store interface {
	// CreateAPIKey makes a key for k.Tenant and returns it, once, with its record.
	CreateAPIKey(ctx context.Context, k schemas.APIKey) (key string, record schemas.APIKey, err error)
	// APIKeys returns the tenant's keys in the order in which they were made, ended ones too.
	APIKeys(ctx context.Context, tenant string) ([]schemas.APIKey, error)
	// RevokeAPIKey ends a key of the tenant at once, by its id; problem.ErrNotFound where there is none. Twice is no error.
	RevokeAPIKey(ctx context.Context, tenant, id string) error
}

// Handler serves the routes of this package; all fields are required.
type Handler struct {
	Store Store
	Now   func() time.Time
}

// Create is POST /v1/keys.
func (h *Handler) Create(c echo.Context) error {
	who, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return err
	}
	var body KeyRequest
	if err := edge.ReadJSON(c.Request(), &body); err != nil {
		return err
	}
	k, err := h.wanted(who, body)
	if err != nil {
		return err
	}
	key, record, err := h.Store.CreateAPIKey(issuer.WithActor(c.Request().Context(), "key:"+who.KeyID), k)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	c.Response().Header().Set("Location", "/v1/keys/"+url.PathEscape(record.ID))
	return edge.JSON(c.Response(), http.StatusCreated, NewKeyAnswer{KeyAnswer: h.answer(record), Key: key})
}

// wanted checks what is asked for and returns the key to be made.
func (h *Handler) wanted(who edge.Caller, body KeyRequest) (schemas.APIKey, error) {
	fault := func(pointer, expected string) error {
		return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
	}
	if len(body.Scopes) == 0 {
		return schemas.APIKey{}, fault("/scopes", "at least one scope")
	}
	for n, s := range body.Scopes {
		scope := edge.Scope(s)
		switch {
		case !slices.Contains(edge.Scopes(), scope) || slices.Contains(body.Scopes[:n], s):
			return schemas.APIKey{}, fault(fmt.Sprintf("/scopes/%d", n), fmt.Sprintf("each of %v once", edge.Scopes()))
		case !who.Has(scope):
			return schemas.APIKey{}, fmt.Errorf("scope %s: %w", s, problem.ErrForbidden)
		}
	}
	k := schemas.APIKey{Tenant: who.Tenant, Scopes: body.Scopes, Name: body.Name, PerSecond: body.PerSecond}
	if len(k.Name) > MaxName || strings.ContainsFunc(k.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return schemas.APIKey{}, fault("/name", fmt.Sprintf("at most %d bytes on one line", MaxName))
	}
	if k.PerSecond < 0 || k.PerSecond > MaxPerSecond {
		return schemas.APIKey{}, fault("/per_second", fmt.Sprintf("0 to %d", MaxPerSecond))
	}
	own := who.PerSecond
	if own == 0 {
		own = edge.KeyPerSecond
	}
	if k.PerSecond > own || k.PerSecond == 0 && who.PerSecond > 0 {
		return schemas.APIKey{}, fmt.Errorf("rate: %w", problem.ErrForbidden)
	}
	if body.ExpiresAt != "" {
		at, err := schemas.ParseTime(body.ExpiresAt)
		if err != nil || at.Before(h.Now().Add(MinLife)) {
			return schemas.APIKey{}, fault("/expires_at", "a time at least a minute ahead, RFC 3339")
		}
		k.ExpiresAt = at
	}
	if !who.ExpiresAt.IsZero() && (k.ExpiresAt.IsZero() || k.ExpiresAt.After(who.ExpiresAt)) {
		return schemas.APIKey{}, fmt.Errorf("end: %w", problem.ErrForbidden)
	}
	return k, nil
}

// List is GET /v1/keys.
func (h *Handler) List(c echo.Context) error {
	who, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return err
	}
	all, err := h.Store.APIKeys(c.Request().Context(), who.Tenant)
	if err != nil {
		return fmt.Errorf("list keys: %w", err)
	}
	page := KeyPage{Items: make([]KeyAnswer, 0, len(all))}
	for _, k := range all {
		page.Items = append(page.Items, h.answer(k))
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// Revoke is DELETE /v1/keys/{id}.
func (h *Handler) Revoke(c echo.Context) error {
	who, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return err
	}
	id := edge.Param(c.Request(), c.Param("id"))
	if err := h.Store.RevokeAPIKey(issuer.WithActor(c.Request().Context(), "key:"+who.KeyID), who.Tenant, id); err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

func (h *Handler) answer(k schemas.APIKey) KeyAnswer {
	a := KeyAnswer{ID: k.ID, Name: k.Name, Scopes: k.Scopes, PerSecond: k.PerSecond, State: k.StateAt(h.Now()), CreatedAt: schemas.FormatTime(k.CreatedAt)}
	if !k.ExpiresAt.IsZero() {
		a.ExpiresAt = schemas.FormatTime(k.ExpiresAt)
	}
	if !k.RevokedAt.IsZero() {
		a.RevokedAt = schemas.FormatTime(k.RevokedAt)
	}
	return a
}
