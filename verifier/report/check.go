package report

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"heartmark/verifier"
	"heartmark/verifier/offline"
)

// Exit codes of a verification (design.md §6).
const (
	ExitValid        = 0
	ExitNotValid     = 1
	ExitUndetermined = 2
)

// Job is how files are verified.
type Job struct {
	Verifier *verifier.Verifier
	// Terms are policy, challenge and the like; Data is set for each file.
	Terms verifier.Input
	// Basis, where set, is what the verifier rests on, and AsOf the instant asked about in place of now; both are said with
	// every answer.
	Basis *offline.Basis
	AsOf  time.Time
	// Stdin is read where a file is called "-".
	Stdin io.Reader
}

// Checked is the answer for one file.
type Checked struct {
	File   string           `json:"file"`
	Result *verifier.Result `json:"result,omitempty"`
	// Error says why the file could not be read as a credential, which is not valid (security case SEC-224).
	Error    string         `json:"error,omitempty"`
	Snapshot *offline.Basis `json:"snapshot,omitempty"`
	AsOf     time.Time      `json:"asOf,omitzero"`
}

// Verdict is that of the result, and not valid where there is none.
func (c Checked) Verdict() verifier.Verdict {
	if c.Result == nil {
		return verifier.Invalid
	}
	return c.Result.Verdict
}

// Check verifies the files in their order. An error means that there is no answer at all: a file could not be opened
// (*os.PathError), or the terms are wrong (verifier.ErrUnknownPolicy, verifier.ErrMediaType).
func (j Job) Check(ctx context.Context, files []string) ([]Checked, error) {
	out := make([]Checked, 0, len(files))
	for _, file := range files {
		data, err := j.read(file)
		if err != nil {
			return nil, err
		}
		in := j.Terms
		in.Data = token(data)
		checked := Checked{File: file, Snapshot: j.Basis, AsOf: j.AsOf}
		result, err := j.Verifier.Verify(ctx, in)
		switch {
		case errors.Is(err, verifier.ErrUnreadable):
			checked.Error = err.Error()
		case err != nil:
			return nil, err
		default:
			checked.Result = &result
		}
		out = append(out, checked)
	}
	return out, nil
}

// token drops the line end with which editors close a file from one that holds a token: a token has none, and is read to
// the byte. JSON stays as it is.
func token(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte("e")) {
		return data
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
}

// read returns at most one byte more than an input may have, so that the verifier sees that there is too much.
func (j Job) read(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(io.LimitReader(j.Stdin, verifier.MaxInput+1))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, verifier.MaxInput+1))
}

// Exit returns the exit code for all answers together: one that is not valid outweighs one that is undetermined, and only
// valid ones give ExitValid.
func Exit(all []Checked) int {
	code := ExitValid
	for _, c := range all {
		switch c.Verdict() {
		case verifier.Valid:
		case verifier.Invalid:
			return ExitNotValid
		default:
			code = ExitUndetermined
		}
	}
	return code
}
