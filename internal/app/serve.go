package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"heartmark/api"
	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment/intake"
	"heartmark/assessment/live"
	"heartmark/internal/config"
	"heartmark/internal/obs"
	"heartmark/internal/store/badger"
	"heartmark/registry/translog"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func serveCommand(c *console) *cobra.Command {
	var check bool
	command := &cobra.Command{
		Use: "serve", Short: "Start the server", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			if check {
				text, err := cfg.Print()
				if err != nil {
					return err
				}
				return c.answer(map[string]any{"valid": true, "settings": text}, text)
			}
			log, err := obs.NewLogger(c.err, cfg.Log)
			if err != nil {
				return err
			}
			return serve(command.Context(), cfg, log)
		},
	}
	command.Flags().BoolVar(&check, "check", false, "validate the configuration, print the effective settings, and stop")
	return command
}

// serve listens before it opens anything, so that a busy port costs nothing, and runs until ctx ends.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	listener, err := listen(ctx, cfg.Listen, "listen")
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	var operations net.Listener
	if cfg.OpsListen != "" {
		if operations, err = listen(ctx, cfg.OpsListen, "ops_listen"); err != nil {
			return err
		}
		defer func() { _ = operations.Close() }()
	}
	translog.LogTo(log)
	a, err := Build(ctx, cfg, log, Options{})
	if err != nil {
		return err
	}
	// A server without the classifier still issues, publishes and verifies; submitting evidence then answers 503.
	s, err := a.openScoring(ctx, nil)
	if err != nil {
		log.WarnContext(ctx, "classifier is not available", slog.String("error", err.Error()))
	} else if err := a.openHeads(ctx, cfg.Model.Heads, s); err != nil {
		return errors.Join(err, a.Close())
	}
	return errors.Join(a.Serve(ctx, listener, operations, s), a.Close())
}

func listen(ctx context.Context, address, setting string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, exitWith(ExitUnavailable, fmt.Errorf("%s: %s is in use by another program; stop it or set another address", setting, address))
	}
	if err != nil {
		return nil, exitWith(ExitUnavailable, fmt.Errorf("%s: %w", setting, err))
	}
	return listener, nil
}

// Serve answers requests on listener, and metrics on operations where there is one, and does the background work, until
// ctx ends; requests in flight then finish within the shutdown grace. s is nil without a classifier.
func (a *App) Serve(ctx context.Context, listener, operations net.Listener, s *scoring) error {
	var assessor intake.Assessor
	if s != nil { // a nil pointer in the interface would not read as absent
		assessor = s
	}
	taking, err := a.newIntake(ctx, assessor)
	if err != nil {
		return err
	}
	streams, err := a.newLive(s)
	if err != nil {
		return err
	}
	handler, err := a.handler(ctx, s, taking, streams)
	if err != nil {
		return err
	}
	public := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: 120 * time.Second,
		IdleTimeout: 60 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	public.RegisterOnShutdown(a.Presentations.Stop)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.Work(ctx) })
	g.Go(func() error { return taking.Run(ctx) })
	if s != nil {
		g.Go(func() error { return s.Run(ctx) })
		g.Go(func() error { return streams.Run(ctx) })
	}
	g.Go(func() error { return a.listenAndStop(ctx, public, listener) })
	if operations != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", obs.Handler(a.metrics))
		ops := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
		g.Go(func() error { return a.listenAndStop(ctx, ops, operations) })
	}
	a.log.InfoContext(ctx, "serving", slog.String("origin", a.Config.Origin), slog.String("address", listener.Addr().String()), slog.String("mode", a.Config.Mode))
	return g.Wait()
}

func (a *App) listenAndStop(ctx context.Context, server *http.Server, listener net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.Config.ShutdownGrace)
	defer cancel()
	err := server.Shutdown(stopping)
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Work does what goes on beside requests: the issuer's outbox, publication of lists, the log, and housekeeping. It
// returns when ctx ends.
func (a *App) Work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.Issuer.Run(ctx) })
	g.Go(func() error { return a.Registry.Run(ctx) })
	g.Go(func() error { return a.Webhooks.Run(ctx) })
	g.Go(func() error { return a.Store.Run(ctx, 10*time.Minute) })
	g.Go(func() error { return a.Review.Run(ctx) })
	g.Go(func() error { return a.purge(ctx, time.Minute) })
	return g.Wait()
}

// purge removes offers, nonces, presentation sessions and kept answers that have ended.
func (a *App) purge(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if _, err := a.OID4VCI.Purge(ctx, 1000); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "purge of ended offers", slog.String("error", err.Error()))
			}
			if _, err := a.Presentations.Purge(ctx, 1000); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "purge of ended presentations", slog.String("error", err.Error()))
			}
			if _, err := a.Store.DeleteReplays(ctx, a.now(), 1000); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "purge of kept answers", slog.String("error", err.Error()))
			}
		}
	}
}

func (a *App) handler(ctx context.Context, s *scoring, taking *intake.Service, streams *live.Service) (http.Handler, error) {
	proxies, err := prefixes(a.Config.TrustedProxies)
	if err != nil {
		return nil, err
	}
	salt, err := a.secret(ctx, "evidence salt")
	if err != nil {
		return nil, err
	}
	cursors, err := a.secret(ctx, "list cursors")
	if err != nil {
		return nil, err
	}
	c := api.Config{
		Origin: a.Config.Origin, DID: a.DID(), Dev: a.Config.Mode == config.Development, TrustedProxies: proxies,
		Keys: apiKeys{a}, KeyStore: keyStore{a}, Replays: replays{a}, Issuer: a.Issuer, Wallets: a.OID4VCI, Registry: a.Registry, TransLog: a.Log,
		Resolver: recordedDIDs{a}, Groups: &statusBits{issuer: a.Issuer, origin: a.Config.Origin}, Verifier: a.Verifier, Reports: a.reports(), SaltKey: salt,
		Presentations: a.Presentations, Policies: a.Policies, Statements: a.Statements(), CursorKey: cursors, Stopping: ctx.Done(), Webhooks: a.Webhooks,
		Ready: a.Store.Check, Logger: a.log, Metrics: a.metrics, Now: a.now, NewID: a.newID,
	}
	if s != nil { // a nil pointer in the interface would not read as absent
		c.Assessor, c.Heads = s, s.heads
	}
	trainer, library, err := a.training(s)
	if err != nil {
		return nil, err
	}
	if c.Practice, err = a.practice(s); err != nil {
		return nil, err
	}
	c.Trainer, c.Library, c.Intake = trainer, library, rights{taking, trainer}
	c.Review, c.Live = a.Review, streams
	return api.New(c)
}

// prefixes reads addresses and prefixes of trusted proxies.
func prefixes(texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range texts {
		if !strings.Contains(text, "/") {
			address, err := netip.ParseAddr(text)
			if err != nil {
				return nil, exitWith(ExitUsage, fmt.Errorf("trusted_proxies: %w", err))
			}
			out = append(out, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, exitWith(ExitUsage, fmt.Errorf("trusted_proxies: %w", err))
		}
		out = append(out, prefix)
	}
	return out, nil
}

// apiKeys finds whom an API key stands for. It asks the store each time, so that an ended key ends at once.
type apiKeys struct{ app *App }

var _ api.Keys = apiKeys{}

// Find implements api.Keys.
func (k apiKeys) Find(ctx context.Context, hash [sha256.Size]byte) (api.Key, error) {
	record, err := k.app.Store.APIKey(ctx, hex.EncodeToString(hash[:]))
	if errors.Is(err, badger.ErrNoTenant) || (err == nil && !record.LiveAt(k.app.now())) {
		return api.Key{}, problem.ErrUnauthenticated
	}
	if err != nil {
		return api.Key{}, err
	}
	if _, err := k.app.tenant(ctx, record.Tenant); err != nil {
		return api.Key{}, problem.ErrUnauthenticated
	}
	scopes := make([]edge.Scope, len(record.Scopes))
	for n, s := range record.Scopes {
		scopes[n] = edge.Scope(s)
	}
	return api.Key{ID: record.ID, Hash: hash, Tenant: record.Tenant, Scopes: scopes, PerSecond: record.PerSecond, ExpiresAt: record.ExpiresAt}, nil
}
