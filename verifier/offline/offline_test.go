package offline_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/statuslist"
	"heartmark/schemas"
	schemacontext "heartmark/schemas/context"
	"heartmark/schemas/trust"
	"heartmark/verifier"
	"heartmark/verifier/offline"
)

const (
	origin   = "https://dei.example"
	registry = "did:web:dei.example"
	acme     = registry + ":acme"
	method   = acme + "#k1"
	listURL  = origin + "/status/g1/revocation"
	kind     = "CourseCredential"
	schema   = origin + "/schemas/course/v1"
	smallest = `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"` + schema + `","type":"object","required":["name"]}`
)

func made() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

func seedKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func multibase(t testing.TB, key ed25519.PrivateKey) string {
	t.Helper()
	text, err := keys.Multibase(key.Public())
	must(t, err)
	return text
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// proofs signs and checks; signing documents of a type of our own needs a context for it.
func proofs(t testing.TB) *dataintegrity.Processor {
	t.Helper()
	loader, err := schemacontext.New()
	must(t, err)
	return dataintegrity.New(loader)
}

func sign(t testing.TB, doc map[string]any) []byte {
	t.Helper()
	secured, err := proofs(t).Sign(doc, dataintegrity.ProofOptions{
		VerificationMethod: method, Purpose: did.AssertionMethod, Created: made().Add(-time.Hour),
	}, seedKey(2))
	must(t, err)
	data, err := schemas.Marshal(secured)
	must(t, err)
	return data
}

func list(t testing.TB, set ...uint64) string {
	t.Helper()
	bits, err := statuslist.NewBits(statuslist.MinEntries, 1)
	must(t, err)
	for _, i := range set {
		must(t, bits.Set(i, 1))
	}
	encoded, err := bits.Encode()
	must(t, err)
	return string(sign(t, map[string]any{
		"@context": []any{schemas.ContextV2}, "id": listURL, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"},
		"issuer": acme, "validFrom": schemas.FormatTime(made().Add(-time.Hour)), "validUntil": schemas.FormatTime(made().Add(23 * time.Hour)),
		"credentialSubject": map[string]any{
			"id": listURL + "#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": encoded, "ttl": json.Number("300000"),
		},
	}))
}

// credential is one of acme's with a status and, where entry is given, a schema.
func credential(t testing.TB, entry map[string]any) []byte {
	t.Helper()
	doc := map[string]any{
		"@context": []any{schemas.ContextV2}, "type": []any{schemas.TypeVerifiableCredential}, "issuer": acme, "name": "Course",
		"validFrom": schemas.FormatTime(made().Add(-time.Hour)), "credentialSubject": map[string]any{"id": "did:example:subject"},
		"credentialStatus": map[string]any{
			"type": schemas.TypeStatusEntry, "statusPurpose": "revocation", "statusListIndex": "94567", "statusListCredential": listURL,
		},
	}
	if entry != nil {
		doc["credentialSchema"] = entry
	}
	return sign(t, doc)
}

func contents(t testing.TB) trust.Contents {
	t.Helper()
	year := made().AddDate(-1, 0, 0)
	document, err := schemas.Marshal(did.BuildDocument(acme, []did.PublishedMethod{
		{ID: method, PublicKeyMultibase: multibase(t, seedKey(2)), Purposes: []string{did.AssertionMethod}},
	}))
	must(t, err)
	return trust.Contents{
		Format: trust.Format, Registry: registry, Origin: origin, Created: made(), Expires: made().Add(trust.SnapshotLife), Sequence: 3,
		Authorities: []trust.Authority{{
			ID: "a1", Version: 1, Entity: acme, Authority: registry, Action: trust.ActionIssue, Resource: schemas.TypeVerifiableCredential,
			ValidFrom: year, Status: trust.Active, Since: year,
		}},
		Keys: []trust.Key{
			{DID: registry, Method: registry + "#snapshot", Version: 1, Kind: trust.KindSnapshot, PublicKeyMultibase: multibase(t, seedKey(1)), From: year, Status: trust.KeyActive, Since: year},
			{DID: acme, Method: method, Version: 1, Kind: trust.KindCredential, PublicKeyMultibase: multibase(t, seedKey(2)), From: year, Status: trust.KeyActive, Since: year},
		},
		Documents:   map[string]string{acme: string(document)},
		Artefacts:   []trust.Artefact{{Kind: trust.KindSchemas, Name: "course/v1", MediaType: "application/schema+json", Data: []byte(smallest)}},
		StatusLists: map[string]string{listURL: list(t)},
	}
}

func seal(t testing.TB, c trust.Contents) []byte {
	t.Helper()
	payload, message, err := c.Encode()
	must(t, err)
	data, err := trust.Seal(payload, registry+"#snapshot", ed25519.Sign(seedKey(1), message))
	must(t, err)
	return data
}

func open(t testing.TB, c trust.Contents, at time.Time) (*offline.Bundle, error) {
	t.Helper()
	return offline.Open(seal(t, c), []string{"did:key:" + multibase(t, seedKey(1))}, func() time.Time { return at })
}

// TestVerdicts: what the snapshot says decides, and what it does not hold is never passed over.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	entry := func(id, digest string) map[string]any {
		e := map[string]any{"id": id, "type": schemas.TypeJSONSchema}
		if digest != "" {
			e["digestSRI"] = digest
		}
		return e
	}
	pinned := schemas.DigestSRI([]byte(smallest))
	none := func(*trust.Contents) {}
	for _, tc := range []struct {
		name   string
		change func(*trust.Contents)
		schema map[string]any
		want   verifier.Verdict
		code   string
	}{
		{"good", none, nil, verifier.Valid, "status_ok"},
		{"SEC-068 its list is not in the snapshot", func(c *trust.Contents) { c.StatusLists = nil }, nil, verifier.Undetermined, "status_retrieval"},
		{"SEC-070 a bit of its list was changed", func(c *trust.Contents) {
			c.StatusLists = map[string]string{listURL: string(bytes.Replace([]byte(c.StatusLists[listURL]), []byte(`"ttl":300000`), []byte(`"ttl":200000`), 1))}
		}, nil, verifier.Undetermined, "status_verification"},
		{"SEC-072 another list under its address", func(c *trust.Contents) { c.StatusLists = map[string]string{listURL: `{"id":"x"}`} }, nil, verifier.Undetermined, "status_verification"},
		{"revoked", func(c *trust.Contents) { c.StatusLists = map[string]string{listURL: list(t, 94567)} }, nil, verifier.Invalid, "status_revoked"},
		{"its neighbour is revoked", func(c *trust.Contents) { c.StatusLists = map[string]string{listURL: list(t, 94566, 94568)} }, nil, verifier.Valid, "status_ok"},
		{"SEC-141 issuer not in the registry", func(c *trust.Contents) { c.Authorities = nil }, nil, verifier.Invalid, "authority_unknown"},
		{"SEC-066 not for this type", func(c *trust.Contents) { c.Authorities[0].Resource = kind }, nil, verifier.Invalid, "authority_not_authorized"},
		{"another registry's word", func(c *trust.Contents) { c.Authorities[0].Authority = "did:web:x.example" }, nil, verifier.Invalid, "authority_not_authorized"},
		{"SEC-065 withdrawn", func(c *trust.Contents) { c.Authorities[0].Status = trust.Withdrawn }, nil, verifier.Invalid, "authority_inactive"},
		{"its document is not in the snapshot", func(c *trust.Contents) { c.Documents = nil }, nil, verifier.Undetermined, "proof_key_unavailable"},
		{"SEC-063 the document is another's", func(c *trust.Contents) {
			c.Documents[acme] = string(bytes.ReplaceAll([]byte(c.Documents[acme]), []byte(":acme"), []byte(":evil")))
		}, nil, verifier.Undetermined, "proof_key_unavailable"},
		{"nothing is recorded of its key", func(c *trust.Contents) { c.Keys = c.Keys[:1] }, nil, verifier.Undetermined, "key_interval_unknown"},
		{"SEC-064 its key was revoked", func(c *trust.Contents) { c.Keys[1].Status, c.Keys[1].Since = trust.KeyRevoked, made() }, nil, verifier.Invalid, "key_interval_revoked"},
		{"SEC-064 its key was retired before it signed", func(c *trust.Contents) {
			c.Keys[1].Status, c.Keys[1].Since = trust.KeyRetired, made().Add(-2*time.Hour)
		}, nil, verifier.Invalid, "key_interval_outside"},
		{"its key was retired after it signed", func(c *trust.Contents) {
			c.Keys[1].Status, c.Keys[1].Since = trust.KeyRetired, made().Add(-time.Minute)
		}, nil, verifier.Valid, "key_interval_ok"},
		{"schema of the registry", none, entry(schema, pinned), verifier.Valid, "schema_ok"},
		{"schema of the registry without a digest", none, entry(schema, ""), verifier.Valid, "schema_ok"},
		{"another digest", none, entry(schema, schemas.DigestSRI([]byte("{}"))), verifier.Invalid, "schema_digest"},
		{"schema that is violated", func(c *trust.Contents) {
			c.Artefacts[0].Data = bytes.Replace([]byte(smallest), []byte(`"name"`), []byte(`"game"`), 1)
		}, entry(schema, ""), verifier.Invalid, "schema_violated"},
		{"schema that is not in the snapshot", none, entry(origin+"/schemas/course/v2", ""), verifier.Undetermined, "schema_unknown"},
		{"schema without its bytes", func(c *trust.Contents) { c.Artefacts[0].Data = nil }, entry(schema, pinned), verifier.Undetermined, "schema_unknown"},
		{"schema that is none", func(c *trust.Contents) { c.Artefacts[0].Data = []byte(`{"type":7}`) }, entry(schema, ""), verifier.Undetermined, "schema_unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := contents(t)
			tc.change(&c)
			b, err := open(t, c, made().Add(time.Hour))
			must(t, err)
			v, err := b.Verifier()
			must(t, err)
			r, err := v.Verify(t.Context(), verifier.Input{Data: credential(t, tc.schema), Policy: offline.Policy})
			must(t, err)
			found := false
			for _, check := range r.Checks {
				found = found || check.Code == tc.code
			}
			if r.Verdict != tc.want || !found {
				t.Errorf("%s, want %s with %s", r.Verdict, tc.want, tc.code)
				for _, check := range r.Checks {
					t.Logf("%s %s %s", check.Outcome, check.Code, check.Detail)
				}
			}
		})
	}
}

// TestEvidenceIsAsOldAsTheSnapshot: nothing that a snapshot gave is said to be of now.
func TestEvidenceIsAsOldAsTheSnapshot(t *testing.T) {
	t.Parallel()
	b, err := open(t, contents(t), made().Add(5*time.Hour))
	must(t, err)
	v, err := b.Verifier()
	must(t, err)
	r, err := v.Verify(t.Context(), verifier.Input{Data: credential(t, nil), Policy: offline.Policy})
	must(t, err)
	n := 0
	for _, c := range r.Checks {
		if c.Evidence != nil && !c.Evidence.FetchedAt.IsZero() {
			n++
			if !c.Evidence.FetchedAt.Equal(made()) {
				t.Errorf("%s rests on %s, want %s", c.Code, c.Evidence.FetchedAt, made())
			}
		}
	}
	if basis := b.Basis(); n < 4 || basis.AgeSeconds != 5*3600 || basis.State != offline.Current || basis.SignedBy != registry+"#snapshot" {
		t.Errorf("%d findings with evidence, basis %+v", n, basis)
	}
}

// TestSignerIsTheRegistrysOwn: a trusted key speaks for a registry only where that registry states that it is its snapshot
// key, and was when the snapshot was made.
func TestSignerIsTheRegistrysOwn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*trust.Contents){
		"not recorded":            func(c *trust.Contents) { c.Keys = c.Keys[1:] },
		"another kind of key":     func(c *trust.Contents) { c.Keys[0].Kind = trust.KindCredential },
		"another key by the name": func(c *trust.Contents) { c.Keys[0].PublicKeyMultibase = multibase(t, seedKey(3)) },
		"another method":          func(c *trust.Contents) { c.Keys[0].Method = registry + "#other" },
		"another registry":        func(c *trust.Contents) { c.Registry = "did:web:other.example" },
		"revoked":                 func(c *trust.Contents) { c.Keys[0].Status, c.Keys[0].Since = trust.KeyRevoked, made() },
		"retired":                 func(c *trust.Contents) { c.Keys[0].Status, c.Keys[0].Since = trust.KeyRetired, made().Add(-time.Hour) },
		"not yet in use":          func(c *trust.Contents) { c.Keys[0].From = made().Add(time.Second) },
	} {
		c := contents(t)
		change(&c)
		if _, err := open(t, c, made()); !errors.Is(err, offline.ErrSnapshot) {
			t.Errorf("%s: %v, want ErrSnapshot", name, err)
		}
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	data := seal(t, contents(t))
	good, other := "did:key:"+multibase(t, seedKey(1)), "did:key:"+multibase(t, seedKey(4))
	for name, tc := range map[string]struct {
		trusted []string
		want    error
	}{
		"the key":                 {[]string{good}, nil},
		"among others":            {[]string{other, good}, nil},
		"none":                    {nil, offline.ErrTrust},
		"another":                 {[]string{other}, offline.ErrSnapshot},
		"needs the network":       {[]string{good, registry}, offline.ErrTrust},
		"malformed":               {[]string{good + "x"}, offline.ErrTrust},
		"a method, not a DID":     {[]string{good + "#" + multibase(t, seedKey(1))}, offline.ErrTrust},
		"unknown method":          {[]string{"did:example:1"}, offline.ErrTrust},
		"white space":             {[]string{" " + good}, offline.ErrTrust},
		"the tenant's key":        {[]string{"did:key:" + multibase(t, seedKey(2))}, offline.ErrSnapshot},
		"empty":                   {[]string{""}, offline.ErrTrust},
		"same key, another shape": {[]string{"did:key:" + multibase(t, seedKey(1)), other}, nil},
	} {
		if _, err := offline.Open(data, tc.trusted, made); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// TestNoSnapshot: nothing is valid, and a signature of an issuer that is its own key is checked all the same.
func TestNoSnapshot(t *testing.T) {
	t.Parallel()
	b, err := offline.Open(nil, nil, made)
	must(t, err)
	v, err := b.Verifier()
	must(t, err)
	id := "did:key:" + multibase(t, seedKey(2))
	secured, err := proofs(t).Sign(map[string]any{
		"@context": []any{schemas.ContextV2}, "type": []any{schemas.TypeVerifiableCredential}, "issuer": id,
		"validFrom": schemas.FormatTime(made().Add(-time.Hour)), "credentialSubject": map[string]any{"id": "did:example:subject"},
	}, dataintegrity.ProofOptions{
		VerificationMethod: id + "#" + multibase(t, seedKey(2)), Purpose: did.AssertionMethod, Created: made(),
	}, seedKey(2))
	must(t, err)
	changed := maps.Clone(secured)
	changed["validFrom"] = schemas.FormatTime(made())
	for name, tc := range map[string]struct {
		doc  map[string]any
		want verifier.Verdict
	}{"good": {secured, verifier.Undetermined}, "changed": {changed, verifier.Invalid}} {
		data, err := schemas.Marshal(tc.doc)
		must(t, err)
		r, err := v.Verify(t.Context(), verifier.Input{Data: data, Policy: offline.Policy})
		must(t, err)
		if r.Verdict != tc.want {
			t.Errorf("%s: %s, want %s", name, r.Verdict, tc.want)
		}
	}
	if state := b.Basis().State; state != offline.Absent {
		t.Errorf("state %s, want absent", state)
	}
}
