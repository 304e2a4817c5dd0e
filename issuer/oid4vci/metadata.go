package oid4vci

import (
	"context"
	"fmt"
	"time"

	"heartmark/internal/proof/jose"
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
		supported[c.ID] = s.configurationMetadata(t, c)
	}
	m := map[string]any{
		"credential_issuer":                   id,
		"credential_endpoint":                 id + endpointCredential,
		"nonce_endpoint":                      id + endpointNonce,
		"deferred_credential_endpoint":        id + endpointDeferred,
		"notification_endpoint":               id + endpointNotification,
		"display":                             t.display(),
		"credential_configurations_supported": supported,
	}
	if s.c.Batch > 1 {
		m["batch_credential_issuance"] = map[string]any{"batch_size": s.c.Batch}
	}
	if s.c.EncryptionKey == nil {
		return m, nil
	}
	key, err := s.requestJWK(tenant)
	if err != nil {
		return nil, err
	}
	m["credential_request_encryption"] = map[string]any{
		"jwks": map[string]any{"keys": []any{key}}, "enc_values_supported": texts(jose.ContentEncryptions()), "encryption_required": false,
	}
	m["credential_response_encryption"] = map[string]any{
		"alg_values_supported": []any{jose.ECDHES}, "enc_values_supported": texts(jose.ContentEncryptions()), "encryption_required": false,
	}
	return m, nil
}

// display is the issuer's name in each language, with its logo.
func (t Tenant) display() []any {
	var out []any
	for _, lang := range schemas.Languages() {
		one := map[string]any{"name": t.names()[lang], "locale": lang}
		if t.Logo != "" {
			one["logo"] = t.logo(lang)
		}
		out = append(out, one)
	}
	return out
}

func (t Tenant) logo(lang string) map[string]any {
	return map[string]any{"uri": t.Logo, "alt_text": t.names()[lang]}
}

// metadataType is the typ of signed metadata (12.2.3).
const metadataType = "openidvci-issuer-metadata+jwt"

// SignedMetadata returns the metadata as a JWS by the tenant's metadata key, or ErrNotFound where none is configured.
func (s *Service) SignedMetadata(ctx context.Context, tenant string) (string, error) {
	if s.c.SignMetadata == nil {
		return "", ErrNotFound
	}
	m, err := s.Metadata(ctx, tenant)
	if err != nil {
		return "", err
	}
	signer, err := s.c.SignMetadata(ctx, tenant)
	if err != nil {
		return "", fmt.Errorf("metadata key: %w", err)
	}
	// Cut to the minute, so that what caches hold changes no oftener than it must.
	m["iss"], m["sub"], m["iat"] = s.IssuerID(tenant), s.IssuerID(tenant), s.now().Truncate(time.Minute).Unix()
	payload, err := schemas.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("metadata: %w", err)
	}
	compact, err := jose.Sign(map[string]any{"typ": metadataType, "kid": signer.Kid}, payload, signer.Signer)
	if err != nil {
		return "", fmt.Errorf("sign metadata: %w", err)
	}
	return compact, nil
}

// configurationMetadata describes one configuration, which has one form (12.2.4, A.1.2 for ldp_vc, A.3 for dc+sd-jwt).
func (s *Service) configurationMetadata(t Tenant, c issuer.Configuration) map[string]any {
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
		if t.Logo != "" {
			one["logo"] = t.logo(lang)
		}
		display = append(display, one)
	}
	form := c.Forms[0]
	m := map[string]any{
		"format": form.Format,
		"scope":  c.ID,
		"credential_signing_alg_values_supported": []any{form.SigningAlgorithm()},
		"cryptographic_binding_methods_supported": []any{"did:key", "did:jwk"},
		"proof_types_supported":                   s.proofMetadata(),
		"credential_metadata":                     map[string]any{"display": display, "claims": claimsMetadata(form.Format)},
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

// proofMetadata describes the proofs that are taken, alike for all configurations.
func (s *Service) proofMetadata() map[string]any {
	out := map[string]any{}
	for _, kind := range s.proofTypes() {
		one := map[string]any{"proof_signing_alg_values_supported": texts(ProofAlgorithms())}
		if kind == ProofDIVP {
			one["proof_signing_alg_values_supported"] = texts(s.c.CheckProof.Suites())
		} else if s.c.Wallets.KeyAttestation == Required {
			required := map[string]any{}
			for name, levels := range map[string][]string{"key_storage": s.c.Wallets.KeyStorage, "user_authentication": s.c.Wallets.UserAuthentication} {
				if len(levels) > 0 {
					required[name] = texts(levels)
				}
			}
			one["key_attestations_required"] = required
		}
		out[kind] = one
	}
	return out
}

// ASMetadata returns the metadata of the authorization server, which is the tenant's issuer itself (RFC 8414, section 2;
// OpenID4VCI 1.0, 12.3).
func (s *Service) ASMetadata(ctx context.Context, tenant string) (map[string]any, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	id := s.IssuerID(tenant)
	scopes := make([]any, 0, len(t.Configurations))
	for _, c := range t.Configurations {
		scopes = append(scopes, c.ID)
	}
	m := map[string]any{
		"issuer":                                          id,
		"authorization_endpoint":                          id + endpointAuthorize,
		"pushed_authorization_request_endpoint":           id + endpointPAR,
		"require_pushed_authorization_requests":           true,
		"token_endpoint":                                  id + endpointToken,
		"grant_types_supported":                           []any{GrantAuthorizationCode, GrantPreAuthorized, GrantRefreshToken},
		"response_types_supported":                        []any{"code"},
		"response_modes_supported":                        []any{"query"},
		"code_challenge_methods_supported":                []any{"S256"},
		"scopes_supported":                                scopes,
		"dpop_signing_alg_values_supported":               texts(ProofAlgorithms()),
		"authorization_details_types_supported":           []any{detailType},
		"authorization_response_iss_parameter_supported":  true,
		"pre-authorized_grant_anonymous_access_supported": s.c.Wallets.Attestation != Required,
		"token_endpoint_auth_methods_supported":           []any{"none"},
	}
	if len(s.c.Wallets.Attesters) > 0 {
		methods := []any{"attest_jwt_client_auth"}
		if s.c.Wallets.Attestation != Required {
			methods = append(methods, "none")
		}
		m["token_endpoint_auth_methods_supported"] = methods
		m["client_attestation_signing_alg_values_supported"] = []any{jose.EdDSA, jose.ES256, jose.ES384}
		m["client_attestation_pop_signing_alg_values_supported"] = []any{jose.EdDSA, jose.ES256, jose.ES384}
		m["challenge_endpoint"] = id + endpointChallenge
	}
	return m, nil
}

func texts(in []string) []any {
	out := make([]any, 0, len(in))
	for _, s := range in {
		out = append(out, s)
	}
	return out
}
