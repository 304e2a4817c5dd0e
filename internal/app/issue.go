package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"heartmark/issuer"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

func issueCommand(c *console) *cobra.Command {
	var request issuer.Request
	var out, format string
	command := &cobra.Command{
		Use: "issue", Short: "Issue a credential from a stored report", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				if err := offersForm(a.Issuer, request.Configuration, format); err != nil {
					return err
				}
				issued, err := a.Issuer.Issue(issuer.WithActor(ctx, "operator"), request)
				if err != nil {
					return exitWith(issueExit(err), err)
				}
				if err := errors.Join(a.Issuer.DrainOutbox(ctx), a.Registry.Publish(ctx)); err != nil {
					return fmt.Errorf("credential %s is issued; publishing goes on at the next start: %w", issued.ID, err)
				}
				form := issued.Forms[max(0, slices.IndexFunc(issued.Forms, func(f issuer.IssuedForm) bool { return f.Format == format }))]
				if out == "" {
					return c.answer(form.Credential, string(form.Bytes())+"\n")
				}
				if err := os.WriteFile(out, form.Bytes(), 0o600); err != nil {
					return err
				}
				return c.answer(map[string]any{"id": issued.ID, "file": out}, fmt.Sprintf("%s\nwritten to %s\n", issued.ID, out))
			})
		},
	}
	f := command.Flags()
	f.StringVar(&request.Tenant, "tenant", DemoTenant, "issuing tenant")
	f.StringVar(&request.ReportID, "report", "", "id of the assessment report")
	f.StringVar(&request.HolderID, "holder", "", "DID of the holder, whose control you have checked")
	f.StringVar(&request.Configuration, "configuration", "dei-profile", "credential configuration")
	f.StringVar(&request.Language, "lang", "en", "language of the texts: en or zh")
	f.StringVar(&request.IdempotencyKey, "idempotency-key", "", "makes the command repeatable")
	f.StringVar(&format, "form", "", "form to write, where the configuration gives several: ldp_vc, dc+sd-jwt, vc+jwt or vc+sd-jwt; the first where empty")
	f.StringVar(&out, "out", "", "file for the credential; standard output where empty")
	_ = command.MarkFlagRequired("report")
	_ = command.MarkFlagRequired("holder")
	return command
}

// offersForm refuses a form that the configuration does not give, before anything is issued. An unknown configuration is for
// the issuer to refuse.
func offersForm(i *issuer.Issuer, configuration, format string) error {
	conf, err := i.Configuration(configuration)
	if err != nil || format == "" {
		return nil //nolint:nilerr // see above
	}
	var have []string
	for _, f := range conf.Forms {
		have = append(have, f.Format)
	}
	if !slices.Contains(have, format) {
		return exitWith(ExitUsage, fmt.Errorf("--form: %q is none of %v, the forms of %s", format, have, configuration))
	}
	return nil
}

func issueExit(err error) int {
	for _, sentinel := range []error{
		issuer.ErrInvalid, issuer.ErrNotFound, issuer.ErrNothingToIssue, issuer.ErrNoConsent, issuer.ErrReviewNeeded, issuer.ErrConflict,
	} {
		if errors.Is(err, sentinel) {
			return ExitData
		}
	}
	return ExitSystem
}

func revokeCommand(c *console) *cobra.Command {
	var tenant, reason string
	var suspend, reinstate bool
	command := &cobra.Command{
		Use: "revoke ID", Short: "Revoke a credential for good, or suspend or reinstate it", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				change, done := a.Issuer.Revoke, issuer.StatusRevoked
				if suspend {
					change, done = a.Issuer.Suspend, issuer.StatusSuspended
				}
				if reinstate {
					change, done = a.Issuer.Reinstate, issuer.StatusValid
				}
				id := schemas.CredentialID(args[0])
				if err := change(issuer.WithActor(ctx, "operator"), tenant, id, reason); err != nil {
					return exitWith(ExitData, err)
				}
				if err := errors.Join(a.Issuer.DrainOutbox(ctx), a.Registry.Publish(ctx)); err != nil {
					return fmt.Errorf("%s is %s; publishing goes on at the next start: %w", id, done, err)
				}
				return c.answer(map[string]any{"id": id, "status": done}, fmt.Sprintf("%s is %s, and the published list says so\n", id, done))
			})
		},
	}
	command.Flags().StringVar(&tenant, "tenant", DemoTenant, "tenant that issued it")
	command.Flags().StringVar(&reason, "reason", "", "why, for the record")
	command.Flags().BoolVar(&suspend, "suspend", false, "suspend instead, until --reinstate")
	command.Flags().BoolVar(&reinstate, "reinstate", false, "end a suspension")
	command.MarkFlagsMutuallyExclusive("suspend", "reinstate")
	_ = command.MarkFlagRequired("reason")
	return command
}
