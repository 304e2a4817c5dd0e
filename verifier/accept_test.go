package verifier_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas"
	"heartmark/verifier"
)

func policyOf(change func(p *verifier.Policy)) verifier.Policy {
	p := verifier.Policy{Name: "own", Version: "7", Skew: time.Minute}
	change(&p)
	return p
}

func TestAcceptance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	credential := w.credential(t)
	profile := schemas.AchievementID(origin, schemas.AchievementProfile)
	const good, bad = "policy_accepted", "policy_refused"
	for name, c := range map[string]struct {
		accept verifier.Acceptance
		code   string
	}{
		"its issuer":             {verifier.Acceptance{Issuers: []string{other, acme}}, good},
		"another issuer":         {verifier.Acceptance{Issuers: []string{other}}, bad},
		"its type":               {verifier.Acceptance{Types: []string{"OpenBadgeCredential"}}, good},
		"its achievement":        {verifier.Acceptance{Types: []string{profile}}, good},
		"another type":           {verifier.Acceptance{Types: []string{"Diploma"}}, bad},
		"the level":              {verifier.Acceptance{MinLevels: map[schemas.Dimension]schemas.Level{schemas.DimensionSocialAwareness: 3}}, good},
		"a lower level":          {verifier.Acceptance{MinLevels: map[schemas.Dimension]schemas.Level{schemas.DimensionSocialAwareness: 1}}, good},
		"a higher level":         {verifier.Acceptance{MinLevels: map[schemas.Dimension]schemas.Level{schemas.DimensionSocialAwareness: 4}}, bad},
		"a dimension not stated": {verifier.Acceptance{MinLevels: map[schemas.Dimension]schemas.Level{schemas.DimensionOverall: 1}}, bad},
		"young enough":           {verifier.Acceptance{MaxAge: 2 * time.Hour}, good},
		"too old":                {verifier.Acceptance{MaxAge: time.Minute}, bad},
		"a final scale":          {verifier.Acceptance{FinalScale: true}, bad},
		"all but one": {verifier.Acceptance{
			Issuers: []string{acme}, Types: []string{profile}, MaxAge: time.Minute,
		}, bad},
	} {
		v := w.verifier(t, policyOf(func(p *verifier.Policy) { p.Accept = c.accept }))
		r := w.verify(t, v, credential, func(in *verifier.Input) { in.Policy = "own" })
		verdict := verifier.Valid
		if c.code == bad {
			verdict = verifier.Invalid
		}
		if r.Policy != "own" || r.PolicyVersion != "7" {
			t.Errorf("%s: result names policy %s %s", name, r.Policy, r.PolicyVersion)
		}
		want(t, r, verdict, c.code)
		if r := w.verify(t, v, credential); r.Verdict != verifier.Valid {
			t.Errorf("%s: under the default policy %s", name, r.Verdict)
		}
	}
}

// What a policy demands is not met by silence, nor waived by who asks.
func TestAcceptanceIsNotWaived(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	named := func(in *verifier.Input) { in.Policy = "own" }
	final := w.verifier(t, policyOf(func(p *verifier.Policy) { p.Accept.FinalScale = true }))
	want(t, w.verify(t, final, with(w.credential(t), "evidence", nil), named), verifier.Invalid, "policy_refused")
	stated := map[string]any{"id": "urn:x:1", "type": []any{"Evidence"}, "deiScale": "dei-2"}
	want(t, w.verify(t, final, with(w.credential(t), "evidence", []any{stated}), named), verifier.Invalid, "policy_accepted") // the proof is broken
	presented := w.verifier(t, policyOf(func(p *verifier.Policy) { p.Accept.Presented = true }))
	want(t, w.verify(t, presented, w.credential(t), named, func(in *verifier.Input) { in.Unbound = true }), verifier.Invalid, "holder_binding_demanded")
}

// Who asks for holder binding gets it under a policy that relaxes it.
func TestBoundDecidesUnderEveryPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, rule := range []verifier.Rule{verifier.Report, verifier.Omit} {
		v := w.verifier(t, policyOf(func(p *verifier.Policy) {
			p.Rules = map[verifier.CheckID]verifier.Rule{verifier.CheckHolderBinding: rule, verifier.CheckReplay: rule}
		}))
		old := w.presentation(t, verifierAuthentication, "old", "")
		named := func(in *verifier.Input) { in.Policy, in.Challenge = "own", "c-1" }
		if r := w.verify(t, v, old, named); r.Verdict != verifier.Valid {
			t.Errorf("%s: %s\n%s", rule, r.Verdict, dump(r))
		}
		want(t, w.verify(t, v, old, named, func(in *verifier.Input) { in.Bound = true }), verifier.Invalid, "replay_challenge")
	}
}

// Who verifies many keeps to the version that it read.
func TestFixedPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	fixed := policyOf(func(p *verifier.Policy) { p.Accept.Issuers = []string{other} })
	r := w.verify(t, v, w.credential(t), func(in *verifier.Input) { in.Policy, in.Fixed = "nowhere", &fixed })
	if r.Policy != "own" || r.PolicyVersion != "7" {
		t.Errorf("policy %s %s", r.Policy, r.PolicyVersion)
	}
	want(t, r, verifier.Invalid, "policy_refused")
}

func TestAcceptanceReachesCredentialsInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t, policyOf(func(p *verifier.Policy) { p.Accept.Issuers = []string{other} }))
	holder, method := w.didKey(t, "holder")
	presentation := w.sign(t, w.container(t, holder, w.credential(t)), method, verifierAuthentication, forShop)
	r := w.verify(t, v, presentation, func(in *verifier.Input) { in.Policy, in.Challenge, in.Domain = "own", "c-1", "shop.example" })
	if r.Verdict != verifier.Invalid || len(r.Inner) != 1 || len(r.Inner[0].Find(verifier.CheckQuery)) == 0 {
		t.Errorf("verdict %s\n%s", r.Verdict, dump(r))
	}
}

func TestPolicyDemandsHolderAndLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	demanding := w.verifier(t, policyOf(func(p *verifier.Policy) { p.Accept.Presented = true }))
	named := func(in *verifier.Input) { in.Policy = "own" }
	want(t, w.verify(t, demanding, w.credential(t), named), verifier.Invalid, "holder_binding_demanded")
	holder, method := w.didKey(t, "holder")
	presentation := w.sign(t, w.container(t, holder, w.credential(t)), method, verifierAuthentication, forShop)
	want(t, w.verify(t, demanding, presentation, named, func(in *verifier.Input) { in.Challenge, in.Domain = "c-1", "shop.example" }),
		verifier.Valid, "holder_binding_ok")
	logged := w.verifier(t, policyOf(func(p *verifier.Policy) { p.RequireLog = true }))
	want(t, w.verify(t, logged, w.credential(t), named), verifier.Undetermined, "log_inclusion_missing")
}

func TestPolicyAgeOfStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t, policyOf(func(p *verifier.Policy) { p.MaxStatusAge = time.Minute }))
	credential, named := w.credential(t), func(in *verifier.Input) { in.Policy = "own" }
	want(t, w.verify(t, v, credential, named), verifier.Valid, "status_ok")
	w.clock.Advance(2 * time.Minute)
	before := len(w.sent())
	if r := w.verify(t, v, credential); r.Verdict != verifier.Valid || len(w.sent()) != before {
		t.Errorf("the default policy fetched a list that is fresh: %s", r.Verdict)
	}
	want(t, w.verify(t, v, credential, named), verifier.Valid, "status_ok")
	if len(w.sent()) == before {
		t.Error("a list too old for the policy was not fetched again")
	}
	w.clock.Advance(2 * time.Minute)
	w.listErr = errors.New("down")
	want(t, w.verify(t, v, credential, named), verifier.Undetermined, "status_stale")
}

// ownPolicies knows one policy of one tenant.
type ownPolicies struct{ p verifier.Policy }

func (o ownPolicies) Policy(_ context.Context, tenant, name string) (verifier.Policy, error) {
	if tenant == "acme" && name == o.p.Name {
		return o.p, nil
	}
	return verifier.Policy{}, verifier.ErrUnknownPolicy
}

func TestOwnPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.config()
	config.Own = ownPolicies{policyOf(func(p *verifier.Policy) { p.Accept.Issuers = []string{other} })}
	v, err := verifier.New(config)
	if err != nil {
		t.Fatal(err)
	}
	data := w.marshal(t, w.credential(t))
	r, err := v.Verify(t.Context(), verifier.Input{Data: data, Tenant: "acme", Policy: "own"})
	if err != nil || r.Verdict != verifier.Invalid || r.Policy != "own" {
		t.Errorf("own policy: %s, %v", r.Verdict, err)
	}
	for _, tenant := range []string{"", "beta"} {
		if _, err := v.Verify(t.Context(), verifier.Input{Data: data, Tenant: tenant, Policy: "own"}); !errors.Is(err, verifier.ErrUnknownPolicy) {
			t.Errorf("tenant %q: %v, want ErrUnknownPolicy", tenant, err)
		}
	}
}

func TestCallersQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	asked := 0
	ask := func(err error) func(*verifier.Input) {
		return func(in *verifier.Input) {
			in.Query = func(credentials []map[string]any) error {
				asked++
				if len(credentials) != 1 || credentials[0]["id"] == nil {
					t.Errorf("asked about %v", credentials)
				}
				return err
			}
		}
	}
	credential := w.credential(t)
	want(t, w.verify(t, v, credential, ask(nil)), verifier.Valid, "query_ok")
	no := &schemas.FieldError{Pointer: "/credentialSubject/x", Expected: "x", Err: schemas.ErrMalformed}
	r := w.verify(t, v, credential, ask(no))
	want(t, r, verifier.Invalid, "query_unsatisfied")
	if c := r.Find(verifier.CheckQuery); len(c) != 1 || c[0].Pointer != no.Pointer {
		t.Errorf("query check %+v", c)
	}
	holder, method := w.didKey(t, "holder")
	presentation := w.sign(t, w.container(t, holder, credential), method, verifierAuthentication, forShop)
	want(t, w.verify(t, v, presentation, ask(nil), func(in *verifier.Input) { in.Challenge, in.Domain = "c-1", "shop.example" }), verifier.Valid, "query_ok")
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
	// A good answer to the query makes no forged credential good.
	forged := with(credential, "name", "other")
	if r := w.verify(t, v, forged, ask(nil)); r.Verdict != verifier.Invalid {
		t.Errorf("forged: %s", r.Verdict)
	}
}

func forShop(o *dataintegrity.ProofOptions) { o.Challenge, o.Domain = "c-1", "shop.example" }

func TestManyReadOwnListsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for url, list := range w.lists {
		list.Local = true
		w.lists[url] = list
	}
	v, credential := w.verifier(t), w.credential(t)
	reads := func() (n int) {
		for _, url := range w.sent() {
			if url == revList {
				n++
			}
		}
		return n
	}
	run := func(in *verifier.Input) { in.Since = start }
	for range 3 {
		want(t, w.verify(t, v, credential, run), verifier.Valid, "status_ok")
	}
	if n := reads(); n != 1 {
		t.Errorf("the list was read %d times in one run, want 1", n)
	}
	want(t, w.verify(t, v, credential), verifier.Valid, "status_ok")
	if n := reads(); n != 2 {
		t.Errorf("read %d times: outside a run it is read for each check", n)
	}
	w.clock.Advance(6 * time.Minute)
	want(t, w.verify(t, v, credential, run), verifier.Valid, "status_ok")
	if n := reads(); n != 3 {
		t.Errorf("read %d times: what is read in a run counts for five minutes", n)
	}
}
