package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"heartmark/assessment/model"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/internal/store/badger"

	"github.com/spf13/cobra"
)

// finding is one line of the doctor's report.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	// Note says what was found, or what to do about it.
	Note string `json:"note"`
}

func doctorCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say what is wrong with configuration, library, model, store, keys and clock, and what to do", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, err := config.Load(c.config, c.environ)
			findings := []finding{found("configuration", err, fmt.Sprintf("%s, origin %s", cfg.Mode, cfg.Origin))}
			if err == nil {
				findings = append(findings, c.examine(command.Context(), cfg)...)
			}
			return c.diagnosis(findings)
		},
	}
}

func found(check string, err error, note string) finding {
	if err != nil {
		note = err.Error()
	}
	return finding{Check: check, OK: err == nil, Note: note}
}

func (c *console) examine(ctx context.Context, cfg config.Config) []finding {
	return []finding{
		found("key-encryption key", keys.CheckKEK(cfg.KEKFile, cfg.DataDir), cfg.KEKFile+", readable by its owner only"),
		store(cfg),
		found("public listener", free(ctx, cfg.Listen), cfg.Listen+" is free"),
		found("clock", clock(cfg, time.Now().UTC()), time.Now().UTC().Format(time.RFC3339)),
		builtInModel(),
		c.runtime(ctx, cfg),
	}
}

// store opens the folder and closes it again. A running server's lock is no fault.
func store(cfg config.Config) finding {
	dir := filepath.Join(cfg.DataDir, "db")
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return found("store", nil, cfg.DataDir+" is made at the first start")
	}
	db, err := badger.Open(badger.Config{Dir: dir})
	if errors.Is(err, badger.ErrLocked) {
		return found("store", nil, cfg.DataDir+" is in use by a running server")
	}
	if err == nil {
		err = db.Close()
	}
	return found("store", err, cfg.DataDir+" opens and closes")
}

func free(ctx context.Context, address string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: a running server, or another program", address)
	}
	if err != nil {
		return err
	}
	return listener.Close()
}

// clock compares with the newest file of the log, which cannot lie ahead of now.
func clock(cfg config.Config, now time.Time) error {
	info, err := os.Stat(filepath.Join(cfg.DataDir, "log", "checkpoint"))
	if err == nil && info.ModTime().After(now.Add(2*time.Minute)) {
		return fmt.Errorf("the clock stands at %s, before the log's last entry of %s; set it right before signing anything",
			now.Format(time.RFC3339), info.ModTime().UTC().Format(time.RFC3339))
	}
	return nil
}

func builtInModel() finding {
	m, err := model.Open(model.Embedded())
	if err != nil {
		return found("model", err, "")
	}
	return found("model", nil, m.ID+", digests as compiled in")
}

func (c *console) runtime(ctx context.Context, cfg config.Config) finding {
	log, err := c.logger(cfg)
	if err != nil {
		return found("classifier", err, "")
	}
	classifier, err := openClassifier(cfg.Model, log)
	if err != nil {
		return found("classifier", err, "")
	}
	defer func() { _ = classifier.Close() }()
	return found("classifier", nil, fmt.Sprintf("%s on %s", classifier.Info().Runtime, classifier.Library().Path))
}

func (c *console) diagnosis(findings []finding) error {
	var text strings.Builder
	bad := 0
	for _, f := range findings {
		mark := "ok  "
		if !f.OK {
			mark = "BAD "
			bad++
		}
		fmt.Fprintf(&text, "%s%-20s %s\n", mark, f.Check, f.Note)
	}
	if err := c.answer(findings, text.String()); err != nil {
		return err
	}
	if bad > 0 {
		return exitWith(ExitUnavailable, nil)
	}
	return nil
}
