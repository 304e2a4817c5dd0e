package verifier

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
)

// Types of the tokens that are read here, as typ names them (VC-JOSE 3.1, SD-JWT VC 2.2.1); the media types are these
// below application/.
const (
	tokenCredential   = "vc+jwt"
	tokenPresentation = "vp+jwt"
	tokenSelective    = "dc+sd-jwt"
	// tokenDisclosing is a credential of the data model as an SD-JWT (VC-JOSE 3.2).
	tokenDisclosing = "vc+sd-jwt"
)

// envelope is the token around a document: what a credential has in place of the proof member.
type envelope struct {
	header jose.Header
	verify func(crypto.PublicKey) error
	// selective is the SD-JWT, nil for a plain JWS.
	selective *sdjwt.Token
}

// errRefused says that the input is a token which no key could make good. It is an answer, not an error of Verify.
var errRefused = errors.New("the token is refused")

// announced is what a media type promises.
type announced struct {
	kind Kind   // empty for either
	typ  string // of a token; empty for JSON
	any  bool   // nothing was promised
}

// isToken tells a token from JSON where no media type says what came: JSON documents begin with a brace or white space.
func isToken(data []byte) bool { return len(data) > 0 && data[0] == 'e' }

// parseToken reads the input as a token of the kind announced, and by its typ where none was (security case SEC-010).
func (r *run) parseToken(want announced) (map[string]any, Kind, error) {
	if r.in.Document != nil {
		r.add("parse_kind", "")
		return nil, "", errors.New("a token was announced, an object came")
	}
	compact := string(r.in.Data)
	if isSDJWT(want.typ) || (want.any && strings.Contains(compact, "~")) {
		return r.parseSelective(compact, want)
	}
	token, err := jose.Parse(compact)
	if err != nil {
		return r.tokenFault(err, kindOfToken(want.typ))
	}
	kind := kindOfToken(token.Header.Typ)
	if kind == "" || isSDJWT(token.Header.Typ) || (!want.any && token.Header.Typ != want.typ) {
		r.add("parse_kind", "").say("typ " + shorten(token.Header.Typ))
		return nil, "", fmt.Errorf("typ %.40q is not the one expected", token.Header.Typ)
	}
	doc, err := token.Claims()
	if err != nil {
		return r.tokenFault(err, kind)
	}
	if kindOf(doc) != kind {
		r.add("parse_no_type", "/type")
		return nil, "", errors.New("no type of a credential or presentation")
	}
	r.add("parse_ok", "")
	r.envelope = &envelope{header: token.Header, verify: token.Verify}
	return doc, kind, nil
}

func kindOfToken(typ string) Kind {
	switch typ {
	case tokenCredential, tokenSelective, tokenDisclosing:
		return KindCredential
	case tokenPresentation:
		return KindPresentation
	}
	return ""
}

func isSDJWT(typ string) bool { return typ == tokenSelective || typ == tokenDisclosing }

func (r *run) parseSelective(compact string, want announced) (map[string]any, Kind, error) {
	token, err := sdjwt.Parse(compact)
	if err != nil {
		return r.tokenFault(err, KindCredential)
	}
	if typ := token.Header.Typ; !isSDJWT(typ) || (!want.any && typ != want.typ) {
		r.add("parse_kind", "").say("typ " + shorten(typ))
		return nil, "", fmt.Errorf("typ %.40q is not the one expected", typ)
	}
	if token.Header.Typ == tokenDisclosing && kindOf(token.Claims) != KindCredential {
		r.add("parse_no_type", "/type")
		return nil, "", errors.New("no type of a credential")
	}
	r.add("parse_ok", "")
	r.envelope = &envelope{header: token.Header, verify: token.Verify, selective: &token}
	return token.Claims, KindCredential, nil
}

// tokenFault tells what cannot be read at all from what was read and is refused whatever key may come.
func (r *run) tokenFault(err error, kind Kind) (map[string]any, Kind, error) {
	switch {
	case errors.Is(err, jose.ErrAlgorithm), errors.Is(err, sdjwt.ErrHash):
		r.add("proof_algorithm", "").say(shorten(err.Error()))
	case errors.Is(err, sdjwt.ErrDisclosure):
		r.add("proof_disclosures", "").say(shorten(err.Error()))
	default:
		r.add("parse_token", "").say(shorten(err.Error()))
		return nil, "", err
	}
	r.add("parse_ok", "")
	return nil, kind, fmt.Errorf("%w: %w", errRefused, err)
}

// claimsAgree holds VC-JOSE 3.1 and security case SEC-025: no second credential beside the payload, no second proof, and no
// claim that says otherwise than the credential. It reports whether the rest can be checked.
func (r *run) claimsAgree(owner string) bool {
	for _, name := range []string{"vc", "vp", "proof"} {
		if _, present := r.doc[name]; present {
			r.unmodel("model_token_claim", "/"+name)
			return false
		}
	}
	subject := text(object(r.doc, "credentialSubject"), "id")
	if kindOf(r.doc) == KindPresentation {
		subject = owner
	}
	for name, other := range map[string]string{"iss": owner, "jti": text(r.doc, "id"), "sub": subject} {
		if value, present := r.doc[name]; present && (value != other || other == "") {
			r.unmodel("model_token_claim", "/"+name)
			return false
		}
	}
	for name, member := range map[string]string{"exp": "validUntil", "nbf": "validFrom"} {
		value, present := r.doc[name]
		said, stated := r.doc[member].(string)
		if !present || !stated {
			continue
		}
		at, err := schemas.ParseNumericDate(value)
		date, dateErr := schemas.ParseTime(said)
		if err == nil && dateErr == nil && at.Unix() != date.Unix() {
			r.unmodel("model_token_claim", "/"+name)
			return false
		}
	}
	return true
}

// tokenPeriod checks the times of the token itself (RFC 7519, 4.1.4 to 4.1.6). It notes faults alone and reports whether
// there was none.
func (r *run) tokenPeriod() bool {
	for _, name := range []string{"iat", "nbf", "exp"} {
		value, present := r.doc[name]
		if !present {
			continue
		}
		at, err := schemas.ParseNumericDate(value)
		switch {
		case err != nil:
			r.add("period_malformed", "/"+name)
			return false
		case name == "exp" && !r.now.Before(at.Add(r.policy.Skew)):
			r.add("period_expired", "/exp").say("valid until " + schemas.FormatTime(at))
			return false
		case name != "exp" && at.After(r.now.Add(r.policy.Skew)):
			r.add("period_early", "/"+name).say("valid from " + schemas.FormatTime(at))
			return false
		}
	}
	return true
}

// secured checks what secures the document: the token around it, or the proofs in it.
func (r *run) secured(ctx context.Context, q proofQuery) {
	if r.envelope == nil {
		r.proofs(ctx, q)
		return
	}
	method, ok := r.signingMethod(q.owner)
	if !ok {
		return
	}
	controller, _, _ := strings.Cut(method, "#")
	bound := q.owner == "" || controller == q.owner
	if bound && q.owner != "" {
		r.add("issuer_binding_ok", "").about(aboutHeader)
	} else if !bound {
		r.add("issuer_binding_mismatch", "").about(aboutHeader)
	}
	// A key of somebody else than the owner is never worth a request.
	key, err := r.v.cfg.Keys.Key(ctx, KeyQuery{Controller: controller, Method: method, Purpose: q.purpose, Network: q.network && bound})
	if err != nil {
		r.keyFault(err, "", "")
		return
	}
	r.add("purpose_ok", "").rest(key.Evidence)
	switch err := r.envelope.verify(key.Public); {
	case errors.Is(err, jose.ErrAlgorithm):
		r.add("proof_suite_mismatch", "").about(aboutHeader)
		return
	case err != nil:
		r.add("proof_invalid", "")
		return
	}
	r.add("proof_ok", "").rest(key.Evidence)
	created := time.Time{}
	if at, err := schemas.ParseNumericDate(r.doc["iat"]); err == nil {
		created = at
	}
	r.signatures = append(r.signatures, signature{method: method, controller: controller, created: created})
}

// aboutHeader marks findings about the token's header, which no pointer into the document reaches.
const aboutHeader = "header"

// signingMethod returns the verification method that kid names (VC-JOSE 4): a DID URL where the owner is a DID, else it or
// the id of a key in the owner's document. Keys that the header brings along are not looked at.
func (r *run) signingMethod(owner string) (string, bool) {
	kid := r.envelope.header.Kid
	switch {
	case kid == "" && r.envelope.header.HasX5C:
		r.add("proof_key_unavailable", "").about(aboutHeader).say("certificate chains are not read")
		return "", false
	case kid == "" && owner != "" && !strings.HasPrefix(owner, "did:"):
		// SD-JWT VC 2.5 leaves kid open where the issuer's metadata has one key; that metadata is not read.
		r.add("proof_key_unavailable", "").about(aboutHeader).say("the header names no key")
		return "", false
	case !strings.Contains(kid, "#") && kid != "" && owner != "" && !strings.HasPrefix(owner, "did:"):
		kid = owner + "#" + kid
	}
	if id, fragment, ok := strings.Cut(kid, "#"); !ok || fragment == "" || !schemas.IsURL(id) {
		r.add("proof_malformed", "").about(aboutHeader).say("kid names no verification method")
		return "", false
	}
	return kid, true
}

// nonceAndAudience compares the claims by which a token is made for one exchange with what the caller gave.
func (r *run) nonceAndAudience() {
	audience := texts(r.doc["aud"])
	switch {
	case r.in.Challenge != "" && text(r.doc, "nonce") != r.in.Challenge:
		r.add("replay_challenge", "/nonce")
	case r.in.Domain != "" && (len(audience) != 1 || audience[0] != r.in.Domain):
		r.add("replay_domain", "/aud")
	default:
		r.add("replay_ok", "/nonce")
	}
}

// openEnveloped reads an EnvelopedVerifiableCredential (VC Data Model 2.0, 4.13): a data URL with a credential's token, one
// level deep. It reports whether a credential came out.
func (r *run) openEnveloped(item map[string]any) bool {
	compact, ok := strings.CutPrefix(text(item, "id"), "data:application/"+tokenCredential+",")
	if !ok {
		r.add("parse_enveloped", "/id")
		return false
	}
	r.in.Data = []byte(compact)
	doc, _, err := r.parseToken(announced{kind: KindCredential, typ: tokenCredential})
	r.setDocument(doc)
	return err == nil
}

func isEnveloped(item map[string]any) bool {
	for _, t := range texts(item["type"]) {
		if t == "EnvelopedVerifiableCredential" {
			return true
		}
	}
	return false
}
