package app

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"heartmark/assessment/standard"

	"github.com/spf13/cobra"
)

func normsCommand(c *console) *cobra.Command {
	command := &cobra.Command{Use: "norms", Short: "Standard setting: from a panel's judgements to cuts with their error"}
	var groups, out string
	cuts := &cobra.Command{
		Use: "cuts PANEL.jsonl", Short: "Cuts by a modified Angoff procedure in two rounds, checked by contrasting groups", Args: cobra.ExactArgs(1),
		Long: "Cuts reads a panel file, one judgement a line:\n" +
			`  {"judge":"j1","dimension":"social_skills","level":"proficient","round":2,"item":"so-01","p":0.65}` + "\n" +
			"p is how probable the judge holds it that a person who has just reached the level would do the better thing. At least five judges judge the\n" +
			"same 40 or more exchanges of a dimension, in two rounds. --groups takes scores of people whom judges have sorted:\n" +
			`  {"dimension":"social_skills","level":"proficient","reached":true,"score":66.1}` + "\n" +
			"The cuts are written with their standard errors. They take effect with a release, as a new version of the scale.",
		RunE: func(_ *cobra.Command, args []string) error { return c.cuts(args[0], groups, out) },
	}
	cuts.Flags().StringVar(&groups, "groups", "", "file of contrasting groups")
	cuts.Flags().StringVar(&out, "out", "", "write the cuts as JSON")
	command.AddCommand(cuts)
	return command
}

// cutsFile is what `norms cuts --out` writes.
type cutsFile struct {
	Schema string         `json:"schema"`
	Date   string         `json:"date"`
	Cuts   []standard.Cut `json:"cuts"`
}

func (c *console) cuts(panelFile, groupsFile, out string) error {
	panel, err := readLines(panelFile, standard.Read)
	if err != nil {
		return err
	}
	var groups []standard.Sorted
	if groupsFile != "" {
		if groups, err = readLines(groupsFile, standard.ReadGroups); err != nil {
			return err
		}
	}
	found, err := standard.Set(panel, groups)
	if err != nil {
		return exitWith(ExitData, err)
	}
	answer := cutsFile{Schema: "heartmark-cuts/1", Date: time.Now().UTC().Format(time.DateOnly), Cuts: found}
	if out != "" {
		data, err := json.MarshalIndent(answer, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(out, append(data, '\n'), 0o600); err != nil {
			return err
		}
	}
	return c.answer(answer, cutsText(found))
}

func readLines[T any](file string, read func(io.Reader) ([]T, error)) ([]T, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, exitWith(ExitData, err)
	}
	defer func() { _ = f.Close() }()
	out, err := read(f)
	if err != nil {
		return nil, exitWith(ExitData, fmt.Errorf("%s: %w", file, err))
	}
	return out, nil
}

func cutsText(cuts []standard.Cut) string {
	var b strings.Builder
	for _, c := range cuts {
		fmt.Fprintf(&b, "%-18s %-11s %5.1f  standard error %.1f (%d judges, %d exchanges; judges spread %.1f after %.1f in the first round)", c.Dimension, c.Level, c.Cut, c.SE, c.Judges, c.Items, c.SD, c.FirstSD)
		if c.Groups != nil {
			fmt.Fprintf(&b, "; contrasting groups %.1f, %.0f %% misplaced", *c.Groups, 100**c.Misplaced)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
