package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"heartmark/internal/fetch"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas/trust"

	"github.com/spf13/cobra"
)

// maxLogFile is the largest file of a log: an entry bundle of 256 entries of the longest kind.
const maxLogFile = 17 << 20

// registryAt is somebody's registry, reached by its public addresses.
type registryAt struct {
	origin      string
	client      *fetch.Client
	development []string
}

func openRegistryAt(origin string, now func() time.Time) (registryAt, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return registryAt{}, exitWith(ExitUsage, fmt.Errorf("%q is not an origin such as https://dei.example", origin))
	}
	at := registryAt{origin: u.Scheme + "://" + u.Host}
	if u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1") {
		at.development = []string{at.origin}
	}
	if at.client, err = fetch.New(fetch.Config{Now: now, AllowLoopbackOrigins: at.development}); err != nil {
		return registryAt{}, err
	}
	return at, nil
}

func (at registryAt) snapshot(ctx context.Context, now func() time.Time) (*trust.Snapshot, error) {
	s, err := fetchSnapshot(ctx, at.client, at.origin, at.development, now)
	if err != nil {
		return nil, exitWith(ExitUnavailable, fmt.Errorf("registry %s: %w", at.origin, err))
	}
	return s, nil
}

// log reads the registry's log over its public files.
func (at registryAt) log(keys []string) translog.Remote {
	return translog.Remote{Keys: keys, Fetch: func(ctx context.Context, path string) ([]byte, error) {
		answer, err := at.client.Get(ctx, at.origin+"/log/"+path, fetch.Limits{MaxBytes: maxLogFile})
		if fault, ok := errors.AsType[*fetch.Error](err); ok && fault.Status == http.StatusNotFound {
			return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		}
		return answer.Body, err
	}}
}

// auditLogCommand replays a registry's whole log and compares it with what the registry says.
func auditLogCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "audit ORIGIN", Args: cobra.ExactArgs(1),
		Short: "Replay a registry's whole log from its public tiles and say what differs from what the registry states",
		RunE: func(command *cobra.Command, args []string) error {
			ctx, now := command.Context(), func() time.Time { return time.Now().UTC() }
			translog.LogTo(slog.New(slog.DiscardHandler)) // the answer says what matters
			at, err := openRegistryAt(args[0], now)
			if err != nil {
				return err
			}
			snapshot, err := at.snapshot(ctx, now)
			if err != nil {
				return err
			}
			audit, err := registry.NewAudit(snapshot)
			if err != nil {
				return err
			}
			seen, keys := snapshot.Checkpoint()
			checkpoint, err := at.log(keys).Replay(ctx, []byte(seen), audit.Entry)
			damaged := errors.Is(err, translog.ErrDamaged) || errors.Is(err, translog.ErrFork)
			if err != nil && !damaged {
				return exitWith(ExitUnavailable, err)
			}
			report := audit.Report()
			if damaged {
				report.Differences = []string{err.Error()}
			}
			text := fmt.Sprintf("%d log entries replayed, the root is the one that %s signed\n", checkpoint.Size, checkpoint.Origin)
			if damaged {
				text = fmt.Sprintf("the log of %s does not hold what its checkpoints say\n", checkpoint.Origin)
			}
			for _, difference := range report.Differences {
				text += "DIFFERS " + difference + "\n"
			}
			if err := c.answer(map[string]any{"size": checkpoint.Size, "origin": checkpoint.Origin, "report": report}, text); err != nil {
				return err
			}
			if len(report.Differences) > 0 {
				return exitWith(ExitNotValid, nil)
			}
			return nil
		},
	}
}

// monitorFlags are the flags of `registry monitor`.
type monitorFlags struct {
	state     string
	keys      []string
	witnesses []string
	quorum    int
	every     time.Duration
	once      bool
}

func monitorCommand(c *console) *cobra.Command {
	var f monitorFlags
	command := &cobra.Command{
		Use: "monitor ORIGIN", Args: cobra.ExactArgs(1),
		Short: "Follow another registry's log and raise the alarm when it shows two histories",
		RunE: func(command *cobra.Command, args []string) error {
			now := func() time.Time { return time.Now().UTC() }
			at, err := openRegistryAt(args[0], now)
			if err != nil {
				return err
			}
			return f.run(command.Context(), c, at)
		},
	}
	command.Flags().StringVar(&f.state, "state", "", "folder that keeps the last checkpoint and the log's keys (made when it is not there)")
	command.Flags().StringArrayVar(&f.keys, "key", nil, "the log's verifier key in note form; without it the keys of the first visit are kept")
	command.Flags().StringArrayVar(&f.witnesses, "witness", nil, "verifier key of a witness, in note form")
	command.Flags().IntVar(&f.quorum, "quorum", 0, "how many of the witnesses must have cosigned each checkpoint")
	command.Flags().DurationVar(&f.every, "every", time.Minute, "time between two visits")
	command.Flags().BoolVar(&f.once, "once", false, "visit once and stop")
	_ = command.MarkFlagRequired("state")
	return command
}

func (f *monitorFlags) run(ctx context.Context, c *console, at registryAt) error {
	if f.quorum < 0 || f.quorum > len(f.witnesses) || f.every < time.Second {
		return exitWith(ExitUsage, errors.New("--quorum must be between 0 and the number of witnesses, --every at least 1s"))
	}
	if err := os.MkdirAll(f.state, 0o700); err != nil {
		return exitWith(ExitUnavailable, err)
	}
	keys, err := f.logKeys(ctx, at)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(f.every)
	defer ticker.Stop()
	for {
		err := f.visit(ctx, c, at.log(keys))
		if f.once || errors.Is(err, translog.ErrFork) {
			return err
		}
		if err != nil { // the log may be back at the next visit
			fmt.Fprintf(c.err, "heartmark: %s\n", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// logKeys are those named, or those that were kept at the first visit, or else those that the signed snapshot names.
func (f *monitorFlags) logKeys(ctx context.Context, at registryAt) ([]string, error) {
	file := filepath.Join(f.state, "keys")
	if len(f.keys) > 0 {
		return f.keys, nil
	}
	kept, err := os.ReadFile(file)
	if err == nil {
		return strings.Fields(string(kept)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, exitWith(ExitUnavailable, err)
	}
	snapshot, err := at.snapshot(ctx, func() time.Time { return time.Now().UTC() })
	if err != nil {
		return nil, err
	}
	_, keys := snapshot.Checkpoint()
	return keys, os.WriteFile(file, []byte(strings.Join(keys, "\n")+"\n"), 0o600)
}

// visit asks the log once. A fork is written beside the checkpoint seen before, and is an error with the exit code 1.
func (f *monitorFlags) visit(ctx context.Context, c *console, log translog.Remote) error {
	file := filepath.Join(f.state, "checkpoint")
	seen, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		seen, err = nil, nil
	}
	if err != nil {
		return exitWith(ExitUnavailable, err)
	}
	newest, err := log.Follow(ctx, seen)
	if errors.Is(err, translog.ErrFork) {
		if kept := os.WriteFile(filepath.Join(f.state, "fork"), newest, 0o600); kept != nil { //nolint:gosec // G703: the operator names the folder
			err = errors.Join(err, kept)
		}
		return exitWith(ExitNotValid, fmt.Errorf("ALARM: %w; both signed checkpoints are in %s", err, f.state))
	}
	if err != nil {
		return exitWith(ExitUndetermined, err)
	}
	// The log signed it: whatever comes next must continue it, cosigned or not.
	if err := os.WriteFile(file, newest, 0o600); err != nil { //nolint:gosec // G703: the operator names the folder
		return exitWith(ExitUnavailable, err)
	}
	witnesses, err := inclusion.Cosignatures(newest, f.witnesses...)
	if err != nil {
		return exitWith(ExitUndetermined, err)
	}
	if len(witnesses) < f.quorum {
		return exitWith(ExitUndetermined, fmt.Errorf("%d of %d witnesses have cosigned, %d are asked for", len(witnesses), len(f.witnesses), f.quorum))
	}
	checkpoint, err := inclusion.ParseCheckpoint(newest, log.Keys...)
	if err != nil {
		return exitWith(ExitUndetermined, err)
	}
	return c.answer(map[string]any{"origin": checkpoint.Origin, "size": checkpoint.Size, "witnesses": witnesses},
		fmt.Sprintf("%s: %d entries, consistent with what was seen before; %d cosignatures\n", checkpoint.Origin, checkpoint.Size, len(witnesses)))
}
