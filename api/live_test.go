package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"heartmark/api"
	"heartmark/api/liveapi"
	"heartmark/assessment"
	"heartmark/assessment/live"
	"heartmark/assessment/text"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
)

// calmModel finds everything calm, and tells how many lines it has read.
type calmModel struct{ read chan int }

func (calmModel) Info() assessment.ModelInfo {
	return assessment.ModelInfo{Labels: map[string][]string{assessment.HeadHostility: {"none", "mild"}, assessment.HeadAct: {"comfort", "question"}}}
}

func (m calmModel) Classify(_ context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	m.read <- len(in)
	out := make([]assessment.Scores, len(in))
	for i := range in {
		out[i] = assessment.Scores{assessment.HeadHostility: {0.9, 0.1}, assessment.HeadAct: {0.9, 0.1}, assessment.HeadRelevance: {0.9}}
	}
	return out, nil
}

// liveWorld is a real server with live scoring. The function moves its clock by a minute once so many lines have been read.
func liveWorld(t *testing.T) (*httptest.Server, func(lines int)) {
	t.Helper()
	model := calmModel{make(chan int, 1000)}
	var service *live.Service
	now := make(chan time.Time, 1)
	now <- time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { v := <-now; now <- v; return v }
	w := newWorld(t, func(c *api.Config) {
		n := 0
		var err error
		service, err = live.New(live.Config{
			Classifier: model, Language: text.Language, Scrub: func(s string) string { return s },
			Consent: func(_ context.Context, _, receipt string) (bool, error) { return receipt == "c1", nil },
			Journal: func(context.Context, live.Event) error { return nil }, Now: clock, NewID: func() string { n++; return fmt.Sprint("feed-", n) },
			Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Live = service
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	server := httptest.NewServer(w.handler)
	t.Cleanup(func() { stop(); <-done; server.Close() })
	return server, func(lines int) {
		for lines > 0 {
			lines -= <-model.read
		}
		v := <-now
		now <- v.Add(time.Minute)
	}
}

func call(t *testing.T, server *httptest.Server, key, method, path, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func group(authors int) string {
	var lines []live.Message
	for a := range authors {
		lines = append(lines, live.Message{Author: fmt.Sprint("p", a), Text: "thank you for the help"})
	}
	data, _ := json.Marshal(liveapi.MessagesRequest{Messages: lines})
	return string(data)
}

const feedSettings = `{"kind":"support","purpose":"service_quality","window_seconds":60,"min_group":10,"rules":[{"name":"calm","measure":"hostile","when":"below","bound":0.5,"windows":1,"cooldown_seconds":0}]}`

func TestLiveFeedBySSE(t *testing.T) {
	t.Parallel()
	server, minute := liveWorld(t)
	if resp := call(t, server, goodKey, "POST", "/v1/live/feeds", strings.Replace(feedSettings, "support", "work", 1)); resp.StatusCode != 403 {
		t.Errorf("a feed of work: %d", resp.StatusCode)
	}
	resp := call(t, server, goodKey, "POST", "/v1/live/feeds", feedSettings)
	if resp.StatusCode != 201 {
		t.Fatalf("open: %d", resp.StatusCode)
	}
	path := resp.Header.Get("Location")
	if resp := call(t, server, otherKey, "GET", path+"/events", ""); resp.StatusCode != 404 {
		t.Errorf("another tenant follows: %d", resp.StatusCode)
	}
	events := call(t, server, goodKey, "GET", path+"/events", "")
	if events.StatusCode != 200 || events.Header.Get("Content-Type") != "text/event-stream" || events.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("events: %d %v", events.StatusCode, events.Header)
	}
	if resp := call(t, server, goodKey, "POST", path+"/messages", group(10)); resp.StatusCode != 202 {
		t.Errorf("messages: %d", resp.StatusCode)
	}
	if resp := call(t, server, goodKey, "POST", path+"/messages", `{"messages":[]}`); resp.StatusCode != 400 {
		t.Errorf("no messages: %d", resp.StatusCode)
	}
	minute(10)
	var names []string
	scanner := bufio.NewScanner(events.Body)
	for len(names) < 2 && scanner.Scan() {
		if name, ok := strings.CutPrefix(scanner.Text(), "event: "); ok {
			names = append(names, name)
		}
	}
	if strings.Join(names, " ") != "window alert" {
		t.Errorf("events = %v", names)
	}
	if resp := call(t, server, goodKey, "DELETE", path, ""); resp.StatusCode != 204 {
		t.Errorf("end: %d", resp.StatusCode)
	}
	for scanner.Scan() { // ends with the feed
	}
	if resp := call(t, server, goodKey, "GET", path+"/events", ""); resp.StatusCode != 404 {
		t.Errorf("events of an ended feed: %d", resp.StatusCode)
	}
}

// dial opens a socket.
func dial(t *testing.T, server *httptest.Server, path, origin string) (*websocket.Conn, int) {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + goodKey}}
	if origin != "" {
		header.Set("Origin", origin)
	}
	conn, resp, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+path, &websocket.DialOptions{HTTPHeader: header})
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	if err != nil {
		return nil, status
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, status
}

func exchange[T any](t *testing.T, conn *websocket.Conn, frame string) T {
	t.Helper()
	if frame != "" {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	_, data, err := conn.Read(t.Context())
	var out T
	if err != nil || json.Unmarshal(data, &out) != nil {
		t.Fatalf("read: %s, %v", data, err)
	}
	return out
}

func TestLiveFeedBySocket(t *testing.T) {
	t.Parallel()
	server, minute := liveWorld(t)
	path := call(t, server, goodKey, "POST", "/v1/live/feeds", feedSettings).Header.Get("Location")
	if conn, status := dial(t, server, path+"/socket", "https://evil.example"); conn != nil || status != 403 {
		t.Errorf("SEC-146: a page of another origin opened a socket: %d", status)
	}
	conn, _ := dial(t, server, path+"/socket", "")
	if conn == nil {
		t.Fatal("no socket")
	}
	if f := exchange[liveapi.FeedFrame](t, conn, "{"); f.Error == nil || f.Error.Code != "malformed" {
		t.Errorf("a broken frame = %+v", f)
	}
	if f := exchange[liveapi.FeedFrame](t, conn, group(12)); f.Added == nil || f.Added.Taken != 12 {
		t.Errorf("messages = %+v", f)
	}
	minute(12)
	if f := exchange[liveapi.FeedFrame](t, conn, ""); f.Update == nil || f.Update.Window == nil || f.Update.Window.Authors != 12 {
		t.Errorf("window = %+v", f)
	}
}

func TestLivePractice(t *testing.T) {
	t.Parallel()
	server, _ := liveWorld(t)
	if conn, status := dial(t, server, "/v1/live/practice", ""); conn != nil || status != 400 {
		t.Errorf("without a receipt: %d", status)
	}
	conn, _ := dial(t, server, "/v1/live/practice?consent=c1&lang=zh", "")
	if conn == nil {
		t.Fatal("no socket")
	}
	got := exchange[liveapi.PracticeFrame](t, conn, `{"seq":7,"text":"I'm so sorry to hear that","context":[{"text":"my dog died"}]}`)
	if got.Seq != 7 || len(got.Hints) != 1 || got.Hints[0].Code != "supports" || !strings.Contains(got.Hints[0].Text, "支持") {
		t.Errorf("reading = %+v", got)
	}
	if got := exchange[liveapi.PracticeFrame](t, conn, `{"seq":8,"text":""}`); got.Error == nil || got.Error.Code != "malformed" || got.Seq != 8 {
		t.Errorf("an empty line = %+v", got)
	}
	ended, _ := dial(t, server, "/v1/live/practice?consent=c2", "")
	if got := exchange[liveapi.PracticeFrame](t, ended, `{"seq":1,"text":"hello there"}`); got.Error == nil || got.Error.Code != "consent-not-live" {
		t.Errorf("without a live receipt = %+v", got)
	}
	if _, _, err := ended.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the session went on: %v", err)
	}
}

func TestLiveWithoutClassifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, r := range [][2]string{{"POST", "/v1/live/feeds"}, {"GET", "/v1/live/practice?consent=c"}, {"GET", "/v1/live/feeds/x/events"}} {
		if rec := w.do(r[0], r[1], "", auth(goodKey)...); rec.Code != 503 {
			t.Errorf("%v: %d", r, rec.Code)
		}
	}
}
