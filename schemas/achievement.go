package schemas

import (
	"fmt"
	"strings"
)

// AchievementProfile is the code of the default achievement: all four dimensions and overall.
const AchievementProfile = "profile"

// achievementVersion is the version of the achievements' meaning, in their ids and in their version member.
const achievementVersion = "1.0"

// Achievement is the Open Badges 3.0 definition of what a level means, in one language.
type Achievement struct {
	// ID is the whole URL that credentials name, the same in every language.
	ID string
	// Code is AchievementProfile or the code of one dimension.
	Code               string
	Language           string
	Name               string
	Description        string
	CriteriaID         string
	Criteria           string
	Alignment          []Alignment
	ResultDescriptions []ResultDescription
	RelatedID          string
	RelatedLanguage    string
	Version, Type      string
}

// Alignment points from an achievement to the competency it is about.
type Alignment struct{ Name, URL, Framework, Code string }

// ResultDescription says how one dimension's result is to be read.
type ResultDescription struct {
	ID        string
	Dimension Dimension
	Name      string
	Levels    []RubricLevel
}

// RubricLevel is one level of a ResultDescription with the words of its rubric.
type RubricLevel struct {
	ID          string
	Level       Level
	Name        string
	Description string
}

// AchievementCodes returns the codes of all achievements: the profile, then one for each dimension.
func AchievementCodes() []string {
	codes := []string{AchievementProfile}
	for _, d := range Dimensions() {
		codes = append(codes, string(d))
	}
	return codes
}

// AchievementName returns the name below /achievements/ of the achievement with the given code: "dei/profile/v1".
func AchievementName(code string) string { return "dei/" + code + "/v1" }

// AchievementID returns the id that a credential gives for the achievement with the given code.
func AchievementID(origin, code string) string {
	return origin + "/achievements/" + AchievementName(code)
}

// ResultDescriptionID returns the id of d's result description inside an achievement.
func ResultDescriptionID(achievementID string, d Dimension) string {
	return achievementID + "#" + string(d)
}

// LevelID returns the id of one level of d inside an achievement.
func LevelID(achievementID string, d Dimension, l Level) string {
	return ResultDescriptionID(achievementID, d) + "-" + l.Number()
}

// AchievementDimensions returns the dimensions that the achievement with the given code describes, overall first, and
// false where there is no such achievement.
func AchievementDimensions(code string) ([]Dimension, bool) {
	if code == AchievementProfile {
		return ResultDimensions(), true
	}
	for _, d := range Dimensions() {
		if string(d) == code {
			return []Dimension{d}, true
		}
	}
	return nil, false
}

// DEIProfileV1 returns the default achievement in the given language. origin is the public origin, without a slash at
// its end.
func DEIProfileV1(origin, lang string) Achievement {
	a, _ := NewAchievement(origin, AchievementProfile, lang)
	return a
}

// DEIDimensionV1 returns the achievement that is about d alone, and ErrMalformed where d is not one of the four.
func DEIDimensionV1(origin string, d Dimension, lang string) (Achievement, error) {
	return NewAchievement(origin, string(d), lang)
}

// NewAchievement returns the achievement with the given code (one of AchievementCodes) in the given language.
func NewAchievement(origin, code, lang string) (Achievement, error) {
	dims, ok := AchievementDimensions(code)
	if !ok {
		return Achievement{}, fmt.Errorf("achievement %q: %w", code, ErrMalformed)
	}
	language, _ := ParseLanguage(lang)
	if language == "" {
		language = LanguageEnglish
	}
	id := AchievementID(origin, code)
	words := achievementWords(code)
	a := Achievement{
		ID: id, Code: code, Language: language, Version: achievementVersion, Type: "Competency",
		Name: pick(words.name, language), Description: pick(words.description, language),
		CriteriaID: id + "#criteria", Criteria: pick(words.criteria, language),
		RelatedID: id + "/" + otherLanguage(language), RelatedLanguage: otherLanguage(language),
	}
	a.Alignment = alignments(origin, code, language)
	for _, d := range dims {
		a.ResultDescriptions = append(a.ResultDescriptions, resultDescription(id, d, language))
	}
	return a, nil
}

// alignments points the profile to its dimensions, and a dimension to the profile that it is part of.
func alignments(origin, code, lang string) []Alignment {
	framework := pick(frameworkName(), lang)
	if code != AchievementProfile {
		return []Alignment{{
			Name: pick(achievementWords(AchievementProfile).name, lang), URL: AchievementID(origin, AchievementProfile),
			Framework: framework, Code: AchievementProfile,
		}}
	}
	var out []Alignment
	for _, d := range Dimensions() {
		out = append(out, Alignment{
			Name: d.Name(lang), URL: AchievementID(origin, string(d)), Framework: framework, Code: string(d),
		})
	}
	return out
}

func resultDescription(achievementID string, d Dimension, lang string) ResultDescription {
	rd := ResultDescription{ID: ResultDescriptionID(achievementID, d), Dimension: d, Name: d.Name(lang)}
	for _, l := range Levels() {
		rd.Levels = append(rd.Levels, RubricLevel{
			ID: LevelID(achievementID, d, l), Level: l, Name: l.Name(lang), Description: l.Rubric(d, lang),
		})
	}
	return rd
}

func frameworkName() text {
	return text{"Heartmark Digital Emotional Intelligence", "Heartmark 数字情商"}
}

// achievementWords returns the texts of one achievement.
func achievementWords(code string) (w struct{ name, description, criteria text }) {
	const (
		howEN = "The issuer scored the person's own messages, with consent, over the stated window, with a model that is named in the " +
			"evidence. A level is stated only where the evidence met the certifying minimum (enough opportunities, conversations, " +
			"counterparts and days) and the level was reached with a probability of at least 0.9. What missed that is left out: a " +
			"dimension that is not stated says nothing about the person. A level describes conduct in online exchanges in that " +
			"window; it is no diagnosis and no measure of worth."
		howZH = "颁发者在本人同意的前提下，用凭证依据中写明的模型，对所述时段内本人发出的消息进行评分。只有当依据达到认证的最低要求（足够的情境次数、对话、" +
			"交流对象和天数），且达到该等级的概率不低于 0.9 时，才会写明等级。未达到的不予写明：没有写明的维度不代表对本人的任何判断。" +
			"等级描述的是该时段内线上交流中的行为，不是诊断，也不衡量人的价值。"
	)
	w.criteria = text{howEN, howZH}
	if code == AchievementProfile {
		w.name = text{"Digital Emotional Intelligence", "数字情商"}
		w.description = text{
			"How a person recognises, handles and responds to feelings, their own and other people's, in online exchanges: " +
				"self-awareness, self-management, social awareness and social skills, each at one of four levels.",
			"一个人在线上交流中如何识别、处理和回应自己与他人的情绪：自我意识、自我管理、社交意识和社交技能，各分四个等级。",
		}
		return w
	}
	d := Dimension(code)
	w.name = text{
		"Digital Emotional Intelligence: " + d.Phrase(LanguageEnglish), "数字情商：" + d.Name(LanguageChinese),
	}
	w.description = text{
		d.Description(LanguageEnglish) + " Stated at one of four levels.",
		d.Description(LanguageChinese) + "分四个等级。",
	}
	return w
}

// Map returns a in its Open Badges JSON form, with sets as arrays.
func (a Achievement) Map() map[string]any {
	descriptions := make([]any, 0, len(a.ResultDescriptions))
	for _, rd := range a.ResultDescriptions {
		descriptions = append(descriptions, rd.fields())
	}
	alignment := make([]any, 0, len(a.Alignment))
	for _, al := range a.Alignment {
		alignment = append(alignment, map[string]any{
			"type": []any{"Alignment"}, "targetName": al.Name, "targetUrl": al.URL, "targetFramework": al.Framework,
			"targetType": "ceasn:Competency", "targetCode": al.Code,
		})
	}
	return map[string]any{
		"id": a.ID, "type": []any{"Achievement"}, "achievementType": a.Type, "version": a.Version,
		"inLanguage": a.Language, "name": a.Name, "description": a.Description,
		"criteria":          map[string]any{"id": a.CriteriaID, "narrative": a.Criteria},
		"alignment":         alignment,
		"resultDescription": descriptions,
		"related": []any{map[string]any{
			"id": a.RelatedID, "type": []any{"Related"}, "inLanguage": a.RelatedLanguage, "version": a.Version,
		}},
	}
}

func (rd ResultDescription) fields() map[string]any {
	levels := make([]any, 0, len(rd.Levels))
	for _, l := range rd.Levels {
		levels = append(levels, map[string]any{
			"id": l.ID, "type": []any{"RubricCriterionLevel"}, "name": l.Name, "level": l.Level.Number(),
			"description": l.Description,
		})
	}
	return map[string]any{
		"id": rd.ID, "type": []any{"ResultDescription"}, "name": rd.Name, "resultType": "RubricCriterionLevel",
		"rubricCriterionLevel": levels,
	}
}

// AchievementDocument returns the bytes that the registry serves below /achievements/ for the given name, and
// ErrMalformed where there is no such achievement. name is AchievementName's ("dei/profile/v1", in English) or that
// with a language at its end ("dei/profile/v1/zh"). A version by language has its own id and names the other as
// related; ids of result descriptions and levels are the same in all.
func AchievementDocument(origin, name string) ([]byte, error) {
	code, lang, ok := splitAchievementName(name)
	if !ok {
		return nil, fmt.Errorf("achievement %q: %w", name, ErrMalformed)
	}
	a, err := NewAchievement(origin, code, lang)
	if err != nil {
		return nil, err
	}
	doc := a.Map()
	doc["id"] = origin + "/achievements/" + name
	doc["@context"] = []any{ContextV2, ContextOpenBadges}
	return Marshal(doc)
}

// AchievementNames returns every name that AchievementDocument answers.
func AchievementNames() []string {
	var names []string
	for _, code := range AchievementCodes() {
		name := AchievementName(code)
		names = append(names, name)
		for _, lang := range Languages() {
			names = append(names, name+"/"+lang)
		}
	}
	return names
}

func splitAchievementName(name string) (code, lang string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) < 3 || len(parts) > 4 || parts[0] != "dei" || parts[2] != "v1" {
		return "", "", false
	}
	lang = LanguageEnglish
	if len(parts) == 4 {
		lang = parts[3]
		if lang != LanguageEnglish && lang != LanguageChinese {
			return "", "", false
		}
	}
	return parts[1], lang, true
}
