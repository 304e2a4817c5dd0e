package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/api"
	"heartmark/api/edge"
	"heartmark/api/keysapi"
	"heartmark/api/problem"
	"heartmark/internal/store/badger"
	"heartmark/issuer"
	"heartmark/schemas"

	"github.com/spf13/cobra"
)

// errKeySettings is returned for a key that cannot be made as asked.
var errKeySettings = errors.New("bad key settings")

// CreateAPIKey makes a platform's key: tenant, scopes, and if wanted a name, a rate and an end are taken from k. The key itself is
// returned here and nowhere else; what is stored is its digest.
func (a *App) CreateAPIKey(ctx context.Context, k schemas.APIKey) (key string, record schemas.APIKey, err error) {
	if _, err := a.Store.Tenant(ctx, k.Tenant); err != nil {
		return "", schemas.APIKey{}, err
	}
	now := a.now()
	switch {
	case len(k.Scopes) == 0:
		return "", schemas.APIKey{}, fmt.Errorf("%w: no scope", errKeySettings)
	case slices.ContainsFunc(k.Scopes, func(s string) bool { return !slices.Contains(edge.Scopes(), edge.Scope(s)) }):
		return "", schemas.APIKey{}, fmt.Errorf("%w: scopes %v are not all of %v", errKeySettings, k.Scopes, edge.Scopes())
	case len(k.Name) > keysapi.MaxName || k.PerSecond < 0 || k.PerSecond > keysapi.MaxPerSecond:
		return "", schemas.APIKey{}, fmt.Errorf("%w: a name of at most %d bytes, a rate of at most %d a second", errKeySettings, keysapi.MaxName, keysapi.MaxPerSecond)
	case !k.ExpiresAt.IsZero() && k.ExpiresAt.Before(now.Add(keysapi.MinLife)):
		return "", schemas.APIKey{}, fmt.Errorf("%w: it would end within %s", errKeySettings, keysapi.MinLife)
	}
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return "", schemas.APIKey{}, err
	}
	key = api.KeyPrefix + base64.RawURLEncoding.EncodeToString(secret)
	k.ID, k.Hash, k.CreatedAt, k.RevokedAt = a.newID(), hashKey(key), now, time.Time{}
	if err := a.auditAPIKey(ctx, "api_key.created", k); err != nil {
		return "", schemas.APIKey{}, err
	}
	return key, k, a.Store.PutAPIKey(ctx, k)
}

func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// RevokeAPIKey ends a key of a tenant at once, by its id or by the key itself. Doing it twice is no error.
func (a *App) RevokeAPIKey(ctx context.Context, tenant, which string) error {
	all, err := a.Store.APIKeys(ctx, tenant)
	if err != nil {
		return err
	}
	hash := hashKey(which)
	for _, k := range all {
		if k.ID != which && k.Hash != hash {
			continue
		}
		if !k.RevokedAt.IsZero() {
			return nil
		}
		if err := a.auditAPIKey(ctx, "api_key.revoked", k); err != nil {
			return err
		}
		k.RevokedAt = a.now()
		return a.Store.PutAPIKey(ctx, k)
	}
	return fmt.Errorf("API key of %s: %w", tenant, badger.ErrNoTenant)
}

// keyStore serves a tenant's keys over HTTP.
type keyStore struct{ *App }

var _ keysapi.Store = keyStore{}

// APIKeys implements keysapi.Store.
func (k keyStore) APIKeys(ctx context.Context, tenant string) ([]schemas.APIKey, error) {
	return k.Store.APIKeys(ctx, tenant)
}

// RevokeAPIKey implements keysapi.Store.
func (k keyStore) RevokeAPIKey(ctx context.Context, tenant, id string) error {
	err := k.App.RevokeAPIKey(ctx, tenant, id)
	if errors.Is(err, badger.ErrNoTenant) {
		return fmt.Errorf("%w: %w", problem.ErrNotFound, err)
	}
	return err
}

// auditAPIKey writes what will happen to a key to the audit trail.
func (a *App) auditAPIKey(ctx context.Context, event string, k schemas.APIKey) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: a.now(), Event: event, Tenant: k.Tenant, Actor: issuer.Actor(ctx), Object: k.ID, Detail: strings.Join(k.Scopes, ","),
	})
}

func apiKeyCommand(c *console) *cobra.Command {
	var (
		k            schemas.APIKey
		life         time.Duration
		revoke, list = "", false
	)
	command := &cobra.Command{
		Use: "api", Short: "Make an API key for a tenant, shown once; --list shows them, --revoke ends one", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.withApp(command.Context(), func(ctx context.Context, a *App) error {
				ctx = issuer.WithActor(ctx, "operator")
				switch {
				case revoke != "":
					if err := a.RevokeAPIKey(ctx, k.Tenant, revoke); err != nil {
						return exitWith(ExitData, err)
					}
					return c.answer(map[string]any{"revoked": true}, "the key opens nothing any more\n")
				case list:
					return c.listAPIKeys(ctx, a, k.Tenant)
				}
				if life != 0 {
					k.ExpiresAt = a.now().Add(life)
				}
				key, record, err := a.CreateAPIKey(ctx, k)
				if errors.Is(err, errKeySettings) {
					return exitWith(ExitUsage, err)
				}
				if err != nil {
					return exitWith(ExitData, err)
				}
				answer := map[string]any{"key": key, "id": record.ID, "tenant": record.Tenant, "scopes": record.Scopes}
				if !record.ExpiresAt.IsZero() {
					answer["expiresAt"] = schemas.FormatTime(record.ExpiresAt)
				}
				return c.answer(answer, key+"\n")
			})
		},
	}
	f := command.Flags()
	f.StringVar(&k.Tenant, "tenant", DemoTenant, "tenant that the key stands for")
	f.StringSliceVar(&k.Scopes, "scope", []string{string(edge.ScopeAssess), string(edge.ScopeConsent), string(edge.ScopeIssue)}, "rights of the key")
	f.StringVar(&k.Name, "name", "", "what the key is for")
	f.Float64Var(&k.PerSecond, "rate", 0, "requests a second that the key may make; 0 is the installation's default")
	f.DurationVar(&life, "life", 0, "how long the key is good, such as 720h; 0 is until it is revoked")
	f.BoolVar(&list, "list", false, "list the tenant's keys")
	f.StringVar(&revoke, "revoke", "", "the key to end, or its id")
	command.MarkFlagsMutuallyExclusive("list", "revoke")
	return command
}

func (c *console) listAPIKeys(ctx context.Context, a *App, tenant string) error {
	all, err := a.Store.APIKeys(ctx, tenant)
	if err != nil {
		return err
	}
	var text strings.Builder
	rows := make([]map[string]any, 0, len(all))
	for _, k := range all {
		row := map[string]any{"id": k.ID, "name": k.Name, "scopes": k.Scopes, "state": k.StateAt(a.now()), "created": k.CreatedAt}
		end := "-"
		if !k.ExpiresAt.IsZero() {
			end, row["expires"] = k.ExpiresAt.Format(time.DateOnly), k.ExpiresAt
		}
		if k.PerSecond > 0 {
			row["per_second"] = k.PerSecond
		}
		rows = append(rows, row)
		fmt.Fprintf(&text, "%s  %-8s until %-10s  %s  %s\n", k.ID, k.StateAt(a.now()), end, strings.Join(k.Scopes, ","), k.Name)
	}
	return c.answer(rows, text.String())
}
