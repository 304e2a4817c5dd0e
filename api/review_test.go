package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/api"
	"heartmark/api/reviewapi"
	"heartmark/assessment"
	"heartmark/assessment/intake"
	"heartmark/assessment/review"
	"heartmark/internal/keys"
	"heartmark/internal/store/badger"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

// reviewed is a world with a real review over a store in memory, and the report r1 of u7 that waits. The key k-acme is the reviewer's.
func reviewed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, func(c *api.Config) {
		db, err := badger.Open(badger.Config{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		kek := filepath.Join(t.TempDir(), "secrets", "kek")
		if err := keys.GenerateKEK(kek); err != nil {
			t.Fatal(err)
		}
		service, err := keys.Open(t.Context(), keys.Config{KEKFile: kek, Store: db, Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		v, err := keys.OpenVault(filepath.Join(t.TempDir(), "vault"), service)
		if err != nil {
			t.Fatal(err)
		}
		sealer := intake.NewSealer(testVault{v}, []byte("k"), service)
		reports := db.Assessments(sealer)
		c.Reports = reports
		level, score := "proficient", 70.0
		err = reports.SaveReport(t.Context(), "acme", assessment.Report{
			Schema: assessment.Schema, ID: "r1", Subject: "u7", Overall: assessment.Overall{Status: assessment.StatusPartial},
			Dimensions: map[schemas.Dimension]assessment.DimensionReport{schemas.DimensionSocialSkills: {
				Status: assessment.StatusScored, Score: &score, Level: &level, Certifiable: &level, PLevel: &assessment.PLevel{Developing: 1, Proficient: 0.92},
			}},
			Provenance: assessment.Provenance{Purposes: []string{"process", "score", "issue"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Review, err = review.New(review.Config{
			Store: db.Review(sealer), Reports: reports, Credentials: noCredentials{},
			Policy: func(context.Context, string) (review.Policy, error) {
				return review.Policy{Review: schemas.ReviewBeforeIssue}, nil
			},
			Verify: func(_ context.Context, compact, _ string, _ map[string]string) (string, error) {
				if compact == "" {
					return "", errors.New("no signature")
				}
				return compact, nil
			},
			Holders: func(context.Context, string, string) ([]string, error) { return []string{"did:key:u7"}, nil },
			Journal: func(context.Context, review.Event) error { return nil },
			Now:     c.Now, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return w
}

type noCredentials struct{}

func (noCredentials) Suspend(context.Context, string, string) error { return nil }
func (noCredentials) Restore(context.Context, string, string) error { return nil }
func (noCredentials) Revoke(context.Context, string, string) error  { return nil }

// TestSEC_185_SEC_187_ReviewsOverHTTP: only the reviewer who has a case reads and decides it, in the tenant of the report alone.
func TestSEC_185_SEC_187_ReviewsOverHTTP(t *testing.T) {
	t.Parallel()
	w := reviewed(t)
	status := func(want int, code, key, method, path, body string) string {
		t.Helper()
		headers := auth(key)
		if body != "" {
			headers = withJSON(key)
		}
		rec := w.do(method, path, body, headers...)
		if rec.Code != want || code != "" && !strings.Contains(rec.Body.String(), `"code":"`+code+`"`) {
			t.Errorf("%s %s: %d %s, want %d %s", method, path, rec.Code, rec.Body, want, code)
		}
		return rec.Body.String()
	}
	var opened reviewapi.CaseHead
	if err := json.Unmarshal([]byte(status(201, "", goodKey, "POST", "/v1/reviews", `{"report":"r1"}`)), &opened); err != nil {
		t.Fatal(err)
	}
	path := "/v1/reviews/" + opened.ID
	status(404, "", otherKey, "POST", "/v1/reviews", `{"report":"r1"}`)
	status(403, "not-reviewer", goodKey, "POST", path+"/take", "")
	status(403, "", slowKey, "GET", "/v1/reviews", "") // no such scope
	ann := `{"name":"Ann","key":"k-acme","did":"did:key:ann"}`
	status(200, "", goodKey, "PUT", "/v1/reviewers/ann", ann)
	status(200, "", otherKey, "PUT", "/v1/reviewers/bea", `{"name":"Bea","key":"k-beta","did":"did:key:bea"}`)
	status(403, "not-reviewer", goodKey, "GET", path, "") // appointed, but the case is not taken
	for _, r := range [][3]string{
		{"POST", path + "/take"},
		{"GET", path},
		{"POST", path + "/decision", `{"verdicts":{"social_skills":"release"},"reason":"read it twice","signature":"did:key:bea"}`},
		{"GET", "/v1/assessments/r1/standing"},
		{"GET", "/v1/subjects/u7/reports/r1/cases"},
		{"POST", "/v1/subjects/u7/reports/r1/contest", `{"statement":"no"}`},
	} {
		status(404, "not-found", otherKey, r[0], r[1], r[2])
	}
	if list := status(200, "", otherKey, "GET", "/v1/reviews", ""); strings.Contains(list, opened.ID) {
		t.Errorf("another tenant's queue: %s", list)
	}
	status(200, "", goodKey, "POST", path+"/take", "")
	if got := status(200, "", goodKey, "GET", path, ""); !strings.Contains(got, `"score":70`) {
		t.Errorf("case without its report: %s", got)
	}
	decision := func(signature string) string {
		return `{"verdicts":{"social_skills":"release"},"reason":"read it twice","signature":"` + signature + `"}`
	}
	status(403, "review-signature", goodKey, "POST", path+"/decision", decision(""))
	status(403, "review-signature", goodKey, "POST", path+"/decision", decision("did:key:bea"))
	if got := status(200, "", goodKey, "GET", "/v1/assessments/r1/standing", ""); !strings.Contains(got, `"state":"awaiting"`) {
		t.Errorf("standing after refused decisions: %s", got)
	}
	status(200, "", goodKey, "POST", path+"/decision", decision("did:key:ann"))
	if got := status(200, "", goodKey, "GET", "/v1/assessments/r1/standing", ""); !strings.Contains(got, `"state":"released"`) {
		t.Errorf("standing after the decision: %s", got)
	}
	var contest reviewapi.CaseHead
	if err := json.Unmarshal([]byte(status(201, "", goodKey, "POST", "/v1/subjects/u7/reports/r1/contest", `{"statement":"it was irony"}`)), &contest); err != nil {
		t.Fatal(err)
	}
	status(403, "another-reviewer", goodKey, "POST", "/v1/reviews/"+contest.ID+"/take", "")
}
