package app

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"heartmark/assessment/review"
	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

func reviewCommand(c *console) *cobra.Command {
	command := &cobra.Command{Use: "review", Short: "Reviewers, their queue and agreement; a reviewer's key and signature"}
	command.AddCommand(reviewPolicyCommand(c), reviewAppointCommand(c), reviewQueueCommand(c), reviewAgreementCommand(c), reviewKeyCommand(c), reviewSignCommand(c))
	return command
}

func reviewFlags(command *cobra.Command, p *schemas.ReviewPolicy) {
	command.Flags().StringVar(&p.Mode, "review", "", "before-issue or on-request (the default): when a reviewer reads a report")
	command.Flags().IntVar(&p.SecondPercent, "second-readings", 0, "of a hundred decided cases, how many get a second, independent reading")
}

func reviewPolicyCommand(c *console) *cobra.Command {
	var tenant string
	var p schemas.ReviewPolicy
	command := &cobra.Command{
		Use: "policy", Short: "Set when a tenant's reports are read by a reviewer", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := checkReviewPolicy(p); err != nil {
				return err
			}
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				if err := a.Store.SetReview(ctx, tenant, p); err != nil {
					return exitWith(ExitData, err)
				}
				return c.answer(p, fmt.Sprintf("%s: %s, second readings %d %%\n", tenant, p.Mode, p.SecondPercent))
			})
		},
	}
	command.Flags().StringVar(&tenant, "tenant", DemoTenant, "tenant")
	reviewFlags(command, &p)
	_ = command.MarkFlagRequired("review")
	return command
}

func reviewAppointCommand(c *console) *cobra.Command {
	var tenant string
	var r review.Reviewer
	command := &cobra.Command{
		Use: "appoint ID", Short: "Make somebody a reviewer, or end it with --end", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			r.ID = args[0]
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				done, err := a.Review.Appoint(ctx, review.Caller{Tenant: tenant, Actor: "operator"}, r)
				if err != nil {
					return exitWith(ExitData, err)
				}
				return c.answer(done, fmt.Sprintf("%s reviews for %s with key %s\n", done.ID, tenant, done.Key))
			})
		},
	}
	command.Flags().StringVar(&tenant, "tenant", DemoTenant, "tenant")
	command.Flags().StringVar(&r.Name, "name", "", "who this is")
	command.Flags().StringVar(&r.Key, "key", "", "id of the API key with the scope review that this person uses")
	command.Flags().StringVar(&r.DID, "did", "", "did:key or did:jwk that signs this person's verdicts (`heartmark review key` makes one)")
	command.Flags().BoolVar(&r.Ended, "end", false, "this person reviews no longer")
	for _, name := range []string{"name", "key", "did"} {
		_ = command.MarkFlagRequired(name)
	}
	return command
}

func reviewQueueCommand(c *console) *cobra.Command {
	var tenant, state string
	command := &cobra.Command{
		Use: "queue", Short: "List cases, the earliest first", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				rows, text := []review.Case{}, strings.Builder{}
				for cursor := ""; ; {
					page, next, err := a.Review.Queue(ctx, tenant, state, cursor, 200)
					if err != nil {
						return exitWith(ExitUsage, err)
					}
					for _, x := range page {
						rows = append(rows, x)
						fmt.Fprintf(&text, "%s  %-8s %-8s %v  %s  report %s\n", x.ID, x.Kind, x.State, x.Dimensions, schemas.FormatTime(x.Opened), x.Report)
					}
					if next == "" {
						return c.answer(rows, text.String())
					}
					cursor = next
				}
			})
		},
	}
	command.Flags().StringVar(&tenant, "tenant", DemoTenant, "tenant")
	command.Flags().StringVar(&state, "state", review.StateWaiting, strings.Join(review.States(), ", "))
	return command
}

func reviewAgreementCommand(c *console) *cobra.Command {
	var tenant string
	command := &cobra.Command{
		Use: "agreement", Short: "How far reviewers agree, and how fast they work", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				found, err := a.Review.Agreement(ctx, tenant)
				if err != nil {
					return err
				}
				return c.answer(found, agreementText(found))
			})
		},
	}
	command.Flags().StringVar(&tenant, "tenant", DemoTenant, "tenant")
	return command
}

func agreementText(found review.Agreement) string {
	var b strings.Builder
	number := func(x *float64) string {
		if x == nil {
			return "undefined"
		}
		return fmt.Sprintf("%.2f", *x)
	}
	for _, m := range []struct {
		name string
		review.Measure
	}{{"levels", found.Levels}, {"passages", found.Passages}} {
		fmt.Fprintf(&b, "%s: Krippendorff's alpha %s over %d units that two or more rated\n", m.name, number(m.Alpha), m.Units)
		for _, p := range m.Pairs {
			fmt.Fprintf(&b, "  %s and %s: Cohen's kappa %s over %d\n", p.A, p.B, number(p.Kappa), p.Units)
		}
	}
	for _, w := range found.Reviewers {
		fmt.Fprintf(&b, "%s: %d cases, %d levels released, %d refused, half within %s\n", w.Reviewer, w.Decided, w.Released, w.Refused, w.Median)
	}
	return b.String()
}

func reviewKeyCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "key FILE", Short: "Make a reviewer's signing key in a new file and print its did:key", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			public, private, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			der, err := x509.MarshalPKCS8PrivateKey(private)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // never over a key that is there
			if err != nil {
				return exitWith(ExitData, err)
			}
			if err := errors.Join(pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), f.Close()); err != nil {
				return err
			}
			id, err := keyDID(public)
			if err != nil {
				return err
			}
			return c.answer(map[string]any{"did": id, "file": args[0]}, id+"\n")
		},
	}
}

func keyDID(public ed25519.PublicKey) (string, error) {
	multibase, err := keys.Multibase(public)
	if err != nil {
		return "", err
	}
	return "did:key:" + multibase, nil
}

func reviewSignCommand(c *console) *cobra.Command {
	var key, id string
	command := &cobra.Command{
		Use: "sign DECISION.json", Short: "Sign a decision with a reviewer's key, for POST /v1/reviews/{id}/decision", Args: cobra.ExactArgs(1),
		Long: "Sign reads a decision (verdicts, reason, marks) and prints it with the member signature, ready to be posted within ten minutes.\n" +
			"It needs no server and no data folder.",
		RunE: func(_ *cobra.Command, args []string) error {
			return c.signDecision(args[0], key, id)
		},
	}
	command.Flags().StringVar(&key, "key", "", "file of `heartmark review key`")
	command.Flags().StringVar(&id, "case", "", "id of the case")
	for _, name := range []string{"key", "case"} {
		_ = command.MarkFlagRequired(name)
	}
	return command
}

func (c *console) signDecision(file, keyFile, id string) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return exitWith(ExitData, err)
	}
	var d review.Decision
	if err := json.Unmarshal(data, &d); err != nil {
		return exitWith(ExitData, fmt.Errorf("%s: %w", file, err))
	}
	private, err := readReviewerKey(keyFile)
	if err != nil {
		return exitWith(ExitData, err)
	}
	public, _ := private.Public().(ed25519.PublicKey)
	reviewer, err := keyDID(public)
	if err != nil {
		return err
	}
	signature, err := SignDecision(private, reviewer, did.FromOrigin(cfg.Origin, ""), id, d, time.Now())
	if err != nil {
		return err
	}
	out := struct {
		review.Decision
		Signature string `json:"signature"`
	}{d, signature}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return c.answer(out, string(text)+"\n")
}

func readReviewerKey(file string) (ed25519.PrivateKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: not a PEM file", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s: not an Ed25519 key", file)
	}
	return private, nil
}

// SignDecision makes a reviewer's statement over a decision: type review.TypReview, for the installation audience. reviewer is the
// did:key of the key.
func SignDecision(key crypto.Signer, reviewer, audience, id string, d review.Decision, at time.Time) (string, error) {
	digest, err := d.Digest()
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"iss": reviewer, "aud": audience, "iat": at.Unix(), "case": id, "verdict": digest})
	if err != nil {
		return "", err
	}
	return jose.Sign(map[string]any{"typ": review.TypReview, "kid": reviewer + "#" + strings.TrimPrefix(reviewer, "did:key:")}, claims, key)
}
