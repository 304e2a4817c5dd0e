package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"heartmark/assessment/intake"
	"heartmark/assessment/review"
	"heartmark/internal/config"
	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/internal/keys"
	"heartmark/internal/obs"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/store/badger"
	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/registry/webhooks"
	jsonldcontext "heartmark/schemas/context"
	"heartmark/schemas/jsonschema"
	"heartmark/verifier"
	"heartmark/verifier/offline"
	"heartmark/verifier/oid4vp"
	"heartmark/verifier/policies"
)

// App holds the parts of one process, joined. Close it when done.
type App struct {
	Config   config.Config
	Store    *badger.DB
	Keys     *keys.Service
	Log      *translog.Log
	Registry *registry.Registry
	Issuer   *issuer.Issuer
	OID4VCI  *oid4vci.Service
	Webhooks *webhooks.Service
	Verifier *verifier.Verifier
	// Policies are tenants' own.
	Policies *policies.Service
	// Presentations asks wallets over OpenID4VP.
	Presentations *oid4vp.Service
	Resolver      *did.Resolver
	Processor     *dataintegrity.Processor
	Review        *review.Service

	fetch   *fetch.Client
	vault   intakeVault
	sealer  *intake.Sealer
	crash   func(point string)
	log     *slog.Logger
	now     func() time.Time
	newID   func() string
	metrics *prometheus.Registry
	closers []func() error
}

// Options are what tests and the demo set apart from the configuration.
type Options struct {
	Now   func() time.Time // nil: the system clock
	NewID func() string    // nil: random UUIDs
	Crash func(point string)
	// InMemory keeps the store in memory. The transparency log is on disk all the same.
	InMemory bool
}

// Build opens the store, the keys and the log, makes the parts and joins them. It serves nothing and starts no work of
// its own: Serve and Work do. Everything that was opened is closed again when it fails.
func Build(ctx context.Context, c config.Config, log *slog.Logger, o Options) (_ *App, err error) {
	if o.Now == nil {
		o.Now = func() time.Time { return time.Now().UTC() }
	}
	if o.NewID == nil {
		o.NewID = func() string { return uuid.NewString() }
	}
	if o.Crash == nil {
		o.Crash = crashPoint()
	}
	a := &App{Config: c, log: log, now: o.Now, newID: o.NewID, crash: o.Crash, metrics: obs.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	for _, step := range []func(context.Context, Options) error{
		a.openStore, a.openIntake, a.openLog, a.joinParts, a.openWallets, a.openPresentations, a.openWebhooks,
	} {
		if err := step(ctx, o); err != nil {
			return nil, err
		}
	}
	return a, a.bootstrap(ctx)
}

// Close closes what Build opened, the last first.
func (a *App) Close() error {
	var faults []error
	for n := len(a.closers) - 1; n >= 0; n-- {
		faults = append(faults, a.closers[n]())
	}
	a.closers = nil
	return errors.Join(faults...)
}

// DID returns the did:web of the installation.
func (a *App) DID() string { return did.FromOrigin(a.Config.Origin, "") }

// developmentOrigins are the loopback origins that may be named without TLS: those configured and, in development, our own
// (design sections 9.15, 9.25).
func (a *App) developmentOrigins() []string {
	origins := slices.Clone(a.Config.DevOrigins)
	if a.Config.Mode == config.Development && !slices.Contains(origins, a.Config.Origin) {
		origins = append(origins, a.Config.Origin)
	}
	return origins
}

func (a *App) openStore(ctx context.Context, o Options) error {
	if err := keys.CheckKEK(a.Config.KEKFile, a.Config.DataDir); err != nil {
		return exitWith(ExitUnavailable, err)
	}
	settings := badger.Config{Dir: filepath.Join(a.Config.DataDir, "db"), Log: a.log}
	if o.InMemory {
		settings.Dir, settings.InMemory = "", true
	}
	store, err := badger.Open(settings)
	if err != nil {
		return exitWith(ExitUnavailable, err)
	}
	a.Store = store
	a.closers = append(a.closers, store.Close)
	a.Keys, err = keys.Open(ctx, keys.Config{
		KEKFile: a.Config.KEKFile, DataDir: a.Config.DataDir, Store: store, Now: a.now,
		Controller: func(tenant string) string { return did.FromOrigin(a.Config.Origin, tenant) },
		Audit:      a.auditKey,
	})
	if err != nil {
		return exitWith(ExitUnavailable, err)
	}
	return a.checkOrigin(ctx)
}

// checkOrigin refuses a data folder that was made for another origin: every identifier and signature in it names that one.
func (a *App) checkOrigin(ctx context.Context) error {
	made, err := a.Store.Once(ctx, "origin", []byte(a.Config.Origin))
	if err != nil {
		return err
	}
	if string(made) != a.Config.Origin {
		return exitWith(ExitUnavailable, fmt.Errorf("data folder %s was made for the origin %s, the configuration says %s: set that origin, or another data_dir",
			a.Config.DataDir, made, a.Config.Origin))
	}
	return nil
}

// openLog opens the transparency log under its own key, which is made on first use.
func (a *App) openLog(ctx context.Context, _ Options) error {
	signer, err := a.Keys.SignerFor(ctx, "", keys.KindLog)
	if errors.Is(err, keys.ErrNotFound) {
		if _, err = a.Keys.Create(ctx, "", keys.KindLog, keys.AlgEdDSA); err == nil {
			signer, err = a.Keys.SignerFor(ctx, "", keys.KindLog)
		}
	}
	if err != nil {
		return fmt.Errorf("log key: %w", err)
	}
	u, err := url.Parse(a.Config.Origin)
	if err != nil {
		return err
	}
	a.Log, err = translog.Open(ctx, translog.Config{
		Dir: filepath.Join(a.Config.DataDir, "log"), Name: u.Host + "/log", Signer: signer,
	})
	if err != nil {
		return exitWith(ExitUnavailable, err)
	}
	a.closers = append(a.closers, func() error {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return a.Log.Close(closing)
	})
	return nil
}

// joinParts makes registry, issuer and verifier. The registry needs the issuer's bits and the resolver, which need the
// registry; localDocuments and statusBits are filled in last.
func (a *App) joinParts(_ context.Context, o Options) error {
	loader, err := jsonldcontext.New()
	if err != nil {
		return err
	}
	a.Processor = dataintegrity.New(loader)
	if a.Config.Verifier.Ed25519 == config.Ed25519Standard {
		a.Processor = a.Processor.WithStandardEd25519()
	}
	client, err := fetch.New(fetch.Config{Now: a.now, AllowLoopbackOrigins: a.developmentOrigins()})
	if err != nil {
		return err
	}
	a.fetch = client
	local := &localDocuments{base: a.DID()}
	a.Resolver, err = did.New(did.Config{Fetch: client, Local: local, DevOrigins: a.developmentOrigins(), Now: a.now})
	if err != nil {
		return err
	}
	bits := &statusBits{origin: a.Config.Origin}
	a.Registry, err = registry.New(registry.Config{
		Origin: a.Config.Origin, Store: a.Store.Registry(), Log: a.Log,
		Signers: signers{a.Keys, a.DID()}, Securer: listSecurer{securer{a.Processor}},
		Lists: bits, Control: keyResolver{a.Resolver}, Journal: a.auditRegistry,
		Now: a.now, Logger: a.log, Crash: o.Crash,
	})
	if err != nil {
		return err
	}
	local.registry = a.Registry
	configurations, err := a.Config.Issuer.Build()
	if err != nil {
		return err
	}
	if err := a.openReview(); err != nil {
		return err
	}
	a.Issuer, err = issuer.New(issuer.Config{
		Origin: a.Config.Origin, Configurations: configurations, Store: a.Store, Signers: signers{a.Keys, a.DID()},
		Securer: issuerSecurer{securer{a.Processor}}, Sealer: a.Keys, Reports: a.reportSource(),
		Authorities: authorityChecker{a.Registry}, Issuers: tenants{a}, Publisher: logPublisher{a.Registry}, Lists: a.Registry,
		Now: a.now, NewID: a.newID, Log: a.log, Crash: o.Crash,
	})
	if err != nil {
		return err
	}
	bits.issuer = a.Issuer
	a.Verifier, err = a.newVerifier(loader, client)
	return err
}

func (a *App) newVerifier(loader *jsonldcontext.Loader, client *fetch.Client) (*verifier.Verifier, error) {
	validator, err := jsonschema.New()
	if err != nil {
		return nil, err
	}
	a.Policies, err = policies.New(policies.Config{Store: a.Store, Reserved: []string{"legacy", "interop", offline.Policy}, Journal: a.auditPolicy, Now: a.now})
	if err != nil {
		return nil, err
	}
	others := &foreign{
		registry: a.Registry, client: client, development: a.developmentOrigins(), now: a.now, log: a.log, known: map[string]*foreignRegistry{},
	}
	return verifier.New(verifier.Config{
		Keys: keyResolver{a.Resolver}, Proofs: a.Processor, Contexts: loader,
		Status:    statusSource{registry: a.Registry, fetch: client, origin: a.Config.Origin, now: a.now},
		Authority: recognisedAuthorities{authorities{a.Registry}, others}, Intervals: recognisedIntervals{intervals{a.Registry, a.now}, others},
		Schemas: validator, Log: recognisedLogs{logSource{keys: a.Log.VerifierKeys, now: a.now}, others}, Own: a.Policies,
		Now: a.now, ProblemBase: a.Config.Origin + "/problems/",
	})
}
