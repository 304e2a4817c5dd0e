package registry_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"heartmark/registry"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
)

func TestGrantIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.grant(registry.Grant{Name: "Acme Learning", Resources: []string{resource, resource + "b"}, Levels: []schemas.Level{1, 2}})
	if len(got) != 2 || got[0].Status != registry.Active || got[0].Authority != ownDID || got[0].Action != registry.ActionIssue {
		t.Fatalf("granted %+v", got)
	}
	must(t, w.DrainOutbox(t.Context()))
	records, err := w.AuthoritiesOf(t.Context(), tenant, time.Time{})
	must(t, err)
	for _, a := range records {
		if a.Log == nil {
			t.Fatalf("authority %s has no place in the log", a.ID)
		}
		p, err := w.Proof(t.Context(), *a.Log)
		must(t, err)
		entries, err := w.log.Entries(t.Context(), *a.Log, 1)
		must(t, err)
		must(t, inclusion.Verify(entries[0], p, w.log.VerifierKey()))
		var e struct {
			Kind, Subject string
			Data          registry.Authority
		}
		must(t, json.Unmarshal(entries[0], &e))
		if e.Kind != schemas.LogAuthority || e.Subject != tenant || e.Data.Resource != a.Resource || strings.Contains(string(entries[0]), operator().ID) {
			t.Errorf("log entry %s", entries[0])
		}
	}
	if len(w.journal) != 1 || w.journal[0].Event != registry.AuditGrant || w.journal[0].Actor != operator().ID {
		t.Errorf("journal %+v", w.journal)
	}
}

// SEC-163: registered by someone without the key.
func TestGrantNeedsControl(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const third = "did:web:third.example"
	good := func() registry.Grant {
		return registry.Grant{Entity: tenant, Resources: []string{resource}, Control: w.prove(tenant, seedKey(1))}
	}
	used := good()
	_, err := w.GrantAuthority(t.Context(), operator(), used)
	must(t, err)
	w.control[third] = seedKey(3).Public()
	for name, c := range map[string]struct {
		change func(*registry.Grant)
		actor  registry.Actor
		want   error
	}{
		"no proof":          {func(g *registry.Grant) { g.Control = registry.ControlProof{} }, operator(), registry.ErrProof},
		"used proof":        {func(g *registry.Grant) { g.Control = used.Control }, operator(), registry.ErrProof},
		"third party":       {func(g *registry.Grant) { g.Entity = third }, operator(), registry.ErrProof},
		"third's challenge": {func(g *registry.Grant) { g.Entity, g.Control = third, w.prove(third, seedKey(1)) }, operator(), registry.ErrProof},
		"other registry":    {func(g *registry.Grant) { g.Control.Challenge.Registry = "did:web:other.example" }, operator(), registry.ErrProof},
		"other nonce":       {func(g *registry.Grant) { g.Control.Challenge.Nonce = "AAAA" }, operator(), registry.ErrProof},
		"longer life":       {func(g *registry.Grant) { g.Control.Challenge.Expires = g.Control.Challenge.Expires.Add(time.Hour) }, operator(), registry.ErrProof},
		"other method":      {func(g *registry.Grant) { g.Control.Method = third + "#k1" }, operator(), registry.ErrProof},
		"no fragment":       {func(g *registry.Grant) { g.Control.Method = "x" }, operator(), registry.ErrProof},
		"changed signature": {func(g *registry.Grant) { g.Control.Signature[3] ^= 1 }, operator(), registry.ErrProof},
		"signature without label": {func(g *registry.Grant) {
			_, body, _ := strings.Cut(string(g.Control.Challenge.Message()), "\n")
			g.Control.Signature = ed25519.Sign(seedKey(1), []byte(body))
		}, operator(), registry.ErrProof},
		"unknown key": {func(g *registry.Grant) {
			g.Entity = "did:web:nobody.example"
			g.Control = w.prove(g.Entity, seedKey(1))
		}, operator(), registry.ErrProof},
		"no role":      {func(*registry.Grant) {}, registry.Actor{ID: "x"}, registry.ErrForbidden},
		"system":       {func(*registry.Grant) {}, system(), registry.ErrForbidden},
		"nameless":     {func(*registry.Grant) {}, registry.Actor{Role: registry.RoleOperator}, registry.ErrForbidden},
		"no resources": {func(g *registry.Grant) { g.Resources = nil }, operator(), registry.ErrInvalid},
		"twice":        {func(g *registry.Grant) { g.Resources = []string{resource, resource} }, operator(), registry.ErrInvalid},
		"not a URL":    {func(g *registry.Grant) { g.Resources = []string{"x"} }, operator(), registry.ErrInvalid},
		"not a DID":    {func(g *registry.Grant) { g.Entity = "https://x.example" }, operator(), registry.ErrInvalid},
		"action":       {func(g *registry.Grant) { g.Action = "rule" }, operator(), registry.ErrInvalid},
		"level":        {func(g *registry.Grant) { g.Levels = []schemas.Level{5} }, operator(), registry.ErrInvalid},
		"backwards":    {func(g *registry.Grant) { g.ValidUntil = start().Add(-time.Hour) }, operator(), registry.ErrInvalid},
		"mail address": {func(g *registry.Grant) { g.Name = "Jo jo@acme.example" }, operator(), registry.ErrPersonalData},
		"zero width":   {func(g *registry.Grant) { g.Name = "Ac\u200bme" }, operator(), registry.ErrConfusable},
		"direction":    {func(g *registry.Grant) { g.Name = "Acme\u202egnp" }, operator(), registry.ErrConfusable},
		"mixed script": {func(g *registry.Grant) { g.Name = "\u0410cme" }, operator(), registry.ErrConfusable},
	} {
		g := good()
		c.change(&g)
		if _, err := w.GrantAuthority(t.Context(), c.actor, g); !errors.Is(err, c.want) {
			t.Errorf("%s: GrantAuthority = %v, want %v", name, err, c.want)
		}
	}
	late := good()
	w.clock.Advance(11 * time.Minute)
	if _, err := w.GrantAuthority(t.Context(), operator(), late); !errors.Is(err, registry.ErrProof) {
		t.Errorf("expired challenge: %v, want ErrProof", err)
	}
	records, err := w.AuthoritiesOf(t.Context(), tenant, time.Time{})
	if err != nil || len(records) != 1 {
		t.Errorf("%d authorities after refusals, %v, want 1", len(records), err)
	}
}

func TestControlByECDSA(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	w.control[tenant] = crypto.PublicKey(key.Public())
	c, err := w.Challenge(t.Context(), tenant)
	must(t, err)
	sum := sha256.Sum256(c.Message())
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	must(t, err)
	g := registry.Grant{Entity: tenant, Resources: []string{resource}, Control: registry.ControlProof{Challenge: c, Method: tenant + "#k1"}}
	g.Control.Signature, err = ecdsa.SignASN1(rand.Reader, key, sum[:])
	must(t, err)
	if _, err := w.GrantAuthority(t.Context(), operator(), g); !errors.Is(err, registry.ErrProof) {
		t.Errorf("ASN.1 signature: %v, want ErrProof", err)
	}
	g.Control.Signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	_, err = w.GrantAuthority(t.Context(), operator(), g)
	must(t, err)
}

func TestSimilarNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grant(registry.Grant{Name: "Modern Learning"})
	const other = "did:web:other.example"
	w.control[other] = seedKey(1).Public()
	for _, name := range []string{"Modern Learning", "MODERN  LEARNING"[:7] + "LEARNING", "Modem Leaming", "modern-learning", "M0dern Learn1ng", "\u041c\u043e\u0501\u0435rn"} {
		_, err := w.GrantAuthority(t.Context(), operator(), registry.Grant{Entity: other, Name: name, Resources: []string{resource}, Control: w.prove(other, seedKey(1))})
		if !errors.Is(err, registry.ErrConfusable) {
			t.Errorf("name %q: %v, want ErrConfusable", name, err)
		}
	}
	for i, name := range []string{"Acme", "心印 Heartmark", "Академия", "Modern Teaching"} {
		w.grant(registry.Grant{Entity: other, Name: name, Resources: []string{resource + strconv.Itoa(i)}})
	}
	got := w.grant(registry.Grant{Entity: other, Name: "Modern Learning", AcceptSimilarName: true})
	if len(got[0].Flags) != 1 || got[0].Flags[0] != registry.FlagSimilarName {
		t.Errorf("flags %v", got[0].Flags)
	}
}

func TestAuthorityAsOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.grant(registry.Grant{ValidUntil: start().Add(100 * time.Hour), Levels: []schemas.Level{1, 2}})[0]
	w.clock.Advance(10 * time.Hour)
	_, err := w.Suspend(t.Context(), operator(), a.ID, "review")
	must(t, err)
	w.clock.Advance(10 * time.Hour)
	_, err = w.Reinstate(t.Context(), operator(), a.ID, "reviewed")
	must(t, err)
	w.clock.Advance(10 * time.Hour)
	hour := func(n float64) time.Time { return start().Add(time.Duration(n * float64(time.Hour))) }
	check := func(when string, cases map[float64]registry.State, now registry.State) {
		t.Helper()
		for at, want := range cases {
			got := w.answer(registry.AuthorityQuery{Time: hour(at)})
			if got.State != want || got.StateNow != now || got.Authorized != (want == registry.StateInForce) {
				t.Errorf("%s, hour %v: %s and now %s, want %s and %s", when, at, got.State, got.StateNow, want, now)
			}
		}
	}
	cases := map[float64]registry.State{
		-1: registry.StateOutsidePeriod, 0: registry.StateInForce, 9.9: registry.StateInForce, 10: registry.StateSuspended,
		19: registry.StateSuspended, 20: registry.StateInForce, 30: registry.StateInForce, 99.9: registry.StateInForce, 100: registry.StateOutsidePeriod,
	}
	check("reinstated", cases, registry.StateInForce)
	// It comes to light late that the authority was wrong from hour 25 on.
	_, err = w.Withdraw(t.Context(), operator(), a.ID, hour(25), "rules broken")
	must(t, err)
	cases[24.9], cases[25], cases[30], cases[99.9], cases[100] = registry.StateInForce, registry.StateWithdrawn, registry.StateWithdrawn, registry.StateWithdrawn, registry.StateWithdrawn
	check("withdrawn", cases, registry.StateWithdrawn)

	for name, q := range map[string]struct {
		q    registry.AuthorityQuery
		want registry.State
	}{
		"unknown issuer":     {registry.AuthorityQuery{Entity: "did:web:nobody.example"}, registry.StateUnknown},
		"other resource":     {registry.AuthorityQuery{Resource: resource + "x", Time: hour(1)}, registry.StateNotAuthorised},
		"other action":       {registry.AuthorityQuery{Action: registry.ActionVerify, Time: hour(1)}, registry.StateNotAuthorised},
		"other authority":    {registry.AuthorityQuery{Authority: "did:web:other.example", Time: hour(1)}, registry.StateNotAuthorised},
		"level outside":      {registry.AuthorityQuery{Level: 3, Time: hour(1)}, registry.StateNotAuthorised},
		"level inside":       {registry.AuthorityQuery{Level: 2, Time: hour(1)}, registry.StateInForce},
		"resource is a part": {registry.AuthorityQuery{Resource: resource[:20], Time: hour(1)}, registry.StateNotAuthorised},
	} {
		if got := w.answer(q.q); got.State != q.want {
			t.Errorf("%s: %s, want %s", name, got.State, q.want)
		}
	}
	if _, err := w.Reinstate(t.Context(), operator(), a.ID, ""); !errors.Is(err, registry.ErrFinal) {
		t.Errorf("reinstate after withdrawal: %v, want ErrFinal", err)
	}
	if _, err := w.Suspend(t.Context(), system(), a.ID, ""); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("suspend by the system: %v, want ErrForbidden", err)
	}
	if _, err := w.Suspend(t.Context(), operator(), "none", ""); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("suspend of nothing: %v, want ErrNotFound", err)
	}
	history, err := w.AuthorityHistory(t.Context(), a.ID)
	if err != nil || len(history) != 4 || history[0].Status != registry.Active || history[3].Status != registry.Withdrawn {
		t.Errorf("history of %d versions, %v; nothing may be overwritten", len(history), err)
	}
	// A new authority stands beside the withdrawn one.
	w.grant(registry.Grant{})
	if got := w.answer(registry.AuthorityQuery{}); !got.Authorized {
		t.Errorf("after a new grant: %s", got.State)
	}
}

// SEC-065: an issuer that is switched off is off at once.
func TestDeactivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grant(registry.Grant{Resources: []string{resource, resource + "b", resource + "c"}})
	if n, err := w.Deactivate(t.Context(), operator(), tenant, "incident"); err != nil || n != 3 {
		t.Errorf("Deactivate = %d, %v, want 3", n, err)
	}
	if got := w.answer(registry.AuthorityQuery{}); got.State != registry.StateSuspended || got.Authorized {
		t.Errorf("after Deactivate: %s", got.State)
	}
	if n, err := w.Deactivate(t.Context(), operator(), tenant, "incident"); err != nil || n != 0 {
		t.Errorf("Deactivate again = %d, %v, want 0", n, err)
	}
	page, next, err := w.Issuers(t.Context(), registry.IssuerQuery{Action: registry.ActionIssue, Limit: 10})
	if err != nil || len(page) != 0 || next != "" {
		t.Errorf("issuers in force: %d, %q, %v", len(page), next, err)
	}
	page, _, err = w.Issuers(t.Context(), registry.IssuerQuery{Limit: 10})
	if err != nil || len(page) != 1 || len(page[0].Authorities) != 3 {
		t.Errorf("all issuers: %d, %v", len(page), err)
	}
}

// No journal, no change.
func TestJournalFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.c.Journal = func(context.Context, registry.AuditEvent) error { return errors.New("journal is full") }
	w.restart()
	if _, err := w.GrantAuthority(t.Context(), operator(), registry.Grant{Entity: tenant, Resources: []string{resource}, Control: w.prove(tenant, seedKey(1))}); err == nil {
		t.Error("granted without a journal")
	}
	if got := w.answer(registry.AuthorityQuery{}); got.State != registry.StateUnknown {
		t.Errorf("state %s", got.State)
	}
	if err := w.Publish(t.Context()); err == nil {
		t.Error("published a list without a journal")
	}
	if _, err := w.Snapshot(t.Context()); err == nil {
		t.Error("signed a snapshot without a journal")
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := registry.New(registry.Config{Origin: "ftp:"})
	for _, want := range []string{"origin", "store", "log", "signers", "securer", "lists", "control", "journal", "clock"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New of nothing = %v, want it to name %q", err, want)
		}
	}
}

// A second authority for the same act, resource and level in the same time is refused, and the field is named.
func TestOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := 24 * time.Hour
	first := w.grant(registry.Grant{Levels: []schemas.Level{1, 2}, ValidFrom: start(), ValidUntil: start().Add(30 * day)})
	for name, c := range map[string]struct {
		g    registry.Grant
		want error
	}{
		"same time":         {registry.Grant{ValidFrom: start(), ValidUntil: start().Add(30 * day)}, registry.ErrOverlap},
		"inside":            {registry.Grant{ValidFrom: start().Add(day), ValidUntil: start().Add(2 * day)}, registry.ErrOverlap},
		"last instant":      {registry.Grant{ValidFrom: start().Add(30*day - time.Second)}, registry.ErrOverlap},
		"from before":       {registry.Grant{ValidFrom: start().Add(-day)}, registry.ErrOverlap},
		"one level of both": {registry.Grant{ValidFrom: start(), Levels: []schemas.Level{2, 3}}, registry.ErrOverlap},
		"other levels":      {registry.Grant{ValidFrom: start(), Levels: []schemas.Level{3}}, nil},
		"other action":      {registry.Grant{ValidFrom: start(), Action: registry.ActionVerify}, nil},
		"other resource":    {registry.Grant{ValidFrom: start(), Resources: []string{resource + "2"}}, nil},
		"before":            {registry.Grant{ValidFrom: start().Add(-9 * day), ValidUntil: start()}, nil},
		"from the end on":   {registry.Grant{ValidFrom: start().Add(30 * day), ValidUntil: start().Add(31 * day), Levels: []schemas.Level{1}}, nil},
	} {
		g := c.g
		g.Entity, g.Control = tenant, w.prove(tenant, seedKey(1))
		if g.Resources == nil {
			g.Resources = []string{resource}
		}
		_, err := w.GrantAuthority(t.Context(), operator(), g)
		var field *schemas.FieldError
		if !errors.Is(err, c.want) || c.want != nil && (!errors.As(err, &field) || field.Pointer != "/validFrom") {
			t.Errorf("%s: %v, want %v at /validFrom", name, err, c.want)
		}
	}
	w.clock.Advance(day)
	_, err := w.Withdraw(t.Context(), operator(), first[0].ID, time.Time{}, "")
	must(t, err)
	again := w.grant(registry.Grant{Levels: []schemas.Level{1}, ValidFrom: w.clock.Now(), ValidUntil: start().Add(20 * day)})
	if again[0].ID == first[0].ID {
		t.Error("a new authority has the id of a withdrawn one")
	}
}

// Of grants made at once for the same, one stands. Those that say the same at the same instant are the same grant: each that
// goes through is answered with the one that stands.
func TestGrantsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 8
	proofs := make([]registry.ControlProof, n)
	for i := range proofs {
		proofs[i] = w.prove(tenant, seedKey(1))
	}
	type answer struct {
		granted []registry.Authority
		err     error
	}
	results := make(chan answer, n)
	for _, p := range proofs {
		go func() {
			granted, err := w.GrantAuthority(t.Context(), operator(), registry.Grant{Entity: tenant, Resources: []string{resource}, Control: p})
			results <- answer{granted, err}
		}()
	}
	var good []registry.Authority
	for range n {
		if got := <-results; got.err == nil {
			good = append(good, got.granted...)
		} else if !errors.Is(got.err, registry.ErrOverlap) {
			t.Errorf("grant: %v, want ErrOverlap", got.err)
		}
	}
	records, err := w.AuthoritiesOf(t.Context(), tenant, time.Time{})
	if err != nil || len(good) == 0 || len(records) != 1 {
		t.Fatalf("%d grants went through, %d authorities, %v", len(good), len(records), err)
	}
	for _, a := range good {
		if !reflect.DeepEqual(a, good[0]) || a.ID != records[0].ID {
			t.Errorf("answered with %+v, %+v stands", a, records[0])
		}
	}
}

// An accredited body grants within its accreditation, and its grants count while that holds.
func TestAccreditedBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body, school = "did:web:board.example", "did:web:school.example"
	w.control[body], w.control[school] = seedKey(1).Public(), seedKey(1).Public()
	until := start().AddDate(1, 0, 0)
	endorse := w.grant(registry.Grant{Entity: body, Action: registry.ActionEndorse, Levels: []schemas.Level{1, 2}, ValidUntil: until})
	for name, c := range map[string]struct {
		g       registry.Grant
		want    error
		pointer string
	}{
		"no end":         {registry.Grant{Authority: body, Levels: []schemas.Level{1}}, registry.ErrWider, "/validUntil"},
		"longer":         {registry.Grant{Authority: body, Levels: []schemas.Level{1}, ValidUntil: until.Add(time.Second)}, registry.ErrWider, "/validUntil"},
		"all levels":     {registry.Grant{Authority: body, ValidUntil: until}, registry.ErrWider, "/resources/0"},
		"other level":    {registry.Grant{Authority: body, Levels: []schemas.Level{2, 3}, ValidUntil: until}, registry.ErrWider, "/resources/0"},
		"earlier":        {registry.Grant{Authority: body, Levels: []schemas.Level{1}, ValidFrom: start().Add(-time.Hour), ValidUntil: until}, registry.ErrWider, "/resources/0"},
		"other resource": {registry.Grant{Authority: body, Levels: []schemas.Level{1}, Resources: []string{resource + "x"}, ValidUntil: until}, registry.ErrWider, "/resources/0"},
		"no body":        {registry.Grant{Authority: "did:web:self.example", ValidUntil: until}, registry.ErrWider, "/resources/0"},
		"recognise":      {registry.Grant{Authority: body, Action: registry.ActionRecognize, Levels: []schemas.Level{1}, ValidUntil: until}, registry.ErrWider, "/action"},
		"itself":         {registry.Grant{Entity: body, Authority: body, ValidUntil: until}, registry.ErrInvalid, "/authority"},
	} {
		g := c.g
		if g.Entity == "" {
			g.Entity = school
		}
		if g.Resources == nil {
			g.Resources = []string{resource}
		}
		g.Control = w.prove(g.Entity, seedKey(1))
		_, err := w.GrantAuthority(t.Context(), operator(), g)
		var field *schemas.FieldError
		if !errors.Is(err, c.want) || !errors.As(err, &field) || field.Pointer != c.pointer {
			t.Errorf("%s: %v, want %v at %s", name, err, c.want, c.pointer)
		}
	}
	w.grant(registry.Grant{Entity: school, Authority: body, Levels: []schemas.Level{2}, ValidUntil: until})
	ask := func(authority string, level schemas.Level) registry.AuthorityAnswer {
		return w.answer(registry.AuthorityQuery{Entity: school, Authority: authority, Level: level})
	}
	if a := ask("", 2); !a.Authorized || a.Record.Authority != body {
		t.Errorf("by the board: %+v", a)
	}
	if a := ask(ownDID, 2); !a.Authorized {
		t.Errorf("the registry's word through the board: %+v", a)
	}
	if a := ask(body, 2); !a.Authorized || !a.KnownAuthority {
		t.Errorf("the board's word: %+v", a)
	}
	if ask("", 1).Authorized || ask("did:web:other.example", 2).Authorized {
		t.Error("another level, or another's word, is authorised")
	}
	_, err := w.Suspend(t.Context(), operator(), endorse[0].ID, "")
	must(t, err)
	if a := ask("", 2); a.Authorized || a.State != registry.StateSuspended {
		t.Errorf("under a suspended board: %+v", a)
	}
	if listed, backed := w.listed(school); listed || backed {
		t.Errorf("under a suspended board it is listed: %t, backed: %t", listed, backed)
	}
	w.clock.Advance(time.Hour)
	_, err = w.Reinstate(t.Context(), operator(), endorse[0].ID, "")
	must(t, err)
	if a := ask("", 2); !a.Authorized {
		t.Errorf("under a board that is back: %+v", a)
	}
	if listed, backed := w.listed(school); !listed || !backed {
		t.Errorf("under a board that is back it is listed: %t, backed: %t", listed, backed)
	}
	a := w.answer(registry.AuthorityQuery{Entity: school, Level: 2, Time: start().Add(time.Minute)})
	if a.Authorized || a.StateNow != registry.StateInForce {
		t.Errorf("as of the suspension: %+v", a)
	}
}

// listed reports whether an entity is among those that may issue the resource, and whether its authorities are backed.
func (w *world) listed(entity string) (listed, backed bool) {
	w.t.Helper()
	page, _, err := w.Issuers(w.t.Context(), registry.IssuerQuery{Action: registry.ActionIssue, Resource: resource})
	must(w.t, err)
	own, err := w.AuthoritiesOf(w.t.Context(), entity, time.Time{})
	must(w.t, err)
	backed, err = w.Backed(w.t.Context(), own[0])
	must(w.t, err)
	return slices.ContainsFunc(page, func(i registry.Issuer) bool { return i.DID == entity }), backed
}
