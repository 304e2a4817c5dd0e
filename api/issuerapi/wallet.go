package issuerapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// metadataAge is how long a wallet may keep metadata without asking.
const metadataAge = 5 * time.Minute

// IssuerMetadata is GET /.well-known/openid-credential-issuer/oid4vci/{issuer} and the same below the issuer's own path.
func (h *Handler) IssuerMetadata(c echo.Context) error {
	m, err := h.Metadata.Metadata(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")))
	return serveMetadata(c, m, err)
}

// ServerMetadata is the authorization server's document, in its inserted and its appended place (RFC 8414, 3).
func (h *Handler) ServerMetadata(c echo.Context) error {
	m, err := h.Metadata.ASMetadata(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")))
	return serveMetadata(c, m, err)
}

func serveMetadata(c echo.Context, m map[string]any, err error) error {
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	body, err := schemas.Marshal(m)
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	return edge.Public{Body: body, MediaType: "application/json", MaxAge: metadataAge}.Serve(c.Response(), c.Request())
}

// OfferByReference is GET /oid4vci/{issuer}/offers/{ref} (OpenID4VCI 1.0, 4.1.3).
func (h *Handler) OfferByReference(c echo.Context) error {
	ref := edge.Param(c.Request(), c.Param("ref"))
	if err := tooLong(ref); err != nil {
		return err
	}
	offer, err := h.Wallets.OfferByRef(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")), ref)
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	return c.Blob(http.StatusOK, "application/json", offer)
}

// Token is POST /oid4vci/{issuer}/token (6).
func (h *Handler) Token(c echo.Context) error {
	form, err := edge.ReadForm(c.Request(), "resource")
	if err != nil {
		return err
	}
	_, hasTxCode := form["tx_code"]
	answer, err := h.Wallets.Token(c.Request().Context(), oid4vci.TokenRequest{
		Tenant: edge.Param(c.Request(), c.Param("issuer")), GrantType: form.Get("grant_type"), PreAuthorizedCode: form.Get("pre-authorized_code"),
		TxCode: form.Get("tx_code"), HasTxCode: hasTxCode, ClientID: form.Get("client_id"), Resource: form["resource"],
		AuthorizationDetails: form.Get("authorization_details"),
	})
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	c.Response().Header().Set("Pragma", "no-cache")
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// Nonce is POST /oid4vci/{issuer}/nonce (7). Whatever a client sends as its body is not read.
func (h *Handler) Nonce(c echo.Context) error {
	nonce, err := h.Wallets.Nonce(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")))
	if err != nil {
		return fmt.Errorf("nonce: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, NonceAnswer{CNonce: nonce})
}

// Credential is POST /oid4vci/{issuer}/credential (8).
func (h *Handler) Credential(c echo.Context) error {
	token, err := bearer(c.Request())
	if err != nil {
		return err
	}
	body, _, err := edge.Read(c.Request(), "application/json")
	if err != nil {
		return err
	}
	request, err := oid4vci.ParseCredentialRequest(body)
	if err != nil {
		return err
	}
	answer, err := h.Wallets.Credential(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")), token, request)
	if err != nil {
		return fmt.Errorf("credential: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// Notification is POST /oid4vci/{issuer}/notification (11).
func (h *Handler) Notification(c echo.Context) error {
	token, err := bearer(c.Request())
	if err != nil {
		return err
	}
	body, _, err := edge.Read(c.Request(), "application/json")
	if err != nil {
		return err
	}
	notification, err := oid4vci.ParseNotification(body)
	if err != nil {
		return err
	}
	if err := h.Wallets.Notify(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")), token, notification); err != nil {
		return fmt.Errorf("notification: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

// bearer returns the access token of the Authorization header, empty where there is none. A token in the query is
// refused, since addresses end up in logs (RFC 6750, 2.3; RFC 9700, 4.3.2), and so is one that is given twice.
func bearer(r *http.Request) (string, error) {
	if _, inQuery := r.URL.Query()["access_token"]; inQuery {
		return "", &oid4vci.Error{
			Code: oid4vci.CodeInvalidRequest, Description: "the access token belongs in the Authorization header", Status: http.StatusBadRequest,
		}
	}
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return "", &oid4vci.Error{
			Code: oid4vci.CodeInvalidRequest, Description: "the Authorization header occurs twice", Status: http.StatusBadRequest,
		}
	}
	if len(values) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	return strings.TrimSpace(token), nil
}

var (
	_ Offers   = (*oid4vci.Service)(nil)
	_ Wallets  = (*oid4vci.Service)(nil)
	_ Metadata = (*oid4vci.Service)(nil)
)
