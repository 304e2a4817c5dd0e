package app

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"heartmark/api/registryapi"
	"heartmark/internal/keys"
	"heartmark/registry"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

// registryWrites are the commands that change the registry, or read what was changed.
func registryWrites(c *console) []*cobra.Command {
	return []*cobra.Command{
		challengeCommand(c), proveCommand(c), grantCommand(c), authorityCommand(c, "suspend", "Stop an authority for a time", registry.Suspended),
		authorityCommand(c, "reinstate", "End a suspension", registry.Active), authorityCommand(c, "withdraw", "End an authority for good", registry.Withdrawn),
		deactivateCommand(c), historyCommand(c), publishCommand(c), auditLogCommand(c), monitorCommand(c),
	}
}

func challengeCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "challenge DID", Args: cobra.ExactArgs(1),
		Short: "Give out what a key of the DID has to sign before anything is granted to it; good for ten minutes",
		RunE: func(command *cobra.Command, args []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				given, err := a.Registry.Challenge(ctx, args[0])
				if err != nil {
					return exitWith(ExitUsage, err)
				}
				answer := registryapi.NewChallengeAnswer(given)
				body, err := schemas.Marshal(answer)
				if err != nil {
					return err
				}
				return c.answer(answer, string(body)+"\n")
			})
		},
	}
}

func proveCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "prove FILE", Args: cobra.ExactArgs(1),
		Short: "Answer another registry's challenge for this installation's DID or a tenant's, with its statement key",
		RunE: func(command *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return exitWith(ExitData, err)
			}
			var given registryapi.ChallengeAnswer
			if err := schemas.Decode(data, &given); err != nil {
				return exitWith(ExitData, fmt.Errorf("%s: %w", args[0], err))
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				answer, err := a.prove(ctx, given.Challenge)
				if err != nil {
					return exitWith(ExitData, err)
				}
				body, err := schemas.Marshal(answer)
				if err != nil {
					return err
				}
				return c.answer(answer, string(body)+"\n")
			})
		},
	}
}

// prove signs a challenge. What is signed is made anew from the challenge's parts, under the label of control proofs, so
// that nobody can have anything else signed.
func (a *App) prove(ctx context.Context, given registryapi.Challenge) (registryapi.ControlRequest, error) {
	expires, err := schemas.ParseTime(given.Expires)
	if err != nil {
		return registryapi.ControlRequest{}, fmt.Errorf("challenge: expires: %w", err)
	}
	tenant, ours := tenantOf(a.DID(), given.DID)
	if !ours {
		return registryapi.ControlRequest{}, fmt.Errorf("challenge is for %s, which is not kept here", given.DID)
	}
	signer, err := a.Keys.SignerFor(ctx, tenant, keys.KindStatement)
	if err != nil {
		return registryapi.ControlRequest{}, err
	}
	message := registry.Challenge{Registry: given.Registry, DID: given.DID, Nonce: given.Nonce, Expires: expires}.Message()
	signature, err := signer.Sign(rand.Reader, message, crypto.Hash(0))
	if err != nil {
		return registryapi.ControlRequest{}, err
	}
	return registryapi.ControlRequest{
		Challenge: given, Method: signer.VerificationMethod(), Signature: base64.RawURLEncoding.EncodeToString(signature),
	}, nil
}

// grantFlags are the flags of `registry grant`.
type grantFlags struct {
	grant              registry.Grant
	levels             []int
	from, until, proof string
}

func grantCommand(c *console) *cobra.Command {
	var f grantFlags
	command := &cobra.Command{
		Use: "grant DID", Args: cobra.ExactArgs(1),
		Short: "Record that an entity may do something; a tenant of this installation proves control by itself, others with --control",
		RunE: func(command *cobra.Command, args []string) error {
			f.grant.Entity = args[0]
			if err := f.read(); err != nil {
				return exitWith(ExitUsage, err)
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				if tenant, ours := tenantOf(a.DID(), f.grant.Entity); ours && tenant != "" && f.proof == "" {
					control, err := a.ownControl(ctx, tenant)
					if err != nil {
						return exitWith(ExitData, err)
					}
					f.grant.Control = control
				}
				granted, err := a.Registry.GrantAuthority(ctx, operator, f.grant)
				if err != nil {
					return exitWith(ExitData, err)
				}
				return c.answer(granted, authorityLines(granted))
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.grant.Name, "name", "", "public name of the entity")
	flags.StringVar(&f.grant.Action, "action", registry.ActionIssue, strings.Join(registry.Actions(), ", "))
	flags.StringArrayVar(&f.grant.Resources, "resource", nil, "achievement id, vct or type; may be given several times")
	flags.IntSliceVar(&f.levels, "levels", nil, "levels that may be stated; all where absent")
	flags.StringVar(&f.grant.Authority, "authority", "", "accredited body that grants; this registry where absent")
	flags.StringVar(&f.grant.Framework, "framework", "", "address of the governance framework")
	flags.StringVar(&f.from, "from", "", "first instant, RFC 3339; now where absent")
	flags.StringVar(&f.until, "until", "", "first instant after the end, RFC 3339")
	flags.StringVar(&f.proof, "control", "", "file with the answer to a challenge: challenge, method, signature")
	flags.BoolVar(&f.grant.AcceptSimilarName, "accept-similar-name", false, "let a name stand that looks like another's; the record is flagged")
	_ = command.MarkFlagRequired("resource")
	return command
}

// read takes what the flags name and checks its form.
func (f *grantFlags) read() (err error) {
	for _, level := range f.levels {
		f.grant.Levels = append(f.grant.Levels, schemas.Level(level))
	}
	for _, at := range []struct {
		flag, text string
		to         *time.Time
	}{{"--from", f.from, &f.grant.ValidFrom}, {"--until", f.until, &f.grant.ValidUntil}} {
		if at.text == "" {
			continue
		}
		if *at.to, err = schemas.ParseTime(at.text); err != nil {
			return fmt.Errorf("%s: %w", at.flag, err)
		}
	}
	if f.proof == "" {
		return nil
	}
	data, err := os.ReadFile(f.proof)
	if err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	var request registryapi.ControlRequest
	if err := schemas.Decode(data, &request); err != nil {
		return fmt.Errorf("--control: %w", err)
	}
	f.grant.Control, err = request.Proof()
	return err
}

func authorityLines(list []registry.Authority) string {
	var text strings.Builder
	for _, a := range list {
		fmt.Fprintf(&text, "%s  %d  %-9s since %s  %s %s", a.ID, a.Version, a.Status, schemas.FormatTime(a.Since), a.Action, a.Resource)
		if a.Reason != "" {
			fmt.Fprintf(&text, "  %s", a.Reason)
		}
		text.WriteString("\n")
	}
	return text.String()
}

func authorityCommand(c *console, name, short string, to registry.Status) *cobra.Command {
	var reason, since string
	command := &cobra.Command{
		Use: name + " AUTHORITY", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			var from time.Time
			if since != "" {
				var err error
				if from, err = schemas.ParseTime(since); err != nil {
					return exitWith(ExitUsage, fmt.Errorf("--since: %w", err))
				}
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				var changed registry.Authority
				var err error
				switch to {
				case registry.Suspended:
					changed, err = a.Registry.Suspend(ctx, operator, args[0], reason)
				case registry.Active:
					changed, err = a.Registry.Reinstate(ctx, operator, args[0], reason)
				case registry.Withdrawn:
					changed, err = a.Registry.Withdraw(ctx, operator, args[0], from, reason)
				}
				if err != nil {
					return exitWith(ExitData, err)
				}
				return c.answer(changed, authorityLines([]registry.Authority{changed}))
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "public reason, nothing about persons")
	if to == registry.Withdrawn {
		command.Flags().StringVar(&since, "since", "", "from when on, RFC 3339; may lie in the past")
	}
	return command
}

func deactivateCommand(c *console) *cobra.Command {
	var reason string
	command := &cobra.Command{
		Use: "deactivate DID", Short: "Suspend at once everything that an entity may do", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				n, err := a.Registry.Deactivate(ctx, operator, args[0], reason)
				if err != nil {
					return exitWith(ExitData, err)
				}
				return c.answer(map[string]any{"suspended": n}, fmt.Sprintf("%d authorities suspended\n", n))
			})
		},
	}
	command.Flags().StringVar(&reason, "reason", "", "public reason, nothing about persons")
	return command
}

func historyCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "history AUTHORITY", Short: "Print every version of an authority", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				versions, err := a.Registry.AuthorityHistory(ctx, args[0])
				if err != nil {
					return exitWith(ExitData, err)
				}
				return c.answer(versions, authorityLines(versions))
			})
		},
	}
}

func publishCommand(c *console) *cobra.Command {
	var mediaType string
	command := &cobra.Command{
		Use: "publish KIND NAME FILE", Args: cobra.ExactArgs(3),
		Short: "Publish a document for good under its version: schemas, contexts, achievements, vct or frameworks",
		RunE: func(command *cobra.Command, args []string) error {
			kind := registry.Kind(args[0])
			if !slices.Contains(registry.Kinds(), kind) {
				return exitWith(ExitUsage, fmt.Errorf("%q is none of %v", args[0], registry.Kinds()))
			}
			data, err := os.ReadFile(args[2])
			if err != nil {
				return exitWith(ExitData, err)
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				published, err := a.Registry.PublishArtefact(ctx, operator, registry.NewArtefact{
					Kind: kind, Name: args[1], MediaType: mediaType, Data: data,
				})
				if err != nil {
					return exitWith(ExitData, err)
				}
				address := a.Registry.ArtefactURL(kind, args[1])
				return c.answer(map[string]any{"url": address, "sha256": published.SHA256, "digestSRI": published.SRI}, address+"\n"+published.SRI+"\n")
			})
		},
	}
	command.Flags().StringVar(&mediaType, "media-type", "application/json", "media type of the document")
	return command
}
