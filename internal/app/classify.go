package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"heartmark/assessment"
	"heartmark/assessment/head"
	"heartmark/assessment/onnx"

	"github.com/spf13/cobra"
)

type classifyFlags struct {
	read      head.ReadOptions
	head, out string
}

// classifyRows bounds a file to classify; only its texts are held in memory.
const classifyRows = 2_000_000

func classifyCommand(c *console) *cobra.Command {
	f := classifyFlags{read: head.ReadOptions{Unlabelled: true, MaxRows: classifyRows}}
	command := &cobra.Command{
		Use: "classify FILE", Short: "Label texts by a head that train wrote",
		Long: "Classify reads texts (JSON Lines or CSV, as train does; - for standard input; labels are not read) and writes one JSON line\n" +
			"for each: the labels that hold and the calibrated probability of every label, or the reason why there is none (empty,\n" +
			"language). Nothing is stored.",
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.classify(command.Context(), args[0], f) },
	}
	flags := command.Flags()
	flags.StringVar(&f.head, "head", "", "folder of the head (needed)")
	flags.StringVar(&f.out, "out", "", "file to write; standard output where empty")
	flags.StringVar(&f.read.Format, "format", "auto", "auto, csv or jsonl")
	flags.StringVar(&f.read.OnError, "on-error", "refuse", "refuse the whole file on a bad line, or skip it")
	return command
}

// classifiedRow is one line of the answer.
type classifiedRow struct {
	Line   int                `json:"line"`
	ID     string             `json:"id,omitempty"`
	Labels []string           `json:"labels"`
	Values map[string]float64 `json:"values,omitempty"`
	Reason string             `json:"reason,omitempty"`
}

func (c *console) classify(ctx context.Context, file string, f classifyFlags) error {
	if f.head == "" {
		return exitWith(ExitUsage, errors.New("--head: name the folder of a head"))
	}
	data, err := c.readTexts(file, f.read)
	if err != nil {
		return err
	}
	return c.withEncoder(func(classifier *onnx.Classifier, ref head.EncoderRef) error {
		h, err := openHead(f.head, classifier, ref)
		if err != nil {
			return err
		}
		defer func() { _ = h.Close() }()
		if f.out == "" {
			return c.classifyRows(ctx, h, data, c.out)
		}
		out, err := os.OpenFile(f.out, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		return errors.Join(c.classifyRows(ctx, h, data, out), out.Close())
	})
}

// classifyRows writes as it goes, so that a long file shows its first answers at once.
func (c *console) classifyRows(ctx context.Context, h *head.Head, data head.Data, out io.Writer) error {
	const chunk = 256
	buffer := bufio.NewWriter(out)
	e := json.NewEncoder(buffer)
	e.SetEscapeHTML(false)
	stage := c.stages()
	for start := 0; start < len(data.Rows); start += chunk {
		rows := data.Rows[start:min(start+chunk, len(data.Rows))]
		in := make([]assessment.ClassifierInput, len(rows))
		for i, r := range rows {
			in[i] = assessment.ClassifierInput{Text: r.Text, Context: r.Context, Lang: r.Lang}
		}
		found, err := h.Classify(ctx, in)
		if err != nil {
			return err
		}
		for i, p := range found {
			line := classifiedRow{Line: rows[i].Line, ID: rows[i].ID, Labels: p.Labels, Reason: p.Reason}
			if p.Reason == "" {
				line.Values = named(h.Model().Labels, p.Values)
			} else {
				line.Labels = []string{}
			}
			if err := e.Encode(line); err != nil {
				return err
			}
		}
		if err := buffer.Flush(); err != nil {
			return err
		}
		stage("classifying", start+len(rows), len(data.Rows))
	}
	return nil
}
