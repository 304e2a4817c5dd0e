package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"heartmark/schemas"
	"heartmark/verifier"

	"github.com/spf13/cobra"
)

func verifyCommand(c *console) *cobra.Command {
	var registryURL, logProof string
	var terms verifier.Input
	command := &cobra.Command{
		Use: "verify FILE…", Short: "Verify credentials against the registry in the data folder, or a running one",
		Long: "Verify reads each FILE (- for standard input) and prints the verdict with its checks. A FILE holds JSON, or one token:\n" +
			"vc+jwt, vp+jwt or dc+sd-jwt.\n" +
			"It exits 0 when all are valid, 1 when one is not, 2 when none is invalid but a check could not be made.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, files []string) error {
			proof, err := readLogProof(logProof)
			if err != nil {
				return err
			}
			if proof != nil && len(files) > 1 {
				return exitWith(ExitUsage, errors.New("--log-proof belongs to one credential: give one FILE with it"))
			}
			terms.WantLog, terms.LogProof = proof != nil, proof
			check := func(ctx context.Context, v *verifier.Verifier) error {
				return c.verifyFiles(ctx, v, files, terms)
			}
			if registryURL != "" {
				v, err := remoteVerifier(command.Context(), registryURL, func() time.Time { return time.Now().UTC() })
				if err != nil {
					return err
				}
				return check(command.Context(), v)
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error { return check(ctx, a.Verifier) })
		},
	}
	command.Flags().StringVar(&registryURL, "registry", "", "origin of a running registry, such as http://localhost:8080")
	command.Flags().StringVar(&terms.Challenge, "challenge", "", "what the presenter was given: challenge of a proof, nonce of a token")
	command.Flags().StringVar(&terms.Domain, "domain", "", "whom the presentation is for: domain of a proof, aud of a token")
	command.Flags().StringVar(&terms.Policy, "policy", verifier.DefaultPolicy, "verification policy")
	command.Flags().StringVar(&logProof, "log-proof", "", "file with the inclusion proof that came with the credential; the log is then checked too")
	return command
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

// fileVerdict is one answer of the command.
type fileVerdict struct {
	File   string           `json:"file"`
	Result *verifier.Result `json:"result,omitempty"`
	Error  string           `json:"error,omitempty"`
}

// verifyFiles verifies one file after another and turns the worst outcome into the exit code. What cannot be read as a
// credential is not valid (security case SEC-224).
func (c *console) verifyFiles(ctx context.Context, v *verifier.Verifier, files []string, terms verifier.Input) error {
	var (
		verdicts []fileVerdict
		text     strings.Builder
		worst    = ExitDone
	)
	for _, file := range files {
		data, err := readInput(file)
		if err != nil {
			return exitWith(ExitData, err)
		}
		in := terms
		in.Data = withoutLineEnd(data)
		result, err := v.Verify(ctx, in)
		switch {
		case errors.Is(err, verifier.ErrUnreadable):
			verdicts = append(verdicts, fileVerdict{File: file, Error: err.Error()})
			fmt.Fprintf(&text, "%s: NOT VALID: %s\n", file, printable(err.Error()))
			worst = ExitNotValid
			continue
		case err != nil:
			return exitWith(ExitUsage, err)
		}
		verdicts = append(verdicts, fileVerdict{File: file, Result: &result})
		writeVerdict(&text, file, result)
		worst = worse(worst, result.Verdict)
	}
	if err := c.answer(verdicts, text.String()); err != nil {
		return err
	}
	if worst != ExitDone {
		return exitWith(worst, nil)
	}
	return nil
}

// withoutLineEnd drops the line end with which editors close a file: a token has none, and is read to the byte.
func withoutLineEnd(data []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
}

// worse lets a not valid credential outweigh an undetermined one.
func worse(code int, v verifier.Verdict) int {
	switch {
	case v == verifier.Invalid || code == ExitNotValid:
		return ExitNotValid
	case v != verifier.Valid:
		return ExitUndetermined
	}
	return code
}

func readInput(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, verifier.MaxInput+1))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, verifier.MaxInput+1))
}

// printable keeps a stranger's text from moving the cursor or adding lines that look like ours.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// writeVerdict prints a verdict in plain words, then the checks.
func writeVerdict(w io.Writer, file string, r verifier.Result) {
	words := map[verifier.Verdict]string{verifier.Valid: "VALID", verifier.Invalid: "NOT VALID", verifier.Undetermined: "UNDETERMINED"}
	fmt.Fprintf(w, "%s: %s (policy %s)\n", file, words[r.Verdict], r.Policy)
	if s := r.Summary; s.ID != "" {
		fmt.Fprintf(w, "  %s\n  issued by %s (%s), valid %s to %s\n", printable(s.Name), printable(s.IssuerName), printable(s.IssuerID), printable(s.ValidFrom), printable(s.ValidUntil))
		for _, l := range s.Levels {
			fmt.Fprintf(w, "  %s: %s (level %s, confidence %s)\n", printable(l.Name), printable(l.LevelName), printable(l.Level), printable(l.Confidence))
		}
	}
	marks := map[verifier.Outcome]string{
		verifier.Pass: "ok", verifier.Fail: "FAIL", verifier.NotDetermined: "??", verifier.Skipped: "skipped", verifier.NotApplicable: "-",
	}
	for _, check := range r.Checks {
		if check.Outcome == verifier.NotApplicable {
			continue
		}
		name := string(check.ID)
		if check.About != "" {
			name += " (" + check.About + ")"
		}
		fmt.Fprintf(w, "  %-7s %-26s %s\n", marks[check.Outcome], printable(name), printable(check.Detail))
	}
}
