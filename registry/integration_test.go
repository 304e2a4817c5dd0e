package registry_test

import (
	"context"
	"crypto"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/registry"
	"heartmark/schemas"
	contexts "heartmark/schemas/context"
)

// dataIntegrity secures with the project's own suites.
type dataIntegrity struct{ p *dataintegrity.Processor }

func (d dataIntegrity) Secure(_ context.Context, doc map[string]any, method string, created time.Time, signer crypto.Signer) (map[string]any, error) {
	return d.p.Sign(doc, dataintegrity.ProofOptions{
		VerificationMethod: method, Purpose: "assertionMethod", Created: created, Cryptosuite: "eddsa-rdfc-2022",
	}, signer)
}

// A published list verifies as a credential under the real suite, with every term defined, and so does one whose
// validFrom has a fraction of a second.
func TestListUnderDataIntegrity(t *testing.T) {
	t.Parallel()
	loader, err := contexts.New()
	must(t, err)
	p := dataintegrity.New(loader)
	w := newWorld(t)
	w.c.Securer = dataIntegrity{p}
	w.restart()
	for i := range 3 {
		w.lists.set(t, "g1", "revocation", uint64(i), 1)
		must(t, w.Publish(t.Context()))
		raw, version, err := w.StatusList(t.Context(), "g1", "revocation", time.Time{})
		must(t, err)
		if version != uint64(i+1) {
			t.Errorf("version %d, want %d", version, i+1)
		}
		doc, err := schemas.ParseObject(raw)
		must(t, err)
		must(t, schemas.ValidateCredential(doc))
		proofs, err := dataintegrity.Proofs(doc)
		must(t, err)
		if len(proofs) != 1 || proofs[0]["verificationMethod"] != tenant+"#list" {
			t.Fatalf("proofs %v", proofs)
		}
		if err := p.Check(doc, proofs[0], seedKey(20).Public()); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

func TestOwnContext(t *testing.T) {
	t.Parallel()
	loader, err := contexts.New()
	must(t, err)
	body, err := loader.Document(origin + schemas.ContextDEIPath)
	must(t, err)
	w := newWorld(t)
	_, err = w.PublishArtefact(t.Context(), system(), registry.NewArtefact{
		Kind: registry.KindContexts, Name: "dei/v1", MediaType: "application/ld+json", Data: body,
	})
	must(t, err)
}
