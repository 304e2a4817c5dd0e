package app_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/registry"
	"heartmark/registry/webhooks"
	"heartmark/schemas"
	"heartmark/schemas/trust"
	"heartmark/verifier"
)

// A registry that is recognised for some levels speaks for no other; one that cannot be reached decides nothing.
func TestRecognisedForLevels(t *testing.T) {
	t.Parallel()
	d := newDialects(t)
	ctx := t.Context()
	resource := schemas.AchievementID(d.app.Config.Origin, schemas.AchievementCodes()[0])
	school, other, silent := newPerson(t, 1), newPerson(t, 2), newPerson(t, 3)
	d.grant(school, registry.Grant{Name: "School", Resources: []string{resource}})
	d.grant(other, registry.Grant{Name: "Other", Action: registry.ActionRecognize, Resources: []string{resource}, Levels: []schemas.Level{1, 2}})
	d.openSnapshot()
	known := map[string]*trust.Snapshot{other.did: d.snapshot}
	q := registry.AuthorityQuery{Entity: school.did, Action: registry.ActionIssue, Resource: resource}
	for level, want := range map[schemas.Level]bool{1: true, 2: true, 3: false, 4: false} {
		q.Level = level
		answer, err := app.Recognising(d.app, known).Authority(ctx, q)
		if err != nil || answer.Authorized != want {
			t.Errorf("level %d: %t, %v, want %t", level, answer.Authorized, err, want)
		}
	}
	strange := schemas.LogProof{Checkpoint: "another.example/log\n1\n\n"}
	if _, err := app.Recognising(d.app, known).VerifyInclusion(ctx, nil, strange); !errors.Is(err, verifier.ErrLogMismatch) {
		t.Errorf("proof of nobody's log: %v, want ErrLogMismatch", err)
	}
	d.grant(silent, registry.Grant{Name: "Silent", Action: registry.ActionRecognize, Resources: []string{resource}})
	if _, err := app.Recognising(d.app, known).VerifyInclusion(ctx, nil, strange); err == nil || errors.Is(err, verifier.ErrLogMismatch) {
		t.Errorf("with a registry that cannot be reached: %v, want another error", err)
	}
	q.Level = 3
	if answer, err := app.Recognising(d.app, known).Authority(ctx, q); err == nil || answer.Authorized {
		t.Errorf("with a registry that cannot be reached: %+v, %v, want an error", answer, err)
	}
}

// Who asks first and leaves takes nothing from those who ask after: the registry's own answer is what all hear.
func TestRecognisedIsAskedForAll(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		leave()
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	origin := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	if err := app.Reach(ctx, did.FromOrigin(origin, ""), time.Now, origin); !errors.Is(err, fetch.ErrStatus) {
		t.Errorf("after the one who asked has left: %v, want ErrStatus", err)
	}
}

// A receiver has taken an event when it says so with its status, whatever else it answers.
func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   int
	}{
		"long":       {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat("x", 1<<20))) }, 200},
		"odd type":   {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", ";") }, 200},
		"no content": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, 204},
		"redirect":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) }, 302},
		"failure":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 500},
	} {
		server := httptest.NewServer(c.answer)
		sender, err := app.WebhookSender(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		status, err := sender.Send(t.Context(), webhooks.Message{URL: server.URL, ContentType: "application/json", Body: []byte("{}")})
		if err != nil || status != c.want {
			t.Errorf("%s: %d, %v, want %d", name, status, err, c.want)
		}
		server.Close()
	}
}
