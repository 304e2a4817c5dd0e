package issuer

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"heartmark/schemas"
)

// Permit allows one signature: Prepare makes it after all checks, Sign uses it up. It ends after five minutes.
type Permit struct{ p *permit }

type permit struct {
	owner    *Issuer
	used     atomic.Bool
	intent   Intent
	conf     Configuration
	forms    []prepared
	issuer   schemas.IssuerProfile
	document map[string]any
	at       time.Time
	done     *Issued // the request was issued before
}

// CredentialID is the id of the credential that the permit is for.
func (p Permit) CredentialID() schemas.CredentialID {
	if p.p == nil {
		return ""
	}
	return p.p.intent.Credential
}

// Prepare checks the request, takes an index and writes the intent. What it returns can be signed once. For a request
// that was issued before under the same idempotency key, Sign gives the credential of then.
//
// Errors: ErrInvalid, ErrNotFound, ErrNothingToIssue, ErrNoConsent, ErrReviewNeeded, ErrNotAuthorised, ErrConflict,
// ErrInProgress, ErrListFull, or that of a part that could not answer.
func (i *Issuer) Prepare(ctx context.Context, r Request) (Permit, error) {
	if err := r.check(); err != nil {
		return Permit{}, err
	}
	found, err := i.earlier(ctx, &r)
	if err != nil {
		return Permit{}, err
	}
	if found != nil && found.State == StateIssued {
		return i.donePermit(ctx, *found)
	}
	return i.prepare(ctx, r, found)
}

// Ready tells with the errors of Prepare whether a credential could be issued now from a report, whoever its holder will be.
func (i *Issuer) Ready(ctx context.Context, tenant, configuration, report string) error {
	conf, err := i.Configuration(configuration)
	if err != nil {
		return err
	}
	a, err := i.c.Reports.Attestation(ctx, tenant, report, conf.Review)
	if err == nil {
		_, err = agreed(Request{}, conf, a)
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Began tells whether the same request was made before under its idempotency key and is issued, or may yet be.
func (i *Issuer) Began(ctx context.Context, r Request) (bool, error) {
	if err := r.check(); err != nil {
		return false, err
	}
	in, err := i.intentOf(ctx, &r)
	return in != nil && in.Request == r.digest(), err
}

// intentOf returns the intent under the idempotency key of a request, or nil.
func (i *Issuer) intentOf(ctx context.Context, r *Request) (*Intent, error) {
	if r.IdempotencyKey == "" {
		return nil, nil
	}
	in, err := i.c.Store.IntentByKey(ctx, r.Tenant, r.key())
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an earlier request: %w", err)
	}
	return &in, nil
}

// earlier returns the intent of an earlier call of the same request that is prepared or issued, or nil. One that may
// have been signed, by nobody who still works on it, is settled first.
func (i *Issuer) earlier(ctx context.Context, r *Request) (*Intent, error) {
	in, err := i.intentOf(ctx, r)
	if err != nil || in == nil {
		return nil, err
	}
	if in.Request != r.digest() {
		return nil, ErrConflict
	}
	switch {
	case in.State == StateIssued:
		return in, nil
	case in.State == StatePrepared && i.now().Sub(in.CreatedAt) <= permitLife:
		return in, nil // go on with it: its index and its dates are still good
	case i.busy(in.ID, in.State):
		return nil, ErrInProgress
	}
	state, err := i.settle(ctx, *in)
	if err != nil || state != StateIssued {
		return nil, err
	}
	in.State = state
	return in, nil
}

func (i *Issuer) donePermit(ctx context.Context, in Intent) (Permit, error) {
	issued, err := i.Get(ctx, in.Tenant, in.Credential)
	if err != nil {
		return Permit{}, err
	}
	return Permit{&permit{owner: i, intent: in, done: &issued, at: i.now()}}, nil
}

// prepare does the checks and reserves, or goes on with the prepared intent found.
func (i *Issuer) prepare(ctx context.Context, r Request, found *Intent) (Permit, error) {
	p := &permit{owner: i, at: i.now()}
	in := i.newIntent(r, p.at)
	if found != nil {
		in = *found
	}
	if err := i.checked(ctx, r, p, in); err != nil {
		return Permit{}, err
	}
	if found == nil {
		fresh, err := i.newGroup(r.Tenant, p.at)
		if err != nil {
			return Permit{}, err
		}
		i.enter(in.ID, p.at)
		out, earlier, err := i.c.Store.Reserve(ctx, in, fresh)
		if err != nil {
			i.leave(in.ID)
			return Permit{}, fmt.Errorf("reserve: %w", err)
		}
		if earlier {
			i.leave(in.ID)
			return Permit{}, ErrInProgress
		}
		in = out
		i.crash(pointAfterReserve)
		if in.Group == fresh.ID {
			i.log.InfoContext(ctx, "status list group opened", slog.String("tenant", r.Tenant), slog.String("group", string(in.Group)))
		}
	}
	i.enter(in.ID, p.at)
	if err := p.fill(in, i.statusEntries(p.conf, in), schemas.TokenStatus{Index: in.Index, URI: ListURL(i.c.Origin, in.Group, schemas.PurposeToken)}); err != nil {
		i.leave(in.ID)
		return Permit{}, err
	}
	i.crash(pointAfterIntentCommit)
	return Permit{p}, nil
}

// fill writes the index that was taken into the document and the claims, and digests what will be signed.
func (p *permit) fill(in Intent, entries []schemas.StatusEntry, token schemas.TokenStatus) error {
	if err := setStatus(p.document, entries); err != nil {
		return err
	}
	for n := range p.forms {
		if err := p.forms[n].fill(p.document, entries, token); err != nil {
			return err
		}
	}
	p.intent = in
	return nil
}

// template is the digest of all that will be signed: that of the one form, or that of the forms' digests.
func (p *permit) template() string {
	if len(p.forms) == 1 {
		return p.forms[0].template
	}
	var all []byte
	for _, f := range p.forms {
		all = append(all, f.template...)
	}
	return hexDigest(all)
}

// setStatus points the document's status entries to other lists and indexes: Bitstring Status List 1.0, 2.1. The document
// is built and checked before an index is taken, and building it a second time would cost as much as the signature.
func setStatus(doc map[string]any, entries []schemas.StatusEntry) error {
	list, ok := doc["credentialStatus"].([]any)
	if !ok {
		list = []any{doc["credentialStatus"]}
	}
	if len(list) != len(entries) {
		return fmt.Errorf("credential has %d status entries for %d purposes", len(list), len(entries))
	}
	for n, want := range entries {
		entry, ok := list[n].(map[string]any)
		if !ok || entry["statusPurpose"] != want.Purpose {
			return fmt.Errorf("status entry %d is not for %s", n, want.Purpose)
		}
		index := strconv.FormatUint(want.Index, 10)
		entry["id"] = want.ListURL + "#" + index
		entry["statusListIndex"], entry["statusListCredential"] = index, want.ListURL
	}
	return nil
}

// newIntent fills in all of an intent but its index.
func (i *Issuer) newIntent(r Request, at time.Time) Intent {
	return Intent{
		ID: i.c.NewID(), Tenant: r.Tenant, Configuration: r.Configuration, Holder: r.holderRef(), Report: ReportRef(r.Tenant, r.ReportID),
		Key: r.key(), Request: r.digest(), Credential: schemas.CredentialID("urn:uuid:" + i.c.NewID()),
		State: StatePrepared, CreatedAt: at, UpdatedAt: at,
	}
}

// newGroup draws a group to be opened in case the current one is spent.
func (i *Issuer) newGroup(tenant string, at time.Time) (Group, error) {
	name, key := make([]byte, 10), make([]byte, PermutationKeySize)
	if _, err := rand.Read(name); err != nil {
		return Group{}, fmt.Errorf("draw group: %w", err)
	}
	if _, err := rand.Read(key); err != nil {
		return Group{}, fmt.Errorf("draw group: %w", err)
	}
	id := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(name))
	return Group{
		ID: schemas.ListGroup(id), Tenant: tenant, Size: i.c.ListSize, Usable: i.c.ListSize - i.c.ListSize/16,
		Permutation: key, Purposes: []string{schemas.PurposeRevocation, schemas.PurposeSuspension}, CreatedAt: at,
	}, nil
}

// checked makes all checks and builds the document, whose status entries still lack the index of a new intent.
func (i *Issuer) checked(ctx context.Context, r Request, p *permit, in Intent) (err error) {
	if p.conf, err = i.Configuration(r.Configuration); err != nil {
		return err
	}
	if p.issuer, err = i.c.Issuers.Issuer(ctx, r.Tenant); err != nil {
		return fmt.Errorf("issuer of tenant %q: %w", r.Tenant, err)
	}
	report, err := i.c.Reports.Attestation(ctx, r.Tenant, r.ReportID, p.conf.Review)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if report, err = agreed(r, p.conf, report); err != nil {
		return err
	}
	from, until := p.conf.period(in.CreatedAt)
	cred := schemas.DEICredential{
		ID: in.Credential, Issuer: p.issuer, HolderID: r.HolderID, ValidFrom: from, ValidUntil: until,
		Language: r.Language, Origin: i.c.Origin, Attestation: report, Achievement: p.conf.Achievement,
		Status: i.statusEntries(p.conf, in),
	}
	if p.document, err = build(cred); err != nil {
		return err
	}
	err = i.c.Authorities.MayIssue(ctx, AuthorityQuery{
		Issuer: p.issuer.ID, Resource: schemas.AchievementID(i.c.Origin, p.conf.Achievement), Levels: report.Levels, At: from,
	})
	if err != nil {
		return fmt.Errorf("authority of %s: %w", p.issuer.ID, err)
	}
	return i.prepareForms(ctx, r.Tenant, p, cred)
}

// prepareForms looks the keys up before anything is written: without them there is nothing to reserve for.
func (i *Issuer) prepareForms(ctx context.Context, tenant string, p *permit, cred schemas.DEICredential) error {
	for _, f := range p.conf.Forms {
		signer, err := i.c.Signers.CredentialSigner(ctx, tenant, f.Algorithm)
		if err != nil {
			return fmt.Errorf("%s signing key of tenant %q: %w", f.Algorithm, tenant, err)
		}
		if !strings.HasPrefix(signer.VerificationMethod(), p.issuer.ID+"#") {
			return fmt.Errorf("signing key %s is not one of issuer %s", signer.VerificationMethod(), p.issuer.ID)
		}
		ready, err := p.prepareForm(f, signer, cred)
		if err != nil {
			return err
		}
		p.forms = append(p.forms, ready)
	}
	return nil
}

// agreed checks consent and review and cuts the attestation to what was asked for.
func agreed(r Request, conf Configuration, a schemas.Attestation) (schemas.Attestation, error) {
	if len(a.Levels) == 0 {
		return a, ErrNothingToIssue
	}
	if !slices.Contains(a.Purposes, consentIssue) {
		return a, fmt.Errorf("to a credential: %w", ErrNoConsent)
	}
	switch a.Review {
	case schemas.ReviewBeforeIssue:
	case schemas.ReviewOnRequest:
		if conf.Review == schemas.ReviewBeforeIssue {
			return a, ErrReviewNeeded
		}
		// G9: without a reviewer first, only with consent to an automated decision.
		if !slices.Contains(a.Purposes, consentAutomated) {
			return a, fmt.Errorf("to an automated decision: %w", ErrNoConsent)
		}
	default:
		return a, fmt.Errorf("report says review %q: %w", a.Review, ErrReviewNeeded)
	}
	if len(r.Audience) > 0 {
		for n, who := range r.Audience {
			if len(a.Audience) > 0 && !slices.Contains(a.Audience, who) {
				return a, invalid(fmt.Sprintf("/audience/%d", n), "one of those that the subject agreed to")
			}
		}
		a.Audience = r.Audience
	}
	if conf.NoSources || r.NoSources {
		a.Platforms, a.BatchDigests = nil, nil
	}
	return a, nil
}

// build returns the document, held against the data model.
func build(cred schemas.DEICredential) (map[string]any, error) {
	doc, err := cred.Document()
	if errors.Is(err, schemas.ErrNothingToState) {
		return nil, fmt.Errorf("%w: %w", ErrNothingToIssue, err)
	}
	if err == nil {
		err = schemas.ValidateCredential(doc)
	}
	if err == nil {
		err = schemas.ValidateOpenBadge(doc)
	}
	if err != nil {
		return nil, fmt.Errorf("credential: %w", err)
	}
	return doc, nil
}

// statusEntries are the entries of an intent's credential.
func (i *Issuer) statusEntries(conf Configuration, in Intent) []schemas.StatusEntry {
	var out []schemas.StatusEntry
	for _, purpose := range conf.purposes() {
		out = append(out, schemas.StatusEntry{Purpose: purpose, Index: in.Index, ListURL: ListURL(i.c.Origin, in.Group, purpose)})
	}
	return out
}

// ListURL is the address of a status list.
func ListURL(origin string, group schemas.ListGroup, purpose string) string {
	return origin + "/status/" + string(group) + "/" + purpose
}
