package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/issuer"
	"heartmark/registry"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

func registryCommand(c *console) *cobra.Command {
	command := &cobra.Command{Use: "registry", Short: "Tenants, authorities, the transparency log and its check"}
	command.AddCommand(tenantCommand(c), issuersCommand(c), fsckCommand(c), auditCommand(c), exportCommand(c), restoredCommand(c))
	command.AddCommand(registryWrites(c)...)
	return command
}

func tenantCommand(c *console) *cobra.Command {
	var t schemas.Tenant
	command := &cobra.Command{
		Use: "add-tenant ID", Short: "Make an organisation ready to issue: keys, DID document, authority", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			t.ID = args[0]
			if id := t.Evidence.DID; id != "" {
				if _, err := did.Parse(id); err != nil {
					return exitWith(ExitUsage, fmt.Errorf("--evidence-did: %w", err))
				}
			}
			if err := checkReviewPolicy(t.Review); err != nil {
				return err
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				if err := a.CreateTenant(ctx, t); err != nil {
					return err
				}
				id := did.FromOrigin(a.Config.Origin, t.ID)
				return c.answer(map[string]any{"tenant": t.ID, "did": id}, id+"\n")
			})
		},
	}
	command.Flags().StringVar(&t.Name, "name", "", "public name")
	command.Flags().StringVar(&t.URL, "url", "", "public web address")
	command.Flags().StringVar(&t.Evidence.DID, "evidence-did", "", "the platform's own DID, whose keys may sign evidence batches")
	command.Flags().BoolVar(&t.Evidence.Signed, "evidence-signed", false, "refuse evidence batches without a signature")
	command.Flags().IntVar(&t.Evidence.MaxQueued, "evidence-queue", 0, "evidence batches that may wait at once; 0 takes the default")
	reviewFlags(command, &t.Review)
	_ = command.MarkFlagRequired("name")
	return command
}

func issuersCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "issuers", Short: "List issuers and what each may do now", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				var text strings.Builder
				var rows []any
				for after := ""; ; {
					page, next, err := a.Registry.Issuers(ctx, registry.IssuerQuery{After: after, Limit: 200})
					if err != nil {
						return err
					}
					for _, i := range page {
						rows = append(rows, i)
						fmt.Fprintf(&text, "%s  %s\n", i.DID, i.Name)
						for _, authority := range i.Authorities {
							fmt.Fprintf(&text, "  %-10s %s %s\n", authority.Status, authority.Action, authority.Resource)
						}
					}
					if next == "" {
						return c.answer(rows, text.String())
					}
					after = next
				}
			})
		},
	}
}

func fsckCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "fsck", Short: "Check that issuer, registry and transparency log agree with each other and with what was signed", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				report, err := a.Fsck(ctx)
				if err != nil {
					return err
				}
				text := fmt.Sprintf("%d credentials in %d list groups, %d revoked, %d suspended; %d signatures, %d of them without a credential\n%d log entries\n",
					report.Issuer.Credentials, report.Issuer.Groups, report.Issuer.Revoked, report.Issuer.Suspended,
					report.Issuer.Signatures, report.Issuer.Spent, report.LogSize)
				for _, problem := range report.Problems {
					text += "PROBLEM " + problem + "\n"
				}
				if err := c.answer(report, text); err != nil {
					return err
				}
				if len(report.Problems) > 0 {
					return exitWith(ExitNotValid, nil)
				}
				return nil
			})
		},
	}
}

// FsckReport is what Fsck found.
type FsckReport struct {
	Issuer  issuer.FsckReport `json:"issuer"`
	LogSize uint64            `json:"log_size"`
	// Problems are contradictions; none in a sound installation.
	Problems []string `json:"problems"`
}

// Fsck checks the issuer's records, the registry's, and the whole log. An error means that a check could not be finished.
func (a *App) Fsck(ctx context.Context) (FsckReport, error) {
	if err := errors.Join(a.Issuer.DrainOutbox(ctx), a.Registry.DrainOutbox(ctx)); err != nil {
		return FsckReport{}, err
	}
	found, err := a.Issuer.Fsck(ctx)
	if err != nil {
		return FsckReport{}, err
	}
	report := FsckReport{Issuer: found, Problems: found.Problems}
	statements, err := a.Registry.Fsck(ctx)
	if err != nil {
		return FsckReport{}, err
	}
	report.Problems = append(report.Problems, statements.Faults...)
	if err := a.Log.Fsck(ctx); err != nil {
		report.Problems = append(report.Problems, err.Error())
	}
	report.LogSize, err = a.Log.Size(ctx)
	return report, err
}

func auditCommand(c *console) *cobra.Command {
	var since string
	command := &cobra.Command{
		Use: "trail", Short: "Print the audit trail: who did what to which key, credential or record, and when", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			var from time.Time
			if since != "" {
				var err error
				if from, err = schemas.ParseTime(since); err != nil {
					return exitWith(ExitUsage, fmt.Errorf("--since: %w", err))
				}
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error { return c.audit(ctx, a, from) })
		},
	}
	command.Flags().StringVar(&since, "since", "", "leave out what came before, RFC 3339")
	return command
}

// audit prints page after page, so that a long trail needs no memory; under --json one event a line.
func (c *console) audit(ctx context.Context, a *App, from time.Time) error {
	lines := json.NewEncoder(c.out)
	for cursor := ""; ; {
		events, next, err := a.Store.Audit(ctx, cursor, 500)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.At.Before(from) {
				continue
			}
			if c.json {
				err = lines.Encode(e)
			} else {
				_, err = fmt.Fprintf(c.out, "%s  %-20s %-10s %-9s %s %s\n", schemas.FormatTime(e.At), e.Event, e.Tenant, e.Actor, e.Object, e.Detail)
			}
			if err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

func restoredCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "restored", Short: "After restoring the data folder from a backup, before serving: open new status lists, so that no index is given twice", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				if err := a.Issuer.NewEpoch(issuer.WithActor(ctx, "operator")); err != nil {
					return err
				}
				return c.answer(map[string]any{"restored": true}, "new status lists from now on\n")
			})
		},
	}
}

func exportCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "snapshot FILE", Aliases: []string{"export"}, Args: cobra.ExactArgs(1),
		Short: "Write the signed snapshot of the registry, and say which did:key verifiers are to trust for it",
		RunE: func(command *cobra.Command, args []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				if err := a.Registry.Publish(ctx); err != nil {
					return err
				}
				data, err := a.Registry.Snapshot(ctx)
				if err != nil {
					return err
				}
				if err := os.WriteFile(args[0], data, 0o644); err != nil { //nolint:gosec // G306: a public document
					return err
				}
				anchor, err := a.snapshotAnchor(ctx)
				if err != nil {
					return err
				}
				return c.answer(map[string]any{"file": args[0], "bytes": len(data), "at": a.now().Format(time.RFC3339), "trust": anchor},
					fmt.Sprintf("%d bytes written to %s\nverify with: heartmark-verify --snapshot %s --trust %s FILE\n", len(data), args[0], args[0], anchor))
			})
		},
	}
}

// snapshotAnchor returns the did:key of the key that signs snapshots. Those who verify off line get it once, over a way
// they trust.
func (a *App) snapshotAnchor(ctx context.Context) (string, error) {
	signer, err := a.Keys.SignerFor(ctx, "", keys.KindSnapshot)
	if err != nil {
		return "", fmt.Errorf("snapshot key: %w", err)
	}
	text, err := keys.Multibase(signer.Public())
	if err != nil {
		return "", fmt.Errorf("snapshot key: %w", err)
	}
	return "did:key:" + text, nil
}
