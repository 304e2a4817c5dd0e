package intake_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/schemas"
)

func itemHash(id string) string {
	m := hmac.New(sha256.New, []byte("item key"))
	m.Write([]byte("message\x00" + id))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

func TestTextsAreThePinnedOnes(t *testing.T) {
	t.Parallel()
	texts, err := intake.Texts()
	if err != nil || len(texts) != 2 {
		t.Fatalf("Texts = %d, %v", len(texts), err)
	}
	for _, text := range texts {
		for _, purpose := range intake.Purposes() {
			if !strings.Contains(text.Markdown, purpose) {
				t.Errorf("%s: purpose %s is not explained", text.Language, purpose)
			}
		}
	}
}

func TestTermsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	later := func(d time.Duration) string { return schemas.FormatTime(start.Add(d)) }
	cases := map[string]struct {
		change func(*intake.Terms)
		want   error
	}{
		"G16 not adult":           {func(x *intake.Terms) { x.Adult = false }, evidence.ErrUnderage},
		"G4 lie detection":        {func(x *intake.Terms) { x.Purposes = append(x.Purposes, "lie_detection") }, intake.ErrForbiddenPurpose},
		"G4 workplace emotion":    {func(x *intake.Terms) { x.Purposes = []string{"workplace_emotion"} }, intake.ErrForbiddenPurpose},
		"G3 employer":             {func(x *intake.Terms) { x.Setting = &intake.Setting{Kind: "employer"} }, intake.ErrUnfree},
		"G3 school, disadvantage": {func(x *intake.Terms) { x.Setting = &intake.Setting{Kind: "school", Voluntary: "to learn"} }, intake.ErrUnfree},
		"G3 purpose of spaces": {func(x *intake.Terms) {
			x.Setting = &intake.Setting{Kind: "school", Voluntary: " ", NoDisadvantage: true}
		}, intake.ErrUnfree},
		"setting unknown":        {func(x *intake.Terms) { x.Setting = &intake.Setting{Kind: "club"} }, schemas.ErrMalformed},
		"no purposes":            {func(x *intake.Terms) { x.Purposes = nil }, schemas.ErrMalformed},
		"purpose unknown":        {func(x *intake.Terms) { x.Purposes = []string{"proces"} }, schemas.ErrMalformed},
		"purpose twice":          {func(x *intake.Terms) { x.Purposes = []string{"score", "score"} }, schemas.ErrMalformed},
		"no classes":             {func(x *intake.Terms) { x.DataClasses = nil }, schemas.ErrMalformed},
		"class unknown":          {func(x *intake.Terms) { x.DataClasses = []string{"voice"} }, schemas.ErrMalformed},
		"no subject":             {func(x *intake.Terms) { x.Subject = "" }, schemas.ErrMalformed},
		"long platform":          {func(x *intake.Terms) { x.Platform = strings.Repeat("p", 65) }, schemas.ErrMalformed},
		"text unknown":           {func(x *intake.Terms) { x.Text.Digest = "sha256:00" }, intake.ErrConsentText},
		"text of another tongue": {func(x *intake.Terms) { x.Text.Language = "zh" }, intake.ErrConsentText},
		"from unreadable":        {func(x *intake.Terms) { x.From = "2026-03-02" }, schemas.ErrMalformed},
		"from far ahead":         {func(x *intake.Terms) { x.From = later(32 * 24 * time.Hour) }, schemas.ErrMalformed},
		"ended":                  {func(x *intake.Terms) { x.Until = later(0) }, schemas.ErrMalformed},
		"too long":               {func(x *intake.Terms) { x.Until = later(intake.MaxConsent + time.Second) }, schemas.ErrMalformed},
	}
	for name, tc := range cases {
		_, _, err := w.service.Give(t.Context(), acme, intake.GiveRequest{Terms: w.terms("u7", tc.change), Account: true})
		wantErr(t, name, err, tc.want)
	}
	if n := w.audited(intake.AuditConsentRefused); n != 6 {
		t.Errorf("%d refusals of policy in the audit trail, want 6", n)
	}
	if got, err := w.service.Receipts(t.Context(), "acme", "u7", "", 10); err != nil || len(got) != 0 {
		t.Errorf("refused terms left %d receipts, %v", len(got), err)
	}
	voluntary := &intake.Setting{Kind: "school", Voluntary: "I want to practise", NoDisadvantage: true}
	if _, _, err := w.service.Give(t.Context(), acme, intake.GiveRequest{Terms: w.terms("u7", func(x *intake.Terms) { x.Setting = voluntary }), Account: true}); err != nil {
		t.Errorf("a documented voluntary purpose: %v", err)
	}
}

func TestConfirmations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := newPerson(t, "u7"), newPerson(t, "u8")
	terms := w.terms("u7")
	digest, err := terms.Digest()
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{"terms": digest}
	type change = func(header, claims map[string]any)
	for name, jws := range map[string]string{
		"not a JWS":          "hello",
		"other terms":        p.sign(t, intake.TypConsent, start, map[string]any{"terms": "x"}),
		"no terms":           p.sign(t, intake.TypConsent, start, nil),
		"other type":         p.sign(t, intake.TypSubject, start, claims),
		"other audience":     p.sign(t, intake.TypConsent, start, claims, change(func(_, c map[string]any) { c["aud"] = "did:web:evil.example" })),
		"other issuer":       p.sign(t, intake.TypConsent, start, claims, change(func(_, c map[string]any) { c["iss"] = other.did })),
		"another's key":      p.sign(t, intake.TypConsent, start, claims, change(func(h, _ map[string]any) { h["kid"] = other.method() })),
		"web key":            p.sign(t, intake.TypConsent, start, claims, change(func(h, _ map[string]any) { h["kid"] = "did:web:evil.example#k" })),
		"no fragment":        p.sign(t, intake.TypConsent, start, claims, change(func(h, _ map[string]any) { h["kid"] = p.did })),
		"old":                p.sign(t, intake.TypConsent, start.Add(-11*time.Minute), claims),
		"ahead":              p.sign(t, intake.TypConsent, start.Add(11*time.Minute), claims),
		"no time":            p.sign(t, intake.TypConsent, start, claims, change(func(_, c map[string]any) { delete(c, "iat") })),
		"cut":                strings.TrimSuffix(p.sign(t, intake.TypConsent, start, claims), "A")[:80],
		"signature replaced": p.sign(t, intake.TypConsent, start, claims)[:100] + other.sign(t, intake.TypConsent, start, claims)[100:],
	} {
		_, _, err := w.service.Give(t.Context(), acme, intake.GiveRequest{Terms: terms, JWS: jws})
		wantErr(t, name, err, intake.ErrConfirmation)
	}
	for name, r := range map[string]intake.GiveRequest{
		"neither": {Terms: terms}, "both": {Terms: terms, Account: true, JWS: p.sign(t, intake.TypConsent, start, claims)},
	} {
		_, _, err := w.service.Give(t.Context(), acme, r)
		wantErr(t, name, err, schemas.ErrMalformed)
	}
	got, created, err := w.service.Give(t.Context(), acme, intake.GiveRequest{Terms: terms, JWS: p.sign(t, intake.TypConsent, start, claims)})
	if err != nil || !created || got.Method != intake.ConfirmedByKey || got.Holder != p.did || got.Subject != "u7" {
		t.Fatalf("Give = %+v, %v, %v", got, created, err)
	}
	vouched, _, err := w.service.Give(t.Context(), acme, intake.GiveRequest{Terms: terms, Account: true})
	if err != nil || vouched.Method != intake.ConfirmedByAccount || vouched.Holder != "" {
		t.Fatalf("Give by account = %+v, %v", vouched, err)
	}
	if list, err := w.service.Receipts(t.Context(), "acme", "u7", "", 10); err != nil || len(list) != 2 {
		t.Errorf("Receipts = %d, %v; want 2", len(list), err)
	}
	if list, _ := w.service.Receipts(t.Context(), "beta", "u7", "", 10); len(list) != 0 {
		t.Error("another tenant reads the receipts")
	}
	_, err = w.service.Receipt(t.Context(), "beta", got.ID)
	wantErr(t, "another tenant", err, intake.ErrNotFound)
}

// A signature makes one receipt: the platform cannot post it again to undo a withdrawal.
func TestWithdrawalCannotBeUndone(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newPerson(t, "u7")
	terms := w.terms("u7")
	digest, _ := terms.Digest()
	r := intake.GiveRequest{Terms: terms, JWS: p.sign(t, intake.TypConsent, start, map[string]any{"terms": digest})}
	first, _, err := w.service.Give(t.Context(), acme, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Withdraw(t.Context(), acme, first.ID); err != nil {
		t.Fatal(err)
	}
	again, created, err := w.service.Give(t.Context(), acme, r)
	if err != nil || created || again.ID != first.ID || again.State(start) != "withdrawn" {
		t.Errorf("the same signature again = %s, created %v, %s, %v", again.ID, created, again.State(start), err)
	}
	_, _, err = w.submit(first.ID, lines("u7", 1))
	wantErr(t, "Submit", err, intake.ErrNotLive)
}

func TestConsentIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := intake.GiveRequest{Terms: w.terms("u7"), Account: true, IdempotencyKey: "1"}
	first, created, err := w.service.Give(t.Context(), acme, r)
	if err != nil || !created {
		t.Fatal(err)
	}
	w.restart() // the key is durable
	again, created, err := w.service.Give(t.Context(), acme, r)
	if err != nil || created || again.ID != first.ID {
		t.Errorf("again = %s, %v, %v", again.ID, created, err)
	}
	r.Terms = w.terms("u8")
	_, _, err = w.service.Give(t.Context(), acme, r)
	wantErr(t, "another body", err, intake.ErrKeyReuse)
	if _, created, err := w.service.Give(t.Context(), intake.Caller{Tenant: "beta"}, r); err != nil || !created {
		t.Errorf("another tenant's key: %v, %v", created, err)
	}
}
