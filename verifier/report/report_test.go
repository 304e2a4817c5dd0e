package report_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/internal/testkit"
	"heartmark/verifier"
	"heartmark/verifier/report"
)

func read(t *testing.T, path ...string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestWordsAreThoseOfThePage: both languages have every text, and a text that the page has too is the page's.
func TestWordsAreThoseOfThePage(t *testing.T) {
	t.Parallel()
	en := read(t, "locale", "en.json")
	for _, language := range report.Languages() {
		own, page := read(t, "locale", language+".json"), read(t, testkit.Root(t), "api", "ui", "verdict", "locale", language, "verdict.json")
		if missing := difference(en, own); len(missing) > 0 {
			t.Errorf("%s lacks %v", language, missing)
		}
		if extra := difference(own, en); len(extra) > 0 {
			t.Errorf("%s has %v, which en has not", language, extra)
		}
		for key, text := range page {
			family, _, _ := strings.Cut(key, ".")
			if !slices.Contains([]string{"code", "check", "outcome", "check_not_checked", "check_by_policy"}, family) {
				continue
			}
			if own[key] != text {
				t.Errorf("%s: %s is %q here and %q on the page", language, key, own[key], text)
			}
		}
	}
}

func difference(a, b map[string]string) []string {
	var out []string
	for key := range maps.Keys(a) {
		if _, ok := b[key]; !ok {
			out = append(out, key)
		}
	}
	return out
}

// TestEveryCodeIsSaid prints a finding of each code in each language: no text may be missing or keep an open place.
func TestEveryCodeIsSaid(t *testing.T) {
	t.Parallel()
	var checks []verifier.Check
	for _, info := range verifier.Codes() {
		if info.Outcome != verifier.NotApplicable {
			checks = append(checks, verifier.Check{ID: info.Check, Outcome: info.Outcome, Code: info.Code, Detail: info.Detail + ": 42"})
		}
	}
	for _, language := range report.Languages() {
		p, err := report.NewPrinter(language)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := p.Write(&out, []report.Checked{{File: "x", Result: &verifier.Result{Verdict: verifier.Invalid, Checks: checks}}}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")[1:]
		if len(lines) != len(checks) {
			t.Fatalf("%s: %d lines for %d findings", language, len(lines), len(checks))
		}
		for n, line := range lines {
			said := strings.TrimSuffix(line, " (42)")
			if said == line || strings.ContainsAny(line, "{}") || strings.HasSuffix(said, ". ") || strings.HasSuffix(said, "。") && strings.Count(said, "。") < 2 {
				t.Errorf("%s: %s is said as %q", language, checks[n].Code, line)
			}
		}
	}
	if _, err := report.NewPrinter("fr"); err == nil {
		t.Error("a language that is not there")
	}
}

func TestSEC_224_Exit(t *testing.T) {
	t.Parallel()
	of := func(v verifier.Verdict) report.Checked { return report.Checked{Result: &verifier.Result{Verdict: v}} }
	unread := report.Checked{Error: "no credential"}
	for name, tc := range map[string]struct {
		all  []report.Checked
		want int
	}{
		"none":                    {nil, report.ExitValid},
		"valid":                   {[]report.Checked{of(verifier.Valid)}, report.ExitValid},
		"undetermined":            {[]report.Checked{of(verifier.Valid), of(verifier.Undetermined)}, report.ExitUndetermined},
		"invalid first":           {[]report.Checked{of(verifier.Invalid), of(verifier.Undetermined), of(verifier.Valid)}, report.ExitNotValid},
		"invalid last":            {[]report.Checked{of(verifier.Undetermined), of(verifier.Invalid)}, report.ExitNotValid},
		"unreadable":              {[]report.Checked{of(verifier.Valid), unread}, report.ExitNotValid},
		"a verdict nobody knows":  {[]report.Checked{of("maybe")}, report.ExitUndetermined},
		"a result without a word": {[]report.Checked{of("")}, report.ExitUndetermined},
	} {
		if got := report.Exit(tc.all); got != tc.want {
			t.Errorf("%s: exit %d, want %d", name, got, tc.want)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		asked   string
		environ []string
		want    string
	}{
		{"", nil, "en"},
		{"", []string{"LANG=zh_CN.UTF-8"}, "zh"},
		{"", []string{"LANG=zh_CN.UTF-8", "LC_ALL=C"}, "en"},
		{"", []string{"LC_ALL=", "LANG=zh"}, "zh"},
		{"", []string{"LANGUAGE=zh"}, "en"},
		{"en", []string{"LANG=zh_CN.UTF-8"}, "en"},
		{"fr", nil, "fr"},
	} {
		if got := report.Language(tc.asked, tc.environ); got != tc.want {
			t.Errorf("Language(%q, %q) = %s, want %s", tc.asked, tc.environ, got, tc.want)
		}
	}
}

// TestForgedText: what a document says of itself adds no line and moves no cursor.
func TestForgedText(t *testing.T) {
	t.Parallel()
	p, err := report.NewPrinter("en")
	if err != nil {
		t.Fatal(err)
	}
	evil := "x\nother.json: VALID (policy default)\x1b[2J\u202e"
	result := verifier.Result{
		Verdict: verifier.Invalid, CheckedAt: time.Unix(0, 0).UTC(), Policy: "default",
		Summary: verifier.Summary{Name: evil, IssuerID: evil, IssuerName: evil, ValidFrom: evil, ValidUntil: evil, Levels: []verifier.StatedLevel{{Name: evil, LevelName: evil}}},
		Checks:  []verifier.Check{{ID: verifier.CheckModel, Outcome: verifier.Fail, Code: "model_malformed", Detail: "a value does not follow the data model: " + evil, About: evil}},
	}
	var out strings.Builder
	if err := p.Write(&out, []report.Checked{{File: evil, Result: &result}, {File: "y", Error: evil}}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "\nother.json") || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("output %q", out.String())
	}
}
