package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/internal/app"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/report"
)

func TestMain(m *testing.M) {
	translog.LogTo(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

func start() time.Time { return time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC) }

// installation is a whole issuer and registry by a clock of its own, in a temporary folder.
type installation struct {
	*app.App
	t      testing.TB
	clock  *testkit.Clock
	holder ed25519.PrivateKey
	folder string
}

func newInstallation(t testing.TB, origin string) *installation {
	t.Helper()
	i := &installation{t: t, clock: testkit.NewClock(start()), folder: t.TempDir()}
	i.holder = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))
	must(t, os.Chmod(i.folder, 0o700))
	c := config.Default()
	c.Origin, c.OpsListen = origin, ""
	c.DataDir, c.KEKFile = filepath.Join(i.folder, "data"), filepath.Join(i.folder, "secrets", "kek")
	must(t, keys.GenerateKEK(c.KEKFile))
	var err error
	i.App, err = app.Build(t.Context(), c, slog.New(slog.DiscardHandler), app.Options{InMemory: true, Now: i.clock.Now})
	must(t, err)
	t.Cleanup(func() { must(t, i.Close()) })
	return i
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holderDID is the did:key of the one who holds every credential here.
func (i *installation) holderDID() (id, method string) {
	i.t.Helper()
	text, err := keys.Multibase(i.holder.Public())
	must(i.t, err)
	return "did:key:" + text, "did:key:" + text + "#" + text
}

// issue stores a report as the assessment makes it and issues a credential from it.
func (i *installation) issue(idempotency string) issuer.Issued {
	i.t.Helper()
	level := schemas.LevelProficient.Code()
	score, interval := 71.0, [2]float64{64, 78}
	scored := assessment.DimensionReport{
		Status: assessment.StatusScored, Score: &score, Interval90: &interval, Level: &level, Certifiable: &level,
		PLevel: &assessment.PLevel{Developing: 0.99, Proficient: 0.97, Advanced: 0.04},
	}
	thin := assessment.DimensionReport{Status: assessment.StatusInsufficient}
	id := "urn:uuid:2b1f6c1e-3f0a-4d53-9a3e-5d6a2f3b7c11"
	must(i.t, i.Store.Assessments(i.Keys).SaveReport(i.t.Context(), app.DemoTenant, assessment.Report{
		Schema: assessment.Schema, Subject: "u7", Platforms: []string{"plaza-vr"},
		Window: assessment.Window{From: "2026-03-02", To: "2026-03-28"},
		Model:  assessment.ReportModel{ID: "dei-m1", SHA256: strings.Repeat("ab", 32), Runtime: "cpu-int8", Scale: "v0-provisional"},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{
			schemas.DimensionSelfAwareness: thin, schemas.DimensionSelfManagement: thin,
			schemas.DimensionSocialAwareness: scored, schemas.DimensionSocialSkills: scored,
		},
		Overall: assessment.Overall{Status: assessment.StatusPartial},
		Quality: assessment.Quality{Messages: 200, Scored: 200, Languages: map[string]float64{"en": 0.6, "zh": 0.4}},
		Caveats: []string{assessment.CaveatProvisionalScale}, ID: id,
		Provenance: assessment.Provenance{
			Purposes: []string{"process", "score", "issue", "automated"}, Policy: "2026-01", BatchDigests: []string{"sha256:" + strings.Repeat("cd", 32)},
		},
	}))
	holder, _ := i.holderDID()
	issued, err := i.Issuer.Issue(i.t.Context(), issuer.Request{
		Tenant: app.DemoTenant, Configuration: "dei-profile", ReportID: id, HolderID: holder, IdempotencyKey: idempotency,
	})
	must(i.t, err)
	return issued
}

// snapshot publishes what is due and writes the signed snapshot into a file, an instant later than the last.
func (i *installation) snapshot(name string) string {
	i.t.Helper()
	i.clock.Advance(2 * time.Minute)
	must(i.t, i.Registry.Publish(i.t.Context()))
	data, err := i.Registry.Snapshot(i.t.Context())
	must(i.t, err)
	return i.file(name, data)
}

func (i *installation) file(name string, data []byte) string {
	i.t.Helper()
	path := filepath.Join(i.folder, name)
	must(i.t, os.WriteFile(path, data, 0o600))
	return path
}

// anchor is what verifiers are told to trust.
func (i *installation) anchor() string {
	i.t.Helper()
	signer, err := i.Keys.SignerFor(i.t.Context(), "", keys.KindSnapshot)
	must(i.t, err)
	text, err := keys.Multibase(signer.Public())
	must(i.t, err)
	return "did:key:" + text
}

// presentation shows a credential, signed by its holder for the challenge.
func (i *installation) presentation(credential []byte, challenge string) []byte {
	i.t.Helper()
	inner, err := schemas.ParseObject(credential)
	must(i.t, err)
	holder, method := i.holderDID()
	secured, err := i.Processor.Sign(map[string]any{
		"@context": []any{schemas.ContextV2}, "type": []any{schemas.TypeVerifiablePresentation}, "holder": holder,
		"verifiableCredential": []any{inner},
	}, dataintegrity.ProofOptions{VerificationMethod: method, Purpose: "authentication", Created: i.clock.Now(), Challenge: challenge}, i.holder)
	must(i.t, err)
	out, err := schemas.Marshal(secured)
	must(i.t, err)
	return out
}

func operator() registry.Actor { return registry.Actor{ID: "op-1", Role: registry.RoleOperator} }

// answer is what one run of the command gave.
type answer struct {
	code     int
	out, err string
	checked  []report.Checked
}

// verify runs the command at an instant.
func verify(t testing.TB, at time.Time, environ []string, args ...string) answer {
	t.Helper()
	var out, errout bytes.Buffer
	code := run(t.Context(), args, world{
		stdin: strings.NewReader(""), out: &out, errout: &errout, environ: environ, now: func() time.Time { return at },
	})
	a := answer{code: code, out: out.String(), err: errout.String()}
	if len(args) > 0 && args[0] == "--json" && code < exitUsage {
		must(t, json.Unmarshal(out.Bytes(), &a.checked))
	}
	return a
}

// String lists the checks of all answers.
func (a answer) String() string {
	var b strings.Builder
	for _, c := range a.checked {
		b.WriteString(string(c.Verdict()) + " " + c.Error + "\n")
		if c.Result != nil {
			dump(&b, *c.Result)
		}
	}
	return b.String() + a.err
}

func dump(b *strings.Builder, r verifier.Result) {
	for _, c := range r.Checks {
		b.WriteString("  " + string(c.Outcome) + " " + c.Code + " " + c.Pointer + " " + c.Detail + "\n")
	}
	for _, inner := range r.Inner {
		dump(b, inner)
	}
}

// has tells whether some check, also of a credential inside, has the code.
func (a answer) has(code string) bool {
	for _, c := range a.checked {
		if c.Result != nil && hasCode(*c.Result, code) {
			return true
		}
	}
	return false
}

func hasCode(r verifier.Result, code string) bool {
	for _, c := range r.Checks {
		if c.Code == code {
			return true
		}
	}
	for _, inner := range r.Inner {
		if hasCode(inner, code) {
			return true
		}
	}
	return false
}
