package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"heartmark/assessment/model"
	"heartmark/assessment/rollout"

	"github.com/spf13/cobra"
)

// maxEvaluation bounds an evaluation report that is read.
const maxEvaluation = 64 << 20

func modelsCommand(c *console) *cobra.Command {
	command := &cobra.Command{
		Use: "models", Short: "Models side by side: add, try in the shadow, link, promote, roll back, watch",
		Long: "Models shows and changes which model scores. Its commands open the data folder, so the server must not run; what they\n" +
			"decide takes effect when the server starts next. NAME is id, id@version, or the beginning of the digest.\n\n" +
			"The way of a new model: add it, put it in the shadow and serve for a while, link it with the current one, evaluate it\n" +
			"(heartmark evaluate), promote it. Rollback brings the one before back at any time.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(
		modelsListCommand(c), modelsHistoryCommand(c), modelsAddCommand(c), modelsShadowCommand(c), modelsLinkCommand(c), modelsCompareCommand(c),
		modelsPromoteCommand(c), modelsRollbackCommand(c), modelsDriftCommand(c), modelsRemoveCommand(c),
	)
	return command
}

// withModels opens the installation and its list of models. What the operator asked wrongly and what a model lacks are faults of
// the input; a model that does not load is not available.
func (c *console) withModels(ctx context.Context, fn func(context.Context, *App, *rollout.Catalogue) error) error {
	return c.withApp(ctx, func(ctx context.Context, a *App) error {
		catalogue, err := a.models()
		if err != nil {
			return err
		}
		return modelsError(fn(ctx, a, catalogue))
	})
}

func modelsError(err error) error {
	if _, coded := errors.AsType[*exitError](err); err == nil || coded {
		return err
	}
	for _, unavailable := range []error{model.ErrDigest, model.ErrManifest, model.ErrCard, rollout.ErrHeads, rollout.ErrSeal} {
		if errors.Is(err, unavailable) {
			return exitWith(ExitUnavailable, err)
		}
	}
	if errors.Is(err, rollout.ErrReason) {
		return exitWith(ExitUsage, fmt.Errorf("%w: --reason", err))
	}
	_, lacks := errors.AsType[*rollout.UnmetError](err)
	for _, input := range []error{rollout.ErrUnknown, rollout.ErrAmbiguous, rollout.ErrState, rollout.ErrEvaluation, rollout.ErrNotFound} {
		lacks = lacks || errors.Is(err, input)
	}
	if lacks {
		return exitWith(ExitData, err)
	}
	return err
}

func modelsListCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the models and what each is used for", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				list, err := m.List(ctx)
				if err != nil {
					return err
				}
				var b strings.Builder
				for _, e := range list {
					where := e.Folder
					if e.BuiltIn {
						where = "built in"
					}
					fmt.Fprintf(&b, "%-20s %-10s %s  %-16s %2d heads  %s\n", e.Name(), e.State, e.Digest.Short(), scaleOf(e), len(e.Heads), where)
				}
				return c.answer(list, b.String())
			})
		},
	}
}

// scaleOf is the scale that a model reports on, or would.
func scaleOf(e rollout.Entry) string {
	if e.RunsAs != "" {
		return e.RunsAs
	}
	return e.Scale
}

func modelsHistoryCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "history [NAME]", Short: "Print what was done with the models, by whom and why", Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				var digest rollout.Digest
				if len(args) == 1 {
					e, err := m.Find(ctx, args[0])
					if err != nil {
						return err
					}
					digest = e.Digest
				}
				list, err := m.History(ctx, digest)
				if err != nil {
					return err
				}
				var b strings.Builder
				for _, t := range list {
					fmt.Fprintf(&b, "%s  %-9s %s  %s → %s  by %s  %s\n", t.At.Format(time.RFC3339), t.Act, t.Model.Short(), t.From, t.To, t.Actor, t.Reason)
				}
				return c.answer(append([]rollout.Transition{}, list...), b.String())
			})
		},
	}
}

func modelsAddCommand(c *console) *cobra.Command {
	var sum string
	command := &cobra.Command{
		Use: "add DIR --sha256 DIGEST", Short: "Add the model in a folder, checked against the SHA-256 of its SHA256SUMS", Args: cobra.ExactArgs(1),
		Long: "Add checks every file of the folder against its SHA256SUMS, that list against --sha256, the card against the files, and the\n" +
			"heads. Take the digest from where the model was released, not from the folder. The files stay where they are and are checked\n" +
			"again at every start.",
		RunE: func(command *cobra.Command, args []string) error {
			digest, err := rollout.ParseDigest(sum)
			if err != nil {
				return exitWith(ExitUsage, fmt.Errorf("--sha256: %w", err))
			}
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				e, err := m.Register(ctx, operator.ID, args[0], digest)
				if err != nil {
					return err
				}
				return c.answer(e, fmt.Sprintf("added %s, %d heads, digest %s\n", e.Name(), len(e.Heads), e.Digest))
			})
		},
	}
	command.Flags().StringVar(&sum, "sha256", "", "SHA-256 of the folder's SHA256SUMS file, hex")
	_ = command.MarkFlagRequired("sha256")
	return command
}

func modelsShadowCommand(c *console) *cobra.Command {
	var share float64
	var end bool
	command := &cobra.Command{
		Use: "shadow [NAME]", Short: "Let a model score a share of the messages beside the current one, unseen", Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if end != (len(args) == 0) || !end && !(share > 0 && share <= 1) {
				return exitWith(ExitUsage, errors.New("shadow NAME --share S with S over 0 and at most 1, or shadow --end"))
			}
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				if end {
					if err := m.EndShadow(ctx, operator.ID); err != nil {
						return err
					}
					return c.answer(map[string]any{"shadow": nil}, "no model is in the shadow from the next start on\n")
				}
				if err := m.Shadow(ctx, operator.ID, args[0], share); err != nil {
					return err
				}
				return c.answer(map[string]any{"shadow": args[0], "share": share},
					fmt.Sprintf("%s scores %g %% of the messages in the shadow from the next start on\n", args[0], 100*share))
			})
		},
	}
	command.Flags().Float64Var(&share, "share", 0.1, "share of messages and of assessments")
	command.Flags().BoolVar(&end, "end", false, "take the model out of the shadow")
	return command
}

func modelsPromoteCommand(c *console) *cobra.Command {
	var evaluation string
	p := rollout.Promotion{Actor: operator.ID}
	command := &cobra.Command{
		Use: "promote NAME", Short: "Make a model the current one, from the next start of the server on", Args: cobra.ExactArgs(1),
		Long: "Promote needs a link with the current model (models link), enough messages scored in its shadow (models shadow), and the\n" +
			"report of a whole `heartmark evaluate` on this model whose gates are met. --override promotes all the same; what was lacking\n" +
			"and the reason are recorded. Where the link is not the identity, reports are on a new scale version from then on.",
		RunE: func(command *cobra.Command, args []string) error {
			p.Name = args[0]
			if evaluation != "" {
				e, err := readEvaluation(evaluation)
				if err != nil {
					return exitWith(ExitData, fmt.Errorf("%s: %w", evaluation, err))
				}
				p.Evaluation = &e
			}
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				done, err := m.Promote(ctx, p)
				if err != nil {
					return err
				}
				text := fmt.Sprintf("%s replaces %s from the next start on, on the scale %s\n", done.Model.Name(), done.Replaced.Name(), done.Scale)
				if done.NewScale {
					text += fmt.Sprintf("that is a new scale: scores before and after compare by the link (models link %s --show --with %s)\n",
						done.Model.Digest.Short(), done.Replaced.Digest.Short())
				}
				if len(done.Grounds.Unmet) > 0 {
					text += "overridden: " + strings.Join(done.Grounds.Unmet, ", ") + "\n"
				}
				return c.answer(map[string]any{
					"current": done.Model.Name(), "replaced": done.Replaced.Name(), "scale": done.Scale, "new_scale": done.NewScale, "grounds": done.Grounds,
				}, text)
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&evaluation, "evaluation", "", "JSON report of heartmark evaluate on this model")
	flags.BoolVar(&p.Override, "override", false, "promote although something is lacking; needs --reason")
	flags.StringVar(&p.Reason, "reason", "", "why, for the record")
	return command
}

func readEvaluation(path string) (rollout.Evaluation, error) {
	f, err := os.Open(path)
	if err != nil {
		return rollout.Evaluation{}, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxEvaluation+1))
	if err != nil {
		return rollout.Evaluation{}, err
	}
	if len(data) > maxEvaluation {
		return rollout.Evaluation{}, fmt.Errorf("%w: longer than %d bytes", rollout.ErrEvaluation, maxEvaluation)
	}
	return rollout.ReadEvaluation(data)
}

func modelsRollbackCommand(c *console) *cobra.Command {
	var reason string
	command := &cobra.Command{
		Use: "rollback --reason TEXT", Short: "Make the model before the current one current again, on its scale", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				done, err := m.Rollback(ctx, operator.ID, reason)
				if err != nil {
					return err
				}
				return c.answer(map[string]any{"current": done.Model.Name(), "replaced": done.Replaced.Name(), "scale": done.Scale},
					fmt.Sprintf("%s is current again from the next start on, on the scale %s\n", done.Model.Name(), done.Scale))
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return command
}

func modelsRemoveCommand(c *console) *cobra.Command {
	var reason string
	command := &cobra.Command{
		Use: "remove NAME", Short: "Take a model off the list; its files and what was recorded of it stay", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.withModels(command.Context(), func(ctx context.Context, _ *App, m *rollout.Catalogue) error {
				if err := m.Remove(ctx, operator.ID, args[0], reason); err != nil {
					return err
				}
				return c.answer(map[string]any{"removed": args[0]}, args[0]+" is off the list\n")
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return command
}
