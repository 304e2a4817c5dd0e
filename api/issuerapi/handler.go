package issuerapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Issuer issues and keeps credentials; *issuer.Issuer is one.
type Issuer interface {
	Issue(ctx context.Context, r issuer.Request) (issuer.Issued, error)
	Get(ctx context.Context, tenant string, id schemas.CredentialID) (issuer.Issued, error)
	List(ctx context.Context, tenant, cursor string, limit int) ([]issuer.Issued, string, error)
	Configurations() []issuer.Configuration
}

// StatusChanger changes the status of credentials; *issuer.Issuer is one.
type StatusChanger interface {
	Revoke(ctx context.Context, tenant string, id schemas.CredentialID, reason string) error
	Suspend(ctx context.Context, tenant string, id schemas.CredentialID, reason string) error
	Reinstate(ctx context.Context, tenant string, id schemas.CredentialID, reason string) error
}

// Offers makes and follows offers; *oid4vci.Service is one.
type Offers interface {
	CreateOffer(ctx context.Context, r oid4vci.OfferRequest) (oid4vci.Offer, error)
	OfferStatus(ctx context.Context, tenant, id string) (oid4vci.OfferStatus, error)
	RevokeOffer(ctx context.Context, tenant, id string) error
}

// Wallets answers wallets; *oid4vci.Service is one.
type Wallets interface {
	OfferByRef(ctx context.Context, tenant, ref string) ([]byte, error)
	Token(ctx context.Context, r oid4vci.TokenRequest) (oid4vci.TokenResponse, error)
	Nonce(ctx context.Context, tenant string) (string, error)
	Credential(ctx context.Context, tenant, accessToken string, r oid4vci.CredentialRequest) (oid4vci.CredentialResponse, error)
	Notify(ctx context.Context, tenant, accessToken string, n oid4vci.Notification) error
}

// Metadata describes a tenant's issuer to wallets; *oid4vci.Service is one.
type Metadata interface {
	Metadata(ctx context.Context, tenant string) (map[string]any, error)
	ASMetadata(ctx context.Context, tenant string) (map[string]any, error)
}

// Handler serves the routes of this package. All fields are required.
type Handler struct {
	Issuer   Issuer
	Status   StatusChanger
	Offers   Offers
	Wallets  Wallets
	Metadata Metadata
}

// caller returns the tenant that the key stands for and a context that names the key in the audit trail.
func caller(c echo.Context) (context.Context, string, error) {
	ctx := c.Request().Context()
	who, err := edge.CallerOf(ctx)
	if err != nil {
		return nil, "", err
	}
	return issuer.WithActor(ctx, "key:"+who.KeyID), who.Tenant, nil
}

// Issue is POST /v1/credentials.
func (h *Handler) Issue(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	var body CredentialRequest
	if err := edge.ReadJSON(c.Request(), &body); err != nil {
		return err
	}
	key, err := edge.IdempotencyKey(c.Request())
	if err != nil {
		return err
	}
	issued, err := h.Issuer.Issue(ctx, issuer.Request{
		Tenant: tenant, Configuration: body.Configuration, ReportID: body.Report, HolderID: body.Subject.ID,
		IdempotencyKey: key, Language: body.Language, Audience: body.Audience, NoSources: body.NoSources,
	})
	if err != nil {
		return fmt.Errorf("issue: %w", err)
	}
	c.Response().Header().Set("Location", "/v1/credentials/"+url.PathEscape(string(issued.ID)))
	return edge.JSON(c.Response(), http.StatusCreated, credential(issued))
}

// Get is GET /v1/credentials/{id}.
func (h *Handler) Get(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	issued, err := h.Issuer.Get(ctx, tenant, schemas.CredentialID(edge.Param(c.Request(), c.Param("id"))))
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, credential(issued))
}

// List is GET /v1/credentials.
func (h *Handler) List(c echo.Context) error {
	ctx, tenant, err := caller(c)
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
	issued, next, err := h.Issuer.List(ctx, tenant, query["cursor"], limit)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	page := CredentialPage{Items: make([]CredentialAnswer, 0, len(issued)), Next: next}
	for _, i := range issued {
		page.Items = append(page.Items, credential(i))
	}
	if next != "" {
		c.Response().Header().Set("Link", `</v1/credentials?limit=`+strconv.Itoa(limit)+`&cursor=`+url.QueryEscape(next)+`>; rel="next"`)
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// SetStatus is POST /v1/credentials/{id}/status. It is idempotent by nature.
func (h *Handler) SetStatus(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	var body StatusRequest
	if err := edge.ReadJSON(c.Request(), &body); err != nil {
		return err
	}
	id := schemas.CredentialID(edge.Param(c.Request(), c.Param("id")))
	switch body.Status {
	case "revoked":
		err = h.Status.Revoke(ctx, tenant, id, body.Reason)
	case "suspended":
		err = h.Status.Suspend(ctx, tenant, id, body.Reason)
	case "active":
		err = h.Status.Reinstate(ctx, tenant, id, body.Reason)
	default:
		err = &schemas.FieldError{Pointer: "/status", Expected: "active, suspended or revoked", Err: schemas.ErrMalformed}
	}
	if err != nil {
		return fmt.Errorf("set status: %w", err)
	}
	issued, err := h.Issuer.Get(ctx, tenant, id)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, StatusAnswer{
		ID: string(id), Status: statusWord(issued.Status), StatusAt: instant(issued.StatusAt),
	})
}

// Configurations is GET /v1/configurations.
func (h *Handler) Configurations(c echo.Context) error {
	page := ConfigurationPage{Items: []ConfigurationAnswer{}}
	for _, conf := range h.Issuer.Configurations() {
		item := ConfigurationAnswer{
			ID: conf.ID, Achievement: conf.Achievement, Format: conf.Forms[0].Format, Cryptosuite: conf.Forms[0].Cryptosuite, Forms: conf.Forms,
			ValidityHours: int(conf.Validity.Hours()), Review: conf.Review, Suspendable: !conf.NoSuspension,
			Display: []DisplayAnswer{},
		}
		for _, lang := range schemas.Languages() {
			if d, ok := conf.Display[lang]; ok {
				item.Display = append(item.Display, DisplayAnswer{Locale: lang, Name: d.Name, Description: d.Description})
			}
		}
		page.Items = append(page.Items, item)
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// credential puts an issued credential on the wire.
func credential(i issuer.Issued) CredentialAnswer {
	a := CredentialAnswer{
		ID: string(i.ID), Configuration: i.Configuration, Status: statusWord(i.Status), IssuedAt: instant(i.IssuedAt),
		ValidFrom: i.ValidFrom, ValidUntil: i.ValidUntil, Log: LogState{LogProof: i.Log},
	}
	if i.Log == nil {
		a.Log.State = "pending"
	}
	for _, f := range i.Forms {
		a.Credentials = append(a.Credentials, FormCredential{Format: f.Format, Credential: f.Credential})
	}
	return a
}

// statusWord is the status as this interface spells it: what is not revoked or suspended is active.
func statusWord(s issuer.Status) string {
	switch s {
	case issuer.StatusRevoked:
		return "revoked"
	case issuer.StatusSuspended:
		return "suspended"
	case issuer.StatusValid:
		return "active"
	}
	return string(s)
}

// offerFault turns a wallet's error into one that names the member of the offer request.
func offerFault(err error) error {
	fault, ok := errors.AsType[*oid4vci.Error](err)
	if !ok {
		return fmt.Errorf("offer: %w", err)
	}
	field := &schemas.FieldError{Expected: fault.Description, Err: schemas.ErrMalformed}
	if fault.Code == oid4vci.CodeUnknownConfiguration {
		field = &schemas.FieldError{Pointer: "/configuration", Expected: "the id of a credential configuration", Err: schemas.ErrMalformed}
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
	o, err := h.Offers.CreateOffer(ctx, oid4vci.OfferRequest{
		Tenant: tenant, Configuration: body.Configuration, ReportID: body.Report, Language: body.Language,
	})
	if err != nil {
		return offerFault(err)
	}
	c.Response().Header().Set("Location", "/v1/offers/"+url.PathEscape(o.ID))
	return edge.JSON(c.Response(), http.StatusCreated, OfferAnswer{
		ID: o.ID, URI: o.URI, Address: o.Address, Offer: o.JSON, TxCode: o.TxCode, ExpiresAt: instant(o.ExpiresAt),
	})
}

// Offer is GET /v1/offers/{id}.
func (h *Handler) Offer(c echo.Context) error {
	ctx, tenant, err := caller(c)
	if err != nil {
		return err
	}
	o, err := h.Offers.OfferStatus(ctx, tenant, edge.Param(c.Request(), c.Param("id")))
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, OfferState{
		ID: o.ID, Configuration: o.Configuration, Report: o.ReportID, State: string(o.State), CreatedAt: instant(o.CreatedAt),
		ExpiresAt: instant(o.ExpiresAt), WrongTries: o.WrongTries, Credentials: o.Credentials, Event: o.Event,
	})
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

var _ Issuer = (*issuer.Issuer)(nil)

var _ StatusChanger = (*issuer.Issuer)(nil)

// tooLong reports whether a path segment cannot name anything, before it is looked up.
func tooLong(s string) error {
	const longest = 256
	if len(s) > longest {
		return problem.ErrNotFound
	}
	return nil
}
