package issuer_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/proof/sdjwt"
	"heartmark/issuer"
	"heartmark/schemas"
)

// twoForms makes the default configuration give a token first and then a proof.
func twoForms(c *issuer.Config) {
	c.Configurations = issuer.DefaultConfigurations()
	c.Configurations[0].Forms = []issuer.Form{
		{Format: issuer.FormatSDJWTVC, Algorithm: keys.AlgES256},
		{Format: issuer.FormatDataIntegrity, Cryptosuite: issuer.SuiteEdDSA, Algorithm: keys.AlgEdDSA},
	}
}

// Each form has a signature by its own key, an audit entry before and one after it; the act has one index and one
// commitment, and reading it again gives the same bytes.
func TestFormsShareOneAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.conf = twoForms
	w.open()
	got, err := w.iss.Issue(t.Context(), request("k"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Forms) != 2 || got.Format != issuer.FormatSDJWTVC || got.Forms[0].SigningKey == got.Forms[1].SigningKey {
		t.Fatalf("forms %+v", got.Forms)
	}
	if announced, made := w.audits(issuer.AuditSign), w.audits(issuer.AuditSigned); announced != 2 || made != 2 {
		t.Errorf("%d and %d audit entries for 2 signatures", announced, made)
	}
	token, err := sdjwt.Parse(string(got.Forms[0].Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	status, _, err := schemas.ParseTokenStatus(token.Claims)
	if err != nil || status.Index != got.Index || token.Claims["jti"] != string(got.ID) || !strings.HasSuffix(status.URI, "/status/"+string(got.Group)+"/token") {
		t.Errorf("status %+v, %v of %v; want index %d of group %s", status, err, token.Claims["jti"], got.Index, got.Group)
	}
	if err := w.verify(got.Forms[1].Credential); err != nil {
		t.Error(err)
	}
	again, err := w.iss.Get(t.Context(), "acme", got.ID)
	if err != nil || !slices.EqualFunc(again.Forms, got.Forms, func(a, b issuer.IssuedForm) bool {
		return a.SignedForm == b.SignedForm && string(a.Credential) == string(b.Credential)
	}) {
		t.Errorf("Get = %+v, %v", again.Forms, err)
	}
	if err := w.iss.DrainOutbox(t.Context()); err != nil || len(w.log.entries) != 1 {
		t.Errorf("%d log entries, %v; want 1", len(w.log.entries), err)
	}
	if report, err := w.iss.Fsck(t.Context()); err != nil || len(report.Problems) > 0 || report.Credentials != 1 || report.Forms != 2 || report.Signatures != 2 {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
}

type failing struct{ *world }

func (failing) Secure(map[string]any, issuer.Proof, crypto.Signer) (map[string]any, error) {
	return nil, errors.New("the second form fails")
}

// When a later form fails, the earlier one was signed: the act is given up whole, its index revoked, and every signature that
// was announced is accounted for.
func TestLaterFormFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.conf = func(c *issuer.Config) {
		twoForms(c)
		c.Securer = failing{w}
	}
	w.open()
	p, err := w.iss.Prepare(t.Context(), request("k"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.iss.Sign(t.Context(), p); err == nil || !strings.Contains(err.Error(), "second form") {
		t.Fatalf("Sign = %v, want the second form's error", err)
	}
	if _, err := w.iss.Get(t.Context(), "acme", p.CredentialID()); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	report, err := w.iss.Fsck(t.Context())
	if err != nil || len(report.Problems) > 0 || report.Revoked != 1 || report.Signatures != 2 || report.Spent != 2 || report.OpenIntents != 0 {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
}

// A kill between the announcement and the record is settled with as many signatures as were announced.
func TestRecoverCountsForms(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"issue.before_sign", "issue.after_sign", "issue.before_record_commit", "issue.after_record_commit"} {
		w := newWorld(t, true)
		w.conf = twoForms
		w.reuse = true
		w.open()
		w.crashAt = point
		if !survive(func() { _, _ = w.iss.Issue(t.Context(), request("k")) }) {
			t.Fatalf("%s was not reached", point)
		}
		w.reuse = false
		w.restart()
		if report, err := w.iss.Fsck(t.Context()); err != nil || len(report.Problems) > 0 || report.Signatures != 2 || report.OpenIntents != 0 {
			t.Errorf("%s: Fsck = %+v, %v", point, report, err)
		}
		if got, err := w.iss.Issue(t.Context(), request("k")); err != nil || len(got.Forms) != 2 {
			t.Errorf("%s: Issue again = %d forms, %v", point, len(got.Forms), err)
		}
	}
}

// A credential that was stored when there was one form is read as that form.
func TestRecordWithoutForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	in, _, err := w.db.Reserve(t.Context(), issuer.Intent{ID: "x", Tenant: "acme", Credential: "urn:uuid:1", State: issuer.StatePrepared}, issuer.Group{
		ID: "g", Tenant: "acme", Size: issuer.MinListSize, Usable: 100, Permutation: make([]byte, issuer.PermutationKeySize), Purposes: []string{"revocation", "suspension"},
	})
	if err != nil {
		t.Fatal(err)
	}
	credential := []byte(`{"id":"urn:uuid:1"}`)
	sealed, err := w.keys.Seal(t.Context(), "acme", "credential", "urn:uuid:1", credential)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(credential)
	err = errors.Join(
		w.db.Begin(t.Context(), issuer.Beginning{IntentID: in.ID, Audit: []issuer.AuditEvent{{At: start, Event: issuer.AuditSign}}}),
		w.db.Complete(t.Context(), issuer.Completion{
			IntentID: in.ID, Audit: []issuer.AuditEvent{{At: start, Event: issuer.AuditSigned}},
			Record: issuer.Record{
				ID: in.Credential, Tenant: "acme", Group: in.Group, Index: in.Index, Format: issuer.FormatDataIntegrity, SigningKey: "k",
				Digest: hex.EncodeToString(sum[:]), Sealed: sealed, Status: issuer.StatusValid,
			},
		}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.iss.Get(t.Context(), "acme", in.Credential)
	if err != nil || len(got.Forms) != 1 || got.Forms[0].Format != issuer.FormatDataIntegrity || got.Forms[0].SigningKey != "k" ||
		string(got.Forms[0].Bytes()) != string(credential) || string(got.Credential) != string(credential) {
		t.Errorf("Get = %+v, %v", got, err)
	}
	if report, err := w.iss.Fsck(t.Context()); err != nil || len(report.Problems) > 0 || report.Forms != 1 {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
}

func TestFormBytes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`{"a":1}`: `{"a":1}`, `"ey.x~"`: `ey.x~`} {
		if got := string(issuer.IssuedForm{Credential: json.RawMessage(in)}.Bytes()); got != want {
			t.Errorf("Bytes of %s = %s, want %s", in, got, want)
		}
	}
}
