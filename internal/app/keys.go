package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/internal/obs"
	"heartmark/registry/translog"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

func keysCommand(c *console) *cobra.Command {
	command := &cobra.Command{Use: "keys", Short: "Key-encryption key, signing keys, API keys"}
	command.AddCommand(kekCommand(c), keysListCommand(c), rotateCommand(c), revokeKeyCommand(c), csrCommand(c), apiKeyCommand(c))
	return command
}

func kekCommand(c *console) *cobra.Command {
	var ifMissing bool
	command := &cobra.Command{
		Use: "kek", Short: "Make the key-encryption key at the configured path, readable by you only", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			err = keys.GenerateKEK(cfg.KEKFile)
			switch {
			case errors.Is(err, fs.ErrExist) && ifMissing:
				return nil
			case errors.Is(err, fs.ErrExist):
				return exitWith(ExitUsage, fmt.Errorf("%s exists; everything sealed under it would be lost, so it is never replaced", cfg.KEKFile))
			case err != nil:
				return err
			}
			return c.answer(map[string]any{"file": cfg.KEKFile}, "made "+cfg.KEKFile+"\nkeep a copy apart from the data: without it the data cannot be opened\n")
		},
	}
	command.Flags().BoolVar(&ifMissing, "if-missing", false, "do nothing where it is there already")
	return command
}

func keysListCommand(c *console) *cobra.Command {
	var tenant string
	command := &cobra.Command{
		Use: "list", Short: "List signing keys", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				infos, err := a.Keys.List(ctx, tenant)
				if err != nil {
					return err
				}
				var text strings.Builder
				rows := make([]map[string]any, 0, len(infos))
				for _, i := range infos {
					fmt.Fprintf(&text, "%-12s %-8s %-6s until %s  %s\n", i.Kind, i.Status, i.Algorithm, i.Until.Format("2006-01-02"), i.VerificationMethod)
					rows = append(rows, map[string]any{
						"id": i.ID, "kind": i.Kind, "algorithm": i.Algorithm, "status": i.Status, "from": i.From, "until": i.Until,
						"verificationMethod": i.VerificationMethod, "publicKeyMultibase": i.PublicKeyMultibase,
					})
				}
				return c.answer(rows, text.String())
			})
		},
	}
	command.Flags().StringVar(&tenant, "tenant", "", "tenant; empty lists the installation's own keys")
	return command
}

func rotateCommand(c *console) *cobra.Command {
	var tenant, kind, alg string
	command := &cobra.Command{
		Use: "rotate", Short: "Make a new signing key and retire the old one; what the old one signed stays good", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				info, err := a.RotateKey(ctx, tenant, keys.Kind(kind), alg)
				if err != nil {
					return err
				}
				return c.answer(map[string]any{"verificationMethod": info.VerificationMethod, "until": info.Until}, info.VerificationMethod+"\n")
			})
		},
	}
	command.Flags().StringVar(&tenant, "tenant", DemoTenant, "tenant whose key is rotated")
	command.Flags().StringVar(&kind, "kind", string(keys.KindCredential), "credential, status_list, metadata or statement")
	command.Flags().StringVar(&alg, "alg", keys.AlgEdDSA, "algorithm of the key: EdDSA, ES256 or ES384")
	return command
}

func revokeKeyCommand(c *console) *cobra.Command {
	var reason, at string
	command := &cobra.Command{
		Use: "revoke ID", Short: "Mark a key as not to be trusted, from a time that may lie in the past; nothing undoes it", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				since := a.now()
				if at != "" {
					var err error
					if since, err = schemas.ParseTime(at); err != nil {
						return exitWith(ExitUsage, fmt.Errorf("--at: %w", err))
					}
				}
				if err := a.RevokeKey(ctx, schemas.KeyID(args[0]), since, reason); err != nil {
					return exitWith(ExitData, err)
				}
				return c.answer(map[string]any{"id": args[0], "since": schemas.FormatTime(since)}, args[0]+" is revoked since "+schemas.FormatTime(since)+"\n")
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "why, for the record")
	command.Flags().StringVar(&at, "at", "", "since when, RFC 3339; now where empty")
	_ = command.MarkFlagRequired("reason")
	return command
}

// withApp builds the app on the configured data folder, runs fn, and closes it. The program must not be serving that
// folder: the store refuses a second process and says so.
func (c *console) withApp(ctx context.Context, fn func(context.Context, *App) error) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, err := c.logger(cfg)
	if err != nil {
		return err
	}
	translog.LogTo(log)
	a, err := Build(ctx, cfg, log, Options{})
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, a), a.Close())
}

// logger writes to standard error. Commands that do one thing are quiet; the server is as loud as configured.
func (c *console) logger(cfg config.Config) (*slog.Logger, error) {
	settings := cfg.Log
	if settings.Level == "info" {
		settings.Level = "warn"
	}
	return obs.NewLogger(c.err, settings)
}
