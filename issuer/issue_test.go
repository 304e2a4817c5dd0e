package issuer_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/issuer"
	"heartmark/schemas"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	got, err := w.iss.Issue(t.Context(), request("k1"))
	if err != nil {
		t.Fatalf("Issue: %v", err)
	}
	if err := w.verify(got.Credential); err != nil {
		t.Errorf("credential: %v", err)
	}
	doc, err := schemas.ParseObject(got.Credential)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(schemas.ValidateCredential(doc), schemas.ValidateOpenBadge(doc)); err != nil {
		t.Errorf("credential: %v", err)
	}
	if doc["id"] != string(got.ID) || doc["validUntil"] != "2027-01-10T09:00:00Z" || doc["validFrom"] != got.ValidFrom {
		t.Errorf("credential has id %v, valid %v to %v; want %s, one year", doc["id"], doc["validFrom"], doc["validUntil"], got.ID)
	}
	entries, ok := doc["credentialStatus"].([]any)
	if !ok || len(entries) != 2 {
		t.Fatalf("credentialStatus = %v, want two entries", doc["credentialStatus"])
	}
	first := entries[0].(map[string]any)["statusListIndex"]
	if first != entries[1].(map[string]any)["statusListIndex"] {
		t.Errorf("entries have indexes %v and %v, want one", first, entries[1])
	}
	if got.Log != nil || got.LogIndex != nil || got.Status != issuer.StatusValid {
		t.Errorf("Issue = log %v, status %s; want pending, valid", got.Log, got.Status)
	}
	if err := w.iss.DrainOutbox(t.Context()); err != nil {
		t.Fatalf("DrainOutbox: %v", err)
	}
	again, err := w.iss.Get(t.Context(), "acme", got.ID)
	if err != nil || !bytes.Equal(again.Credential, got.Credential) || again.Log == nil || *again.LogIndex != 0 {
		t.Errorf("Get = log %v, %v; want the credential with its place in the log", again.Log, err)
	}
	commitment := schemas.IssuedCommitment(got.ID, did("acme"), got.ValidFrom, got.ValidUntil, got.Group, got.Index)
	if want := string(schemas.IssuedEntry(commitment).Encode()); len(w.log.entries) != 1 || w.log.entries[0] != want {
		t.Errorf("log holds %q, want %q", w.log.entries, want)
	}
}

func TestIdempotentRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	first, err := w.iss.Issue(t.Context(), request("k1"))
	if err != nil {
		t.Fatal(err)
	}
	delete(w.reports, "r1") // a retry needs nothing but the store
	w.clock.Advance(time.Hour)
	second, err := w.iss.Issue(t.Context(), request("k1"))
	if err != nil || second.ID != first.ID || !bytes.Equal(second.Credential, first.Credential) || second.Index != first.Index {
		t.Errorf("retry = %s, %v; want %s with the same bytes", second.ID, err, first.ID)
	}
	other := request("k1")
	other.HolderID = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"
	if _, err := w.iss.Issue(t.Context(), other); !errors.Is(err, issuer.ErrConflict) {
		t.Errorf("other request under the key: %v, want ErrConflict", err)
	}
	w.reports["r1"] = attestation()
	elsewhere := request("k1")
	elsewhere.Tenant = "beta"
	if third, err := w.iss.Issue(t.Context(), elsewhere); err != nil || third.ID == first.ID {
		t.Errorf("the key at another tenant = %s, %v; want a credential of its own", third.ID, err)
	}
	if n := len(w.signed); n != 2 {
		t.Errorf("%d signatures, want 2", n)
	}
}

func TestConcurrentRetriesSignOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	var wg sync.WaitGroup
	ids := make([]schemas.CredentialID, 16)
	for n := range ids {
		wg.Go(func() {
			got, err := w.iss.Issue(t.Context(), request("k1"))
			if err != nil {
				t.Errorf("Issue: %v", err)
			}
			ids[n] = got.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] != ids[len(ids)-1] || len(w.signed) != 1 {
		t.Errorf("%d signatures, credentials %s to %s; want one", len(w.signed), ids[0], ids[len(ids)-1])
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	edit := func(f func(*schemas.Attestation)) func(*world, *issuer.Request) {
		return func(w *world, _ *issuer.Request) {
			a := w.reports["r1"]
			f(&a)
			w.reports["r1"] = a
		}
	}
	ask := func(f func(*issuer.Request)) func(*world, *issuer.Request) {
		return func(_ *world, r *issuer.Request) { f(r) }
	}
	errOut := errors.New("registry is out")
	cases := map[string]struct {
		change func(*world, *issuer.Request)
		want   error
	}{
		"unknown configuration": {ask(func(r *issuer.Request) { r.Configuration = "x" }), issuer.ErrNotFound},
		"no configuration":      {ask(func(r *issuer.Request) { r.Configuration = "" }), issuer.ErrInvalid},
		"unknown report":        {ask(func(r *issuer.Request) { r.ReportID = "x" }), issuer.ErrNotFound},
		"report of another":     {ask(func(r *issuer.Request) { r.Tenant = "stranger" }), issuer.ErrNotFound},
		"no report":             {ask(func(r *issuer.Request) { r.ReportID = "" }), issuer.ErrInvalid},
		"issuer switched off":   {ask(func(r *issuer.Request) { r.Tenant = "closed" }), issuer.ErrNotFound},
		"no holder":             {ask(func(r *issuer.Request) { r.HolderID = "" }), issuer.ErrInvalid},
		"holder is a URL":       {ask(func(r *issuer.Request) { r.HolderID = "https://a.example" }), issuer.ErrInvalid},
		"holder is a DID URL":   {ask(func(r *issuer.Request) { r.HolderID += "#key" }), issuer.ErrInvalid},
		"holder with a space":   {ask(func(r *issuer.Request) { r.HolderID += " x" }), issuer.ErrInvalid},
		"endless holder":        {ask(func(r *issuer.Request) { r.HolderID += strings.Repeat("x", 1<<16) }), issuer.ErrInvalid},
		"language":              {ask(func(r *issuer.Request) { r.Language = "xx" }), issuer.ErrInvalid},
		"key with control":      {ask(func(r *issuer.Request) { r.IdempotencyKey = "a\nb" }), issuer.ErrInvalid},
		"audience too wide":     {ask(func(r *issuer.Request) { r.Audience = []string{"advertisers"} }), issuer.ErrInvalid},
		"no level":              {edit(func(a *schemas.Attestation) { a.Levels = nil }), issuer.ErrNothingToIssue},
		"no level of the dimension": {func(w *world, r *issuer.Request) {
			r.Configuration = "dei-self_awareness"
			edit(func(a *schemas.Attestation) { a.Levels = a.Levels[1:] })(w, r)
		}, issuer.ErrNothingToIssue},
		"no consent to issue":           {edit(func(a *schemas.Attestation) { a.Purposes = []string{"process", "score", "automated"} }), issuer.ErrNoConsent},
		"no consent to automated":       {edit(func(a *schemas.Attestation) { a.Purposes = []string{"process", "score", "issue"} }), issuer.ErrNoConsent},
		"unknown review":                {edit(func(a *schemas.Attestation) { a.Review = "yes" }), issuer.ErrReviewNeeded},
		"no authority":                  {func(w *world, _ *issuer.Request) { w.refuse[did("acme")] = issuer.ErrNotAuthorised }, issuer.ErrNotAuthorised},
		"registry out":                  {func(w *world, _ *issuer.Request) { w.refuse[did("acme")] = errOut }, errOut},
		"achievement without authority": {ask(func(r *issuer.Request) { r.Configuration = "dei-social_awareness" }), issuer.ErrNotAuthorised},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, false)
			r := request("k1")
			c.change(w, &r)
			if _, err := w.iss.Issue(t.Context(), r); !errors.Is(err, c.want) {
				t.Errorf("Issue: %v, want %v", err, c.want)
			}
			// Nothing was reserved, signed or written down.
			open, err := w.db.OpenIntents(t.Context(), "", 10)
			if err != nil || len(open) > 0 || len(w.signed) > 0 || w.audits(issuer.AuditSign) > 0 {
				t.Errorf("left behind: %d open intents, %d signatures, %v", len(open), len(w.signed), err)
			}
		})
	}
}

func TestSEC_185_ReviewPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.conf = func(c *issuer.Config) {
		c.Configurations = issuer.DefaultConfigurations()
		for n := range c.Configurations {
			c.Configurations[n].Review = schemas.ReviewBeforeIssue
		}
	}
	w.open()
	if _, err := w.iss.Issue(t.Context(), request("")); !errors.Is(err, issuer.ErrReviewNeeded) {
		t.Errorf("Issue without review: %v, want ErrReviewNeeded", err)
	}
	a := attestation()
	a.Review, a.Purposes = schemas.ReviewBeforeIssue, []string{"issue"}
	w.reports["r1"] = a
	if _, err := w.iss.Issue(t.Context(), request("")); err != nil {
		t.Errorf("Issue after review: %v", err)
	}
}

func TestSourcesAndAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	r := request("")
	r.NoSources, r.Audience, r.Language = true, []string{"schools"}, "zh-CN"
	got, err := w.iss.Issue(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	text := string(got.Credential)
	for _, word := range []string{"deiPlatform", "plaza.example", "deiBatchDigest", "employers"} {
		if strings.Contains(text, word) {
			t.Errorf("credential holds %q", word)
		}
	}
	if !strings.Contains(text, "schools") {
		t.Error("credential lacks its audience")
	}
}

func TestOneStatusEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.conf = func(c *issuer.Config) {
		conf := issuer.DefaultConfigurations()[0]
		conf.NoSuspension = true
		c.Configurations = []issuer.Configuration{conf}
	}
	w.open()
	got, err := w.iss.Issue(t.Context(), request(""))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := schemas.ParseObject(got.Credential)
	if err != nil {
		t.Fatal(err)
	}
	if entry, ok := doc["credentialStatus"].(map[string]any); !ok || entry["statusPurpose"] != "revocation" {
		t.Errorf("credentialStatus = %v, want the revocation entry alone", doc["credentialStatus"])
	}
	if err := w.iss.Suspend(t.Context(), "acme", got.ID, ""); !errors.Is(err, issuer.ErrInvalid) {
		t.Errorf("Suspend: %v, want ErrInvalid", err)
	}
}

func TestPermitIsUsedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	p, err := w.iss.Prepare(t.Context(), request("k1"))
	if err != nil {
		t.Fatal(err)
	}
	if len(w.signed) > 0 {
		t.Error("Prepare signed")
	}
	// A second permit for the same intent does not allow a second signature.
	second, err := w.iss.Prepare(t.Context(), request("k1"))
	if err != nil || second.CredentialID() != p.CredentialID() {
		t.Fatalf("second Prepare = %s, %v; want %s", second.CredentialID(), err, p.CredentialID())
	}
	if _, err := w.iss.Sign(t.Context(), p); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	if _, err := w.iss.Sign(t.Context(), p); !errors.Is(err, issuer.ErrPermit) {
		t.Errorf("second Sign: %v, want ErrPermit", err)
	}
	if _, err := w.iss.Sign(t.Context(), second); !errors.Is(err, issuer.ErrInProgress) {
		t.Errorf("Sign with the second permit: %v, want ErrInProgress", err)
	}
	if _, err := w.iss.Sign(t.Context(), issuer.Permit{}); !errors.Is(err, issuer.ErrPermit) {
		t.Errorf("Sign with no permit: %v, want ErrPermit", err)
	}
	other := newWorld(t, false)
	foreign, err := other.iss.Prepare(t.Context(), request(""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.iss.Sign(t.Context(), foreign); !errors.Is(err, issuer.ErrPermit) {
		t.Errorf("Sign with another issuer's permit: %v, want ErrPermit", err)
	}
	old, err := w.iss.Prepare(t.Context(), request("k2"))
	if err != nil {
		t.Fatal(err)
	}
	if report, err := w.iss.Recover(t.Context()); err != nil || report != (issuer.RecoveryReport{}) {
		t.Errorf("Recover beside a live permit = %+v, %v; want nothing done", report, err)
	}
	w.clock.Advance(6 * time.Minute)
	if report, err := w.iss.Recover(t.Context()); err != nil || report.Closed != 1 {
		t.Errorf("Recover after the permit's life = %+v, %v; want one closed", report, err)
	}
	if _, err := w.iss.Sign(t.Context(), old); !errors.Is(err, issuer.ErrPermit) {
		t.Errorf("Sign with an old permit: %v, want ErrPermit", err)
	}
	if len(w.signed) != 1 {
		t.Errorf("%d signatures, want 1", len(w.signed))
	}
}

func TestSEC_220_NoAuditNoSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	full := errors.New("audit full")
	var fail error
	w.conf = func(c *issuer.Config) {
		c.Journal = func(context.Context, issuer.AuditEvent) error { return fail }
	}
	w.open()
	got, err := w.iss.Issue(t.Context(), request(""))
	if err != nil {
		t.Fatal(err)
	}
	fail = full
	if _, err := w.iss.Issue(t.Context(), request("")); !errors.Is(err, full) || len(w.signed) != 1 {
		t.Errorf("Issue: %v, %d signatures; want the journal's error and no second signature", err, len(w.signed))
	}
	if err := w.iss.Revoke(t.Context(), "acme", got.ID, ""); !errors.Is(err, full) || w.revoked(got.Group, got.Index) {
		t.Errorf("Revoke: %v, want the journal's error and no change", err)
	}
	if _, err := w.iss.Get(t.Context(), "acme", got.ID); err != nil {
		t.Errorf("Get: %v; reads go on", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	var want []schemas.CredentialID
	for range 7 {
		got, err := w.iss.Issue(t.Context(), request(""))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, got.ID)
		w.clock.Advance(time.Second)
	}
	other := request("")
	other.Tenant = "acm" // a name that is the beginning of another
	if _, err := w.iss.Issue(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	var got []schemas.CredentialID
	cursor, pages := "", 0
	for {
		page, next, err := w.iss.List(t.Context(), "acme", cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page {
			got = append(got, item.ID)
		}
		pages++
		if cursor = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("List = %v in %d pages, want %v in 3", got, pages, want)
	}
	if _, _, err := w.iss.List(t.Context(), "acme", "***", 3); !errors.Is(err, issuer.ErrInvalid) {
		t.Errorf("List with a bad cursor: %v, want ErrInvalid", err)
	}
	if _, err := w.iss.Get(t.Context(), "acm", want[0]); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("Get of another tenant's credential: %v, want ErrNotFound", err)
	}
}

func TestNewReportsAllFaults(t *testing.T) {
	t.Parallel()
	conf := issuer.DefaultConfigurations()[0]
	conf.Validity, conf.Forms = 400*24*time.Hour, []issuer.Form{{Format: issuer.FormatDataIntegrity, Cryptosuite: "bbs-2023", Algorithm: "ES256"}}
	_, err := issuer.New(issuer.Config{Configurations: []issuer.Configuration{conf, conf}, ListSize: 1024})
	if err == nil {
		t.Fatal("New succeeded")
	}
	for _, word := range []string{"Store", "Publisher", "Origin", "ListSize 1024", "validity", "cryptosuite", "twice"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error lacks %q: %v", word, err)
		}
	}
}
