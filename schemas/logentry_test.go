package schemas_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"heartmark/schemas"
)

func TestIssuedCommitment(t *testing.T) {
	t.Parallel()
	got := schemas.IssuedCommitment("urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f11", "did:web:hm.example:acme",
		"2026-01-10T09:00:00Z", "2027-01-10T09:00:00Z", "3", 94567)
	want := sha256.Sum256([]byte("heartmark/issued/v1\x00urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f11\x00did:web:hm.example:acme\x00" +
		"2026-01-10T09:00:00Z\x002027-01-10T09:00:00Z\x003\x0094567"))
	if got != want {
		t.Errorf("commitment = %x, want %x", got, want)
	}
	// The number that other programs recompute; a change of it breaks every proof ever given out.
	if h := hex.EncodeToString(got[:]); h != goldenCommitment {
		t.Errorf("commitment = %s, want %s", h, goldenCommitment)
	}
}

const goldenCommitment = "57ec3473339431e3ad57375ba5d055917491da127463aabb05ba41f02635f972"

func TestIssuedEntryTellsNothing(t *testing.T) {
	t.Parallel()
	e := schemas.IssuedEntry([32]byte{1, 2, 3})
	e.Subject, e.At, e.Data = "did:key:zHolder", "2026-01-10T09:00:00Z", json.RawMessage(`{"id":"urn:uuid:x"}`)
	got := string(e.Encode())
	want := `{"commitment":"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kind":"issued"}`
	if got != want {
		t.Errorf("Encode() = %s, want %s", got, want)
	}
}

func TestEncodeIsCanonical(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		e    schemas.LogEntry
		want string
	}{
		{"full", schemas.LogEntry{
			Kind: schemas.LogKey, Subject: "did:web:a#k1", Digest: "d", At: "2026-01-10T09:00:00Z", Data: json.RawMessage(`{ "b": 1.0, "a":"<&>" }`),
		}, `{"at":"2026-01-10T09:00:00Z","data":{"a":"<&>","b":1},"digest":"d","kind":"key","subject":"did:web:a#k1"}`},
		{"least", schemas.LogEntry{Kind: schemas.LogSchema}, `{"kind":"schema"}`},
		{"data not JSON", schemas.LogEntry{Kind: schemas.LogSchema, Data: json.RawMessage(`{"a":`)}, `{"data":"{\"a\":","kind":"schema"}`},
		{"data twice named", schemas.LogEntry{Kind: schemas.LogSchema, Data: json.RawMessage(`{"a":1,"a":2}`)}, `{"data":"{\"a\":1,\"a\":2}","kind":"schema"}`},
		{"data beyond a double", schemas.LogEntry{Kind: schemas.LogSchema, Data: json.RawMessage(`1e400`)}, `{"data":"1e400","kind":"schema"}`},
		{"subject not UTF-8", schemas.LogEntry{Kind: schemas.LogSchema, Subject: "a\xffb"}, `{"kind":"schema","subject":"a` + "\uFFFD" + `b"}`},
	}
	for _, tc := range cases {
		if got := string(tc.e.Encode()); got != tc.want {
			t.Errorf("%s: Encode() = %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestCommitmentsDifferInEveryPart(t *testing.T) {
	t.Parallel()
	base := func() [7]string { return [7]string{"id", "iss", "from", "until", "g", "1", ""} }
	seen := map[[32]byte]string{}
	for i := range 6 {
		p := base()
		p[i] += "2"
		index := uint64(len(p[5]))
		c := schemas.IssuedCommitment(schemas.CredentialID(p[0]), p[1], p[2], p[3], schemas.ListGroup(p[4]), index)
		if other, ok := seen[c]; ok {
			t.Errorf("part %d and %s give one commitment", i, other)
		}
		seen[c] = strings.Join(p[:], ",")
	}
}
