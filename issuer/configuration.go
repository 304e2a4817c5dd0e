package issuer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/keys"
	"heartmark/schemas"
)

// maxForms bounds the forms of one configuration.
const maxForms = 8

// MaxValidity is the longest validity of a credential: twelve months (security requirement G13).
const MaxValidity = 365 * 24 * time.Hour

// Display is what people read of a configuration in one language.
type Display struct {
	Name        string
	Description string
}

// Configuration is something that can be issued.
type Configuration struct {
	ID string
	// Achievement is "profile" or the code of one dimension.
	Achievement string
	// Forms are the ways in which the credential is secured, all from one act: they share id, status and commitment
	// (design section 9.8). None stands twice.
	Forms []Form
	// Validity is how long a credential is valid, at most MaxValidity.
	Validity time.Duration
	// Review is schemas.ReviewOnRequest or schemas.ReviewBeforeIssue.
	Review string
	// NoSuspension leaves out the entry of the suspension list, for readers that take one entry only (design section
	// 9.7). Such a credential cannot be suspended.
	NoSuspension bool
	// NoSources leaves out platforms and batch digests (design section 9.4).
	NoSources bool
	// Display holds the texts by language tag: "en" and "zh".
	Display map[string]Display
}

// Validate reports all faults at once.
func (c Configuration) Validate() error {
	var faults []error
	add := func(wrong bool, what string) {
		if wrong {
			faults = append(faults, fmt.Errorf("configuration %q: %s", c.ID, what))
		}
	}
	add(c.ID == "" || len(c.ID) > 64 || strings.ContainsFunc(c.ID, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}), "id: expected up to 64 of a-z, 0-9, - and _")
	add(!slices.Contains(schemas.AchievementCodes(), c.Achievement), "achievement is not known")
	add(len(c.Forms) == 0 || len(c.Forms) > maxForms, "forms: expected one to eight")
	for n, f := range c.Forms {
		wrong := f.check()
		add(wrong != "", "form "+strconv.Itoa(n+1)+": "+wrong)
		add(slices.Contains(c.Forms[:n], f), "form "+strconv.Itoa(n+1)+" stands twice")
	}
	add(c.Validity < time.Hour || c.Validity > MaxValidity, "validity: expected one hour to twelve months")
	add(c.Review != schemas.ReviewOnRequest && c.Review != schemas.ReviewBeforeIssue, "review: expected on-request or before-issue")
	for _, lang := range schemas.Languages() {
		add(c.Display[lang].Name == "", "display name in "+lang+" is missing")
	}
	return errors.Join(faults...)
}

// DefaultConfigurations returns the configurations of a new installation, all with review on request: "dei-profile" for
// the whole profile with a Data Integrity proof, "dei-profile-sd-jwt", "dei-profile-jwt", "dei-profile-vc-sd-jwt",
// "dei-profile-ecdsa" and "dei-profile-ecdsa-sd" for it in another form, "dei-profile-all" for three forms in one act, and "dei-<dimension>" for one dimension each.
func DefaultConfigurations() []Configuration {
	proof := Form{Format: FormatDataIntegrity, Cryptosuite: SuiteEdDSA, Algorithm: keys.AlgEdDSA}
	selective := Form{Format: FormatSDJWTVC, Algorithm: keys.AlgES256}
	jwt := Form{Format: FormatJWT, Algorithm: keys.AlgES256}
	conf := Configuration{
		ID: "dei-profile", Achievement: schemas.AchievementProfile, Forms: []Form{proof},
		Validity: MaxValidity, Review: schemas.ReviewOnRequest,
		Display: map[string]Display{
			schemas.LanguageEnglish: {"Digital Emotional Intelligence", "How a person communicates, in up to four dimensions."},
			schemas.LanguageChinese: {"数字情商", "一个人的沟通能力,最多四个维度。"},
		},
	}
	out := []Configuration{conf}
	for _, other := range []struct {
		name  string
		forms []Form
	}{
		{"sd-jwt", []Form{selective}},
		{"jwt", []Form{jwt}},
		{"vc-sd-jwt", []Form{{Format: FormatSDJWT, Algorithm: keys.AlgES256}}},
		{"ecdsa", []Form{{Format: FormatDataIntegrity, Cryptosuite: SuiteECDSA, Algorithm: keys.AlgES256}}},
		{"ecdsa-sd", []Form{{Format: FormatDataIntegrity, Cryptosuite: SuiteECDSASD, Algorithm: keys.AlgES256}}},
		{"all", []Form{proof, selective, jwt}},
	} {
		one := conf
		one.ID, one.Forms = conf.ID+"-"+other.name, other.forms
		out = append(out, one)
	}
	for _, d := range schemas.Dimensions() {
		one := conf
		one.ID, one.Achievement = "dei-"+string(d), string(d)
		one.Display = map[string]Display{}
		for _, lang := range schemas.Languages() {
			one.Display[lang] = Display{Name: d.Name(lang), Description: d.Description(lang)}
		}
		out = append(out, one)
	}
	return out
}

// Configurations returns what can be issued, in the configured order.
func (i *Issuer) Configurations() []Configuration { return slices.Clone(i.c.Configurations) }

// Configuration returns the configuration of that id, or ErrNotFound.
func (i *Issuer) Configuration(id string) (Configuration, error) {
	c, ok := i.configs[id]
	if !ok {
		return Configuration{}, fmt.Errorf("configuration %q: %w", id, ErrNotFound)
	}
	return c, nil
}

// Algorithms returns those that the configurations' forms are signed with, each once: a tenant needs a key for each.
func (i *Issuer) Algorithms() []string {
	var out []string
	for _, c := range i.c.Configurations {
		for _, f := range c.Forms {
			if !slices.Contains(out, f.Algorithm) {
				out = append(out, f.Algorithm)
			}
		}
	}
	return out
}

// purposes are the status purposes of a credential under c.
func (c Configuration) purposes() []string {
	if c.NoSuspension {
		return []string{schemas.PurposeRevocation}
	}
	return []string{schemas.PurposeRevocation, schemas.PurposeSuspension}
}
