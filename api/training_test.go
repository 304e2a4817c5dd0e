package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/api"
	"heartmark/api/problem"
	"heartmark/api/trainingapi"
	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/internal/store/badger"
	"heartmark/schemas"
)

// noTraining stands where a test does not train.
type noTraining struct {
	trainingapi.Trainer
	trainingapi.Library
}

// boundSealer binds what it keeps to its place.
type boundSealer struct{}

func (boundSealer) Seal(_ context.Context, tenant, kind, id string, plain []byte) ([]byte, error) {
	return append([]byte(tenant+"|"+kind+"|"+id+"|"), plain...), nil
}

func (boundSealer) Open(_ context.Context, tenant, kind, id string, sealed []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(tenant+"|"+kind+"|"+id+"|"))
	if !ok {
		return nil, errors.New("sealed for another place")
	}
	return plain, nil
}

// newGym is a world with real training over a store in memory, and reports of the subject u7.
func newGym(t *testing.T) *world {
	t.Helper()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	store := db.Training(boundSealer{})
	bank, err := training.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *api.Config) {
		trainer, err1 := training.New(training.Config{Bank: bank, Store: store, Now: c.Now, Random: func() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }})
		library, err2 := training.NewLibrary(store, nil)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		c.Trainer, c.Library = trainer, library
	})
	for n, score := range []float64{50, 51} {
		r := practised(n+1, score, "u7")
		w.reports.kept["acme "+r.ID] = r
	}
	other := practised(1, 50, "u8")
	other.ID, other.Provenance.Purposes = "other", []string{"process", "score", "report"}
	w.reports.kept["acme other"] = other
	return w
}

func practised(month int, score float64, subject string) assessment.Report {
	sem := 5.0
	return assessment.Report{
		ID: fmt.Sprint("r", month), Subject: subject, Window: assessment.Window{From: fmt.Sprintf("2025-%02d-01", month), To: fmt.Sprintf("2025-%02d-28", month)},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{schemas.DimensionSocialAwareness: {
			Status: assessment.StatusScored, Score: &score, SEM: &sem,
			Facets: map[string]assessment.FacetReport{"SO1": {Mean: score / 100, N: 40, Info: 12}, "SO2": {Mean: score / 100, N: 40, Info: 12}},
		}},
		Quality: assessment.Quality{Scenes: map[string]int{"event": 30}}, Provenance: assessment.Provenance{Purposes: []string{"process", "score"}},
	}
}

func TestPlanRoutes(t *testing.T) {
	t.Parallel()
	w := newGym(t)
	rec := w.do("POST", "/v1/plans", `{"reports":["r1"]}`, withJSON(goodKey)...)
	made := decode[trainingapi.PlanAnswer](t, rec)
	if rec.Code != 201 || made.View != "platform" || len(made.Plan.Modules) != 2 || len(made.Plan.Missing) != 3 || rec.Header().Get("Location") != "/v1/plans/u7" {
		t.Fatalf("plan: %d %s", rec.Code, rec.Body)
	}
	first := made.Plan.Modules[0]
	if first.ID != "so1-read-it" || len(first.Exercises) != 3 || first.Figures != nil || len(first.Scenarios) != 2 || first.Scenarios[0].Scene != "event" {
		t.Errorf("module %+v", first)
	}
	if strings.Contains(rec.Body.String(), "baseline") || strings.Contains(rec.Body.String(), "50") {
		t.Errorf("a platform reads scores: %s", rec.Body)
	}
	zh := decode[trainingapi.PlanAnswer](t, w.do("GET", "/v1/plans/u7", "", append(auth(goodKey), "Accept-Language", "zh")...))
	if zh.Plan.Language != "zh" || zh.Plan.Modules[0].Title != "读出对方的感受" {
		t.Errorf("in Chinese: %+v", zh.Plan)
	}
	full := decode[trainingapi.PlanAnswer](t, w.do("POST", "/v1/plans", `{"reports":["other"]}`, withJSON(goodKey)...))
	if full.View != "full" || full.Plan.Modules[0].Figures == nil {
		t.Errorf("with consent to the report: %+v", full)
	}
	next := decode[trainingapi.PlanAnswer](t, w.do("POST", "/v1/plans", `{"reports":["r2"]}`, withJSON(goodKey)...))
	if next.Plan.Modules[0].Idle != 1 || next.Plan.Window.To != "2025-02-28" {
		t.Errorf("carried on: %+v", next.Plan)
	}
	if rec := w.do("GET", "/v1/plans/u7", "", auth(otherKey)...); rec.Code != 404 {
		t.Errorf("another tenant: %d", rec.Code)
	}
	for range 2 {
		if rec := w.do("DELETE", "/v1/plans/u7", "", auth(goodKey)...); rec.Code != 204 {
			t.Errorf("erase: %d %s", rec.Code, rec.Body)
		}
	}
	if rec := w.do("GET", "/v1/plans/u7", "", auth(goodKey)...); rec.Code != 404 {
		t.Errorf("after erasure: %d", rec.Code)
	}
}

func TestPracticeRoutes(t *testing.T) {
	t.Parallel()
	w := newGym(t)
	if rec := w.do("GET", "/v1/practice/u7", "", auth(goodKey)...); rec.Code != 404 {
		t.Errorf("practice without a plan: %d", rec.Code)
	}
	w.do("POST", "/v1/plans", `{"reports":["r1"]}`, withJSON(goodKey)...)
	session := decode[trainingapi.SessionAnswer](t, w.do("GET", "/v1/practice/u7", "", auth(goodKey)...))
	if len(session.Due) != 6 || session.Next == nil || session.Next.By != training.ByRules || session.Due[0].Text == "" || session.Later != nil {
		t.Fatalf("session %+v", session)
	}
	body := fmt.Sprintf(`{"exercise":%q,"grade":4}`, session.Next.Exercise)
	rec := w.do("POST", "/v1/practice/u7/completions", body, withJSON(goodKey)...)
	if done := decode[trainingapi.DueExercise](t, rec); rec.Code != 201 || done.Days != 1 || !done.Due.Equal(w.clock.Now().AddDate(0, 0, 1)) {
		t.Errorf("completion: %d %s", rec.Code, rec.Body)
	}
	body = fmt.Sprintf(`{"exercise":%q,"useful":true,"rating":5}`, session.Next.Exercise)
	if rec := w.do("POST", "/v1/practice/u7/marks", body, withJSON(goodKey)...); rec.Code != 204 {
		t.Errorf("mark: %d %s", rec.Code, rec.Body)
	}
	again := decode[trainingapi.SessionAnswer](t, w.do("GET", "/v1/practice/u7", "", auth(goodKey)...))
	if len(again.Due) != 5 || again.Later == nil || slices.ContainsFunc(again.Due, func(d trainingapi.DueExercise) bool { return d.Exercise == session.Next.Exercise }) {
		t.Errorf("session afterwards %+v", again)
	}
	w.clock.Advance(25 * time.Hour)
	if later := decode[trainingapi.SessionAnswer](t, w.do("GET", "/v1/practice/u7", "", auth(goodKey)...)); len(later.Due) != 6 {
		t.Errorf("a day later %d are due, want 6", len(later.Due))
	}
	page := decode[trainingapi.ScenarioPage](t, w.do("GET", "/v1/practice?facet=SM1&scene=game&lang=zh", "", auth(goodKey)...))
	if len(page.Items) != 1 || page.Items[0].SceneName != "游戏" {
		t.Errorf("scenarios %+v", page)
	}
}

const answerLines = `{"id":"late","lang":"en","question":"Where is my parcel?","answer":"I will ask the carrier.","tags":["delivery"]}
{"id":"refund","lang":"en","question":"How do I get my money back?","answer":"Within thirty days."}
{"id":"wuliu","lang":"zh","question":"我的快递怎么还没到？","answer":"我去问快递公司。"}
`

func TestCoachingRoutes(t *testing.T) {
	t.Parallel()
	w := newGym(t)
	ask := func(key, body string) trainingapi.SuggestionAnswer {
		t.Helper()
		rec := w.do("POST", "/v1/coaching/suggestions", body, withJSON(key, "Accept-Language", "zh")...)
		if rec.Code != 200 || rec.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("suggestions: %d %s", rec.Code, rec.Body)
		}
		return decode[trainingapi.SuggestionAnswer](t, rec)
	}
	const question = `{"asked":true,"message":"hi, where is the parcel I ordered?"}`
	if got := ask(goodKey, question); got.Suggestions == nil || len(got.Suggestions) != 0 {
		t.Errorf("without answers: %+v", got)
	}
	put := func(body string) int {
		t.Helper()
		rec := w.do("PUT", "/v1/coaching/answers", body, append(auth(goodKey), "Content-Type", "application/jsonl")...)
		return rec.Code
	}
	if code := put(answerLines); code != 200 {
		t.Fatalf("put answers: %d", code)
	}
	got := ask(goodKey, question)
	if len(got.Suggestions) != 1 || got.Suggestions[0].Answer.ID != "late" || got.Suggestions[0].Meaning != nil || !strings.Contains(got.Suggestions[0].Why, "相同的词：parcel") {
		t.Errorf("suggestions %+v", got)
	}
	if got := ask(goodKey, `{"asked":true,"message":"快递还没到","k":1}`); len(got.Suggestions) != 1 || got.Suggestions[0].Answer.ID != "wuliu" {
		t.Errorf("in Chinese %+v", got)
	}
	if got := ask(otherKey, question); len(got.Suggestions) != 0 {
		t.Errorf("another tenant %+v", got)
	}
	page := decode[trainingapi.AnswerPage](t, w.do("GET", "/v1/coaching/answers?limit=2", "", auth(goodKey)...))
	rest := decode[trainingapi.AnswerPage](t, w.do("GET", "/v1/coaching/answers?limit=2&cursor="+page.Next, "", auth(goodKey)...))
	if len(page.Items) != 2 || page.Next != "refund" || len(rest.Items) != 1 || rest.Items[0].ID != "wuliu" || rest.Next != "" {
		t.Errorf("pages %+v, %+v", page, rest)
	}
	if log := w.log.String(); strings.Contains(log, "parcel") || strings.Contains(log, "快递") {
		t.Errorf("the log holds a message:\n%s", log)
	}
	if rec := w.do("DELETE", "/v1/coaching/answers", "", auth(goodKey)...); rec.Code != 204 {
		t.Errorf("delete: %d", rec.Code)
	}
	if got := ask(goodKey, question); len(got.Suggestions) != 0 {
		t.Errorf("after deletion: %+v", got)
	}
}

func TestTrainingRefusals(t *testing.T) {
	t.Parallel()
	w := newGym(t)
	w.do("POST", "/v1/plans", `{"reports":["r1"]}`, withJSON(goodKey)...)
	const done, marks, put, suggest = "POST /v1/practice/u7/completions", "POST /v1/practice/u7/marks", "PUT /v1/coaching/answers", "POST /v1/coaching/suggestions"
	cases := []struct {
		name, route, body string
		status            int
		code, pointer     string
		line              int
	}{
		{"no reports", "POST /v1/plans", `{"reports":[]}`, 400, "malformed", "/reports", 0},
		{"many reports", "POST /v1/plans", `{"reports":[` + strings.Repeat(`"a",`, 20) + `"a"]}`, 400, "malformed", "/reports", 0},
		{"unknown report", "POST /v1/plans", `{"reports":["r1","none"]}`, 404, "not-found", "/reports/1", 0},
		{"two subjects", "POST /v1/plans", `{"reports":["r1","other"]}`, 400, "malformed", "/reports", 0},
		{"unknown member", "POST /v1/plans", `{"reports":["r1"],"gender":"x"}`, 400, "unknown-member", "/gender", 0},
		{"no plan", "GET /v1/plans/nobody", "", 404, "not-found", "", 0},
		{"no such scenarios", "GET /v1/practice?facet=SA9", "", 404, "not-found", "", 0},
		{"unknown parameter", "GET /v1/practice?level=3", "", 400, "bad-query", "", 0},
		{"no exercise", done, `{"exercise":"x","grade":3}`, 400, "malformed", "/exercise", 0},
		{"no grade", done, `{"exercise":"so1-read-it-1"}`, 400, "malformed", "/grade", 0},
		{"grade", done, `{"exercise":"so1-read-it-1","grade":6}`, 400, "malformed", "/grade", 0},
		{"in the future", done, `{"exercise":"so1-read-it-1","grade":3,"at":"2030-01-01T00:00:00Z"}`, 400, "malformed", "/at", 0},
		{"practice without a plan", "POST /v1/practice/nobody/completions", `{"exercise":"so1-read-it-1","grade":3}`, 404, "not-found", "", 0},
		{"no useful", marks, `{"exercise":"so1-read-it-1"}`, 400, "malformed", "/useful", 0},
		{"rating", marks, `{"exercise":"so1-read-it-1","useful":true,"rating":0}`, 400, "malformed", "/rating", 0},
		{"answer without words", put, answerLines + `{"id":"x","lang":"en","question":"q","answer":""}`, 400, "malformed", "/answer", 4},
		{"answer twice", put, answerLines + answerLines, 400, "malformed", "/id", 4},
		{"not asked for", suggest, `{"message":"where?"}`, 403, "consent", "/asked", 0},
		{"no message", suggest, `{"asked":true,"message":""}`, 400, "malformed", "/message", 0},
		{"language", suggest, `{"asked":true,"message":"x","lang":"fr"}`, 400, "malformed", "/lang", 0},
		{"k", suggest, `{"asked":true,"message":"x","k":11}`, 400, "malformed", "/k", 0},
	}
	for _, tc := range cases {
		method, target, _ := strings.Cut(tc.route, " ")
		mediaType := "application/json"
		if method == http.MethodPut {
			mediaType = "application/jsonl"
		}
		rec := w.do(method, target, tc.body, append(auth(goodKey), "Content-Type", mediaType, "Accept-Language", "zh")...)
		got := decode[problem.Document](t, rec)
		if rec.Code != tc.status || got.Code != tc.code {
			t.Errorf("%s: %d %s, want %d %s", tc.name, rec.Code, rec.Body, tc.status, tc.code)
			continue
		}
		if tc.pointer != "" && (len(got.Errors) == 0 || got.Errors[0].Pointer != tc.pointer || got.Errors[0].Line != tc.line) {
			t.Errorf("%s: errors %+v, want %s", tc.name, got.Errors, tc.pointer)
		}
		if len(got.Errors) > 0 && strings.ContainsAny(strings.NewReplacer("en", "", "zh", "", "true", "").Replace(got.Errors[0].Detail), "abcdefghijklmnopqrstuvwxyz") {
			t.Errorf("%s: detail %q is not in Chinese", tc.name, got.Errors[0].Detail)
		}
	}
	for _, route := range []string{"POST /v1/plans", "GET /v1/plans/u7", "DELETE /v1/plans/u7", "GET /v1/practice", put, suggest} {
		method, target, _ := strings.Cut(route, " ")
		if rec := w.do(method, target, "{}", withJSON(thinKey)...); rec.Code != 403 {
			t.Errorf("%s without the scope: %d, want 403", route, rec.Code)
		}
	}
	if rec := w.do("PUT", "/v1/coaching/answers", answerLines, withJSON(goodKey)...); rec.Code != 415 {
		t.Errorf("answers as application/json: %d, want 415", rec.Code)
	}
}
