package registryapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/registry"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Federation makes the statements of OpenID Federation 1.0; *registry.Registry is one.
type Federation interface {
	EntityID(tenant string) string
	EntityConfiguration(ctx context.Context, tenant string, metadata map[string]any) (string, error)
	SubordinateStatement(ctx context.Context, entity string) (string, error)
	Subordinates(ctx context.Context, mark string) ([]string, error)
	Resolve(ctx context.Context, entity, configuration string) (string, error)
	TrustMarkStatus(ctx context.Context, mark string) (string, error)
}

// IssuerMetadata describes a tenant as credential issuer and as authorization server.
type IssuerMetadata interface {
	Metadata(ctx context.Context, tenant string) (map[string]any, error)
	ASMetadata(ctx context.Context, tenant string) (map[string]any, error)
}

// statementAge is how long a cache may keep a statement: well below its life.
const statementAge = time.Minute

const entityStatement = "application/entity-statement+jwt"

func statement(c echo.Context, token, mediaType string) error {
	return serve(c, edge.Public{Body: []byte(token), MediaType: mediaType, MaxAge: statementAge})
}

// EntityConfiguration is GET /.well-known/openid-federation, and the same below an issuer's identifier.
func (h *Handler) EntityConfiguration(c echo.Context) error {
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	token, err := h.configuration(c, edge.Param(c.Request(), c.Param("issuer")))
	if err != nil {
		return err
	}
	return statement(c, token, entityStatement)
}

func (h *Handler) configuration(c echo.Context, tenant string) (string, error) {
	ctx := c.Request().Context()
	var metadata map[string]any
	if tenant != "" {
		issuer, err := h.Metadata.Metadata(ctx, tenant)
		if err != nil {
			return "", fmt.Errorf("issuer metadata: %w", err)
		}
		server, err := h.Metadata.ASMetadata(ctx, tenant)
		if err != nil {
			return "", fmt.Errorf("server metadata: %w", err)
		}
		metadata = map[string]any{"openid_credential_issuer": issuer, "oauth_authorization_server": server}
	}
	token, err := h.Federation.EntityConfiguration(ctx, tenant, metadata)
	if err != nil {
		return "", fmt.Errorf("entity configuration: %w", err)
	}
	return token, nil
}

// FederationFetch is GET /registry/v1/federation/fetch?sub=: what the registry says of a subordinate.
func (h *Handler) FederationFetch(c echo.Context) error {
	query, err := edge.Query(c.Request(), "sub", "iss")
	if err != nil {
		return err
	}
	token, err := h.Federation.SubordinateStatement(c.Request().Context(), query["sub"])
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	return statement(c, token, entityStatement)
}

// FederationList is GET /registry/v1/federation/list: the issuers that may issue something now.
func (h *Handler) FederationList(c echo.Context) error {
	query, err := edge.Query(c.Request(), "entity_type", "trust_marked", "trust_mark_type", "intermediate")
	if err != nil {
		return err
	}
	found, err := h.Federation.Subordinates(c.Request().Context(), query["trust_mark_type"])
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	issuers := map[string]bool{"": true, "openid_credential_issuer": true, "oauth_authorization_server": true}
	if !issuers[query["entity_type"]] || query["trust_marked"] == "false" || query["intermediate"] == "true" {
		found = []string{} // all are marked issuers, none has subordinates of its own
	}
	body, err := schemas.Marshal(found)
	if err != nil {
		return fmt.Errorf("encode list: %w", err)
	}
	return serve(c, edge.Public{Body: body, MediaType: "application/json", MaxAge: statementAge})
}

// FederationResolve is GET /registry/v1/federation/resolve?sub=&trust_anchor=: metadata and chain of a subordinate.
func (h *Handler) FederationResolve(c echo.Context) error {
	query, err := edge.Query(c.Request(), "sub", "trust_anchor", "entity_type")
	if err != nil {
		return err
	}
	if query["trust_anchor"] != h.Federation.EntityID("") {
		return fmt.Errorf("trust anchor: %w", registry.ErrNotFound)
	}
	sub := query["sub"]
	tenant, ok := h.tenantOfEntity(sub)
	if !ok {
		return fmt.Errorf("entity: %w", registry.ErrNotFound)
	}
	configuration, err := h.configuration(c, tenant)
	if err != nil {
		return err
	}
	token, err := h.Federation.Resolve(c.Request().Context(), sub, configuration)
	if err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	return statement(c, token, "application/resolve-response+jwt")
}

// tenantOfEntity returns the tenant whose Entity Identifier sub is.
func (h *Handler) tenantOfEntity(sub string) (string, bool) {
	base := h.Federation.EntityID("x")
	base = base[:len(base)-1]
	if len(sub) <= len(base) || sub[:len(base)] != base {
		return "", false
	}
	tenant := sub[len(base):]
	return tenant, schemas.CheckTenantName(tenant) == nil
}

// TrustMarkStatus is POST /registry/v1/federation/trust-mark-status.
func (h *Handler) TrustMarkStatus(c echo.Context) error {
	form, err := edge.ReadForm(c.Request())
	if err != nil {
		return err
	}
	token, err := h.Federation.TrustMarkStatus(c.Request().Context(), form.Get("trust_mark"))
	if err != nil {
		return fmt.Errorf("trust mark: %w", err)
	}
	c.Response().Header().Set("Content-Type", "application/trust-mark-status-response+jwt")
	c.Response().WriteHeader(http.StatusOK)
	_, _ = c.Response().Write([]byte(token)) // the client may be gone; there is nobody left to tell
	return nil
}

// Accreditations is GET /registry/v1/issuers/{did}/accreditations: credentials for what it may do at ?time=, each with the
// chain above it.
func (h *Handler) Accreditations(c echo.Context) error {
	query, err := edge.Query(c.Request(), "time", "resource")
	if err != nil {
		return err
	}
	at, err := queryTime(query["time"])
	if err != nil {
		return err
	}
	found, err := h.Authorities.Accreditations(c.Request().Context(), edge.DIDParam(c.Request(), c.Param("did")), query["resource"], at)
	if err != nil {
		return fmt.Errorf("accreditations: %w", err)
	}
	items := make([]AccreditationRecord, 0, len(found))
	for _, a := range found {
		items = append(items, AccreditationRecord{Credential: a.Credential, Chain: a.Chain})
	}
	return h.public(c, Page[AccreditationRecord]{Items: items})
}

var _ Federation = (*registry.Registry)(nil)
