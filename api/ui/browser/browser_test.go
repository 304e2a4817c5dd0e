package browser_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/api/problem"
	"heartmark/api/ui/browser"
	"heartmark/api/ui/verdict"
	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
	schemacontext "heartmark/schemas/context"
	"heartmark/schemas/trust"
	"heartmark/verifier/offline"

	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

const (
	origin   = "https://dei.example"
	registry = "did:web:dei.example"
	acme     = registry + ":acme"
)

func made() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func multibase(t testing.TB, seed byte) string {
	t.Helper()
	text, err := keys.Multibase(key(seed).Public())
	must(t, err)
	return text
}

// credential is one of acme's, signed, with a name that would be markup if it were not text.
func credential(t testing.TB) []byte {
	t.Helper()
	loader, err := schemacontext.New()
	must(t, err)
	secured, err := dataintegrity.New(loader).Sign(map[string]any{
		"@context": []any{schemas.ContextV2}, "type": []any{schemas.TypeVerifiableCredential}, "issuer": acme, "name": `<img src=x onerror=alert(1)>`,
		"validFrom": schemas.FormatTime(made().Add(-time.Hour)), "credentialSubject": map[string]any{"id": "did:example:subject"},
	}, dataintegrity.ProofOptions{VerificationMethod: acme + "#k1", Purpose: did.AssertionMethod, Created: made().Add(-time.Hour)}, key(2))
	must(t, err)
	data, err := schemas.Marshal(secured)
	must(t, err)
	return data
}

func snapshot(t testing.TB) []byte {
	t.Helper()
	year := made().AddDate(-1, 0, 0)
	document, err := schemas.Marshal(did.BuildDocument(acme, []did.PublishedMethod{
		{ID: acme + "#k1", PublicKeyMultibase: multibase(t, 2), Purposes: []string{did.AssertionMethod}},
	}))
	must(t, err)
	c := trust.Contents{
		Format: trust.Format, Registry: registry, Origin: origin, Created: made(), Expires: made().Add(trust.SnapshotLife), Sequence: 3,
		Authorities: []trust.Authority{{
			ID: "a1", Version: 1, Entity: acme, Authority: registry, Action: trust.ActionIssue, Resource: schemas.TypeVerifiableCredential,
			ValidFrom: year, Status: trust.Active, Since: year,
		}},
		Keys: []trust.Key{
			{DID: registry, Method: registry + "#snapshot", Version: 1, Kind: trust.KindSnapshot, PublicKeyMultibase: multibase(t, 1), From: year, Status: trust.KeyActive, Since: year},
			{DID: acme, Method: acme + "#k1", Version: 1, Kind: trust.KindCredential, PublicKeyMultibase: multibase(t, 2), From: year, Status: trust.KeyActive, Since: year},
		},
		Documents: map[string]string{acme: string(document)},
	}
	payload, message, err := c.Encode()
	must(t, err)
	data, err := trust.Seal(payload, registry+"#snapshot", ed25519.Sign(key(1), message))
	must(t, err)
	return data
}

func checker(t testing.TB, lang string, at time.Time) *browser.Checker {
	t.Helper()
	c, err := browser.New(lang, func() time.Time { return at })
	must(t, err)
	return c
}

func TestCheck(t *testing.T) {
	t.Parallel()
	trusted := []string{"did:key:" + multibase(t, 1)}
	good, bundle := credential(t), snapshot(t)
	changed := bytes.Replace(good, []byte("onerror"), []byte("onERROR"), 1)
	for _, tc := range []struct {
		name, lang string
		at         time.Time
		stale      bool
		data       []byte
		verdict    string
		want       []string
	}{
		{"changed", "en", made().Add(time.Minute), false, changed, "invalid", []string{"Not valid", "sent nowhere"}},
		{"snapshot has run out", "en", made().Add(trust.SnapshotLife), false, good, "undetermined", []string{"Could not be decided", "24 h old"}},
		{"snapshot from the future", "en", made().Add(-time.Hour), false, good, "undetermined", []string{"Could not be decided"}},
		{"not a credential", "en", made(), false, []byte("x"), "", []string{"Cannot be read as a credential"}},
		{"not a credential", "zh", made(), false, []byte(`{"a":1}`), "", []string{"无法作为凭证读取"}},
		{"good", "en", made().Add(30 * time.Second), false, good, "valid", []string{">Valid<", "1 February 2026 12:00 UTC (less than a minute old)"}},
		{"good, space around", "en", made().Add(3 * time.Minute), false, []byte(" \n" + string(good) + "\n"), "valid", []string{"(3 min old)"}},
		{"good, old registry", "zh", made().Add(5 * time.Hour), true, good, "valid", []string{"有效", "未能重新取得登记簿", "5 小时前"}},
	} {
		c := checker(t, tc.lang, tc.at)
		must(t, c.Load(bundle, trusted))
		got, err := c.Check(t.Context(), tc.data, tc.stale)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got.Verdict != tc.verdict {
			t.Errorf("%s: verdict %q, want %q\n%s", tc.name, got.Verdict, tc.verdict, got.HTML)
		}
		for _, want := range tc.want {
			if !strings.Contains(got.HTML, want) {
				t.Errorf("%s (%s): %q is missing", tc.name, tc.lang, want)
			}
		}
		if strings.Contains(got.HTML, "<img") { // SEC-143
			t.Errorf("%s: text became markup", tc.name)
		}
	}
}

// TestLoadRefuses: a snapshot that is not the trusted registry's is never used, and does not end one that is.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	bundle, trusted := snapshot(t), []string{"did:key:" + multibase(t, 1)}
	c := checker(t, "en", made())
	if _, err := c.Check(t.Context(), credential(t), false); !errors.Is(err, browser.ErrNotLoaded) {
		t.Errorf("Check before Load: %v", err)
	}
	must(t, c.Load(bundle, trusted))
	for name, tc := range map[string]struct {
		data    []byte
		trusted []string
		want    error
	}{
		"empty":              {nil, trusted, offline.ErrSnapshot},
		"cut off":            {bundle[:len(bundle)/2], trusted, offline.ErrSnapshot},
		"a page in place":    {[]byte("<!DOCTYPE html>"), trusted, offline.ErrSnapshot},
		"another registry's": {bundle, []string{"did:key:" + multibase(t, 9)}, offline.ErrSnapshot},
		"the issuer's key":   {bundle, []string{"did:key:" + multibase(t, 2)}, offline.ErrSnapshot},
		"nobody trusted":     {bundle, nil, offline.ErrTrust},
		"an empty name":      {bundle, []string{""}, offline.ErrTrust},
	} {
		if err := c.Load(tc.data, tc.trusted); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if got, err := c.Check(t.Context(), credential(t), false); err != nil || got.Verdict != "valid" {
		t.Errorf("after refusals: %q, %v, want valid", got.Verdict, err)
	}
}

// TestOneWording holds that an unreadable input gets the words of the server's answer.
func TestOneWording(t *testing.T) {
	t.Parallel()
	catalog, err := problem.New(origin)
	must(t, err)
	for _, lang := range schemas.Languages() {
		w, err := verdict.Load(lang)
		must(t, err)
		text, ok := catalog.Text(lang, "unreadable")
		if !ok || w.Text("verdict.unreadable") != text.Title {
			t.Errorf("%s: %q here, %q on the server", lang, w.Text("verdict.unreadable"), text.Title)
		}
	}
}

func TestIncluded(t *testing.T) {
	t.Parallel()
	h := rfc6962.DefaultHasher
	leaf, other := []byte(`{"kind":"issued"}`), h.HashLeaf([]byte("other"))
	root := h.HashChildren(h.HashLeaf(leaf), other)
	skey, vkey, err := note.GenerateKey(rand.Reader, "dei.example/log")
	must(t, err)
	signer, err := note.NewSigner(skey)
	must(t, err)
	checkpoint, err := note.Sign(&note.Note{Text: "dei.example/log\n2\n" + base64.StdEncoding.EncodeToString(root) + "\n"}, signer)
	must(t, err)
	proof := func(index uint64) []byte {
		out, err := json.Marshal(schemas.LogProof{Index: index, Proof: []string{base64.StdEncoding.EncodeToString(other)}, Checkpoint: string(checkpoint), TreeSize: 2})
		must(t, err)
		return out
	}
	for _, tc := range []struct {
		name        string
		leaf, proof []byte
		keys        []string
		want        error
	}{
		{"good", leaf, proof(0), []string{vkey}, nil},
		{"another entry", []byte(`{"kind":"x"}`), proof(0), []string{vkey}, inclusion.ErrProof},
		{"another place", leaf, proof(1), []string{vkey}, inclusion.ErrProof},
		{"no key", leaf, proof(0), nil, inclusion.ErrCheckpoint},
		{"not JSON", leaf, []byte("x"), []string{vkey}, inclusion.ErrProof},
	} {
		if err := browser.Included(tc.leaf, tc.proof, tc.keys...); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}
