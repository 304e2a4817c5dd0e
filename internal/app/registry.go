package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"heartmark/internal/did"
	"heartmark/schemas"
)

func registryCommand(c *console) *cobra.Command {
	command := &cobra.Command{Use: "registry", Short: "Tenants, authorities, the transparency log and its check"}
	command.AddCommand(tenantCommand(c), issuersCommand(c), logCommand(c), exportCommand(c))
	return command
}

func tenantCommand(c *console) *cobra.Command {
	var t schemas.Tenant
	command := &cobra.Command{
		Use: "add-tenant ID", Short: "Make an organisation ready to issue: keys, DID document, authority", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			t.ID = args[0]
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
					page, next, err := a.Registry.Issuers(ctx, "", "", after, 200)
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

func logCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "fsck", Short: "Read the whole transparency log again and compare it with its signed checkpoint", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				if err := a.Registry.DrainOutbox(ctx); err != nil {
					return err
				}
				if err := a.Log.Fsck(ctx); err != nil {
					return err
				}
				size, err := a.Log.Size(ctx)
				if err != nil {
					return err
				}
				return c.answer(map[string]any{"size": size, "verifierKey": a.Log.VerifierKey()},
					fmt.Sprintf("%d entries, all as the checkpoint says\n%s\n", size, a.Log.VerifierKey()))
			})
		},
	}
}

func exportCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "export FILE", Short: "Write the signed snapshot of the registry", Args: cobra.ExactArgs(1),
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
				return c.answer(map[string]any{"file": args[0], "bytes": len(data), "at": a.now().Format(time.RFC3339)},
					fmt.Sprintf("%d bytes written to %s\n", len(data), args[0]))
			})
		},
	}
}
