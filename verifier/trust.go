package verifier

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/schemas"
)

// authority asks the registries about the issuer, as of issue and now, apart (protocols.md §17.16), before any network
// look-up. It reports whether the issuer is known well enough to fetch what verifying its credentials needs.
func (r *run) authority(ctx context.Context, issuer string) (known bool) {
	at := "/issuer"
	if r.isSelective() {
		at = "/iss"
	}
	if r.omitted(CheckAuthority) {
		return true
	}
	if r.v.cfg.Authority == nil {
		r.add("authority_unavailable", at).say("no registry is configured")
		return false
	}
	known = true
	for _, moment := range []struct {
		about string
		at    time.Time
	}{{"issue", r.issuedAt()}, {"now", r.now}} {
		answer, resource, err := r.askAuthority(ctx, issuer, moment.at)
		if err != nil {
			r.add("authority_unavailable", at).about(moment.about)
			known = false
			continue
		}
		switch answer.State {
		case AuthorityActive:
			r.add("authority_ok", at).about(moment.about).rest(answer.Evidence)
		case AuthorityInactive:
			r.add("authority_inactive", at).about(moment.about).say(resource).rest(answer.Evidence)
		case AuthorityNone:
			r.add("authority_not_authorized", at).about(moment.about).say(resource).rest(answer.Evidence)
		default:
			r.add("authority_unknown", at).about(moment.about).rest(answer.Evidence)
			known = false
		}
	}
	return known || r.policy.Rule(CheckAuthority) == Report
}

// issuedAt is the time of issue as the credential tells it; now where it tells none.
func (r *run) issuedAt() time.Time {
	if at, err := schemas.ParseTime(text(r.common, "validFrom")); err == nil && at.Before(r.now) {
		return at
	}
	return r.now
}

// askAuthority asks for the achievement of an Open Badge, and else, or where that is not granted, for the credential's
// types, all of which must be granted. It returns the best answer and what it was about.
func (r *run) askAuthority(ctx context.Context, issuer string, at time.Time) (AuthorityAnswer, string, error) {
	best, about := AuthorityAnswer{State: AuthorityNoEntity}, ""
	levels := levelsOf(r.summary(KindCredential))
	for _, resources := range r.resourceSets() {
		worst, worstAbout := AuthorityAnswer{State: AuthorityActive}, ""
		for _, resource := range resources {
			answer, err := r.v.cfg.Authority.Authority(ctx, AuthorityQuery{
				Entity: issuer, Action: ActionIssue, Resource: resource, Levels: levels, Time: at,
			})
			if err != nil {
				return AuthorityAnswer{}, "", err
			}
			if worstAbout == "" || rank(answer.State) < rank(worst.State) {
				worst, worstAbout = answer, resource
			}
		}
		if about == "" || rank(worst.State) > rank(best.State) {
			best, about = worst, worstAbout
		}
		if best.State == AuthorityActive {
			break
		}
	}
	return best, about, nil
}

// levelsOf returns the levels of our scale that a credential states, each once.
func levelsOf(s Summary) []schemas.Level {
	var out []schemas.Level
	for _, stated := range s.Levels {
		n, err := strconv.Atoi(stated.Level)
		if level := schemas.Level(n); err == nil && slices.Contains(schemas.Levels(), level) && !slices.Contains(out, level) {
			out = append(out, level)
		}
	}
	slices.Sort(out)
	return out
}

func rank(s AuthorityState) int {
	switch s {
	case AuthorityActive:
		return 3
	case AuthorityInactive:
		return 2
	case AuthorityNone:
		return 1
	case AuthorityNoEntity:
		return 0
	}
	return 0
}

func (r *run) resourceSets() [][]string {
	if r.isSelective() {
		return selectiveResources(r.doc)
	}
	return resourceSets(r.doc)
}

// resourceSets lists what an authority may be granted for, each set sufficient by itself. An achievement covers a
// credential only if that says nothing but to be a badge of it.
func resourceSets(doc map[string]any) [][]string {
	var special []string
	badge := true
	for _, t := range texts(doc["type"]) {
		if t == schemas.TypeVerifiableCredential {
			continue
		}
		special = append(special, t)
		badge = badge && (t == schemas.TypeOpenBadgeCredential || t == schemas.TypeAchievementCredential)
	}
	if len(special) == 0 {
		return [][]string{{schemas.TypeVerifiableCredential}}
	}
	achievement := text(object(object(doc, "credentialSubject"), "achievement"), "id")
	if badge && achievement != "" {
		return [][]string{{achievement}, special}
	}
	return [][]string{special}
}

// keyInterval asks whether each key that verified was in use when it signed. A date in a proof is the signer's word: it
// can place a signature inside the life of a retired key, never of a revoked one, since whoever took the key writes what
// date they like.
func (r *run) keyInterval(ctx context.Context) {
	if r.omitted(CheckKeyInterval) {
		return
	}
	for _, s := range r.signatures {
		r.signatureInterval(ctx, s)
	}
}

func (r *run) signatureInterval(ctx context.Context, s signature) {
	if r.v.cfg.Intervals == nil {
		r.add("key_interval_unavailable", s.pointer).say("no registry is configured")
		return
	}
	intervals, evidence, err := r.v.cfg.Intervals.KeyIntervals(ctx, s.controller)
	if err != nil {
		r.add("key_interval_unavailable", s.pointer)
		return
	}
	if len(intervals) == 0 {
		if strings.HasPrefix(s.controller, "did:key:") || strings.HasPrefix(s.controller, "did:jwk:") {
			r.add("key_interval_none", s.pointer)
			return
		}
		r.add("key_interval_unknown", s.pointer).rest(evidence)
		return
	}
	signed := s.created
	if signed.IsZero() {
		signed = r.issuedAt()
	}
	inside := false
	for _, i := range intervals {
		if i.Method != s.method {
			continue
		}
		if !i.Revoked.IsZero() && !i.Revoked.After(r.now) {
			r.add("key_interval_revoked", s.pointer).say("revoked " + schemas.FormatTime(i.Revoked)).rest(evidence)
			return
		}
		inside = inside || (!signed.Before(i.From.Add(-r.policy.Skew)) && (i.Until.IsZero() || signed.Before(i.Until)))
	}
	if !inside {
		r.add("key_interval_outside", s.pointer).say("signed " + schemas.FormatTime(signed)).rest(evidence)
		return
	}
	r.add("key_interval_ok", s.pointer).rest(evidence)
}

// mayReport tells whether lister may publish the status of issuer's credentials: the issuer itself, or a delegate that
// the registry knows.
func (v *Verifier) mayReport(ctx context.Context, lister, issuer string, now time.Time) bool {
	if lister == issuer {
		return true
	}
	if v.cfg.Authority == nil || slices.Contains([]string{lister, issuer}, "") {
		return false
	}
	answer, err := v.cfg.Authority.Authority(ctx, AuthorityQuery{Entity: lister, Action: ActionStatus, Resource: issuer, Time: now})
	return err == nil && answer.State == AuthorityActive
}
