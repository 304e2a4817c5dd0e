package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"heartmark/api/assessmentapi"
	"heartmark/api/intakeapi"
	"heartmark/api/issuerapi"
	"heartmark/api/keysapi"
	"heartmark/api/policyapi"
	"heartmark/api/presentationapi"
	"heartmark/api/registryapi"
	"heartmark/api/reviewapi"
	"heartmark/api/trainingapi"
	"heartmark/api/ui"
	"heartmark/api/verifierapi"
	"heartmark/api/webhookapi"
	"heartmark/assessment/live"
	"heartmark/registry"

	"github.com/prometheus/client_golang/prometheus"
)

// Issuer issues credentials and changes their status; *issuer.Issuer is one.
type Issuer interface {
	issuerapi.Issuer
	issuerapi.StatusChanger
}

// Wallets speaks OpenID4VCI; *oid4vci.Service is one.
type Wallets interface {
	issuerapi.Offers
	issuerapi.Wallets
	issuerapi.Holders
	issuerapi.Metadata
}

// Registry is the public registry; *registry.Registry is one.
type Registry interface {
	registryapi.Publications
	registryapi.Authorities
	registryapi.Writer
	registryapi.Federation
	registryapi.Events
	// Backed reports whether the bodies above an authority all accredit now.
	Backed(ctx context.Context, a registry.Authority) (bool, error)
}

// Log is the transparency log as anyone may read it; *translog.Log is one.
type Log interface {
	registryapi.Log
	Entries(ctx context.Context, first uint64, limit int) ([][]byte, error)
}

// StatusGroups lists the groups of status lists, for the registry page; a registry.StatusSource is one.
type StatusGroups interface {
	Groups(ctx context.Context) ([]registry.List, error)
}

// Config is what New needs. All fields are required except where it says otherwise.
type Config struct {
	// Origin is the public origin without a slash at its end, DID the installation's identifier. Nothing published is ever
	// taken from a request's Host header.
	Origin, DID string
	// Dev marks every page as development mode.
	Dev bool
	// TrustedProxies are the peers whose X-Forwarded-For is believed; none means that nobody's is.
	TrustedProxies []netip.Prefix
	// RateFactor multiplies every rate limit; 0 means 1.
	RateFactor float64

	Keys     Keys
	KeyStore keysapi.Store
	Replays  Replays
	Issuer   Issuer
	Wallets  Wallets
	Registry Registry
	TransLog Log
	Resolver registryapi.Resolver
	Groups   StatusGroups
	Trainer  trainingapi.Trainer
	Library  trainingapi.Library
	Verifier verifierapi.Verifier
	// Practice is the practice page.
	Practice ui.Practice
	Reports  assessmentapi.Reports
	Assessor assessmentapi.Assessor // nil where the classifier is not available: submitting evidence answers 503
	// Heads are the operator's own heads by name; nil where the classifier is not available: labelling answers 503.
	Heads map[string]assessmentapi.Labeller
	// Webhooks keeps whom to tell of events; nil answers 503.
	Webhooks webhookapi.Service
	// Intake takes receipts and evidence batches; nil answers 503.
	Intake intakeapi.Service
	// Presentations asks wallets for presentations; nil answers 503.
	Presentations presentationapi.Sessions
	// Statements signs receipts and bulk reports.
	Statements verifierapi.Statements
	// Policies keeps tenants' verification policies; nil answers 503.
	Policies policyapi.Policies
	// Stopping is closed when the server is about to stop: open streams end then. It may be nil.
	Stopping <-chan struct{}
	// CursorKey seals the cursors of lists; all processes of an installation share it.
	CursorKey []byte
	SaltKey   []byte // secret that makes a repeated submission the same report; may be empty
	AtOnce    int    // submissions scored at once; 0 means 2
	Ready     func(ctx context.Context) error
	Logger    *slog.Logger
	Metrics   prometheus.Registerer
	Now       func() time.Time
	NewID     func() string
	// Review keeps the queue of reviewers and the contests of subjects; nil answers 503.
	Review reviewapi.Service
	// Live scores messages as they come; nil where the classifier is not available: 503.
	Live *live.Service
}

// Validate reports all faults at once.
func (c Config) Validate() error {
	var faults []error
	u, err := url.Parse(c.Origin)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || (u.Scheme != "https" && u.Scheme != "http") {
		faults = append(faults, fmt.Errorf("origin %q is not an origin such as https://dei.example", c.Origin))
	}
	for _, f := range []struct {
		name    string
		missing bool
	}{
		{"DID", c.DID == ""},
		{"Keys", c.Keys == nil},
		{"KeyStore", c.KeyStore == nil},
		{"Replays", c.Replays == nil},
		{"Issuer", c.Issuer == nil},
		{"Wallets", c.Wallets == nil},
		{"Registry", c.Registry == nil},
		{"TransLog", c.TransLog == nil},
		{"Resolver", c.Resolver == nil},
		{"Groups", c.Groups == nil},
		{"Trainer", c.Trainer == nil},
		{"Library", c.Library == nil},
		{"Verifier", c.Verifier == nil},
		{"Statements", c.Statements == nil},
		{"Practice", c.Practice == nil},
		{"Reports", c.Reports == nil},
		{"CursorKey", len(c.CursorKey) == 0},
		{"Ready", c.Ready == nil},
		{"Logger", c.Logger == nil},
		{"Metrics", c.Metrics == nil},
		{"Now", c.Now == nil},
		{"NewID", c.NewID == nil},
	} {
		if f.missing {
			faults = append(faults, fmt.Errorf("%s is missing", f.name))
		}
	}
	if c.RateFactor < 0 {
		faults = append(faults, errors.New("rate factor is negative"))
	}
	return errors.Join(faults...)
}
