package registryapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/registry"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Writer changes the registry; *registry.Registry is one. The registry itself decides whether the actor may.
type Writer interface {
	Challenge(ctx context.Context, did string) (registry.Challenge, error)
	GrantAuthority(ctx context.Context, actor registry.Actor, g registry.Grant) ([]registry.Authority, error)
	Suspend(ctx context.Context, actor registry.Actor, id, reason string) (registry.Authority, error)
	Reinstate(ctx context.Context, actor registry.Actor, id, reason string) (registry.Authority, error)
	Withdraw(ctx context.Context, actor registry.Actor, id string, since time.Time, reason string) (registry.Authority, error)
	Deactivate(ctx context.Context, actor registry.Actor, entity, reason string) (int, error)
	PublishArtefact(ctx context.Context, actor registry.Actor, n registry.NewArtefact) (registry.Artefact, error)
}

// actor is who the API key with the scope registry:write stands for.
func actor(c echo.Context) (registry.Actor, error) {
	caller, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return registry.Actor{}, err
	}
	return registry.Actor{ID: caller.KeyID, Role: registry.RoleOperator}, nil
}

// Challenge is POST /registry/v1/challenges: what the key of a DID has to sign before anything is written about it.
func (h *Handler) Challenge(c echo.Context) error {
	var request ChallengeRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	given, err := h.Writer.Challenge(c.Request().Context(), request.DID)
	if err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusCreated, NewChallengeAnswer(given))
}

// Grant is POST /registry/v1/authorities.
func (h *Handler) Grant(c echo.Context) error {
	var request GrantRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	grant, err := request.grant()
	if err != nil {
		return err
	}
	who, err := actor(c)
	if err != nil {
		return err
	}
	granted, err := h.Writer.GrantAuthority(c.Request().Context(), who, grant)
	if err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusCreated, Page[AuthorityRecord]{Items: authorityRecords(granted)})
}

func (r GrantRequest) grant() (g registry.Grant, err error) {
	g = registry.Grant{
		Entity: r.Entity, Name: r.Name, Authority: r.Authority, Action: r.Action, Resources: r.Resources, Framework: r.Framework,
		AcceptSimilarName: r.AcceptSimilarName,
	}
	for _, level := range r.Levels {
		g.Levels = append(g.Levels, schemas.Level(level))
	}
	if g.ValidFrom, err = fieldTime("/validFrom", r.ValidFrom); err != nil {
		return g, err
	}
	if g.ValidUntil, err = fieldTime("/validUntil", r.ValidUntil); err != nil {
		return g, err
	}
	g.Control, err = r.Control.Proof()
	return g, err
}

// Proof reads the answer to a challenge. Its errors are *schemas.FieldError with pointers of a GrantRequest.
func (r ControlRequest) Proof() (p registry.ControlProof, err error) {
	p = registry.ControlProof{
		Challenge: registry.Challenge{Registry: r.Challenge.Registry, DID: r.Challenge.DID, Nonce: r.Challenge.Nonce}, Method: r.Method,
	}
	if p.Challenge.Expires, err = fieldTime("/control/challenge/expires", r.Challenge.Expires); err != nil {
		return p, err
	}
	if p.Signature, err = base64.RawURLEncoding.Strict().DecodeString(r.Signature); err != nil {
		return p, &schemas.FieldError{Pointer: "/control/signature", Expected: "base64url without padding", Err: schemas.ErrMalformed}
	}
	return p, nil
}

// NewChallengeAnswer is a challenge with the bytes to sign.
func NewChallengeAnswer(given registry.Challenge) ChallengeAnswer {
	return ChallengeAnswer{
		Challenge: Challenge{Registry: given.Registry, DID: given.DID, Nonce: given.Nonce, Expires: instant(given.Expires)},
		Message:   base64.RawURLEncoding.EncodeToString(given.Message()),
	}
}

// fieldTime reads a time of a body; empty is the zero time.
func fieldTime(pointer, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := schemas.ParseTime(text)
	if err != nil {
		return time.Time{}, &schemas.FieldError{Pointer: pointer, Expected: "a date and time with offset", Err: schemas.ErrMalformed}
	}
	return at, nil
}

// SetAuthorityStatus is POST /registry/v1/authorities/{id}/status.
func (h *Handler) SetAuthorityStatus(c echo.Context) error {
	var request AuthorityStatusRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	since, err := fieldTime("/since", request.Since)
	if err != nil {
		return err
	}
	status := registry.Status(request.Status)
	if !since.IsZero() && status != registry.Withdrawn {
		return &schemas.FieldError{Pointer: "/since", Expected: "no time but for withdrawn", Err: schemas.ErrMalformed}
	}
	who, err := actor(c)
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), edge.Param(c.Request(), c.Param("id"))
	var changed registry.Authority
	switch status {
	case registry.Active:
		changed, err = h.Writer.Reinstate(ctx, who, id, request.Reason)
	case registry.Suspended:
		changed, err = h.Writer.Suspend(ctx, who, id, request.Reason)
	case registry.Withdrawn:
		changed, err = h.Writer.Withdraw(ctx, who, id, since, request.Reason)
	default:
		err = &schemas.FieldError{Pointer: "/status", Expected: "active, suspended or withdrawn", Err: schemas.ErrMalformed}
	}
	if err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, authorityRecord(changed))
}

// Deactivate is POST /registry/v1/issuers/{did}/deactivate: every authority of the entity is suspended at once.
func (h *Handler) Deactivate(c echo.Context) error {
	var request DeactivateRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	who, err := actor(c)
	if err != nil {
		return err
	}
	n, err := h.Writer.Deactivate(c.Request().Context(), who, edge.DIDParam(c.Request(), c.Param("did")), request.Reason)
	if err != nil {
		return fmt.Errorf("deactivate: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, DeactivateAnswer{Suspended: n})
}

// Publish is PUT /registry/v1/{kind}/{name…}: the body is the document, published for good under its version.
func (h *Handler) Publish(kind registry.Kind) echo.HandlerFunc {
	return func(c echo.Context) error {
		body, mediaType, err := edge.Read(c.Request(), "application/json", "application/ld+json", "application/schema+json")
		if err != nil {
			return err
		}
		who, err := actor(c)
		if err != nil {
			return err
		}
		a, err := h.Writer.PublishArtefact(c.Request().Context(), who, registry.NewArtefact{
			Kind: kind, Name: edge.Param(c.Request(), c.Param("*")), MediaType: mediaType, Data: body,
		})
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return edge.JSON(c.Response(), http.StatusOK, h.artefactRecord(a))
	}
}

var _ Writer = (*registry.Registry)(nil)
