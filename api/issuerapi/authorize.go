package issuerapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/ui"

	"github.com/labstack/echo/v4"
)

// maxRequestURI bounds a request_uri; ours are far shorter.
const maxRequestURI = 512

// Authorize is GET /oid4vci/{issuer}/authorize (RFC 6749, 3.1; RFC 9126, 4): the page of a pushed request. A request that is
// unknown or ended has nobody to be sent back to, and is answered as a page too.
func (h *Handler) Authorize(c echo.Context) error {
	query, err := edge.OpenQuery(c.Request(), "request_uri", "client_id")
	if err != nil {
		return err
	}
	return h.showRequest(c, query["request_uri"], query["client_id"], false)
}

func (h *Handler) showRequest(c echo.Context, requestURI, clientID string, wrong bool) error {
	if len(requestURI) > maxRequestURI {
		return problem.ErrNotFound
	}
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	page, err := h.Holders.Authorization(c.Request().Context(), tenant, requestURI, clientID)
	if err != nil {
		return fmt.Errorf("authorization: %w", err)
	}
	// Browsers hold the end of a redirect against form-action too.
	header := c.Response().Header()
	header.Set("Content-Security-Policy", strings.Replace(header.Get("Content-Security-Policy"), "form-action 'self'", "form-action 'self' "+page.Target, 1))
	return h.Pages.Authorize(c.Response(), c.Request(), ui.Authorize{
		AuthorizationPage: page, Tenant: tenant, RequestURI: requestURI, Path: "/oid4vci/" + url.PathEscape(tenant) + "/authorize", Wrong: wrong,
	})
}

// Decide is POST /oid4vci/{issuer}/authorize: the holder's answer. It needs the transaction code, which no other site knows;
// a form of another site is refused all the same.
func (h *Handler) Decide(c echo.Context) error {
	r := c.Request()
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return problem.ErrForbidden
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "null" && origin != h.Origin {
		return problem.ErrForbidden
	}
	form, err := edge.ReadForm(r)
	if err != nil {
		return err
	}
	requestURI, clientID := form.Get("request_uri"), form.Get("client_id")
	if len(requestURI) > maxRequestURI {
		return problem.ErrNotFound
	}
	tenant := edge.Param(r, c.Param("issuer"))
	if form.Get("decision") != "allow" {
		denied, err := h.Holders.Deny(r.Context(), tenant, requestURI, clientID)
		if err != nil {
			return fmt.Errorf("authorization: %w", err)
		}
		return c.Redirect(http.StatusSeeOther, denied.RedirectTo)
	}
	decision, err := h.Holders.Approve(r.Context(), tenant, requestURI, clientID, form.Get("tx_code"))
	if err != nil {
		return fmt.Errorf("authorization: %w", err)
	}
	if decision.Wrong {
		return h.showRequest(c, requestURI, clientID, true)
	}
	return c.Redirect(http.StatusSeeOther, decision.RedirectTo)
}

// loginCookie ties a sign-in at the external provider to the browser that began it.
const loginCookie = "heartmark-login"

// loginPath is where the external provider sends people back to.
const loginPath = "/login/callback"

// Login is GET /oid4vci/{issuer}/authorize/login: it sends the holder to the external provider.
func (h *Handler) Login(c echo.Context) error {
	query, err := edge.OpenQuery(c.Request(), "request_uri", "client_id")
	if err != nil {
		return err
	}
	if len(query["request_uri"]) > maxRequestURI {
		return problem.ErrNotFound
	}
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	start, err := h.Holders.BeginLogin(c.Request().Context(), tenant, query["request_uri"], query["client_id"])
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	h.setLogin(c, start.Cookie, 600)
	return c.Redirect(http.StatusSeeOther, start.URL)
}

func (h *Handler) setLogin(c echo.Context, value string, maxAge int) {
	c.SetCookie(&http.Cookie{ //nolint:gosec // G124: Secure wherever the origin is https; in development it is http on loopback
		Name: loginCookie, Value: value, Path: loginPath, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(h.Origin, "https:"),
	})
}

// LoginCallback is GET /login/callback: the external provider's answer (OpenID Connect Core 1.0, 3.1.2.5).
func (h *Handler) LoginCallback(c echo.Context) error {
	query, err := edge.OpenQuery(c.Request(), "state", "code", "error")
	if err != nil {
		return err
	}
	cookie, err := c.Cookie(loginCookie)
	if err != nil || len(query["state"]) > maxRequestURI {
		return problem.ErrNotFound
	}
	code := query["code"]
	if _, failed := query["error"]; failed {
		code = ""
	}
	decision, err := h.Holders.FinishLogin(c.Request().Context(), query["state"], cookie.Value, code)
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	h.setLogin(c, "", -1)
	if decision.Wrong {
		return h.Pages.OtherAccount(c.Response(), c.Request())
	}
	return c.Redirect(http.StatusSeeOther, decision.RedirectTo)
}
