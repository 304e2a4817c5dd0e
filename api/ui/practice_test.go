package ui_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"heartmark/api/problem"
	"heartmark/api/ui"
	"heartmark/assessment"
	"heartmark/schemas"
)

const scene = "zh-family-group-asks"

func post(path string, fields url.Values, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func read(seen ...assessment.Seen) assessment.Practised {
	p := assessment.Practised{Status: assessment.PractiseRead, Own: true}
	for i, s := range seen {
		p.Observations = append(p.Observations, assessment.Observation{Facet: []string{"SA1", "SA2"}[i], Seen: s})
	}
	return p
}

func TestPracticeFeedback(t *testing.T) {
	t.Parallel()
	unjudged := read(assessment.SeenShown)
	unjudged.Own = false
	for _, tc := range []struct {
		name      string
		practised assessment.Practised
		want      map[string]string
		progress  bool
	}{
		{"all", read(assessment.SeenShown, assessment.SeenShown), map[string]string{"en": "That came across", "zh": "对方能感受到"}, true},
		{"some", read(assessment.SeenShown, assessment.SeenMissed), map[string]string{"en": "A good part came across", "zh": "大部分传到了"}, true},
		{"open", read(assessment.SeenPartly, assessment.SeenShown), map[string]string{"en": "There may be room here", "zh": "也许还有空间"}, true},
		{"own side not judged", unjudged, map[string]string{"en": "cannot be judged reliably", "zh": "无法从这种语言"}, true},
		{"short", assessment.Practised{Status: assessment.PractiseShort}, map[string]string{"en": "too short", "zh": "太短了"}, false},
		{"language", assessment.Practised{Status: assessment.PractiseLanguage}, map[string]string{"en": "English and Chinese", "zh": "中文和英文"}, false},
		{"beside", assessment.Practised{Status: assessment.PractiseBeside}, map[string]string{"en": "something else", "zh": "另一件事"}, false},
		{"unknown", assessment.Practised{Status: assessment.PractiseUnknown}, map[string]string{"en": "cannot judge", "zh": "看不出"}, false},
		{"care", assessment.Practised{Status: assessment.PractiseCare}, map[string]string{"en": "helpline", "zh": "援助热线"}, false},
	} {
		for _, lang := range schemas.Languages() {
			p := &parts{practised: tc.practised}
			rec := httptest.NewRecorder()
			answer := `I feel tired </textarea><script>alert(1)</script>`
			if err := pages(t, p).PracticeAnswer(rec, inLanguage(post("/practice/"+scene, url.Values{"answer": {answer}}), lang), scene); err != nil {
				t.Fatalf("%s (%s): %v", tc.name, lang, err)
			}
			body := rec.Body.String()
			checkPage(t, tc.name, lang, body)
			if !strings.Contains(body, tc.want[lang]) || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s (%s): %q is missing, or the page may be cached", tc.name, lang, tc.want[lang])
			}
			if strings.Contains(body, "<script>alert") { // SEC-143
				t.Errorf("%s (%s): the answer became markup", tc.name, lang)
			}
			if p.exchange.Answer != answer || p.exchange.Facet != "SA1" || p.exchange.Lang != lang {
				t.Errorf("%s: read %+v", tc.name, p.exchange)
			}
			if got := len(rec.Result().Cookies()) > 0; got != tc.progress {
				t.Errorf("%s: progress kept: %v, want %v", tc.name, got, tc.progress)
			}
		}
	}
}

// SEC-146: what another site's page sends is refused and changes nothing.
func TestPracticeRefusesOtherSites(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		headers []string
		ok      bool
	}{
		"another site":                    {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		"a sibling":                       {[]string{"Sec-Fetch-Site", "same-site", "Origin", "https://a.dei.example"}, false},
		"another origin, an old browser":  {[]string{"Origin", "https://evil.example"}, false},
		"the same host without TLS":       {[]string{"Origin", "http://dei.example"}, false},
		"an opaque origin":                {[]string{"Origin", "null"}, false},
		"this site":                       {[]string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, true},
		"this site, an old browser":       {[]string{"Origin", "https://dei.example"}, true},
		"the address typed by the person": {[]string{"Sec-Fetch-Site", "none"}, true},
	} {
		p := &parts{practised: read(assessment.SeenShown)}
		shown := pages(t, p)
		for what, call := range map[string]func(w http.ResponseWriter) error{
			"answer": func(w http.ResponseWriter) error {
				return shown.PracticeAnswer(w, post("/", url.Values{"answer": {"x"}}, tc.headers...), scene)
			},
			"mark": func(w http.ResponseWriter) error {
				return shown.PracticeMark(w, post("/", url.Values{"mark": {"fits"}}, tc.headers...), scene)
			},
			"goal": func(w http.ResponseWriter) error {
				return shown.PracticeGoal(w, post("/", url.Values{"goal": {"3"}}, tc.headers...))
			},
		} {
			rec := httptest.NewRecorder()
			err := call(rec)
			if tc.ok && err != nil || !tc.ok && !errors.Is(err, problem.ErrCrossSite) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
			if !tc.ok && len(rec.Result().Cookies()) > 0 {
				t.Errorf("%s, %s: a cookie was set", name, what)
			}
		}
		if !tc.ok && (len(p.marks) > 0 || p.exchange.Answer != "") {
			t.Errorf("%s: %v %v", name, p.marks, p.exchange)
		}
	}
}

func TestPracticeMark(t *testing.T) {
	t.Parallel()
	p := &parts{}
	shown := pages(t, p)
	for _, bad := range []string{"", "great", "fits\n"} {
		if err := shown.PracticeMark(httptest.NewRecorder(), post("/", url.Values{"mark": {bad}}), scene); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("mark %q: %v, want ErrMalformed", bad, err)
		}
	}
	if err := shown.PracticeMark(httptest.NewRecorder(), post("/", url.Values{"mark": {"fits"}}), "no-such"); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("unknown scene: %v", err)
	}
	rec := httptest.NewRecorder()
	if err := shown.PracticeMark(rec, post("/", url.Values{"mark": {"wrong"}}), scene); err != nil || rec.Code != http.StatusSeeOther {
		t.Errorf("mark: %v %d", err, rec.Code)
	}
	if len(p.marks) != 1 || p.marks[0] != scene+" "+string(ui.FeedbackWrong) {
		t.Errorf("marks %v", p.marks)
	}
}

func home(t *testing.T, cookie, query string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/practice"+query, nil)
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "heartmark_practice", Value: cookie})
	}
	rec := httptest.NewRecorder()
	if err := pages(t, &parts{practised: read(assessment.SeenShown)}).PracticeHome(rec, r); err != nil {
		t.Fatal(err)
	}
	return rec.Body.String()
}

func cookie(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// TestProgress: 1 February 2026, the day of the tests, is a Sunday, day 20485 since 1970.
func TestProgress(t *testing.T) {
	t.Parallel()
	if day := at.Unix() / 86400; day != 20485 || at.Weekday() != time.Sunday {
		t.Fatalf("day %d", day)
	}
	for _, tc := range []struct {
		name, cookie string
		want         []string
	}{
		{"nothing yet", "", []string{"0 of 1 days", "No week yet", "0 of 60 scenes answered", "One scene is a start"}},
		{"not ours", "%%%", []string{"0 of 1 days", "No week yet"}},
		{"another version", cookie("9|3|20485|x"), []string{"0 of 1 days"}},
		{"too long", strings.Repeat("A", 5000), []string{"0 of 1 days"}},
		{"senseless values", cookie("1|77|-4,abc,20485,20485|<b>"), []string{"1 of 1 days", "1 of 60 scenes"}},
		{"two days of three", cookie("1|3|20479,20485|" + scene), []string{"2 of 3 days", "Your first week", "1 of 60 scenes answered", "Days off belong to it"}},
		{"met", cookie("1|1|20485|"), []string{"1 of 1 days", "You are where you wanted to be"}},
		{"three weeks", cookie("1|1|20470,20475,20485|"), []string{"3 weeks in a row"}},
		{"a week off ends nothing", cookie("1|1|20470,20485|"), []string{"2 weeks in a row"}},
		{"two weeks off begin anew", cookie("1|1|20450,20463,20485|"), []string{"Your first week"}},
		{"this week has only begun", cookie("1|1|20475|"), []string{"0 of 1 days", "Your first week"}},
	} {
		body := home(t, tc.cookie, "")
		for _, want := range tc.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is missing", tc.name, want)
			}
		}
		if strings.Contains(body, "<b>") {
			t.Errorf("%s: a cookie became markup", tc.name)
		}
	}
}

// TestProgressIsKept follows the cookie over answers, an aim, and forgetting.
func TestProgressIsKept(t *testing.T) {
	t.Parallel()
	shown := pages(t, &parts{practised: read(assessment.SeenShown)})
	value := ""
	call := func(what string, f func(w http.ResponseWriter, r *http.Request) error, fields url.Values) *http.Cookie {
		t.Helper()
		r := post("/", fields)
		if value != "" {
			r.AddCookie(&http.Cookie{Name: "heartmark_practice", Value: value})
		}
		rec := httptest.NewRecorder()
		if err := f(rec, r); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		cookies := rec.Result().Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/practice" {
			t.Fatalf("%s: cookies %v", what, cookies)
		}
		value = cookies[0].Value
		return cookies[0]
	}
	answer := func(id string) func(http.ResponseWriter, *http.Request) error {
		return func(w http.ResponseWriter, r *http.Request) error { return shown.PracticeAnswer(w, r, id) }
	}
	for range 2 {
		call("answer", answer(scene), url.Values{"answer": {"I feel tired"}})
	}
	call("another", answer("game-lost-round"), url.Values{"answer": {"My mistake"}})
	call("goal", shown.PracticeGoal, url.Values{"goal": {"3"}})
	if body := home(t, value, ""); !strings.Contains(body, "1 of 3 days") || !strings.Contains(body, "2 of 60 scenes") {
		t.Error("progress is lost")
	}
	if c := call("forget", shown.PracticeGoal, url.Values{"forget": {"1"}}); c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("forgetting left %v", c)
	}
	for _, bad := range []string{"", "2", "-1", "x"} {
		if err := shown.PracticeGoal(httptest.NewRecorder(), post("/", url.Values{"goal": {bad}})); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("goal %q: %v", bad, err)
		}
	}
}

func TestPracticeList(t *testing.T) {
	t.Parallel()
	count := func(body string) int { return strings.Count(body, `class="card scene"`) }
	if n := count(home(t, "", "")); n != 12 {
		t.Errorf("%d scenes at first, want 12", n)
	}
	if n := count(home(t, "", "?all")); n != 60 {
		t.Errorf("%d scenes in all, want 60", n)
	}
	if n := count(home(t, "", "?dimension=self_awareness&difficulty=1")); n < 3 || n > 10 {
		t.Errorf("%d plain scenes of self-awareness", n)
	}
	if body := home(t, "", "?dimension=%3Cscript%3E"); count(body) != 0 || strings.Contains(body, "<script>") || !strings.Contains(body, "No scene fits") {
		t.Error("an unknown dimension")
	}
}
