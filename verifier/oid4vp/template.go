package oid4vp

import (
	"strconv"
	"time"

	"heartmark/schemas"
)

// Template is a ready question: does the holder have at least a level in a dimension, on the word of a recognised issuer
// and not too long ago. It asks to disclose nothing else: in an SD-JWT VC the one statement "at least level N" where the
// credential has it, the level where it has not; in a format that cannot withhold the whole credential comes.
type Template struct {
	Dimension schemas.Dimension
	Level     schemas.Level
	// MaxAge is how long ago the credential may have been issued; 0 means a year.
	MaxAge time.Duration
}

// maxTemplateAge bounds MaxAge.
const maxTemplateAge = 10 * 365 * 24 * time.Hour

// TypeIRIs of an Open Badge credential, expanded.
const (
	iriCredential = "https://www.w3.org/2018/credentials#VerifiableCredential"
	iriBadge      = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential"
)

// Validate returns the first fault as *schemas.FieldError.
func (t Template) Validate() error {
	switch {
	case !t.Dimension.Valid() && t.Dimension != schemas.DimensionOverall:
		return fault("/dimension", "the code of a dimension, or overall")
	case !t.Level.Valid():
		return fault("/level", "1 to 4")
	case t.MaxAge < 0 || t.MaxAge > maxTemplateAge:
		return fault("/max_age_days", "1 to 3650")
	}
	return nil
}

// query is the template in DCQL, for the DEI types that are published under the origins.
func (t Template) query(origins []string) map[string]any {
	var vcts, reached []any
	for _, origin := range origins {
		vcts = append(vcts, schemas.VCTypeDEI(origin))
		for _, code := range []string{schemas.AchievementProfile, string(t.Dimension)} {
			achievement := schemas.AchievementID(origin, code)
			for _, level := range schemas.Levels() {
				if level >= t.Level && (code == schemas.AchievementProfile || t.Dimension != schemas.DimensionOverall) {
					reached = append(reached, schemas.LevelID(achievement, t.Dimension, level))
				}
			}
		}
	}
	var levels []any
	for _, level := range schemas.Levels() {
		if level >= t.Level {
			levels = append(levels, int(level))
		}
	}
	// A credential states "at least" from level 2 on, which answers for level 1 too.
	atLeast := strconv.Itoa(int(max(t.Level, schemas.LevelDeveloping)))
	dimension := string(t.Dimension)
	badge := func(id, format string) map[string]any {
		return map[string]any{
			"id": id, "format": format, "meta": map[string]any{"type_values": []any{[]any{iriCredential, iriBadge}}},
			"claims": []any{map[string]any{
				"path": []any{"credentialSubject", "result", nil, "achievedLevel"}, "values": reached,
			}},
		}
	}
	return map[string]any{
		"credentials": []any{
			map[string]any{
				"id": "dei_sd", "format": FormatSDJWT, "meta": map[string]any{"vct_values": vcts},
				"claims": []any{
					map[string]any{"id": "at_least", "path": []any{dimension, "level_at_least", atLeast}, "values": []any{true}},
					map[string]any{"id": "level", "path": []any{dimension, "level"}, "values": levels},
				},
				"claim_sets": []any{[]any{"at_least"}, []any{"level"}},
			},
			badge("dei_ld", FormatLDP), badge("dei_jwt", FormatJWT),
		},
		"credential_sets": []any{map[string]any{"options": []any{[]any{"dei_sd"}, []any{"dei_ld"}, []any{"dei_jwt"}}}},
	}
}
