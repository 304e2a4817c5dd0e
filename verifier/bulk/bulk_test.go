package bulk_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
	schemacontext "heartmark/schemas/context"
	"heartmark/verifier"
	"heartmark/verifier/bulk"
	"heartmark/verifier/sources"
)

func now() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }

// counted answers by what stands in a row and counts.
type counted struct{ calls, policies atomic.Int64 }

// Policy has another version each time.
func (c *counted) Policy(_ context.Context, _, name string) (verifier.Policy, error) {
	return verifier.Policy{Name: cmp.Or(name, "default"), Version: strconv.FormatInt(c.policies.Add(1), 10)}, nil
}

func (c *counted) Verify(ctx context.Context, in verifier.Input) (verifier.Result, error) {
	c.calls.Add(1)
	if in.Fixed == nil || in.Fixed.Version != "1" {
		return verifier.Result{}, errors.New("another version of the policy than the stream began with")
	}
	r := verifier.Result{Policy: "default", PolicyVersion: "1", Digest: "d"}
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case bytes.Contains(in.Data, []byte("revoked")):
		r.Verdict, r.Checks = verifier.Invalid, []verifier.Check{
			{ID: verifier.CheckSchema, Outcome: verifier.NotDetermined, Code: "schema_unknown"}, {ID: verifier.CheckStatus, Outcome: verifier.Fail, Code: "status_revoked"},
		}
	case bytes.Contains(in.Data, []byte("unknown")):
		r.Verdict, r.Checks = verifier.Undetermined, []verifier.Check{{ID: verifier.CheckStatus, Outcome: verifier.NotDetermined, Code: "status_retrieval"}}
	case bytes.Contains(in.Data, []byte("broken")):
		return r, errors.New("store is down")
	case !bytes.HasPrefix(in.Data, []byte(`{"type"`)) && !bytes.HasPrefix(in.Data, []byte("ey")):
		return r, verifier.ErrUnreadable
	default:
		r.Verdict = verifier.Valid
	}
	return r, nil
}

func run(t *testing.T, v bulk.Verifier, input string, format bulk.Format, o bulk.Options) (rows []bulk.Row, s bulk.Summary, err error) {
	t.Helper()
	o.Now = now
	var given bytes.Buffer
	s, err = bulk.Run(t.Context(), v, strings.NewReader(input), format, o, func(line []byte) error {
		given.Write(line)
		var row bulk.Row
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
		return nil
	})
	if err == nil {
		for name, pair := range map[string][2]string{"input": {s.InputDigest, input}, "rows": {s.RowsDigest, given.String()}} {
			sum := sha256.Sum256([]byte(pair[1]))
			if pair[0] != "sha256:"+hex.EncodeToString(sum[:]) {
				t.Errorf("digest of %s is %s", name, pair[0])
			}
		}
	}
	return rows, s, err
}

func TestRows(t *testing.T) {
	t.Parallel()
	long := `{"type":"` + strings.Repeat("x", bulk.MaxRow) + `"}`
	input := strings.Join([]string{
		`{"type":"good"}`, ``, `eyJ.a.b`, `"eyJ.a.b"`, `{"ref":"r-4","credential":{"type":"good"}}`, `{"ref":"r-5","credential":"eyJ.a.b"}`,
		`{"type":"revoked"}`, `{"type":"unknown"}`, `nonsense`, `{"ref":"r-9","credential":{},"more":1}`, long, "  \r", `{"type":"last"}`,
	}, "\n")
	rows, s, err := run(t, &counted{}, input, bulk.JSONL, bulk.Options{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		verdict  verifier.Verdict
		ref      string
		code     string
		hasError bool
	}{
		{verifier.Valid, "", "", false},
		{verifier.Valid, "", "", false},
		{verifier.Valid, "", "", false},
		{verifier.Valid, "r-4", "", false},
		{verifier.Valid, "r-5", "", false},
		{verifier.Invalid, "", "status_revoked", false},
		{verifier.Undetermined, "", "status_retrieval", false},
		{verifier.Invalid, "", "", true},
		{verifier.Invalid, "r-9", "", true},
		{verifier.Invalid, "", "", true},
		{verifier.Valid, "", "", false},
	}
	if len(rows) != len(want) || s.Rows != len(want) || s.Valid != 6 || s.Invalid != 4 || s.Undetermined != 1 || s.Policy != "default" {
		t.Fatalf("%d rows, summary %+v", len(rows), s)
	}
	for i, w := range want {
		got := rows[i]
		if got.Row != i+1 || got.Verdict != w.verdict || got.Ref != w.ref || strings.Join(got.Codes, " ") != w.code || (got.Error != "") != w.hasError {
			t.Errorf("row %d: %+v, want %+v", i+1, got, w)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	input := "\ufeffname,ref,credential\nAda,r-1,\"{\"\"type\"\":\"\"good\"\"}\"\nBob,r-2,eyJ.a.b\nEve,r-3,\nMal,r-4\n\"a\"b,r-5,x\nZoe,r-6,\"{\"\"type\"\":\n\"\"revoked\"\"}\"\n"
	rows, s, err := run(t, &counted{}, input, bulk.CSV, bulk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.Ref+" "+string(r.Verdict))
	}
	if strings.Join(got, ", ") != "r-1 valid, r-2 valid, r-3 invalid, r-4 invalid,  invalid, r-6 invalid" || s.Rows != 6 {
		t.Errorf("rows %q", got)
	}
	for _, bad := range []string{"", "a,b\n1,2\n"} {
		if _, _, err := run(t, &counted{}, bad, bulk.CSV, bulk.Options{}); !errors.Is(err, bulk.ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, err := run(t, &counted{}, "", "xml", bulk.Options{}); !errors.Is(err, bulk.ErrFormat) {
		t.Errorf("another format: %v", err)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("{\"type\":\"good\"}\n", 10_000)
	if _, _, err := run(t, &counted{}, many, bulk.JSONL, bulk.Options{MaxRows: 9_999}); !errors.Is(err, bulk.ErrTooMany) {
		t.Errorf("too many rows: %v", err)
	}
	if _, _, err := run(t, &counted{}, many+"{\"type\":\"broken\"}\n", bulk.JSONL, bulk.Options{}); err == nil {
		t.Error("a broken verifier gives a summary")
	}
	// A reader of verdicts that stops ends the reading: what was judged meanwhile is bounded.
	v, gone := &counted{}, errors.New("gone")
	_, err := bulk.Run(t.Context(), v, strings.NewReader(many), bulk.JSONL, bulk.Options{Workers: 2, Now: now}, func([]byte) error { return gone })
	if !errors.Is(err, gone) || v.calls.Load() > 100 {
		t.Errorf("%v after %d rows", err, v.calls.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bulk.Run(ctx, &counted{}, strings.NewReader(many), bulk.JSONL, bulk.Options{Now: now}, func([]byte) error { return nil }); err == nil {
		t.Error("a cancelled run gives a summary")
	}
}

// FuzzRows holds that every stream ends with one verdict a row, in order.
func FuzzRows(f *testing.F) {
	f.Add([]byte("{\"type\":1}\n\n\"x\"\n{\"ref\":\"a\",\"credential\":[]}"), true)
	f.Add([]byte("ref,credential\n1,eyJ\n\"\n"), false)
	f.Fuzz(func(t *testing.T, data []byte, jsonl bool) {
		format := bulk.CSV
		if jsonl {
			format = bulk.JSONL
		}
		n := 0
		s, err := bulk.Run(t.Context(), &counted{}, bytes.NewReader(bytes.ReplaceAll(data, []byte("broken"), nil)), format, bulk.Options{Workers: 2, Now: now}, func(line []byte) error {
			n++
			var row bulk.Row
			if err := json.Unmarshal(line, &row); err != nil || row.Row != n {
				t.Fatalf("line %d: %s, %v", n, line, err)
			}
			return nil
		})
		if err == nil && (s.Rows != n || s.Valid+s.Invalid+s.Undetermined != n) {
			t.Fatalf("%d lines, summary %+v", n, s)
		}
	})
}

type noNetwork struct{}

func (noNetwork) Get(context.Context, string, fetch.Limits) (fetch.Response, error) {
	return fetch.Response{}, errors.New("no network")
}

type trusting struct{}

func (trusting) Authority(context.Context, verifier.AuthorityQuery) (verifier.AuthorityAnswer, error) {
	return verifier.AuthorityAnswer{State: verifier.AuthorityActive}, nil
}

func (trusting) KeyIntervals(context.Context, string) ([]verifier.KeyInterval, verifier.Evidence, error) {
	return nil, verifier.Evidence{}, nil
}

// real is a verifier and rows of distinct credentials for it, as vc+jwt and with Data Integrity.
func real(b *testing.B, rows int, tokens bool) (*verifier.Verifier, []byte) {
	b.Helper()
	contexts, err := schemacontext.New()
	if err != nil {
		b.Fatal(err)
	}
	resolver, err := did.New(did.Config{Fetch: noNetwork{}, Now: now})
	if err != nil {
		b.Fatal(err)
	}
	processor := dataintegrity.New(contexts)
	v, err := verifier.New(verifier.Config{
		Keys: sources.Keys{Resolver: resolver}, Proofs: processor, Contexts: contexts, Authority: trusting{}, Intervals: trusting{}, Now: now,
	})
	if err != nil {
		b.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	text, err := keys.Multibase(key.Public())
	if err != nil {
		b.Fatal(err)
	}
	issuer, method := "did:key:"+text, "did:key:"+text+"#"+text
	var out bytes.Buffer
	for i := range rows {
		doc := map[string]any{
			"@context": []any{schemas.ContextV2}, "id": fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i), "type": []any{"VerifiableCredential"},
			"issuer": issuer, "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": map[string]any{"id": fmt.Sprint("did:example:", i)},
		}
		if !tokens {
			signed, err := processor.Sign(doc, dataintegrity.ProofOptions{VerificationMethod: method, Purpose: "assertionMethod", Created: now()}, key)
			if err != nil {
				b.Fatal(err)
			}
			doc = signed
		}
		raw, err := schemas.Marshal(doc)
		if err != nil {
			b.Fatal(err)
		}
		if tokens {
			compact, err := jose.Sign(map[string]any{"typ": "vc+jwt", "kid": method}, raw, key)
			if err != nil {
				b.Fatal(err)
			}
			raw = []byte(compact)
		}
		out.Write(append(raw, '\n'))
	}
	return v, out.Bytes()
}

func BenchmarkBulk(b *testing.B) {
	const rows = 2000
	for _, tokens := range []bool{true, false} {
		v, input := real(b, rows, tokens)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", map[bool]string{true: "vc+jwt", false: "eddsa-rdfc-2022"}[tokens], workers), func(b *testing.B) {
				for b.Loop() {
					s, err := bulk.Run(b.Context(), v, bytes.NewReader(input), bulk.JSONL, bulk.Options{Workers: workers, Now: now}, func([]byte) error { return nil })
					if err != nil || s.Valid != rows {
						b.Fatalf("%+v, %v", s, err)
					}
				}
				b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func TestTableCarriesAnyCredential(t *testing.T) {
	t.Parallel()
	var echo bytes.Buffer
	w := csv.NewWriter(&echo)
	_ = w.Write([]string{"credential"})
	for _, text := range []string{"{\"type\":\"a\nb\"}", `{"type":"quo\"te, comma"}`} {
		_ = w.Write([]string{text})
	}
	w.Flush()
	rows, _, err := run(t, &counted{}, echo.String(), bulk.CSV, bulk.Options{})
	if err != nil || len(rows) != 2 || rows[0].Verdict != verifier.Valid || rows[1].Verdict != verifier.Valid {
		t.Errorf("%+v, %v", rows, err)
	}
}
