package verifier

import (
	"context"
	"errors"
	"strconv"
	"time"

	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
)

// maxBindingAge is how old a key binding JWT may be (security.md §3).
const maxBindingAge = 5 * time.Minute

// selectiveCredential judges an SD-JWT VC in the order of credential: form, trust, signature, and only then what it names.
func (r *run) selectiveCredential(ctx context.Context) {
	r.add("query_none", "")
	token := r.envelope.selective
	if err := schemas.ValidateVCClaims(token.Payload, token.Claims); err != nil {
		r.addField("model_malformed", err)
		return
	}
	r.add("model_ok", "")
	if r.tokenPeriod() {
		r.add("period_ok", "")
	}
	issuer := text(r.doc, "iss")
	r.accept(issuer)
	known := r.authority(ctx, issuer)
	r.secured(ctx, proofQuery{owner: issuer, purpose: purposeAssertion, network: known})
	if !r.has(CheckProof) || !r.has(CheckPurpose) {
		return // what nobody signed earns no further work
	}
	r.keyBinding()
	r.keyInterval(ctx)
	r.typeMetadata()
	r.add("related_resource_none", "")
	r.add("inner_none", "")
	r.log(ctx)
	if known && (r.has(CheckIssuerBinding) || r.policy.Rule(CheckIssuerBinding) != Require) {
		r.tokenStatus(ctx, issuer)
	} else if _, present := r.doc["status"]; !present {
		r.add("status_none", "")
	}
}

// keyBinding checks who presents, and for which exchange (RFC 9901, 7.3; security.md R5). A credential that names a
// holder's key is good only in that holder's hands, so without a key binding nobody knows.
func (r *run) keyBinding() {
	token := r.envelope.selective
	binding, err := token.VerifyBinding()
	if !r.omitted(CheckHolderBinding) {
		_, named := r.doc["cnf"]
		_, keyErr := token.HolderKey()
		switch {
		case keyErr != nil && (named || token.HasBinding()):
			r.add("holder_binding_key", "/cnf")
		case !named:
			r.add("holder_binding_none", "")
		case errors.Is(err, sdjwt.ErrNoBinding):
			r.add("holder_binding_absent", "/cnf")
		case err != nil:
			r.add("holder_binding_invalid", "/cnf").say(shorten(err.Error()))
		default:
			r.add("holder_binding_ok", "/cnf")
		}
	}
	if r.omitted(CheckReplay) {
		return
	}
	asked := r.in.Challenge != "" || r.in.Domain != ""
	switch {
	case err == nil:
		r.bindingReplay(binding)
	case !token.HasBinding() && asked:
		r.add("replay_challenge", "")
	case !token.HasBinding():
		r.add("replay_none", "")
	}
}

// bindingReplay compares a key binding that holds with what the caller gave. Its age counts in any case; without both
// challenge and domain it may have been made for another exchange.
func (r *run) bindingReplay(b sdjwt.Binding) {
	want := sdjwt.Expected{Nonce: r.in.Challenge, Audience: r.in.Domain, Now: r.now, MaxAge: maxBindingAge, Skew: r.policy.Skew}
	if want.Nonce == "" {
		want.Nonce = b.Nonce
	}
	if want.Audience == "" {
		want.Audience = b.Audience
	}
	switch err := b.Check(want); {
	case errors.Is(err, sdjwt.ErrNonce):
		r.add("replay_challenge", "")
	case errors.Is(err, sdjwt.ErrAudience):
		r.add("replay_domain", "")
	case err != nil:
		r.add("replay_stale", "").say("made " + schemas.FormatTime(b.IssuedAt))
	case r.in.Challenge == "" || r.in.Domain == "":
		r.add(notChecked(CheckReplay), "").say("the caller gave no challenge or no domain")
	default:
		r.add("replay_ok", "")
	}
}

// typeMetadata checks the claims against the type that vct names. Only the DEI type is known here; type metadata is never
// fetched (security.md R7), so an integrity that nothing at hand can be compared with stays undetermined.
func (r *run) typeMetadata() {
	if r.omitted(CheckSchema) {
		return
	}
	vct, claimed := text(r.doc, "vct"), text(r.doc, "vct#integrity")
	origin, known := schemas.IsDEIType(vct)
	switch {
	case !known && claimed == "":
		r.add("schema_none", "")
		return
	case !known:
		r.add("schema_unknown", "/vct").say(shorten(vct))
		return
	}
	held, err := schemas.VCTypeIntegrity(origin)
	if err != nil || claimed != held {
		r.add("schema_digest", "/vct#integrity")
		return
	}
	if _, err := schemas.ReadDEIClaims(r.doc); err != nil {
		r.addField("schema_violated", err)
		return
	}
	r.add("schema_ok", "/vct").rest(Evidence{Source: vct, Digest: held})
}

// inModelTerms gives claims of an SD-JWT VC under the names of the data model, for the checks that all formats share.
func inModelTerms(claims map[string]any) map[string]any {
	out := map[string]any{"id": text(claims, "jti"), "issuer": text(claims, "iss")}
	for name, others := range map[string][]string{"validFrom": {"nbf", "iat"}, "validUntil": {"exp"}} {
		for _, other := range others {
			if at, err := schemas.ParseNumericDate(claims[other]); err == nil {
				out[name] = schemas.FormatTime(at)
				break
			}
		}
	}
	if s, present, err := schemas.ParseTokenStatus(claims); present && err == nil {
		out["credentialStatus"] = map[string]any{
			"statusListCredential": s.URI, "statusListIndex": strconv.FormatUint(s.Index, 10),
		}
	}
	return out
}

// selectiveResources are what an authority may be granted for: the type, and for the DEI type the achievement that it
// states levels of.
func selectiveResources(claims map[string]any) [][]string {
	vct := text(claims, "vct")
	if origin, ok := schemas.IsDEIType(vct); ok {
		return [][]string{{vct}, {schemas.AchievementID(origin, schemas.AchievementProfile)}}
	}
	return [][]string{{vct}}
}

// summariseSelective is summarise for an SD-JWT VC; texts are in English.
func summariseSelective(claims map[string]any) Summary {
	common := inModelTerms(claims)
	s := Summary{
		ID: text(common, "id"), IssuerID: text(common, "issuer"), HolderID: text(claims, "sub"),
		ValidFrom: text(common, "validFrom"), ValidUntil: text(common, "validUntil"),
	}
	origin, ok := schemas.IsDEIType(text(claims, "vct"))
	if !ok {
		return s
	}
	s.Language = schemas.LanguageEnglish
	achievement := schemas.DEIProfileV1(origin, s.Language)
	s.Achievement, s.AchievementID, s.Name = achievement.Name, achievement.ID, achievement.Name
	statements, err := schemas.ReadDEIClaims(claims)
	if err != nil {
		return s
	}
	for _, st := range statements {
		if level, number := st.Reached(); level != 0 {
			s.Levels = append(s.Levels, StatedLevel{
				Dimension: st.Dimension, Name: st.Dimension.Name(s.Language), Level: number, AtLeast: st.Level == 0,
				LevelName: st.LevelText(s.Language), Confidence: st.Confidence,
			})
		}
	}
	return s
}
