package config

import (
	"errors"
	"fmt"
	"time"

	"heartmark/issuer"
	"heartmark/schemas"
)

// Issuer says what can be issued.
type Issuer struct {
	// Configurations are what can be issued; none means those that are built in.
	Configurations []Configuration `yaml:"configurations"`
}

// Configuration is one thing that can be issued (issuer.Configuration says more of each setting).
type Configuration struct {
	ID string `yaml:"id"`
	// Achievement is profile or the code of one dimension.
	Achievement string `yaml:"achievement"`
	// Forms come all from one act of issuing and share id, status and log entry.
	Forms []Form `yaml:"forms"`
	// Validity is at most, and by default, twelve months.
	Validity time.Duration `yaml:"validity"`
	// Review is on-request (the default) or before-issue.
	Review string `yaml:"review"`
	// NoSuspension leaves the second status entry out, NoSources platforms and batch digests.
	NoSuspension bool `yaml:"no_suspension"`
	NoSources    bool `yaml:"no_sources"`
	// Names and Descriptions are shown to people, by language: en and zh.
	Names        map[string]string `yaml:"names"`
	Descriptions map[string]string `yaml:"descriptions"`
}

// Form is one way in which a credential is secured.
type Form struct {
	// Format is ldp_vc, dc+sd-jwt, vc+jwt or vc+sd-jwt; Cryptosuite is that of ldp_vc, eddsa-rdfc-2022 by default.
	// A base proof of ecdsa-sd-2023 is for its holder alone.
	Format      string `yaml:"format"`
	Cryptosuite string `yaml:"cryptosuite"`
	// Algorithm is EdDSA, ES256 or ES384, by default the first that format and cryptosuite take.
	Algorithm string `yaml:"algorithm"`
}

// Build returns the issuer's own form of the settings, nil for the built-in configurations. Errors name the setting.
func (i Issuer) Build() ([]issuer.Configuration, error) {
	var out []issuer.Configuration
	var faults []error
	seen := map[string]bool{}
	for n, c := range i.Configurations {
		built := c.build()
		if err := built.Validate(); err != nil {
			faults = append(faults, fmt.Errorf("issuer.configurations[%d]: %w", n, err))
		}
		if seen[c.ID] {
			faults = append(faults, fmt.Errorf("issuer.configurations[%d]: id %q stands twice", n, c.ID))
		}
		seen[c.ID] = true
		out = append(out, built)
	}
	return out, errors.Join(faults...)
}

func (c Configuration) build() issuer.Configuration {
	out := issuer.Configuration{
		ID: c.ID, Achievement: c.Achievement, Validity: c.Validity, Review: c.Review,
		NoSuspension: c.NoSuspension, NoSources: c.NoSources, Display: map[string]issuer.Display{},
	}
	if out.Validity == 0 {
		out.Validity = issuer.MaxValidity
	}
	if out.Review == "" {
		out.Review = schemas.ReviewOnRequest
	}
	for lang, name := range c.Names {
		out.Display[lang] = issuer.Display{Name: name, Description: c.Descriptions[lang]}
	}
	for _, f := range c.Forms {
		out.Forms = append(out.Forms, issuer.Form{Format: f.Format, Cryptosuite: f.Cryptosuite, Algorithm: f.Algorithm}.Complete())
	}
	return out
}
