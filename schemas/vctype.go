package schemas

import "strings"

// VCTypeDEI returns the vct of the DEI type at an origin.
func VCTypeDEI(origin string) string { return origin + VCTypeDEIPath }

// IsDEIType reports whether a vct is the DEI type of some installation, and returns that installation's origin.
func IsDEIType(vct string) (origin string, ok bool) { return strings.CutSuffix(vct, VCTypeDEIPath) }

// VCTypeIntegrity returns the Subresource Integrity digest of VCTypeDocument at an origin (SD-JWT VC, 7).
func VCTypeIntegrity(origin string) (string, error) {
	data, err := VCTypeDocument(origin)
	if err != nil {
		return "", err
	}
	return DigestSRI(data), nil
}

// VCTypeDocument returns the type metadata (SD-JWT VC, 6) of the DEI type at an origin: names in both languages, and for
// each claim whether it can be withheld. The same origin gives the same bytes; a new meaning is a new vct.
func VCTypeDocument(origin string) ([]byte, error) {
	words := achievementWords(AchievementProfile)
	display := []any{}
	for _, lang := range Languages() {
		display = append(display, map[string]any{
			"locale": lang, "name": pick(words.name, lang), "description": pick(words.description, lang),
		})
	}
	claims := []any{claimMetadata("never", nil, "evidence"), claimMetadata("never", nil, "termsOfUse")}
	for _, name := range []string{"deiPlatform", "deiBatchDigest"} {
		claims = append(claims, claimMetadata("always", nil, "evidence", name))
	}
	for _, d := range ResultDimensions() {
		dimension := dimensionText(d)
		claims = append(claims, claimMetadata("always", &dimension, string(d)))
		for _, name := range []string{claimLevel, claimAtLeast, claimConfidence} {
			claims = append(claims, claimMetadata("always", nil, string(d), name))
		}
		for l := LevelDeveloping; l <= LevelAdvanced; l++ {
			claims = append(claims, claimMetadata("always", nil, string(d), claimAtLeast, l.Number()))
		}
	}
	return Marshal(map[string]any{
		"vct": VCTypeDEI(origin), "name": words.name.en, "description": words.description.en, "display": display, "claims": claims,
	})
}

func claimMetadata(sd string, words *dimensionWords, path ...string) map[string]any {
	m := map[string]any{"path": anyStrings(path), "sd": sd}
	if words == nil {
		return m
	}
	display := []any{}
	for _, lang := range Languages() {
		display = append(display, map[string]any{
			"locale": lang, "label": pick(words.name, lang), "description": pick(words.description, lang),
		})
	}
	m["display"] = display
	return m
}
