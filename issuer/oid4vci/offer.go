package oid4vci

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"heartmark/schemas"
)

// GrantPreAuthorized is the grant type of the pre-authorised code.
const GrantPreAuthorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// offerScheme is the URL scheme that wallets register (OpenID4VCI 1.0, 4.1).
const offerScheme = "openid-credential-offer://"

// OfferRequest asks for an offer of one credential from one report.
type OfferRequest struct {
	Tenant, Configuration, ReportID string
	// Language is that of the credential and of the hint for the transaction code; empty means English.
	Language string
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
	// TxCode is six digits.
	TxCode    string
	ExpiresAt time.Time
}

// OfferStatus is what the issuer's own people may see of an offer.
type OfferStatus struct {
	ID, Configuration, ReportID string
	State                       State
	CreatedAt, ExpiresAt        time.Time
	WrongTries                  int
	Credentials                 []string
	// Event is what the wallet said became of the credential, and empty while it has said nothing.
	Event string
}

// CreateOffer makes an offer. It returns issuer sentinels from Config.Ready, ErrNotFound for an unknown tenant, and an
// Error with CodeUnknownConfiguration for a configuration that the tenant does not have.
func (s *Service) CreateOffer(ctx context.Context, r OfferRequest) (Offer, error) {
	t, err := s.tenant(ctx, r.Tenant)
	if err != nil {
		return Offer{}, err
	}
	if _, ok := t.configuration(r.Configuration); !ok {
		return Offer{}, fail(CodeUnknownConfiguration, "the tenant does not issue this configuration")
	}
	lang, ok := schemas.ParseLanguage(r.Language)
	if !ok || len(r.Language) > maxLanguageTag {
		return Offer{}, fail(CodeInvalidRequest, "language: expected en or zh")
	}
	if r.ReportID == "" {
		return Offer{}, fail(CodeInvalidRequest, "report: expected the id of a report")
	}
	txCode, err := newTxCode()
	if err != nil {
		return Offer{}, fmt.Errorf("draw a transaction code: %w", err)
	}
	id := randomText(idBytes)
	ref := handle(id, randomText(secretBytes))
	code := codeFor(id, ref)
	now := s.now()
	record := OfferRecord{
		ID: id, Tenant: r.Tenant, Configuration: r.Configuration, ReportID: r.ReportID, Language: lang, State: StateCreated,
		CreatedAt: now, ExpiresAt: now.Add(s.c.OfferLife), PurgeAt: now.Add(s.c.OfferLife + s.c.TokenLife + keepAfterEnd),
		RefHash: hashOf("ref", ref), CodeHash: hashOf("code", code), TxHash: hashOf("tx", code, txCode),
	}
	if err := s.ready(ctx, record); err != nil {
		return Offer{}, fmt.Errorf("offer: %w", err)
	}
	if err := s.c.Store.PutOffer(ctx, record); err != nil {
		return Offer{}, fmt.Errorf("store offer: %w", err)
	}
	data, err := s.offerJSON(record, code)
	if err != nil {
		return Offer{}, err
	}
	address := s.IssuerID(r.Tenant) + "/offers/" + ref
	return Offer{
		ID: id, Address: address, JSON: data, TxCode: txCode, ExpiresAt: record.ExpiresAt,
		URI:      offerScheme + "?credential_offer_uri=" + escape(address),
		ValueURI: offerScheme + "?credential_offer=" + escape(string(data)),
	}, nil
}

// escape is the query escaping that every decoder reads alike: a space is %20, not a plus sign.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// offerJSON builds the offer object (OpenID4VCI 1.0, 4.1.1). There is nothing personal in it.
func (s *Service) offerJSON(o OfferRecord, code string) ([]byte, error) {
	hint := "The six digits that the issuer gave you apart from this offer."
	if o.Language == schemas.LanguageChinese {
		hint = "请输入颁发机构另行告知您的六位数字。"
	}
	data, err := schemas.Marshal(map[string]any{
		"credential_issuer":            s.IssuerID(o.Tenant),
		"credential_configuration_ids": []any{o.Configuration},
		"grants": map[string]any{GrantPreAuthorized: map[string]any{
			"pre-authorized_code": code,
			"tx_code":             map[string]any{"input_mode": "numeric", "length": digits, "description": hint},
		}},
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
		if o.Tenant != tenant || !same(o.RefHash, hashOf("ref", ref)) || !o.open() || o.StateAt(now) == StateExpired {
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
	return s.offerJSON(found, codeFor(id, ref))
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
	return OfferStatus{
		ID: o.ID, Configuration: o.Configuration, ReportID: o.ReportID, State: o.StateAt(s.now()), CreatedAt: o.CreatedAt,
		ExpiresAt: o.ExpiresAt, WrongTries: o.WrongTries, Credentials: o.Credentials, Event: o.Event,
	}, nil
}

// RevokeOffer ends an offer that was not redeemed, and takes a redeemed one's token away. Credentials that were issued
// stay; revoking them is the issuer's act. Doing it twice is no error.
func (s *Service) RevokeOffer(ctx context.Context, tenant, id string) error {
	err := s.c.Store.UpdateOffer(ctx, id, func(o *OfferRecord) error {
		if o.Tenant != tenant {
			return ErrNotFound
		}
		o.State, o.TokenHash = StateRevoked, nil
		return nil
	})
	if errors.Is(err, ErrNoOffer) || errors.Is(err, ErrNotFound) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("revoke offer: %w", err)
	}
	return nil
}
