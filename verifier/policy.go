package verifier

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrUnknownPolicy is returned by Verify for a policy that is not configured; its text names the choices.
var ErrUnknownPolicy = errors.New("unknown policy")

// DefaultPolicy is the name of the closed policy that is used when none is named.
const DefaultPolicy = "default"

// Rule says what a check means for the verdict.
type Rule string

// The rules.
const (
	// Require: the check must pass or not apply. It is the rule of every check that a policy does not name.
	Require Rule = "require"
	// Report: the check is made and listed; the verdict does not depend on it.
	Report Rule = "report"
	// Omit: the check is not made and is listed as skipped; the verdict does not depend on it.
	Omit Rule = "omit"
)

// Policy is data: how checks make a verdict, and the few numbers that are a relying party's to choose. The zero rules are
// the closed policy.
type Policy struct {
	Name    string
	Version string
	Rules   map[CheckID]Rule
	// Skew is how far clocks may differ, at most two minutes.
	Skew time.Duration
	// MaxStale is how long past its time to live a status list may still be used when its origin does not answer; never
	// past its validUntil.
	MaxStale time.Duration
	// MaxStatusAge is how old a status list of others may be at all, 0 for what the list itself allows; an older one is fetched
	// again.
	MaxStatusAge time.Duration
	// RequireLog asks for inclusion in the log of every credential.
	RequireLog bool
	// Accept is what the relying party takes.
	Accept Acceptance
	// Containers says that a presentation without a proof may be judged by its credentials alone.
	Containers bool
}

const maxSkew = 2 * time.Minute

// closedPolicy is the default of security.md §5.
func closedPolicy() Policy {
	return Policy{Name: DefaultPolicy, Version: "1", Skew: time.Minute}
}

// decisive are the checks that decide under every policy (design.md §9.12). What was asked for is among them: an answer to
// another question is no answer.
func decisive() []CheckID {
	return []CheckID{CheckParse, CheckModel, CheckProof, CheckPurpose, CheckPeriod, CheckStatus, CheckQuery}
}

// Validate reports every fault of the policy at once.
func (p Policy) Validate() error {
	var faults []error
	if p.Name == "" || p.Version == "" {
		faults = append(faults, errors.New("policy without name or version"))
	}
	if p.Skew < 0 || p.Skew > maxSkew {
		faults = append(faults, fmt.Errorf("policy %s: skew %s is above %s", p.Name, p.Skew, maxSkew))
	}
	if err := p.Accept.validate(); err != nil {
		faults = append(faults, fmt.Errorf("policy %s: %w", p.Name, err))
	}
	if p.MaxStatusAge < 0 {
		faults = append(faults, fmt.Errorf("policy %s: age of status is negative", p.Name))
	}
	if p.MaxStale < 0 {
		faults = append(faults, fmt.Errorf("policy %s: staleness is negative", p.Name))
	}
	for id, rule := range p.Rules {
		if !slices.Contains(CheckIDs(), id) {
			faults = append(faults, fmt.Errorf("policy %s: no check is called %q", p.Name, id))
		}
		if rule != Require && rule != Report && rule != Omit {
			faults = append(faults, fmt.Errorf("policy %s: no rule is called %q", p.Name, rule))
		}
		if rule != Require && slices.Contains(decisive(), id) {
			faults = append(faults, fmt.Errorf("policy %s: %s decides under every policy", p.Name, id))
		}
	}
	for id, wanted := range map[CheckID]bool{
		CheckLogInclusion: p.RequireLog, CheckHolderBinding: p.Accept.Presented, CheckReplay: p.Accept.Presented,
	} {
		if wanted && p.Rule(id) != Require {
			faults = append(faults, fmt.Errorf("policy %s: it demands what its rule for %s relaxes", p.Name, id))
		}
	}
	return errors.Join(faults...)
}

// aged tells whether a status list from then is too old for the policy.
func (p Policy) aged(fetched, now time.Time) bool {
	return p.MaxStatusAge > 0 && now.Sub(fetched) > p.MaxStatusAge
}

// Rule returns the rule for a check.
func (p Policy) Rule(id CheckID) Rule {
	if r, ok := p.Rules[id]; ok {
		return r
	}
	return Require
}

// reporting returns the policy with some checks that are listed only. What it leaves out stays left out.
func (p Policy) reporting(ids ...CheckID) Policy {
	rules := maps.Clone(p.Rules)
	if rules == nil {
		rules = map[CheckID]Rule{}
	}
	for _, id := range ids {
		if p.Rule(id) == Require {
			rules[id] = Report
		}
	}
	p.Rules = rules
	return p
}

// requiring returns the policy with some checks that decide, whatever its rules say of them.
func (p Policy) requiring(ids ...CheckID) Policy {
	rules := maps.Clone(p.Rules)
	for _, id := range ids {
		delete(rules, id)
	}
	p.Rules = rules
	return p
}

// Decide makes the verdict: invalid if a required check failed, else undetermined if one was not done, else valid. A list
// without a passed proof is never valid; nor is one without checks.
func (p Policy) Decide(checks []Check) Verdict {
	verdict, proved := Valid, false
	for _, c := range checks {
		if c.ID == CheckProof && c.Outcome == Pass {
			proved = true
		}
		if p.Rule(c.ID) != Require || (p.Containers && c.Code == codePresentationUnsecured) {
			continue
		}
		switch c.Outcome {
		case Pass, NotApplicable:
		case Fail:
			return Invalid
		default:
			verdict = Undetermined
		}
	}
	if !proved && verdict == Valid && !p.container(checks) {
		return Undetermined
	}
	return verdict
}

// container reports whether the checks are those of a presentation that this policy takes without a proof: its
// credentials were proved each for itself.
func (p Policy) container(checks []Check) bool {
	if !p.Containers {
		return false
	}
	inner := false
	for _, c := range checks {
		if c.ID == CheckInner {
			if c.Outcome != Pass {
				return false
			}
			inner = true
		}
		if c.ID == CheckProof && c.Code != codePresentationUnsecured {
			return false
		}
	}
	return inner
}

func choices(policies map[string]Policy) string {
	names := make([]string, 0, len(policies))
	for name := range policies {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
