package oid4vci

import (
	"context"

	"heartmark/issuer"
	"heartmark/schemas"
)

// IssuerID is the Credential Issuer Identifier of a tenant: <origin>/oid4vci/<tenant>. Endpoints lie below it. The name of
// a tenant is safe in a path; whoever makes tenants sees to that.
func (s *Service) IssuerID(tenant string) string { return s.c.Origin + "/oid4vci/" + tenant }

// Metadata returns the Credential Issuer Metadata (OpenID4VCI 1.0, 12.2.4). Serve it at the well-known address with the
// path of the identifier inserted after it, and at the one with it appended.
func (s *Service) Metadata(ctx context.Context, tenant string) (map[string]any, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	id := s.IssuerID(tenant)
	supported := map[string]any{}
	for _, c := range t.Configurations {
		supported[c.ID] = s.configurationMetadata(c)
	}
	var display []any
	for _, lang := range schemas.Languages() {
		name := t.Names[lang]
		if name == "" {
			name = t.Name
		}
		display = append(display, map[string]any{"name": name, "locale": lang})
	}
	m := map[string]any{
		"credential_issuer":                   id,
		"credential_endpoint":                 id + "/credential",
		"nonce_endpoint":                      id + "/nonce",
		"notification_endpoint":               id + "/notification",
		"display":                             display,
		"credential_configurations_supported": supported,
	}
	if s.c.Batch > 1 {
		m["batch_credential_issuance"] = map[string]any{"batch_size": s.c.Batch}
	}
	return m, nil
}

// configurationMetadata describes one configuration, which has one form (12.2.4, A.1.2 for ldp_vc, A.3 for dc+sd-jwt).
func (s *Service) configurationMetadata(c issuer.Configuration) map[string]any {
	var display []any
	for _, lang := range schemas.Languages() {
		d := c.Display[lang]
		if d.Name == "" {
			continue
		}
		one := map[string]any{"name": d.Name, "locale": lang, "background_color": "#1F2A44", "text_color": "#FFFFFF"}
		if d.Description != "" {
			one["description"] = d.Description
		}
		display = append(display, one)
	}
	form := c.Forms[0]
	m := map[string]any{
		"format": form.Format,
		"credential_signing_alg_values_supported": []any{form.SigningAlgorithm()},
		"cryptographic_binding_methods_supported": []any{"did:key", "did:jwk"},
		"proof_types_supported": map[string]any{
			"jwt": map[string]any{"proof_signing_alg_values_supported": texts(ProofAlgorithms())},
		},
		"credential_metadata": map[string]any{"display": display, "claims": claimsMetadata(form.Format)},
	}
	if form.Format == issuer.FormatSDJWTVC {
		m["vct"] = schemas.VCTypeDEI(s.c.Origin)
		m["cryptographic_binding_methods_supported"] = []any{"jwk", "did:key", "did:jwk"}
		return m
	}
	m["credential_definition"] = map[string]any{
		"@context": []any{schemas.ContextV2, schemas.ContextOpenBadges, s.c.Origin + schemas.ContextDEIPath},
		"type":     []any{schemas.TypeVerifiableCredential, schemas.TypeOpenBadgeCredential},
	}
	return m
}

// claimsMetadata names what a wallet may show, in both languages (Appendix B.2).
func claimsMetadata(format string) []any {
	claim := func(en, zh string, path ...any) any {
		return map[string]any{"path": path, "display": []any{
			map[string]any{"name": en, "locale": schemas.LanguageEnglish}, map[string]any{"name": zh, "locale": schemas.LanguageChinese},
		}}
	}
	if format == issuer.FormatSDJWTVC {
		var out []any
		for _, d := range schemas.ResultDimensions() {
			for _, c := range []struct{ name, en, zh string }{
				{"level", "level", "等级"}, {"level_at_least", "at least", "至少"}, {"confidence", "confidence", "置信度"},
			} {
				out = append(out, claim(d.Name(schemas.LanguageEnglish)+": "+c.en, d.Name(schemas.LanguageChinese)+"："+c.zh, string(d), c.name))
			}
		}
		return out
	}
	return []any{
		claim("Achievement", "成就", "credentialSubject", "achievement", "name"),
		claim("Levels", "等级", "credentialSubject", "result"),
		claim("First day of the evidence", "行为数据首日", "credentialSubject", "activityStartDate"),
		claim("Last day of the evidence", "行为数据末日", "credentialSubject", "activityEndDate"),
	}
}

// ASMetadata returns the metadata of the authorization server, which is the tenant's issuer itself (RFC 8414, section 2;
// OpenID4VCI 1.0, 12.3). A claim that would be an empty list is left out (RFC 8414, 3.2): there is no response type,
// since there is no authorization endpoint.
func (s *Service) ASMetadata(ctx context.Context, tenant string) (map[string]any, error) {
	if _, err := s.tenant(ctx, tenant); err != nil {
		return nil, err
	}
	id := s.IssuerID(tenant)
	return map[string]any{
		"issuer":                                          id,
		"token_endpoint":                                  id + "/token",
		"grant_types_supported":                           []any{GrantPreAuthorized},
		"token_endpoint_auth_methods_supported":           []any{"none"},
		"authorization_details_types_supported":           []any{detailType},
		"pre-authorized_grant_anonymous_access_supported": true,
	}, nil
}

func texts(in []string) []any {
	out := make([]any, 0, len(in))
	for _, s := range in {
		out = append(out, s)
	}
	return out
}
