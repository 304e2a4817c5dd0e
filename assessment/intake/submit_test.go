package intake_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

func gzipped(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSubmitAndScore(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newPerson(t, "u7")
	receipt := w.give(p)
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	if b.State != intake.StateQueued || b.Counts["own"] != 1 || b.Counts["kept"] != 3 || b.Lines != 3 || b.Digest == "" {
		t.Errorf("batch = %+v", b)
	}
	var seen evidence.Batch
	w.assessor.hook = func(_ context.Context, b evidence.Batch) { seen = b }
	w.drain()
	got := w.batch(b.ID)
	if got.State != intake.StateDone || got.Report == "" || got.DestroyedAt.IsZero() || got.Digest != b.Digest {
		t.Fatalf("batch = %+v", got)
	}
	for _, m := range seen.Messages {
		if strings.HasPrefix(m.Actor, "neighbour") || m.Conversation == "r12" || m.Scene.ID != "" || m.Actor != "u7" && strings.HasPrefix(m.ID, "m1-") {
			t.Errorf("the submission names others: %+v", m)
		}
	}
	if len(seen.Messages) != 3 || seen.Messages[1].Actor != "u7" || seen.Messages[1].ID != "m1-1" || seen.Messages[1].Day != "2026-03-02" {
		t.Errorf("messages = %+v", seen.Messages)
	}
	r, err := w.reports.Report(t.Context(), "acme", got.Report)
	if err != nil || r.Subject != "u7" || r.Provenance.BatchDigests[0] != b.Digest {
		t.Errorf("report = %+v, %v", r, err)
	}
	if items, err := w.reports.Items(t.Context(), "acme", got.Report); err != nil || len(items) != 1 {
		t.Errorf("items = %v, %v", items, err)
	}
	if _, err := w.reports.Report(t.Context(), "beta", got.Report); err == nil {
		t.Error("another tenant reads the report")
	}
}

func TestSameContentIsOneBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	b := w.mustSubmit(receipt.ID, lines("u7", 1))
	again, created, err := w.submit(receipt.ID, lines("u7", 1))
	if err != nil || created || again.ID != b.ID {
		t.Errorf("the same content = %s, created %v, %v; want %s", again.ID, created, err, b.ID)
	}
	// Another order of lines is the same batch too: order in the file does not matter.
	all := strings.SplitAfter(strings.TrimSpace(lines("u7", 1)), "\n")
	shuffled := all[2] + "\n" + all[0] + all[1]
	if again, created, err = w.submit(receipt.ID, shuffled); err != nil || created || again.ID != b.ID {
		t.Errorf("shuffled = %s, created %v, %v", again.ID, created, err)
	}
	w.drain()
	if again, created, err = w.submit(receipt.ID, lines("u7", 1)); err != nil || created || again.ID != b.ID {
		t.Errorf("after scoring = %s, created %v, %v", again.ID, created, err)
	}
	if n := w.assessor.calls[b.Digest]; n != 1 {
		t.Errorf("scored %d times", n)
	}
	key := func(r *intake.Submission) { r.IdempotencyKey = "k" }
	first, created, err := w.submit(receipt.ID, lines("u7", 2), key)
	if err != nil || !created {
		t.Fatal(err)
	}
	w.restart()
	if again, created, err = w.submit(receipt.ID, lines("u7", 2), key); err != nil || created || again.ID != first.ID {
		t.Errorf("the same key after a restart = %s, %v, %v", again.ID, created, err)
	}
	_, _, err = w.submit(receipt.ID, lines("u7", 3), key)
	wantErr(t, "the same key, other content", err, intake.ErrKeyReuse)
}

// Rows of assessment design 11 that touch intake.
func TestBadInput(t *testing.T) {
	t.Parallel()
	line := func(change string) string { // a line with one member in place of another
		good := strings.SplitAfter(lines("u7", 1), "\n")[1]
		from, to, _ := strings.Cut(change, "=>")
		if !strings.Contains(good, from) {
			t.Fatalf("%s is not in %s", from, good)
		}
		return strings.Replace(good, from, to, 1)
	}
	future, past := schemas.FormatTime(start.Add(11*time.Minute)), "1999-12-31T23:59:59Z"
	ts := schemas.FormatTime(start.Add(-99 * time.Minute))
	cases := map[string]struct {
		body, field, code string
		want              error
	}{
		"not JSON":                {"{", "", evidence.CodeMalformed, evidence.ErrBadLines},
		"missing field":           {line(`"conversation":"r12",=>`), "/conversation", evidence.CodeMissing, evidence.ErrBadLines},
		"mistyped field":          {line(`"conversation":"r12"=>"conversation":12`), "/conversation", evidence.CodeType, evidence.ErrBadLines},
		"line too long":           {line(`"conversation":"r12"=>"conversation":"` + strings.Repeat("x", evidence.MaxLine) + `"`), "", evidence.CodeTooLong, evidence.ErrBadLines},
		"unknown v":               {line(`"v":1=>"v":2`), "/v", evidence.CodeVersion, evidence.ErrBadLines},
		"unknown type":            {line(`"type":"message"=>"type":"sigh"`), "/type", evidence.CodeUnknownType, evidence.ErrBadLines},
		"id conflict":             {lines("u7", 1) + line(secretWord+"=>other"), "/id", evidence.CodeIDConflict, evidence.ErrBadLines},
		"ts ahead":                {line(ts + "=>" + future), "/ts", evidence.CodeTime, evidence.ErrBadLines},
		"ts before 2000":          {line(ts + "=>" + past), "/ts", evidence.CodeTime, evidence.ErrBadLines},
		"ts without offset":       {line(ts + "=>2026-03-01T09:00:00"), "/ts", evidence.CodeTime, evidence.ErrBadLines},
		"scene work":              {line(`"kind":"social"=>"kind":"work"`), "/scene/kind", evidence.CodeScene, evidence.ErrBadLines},
		"scene class":             {line(`"kind":"social"=>"kind":"class"`), "/scene/kind", evidence.CodeScene, evidence.ErrBadLines},
		"nothing by the subject":  {lines("u8", 1), "", "", intake.ErrNothing},
		"empty":                   {"", "", "", intake.ErrNothing},
		"withdrawal in the feed":  {lines("u7", 1) + `{"v":1,"type":"withdraw","id":"w","ts":"` + schemas.FormatTime(start.Add(time.Minute)) + `","platform":"plaza","actor":"u7"}`, "", "", evidence.ErrWithdrawn},
		"delete of what is not":   {lines("u7", 1) + `{"v":1,"type":"delete","id":"d","target":"none","ts":"` + ts + `","platform":"plaza","actor":"u7"}`, "/target", evidence.CodeUnknownTarget, evidence.ErrBadLines},
		"five percent and more":   {strings.Repeat("\n", 3) + "{", "", evidence.CodeMalformed, evidence.ErrBadLines},
		"of another one's format": {"\xef\xbb\xbf{}", "", "", evidence.ErrBadLines},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			receipt := w.give(newPerson(t, "u7"))
			_, _, err := w.submit(receipt.ID, tc.body)
			wantErr(t, name, err, tc.want)
			refused, ok := errors.AsType[*evidence.RefusedError](err)
			if tc.code != "" && (!ok || len(refused.Issues.List) == 0 || refused.Issues.List[0].Field != tc.field || refused.Issues.List[0].Code != tc.code || refused.Issues.List[0].Line == 0 || refused.Issues.List[0].Expected == "") {
				t.Errorf("error = %v, want %s %s with line and what was expected", err, tc.field, tc.code)
			}
			left, err := w.store.BatchesOf(t.Context(), "acme", receipt.ID, "", 10)
			if err != nil || len(left) != 0 {
				t.Errorf("%d batches are left, %v", len(left), err)
			}
			w.absent(secretWord)
		})
	}
}

func TestWithdrawalInTheFeedWithdraws(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	feed := func(at time.Time) string {
		return lines("u7", 1) + `{"v":1,"type":"withdraw","id":"w","ts":"` + schemas.FormatTime(at) + `","platform":"plaza","actor":"u7"}`
	}
	if _, _, err := w.submit(receipt.ID, feed(start.Add(-time.Hour))); err != nil {
		t.Fatalf("a withdrawal from before the receipt: %v", err)
	}
	_, _, err := w.submit(receipt.ID, feed(start.Add(time.Minute)))
	wantErr(t, "Submit", err, evidence.ErrWithdrawn)
	if got, err := w.service.Receipt(t.Context(), "acme", receipt.ID); err != nil || got.State(start) != "withdrawn" {
		t.Errorf("receipt is %s, %v", got.State(start), err)
	}
}

func TestSkipKeepsAQuarantineList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	var body strings.Builder
	for n := range 10 {
		body.WriteString(lines("u7", n))
	}
	skip := func(r *intake.Submission) { r.OnError = evidence.OnErrorSkip }
	b, created, err := w.submit(receipt.ID, body.String()+`{"`+secretWord+`":1,"`+secretWord+`":2}`, skip)
	if err != nil || !created || b.Bad != 1 || b.Lines != 31 || len(b.Issues) != 1 || b.Issues[0].Line != 31 || b.Issues[0].Code != evidence.CodeMalformed {
		t.Fatalf("batch = %+v, %v", b, err)
	}
	if strings.Contains(fmt.Sprint(b.Issues), secretWord) {
		t.Errorf("the quarantine list holds what was sent: %v", b.Issues)
	}
	_, _, err = w.submit(receipt.ID, body.String()+"{\n{", skip) // 2 of 32 are over 5 %
	wantErr(t, "over 5 %", err, evidence.ErrBadLines)
}

func TestDataClasses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"), func(x *intake.Terms) { x.DataClasses = []string{"exercises"} })
	edit := `{"v":1,"type":"edit","id":"e","target":"m1-1","text":"hello","ts":"` + schemas.FormatTime(start) + `","platform":"plaza","actor":"u7"}`
	_, _, err := w.submit(receipt.ID, lines("u7", 1)+edit)
	wantErr(t, "nothing is covered", err, intake.ErrNothing)
	b := w.mustSubmit(receipt.ID, lines("u7", 1)+strings.ReplaceAll(strings.ReplaceAll(lines("u7", 2), `"kind":"social"`, `"kind":"assessment"`), "r12", "r13"))
	if b.Counts["outside_consent"] != 3 || b.Counts["kept"] != 3 {
		t.Errorf("counts = %v", b.Counts)
	}
}

func TestExportFormats(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "Mia"))
	text := "[02/03/2026, 08:00:00] Tom: I lost my job today\n[02/03/2026, 08:01:00] Mia: I am so sorry, how are you?\n"
	b, created, err := w.submit(receipt.ID, text, func(r *intake.Submission) { r.Format, r.Dates = "whatsapp", "day" })
	if err != nil || !created || b.Format != "whatsapp" || b.Counts["own"] != 1 {
		t.Errorf("whatsapp: %+v, %v", b, err)
	}
	csv := "id,ts,actor,conversation,text\n1,2026-03-01T09:00:00Z,Tom,r1,I lost my job\n2,2026-03-01T09:01:00Z,Mia,r1,I am so sorry\n"
	if b, created, err = w.submit(receipt.ID, csv, func(r *intake.Submission) { r.Format = "auto" }); err != nil || !created || b.Format != "csv" {
		t.Errorf("csv: %+v, %v", b, err)
	}
	_, _, err = w.submit(receipt.ID, "?", func(r *intake.Submission) { r.Format = "auto" })
	wantErr(t, "no known format", err, evidence.ErrFormat)
	_, _, err = w.submit(receipt.ID, text, func(r *intake.Submission) { r.Format = "telegram" })
	wantErr(t, "unknown format", err, schemas.ErrMalformed)
}

func TestGzip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	packed := gzipped(t, lines("u7", 1))
	send := func(data []byte) error {
		_, _, err := w.submit(receipt.ID, "", func(r *intake.Submission) { r.Body, r.Gzip = bytes.NewReader(data), true })
		return err
	}
	wantErr(t, "no gzip", send([]byte(lines("u7", 1))), evidence.ErrFormat)
	wantErr(t, "cut", send(packed[:len(packed)-5]), evidence.ErrFormat)
	wantErr(t, "bomb", send(gzipped(t, strings.Repeat(strings.Repeat(" ", 1<<10)+"\n", intake.MaxUpload>>10))), intake.ErrTooLong)
	if err := send(packed); err != nil {
		t.Errorf("gzip: %v", err)
	}
	if _, created, err := w.submit(receipt.ID, lines("u7", 1)); err != nil || created {
		t.Errorf("the same content plain is another batch: %v", err)
	}
}

func TestBrokenConnectionStoresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	broken := errors.New("reset")
	_, _, err := w.submit(receipt.ID, "", func(r *intake.Submission) {
		r.Body = io.MultiReader(strings.NewReader(lines("u7", 1)), iotest.ErrReader(broken))
	})
	wantErr(t, "Submit", err, broken)
	if left, _ := w.store.BatchesOf(t.Context(), "acme", receipt.ID, "", 10); len(left) != 0 {
		t.Errorf("%d batches", len(left))
	}
}

// Whatever the chunks, an upload is the batch that one request makes.
func TestAppendsInAnyChunkingGiveOneDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	var body strings.Builder
	for n := range 40 {
		body.WriteString(lines("u7", n))
	}
	want := w.mustSubmit(receipt.ID, body.String())
	if err := errors.Join(cancel(w, want.ID)); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		plain := []byte(body.String())
		zip := round%3 == 2
		if zip {
			plain = gzipped(t, body.String())
		}
		b, _, err := w.service.Begin(t.Context(), acme, intake.Params{Consent: receipt.ID, Format: "jsonl", Gzip: zip})
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(plain); {
			n := min(1+rng.IntN(1+len(plain)/(1+round)), len(plain)-at)
			_, err := w.service.Append(t.Context(), acme, b.ID, int64(at+1), bytes.NewReader(plain[at:at+n]))
			wantErr(t, "wrong offset", err, intake.ErrOffset)
			got, err := w.service.Append(t.Context(), acme, b.ID, int64(at), bytes.NewReader(plain[at:at+n]))
			if err != nil || got.Offset != int64(at+n) {
				t.Fatalf("Append = %d, %v; want %d", got.Offset, err, at+n)
			}
			at += n
		}
		if round == 5 {
			w.restart()
		}
		got, err := w.service.Finish(t.Context(), acme, b.ID, nil)
		if err != nil || got.Digest != want.Digest || got.State != intake.StateQueued {
			t.Fatalf("round %d: Finish = %+v, %v; want digest %s", round, got, err, want.Digest)
		}
		if again, err := w.service.Finish(t.Context(), acme, b.ID, nil); err != nil || again.ID != got.ID {
			t.Fatalf("Finish again = %s, %v", again.ID, err)
		}
		if err := cancel(w, got.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func cancel(w *world, id string) error {
	_, err := w.service.Cancel(w.t.Context(), acme, id)
	return err
}

func TestUploadThatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receipt := w.give(newPerson(t, "u7"))
	b, created, err := w.service.Begin(t.Context(), acme, intake.Params{Consent: receipt.ID, IdempotencyKey: "1"})
	if err != nil || !created {
		t.Fatal(err)
	}
	again, created, err := w.service.Begin(t.Context(), acme, intake.Params{Consent: receipt.ID, IdempotencyKey: "1"})
	if err != nil || created || again.ID != b.ID {
		t.Errorf("Begin again = %s, %v, %v", again.ID, created, err)
	}
	if _, err := w.service.Append(t.Context(), acme, b.ID, 0, strings.NewReader(lines("u7", 1)+"{")); err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Append(t.Context(), intake.Caller{Tenant: "beta"}, b.ID, 0, strings.NewReader("x"))
	wantErr(t, "another tenant", err, intake.ErrNotFound)
	_, err = w.service.Finish(t.Context(), acme, b.ID, nil)
	wantErr(t, "Finish", err, evidence.ErrBadLines)
	got := w.batch(b.ID)
	if got.State != intake.StateRefused || got.Reason != intake.WhyLines || got.Bad != 1 || len(got.Issues) != 1 || got.DestroyedAt.IsZero() {
		t.Errorf("batch = %+v", got)
	}
	_, err = w.service.Append(t.Context(), acme, b.ID, 0, strings.NewReader("x"))
	wantErr(t, "Append after refusal", err, intake.ErrState)
	_, err = w.service.Finish(t.Context(), acme, b.ID, nil)
	wantErr(t, "Finish after refusal", err, intake.ErrState)
	w.absent(secretWord)
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	w, platform, stranger := newWorld(t), newPerson(t, "platform"), newPerson(t, "stranger")
	receipt := w.give(newPerson(t, "u7"))
	w.policy = intake.Policy{DIDs: []string{platform.did}, Signed: true}
	body := lines("u7", 1)
	digest := intake.ContentDigest(sha256.Sum256([]byte(body)))
	message := func(p person, params string, change func(*intake.Signature)) *intake.Signature {
		components := `("@method" "@path" "@query" "content-digest")`
		values := map[string]string{"@method": "POST", "@path": "/v1/evidence", "@query": "?consent=" + receipt.ID}
		base := `"@method": POST` + "\n" + `"@path": /v1/evidence` + "\n" + `"@query": ?consent=` + receipt.ID + "\n" + `"content-digest": ` + digest + "\n"
		if params == "" {
			params = fmt.Sprintf(`;created=%d;keyid="%s";alg="ed25519"`, start.Unix(), p.method())
		}
		sum, err := p.priv.Sign(nil, []byte(base+`"@signature-params": `+components+params), cryptoHash0)
		if err != nil {
			t.Fatal(err)
		}
		sig := &intake.Signature{
			Digest: digest, Input: "sig1=" + components + params, Value: "sig1=:" + base64.StdEncoding.EncodeToString(sum) + ":",
			Component: func(name string) (string, bool) { v, ok := values[name]; return v, ok },
		}
		if change != nil {
			change(sig)
		}
		return sig
	}
	detached := func(p person, typ string, payload []byte) *intake.Signature {
		jws, err := jose.Sign(map[string]any{"typ": typ, "kid": p.method()}, payload, p.priv)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(jws, ".")
		return &intake.Signature{JWS: parts[0] + ".." + parts[2]}
	}
	at := func(at time.Time) string { return fmt.Sprintf(`;created=%d;keyid="%s"`, at.Unix(), platform.method()) }
	refused := map[string]*intake.Signature{
		"none":              nil,
		"only a digest":     {Digest: digest},
		"stranger":          message(stranger, "", nil),
		"old":               message(platform, at(start.Add(-6*time.Minute)), nil),
		"ahead":             message(platform, at(start.Add(6*time.Minute)), nil),
		"expired":           message(platform, at(start)+fmt.Sprintf(";expires=%d", start.Unix()), nil),
		"other algorithm":   message(platform, at(start)+`;alg="hmac-sha256"`, nil),
		"no key id":         message(platform, fmt.Sprintf(`;created=%d`, start.Unix()), nil),
		"unknown parameter": message(platform, at(start)+`;x="y"`, nil),
		"other path":        message(platform, "", func(s *intake.Signature) { s.Component = func(string) (string, bool) { return "/v1/other", true } }),
		"uncovered":         message(platform, "", func(s *intake.Signature) { s.Input = strings.Replace(s.Input, `"@path" `, "", 1) }),
		"altered": message(platform, "", func(s *intake.Signature) {
			s.Value = "sig1=:" + base64.StdEncoding.EncodeToString(make([]byte, 64)) + ":"
		}),
		"other label":        message(platform, "", func(s *intake.Signature) { s.Value = strings.Replace(s.Value, "sig1", "sig2", 1) }),
		"two kinds":          message(platform, "", func(s *intake.Signature) { s.JWS = "a..b" }),
		"JWS by a stranger":  detached(stranger, intake.TypEvidence, intake.DetachedPayload(receipt.ID, digest)),
		"JWS of other type":  detached(platform, "JWT", intake.DetachedPayload(receipt.ID, digest)),
		"JWS, other receipt": detached(platform, intake.TypEvidence, intake.DetachedPayload("x", digest)),
		"JWS, other content": detached(platform, intake.TypEvidence, intake.DetachedPayload(receipt.ID, intake.ContentDigest(sha256.Sum256(nil)))),
		"JWS not detached":   {JWS: "a.b.c"},
	}
	with := func(sig *intake.Signature) func(*intake.Submission) {
		return func(r *intake.Submission) { r.Signature = sig }
	}
	for name, sig := range refused {
		_, _, err := w.submit(receipt.ID, body, with(sig))
		wantErr(t, name, err, intake.ErrSignature)
	}
	_, _, err := w.submit(receipt.ID, body+"\n", with(message(platform, "", nil)))
	wantErr(t, "other content", err, intake.ErrDigest)
	_, _, err = w.submit(receipt.ID, "{", with(nil))
	wantErr(t, "unsigned and broken: nothing is told of the content", err, intake.ErrSignature)
	if left, _ := w.store.BatchesOf(t.Context(), "acme", receipt.ID, "", 10); len(left) != 0 {
		t.Fatalf("refused signatures left %d batches", len(left))
	}
	for name, sig := range map[string]*intake.Signature{
		"message": message(platform, "", nil), "JWS": detached(platform, intake.TypEvidence, intake.DetachedPayload(receipt.ID, digest)),
	} {
		b, created, err := w.submit(receipt.ID, body, with(sig))
		if err != nil || !created || b.Signed != platform.method() {
			t.Fatalf("%s: %+v, %v, %v", name, b, created, err)
		}
		if err := cancel(w, b.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.policy.Signed = false
	_, _, err = w.submit(receipt.ID, body, with(message(stranger, "", nil)))
	wantErr(t, "a signature that is not asked for must hold too", err, intake.ErrSignature)
	if _, created, err := w.submit(receipt.ID, body); err != nil || !created {
		t.Errorf("unsigned where none is asked for: %v", err)
	}
}

func FuzzParseSignatureInput(f *testing.F) {
	f.Add(`sig1=("@method" "@path" "@query" "content-digest");created=1772442000;keyid="did:key:z6Mk#z6Mk";alg="ed25519"`)
	f.Add(`a=("x");created=1;keyid="k";expires=2;nonce="n;=";tag="t"`)
	f.Add(`a=();created=01;keyid=""`)
	f.Fuzz(func(t *testing.T, text string) {
		in, err := intake.ParseSignatureInput(text)
		if err != nil {
			if !errors.Is(err, intake.ErrSignature) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if in.String() != text {
			t.Fatalf("%q comes back as %q", text, in.String())
		}
	})
}
