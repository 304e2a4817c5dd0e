package oid4vci

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"heartmark/issuer"
	"heartmark/schemas"
)

// Lifetimes and limits (security specification, section 3). Configuration may only make them stricter.
const (
	MaxOfferLife = 10 * time.Minute
	// MaxTokenLife is that of bearer tokens, MaxBoundTokenLife that of tokens that are bound to a key.
	MaxTokenLife      = 5 * time.Minute
	MaxBoundTokenLife = 60 * time.Minute
	MaxNonceLife      = 5 * time.Minute
	MaxCodeLife       = 60 * time.Second
	// MaxRefreshLife is how long a wallet may wait for a credential that is held back, or come again for the same one.
	MaxRefreshLife = 30 * 24 * time.Hour
	MaxWrongTries  = 5
	MaxBatch       = 20
	clockSkew      = 60 * time.Second
	keepAfterEnd   = 24 * time.Hour
	maxLanguageTag = 35
)

// Tenant is what the protocol shows of a tenant.
type Tenant struct {
	// Name is the issuer's name; it is shown in both languages unless Names has one for a language ("en", "zh").
	Name  string
	Names map[string]string
	// Logo is the address of a picture, https or of this installation; "" shows none.
	Logo string
	// Configurations are what the tenant can issue.
	Configurations []issuer.Configuration
}

// IssueRequest asks the issuer for one credential.
type IssueRequest struct {
	Tenant, Configuration, ReportID, HolderID string
	Language                                  string
	// Offer is the offer's id, Place that of the holder among the keys of the credential request.
	Offer string
	Place int
}

// Key is an idempotency key that is the same for every try to get a credential of a configuration out of this offer. The
// issuer gives the same credential for the same holder, and ErrConflict for another one.
func (r IssueRequest) Key(configuration string) string {
	return "oid4vci/" + r.Offer + "/" + configuration + "/" + strconv.Itoa(r.Place)
}

// Issued is what the issuer gives back.
type Issued struct {
	ID     string
	Format string
	// Credential is as it stands in the answer: an object for ldp_vc, a text for the formats that are tokens.
	Credential json.RawMessage
}

// ProofChecker checks Data Integrity proofs of key proofs of type di_vp. Its methods may be called at once.
type ProofChecker interface {
	// Read returns what the one proof of a document claims. It fails where there is none or more than one, and where its suite
	// is not one of Suites.
	Read(doc map[string]any) (ClaimedProof, error)
	// Check verifies that proof with key; the document's terms must all be defined.
	Check(doc map[string]any, key crypto.PublicKey) error
	// Suites are the cryptosuites, as metadata lists them.
	Suites() []string
}

// ClaimedProof is what a proof says of itself, before it was verified.
type ClaimedProof struct {
	VerificationMethod, Purpose, Challenge string
	Domain                                 []string
	Created, Expires                       time.Time // zero where absent
}

// MetadataSigner is the key that signs the metadata of a tenant.
type MetadataSigner struct {
	crypto.Signer
	// Kid is the DID URL of the key.
	Kid string
}

// Config is what a Service needs.
type Config struct {
	// Origin is the public origin of the installation, without a slash at its end.
	Origin string
	Store  Store
	// Tenant describes a tenant. It returns issuer.ErrNotFound (or ErrNotFound) for one that is unknown or switched off.
	Tenant func(ctx context.Context, tenant string) (Tenant, error)
	// Issue issues. Sentinels of package issuer that are a final no are told to the wallet as such.
	Issue func(ctx context.Context, r IssueRequest) (Issued, error)
	// Ready reports, with the issuer's sentinels, whether the credential could be issued now: consent, report, tenant. It
	// is asked at every step; nil asks only at the end, when Issue does.
	Ready func(ctx context.Context, tenant, configuration, reportID string) error

	Now func() time.Time
	// OfferLife, TokenLife, BoundTokenLife, NonceLife, CodeLife and RefreshLife are the greatest allowed where zero.
	OfferLife, TokenLife, BoundTokenLife, NonceLife, CodeLife, RefreshLife time.Duration
	// Interval is how long a wallet is told to wait before it asks again for a credential that is held back; 0 means 30 s.
	Interval time.Duration
	// Wallets is what is asked of wallets.
	Wallets Wallets
	// Login is the external provider at which holders sign in, nil for none.
	Login Login
	// CheckProof checks proofs of type di_vp; nil does not offer them.
	CheckProof ProofChecker
	// SignMetadata gives the key that signs a tenant's metadata; nil serves it unsigned only.
	SignMetadata func(ctx context.Context, tenant string) (MetadataSigner, error)
	// Audit writes to the audit trail; its error stops an act of the issuer's people. Nil for tests.
	Audit func(ctx context.Context, e AuditEvent) error
	// Batch is how many keys one credential request may bring; 0 and 1 mean one, and then metadata says nothing of batches.
	Batch int
	// NonceKey authenticates nonces: 32 bytes that all processes behind one origin share. Nil draws one, so that a restart
	// voids the nonces given out before it.
	NonceKey []byte
	// EncryptionKey is the secret from which the keys for encrypted requests are derived: 32 bytes that all processes share.
	// Nil offers no encryption.
	EncryptionKey []byte
	// Log may be nil.
	Log *slog.Logger
	// Crash is called at the named points code.after_take and nonce.after_take. For tests; nil in production.
	Crash func(point string)
}

// Service runs the protocol. Its methods may be called at once.
type Service struct {
	c   Config
	log *slog.Logger
}

// New checks the configuration, all faults at once, and returns a Service.
func New(c Config) (*Service, error) {
	var faults []error
	add := func(wrong bool, what string) {
		if wrong {
			faults = append(faults, errors.New(what))
		}
	}
	u, err := url.Parse(c.Origin)
	add(err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Path != "" || u.RawQuery != "", "origin: expected an origin such as https://example.org")
	add(c.Store == nil, "store is missing")
	add(c.Tenant == nil, "tenant lookup is missing")
	add(c.Issue == nil, "issue is missing")
	add(c.Now == nil, "clock is missing")
	for _, l := range []struct {
		name  string
		value *time.Duration
		most  time.Duration
	}{
		{"offer life", &c.OfferLife, MaxOfferLife},
		{"token life", &c.TokenLife, MaxTokenLife},
		{"bound token life", &c.BoundTokenLife, MaxBoundTokenLife},
		{"nonce life", &c.NonceLife, MaxNonceLife},
		{"code life", &c.CodeLife, MaxCodeLife},
		{"refresh life", &c.RefreshLife, MaxRefreshLife},
	} {
		if *l.value == 0 {
			*l.value = l.most
		}
		add(*l.value < time.Second || *l.value > l.most, fmt.Sprintf("%s: expected 1s to %s", l.name, l.most))
	}
	add(c.Batch < 0 || c.Batch > MaxBatch, fmt.Sprintf("batch: expected 0 to %d", MaxBatch))
	c.Batch = max(c.Batch, 1)
	add(c.NonceKey != nil && len(c.NonceKey) != 32, "nonce key: expected 32 bytes")
	add(c.EncryptionKey != nil && len(c.EncryptionKey) != 32, "encryption key: expected 32 bytes")
	if c.Interval == 0 {
		c.Interval = 30 * time.Second
	}
	add(c.Interval < time.Second || c.Interval > 24*time.Hour, "interval: expected 1s to 24h")
	faults = append(faults, c.Wallets.faults()...)
	if len(faults) > 0 {
		return nil, fmt.Errorf("oid4vci: %w", errors.Join(faults...))
	}
	if c.NonceKey == nil {
		c.NonceKey = make([]byte, 32)
		rand.Read(c.NonceKey)
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	s := &Service{c: c, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// CrashPoints returns the names that Config.Crash can get.
func CrashPoints() []string { return []string{"code.after_take", "nonce.after_take"} }

// now is the one instant of a call.
func (s *Service) now() time.Time { return s.c.Now().UTC() }

// tenant returns the tenant, or ErrNotFound.
func (s *Service) tenant(ctx context.Context, tenant string) (Tenant, error) {
	t, err := s.c.Tenant(ctx, tenant)
	if errors.Is(err, issuer.ErrNotFound) {
		return Tenant{}, fmt.Errorf("tenant: %w", ErrNotFound)
	}
	if err != nil {
		return Tenant{}, fmt.Errorf("tenant: %w", err)
	}
	return t, nil
}

// configuration finds one of the tenant's configurations.
func (t Tenant) configuration(id string) (issuer.Configuration, bool) {
	for _, c := range t.Configurations {
		if c.ID == id {
			return c, true
		}
	}
	return issuer.Configuration{}, false
}

// names are the issuer's name by language.
func (t Tenant) names() map[string]string {
	out := map[string]string{}
	for _, lang := range schemas.Languages() {
		if out[lang] = t.Names[lang]; out[lang] == "" {
			out[lang] = t.Name
		}
	}
	return out
}

// credentialNames are the names of configurations, each by language.
func (t Tenant) credentialNames(ids []string) []map[string]string {
	var out []map[string]string
	for _, id := range ids {
		c, _ := t.configuration(id)
		one := map[string]string{}
		for _, lang := range schemas.Languages() {
			if one[lang] = c.Display[lang].Name; one[lang] == "" {
				one[lang] = id
			}
		}
		out = append(out, one)
	}
	return out
}

// ready asks Config.Ready, if there is one, about configurations of the offer. later tells that one of them waits for a
// review, which is no error.
func (s *Service) ready(ctx context.Context, o OfferRecord, configurations []string) (later bool, err error) {
	if s.c.Ready == nil {
		return false, nil
	}
	for _, c := range configurations {
		err := s.c.Ready(ctx, o.Tenant, c, o.ReportID)
		if errors.Is(err, issuer.ErrReviewNeeded) {
			later = true
		} else if err != nil {
			return false, err
		}
	}
	return later, nil
}

// Purge removes what has ended, at most limit records, and returns how many. Call it from time to time.
func (s *Service) Purge(ctx context.Context, limit int) (int, error) {
	n, err := s.c.Store.DeleteExpired(ctx, s.now(), limit)
	if err != nil {
		return n, fmt.Errorf("purge offers: %w", err)
	}
	return n, nil
}
