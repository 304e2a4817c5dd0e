package issuerapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"heartmark/api/edge"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// offerFault turns a wallet's error into one that names the member of the offer request. configurations is the member that
// named them.
func offerFault(err error, configurations string) error {
	fault, ok := errors.AsType[*oid4vci.Error](err)
	if !ok {
		return fmt.Errorf("offer: %w", err)
	}
	field := &schemas.FieldError{Expected: fault.Description, Err: schemas.ErrMalformed}
	if member, expected, ok := strings.Cut(fault.Description, ": expected "); ok {
		field.Pointer, field.Expected = "/"+member, expected
	}
	if fault.Code == oid4vci.CodeUnknownConfiguration {
		field = &schemas.FieldError{Pointer: configurations, Expected: "the ids of one to ten credential configurations, each once", Err: schemas.ErrMalformed}
	}
	return field
}

// CreateOffer is POST /v1/offers.
func (h *Handler) CreateOffer(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	var body OfferRequest
	if err := edge.ReadJSON(c.Request(), &body); err != nil {
		return err
	}
	configurations, member := body.Configurations, "/configurations"
	if body.Configuration != "" || len(configurations) == 0 {
		member = "/configuration"
	}
	if body.Configuration != "" {
		configurations = append([]string{body.Configuration}, configurations...)
	}
	o, err := h.Offers.CreateOffer(ctx, oid4vci.OfferRequest{
		Tenant: tenant, Configurations: configurations, ReportID: body.Report, Language: body.Language, Grants: body.Grants,
		Hold: body.Hold, Account: body.Account,
	})
	if err != nil {
		return offerFault(err, member)
	}
	c.Response().Header().Set("Location", "/v1/offers/"+url.PathEscape(o.ID))
	return edge.JSON(c.Response(), http.StatusCreated, OfferAnswer{
		ID: o.ID, URI: o.URI, ValueURI: o.ValueURI, Address: o.Address, Page: o.Address + "/page", QRPNG: o.Address + "/qr.png",
		QRSVG: o.Address + "/qr.svg", Offer: o.JSON, TxCode: o.TxCode, ExpiresAt: instant(o.ExpiresAt),
	})
}

// Offer is GET /v1/offers/{id}.
func (h *Handler) Offer(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	return h.offerState(ctx, c, tenant)
}

func (h *Handler) offerState(ctx context.Context, c echo.Context, tenant string) error {
	o, err := h.Offers.OfferStatus(ctx, tenant, edge.Param(c.Request(), c.Param("id")))
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	state := OfferState{
		ID: o.ID, Configurations: o.Configurations, Report: o.ReportID, State: string(o.State), Release: string(o.Release),
		Waiting: o.Waiting, CreatedAt: instant(o.CreatedAt), ExpiresAt: instant(o.ExpiresAt), WrongTries: o.WrongTries,
		Credentials: o.Credentials, Event: o.Event,
	}
	if len(o.Configurations) > 0 {
		state.Configuration = o.Configurations[0]
	}
	return edge.JSON(c.Response(), http.StatusOK, state)
}

// RevokeOffer is DELETE /v1/offers/{id}.
func (h *Handler) RevokeOffer(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	if err := h.Offers.RevokeOffer(ctx, tenant, edge.Param(c.Request(), c.Param("id"))); err != nil {
		return fmt.Errorf("revoke offer: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

// maxReason is as long as the reason of a status change may be.
const maxReason = 500

// Release is POST /v1/offers/{id}/release: a credential that is held back goes to the wallet when it asks again, or never.
// It is idempotent by nature.
func (h *Handler) Release(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	var body ReleaseRequest
	if err := edge.ReadJSON(c.Request(), &body); err != nil {
		return err
	}
	id := edge.Param(c.Request(), c.Param("id"))
	switch body.Decision {
	case string(oid4vci.ReleaseReleased):
		err = h.Offers.Release(ctx, tenant, id)
	case string(oid4vci.ReleaseRefused):
		if body.Reason == "" || len(body.Reason) > maxReason || strings.ContainsFunc(body.Reason, unicode.IsControl) {
			err = &schemas.FieldError{Pointer: "/reason", Expected: "a reason, for the record, of up to 500 printable characters", Err: schemas.ErrMalformed}
		} else {
			err = h.Offers.Refuse(ctx, tenant, id, body.Reason)
		}
	default:
		err = &schemas.FieldError{Pointer: "/decision", Expected: "released or refused", Err: schemas.ErrMalformed}
	}
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return h.offerState(ctx, c, tenant)
}
