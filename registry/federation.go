package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/registry/federation"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// federationLife is how long a statement of OpenID Federation holds.
const federationLife = time.Hour

// federationBase is where the endpoints of OpenID Federation lie.
const federationBase = "/registry/v1/federation"

// EntityID is the Entity Identifier of a tenant, which is its Credential Issuer Identifier, or of the registry itself for
// "" (OpenID Federation 1.0, 1.2).
func (r *Registry) EntityID(tenant string) string {
	if tenant == "" {
		return r.c.Origin
	}
	return r.c.Origin + "/oid4vci/" + tenant
}

// federated returns the tenant and DID behind an Entity Identifier of this installation.
func (r *Registry) federated(entity string) (tenant, id string, err error) {
	if entity != r.c.Origin {
		var ok bool
		if tenant, ok = strings.CutPrefix(entity, r.c.Origin+"/oid4vci/"); !ok || schemas.CheckTenantName(tenant) != nil {
			return "", "", fmt.Errorf("entity %.200q: %w", entity, ErrNotFound)
		}
	}
	return tenant, did.FromOrigin(r.c.Origin, tenant), nil
}

// EntityConfiguration is what an entity says of itself, signed with its statement key: for a tenant with its metadata (as
// OpenID4VCI and its authorization server publish them) and a trust mark for each resource it may issue now; for "" the
// registry as trust anchor.
func (r *Registry) EntityConfiguration(ctx context.Context, tenant string, metadata map[string]any) (string, error) {
	entity := r.EntityID(tenant)
	id := did.FromOrigin(r.c.Origin, tenant)
	set, err := r.statementKeys(ctx, id)
	if err != nil {
		return "", err
	}
	claims := map[string]any{"sub": entity, "jwks": set}
	if tenant == "" {
		claims["metadata"] = map[string]any{"federation_entity": map[string]any{
			"organization_name":                     r.did,
			"policy_uri":                            r.c.FrameworkURL,
			"federation_fetch_endpoint":             r.c.Origin + federationBase + "/fetch",
			"federation_list_endpoint":              r.c.Origin + federationBase + "/list",
			"federation_resolve_endpoint":           r.c.Origin + federationBase + "/resolve",
			"federation_trust_mark_status_endpoint": r.c.Origin + federationBase + "/trust-mark-status",
		}}
		return r.sign(ctx, id, federation.TypeEntity, entity, federationLife, claims)
	}
	claims["metadata"], claims["authority_hints"] = metadata, []string{r.c.Origin}
	marks, err := r.trustMarks(ctx, tenant)
	if err != nil {
		return "", err
	}
	if len(marks) > 0 {
		claims["trust_marks"] = marks
	}
	return r.sign(ctx, id, federation.TypeEntity, entity, federationLife, claims)
}

// statementKeys are the keys with which a DID signs statements, those that it retired within the life of a statement too.
func (r *Registry) statementKeys(ctx context.Context, id string) (map[string]any, error) {
	intervals, err := r.KeyIntervals(ctx, id, time.Time{})
	if err != nil {
		return nil, err
	}
	now := r.now()
	list := []any{}
	for _, k := range intervals {
		gone := !k.Until.IsZero() && !now.Before(k.Until.Add(federationLife))
		if k.Kind != KindStatement || !k.Revoked.IsZero() || gone {
			continue
		}
		pub, err := keys.ParseMultibase(k.PublicKeyMultibase)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Method, err)
		}
		raw, err := keys.MarshalJWK(pub)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Method, err)
		}
		jwk, err := schemas.ParseObject(raw)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Method, err)
		}
		alg, err := jose.Algorithm(pub)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Method, err)
		}
		jwk["kid"], jwk["alg"], jwk["use"] = k.Method, alg, "sig"
		list = append(list, jwk)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no statement key: %w", id, ErrNotFound)
	}
	return map[string]any{"keys": list}, nil
}

// mayIssue returns what a DID may issue now by the registry's word or that of a body under it, sorted, each once.
func (r *Registry) mayIssue(ctx context.Context, id string) ([]Authority, error) {
	records, err := r.c.Store.Authorities(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []Authority
	for _, versions := range trust.ByID(records) {
		if versions[0].Action != ActionIssue {
			continue
		}
		line, err := r.lineage(ctx, versions, r.now())
		if err != nil {
			return nil, err
		}
		if len(line) > 0 && !slices.ContainsFunc(out, func(a Authority) bool { return a.Resource == line[0].Resource }) {
			out = append(out, line[0])
		}
	}
	slices.SortFunc(out, func(a, b Authority) int { return strings.Compare(a.Resource, b.Resource) })
	return out, nil
}

// trustMarks are the registry's marks for a tenant: one for each resource that it may issue now, whose type is the resource
// (OpenID Federation 1.0, 7).
func (r *Registry) trustMarks(ctx context.Context, tenant string) ([]any, error) {
	may, err := r.mayIssue(ctx, did.FromOrigin(r.c.Origin, tenant))
	if err != nil {
		return nil, err
	}
	marks := make([]any, 0, len(may))
	for _, a := range may {
		claims := map[string]any{"sub": r.EntityID(tenant), "trust_mark_type": a.Resource}
		if a.Framework != "" {
			claims["ref"] = a.Framework
		}
		token, err := r.sign(ctx, r.did, federation.TypeTrustMark, r.c.Origin, federationLife, claims)
		if err != nil {
			return nil, err
		}
		marks = append(marks, map[string]any{"trust_mark_type": a.Resource, "trust_mark": token})
	}
	return marks, nil
}

// SubordinateStatement is what the registry says of a tenant that may issue something now: its keys. ErrNotFound for others.
func (r *Registry) SubordinateStatement(ctx context.Context, entity string) (string, error) {
	tenant, id, err := r.federated(entity)
	if err != nil {
		return "", err
	}
	may, err := r.mayIssue(ctx, id)
	if err != nil {
		return "", err
	}
	if tenant == "" || len(may) == 0 {
		return "", fmt.Errorf("entity %s is no subordinate: %w", entity, ErrNotFound)
	}
	set, err := r.statementKeys(ctx, id)
	if err != nil {
		return "", err
	}
	return r.sign(ctx, r.did, federation.TypeEntity, r.c.Origin, federationLife, map[string]any{
		"sub": entity, "jwks": set, "source_endpoint": r.c.Origin + federationBase + "/fetch",
	})
}

// Subordinates lists the Entity Identifiers of the tenants that may issue something now; with a mark, only those that may
// issue that resource.
func (r *Registry) Subordinates(ctx context.Context, mark string) ([]string, error) {
	out := []string{}
	list := func(after string, limit int) ([]string, error) { return r.c.Store.Entities(ctx, after, limit) }
	err := pages(list, func(entity string) error {
		tenant, ours := strings.CutPrefix(entity, r.did+":")
		if !ours || !r.hosts(entity) {
			return nil
		}
		may, err := r.mayIssue(ctx, entity)
		if err != nil {
			return err
		}
		if len(may) > 0 && (mark == "" || slices.ContainsFunc(may, func(a Authority) bool { return a.Resource == mark })) {
			out = append(out, r.EntityID(tenant))
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

// Resolve answers with a tenant's metadata, its trust marks and the chain to this registry, signed (OpenID Federation 1.0,
// 8.3). configuration is the tenant's own, as EntityConfiguration made it.
func (r *Registry) Resolve(ctx context.Context, entity, configuration string) (string, error) {
	subordinate, err := r.SubordinateStatement(ctx, entity)
	if err != nil {
		return "", err
	}
	anchor, err := r.EntityConfiguration(ctx, "", nil)
	if err != nil {
		return "", err
	}
	parsed, err := jose.Parse(configuration)
	if err != nil {
		return "", fmt.Errorf("entity configuration: %w", err)
	}
	claims, err := parsed.Claims()
	if err != nil {
		return "", fmt.Errorf("entity configuration: %w", err)
	}
	answer := map[string]any{
		"sub": entity, "metadata": claims["metadata"], "trust_chain": []string{configuration, subordinate, anchor},
	}
	if marks, ok := claims["trust_marks"]; ok {
		answer["trust_marks"] = marks
	}
	return r.sign(ctx, r.did, federation.TypeResolve, r.c.Origin, federationLife, answer)
}

// TrustMarkStatus says whether a trust mark of this registry holds now: active, expired, revoked, or invalid for what this
// registry did not make (OpenID Federation 1.0, 8.4).
func (r *Registry) TrustMarkStatus(ctx context.Context, mark string) (string, error) {
	status, err := r.markStatus(ctx, mark)
	if err != nil {
		return "", err
	}
	return r.sign(ctx, r.did, federation.TypeMarkStatus, r.c.Origin, AnswerLife, map[string]any{"trust_mark": mark, "status": status})
}

func (r *Registry) markStatus(ctx context.Context, mark string) (string, error) {
	token, err := jose.Parse(mark)
	if err != nil || token.Header.Typ != federation.TypeTrustMark {
		return "invalid", nil
	}
	intervals, err := r.KeyIntervals(ctx, r.did, time.Time{})
	if err != nil {
		return "", err
	}
	for _, k := range intervals {
		if k.Method != token.Header.Kid || k.Kind != KindStatement || !k.Revoked.IsZero() {
			continue
		}
		pub, err := keys.ParseMultibase(k.PublicKeyMultibase)
		if err != nil || token.Verify(pub) != nil {
			continue
		}
		return r.goodMarkStatus(ctx, token)
	}
	return "invalid", nil
}

// goodMarkStatus is the status of a mark that this registry signed.
func (r *Registry) goodMarkStatus(ctx context.Context, token jose.Token) (string, error) {
	claims, err := token.Claims()
	if err != nil {
		return "invalid", nil //nolint:nilerr // what cannot be read is no mark
	}
	entity, _ := claims["sub"].(string)
	resource, _ := claims["trust_mark_type"].(string)
	number, _ := claims["exp"].(json.Number)
	expires, err := number.Int64()
	if err != nil {
		return "invalid", nil //nolint:nilerr // as above
	}
	if !r.now().Before(time.Unix(expires, 0)) {
		return "expired", nil
	}
	_, id, err := r.federated(entity)
	if err != nil {
		return "invalid", nil //nolint:nilerr // as above
	}
	answer, err := r.Authority(ctx, AuthorityQuery{Entity: id, Action: ActionIssue, Resource: resource})
	if err != nil {
		return "", err
	}
	if !answer.Authorized {
		return "revoked", nil
	}
	return "active", nil
}
