package issuerapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// metadataAge is how long a wallet may keep metadata without asking.
const metadataAge = 5 * time.Minute

// IssuerMetadata is GET /.well-known/openid-credential-issuer/oid4vci/{issuer} and the same below the issuer's own path. The
// signed form goes to those who ask for it (OpenID4VCI 1.0, 12.2.2).
func (h *Handler) IssuerMetadata(c echo.Context) error {
	ctx, tenant := c.Request().Context(), edge.Param(c.Request(), c.Param("issuer"))
	c.Response().Header().Add("Vary", "Accept")
	if wantsSigned(c.Request()) {
		signed, err := h.Metadata.SignedMetadata(ctx, tenant)
		if err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
		return edge.Public{Body: []byte(signed), MediaType: "application/jwt", MaxAge: metadataAge}.Serve(c.Response(), c.Request())
	}
	m, err := h.Metadata.Metadata(ctx, tenant)
	return serveMetadata(c, m, err)
}

// wantsSigned reports whether application/jwt is named in Accept before application/json.
func wantsSigned(r *http.Request) bool {
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			switch mediaType, _, _ := strings.Cut(strings.TrimSpace(part), ";"); strings.ToLower(strings.TrimSpace(mediaType)) {
			case "application/jwt":
				return true
			case "application/json":
				return false
			}
		}
	}
	return false
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

// OfferPicture is GET /oid4vci/{issuer}/offers/{ref}/qr.png and qr.svg: the QR code of the offer.
func (h *Handler) OfferPicture(mediaType string, draw func(text string) ([]byte, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		card, err := h.card(c)
		if err != nil {
			return err
		}
		picture, err := draw(card.URI)
		if err != nil {
			return fmt.Errorf("offer: %w", err)
		}
		return c.Blob(http.StatusOK, mediaType, picture)
	}
}

// OfferPage is GET /oid4vci/{issuer}/offers/{ref}/page, for the holder's eyes.
func (h *Handler) OfferPage(c echo.Context) error {
	card, err := h.card(c)
	if err != nil {
		return err
	}
	return h.Pages.Offer(c.Response(), c.Request(), card, strings.TrimSuffix(c.Request().URL.EscapedPath(), "page")+"qr.svg")
}

func (h *Handler) card(c echo.Context) (oid4vci.OfferCard, error) {
	ref := edge.Param(c.Request(), c.Param("ref"))
	if err := tooLong(ref); err != nil {
		return oid4vci.OfferCard{}, err
	}
	card, err := h.Wallets.OfferCard(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")), ref)
	if err != nil {
		return oid4vci.OfferCard{}, fmt.Errorf("offer: %w", err)
	}
	return card, nil
}

// assertion is how the client authenticates.
func assertion(r *http.Request) oid4vci.ClientAssertion {
	return oid4vci.ClientAssertion{
		Attestation: r.Header.Values("OAuth-Client-Attestation"), Proof: r.Header.Values("OAuth-Client-Attestation-PoP"),
	}
}

// nextNonce gives a wallet that uses DPoP the nonce for its next proof (RFC 9449, 8.2).
func (h *Handler) nextNonce(c echo.Context, tenant string) {
	if len(c.Request().Header.Values("DPoP")) > 0 {
		c.Response().Header().Set("DPoP-Nonce", h.Wallets.DPoPNonce(tenant))
	}
}

// Push is POST /oid4vci/{issuer}/par (RFC 9126, 2).
func (h *Handler) Push(c echo.Context) error {
	form, err := edge.ReadForm(c.Request(), "resource")
	if err != nil {
		return err
	}
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	pushed, err := h.Wallets.Push(c.Request().Context(), oid4vci.AuthorizationRequest{
		Tenant: tenant, ResponseType: form.Get("response_type"), ClientID: form.Get("client_id"), RedirectURI: form.Get("redirect_uri"),
		State: form.Get("state"), Scope: form.Get("scope"), IssuerState: form.Get("issuer_state"),
		CodeChallenge: form.Get("code_challenge"), CodeChallengeMethod: form.Get("code_challenge_method"),
		AuthorizationDetails: form.Get("authorization_details"), DPoPKey: form.Get("dpop_jkt"),
		HasRequest: form.Has("request") || form.Has("request_uri"), Resource: form["resource"],
		DPoP: c.Request().Header.Values("DPoP"), ClientAssertion: assertion(c.Request()),
	})
	if err != nil {
		return fmt.Errorf("pushed request: %w", err)
	}
	h.nextNonce(c, tenant)
	return edge.JSON(c.Response(), http.StatusCreated, pushed)
}

// Token is POST /oid4vci/{issuer}/token (6).
func (h *Handler) Token(c echo.Context) error {
	form, err := edge.ReadForm(c.Request(), "resource")
	if err != nil {
		return err
	}
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	answer, err := h.Wallets.Token(c.Request().Context(), oid4vci.TokenRequest{
		Tenant: tenant, GrantType: form.Get("grant_type"), PreAuthorizedCode: form.Get("pre-authorized_code"),
		TxCode: form.Get("tx_code"), HasTxCode: form.Has("tx_code"), Code: form.Get("code"), RedirectURI: form.Get("redirect_uri"),
		CodeVerifier: form.Get("code_verifier"), RefreshToken: form.Get("refresh_token"), ClientID: form.Get("client_id"),
		Resource: form["resource"], AuthorizationDetails: form.Get("authorization_details"),
		DPoP: c.Request().Header.Values("DPoP"), ClientAssertion: assertion(c.Request()),
	})
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	h.nextNonce(c, tenant)
	c.Response().Header().Set("Pragma", "no-cache")
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// Nonce is POST /oid4vci/{issuer}/nonce (7). Whatever a client sends as its body is not read. A wallet that will use DPoP
// gets the nonce for that too.
func (h *Handler) Nonce(c echo.Context) error {
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	nonce, err := h.Wallets.Nonce(c.Request().Context(), tenant)
	if err != nil {
		return fmt.Errorf("nonce: %w", err)
	}
	c.Response().Header().Set("DPoP-Nonce", h.Wallets.DPoPNonce(tenant))
	return edge.JSON(c.Response(), http.StatusOK, NonceAnswer{CNonce: nonce})
}

// Challenge is POST /oid4vci/{issuer}/challenge, for attestation-based client authentication.
func (h *Handler) Challenge(c echo.Context) error {
	challenge, err := h.Wallets.Challenge(c.Request().Context(), edge.Param(c.Request(), c.Param("issuer")))
	if err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, AttestationChallenge{Challenge: challenge})
}

// request reads the body of a credential or deferred credential request, decrypted where it was encrypted (10).
func (h *Handler) request(c echo.Context, tenant string) (body []byte, encrypted bool, err error) {
	body, mediaType, err := edge.Read(c.Request(), "application/json", "application/jwt")
	if err != nil || mediaType == "application/json" {
		return body, false, err
	}
	body, err = h.Wallets.OpenRequest(tenant, body)
	return body, true, err
}

// answer sends credentials, or the word that they are not ready.
func (h *Handler) answer(c echo.Context, tenant string, r oid4vci.CredentialResponse) error {
	status, mediaType, body, err := r.Encode()
	if err != nil {
		return err
	}
	h.nextNonce(c, tenant)
	if r.Interval > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(r.Interval))
	}
	return c.Blob(status, mediaType, body)
}

// Credential is POST /oid4vci/{issuer}/credential (8).
func (h *Handler) Credential(c echo.Context) error {
	access, err := accessOf(c.Request())
	if err != nil {
		return err
	}
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	body, encrypted, err := h.request(c, tenant)
	if err != nil {
		return err
	}
	request, err := oid4vci.ParseCredentialRequest(body)
	if err != nil {
		return err
	}
	request.Encrypted = encrypted
	answer, err := h.Wallets.Credential(c.Request().Context(), tenant, access, request)
	if err != nil {
		return fmt.Errorf("credential: %w", err)
	}
	return h.answer(c, tenant, answer)
}

// Deferred is POST /oid4vci/{issuer}/deferred (9).
func (h *Handler) Deferred(c echo.Context) error {
	access, err := accessOf(c.Request())
	if err != nil {
		return err
	}
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	body, encrypted, err := h.request(c, tenant)
	if err != nil {
		return err
	}
	request, err := oid4vci.ParseDeferredRequest(body)
	if err != nil {
		return err
	}
	request.Encrypted = encrypted
	answer, err := h.Wallets.Deferred(c.Request().Context(), tenant, access, request)
	if err != nil {
		return fmt.Errorf("deferred credential: %w", err)
	}
	return h.answer(c, tenant, answer)
}

// Notification is POST /oid4vci/{issuer}/notification (11).
func (h *Handler) Notification(c echo.Context) error {
	access, err := accessOf(c.Request())
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
	tenant := edge.Param(c.Request(), c.Param("issuer"))
	if err := h.Wallets.Notify(c.Request().Context(), tenant, access, notification); err != nil {
		return fmt.Errorf("notification: %w", err)
	}
	h.nextNonce(c, tenant)
	return c.NoContent(http.StatusNoContent)
}

// accessOf returns the access token of the Authorization header, empty where there is none, and the DPoP proofs. A token
// in the query is refused, since addresses end up in logs (RFC 6750, 2.3; RFC 9700, 4.3.2), and so is one that is given
// twice.
func accessOf(r *http.Request) (oid4vci.Access, error) {
	if _, inQuery := r.URL.Query()["access_token"]; inQuery {
		return oid4vci.Access{}, &oid4vci.Error{
			Code: oid4vci.CodeInvalidRequest, Description: "the access token belongs in the Authorization header", Status: http.StatusBadRequest,
		}
	}
	values := r.Header.Values("Authorization")
	if len(values) > 1 {
		return oid4vci.Access{}, &oid4vci.Error{
			Code: oid4vci.CodeInvalidRequest, Description: "the Authorization header occurs twice", Status: http.StatusBadRequest,
		}
	}
	access := oid4vci.Access{DPoP: r.Header.Values("DPoP")}
	if len(values) == 1 {
		scheme, token, _ := strings.Cut(values[0], " ")
		access.Scheme, access.Token = scheme, strings.TrimSpace(token)
	}
	return access, nil
}

var (
	_ Offers   = (*oid4vci.Service)(nil)
	_ Wallets  = (*oid4vci.Service)(nil)
	_ Holders  = (*oid4vci.Service)(nil)
	_ Metadata = (*oid4vci.Service)(nil)
)
