package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
	jsonldcontext "heartmark/schemas/context"

	"github.com/spf13/cobra"
)

// maxDerive bounds the credential that is derived from, in bytes.
const maxDerive = 1 << 20

// deriveCommand is the holder's side of the selective forms: it needs no server and no data folder.
func deriveCommand(c *console) *cobra.Command {
	var show []string
	var list bool
	var out string
	command := &cobra.Command{
		Use: "derive FILE", Short: "Make a presentation that shows chosen parts of a credential with selective disclosure", Args: cobra.ExactArgs(1),
		Long: "Reads a credential with a base proof of ecdsa-sd-2023, or an SD-JWT (dc+sd-jwt, vc+sd-jwt), and writes what --show names, as\n" +
			"JSON Pointers, beside what the issuer always shows. --list says what can be chosen. An SD-JWT still has to be bound to the\n" +
			"holder's key, by the wallet that has it.",
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := readBounded(args[0], maxDerive)
			if err != nil {
				return err
			}
			choices, derive, err := opener(bytes.TrimSpace(data))
			if err != nil {
				return exitWith(ExitData, fmt.Errorf("%s: %w", args[0], err))
			}
			if list {
				return c.answer(choices, strings.Join(append(choices, ""), "\n"))
			}
			shown, err := derive(show)
			if err != nil {
				return exitWith(ExitUsage, fmt.Errorf("--show: %w", err))
			}
			if out == "" {
				return c.answer(json.RawMessage(asJSON(shown)), string(shown)+"\n")
			}
			if err := os.WriteFile(out, shown, 0o600); err != nil {
				return err
			}
			return c.answer(map[string]any{"file": out}, "written to "+out+"\n")
		},
	}
	command.Flags().StringArrayVar(&show, "show", nil, "JSON Pointer of a part to show; may be given several times")
	command.Flags().BoolVar(&list, "list", false, "list what can be chosen, and do nothing else")
	command.Flags().StringVar(&out, "out", "", "file for the presentation; standard output where empty")
	return command
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, exitWith(ExitData, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = exitWith(ExitData, fmt.Errorf("%s is larger than %d bytes", path, limit))
	}
	return data, err
}

// opener reads a selective form and returns what can be chosen of it and what makes the presentation.
func opener(data []byte) (choices []string, derive func(show []string) ([]byte, error), err error) {
	if bytes.HasPrefix(data, []byte("{")) {
		return openBaseProof(data)
	}
	token, err := sdjwt.Parse(string(data))
	if err != nil {
		return nil, nil, err
	}
	if token.HasBinding() {
		return nil, nil, errors.New("it is bound to one presentation already; derive from the credential itself")
	}
	for _, d := range token.Disclosures {
		choices = append(choices, d.Pointer)
	}
	slices.Sort(choices)
	return choices, func(show []string) ([]byte, error) {
		presentation, err := token.Present(show...)
		return []byte(presentation), err
	}, nil
}

func openBaseProof(data []byte) (choices []string, derive func(show []string) ([]byte, error), err error) {
	doc, err := schemas.ParseObject(data)
	if err != nil {
		return nil, nil, err
	}
	loader, err := jsonldcontext.New()
	if err != nil {
		return nil, nil, err
	}
	processor := dataintegrity.New(loader)
	if _, err := processor.Derive(doc, nil); err != nil && !errors.Is(err, dataintegrity.ErrPointer) {
		return nil, nil, err
	}
	_, choices = schemas.SelectivePointers(doc)
	return choices, func(show []string) ([]byte, error) {
		shown, err := processor.Derive(doc, show)
		if err != nil {
			return nil, err
		}
		return schemas.Marshal(shown)
	}, nil
}

// asJSON is a presentation as a JSON value: an object, or a text with the token.
func asJSON(shown []byte) []byte {
	if bytes.HasPrefix(shown, []byte("{")) {
		return shown
	}
	return []byte(`"` + string(shown) + `"`)
}
