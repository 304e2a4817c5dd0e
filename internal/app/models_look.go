package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"heartmark/assessment/rollout"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

func modelsLinkCommand(c *console) *cobra.Command {
	var show bool
	var with string
	command := &cobra.Command{
		Use: "link NAME", Short: "Link a model with the current one on 500 simulated people, and record shift and standard error", Args: cobra.ExactArgs(1),
		Long: "Link scores the same 500 simulated people with both models and fits, for each dimension, the line that brings scores of the\n" +
			"new model to the scale of the current one (mean and sigma), with its standard error. It takes some minutes.",
		RunE: func(command *cobra.Command, args []string) error {
			return c.withModels(command.Context(), func(ctx context.Context, a *App, m *rollout.Catalogue) error {
				e, err := m.Find(ctx, args[0])
				if err != nil {
					return err
				}
				current, _, err := m.Current(ctx)
				if err != nil {
					return err
				}
				if with != "" {
					if current, err = m.Find(ctx, with); err != nil {
						return err
					}
				}
				var link rollout.Link
				if show {
					link, err = m.Link(ctx, e.Digest, current.Digest)
				} else {
					link, err = c.link(ctx, a, m, e, current)
				}
				if err != nil {
					return err
				}
				var b strings.Builder
				writeLink(&b, link, e, current)
				return c.answer(link, b.String())
			})
		},
	}
	command.Flags().BoolVar(&show, "show", false, "print the record that is there")
	command.Flags().StringVar(&with, "with", "", "link with this model; the current one where empty")
	return command
}

// link scores the anchor people with both models and stores the record.
func (c *console) link(ctx context.Context, a *App, m *rollout.Catalogue, e, current rollout.Entry) (rollout.Link, error) {
	if e.Digest == current.Digest {
		return rollout.Link{}, exitWith(ExitUsage, fmt.Errorf("link %s: a model is not linked with itself", e.Name()))
	}
	fresh, err := a.scoredModel(ctx, m, e)
	if err != nil {
		return rollout.Link{}, err
	}
	defer func() { _ = fresh.close() }()
	old, err := a.scoredModel(ctx, m, current)
	if err != nil {
		return rollout.Link{}, err
	}
	defer func() { _ = old.close() }()
	link, err := rollout.LinkModels(ctx, fresh.Scored, old.Scored, a.now(), rollout.LinkOptions{Progress: c.progress("scoring anchor people")})
	if err != nil {
		return rollout.Link{}, err
	}
	return link, m.SaveLink(ctx, link)
}

type openScored struct {
	rollout.Scored
	close func() error
}

func (a *App) scoredModel(ctx context.Context, m *rollout.Catalogue, e rollout.Entry) (openScored, error) {
	classifier, _, err := a.openModel(ctx, m, a.Config.Model, e.Model)
	if err != nil {
		return openScored{}, err
	}
	return openScored{rollout.Scored{Digest: e.Digest, Classifier: classifier}, classifier.Close}, nil
}

func writeLink(w io.Writer, l rollout.Link, e, current rollout.Entry) {
	fmt.Fprintf(w, "%s linked with %s on %d simulated people (%s)\n", e.Name(), current.Name(), l.People, l.Anchors)
	for _, d := range schemas.Dimensions() {
		x, ok := l.Dimensions[d]
		if !ok {
			fmt.Fprintf(w, "  %-18s not linked: too few people were scored by both\n", d.Name("en"))
			continue
		}
		fmt.Fprintf(w, "  %-18s old = %.3f × new %+.1f   shift %+.1f   standard error %.2f   r %.3f   %d people\n",
			d.Name("en"), x.Slope, x.Intercept, x.Shift, x.SE, x.Correlation, x.People)
	}
	if l.Identity() {
		fmt.Fprintln(w, "the scale is the same: within two points at every cut")
	} else {
		fmt.Fprintln(w, "the scale is not the same: a promotion makes a new scale version")
	}
}

func modelsCompareCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "compare [NAME]", Short: "Show how the model in the shadow answers beside the current one", Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				current, shadow, err := m.Current(ctx)
				if err != nil {
					return err
				}
				if len(args) == 1 {
					e, err := m.Find(ctx, args[0])
					if err != nil {
						return err
					}
					shadow = &e
				}
				if shadow == nil {
					return exitWith(ExitUsage, errors.New("compare: no model is in the shadow; name one"))
				}
				comparison, err := m.Comparison(ctx, shadow.Digest, current.Digest)
				if err != nil {
					return err
				}
				var b strings.Builder
				writeComparison(&b, comparison, *shadow, current)
				return c.answer(comparison, b.String())
			})
		},
	}
}

func writeComparison(w io.Writer, c rollout.Comparison, shadow, current rollout.Entry) {
	fmt.Fprintf(w, "%s beside %s: %d messages and %d assessments scored by both; dropped %d and %d, failed %d\n",
		shadow.Name(), current.Name(), c.Messages, c.People, c.Dropped, c.DroppedPeople, c.Failed)
	for _, head := range slices.Sorted(maps.Keys(c.Heads)) {
		for _, lang := range slices.Sorted(maps.Keys(c.Heads[head])) {
			h := c.Heads[head][lang]
			fmt.Fprintf(w, "  %-14s %-5s mean |difference| %.3f, largest %.3f, same answer %5.1f %% of %d\n",
				head, lang, h.MeanAbs(), h.MaxAbs, 100*h.Agreement(), h.N)
		}
	}
	for _, d := range schemas.Dimensions() {
		if p := c.Dimensions[d]; p.N > 0 {
			fmt.Fprintf(w, "  %-20s %d people: mean difference %+.1f points, mean size %.1f, same level %.0f %%\n",
				d.Name("en"), p.N, p.Mean(), p.MeanAbs(), 100*float64(p.SameLevel)/float64(p.N))
		}
	}
	if len(c.OnlyOne) > 0 {
		fmt.Fprintf(w, "  heads that only one of them has: %s\n", strings.Join(c.OnlyOne, ", "))
	}
}

func modelsDriftCommand(c *console) *cobra.Command {
	var rebase bool
	var reason string
	command := &cobra.Command{
		Use: "drift [NAME]", Short: "Show whether what is scored still looks like the model's first weeks", Args: cobra.MaximumNArgs(1),
		Long: "Drift prints the population stability index of each head, of the languages and of the message lengths, week by week against the\n" +
			"first weeks of the model; over 0.2 alarms. --rebase starts the reference anew after a change that you have looked into.",
		RunE: func(command *cobra.Command, args []string) error {
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				e, _, err := m.Current(ctx)
				if err != nil {
					return err
				}
				if len(args) == 1 {
					if e, err = m.Find(ctx, args[0]); err != nil {
						return err
					}
				}
				if rebase {
					if err := m.Rebase(ctx, operator.ID, string(e.Digest), reason); err != nil {
						return err
					}
				}
				report, err := m.Drift(ctx, e.Digest)
				if err != nil {
					return err
				}
				var b strings.Builder
				writeDrift(&b, report, e)
				return c.answer(report, b.String())
			})
		},
	}
	command.Flags().BoolVar(&rebase, "rebase", false, "end the reference: what is scored from now on is the new one; needs --reason")
	command.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return command
}

// driftFeatures is how many features are printed for a week.
const driftFeatures = 5

func writeDrift(w io.Writer, r rollout.DriftReport, e rollout.Entry) {
	if r.Reference == nil {
		fmt.Fprintf(w, "%s: nothing is counted yet\n", e.Name())
		return
	}
	state := "still growing"
	if r.Complete {
		state = "complete"
	}
	fmt.Fprintf(w, "%s: reference %s to %s, %d messages, %s\n", e.Name(), r.Reference.From.Format(time.DateOnly), r.Reference.To.Format(time.DateOnly),
		r.Reference.Messages, state)
	for _, week := range r.Windows {
		fmt.Fprintf(w, "  %s to %s, %d messages", week.From.Format(time.DateOnly), week.To.Format(time.DateOnly), week.Messages)
		if !week.Judged {
			fmt.Fprintln(w, ": too few to judge")
			continue
		}
		fmt.Fprintf(w, ", %d alarms\n", len(week.Alarms()))
		for _, f := range week.Features[:min(driftFeatures, len(week.Features))] {
			mark := ""
			if f.Alarm {
				mark = "  ALARM"
			}
			fmt.Fprintf(w, "    %-14s %.3f%s\n", f.Feature, f.Index, mark)
		}
	}
}
