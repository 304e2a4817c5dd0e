//go:build crashpoints && unix

package crash_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/assessment/intake"
	"heartmark/assessment/review"
	"heartmark/internal/app"
	"heartmark/internal/keys"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

// word is what the subjects of these rounds write; it must never lie in clear.
const word = "zanzibarquokka"

const talk = `{"v":1,"type":"message","id":"m1","ts":"2026-03-01T09:00:05Z","platform":"plaza","actor":"u9","conversation":"r1","text":"My dog died this morning, %[1]s."}
{"v":1,"type":"message","id":"m2","ts":"2026-03-01T09:00:19Z","platform":"plaza","actor":%[2]q,"conversation":"r1","reply_to":"m1","text":"I am so sorry, %[1]s. How are you?"}
`

// assessing drives intake, scoring, shredding, rights and review of one installation.
type assessing struct {
	*installation
	key, reviewer string
	reviewerKey   ed25519.PrivateKey
	reviewerDID   string
	library       string
	credential    string
}

// TestKillAssessment kills the server at every named point of intake, scoring, shredding, withdrawal, erasure and review. After the
// restart nothing was scored twice, nothing is kept that should be gone, and every effect has been had (security specification,
// section 8).
func TestKillAssessment(t *testing.T) {
	s := newAssessing(t)
	for n, point := range slices.Concat(intake.CrashPoints(), review.CrashPoints()) {
		start := time.Now()
		s.round(t, n, point)
		if t.Failed() {
			t.Fatalf("killed at %s: the server's log ends with:\n%s", point, s.logTail())
		}
		t.Logf("killed at %-28s and checked in %s", point, time.Since(start).Round(time.Millisecond))
	}
}

func newAssessing(t *testing.T) *assessing {
	t.Helper()
	library := os.Getenv("HEARTMARK_ONNXRUNTIME")
	if library == "" {
		library = filepath.Join(testkit.Root(t), ".deps", "onnxruntime", "libonnxruntime.so.1")
	}
	if _, err := os.Stat(library); err != nil {
		if os.Getenv("HEARTMARK_REQUIRE_ONNXRUNTIME") == "1" {
			t.Fatalf("ONNX Runtime is required here: %v", err)
		}
		t.Skipf("ONNX Runtime library: %v", err)
	}
	s := &assessing{installation: install(t), library: library}
	var key, reviewer struct{ Key, ID string }
	for scopes, into := range map[string]any{"assess,consent,subjects,issue": &key, "review": &reviewer} {
		if err := json.Unmarshal(s.run("keys", "api", "--tenant", tenant, "--scope", scopes, "--json"), into); err != nil {
			t.Fatal(err)
		}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	multibase, err := keys.Multibase(public)
	if err != nil {
		t.Fatal(err)
	}
	s.key, s.reviewer, s.reviewerKey, s.reviewerDID = key.Key, reviewer.Key, private, "did:key:"+multibase
	s.run("review", "appoint", "ann", "--name", "Ann", "--key", reviewer.ID, "--did", s.reviewerDID)
	return s
}

// serve starts the server with the classifier.
func (s *assessing) serve(point string) *process {
	s.t.Helper()
	return s.startWith(point, "HEARTMARK_ONNXRUNTIME="+s.library)
}

// ask sends a request; status 0 says that no answer came.
func (s *assessing) ask(key, method, path, mediaType, body string, into any) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.config.Listen+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	if into != nil && answer.StatusCode < 300 {
		if err := json.Unmarshal(data, into); err != nil {
			s.t.Fatalf("%s %s: %s: %v", method, path, data, err)
		}
	}
	return answer.StatusCode
}

// batch is what the driver reads of an evidence batch.
type batch struct {
	ID          string    `json:"id"`
	State       string    `json:"state"`
	Report      string    `json:"report"`
	DestroyedAt time.Time `json:"destroyed_at"`
}

// left is what one round has left behind.
type left struct{ subject, consent, batch string }

func (s *assessing) round(t *testing.T, n int, point string) {
	p := s.serve(point)
	if _, err := p.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := left{subject: fmt.Sprintf("s%d", n)}
	if strings.HasPrefix(point, "review.") {
		s.contest()
	} else {
		s.live(&l, point)
	}
	select {
	case <-p.ended:
	case <-time.After(reachIn):
		t.Fatalf("%s was not passed", point)
	}
	if !p.killed() {
		t.Fatalf("the server ended by itself: %s", p.state)
	}
	p = s.serve("")
	if _, err := p.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(point, "review.") {
		s.checkReview(point)
	} else {
		s.check(l, point)
	}
	p.stop()
	s.search()
}

// live gives a consent, sends a batch, and, for the points of withdrawal and erasure, takes it back.
func (s *assessing) live(l *left, point string) {
	var texts struct {
		Items []struct{ Version, Language, Digest string } `json:"items"`
	}
	s.ask(s.key, "GET", "/v1/consents/texts", "", "", &texts)
	if len(texts.Items) == 0 {
		s.t.Fatal("no consent texts")
	}
	text, now := texts.Items[0], time.Now().UTC()
	body, err := json.Marshal(map[string]any{"confirmation": map[string]any{"account": true}, "terms": map[string]any{
		"subject": l.subject, "platform": "plaza", "purposes": []string{"process", "score"}, "data_classes": []string{"messages", "report"},
		"from": now.Format(time.RFC3339), "until": now.Add(time.Hour).Format(time.RFC3339), "adult": true,
		"text": map[string]any{"version": text.Version, "language": text.Language, "digest": text.Digest},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	var consent, taken struct{ ID string }
	if status := s.ask(s.key, "POST", "/v1/consents", "application/json", string(body), &consent); status != 201 {
		s.t.Fatalf("consent: %d", status)
	}
	l.consent = consent.ID
	path := "/v1/evidence?consent=" + url.QueryEscape(consent.ID)
	status := s.ask(s.key, "POST", path, "application/jsonl", fmt.Sprintf(talk, word, l.subject), &taken)
	if l.batch = taken.ID; status == 0 {
		return // killed while it was taken
	}
	for range 200 { // until it is scored, or the server is gone
		var b batch
		if status := s.ask(s.key, "GET", "/v1/evidence/"+l.batch, "", "", &b); status == 0 || (b.State == "done" && !b.DestroyedAt.IsZero()) {
			break
		}
		if err := pause(s.t.Context(), 50*time.Millisecond); err != nil {
			s.t.Fatal(err)
		}
	}
	switch point {
	case "assess.after_withdraw":
		s.ask(s.key, "POST", "/v1/consents/"+l.consent+"/withdraw", "application/json", "", nil)
	case "assess.mid_erase":
		s.ask(s.key, "DELETE", "/v1/subjects/"+l.subject, "", "", nil)
	}
}

// check holds what must be true after the restart.
func (s *assessing) check(l left, point string) {
	s.t.Helper()
	var b batch
	ended := func() bool {
		if l.batch == "" { // it was never acknowledged: the same content again is one batch
			var again struct{ ID string }
			if status := s.ask(s.key, "POST", "/v1/evidence?consent="+url.QueryEscape(l.consent), "application/jsonl", fmt.Sprintf(talk, word, l.subject), &again); status/100 != 2 {
				return false
			}
			l.batch = again.ID
		}
		b = batch{}
		status := s.ask(s.key, "GET", "/v1/evidence/"+l.batch, "", "", &b)
		return status == 404 || status == 200 && !b.DestroyedAt.IsZero()
	}
	if !s.within(20*time.Second, ended) {
		s.t.Fatalf("%s: the text is still kept: %+v", point, b)
	}
	gone := point == "assess.after_withdraw" || point == "assess.mid_erase"
	var reports struct{ Items []string }
	absent := func() bool {
		s.ask(s.key, "GET", "/v1/assessments?limit=500", "", "", &reports)
		return !gone || b.Report == "" || !slices.Contains(reports.Items, b.Report)
	}
	if !s.within(20*time.Second, absent) {
		s.t.Errorf("%s: report %s is there after it was taken back", point, b.Report)
	}
	if !gone && (b.State != "done" || !slices.Contains(reports.Items, b.Report)) {
		s.t.Errorf("%s: batch %+v, reports %v", point, b, reports.Items)
	}
	slices.Sort(reports.Items)
	if len(slices.Compact(slices.Clone(reports.Items))) != len(reports.Items) {
		s.t.Errorf("%s: a report twice: %v", point, reports.Items)
	}
	var held struct {
		Reports []struct{ Batch string } `json:"reports"`
	}
	s.ask(s.key, "GET", "/v1/subjects/"+l.subject, "", "", &held)
	if want := map[bool]int{true: 0, false: 1}[gone]; len(held.Reports) != want {
		s.t.Errorf("%s: the subject has %d reports, want %d: scored twice, or kept", point, len(held.Reports), want)
	}
}

func (s *assessing) within(d time.Duration, holds func() bool) bool {
	ctx, cancel := context.WithTimeout(s.t.Context(), d)
	defer cancel()
	for !holds() {
		if pause(ctx, 100*time.Millisecond) != nil {
			return false
		}
	}
	return true
}

// contest contests the stored report, whose credential it has issued first, and has it decided.
func (s *assessing) contest() {
	s.t.Helper()
	if s.credential == "" {
		var issued struct{ ID string }
		body := fmt.Sprintf(`{"configuration":"dei-profile","report":%q,"subject":{"id":"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}}`, reportID)
		if status := s.ask(s.key, "POST", "/v1/credentials", "application/json", body, &issued); status != 201 {
			s.t.Fatalf("issue: %d", status)
		}
		s.credential = issued.ID
	}
	var opened struct{ ID string }
	path := "/v1/subjects/subject-1/reports/" + reportID + "/contest"
	if s.ask(s.key, "POST", path, "application/json", `{"statement":"`+word+`"}`, &opened) == 0 {
		return // killed in the contest
	}
	var taken struct{ Dimensions []schemas.Dimension }
	if status := s.ask(s.reviewer, "POST", "/v1/reviews/"+opened.ID+"/take", "application/json", "", &taken); status != 200 {
		s.t.Fatalf("take: %d", status)
	}
	d := review.Decision{Verdicts: map[schemas.Dimension]string{}, Reason: "not upheld, " + word}
	for _, dim := range taken.Dimensions {
		d.Verdicts[dim] = review.Refuse
	}
	audience := "did:web:" + strings.ReplaceAll(strings.TrimPrefix(s.config.Origin, "http://"), ":", "%3A")
	signature, err := app.SignDecision(s.reviewerKey, s.reviewerDID, audience, opened.ID, d, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"verdicts": d.Verdicts, "reason": d.Reason, "signature": signature})
	if err != nil {
		s.t.Fatal(err)
	}
	if status := s.ask(s.reviewer, "POST", "/v1/reviews/"+opened.ID+"/decision", "application/json", string(body), nil); status != 0 {
		s.t.Fatalf("decision: %d, and the server lives", status)
	}
}

// checkReview: an open contest holds the credential, a refused level ends it.
func (s *assessing) checkReview(point string) {
	s.t.Helper()
	want := map[string][2]string{"review.after_contest": {"suspended", "contested"}, "review.after_decide": {"revoked", "refused"}}[point]
	var credential struct{ Status string }
	var standing struct{ State string }
	if !s.within(20*time.Second, func() bool {
		s.ask(s.key, "GET", "/v1/credentials/"+url.PathEscape(s.credential), "", "", &credential)
		s.ask(s.key, "GET", "/v1/assessments/"+reportID+"/standing", "", "", &standing)
		return credential.Status == want[0] && standing.State == want[1]
	}) {
		s.t.Errorf("%s: credential %q, report %q, want %v", point, credential.Status, standing.State, want)
	}
}

// search looks for the subjects' word in every file of the data folder.
func (s *assessing) search() {
	s.t.Helper()
	err := filepath.WalkDir(s.config.DataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(word)) {
			s.t.Errorf("%s holds a subject's word in clear", path)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
