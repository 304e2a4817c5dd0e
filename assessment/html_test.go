package assessment_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"heartmark/assessment"

	"golang.org/x/net/html"
)

func TestRenderHTML(t *testing.T) {
	t.Parallel()
	s := rich(0.7)
	s.say("x", "f1", "My dog passed away this morning.")
	s.say("x", "u7", `shut up <script>alert(1)</script> & "x" whatever <img src=x onerror=y>`)
	r := assess(t, &fakeClassifier{rows: rows()}, s.read(t))
	r.Subject = `<b onclick="x">u7</b>`
	thin := newScript()
	thin.say("r", "u7", "hello there")
	for name, rep := range map[string]assessment.Report{"rich": r, "thin": assess(t, &fakeClassifier{rows: rows()}, thin.read(t)), "unavailable": assess(t, &fakeClassifier{fail: io.ErrUnexpectedEOF}, thin.read(t))} {
		for _, lang := range []string{"en", "zh"} {
			var b bytes.Buffer
			if err := assessment.RenderPage(&b, rep, assessment.HTMLOptions{Lang: lang, Plan: planOf(name)}); err != nil {
				t.Fatalf("%s %s: %v", name, lang, err)
			}
			page := b.String()
			if m := regexp.MustCompile(`(?i)<script|<img|onclick="|src=|href="|url\(|@import|%!|<no value>|ZgotmplZ`).FindString(page); m != "" {
				t.Errorf("%s %s: page contains %q", name, lang, m)
			}
			checkTags(t, page, name+" "+lang)
			want := map[string]string{"en": `<html lang="en">`, "zh": `<html lang="zh-CN">`}[lang]
			if !strings.Contains(page, want) || strings.Count(page, `role="img"`) < 1 {
				t.Errorf("%s %s: language or plots missing", name, lang)
			}
		}
	}
}

// planOf is a plan whose words try to be markup, none for a thin report, and one without modules for the rest.
func planOf(name string) *assessment.PagePlan {
	switch name {
	case "rich":
		return &assessment.PagePlan{
			Modules: []assessment.PagePlanModule{{
				Title: "<script>", Exercises: []string{"<img>"}, Scenarios: []assessment.PagePlanScenario{{Scene: "game", Message: `"<b>`}},
			}},
			Missing: [][2]string{{"a", "b"}}, Progress: []string{"c"}, Strong: []string{"d"},
		}
	case "thin":
		return nil
	}
	return &assessment.PagePlan{}
}

// checkTags reports elements that are opened and not closed, or the other way round.
func checkTags(t *testing.T, page, name string) {
	t.Helper()
	void := map[string]bool{"meta": true, "br": true, "path": true}
	var stack []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tt := z.Next(); tt {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) || len(stack) > 0 {
				t.Errorf("%s: %v, open %v", name, z.Err(), stack)
			}
			return
		case html.StartTagToken:
			if tag, _ := z.TagName(); !void[string(tag)] {
				stack = append(stack, string(tag))
			}
		case html.EndTagToken:
			tag, _ := z.TagName()
			if len(stack) == 0 || stack[len(stack)-1] != string(tag) {
				t.Errorf("%s: </%s> closes %v", name, tag, stack)
				return
			}
			stack = stack[:len(stack)-1]
		default: // text and comments nest nothing
		}
	}
}

func ExampleRenderHTML() {
	var page bytes.Buffer
	err := assessment.RenderHTML(&page, assessment.Report{Subject: "u7"}, "zh")
	fmt.Println(err, strings.Contains(page.String(), "你的文字沟通报告"))
	// Output: <nil> true
}
