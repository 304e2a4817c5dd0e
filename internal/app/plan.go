package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/pdf"
	"heartmark/assessment/training"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

// training joins plans, practice and coaching to the store; s is nil without a classifier, and answers are then found by
// words alone.
func (a *App) training(s *scoring) (*training.Trainer, *training.Library, error) {
	bank, err := training.Load()
	if err != nil {
		return nil, nil, err
	}
	store := a.Store.Training(a.sealer)
	trainer, err := training.New(training.Config{
		Bank: bank, Store: store, Now: a.now, Random: func() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) },
	})
	if err != nil {
		return nil, nil, err
	}
	var encoder assessment.Encoder
	if s != nil {
		encoder = s.classifier
	}
	library, err := training.NewLibrary(store, encoder)
	return trainer, library, err
}

// renderReport writes one report, with the plan that follows from it alone, in the form that the file's name asks for.
func renderReport(w io.Writer, r assessment.Report, file, lang string) error {
	bank, err := training.Load()
	if err != nil {
		return err
	}
	return renderFile(w, r, file, assessment.HTMLOptions{Lang: lang, Plan: bank.View(bank.Plan(r), lang).Page(training.Progress{})})
}

// renderFile writes a PDF to a file that is named so, and the page to any other.
func renderFile(w io.Writer, r assessment.Report, file string, o assessment.HTMLOptions) error {
	if strings.EqualFold(filepath.Ext(file), ".pdf") {
		return pdf.Render(w, r, o)
	}
	return assessment.RenderPage(w, r, o)
}

func planCommand(c *console) *cobra.Command {
	var lang, page string
	command := &cobra.Command{
		Use: "plan REPORT.json…", Short: "What to practise after one report, and what changed over several",
		Long: "Plan reads reports that `heartmark assess --report-json` wrote, of one person, and prints at most three modules with the reason\n" +
			"for each. Over several reports it says what changed reliably, and drops or changes what has not helped in two windows.\n" +
			"It works offline and stores nothing.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error { return c.plan(files, lang, page) },
	}
	command.Flags().StringVar(&lang, "lang", "en", "language: en or zh")
	command.Flags().StringVar(&page, "report", "", "write the latest report with this plan, as a page, or as PDF where the name ends in .pdf")
	return command
}

// planned is the answer of plan.
type planned struct {
	Plan     training.Plan     `json:"plan"`
	View     training.PlanView `json:"view"`
	Progress training.Progress `json:"progress"`
}

func (c *console) plan(files []string, tag, page string) error {
	lang, ok := schemas.ParseLanguage(tag)
	if !ok {
		return exitWith(ExitUsage, fmt.Errorf("--lang: %q is neither en nor zh", tag))
	}
	var reports []assessment.Report
	for _, file := range files {
		found, err := readReports(file)
		if err != nil {
			return exitWith(ExitData, fmt.Errorf("%s: %w", file, err))
		}
		reports = append(reports, found...)
	}
	bank, err := training.Load()
	if err != nil {
		return err
	}
	progress, err := training.Follow(reports)
	if err != nil {
		return exitWith(ExitData, err)
	}
	plan, err := bank.PlanOver(reports)
	if err != nil {
		return exitWith(ExitData, err)
	}
	answer := planned{Plan: plan, View: bank.View(plan, lang), Progress: progress}
	if err := answer.writePage(page, reports); err != nil {
		return err
	}
	return c.answer(answer, answer.text())
}

// readReports reads one report, or the list that `assess --json` prints.
func readReports(file string) ([]assessment.Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var reports []assessment.Report
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		err = json.Unmarshal(data, &reports)
	} else {
		reports = make([]assessment.Report, 1)
		err = json.Unmarshal(data, &reports[0])
	}
	if err != nil {
		return nil, fmt.Errorf("not a report: %w", err)
	}
	for _, r := range reports {
		if err := checkReport(r); err != nil {
			return nil, err
		}
	}
	return reports, nil
}

// checkReport holds that a file from outside has what every report of ours has, before anything reads through its pointers.
func checkReport(r assessment.Report) error {
	if r.Schema != assessment.Schema || r.Subject == "" {
		return fmt.Errorf("not a report: schema is %q, want %q, and subject must be there", r.Schema, assessment.Schema)
	}
	for d, rep := range r.Dimensions {
		lacks := rep.Score == nil || rep.SEM == nil || rep.Interval90 == nil || (rep.Certifiable != nil && rep.PLevel == nil)
		if rep.Status == assessment.StatusScored && lacks {
			return fmt.Errorf("not a report: /dimensions/%s is scored and lacks score, sem, interval90 or p_level", d)
		}
	}
	if o := r.Overall; o.Status == assessment.StatusScored && (o.Score == nil || o.Interval90 == nil) {
		return errors.New("not a report: /overall is scored and lacks score or interval90")
	}
	return nil
}

// writePage writes the page of the latest report, readable by the owner only.
func (p planned) writePage(path string, reports []assessment.Report) error {
	if path == "" {
		return nil
	}
	latest := reports[0]
	for _, r := range reports {
		if r.Window.To > latest.Window.To {
			latest = r
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = renderFile(f, latest, path, assessment.HTMLOptions{Lang: p.View.Language, Plan: p.View.Page(p.Progress)})
	return errors.Join(err, f.Close())
}

// planFrames are the lines of a plan on a terminal.
type planFrames struct {
	head, none, module, goal, chosen, exercise, check, idle, missing, strong, change string
}

func framesOf(lang string) planFrames {
	if lang == schemas.LanguageChinese {
		return planFrames{
			head: "%s 的练习计划（最近一份报告：%s 至 %s）\n", none: "目前没有数据支持的差距，因此不推荐练习模块。\n", module: "\n%d. %s（%s，%s）\n",
			goal: "   目标：%s\n", chosen: "   为何选它：%s\n", exercise: "   练习 %d：%s\n", check: "   练完问问自己：%s\n",
			idle: "   已有 %d 个时间段没有可靠的变化\n", missing: "\n还缺数据：%s\n   %s\n", strong: "\n已达最高等级：%s\n", change: "\n变化：%s\n",
		}
	}
	return planFrames{
		head: "plan for %s (latest report: %s to %s)\n", none: "There is no gap that the evidence supports, so no module is suggested.\n", module: "\n%d. %s (%s, %s)\n",
		goal: "   goal: %s\n", chosen: "   chosen: %s\n", exercise: "   exercise %d: %s\n", check: "   ask yourself: %s\n",
		idle: "   windows without reliable change: %d\n", missing: "\nevidence is missing: %s\n   %s\n", strong: "\nat the highest level: %s\n", change: "\nchange: %s\n",
	}
}

func (p planned) text() string {
	var b strings.Builder
	f := framesOf(p.View.Language)
	fmt.Fprintf(&b, f.head, p.View.Subject, p.View.Window.From, p.View.Window.To)
	if len(p.View.Modules) == 0 {
		b.WriteString(f.none)
	}
	for i, m := range p.View.Modules {
		fmt.Fprintf(&b, f.module, i+1, m.Title, m.FacetName, m.Dimension.Name(p.View.Language))
		fmt.Fprintf(&b, f.goal, m.Goal)
		fmt.Fprintf(&b, f.chosen, m.Chosen)
		for n, e := range m.Exercises {
			fmt.Fprintf(&b, f.exercise, n+1, e.Text)
		}
		fmt.Fprintf(&b, f.check, m.Check)
		if m.Idle > 0 {
			fmt.Fprintf(&b, f.idle, m.Idle)
		}
	}
	for _, name := range p.View.Strong {
		fmt.Fprintf(&b, f.strong, name)
	}
	for _, m := range p.View.Missing {
		fmt.Fprintf(&b, f.missing, m.Name, m.Advice)
	}
	for _, c := range p.Progress.Overall {
		fmt.Fprintf(&b, f.change, c.Text.In(p.View.Language))
	}
	for _, r := range p.View.Retired {
		fmt.Fprintf(&b, f.change, r)
	}
	return b.String()
}
