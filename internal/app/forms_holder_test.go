package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/verifier"
)

// A base proof is for its holder: shown to a verifier it is refused, and what is derived from it shows what was chosen.
func TestBaseProofIsForTheHolder(t *testing.T) {
	t.Parallel()
	a := build(t, settings(t, 18126), app.Options{InMemory: true})
	report := seed(t, a, "process", "score", "issue", "automated")
	base := issueAs(t, a, report, "dei-profile-ecdsa-sd", holder, "k").Credential
	if r := verdict(t, a, base); r.Verdict != verifier.Invalid || !hasCode(r, "proof_malformed") {
		t.Errorf("base proof: %s\n%s", r.Verdict, checks(r))
	}
	r := verdict(t, a, derived(t, base))
	if r.Verdict != verifier.Valid || len(r.Summary.Levels) != 1 {
		t.Errorf("derived proof: %s with %+v\n%s", r.Verdict, r.Summary.Levels, checks(r))
	}
	if name, _ := r.Credential["name"].(string); strings.Contains(strings.ToLower(name), "proficient") {
		t.Errorf("name %q tells a level", name)
	}
}

// The holder's command shows what is chosen of each selective form, and says what can be chosen.
func TestDeriveCommand(t *testing.T) {
	t.Parallel()
	c := settings(t, 18127)
	a := build(t, c, app.Options{})
	report := seed(t, a, "process", "score", "issue", "automated")
	folder := t.TempDir()
	files := map[string]string{}
	for configuration, show := range map[string]string{
		"dei-profile-ecdsa-sd": "/credentialSubject/result/0", "dei-profile-vc-sd-jwt": "/credentialSubject/result/0",
		"dei-profile-sd-jwt": "/social_skills/level_at_least/2", "dei-profile": "/none",
	} {
		path := filepath.Join(folder, configuration)
		if err := os.WriteFile(path, issueAs(t, a, report, configuration, holder, configuration).Forms[0].Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		files[path] = show
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) (int, string) {
		var out, errOut bytes.Buffer
		code := app.Main(t.Context(), args, &out, &errOut)
		return code, out.String() + errOut.String()
	}
	for path, show := range files {
		if show == "/none" {
			if code, text := command("derive", path, "--list"); code != app.ExitData {
				t.Errorf("a form without selective disclosure: exit %d\n%s", code, text)
			}
			continue
		}
		if code, text := command("derive", path, "--list"); code != app.ExitDone || !strings.Contains(text, show+"\n") {
			t.Errorf("derive %s --list: exit %d\n%s", path, code, text)
		}
		if code, text := command("derive", path, "--show", show); code != app.ExitDone || len(text) < 1000 {
			t.Errorf("derive %s: exit %d\n%s", path, code, text)
		}
		if code, text := command("derive", path, "--show", "/none"); code != app.ExitUsage || !strings.Contains(text, "/none") {
			t.Errorf("derive %s --show /none: exit %d\n%s", path, code, text)
		}
	}
}

// One byte changed anywhere is refused, in a credential of each form; and so is one cut off or added.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("ten thousands of verifications")
	}
	clock := testkit.NewClock(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
	c := settings(t, 18124)
	c.Issuer.Configurations = []config.Configuration{{
		ID: "dei-profile", Achievement: "profile", Names: map[string]string{"en": "All", "zh": "全部"}, Forms: allForms(),
	}}
	a := build(t, c, app.Options{InMemory: true, Now: clock.Now})
	report := seed(t, a, "process", "score", "issue", "automated")
	w := newWallet(t)
	got := issueAs(t, a, report, "dei-profile", w.did, "k")
	publish(t, a)
	for _, f := range got.Forms {
		t.Run(f.Format+" "+f.Cryptosuite+" "+f.Algorithm, func(t *testing.T) {
			in := w.shown(t, f, clock.Now())
			whole := in.Data
			judge := func(data []byte) verifier.Verdict {
				in.Data = data
				r, _ := a.Verifier.Verify(t.Context(), in) // an error is that it cannot even be read
				return r.Verdict
			}
			if v := judge(whole); v != verifier.Valid {
				t.Fatalf("whole: %s", v)
			}
			step := 1
			if f.Cryptosuite != "" && f.Cryptosuite != issuer.SuiteEdDSA {
				step = 11 // every byte of each format, and a share of the other suites, whose signatures cost more
			}
			for n := 0; n < len(whole); n += step {
				changed := bytes.Clone(whole)
				changed[n] ^= 1
				if v := judge(changed); v == verifier.Valid {
					t.Errorf("byte %d of %d (%q) changed to %q: %s", n, len(whole), whole[n], changed[n], v)
				}
			}
			for _, other := range [][]byte{whole[:len(whole)-1], whole[1:], append(bytes.Clone(whole), 'A'), nil} {
				if v := judge(other); v == verifier.Valid {
					t.Errorf("%d of %d bytes: %s", len(other), len(whole), v)
				}
			}
		})
	}
}

func allForms() []config.Form {
	return []config.Form{
		{Format: issuer.FormatDataIntegrity, Cryptosuite: issuer.SuiteEdDSA, Algorithm: keys.AlgEdDSA},
		{Format: issuer.FormatDataIntegrity, Cryptosuite: issuer.SuiteEdDSAJCS, Algorithm: keys.AlgEdDSA},
		{Format: issuer.FormatDataIntegrity, Cryptosuite: issuer.SuiteECDSA, Algorithm: keys.AlgES384},
		{Format: issuer.FormatDataIntegrity, Cryptosuite: issuer.SuiteECDSAJCS, Algorithm: keys.AlgES256},
		{Format: issuer.FormatSDJWTVC, Algorithm: keys.AlgES256},
		{Format: issuer.FormatJWT, Algorithm: keys.AlgES256},
		{Format: issuer.FormatSDJWT, Algorithm: keys.AlgEdDSA},
		{Format: issuer.FormatDataIntegrity, Cryptosuite: issuer.SuiteECDSASD, Algorithm: keys.AlgES256},
	}
}
