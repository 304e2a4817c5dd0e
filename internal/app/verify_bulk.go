package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"heartmark/verifier"
	"heartmark/verifier/bulk"
	"heartmark/verifier/report"
)

// verifyBulk reads one stream of rows and prints a verdict for each, then the summary, signed where --sign names a tenant of
// this installation. The exit code is that of the worst row.
func (c *console) verifyBulk(ctx context.Context, f verifyFlags, v *verifier.Verifier, terms verifier.Input, a *App, file string) error {
	source := io.Reader(os.Stdin)
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return exitWith(ExitData, err)
		}
		defer func() { _ = opened.Close() }()
		source = opened
	}
	format := bulk.JSONL
	if f.csv || strings.HasSuffix(strings.ToLower(file), ".csv") {
		format = bulk.CSV
	}
	now := systemNow
	summary, err := bulk.Run(ctx, v, source, format, bulk.Options{Terms: terms, Now: now}, func(line []byte) error {
		_, err := c.out.Write(line)
		return err
	})
	switch {
	case errors.Is(err, bulk.ErrFormat), errors.Is(err, verifier.ErrUnknownPolicy):
		return exitWith(ExitUsage, err)
	case err != nil:
		return exitWith(ExitData, err)
	}
	last := map[string]any{"summary": summary}
	if f.sign != "" {
		if last["report"], err = (statements{a}).Report(ctx, f.sign, summary); err != nil {
			return exitWith(ExitData, err)
		}
	}
	line, err := json.Marshal(last)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.out, "%s\n", line); err != nil {
		return err
	}
	fmt.Fprintln(c.err, summary.Report())
	switch {
	case summary.Invalid > 0:
		return exitWith(report.ExitNotValid, nil)
	case summary.Undetermined > 0:
		return exitWith(report.ExitUndetermined, nil)
	}
	return nil
}
