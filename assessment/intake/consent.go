package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/assessment/evidence"
)

// Ways in which a receipt was confirmed.
const (
	ConfirmedByKey     = "key"     // the subject's own key signed the terms
	ConfirmedByAccount = "account" // the platform vouches for an account; recorded as such
)

// Consent is a receipt as stored. The subject's id, the signature and the person's own words stand in Sealed alone.
type Consent struct {
	ID          string    `json:"id"`
	Tenant      string    `json:"tenant"`
	Ref         string    `json:"ref"`
	Platform    string    `json:"platform"`
	Purposes    []string  `json:"purposes"`
	DataClasses []string  `json:"data_classes"`
	From        time.Time `json:"from"`
	Until       time.Time `json:"until"`
	Text        TextRef   `json:"text"`
	Setting     string    `json:"setting,omitempty"` // kind
	Method      string    `json:"method"`
	Terms       string    `json:"terms"`           // digest
	Proof       string    `json:"proof,omitempty"` // SHA-256 of the signature, hex: one signature makes one receipt
	Given       time.Time `json:"given"`
	Withdrawn   time.Time `json:"withdrawn,omitzero"`
	Why         string    `json:"why,omitempty"` // code of the withdrawal
	Sealed      []byte    `json:"sealed,omitempty"`
}

// Live reports whether the receipt covers scoring at a time: begun, not ended, not withdrawn, with both purposes.
func (c Consent) Live(at time.Time) bool {
	return c.Withdrawn.IsZero() && !at.Before(c.From) && at.Before(c.Until) &&
		slices.Contains(c.Purposes, "process") && slices.Contains(c.Purposes, "score")
}

// State names where a receipt stands at a time: pending, live, ended, withdrawn, or erased.
func (c Consent) State(at time.Time) string {
	switch {
	case c.Why == WhyErased:
		return WhyErased
	case !c.Withdrawn.IsZero():
		return WhyWithdrawn
	case at.Before(c.From):
		return "pending"
	case !at.Before(c.Until):
		return "ended"
	}
	return "live"
}

// private is the part of a receipt that only the subject's key opens.
type private struct {
	Subject   string `json:"subject"`
	Holder    string `json:"holder,omitempty"` // DID whose key confirmed
	JWS       string `json:"jws,omitempty"`
	Voluntary string `json:"voluntary,omitempty"`
}

// Receipt is a receipt as its tenant reads it. What follows is empty after erasure.
type Receipt struct {
	Consent
	Subject, Holder, JWS, Voluntary string
}

// Caller is who asks: a tenant, and the name that the audit trail gets.
type Caller struct{ Tenant, Actor string }

// GiveRequest asks for a receipt.
type GiveRequest struct {
	Terms Terms
	// JWS is the subject's confirmation; without it Account must be set.
	JWS string
	// Account says that the platform vouches for the subject's account.
	Account bool
	// IdempotencyKey is the caller's, "" for none.
	IdempotencyKey string
}

// Give checks and stores a receipt (G1, G2). A repeated request, and the same signature again, returns the receipt that is
// there with created false, also when that one was withdrawn since: a signature cannot be used to undo a withdrawal.
func (s *Service) Give(ctx context.Context, c Caller, r GiveRequest) (_ Receipt, created bool, err error) {
	now := s.c.Now()
	digest, err := r.Terms.Digest()
	if err != nil {
		return Receipt{}, false, err
	}
	from, until, err := r.Terms.check(now)
	if err != nil {
		return Receipt{}, false, s.refused(ctx, c, err)
	}
	holder, err := s.confirmed(ctx, r, digest)
	if err != nil {
		return Receipt{}, false, err
	}
	s.erasing.RLock()
	defer s.erasing.RUnlock()
	consent := Consent{
		ID: s.c.NewID(), Tenant: c.Tenant, Ref: s.c.Sealer.Ref(c.Tenant, r.Terms.Subject), Platform: r.Terms.Platform,
		Purposes: r.Terms.Purposes, DataClasses: r.Terms.DataClasses, From: from, Until: until, Text: r.Terms.Text,
		Method: ConfirmedByAccount, Terms: digest, Given: now,
	}
	secret := private{Subject: r.Terms.Subject, Holder: holder, JWS: r.JWS}
	if r.Terms.Setting != nil {
		consent.Setting, secret.Voluntary = r.Terms.Setting.Kind, r.Terms.Setting.Voluntary
	}
	if r.JWS != "" {
		consent.Method, consent.Proof = ConfirmedByKey, hashText(r.JWS)
	}
	if consent.Sealed, err = s.sealReceipt(ctx, consent, secret); err != nil {
		return Receipt{}, false, err
	}
	if err := s.journal(ctx, c, AuditConsentGiven, consent.ID, "", consent.Method); err != nil {
		return Receipt{}, false, err
	}
	stored, created, err := s.c.Store.PutConsent(ctx, consent, s.key("consent", r.IdempotencyKey, digest+"\x00"+consent.Proof))
	if err != nil {
		return Receipt{}, false, fmt.Errorf("store receipt: %w", err)
	}
	receipt, err := s.receipt(ctx, stored)
	return receipt, created, err
}

// refused writes refusals of policy to the audit trail (G4: decisions are logged) and returns why.
func (s *Service) refused(ctx context.Context, c Caller, why error) error {
	for _, policy := range []error{ErrForbiddenPurpose, ErrUnfree, evidence.ErrUnderage} {
		if errors.Is(why, policy) {
			return errors.Join(why, s.journal(ctx, c, AuditConsentRefused, "", "", policy.Error()))
		}
	}
	return why
}

// confirmed checks how the subject confirmed and returns whose key it was, "" for an account.
func (s *Service) confirmed(ctx context.Context, r GiveRequest, digest string) (holder string, err error) {
	switch {
	case r.JWS == "" && !r.Account, r.JWS != "" && r.Account:
		return "", field("/confirmation", "either a jws of the subject's own key, or account true")
	case r.Account:
		return "", nil
	}
	return s.statement(ctx, r.JWS, TypConsent, map[string]string{"terms": digest})
}

func (s *Service) sealReceipt(ctx context.Context, c Consent, p private) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	sealed, err := s.c.Vault.Seal(ctx, Place{c.Tenant, c.Ref, keyReceipts, sealReceipt, c.ID}, plain)
	if err != nil {
		return nil, fmt.Errorf("seal receipt: %w", err)
	}
	return sealed, nil
}

// receipt opens a stored receipt.
func (s *Service) receipt(ctx context.Context, c Consent) (Receipt, error) {
	return openReceipt(ctx, s.c.Vault, c)
}

// Holders returns the DIDs that confirmed a subject's receipts, and stand as the subject's own keys.
func Holders(ctx context.Context, store ConsentStore, vault Vault, tenant, ref string) ([]string, error) {
	found, err := all(func(cursor string, limit int) ([]Consent, error) {
		return store.Consents(ctx, tenant, ref, cursor, limit)
	},
		func(c Consent) string { return c.ID })
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	var out []string
	for _, c := range found {
		r, err := openReceipt(ctx, vault, c)
		if err != nil {
			return nil, err
		}
		if r.Holder != "" && !slices.Contains(out, r.Holder) {
			out = append(out, r.Holder)
		}
	}
	return out, nil
}

func openReceipt(ctx context.Context, vault Vault, c Consent) (Receipt, error) {
	if len(c.Sealed) == 0 {
		return Receipt{Consent: c}, nil
	}
	plain, err := vault.Open(ctx, Place{c.Tenant, c.Ref, keyReceipts, sealReceipt, c.ID}, c.Sealed)
	if err != nil {
		return Receipt{}, fmt.Errorf("open receipt %s: %w", c.ID, err)
	}
	var p private
	if err := json.Unmarshal(plain, &p); err != nil {
		return Receipt{}, fmt.Errorf("decode receipt %s: %w", c.ID, err)
	}
	return Receipt{Consent: c, Subject: p.Subject, Holder: p.Holder, JWS: p.JWS, Voluntary: p.Voluntary}, nil
}

// Receipt returns a receipt, or ErrNotFound.
func (s *Service) Receipt(ctx context.Context, tenant, id string) (Receipt, error) {
	c, err := s.c.Store.Consent(ctx, tenant, id)
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	return s.receipt(ctx, c)
}

// Receipts lists a subject's receipts in the order of their ids after cursor, at most limit.
func (s *Service) Receipts(ctx context.Context, tenant, subject, cursor string, limit int) ([]Receipt, error) {
	found, err := s.c.Store.Consents(ctx, tenant, s.c.Sealer.Ref(tenant, subject), cursor, limit)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	out := make([]Receipt, len(found))
	for i, c := range found {
		if out[i], err = s.receipt(ctx, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Withdraw takes a receipt back: from its return on nothing under it is scored or stored, what was under way is stopped, and
// what rests on it is erased. A crash in between is completed by Recover and Sweep. Withdrawing again completes what is left.
func (s *Service) Withdraw(ctx context.Context, c Caller, id string) (Receipt, error) {
	if err := s.journal(ctx, c, AuditConsentWithdrawn, id, "", ""); err != nil {
		return Receipt{}, err
	}
	consent, err := s.withdraw(ctx, c.Tenant, id, WhyWithdrawn)
	if err != nil {
		return Receipt{}, err
	}
	return s.receipt(ctx, consent)
}

func (s *Service) withdraw(ctx context.Context, tenant, id, why string) (Consent, error) {
	consent, err := s.c.Store.Withdraw(ctx, tenant, id, s.c.Now(), why)
	if err != nil {
		return Consent{}, fmt.Errorf("withdraw: %w", err)
	}
	s.interrupt(func(b Batch) bool { return b.Tenant == tenant && b.Consent == id })
	s.c.Crash("assess.after_withdraw")
	return consent, s.eraseConsent(ctx, consent, why)
}

// evidenceReceipt is what the evidence reader checks lines against.
func (r Receipt) evidenceReceipt() evidence.Receipt {
	out := evidence.Receipt{
		Subject: r.Subject, Platform: r.Platform, Purposes: slices.Clone(r.Purposes), Adult: true, Policy: r.Text.Version,
		Expires: r.Until, Classes: r.DataClasses, Given: r.Given,
	}
	if slices.Contains(r.DataClasses, evidence.ClassReport) {
		out.Purposes = append(out.Purposes, evidence.ClassReport)
	}
	return out
}

// key is the durable idempotency key of a request.
func (s *Service) key(kind, name, request string) Key {
	k := Key{Request: hashText(request), Until: s.c.Now().Add(KeepKeys)}
	if name != "" {
		k.Name = hashText(kind + "\x00" + name)
	}
	return k
}

func hashText(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
