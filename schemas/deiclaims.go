package schemas

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Names of the claims by which the DEI type states a level (design, 9.9).
const (
	claimLevel      = "level"
	claimAtLeast    = "level_at_least"
	claimConfidence = "confidence"
)

// SelectiveClaims returns the credential as the claims of an SD-JWT VC of type VCTypeDEI: each dimension that is stated is
// one disclosure, whose members level, level_at_least and confidence are disclosures again, as is each true entry of
// level_at_least. Numbers of digests do not depend on what is stated. How it was assessed stands in clear, since a level is
// worth no more than its scale and model; only platforms and batch digests can be withheld.
//
// holderKey is the holder's public key as a JWK, which goes into cnf; status may be nil. It refuses what Document refuses.
func (c DEICredential) SelectiveClaims(holderKey json.RawMessage, status *TokenStatus) (SelectiveClaims, error) {
	doc, err := c.Document()
	if err != nil {
		return SelectiveClaims{}, err
	}
	key, err := ParseObject(holderKey)
	if err != nil {
		return SelectiveClaims{}, &FieldError{Pointer: "/cnf/jwk", Expected: "a public key as a JWK", Err: err}
	}
	integrity, err := VCTypeIntegrity(c.Origin)
	if err != nil {
		return SelectiveClaims{}, err
	}
	out := SelectiveClaims{
		Claims: map[string]any{
			"iss": c.Issuer.ID, "jti": string(c.ID), "iat": c.ValidFrom.Unix(), "nbf": c.ValidFrom.Unix(), "exp": c.ValidUntil.Unix(),
			"vct": VCTypeDEI(c.Origin), "vct#integrity": integrity, "cnf": map[string]any{"jwk": key},
			"termsOfUse": doc["termsOfUse"],
		},
		Pad: map[string]int{"": len(ResultDimensions())},
	}
	if status != nil {
		out.SetStatus(*status)
	}
	out.addEvidence(doc["evidence"].([]any)[0].(map[string]any))
	achievement := c.Achievement
	if achievement == "" {
		achievement = AchievementProfile
	}
	claims, err := stated(c.Attestation.Levels, achievement)
	if err != nil {
		return SelectiveClaims{}, err
	}
	for _, claim := range claims {
		out.addLevel(claim)
	}
	return out, nil
}

// SelectiveDocument returns the credential itself as claims of which a part can be withheld (VC-JOSE-COSE 1.0, 3.2): each
// result with its confidence, platforms and batch digests. Its name tells no level. A presentation must show one result and
// one confidence at least, since the schema of the credential demands them; numbers of digests do not depend on what is
// stated. holderKey is the holder's public key as a JWK, which goes into cnf. It refuses what Document refuses.
func (c DEICredential) SelectiveDocument(holderKey json.RawMessage) (SelectiveClaims, error) {
	doc, err := c.Document()
	if err != nil {
		return SelectiveClaims{}, err
	}
	key, err := ParseObject(holderKey)
	if err != nil {
		return SelectiveClaims{}, &FieldError{Pointer: "/cnf/jwk", Expected: "a public key as a JWK", Err: err}
	}
	subject := doc["credentialSubject"].(map[string]any)
	evidence := doc["evidence"].([]any)[0].(map[string]any)
	doc = WithPlainName(doc)
	doc["cnf"] = map[string]any{"jwk": key}
	const results, confidences, sources = "/credentialSubject/result", "/evidence/0/deiConfidence", "/evidence/0"
	out := SelectiveClaims{Claims: doc, Pad: map[string]int{
		results: len(ResultDimensions()), confidences: len(ResultDimensions()), sources: 2,
	}}
	for at, list := range map[string]any{results: subject["result"], confidences: evidence["deiConfidence"]} {
		for i := range list.([]any) {
			out.Disclosable = append(out.Disclosable, at+"/"+strconv.Itoa(i))
		}
	}
	for _, name := range []string{"deiPlatform", "deiBatchDigest"} {
		if _, present := evidence[name]; present {
			out.Disclosable = append(out.Disclosable, sources+"/"+name)
		}
	}
	slices.Sort(out.Disclosable)
	return out, nil
}

// SelectivePointers returns what a holder may choose to show of a credential that Document made, when it is secured with a
// proof that discloses selectively (VC Data Integrity ECDSA, 3.4): its results, of which the schema demands one. mandatory is
// what every presentation shows: all else. No pointer goes into an array of one item, which compaction of JSON-LD takes away;
// so the evidence is shown whole, and a single result always. The name must not tell levels: see WithPlainName.
func SelectivePointers(doc map[string]any) (mandatory, selective []string) {
	members := func(at string, m map[string]any, leave ...string) {
		for _, name := range sortedKeys(m) {
			if !slices.Contains(leave, name) {
				mandatory = append(mandatory, at+"/"+escapePointer(name))
			}
		}
	}
	members("", doc, "@context", "credentialSubject", "proof")
	subject, _ := doc["credentialSubject"].(map[string]any)
	results, _ := subject["result"].([]any)
	if len(results) < 2 {
		members("/credentialSubject", subject)
		return mandatory, nil
	}
	members("/credentialSubject", subject, "result")
	for i := range results {
		selective = append(selective, "/credentialSubject/result/"+strconv.Itoa(i))
	}
	return mandatory, selective
}

// WithPlainName returns a copy of a credential that Document made whose name is the achievement's and tells no level.
func WithPlainName(doc map[string]any) map[string]any {
	out := maps.Clone(doc)
	subject, _ := doc["credentialSubject"].(map[string]any)
	achievement, _ := subject["achievement"].(map[string]any)
	out["name"] = achievement["name"]
	return out
}

// SetStatus points the status claim to an entry of a token status list (Token Status List, 6.2).
func (s SelectiveClaims) SetStatus(to TokenStatus) {
	s.Claims["status"] = map[string]any{"status_list": map[string]any{"idx": to.Index, "uri": to.URI}}
}

// addEvidence takes the credential's evidence without what tells levels.
func (s *SelectiveClaims) addEvidence(evidence map[string]any) {
	plain := maps.Clone(evidence)
	for _, name := range []string{"narrative", "deiConfidence", "genre"} {
		delete(plain, name)
	}
	s.Claims["evidence"] = plain
	s.Pad["/evidence"] = 2
	for _, name := range []string{"deiPlatform", "deiBatchDigest"} {
		if _, present := plain[name]; present {
			s.Disclosable = append(s.Disclosable, "/evidence/"+name)
		}
	}
}

func (s *SelectiveClaims) addLevel(claim LevelClaim) {
	name := string(claim.Dimension)
	at, reached := "/"+name, map[string]any{}
	s.Disclosable = append(s.Disclosable, at, at+"/"+claimLevel, at+"/"+claimAtLeast, at+"/"+claimConfidence)
	for l := LevelDeveloping; l <= claim.Level; l++ {
		reached[l.Number()] = true
		s.Disclosable = append(s.Disclosable, at+"/"+claimAtLeast+"/"+l.Number())
	}
	s.Claims[name] = map[string]any{claimLevel: int(claim.Level), claimAtLeast: reached, claimConfidence: claim.Confidence}
	s.Pad[at+"/"+claimAtLeast] = len(Levels()) - 1 // else the digests could be counted
}

// DEIStatement is what a presentation of the DEI type reveals of one dimension.
type DEIStatement struct {
	Dimension Dimension
	// Level is 0 where it is withheld, AtLeast the highest level that is said to be reached, 0 where none is.
	Level, AtLeast Level
	// Confidence is two decimals, "0.93"; empty where it is withheld.
	Confidence string
}

// ReadDEIClaims checks the claims of the DEI type that a presentation reveals, and returns what they state, overall first.
// It returns a *FieldError with the first value at fault. The claims have passed ValidateVCClaims.
func ReadDEIClaims(claims map[string]any) ([]DEIStatement, error) {
	for _, name := range []string{"exp", "nbf", "cnf"} {
		if _, present := claims[name]; !present {
			return nil, malformedAt("/"+name, "a value: the type demands it")
		}
	}
	if err := checkDEIEvidence(claims); err != nil {
		return nil, err
	}
	var out []DEIStatement
	for _, d := range ResultDimensions() {
		value, present := claims[string(d)]
		if !present {
			continue
		}
		s, err := readStatement(d, value)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func checkDEIEvidence(claims map[string]any) error {
	evidence, isObject := claims["evidence"].(map[string]any)
	if !isObject {
		return malformedAt("/evidence", "an object: the type demands it")
	}
	for _, name := range []string{"deiMethod", "deiModel", "deiModelDigest", "deiScale", "deiWindowStart", "deiWindowEnd", "deiConsent", "deiReview"} {
		if err := needString(evidence, "/evidence", name); err != nil {
			return err
		}
	}
	return nil
}

func readStatement(d Dimension, value any) (DEIStatement, error) {
	at, s := "/"+string(d), DEIStatement{Dimension: d}
	m, isObject := value.(map[string]any)
	if !isObject {
		return s, malformedAt(at, "an object")
	}
	for _, name := range sortedKeys(m) {
		here := at + "/" + escapePointer(name)
		switch name {
		case claimLevel:
			n, _ := m[name].(json.Number)
			if s.Level = numberedLevel(n.String()); !s.Level.Valid() {
				return s, malformedAt(here, "1 to 4")
			}
		case claimAtLeast:
			reached, isObject := m[name].(map[string]any)
			if !isObject {
				return s, malformedAt(here, "an object")
			}
			for _, number := range sortedKeys(reached) {
				l := numberedLevel(number)
				if l < LevelDeveloping || !l.Valid() || reached[number] != true {
					return s, malformedAt(here+"/"+escapePointer(number), `"2" to "4", each true`)
				}
				s.AtLeast = max(s.AtLeast, l)
			}
		case claimConfidence:
			s.Confidence, _ = m[name].(string)
			if !confidence.MatchString(s.Confidence) {
				return s, malformedAt(here, `"0.90" to "1.00"`)
			}
		default:
			return s, malformedAt(here, "no other member")
		}
	}
	if s.Level != 0 && s.AtLeast > s.Level {
		return s, malformedAt(at+"/"+claimAtLeast, "no level above the one stated")
	}
	return s, nil
}

func numberedLevel(text string) Level {
	i := slices.IndexFunc(Levels(), func(l Level) bool { return l.Number() == text })
	return Level(i + 1) // 0, which is no level, for another text
}

// LevelText returns the words for what is known of a level: its name, or that it is at least that of atLeast, or "".
func (s DEIStatement) LevelText(lang string) string {
	switch {
	case s.Level.Valid():
		return s.Level.Name(lang)
	case s.AtLeast.Valid():
		return strings.Replace(pick(text{"% or higher", "%或以上"}, lang), "%", s.AtLeast.Name(lang), 1)
	}
	return ""
}

// Reached returns the level that is known to be reached, and its number as it stands in a rubric; 0 and "" for none.
func (s DEIStatement) Reached() (Level, string) {
	l := max(s.Level, s.AtLeast)
	if !l.Valid() {
		return 0, ""
	}
	return l, strconv.Itoa(int(l))
}
