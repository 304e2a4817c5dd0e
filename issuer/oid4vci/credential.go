package oid4vci

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"heartmark/issuer"
)

// Credential issues what the access token is for, one credential for each proven key. All proofs are checked before the
// nonce is taken and before anything is issued: one bad proof refuses all. The same request under a new nonce gives the
// same credentials; another key after that is refused. A credential that is held back, or waits for a review, is answered
// with a transaction. Errors for the wallet are *Error.
func (s *Service) Credential(ctx context.Context, tenant string, a Access, r CredentialRequest) (CredentialResponse, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return CredentialResponse{}, err
	}
	o, err := s.authenticate(ctx, tenant, endpointCredential, a)
	if err != nil {
		return CredentialResponse{}, err
	}
	if err := s.checkEncryption(r.Encryption, r.Encrypted); err != nil {
		return CredentialResponse{}, err
	}
	configuration, err := checkTarget(t, o, r)
	if err != nil {
		return CredentialResponse{}, err
	}
	now := s.now()
	proven, err := s.checkProofs(o, r, now)
	if err != nil {
		return CredentialResponse{}, err
	}
	if o.Release == ReleaseRefused {
		return CredentialResponse{}, refused()
	}
	later, err := s.ready(ctx, o, []string{configuration})
	if err != nil {
		return CredentialResponse{}, issueError(err)
	}
	if err := s.takeNonce(ctx, tenant, proven.nonce, now); err != nil {
		return CredentialResponse{}, err
	}
	s.c.Crash("nonce.after_take")
	want := wanted{offer: o, configuration: configuration, holders: proven.holders, encryption: r.Encryption}
	if later || o.Release == ReleaseHeld {
		return s.deferIssuance(ctx, want)
	}
	resp, err := s.issueAll(ctx, want, nil)
	if errors.Is(err, issuer.ErrReviewNeeded) {
		return s.deferIssuance(ctx, want)
	}
	return resp, err
}

// wanted is an issuance whose proofs are good.
type wanted struct {
	offer         OfferRecord
	configuration string
	holders       []string
	encryption    *ResponseEncryption
}

// checkTarget checks what the request asks for against what the token allows, and returns the configuration.
func checkTarget(t Tenant, o OfferRecord, r CredentialRequest) (string, error) {
	if (r.CredentialIdentifier == "") == (r.CredentialConfigurationID == "") {
		return "", fail(CodeInvalidRequestBody, "expected exactly one of credential_identifier and credential_configuration_id")
	}
	configuration := r.CredentialConfigurationID
	switch {
	case o.Grant.ByIdentifier:
		if r.CredentialIdentifier == "" {
			return "", fail(CodeInvalidRequestBody, "expected a credential_identifier from the token response")
		}
		at := slices.IndexFunc(o.Grant.Configurations, func(c string) bool { return identifierFor(c) == r.CredentialIdentifier })
		if at < 0 {
			return "", fail(CodeUnknownIdentifier, "the token is not for this credential identifier")
		}
		configuration = o.Grant.Configurations[at]
	case configuration == "":
		return "", fail(CodeUnknownIdentifier, "the token response named no credential identifiers")
	default:
		if _, known := t.configuration(configuration); !known {
			return "", fail(CodeUnknownConfiguration, "there is no such credential configuration")
		}
		if !o.Grant.grants(configuration) {
			return "", fail(CodeDenied, "the token is for another credential configuration")
		}
	}
	if _, known := t.configuration(configuration); !known {
		return "", fail(CodeUnknownConfiguration, "the credential configuration is no longer offered")
	}
	return configuration, nil
}

// issueAll asks the issuer for one credential a key, and records what was issued in one update together with finish, which
// may be nil. The idempotency key counts the keys of the offer in the order of the holders' ids: a repeated request finds
// what it got before, and a further key finds its place taken.
func (s *Service) issueAll(ctx context.Context, w wanted, finish func(o *OfferRecord) error) (CredentialResponse, error) {
	order := slices.Sorted(slices.Values(w.holders))
	if w.offer.takenFromAny(w.configuration, order) {
		return CredentialResponse{}, issueError(issuer.ErrConflict)
	}
	resp := CredentialResponse{NotificationID: s.notificationID(w.offer.ID, w.configuration), encryption: w.encryption}
	ids := make([]string, 0, len(w.holders))
	for _, holder := range w.holders {
		issued, err := s.c.Issue(ctx, IssueRequest{
			Tenant: w.offer.Tenant, Configuration: w.configuration, ReportID: w.offer.ReportID, HolderID: holder, Language: w.offer.Language,
			Offer: w.offer.ID, Place: slices.Index(order, holder),
		})
		if err != nil {
			return CredentialResponse{}, issueError(err)
		}
		resp.Credentials = append(resp.Credentials, IssuedCredential{Credential: issued.Credential})
		ids = append(ids, issued.ID)
	}
	err := s.c.Store.UpdateOffer(ctx, w.offer.ID, func(stored *OfferRecord) error {
		if finish != nil {
			if err := finish(stored); err != nil {
				return err
			}
		}
		stored.record(w.configuration, order, ids)
		return nil
	})
	if err != nil {
		return CredentialResponse{}, storeError("record what was issued", err, badToken(""))
	}
	return resp, nil
}

// issueError turns a final no of the issuer into an answer for the wallet.
func issueError(err error) error {
	if words, final := refusal(err); final {
		return fail(CodeDenied, words)
	}
	if errors.Is(err, issuer.ErrInProgress) {
		return &Error{Code: CodeTemporarilyUnavailable, Description: "the same request is being worked on", Status: http.StatusServiceUnavailable}
	}
	return fmt.Errorf("issue: %w", err)
}

// notificationID names an issuance. It is derived, so that nothing more has to be kept and a repeated request gets the
// same; only a token of the offer opens it.
func (s *Service) notificationID(offer, configuration string) string {
	mac := hmac.New(sha256.New, s.c.NonceKey)
	mac.Write([]byte("heartmark/oid4vci/notification\x00" + offer + "\x00" + configuration))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func refused() *Error { return fail(CodeDenied, "the issuer decided not to issue this credential") }

// deferIssuance keeps a checked request for later and answers with its transaction (8.3). A further request for the same
// configuration takes the place of the one before.
func (s *Service) deferIssuance(ctx context.Context, w wanted) (CredentialResponse, error) {
	transaction := handle(w.offer.ID, randomText(secretBytes))
	record := DeferredRecord{Hash: hashOf("transaction", transaction), Configuration: w.configuration, Holders: w.holders}
	err := s.c.Store.UpdateOffer(ctx, w.offer.ID, func(o *OfferRecord) error {
		if o.State != StateRedeemed || o.Grant == nil {
			return badToken("")
		}
		o.Deferred = slices.DeleteFunc(o.Deferred, func(d DeferredRecord) bool { return d.Configuration == w.configuration })
		o.Deferred = append(o.Deferred, record)
		return nil
	})
	if err != nil {
		return CredentialResponse{}, storeError("defer", err, badToken(""))
	}
	return s.waiting(transaction, w.encryption), nil
}

func (s *Service) waiting(transaction string, e *ResponseEncryption) CredentialResponse {
	return CredentialResponse{TransactionID: transaction, Interval: int(s.c.Interval / time.Second), encryption: e}
}

// Deferred answers a deferred credential request (9): the credentials, the same transaction while they are not ready, or
// credential_request_denied once the issuer has refused. A transaction ends with its credentials; of several requests at
// once, one gets them. Errors for the wallet are *Error.
func (s *Service) Deferred(ctx context.Context, tenant string, a Access, r DeferredRequest) (CredentialResponse, error) {
	if _, err := s.tenant(ctx, tenant); err != nil {
		return CredentialResponse{}, err
	}
	o, err := s.authenticate(ctx, tenant, endpointDeferred, a)
	if err != nil {
		return CredentialResponse{}, err
	}
	if err := s.checkEncryption(r.Encryption, r.Encrypted); err != nil {
		return CredentialResponse{}, err
	}
	hash := hashOf("transaction", r.TransactionID)
	find := func(o *OfferRecord) int {
		return slices.IndexFunc(o.Deferred, func(d DeferredRecord) bool { return same(d.Hash, hash) })
	}
	at := find(&o)
	if at < 0 || !o.Grant.grants(o.Deferred[at].Configuration) {
		return CredentialResponse{}, badTransaction()
	}
	take := func(o *OfferRecord) error {
		at := find(o)
		if at < 0 || o.State != StateRedeemed {
			return badTransaction()
		}
		o.Deferred = slices.Delete(o.Deferred, at, at+1)
		return nil
	}
	switch o.Release {
	case ReleaseHeld:
		return s.waiting(r.TransactionID, r.Encryption), nil
	case ReleaseRefused:
		if err := s.c.Store.UpdateOffer(ctx, o.ID, take); err != nil {
			return CredentialResponse{}, storeError("deferred", err, badTransaction())
		}
		return CredentialResponse{}, refused()
	case ReleaseReleased:
	}
	resp, err := s.issueAll(ctx, wanted{
		offer: o, configuration: o.Deferred[at].Configuration, holders: o.Deferred[at].Holders, encryption: r.Encryption,
	}, take)
	if errors.Is(err, issuer.ErrReviewNeeded) {
		return s.waiting(r.TransactionID, r.Encryption), nil
	}
	// It may stand here (9.2), and a library that many wallets are built on then refuses the credentials.
	resp.NotificationID = ""
	return resp, err
}

func badTransaction() *Error {
	return fail(CodeInvalidTransaction, "the transaction_id is unknown, used or of another token")
}
