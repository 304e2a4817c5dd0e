package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"heartmark/api/problem"
	"heartmark/api/ui"
	"heartmark/assessment/training"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/internal/did"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/bulk"
)

// fakeIssuer keeps credentials by tenant and idempotency key, as the real one does.
type fakeIssuer struct {
	mu     sync.Mutex
	issued map[string]issuer.Issued
	calls  int
}

func (f *fakeIssuer) Issue(_ context.Context, r issuer.Request) (issuer.Issued, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if r.ReportID == "panic" {
		panic("secret text in a panic")
	}
	if r.ReportID == "thin" {
		return issuer.Issued{}, issuer.ErrNothingToIssue
	}
	if !strings.HasPrefix(r.HolderID, "did:") {
		return issuer.Issued{}, errors.Join(issuer.ErrInvalid, &schemas.FieldError{Pointer: "/subject/id", Expected: "a DID", Err: schemas.ErrMalformed})
	}
	i := issuer.Issued{
		ID: "urn:uuid:22222222-2222-4222-8222-222222222222", Configuration: r.Configuration, Format: "ldp_vc",
		Credential: json.RawMessage(`{"type":["VerifiableCredential"]}`), Status: issuer.StatusValid,
		Forms: []issuer.IssuedForm{
			{SignedForm: issuer.SignedForm{Form: issuer.Form{Format: "ldp_vc"}}, Credential: json.RawMessage(`{"type":["VerifiableCredential"]}`)},
			{SignedForm: issuer.SignedForm{Form: issuer.Form{Format: "dc+sd-jwt"}}, Credential: json.RawMessage(`"ey~"`)},
		},
		IssuedAt: time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC), ValidFrom: "2026-02-01T12:00:00Z", ValidUntil: "2027-02-01T12:00:00Z",
	}
	f.issued[r.Tenant+" "+string(i.ID)] = i
	return i, nil
}

func (f *fakeIssuer) Get(_ context.Context, tenant string, id schemas.CredentialID) (issuer.Issued, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, ok := f.issued[tenant+" "+string(id)]
	if !ok {
		return issuer.Issued{}, issuer.ErrNotFound
	}
	return i, nil
}

func (f *fakeIssuer) List(_ context.Context, tenant, _ string, _ int) ([]issuer.Issued, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []issuer.Issued
	for name, i := range f.issued {
		if strings.HasPrefix(name, tenant+" ") {
			i.Credential, i.Forms = nil, nil
			out = append(out, i)
		}
	}
	return out, "next page", nil
}

func (f *fakeIssuer) Configurations() []issuer.Configuration { return issuer.DefaultConfigurations() }

func (f *fakeIssuer) set(tenant string, id schemas.CredentialID, to issuer.Status) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, ok := f.issued[tenant+" "+string(id)]
	if !ok {
		return issuer.ErrNotFound
	}
	if i.Status == issuer.StatusRevoked && to != issuer.StatusRevoked {
		return issuer.ErrRevoked
	}
	i.Status = to
	f.issued[tenant+" "+string(id)] = i
	return nil
}

func (f *fakeIssuer) Revoke(_ context.Context, tenant string, id schemas.CredentialID, _ string) error {
	return f.set(tenant, id, issuer.StatusRevoked)
}

func (f *fakeIssuer) Suspend(_ context.Context, tenant string, id schemas.CredentialID, _ string) error {
	return f.set(tenant, id, issuer.StatusSuspended)
}

func (f *fakeIssuer) Reinstate(_ context.Context, tenant string, id schemas.CredentialID, _ string) error {
	return f.set(tenant, id, issuer.StatusValid)
}

type fakeWallets struct{ offers, nonces int }

func (f *fakeWallets) CreateOffer(_ context.Context, r oid4vci.OfferRequest) (oid4vci.Offer, error) {
	if r.Configurations[0] == "nope" {
		return oid4vci.Offer{}, &oid4vci.Error{Code: oid4vci.CodeUnknownConfiguration, Description: "no such configuration", Status: 400}
	}
	if r.Language == "xx" {
		return oid4vci.Offer{}, &oid4vci.Error{Code: oid4vci.CodeInvalidRequest, Description: "language: expected en or zh", Status: 400}
	}
	f.offers++
	return oid4vci.Offer{ID: "o1", URI: "openid-credential-offer://?x", Address: origin + "/oid4vci/acme/offers/r", JSON: []byte(`{}`), TxCode: "123456"}, nil
}

func (f *fakeWallets) OfferStatus(_ context.Context, tenant, id string) (oid4vci.OfferStatus, error) {
	if tenant != "acme" || id != "o1" {
		return oid4vci.OfferStatus{}, oid4vci.ErrNotFound
	}
	return oid4vci.OfferStatus{ID: id, State: oid4vci.StateCreated}, nil
}

func (f *fakeWallets) RevokeOffer(_ context.Context, tenant, _ string) error {
	if tenant != "acme" {
		return oid4vci.ErrNotFound
	}
	return nil
}

func (f *fakeWallets) OfferByRef(_ context.Context, _, ref string) ([]byte, error) {
	if ref != "r" {
		return nil, oid4vci.ErrNotFound
	}
	return []byte(`{"credential_issuer":"` + origin + `/oid4vci/acme"}`), nil
}

func (f *fakeWallets) Token(_ context.Context, r oid4vci.TokenRequest) (oid4vci.TokenResponse, error) {
	if r.PreAuthorizedCode != "code" || !r.HasTxCode {
		return oid4vci.TokenResponse{}, &oid4vci.Error{Code: oid4vci.CodeInvalidGrant, Description: "the code is wrong", Status: 400}
	}
	return oid4vci.TokenResponse{AccessToken: "at", TokenType: "Bearer", ExpiresIn: 300}, nil
}

func (f *fakeWallets) Nonce(context.Context, string) (string, error) { f.nonces++; return "n", nil }

func (f *fakeWallets) Credential(_ context.Context, _ string, a oid4vci.Access, r oid4vci.CredentialRequest) (oid4vci.CredentialResponse, error) {
	if a.Token != "at" {
		return oid4vci.CredentialResponse{}, &oid4vci.Error{
			Code: oid4vci.CodeInvalidToken, Description: "bad token", Status: 401, Challenge: `Bearer error="invalid_token"`, DPoPNonce: "fresh",
		}
	}
	if r.CredentialConfigurationID == "held" {
		return oid4vci.CredentialResponse{TransactionID: "tid", Interval: 30}, nil
	}
	return oid4vci.CredentialResponse{Credentials: []oid4vci.IssuedCredential{{Credential: json.RawMessage(`{}`)}}, NotificationID: "nid"}, nil
}

func (f *fakeWallets) Deferred(_ context.Context, _ string, _ oid4vci.Access, r oid4vci.DeferredRequest) (oid4vci.CredentialResponse, error) {
	if r.TransactionID != "tid" {
		return oid4vci.CredentialResponse{}, &oid4vci.Error{Code: oid4vci.CodeInvalidTransaction, Description: "no such transaction", Status: 400}
	}
	return oid4vci.CredentialResponse{TransactionID: "tid", Interval: 30}, nil
}

func (f *fakeWallets) OpenRequest(_ string, body []byte) ([]byte, error) {
	if string(body) != "jwe" {
		return nil, &oid4vci.Error{Code: oid4vci.CodeInvalidEncryption, Description: "does not open", Status: 400}
	}
	return []byte(`{"credential_configuration_id":"c"}`), nil
}

func (f *fakeWallets) Notify(context.Context, string, oid4vci.Access, oid4vci.Notification) error {
	return nil
}

func (f *fakeWallets) DPoPNonce(string) string { return "dn" }

func (f *fakeWallets) Challenge(context.Context, string) (string, error) { return "ch", nil }

func (f *fakeWallets) Push(_ context.Context, r oid4vci.AuthorizationRequest) (oid4vci.Pushed, error) {
	if r.HasRequest || r.CodeChallengeMethod != "S256" || len(r.ClientAssertion.Attestation) > 0 {
		return oid4vci.Pushed{}, &oid4vci.Error{Code: oid4vci.CodeInvalidClient, Description: "no", Status: 401, AttestationChallenge: "ch"}
	}
	return oid4vci.Pushed{RequestURI: "urn:ietf:params:oauth:request_uri:x", ExpiresIn: 300}, nil
}

func (f *fakeWallets) OfferCard(_ context.Context, _, ref string) (oid4vci.OfferCard, error) {
	if ref != "r" {
		return oid4vci.OfferCard{}, oid4vci.ErrNotFound
	}
	return oid4vci.OfferCard{
		URI: "openid-credential-offer://?credential_offer_uri=x", Issuer: map[string]string{"en": "<b>Acme", "zh": "阿克米"},
		Credentials: []map[string]string{{"en": "Badge", "zh": "徽章"}}, NeedsCode: true,
	}, nil
}

func (f *fakeWallets) Release(_ context.Context, tenant, id string) error {
	if tenant != "acme" || id != "o1" {
		return oid4vci.ErrNotFound
	}
	return nil
}

func (f *fakeWallets) Refuse(_ context.Context, tenant, _, _ string) error {
	if tenant != "acme" {
		return oid4vci.ErrNotFound
	}
	return oid4vci.ErrDecided
}

func (f *fakeWallets) Authorization(_ context.Context, _, requestURI, _ string) (oid4vci.AuthorizationPage, error) {
	if requestURI != "ru" && requestURI != "login" {
		return oid4vci.AuthorizationPage{}, oid4vci.ErrNotFound
	}
	return oid4vci.AuthorizationPage{
		Issuer: map[string]string{"en": "Acme", "zh": "阿克米"}, Credentials: []map[string]string{{"en": "Badge", "zh": "徽章"}},
		Client: `<script>alert(1)</script>`, ReturnTo: "w.example", Target: "https://w.example", Login: requestURI == "login",
	}, nil
}

func (f *fakeWallets) Approve(_ context.Context, _, _, _, txCode string) (oid4vci.Decision, error) {
	if txCode != "123456" {
		return oid4vci.Decision{Wrong: true}, nil
	}
	return oid4vci.Decision{RedirectTo: "https://w.example/cb?code=c"}, nil
}

func (f *fakeWallets) Deny(context.Context, string, string, string) (oid4vci.Decision, error) {
	return oid4vci.Decision{RedirectTo: "https://w.example/cb?error=access_denied"}, nil
}

func (f *fakeWallets) BeginLogin(context.Context, string, string, string) (oid4vci.LoginStart, error) {
	return oid4vci.LoginStart{URL: "https://idp.example/auth?state=s", Cookie: "ck"}, nil
}

func (f *fakeWallets) FinishLogin(_ context.Context, state, cookie, code string) (oid4vci.Decision, error) {
	switch {
	case state != "s" || cookie != "ck":
		return oid4vci.Decision{}, oid4vci.ErrNotFound
	case code == "":
		return oid4vci.Decision{}, oid4vci.ErrLogin
	case code == "other":
		return oid4vci.Decision{Wrong: true}, nil
	}
	return oid4vci.Decision{RedirectTo: "https://w.example/cb?code=c"}, nil
}

func (f *fakeWallets) SignedMetadata(context.Context, string) (string, error) { return "a.b.c", nil }

func (f *fakeWallets) Metadata(_ context.Context, tenant string) (map[string]any, error) {
	if tenant != "acme" {
		return nil, oid4vci.ErrNotFound
	}
	return map[string]any{"credential_issuer": origin + "/oid4vci/" + tenant}, nil
}

func (f *fakeWallets) ASMetadata(_ context.Context, tenant string) (map[string]any, error) {
	return map[string]any{"issuer": origin + "/oid4vci/" + tenant}, nil
}

// fakeRegistry is registry, log and source of groups.
type fakeRegistry struct{}

func (fakeRegistry) DIDDocument(_ context.Context, did string) ([]byte, string, error) {
	if did != "did:web:dei.example" && did != "did:web:dei.example:acme" && did != "did:web:dei.example:gone" {
		return nil, "", registry.ErrNotFound
	}
	return []byte(`{"id":"` + did + `","verificationMethod":[{"id":"` + did + `#k","type":"Multikey","controller":"` + did +
		`","publicKeyMultibase":"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}],"service":[{"id":"#trqp","type":"TRQP","serviceEndpoint":"https://dei.example/trqp"}]}`), `"tag"`, nil
}

func (f fakeRegistry) DIDAt(ctx context.Context, id string, at time.Time) (registry.DIDState, error) {
	document, _, err := f.DIDDocument(ctx, id)
	if err == nil && !at.IsZero() && at.Year() < 2026 {
		err = registry.ErrNotFound
	}
	return registry.DIDState{Document: document, Deactivated: id == "did:web:dei.example:gone"}, err
}

// fakeResolver knows the documents that are served here, and DIDs that are their own document.
type fakeResolver struct{}

func (fakeResolver) Resolve(ctx context.Context, id string) (did.Document, error) {
	if raw, _, err := (fakeRegistry{}).DIDDocument(ctx, id); err == nil {
		document, err := did.ParseDocument(id, raw)
		document.Source = "store"
		return document, err
	}
	r, err := did.New(did.Config{Now: time.Now})
	if err != nil {
		return did.Document{}, err
	}
	document, err := r.ResolveOffline(ctx, id)
	if errors.Is(err, did.ErrOffline) {
		err = did.ErrNotFound
	}
	return document, err
}

func (fakeRegistry) Artefact(_ context.Context, kind registry.Kind, name string) (registry.Artefact, error) {
	if name != "dei/v1" {
		return registry.Artefact{}, registry.ErrNotFound
	}
	return registry.Artefact{Kind: kind, Name: name, MediaType: "application/ld+json", Data: []byte(`{}`), SHA256: "abc"}, nil
}

func (fakeRegistry) Artefacts(_ context.Context, kind registry.Kind, _ string, _ int) ([]registry.Artefact, error) {
	return []registry.Artefact{{Kind: kind, Name: "dei/v1", SRI: "sha384-x"}}, nil
}

func (fakeRegistry) StatusList(_ context.Context, group schemas.ListGroup, purpose string, at time.Time) ([]byte, uint64, error) {
	if group != "g1" || !at.IsZero() && at.Year() < 2026 {
		return nil, 0, registry.ErrNotFound
	}
	return []byte(`{"purpose":"` + purpose + `"}`), 3, nil
}

func (fakeRegistry) Snapshot(context.Context) ([]byte, error) {
	return []byte(`{"snapshot":true}`), nil
}

func (fakeRegistry) Authority(_ context.Context, q registry.AuthorityQuery) (registry.AuthorityAnswer, error) {
	known := q.Entity == "did:web:dei.example:acme"
	return registry.AuthorityAnswer{
		Authorized: known && q.Action == registry.ActionIssue, State: registry.StateInForce, Evaluated: time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC),
		KnownEntity: known, KnownAuthority: true, KnownAction: true, KnownResource: true,
	}, nil
}

// Backed knows one body that does not accredit.
func (fakeRegistry) Backed(_ context.Context, a registry.Authority) (bool, error) {
	return a.Authority != "did:web:suspended.example", nil
}

func (fakeRegistry) AuthoritiesOf(_ context.Context, entity string, _ time.Time) ([]registry.Authority, error) {
	if entity == "did:web:school.example" {
		return []registry.Authority{{ID: "a2", Entity: entity, Authority: "did:web:suspended.example", Name: "School", Status: registry.Active}}, nil
	}
	if entity != "did:web:localhost%3A8080:acme" {
		return nil, registry.ErrNotFound
	}
	return []registry.Authority{{ID: "a1", Entity: entity, Name: "Acme", Status: registry.Active}}, nil
}

func (fakeRegistry) Issuers(context.Context, registry.IssuerQuery) ([]registry.Issuer, string, error) {
	index := uint64(7)
	return []registry.Issuer{{DID: "did:web:dei.example:acme", Name: `Acme <script>alert(1)</script>`, Authorities: []registry.Authority{{
		ID: "a1", Entity: "did:web:dei.example:acme", Action: "issue", Resource: origin + "/achievements/dei/profile/v1",
		Status: registry.Active, ValidFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Levels: schemas.Levels(), Log: &index,
	}}}}, "", nil
}

func (fakeRegistry) KeyIntervals(_ context.Context, did string, _ time.Time) ([]registry.KeyInterval, error) {
	return []registry.KeyInterval{{DID: did, Method: did + "#k1", Kind: "credential", PublicKeyMultibase: "z6Mk", From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}, nil
}

func (fakeRegistry) Resources(context.Context, string, int) ([]string, error) {
	return []string{origin + "/achievements/dei/profile/v1"}, nil
}

func (fakeRegistry) AuthorityHistory(_ context.Context, id string) ([]registry.Authority, error) {
	if id == "nope" {
		return nil, registry.ErrNotFound
	}
	return []registry.Authority{{ID: id, Version: 1}, {ID: id, Version: 2, Status: registry.Suspended}}, nil
}

func (fakeRegistry) Accreditations(_ context.Context, entity, _ string, _ time.Time) ([]registry.Accreditation, error) {
	if !strings.HasSuffix(entity, ":acme") {
		return nil, registry.ErrNotFound
	}
	return []registry.Accreditation{{Credential: map[string]any{"id": "x"}}}, nil
}

func (fakeRegistry) SignAnswer(_ context.Context, typ string, claims map[string]any) (string, error) {
	body, err := json.Marshal(map[string]any{"typ": typ, "claims": claims})
	return string(body), err
}

func (fakeRegistry) Challenge(_ context.Context, did string) (registry.Challenge, error) {
	if !strings.HasPrefix(did, "did:") {
		return registry.Challenge{}, &schemas.FieldError{Pointer: "/did", Expected: "a DID", Err: registry.ErrInvalid}
	}
	return registry.Challenge{Registry: "did:web:dei.example", DID: did, Nonce: "n", Expires: time.Date(2026, 2, 1, 12, 10, 0, 0, time.UTC)}, nil
}

func (f fakeRegistry) GrantAuthority(_ context.Context, actor registry.Actor, g registry.Grant) ([]registry.Authority, error) {
	if string(g.Control.Signature) != "signed" {
		return nil, &schemas.FieldError{Pointer: "/control/signature", Expected: "a signature over the challenge", Err: registry.ErrProof}
	}
	var out []registry.Authority
	for _, resource := range g.Resources {
		out = append(out, registry.Authority{ID: "a1", Version: 1, Entity: g.Entity, Resource: resource, Levels: g.Levels, Reason: actor.ID})
	}
	return out, nil
}

func (fakeRegistry) changed(id string, status registry.Status, since time.Time) (registry.Authority, error) {
	if id != "a1" {
		return registry.Authority{}, registry.ErrNotFound
	}
	return registry.Authority{ID: id, Version: 2, Status: status, Since: since}, nil
}

func (f fakeRegistry) Suspend(_ context.Context, _ registry.Actor, id, _ string) (registry.Authority, error) {
	return f.changed(id, registry.Suspended, time.Time{})
}

func (f fakeRegistry) Reinstate(_ context.Context, _ registry.Actor, id, _ string) (registry.Authority, error) {
	return f.changed(id, registry.Active, time.Time{})
}

func (f fakeRegistry) Withdraw(_ context.Context, _ registry.Actor, id string, since time.Time, _ string) (registry.Authority, error) {
	return f.changed(id, registry.Withdrawn, since)
}

func (fakeRegistry) Deactivate(_ context.Context, _ registry.Actor, entity, _ string) (int, error) {
	if entity != "did:web:dei.example:acme" {
		return 0, registry.ErrNotFound
	}
	return 2, nil
}

func (fakeRegistry) PublishArtefact(_ context.Context, _ registry.Actor, n registry.NewArtefact) (registry.Artefact, error) {
	if n.Name == "dei/v1" {
		return registry.Artefact{}, registry.ErrConflict
	}
	return registry.Artefact{Kind: n.Kind, Name: n.Name, MediaType: n.MediaType}, nil
}

func (fakeRegistry) EntityID(tenant string) string {
	if tenant == "" {
		return origin
	}
	return origin + "/oid4vci/" + tenant
}

func (f fakeRegistry) EntityConfiguration(_ context.Context, tenant string, _ map[string]any) (string, error) {
	return "configuration of " + f.EntityID(tenant), nil
}

func (f fakeRegistry) SubordinateStatement(_ context.Context, entity string) (string, error) {
	if entity != f.EntityID("acme") {
		return "", registry.ErrNotFound
	}
	return "statement about " + entity, nil
}

func (f fakeRegistry) Subordinates(context.Context, string) ([]string, error) {
	return []string{f.EntityID("acme")}, nil
}

func (fakeRegistry) Resolve(_ context.Context, entity, configuration string) (string, error) {
	return entity + " by " + configuration, nil
}

func (fakeRegistry) TrustMarkStatus(_ context.Context, mark string) (string, error) { return mark, nil }

func (fakeRegistry) File(_ context.Context, path string) (translog.File, error) {
	switch path {
	case "checkpoint":
		return translog.File{Data: []byte("dei.example/log\n3\nroot\n\n— sig\n"), MediaType: "text/plain; charset=utf-8"}, nil
	case "tile/0/000":
		return translog.File{Data: []byte{1}, MediaType: "application/octet-stream", Immutable: true}, nil
	}
	return translog.File{}, translog.ErrNotFound
}

func (fakeRegistry) Events(_ context.Context, first uint64, limit int) ([]registry.Event, uint64, error) {
	all := []registry.Event{
		{Index: 0, Kind: "authority", Subject: "did:web:a.example", At: "2026-01-01T00:00:00Z", Data: json.RawMessage(`{"a":1}`)},
		{Index: 2, Kind: "key", Subject: "did:web:a.example#k", At: "2026-01-02T00:00:00Z", Data: json.RawMessage(`{"b":"x\n\ny"}`)},
	}
	var page []registry.Event
	for _, e := range all {
		if e.Index >= first && len(page) < limit {
			page = append(page, e)
		}
	}
	if len(page) == limit {
		return page, page[limit-1].Index + 1, nil
	}
	return page, max(first, 3), nil
}

func (fakeRegistry) InclusionProof(_ context.Context, index uint64) (schemas.LogProof, error) {
	if index > 2 {
		return schemas.LogProof{}, translog.ErrNotFound
	}
	return schemas.LogProof{Index: index, Proof: []string{"aa"}, Checkpoint: "cp", TreeSize: 3}, nil
}

func (fakeRegistry) ConsistencyProof(_ context.Context, from, to uint64) ([]string, error) {
	if from > to || to > 3 {
		return nil, translog.ErrNotFound
	}
	return []string{"aa"}, nil
}

func (fakeRegistry) Checkpoint(context.Context) ([]byte, error) { return []byte("cp"), nil }

func (fakeRegistry) VerifierKeys() []string { return []string{"dei.example/log+1+x"} }

func (fakeRegistry) Size(context.Context) (uint64, error) { return 3, nil }

func (fakeRegistry) Entries(_ context.Context, first uint64, limit int) ([][]byte, error) {
	return [][]byte{[]byte(`{"kind":"key"}`), []byte(`{"kind":"issued","commitment":"x"}`), []byte("x")}[first:min(int(first)+limit, 3)], nil
}

// fakePractice has one scenario and reads every answer as shown.
type fakePractice struct{}

func (fakePractice) Scenarios() []training.Scenario {
	return []training.Scenario{{ID: "urn:uuid:22222222-2222-4222-8222-222222222222", Facet: "SO1", Scene: "social", Difficulty: 1, Origin: "en"}}
}
func (fakePractice) Available() bool              { return true }
func (fakePractice) Mark(string, ui.FeedbackMark) {}
func (fakePractice) Practise(context.Context, assessment.Exchange) (assessment.Practised, error) {
	return assessment.Practised{Status: assessment.PractiseRead, Observations: []assessment.Observation{{Facet: "SO1", Seen: assessment.SeenShown}}}, nil
}

func (fakeRegistry) Groups(context.Context) ([]registry.List, error) {
	return []registry.List{{Group: "g1", Purposes: []string{"revocation", "suspension"}}}, nil
}

// fakeVerifier answers by the credential's name and remembers what it was asked.
type fakeVerifier struct {
	mu   sync.Mutex // guards last while requests run
	last verifier.Input
}

func (f *fakeVerifier) Verify(ctx context.Context, in verifier.Input) (verifier.Result, error) {
	f.mu.Lock()
	f.last = in
	f.mu.Unlock()
	doc := in.Document
	if doc == nil {
		parsed, err := schemas.ParseObject(in.Data)
		if err != nil {
			return verifier.Result{}, errors.Join(verifier.ErrUnreadable, err)
		}
		doc = parsed
	}
	if doc["type"] == nil {
		return verifier.Result{}, verifier.ErrUnreadable
	}
	if _, err := f.Policy(ctx, in.Tenant, in.Policy); err != nil {
		return verifier.Result{}, err
	}
	r := verifier.Result{
		Verdict: verifier.Valid, Policy: "default", PolicyVersion: "1", CheckedAt: time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC),
		Kind: verifier.KindCredential, Credential: doc,
		Checks:  []verifier.Check{{ID: verifier.CheckParse, Outcome: verifier.Pass, Code: "parse_ok", Detail: "the input was read"}},
		Summary: verifier.Summary{Name: "Name", IssuerID: "did:web:dei.example:acme"},
	}
	if doc["name"] == "revoked" {
		r.Verdict = verifier.Invalid
		r.Checks = append(r.Checks, verifier.Check{ID: verifier.CheckStatus, Outcome: verifier.Fail, Code: "status_revoked", Detail: "revoked by its issuer"})
	}
	return r, nil
}

type fakeReports struct {
	mu   sync.Mutex
	kept map[string]assessment.Report
}

func (f *fakeReports) SaveReport(_ context.Context, tenant string, r assessment.Report) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept[tenant+" "+r.ID] = r
	return nil
}

func (f *fakeReports) Report(_ context.Context, tenant, id string) (assessment.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.kept[tenant+" "+id]
	if !ok {
		return assessment.Report{}, assessment.ErrNotFound
	}
	return r, nil
}

func (f *fakeReports) Reports(context.Context, string, string, int) ([]string, error) {
	return []string{"r1"}, nil
}

func (f *fakeReports) Erase(_ context.Context, tenant, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.kept, tenant+" "+id)
	return nil
}

type fakeAssessor struct{}

func (fakeAssessor) Assess(_ context.Context, b evidence.Batch) ([]assessment.Report, error) {
	var out []assessment.Report
	for _, rec := range b.Receipts {
		score, sem := 61.5, 5.0
		level := "proficient"
		out = append(out, assessment.Report{
			ID: "r1", Schema: assessment.Schema, Subject: rec.Subject, Platforms: []string{}, Caveats: []string{},
			Dimensions: map[schemas.Dimension]assessment.DimensionReport{
				schemas.DimensionSocialAwareness: {Status: assessment.StatusScored, Score: &score, SEM: &sem, Interval90: &[2]float64{53, 70}, Level: &level, Facets: map[string]assessment.FacetReport{}},
			},
			Provenance: assessment.Provenance{Purposes: rec.Purposes},
		})
	}
	return out, nil
}

// Policy implements verifierapi.Verifier: one policy of acme beside the default one.
func (f *fakeVerifier) Policy(_ context.Context, tenant, name string) (verifier.Policy, error) {
	if name == "" || name == verifier.DefaultPolicy || tenant == "acme" && name == "hiring" {
		return verifier.Policy{Name: name}, nil
	}
	return verifier.Policy{}, verifier.ErrUnknownPolicy
}

// fakeStatements signs nothing and says what it was asked to sign.
type fakeStatements struct{}

func (fakeStatements) Receipt(_ context.Context, tenant string, r verifier.Result) (string, error) {
	return "receipt of " + tenant + " over " + r.Digest, nil
}

func (fakeStatements) Report(_ context.Context, tenant string, s bulk.Summary) (string, error) {
	return fmt.Sprintf("report of %s over %d", tenant, s.Rows), nil
}

func (fakeStatements) Known(_ context.Context, tenant string) error {
	if tenant != "acme" {
		return issuer.ErrNotFound
	}
	return nil
}

// fakeReplays keeps answers in memory.
type fakeReplays struct {
	mu   sync.Mutex
	kept map[string]*fakeReplay
	fail error
}

type fakeReplay struct {
	digest [32]byte
	until  time.Time
	answer []byte
}

func (f *fakeReplays) ClaimReplay(_ context.Context, name string, digest [32]byte, now, until time.Time) (bool, [32]byte, []byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.kept[name]; ok && now.Before(r.until) {
		return true, r.digest, r.answer, nil
	}
	f.kept[name] = &fakeReplay{digest: digest, until: until}
	return false, [32]byte{}, nil, nil
}

func (f *fakeReplays) KeepReplay(_ context.Context, name string, _ [32]byte, answer []byte, until time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	f.kept[name].answer, f.kept[name].until = answer, until
	return nil
}

func (f *fakeReplays) DropReplay(_ context.Context, name string, _ [32]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.kept, name)
	return nil
}

// fakeKeyStore keeps keys by tenant.
type fakeKeyStore struct {
	mu   sync.Mutex
	made []schemas.APIKey
}

func (f *fakeKeyStore) CreateAPIKey(_ context.Context, k schemas.APIKey) (string, schemas.APIKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k.ID, k.Hash = "k1", "digest"
	f.made = append(f.made, k)
	return "hm_secret", k, nil
}

func (f *fakeKeyStore) APIKeys(_ context.Context, tenant string) ([]schemas.APIKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []schemas.APIKey
	for _, k := range f.made {
		if k.Tenant == tenant {
			out = append(out, k)
		}
	}
	return out, nil
}

func (f *fakeKeyStore) RevokeAPIKey(_ context.Context, tenant, id string) error {
	if tenant != "acme" || id != "k1" {
		return problem.ErrNotFound
	}
	return nil
}
