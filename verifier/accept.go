package verifier

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/schemas"
)

// Acceptance is what a relying party takes, beyond what is true: whose word, of what kind, how much, how fresh. An empty
// part asks for nothing. It can only make a verdict worse.
type Acceptance struct {
	// Issuers are DIDs or URLs; only theirs are taken. Their authority is checked all the same.
	Issuers []string
	// Types are names of credential types, of a vct, or ids of achievements; a credential needs one of them.
	Types []string
	// MinLevels are levels that must be stated, or said to be reached, by dimension.
	MinLevels map[schemas.Dimension]schemas.Level
	// MaxAge is how long ago a credential may have been issued.
	MaxAge time.Duration
	// FinalScale refuses levels on a provisional scale, and a credential that names no scale.
	FinalScale bool
	// Presented wants the credential presented by its holder, with a proof of that.
	Presented bool
}

func (a Acceptance) empty() bool {
	return len(a.Issuers) == 0 && len(a.Types) == 0 && len(a.MinLevels) == 0 && a.MaxAge == 0 && !a.FinalScale
}

// validate reports every fault.
func (a Acceptance) validate() error {
	var faults []error
	for _, id := range a.Issuers {
		if !schemas.IsURL(id) {
			faults = append(faults, fmt.Errorf("issuer %q is neither a DID nor a URL", id))
		}
	}
	for d, l := range a.MinLevels {
		if !d.Valid() || !l.Valid() {
			faults = append(faults, fmt.Errorf("level %d in %q: no such dimension or level", l, d))
		}
	}
	if a.MaxAge < 0 {
		faults = append(faults, errors.New("the age is negative"))
	}
	return errors.Join(faults...)
}

// accept compares a credential with what its reader takes.
func (r *run) accept(issuer string) {
	a := r.policy.Accept
	if a.empty() {
		return
	}
	before := len(r.checks)
	refuse := func(pointer, why string) { r.add("policy_refused", pointer).about("policy").say(why) }
	if len(a.Issuers) > 0 && !slices.Contains(a.Issuers, issuer) {
		refuse("/issuer", "the issuer is none that it names")
	}
	if len(a.Types) > 0 && !slices.ContainsFunc(r.kinds(), func(t string) bool { return slices.Contains(a.Types, t) }) {
		refuse("/type", "the type is none that it names")
	}
	if a.MaxAge > 0 {
		at, err := schemas.ParseTime(text(r.common, "validFrom"))
		if err != nil || at.Before(r.now.Add(-a.MaxAge)) {
			refuse("/validFrom", "issued too long ago")
		}
	}
	if a.FinalScale {
		if scales := r.scales(); len(scales) == 0 {
			refuse("/evidence", "no scale is stated")
		} else if slices.ContainsFunc(scales, func(s string) bool { return strings.Contains(s, "provisional") }) {
			refuse("/evidence", "the scale is provisional")
		}
	}
	stated := r.summary(KindCredential).Levels
	for _, d := range schemas.ResultDimensions() {
		if least, asked := a.MinLevels[d]; asked && !reaches(stated, d, least) {
			refuse("", d.Name(schemas.LanguageEnglish)+" is not stated at level "+strconv.Itoa(int(least))+" or above")
		}
	}
	if len(r.checks) == before {
		r.add("policy_accepted", "").about("policy")
	}
}

// kinds are all names by which a policy may name the kind of a credential.
func (r *run) kinds() []string {
	var out []string
	for _, set := range r.resourceSets() {
		out = append(out, set...)
	}
	return append(out, texts(r.doc["type"])...)
}

// scales are the scales that the evidence names.
func (r *run) scales() []string {
	var out []string
	for _, e := range entries(r.doc, "evidence") {
		if scale := text(e.value, "deiScale"); scale != "" {
			out = append(out, scale)
		}
	}
	return out
}

func reaches(stated []StatedLevel, d schemas.Dimension, least schemas.Level) bool {
	return slices.ContainsFunc(stated, func(s StatedLevel) bool {
		n, err := strconv.Atoi(s.Level)
		return s.Dimension == d && err == nil && schemas.Level(n).Valid() && schemas.Level(n) >= least
	})
}

// presented holds the policy that wants a holder's proof: what was only handed over, or whose presenter nothing ties to it,
// is not enough. A presentation that is tied to its credentials has said so already.
func (r *run) presented() {
	if !r.policy.Accept.Presented {
		return
	}
	for _, c := range r.checks {
		if c.ID == CheckHolderBinding && c.Outcome == Pass {
			return
		}
	}
	r.add("holder_binding_demanded", "").about("policy")
}
