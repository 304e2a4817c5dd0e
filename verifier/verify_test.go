package verifier_test

import (
	"errors"
	"slices"
	"testing"

	"heartmark/verifier"
)

func TestVerifyDEICredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.verify(t, w.verifier(t), w.credential(t), func(in *verifier.Input) { in.MediaType = "application/vc" })
	if r.Verdict != verifier.Valid || r.Policy != verifier.DefaultPolicy || !r.CheckedAt.Equal(start) || r.Kind != verifier.KindCredential {
		t.Fatalf("verdict %s under %s at %s\n%s", r.Verdict, r.Policy, r.CheckedAt, dump(r))
	}
	for _, id := range verifier.CheckIDs() {
		if len(r.Find(id)) == 0 {
			t.Errorf("check %s is not listed", id)
		}
	}
	for id, n := range map[verifier.CheckID]int{verifier.CheckStatus: 2, verifier.CheckAuthority: 2, verifier.CheckProof: 1} {
		if got := r.Find(id); len(got) != n || r.Outcome(id) != verifier.Pass {
			t.Errorf("%s: %d findings, %s", id, len(got), r.Outcome(id))
		}
	}
	s := r.Summary
	if s.IssuerName != "Acme" || s.SignedBy != acme+"#key-1" || len(s.Levels) != 2 || s.Achievement == "" || s.HolderID == "" {
		t.Errorf("summary = %+v", s)
	}
	for _, l := range s.Levels {
		if l.Dimension == "social_awareness" && (l.Level != "3" || l.LevelName != "Proficient" || l.Confidence != "0.93") {
			t.Errorf("level = %+v", l)
		}
	}
	if e := r.Find(verifier.CheckStatus)[0].Evidence; e == nil || e.Source != revList || e.Digest == "" || e.FromCache {
		t.Errorf("evidence of status = %+v", e)
	}
}

func TestInputErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	data := w.marshal(t, w.credential(t))
	cases := []struct {
		name string
		in   verifier.Input
		want error
	}{
		{"unknown policy", verifier.Input{Data: data, Policy: "lenient"}, verifier.ErrUnknownPolicy},
		{"unknown media type", verifier.Input{Data: data, MediaType: "application/vc+cose"}, verifier.ErrMediaType},
		{"malformed media type", verifier.Input{Data: data, MediaType: "//"}, verifier.ErrMediaType},
		{"not JSON", verifier.Input{Data: []byte("eyJ.eyJ.sig")}, verifier.ErrUnreadable},
		{"empty", verifier.Input{}, verifier.ErrUnreadable},
		{"array", verifier.Input{Data: []byte("[]")}, verifier.ErrUnreadable},
		{"no type", verifier.Input{Data: []byte("{}")}, verifier.ErrUnreadable},
		{"other type", verifier.Input{Data: []byte(`{"type":"Person"}`)}, verifier.ErrUnreadable},
		{"announced as a presentation", verifier.Input{Data: data, MediaType: "application/vp"}, verifier.ErrUnreadable},
		{"too large", verifier.Input{Data: make([]byte, verifier.MaxInput+1)}, verifier.ErrUnreadable},
	}
	for _, tc := range cases {
		r, err := v.Verify(t.Context(), tc.in)
		if !errors.Is(err, tc.want) || r.Verdict == verifier.Valid {
			t.Errorf("%s: %v, verdict %q, want %v", tc.name, err, r.Verdict, tc.want)
		}
		if errors.Is(err, verifier.ErrUnreadable) && r.Outcome(verifier.CheckParse) != verifier.Fail {
			t.Errorf("%s: parse is %s", tc.name, r.Outcome(verifier.CheckParse))
		}
	}
	_, err := v.Verify(t.Context(), verifier.Input{Data: data, Policy: "lenient"})
	if err == nil || err.Error() != `"lenient" is none of default: unknown policy` {
		t.Errorf("text = %v, want the choices named", err)
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range verifier.Codes() {
		if seen[c.Code] || !slices.Contains(verifier.CheckIDs(), c.Check) || c.Detail == "" {
			t.Errorf("code %+v stands twice, has no check or no text", c)
		}
		seen[c.Code] = true
		problem := c.Outcome == verifier.Fail || c.Outcome == verifier.NotDetermined
		if problem != (c.Type != "") && c.Outcome != verifier.Skipped {
			t.Errorf("code %s is %s and has type %q", c.Code, c.Outcome, c.Type)
		}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	check := func(id verifier.CheckID, o verifier.Outcome) verifier.Check {
		return verifier.Check{ID: id, Outcome: o}
	}
	proved := check(verifier.CheckProof, verifier.Pass)
	closed := verifier.Policy{Name: "p", Version: "1"}
	open := verifier.Policy{Name: "p", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckAuthority: verifier.Report}}
	cases := []struct {
		name   string
		policy verifier.Policy
		checks []verifier.Check
		want   verifier.Verdict
	}{
		{"no checks", closed, nil, verifier.Undetermined},
		{"no proof", closed, []verifier.Check{check(verifier.CheckModel, verifier.Pass)}, verifier.Undetermined},
		{"proof not applicable", closed, []verifier.Check{check(verifier.CheckProof, verifier.NotApplicable)}, verifier.Undetermined},
		{"proof alone", closed, []verifier.Check{proved}, verifier.Valid},
		{"skipped is not passed", closed, []verifier.Check{proved, check(verifier.CheckStatus, verifier.Skipped)}, verifier.Undetermined},
		{"undetermined", closed, []verifier.Check{proved, check(verifier.CheckStatus, verifier.NotDetermined)}, verifier.Undetermined},
		{"fail before undetermined", closed, []verifier.Check{proved, check(verifier.CheckStatus, verifier.NotDetermined), check(verifier.CheckPeriod, verifier.Fail)}, verifier.Invalid},
		{"odd outcome", closed, []verifier.Check{proved, check(verifier.CheckStatus, "fine")}, verifier.Undetermined},
		{"unknown check", closed, []verifier.Check{proved, check("extra", verifier.Fail)}, verifier.Invalid},
		{"reported", open, []verifier.Check{proved, check(verifier.CheckAuthority, verifier.Fail)}, verifier.Valid},
	}
	for _, tc := range cases {
		if got := tc.policy.Decide(tc.checks); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		// A verdict never improves when a check is added.
		rank := map[verifier.Verdict]int{verifier.Invalid: 0, verifier.Undetermined: 1, verifier.Valid: 2}
		for _, id := range verifier.CheckIDs() {
			for _, o := range []verifier.Outcome{verifier.Fail, verifier.NotDetermined, verifier.Skipped, verifier.NotApplicable} {
				if got := tc.policy.Decide(append(slices.Clone(tc.checks), check(id, o))); rank[got] > rank[tc.want] {
					t.Errorf("%s: adding %s of %s made %s of %s", tc.name, o, id, got, tc.want)
				}
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, p := range map[string]verifier.Policy{
		"no name":            {Version: "1"},
		"no version":         {Name: "p"},
		"name of default":    {Name: verifier.DefaultPolicy, Version: "2"},
		"wide skew":          {Name: "p", Version: "1", Skew: 1 << 40},
		"unknown check":      {Name: "p", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{"nothing": verifier.Report}},
		"unknown rule":       {Name: "p", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckAuthority: "maybe"}},
		"proof switched off": {Name: "p", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckProof: verifier.Report}},
		"status omitted":     {Name: "p", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckStatus: verifier.Omit}},
	} {
		if _, err := verifier.New(w.config(p)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := verifier.New(verifier.Config{}); err == nil {
		t.Error("empty configuration: accepted")
	}
}
