package oid4vci_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"heartmark/internal/testkit"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"
)

func TestParseCredentialRequest(t *testing.T) {
	t.Parallel()
	good := map[string]oid4vci.CredentialRequest{
		`{"credential_configuration_id":"a","proofs":{"jwt":["x","y"]}}`:            {CredentialConfigurationID: "a", Proofs: []string{"x", "y"}},
		`{"credential_identifier":"a","proof":{"proof_type":"jwt","jwt":"x"}}`:      {CredentialIdentifier: "a", Proofs: []string{"x"}},
		`{"credential_configuration_id":"a","proofs":{"di_vp":[{}]}}`:               {CredentialConfigurationID: "a", OtherProofType: "di_vp"},
		`{"credential_configuration_id":"a","credential_response_encryption":{}}`:   {CredentialConfigurationID: "a", WantsEncryption: true},
		`{"credential_configuration_id":"a","unknown":1}`:                           {CredentialConfigurationID: "a"},
		`{"credential_configuration_id":"a","proof":{"proof_type":"cwt","cwt":""}}`: {CredentialConfigurationID: "a", OtherProofType: "other"},
	}
	for in, want := range good {
		got, err := oid4vci.ParseCredentialRequest([]byte(in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", in, got, err, want)
		}
	}
	bad := map[string]string{
		``: oid4vci.CodeInvalidRequestBody, `[]`: oid4vci.CodeInvalidRequestBody, `{"a":1,"a":2}`: oid4vci.CodeInvalidRequestBody,
		`{} {}`: oid4vci.CodeInvalidRequestBody, "\ufeff{}": oid4vci.CodeInvalidRequestBody,
		`{"credential_configuration_id":1}`:                               oid4vci.CodeInvalidRequestBody,
		`{"credential_configuration_id":""}`:                              oid4vci.CodeInvalidRequestBody,
		`{"proof":{"proof_type":"jwt","jwt":"x"},"proofs":{"jwt":["x"]}}`: oid4vci.CodeInvalidRequestBody,
		`{"proofs":[]}`: oid4vci.CodeInvalidProof, `{"proofs":{}}`: oid4vci.CodeInvalidProof, `{"proofs":null}`: oid4vci.CodeInvalidProof,
		`{"proofs":{"jwt":[]}}`: oid4vci.CodeInvalidProof, `{"proofs":{"jwt":"x"}}`: oid4vci.CodeInvalidProof,
		`{"proofs":{"jwt":["x"],"di_vp":[{}]}}`: oid4vci.CodeInvalidProof, `{"proofs":{"jwt":[1]}}`: oid4vci.CodeInvalidProof,
		`{"proof":"x"}`: oid4vci.CodeInvalidProof, `{"proof":{"proof_type":"jwt"}}`: oid4vci.CodeInvalidProof,
	}
	for in, code := range bad {
		_, err := oid4vci.ParseCredentialRequest([]byte(in))
		wantCode(t, in, err, code)
		if e, ok := errors.AsType[*oid4vci.Error](err); ok && strings.ContainsAny(e.Description, "\"\\\n") {
			t.Errorf("%s: description %q has characters that OAuth forbids", in, e.Description)
		}
	}
}

func TestParseNotification(t *testing.T) {
	t.Parallel()
	n, err := oid4vci.ParseNotification([]byte(`{"notification_id":"x","event":"credential_deleted","event_description":"gone"}`))
	if err != nil || n.ID != "x" || n.Event != oid4vci.EventDeleted {
		t.Errorf("%+v, %v", n, err)
	}
	for _, in := range []string{
		``, `[]`, `{}`, `{"notification_id":"x"}`, `{"event":"credential_accepted"}`, `{"notification_id":"","event":"credential_accepted"}`,
		`{"notification_id":"x","event":"accepted"}`, `{"notification_id":1,"event":"credential_accepted"}`,
		`{"notification_id":"x","event":"credential_accepted","event_description":"\u4f60"}`,
		`{"notification_id":"x","event":"credential_accepted","event_description":1}`,
	} {
		_, err := oid4vci.ParseNotification([]byte(in))
		wantCode(t, in, err, oid4vci.CodeInvalidNotification)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	m, err := w.Metadata(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if m["credential_issuer"] != issuerID || m["credential_endpoint"] != issuerID+"/credential" || m["nonce_endpoint"] != issuerID+"/nonce" {
		t.Errorf("metadata %v", m)
	}
	for _, absent := range []string{"batch_credential_issuance", "authorization_servers", "deferred_credential_endpoint", "credential_response_encryption"} {
		if _, ok := m[absent]; ok {
			t.Errorf("metadata promises %s", absent)
		}
	}
	display := m["display"].([]any)
	if len(display) != 2 || display[0].(map[string]any)["name"] != "Acme" || display[1].(map[string]any)["name"] != "阿克米" {
		t.Errorf("display %v", display)
	}
	one := m["credential_configurations_supported"].(map[string]any)[config].(map[string]any)
	if one["format"] != "ldp_vc" || len(one["credential_metadata"].(map[string]any)["display"].([]any)) != 2 {
		t.Errorf("configuration %v", one)
	}
	selective := m["credential_configurations_supported"].(map[string]any)["dei-profile-sd-jwt"].(map[string]any)
	if selective["format"] != "dc+sd-jwt" || selective["vct"] != origin+"/vct/dei/v1" || selective["credential_definition"] != nil {
		t.Errorf("configuration %v", selective)
	}
	if algs := selective["credential_signing_alg_values_supported"].([]any); len(algs) != 1 || algs[0] != "ES256" {
		t.Errorf("algorithms %v", algs)
	}
	if claims := selective["credential_metadata"].(map[string]any)["claims"].([]any); len(claims) != 3*len(schemas.ResultDimensions()) {
		t.Errorf("%d claims", len(claims))
	}
	batch := newWorld(t, func(c *oid4vci.Config) { c.Batch = 5 })
	if m, err := batch.Metadata(t.Context(), "acme"); err != nil || m["batch_credential_issuance"] == nil {
		t.Errorf("batch is not told: %v, %v", m, err)
	}
	as, err := w.ASMetadata(t.Context(), "acme")
	if err != nil || as["issuer"] != issuerID || as["pre-authorized_grant_anonymous_access_supported"] != true {
		t.Errorf("authorization server metadata %v, %v", as, err)
	}
	if !slices.Contains(as["grant_types_supported"].([]any), any(oid4vci.GrantPreAuthorized)) {
		t.Error("the grant type is not told")
	}
	if _, err := w.Metadata(t.Context(), "nobody"); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("unknown tenant: %v", err)
	}
	if _, err := w.ASMetadata(t.Context(), "nobody"); !errors.Is(err, oid4vci.ErrNotFound) {
		t.Errorf("unknown tenant: %v", err)
	}
}

// The specification's own examples: their members are ours, with values of the same JSON kind.
func TestShapesOfTheSpecification(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/openid4vci-1.0")
	w := newWorld(t, nil)
	var ours any
	if err := json.Unmarshal(w.offer(t).JSON, &ours); err != nil {
		t.Fatal(err)
	}
	sameShape(t, "offer", example(t, filepath.Join(dir, "credential_offer_pre-authz_code.json")), ours)

	m, err := w.Metadata(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	one := m["credential_configurations_supported"].(map[string]any)[config].(map[string]any)
	theirs := example(t, filepath.Join(dir, "credential_metadata_ldp_vc.json")).(map[string]any)
	for _, c := range theirs["credential_configurations_supported"].(map[string]any) {
		for name, v := range c.(map[string]any) {
			if mine, ok := one[name]; ok && reflect.TypeOf(mine) != reflect.TypeOf(v) {
				t.Errorf("%s is a %T, in the specification a %T", name, mine, v)
			}
		}
	}
}

func example(t *testing.T, path string) any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// sameShape: what both have is of the same kind, through all objects.
func sameShape(t *testing.T, at string, theirs, ours any) {
	t.Helper()
	if reflect.TypeOf(theirs) != reflect.TypeOf(ours) {
		t.Errorf("%s is a %T, in the specification a %T", at, ours, theirs)
		return
	}
	if m, ok := theirs.(map[string]any); ok {
		mine := ours.(map[string]any)
		for name, v := range m {
			if w, ok := mine[name]; ok {
				sameShape(t, at+"/"+name, v, w)
			}
		}
	}
}
