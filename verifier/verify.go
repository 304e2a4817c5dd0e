package verifier

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"heartmark/schemas"
)

// Errors of Verify: no answer could be reached.
var (
	// ErrUnreadable says that the input is no credential at all: not JSON, no object, no type. The Result that comes with it
	// lists the parse check and is Invalid. Answer 400.
	ErrUnreadable = errors.New("input cannot be read as a credential")
	// ErrMediaType says that the media type is none that can be verified here. Answer 415.
	ErrMediaType = errors.New("media type is not supported")
)

// MaxInput is the size an input may have, in bytes.
const MaxInput = 10 << 20

// Config holds what a verifier needs. Keys, Proofs, Contexts and Now are required; without one of the other sources the
// checks that need it are undetermined.
type Config struct {
	Keys      KeyResolver
	Proofs    ProofChecker
	Contexts  ContextSource
	Status    StatusSource
	Authority AuthoritySource
	Intervals KeyIntervalSource
	Schemas   SchemaSource
	Log       LogSource
	Now       func() time.Time
	// Policies are known beside the default one, which cannot be replaced.
	Policies []Policy
	// Own gives tenants' own policies; nil means that there are none.
	Own PolicySource
	// ProblemBase is put before the codes of problems that no specification has a type for, as in
	// https://registry.example/problems/ ; empty means "/problems/".
	ProblemBase string
}

// Validate reports every fault of the configuration at once.
func (c Config) Validate() error {
	var faults []error
	if c.Keys == nil || c.Proofs == nil || c.Contexts == nil || c.Now == nil {
		faults = append(faults, errors.New("keys, proofs, contexts and now must be set"))
	}
	seen := map[string]bool{DefaultPolicy: true}
	for _, p := range c.Policies {
		faults = append(faults, p.Validate())
		if seen[p.Name] {
			faults = append(faults, fmt.Errorf("policy %s stands twice", p.Name))
		}
		seen[p.Name] = true
	}
	return errors.Join(faults...)
}

// Verifier verifies. It may be used by many goroutines at once.
type Verifier struct {
	cfg      Config // never changed after New
	policies map[string]Policy
	codes    map[string]CodeInfo
	lists    listCache
}

// New returns a verifier for c.
func New(c Config) (*Verifier, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("verifier configuration: %w", err)
	}
	if c.ProblemBase == "" {
		c.ProblemBase = "/problems/"
	}
	v := &Verifier{cfg: c, policies: map[string]Policy{DefaultPolicy: closedPolicy()}, codes: map[string]CodeInfo{}}
	for _, p := range c.Policies {
		v.policies[p.Name] = p
	}
	for _, info := range Codes() {
		v.codes[info.Code] = info
	}
	return v, nil
}

// Input is what to verify and under which terms.
type Input struct {
	// Data is the credential or presentation as it came.
	Data []byte
	// Document stands in for Data when the caller has already read it with schemas.ParseObject, for instance out of a request
	// body; it is not changed and must not be changed while Verify runs.
	Document map[string]any
	// MediaType is that of Data, with or without parameters. Empty means that Data itself tells: a token by its form and
	// typ, else JSON.
	MediaType string
	// Policy is a name; empty means DefaultPolicy. Tenant is whose own policies are known beside the installation's, empty for
	// none.
	Policy string
	Tenant string
	// Challenge and Domain are what the caller gave the presenter; empty when it gave none. In a token they are nonce and aud.
	Challenge string
	Domain    string
	// WantLog asks for inclusion in the transparency log; LogProof is the proof that came with the credential.
	WantLog  bool
	LogProof *schemas.LogProof
	// Since, where set, lets a status list of this installation's own be used again that was read since then, and no more than
	// five minutes ago: who verifies many at once reads it once. Zero reads it for each check, so that a revocation is seen at once.
	Since time.Time
	// Query is what the caller asked for, put to the credentials that came: the one at hand, or those of a presentation. It
	// is asked after everything else and makes the check query; nil asks for nothing. A *schemas.FieldError names the place.
	Query func(credentials []map[string]any) error
	// Unbound says that the caller asked for no holder binding: holder_binding and replay are made and listed, and do not
	// decide, unless the policy wants the credential presented by its holder.
	Unbound bool
	// Bound says that the caller asked for holder binding: holder_binding and replay decide, though the policy relaxes them.
	Bound bool
	// Fixed is the policy as Verifier.Policy returned it, in place of Policy and Tenant: who verifies many judges all by one
	// version and reads it once.
	Fixed *Policy
}

// Policy returns the policy under a name, empty for DefaultPolicy: the installation's, else the tenant's own in its newest
// version. It returns ErrUnknownPolicy.
func (v *Verifier) Policy(ctx context.Context, tenant, name string) (Policy, error) {
	if name == "" {
		name = DefaultPolicy
	}
	if policy, ok := v.policies[name]; ok {
		return policy, nil
	}
	if v.cfg.Own != nil && tenant != "" {
		policy, err := v.cfg.Own.Policy(ctx, tenant, name)
		if !errors.Is(err, ErrUnknownPolicy) {
			return policy, err
		}
	}
	return Policy{}, fmt.Errorf("%q is none of %s: %w", name, choices(v.policies), ErrUnknownPolicy)
}

// policyOf is the policy by which in is judged.
func (v *Verifier) policyOf(ctx context.Context, in Input) (Policy, error) {
	var policy Policy
	if in.Fixed != nil {
		policy = *in.Fixed
	} else {
		var err error
		if policy, err = v.Policy(ctx, in.Tenant, in.Policy); err != nil {
			return Policy{}, err
		}
	}
	switch {
	case in.Bound:
		policy = policy.requiring(CheckHolderBinding, CheckReplay)
	case in.Unbound && !policy.Accept.Presented:
		policy = policy.reporting(CheckHolderBinding, CheckReplay)
	}
	return policy, nil
}

// Verify judges in. Every check uses the one instant at which the call began.
func (v *Verifier) Verify(ctx context.Context, in Input) (Result, error) {
	policy, err := v.policyOf(ctx, in)
	if err != nil {
		return Result{}, err
	}
	want, err := mediaKind(in.MediaType)
	if err != nil {
		return Result{}, err
	}
	in.WantLog = in.WantLog || policy.RequireLog
	r := &run{v: v, in: in, policy: policy, now: v.cfg.Now().UTC(), spent: new(int)}
	result := Result{Policy: policy.Name, PolicyVersion: policy.Version, CheckedAt: r.now}
	if in.Document == nil {
		result.Digest = digest(in.Data)
	}
	doc, kind, err := r.parse(want)
	r.setDocument(doc)
	result.Kind = kind
	if errors.Is(err, errRefused) {
		return r.result(result), nil
	}
	if err != nil {
		result.Checks, result.Verdict = r.finish(), Invalid
		return result, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	r.judge(ctx, result.Kind)
	r.query(result.Kind)
	r.presented()
	return r.result(result), nil
}

// result completes what every run reports.
func (r *run) result(result Result) Result {
	result.Checks = r.finish()
	result.Verdict = r.policy.Decide(result.Checks)
	result.Credential = r.doc
	result.Inner = r.inner
	result.Summary = r.summary(result.Kind)
	if len(r.signatures) > 0 {
		result.Summary.SignedBy = r.signatures[0].method
	}
	return result
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// mediaKind tells what a media type promises.
func mediaKind(mediaType string) (announced, error) {
	if mediaType == "" {
		return announced{any: true}, nil
	}
	base, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return announced{}, fmt.Errorf("%q: %w", mediaType, ErrMediaType)
	}
	switch base {
	case "application/json", "application/ld+json":
		return announced{}, nil
	case "application/vc", "application/vc+ld+json":
		return announced{kind: KindCredential}, nil
	case "application/vp", "application/vp+ld+json":
		return announced{kind: KindPresentation}, nil
	}
	if typ := strings.TrimPrefix(base, "application/"); typ != base && kindOfToken(typ) != "" {
		return announced{kind: kindOfToken(typ), typ: typ}, nil
	}
	return announced{}, fmt.Errorf("%s: %w", base, ErrMediaType)
}

// parse reads the input once; what it returns is both what is checked and what the result holds.
func (r *run) parse(want announced) (map[string]any, Kind, error) {
	if want.typ != "" || (want.any && isToken(r.in.Data)) {
		return r.parseToken(want)
	}
	doc := r.in.Document
	if doc == nil {
		if len(r.in.Data) > MaxInput {
			r.add("parse_too_large", "")
			return nil, "", fmt.Errorf("input of %d bytes", len(r.in.Data))
		}
		parsed, err := schemas.ParseObject(r.in.Data)
		if err != nil {
			r.addField("parse_malformed", err)
			return nil, "", err
		}
		doc = parsed
	}
	kind := kindOf(doc)
	switch {
	case kind == "":
		r.add("parse_no_type", "/type")
		return nil, "", errors.New("no type of a credential or presentation")
	case want.kind != "" && want.kind != kind:
		r.add("parse_kind", "/type")
		return nil, "", fmt.Errorf("a %s was announced, a %s came", want.kind, kind)
	}
	r.add("parse_ok", "")
	return doc, kind, nil
}

func kindOf(doc map[string]any) Kind {
	for _, t := range texts(doc["type"]) {
		switch t {
		case schemas.TypeVerifiableCredential:
			return KindCredential
		case schemas.TypeVerifiablePresentation:
			return KindPresentation
		}
	}
	return ""
}
