package oid4vci

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"heartmark/schemas"
)

// Grant types.
const (
	// GrantPreAuthorized is the grant type of the pre-authorised code.
	GrantPreAuthorized     = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
)

// offerScheme is the URL scheme that wallets register (OpenID4VCI 1.0, 4.1).
const offerScheme = "openid-credential-offer://"

const (
	maxConfigurations = 10
	maxAccount        = 256
)

// OfferRequest asks for an offer of credentials from one report.
type OfferRequest struct {
	Tenant string
	// Configurations are what is offered, at least one.
	Configurations []string
	ReportID       string
	// Language is that of the credential and of the hint for the transaction code; empty means English.
	Language string
	// Grants are GrantPreAuthorized, GrantAuthorizationCode or both; none means the first.
	Grants []string
	// Hold keeps the credential back until Release: the wallet is told to ask again.
	Hold bool
	// Account is the subject at the external provider who alone may take the offer by authorisation code; empty asks for
	// the transaction code in its place.
	Account string
}

// Offer is a new offer with its secrets, which exist nowhere else. TxCode goes to the holder by another channel than
// the rest.
type Offer struct {
	// ID is for the issuer's own use: to look the offer up and to revoke it. It opens nothing.
	ID string
	// URI opens the wallet and gives the address of the offer: the form for QR codes. ValueURI has the whole offer in it.
	URI, ValueURI string
	// Address is where the offer is read, as URI names it.
	Address string
	// JSON is the offer itself.
	JSON []byte
	// TxCode is six digits, empty where only an account can take the offer.
	TxCode    string
	ExpiresAt time.Time
}

// OfferStatus is what the issuer's own people may see of an offer.
type OfferStatus struct {
	ID, ReportID         string
	Configurations       []string
	State                State
	Release              Release
	CreatedAt, ExpiresAt time.Time
	WrongTries           int
	// Waiting tells that a wallet has proven its keys and asks again until the credential is released.
	Waiting     bool
	Credentials []string
	// Event is what the wallet said last became of a credential, and empty while it has said nothing.
	Event string
}

// CreateOffer makes an offer. It returns issuer sentinels from Config.Ready, ErrNotFound for an unknown tenant, and an
// Error with CodeUnknownConfiguration for a configuration that the tenant does not have.
func (s *Service) CreateOffer(ctx context.Context, r OfferRequest) (Offer, error) {
	t, err := s.tenant(ctx, r.Tenant)
	if err != nil {
		return Offer{}, err
	}
	lang, err := s.checkOffer(t, &r)
	if err != nil {
		return Offer{}, err
	}
	txCode, err := newTxCode()
	if err != nil {
		return Offer{}, fmt.Errorf("draw a transaction code: %w", err)
	}
	id := randomText(idBytes)
	ref := handle(id, randomText(secretBytes))
	now := s.now()
	record := OfferRecord{
		ID: id, Tenant: r.Tenant, Configuration: r.Configurations[0], Configurations: r.Configurations, ReportID: r.ReportID,
		Language: lang, State: StateCreated, CreatedAt: now, ExpiresAt: now.Add(s.c.OfferLife),
		PurgeAt: now.Add(s.c.OfferLife + s.c.BoundTokenLife + keepAfterEnd), RefHash: hashOf("ref", ref),
	}
	if r.Hold {
		record.Release = ReleaseHeld
	}
	if slices.Contains(r.Grants, GrantPreAuthorized) {
		code := codeFor(id, ref)
		record.CodeHash, record.TxHash = hashOf("code", code), hashOf("tx", code, txCode)
	}
	if slices.Contains(r.Grants, GrantAuthorizationCode) {
		state := stateFor(id, ref)
		record.IssuerStateHash = hashOf("issuer state", state)
		if r.Account != "" {
			record.AccountHash = accountHash(id, r.Account)
		} else {
			record.SignInHash = hashOf("sign-in", state, txCode)
		}
	}
	if record.TxHash == nil && record.SignInHash == nil {
		txCode = ""
	}
	if _, err := s.ready(ctx, record, record.offered()); err != nil {
		return Offer{}, fmt.Errorf("offer: %w", err)
	}
	if err := s.audit(ctx, EventOfferCreated, record, ""); err != nil {
		return Offer{}, err
	}
	if err := s.c.Store.PutOffer(ctx, record); err != nil {
		return Offer{}, fmt.Errorf("store offer: %w", err)
	}
	data, err := s.offerJSON(record, ref)
	if err != nil {
		return Offer{}, err
	}
	address := s.IssuerID(r.Tenant) + "/offers/" + ref
	return Offer{
		ID: id, Address: address, JSON: data, TxCode: txCode, ExpiresAt: record.ExpiresAt,
		URI: referenceURI(address), ValueURI: offerScheme + "?credential_offer=" + escape(string(data)),
	}, nil
}

// checkOffer checks what an offer is asked for, fills in the grants, and returns the language.
func (s *Service) checkOffer(t Tenant, r *OfferRequest) (lang string, err error) {
	if len(r.Configurations) == 0 || len(r.Configurations) > maxConfigurations {
		return "", fail(CodeUnknownConfiguration, "expected one to ten configurations")
	}
	for n, c := range r.Configurations {
		if _, ok := t.configuration(c); !ok {
			return "", fail(CodeUnknownConfiguration, "the tenant does not issue this configuration")
		}
		if slices.Contains(r.Configurations[:n], c) {
			return "", fail(CodeUnknownConfiguration, "a configuration stands twice")
		}
	}
	lang, ok := schemas.ParseLanguage(r.Language)
	if !ok || len(r.Language) > maxLanguageTag {
		return "", fail(CodeInvalidRequest, "language: expected en or zh")
	}
	if r.ReportID == "" {
		return "", fail(CodeInvalidRequest, "report: expected the id of a report")
	}
	if len(r.Grants) == 0 {
		r.Grants = []string{GrantPreAuthorized}
	}
	for _, g := range r.Grants {
		if g != GrantPreAuthorized && g != GrantAuthorizationCode {
			return "", fail(CodeInvalidRequest, "grants: expected "+GrantPreAuthorized+" or "+GrantAuthorizationCode)
		}
	}
	switch {
	case r.Account == "":
	case s.c.Login == nil:
		return "", fail(CodeInvalidRequest, "account: expected none, since no login provider is configured")
	case len(r.Account) > maxAccount || !slices.Contains(r.Grants, GrantAuthorizationCode):
		return "", fail(CodeInvalidRequest, "account: expected the subject at the login provider, with the grant authorization_code")
	}
	return lang, nil
}

func accountHash(id, account string) []byte { return hashOf("account", id, account) }

func referenceURI(address string) string {
	return offerScheme + "?credential_offer_uri=" + escape(address)
}

// escape is the query escaping that every decoder reads alike: a space is %20, not a plus sign.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// offerJSON builds the offer object (OpenID4VCI 1.0, 4.1.1). There is nothing personal in it.
func (s *Service) offerJSON(o OfferRecord, ref string) ([]byte, error) {
	hint := "The six digits that the issuer gave you apart from this offer."
	if o.Language == schemas.LanguageChinese {
		hint = "请输入颁发机构另行告知您的六位数字。"
	}
	grants := map[string]any{}
	if o.CodeHash != nil {
		grants[GrantPreAuthorized] = map[string]any{
			"pre-authorized_code": codeFor(o.ID, ref),
			"tx_code":             map[string]any{"input_mode": "numeric", "length": digits, "description": hint},
		}
	}
	if o.IssuerStateHash != nil {
		grants[GrantAuthorizationCode] = map[string]any{"issuer_state": stateFor(o.ID, ref)}
	}
	data, err := schemas.Marshal(map[string]any{
		"credential_issuer":            s.IssuerID(o.Tenant),
		"credential_configuration_ids": texts(o.offered()),
		"grants":                       grants,
	})
	if err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	return data, nil
}

// OfferByRef returns the JSON of an open offer by the last segment of its address, and marks it retrieved. It can be read
// again while it is open; afterwards, and for an unknown one, it gives ErrNotFound.
func (s *Service) OfferByRef(ctx context.Context, tenant, ref string) ([]byte, error) {
	id, ok := splitHandle(ref)
	if !ok {
		return nil, ErrNotFound
	}
	now := s.now()
	var found OfferRecord
	err := s.c.Store.UpdateOffer(ctx, id, func(o *OfferRecord) error {
		if o.Tenant != tenant || !same(o.RefHash, hashOf("ref", ref)) || !o.openAt(now) {
			return ErrNotFound
		}
		o.State = StateRetrieved
		found = *o
		return nil
	})
	if errors.Is(err, ErrNoOffer) || errors.Is(err, ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read offer: %w", err)
	}
	return s.offerJSON(found, ref)
}

// OfferCard is what the page of an offer shows: for the holder's eyes, before a wallet has it.
type OfferCard struct {
	// URI is for the QR code and the link.
	URI string
	// Issuer and Credentials are the names in both languages.
	Issuer      map[string]string
	Credentials []map[string]string
	// NeedsCode tells that the holder will be asked for the transaction code.
	NeedsCode bool
	ExpiresAt time.Time
}

// OfferCard returns the card of an open offer by the last segment of its address; ErrNotFound as OfferByRef. Looking at
// it leaves the offer's state alone.
func (s *Service) OfferCard(ctx context.Context, tenant, ref string) (OfferCard, error) {
	id, ok := splitHandle(ref)
	if !ok {
		return OfferCard{}, ErrNotFound
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) || err == nil && (o.Tenant != tenant || !same(o.RefHash, hashOf("ref", ref)) || !o.openAt(s.now())) {
		return OfferCard{}, ErrNotFound
	}
	if err != nil {
		return OfferCard{}, fmt.Errorf("read offer: %w", err)
	}
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return OfferCard{}, err
	}
	return OfferCard{
		URI: referenceURI(s.IssuerID(tenant) + "/offers/" + ref), Issuer: t.names(), Credentials: t.credentialNames(o.offered()),
		NeedsCode: o.TxHash != nil || o.SignInHash != nil, ExpiresAt: o.ExpiresAt,
	}, nil
}

// OfferStatus returns where an offer stands, or ErrNotFound.
func (s *Service) OfferStatus(ctx context.Context, tenant, id string) (OfferStatus, error) {
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) || err == nil && o.Tenant != tenant {
		return OfferStatus{}, ErrNotFound
	}
	if err != nil {
		return OfferStatus{}, fmt.Errorf("read offer: %w", err)
	}
	status := OfferStatus{
		ID: o.ID, Configurations: o.offered(), ReportID: o.ReportID, State: o.StateAt(s.now()), Release: o.Release,
		CreatedAt: o.CreatedAt, ExpiresAt: o.ExpiresAt, WrongTries: o.WrongTries, Waiting: len(o.Deferred) > 0,
		Credentials: o.credentials(),
	}
	var last time.Time
	for _, i := range o.Issued {
		if i.Event != "" && !i.EventAt.Before(last) {
			status.Event, last = i.Event, i.EventAt
		}
	}
	return status, nil
}

// RevokeOffer ends an offer that was not redeemed, and takes a redeemed one's tokens away. Credentials that were issued
// stay; revoking them is the issuer's act. Doing it twice is no error.
func (s *Service) RevokeOffer(ctx context.Context, tenant, id string) error {
	return s.change(ctx, tenant, id, EventOfferRevoked, "", func(o *OfferRecord) error {
		o.end(StateRevoked)
		return nil
	})
}

// Release lets a credential go that was held back. Doing it twice is no error; a refused one gives ErrDecided.
func (s *Service) Release(ctx context.Context, tenant, id string) error {
	return s.decide(ctx, tenant, id, ReleaseReleased, EventOfferReleased, "")
}

// Refuse ends a credential that was held back: the wallet is told that it will not come. The reason is for the audit trail.
// Doing it twice is no error; a released one gives ErrDecided.
func (s *Service) Refuse(ctx context.Context, tenant, id, reason string) error {
	return s.decide(ctx, tenant, id, ReleaseRefused, EventOfferRefused, reason)
}

func (s *Service) decide(ctx context.Context, tenant, id string, decision Release, event Event, reason string) error {
	now := s.now()
	return s.change(ctx, tenant, id, event, reason, func(o *OfferRecord) error {
		if o.Release == decision {
			return nil
		}
		if o.Release != ReleaseHeld {
			return ErrDecided
		}
		o.Release, o.ReleaseAt = decision, now
		return nil
	})
}

// change does an act of the issuer's people on an offer, after it was written to the audit trail.
func (s *Service) change(ctx context.Context, tenant, id string, event Event, detail string, change func(o *OfferRecord) error) error {
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) || err == nil && o.Tenant != tenant {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read offer: %w", err)
	}
	if err := change(&o); err != nil {
		return err
	}
	if err := s.audit(ctx, event, o, detail); err != nil {
		return err
	}
	err = s.c.Store.UpdateOffer(ctx, id, change)
	if errors.Is(err, ErrNoOffer) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("%s: %w", event, err)
	}
	return nil
}

// audit writes an act to the audit trail.
func (s *Service) audit(ctx context.Context, event Event, o OfferRecord, detail string) error {
	if s.c.Audit == nil {
		return nil
	}
	if err := s.c.Audit(ctx, AuditEvent{At: s.now(), Event: event, Tenant: o.Tenant, Offer: o.ID, Detail: detail}); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// alarm tells of something that an honest wallet does not do, in the log and the audit trail. It comes after the fact, so
// that its failure stops nothing.
func (s *Service) alarm(ctx context.Context, event Event, o OfferRecord) {
	s.log.WarnContext(ctx, "credential offer attacked or misused", slog.String("event", string(event)), slog.String("tenant", o.Tenant), slog.String("offer", o.ID))
	if err := s.audit(ctx, event, o, ""); err != nil {
		s.log.ErrorContext(ctx, "audit trail", slog.String("error", err.Error()))
	}
}
