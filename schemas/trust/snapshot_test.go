package trust_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/schemas"
	"heartmark/schemas/trust"
)

const (
	registryDID = "did:web:dei.example"
	issuer      = "did:web:dei.example:acme"
	resource    = "https://dei.example/achievements/dei/profile/v1"
	list        = "https://dei.example/status/g1/revocation"
)

func created() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

func signingKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
}

func contents() trust.Contents {
	return trust.Contents{
		Format: trust.Format, Registry: registryDID, Origin: "https://dei.example", Created: created(), Expires: created().Add(trust.SnapshotLife),
		Sequence: 9,
		Authorities: []trust.Authority{
			{
				ID: "a1", Version: 1, Entity: issuer, Authority: registryDID, Action: trust.ActionIssue, Resource: resource,
				Levels: []schemas.Level{schemas.LevelProficient}, ValidFrom: created().AddDate(-1, 0, 0), Status: trust.Active, Since: created().AddDate(-1, 0, 0),
			},
			{
				ID: "a1", Version: 2, Entity: issuer, Authority: registryDID, Action: trust.ActionIssue, Resource: resource,
				Levels: []schemas.Level{schemas.LevelProficient}, ValidFrom: created().AddDate(-1, 0, 0), Status: trust.Suspended, Since: created().Add(-time.Hour),
			},
		},
		Keys: []trust.Key{
			{DID: issuer, Method: issuer + "#k1", Version: 1, Kind: trust.KindCredential, From: created().AddDate(-1, 0, 0), Status: trust.KeyActive, Since: created().AddDate(-1, 0, 0)},
			{DID: issuer, Method: issuer + "#k1", Version: 2, Kind: trust.KindCredential, From: created().AddDate(-1, 0, 0), Status: trust.KeyRevoked, Since: created().Add(-time.Minute)},
		},
		Documents:   map[string]string{issuer: `{"id":"` + issuer + `"}`},
		Artefacts:   []trust.Artefact{{Kind: trust.KindSchemas, Name: "x/v1", Data: []byte(`{}`), Size: 2}},
		StatusLists: map[string]string{list: `{"id":"` + list + `"}`},
		Log:         trust.LogHead{Checkpoint: "c", VerifierKeys: []string{"k"}},
	}
}

func seal(t testing.TB, c trust.Contents) []byte {
	t.Helper()
	payload, message, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return sealPayload(t, payload, ed25519.Sign(signingKey(), message))
}

func sealPayload(t testing.TB, payload, signature []byte) []byte {
	t.Helper()
	data, err := trust.Seal(payload, registryDID+"#snapshot", signature)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// signed seals a payload that Encode would not write.
func signed(t testing.TB, payload string) []byte {
	t.Helper()
	return sealPayload(t, []byte(payload), ed25519.Sign(signingKey(), []byte(trust.Format+"\n"+payload)))
}

func TestSnapshotAnswers(t *testing.T) {
	t.Parallel()
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	s, err := trust.Open(seal(t, contents()), other.Public(), signingKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	if s.Registry() != registryDID || s.KeyID() != registryDID+"#snapshot" || !s.Created().Equal(created()) || s.Sequence() != 9 || !signingKey().Public().(ed25519.PublicKey).Equal(s.Key()) {
		t.Errorf("snapshot of %s, %s, %s, %d", s.Registry(), s.KeyID(), s.Created(), s.Sequence())
	}
	query := trust.AuthorityQuery{Entity: issuer, Action: trust.ActionIssue, Resource: resource, Level: schemas.LevelProficient}
	for name, tc := range map[string]struct {
		change func(*trust.AuthorityQuery)
		want   trust.State
	}{
		"now":                {func(*trust.AuthorityQuery) {}, trust.StateSuspended},
		"before":             {func(q *trust.AuthorityQuery) { q.Time = created().Add(-2 * time.Hour) }, trust.StateInForce},
		"before all":         {func(q *trust.AuthorityQuery) { q.Time = created().AddDate(-2, 0, 0) }, trust.StateOutsidePeriod},
		"other level":        {func(q *trust.AuthorityQuery) { q.Level = schemas.LevelAdvanced }, trust.StateNotAuthorised},
		"other resource":     {func(q *trust.AuthorityQuery) { q.Resource = "x" }, trust.StateNotAuthorised},
		"other entity":       {func(q *trust.AuthorityQuery) { q.Entity = "did:web:x.example" }, trust.StateUnknown},
		"somebody else's":    {func(q *trust.AuthorityQuery) { q.Authority = "did:web:x.example" }, trust.StateNotAuthorised},
		"a prefix of it":     {func(q *trust.AuthorityQuery) { q.Entity = issuer[:len(issuer)-1] }, trust.StateUnknown},
		"the other spelling": {func(q *trust.AuthorityQuery) { q.Entity = strings.ToUpper(issuer) }, trust.StateUnknown},
	} {
		q := query
		tc.change(&q)
		if got := s.Authority(q); got.State != tc.want || got.Authorized != (tc.want == trust.StateInForce) {
			t.Errorf("%s: %s, want %s", name, got.State, tc.want)
		}
	}
	if i := s.KeyIntervals(issuer, time.Time{}); len(i) != 1 || !i[0].Revoked.Equal(created().Add(-time.Minute)) {
		t.Errorf("intervals %+v, want one that was revoked", i)
	}
	if _, ok := s.DIDDocument(registryDID); ok {
		t.Error("a document that is not there")
	}
	if got, ok := s.StatusList(list); !ok || string(got) != contents().StatusLists[list] {
		t.Errorf("list %s, %v", got, ok)
	}
	if a := s.Artefacts(); len(a) != 1 || string(a[0].Data) != "{}" {
		t.Errorf("artefacts %+v", a)
	}
}

// TestSEC_014_015_016_SnapshotHasOneForm: what is signed and not written as registries write it is refused all the same.
func TestSEC_014_015_016_SnapshotHasOneForm(t *testing.T) {
	t.Parallel()
	payload, _, err := contents().Encode()
	if err != nil {
		t.Fatal(err)
	}
	good := string(payload)
	if _, err := trust.Open(signed(t, good), signingKey().Public()); err != nil {
		t.Fatalf("the unchanged payload: %v", err)
	}
	swap := func(from, to string) string {
		t.Helper()
		if !strings.Contains(good, from) {
			t.Fatalf("no %s in %s", from, good)
		}
		return strings.Replace(good, from, to, 1)
	}
	for name, changed := range map[string]string{
		"unknown member":        swap(`"sequence":9`, `"sequence":9,"x":1`),
		"member twice":          swap(`"sequence":9`, `"sequence":9,"sequence":8`),
		"other case":            swap(`"sequence"`, `"Sequence"`),
		"another number":        swap(`"sequence":9`, `"sequence":9.0`),
		"a document twice":      swap(`"didDocuments":{`, `"didDocuments":{"`+issuer+`":"{}",`),
		"space":                 swap(`"sequence":9`, `"sequence": 9`),
		"behind the value":      good + "{}",
		"no JSON":               "x",
		"no object":             "[]",
		"null":                  "null",
		"older form":            swap("snapshot/v1", "snapshot/v0"),
		"newer form":            swap("snapshot/v1", "snapshot/v2"),
		"without registry":      swap(`"registry":"`+registryDID+`"`, `"registry":""`),
		"ends before it begins": swap(`"expires":"2026-02-02`, `"expires":"2026-02-01`),
		"date with an offset":   swap(`"created":"2026-02-01T12:00:00Z"`, `"created":"2026-02-01T12:00:00.000Z"`),
	} {
		if _, err := trust.Open(signed(t, changed), signingKey().Public()); !errors.Is(err, trust.ErrSnapshot) {
			t.Errorf("%s: %v, want ErrSnapshot", name, err)
		}
		if form := strings.Contains(name, "form"); form {
			if _, err := trust.Open(signed(t, changed), signingKey().Public()); !errors.Is(err, trust.ErrFormat) {
				t.Errorf("%s: %v, want ErrFormat", name, err)
			}
		}
	}
}

// TestSnapshotChangedByOneByte: no byte of the file can be changed, in the payload, the signature or the envelope, but for
// the name of the key, which whoever opens it compares with the registry's own statement.
func TestSnapshotChangedByOneByte(t *testing.T) {
	t.Parallel()
	data := seal(t, contents())
	from := bytes.Index(data, []byte(registryDID+"#snapshot"))
	for i := range data {
		if i >= from && i < from+len(registryDID+"#snapshot") {
			continue
		}
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if _, err := trust.Open(changed, signingKey().Public()); !errors.Is(err, trust.ErrSnapshot) {
			t.Fatalf("byte %d changed from %q to %q: %v, want ErrSnapshot", i, data[i], changed[i], err)
		}
	}
	for name, in := range map[string][]byte{
		"cut": data[:len(data)-1], "nothing": nil, "twice": append(bytes.Clone(data), data...), "space before": append([]byte(" "), data...),
		"two newlines": append(bytes.Clone(data), "\n\n"...), "too large": make([]byte, trust.MaxSnapshot+1),
	} {
		if _, err := trust.Open(in, signingKey().Public()); !errors.Is(err, trust.ErrSnapshot) {
			t.Errorf("%s: %v, want ErrSnapshot", name, err)
		}
	}
	if _, err := trust.Open(append(data, '\n'), signingKey().Public()); err != nil {
		t.Errorf("a newline at the end of the file: %v", err)
	}
}

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	message := []byte("message")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	raw := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	if !trust.VerifySignature(private.Public(), message, raw) {
		t.Error("an ES256 signature is refused")
	}
	for name, bad := range map[string][]byte{"short": raw[:63], "long": append(bytes.Clone(raw), 0), "empty": nil, "changed": append([]byte{raw[0] ^ 1}, raw[1:]...)} {
		if trust.VerifySignature(private.Public(), message, bad) {
			t.Errorf("%s: taken", name)
		}
	}
	if trust.VerifySignature("a string", message, raw) || trust.VerifySignature(nil, message, raw) || trust.VerifySignature(ed25519.PublicKey{1}, message, raw) {
		t.Error("what is no key verifies")
	}
}

// FuzzSnapshot: whatever is well signed is refused, or is exactly what its contents encode to.
func FuzzSnapshot(f *testing.F) {
	payload, _, err := contents().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Add([]byte(`{"format":"` + trust.Format + `"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := trust.Open(signed(t, string(payload)), signingKey().Public())
		if err != nil {
			if !errors.Is(err, trust.ErrSnapshot) {
				t.Fatalf("%v, want ErrSnapshot", err)
			}
			return
		}
		again := trust.Reencode(t, s)
		if !bytes.Equal(again, payload) {
			t.Errorf("%s came back as %s", payload, again)
		}
	})
}

// FuzzEnvelope: a stranger's bytes never open, whatever they are.
func FuzzEnvelope(f *testing.F) {
	f.Add(seal(f, contents()))
	f.Add([]byte(`{"payload":"","signature":{"keyId":"","value":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 64)) + `"}}`))
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize)).Public()
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := trust.Open(data, stranger); !errors.Is(err, trust.ErrSnapshot) {
			t.Errorf("%v, want ErrSnapshot", err)
		}
	})
}
