// Command heartmark-verify checks credentials and presentations without a network, a server or a database: the signed
// snapshot of a registry is its only source. It exits 0 when all files are valid, 1 when one is not, 2 when none is invalid
// but a check could not be made, 64 for wrong usage, 65 for a file or snapshot that cannot be used, 70 for anything else.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/offline"
	"heartmark/verifier/report"

	"github.com/spf13/pflag"
)

// Exit codes beside those of package report, the same as those of the command heartmark.
const (
	exitUsage  = 64 // wrong flags, no trusted registry, unknown policy
	exitData   = 65 // a file cannot be read, or the snapshot is refused
	exitSystem = 70 // anything else
)

// Environment variables that stand in for flags; HEARTMARK_TRUST holds DIDs separated by spaces.
const (
	envSnapshot = "HEARTMARK_SNAPSHOT"
	envTrust    = "HEARTMARK_TRUST"
)

const usage = `heartmark-verify checks credentials and presentations without a network.

  heartmark-verify [--snapshot FILE] [--trust DID]... [--policy NAME] [--challenge TEXT] [--domain NAME] [--at TIME]
                   [--lang en|zh] [--json] FILE|-...

The snapshot is the registry as it was when the snapshot was made, signed: "heartmark registry snapshot FILE" writes it, and
every registry serves it at /registry/v1/export. Nothing is believed without it.

`

// world is what the command talks to.
type world struct {
	stdin       io.Reader
	out, errout io.Writer
	environ     []string
	now         func() time.Time
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], world{
		stdin: os.Stdin, out: os.Stdout, errout: os.Stderr, environ: os.Environ(),
		now: func() time.Time { return time.Now().UTC() },
	}))
}

// options are the command line, read.
type options struct {
	snapshot, policy, at, language string
	challenge, domain              string
	trust                          []string
	json                           bool
	files                          []string
}

// usageError is a fault of the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func run(ctx context.Context, args []string, w world) int {
	o, err := parse(args, w)
	if errors.Is(err, pflag.ErrHelp) {
		return report.ExitValid
	}
	if err != nil {
		return fail(w, o.json, usageError{err})
	}
	all, err := check(ctx, o, w)
	if err == nil {
		err = write(w.out, o, all)
	}
	if err != nil {
		return fail(w, o.json, err)
	}
	return report.Exit(all)
}

func parse(args []string, w world) (options, error) {
	o := options{snapshot: lookup(w.environ, envSnapshot), trust: strings.Fields(lookup(w.environ, envTrust))}
	flags := pflag.NewFlagSet("heartmark-verify", pflag.ContinueOnError)
	flags.SetOutput(w.errout)
	flags.Usage = func() { fmt.Fprintf(w.errout, "%s%s", usage, flags.FlagUsages()) }
	flags.StringVar(&o.snapshot, "snapshot", o.snapshot, "signed snapshot of the registry; also "+envSnapshot)
	flags.StringArrayVar(&o.trust, "trust", o.trust, "did:key of a registry's snapshot key, as the registry prints it; may stand several times; also "+envTrust)
	flags.StringVar(&o.policy, "policy", offline.Policy, `verification policy: "offline", or "default", which takes status lists of the last minutes only`)
	flags.StringVar(&o.challenge, "challenge", "", "the challenge that was given to whoever shows a presentation")
	flags.StringVar(&o.domain, "domain", "", "the domain for which a presentation was asked for")
	flags.StringVar(&o.at, "at", "", "judge as of this time, RFC 3339, in place of now; the answer is marked")
	flags.StringVar(&o.language, "lang", "", "language of the answer, en or zh; without it that of the environment")
	flags.BoolVar(&o.json, "json", false, "answer in JSON")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.files = flags.Args(); len(o.files) == 0 {
		return o, errors.New("no file to check; --help explains")
	}
	o.language = report.Language(o.language, w.environ)
	return o, nil
}

func lookup(environ []string, name string) string {
	for _, pair := range environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// check opens the snapshot and verifies the files by one instant.
func check(ctx context.Context, o options, w world) ([]report.Checked, error) {
	job := report.Job{Terms: verifier.Input{Policy: o.policy, Challenge: o.challenge, Domain: o.domain}, Stdin: w.stdin}
	instant := w.now()
	if o.at != "" {
		at, err := schemas.ParseTime(o.at)
		if err != nil {
			return nil, usageError{fmt.Errorf("--at: %w", err)}
		}
		instant, job.AsOf = at, at
	}
	bundle, err := offline.OpenFile(o.snapshot, o.trust, func() time.Time { return instant })
	if err != nil {
		return nil, err
	}
	basis := bundle.Basis()
	job.Basis = &basis
	if job.Verifier, err = bundle.Verifier(); err != nil {
		return nil, err
	}
	return job.Check(ctx, o.files)
}

func write(w io.Writer, o options, all []report.Checked) error {
	if o.json {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(all)
	}
	p, err := report.NewPrinter(o.language)
	if err != nil {
		return usageError{err}
	}
	return p.Write(w, all)
}

// fail says what went wrong and returns the exit code for it.
func fail(w world, asJSON bool, err error) int {
	code := exitCode(err)
	if asJSON {
		_ = json.NewEncoder(w.errout).Encode(map[string]any{"error": err.Error(), "exit": code})
	} else {
		fmt.Fprintf(w.errout, "heartmark-verify: %s\n", err)
	}
	return code
}

func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok || errors.Is(err, offline.ErrTrust) || errors.Is(err, verifier.ErrUnknownPolicy) {
		return exitUsage
	}
	if _, ok := errors.AsType[*os.PathError](err); ok || errors.Is(err, offline.ErrSnapshot) {
		return exitData
	}
	return exitSystem
}
