package app_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/proof/sdjwt"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"
	jsonldcontext "heartmark/schemas/context"
	"heartmark/verifier"
	"heartmark/verifier/offline"
)

// wallet is a holder's key with its DID.
type wallet struct {
	key ed25519.PrivateKey
	did string
}

func newWallet(t *testing.T) wallet {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := keys.Multibase(pub)
	if err != nil {
		t.Fatal(err)
	}
	return wallet{key, "did:key:" + text}
}

const (
	nonce    = "n-0S6_WzA2Mj"
	audience = "https://employer.example"
)

// shown is the form as its holder shows it to a verifier: a selectively disclosable one with all disclosures and the proof
// of the holder's key, the others as they are.
func (w wallet) shown(t *testing.T, f issuer.IssuedForm, at time.Time) verifier.Input {
	t.Helper()
	in := verifier.Input{Data: f.Bytes()}
	if f.Cryptosuite == issuer.SuiteECDSASD {
		in.Data = derived(t, f.Bytes())
	}
	if !strings.Contains(f.Format, "sd-jwt") {
		return in
	}
	bound, err := sdjwt.Bind(string(f.Bytes()), sdjwt.Binding{Nonce: nonce, Audience: audience, IssuedAt: at}, w.key)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Input{Data: []byte(bound), Challenge: nonce, Domain: audience, MediaType: "application/" + f.Format}
}

// derived shows one result of a credential with a base proof.
func derived(t *testing.T, base []byte) []byte {
	t.Helper()
	loader, err := jsonldcontext.New()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := schemas.ParseObject(base)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := dataintegrity.New(loader).Derive(doc, []string{"/credentialSubject/result/1"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := schemas.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func issueAs(t *testing.T, a *app.App, report, configuration, holder, key string) issuer.Issued {
	t.Helper()
	issued, err := a.Issuer.Issue(t.Context(), issuer.Request{
		Tenant: app.DemoTenant, Configuration: configuration, ReportID: report, HolderID: holder, IdempotencyKey: key,
	})
	if err != nil {
		t.Fatalf("issue %s: %v", configuration, err)
	}
	return issued
}

// Nothing is signed that our own verifier would refuse: each form of each configuration is valid with the running parts and
// with a snapshot alone, and after one revocation all forms of the act are revoked with both.
func TestEveryFormVerifies(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	a := build(t, settings(t, 18120), app.Options{InMemory: true, Now: clock.Now})
	report := seed(t, a, "process", "score", "issue", "automated")
	w := newWallet(t)
	judge := func(v *verifier.Verifier, f issuer.IssuedForm) verifier.Result {
		r, err := v.Verify(t.Context(), w.shown(t, f, clock.Now()))
		if err != nil {
			t.Fatalf("%s: %v", f.Format, err)
		}
		return r
	}
	var issued []issuer.Issued
	for _, c := range a.Issuer.Configurations() {
		if c.Achievement == schemas.AchievementProfile {
			issued = append(issued, issueAs(t, a, report, c.ID, w.did, c.ID))
		}
	}
	off := snapshotVerifier(t, a, clock)
	for _, got := range issued {
		for _, f := range got.Forms {
			for name, v := range map[string]*verifier.Verifier{"online": a.Verifier, "offline": off} {
				if r := judge(v, f); r.Verdict != verifier.Valid {
					t.Errorf("%s of %s %s: %s\n%s", f.Format, got.Configuration, name, r.Verdict, checks(r))
				}
			}
		}
	}
	for _, state := range []struct {
		change func(issuer.Issued) error
		code   string
	}{
		{func(i issuer.Issued) error { return a.Issuer.Suspend(t.Context(), app.DemoTenant, i.ID, "x") }, "status_suspended"},
		{func(i issuer.Issued) error { return a.Issuer.Revoke(t.Context(), app.DemoTenant, i.ID, "x") }, "status_revoked"},
	} {
		for _, got := range issued {
			if err := state.change(got); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(2 * time.Minute)
		publish(t, a)
		off = snapshotVerifier(t, a, clock)
		for _, got := range issued {
			for _, f := range got.Forms {
				for name, v := range map[string]*verifier.Verifier{"online": a.Verifier, "offline": off} {
					if r := judge(v, f); r.Verdict != verifier.Invalid || !hasCode(r, state.code) {
						t.Errorf("%s of %s %s: %s, want %s\n%s", f.Format, got.Configuration, name, r.Verdict, state.code, checks(r))
					}
				}
			}
		}
	}
	if report, err := a.Issuer.Fsck(t.Context()); err != nil || len(report.Problems) > 0 {
		t.Errorf("Fsck = %+v, %v", report, err)
	}
}

func hasCode(r verifier.Result, code string) bool {
	return slices.ContainsFunc(r.Checks, func(c verifier.Check) bool { return c.Code == code })
}

func snapshotVerifier(t *testing.T, a *app.App, clock *testkit.Clock) *verifier.Verifier {
	t.Helper()
	clock.Advance(2 * time.Minute) // past the age at which the last one is handed out again
	data, err := a.Registry.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := a.Keys.SignerFor(t.Context(), "", keys.KindSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := keys.Multibase(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := offline.Open(data, []string{"did:key:" + anchor}, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	v, err := bundle.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The forms of one act share id, index and log commitment; asking again gives the same bytes (design section 9.8).
func TestFormsOfOneAct(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18121), app.Options{InMemory: true})
	report := seed(t, a, "process", "score", "issue", "automated")
	w := newWallet(t)
	publish(t, a) // what the installation says of itself
	got := issueAs(t, a, report, "dei-profile-all", w.did, "k")
	before, err := a.Log.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Issuer.DrainOutbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, err := a.Log.Size(t.Context()); err != nil || after != before+1 {
		t.Errorf("log grew from %d to %d, %v; want one entry for the act", before, after, err)
	}
	var proof, jwt, claims map[string]any
	for _, f := range got.Forms {
		var err error
		switch f.Format {
		case issuer.FormatDataIntegrity:
			proof, err = schemas.ParseObject(f.Bytes())
		case issuer.FormatJWT:
			jwt, err = schemas.ParseObject(payload(t, f.Bytes()))
		case issuer.FormatSDJWTVC:
			token, parseErr := sdjwt.Parse(string(f.Bytes()))
			claims, err = token.Claims, parseErr
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if proof["id"] != string(got.ID) || jwt["id"] != proof["id"] || claims["jti"] != proof["id"] {
		t.Errorf("ids %v, %v and %v, want %s", proof["id"], jwt["id"], claims["jti"], got.ID)
	}
	status, present, err := schemas.ParseTokenStatus(claims)
	if err != nil || !present || status.Index != got.Index || status.URI != issuer.ListURL(a.Config.Origin, got.Group, "token") {
		t.Errorf("status %+v, %v; want index %d of group %s", status, err, got.Index, got.Group)
	}
	again := issueAs(t, a, report, "dei-profile-all", w.did, "k")
	for n, f := range again.Forms {
		if !bytes.Equal(f.Credential, got.Forms[n].Credential) {
			t.Errorf("asked again, form %s differs", f.Format)
		}
	}
	if list, _, err := a.Issuer.List(t.Context(), app.DemoTenant, "", 10); err != nil || len(list) != 1 {
		t.Errorf("%d credentials are listed, %v; want 1", len(list), err)
	}
}

func payload(t *testing.T, jws []byte) []byte {
	t.Helper()
	parts := strings.Split(string(jws), ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Wallets see one configuration for each form that OpenID4VCI has a name for, and an offer can be made for each.
func TestWalletsSeeForms(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18128), app.Options{InMemory: true})
	report := seed(t, a, "process", "score", "issue", "automated")
	m, err := a.OID4VCI.Metadata(t.Context(), app.DemoTenant)
	if err != nil {
		t.Fatal(err)
	}
	shown := m["credential_configurations_supported"].(map[string]any)
	for id, format := range map[string]string{
		"dei-profile": "ldp_vc", "dei-profile-all": "ldp_vc", "dei-profile-all.dc+sd-jwt": "dc+sd-jwt", "dei-profile-sd-jwt": "dc+sd-jwt",
		"dei-profile-ecdsa-sd": "ldp_vc",
	} {
		one, _ := shown[id].(map[string]any)
		if one["format"] != format {
			t.Errorf("configuration %s: %v, want %s", id, one["format"], format)
		}
		if _, err := a.OID4VCI.CreateOffer(t.Context(), oid4vci.OfferRequest{Tenant: app.DemoTenant, Configuration: id, ReportID: report}); err != nil {
			t.Errorf("offer for %s: %v", id, err)
		}
	}
	for _, id := range []string{"dei-profile-jwt", "dei-profile-vc-sd-jwt", "dei-profile-all.vc+jwt"} {
		if shown[id] != nil {
			t.Errorf("%s has no format that wallets know, and is shown", id)
		}
	}
}

// A form that is bound to the holder's key needs a DID that is its key, and nothing is reserved for any other.
func TestFormNeedsHolderKey(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18122), app.Options{InMemory: true})
	report := seed(t, a, "process", "score", "issue", "automated")
	_, err := a.Issuer.Issue(t.Context(), issuer.Request{
		Tenant: app.DemoTenant, Configuration: "dei-profile-all", ReportID: report, HolderID: "did:web:holder.example",
	})
	if err == nil || !strings.Contains(err.Error(), "/subject/id") {
		t.Errorf("Issue to a did:web = %v, want a fault at /subject/id", err)
	}
	if groups, err := a.Issuer.Groups(t.Context(), "", 10); err != nil || len(groups) != 0 {
		t.Errorf("groups %v, %v; want none", groups, err)
	}
}

// Keys of every algorithm rotate: what the old one signed stays valid, what is signed afterwards is by the new one, and
// a revoked key takes all down that it signed.
func TestRotationOfEveryAlgorithm(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	a := build(t, settings(t, 18123), app.Options{InMemory: true, Now: clock.Now})
	report := seed(t, a, "process", "score", "issue", "automated")
	w := newWallet(t)
	first := issueAs(t, a, report, "dei-profile-all", w.did, "first")
	fresh := map[string]schemas.KeyID{}
	for _, alg := range a.Issuer.Algorithms() {
		clock.Advance(time.Hour)
		info, err := a.RotateKey(t.Context(), app.DemoTenant, keys.KindCredential, alg)
		if err != nil {
			t.Fatal(err)
		}
		fresh[alg] = info.ID
	}
	clock.Advance(time.Hour)
	second := issueAs(t, a, report, "dei-profile-all", w.did, "second")
	judge := func(f issuer.IssuedForm, want verifier.Verdict) {
		t.Helper()
		r, err := a.Verifier.Verify(t.Context(), w.shown(t, f, clock.Now()))
		if err != nil || r.Verdict != want {
			t.Errorf("%s by %s: %s, %v; want %s\n%s", f.Format, f.SigningKey, r.Verdict, err, want, checks(r))
		}
	}
	for n, f := range first.Forms {
		judge(f, verifier.Valid)
		if s := second.Forms[n]; s.SigningKey != fresh[s.Algorithm] || s.SigningKey == f.SigningKey {
			t.Errorf("%s is signed by %s, the fresh key is %s", s.Format, s.SigningKey, fresh[s.Algorithm])
		}
		judge(second.Forms[n], verifier.Valid)
	}
	for _, f := range first.Forms {
		if f.Algorithm != keys.AlgES256 {
			continue
		}
		if err := a.RevokeKey(t.Context(), f.SigningKey, clock.Now(), "test"); err != nil {
			t.Fatal(err)
		}
		break
	}
	clock.Advance(10 * time.Minute)
	for n, f := range first.Forms {
		want := verifier.Valid
		if f.Algorithm == keys.AlgES256 {
			want = verifier.Invalid
		}
		judge(f, want)
		judge(second.Forms[n], verifier.Valid)
	}
}

// The command line writes the form that is asked for, and verifies it; a form that there is not is refused before issuing.
func TestIssueCommandWritesForm(t *testing.T) {
	t.Parallel()
	c := settings(t, 18125)
	text, err := c.Print()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "heartmark.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := build(t, c, app.Options{})
	report := seed(t, a, "process", "score", "issue", "automated")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	command := func(want int, args ...string) {
		t.Helper()
		var out, errOut bytes.Buffer
		if code := app.Main(t.Context(), append(args, "--config", file), &out, &errOut); code != want {
			t.Errorf("%q: exit %d, want %d\n%s%s", args, code, want, out.String(), errOut.String())
		}
	}
	credential := filepath.Join(folder, "credential.jwt")
	order := []string{"issue", "--report", report, "--holder", holder, "--configuration", "dei-profile-all", "--out", credential}
	command(app.ExitUsage, append(order, "--form", "vc+sd-jwt")...)
	if _, err := os.Stat(credential); err == nil {
		t.Error("a refused form left a file")
	}
	command(app.ExitDone, append(order, "--form", "vc+jwt")...)
	if data, err := os.ReadFile(credential); err != nil || !bytes.HasPrefix(data, []byte("ey")) || bytes.Count(data, []byte(".")) != 2 {
		t.Errorf("file %.40q, %v; want a compact JWS", data, err)
	}
	command(app.ExitDone, "verify", credential)
}
