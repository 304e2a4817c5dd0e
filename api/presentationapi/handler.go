package presentationapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/internal/qrcode"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/oid4vp"

	"github.com/labstack/echo/v4"
)

// Sessions asks wallets for presentations; *oid4vp.Service is one.
type Sessions interface {
	Create(ctx context.Context, a oid4vp.Ask) (oid4vp.Created, error)
	Read(ctx context.Context, tenant, transactionID, responseCode string) (oid4vp.Status, error)
	Wait(ctx context.Context, transactionID string, last oid4vp.State) (oid4vp.State, error)
	Request(ctx context.Context, requestID string, w oid4vp.Wallet) (string, error)
	Respond(ctx context.Context, requestID string, a oid4vp.Answer) (redirect string, err error)
	RespondFromBrowser(ctx context.Context, tenant, transactionID, origin string, data map[string]any) error
}

// Handler serves the routes of this package.
type Handler struct {
	// Sessions may be nil: every route then answers 503.
	Sessions Sessions
	// Words says in a language what came out of a check.
	Words func(lang string, c verifier.Check) string
	// waiting counts the streams that are open.
	waiting places
}

// New returns a handler.
func New(sessions Sessions, words func(lang string, c verifier.Check) string) *Handler {
	return &Handler{Sessions: sessions, Words: words, waiting: make(places, maxWaiting)}
}

func (h *Handler) ready() error {
	if h.Sessions == nil {
		return fmt.Errorf("presentations: %w", problem.ErrUnavailable)
	}
	return nil
}

// tenantOf is the caller's tenant, empty for one without a key.
func tenantOf(r *http.Request) string {
	caller, err := edge.CallerOf(r.Context())
	if err != nil {
		return ""
	}
	return caller.Tenant
}

// Create is POST /v1/presentations/requests. With Accept image/png or image/svg+xml the answer is the QR code of the wallet's
// link; the session's address, with the transaction id, is in Location in every case.
func (h *Handler) Create(c echo.Context) error {
	if err := h.ready(); err != nil {
		return err
	}
	r := c.Request()
	var body PresentationRequest
	if err := edge.ReadJSON(r, &body); err != nil {
		return err
	}
	ask, err := body.ask(tenantOf(r))
	if err != nil {
		return err
	}
	created, err := h.Sessions.Create(r.Context(), ask)
	if err != nil {
		return fmt.Errorf("create presentation request: %w", err)
	}
	c.Response().Header().Set("Location", "/v1/presentations/requests/"+created.TransactionID)
	if picture := pictureWanted(r); picture != "" && created.WalletURL != "" {
		return picturesque(c, picture, created.WalletURL)
	}
	answer := PresentationCreated{
		TransactionID: created.TransactionID, ClientID: created.ClientID, RequestURI: created.RequestURI,
		WalletURL: created.WalletURL, DigitalRequests: created.BrowserRequests, ExpiresAt: created.ExpiresAt,
	}
	if created.RequestURI != "" {
		answer.RequestURIMethod = "post"
	}
	return edge.JSON(c.Response(), http.StatusCreated, answer)
}

// ask reads the wire form; what it means is checked by oid4vp.
func (b PresentationRequest) ask(tenant string) (oid4vp.Ask, error) {
	a := oid4vp.Ask{
		Tenant: tenant, Query: b.DCQLQuery, Flow: oid4vp.Flow(b.Flow), Policy: b.Policy, Prefix: b.ClientIDPrefix, Nonce: b.Nonce,
		TransactionData: b.TransactionData, RedirectTemplate: b.RedirectURITemplate, Origins: b.ExpectedOrigins,
	}
	if b.Template != nil {
		a.Template = &oid4vp.Template{
			Dimension: schemas.Dimension(b.Template.Dimension), Level: schemas.Level(b.Template.Level),
			MaxAge: time.Duration(b.Template.MaxAgeDays) * 24 * time.Hour,
		}
	}
	modes := []string{"direct_post.jwt", "direct_post"}
	if a.Flow == oid4vp.BrowserAPI {
		modes = []string{"dc_api.jwt", "dc_api"}
	}
	switch b.ResponseMode {
	case "", modes[0]:
	case modes[1]:
		a.Plain = true
	default:
		return a, &schemas.FieldError{Pointer: "/response_mode", Expected: strings.Join(modes, " or "), Err: schemas.ErrMalformed}
	}
	return a, nil
}

const (
	mediaPNG = "image/png"
	mediaSVG = "image/svg+xml"
)

func pictureWanted(r *http.Request) string {
	accept := strings.Split(r.Header.Get("Accept"), ",")
	for _, media := range []string{mediaPNG, mediaSVG} {
		if slices.ContainsFunc(accept, func(a string) bool { return strings.HasPrefix(strings.TrimSpace(a), media) }) {
			return media
		}
	}
	return ""
}

func picturesque(c echo.Context, media, text string) error {
	draw := qrcode.SVG
	if media == mediaPNG {
		draw = qrcode.PNG
	}
	picture, err := draw(text)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusCreated, media, picture)
}

// Read is GET /v1/presentations/requests/{id}.
func (h *Handler) Read(c echo.Context) error {
	if err := h.ready(); err != nil {
		return err
	}
	r := c.Request()
	query, err := edge.Query(r, "response_code", "lang")
	if err != nil {
		return err
	}
	status, err := h.Sessions.Read(r.Context(), tenantOf(r), c.Param("id"), query["response_code"])
	if err != nil {
		return fmt.Errorf("read presentation request: %w", err)
	}
	lang := edge.Language(r)
	c.Response().Header().Set("Content-Language", lang)
	c.Response().Header().Add("Vary", "Accept-Language")
	if status.Outcome != nil && lang != schemas.LanguageEnglish {
		for i, p := range status.Outcome.Credentials {
			status.Outcome.Credentials[i].Result = p.Result.Translated(func(check verifier.Check) string { return h.Words(lang, check) })
		}
	}
	return edge.JSON(c.Response(), http.StatusOK, PresentationStatus{
		State: string(status.State), Flow: string(status.Flow), ExpiresAt: status.ExpiresAt, Error: status.Declined,
		ResponseCodeRequired: status.NeedsCode, Result: status.Outcome,
	})
}

// FromBrowser is POST /v1/presentations/requests/{id}/dc-api.
func (h *Handler) FromBrowser(c echo.Context) error {
	if err := h.ready(); err != nil {
		return err
	}
	r := c.Request()
	var body BrowserAnswer
	if err := edge.ReadJSON(r, &body); err != nil {
		return err
	}
	if err := h.Sessions.RespondFromBrowser(r.Context(), tenantOf(r), c.Param("id"), body.Origin, body.Data); err != nil {
		return fmt.Errorf("answer from a browser: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

// Request is GET and POST /oid4vp/{request}: the request object. Parameters that the specification does not know are ignored, as
// OAuth demands.
func (h *Handler) Request(c echo.Context) error {
	if err := h.ready(); err != nil {
		return err
	}
	var wallet oid4vp.Wallet
	if c.Request().Method == http.MethodPost && c.Request().ContentLength != 0 {
		form, err := edge.ReadForm(c.Request())
		if err != nil {
			return err
		}
		wallet = oid4vp.Wallet{Nonce: form.Get("wallet_nonce"), Metadata: form.Get("wallet_metadata")}
	}
	object, err := h.Sessions.Request(c.Request().Context(), c.Param("request"), wallet)
	if err != nil {
		return fmt.Errorf("request object: %w", err)
	}
	return c.Blob(http.StatusOK, "application/oauth-authz-req+jwt", []byte(object))
}

// Respond is POST /oid4vp/{request}/response.
func (h *Handler) Respond(c echo.Context) error {
	if err := h.ready(); err != nil {
		return err
	}
	form, err := edge.ReadForm(c.Request())
	if err != nil {
		return err
	}
	redirect, err := h.Sessions.Respond(c.Request().Context(), c.Param("request"), oid4vp.Answer{
		State: form.Get("state"), VPToken: form.Get("vp_token"), Response: form.Get("response"), Error: form.Get("error"),
	})
	if err != nil {
		return fmt.Errorf("wallet's answer: %w", err)
	}
	answer := map[string]string{}
	if redirect != "" {
		answer["redirect_uri"] = redirect
	}
	return edge.JSON(c.Response(), http.StatusOK, answer)
}
