package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"heartmark/internal/config"

	"github.com/spf13/cobra"
)

// Exit codes of the program (design: command line).
const (
	ExitDone         = 0  // done, and valid
	ExitNotValid     = 1  // a credential is not valid
	ExitUndetermined = 2  // a check could not be made
	ExitNotMet       = 3  // a gate of an evaluation is not met
	ExitUsage        = 64 // wrong flags or arguments
	ExitData         = 65 // the input cannot be read
	ExitUnavailable  = 69 // a library, model, folder or server that is needed is not there
	ExitSystem       = 70 // anything else that went wrong
)

// exitError carries the exit code of an outcome; a nil err prints nothing.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func exitWith(code int, err error) error { return &exitError{code: code, err: err} }

// console is what a command talks to.
type console struct {
	out, err io.Writer
	json     bool   // --json: machine-readable answers
	config   string // --config: path of the configuration file
	environ  []string
	// working is true once a command has begun its own work.
	working bool
}

// Main runs one command line and returns the exit code. It stops on SIGINT and SIGTERM by cancelling the context.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ownerOnly()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &console{out: stdout, err: stderr, environ: os.Environ()}
	root := newRoot(c)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return c.report(root.ExecuteContext(ctx))
}

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:           "heartmark",
		Short:         "Issue, register and verify credentials of Digital Emotional Intelligence",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	root.PersistentFlags().BoolVar(&c.json, "json", false, "answer in JSON")
	root.PersistentFlags().StringVar(&c.config, "config", os.Getenv("HEARTMARK_CONFIG"), "configuration file")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exitWith(ExitUsage, err) })
	root.AddCommand(
		serveCommand(c), demoCommand(c), assessCommand(c), planCommand(c), issueCommand(c), deriveCommand(c), verifyCommand(c), revokeCommand(c),
		keysCommand(c), registryCommand(c), modelsCommand(c), trainCommand(c), classifyCommand(c), evaluateCommand(c), doctorCommand(c), versionCommand(c),
	)
	c.track(root)
	return root
}

// report prints err where there is one and turns it into an exit code.
func (c *console) report(err error) int {
	if err == nil {
		return ExitDone
	}
	code := ExitSystem
	var coded *exitError
	if errors.As(err, &coded) {
		code = coded.code
		if coded.err == nil {
			return code
		}
	} else if !c.working {
		code = ExitUsage
	}
	if c.json {
		_ = json.NewEncoder(c.err).Encode(map[string]any{"error": err.Error(), "exit": code})
	} else {
		fmt.Fprintf(c.err, "heartmark: %s\n", err)
	}
	return code
}

// load reads the configuration that the flags name.
func (c *console) load() (config.Config, error) {
	cfg, err := config.Load(c.config, c.environ)
	if err != nil {
		return config.Config{}, exitWith(ExitUsage, err)
	}
	return cfg, nil
}

// answer prints v as indented JSON under --json, else the text.
func (c *console) answer(v any, text string) error {
	if !c.json {
		_, err := io.WriteString(c.out, text)
		return err
	}
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// track notes when a command's own work begins: an error before that is a fault of the command line.
func (c *console) track(command *cobra.Command) {
	for _, child := range command.Commands() {
		c.track(child)
	}
	if work := command.RunE; work != nil {
		command.RunE = func(command *cobra.Command, args []string) error {
			c.working = true
			return work(command, args)
		}
	}
}
