package app

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/assessment/review"
	"heartmark/assessment/training"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/registry/translog"
	"heartmark/schemas"
)

// canary is a word that the subject alone uses, and that survives the scrubber.
const canary = "zanzibarquokka"

// quoting makes a report that quotes the subject, as the real assessor does.
type quoting struct{}

func (quoting) Assess(_ context.Context, b evidence.Batch) ([]assessment.Report, error) {
	rec := b.Receipts[0]
	digest := b.Digests[evidence.Subject(rec.Platform, rec.Subject)]
	level, score, sem := "proficient", 61.0, 4.0
	r := assessment.Report{
		Schema: assessment.Schema, ID: "urn:uuid:" + digest[7:39], Subject: rec.Subject, Platforms: []string{rec.Platform},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{}, Overall: assessment.Overall{Status: assessment.StatusPartial},
		Provenance: assessment.Provenance{BatchDigests: []string{digest}, Salts: []string{b.Salt}, Purposes: rec.Purposes},
	}
	for _, m := range b.Messages {
		if m.Actor == rec.Subject {
			r.Dimensions[schemas.DimensionSocialSkills] = assessment.DimensionReport{
				Status: assessment.StatusScored, Score: &score, SEM: &sem, Interval90: &[2]float64{55, 68}, Level: &level, Certifiable: &level,
				PLevel:   &assessment.PLevel{Developing: 0.99, Proficient: 0.92},
				Facets:   map[string]assessment.FacetReport{"SK1": {Mean: 0.6, N: 20, Info: 9}},
				Evidence: []assessment.Evidence{{Message: m.ID, Quote: string(m.Text), Facet: "SK1", Direction: "+"}},
			}
			r.Items = append(r.Items, assessment.Item{Facet: "SK1", Outcome: 0.7, Weight: 1, Day: m.Day, Messages: []string{"h"}})
		}
	}
	return []assessment.Report{r}, nil
}

// lived is an installation in which a subject has left words everywhere that words are taken.
type lived struct {
	a       *App
	taking  *intake.Service
	trainer *training.Trainer
	cfg     config.Config
	log     *bytes.Buffer
	report  string
}

const chat = `{"v":1,"type":"message","id":"m1","ts":"2026-03-01T09:00:05Z","platform":"plaza","actor":"u9","conversation":"r1","text":"My dog died, says WORD."}
{"v":1,"type":"message","id":"m2","ts":"2026-03-01T09:00:19Z","platform":"plaza","actor":"u7","conversation":"r1","reply_to":"m1","text":"I am so sorry, WORD."}
`

func livedIn(t *testing.T) *lived {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := &lived{cfg: config.Default(), log: &bytes.Buffer{}}
	l.cfg.OpsListen, l.cfg.DataDir, l.cfg.KEKFile = "", filepath.Join(dir, "data"), filepath.Join(dir, "secrets", "kek")
	if err := keys.GenerateKEK(l.cfg.KEKFile); err != nil {
		t.Fatal(err)
	}
	l.open(t)
	ctx, who := t.Context(), intake.Caller{Tenant: DemoTenant, Actor: "k"}
	texts, err := intake.Texts()
	if err != nil {
		t.Fatal(err)
	}
	receipt, _, err := l.taking.Give(ctx, who, intake.GiveRequest{Account: true, Terms: intake.Terms{
		Subject: "u7", Platform: "plaza", Purposes: []string{"process", "score", "issue", "automated", "research"}, DataClasses: []string{"messages", "report"},
		From: time.Now().UTC().Format(time.RFC3339), Until: time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339), Adult: true, Text: texts[0].TextRef,
	}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(lines string) {
		t.Helper()
		if _, _, err := l.taking.Submit(ctx, who, intake.Submission{Params: intake.Params{Consent: receipt.ID}, Body: strings.NewReader(lines)}); err != nil {
			t.Fatal(err)
		}
	}
	send(strings.ReplaceAll(chat, "WORD", canary))
	if found, err := l.taking.Step(ctx); !found || err != nil {
		t.Fatalf("Step = %v, %v", found, err)
	}
	send(strings.ReplaceAll(chat, "WORD", canary+" again")) // waits
	upload, _, err := l.taking.Begin(ctx, who, intake.Params{Consent: receipt.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.taking.Append(ctx, who, upload.ID, 0, strings.NewReader(chat[:100]+canary)); err != nil {
		t.Fatal(err)
	}
	l.write(t, who)
	return l
}

func (l *lived) open(t *testing.T) {
	t.Helper()
	translog.LogTo(slog.New(slog.DiscardHandler))
	var err error
	if l.a, err = Build(t.Context(), l.cfg, slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Options{}); err != nil {
		t.Fatal(err)
	}
	if l.taking, err = l.a.newIntake(t.Context(), quoting{}); err != nil {
		t.Fatal(err)
	}
	if l.trainer, _, err = l.a.training(nil); err != nil {
		t.Fatal(err)
	}
}

// write leaves words in plan, marks, contest and review.
func (l *lived) write(t *testing.T, who intake.Caller) {
	t.Helper()
	ctx := t.Context()
	held, err := l.taking.Export(ctx, who, "u7", "")
	if err != nil || len(held.Reports) != 1 {
		t.Fatalf("Export = %d reports, %v", len(held.Reports), err)
	}
	report := held.Reports[0].Report
	l.report = report.ID
	if quote := report.Dimensions[schemas.DimensionSocialSkills].Evidence[0].Quote; !strings.Contains(quote, canary) {
		t.Fatalf("the report does not quote the canary: %q", quote)
	}
	if _, err := l.trainer.Plan(ctx, who.Tenant, []assessment.Report{report}); err != nil {
		t.Fatal(err)
	}
	caller := review.Caller{Tenant: who.Tenant, Actor: "k"}
	if _, err := l.a.Review.Contest(ctx, caller, review.Objection{Subject: "u7", Report: report.ID, Statement: canary}); err != nil {
		t.Fatal(err)
	}
	mark := review.Mark{Message: "m2", Facet: "SK1", Label: review.Disagree, Note: canary}
	if _, err := l.a.Review.Feedback(ctx, caller, "u7", report.ID, []review.Mark{mark}, ""); err != nil {
		t.Fatal(err)
	}
	cases, err := l.a.Review.CasesOf(ctx, who.Tenant, "u7", report.ID)
	if err != nil || len(cases) != 2 || cases[0].Words.Statement != canary {
		t.Fatalf("cases = %+v, %v", cases, err)
	}
}

// search reads every file below a folder for a word.
func search(t *testing.T, dir, word string) (found []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(word)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("search of %s: %d files, %v", dir, files, err)
	}
	return found
}

// TestSEC_182_ErasureProof: after an erasure no word of the subject is in the data folder, its logs, a copy made before, metrics or
// logs, in clear or to be opened.
func TestSEC_182_ErasureProof(t *testing.T) {
	t.Parallel()
	l := livedIn(t)
	ctx, who := t.Context(), intake.Caller{Tenant: DemoTenant, Actor: "k"}
	if err := l.a.Close(); err != nil { // a copy of a store that is open would be torn
		t.Fatal(err)
	}
	copied := filepath.Join(filepath.Dir(l.cfg.DataDir), "copy")
	if err := os.CopyFS(copied, os.DirFS(l.cfg.DataDir)); err != nil {
		t.Fatal(err)
	}
	l.open(t)
	erased, err := rights{l.taking, l.trainer}.Erase(ctx, who, "u7")
	if err != nil || erased.Reports != 1 || erased.Batches != 3 {
		t.Fatalf("Erase = %+v, %v", erased, err)
	}
	if _, err := l.a.Review.CasesOf(ctx, who.Tenant, "u7", l.report); !errors.Is(err, review.ErrNotFound) {
		t.Errorf("cases after erasure: %v", err)
	}
	if held, err := l.trainer.Held(ctx, who.Tenant, "u7"); err != nil || held.Plan != nil {
		t.Errorf("plan after erasure: %+v, %v", held, err)
	}
	families, err := l.a.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.Contains(f.String(), canary) {
			t.Errorf("metric %s holds the word", f.GetName())
		}
	}
	if err := l.a.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{l.cfg.DataDir, copied} {
		for _, word := range []string{canary, "My dog died", "so sorry"} {
			if found := search(t, dir, word); len(found) > 0 {
				t.Errorf("%q is in %v", word, found)
			}
		}
	}
	if strings.Contains(l.log.String(), canary) {
		t.Error("the log holds the word")
	}
	l.restored(t, copied)
}

// restored puts the copied store beside the present keys, as after a restore: what was erased does not open.
func (l *lived) restored(t *testing.T, copied string) {
	t.Helper()
	db := filepath.Join(l.cfg.DataDir, "db")
	if err := errors.Join(os.RemoveAll(db), os.CopyFS(db, os.DirFS(filepath.Join(copied, "db"))), os.Chmod(db, 0o700)); err != nil {
		t.Fatal(err)
	}
	l.open(t)
	defer func() { _ = l.a.Close() }()
	if r, err := l.a.reports().Report(t.Context(), DemoTenant, l.report); err == nil {
		t.Errorf("the erased report opens from a copy of the store: %+v", r)
	}
	if cases, err := l.a.Store.Review(l.a.sealer).OfReport(t.Context(), DemoTenant, l.report); err == nil {
		t.Errorf("its cases open from a copy of the store: %+v", cases)
	}
	if held, err := l.trainer.Held(t.Context(), DemoTenant, "u7"); err == nil {
		t.Errorf("its plan opens from a copy of the store: %+v", held)
	}
}
