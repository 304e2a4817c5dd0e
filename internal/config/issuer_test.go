package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"heartmark/internal/config"
	"heartmark/issuer"
)

func load(t *testing.T, text string) (config.Config, error) {
	t.Helper()
	return config.Load(write(t, text), nil)
}

func TestIssuerConfigurations(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
issuer:
  configurations:
    - id: profile
      achievement: profile
      names: {en: Profile, zh: 档案}
      descriptions: {en: All of it}
      forms:
        - format: ldp_vc
        - {format: ldp_vc, cryptosuite: ecdsa-jcs-2019, algorithm: ES384}
        - format: dc+sd-jwt
    - id: skills
      achievement: social_skills
      names: {en: Skills, zh: 技能}
      forms: [{format: vc+jwt, algorithm: EdDSA}]
      validity: 720h
      review: before-issue
      no_suspension: true
`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Issuer.Build()
	want := []issuer.Configuration{
		{
			ID: "profile", Achievement: "profile", Validity: issuer.MaxValidity, Review: "on-request",
			Display: map[string]issuer.Display{"en": {Name: "Profile", Description: "All of it"}, "zh": {Name: "档案"}},
			Forms: []issuer.Form{
				{Format: "ldp_vc", Cryptosuite: "eddsa-rdfc-2022", Algorithm: "EdDSA"},
				{Format: "ldp_vc", Cryptosuite: "ecdsa-jcs-2019", Algorithm: "ES384"},
				{Format: "dc+sd-jwt", Algorithm: "ES256"},
			},
		},
		{
			ID: "skills", Achievement: "social_skills", Validity: 720 * time.Hour, Review: "before-issue", NoSuspension: true,
			Display: map[string]issuer.Display{"en": {Name: "Skills"}, "zh": {Name: "技能"}},
			Forms:   []issuer.Form{{Format: "vc+jwt", Algorithm: "EdDSA"}},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Build = %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := config.Default().Issuer.Build(); err != nil || got != nil {
		t.Errorf("Build of nothing = %v, %v; want nil for the built-in ones", got, err)
	}
}

func TestIssuerFaults(t *testing.T) {
	t.Parallel()
	for want, form := range map[string]string{
		"algorithm": "{format: ldp_vc, algorithm: ES256}", "cryptosuite": "{format: ldp_vc, cryptosuite: bbs-2023}",
		"has none": "{format: vc+jwt, cryptosuite: eddsa-jcs-2022}", "format": "{format: mso_mdoc}",
		"stands twice": "{format: dc+sd-jwt}, {format: dc+sd-jwt, algorithm: ES256}", "field suite not found": "{format: ldp_vc, suite: x}",
		"one to eight": "",
	} {
		_, err := load(t, "issuer: {configurations: [{id: a, achievement: profile, names: {en: A, zh: 甲}, forms: ["+form+"]}]}")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("forms [%s]: %v, want a fault with %q", form, err, want)
		}
	}
	_, err := load(t, "issuer: {configurations: [{id: a, validity: 9000h, review: never}, {id: a}]}")
	for _, want := range []string{"achievement", "validity", "review", "display name in zh", "[1]", "stands twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}
