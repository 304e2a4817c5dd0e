package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/api"
	"heartmark/api/assessmentapi"
	"heartmark/api/problem"
	"heartmark/assessment"
	"heartmark/assessment/head"
	"heartmark/assessment/model"
)

// fakeHead labels by the length of a text and remembers what it was asked.
type fakeHead struct {
	name string
	hold chan struct{} // when set, a call waits until it is closed
	in   chan struct{} // when set, told that a call has begun

	mu   sync.Mutex
	last []assessment.ClassifierInput
}

func (f *fakeHead) Classify(_ context.Context, in []assessment.ClassifierInput) ([]head.Prediction, error) {
	if f.hold != nil {
		f.in <- struct{}{}
		<-f.hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = in
	out := make([]head.Prediction, len(in))
	for i, one := range in {
		switch {
		case one.Text == "break":
			return nil, errors.New("secret text in an error")
		case strings.TrimSpace(one.Text) == "":
			out[i] = head.Prediction{Reason: head.ReasonEmpty}
		default:
			out[i] = head.Prediction{Labels: []string{"warm"}, Values: []float64{0.2, 0.8}}
		}
	}
	return out, nil
}

func (f *fakeHead) Model() *head.Model {
	return &head.Model{
		Name: f.name, Kind: model.Softmax, Labels: []string{"curt", "warm"}, Encoder: head.EncoderRef{ID: "dei-m1", SHA256: "e1", Width: 2},
		Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (f *fakeHead) GraphSHA256() string { return "d1" }

func withHead(h *fakeHead) func(*api.Config) {
	return func(c *api.Config) { c.Heads = map[string]assessmentapi.Labeller{h.name: h} }
}

const classifyBody = `{"consent":["process","score"],"texts":[` +
	`{"id":"a","text":"glad to help","context":[{"text":"where is it?"},{"text":"one moment","self":true}],"lang":"en-GB"},{"text":" "}]}`

func TestClassify(t *testing.T) {
	t.Parallel()
	h := &fakeHead{name: "tone"}
	w := newWorld(t, withHead(h))
	rec := w.do("POST", "/v1/classify?head=tone", classifyBody, withJSON(goodKey)...)
	got := decode[assessmentapi.ClassifyAnswer](t, rec)
	if rec.Code != 200 || len(got.Results) != 2 || got.Results[0].ID != "a" || got.Results[0].Labels[0] != "warm" || got.Results[0].Values[1] != 0.8 ||
		got.Results[1].Reason != head.ReasonEmpty || got.Results[1].Values != nil {
		t.Fatalf("classify: %d %s", rec.Code, rec.Body)
	}
	if !strings.Contains(rec.Body.String(), `"labels":[],"reason":"empty"`) || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("answer %s, headers %v", rec.Body, rec.Header())
	}
	if a := got.Head; a.Name != "tone" || a.Kind != "softmax" || a.SHA256 != "d1" || a.EncoderSHA256 != "e1" || len(a.Labels) != 2 {
		t.Errorf("head %+v", a)
	}
	if in := h.last[0]; in.Lang != "en" || len(in.Context) != 2 || in.Context[0].Self || !in.Context[1].Self {
		t.Errorf("the head was asked %+v", in)
	}
	page := decode[assessmentapi.HeadPage](t, w.do("GET", "/v1/heads", "", auth(goodKey)...))
	if len(page.Items) != 1 || page.Items[0].Name != "tone" {
		t.Errorf("heads %+v", page)
	}
	if log := w.log.String(); strings.Contains(log, "glad to help") || strings.Contains(log, "where is it") {
		t.Errorf("the log holds a text:\n%s", log)
	}
	if len(w.reports.kept) != 0 {
		t.Error("something was stored")
	}
}

func TestClassifyRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withHead(&fakeHead{name: "tone"}))
	body := func(texts string) string { return `{"consent":["process","score"],"texts":[` + texts + `]}` }
	long := strings.Repeat("字", 8001)
	cases := []struct {
		name, target, body, key string
		status                  int
		code, pointer           string
	}{
		{"no key", "/v1/classify?head=tone", classifyBody, "", 401, "unauthenticated", ""},
		{"no scope", "/v1/classify?head=tone", classifyBody, thinKey, 403, "forbidden", ""},
		{"no head", "/v1/classify", classifyBody, goodKey, 400, "bad-query", ""},
		{"head of another form", "/v1/classify?head=../tone", classifyBody, goodKey, 400, "bad-query", ""},
		{"unknown parameter", "/v1/classify?head=tone&format=csv", classifyBody, goodKey, 400, "bad-query", ""},
		{"unknown head", "/v1/classify?head=mood", classifyBody, goodKey, 404, "not-found", ""},
		{"no consent", "/v1/classify?head=tone", `{"texts":[{"text":"a"}]}`, goodKey, 403, "consent", ""},
		{"half a consent", "/v1/classify?head=tone", `{"consent":["process"],"texts":[{"text":"a"}]}`, goodKey, 403, "consent", ""},
		{"no texts", "/v1/classify?head=tone", body(""), goodKey, 400, "malformed", "/texts"},
		{"many texts", "/v1/classify?head=tone", body(strings.Repeat(`{"text":"a"},`, 256) + `{"text":"a"}`), goodKey, 400, "malformed", "/texts"},
		{"empty text", "/v1/classify?head=tone", body(`{"text":"a"},{"text":""}`), goodKey, 400, "malformed", "/texts/1/text"},
		{"long text", "/v1/classify?head=tone", body(`{"text":"` + long + `"}`), goodKey, 400, "malformed", "/texts/0/text"},
		{"long turn", "/v1/classify?head=tone", body(`{"text":"a","context":[{"text":"` + long + `"}]}`), goodKey, 400, "malformed", "/texts/0/context/0/text"},
		{"many turns", "/v1/classify?head=tone", body(`{"text":"a","context":[` + strings.Repeat(`{"text":"b"},`, 16) + `{"text":"b"}]}`), goodKey, 400, "malformed", "/texts/0/context"},
		{"long id", "/v1/classify?head=tone", body(`{"text":"a","id":"` + strings.Repeat("i", 129) + `"}`), goodKey, 400, "malformed", "/texts/0/id"},
		{"language", "/v1/classify?head=tone", body(`{"text":"a","lang":"fr"}`), goodKey, 400, "malformed", "/texts/0/lang"},
		{"unknown member", "/v1/classify?head=tone", body(`{"text":"a","user":"u7"}`), goodKey, 400, "unknown-member", "/texts/0/user"},
		{"too large", "/v1/classify?head=tone", body(`{"text":"` + strings.Repeat("a", 1<<20) + `"}`), goodKey, 413, "too-large", ""},
		{"head that fails", "/v1/classify?head=tone", body(`{"text":"break"}`), goodKey, 500, "internal", ""},
		{"heads with a parameter", "/v1/heads?limit=1", "", goodKey, 400, "bad-query", ""},
		{"heads without a key", "/v1/heads", "", "", 401, "unauthenticated", ""},
	}
	for _, tc := range cases {
		method, headers := http.MethodPost, []string{"Content-Type", "application/json", "Accept-Language", "zh"}
		if tc.body == "" {
			method, headers = http.MethodGet, nil
		}
		if tc.key != "" {
			headers = append(headers, auth(tc.key)...)
		}
		rec := w.do(method, tc.target, tc.body, headers...)
		got := decode[problem.Document](t, rec)
		if rec.Code != tc.status || got.Code != tc.code {
			t.Errorf("%s: %d %s, want %d %s", tc.name, rec.Code, rec.Body, tc.status, tc.code)
			continue
		}
		if tc.pointer != "" && (len(got.Errors) == 0 || got.Errors[0].Pointer != tc.pointer) {
			t.Errorf("%s: errors %+v, want %s", tc.name, got.Errors, tc.pointer)
		}
		if len(got.Errors) > 0 && strings.ContainsAny(strings.ReplaceAll(got.Errors[0].Detail, "UTF-8", ""), "abcdfghijklmopqrsuvwxyz") && tc.name != "language" {
			t.Errorf("%s: detail %q is not in Chinese", tc.name, got.Errors[0].Detail)
		}
		if strings.Contains(rec.Body.String(), "secret") {
			t.Errorf("%s: the answer tells the cause: %s", tc.name, rec.Body)
		}
	}
	if rec := w.do("POST", "/v1/classify?head=tone", "text=a", append(auth(goodKey), "Content-Type", "text/plain")...); rec.Code != 415 {
		t.Errorf("plain text: %d, want 415", rec.Code)
	}
}

func TestClassifyWithoutClassifierAndWhenBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for method, target := range map[string]string{"POST": "/v1/classify?head=tone", "GET": "/v1/heads"} {
		body := map[string]string{"POST": classifyBody}[method]
		if rec := w.do(method, target, body, withJSON(goodKey)...); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
			t.Errorf("%s without a classifier: %d %v", target, rec.Code, rec.Header())
		}
	}
	h := &fakeHead{name: "tone", hold: make(chan struct{}), in: make(chan struct{})}
	w = newWorld(t, withHead(h))
	var callers sync.WaitGroup
	codes := make(chan string, 4)
	for range 4 {
		callers.Go(func() {
			codes <- fmt.Sprint(w.do("POST", "/v1/classify?head=tone", classifyBody, withJSON(goodKey)...).Code)
		})
		<-h.in
	}
	if rec := w.do("POST", "/v1/classify?head=tone", classifyBody, withJSON(goodKey)...); rec.Code != 503 || rec.Header().Get("Retry-After") != "1" {
		t.Errorf("fifth call at once: %d %v, want 503", rec.Code, rec.Header())
	}
	close(h.hold)
	callers.Wait()
	for range 4 {
		if code := <-codes; code != "200" {
			t.Errorf("one of the four: %s", code)
		}
	}
}
