// Package bulk verifies many credentials from one stream: JSON Lines or CSV in, one verdict a row out, in the order of the
// input, and a summary at the end. Start at Run. It holds a bounded number of rows at a time: a reader of verdicts that is
// slow slows the reading of rows. Status lists and keys are the verifier's to keep, which fetches each of them once.
package bulk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"heartmark/schemas"
	"heartmark/verifier"
)

// Errors of Run: the stream cannot go on.
var (
	// ErrFormat: the input is no stream of rows in the format: a CSV without the column credential. Answer 400.
	ErrFormat = errors.New("no stream of rows")
	// ErrTooMany: there are more rows than Options.MaxRows. Answer 413.
	ErrTooMany = errors.New("too many rows")
)

// Limits of a stream (security.md, 3).
const (
	MaxRow  = 256 << 10
	MaxRows = 10_000_000
)

// Verifier judges one row; *verifier.Verifier is one.
type Verifier interface {
	Verify(ctx context.Context, in verifier.Input) (verifier.Result, error)
	// Policy returns the policy that a tenant knows under a name, or verifier.ErrUnknownPolicy.
	Policy(ctx context.Context, tenant, name string) (verifier.Policy, error)
}

// Options say how a stream is judged. The zero value is the default policy on all cores.
type Options struct {
	// Terms are policy, tenant and the like; the row is put into them.
	Terms verifier.Input
	// Workers judge at once; 0 is one a core.
	Workers int
	// MaxRows is the number of rows that is taken; 0 means MaxRows.
	MaxRows int
	Now     func() time.Time
}

// Row is the verdict on one row.
type Row struct {
	// Row counts from 1; Ref is what the row calls itself, empty where it says nothing.
	Row int    `json:"row"`
	Ref string `json:"ref,omitempty"`
	// Verdict of a row that cannot be read at all is invalid, with Error.
	Verdict verifier.Verdict `json:"verdict"`
	// Codes are those of the checks that decided against it.
	Codes  []string `json:"codes,omitempty"`
	Issuer string   `json:"issuer,omitempty"`
	// Digest is that of the credential's bytes.
	Digest string `json:"digest,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Summary is what came of a stream. RowsDigest covers the rows as they were given out, each followed by a line feed, so that
// the summary, once signed, stands for all of them.
type Summary struct {
	Rows         int       `json:"rows"`
	Valid        int       `json:"valid"`
	Invalid      int       `json:"invalid"`
	Undetermined int       `json:"undetermined"`
	Policy       string    `json:"policy"`
	Version      string    `json:"policyVersion"`
	StartedAt    time.Time `json:"startedAt"`
	FinishedAt   time.Time `json:"finishedAt"`
	InputDigest  string    `json:"inputDigest"`
	RowsDigest   string    `json:"rowsDigest"`
}

// job is one row on its way. done holds its verdict.
type job struct {
	item item
	done chan answer
}

type answer struct {
	row Row
	err error
}

// Run judges the rows of r and gives each verdict, as one line of JSON with its line feed, to emit, in the order of the rows. An
// error of emit, of the stream or of the verifier's own ends it; a row that is bad does not.
func Run(ctx context.Context, v Verifier, r io.Reader, format Format, o Options, emit func(line []byte) error) (Summary, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxRows <= 0 || o.MaxRows > MaxRows {
		o.MaxRows = MaxRows
	}
	policy, err := v.Policy(ctx, o.Terms.Tenant, o.Terms.Policy)
	if err != nil {
		return Summary{}, err
	}
	o.Terms.Fixed = &policy // one version for all rows, which the summary names
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	input := sha256.New()
	rows, err := open(io.TeeReader(r, input), format)
	if err != nil {
		return Summary{}, err
	}
	summary := Summary{Policy: policy.Name, Version: policy.Version, StartedAt: o.Now()}
	o.Terms.Since = summary.StartedAt
	// The order of the input is that of queue; what stands in it is bounded, and with it what is held in memory.
	const ahead = 8
	work, queue := make(chan *job), make(chan *job, ahead*o.Workers)
	var workers sync.WaitGroup
	for range o.Workers {
		workers.Go(func() {
			for j := range work {
				j.done <- judge(ctx, v, j.item, o.Terms)
			}
		})
	}
	var reading sync.WaitGroup
	var readErr error
	reading.Go(func() {
		defer close(queue)
		defer close(work)
		readErr = feed(ctx, rows, o.MaxRows, work, queue)
	})
	err = drain(queue, &summary, emit)
	cancel()
	reading.Wait()
	workers.Wait()
	if err == nil {
		err = readErr
	}
	if err != nil {
		return Summary{}, err
	}
	summary.FinishedAt = o.Now()
	summary.InputDigest = digestOf(input)
	return summary, nil
}

// feed hands rows to the workers, and those that a worker has taken, in order, to the queue: what stands there is answered.
func feed(ctx context.Context, rows rowReader, most int, work, queue chan<- *job) error {
	for n := 1; ; n++ {
		next, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n > most {
			return fmt.Errorf("more than %d: %w", most, ErrTooMany)
		}
		next.number = n
		j := &job{item: next, done: make(chan answer, 1)}
		for _, to := range []chan<- *job{work, queue} {
			select {
			case to <- j:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// drain gives the verdicts out in order.
func drain(queue <-chan *job, summary *Summary, emit func(line []byte) error) error {
	given := sha256.New()
	var fault error
	for j := range queue {
		if fault != nil {
			continue // what is on its way is let go; feed has been told by then
		}
		a := <-j.done
		if fault = a.err; fault == nil {
			fault = give(a, summary, given, emit)
		}
		if fault != nil {
			return fault
		}
	}
	summary.RowsDigest = digestOf(given)
	return nil
}

func give(a answer, summary *Summary, given hash.Hash, emit func(line []byte) error) error {
	line, err := json.Marshal(a.row)
	if err != nil {
		return fmt.Errorf("row %d: %w", a.row.Row, err)
	}
	line = append(line, '\n')
	given.Write(line)
	summary.Rows++
	switch a.row.Verdict {
	case verifier.Valid:
		summary.Valid++
	case verifier.Undetermined:
		summary.Undetermined++
	default:
		summary.Invalid++
	}
	return emit(line)
}

func digestOf(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

// judge verifies one row.
func judge(ctx context.Context, v Verifier, i item, terms verifier.Input) answer {
	row := Row{Row: i.number, Ref: i.ref, Verdict: verifier.Invalid}
	if i.fault != "" {
		row.Error = i.fault
		return answer{row: row}
	}
	in := terms
	in.Data = i.data
	result, err := v.Verify(ctx, in)
	switch {
	case errors.Is(err, verifier.ErrUnreadable):
		row.Error = "not readable as a credential"
		if f, ok := errors.AsType[*schemas.FieldError](err); ok {
			row.Error += ": " + f.Pointer + " expected " + f.Expected
		}
		return answer{row: row}
	case err != nil:
		return answer{err: fmt.Errorf("row %d: %w", i.number, err)}
	}
	row.Verdict, row.Digest = result.Verdict, result.Digest
	row.Issuer = issuerOf(result)
	row.Codes = against(result)
	return answer{row: row}
}

func issuerOf(r verifier.Result) string {
	if r.Summary.IssuerID == "" && len(r.Inner) == 1 {
		r = r.Inner[0]
	}
	return r.Summary.IssuerID
}

// against lists the codes that decided, those of credentials inside behind their presentation's.
func against(r verifier.Result) []string {
	if r.Verdict == verifier.Valid {
		return nil
	}
	var out []string
	for _, outcome := range []verifier.Outcome{verifier.Fail, verifier.NotDetermined} {
		for _, c := range r.Checks {
			if c.Outcome == outcome {
				out = append(out, c.Code)
			}
		}
		if len(out) > 0 && r.Verdict == verifier.Invalid {
			break
		}
	}
	for _, inner := range r.Inner {
		out = append(out, against(inner)...)
	}
	return out
}

// Report is the summary as a person reads it.
func (s Summary) Report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows under policy %s %s: %d valid, %d not valid, %d undetermined", s.Rows, s.Policy, s.Version, s.Valid, s.Invalid, s.Undetermined)
	if took := s.FinishedAt.Sub(s.StartedAt).Seconds(); took > 0 {
		fmt.Fprintf(&b, "; %.0f rows a second", float64(s.Rows)/took)
	}
	return b.String()
}
