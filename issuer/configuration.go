package issuer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/schemas"
)

// FormatDataIntegrity is the format "ldp_vc" of OpenID4VCI: a credential with a Data Integrity proof.
const FormatDataIntegrity = "ldp_vc"

// SuiteEdDSA is the default cryptosuite.
const SuiteEdDSA = "eddsa-rdfc-2022"

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
	// Format is FormatDataIntegrity.
	Format string
	// Cryptosuite is SuiteEdDSA.
	Cryptosuite string
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
	add(c.Format != FormatDataIntegrity, "format: expected "+FormatDataIntegrity)
	add(c.Cryptosuite != SuiteEdDSA, "cryptosuite: expected "+SuiteEdDSA)
	add(c.Validity < time.Hour || c.Validity > MaxValidity, "validity: expected one hour to twelve months")
	add(c.Review != schemas.ReviewOnRequest && c.Review != schemas.ReviewBeforeIssue, "review: expected on-request or before-issue")
	for _, lang := range schemas.Languages() {
		add(c.Display[lang].Name == "", "display name in "+lang+" is missing")
	}
	return errors.Join(faults...)
}

// DefaultConfigurations returns the configurations of a new installation: "dei-profile" for the whole profile and
// "dei-<dimension>" for one dimension each, all with review on request.
func DefaultConfigurations() []Configuration {
	conf := Configuration{
		ID: "dei-profile", Achievement: schemas.AchievementProfile, Format: FormatDataIntegrity, Cryptosuite: SuiteEdDSA,
		Validity: MaxValidity, Review: schemas.ReviewOnRequest,
		Display: map[string]Display{
			schemas.LanguageEnglish: {"Digital Emotional Intelligence", "How a person communicates, in up to four dimensions."},
			schemas.LanguageChinese: {"数字情商", "一个人的沟通能力,最多四个维度。"},
		},
	}
	out := []Configuration{conf}
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

// purposes are the status purposes of a credential under c.
func (c Configuration) purposes() []string {
	if c.NoSuspension {
		return []string{schemas.PurposeRevocation}
	}
	return []string{schemas.PurposeRevocation, schemas.PurposeSuspension}
}
