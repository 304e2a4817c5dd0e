package issuer_test

import (
	"crypto"
	"reflect"
	"strings"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/issuer"
	"heartmark/schemas"
	"heartmark/schemas/context"
)

// realSecurer secures with the Data Integrity processor, as the program does.
type realSecurer struct{ p *dataintegrity.Processor }

func newRealSecurer(t testing.TB) realSecurer {
	t.Helper()
	loader, err := context.New()
	if err != nil {
		t.Fatal(err)
	}
	return realSecurer{dataintegrity.New(loader)}
}

func (s realSecurer) Secure(doc map[string]any, p issuer.Proof, signer crypto.Signer) (map[string]any, error) {
	return s.p.Sign(doc, dataintegrity.ProofOptions{
		VerificationMethod: p.VerificationMethod, Purpose: "assertionMethod", Created: p.Created, Cryptosuite: p.Cryptosuite,
	}, signer)
}

// What the issuer gives out verifies, in every configuration, language and number of status entries; and a key of this
// service is what signed it.
func TestIssuedCredentialsVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	securer := newRealSecurer(t)
	w.conf = func(c *issuer.Config) {
		c.Securer = securer
		c.Configurations = issuer.DefaultConfigurations()
		single := c.Configurations[0]
		single.ID, single.NoSuspension, single.NoSources = "dei-single", true, true
		c.Configurations = append(c.Configurations, single)
	}
	w.open()
	for _, configuration := range []string{"dei-profile", "dei-single", "dei-self_awareness"} {
		for _, lang := range []string{"en", "zh-CN"} {
			r := request("")
			r.Configuration, r.Language = configuration, lang
			got, err := w.iss.Issue(t.Context(), r)
			if err != nil {
				t.Fatalf("Issue %s in %s: %v", configuration, lang, err)
			}
			doc, err := schemas.ParseObject(got.Credential)
			if err != nil {
				t.Fatal(err)
			}
			checkStatusEntries(t, doc, got)
			proofs, err := dataintegrity.Proofs(doc)
			if err != nil || len(proofs) != 1 {
				t.Fatalf("Proofs = %d, %v", len(proofs), err)
			}
			infos, err := w.keys.List(t.Context(), "acme")
			if err != nil || proofs[0]["verificationMethod"] != infos[0].VerificationMethod {
				t.Fatalf("verificationMethod %v, %v; want the tenant's key", proofs[0]["verificationMethod"], err)
			}
			if err := securer.p.Check(doc, proofs[0], infos[0].Public); err != nil {
				t.Errorf("%s in %s does not verify: %v", configuration, lang, err)
			}
			doc["name"] = strings.ToUpper(doc["name"].(string)) + "!"
			if err := securer.p.Check(doc, proofs[0], infos[0].Public); err == nil {
				t.Errorf("%s in %s verifies after a change", configuration, lang)
			}
		}
	}
}

// checkStatusEntries holds the status entries against those that the schemas package would have written.
func checkStatusEntries(t *testing.T, doc map[string]any, got issuer.Issued) {
	t.Helper()
	cred := schemas.DEICredential{
		ID: got.ID, Issuer: schemas.IssuerProfile{ID: did("acme"), Name: "Acme"}, HolderID: request("").HolderID, ValidFrom: start,
		ValidUntil: start.Add(time.Hour), Language: "en", Origin: origin, Attestation: attestation(),
	}
	list, array := doc["credentialStatus"].([]any)
	if !array {
		list = []any{doc["credentialStatus"]}
	}
	for _, entry := range list {
		purpose := entry.(map[string]any)["statusPurpose"].(string)
		cred.Status = append(cred.Status, schemas.StatusEntry{
			Purpose: purpose, Index: got.Index, ListURL: issuer.ListURL(origin, got.Group, purpose),
		})
	}
	want, err := cred.Document()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(doc["credentialStatus"], want["credentialStatus"]) {
		t.Errorf("credentialStatus = %v, want %v", doc["credentialStatus"], want["credentialStatus"])
	}
}

// SEC-027, the issuer's half: an undefined term is not signed, and the failed act leaves nothing open.
func TestSEC_027_UndefinedTermIsNotSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	real := newRealSecurer(t)
	w.conf = func(c *issuer.Config) { c.Securer = addsTerm{real} }
	w.open()
	if _, err := w.iss.Issue(t.Context(), request("k")); err == nil {
		t.Fatal("a credential with an undefined term was issued")
	}
	if open, err := w.db.OpenIntents(t.Context(), "", 10); err != nil || len(open) > 0 {
		t.Errorf("open intents: %+v, %v", open, err)
	}
	if page, _, err := w.iss.List(t.Context(), "acme", "", 10); err != nil || len(page) > 0 {
		t.Errorf("List = %+v, %v; want none", page, err)
	}
}

type addsTerm struct{ realSecurer }

func (s addsTerm) Secure(doc map[string]any, p issuer.Proof, signer crypto.Signer) (map[string]any, error) {
	doc["memberLevel"] = "gold"
	return s.realSecurer.Secure(doc, p, signer)
}

// BenchmarkIssueReal is an issuance with everything in it but the flush of the disk.
func BenchmarkIssueReal(b *testing.B) {
	w := benchWorld(b, false)
	securer := newRealSecurer(b)
	w.conf = func(c *issuer.Config) { c.Securer = securer }
	w.open()
	if _, err := w.iss.Issue(b.Context(), request("")); err != nil { // compiles the contexts
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.iss.Issue(b.Context(), request("")); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
}
