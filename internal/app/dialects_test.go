package app_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/registryapi"
	"heartmark/internal/app"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/testkit"
	"heartmark/registry"
	"heartmark/registry/federation"
	"heartmark/schemas"
	"heartmark/schemas/trust"
	"heartmark/verifier"
	"heartmark/verifier/sources"

	"github.com/labstack/echo/v4"
)

// dialects is one registry with its public reads, asked in every way there is.
type dialects struct {
	t        *testing.T
	app      *app.App
	clock    *testkit.Clock
	server   *echo.Echo
	snapshot *trust.Snapshot
	anchor   map[string]crypto.PublicKey
}

var clerk = registry.Actor{ID: "clerk", Role: registry.RoleOperator}

func newDialects(t *testing.T) *dialects {
	t.Helper()
	d := &dialects{t: t, clock: testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))}
	c := settings(t, 18107)
	d.app = build(t, c, app.Options{Now: d.clock.Now, InMemory: true})
	h := registryapi.New(registryapi.Config{
		Origin: c.Origin, DID: d.app.DID(), Publications: d.app.Registry, Authorities: d.app.Registry, Writer: d.app.Registry,
		Federation: d.app.Registry, Metadata: d.app.OID4VCI, Log: d.app.Log, Events: d.app.Registry, Cursors: edge.Cursors{Key: []byte("k")},
	})
	problems, err := problem.New(c.Origin)
	if err != nil {
		t.Fatal(err)
	}
	d.server = echo.New()
	d.server.HTTPErrorHandler = func(err error, c echo.Context) { problems.Write(c.Response(), err, "en", "r") }
	d.server.POST("/trqp/authorization", h.Authorization)
	d.server.POST("/trqp/recognition", h.Recognition)
	d.server.GET("/registry/v1/issuers/:did/authorities", h.Issuer)
	d.server.GET("/registry/v1/issuers/:did/accreditations", h.Accreditations)
	d.server.GET("/oid4vci/:issuer/.well-known/openid-federation", h.EntityConfiguration)
	d.server.GET("/registry/v1/federation/fetch", h.FederationFetch)
	d.server.GET("/registry/v1/federation/resolve", h.FederationResolve)
	d.server.GET("/.well-known/openid-federation", h.EntityConfiguration)
	return d
}

// ask answers the status and decodes a body that is JSON into v.
func (d *dialects) ask(method, target, body string, v any) (status int, raw string) {
	d.t.Helper()
	r := httptest.NewRequest(method, target, bytes.NewReader([]byte(body)))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	d.server.ServeHTTP(rec, r)
	if v != nil && rec.Code == http.StatusOK {
		if err := json.Unmarshal(rec.Body.Bytes(), v); err != nil {
			d.t.Fatalf("%s %s: %v\n%s", method, target, err, rec.Body)
		}
	}
	return rec.Code, rec.Body.String()
}

// person is a DID that is its own key.
type person struct {
	did string
	key ed25519.PrivateKey
}

func newPerson(t *testing.T, seed byte) person {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	text, err := keys.Multibase(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return person{"did:key:" + text, key}
}

func (d *dialects) grant(p person, g registry.Grant) []registry.Authority {
	d.t.Helper()
	challenge, err := d.app.Registry.Challenge(d.t.Context(), p.did)
	if err != nil {
		d.t.Fatal(err)
	}
	g.Entity = p.did
	g.Control = registry.ControlProof{
		Challenge: challenge, Method: p.did + "#" + p.did[len("did:key:"):], Signature: ed25519.Sign(p.key, challenge.Message()),
	}
	out, err := d.app.Registry.GrantAuthority(d.t.Context(), clerk, g)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *dialects) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// people fills the registry over a quarter: granted, limited, suspended, reinstated, withdrawn, accredited by a body that
// is suspended for a while, and another registry that is recognised.
func (d *dialects) people(resources []string) (entities []string) {
	d.t.Helper()
	r, ctx := d.app.Registry, d.t.Context()
	start := d.clock.Now()
	body, other := newPerson(d.t, 1), newPerson(d.t, 2)
	d.grant(body, registry.Grant{Name: "Board", Action: registry.ActionEndorse, Resources: resources[:3], ValidUntil: start.AddDate(1, 0, 0)})
	d.grant(other, registry.Grant{Name: "Elsewhere", Action: registry.ActionRecognize, Resources: resources[:2]})
	entities = []string{body.did, other.did, "did:web:nobody.example"}
	day := 24 * time.Hour
	for n := byte(3); n < 15; n++ {
		p := newPerson(d.t, n)
		entities = append(entities, p.did)
		g := registry.Grant{Name: fmt.Sprintf("School %d", n), Resources: resources[:2], ValidFrom: start.Add(time.Duration(n) * day)}
		switch n % 4 {
		case 1:
			g.Levels = []schemas.Level{1, 2}
		case 2:
			g.Authority, g.ValidUntil = body.did, start.Add(60*day)
		case 3:
			g.Authority, g.Levels, g.ValidUntil = body.did, []schemas.Level{3}, start.Add(40*day)
		}
		granted := d.grant(p, g)
		d.clock.Advance(day)
		switch n % 3 {
		case 0:
			_, err := r.Suspend(ctx, clerk, granted[0].ID, "review")
			d.must(err)
			d.clock.Advance(3 * day)
			if n%2 == 0 {
				_, err = r.Reinstate(ctx, clerk, granted[0].ID, "")
				d.must(err)
			}
		case 1:
			_, err := r.Withdraw(ctx, clerk, granted[1].ID, d.clock.Now().Add(-12*time.Hour), "wrong")
			d.must(err)
		}
	}
	for _, tenant := range []string{"acme", "beta", "gamma"} {
		d.must(d.app.CreateTenant(ctx, schemas.Tenant{ID: tenant, Name: "Tenant " + tenant}))
		entities = append(entities, d.app.DID()+":"+tenant)
	}
	_, err := r.Deactivate(ctx, clerk, d.app.DID()+":beta", "")
	d.must(err)
	board, err := r.AuthoritiesOf(ctx, body.did, time.Time{})
	d.must(err)
	for _, a := range board[:2] {
		_, err = r.Suspend(ctx, clerk, a.ID, "inquiry")
		d.must(err)
	}
	d.clock.Advance(2 * day)
	_, err = r.Reinstate(ctx, clerk, board[0].ID, "")
	d.must(err)
	d.clock.Advance(day)
	return append(entities, d.app.DID()+":"+app.DemoTenant)
}

// question is one of the thousand.
type question struct {
	entity, action, resource string
	level                    schemas.Level
	at                       time.Time
}

func (d *dialects) trqp(q question) bool {
	path, context := "/trqp/authorization", map[string]string{"time": schemas.FormatTime(q.at)}
	if q.action == registry.ActionRecognize {
		path = "/trqp/recognition"
	}
	if q.level > 0 {
		context["level"] = fmt.Sprint(int(q.level))
	}
	body, err := json.Marshal(map[string]any{
		"entity_id": q.entity, "authority_id": d.app.DID(), "action": q.action, "resource": q.resource, "context": context,
	})
	d.must(err)
	var answer struct{ Authorized, Recognized bool }
	if status, raw := d.ask("POST", path, string(body), &answer); status != 200 && status != 404 {
		d.t.Fatalf("TRQP %+v: %d %s", q, status, raw)
	}
	return answer.Authorized || answer.Recognized
}

// rest answers from the plain records as a reader of the documentation would.
func (d *dialects) rest(q question, depth int) bool {
	var answer registryapi.IssuerRecord
	d.ask("GET", "/registry/v1/issuers/"+url.PathEscape(q.entity)+"/authorities?time="+url.QueryEscape(schemas.FormatTime(q.at)), "", &answer)
	for _, a := range answer.Authorities {
		from, err := schemas.ParseTime(a.ValidFrom)
		d.must(err)
		if a.Action != q.action || a.Resource != q.resource || a.Status != "active" || q.at.Before(from) {
			continue
		}
		if a.ValidUntil != "" {
			until, err := schemas.ParseTime(a.ValidUntil)
			d.must(err)
			if !q.at.Before(until) {
				continue
			}
		}
		if q.level > 0 && len(a.Levels) > 0 && !slices.Contains(a.Levels, int(q.level)) {
			continue
		}
		if a.Authority == d.app.DID() || depth < 5 && d.rest(question{a.Authority, registry.ActionEndorse, q.resource, q.level, q.at}, depth+1) {
			return true
		}
	}
	return false
}

func (d *dialects) accredited(q question) bool {
	_, raw := d.ask("GET", "/registry/v1/issuers/"+url.PathEscape(q.entity)+"/accreditations?resource="+url.QueryEscape(q.resource)+"&time="+url.QueryEscape(schemas.FormatTime(q.at)), "", nil)
	doc, err := schemas.ParseObject([]byte(raw))
	d.must(err)
	items, _ := doc["items"].([]any)
	for _, item := range items {
		m := item.(map[string]any)
		var chain []map[string]any
		list, _ := m["chain"].([]any)
		for _, link := range list {
			chain = append(chain, link.(map[string]any))
		}
		got, err := trust.CheckAccreditation(d.app.DID(), m["credential"].(map[string]any), chain, q.at, d.verify)
		d.must(err)
		if got.Entity == q.entity && got.Action == q.action && got.Resource == q.resource &&
			(q.level == 0 || len(got.Levels) == 0 || slices.Contains(got.Levels, q.level)) {
			return true
		}
	}
	return false
}

// verify checks the proof of an accreditation credential with the registry's own DID document.
func (d *dialects) verify(doc map[string]any) error {
	proofs, _ := doc["proof"].([]any)
	if len(proofs) != 1 {
		return fmt.Errorf("%d proofs", len(proofs))
	}
	proof, _ := proofs[0].(map[string]any)
	method, _ := proof["verificationMethod"].(string)
	key, err := sources.Keys{Resolver: d.app.Resolver}.Key(d.t.Context(), verifier.KeyQuery{
		Controller: d.app.DID(), Method: method, Purpose: "assertionMethod",
	})
	if err != nil {
		return err
	}
	return d.app.Processor.Check(doc, proof, key.Public)
}

// federated answers by a chain from the tenant to the anchor and the marks in it.
func (d *dialects) federated(tenant, resource string) bool {
	entity := d.app.Config.Origin + "/oid4vci/" + tenant
	_, leaf := d.ask("GET", "/oid4vci/"+tenant+"/.well-known/openid-federation", "", nil)
	status, subordinate := d.ask("GET", "/registry/v1/federation/fetch?sub="+url.QueryEscape(entity), "", nil)
	if status == http.StatusNotFound {
		return false
	}
	_, top := d.ask("GET", "/.well-known/openid-federation", "", nil)
	checked, err := federation.VerifyChain([]string{leaf, subordinate, top}, d.app.Config.Origin, d.anchor, d.clock.Now())
	d.must(err)
	marks, err := checked.TrustMarks(d.app.Config.Origin, d.anchor, d.clock.Now())
	d.must(err)
	return slices.Contains(marks, resource)
}

// TestThousandQuestions asks every dialect the same, and all must say the same.
func TestThousandQuestions(t *testing.T) {
	t.Parallel()
	d := newDialects(t)
	var resources []string
	for _, code := range schemas.AchievementCodes() {
		resources = append(resources, schemas.AchievementID(d.app.Config.Origin, code))
	}
	start := d.clock.Now()
	entities := d.people(resources)
	d.openSnapshot()
	now := d.clock.Now()
	span := int64(now.Sub(start) / time.Second)
	random := rand.New(rand.NewPCG(7, 7))
	actions := []string{registry.ActionIssue, registry.ActionIssue, registry.ActionIssue, registry.ActionEndorse, registry.ActionRecognize}
	yes := 0
	for range 1000 {
		q := question{
			entity: entities[random.IntN(len(entities))], action: actions[random.IntN(len(actions))],
			resource: resources[random.IntN(min(3, len(resources)))], level: schemas.Level(random.IntN(5)),
			at: start.Add(time.Duration(random.Int64N(span)) * time.Second),
		}
		atNow := random.IntN(4) == 0
		if atNow {
			q.at = now
		}
		ask := registry.AuthorityQuery{Entity: q.entity, Action: q.action, Resource: q.resource, Level: q.level, Time: q.at}
		answer, err := d.app.Registry.Authority(t.Context(), ask)
		d.must(err)
		want := answer.Authorized
		if want {
			yes++
		}
		for name, got := range map[string]bool{
			"TRQP": d.trqp(q), "REST": d.rest(q, 0), "accreditation": d.accredited(q), "snapshot": d.snapshot.Authority(ask).Authorized,
		} {
			if got != want {
				t.Errorf("%s says %t, the registry %t (%s): %+v", name, got, want, answer.State, q)
			}
		}
		tenant, hosted := bytes.CutPrefix([]byte(q.entity), []byte(d.app.DID()+":"))
		if atNow && hosted && q.action == registry.ActionIssue && q.level == 0 && d.federated(string(tenant), q.resource) != want {
			t.Errorf("federation says otherwise than the registry (%s): %+v", answer.State, q)
		}
	}
	if yes < 100 || yes > 900 {
		t.Errorf("%d of 1000 answers are yes: the questions tell nothing", yes)
	}
}

func (d *dialects) openSnapshot() {
	d.t.Helper()
	ctx := d.t.Context()
	d.must(d.app.Registry.Publish(ctx))
	d.must(d.app.Registry.DrainOutbox(ctx))
	data, err := d.app.Registry.Snapshot(ctx)
	d.must(err)
	signer, err := d.app.Keys.SignerFor(ctx, "", keys.KindSnapshot)
	d.must(err)
	d.snapshot, err = trust.Open(data, signer.Public())
	d.must(err)
	statement, err := d.app.Keys.SignerFor(ctx, "", keys.KindStatement)
	d.must(err)
	d.anchor = map[string]crypto.PublicKey{statement.VerificationMethod(): statement.Public()}
}

// TestFederationRefuses breaks chains, marks and statements.
func TestFederationRefuses(t *testing.T) {
	t.Parallel()
	d := newDialects(t)
	d.must(d.app.CreateTenant(t.Context(), schemas.Tenant{ID: "acme", Name: "Acme"}))
	d.openSnapshot()
	origin := d.app.Config.Origin
	_, leaf := d.ask("GET", "/oid4vci/acme/.well-known/openid-federation", "", nil)
	_, demo := d.ask("GET", "/oid4vci/demo/.well-known/openid-federation", "", nil)
	_, subordinate := d.ask("GET", "/registry/v1/federation/fetch?sub="+url.QueryEscape(origin+"/oid4vci/acme"), "", nil)
	_, top := d.ask("GET", "/.well-known/openid-federation", "", nil)
	now := d.clock.Now()
	for name, c := range map[string]struct {
		chain  []string
		anchor string
		keys   map[string]crypto.PublicKey
		at     time.Time
	}{
		"other leaf":       {[]string{demo, subordinate, top}, origin, d.anchor, now},
		"no subordinate":   {[]string{leaf, top}, origin, d.anchor, now},
		"turned":           {[]string{top, subordinate, leaf}, origin, d.anchor, now},
		"leaf alone":       {[]string{leaf}, origin, d.anchor, now},
		"other anchor":     {[]string{leaf, subordinate, top}, "https://x.example", d.anchor, now},
		"other key":        {[]string{leaf, subordinate, top}, origin, map[string]crypto.PublicKey{}, now},
		"expired":          {[]string{leaf, subordinate, top}, origin, d.anchor, now.Add(2 * time.Hour)},
		"before":           {[]string{leaf, subordinate, top}, origin, d.anchor, now.Add(-2 * time.Hour)},
		"signature spoilt": {[]string{leaf[:len(leaf)-4] + "AAAA", subordinate, top}, origin, d.anchor, now},
		"subordinate only": {[]string{subordinate, subordinate, top}, origin, d.anchor, now},
	} {
		if _, err := federation.VerifyChain(c.chain, c.anchor, c.keys, c.at); !errors.Is(err, federation.ErrChain) {
			t.Errorf("%s: %v, want ErrChain", name, err)
		}
	}
	status, resolved := d.ask("GET", "/registry/v1/federation/resolve?sub="+url.QueryEscape(origin+"/oid4vci/acme")+"&trust_anchor="+url.QueryEscape(origin), "", nil)
	answer, err := federation.Verify(resolved, federation.TypeResolve, d.anchor, now)
	if err != nil || status != 200 || answer.Subject != origin+"/oid4vci/acme" {
		t.Fatalf("resolve: %d %v %+v", status, err, answer)
	}
	d.markStates(leaf)
}

// markStates asks for the status of a mark while it holds, after the authority went, after its end, and of what is none.
func (d *dialects) markStates(leaf string) {
	d.t.Helper()
	ctx := d.t.Context()
	token, err := jose.Parse(leaf)
	d.must(err)
	claims, err := token.Claims()
	d.must(err)
	mark := claims["trust_marks"].([]any)[0].(map[string]any)["trust_mark"].(string)
	state := func(mark string) any {
		answer, err := d.app.Registry.TrustMarkStatus(ctx, mark)
		d.must(err)
		token, err := jose.Parse(answer)
		d.must(err)
		claims, err := token.Claims()
		d.must(err)
		return claims["status"]
	}
	for _, bad := range []string{"", "x", leaf, mark[:len(mark)-4] + "AAAA"} {
		if got := state(bad); got != "invalid" {
			d.t.Errorf("mark %.20q is %v, want invalid", bad, got)
		}
	}
	if got := state(mark); got != "active" {
		d.t.Errorf("mark is %v, want active", got)
	}
	_, err = d.app.Registry.Deactivate(ctx, clerk, d.app.DID()+":acme", "")
	d.must(err)
	if got := state(mark); got != "revoked" {
		d.t.Errorf("mark of a deactivated issuer is %v, want revoked", got)
	}
	d.clock.Advance(2 * time.Hour)
	if got := state(mark); got != "expired" {
		d.t.Errorf("old mark is %v, want expired", got)
	}
}
