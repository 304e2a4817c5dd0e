package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/internal/app"
	"heartmark/schemas"
)

// reportFile writes a report on social awareness over a month of 2026.
func reportFile(t *testing.T, month string, subject string, score float64) string {
	t.Helper()
	sem := 5.0
	r := assessment.Report{
		Schema: assessment.Schema, Subject: subject, Window: assessment.Window{From: "2026-" + month + "-01", To: "2026-" + month + "-28"},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{schemas.DimensionSocialAwareness: {
			Status: assessment.StatusScored, Score: &score, SEM: &sem, Interval90: &[2]float64{score - 8, score + 8},
			Facets: map[string]assessment.FacetReport{"SO2": {Mean: score / 100, N: 40, Info: 12}},
		}},
	}
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report-"+month+".json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPlanCommand(t *testing.T) {
	t.Parallel()
	first, second, third := reportFile(t, "01", "u7", 50), reportFile(t, "02", "u7", 51), reportFile(t, "03", "u7", 49)
	page := filepath.Join(t.TempDir(), "plan.html")
	code, out, fault := run(t, "plan", first, "--report", page)
	if code != 0 || !strings.Contains(out, "Answer the feeling first") || !strings.Contains(out, "evidence is missing: Self-management") {
		t.Errorf("one report: %d %s %s", code, out, fault)
	}
	html, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(html), "What to practise") || !strings.Contains(string(html), "Answer the feeling first") {
		t.Errorf("page: %v, %d bytes", err, len(html))
	}
	code, out, fault = run(t, "plan", "--lang", "zh-CN", third, first, second)
	if code != 0 || !strings.Contains(out, "社交意识：没有可靠的变化") || !strings.Contains(out, "先接住感受") || strings.Contains(out, "1. 先接住感受") {
		t.Errorf("three reports: %d %s %s", code, out, fault)
	}
	code, out, _ = run(t, "--json", "plan", first, second)
	var answer struct {
		Plan     training.Plan     `json:"plan"`
		View     training.PlanView `json:"view"`
		Progress training.Progress `json:"progress"`
	}
	if err := json.Unmarshal([]byte(out), &answer); code != 0 || err != nil || answer.Plan.Modules[0].Idle != 1 || len(answer.Progress.Steps) != 1 || len(answer.View.Modules) != 1 {
		t.Errorf("JSON: %d %v %+v", code, err, answer)
	}
	list := filepath.Join(t.TempDir(), "list.json")
	one, _ := os.ReadFile(first)
	if err := os.WriteFile(list, append(append([]byte("["), one...), ']'), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := run(t, "plan", list); code != 0 || !strings.Contains(out, "plan for u7") {
		t.Errorf("a list: %d %s", code, out)
	}
}

func TestPlanCommandRefusals(t *testing.T) {
	t.Parallel()
	good := reportFile(t, "01", "u7", 50)
	other := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(other, []byte(`{"schema":"something/1","subject":"u7"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(t.TempDir(), "half.json")
	if err := os.WriteFile(half, []byte(`{"schema":"dei-assessment/1","subject":"u7","dimensions":{"social_skills":{"status":"scored"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no file":        {[]string{"plan"}, app.ExitUsage, "requires"},
		"missing file":   {[]string{"plan", "no-such.json"}, app.ExitData, "no-such.json"},
		"not a report":   {[]string{"plan", other}, app.ExitData, "something/1"},
		"half a report":  {[]string{"plan", half}, app.ExitData, "/dimensions/social_skills"},
		"two subjects":   {[]string{"plan", good, reportFile(t, "02", "u8", 50)}, app.ExitData, "different subjects"},
		"language":       {[]string{"plan", good, "--lang", "fr"}, app.ExitUsage, "neither en nor zh"},
		"unknown flag":   {[]string{"plan", good, "--learn"}, app.ExitUsage, "unknown flag"},
		"page in no dir": {[]string{"plan", good, "--report", filepath.Join(t.TempDir(), "no", "x.html")}, app.ExitSystem, "no such file"},
	} {
		if code, _, fault := run(t, tc.args...); code != tc.code || !strings.Contains(fault, tc.want) {
			t.Errorf("%s: %d %s, want %d %q", name, code, fault, tc.code, tc.want)
		}
	}
}
