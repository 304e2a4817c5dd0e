package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/offline"
	"heartmark/verifier/report"

	"github.com/spf13/cobra"
)

// verifyFlags are the flags of the command.
type verifyFlags struct {
	registry, snapshot, policy, logProof, at, language string
	challenge, domain                                  string
	trust                                              []string
}

func verifyCommand(c *console) *cobra.Command {
	var f verifyFlags
	command := &cobra.Command{
		Use: "verify FILE…", Short: "Verify credentials against the registry in the data folder, a running one, or a snapshot",
		Long: "Verify reads each FILE (- for standard input) and prints the verdict with its checks. A FILE holds JSON, or one token:\n" +
			"vc+jwt, vp+jwt, dc+sd-jwt or vc+sd-jwt, whose nonce and aud are compared with --challenge and --domain.\n" +
			"It exits 0 when all are valid, 1 when one is not, 2 when none is invalid but a check could not be made.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, files []string) error {
			return c.verify(command.Context(), f, files)
		},
	}
	command.Flags().StringVar(&f.registry, "registry", "", "origin of a running registry, such as http://localhost:8080")
	command.Flags().StringVar(&f.snapshot, "snapshot", "", "signed snapshot of a registry, in place of one: nothing is fetched")
	command.Flags().StringArrayVar(&f.trust, "trust", nil, "with --snapshot: did:key of the registry's snapshot key; may stand several times")
	command.Flags().StringVar(&f.at, "at", "", "with --snapshot: judge as of this time, RFC 3339; the answer is marked")
	command.Flags().StringVar(&f.policy, "policy", "", `verification policy; "default", and with --snapshot "offline"`)
	command.Flags().StringVar(&f.challenge, "challenge", "", "the challenge that was given to whoever shows a presentation")
	command.Flags().StringVar(&f.domain, "domain", "", "the domain for which a presentation was asked for")
	command.Flags().StringVar(&f.language, "lang", "", "language of the answer, en or zh; without it that of the environment")
	command.Flags().StringVar(&f.logProof, "log-proof", "", "file with the inclusion proof that came with the credential; the log is then checked too")
	command.MarkFlagsMutuallyExclusive("registry", "snapshot")
	return command
}

// verify chooses what to verify against and checks the files.
func (c *console) verify(ctx context.Context, f verifyFlags, files []string) error {
	proof, err := readLogProof(f.logProof)
	if err != nil {
		return err
	}
	if proof != nil && len(files) > 1 {
		return exitWith(ExitUsage, errors.New("--log-proof belongs to one credential: give one FILE with it"))
	}
	if f.snapshot == "" && (f.at != "" || len(f.trust) > 0) {
		return exitWith(ExitUsage, errors.New("--at and --trust belong to --snapshot"))
	}
	job := report.Job{Stdin: os.Stdin, Terms: verifier.Input{
		Policy: f.policy, Challenge: f.challenge, Domain: f.domain, WantLog: proof != nil, LogProof: proof,
	}}
	now := func() time.Time { return time.Now().UTC() }
	switch {
	case f.snapshot != "":
		if err := f.offline(&job, now()); err != nil {
			return err
		}
	case f.registry != "":
		if job.Verifier, err = remoteVerifier(ctx, f.registry, now); err != nil {
			return err
		}
	default:
		return c.withApp(ctx, func(ctx context.Context, a *App) error {
			job.Verifier = a.Verifier
			return c.verifyFiles(ctx, job, f.language, files)
		})
	}
	return c.verifyFiles(ctx, job, f.language, files)
}

// offline sets the job up on a snapshot, as the command heartmark-verify does; with the log's keys a log proof can be
// checked too.
func (f verifyFlags) offline(job *report.Job, instant time.Time) error {
	if f.at != "" {
		at, err := schemas.ParseTime(f.at)
		if err != nil {
			return exitWith(ExitUsage, fmt.Errorf("--at: %w", err))
		}
		instant, job.AsOf = at, at
	}
	now := func() time.Time { return instant }
	bundle, err := offline.OpenFile(f.snapshot, f.trust, now)
	if errors.Is(err, offline.ErrTrust) {
		return exitWith(ExitUsage, err)
	}
	if err != nil {
		return exitWith(ExitData, err)
	}
	settings, err := bundle.Config()
	if err != nil {
		return err
	}
	settings.Log = snapshotLog(bundle.Snapshot(), now)
	if job.Terms.Policy == "" {
		job.Terms.Policy = offline.Policy
	}
	basis := bundle.Basis()
	job.Basis = &basis
	job.Verifier, err = verifier.New(settings)
	return err
}

func readLogProof(path string) (*schemas.LogProof, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, exitWith(ExitData, err)
	}
	var proof schemas.LogProof
	if err := schemas.Decode(data, &proof); err != nil {
		return nil, exitWith(ExitData, fmt.Errorf("%s: %w", path, err))
	}
	return &proof, nil
}

// verifyFiles verifies one file after another and turns the worst outcome into the exit code. What cannot be read as a
// credential is not valid (security case SEC-224).
func (c *console) verifyFiles(ctx context.Context, job report.Job, language string, files []string) error {
	printer, err := report.NewPrinter(report.Language(language, c.environ))
	if err != nil {
		return exitWith(ExitUsage, err)
	}
	all, err := job.Check(ctx, files)
	if _, unread := errors.AsType[*os.PathError](err); unread {
		return exitWith(ExitData, err)
	}
	if err != nil {
		return exitWith(ExitUsage, err)
	}
	var text strings.Builder
	if err := printer.Write(&text, all); err != nil {
		return err
	}
	if err := c.answer(all, text.String()); err != nil {
		return err
	}
	if code := report.Exit(all); code != report.ExitValid {
		return exitWith(code, nil)
	}
	return nil
}
