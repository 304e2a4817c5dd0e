package verifier

import (
	"strings"

	"heartmark/schemas"
)

// summarise collects what people want to read first. It is what the document claims.
func summarise(doc map[string]any, kind Kind) Summary {
	if kind == KindPresentation {
		return Summary{ID: text(doc, "id"), HolderID: reference(doc["holder"])}
	}
	subject := object(doc, "credentialSubject")
	if subject == nil {
		if all := entries(doc, "credentialSubject"); len(all) > 0 {
			subject = all[0].value
		}
	}
	achievement := object(subject, "achievement")
	return Summary{
		ID: text(doc, "id"), Name: words(doc["name"]),
		IssuerID: reference(doc["issuer"]), IssuerName: words(object(doc, "issuer")["name"]),
		HolderID: text(subject, "id"), Language: text(achievement, "inLanguage"),
		ValidFrom: text(doc, "validFrom"), ValidUntil: text(doc, "validUntil"), AwardedAt: text(doc, "awardedDate"),
		Achievement: words(achievement["name"]), AchievementID: text(achievement, "id"),
		Levels: statedLevels(doc, subject, achievement),
	}
}

// words reads a text or the first of its language values (VC Data Model 2.0, 11).
func words(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case map[string]any:
		return text(t, "@value")
	case []any:
		if len(t) > 0 {
			return words(t[0])
		}
	}
	return ""
}

// statedLevels reads results against the rubric of their own result description (Open Badges 3.0, Result).
func statedLevels(doc, subject, achievement map[string]any) []StatedLevel {
	confidence := map[string]string{}
	for _, e := range entries(doc, "evidence") {
		for _, c := range entries(e.value, "deiConfidence") {
			confidence[text(c.value, "deiDimension")] = text(c.value, "deiValue")
		}
	}
	descriptions := map[string]map[string]any{}
	for _, d := range entries(achievement, "resultDescription") {
		descriptions[text(d.value, "id")] = d.value
	}
	var out []StatedLevel
	for _, res := range entries(subject, "result") {
		id := text(res.value, "resultDescription")
		d, achieved := descriptions[id], text(res.value, "achievedLevel")
		if d == nil || achieved == "" {
			continue
		}
		for _, l := range entries(d, "rubricCriterionLevel") {
			if text(l.value, "id") != achieved {
				continue
			}
			dimension := dimensionOf(id)
			out = append(out, StatedLevel{
				Dimension: dimension, Name: words(d["name"]), Level: text(l.value, "level"), LevelName: words(l.value["name"]),
				Confidence: confidence[string(dimension)],
			})
		}
	}
	return out
}

// dimensionOf reads the code behind the # of a result description's id; the whole id where it is none of ours.
func dimensionOf(id string) schemas.Dimension {
	if _, fragment, ok := strings.Cut(id, "#"); ok {
		if d, err := schemas.ParseDimension(fragment); err == nil {
			return d
		}
	}
	return schemas.Dimension(id)
}
